/* histogram.h - counts of durations, exact to 1.6 %, for percentiles.
 *
 * Log-linear: each power of two of nanoseconds has 64 equal buckets. Plain
 * data; the caller owns it.
 */
#pragma once

#include <stdint.h>

enum { HISTOGRAM_SUB = 64, HISTOGRAM_BUCKETS = 40 * HISTOGRAM_SUB };

struct histogram {
    uint64_t n;
    int64_t max_ns;
    uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *h);
void histogram_add(struct histogram *h, int64_t ns);
/* part: 0.5 is the median. 0 when empty. */
double histogram_ms(const struct histogram *h, double part);
