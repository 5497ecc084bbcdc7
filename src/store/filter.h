/* filter.h - what was surely never put in (a Bloom filter of fixed size).
 *
 * Keys are words that look random already. 256 KiB: of 200,000 keys one stranger in
 * a hundred is taken for known, of a million every other one; then it only saves
 * less. A filter of zeroes is empty; its memory comes with the first key.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct filter {
    uint64_t *bits; /* NULL: nothing was put in */
};

void filter_fini(struct filter *f);
/* False: no memory, and it is not in. */
bool filter_put(struct filter *f, uint64_t a, uint64_t b);
/* False: surely not in. */
bool filter_may_have(const struct filter *f, uint64_t a, uint64_t b);
