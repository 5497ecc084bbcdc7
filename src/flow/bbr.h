/* bbr.h - BBR: what it believes of the path (bbr_path.c, bbr_loss.c), and what it does about it
 * (bbr.c).
 *
 * The shape is that of version 3 (draft-ietf-ccwg-bbr): the rate is the highest of two
 * cycles, the round trip the lowest of ten seconds, their product is what the path holds.
 * What is different, and why:
 *
 *   Loss alone is no congestion. There are paths that lose at any rate (radio), so what is
 *   lost when nothing is probed is learned, and only what is lost beyond it counts: more
 *   than 2 % with a queue that can be seen or CE, more than 5 % without (a queue too short
 *   to be seen, or a policer).
 *
 *   Start-up also ends when round trips grow while the rate does not, so that a deep queue
 *   is not filled first; so does the probing of a cycle. A cycle that cruises over a queue
 *   drains it, a few times: then the queue is somebody else's.
 */
#pragma once

#include "flow/cc.h"

enum bbr_state {
    BBR_STARTUP,   /* twice as fast each round trip, until the rate does not grow any more */
    BBR_DRAIN,     /* what that put into the queue */
    BBR_DOWN,      /* likewise of a probe; leaves room to others */
    BBR_CRUISE,    /* at the rate that was found */
    BBR_REFILL,    /* the path full again, before it is probed */
    BBR_UP,        /* is there more? */
    BBR_PROBE_RTT, /* almost nothing under way, for a look at the path without a queue */
    BBR_STATES,
};

#define BBR_NONE UINT64_MAX

#define BBR_GROWTH 1.25 /* less than that in a round is no growth */
#define BBR_LOWER  0.7  /* at most, at once */
#define BBR_YIELD  0.85 /* what is left of what came through when others lose too */

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* --- bbr_path.c --- */

void bbr_path_begin(struct cc *c, int64_t now_us);
/* First on each acknowledgement: rounds, rate, round trip, loss, heaps. */
void bbr_path_on_ack(struct cc *c, const struct cc_ack *a);
/* Last: what a round was measured by begins anew. */
void bbr_path_end_ack(struct cc *c, const struct cc_ack *a);

uint64_t bbr_bw_max(const struct cc_bbr *b);
uint64_t bbr_bw(const struct cc_bbr *b);                         /* what may be used of it */
uint64_t bbr_bdp(const struct cc *c, uint64_t bw, double times); /* bytes */
/* A cycle of probing is over: the rate of the one before the last is forgotten. */
void bbr_next_cycle(struct cc_bbr *b);
/* How long to do without a look at the path without a queue. */
int64_t bbr_probe_rtt_each_us(const struct cc_bbr *b);
/* The round's lowest round trip shows a queue. */
bool bbr_has_queue(const struct cc_bbr *b, uint32_t least_samples);

/* --- bbr_loss.c --- */

/* More was lost in this round than is usual, and that is because of us. */
bool bbr_is_congested(const struct cc *c, const struct cc_ack *a);
/* What is lost in this round comes at any rate: it is learned. doubtful: at the full
 * rate some of it may be our doing, or that of others; what is more than usual weighs less. */
void bbr_learn_loss(struct cc *c, const struct cc_ack *a, bool doubtful);
/* From now on: what was sent before is not held against the rate that is. */
void bbr_begin_watch(struct cc_bbr *b);
/* At the end of a round that was not to find more. */
void bbr_judge_cruise(struct cc *c, const struct cc_ack *a);
/* Not long ago something did wait: a queue is there, if a short one, and no policer. */
bool bbr_has_waited(const struct cc_bbr *b);
/* What was lowered is taken back. */
void bbr_forgive(struct cc_bbr *b);
/* What on_undo gives back. */
void bbr_save(struct cc_bbr *b);
