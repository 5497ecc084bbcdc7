#include "histogram.h"

#include <string.h>

void histogram_init(struct histogram *h)
{
    memset(h, 0, sizeof *h);
}

static unsigned bucket_of(uint64_t ns)
{
    if (ns < HISTOGRAM_SUB)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - 6; /* keeps 7 bits */
    unsigned b = (shift + 1) * HISTOGRAM_SUB + (unsigned)(ns >> shift) - HISTOGRAM_SUB;
    return b < HISTOGRAM_BUCKETS ? b : HISTOGRAM_BUCKETS - 1;
}

/* The middle of a bucket. */
static double value_of(unsigned b)
{
    if (b < HISTOGRAM_SUB)
        return b;
    unsigned shift = b / HISTOGRAM_SUB - 1;
    double low = (double)((uint64_t)(b % HISTOGRAM_SUB + HISTOGRAM_SUB) << shift);
    return low + (double)(1ULL << shift) / 2;
}

void histogram_add(struct histogram *h, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    if (ns > h->max_ns)
        h->max_ns = ns;
    h->bucket[bucket_of((uint64_t)ns)]++;
    h->n++;
}

double histogram_ms(const struct histogram *h, double part)
{
    uint64_t rank = (uint64_t)(part * (double)h->n), seen = 0;
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
        seen += h->bucket[b];
        if (seen > rank)
            return value_of(b) / 1e6;
    }
    return (double)h->max_ns / 1e6;
}
