/* test_figures.c - are the figures true? Two people in a meeting in virtual time, a link with
 * numbers out of dice between one of them and the server; what is shown, by whom ever, is compared
 * with what the link counted. `bench/run figures` does the same with real programs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/dice.h"
#include "sim/parley.h"
#include "test.h"

#define MS     1000LL
#define SECOND 1000000LL
enum { WINDOWS = 12, HEADS = 28 };

/* Over all windows. */
struct shown {
    double rtt_ms, loss, jitter_ms, bits;
};

struct truth {
    struct shown client, server, heard, came; /* heard, came: of streams, without RTT and bits */
    struct link_counts counts[2][2];          /* [up, down][before, after] */
    int64_t from_us;
    uint32_t second, windows;
};

static void add(struct shown *s, const struct figures_view *v)
{
    s->rtt_ms += (double)v->rtt_us / MS;
    s->loss += v->loss_ppm / 1e4;
    s->jitter_ms += (double)v->jitter_us / MS;
    s->bits += (double)v->bits;
}

static void look(void *ctx, int64_t now_us, const struct parley_look *l)
{
    struct truth *t = ctx;
    struct voice_figures heard;
    struct figures_view v;

    if (++t->second % 10)
        return;
    for (int way = 0; way < 2; way++)
        t->counts[way][t->second > 10] = l->way[1][way]->counts;
    if (t->second == 10)
        t->from_us = now_us;
    if (t->second == 10)
        return;
    t->windows++;
    if (flow_media_figures(l->flow[1][0], now_us, &v))
        add(&t->client, &v);
    if (flow_media_figures(l->flow[1][1], now_us, &v))
        add(&t->server, &v);
    for (uint32_t i = 0; voice_look(l->voice[1], now_us, i, &heard); i++)
        if (heard.who == 1)
            add(&t->heard, &heard.view);
    figures_look(l->came, now_us, &v);
    add(&t->came, &v);
}

static double per(uint64_t part, uint64_t whole)
{
    return (double)part / (double)(whole ? whole : 1);
}

static struct shown counted(const struct truth *t, int way)
{
    const struct link_counts *a = &t->counts[way][0], *b = &t->counts[way][1];
    double seconds = 10.0 * t->windows;
    uint64_t packets = b->arrived - a->arrived;

    return (struct shown){
        .rtt_ms = per(b->took_us - a->took_us, b->journeys - a->journeys) / MS,
        .loss = 100 * per(b->lost - a->lost, b->pushed - a->pushed),
        .jitter_ms = per(b->apart_us - a->apart_us, b->journeys - a->journeys) / MS,
        .bits = (double)(b->arrived_bytes - a->arrived_bytes - HEADS * packets) * 8 / seconds,
    };
}

static bool near(double got, double true_, double share, double least)
{
    double off = fabs(got - true_);

    return off <= share * true_ || off <= least;
}

static void compare(const char *what, const struct truth *t, const struct shown *sum,
                    const struct shown *is, double rtt_ms)
{
    double n = t->windows ? t->windows : 1;
    struct shown s = { sum->rtt_ms / n, sum->loss / n, sum->jitter_ms / n, sum->bits / n };

    if (getenv("ROOST_SAY"))
        printf("%s: rtt %.2f (%.2f), loss %.2f (%.2f), jitter %.2f (%.2f), bits %.0f (%.0f)\n",
               what, s.rtt_ms, rtt_ms, s.loss, is->loss, s.jitter_ms, is->jitter_ms, s.bits,
               is->bits);
    CHECK(near(s.loss, is->loss, 0, 0.5));
    CHECK(near(s.jitter_ms, is->jitter_ms, 0.2, 0.1));
    if (rtt_ms > 0)
        CHECK(near(s.rtt_ms, rtt_ms, 0.05, 2) && near(s.bits, is->bits, 0.03, 0));
}

static struct link_config drawn(struct dice *d)
{
    return (struct link_config){ .delay_us = dice_between(d, 3 * MS, 80 * MS),
                                 .jitter_us = dice_between(d, 1 * MS, 15 * MS),
                                 .loss_ppm = (uint32_t)dice_between(d, 0, 80000) };
}

static void figures_are_true(void)
{
    if (test_starves())
        return;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct dice dice = { seed };
        struct truth t = { 0 };
        struct parley ignored;
        struct parley_wish w = { .first = { .delay_us = 5 * MS },
                                 .frame_ms = 20,
                                 .for_us = (10 * WINDOWS + 11) * SECOND,
                                 .both = true,
                                 .seed = seed,
                                 .each_second = look,
                                 .ctx = &t };
        w.up = drawn(&dice);
        w.down = drawn(&dice);
        CHECK(parley_hold(&w, &ignored) && t.windows >= WINDOWS - 1);
        struct shown up = counted(&t, 0), down = counted(&t, 1);
        compare("client's way", &t, &t.client, &up, up.rtt_ms + down.rtt_ms);
        compare("server's way", &t, &t.server, &down, up.rtt_ms + down.rtt_ms);
        compare("voice, heard", &t, &t.heard, &down, 0);
        compare("voice, at the server", &t, &t.came, &up, 0);
    }
}

TEST_MAIN({ "figures_are_true", figures_are_true })
