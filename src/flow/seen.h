/* seen.h - which packets came: what an acknowledgement says.
 *
 * Ranges of numbers, from the highest down, and the arrival times of the newest. What is
 * far below is forgotten when there is no room: the other side has known it for long, and
 * sends it again if not. Says too when an acknowledgement is due: at once for the first
 * packets, on a gap, and on a mark of congestion; else after so many, or a little later.
 * Pure; microseconds.
 */
#pragma once

#include "wire/dgram.h"

enum { SEEN_AT_ONCE = 100 }; /* the first so many packets */
#define SEEN_DELAY_MAX_US 25000

struct seen {
    struct ack_range ranges[ACK_RANGES_MAX];
    uint32_t n_ranges;
    struct {
        uint64_t number;
        int64_t at_us;
    } times[ACK_TIMES_MAX]; /* a ring, by number */
    uint64_t packets, ect0, ect1, ce;
    int64_t largest_us; /* when the highest came */
    /* since the last acknowledgement was sent: */
    uint32_t waiting; /* that ask for one */
    int64_t due_us;   /* INT64_MAX: none is due */
};

/* What governs delays, told by the other side's behaviour: see PROTOCOL. */
struct seen_pace {
    uint32_t every;   /* packets */
    int64_t delay_us; /* at most */
    int64_t ago_us;   /* the packet came so long before now: its socket was looked at late */
};

enum seen_ecn { SEEN_NOT_ECT, SEEN_ECT1, SEEN_ECT0, SEEN_CE }; /* as in the IP header */

void seen_init(struct seen *s);
/* number was read at now_us. eliciting: it asks for an acknowledgement. */
void seen_on_packet(struct seen *s, uint64_t number, int64_t now_us, bool eliciting,
                    enum seen_ecn ecn, const struct seen_pace *pace);
/* All that is known, as of now. False: nothing came yet. base_us: when the session began. */
bool seen_ack(const struct seen *s, int64_t now_us, int64_t base_us, struct ack *ret);
void seen_on_ack_sent(struct seen *s);
/* The other side knows everything up to that number: it need not be told again. */
void seen_forget(struct seen *s, uint64_t number);
