/* estimate.h - how much a path carries, by when packets came and how many did not.
 *
 * Who sends learns from acknowledgements when each packet came, on the other side's clock. What a
 * packet took longer than the fastest of the last seconds, it waited in a queue. A queue that is
 * longer than the bound for a while, and does not get shorter, means too much: then the rate is a
 * little less than what came through. A queue that was there for a moment only (Wi-Fi holds
 * everything back, then delivers it at once) means nothing. Loss counts where it is more than usual
 * on this path: chance comes at any rate. Without a queue the rate grows, slowly at first and near
 * where it was too much, then faster.
 *
 * Against others who fill queues and do not care, the bound rises towards the queue that is there:
 * the share is held rather than given up. Plain data. Pure; microseconds, bytes, bits a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ESTIMATE_WINDOW = 64 };
#define ESTIMATE_BOUND_US      15000 /* of the queue, to begin with and at least */
#define ESTIMATE_BOUND_MOST_US 150000
#define ESTIMATE_SUSTAINED_US  60000  /* so long it is to be there, by times of arrival */
#define ESTIMATE_RATE_US       400000 /* what came is measured over so long */

enum estimate_why { ESTIMATE_SAME, ESTIMATE_ROOM, ESTIMATE_QUEUE, ESTIMATE_LOSS };

struct estimate {
    uint64_t rate, least, most;
    enum estimate_why why; /* it changed last */
    int64_t why_us;
    /* delays: arrival less sending, two clocks */
    bool begun;
    int64_t low_us, low_next_us, low_since_us;
    int64_t queue_us, bound_us;
    int64_t over_since_us, last_arrived_us; /* the other's clock; -1: not over */
    int64_t over_from_us;                   /* the queue when it began */
    /* what came, by our clock: a ring of pieces */
    struct {
        int64_t at_us;
        uint64_t bytes;
    } came[ESTIMATE_WINDOW];
    uint32_t n_came;
    /* losses of this second, and what is usual */
    uint32_t lost, acked, seconds;
    int64_t second_us;
    float usual;
    int64_t vain_us, vain_queue_us; /* the rate falls since, when the queue was so long; 0: not */
    /* changes */
    int64_t rtt_us, changed_us, fell_us, calm_us;
    uint64_t too_much; /* what came through when it was too much last; 0: never */
    bool limited;      /* all that was allowed was not sent: nothing is learnt of room */
};

void estimate_init(struct estimate *e, int64_t now_us, uint64_t start, uint64_t least,
                   uint64_t most);
/* A packet was sent at sent_us (our clock) and came at arrived_us (theirs). In order of arrival. */
void estimate_on_acked(struct estimate *e, int64_t now_us, int64_t sent_us, int64_t arrived_us,
                       uint32_t bytes);
void estimate_on_lost(struct estimate *e, int64_t now_us, uint32_t packets);
void estimate_on_rtt(struct estimate *e, int64_t rtt_us);
/* There was less to send than the rate allows. */
void estimate_on_limited(struct estimate *e, bool limited);
/* To be called some 20 times a second, and after acknowledgements. */
void estimate_expire(struct estimate *e, int64_t now_us);
/* On another path all begins anew, at half the rate. */
void estimate_on_path(struct estimate *e, int64_t now_us);
/* Bits a second that came, lately. */
uint64_t estimate_came(const struct estimate *e, int64_t now_us);
