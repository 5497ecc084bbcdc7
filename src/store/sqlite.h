/* sqlite.h - the store in one SQLite file, the default of a server.
 *
 * WAL, synchronous=FULL, one connection in exclusive mode: a commit that
 * returned 0 is on the disk. When a commit, a sync or a read fails, the batch is
 * lost, the connection is closed and opened again before the next one, and what
 * the log file holds then is written out in full: a sync is never simply tried
 * again, because the system may have forgotten what it could not write. A batch
 * whose commit failed may turn out to be there after all; its requests are then
 * found by their ids.
 *
 * Texts are indexed for searching a few hundred at a time and before a search,
 * so that a search is complete and saying something stays cheap.
 *
 * Belongs to one thread at a time.
 */
#pragma once

#include "store/store.h"

struct migration;

struct sqlite_options {
    const char *path;
    const char *vfs;               /* NULL: the system's files; tests name their own */
    uint32_t checkpoint_pages;     /* of 4 KiB in the write-ahead log; 0 = 1000 */
    const struct migration *steps; /* a test's, and how many; 0: those of this version */
    size_t n_steps;
    uint32_t requests_most; /* of a generation (sqlite_requests.h); 0 = the usual */
};

/* Opens or makes the file. -ROOST_VERSION: made by a newer program, -ROOST_INVALID:
 * not a file of this program, -ROOST_FULL, -ROOST_IO, -ROOST_NOMEM; ret_why gets a
 * sentence for the admin. */
int sqlite_store_open(struct store **ret_store, const struct sqlite_options *o,
                      char ret_why[static 200]);

/* PRAGMA integrity_check and the full-text index's own check; for tests and
 * admins. True when all is well. */
bool sqlite_store_check(struct store *s, char ret_why[static 200]);
