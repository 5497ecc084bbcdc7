/* progress.h - how far it is: rate and time left, on a terminal; an event a second with --json. */
#pragma once

#include "cli/amount.h"
#include "lab/classics/desk.h"

#define PROGRESS_UNKNOWN UINT64_MAX

struct progress {
    uint64_t total;
    int64_t began_us, shown_us;
    uint64_t shown_bytes;
    double rate; /* bytes a second, smoothed */
};

void progress_begin(struct progress *p, uint64_t total);
void progress_show(struct progress *p, struct desk *d, uint64_t done);
void progress_clear(struct progress *p, struct desk *d); /* before anything else is written */
double progress_seconds(const struct progress *p);
