/* store_story.h - a store that is told a story, one operation at a time.
 *
 * STORY(x) makes a test of `static void told_x(void)`: it is told to the store in
 * memory, then to SQLite. Whatever is expected is CHECKed.
 */
#pragma once

#include "store/store.h"

#define T0 1700000000000LL

extern struct store *store;       /* the one that is told */
extern struct store_result *last; /* of the last operation */

/* Does it as a batch of its own; the result lives until the next. */
struct store_result *go(struct store_op *op);
struct store_op *new_op(enum store_kind kind, int64_t now_ms);

uint64_t person(const char *name);
uint64_t room_of(uint64_t a, uint64_t b); /* b: 0 for none */
struct store_op *event_op(uint64_t room, uint64_t from, enum event_kind kind, uint64_t ref,
                          const char *text);
uint64_t say(uint64_t room, uint64_t from, const char *text);
struct store_result *read_all(uint64_t room, uint64_t account);
size_t found(uint64_t account, const char *words);

void end(void); /* of the store and the last result */
void tell(void (*story)(void));

#define STORY(name)                                                                                \
    static void name(void)                                                                         \
    {                                                                                              \
        tell(told_##name);                                                                         \
    }
