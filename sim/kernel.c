#include "sim/kernel.h"

#include <math.h>

#define C            0.4
#define BETA         0.7
#define RENO_ACKS    1.875 /* a packet more for so many windows' worth acknowledged */
#define TIMEOUT_US   200000
#define TRAIN_GAP_US 2000
enum { FIRST = 10, HYSTART_LEAST = 16, HYSTART_SAMPLES = 8, FASTEST = 2, BLIND = 20 };

static double packets(const struct cc *c)
{
    return (double)c->window / c->mss;
}

static void set_packets(struct cc *c, double n)
{
    c->window = (uint64_t)(n * c->mss);
}

static void init(struct cc *c, int64_t now_us)
{
    c->cubic = (struct cc_cubic){ .epoch_us = -1, .last_us = now_us };
    set_packets(c, FIRST);
}

static double at_most(double x, double most)
{
    return x < most ? x : most;
}

static double at_least(double x, double least)
{
    return x > least ? x : least;
}

/* --- slow start; css_base_us: when the round began --- */

static bool is_train(const struct cc *c, const struct cc_ack *a)
{
    return a->now_us - c->cubic.last_us <= TRAIN_GAP_US &&
           a->now_us - c->hystart.css_base_us > a->min_rtt_us / 2;
}

static bool is_late(struct hystart *h, const struct cc_ack *a)
{
    double more = at_most(at_least((double)a->min_rtt_us / 8, 4000), 16000);

    if (a->rtt_us > 0 && h->samples++ < HYSTART_SAMPLES && a->rtt_us < h->round_min_us)
        h->round_min_us = a->rtt_us;
    return h->samples >= HYSTART_SAMPLES && (double)h->round_min_us > (double)a->min_rtt_us + more;
}

static void slow_start(struct cc *c, const struct cc_ack *a)
{
    struct hystart *h = &c->hystart;

    if (a->number >= h->round_end) {
        *h = (struct hystart){ .round_min_us = INT64_MAX,
                               .round_end = a->next_number,
                               .css_base_us = a->now_us };
    }
    bool late = is_late(h, a);
    if (packets(c) >= HYSTART_LEAST && (late || is_train(c, a)))
        c->threshold = c->window;
    else
        c->window += a->bytes;
    c->phase = "slow start";
}

/* --- avoidance; w_est: acknowledged towards Reno's next packet, rest: Reno's window --- */

static void begin_epoch(struct cc *c, int64_t now_us)
{
    struct cc_cubic *q = &c->cubic;
    double now = packets(c);

    q->epoch_us = now_us;
    q->w_est = 0;
    q->rest = now;
    q->k_s = q->w_max > now ? cbrt((q->w_max - now) / C) : 0;
    q->saved_w_max = at_least(q->w_max, now); /* the plateau */
}

static void avoid(struct cc *c, const struct cc_ack *a)
{
    struct cc_cubic *q = &c->cubic;
    double now = packets(c), acked = (double)a->bytes / c->mss;

    if (q->epoch_us < 0)
        begin_epoch(c, a->now_us);
    double d = (double)(a->now_us + a->min_rtt_us - q->epoch_us) / 1e6 - q->k_s;
    double target = q->saved_w_max + C * d * d * d;
    double acks = target > now ? now / (target - now) : 100 * now;
    if (q->w_max <= 0)
        acks = at_most(acks, BLIND);
    q->w_est += acked;
    for (double each = RENO_ACKS * now; q->w_est > each; q->w_est -= each)
        q->rest++;
    if (q->rest > now)
        acks = at_most(acks, now / (q->rest - now));
    set_packets(c, now + acked / at_least(acks, FASTEST));
    c->phase = "avoidance";
}

/* --- the controller --- */

static void reduce(struct cc *c, double to)
{
    struct cc_cubic *q = &c->cubic;
    double now = packets(c);

    q->w_max = now < q->w_max ? now * (1 + BETA) / 2 : now;
    q->epoch_us = -1;
    c->threshold = (uint64_t)(at_least(now * BETA, 2) * c->mss);
    set_packets(c, to > 0 ? to : (double)c->threshold / c->mss);
}

static void on_ack(struct cc *c, const struct cc_ack *a)
{
    struct cc_cubic *q = &c->cubic;
    int64_t silent_us = a->now_us - q->last_us;

    if (a->smooth_rtt_us && a->before && silent_us > a->smooth_rtt_us + TIMEOUT_US) {
        reduce(c, 1);
        c->recovery_us = a->now_us - 1;
    } else if (a->sent_us > c->recovery_us && cc_uses_window(c, a)) {
        if (cc_in_slow_start(c))
            slow_start(c, a);
        else
            avoid(c, a);
    }
    q->last_us = a->now_us;
}

static void on_loss(struct cc *c, const struct cc_loss *l)
{
    if (l->sent_us <= c->recovery_us)
        return;
    c->recovery_us = l->now_us;
    reduce(c, l->persistent ? 1 : 0);
    c->phase = "recovery";
}

static void on_undo(struct cc *c, int64_t now_us)
{
    (void)c;
    (void)now_us;
}

const struct cc_ops kernel_cubic = { "kernel", init, NULL, on_ack, on_loss, on_undo, 0 };
