/* looks.h - all that a name looks like: its skeleton, and the further looks after it.
 *
 * Two names of a kind must not share one. Everything is borrowed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct looks {
    const char *skeleton; /* NULL: none, or already taken */
    const char *rest;     /* each ends with '\n'; NULL: none */
};

/* Takes the first; false when there is none. *ret has no zero byte after it. */
bool looks_next(struct looks *l, const char **ret, size_t *ret_len);
bool looks_meet(struct looks a, struct looks b);
