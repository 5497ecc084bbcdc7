/* progress.h - one transfer as a line of at most so many columns: how much, how fast, how long
 * still, by which way, and what had to be sent twice.
 *
 *     notes.pdf  ━━━━━━━━━━━─────────  54 %  3.2 MB/s  0:42 left  direct  12 kB again
 *
 * What does not fit goes, the least needed first: what was sent again, the bar, the way, then
 * letters of the name. Pure: times are given, in microseconds of any steady clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/buf.h"

#define PROGRESS_UNKNOWN UINT64_MAX

/* The rate, over about two seconds. Zeroed: nothing was seen yet. */
struct progress {
    int64_t at_us, moved_us; /* looked at; when there was more last */
    uint64_t bytes;
    double rate; /* bytes a second */
    unsigned looks;
};

void progress_look(struct progress *p, int64_t now_us, uint64_t bytes);
/* Seconds until `total`; -1: nobody knows. */
int64_t progress_left_s(const struct progress *p, uint64_t done, uint64_t total);

struct progress_line {
    const char *name;
    uint64_t done, total; /* bytes; total may be PROGRESS_UNKNOWN */
    uint64_t again;       /* bytes that were lost and sent again */
    double rate;
    int64_t left_s;    /* -1: not known */
    const char *way;   /* "direct"; "" none yet */
    const char *state; /* "paused": instead of rate and time; NULL: it moves */
    bool plain;        /* the terminal has ASCII only */
};

/* Appends it, without a line end, cleaned (text.h). columns 0: no limit, no bar. */
void progress_put(struct buf *b, const struct progress_line *l, size_t columns);
