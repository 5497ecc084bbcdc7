/* codel.h - drops from the head of a queue that has stood for too long (RFC 8289).
 *
 * The queue asks when it takes a packet out: has it waited too long, and has the
 * shortest wait been too long for a whole interval? While that is so, the next is
 * dropped after interval / sqrt(count), so that the pressure grows. Plain data; time
 * in microseconds. The caller owns packets and memory. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CODEL_TARGET_US = 5000, CODEL_INTERVAL_US = 100000 };

struct codel {
    int64_t first_above_us; /* when a whole interval above the target is over; 0: below it */
    int64_t drop_next_us;
    uint32_t count, last_count;
    bool dropping;
};

/* A packet leaves the queue after waited_us; `small`: what stays behind is less than a
 * packet. true: drop it, and ask for the next one. */
bool codel_drops(struct codel *c, int64_t now_us, int64_t waited_us, bool small, int64_t target_us,
                 int64_t interval_us);

/* Nothing is in the queue. */
void codel_on_empty(struct codel *c);
