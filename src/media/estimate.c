#include "media/estimate.h"

#include <math.h>
#include <string.h>

#define SECOND_US 1000000
#define PIECE_US  (ESTIMATE_RATE_US / 32)
#define LOW_US    (10 * SECOND_US)
/* What came through is left so much of when it was too much: the queue gets empty. */
#define LEFT          0.85
#define GROWTH        0.08 /* of a second, to begin with; doubles with each calm one */
#define GROWTH_MOST   0.6
#define GROWTH_FIRST  1.0
#define LOSS_MORE     0.05f /* than usual */
#define DEEP_US       100000
#define BOUND_LIFE_US (15LL * SECOND_US)
#define IN_VAIN_US    (3LL * SECOND_US / 2)

void estimate_init(struct estimate *e, int64_t now_us, uint64_t start, uint64_t least,
                   uint64_t most)
{
    *e = (struct estimate){ .rate = start, .least = least, .most = most };
    e->bound_us = ESTIMATE_BOUND_US;
    e->over_since_us = -1;
    e->rtt_us = 100000;
    e->changed_us = e->second_us = e->calm_us = e->why_us = now_us;
    e->fell_us = now_us - SECOND_US;
}

void estimate_on_path(struct estimate *e, int64_t now_us)
{
    uint64_t half = e->rate / 2 > e->least ? e->rate / 2 : e->least;

    estimate_init(e, now_us, half, e->least, e->most);
}

void estimate_on_rtt(struct estimate *e, int64_t rtt_us)
{
    e->rtt_us = rtt_us;
}

void estimate_on_limited(struct estimate *e, bool limited)
{
    e->limited = limited;
}

/* --- what came ---------------------------------------------------------------------------- */

static void note_came(struct estimate *e, int64_t now_us, uint32_t bytes)
{
    uint32_t last = (e->n_came - 1) % ESTIMATE_WINDOW;

    if (e->n_came && now_us - e->came[last].at_us < PIECE_US) {
        e->came[last].bytes += bytes;
        return;
    }
    last = e->n_came++ % ESTIMATE_WINDOW;
    e->came[last].at_us = now_us;
    e->came[last].bytes = bytes;
}

static uint64_t came_in(const struct estimate *e, int64_t now_us, int64_t for_us)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < ESTIMATE_WINDOW && i < e->n_came; i++)
        if (now_us - e->came[i].at_us < for_us)
            bytes += e->came[i].bytes;
    return bytes * 8 * SECOND_US / (uint64_t)for_us;
}

uint64_t estimate_came(const struct estimate *e, int64_t now_us)
{
    return came_in(e, now_us, ESTIMATE_RATE_US);
}

static void note_low(struct estimate *e, int64_t now_us, int64_t took_us)
{
    if (!e->begun || now_us - e->low_since_us > LOW_US) {
        e->low_us = e->begun && e->low_next_us < took_us ? e->low_next_us : took_us;
        e->low_next_us = took_us;
        e->low_since_us = now_us;
    }
    e->low_us = took_us < e->low_us ? took_us : e->low_us;
    e->low_next_us = took_us < e->low_next_us ? took_us : e->low_next_us;
}

void estimate_on_acked(struct estimate *e, int64_t now_us, int64_t sent_us, int64_t arrived_us,
                       uint32_t bytes)
{
    note_low(e, now_us, arrived_us - sent_us);
    e->queue_us = arrived_us - sent_us - e->low_us;
    e->begun = true;
    e->acked++;
    note_came(e, now_us, bytes);
    if (e->queue_us <= e->bound_us) {
        e->over_since_us = -1;
    } else if (e->over_since_us < 0) {
        e->over_since_us = arrived_us;
        e->over_from_us = e->queue_us;
    }
    e->last_arrived_us = arrived_us;
}

void estimate_on_lost(struct estimate *e, int64_t now_us, uint32_t packets)
{
    (void)now_us;
    e->lost += packets;
}

/* --- what follows ---------------------------------------------------------------------------- */

static void change(struct estimate *e, int64_t now_us, double rate, enum estimate_why why)
{
    double least = (double)e->least, most = (double)e->most;

    e->rate = (uint64_t)(rate < least ? least : rate > most ? most : rate);
    e->why = why;
    e->why_us = now_us;
}

static void fall(struct estimate *e, int64_t now_us, double to, enum estimate_why why)
{
    if (to < (double)e->rate)
        change(e, now_us, to, why);
    e->fell_us = e->calm_us = now_us;
}

/* It is there for a while, by times of arrival, and is no shorter than when it began. */
static bool is_over(const struct estimate *e)
{
    return e->over_since_us >= 0 &&
           e->last_arrived_us - e->over_since_us >= ESTIMATE_SUSTAINED_US &&
           e->queue_us * 10 >= e->over_from_us * 9;
}

/* Less if the queue is long: it is to be empty in a second. */
static double left_of(const struct estimate *e, uint64_t came)
{
    double beyond = (double)(e->queue_us - DEEP_US) / SECOND_US;

    beyond = beyond < 0 ? 0 : beyond > 0.45 ? 0.45 : beyond;
    return (LEFT - beyond) * (double)came;
}

/* A queue that is as long as before after all that we gave up is not ours. Others fill it whatever
 * we do: the bound goes to where it is, and comes back with time. */
static bool is_of_others(struct estimate *e, int64_t now_us)
{
    if (!e->vain_us) {
        e->vain_us = now_us;
        e->vain_queue_us = e->queue_us;
    }
    return now_us - e->vain_us >= IN_VAIN_US && e->queue_us * 10 >= e->vain_queue_us * 8 &&
           e->queue_us * 5 / 4 <= ESTIMATE_BOUND_MOST_US;
}

static void on_over(struct estimate *e, int64_t now_us)
{
    if (is_of_others(e, now_us)) {
        e->bound_us = e->queue_us * 5 / 4;
        e->over_since_us = -1;
        return;
    }
    e->too_much = came_in(e, now_us, ESTIMATE_RATE_US / 2);
    fall(e, now_us, left_of(e, e->too_much), ESTIMATE_QUEUE);
}

static void relax_bound(struct estimate *e, int64_t for_us)
{
    e->bound_us -= (e->bound_us - ESTIMATE_BOUND_US) * for_us / BOUND_LIFE_US;
    if (e->over_since_us < 0)
        e->vain_us = 0;
}

/* A second's losses; true: more than usual, and than chance explains. What is lost at a lower rate
 * too is usual. */
static bool end_second(struct estimate *e, float *ret_more)
{
    uint32_t sent = e->lost + e->acked;

    if (sent < 20) /* goes on until there is something to tell it by */
        return false;
    float loss = (float)e->lost / (float)sent;
    e->lost = e->acked = 0;
    if (loss < e->usual || !e->seconds || e->rate * 10 < e->too_much * 9)
        e->usual += (loss - e->usual) * (e->seconds ? 0.5f : 1.0f);
    e->seconds++;
    *ret_more = loss - e->usual;
    return *ret_more > LOSS_MORE + 2 * sqrtf(e->usual * (1 - e->usual) / (float)sent);
}

static double growth(const struct estimate *e, int64_t now_us)
{
    double calm = (double)(now_us - e->calm_us) / SECOND_US, by = GROWTH * exp2(calm - 1);

    if (!e->too_much)
        return GROWTH_FIRST;
    bool near = e->rate > e->too_much * 8 / 10 && e->rate < e->too_much * 11 / 10;
    return near || by < GROWTH ? GROWTH : by > GROWTH_MOST ? GROWTH_MOST : by;
}

/* Not beyond what came was a test of: half as much again. */
static void rise(struct estimate *e, int64_t now_us, int64_t for_us)
{
    double to = (double)e->rate * (1 + growth(e, now_us) * (double)for_us / SECOND_US);
    double tested = 1.5 * (double)estimate_came(e, now_us) + 20000;

    if (e->limited || to > tested)
        to = tested > (double)e->rate && !e->limited ? tested : (double)e->rate;
    if (to > (double)e->rate)
        change(e, now_us, to, ESTIMATE_ROOM);
}

void estimate_expire(struct estimate *e, int64_t now_us)
{
    int64_t for_us = now_us - e->changed_us;
    float more = 0;

    if (for_us < 20000 || !e->begun)
        return;
    for_us = for_us > 200000 ? 200000 : for_us;
    e->changed_us = now_us;
    bool lossy = now_us - e->second_us >= SECOND_US && end_second(e, &more);
    if (now_us - e->second_us >= SECOND_US)
        e->second_us = now_us;
    relax_bound(e, for_us);
    bool rested = now_us - e->fell_us > e->rtt_us + 2 * ESTIMATE_SUSTAINED_US;
    if (is_over(e)) {
        if (rested)
            on_over(e, now_us);
        e->calm_us = now_us;
    } else if (lossy && rested) {
        e->too_much = estimate_came(e, now_us);
        fall(e, now_us, LEFT * (double)e->too_much, ESTIMATE_LOSS);
    } else if (e->over_since_us < 0 && rested) {
        rise(e, now_us, for_us);
    }
}
