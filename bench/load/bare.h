/* bare.h - what a line to N connections takes when a server does nothing but write it.
 *
 * One process writes the time to N TCP connections of loopback, one after the other, plain;
 * another one on this core reads them all. So many bare writes are in every line that a
 * server sends to so many members, whatever else it does: the kernel's share of the figure.
 */
#pragma once

#include <stdbool.h>

#include "histogram.h"

struct bare {
    unsigned conns, core; /* core: of who writes; who reads is the caller */
    double rate, seconds; /* writes a second */
    uint64_t seed;        /* of the moments */
    bool stamps;          /* of the kernel: see stamp.h */
};

struct bare_result {
    struct histogram latency;
    double write_us; /* CPU of who writes, each */
};

void bare_measure(const struct bare *b, struct bare_result *ret);
