#include "flow/bbr.h"

#define PROBE_RTT_US 5000000
enum { PROBE_RTT_TRIPS = 30 };
/* A queue that can be seen: so much above the lowest round trip, at least. */
#define QUEUE_US     4000
#define QUEUE_MAX_US 16000
enum { QUEUE_DIVISOR = 8 };

/* Of loss, before any was seen: 1 % of so many packets. */
#define PRIOR_PACKETS 50
#define PRIOR_LOST    0.5

enum { HEAP_ROUNDS = 5 }; /* how long a heap is remembered, at least */

void bbr_path_begin(struct cc *c, int64_t now_us)
{
    c->bbr = (struct cc_bbr){
        .now_us = now_us,
        .bw_lo = BBR_NONE,
        .inflight_lo = BBR_NONE,
        .inflight_hi = BBR_NONE,
        .low_rtt_us = INT64_MAX,
        .low_rtt_before_us = INT64_MAX,
        .base_lost = PRIOR_LOST,
        .base_all = PRIOR_PACKETS,
        .phase_us = now_us,
        .asleep = true,
    };
}

/* --- rate -------------------------------------------------------------------------- */

uint64_t bbr_bw_max(const struct cc_bbr *b)
{
    return b->bw_old > b->bw_new ? b->bw_old : b->bw_new;
}

uint64_t bbr_bw(const struct cc_bbr *b)
{
    uint64_t max = bbr_bw_max(b);

    return max < b->bw_lo ? max : b->bw_lo;
}

uint64_t bbr_bdp(const struct cc *c, uint64_t bw, double times)
{
    const struct cc_bbr *b = &c->bbr;

    if (!bw || !b->min_rtt_us)
        return (uint64_t)CC_WINDOW_FIRST * c->mss;
    return (uint64_t)((double)bw * (double)b->min_rtt_us / 1e6 * times);
}

void bbr_next_cycle(struct cc_bbr *b)
{
    if (!b->bw_new)
        return;
    b->bw_old = b->bw_new;
    b->bw_new = 0;
}

static void measure_rate(struct cc_bbr *b, const struct cc_ack *a)
{
    if (!a->rate)
        return;
    b->bw_latest = a->rate > b->bw_latest ? a->rate : b->bw_latest;
    b->bw_round = a->rate > b->bw_round ? a->rate : b->bw_round;
    uint64_t came = a->delivered - a->delivered_then;
    b->inflight_latest = came > b->inflight_latest ? came : b->inflight_latest;
    if ((!a->app_limited || a->rate >= bbr_bw_max(b)) && a->rate > b->bw_new)
        b->bw_new = a->rate;
}

/* --- round trip ------------------------------------------------------------------------ */

/* A look at it takes a round trip and a half of little traffic: not too often on long ones. */
int64_t bbr_probe_rtt_each_us(const struct cc_bbr *b)
{
    int64_t us = PROBE_RTT_TRIPS * b->min_rtt_us;

    return us > PROBE_RTT_US ? us : PROBE_RTT_US;
}

static void measure_rtt(struct cc_bbr *b, const struct cc_ack *a)
{
    if (a->rtt_us <= 0)
        return;
    b->samples++;
    if (a->rtt_us < b->low_rtt_us)
        b->low_rtt_us = a->rtt_us;
    if (!b->probe_rtt_min_us || a->rtt_us <= b->probe_rtt_min_us) {
        b->probe_rtt_min_us = a->rtt_us;
        b->probe_rtt_at_us = a->now_us;
    }
    if (!b->min_rtt_us || b->probe_rtt_min_us < b->min_rtt_us ||
        a->now_us - b->min_rtt_at_us > 2 * bbr_probe_rtt_each_us(b)) {
        b->min_rtt_us = b->probe_rtt_min_us;
        b->min_rtt_at_us = b->probe_rtt_at_us;
    }
}

bool bbr_has_queue(const struct cc_bbr *b, uint32_t least_samples)
{
    int64_t more_us = b->min_rtt_us / QUEUE_DIVISOR;

    if (b->samples < least_samples || b->low_rtt_us == INT64_MAX)
        return false;
    more_us = more_us < QUEUE_US ? QUEUE_US : more_us > QUEUE_MAX_US ? QUEUE_MAX_US : more_us;
    return b->low_rtt_us > b->min_rtt_us + more_us;
}

/* --- acknowledgements in heaps (Wi-Fi, a slow way back) ----------------------------------------
 */

/* More came at once than the rate explains: so much more must be under way, so that the path
 * is not empty until the next heap. */
static void measure_heaps(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    uint64_t due = (uint64_t)((double)bbr_bw(b) * (double)(a->now_us - b->heap_us) / 1e6);

    if (b->round_start && ++b->heap_rounds >= HEAP_ROUNDS) {
        b->heap_rounds = 0;
        b->heap_max[1] = b->heap_max[0];
        b->heap_max[0] = 0;
    }
    if (!b->full)
        return; /* the rate is not known */
    if (b->heap_bytes <= due || !b->heap_us) {
        b->heap_us = a->now_us;
        b->heap_bytes = due = 0;
    }
    b->heap_bytes += a->bytes;
    uint64_t more = b->heap_bytes - (due < b->heap_bytes ? due : b->heap_bytes);
    more = more < c->window ? more : c->window;
    b->heap_max[0] = more > b->heap_max[0] ? more : b->heap_max[0];
}

/* --- rounds --------------------------------------------------------------------------------------
 */

void bbr_path_on_ack(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (!b->rounds) { /* what was before belongs to another path */
        b->lost_at_start = a->lost_all - a->lost;
        b->delivered_at_start = a->delivered - a->bytes;
    }
    b->now_us = a->now_us;
    b->round_start = a->delivered_then >= b->round_end;
    if (b->round_start) {
        b->round_end = a->delivered;
        b->rounds++;
        b->phase_rounds++;
        b->rounds_since_probe++;
    }
    if (a->outage) { /* says nothing of the rate; and the next rounds are a look without a queue */
        b->lost_at_start += a->lost;
        b->probe_rtt_at_us = a->now_us;
    }
    measure_rate(b, a);
    measure_rtt(b, a);
    measure_heaps(c, a);
    b->ce = b->ce || a->ce;
}

void bbr_path_end_ack(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (!b->round_start)
        return;
    b->bw_before = b->bw_round;
    b->bw_round = 0;
    b->inflight_before = b->inflight_latest;
    b->bw_latest = a->rate;
    b->inflight_latest = a->delivered - a->delivered_then;
    b->low_rtt_before_us = b->low_rtt_us;
    b->low_rtt_us = INT64_MAX;
    b->samples = 0;
    b->ce = false;
    b->lost_at_start = a->lost_all;
    b->delivered_at_start = a->delivered;
}
