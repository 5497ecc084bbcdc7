/* keeper.h - backup, check and restore while the server runs.
 *
 * A check looks through a copy of the database, and then through the files that it names
 * (contents.h).
 *
 * One piece of work at a time. A copy of the database is made on the store's thread, in
 * pieces of a few milliseconds between its batches; sums, checks and the file of a
 * restore are worked on in libuv's threads. An admin's program asks how it stands, and
 * for the next piece. Work makes room for another's when it is over, when the connection
 * that asked is gone (until then it may come back and go on), and when nobody asked about
 * it for KEEPER_IDLE_MS; and always for the same account that begins such work anew, or
 * the same connection that begins other work. Belongs to the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "hub/hub.h"
#include "server/contents.h"
#include "server/datadir.h"
#include "server/storer.h"

enum { KEEPER_IDLE_MS = 60000, KEEPER_PIECE = 48 * 1024 };

struct keeper;

struct keeper_settings {
    /* The answer to keeper_put; on the loop, perhaps before that returns. */
    void (*on_kept)(void *ctx, uint64_t token, const struct hub_kept *kept);
    /* The figures of KEEP_STATS, at most KEEPER_STATS_MAX; how many. */
    size_t (*stats)(void *ctx, struct hub_stat *ret);
    /* A check begins, ends: what nobody refers to is to stay meanwhile. */
    void (*on_checking)(void *ctx, bool checking);
    /* It found these contents damaged or missing. */
    void (*on_wrong)(void *ctx, const struct sqlite_content *c, uint64_t inode);
    /* Another database waits to take the place of this one: begin anew. */
    void (*on_restore)(void *ctx);
    void *ctx;
};

enum { KEEPER_STATS_MAX = 64 };

/* Borrows loop, storer and dir. */
int keeper_new(struct keeper **ret, uv_loop_t *loop, struct storer *storer,
               const struct datadir *dir, const struct keeper_settings *settings);
/* Takes what k holds. */
void keeper_put(struct keeper *k, struct hub_keep *asked);
/* What is under way is given up; run the loop until it is empty, end the storer, then free. */
void keeper_stop(struct keeper *k);
void keeper_free(struct keeper *k);
