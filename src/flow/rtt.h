/* rtt.h - round trips: the newest, the smoothed, how they vary, the lowest (RFC 9002, 5).
 *
 * The lowest is that of the last ten seconds or twenty, so that a path that became longer
 * is believed in the end. Pure; microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RTT_FIRST_US    333000 /* taken for it until one was measured */
#define RTT_GRAIN_US    1000   /* timers are not finer */
#define RTT_LOW_LIFE_US (10 * 1000000LL)

struct rtt {
    bool known;
    int64_t newest_us, smooth_us, vary_us;
    int64_t path_us; /* the newest, less what its acknowledgement was held for */
    int64_t low_us;  /* the lowest, at least of the last RTT_LOW_LIFE_US */
    int64_t low_now_us, low_next_us, low_since_us;
};

void rtt_init(struct rtt *r);
/* Of a packet sent that long ago, by an acknowledgement that says that it was held for
 * delay_us, of which no more than delay_max_us is believed. */
void rtt_on_sample(struct rtt *r, int64_t now_us, int64_t took_us, int64_t delay_us,
                   int64_t delay_max_us);
/* How long to wait for an acknowledgement before asking for one (RFC 9002, 6.2.1). */
int64_t rtt_patience_us(const struct rtt *r, int64_t delay_max_us);
