/* cubic.c - CUBIC (RFC 9438) with slow start by HyStart++ (RFC 9406).
 *
 * After a congestion the window grows along a cubic curve whose flat part lies at the
 * window where it happened: fast back towards it, slowly past it, fast again to look
 * further. On short or slow paths, where Reno would grow faster, it does as Reno.
 */
#include "flow/cc.h"

#include <math.h>

#define C        0.4
#define BETA     0.7
#define ALPHA    (3 * (1 - BETA) / (1 + BETA)) /* of Reno's growth, so that both share alike */
#define AHEAD    1.5 /* never more than this times the window in a round trip */
#define S_OF(us) ((double)(us) / 1e6)

static double packets(const struct cc *c)
{
    return (double)c->window / c->mss;
}

static void init(struct cc *c, int64_t now_us)
{
    c->cubic = (struct cc_cubic){ .epoch_us = -1, .last_us = now_us };
}

/* The curve at t seconds after its beginning. */
static double curve(const struct cc_cubic *q, double t)
{
    double d = t - q->k_s;

    return C * d * d * d + q->w_max;
}

static void begin_epoch(struct cc *c, int64_t now_us)
{
    struct cc_cubic *q = &c->cubic;
    double now = packets(c);

    if (q->w_max < now)
        q->w_max = now; /* slow start ended without a loss */
    if (q->w_prior < now)
        q->w_prior = now;
    q->k_s = cbrt((q->w_max - now) / C);
    q->w_est = now;
    q->epoch_us = now_us;
    q->rest = 0;
}

/* Reno's window, were it here. */
static void grow_estimate(struct cc *c, const struct cc_ack *a)
{
    struct cc_cubic *q = &c->cubic;
    double alpha = q->w_est < q->w_prior ? ALPHA : 1;

    q->w_est += alpha * (double)a->bytes / (double)c->window;
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static void grow_by(struct cc *c, double bytes)
{
    struct cc_cubic *q = &c->cubic;

    q->rest += bytes;
    uint64_t whole = (uint64_t)q->rest;
    q->rest -= (double)whole;
    c->window += whole;
    if (c->window > CC_WINDOW_MAX)
        c->window = CC_WINDOW_MAX;
}

static void avoid(struct cc *c, const struct cc_ack *a)
{
    struct cc_cubic *q = &c->cubic;

    if (q->epoch_us < 0)
        begin_epoch(c, a->now_us);
    double t = S_OF(a->now_us - q->epoch_us), now = packets(c);
    grow_estimate(c, a);
    if (curve(q, t) < q->w_est) {
        c->phase = "as reno";
        if (q->w_est > now)
            grow_by(c, (q->w_est - now) * c->mss);
        return;
    }
    c->phase = t < q->k_s ? "back to the plateau" : "past the plateau";
    double target = clamp(curve(q, t + S_OF(a->smooth_rtt_us)), now, AHEAD * now);
    grow_by(c, (target - now) / now * (double)a->bytes);
}

static void on_ack(struct cc *c, const struct cc_ack *a)
{
    struct cc_cubic *q = &c->cubic;
    int64_t since_us = a->now_us - q->last_us;

    q->last_us = a->now_us;
    cc_on_mark(c, a);
    if (a->sent_us <= c->recovery_us) {
        c->phase = "fast recovery";
        return;
    }
    if (!cc_uses_window(c, a)) { /* time that was not used does not count */
        q->epoch_us += q->epoch_us < 0 ? 0 : since_us;
        return;
    }
    if (cc_in_slow_start(c))
        cc_slow_start(c, a);
    else
        avoid(c, a);
}

static void on_loss(struct cc *c, const struct cc_loss *l)
{
    struct cc_cubic *q = &c->cubic;

    if (cc_begin_recovery(c, l)) {
        double now = packets(c);
        q->saved_w_max = q->w_max;
        q->saved_w_prior = q->w_prior;
        q->saved_k_s = q->k_s;
        q->saved_epoch_us = q->epoch_us;
        /* below the last plateau: somebody else came, and is given room */
        q->w_max = now < q->w_max ? now * (1 + BETA) / 2 : now;
        q->w_prior = now;
        c->window = (uint64_t)((double)c->window * BETA);
        if (c->window < cc_least(c))
            c->window = cc_least(c);
        c->threshold = c->window;
        q->epoch_us = -1;
        c->phase = "fast recovery";
    }
    if (l->persistent) {
        c->window = cc_least(c);
        c->saved.valid = false;
        c->phase = "slow start";
    }
}

static void on_undo(struct cc *c, int64_t now_us)
{
    struct cc_cubic *q = &c->cubic;

    (void)now_us;
    if (c->saved.valid) {
        q->w_max = q->saved_w_max;
        q->w_prior = q->saved_w_prior;
        q->k_s = q->saved_k_s;
        q->epoch_us = q->saved_epoch_us;
    }
    cc_undo(c);
}

/* In pairs: Linux sends two for each acknowledgement, and three when its window has grown. In
 * threes this one lost half as often again as that, and had 31 to 51 % of a link beside it. */
const struct cc_ops cc_cubic = { "cubic", init, NULL, on_ack, on_loss, on_undo, 4 };
