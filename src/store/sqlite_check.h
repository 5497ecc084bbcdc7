/* sqlite_check.h - is a file a whole database of this program?
 *
 * The file may come from anywhere: nothing in it is run, and what it holds besides the
 * tables of this program (triggers, views, columns that are computed) is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite_info {
    int version;
    uint64_t accounts, rooms, events;
    int64_t last_ms; /* of the last line of the log */
};

/* Reads all of it when thorough, else only what tells whose it is. Nobody else may have
 * it open. 0 with *ret filled, -ROOST_INVALID: not ours, or damaged; -ROOST_VERSION: of a
 * newer program; -ROOST_IO, -ROOST_NOMEM; why gets a sentence. */
int sqlite_file_check(const char *path, bool thorough, struct sqlite_info *ret,
                      char ret_why[static 200]);
/* Makes a checked file one that a server can start with: brings it up to this version,
 * looks into its index of words, ends all sessions, leaves a line in its log, and syncs. */
int sqlite_file_prepare(const char *path, int64_t now_ms, const char *origin,
                        char ret_why[static 200]);
