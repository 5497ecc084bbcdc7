/* test_bbr.c - the phases of BBR over a path of one packet after the other, in virtual time.
 *
 * The path: a rate, a round trip, a queue; it may lose each nth packet, or what comes faster
 * than a rate once a bucket is empty. Each packet is acknowledged by itself.
 */
#include <string.h>

#include "flow/bbr.h"
#include "test.h"

enum { MSS = 1000, FLIGHT = 4096 };
#define MS     1000LL
#define SECOND 1000000LL

struct packet_out {
    int64_t sent_us, due_us, delivered_us, first_sent_us;
    uint64_t number, delivered, lost, under_way;
    bool dropped;
};

struct pipe {
    struct cc c;
    int64_t now_us, rtt_us, free_us, next_us, delivered_us, first_sent_us, min_rtt_us;
    uint64_t rate, queue, bucket; /* bytes a second; bytes; 0: no policer */
    double tokens;
    int64_t tokens_us;
    uint32_t lose_each; /* each so many is lost */
    int64_t others_us;  /* a queue that others keep standing */
    uint64_t delivered, lost, number, under_way, dropped;
    struct packet_out out[FLIGHT];
    uint32_t first, n;
    /* what was seen */
    uint32_t entered[BBR_STATES], before[BBR_STATES][BBR_STATES];
    unsigned state;
    int64_t most_queue_us;
};

static void pipe_begin(struct pipe *p, uint64_t rate, int64_t rtt_us, uint64_t queue)
{
    memset(p, 0, sizeof *p);
    p->now_us = p->next_us = p->tokens_us = 1 * SECOND;
    p->rate = rate;
    p->rtt_us = rtt_us;
    p->queue = queue;
    cc_init(&p->c, cc_find("bbr"), MSS, p->now_us);
    p->c.dice = 7;
    p->entered[BBR_STARTUP] = 1;
}

static bool is_policed(struct pipe *p)
{
    if (!p->bucket)
        return false;
    p->tokens += (double)p->rate * (double)(p->now_us - p->tokens_us) / 1e6;
    p->tokens_us = p->now_us;
    if (p->tokens > (double)p->bucket)
        p->tokens = (double)p->bucket;
    if (p->tokens < MSS)
        return true;
    p->tokens -= MSS;
    return false;
}

static void send_one(struct pipe *p)
{
    struct packet_out *o = &p->out[(p->first + p->n++) % FLIGHT];
    int64_t free_us = p->free_us > p->now_us ? p->free_us : p->now_us;
    int64_t wire_us = p->bucket ? 0 : (int64_t)(MSS * 1000000 / p->rate);
    uint64_t backlog = (uint64_t)(free_us - p->now_us) * p->rate / 1000000;

    if (!p->under_way)
        p->delivered_us = p->first_sent_us = p->now_us;
    p->under_way += MSS;
    *o = (struct packet_out){ .sent_us = p->now_us,
                              .delivered_us = p->delivered_us,
                              .first_sent_us = p->first_sent_us,
                              .number = p->number++,
                              .delivered = p->delivered,
                              .lost = p->lost,
                              .under_way = p->under_way };
    o->dropped = is_policed(p) || backlog + MSS > p->queue ||
                 (p->lose_each && o->number % p->lose_each == p->lose_each - 1);
    p->dropped += o->dropped;
    if (!o->dropped)
        p->free_us = free_us + wire_us;
    /* a loss is found when what comes next does */
    o->due_us = free_us + wire_us + p->rtt_us + p->others_us;
    if (free_us - p->now_us > p->most_queue_us && p->now_us > 2 * SECOND)
        p->most_queue_us = free_us - p->now_us;
    p->c.ops->on_sent(&p->c, p->now_us, MSS, p->under_way);
}

static void come_back(struct pipe *p)
{
    struct packet_out o = p->out[p->first];
    struct cc_ack a = { .now_us = p->now_us, .before = p->under_way };

    p->first = (p->first + 1) % FLIGHT;
    p->n--;
    p->under_way -= MSS;
    if (o.dropped) {
        struct cc_loss l = { .now_us = p->now_us, .bytes = MSS, .sent_us = o.sent_us };
        p->lost += MSS;
        p->c.ops->on_loss(&p->c, &l);
        return;
    }
    p->delivered += MSS;
    p->delivered_us = p->now_us;
    int64_t sending_us = o.sent_us - o.first_sent_us, acking_us = p->now_us - o.delivered_us;
    int64_t took_us = sending_us > acking_us ? sending_us : acking_us;
    p->first_sent_us = o.sent_us;
    a.rtt_us = p->now_us - o.sent_us;
    p->min_rtt_us = !p->min_rtt_us || a.rtt_us < p->min_rtt_us ? a.rtt_us : p->min_rtt_us;
    a.bytes = MSS;
    a.under_way = p->under_way;
    a.sent_us = o.sent_us;
    a.min_rtt_us = p->min_rtt_us;
    a.smooth_rtt_us = a.rtt_us;
    a.number = o.number;
    a.next_number = p->number;
    a.delivered = p->delivered;
    a.delivered_then = o.delivered;
    a.lost_all = p->lost;
    a.lost_then = o.lost;
    a.under_way_then = o.under_way;
    a.rate = took_us > 0 ? (p->delivered - o.delivered) * 1000000 / (uint64_t)took_us : 0;
    p->c.ops->on_ack(&p->c, &a);
    unsigned state = p->c.bbr.state;
    if (state != p->state) {
        p->entered[state]++;
        p->before[state][p->state]++;
        p->state = state;
    }
}

static uint64_t pace(const struct pipe *p)
{
    return cc_pacing(&p->c, p->rtt_us);
}

static void pipe_run(struct pipe *p, int64_t for_us)
{
    int64_t end_us = p->now_us + for_us;

    for (;;) {
        bool may = p->under_way + MSS <= p->c.window && p->n < FLIGHT;
        int64_t send_us = may ? (p->next_us > p->now_us ? p->next_us : p->now_us) : INT64_MAX;
        int64_t back_us = p->n ? p->out[p->first].due_us : INT64_MAX;
        int64_t at_us = send_us < back_us ? send_us : back_us;
        if (at_us > end_us)
            break;
        p->now_us = at_us > p->now_us ? at_us : p->now_us;
        if (back_us <= send_us) {
            come_back(p);
        } else {
            send_one(p);
            p->next_us = p->now_us + (int64_t)(MSS * 1000000 / pace(p));
        }
    }
    p->now_us = end_us;
}

static bool is_near(double x, double want, double part)
{
    return x > want * (1 - part) && x < want * (1 + part);
}

/* Share of the rate that came through, over so long. */
static double use(struct pipe *p, int64_t for_us)
{
    uint64_t before = p->delivered;

    pipe_run(p, for_us);
    return (double)(p->delivered - before) / ((double)p->rate * (double)for_us / 1e6);
}

/* --- stories --- */

static struct pipe p; /* large */

static void start_up_doubles_until_the_path_is_full(void)
{
    pipe_begin(&p, 12500000, 40 * MS, 1000000);
    pipe_run(&p, 140 * MS); /* the first rounds: little is known yet */
    uint64_t before = bbr_bw_max(&p.c.bbr);
    for (int round = 0; round < 2; round++) {
        pipe_run(&p, 40 * MS);
        CHECK(strcmp(p.c.phase, "start-up") == 0);
        CHECK((double)bbr_bw_max(&p.c.bbr) > 1.6 * (double)before);
        before = bbr_bw_max(&p.c.bbr);
    }
    pipe_run(&p, 400 * MS);
    CHECK(p.c.bbr.full && is_near((double)p.c.bandwidth, 12500000, 0.03));
}

static void a_queue_ends_start_up_before_it_is_full(void)
{
    pipe_begin(&p, 1250000, 40 * MS, 1000000);
    pipe_run(&p, 2 * SECOND);
    CHECK(p.c.bbr.full && !p.dropped);
    CHECK(p.before[BBR_DRAIN][BBR_STARTUP] == 1);
    CHECK(is_near((double)p.c.bandwidth, 1250000, 0.03));
}

static void a_cycle_goes_down_cruises_refills_and_looks_for_more(void)
{
    pipe_begin(&p, 2500000, 40 * MS, 200000);
    pipe_run(&p, 20 * SECOND);
    CHECK(p.entered[BBR_UP] >= 5 && p.entered[BBR_UP] <= 12);
    CHECK(p.before[BBR_UP][BBR_REFILL] == p.entered[BBR_UP]);
    CHECK(p.before[BBR_REFILL][BBR_CRUISE] >= p.entered[BBR_REFILL] - 1);
    CHECK(p.before[BBR_DOWN][BBR_UP] >= p.entered[BBR_UP] - 1);
    CHECK(use(&p, 5 * SECOND) > 0.97);
    CHECK(p.most_queue_us < 25 * MS && !p.dropped); /* a quarter of a round trip, for two rounds */
}

static void the_rates_of_the_phases(void)
{
    static const struct {
        enum bbr_state state;
        double times;
    } gains[] = { { BBR_UP, 1.25 }, { BBR_DOWN, 0.75 }, { BBR_CRUISE, 1 }, { BBR_REFILL, 1 } };
    bool seen[BBR_STATES] = { false };

    pipe_begin(&p, 2500000, 40 * MS, 200000);
    pipe_run(&p, SECOND);
    for (int i = 0; i < 4000; i++) {
        pipe_run(&p, 2 * MS);
        for (int g = 0; g < 4; g++)
            if (p.c.bbr.state == gains[g].state && !p.c.bbr.draining) {
                seen[gains[g].state] = true;
                CHECK(is_near((double)p.c.pacing, 0.99 * gains[g].times * (double)bbr_bw(&p.c.bbr),
                              0.01));
            }
    }
    CHECK(seen[BBR_UP] && seen[BBR_DOWN] && seen[BBR_CRUISE] && seen[BBR_REFILL]);
}

/* The first probe over a queue that stays whatever is drained: its rate and window, of what is
 * believed of the path. */
static void probe_in_company(uint64_t rate, double *ret_pace, double *ret_window)
{
    pipe_begin(&p, rate, 40 * MS, 200000);
    pipe_run(&p, 2 * SECOND);
    p.others_us = 15 * MS;
    for (int i = 0; i < 4000 && !(p.c.bbr.drains >= 4 && p.c.bbr.state == BBR_UP); i++)
        pipe_run(&p, MS);
    CHECK(p.c.bbr.state == BBR_UP);
    pipe_run(&p, 20 * MS);
    CHECK(p.c.bbr.state == BBR_UP);
    *ret_pace = (double)p.c.pacing / (0.99 * (double)bbr_bw(&p.c.bbr));
    *ret_window = (double)p.c.window / ((double)bbr_bw(&p.c.bbr) * 0.04);
}

/* A path of 32 packets asks as if alone, one of 100 for less, one of 16 for more. */
static void in_company_all_ask_for_about_as_much(void)
{
    double pace, window, more, most_window;

    probe_in_company(800000, &pace, &window);
    CHECK(is_near(pace, 1.25, 0.02));
    probe_in_company(2500000, &pace, &window);
    CHECK(is_near(pace, 1.1, 0.02));
    probe_in_company(400000, &more, &most_window);
    CHECK(is_near(more, 1.5, 0.03) && most_window > window);
}

static void a_faster_path_is_found(void)
{
    pipe_begin(&p, 1250000, 40 * MS, 200000);
    pipe_run(&p, 5 * SECOND);
    p.rate *= 10;
    pipe_run(&p, 6 * SECOND); /* two probes at most, a quarter more each round */
    CHECK(use(&p, SECOND) > 0.9);
}

static void a_slower_path_is_believed(void)
{
    pipe_begin(&p, 12500000, 40 * MS, 1000000);
    pipe_run(&p, 3 * SECOND);
    p.rate /= 10;
    pipe_run(&p, 3 * SECOND);
    CHECK(is_near((double)bbr_bw(&p.c.bbr), 1250000, 0.1));
    p.most_queue_us = 0;
    CHECK(use(&p, 2 * SECOND) > 0.9 && p.most_queue_us < 60 * MS);
}

static void loss_at_any_rate_changes_nothing(void)
{
    pipe_begin(&p, 6250000, 50 * MS, 250000);
    p.lose_each = 50;
    pipe_run(&p, 2 * SECOND);
    CHECK(use(&p, 10 * SECOND) > 0.98 * 0.96);
    CHECK(is_near(p.c.bbr.base_lost / p.c.bbr.base_all, 0.02, 0.5));
}

/* Not lost before, then always: the rate is lowered, that helps nothing, so it is learned. */
static void loss_that_begins_is_learned(void)
{
    pipe_begin(&p, 6250000, 50 * MS, 250000);
    pipe_run(&p, 5 * SECOND);
    CHECK(p.c.bbr.base_lost / p.c.bbr.base_all < 0.002);
    p.lose_each = 33;
    pipe_run(&p, 15 * SECOND);
    CHECK(use(&p, 10 * SECOND) > 0.85);
}

static void a_policer_is_not_fought(void)
{
    pipe_begin(&p, 2500000, 40 * MS, 1000000);
    p.bucket = 64000;
    pipe_run(&p, 2 * SECOND);
    uint64_t sent = p.number, dropped = p.dropped;
    CHECK(use(&p, 10 * SECOND) > 0.93);
    CHECK((double)(p.dropped - dropped) < 0.04 * (double)(p.number - sent));
}

/* A bucket that was full lets more through for a moment than it does in the long run: what is lost
 * then says how much more, and not that others are there, for whom half would be left. */
static void a_full_bucket_is_no_company(void)
{
    struct cc_bbr *b = &p.c.bbr;

    pipe_begin(&p, 2500000, 40 * MS, 1000000);
    p.bucket = 64000;
    pipe_run(&p, 2 * SECOND);
    b->bw_new = b->bw_old = 3125000;
    b->bw_lo = b->inflight_lo = BBR_NONE;
    b->lowered_round = 0;
    pipe_run(&p, SECOND / 2);
    CHECK(b->drops && !b->yields);
    CHECK(is_near((double)bbr_bw(b), 2500000, 0.08));
    CHECK(use(&p, 5 * SECOND) > 0.93);
}

/* Losses at more than half of the rate, a few in a thousand, as of others who cannot come up. */
static void who_is_alone_on_half(struct pipe *q, int64_t for_us)
{
    for (int64_t end_us = q->now_us + for_us; q->now_us < end_us;) {
        q->lose_each = bbr_bw(&q->c.bbr) > q->rate * 6 / 10 ? 250 : 0;
        pipe_run(q, 10 * MS);
    }
}

static void others_at_a_policer_are_given_time(void)
{
    struct cc_bbr *b = &p.c.bbr;

    pipe_begin(&p, 2500000, 40 * MS, 1000000);
    p.bucket = 64000;
    pipe_run(&p, 2 * SECOND);
    who_is_alone_on_half(&p, 20 * SECOND);
    CHECK(b->drops && b->others);
    uint64_t before = p.delivered;
    uint32_t probes = p.entered[BBR_UP];
    who_is_alone_on_half(&p, 20 * SECOND);
    CHECK((double)(p.delivered - before) < 0.75 * 20 * 2500000);
    CHECK((double)(p.delivered - before) > 0.4 * 20 * 2500000);
    CHECK(p.entered[BBR_UP] - probes <= 2);
    /* they have gone: nothing is lost for a while, and all of it is used again */
    p.lose_each = 0;
    pipe_run(&p, 8 * SECOND);
    CHECK(use(&p, 5 * SECOND) > 0.93 && !b->others);
}

static void a_short_queue_is_not_flooded(void)
{
    pipe_begin(&p, 6250000, 40 * MS, 32000);
    pipe_run(&p, 2 * SECOND);
    uint64_t sent = p.number, dropped = p.dropped;
    CHECK(use(&p, 10 * SECOND) > 0.9); /* the rest is room for others */
    CHECK((double)(p.dropped - dropped) < 0.01 * (double)(p.number - sent));
    CHECK(p.c.threshold < CC_NO_LIMIT); /* what was too much is known */
}

static uint32_t steps_after_a_probe(struct pipe *q)
{
    struct cc_bbr *b = &q->c.bbr;

    b->mistakes = 2;
    b->quiet_us = q->now_us;
    for (uint32_t probes = q->entered[BBR_UP]; q->entered[BBR_UP] == probes;)
        pipe_run(q, 10 * MS);
    while (b->state != BBR_CRUISE)
        pipe_run(q, 10 * MS);
    return b->mistakes;
}

/* A queue of four milliseconds drops what is too much as a policer does, but what waits in it a
 * little tells them apart: a bucket that was full at the probe explains losses for two steps again,
 * in a queue that is so short they are those of others. */
static void a_short_queue_is_no_policer(void)
{
    pipe_begin(&p, 6250000, 40 * MS, 25000);
    pipe_run(&p, 5 * SECOND);
    CHECK(p.c.bbr.drops && bbr_has_waited(&p.c.bbr));
    CHECK(steps_after_a_probe(&p) == 2);
    pipe_begin(&p, 2500000, 40 * MS, 1000000);
    p.bucket = 64000;
    pipe_run(&p, 5 * SECOND);
    CHECK(p.c.bbr.drops && !bbr_has_waited(&p.c.bbr));
    CHECK(steps_after_a_probe(&p) < 2);
}

/* A path that is longer now: seen when almost nothing is under way, each five seconds. */
static void the_round_trip_is_looked_at_again(void)
{
    pipe_begin(&p, 2500000, 40 * MS, 200000);
    pipe_run(&p, 2 * SECOND);
    p.rtt_us = 80 * MS;
    p.entered[BBR_PROBE_RTT] = 0;
    pipe_run(&p, 20 * SECOND);
    CHECK(p.entered[BBR_PROBE_RTT] >= 1 && p.entered[BBR_PROBE_RTT] <= 4);
    CHECK(is_near((double)p.c.bbr.min_rtt_us, 80400, 0.03));
    CHECK(use(&p, 3 * SECOND) > 0.9);
}

static void what_was_lowered_for_nothing_is_given_back(void)
{
    pipe_begin(&p, 6250000, 40 * MS, 32000);
    pipe_run(&p, 3 * SECOND);
    struct cc_bbr *b = &p.c.bbr;
    bbr_save(b);
    b->bw_lo = 1000;
    b->inflight_lo = 5000;
    uint64_t hi = b->inflight_hi;
    b->inflight_hi = 6000;
    p.c.ops->on_undo(&p.c, p.now_us);
    CHECK(b->bw_lo > 1000 && b->inflight_lo > 5000 && b->inflight_hi == hi);
}

static void after_an_outage_it_begins_with_little(void)
{
    pipe_begin(&p, 2500000, 40 * MS, 200000);
    pipe_run(&p, 3 * SECOND);
    struct cc_loss l = { .now_us = p.now_us, .bytes = MSS, .persistent = true };
    uint64_t bw = bbr_bw_max(&p.c.bbr);
    p.c.ops->on_loss(&p.c, &l);
    CHECK(p.c.window == 4 * MSS && bbr_bw_max(&p.c.bbr) == bw);
    pipe_run(&p, SECOND);
    CHECK(use(&p, SECOND) > 0.9);
}

TEST_MAIN({ "start_up_doubles_until_the_path_is_full", start_up_doubles_until_the_path_is_full },
          { "a_queue_ends_start_up_before_it_is_full", a_queue_ends_start_up_before_it_is_full },
          { "a_cycle_goes_down_cruises_refills_and_looks_for_more",
            a_cycle_goes_down_cruises_refills_and_looks_for_more },
          { "the_rates_of_the_phases", the_rates_of_the_phases },
          { "in_company_all_ask_for_about_as_much", in_company_all_ask_for_about_as_much },
          { "a_faster_path_is_found", a_faster_path_is_found },
          { "a_slower_path_is_believed", a_slower_path_is_believed },
          { "loss_at_any_rate_changes_nothing", loss_at_any_rate_changes_nothing },
          { "loss_that_begins_is_learned", loss_that_begins_is_learned },
          { "a_policer_is_not_fought", a_policer_is_not_fought },
          { "a_full_bucket_is_no_company", a_full_bucket_is_no_company },
          { "others_at_a_policer_are_given_time", others_at_a_policer_are_given_time },
          { "a_short_queue_is_not_flooded", a_short_queue_is_not_flooded },
          { "a_short_queue_is_no_policer", a_short_queue_is_no_policer },
          { "the_round_trip_is_looked_at_again", the_round_trip_is_looked_at_again },
          { "what_was_lowered_for_nothing_is_given_back",
            what_was_lowered_for_nothing_is_given_back },
          { "after_an_outage_it_begins_with_little", after_an_outage_it_begins_with_little })
