/* test_race.c - flows that share a link, as the laws say. */
#include <string.h>

#include "lab/race.h"
#include "test.h"

#define SECOND 1000000LL

static struct race *race(const char *const *names, size_t n, const char *link,
                         enum pacer_kind pacer)
{
    struct race_config c = { .n = n, .tick_us = 50000, .pacer = pacer, .seed = 7 };
    char wrong[LINK_WRONG_MAX];
    struct race *r = NULL;

    for (size_t i = 0; i < n; i++)
        c.cc[i] = cc_find(names[i]);
    CHECK(link_spec(&c.link, link, wrong) == 0);
    CHECK(race_new(&r, &c) == 0);
    return r;
}

static uint64_t mean_queue(const struct race *r)
{
    uint64_t sum = 0;
    size_t n = race_samples(r), from = n / 2;

    for (size_t i = from; i < n; i++)
        sum += race_sample(r, i)->queue_bytes;
    return sum / (n - from);
}

static void equals_share(void)
{
    static const char *const two[] = { "reno", "reno" };
    struct race *r = race(two, 2, "rate=20M rtt=40ms queue=100K", PACER_BUCKET);
    struct race_result a, b;

    CHECK(race_run(r, 30 * SECOND) == 0);
    CHECK(race_samples(r) == 601);
    race_result(r, 0, &a);
    race_result(r, 1, &b);
    CHECK(a.rate_bps + b.rate_bps > 17000000 && a.rate_bps + b.rate_bps < 20000000);
    CHECK(a.share > 0.35 && a.share < 0.65);
    CHECK(race_fairness(r) > 0.9);
    /* the queue is never longer than it may be, and what is dropped is counted */
    for (size_t i = 0; i < race_samples(r); i++)
        CHECK(race_sample(r, i)->queue_bytes <= 100 * 1024);
    CHECK(race_sample(r, race_samples(r) - 1)->dropped > 0);
    race_free(r);
}

static void the_same_seed_is_the_same_race(void)
{
    static const char *const two[] = { "reno", "cubic" };
    struct race *a = race(two, 2, "wan", PACER_BUCKET), *b = race(two, 2, "wan", PACER_BUCKET);

    CHECK(race_run(a, 3 * SECOND) == 0);
    for (int i = 1; i <= 30; i++) /* and in pieces it is no other */
        CHECK(race_run(b, i * SECOND / 10) == 0);
    CHECK(race_samples(a) == race_samples(b));
    for (size_t i = 0; i < race_samples(a); i++) {
        const struct race_sample *x = race_sample(a, i), *y = race_sample(b, i);
        CHECK(x->queue_bytes == y->queue_bytes && x->flow[1].arrived == y->flow[1].arrived);
        CHECK(x->flow[0].window == y->flow[0].window);
    }
    race_free(a);
    race_free(b);
}

/* Each that starts later begins with nothing. */
static void starts_apart(void)
{
    struct race_config c = { .cc = { cc_find("cubic"), cc_find("cubic") },
                             .n = 2,
                             .apart_us = SECOND,
                             .tick_us = 100000,
                             .seed = 1 };
    char wrong[LINK_WRONG_MAX];
    struct race *r;

    CHECK(link_spec(&c.link, "rate=10M rtt=20ms queue=50K", wrong) == 0);
    CHECK(race_new(&r, &c) == 0 && race_run(r, 2 * SECOND) == 0);
    for (size_t i = 0; i < race_samples(r); i++) {
        const struct race_sample *s = race_sample(r, i);
        CHECK((s->at_us <= SECOND) == !*s->flow[1].phase);
        CHECK(s->at_us >= SECOND || !s->flow[1].arrived);
    }
    CHECK(race_sample(r, race_samples(r) - 1)->flow[1].arrived > 0);
    race_free(r);
}

/* What shaping is for: the same rate, and hardly a queue. A controller that knows the rate
 * of the path needs it to make use of what it knows. */
static void shaping_shortens_the_queue(void)
{
    static const char *const one[] = { "bbr" };
    struct race *none = race(one, 1, "rate=50M rtt=40ms queue=100K", PACER_NONE),
                *bucket = race(one, 1, "rate=50M rtt=40ms queue=100K", PACER_BUCKET);
    struct race_result a, b;

    CHECK(!race_run(none, 10 * SECOND) && !race_run(bucket, 10 * SECOND));
    race_result(none, 0, &a);
    race_result(bucket, 0, &b);
    CHECK(b.rate_bps > a.rate_bps * 9 / 10 && b.lost < a.lost);
    CHECK(mean_queue(bucket) < mean_queue(none) / 4);
    race_free(none);
    race_free(bucket);
}

/* A packet of 1,452 bytes takes 29 us at 400 Mbit/s, a sleep at least 60 us more. */
static void sleeps_are_too_long_for_fast_links(void)
{
    static const char *const one[] = { "cubic" };
    struct race *bucket = race(one, 1, "rate=400M rtt=5ms queue=500K", PACER_BUCKET),
                *asleep = race(one, 1, "rate=400M rtt=5ms queue=500K", PACER_SLEEP);
    struct race_result a, b;

    CHECK(!race_run(bucket, 2 * SECOND) && !race_run(asleep, 2 * SECOND));
    race_result(bucket, 0, &a);
    race_result(asleep, 0, &b);
    CHECK(a.rate_bps > 300000000 && b.rate_bps < 200000000);
    race_free(bucket);
    race_free(asleep);
}

TEST_MAIN({ "equals_share", equals_share },
          { "the_same_seed_is_the_same_race", the_same_seed_is_the_same_race },
          { "starts_apart", starts_apart },
          { "sleeps_are_too_long_for_fast_links", sleeps_are_too_long_for_fast_links },
          { "shaping_shortens_the_queue", shaping_shortens_the_queue })
