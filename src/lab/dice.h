/* dice.h - a seeded random number generator (splitmix64), the same on every machine.
 *
 * For models and tests: never for keys. Plain data; the caller owns it. The
 * arithmetic is Steele, Lea and Flood's, 2014.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *d)
{
    uint64_t z = (d->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 to n - 1; n is not 0. The bias of the remainder is below 2^-32 for n < 2^32. */
static inline uint64_t dice_below(struct dice *d, uint64_t n)
{
    return dice_next(d) % n;
}

/* true in so many of a million cases */
static inline bool dice_ppm(struct dice *d, uint32_t ppm)
{
    return dice_below(d, 1000000) < ppm;
}

/* lo to hi, both included */
static inline int64_t dice_between(struct dice *d, int64_t lo, int64_t hi)
{
    return lo + (int64_t)dice_below(d, (uint64_t)(hi - lo) + 1);
}
