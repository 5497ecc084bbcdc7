#include "flow/bbr.h"

#define START_GAIN     2.77 /* 4 ln 2: doubles each round trip */
#define START_WINDOW   2.0
#define QUEUE_WINDOW   1.5 /* while a queue shows: what it can grow by is known a round later */
#define DRAIN_GAIN     0.5
#define UP_GAIN        1.25
#define DOWN_GAIN      0.75
#define WINDOW_GAIN    2.0
#define UP_WINDOW      2.25
#define RTT_WINDOW     0.5  /* while the round trip is looked at */
#define MARGIN         0.99 /* of the rate: queues empty in the end */
#define HEADROOM       0.83 /* of what was too much: left to others */
#define HEADROOM_ALONE 0.95 /* where others would be noticed, and yielded to */
#define DRAIN_AGAIN    0.9
/* In company: who has a path of COMPANY packets does as if alone, who has more asks for less; see
 * in_company. */
#define COMPANY        32
#define COMPANY_LEAST  0.4
#define COMPANY_MOST   2.0
#define COMPANY_WINDOW 0.75 /* twice that is QUEUE_WINDOW */
#define WINDOW_LEAST   1.2

#define PROBE_RTT_LAST_US 200000
#define WAIT_LEAST_US     2000000
#define WAIT_MORE_US      1000000
enum {
    FULL_ROUNDS = 3,
    WAIT_ROUNDS = 63, /* as long as a flow of Reno takes to be back, on a path of so many packets */
    EARLY_ROUNDS = 8,
    PATIENCE = 4,
    QUEUE_SAMPLES = 8,
    LEAST_PACKETS = 4,
    COMPANY_PACKETS = 4,
    DRAINS_MAX = 4,
    SLOW_ROUNDS = 2,
    SLOW_DIVISOR = 3,
    QUANTA = 3, /* bursts that are under way at least: one here, one there, one on the way */
    QUANTUM_PACKETS = 64,
};

static const struct {
    const char *name;
    double pacing, window;
} states[] = {
    [BBR_STARTUP] = { "start-up", START_GAIN, START_WINDOW },
    [BBR_DRAIN] = { "drain", DRAIN_GAIN, START_WINDOW },
    [BBR_DOWN] = { "probe down", DOWN_GAIN, WINDOW_GAIN },
    [BBR_CRUISE] = { "cruise", 1, WINDOW_GAIN },
    [BBR_REFILL] = { "refill", 1, WINDOW_GAIN },
    [BBR_UP] = { "probe up", UP_GAIN, UP_WINDOW },
    [BBR_PROBE_RTT] = { "probe round trip", 1, RTT_WINDOW },
};

static void enter(struct cc *c, enum bbr_state state)
{
    c->bbr.state = state;
    c->bbr.phase_rounds = 0;
    c->phase = states[state].name;
}

/* splitmix64 */
static uint64_t draw(struct cc *c, uint64_t below)
{
    uint64_t z = (c->dice += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

/* --- what is allowed -------------------------------------------------------------------- */

static uint64_t headroom(const struct cc *c)
{
    const struct cc_bbr *b = &c->bbr;

    double part = b->drops && !b->others ? HEADROOM_ALONE : HEADROOM;

    return b->inflight_hi == BBR_NONE ? BBR_NONE : (uint64_t)((double)b->inflight_hi * part);
}

/* A queue that draining does not end is that of others. */
static bool in_company(const struct cc *c)
{
    const struct cc_bbr *b = &c->bbr;

    return b->drains >= DRAINS_MAX && (b->state == BBR_CRUISE || b->state == BBR_UP);
}

/* Where all hold a standing queue each one's rate is its part of what is under way, and each
 * measures it again when it probes: who asks for a part of its own rate keeps what it has for
 * ever, be it three times as much as the others (sim/course "share alike"). So all ask for
 * about the same number of packets, whatever they have. */
static double ask(const struct cc *c)
{
    double path = (double)bbr_bdp(c, bbr_bw_max(&c->bbr), 1) / c->mss;
    double part = COMPANY / (path < 1 ? 1 : path);

    return part < COMPANY_LEAST ? COMPANY_LEAST : part > COMPANY_MOST ? COMPANY_MOST : part;
}

static double window_in_company(const struct cc *c)
{
    double times = COMPANY_WINDOW * (1 + ask(c));

    if (c->bbr.state == BBR_UP)
        return WINDOW_GAIN + (UP_WINDOW - WINDOW_GAIN) * ask(c);
    return times < WINDOW_LEAST ? WINDOW_LEAST : times;
}

static uint64_t floor_of(const struct cc *c)
{
    return (uint64_t)LEAST_PACKETS * c->mss;
}

static uint64_t heap_of(const struct cc_bbr *b)
{
    return most(b->heap_max[0], b->heap_max[1]);
}

/* The path's own, what heaps need beyond it, and whole bursts. */
static uint64_t wanted_window(const struct cc *c)
{
    const struct cc_bbr *b = &c->bbr;
    uint64_t quantum = least(c->pacing / 1000, (uint64_t)QUANTUM_PACKETS * c->mss);
    double times = states[b->state].window;

    bool company = in_company(c);
    if (b->state == BBR_STARTUP && bbr_has_queue(b, QUEUE_SAMPLES))
        times = QUEUE_WINDOW;
    else if (company && (b->state == BBR_UP || bbr_has_queue(b, QUEUE_SAMPLES)))
        times = window_in_company(c);
    uint64_t want = bbr_bdp(c, bbr_bw(b), times) + (company ? COMPANY_PACKETS * c->mss : 0);

    want += heap_of(b);
    want = most(want, QUANTA * quantum);
    return most(want + (b->state == BBR_UP ? 2 * c->mss : 0), floor_of(c));
}

/* What was found to be too much, in the long run and in the short; what has come, and was not
 * acknowledged yet, is not in the path any more. */
static uint64_t bound(const struct cc *c)
{
    const struct cc_bbr *b = &c->bbr;
    uint64_t cap = b->state == BBR_CRUISE || b->state == BBR_PROBE_RTT ? headroom(c)
                                                                       : b->inflight_hi;

    cap = least(cap, b->inflight_lo);
    return cap == BBR_NONE ? cap : most(cap + heap_of(b), floor_of(c));
}

static void set_window(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    uint64_t want = wanted_window(c);

    if (b->full)
        c->window = least(c->window + a->bytes, want);
    else if (c->window < want || a->delivered < (uint64_t)CC_WINDOW_FIRST * c->mss)
        c->window += a->bytes;
    if (b->state == BBR_PROBE_RTT)
        c->window = least(c->window, most(bbr_bdp(c, bbr_bw(b), RTT_WINDOW), floor_of(c)));
    c->window = least(most(least(c->window, bound(c)), floor_of(c)), CC_WINDOW_MAX);
    c->threshold = b->inflight_hi;
}

static void set_pacing(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    double gain = states[b->state].pacing;

    if (b->state == BBR_CRUISE && b->draining)
        gain = DRAIN_AGAIN;
    if (b->state == BBR_UP && in_company(c))
        gain = 1 + (UP_GAIN - 1) * ask(c);
    uint64_t rate = (uint64_t)(gain * MARGIN * (double)bbr_bw(b));
    c->bandwidth = bbr_bw(b);
    if (!b->full && a->smooth_rtt_us > 0) { /* only ever faster, as fast as the window asks */
        double times = b->rounds > 1 ? BBR_GROWTH : 1;
        rate = most(rate, (uint64_t)(times * (double)c->window * 1e6 / (double)a->smooth_rtt_us));
        rate = most(rate, c->pacing);
    }
    c->pacing = most(rate, 1);
}

/* --- cycles ------------------------------------------------------------------------------- */

static void begin_down(struct cc *c)
{
    struct cc_bbr *b = &c->bbr;

    b->cycle_round = b->state == BBR_UP ? b->rounds : b->cycle_round;
    enter(c, BBR_DOWN);
    b->phase_us = b->now_us;
    b->wait_us = WAIT_LEAST_US + (int64_t)draw(c, WAIT_MORE_US);
    b->rounds_since_probe = (uint32_t)draw(c, 2);
    bbr_begin_watch(b); /* what the probe cost is found now */
    b->drains = 0;
    if (!bbr_has_waited(b)) /* a full bucket was measured */
        b->mistakes = 0;
    b->patience = 1;
    b->draining = false;
}

static void begin_refill(struct cc *c)
{
    struct cc_bbr *b = &c->bbr;

    enter(c, BBR_REFILL);
    b->cruise_bw = bbr_bw(b);
    if (b->drains >= DRAINS_MAX && b->bw_new) /* what others have taken since is theirs */
        b->bw_old = 0;
    bbr_forgive(b);
}

static void begin_up(struct cc *c)
{
    struct cc_bbr *b = &c->bbr;

    enter(c, BBR_UP);
    b->early = false;
    b->full_bw = b->bw_latest;
    b->full_rounds = 0;
    b->up_acked = 0;
    b->up_step = c->window;
}

static bool is_time_to_probe(const struct cc *c)
{
    const struct cc_bbr *b = &c->bbr;
    uint64_t rounds = least(bbr_bdp(c, bbr_bw(b), 1) / c->mss, WAIT_ROUNDS);

    rounds = b->early ? EARLY_ROUNDS : most(rounds, EARLY_ROUNDS);
    rounds *= b->patience;
    bool yields = b->bw_lo != BBR_NONE && !bbr_has_queue(b, 1); /* and is on its way back */
    if (b->yields && b->drops && !bbr_has_queue(b, 1))
        return false;
    if (yields && b->rounds_since_probe < PATIENCE * rounds &&
        b->now_us - b->phase_us < PATIENCE * b->wait_us)
        return false;
    return b->now_us - b->phase_us >= b->wait_us * b->patience || b->rounds_since_probe >= rounds;
}

/* Further than ever without harm: a packet more in the first round, two in the next, ... */
static void raise_inflight(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (b->inflight_hi == BBR_NONE || a->before + c->mss < c->window || c->window < b->inflight_hi)
        return;
    b->up_acked += a->bytes;
    while (b->up_acked >= b->up_step) {
        b->up_acked -= b->up_step;
        b->inflight_hi += c->mss;
    }
    if (b->round_start)
        b->up_step = most(b->up_step / 2, c->mss);
}

/* At a round's end: did it bring a quarter more than the best before? */
static bool has_grown(struct cc_bbr *b)
{
    uint64_t bw = bbr_bw_max(b);

    if ((double)bw < BBR_GROWTH * (double)b->full_bw)
        return false;
    b->full_bw = bw;
    b->full_rounds = 0;
    return true;
}

static bool fills_a_queue(const struct cc_bbr *b, uint32_t samples)
{
    return bbr_has_queue(b, samples) && (double)b->bw_round < BBR_GROWTH * (double)b->bw_before;
}

static bool is_up_enough(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (!b->round_start || b->phase_rounds < 2)
        return false;
    bool held = c->window >= b->inflight_hi; /* by what was too much once */
    if (held)
        b->full_bw = bbr_bw_max(b);
    if (held || has_grown(b))
        b->full_rounds = 0;
    else if (!a->app_limited)
        b->full_rounds++;
    bool above = a->under_way > bbr_bdp(c, bbr_bw_max(b), BBR_GROWTH) + heap_of(b);
    return b->full_rounds >= FULL_ROUNDS || above || fills_a_queue(b, LEAST_PACKETS);
}

/* Two rounds over a queue brought less than a third of what is believed: it is another path
 * now, or much company has come. */
static bool has_slowed(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (!b->round_start || a->app_limited || b->state == BBR_PROBE_RTT)
        return false;
    bool slow = bbr_has_queue(b, LEAST_PACKETS) && b->bw_round < bbr_bw(b) / SLOW_DIVISOR;
    b->slow_rounds = slow ? b->slow_rounds + 1 : 0;
    if (b->slow_rounds < SLOW_ROUNDS)
        return false;
    b->slow_rounds = 0;
    b->bw_old = 0;
    b->bw_new = b->bw_round;
    b->inflight_hi = BBR_NONE;
    bbr_forgive(b);
    enter(c, BBR_DRAIN);
    return true;
}

static void cycle(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (b->cycle_round && b->rounds > b->cycle_round) { /* what the probe brought is known */
        bbr_next_cycle(b);
        b->cycle_round = 0;
    }
    if (has_slowed(c, a))
        return;
    switch (b->state) {
    case BBR_DOWN:
        if (a->under_way <= least(bbr_bdp(c, bbr_bw_max(b), 1), headroom(c)))
            enter(c, BBR_CRUISE);
        else if (is_time_to_probe(c))
            begin_refill(c);
        break;
    case BBR_CRUISE:
        if (b->round_start) {
            b->draining = b->drains < DRAINS_MAX && bbr_has_queue(b, LEAST_PACKETS);
            b->drains += b->draining;
        }
        if (is_time_to_probe(c))
            begin_refill(c);
        break;
    case BBR_REFILL:
        if (b->round_start && b->phase_rounds >= 1)
            begin_up(c);
        break;
    case BBR_UP:
        raise_inflight(c, a);
        if (is_up_enough(c, a))
            begin_down(c);
        break;
    default:
        break;
    }
}

static void end_start_up(struct cc *c)
{
    c->bbr.full = true;
    c->bbr.probe_rtt_at_us = c->bbr.now_us; /* the first rounds had no queue */
    enter(c, BBR_DRAIN);
}

/* --- start-up ------------------------------------------------------------------------------ */

static void start_up(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (b->state == BBR_STARTUP && b->round_start && !a->app_limited) {
        if (!has_grown(b))
            b->full_rounds++;
        b->early = fills_a_queue(b, QUEUE_SAMPLES);
        if (b->full_rounds >= FULL_ROUNDS || b->early)
            end_start_up(c);
    }
    if (b->state == BBR_DRAIN && a->under_way <= bbr_bdp(c, bbr_bw_max(b), 1))
        begin_down(c);
}

/* --- loss ------------------------------------------------------------------------------------ */

/* A probe went too far: it ends, and the next ones begin below. */
static void end_probe(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    uint64_t bdp = bbr_bdp(c, bbr_bw(b), 1);

    b->inflight_hi = most(a->under_way_then, (uint64_t)((double)bdp * BBR_LOWER));
    if (b->state == BBR_STARTUP) { /* what came while most was lost is what the path can */
        b->bw_old = 0;
        b->bw_new = most(b->bw_latest, b->bw_before);
        b->inflight_hi = most(most(b->inflight_latest, b->inflight_before),
                              bbr_bdp(c, b->bw_new, 1));
        end_start_up(c);
    } else {
        b->bw_lo = b->others ? b->cruise_bw : most(b->cruise_bw, b->bw_latest);
        if (bbr_has_queue(b, 1)) { /* others are there too: they get some of it */
            b->bw_lo = (uint64_t)((double)b->bw_lo * BBR_YIELD);
            b->inflight_hi = (uint64_t)((double)b->inflight_hi * BBR_YIELD);
        }
        bool unseen = !bbr_has_queue(b, 1) && !b->ce;
        begin_down(c);
        b->patience = unseen ? PATIENCE : 1; /* it only cost: not again so soon */
    }
}

static void judge(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (b->state == BBR_STARTUP || b->state == BBR_UP) {
        if (bbr_is_congested(c, a)) {
            bbr_save(b);
            end_probe(c, a);
        } else if (b->round_start && b->state == BBR_STARTUP) {
            bbr_learn_loss(c, a, false);
        }
    } else if (b->round_start &&
               (b->state == BBR_CRUISE || b->state == BBR_DOWN || b->state == BBR_PROBE_RTT)) {
        bbr_judge_cruise(c, a);
    }
}

/* --- the round trip ----------------------------------------------------------------------------
 */

static void probe_rtt(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;

    if (b->state != BBR_PROBE_RTT) {
        if (!b->full || !b->probe_rtt_at_us ||
            b->now_us - b->probe_rtt_at_us < bbr_probe_rtt_each_us(b))
            return;
        if (b->state == BBR_UP)
            begin_down(c); /* what that probe cost is its own, not a sign of others */
        b->prior_window = c->window;
        b->probe_rtt_min_us = a->rtt_us > 0 ? a->rtt_us : a->smooth_rtt_us;
        b->probe_rtt_at_us = b->now_us;
        b->probe_rtt_done_us = 0;
        enter(c, BBR_PROBE_RTT);
    }
    uint64_t few = most(bbr_bdp(c, bbr_bw(b), RTT_WINDOW), floor_of(c));
    if (!b->probe_rtt_done_us && a->under_way <= few) {
        b->probe_rtt_done_us = b->now_us + PROBE_RTT_LAST_US;
        b->phase_rounds = 0;
    } else if (b->probe_rtt_done_us && b->now_us >= b->probe_rtt_done_us && b->phase_rounds >= 1) {
        b->probe_rtt_at_us = b->now_us;
        c->window = most(c->window, b->prior_window);
        if (!b->yields)
            bbr_forgive(b);
        begin_down(c);
        enter(c, BBR_CRUISE);
    }
}

/* --- the controller
 * -------------------------------------------------------------------------------- */

static void init(struct cc *c, int64_t now_us)
{
    bbr_path_begin(c, now_us);
    enter(c, BBR_STARTUP);
}

/* After a pause: at the rate that was found, not in one burst. */
static void on_sent(struct cc *c, int64_t now_us, uint64_t bytes, uint64_t under_way)
{
    struct cc_bbr *b = &c->bbr;

    if (under_way > bytes || !b->full)
        return;
    b->heap_us = 0;
    if (b->state == BBR_UP || b->state == BBR_REFILL || b->state == BBR_DOWN) {
        b->now_us = now_us;
        begin_down(c);
        enter(c, BBR_CRUISE);
    }
    c->pacing = most((uint64_t)(MARGIN * (double)bbr_bw(b)), 1);
}

static void on_ack(struct cc *c, const struct cc_ack *a)
{
    bbr_path_on_ack(c, a);
    judge(c, a);
    if (c->bbr.full)
        cycle(c, a);
    start_up(c, a);
    probe_rtt(c, a);
    bbr_path_end_ack(c, a);
    set_pacing(c, a);
    set_window(c, a);
}

static void on_loss(struct cc *c, const struct cc_loss *l)
{
    struct cc_bbr *b = &c->bbr;

    if (!l->persistent)
        return; /* see judge */
    bbr_forgive(b);
    c->window = floor_of(c);
}

static void on_undo(struct cc *c, int64_t now_us)
{
    struct cc_bbr *b = &c->bbr;

    (void)now_us;
    b->bw_lo = most(b->bw_lo, b->saved_bw_lo);
    b->inflight_lo = most(b->inflight_lo, b->saved_inflight_lo);
    b->inflight_hi = most(b->inflight_hi, b->saved_inflight_hi);
}

const struct cc_ops cc_bbr = { "bbr", init, on_sent, on_ack, on_loss, on_undo, 0 };
