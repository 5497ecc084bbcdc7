#include "flow/cc.h"

#include <string.h>

/* RFC 9406, section 4.3 */
#define HYSTART_MIN_US 4000
#define HYSTART_MAX_US 16000
enum { HYSTART_DIVISOR = 8, HYSTART_SAMPLES = 8, CSS_GROWTH_DIVISOR = 4, CSS_ROUNDS = 5 };
/* Packets leave a little faster than the window alone would have them, so that it is used. */
enum { PACE_START_PERCENT = 200, PACE_PERCENT = 125 };
#define FIRST_RTT_US 333000 /* until one was measured (RFC 9002, section 6.2.2) */

static const struct cc_ops *const all[] = { &cc_reno, &cc_cubic, &cc_bbr };

const struct cc_ops *cc_find(const char *name)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

const struct cc_ops *cc_default(void)
{
    return &cc_bbr;
}

void cc_init(struct cc *c, const struct cc_ops *ops, uint32_t mss, int64_t now_us)
{
    *c = (struct cc){ .ops = ops, .mss = mss, .threshold = CC_NO_LIMIT, .recovery_us = -1 };
    c->window = (uint64_t)CC_WINDOW_FIRST * mss;
    c->phase = "slow start";
    hystart_begin(&c->hystart);
    ops->init(c, now_us);
}

void cc_set_mss(struct cc *c, uint32_t mss)
{
    c->mss = mss;
    if (c->window < cc_least(c))
        c->window = cc_least(c);
}

uint64_t cc_pacing(const struct cc *c, int64_t smooth_rtt_us)
{
    uint64_t rtt_us = (uint64_t)(smooth_rtt_us > 0 ? smooth_rtt_us : FIRST_RTT_US);
    uint64_t percent = cc_in_slow_start(c) ? PACE_START_PERCENT : PACE_PERCENT;

    if (c->pacing)
        return c->pacing;
    return c->window * percent / 100 * 1000000 / rtt_us;
}

uint64_t cc_least(const struct cc *c)
{
    return (uint64_t)CC_WINDOW_LEAST * c->mss;
}

bool cc_in_slow_start(const struct cc *c)
{
    return c->window < c->threshold;
}

bool cc_uses_window(const struct cc *c, const struct cc_ack *a)
{
    /* doubling needs only half of it in use: bursts are held back by the pacer */
    uint64_t used = cc_in_slow_start(c) ? a->before * 2 : a->before + 3 * (uint64_t)c->mss;

    return used >= c->window;
}

/* --- slow start ----------------------------------------------------------------------- */

void hystart_begin(struct hystart *h)
{
    *h = (struct hystart){ .round_min_us = INT64_MAX, .last_min_us = INT64_MAX };
}

static int64_t clamp_us(int64_t us)
{
    return us < HYSTART_MIN_US ? HYSTART_MIN_US : us > HYSTART_MAX_US ? HYSTART_MAX_US : us;
}

static void end_slow_start(struct cc *c)
{
    c->threshold = c->window;
}

/* Rounds end with the packet that was the next one when they began. */
static void hystart_round(struct cc *c, const struct cc_ack *a)
{
    struct hystart *h = &c->hystart;

    if (a->number < h->round_end)
        return;
    h->round_end = a->next_number;
    h->last_min_us = h->round_min_us;
    h->round_min_us = INT64_MAX;
    h->samples = 0;
    if (h->css && ++h->css_rounds >= CSS_ROUNDS)
        end_slow_start(c);
}

static void hystart_sample(struct hystart *h, int64_t rtt_us)
{
    if (rtt_us <= 0)
        return;
    h->samples++;
    if (rtt_us < h->round_min_us)
        h->round_min_us = rtt_us;
    if (h->samples < HYSTART_SAMPLES)
        return;
    if (h->css && h->round_min_us < h->css_base_us) { /* it was only jitter */
        h->css = false;
        h->css_base_us = INT64_MAX;
    } else if (!h->css && h->last_min_us != INT64_MAX &&
               h->round_min_us >= h->last_min_us + clamp_us(h->last_min_us / HYSTART_DIVISOR)) {
        h->css = true;
        h->css_base_us = h->round_min_us;
        h->css_rounds = 0;
    }
}

void cc_slow_start(struct cc *c, const struct cc_ack *a)
{
    uint64_t grow = a->bytes;

    hystart_sample(&c->hystart, a->rtt_us);
    if (c->hystart.css)
        grow /= CSS_GROWTH_DIVISOR;
    c->phase = c->hystart.css ? "careful start" : "slow start";
    c->window += grow;
    if (c->window > c->threshold)
        c->window = c->threshold;
    if (c->window > CC_WINDOW_MAX)
        c->window = CC_WINDOW_MAX;
    hystart_round(c, a);
}

/* --- congestion --------------------------------------------------------------------------- */

bool cc_begin_recovery(struct cc *c, const struct cc_loss *l)
{
    if (l->sent_us <= c->recovery_us)
        return false;
    c->saved = (struct cc_saved){ .window = c->window, .threshold = c->threshold, .valid = true };
    c->recovery_us = l->now_us;
    return true;
}

void cc_on_mark(struct cc *c, const struct cc_ack *a)
{
    struct cc_loss l = { .now_us = a->now_us,
                         .under_way = a->under_way,
                         .sent_us = a->sent_us,
                         .next_number = a->next_number };

    if (!a->ce)
        return;
    c->ops->on_loss(c, &l);
    c->saved.valid = false;
}

void cc_undo(struct cc *c)
{
    if (!c->saved.valid)
        return;
    c->saved.valid = false;
    if (c->window < c->saved.window)
        c->window = c->saved.window;
    c->threshold = c->saved.threshold;
}
