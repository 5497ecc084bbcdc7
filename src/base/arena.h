/* arena.h - memory that is given out in pieces and freed at once.
 *
 * Holds what belongs to one message or one store operation. Never moves what
 * it gave out. An arena of zeroes is empty and ready. Not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena {
    struct arena_block *head;
    size_t used_bytes;  /* given out so far */
    size_t limit_bytes; /* 0 = none; past it arena_get returns NULL */
};

void arena_init(struct arena *a, size_t limit_bytes);
void arena_fini(struct arena *a);

/* Zeroed, aligned for any type; NULL when out of memory or past the limit. */
void *arena_get(struct arena *a, size_t bytes);
void *arena_dup(struct arena *a, const void *bytes, size_t len);
/* A copy that ends in a zero byte; NULL gives NULL. */
char *arena_str(struct arena *a, const char *s);
