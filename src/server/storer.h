/* storer.h - the store's thread: group commit.
 *
 * The loop puts operations; the thread takes all that wait (up to a batch),
 * runs them as one transaction and hands the results back in the order of
 * putting, on the loop. What arrives during a commit is the next batch, so the
 * busier it is the more lines share one fsync. What is patient (op->patient) waits a
 * moment for others when the last of its kind was just done. The queue is bounded: above the
 * bound an operation is answered -ROOST_BUSY, in its turn.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "store/store.h"

struct storer;

struct storer_settings {
    size_t waiting_max, batch_max;
    void (*on_result)(void *ctx, struct store_result *r); /* takes r over; on the loop */
    /* May it be written to? On the thread, between batches (storer_probe). */
    int (*probe)(struct store *store);
    void (*on_probed)(void *ctx, int err); /* on the loop */
    /* How it is with the disk has changed; on the loop, with a context of its own. */
    void (*on_health)(void *ctx, enum store_health health, const char *why);
    void *health_ctx;
    void *ctx;
};

struct storer_stats {
    uint64_t ops, batches, busy, failed;
};

/* Borrows loop and store; the store is used by the thread alone until
 * storer_stop. */
int storer_new(struct storer **ret, uv_loop_t *loop, struct store *store,
               const struct storer_settings *settings);
/* Takes the reference over; it is dropped on the loop, when the result is handed out. */
void storer_put(struct storer *s, struct store_op *op);
/* Put, and not yet handed back. */
size_t storer_waiting(const struct storer *s);
size_t storer_coming(const struct storer *s); /* ... but strangers' */
/* on_probed tells, soon or when the batch before it ends; asked again before that, once
 * for both. */
void storer_probe(struct storer *s);
void storer_stats(const struct storer *s, struct storer_stats *ret);
/* As on_health told it last; a store that is not fine is tried again by itself. */
enum store_health storer_health(const struct storer *s);
/* Long work on the store, in pieces of a few milliseconds: called on the thread between
 * batches, and again and again while nothing waits, until it returns false. One at a
 * time: a new one takes the place of the one before. NULL: none, and the one before
 * is not running any more when this returns. */
typedef bool storer_chore(void *ctx, struct store *store);
void storer_set_chore(struct storer *s, storer_chore *chore, void *ctx);

/* Finishes what waits (results are still handed out, before it returns), ends
 * the thread, and closes its handle: run the loop once more, then free. */
void storer_stop(struct storer *s);
void storer_free(struct storer *s);
