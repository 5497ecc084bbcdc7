/* pacer.h - a token bucket: when the next packet may leave.
 *
 * Tokens are bytes; they come at the pacing rate and are kept up to one burst, so that a
 * sleep that took too long is made up for, but not more than that. A burst is the least of
 * 64 packets, a millisecond's worth, and half of the queue that was seen to drop; at least two
 * packets, and what may be overslept. Pure; microseconds, bytes, bytes a second.
 *
 * Others send two packets for each acknowledgement. Where a queue is full, one packet alone
 * finds room more often than two that come together, so who shares by being lost as often as
 * others must not send single ones: pacer_set_together.
 *
 * To be compared with: no shaping at all (all that the window allows leaves at once), and a
 * sleep after each packet, as programs do that know no better: what was overslept is not
 * made up for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PACER_BURST_PACKETS = 64, PACER_BURST_LEAST = 2 };
#define PACER_BURST_US 1000
/* For a short queue: with less, a sleep that takes PACER_LATE_US longer than asked for, or a few
 * times that on a machine with other work, would cost a part of the rate. */
#define PACER_BURST_LEAST_US 250
/* What a sleep takes longer than asked for: 50 us of timer slack, and the waking (Linux). */
#define PACER_LATE_US 60

enum pacer_kind { PACER_BUCKET, PACER_NONE, PACER_SLEEP };

struct pacer {
    uint64_t rate; /* 0: no limit */
    uint64_t burst;
    int64_t queue_us; /* of the queue that was seen to drop; 0: none was */
    double tokens;
    int64_t at_us;
    uint32_t mss, together, turns;
    enum pacer_kind kind;
    int64_t wake_us; /* of PACER_SLEEP */
};

void pacer_init(struct pacer *p, enum pacer_kind kind, uint32_t mss, int64_t now_us);
void pacer_set_rate(struct pacer *p, int64_t now_us, uint64_t rate);
void pacer_set_mss(struct pacer *p, uint32_t mss);
/* So many packets leave at once, as far as the window allows, in halves: three are one and two in
 * turn; 0: each when it may. */
void pacer_set_together(struct pacer *p, uint32_t halves);
/* A queue on the way was seen to drop when it took so long to leave it. At our rate that is a part
 * of its bytes, all of them if we are alone there. */
void pacer_on_queue(struct pacer *p, int64_t queue_us);

/* May a packet of so many bytes leave now? */
bool pacer_allows(struct pacer *p, int64_t now_us, uint64_t bytes);
void pacer_on_sent(struct pacer *p, int64_t now_us, uint64_t bytes);
/* When it may; now_us if it may already. */
int64_t pacer_when_us(struct pacer *p, int64_t now_us, uint64_t bytes);
/* When it is worth waking up for it: half a burst may leave then, in one call of the system, and
 * the other half is there for who wakes late. */
int64_t pacer_wake_us(struct pacer *p, int64_t now_us, uint64_t bytes);
