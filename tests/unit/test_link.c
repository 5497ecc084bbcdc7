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

static void jitter_keeps_the_order(void)
{
    struct link_config c = { .delay_us = 5 * MS, .jitter_us = 20 * MS, .loss_ppm = 100000 };

    for (int kind = LINK_DATAGRAMS; kind <= LINK_STREAM; kind++) {
        struct link l;
        uint32_t last = 0, got = 0;
        link_init(&l, (enum link_kind)kind, &c, 3);
        for (uint32_t i = 1; i <= 200; i++)
            CHECK(push(&l, i * MS, i, 10) == 0);
        for (struct blob *b; (b = link_next(&l, SECOND)); got++) {
            uint32_t i = number_of(b);
            CHECK(i > last);
            last = i;
        }
        CHECK(l.counts.lost > 0);
        CHECK(got == (kind == LINK_STREAM ? 200 : 200 - l.counts.lost));
        link_fini(&l);
    }
}

static void some_are_late(void)
{
    struct link_config c = {
        .rate_bps = 8000000, .delay_us = 5 * MS, .reorder_ppm = 100000, .late_us = 4 * MS
    };
    struct link l;
    uint32_t late = 0, got = 0;
    link_init(&l, LINK_DATAGRAMS, &c, 4);

    /* one each 2 ms: who is late by 4 ms comes in the moment of the one after the next, behind it
     * or not by nothing but its place in the line */
    for (uint32_t i = 0; i < 1000; i++)
        CHECK(push(&l, i * 2 * MS, i, 1000) == 0);
    CHECK(l.counts.reordered > 50 && l.counts.reordered < 150);
    for (int64_t t = 0; t < 3 * SECOND; t += MS)
        for (struct blob *b; (b = link_next(&l, t)); got++) {
            int64_t took = t - (int64_t)number_of(b) * 2 * MS;
            CHECK(took == 6 * MS || took == 10 * MS);
            late += took == 10 * MS;
        }
    CHECK(got == 1000 && late == l.counts.reordered);
    CHECK(link_deadline_us(&l) == INT64_MAX);
    link_fini(&l);
}

/* The one on the wire may be late, and the next in the queue comes before it. */
static void the_deadline_knows_who_overtakes(void)
{
    struct link_config c = wire;
    struct link l;
    c.reorder_ppm = 1000000;
    c.late_us = 50 * MS;
    link_init(&l, LINK_DATAGRAMS, &c, 4);

    CHECK(push(&l, 0, 1, 1000) == 0);
    CHECK(link_deadline_us(&l) == 61 * MS);
    c.reorder_ppm = 0;
    link_set(&l, &c);
    CHECK(push(&l, 0, 2, 1000) == 0);
    CHECK(link_deadline_us(&l) <= 12 * MS);
    CHECK(link_next(&l, 12 * MS - 1) == NULL);
    CHECK(number_of(link_next(&l, 12 * MS)) == 2);
    CHECK(link_deadline_us(&l) == 61 * MS);
    CHECK(number_of(link_next(&l, 61 * MS)) == 1);
    link_fini(&l);
}

static void bursts_are_as_long_as_they_say(void)
{
    struct link_config c = { .loss_ppm = 5000, .loss_burst = 2 };
    struct link l;
    uint32_t run = 0, runs = 0, odd = 0;
    link_init(&l, LINK_DATAGRAMS, &c, 11);

    struct blob *b = numbered(0, 100);
    for (int i = 0; i < 400000; i++) {
        uint64_t before = l.counts.lost;
        link_push(&l, i, b);
        struct blob *out = link_next(&l, i);
        CHECK((out == NULL) == (l.counts.lost == before + 1));
        if (out && run) {
            runs++;
            odd += run % 2;
        }
        run = out ? 0 : run + 1;
        blob_unref(out);
    }
    blob_unref(b);
    /* 0.5 % of 400,000 is 2,000, in 1,000 pairs: five standard deviations of pairs */
    CHECK(l.counts.lost > 2000 - 320 && l.counts.lost < 2000 + 320);
    CHECK(runs > 0 && odd == 0);
    link_fini(&l);
}

static void a_loss_takes_no_time_on_the_wire(void)
{
    struct link_config c = wire;
    struct link l;
    c.loss_ppm = 1000000;
    link_init(&l, LINK_DATAGRAMS, &c, 1);

    for (uint32_t i = 0; i < 10; i++)
        CHECK(push(&l, 0, i, 1000) == 0);
    CHECK(link_backlog_bytes(&l, 0) == 0 && l.counts.lost == 10);
    link_set(&l, &wire);
    CHECK(push(&l, 0, 10, 1000) == 0);
    CHECK(link_deadline_us(&l) == 11 * MS);
    link_fini(&l);
}

static void a_doubled_one_comes_twice(void)
{
    struct link_config c = wire;
    struct link l;
    c.duplicate_ppm = 1000000;
    link_init(&l, LINK_DATAGRAMS, &c, 1);

    CHECK(push(&l, 0, 1, 1000) == 0);
    CHECK(push(&l, 0, 2, 1000) == 0);
    for (uint32_t i = 0; i < 4; i++)
        CHECK(number_of(link_next(&l, SECOND)) == 1 + i / 2);
    CHECK(link_next(&l, SECOND) == NULL);
    CHECK(l.counts.pushed == 2 && l.counts.duplicated == 2 && l.counts.arrived == 4);
    link_fini(&l);
}

static void a_damaged_one_has_one_bit_turned(void)
{
    struct link_config c = { .corrupt_ppm = 1000000 };
    struct link l;
    link_init(&l, LINK_DATAGRAMS, &c, 1);

    struct blob *sent = numbered(0, 100);
    CHECK(link_push(&l, 0, sent) == 0);
    struct blob *got = link_next(&l, 0);
    int turned = 0;
    for (uint32_t i = 0; got && i < 100; i++)
        turned += __builtin_popcount(got->bytes[i] ^ sent->bytes[i]);
    CHECK(got && got->len == 100 && turned == 1 && l.counts.corrupted == 1);
    blob_unref(got);
    blob_unref(sent);
    link_fini(&l);
}

static void the_policer_drops_what_is_too_fast(void)
{
    /* 8 Mbit/s are 1 byte a microsecond; 10,000 at once */
    struct link_config c = { .police_bps = 8000000, .police_bytes = 10000 };
    struct link l;
    uint64_t sent = 0;
    link_init(&l, LINK_DATAGRAMS, &c, 1);

    for (uint32_t i = 0; i < 12; i++)
        CHECK(push(&l, 0, i, 1000) == 0);
    CHECK(l.counts.policed == 2);
    /* nothing waits: it passes at once or not at all */
    CHECK(link_backlog_bytes(&l, 0) == 0 && link_deadline_us(&l) == 0);
    CHECK(push(&l, 999, 0, 1000) == 0);
    CHECK(l.counts.policed == 3);
    CHECK(push(&l, 1000, 0, 1000) == 0);
    CHECK(l.counts.policed == 3);

    /* at twice the rate, half passes; a pause fills the bucket and no more */
    for (int64_t t = 1500; t < SECOND; t += 500)
        push(&l, t, 0, 1000);
    for (struct blob *b; (b = link_next(&l, SECOND)); blob_unref(b))
        sent += b->len;
    CHECK(sent == 10000 + 999 * 1000);
    uint64_t policed = l.counts.policed;
    for (uint32_t i = 0; i < 12; i++)
        push(&l, 10 * SECOND, i, 1000);
    CHECK(l.counts.policed == policed + 2);
    link_fini(&l);
}

/* Twice the link's rate for 2 s into an endless queue: without CoDel the wait grows to a second;
 * with it drops begin after an interval above the target, and grow more frequent. */
static void codel_presses(void)
{
    struct link_config c = { .rate_bps = 8000000, .codel_target_us = 5 * MS };
    struct link l;
    int64_t first_us = 0, second_us = 0;
    link_init(&l, LINK_DATAGRAMS, &c, 1);

    for (int64_t t = 0; t < 2 * SECOND; t += 500) {
        push(&l, t, 0, 1000);
        for (struct blob *b; (b = link_next(&l, t)); blob_unref(b))
            ;
        if (!first_us && l.counts.early == 1)
            first_us = t;
        if (!second_us && l.counts.early == 2)
            second_us = t;
    }
    /* the packet that left at 10 ms had waited 5; 100 ms later the first goes, then one each
     * 100 ms / sqrt(2), sqrt(3) ... */
    CHECK(first_us == 110 * MS);
    CHECK(second_us == 210 * MS);
    CHECK(l.counts.early > 80 && l.counts.early < 120);
    CHECK(l.counts.arrived + l.counts.early + l.queue_n + l.n == l.counts.pushed);
    link_fini(&l);

    /* half the rate: nobody is dropped */
    link_init(&l, LINK_DATAGRAMS, &c, 1);
    for (int64_t t = 0; t < 2 * SECOND; t += 2 * MS)
        push(&l, t, 0, 1000);
    CHECK(l.counts.early == 0);
    link_fini(&l);
}

static void a_new_rate_is_for_those_who_wait(void)
{
    struct link_config slow = wire;
    struct link l;
    slow.rate_bps = 800000; /* 10 ms a packet */
    link_init(&l, LINK_DATAGRAMS, &wire, 1);

    for (uint32_t i = 0; i < 4; i++)
        CHECK(push(&l, 0, i, 1000) == 0);
    CHECK(number_of(link_next(&l, 11 * MS)) == 0); /* the second and all others left by then */
    CHECK(link_next(&l, 11 * MS) == NULL);
    for (uint32_t i = 1; i < 4; i++)
        CHECK(number_of(link_next(&l, SECOND)) == i);

    for (uint32_t i = 0; i < 3; i++)
        CHECK(push(&l, SECOND, i, 1000) == 0);
    link_set(&l, &slow); /* one is on the wire, two wait */
    CHECK(link_backlog_bytes(&l, SECOND) == 2100);
    CHECK(link_idle_us(&l) == SECOND + 21 * MS);
    CHECK(number_of(link_next(&l, SECOND + 11 * MS)) == 0);
    CHECK(link_next(&l, SECOND + 21 * MS - 1) == NULL);
    CHECK(number_of(link_next(&l, SECOND + 21 * MS)) == 1);
    CHECK(link_next(&l, SECOND + 31 * MS - 1) == NULL);
    CHECK(number_of(link_next(&l, SECOND + 31 * MS)) == 2);
    CHECK(link_is_empty(&l));
    link_fini(&l);
}

static void marks_come_out_with_their_packets(void)
{
    struct link l;
    uint32_t tag;
    link_init(&l, LINK_DATAGRAMS, &wire, 1);

    for (uint32_t i = 0; i < 3; i++) {
        struct blob *b = numbered(i, 1000);
        CHECK(link_push_tagged(&l, 0, b, 70 + i) == 0);
        blob_unref(b);
    }
    for (uint32_t i = 0; i < 3; i++)
        CHECK(number_of(link_next_tagged(&l, SECOND, &tag)) == i && tag == 70 + i);
    link_fini(&l);
}

static void every_packet_is_counted_once(void)
{
    struct link_config c = { .rate_bps = 8000000,
                             .delay_us = 3 * MS,
                             .jitter_us = 2 * MS,
                             .loss_ppm = 50000,
                             .loss_burst = 3,
                             .queue_bytes = 20000,
                             .reorder_ppm = 30000,
                             .late_us = 5 * MS,
                             .duplicate_ppm = 20000,
                             .corrupt_ppm = 10000,
                             .codel_target_us = 5 * MS,
                             .police_bps = 12000000,
                             .police_bytes = 30000 };
    struct link l;
    struct dice dice = { 5 };
    int64_t last = 0;
    link_init(&l, LINK_DATAGRAMS, &c, 1);

    for (int64_t t = 0; t < 20 * SECOND; t += dice_between(&dice, 0, 1200)) {
        if (dice_ppm(&dice, 1000))
            link_set_down(&l, !l.down, t);
        for (int64_t some = dice_ppm(&dice, 10000) ? 40 : 1; some > 0; some--)
            push(&l, t, 0, (size_t)dice_between(&dice, 40, 1500));
        for (struct blob *b; (b = link_next(&l, t)); blob_unref(b))
            ;
        CHECK(link_deadline_us(&l) > t);
        last = t;
    }
    const struct link_counts *n = &l.counts;
    CHECK(n->lost && n->policed && n->dropped && n->early && n->cut && n->duplicated &&
          n->corrupted && n->reordered);
    CHECK(n->queue_most_bytes > 19000 && n->queue_most_bytes <= 20000);
    CHECK(n->pushed + n->duplicated ==
          n->arrived + n->lost + n->policed + n->dropped + n->early + n->cut + l.n + l.queue_n);
    link_set_down(&l, false, last);
    for (struct blob *b; (b = link_next(&l, 30 * SECOND)); blob_unref(b))
        ;
    CHECK(link_is_empty(&l) && link_deadline_us(&l) == INT64_MAX);
    link_fini(&l);
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
          { "jitter_keeps_the_order", jitter_keeps_the_order }, { "some_are_late", some_are_late },
          { "the_deadline_knows_who_overtakes", the_deadline_knows_who_overtakes },
          { "bursts_are_as_long_as_they_say", bursts_are_as_long_as_they_say },
          { "a_loss_takes_no_time_on_the_wire", a_loss_takes_no_time_on_the_wire },
          { "a_doubled_one_comes_twice", a_doubled_one_comes_twice },
          { "a_damaged_one_has_one_bit_turned", a_damaged_one_has_one_bit_turned },
          { "the_policer_drops_what_is_too_fast", the_policer_drops_what_is_too_fast },
          { "codel_presses", codel_presses },
          { "a_new_rate_is_for_those_who_wait", a_new_rate_is_for_those_who_wait },
          { "marks_come_out_with_their_packets", marks_come_out_with_their_packets },
          { "every_packet_is_counted_once", every_packet_is_counted_once },
          { "delay_stays_in_its_bounds", delay_stays_in_its_bounds },
          { "a_link_that_is_down", a_link_that_is_down },
          { "same_seed_same_link", same_seed_same_link })
