/* due.h - who is due next: a heap of deadlines, each inside what it is the deadline of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due {
    int64_t at_us;
    size_t place; /* in the heap, plus 1; 0: it is not there */
};

struct dues {
    struct due **heap;
    size_t n, cap;
};

void dues_fini(struct dues *d);
/* Room for one more; then dues_set of one that is new cannot fail. */
int dues_reserve(struct dues *d);
void dues_set(struct dues *d, struct due *x, int64_t at_us); /* INT64_MAX is fine */
void dues_remove(struct dues *d, struct due *x);
struct due *dues_first(const struct dues *d); /* NULL: none */
