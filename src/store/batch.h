/* batch.h - a batch of operations through any store, and what implementations share.
 *
 * The server's store thread and the simulator both go through store_run_batch,
 * so that neither can forget what a failed commit means.
 */
#pragma once

#include "store/store.h"

/* Begins, applies all, commits. ret[i] is the result of ops[i]; when the batch
 * failed every one carries the error (-ROOST_NOT_STORED, -ROOST_FULL), which is
 * also returned. A store that turns out not to be fine runs the batch again, reading
 * only. -ROOST_NOMEM: not even results could be made, ret is all NULL and nothing
 * was stored. */
int store_run_batch(struct store *s, struct store_op **ops, size_t n, struct store_result **ret);

/* The limit of a page: 0 asks for `normal`, none is above STORE_PAGE_MAX. */
uint32_t store_page(const struct store_op *op, uint32_t normal);

/* Whose line of the log it is. */
uint64_t store_log_account(const struct store_op *op, const struct store_result *r);

/* Room for one more of `size` bytes behind n in an array in an arena: the array,
 * moved or not, or NULL when out of memory. Grown by doubling when n is a power
 * of two, so every element must be added through it. */
void *store_grow(struct arena *a, void *array, size_t n, size_t size);

/* Is a parcel of this stage to have another one? 0, or -ROOST_FILE_OVER. */
int store_file_moves(const struct file_row *from, uint32_t to);
/* Would they be one content? */
bool store_file_same(const struct file_row *a, const struct file_row *b);

/* May it be appended to a closed room? Only that a member leaves. */
bool store_closed_takes(const struct event *e);

/* Limits and rules that all implementations keep. */
enum {
    READ_PAGE = 50,              /* events, when no limit is asked for */
    READ_BYTES_MAX = 256 * 1024, /* of text in one result; then more is set */
    TOKEN_GRACE_MS = 60 * 1000,  /* the previous resume token is good for so long */
    DEVICES_MAX = 50,            /* known devices of an account; the oldest goes */
    IGNORES_MAX = 1000,          /* by one account */
    REACTIONS_MAX = 64,          /* different ones to one message */
    GUARDS_MAX = 100000,         /* counters of failed logins; the oldest go */
    GUESTS_MAX = 4000,           /* of one meeting, who are counted; or of none yet */
};
#define SESSION_KEEP_MS (90 * 86400000LL) /* unused */
#define GUARD_KEEP_MS   (86400000LL)      /* past its window and its block */
#define GUEST_IDLE_MS   (86400000LL)      /* who never joined anything */
#define GUEST_COUNT_MS  (86400000LL)      /* so long one without a row in its meeting is counted */
#define GUEST_KEEP_MS   (30 * 86400000LL) /* after its meeting, if it left nothing */
