#include "lab/link.h"
#include "test.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { MS = 1000, SECOND = 1000000 };

static const struct link_config wire = { .rate_bps = 8000000, .delay_us = 10 * MS };

static struct blob *numbered(uint32_t i, size_t len)
{
    struct blob *b = blob_new(len);

    CHECK(b);
    memset(b->bytes, 0, len);
    memcpy(b->bytes, &i, sizeof i);
    return b;
}

static uint32_t number_of(struct blob *b)
{
    uint32_t i;

    memcpy(&i, b->bytes, sizeof i);
    blob_unref(b);
    return i;
}

static int push(struct link *l, int64_t now_us, uint32_t i, size_t len)
{
    struct blob *b = numbered(i, len);
    int err = link_push(l, now_us, b);

    blob_unref(b);
    return err;
}

static void takes_its_time(void)
{
    struct link l;
    link_init(&l, LINK_DATAGRAMS, &wire, 1);

    /* 1000 bytes at 8 Mbit/s are 1 ms on the wire, then 10 ms away */
    CHECK(push(&l, 0, 1, 1000) == 0);
    CHECK(link_deadline_us(&l) == 11 * MS);
    CHECK(link_next(&l, 11 * MS - 1) == NULL);

    /* the second waits for the first */
    CHECK(push(&l, 0, 2, 1000) == 0);
    CHECK(link_backlog_bytes(&l, 0) == 2000);
    CHECK(link_backlog_bytes(&l, 1500) == 500);
    CHECK(number_of(link_next(&l, 11 * MS)) == 1);
    CHECK(link_next(&l, 11 * MS) == NULL);
    CHECK(link_deadline_us(&l) == 12 * MS);
    CHECK(number_of(link_next(&l, 12 * MS)) == 2);
    CHECK(link_deadline_us(&l) == INT64_MAX);

    /* an idle wire saved nothing up */
    CHECK(push(&l, SECOND, 3, 1000) == 0);
    CHECK(link_deadline_us(&l) == SECOND + 11 * MS);
    link_fini(&l);
}

static void full_queue_drops_the_last(void)
{
    struct link_config c = wire;
    c.queue_bytes = 3000;
    struct link l;
    link_init(&l, LINK_DATAGRAMS, &c, 1);

    for (uint32_t i = 0; i < 5; i++)
        CHECK(push(&l, 0, i, 1000) == 0);
    CHECK(l.counts.dropped == 2);
    for (uint32_t i = 0; i < 3; i++)
        CHECK(number_of(link_next(&l, SECOND)) == i);
    CHECK(link_next(&l, SECOND) == NULL);
    link_fini(&l);

    /* a stream refuses instead, and takes it a little later */
    link_init(&l, LINK_STREAM, &c, 1);
    for (uint32_t i = 0; i < 3; i++)
        CHECK(push(&l, 0, i, 1000) == 0);
    CHECK(push(&l, 0, 3, 1000) == -ROOST_LIMIT);
    CHECK(push(&l, 1 * MS, 3, 1000) == 0);
    link_fini(&l);
}

static void loses_what_it_says(void)
{
    struct link_config c = { .loss_ppm = 20000 };
    struct link l;
    uint64_t got = 0;
    link_init(&l, LINK_DATAGRAMS, &c, 7);

    struct blob *b = numbered(0, 100);
    for (int i = 0; i < 100000; i++) {
        link_push(&l, i, b);
        for (struct blob *out; (out = link_next(&l, i)); blob_unref(out))
            got++;
    }
    blob_unref(b);
    /* 2 % of 100,000, five standard deviations */
    CHECK(l.counts.lost > 2000 - 222 && l.counts.lost < 2000 + 222);
    CHECK(got + l.counts.lost == 100000);
    CHECK(l.counts.arrived == got && l.counts.pushed == 100000);
    link_fini(&l);
}

static void jitter_reorders_datagrams_only(void)
{
    struct link_config c = { .delay_us = 5 * MS, .jitter_us = 20 * MS, .loss_ppm = 100000 };

    for (int kind = LINK_DATAGRAMS; kind <= LINK_STREAM; kind++) {
        struct link l;
        uint32_t last = 0, backwards = 0, got = 0;
        link_init(&l, (enum link_kind)kind, &c, 3);
        for (uint32_t i = 1; i <= 200; i++)
            CHECK(push(&l, i * MS, i, 10) == 0);
        for (struct blob *b; (b = link_next(&l, SECOND)); got++) {
            uint32_t i = number_of(b);
            backwards += i < last;
            last = i;
        }
        if (kind == LINK_STREAM) {
            CHECK(got == 200 && backwards == 0);
            CHECK(l.counts.lost > 0);
        } else {
            CHECK(got < 200 && backwards > 10);
        }
        link_fini(&l);
    }
}

static void delay_stays_in_its_bounds(void)
{
    struct link_config c = { .delay_us = 5 * MS, .jitter_us = 20 * MS };
    struct link l;
    int64_t lo = INT64_MAX, hi = 0;
    link_init(&l, LINK_DATAGRAMS, &c, 9);

    for (int64_t t = 0; t < 1000 * SECOND; t += SECOND) {
        CHECK(push(&l, t, 0, 10) == 0);
        int64_t d = link_deadline_us(&l) - t;
        lo = d < lo ? d : lo;
        hi = d > hi ? d : hi;
        blob_unref(link_next(&l, t + SECOND / 2));
    }
    CHECK(lo >= 5 * MS && lo < 6 * MS);
    CHECK(hi <= 25 * MS && hi > 24 * MS);
    link_fini(&l);
}

static void a_link_that_is_down(void)
{
    struct link l;

    link_init(&l, LINK_DATAGRAMS, &wire, 1);
    CHECK(push(&l, 0, 1, 1000) == 0);
    link_set_down(&l, true, 5 * MS);
    CHECK(link_deadline_us(&l) == INT64_MAX);
    CHECK(push(&l, 6 * MS, 2, 1000) == 0);
    CHECK(link_next(&l, 20 * MS) == NULL);
    link_set_down(&l, false, 20 * MS);
    CHECK(link_next(&l, SECOND) == NULL);
    CHECK(l.counts.cut == 2);
    link_fini(&l);

    /* the stream had only been waiting */
    link_init(&l, LINK_STREAM, &wire, 1);
    CHECK(push(&l, 0, 1, 1000) == 0);
    link_set_down(&l, true, 5 * MS);
    CHECK(push(&l, 6 * MS, 2, 1000) == 0);
    CHECK(link_next(&l, 20 * MS) == NULL);
    link_set_down(&l, false, 20 * MS);
    CHECK(number_of(link_next(&l, 20 * MS)) == 1);
    CHECK(number_of(link_next(&l, 20 * MS)) == 2);

    /* a reset forgets what is inside */
    CHECK(push(&l, 30 * MS, 3, 1000) == 0);
    link_reset(&l);
    CHECK(link_next(&l, SECOND) == NULL);
    link_fini(&l);
}

static void same_seed_same_link(void)
{
    struct link_config c = { .delay_us = MS, .jitter_us = 50 * MS, .loss_ppm = 300000 };
    struct link a, b;
    link_init(&a, LINK_DATAGRAMS, &c, 42);
    link_init(&b, LINK_DATAGRAMS, &c, 42);

    for (uint32_t i = 0; i < 100; i++) {
        CHECK(push(&a, i * MS, i, 10) == 0);
        CHECK(push(&b, i * MS, i, 10) == 0);
    }
    for (struct blob *x; (x = link_next(&a, SECOND));)
        CHECK(number_of(x) == number_of(link_next(&b, SECOND)));
    CHECK(link_next(&b, SECOND) == NULL);
    link_fini(&a);
    link_fini(&b);
}

TEST_MAIN({ "takes_its_time", takes_its_time },
          { "full_queue_drops_the_last", full_queue_drops_the_last },
          { "loses_what_it_says", loses_what_it_says },
          { "jitter_reorders_datagrams_only", jitter_reorders_datagrams_only },
          { "delay_stays_in_its_bounds", delay_stays_in_its_bounds },
          { "a_link_that_is_down", a_link_that_is_down },
          { "same_seed_same_link", same_seed_same_link })
