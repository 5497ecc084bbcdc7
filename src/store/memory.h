/* memory.h - the store in memory, for the simulator and as a second opinion on SQLite.
 *
 * Naive on purpose: arrays and linear scans. It keeps a reference to every operation
 * that was committed, in order; a rollback forgets the batch and does those again from
 * nothing. Searching folds the case of ASCII only, and takes every byte above for a
 * letter. Not thread-safe.
 */
#pragma once

#include "store/store.h"

struct store *memory_store_new(void); /* NULL when out of memory */

/* The next commit that would succeed fails with err and is rolled back. */
void memory_fail_commit(struct store *s, int err);

/* For invariants; they borrow until the next batch. Rooms are 1..memory_rooms(). */
uint64_t memory_rooms(const struct store *s);
uint64_t memory_head(const struct store *s, uint64_t room);
/* As it was appended; NULL when there is none, or retention took it. */
const struct event *memory_event(const struct store *s, uint64_t room, uint64_t seq);
bool memory_is_member(const struct store *s, uint64_t room, uint64_t account);
/* Of all accounts, rooms, members and events: equal when these are. */
uint64_t memory_digest(const struct store *s);
