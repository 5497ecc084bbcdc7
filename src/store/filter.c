#include "store/filter.h"

#include <stdlib.h>

enum { BITS = 1 << 21, PROBES = 4 };

static uint32_t probe(uint64_t a, uint64_t b, int i)
{
    uint64_t x = (a + (uint64_t)i * b) * 0x9e3779b97f4a7c15u;

    return (uint32_t)(x >> 40) & (BITS - 1);
}

void filter_fini(struct filter *f)
{
    free(f->bits);
    f->bits = NULL;
}

bool filter_put(struct filter *f, uint64_t a, uint64_t b)
{
    if (!f->bits && !(f->bits = calloc(BITS / 64, sizeof *f->bits)))
        return false;
    for (int i = 0; i < PROBES; i++) {
        uint32_t at = probe(a, b, i);
        f->bits[at / 64] |= 1ULL << at % 64;
    }
    return true;
}

bool filter_may_have(const struct filter *f, uint64_t a, uint64_t b)
{
    for (int i = 0; i < PROBES && f->bits; i++) {
        uint32_t at = probe(a, b, i);
        if (!(f->bits[at / 64] >> at % 64 & 1))
            return false;
    }
    return f->bits != NULL;
}
