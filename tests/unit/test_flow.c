/* test_flow.c - the small parts of the transport: round trips, the bucket, what came. */
#include <string.h>

#include "flow/cc.h"
#include "flow/pacer.h"
#include "flow/rtt.h"
#include "flow/seen.h"
#include "test.h"

/* --- round trips --- */

static void round_trips_are_smoothed(void)
{
    struct rtt r;

    rtt_init(&r);
    CHECK(!r.known && rtt_patience_us(&r, 0) == RTT_FIRST_US * 3);
    rtt_on_sample(&r, 1000, 40000, 0, 0);
    CHECK(r.smooth_us == 40000 && r.vary_us == 20000 && r.low_us == 40000);
    rtt_on_sample(&r, 2000, 48000, 0, 0);
    CHECK(r.smooth_us == 41000 && r.vary_us == (3 * 20000 + 8000) / 4);
    CHECK(rtt_patience_us(&r, 25000) == r.smooth_us + 4 * r.vary_us + 25000);
    for (int i = 0; i < 200; i++)
        rtt_on_sample(&r, 3000 + i, 48000, 0, 0);
    CHECK(r.smooth_us > 47900 && r.vary_us < 50);
    CHECK(rtt_patience_us(&r, 0) == r.smooth_us + RTT_GRAIN_US);
}

static void held_acknowledgements_are_allowed_for(void)
{
    struct rtt r;

    rtt_init(&r);
    rtt_on_sample(&r, 0, 40000, 10000, 25000);
    CHECK(r.smooth_us == 40000); /* of the first nothing is taken off */
    rtt_on_sample(&r, 0, 50000, 10000, 25000);
    CHECK(r.smooth_us == 40000);
    rtt_on_sample(&r, 0, 90000, 50000, 25000); /* no more than was agreed */
    CHECK(r.smooth_us == (7 * 40000 + 65000) / 8);
    int64_t before_us = r.smooth_us;
    rtt_on_sample(&r, 0, 41000, 20000, 25000); /* below the lowest: a lie, or coarse */
    CHECK(r.smooth_us == (7 * before_us + 41000) / 8 && r.low_us == 40000);
}

static void a_longer_path_is_believed_in_the_end(void)
{
    struct rtt r;
    int64_t now_us = 0;

    rtt_init(&r);
    rtt_on_sample(&r, now_us, 20000, 0, 0);
    for (; now_us < RTT_LOW_LIFE_US; now_us += 100000) {
        rtt_on_sample(&r, now_us, 80000, 0, 0);
        CHECK(r.low_us == 20000);
    }
    for (; now_us < 2 * RTT_LOW_LIFE_US + 200000; now_us += 100000)
        rtt_on_sample(&r, now_us, 80000, 0, 0);
    CHECK(r.low_us == 80000);
    rtt_on_sample(&r, now_us, 10000, 0, 0);
    CHECK(r.low_us == 10000);
}

/* --- the bucket --- */

static void packets_leave_at_the_rate(void)
{
    struct pacer p;
    int64_t now_us = 5000;
    uint64_t sent = 0;

    pacer_init(&p, PACER_BUCKET, 1000, now_us);
    CHECK(pacer_allows(&p, now_us, 1000)); /* without a rate: always */
    pacer_set_rate(&p, now_us, 1000000);   /* a packet a millisecond */
    CHECK(p.burst == 2000);
    while (now_us < 5000 + 1000000) {
        now_us = pacer_when_us(&p, now_us, 1000);
        CHECK(pacer_allows(&p, now_us, 1000));
        pacer_on_sent(&p, now_us, 1000);
        sent += 1000;
    }
    CHECK(sent >= 1000000 && sent <= 1000000 + 3000);
}

/* A program that wakes up for every packet of a fast path does nothing else. */
static void nobody_wakes_up_for_one_packet(void)
{
    struct pacer p;

    pacer_init(&p, PACER_BUCKET, 1000, 0);
    pacer_set_rate(&p, 0, 20000000); /* 20 packets a millisecond, and so many are a burst */
    for (int i = 0; pacer_allows(&p, 1000, 1000); i++)
        pacer_on_sent(&p, 1000, 1000);
    CHECK(pacer_when_us(&p, 1000, 1000) == 1050);
    CHECK(pacer_wake_us(&p, 1000, 1000) == 1500); /* ten of them */
    CHECK(pacer_wake_us(&p, 1060, 1000) == 1060); /* who is up may send */
    pacer_set_rate(&p, 2000, 1000000);            /* at a packet a millisecond a burst is two */
    for (int i = 0; pacer_allows(&p, 2000, 1000); i++)
        pacer_on_sent(&p, 2000, 1000);
    CHECK(pacer_wake_us(&p, 2000, 1000) == pacer_when_us(&p, 2000, 1000));
    pacer_set_together(&p, 4); /* and is waited for, by who sends in pairs */
    CHECK(pacer_wake_us(&p, 2000, 1000) == pacer_when_us(&p, 2000, 1000) + 1000);
}

/* Sends what may leave, and sleeps until it is worth waking, as one who always has something. */
static void turns_of(uint32_t halves, uint32_t *ret, uint32_t n)
{
    struct pacer p;
    int64_t now_us = 0;

    pacer_init(&p, PACER_BUCKET, 1000, 0);
    pacer_set_rate(&p, 0, 1000000);
    pacer_set_together(&p, halves);
    while (pacer_allows(&p, now_us, 1000))
        pacer_on_sent(&p, now_us, 1000);
    for (uint32_t i = 0; i < n; i++) {
        now_us = pacer_wake_us(&p, now_us, 1000);
        for (ret[i] = 0; pacer_allows(&p, now_us, 1000); ret[i]++)
            pacer_on_sent(&p, now_us, 1000);
    }
}

/* Who sends more together finds less room in a queue that is almost full than who sends less. */
static void packets_leave_together(void)
{
    uint32_t turns[6];

    turns_of(cc_cubic.together, turns, 6);
    for (int i = 0; i < 6; i++)
        CHECK(turns[i] == 2);
    turns_of(cc_reno.together, turns, 6); /* one and two in turn */
    for (int i = 0; i + 1 < 6; i++)
        CHECK((turns[i] == 1 || turns[i] == 2) && turns[i] + turns[i + 1] == 3);
    turns_of(cc_bbr.together, turns, 6);
    for (int i = 0; i < 6; i++)
        CHECK(turns[i] == 1);
}

static void bursts_are_bounded(void)
{
    struct pacer p;

    pacer_init(&p, PACER_BUCKET, 1000, 0);
    pacer_set_rate(&p, 0, 125000000); /* a gigabit a second: 125 packets a millisecond */
    CHECK(p.burst == 64000);
    pacer_set_rate(&p, 0, 20000000);
    CHECK(p.burst == 20000);
    pacer_on_queue(&p, 1600);
    CHECK(p.burst == 16000);
    pacer_on_queue(&p, 3200); /* it was longer than was thought */
    CHECK(p.burst == 20000);
    pacer_on_queue(&p, 100); /* what may be overslept leaves at once all the same */
    CHECK(p.burst == 5000);
    uint64_t burst = 0;
    for (; pacer_allows(&p, 9000000, 1000); burst++) /* after a long sleep: no more than that */
        pacer_on_sent(&p, 9000000, 1000);
    CHECK(burst == 5);
    pacer_set_rate(&p, 9000000, 1000000);
    CHECK(p.burst == 2000);
    pacer_set_rate(&p, 9000000, 20000000);
    pacer_set_mss(&p, 9000);
    CHECK(p.burst == 18000 && pacer_when_us(&p, 9000000, 50000) > 9000000);
    CHECK(pacer_allows(&p, 9010000, 50000)); /* larger than a burst: with a full bucket */
    pacer_set_rate(&p, 9010000, 0);
    pacer_on_sent(&p, 9010000, 1000000);
    CHECK(pacer_allows(&p, 9010000, 1000));
}

/* --- what came --- */

/* What it is compared with: no shaping, and a sleep after each packet. */
static void other_pacers(void)
{
    struct pacer p;

    pacer_init(&p, PACER_NONE, 1000, 0);
    pacer_set_rate(&p, 0, 1000000);
    for (int i = 0; i < 1000; i++) {
        CHECK(pacer_allows(&p, 0, 1000));
        pacer_on_sent(&p, 0, 1000);
    }
    pacer_init(&p, PACER_SLEEP, 1000, 0);
    pacer_set_rate(&p, 0, 1000000); /* a millisecond each, and what a sleep takes longer */
    CHECK(pacer_allows(&p, 0, 1000));
    pacer_on_sent(&p, 0, 1000);
    CHECK(pacer_when_us(&p, 0, 1000) == 1000 + PACER_LATE_US);
    /* what was overslept is not made up for */
    pacer_on_sent(&p, 50000, 1000);
    CHECK(pacer_when_us(&p, 50000, 1000) == 51000 + PACER_LATE_US);
    /* without a rate nothing is waited for */
    pacer_set_rate(&p, 60000, 0);
    pacer_on_sent(&p, 60000, 1000);
    CHECK(pacer_allows(&p, 60000, 1000));
}

static const struct seen_pace pace = { .every = 10, .delay_us = 5000 };

static void come(struct seen *s, uint64_t number, int64_t now_us)
{
    seen_on_packet(s, number, now_us, true, SEEN_NOT_ECT, &pace);
}

/* All orders of eight packets with holes give the same ranges. */
static void ranges_do_not_depend_on_the_order(void)
{
    static const uint64_t numbers[] = { 1, 2, 4, 5, 6, 9, 11, 12 };
    unsigned order[8] = { 0, 1, 2, 3, 4, 5, 6, 7 }, turns[8] = { 0 };
    struct ack a;

    for (unsigned i = 0; i < 8;) { /* Heap's algorithm */
        struct seen s;
        seen_init(&s);
        for (unsigned k = 0; k < 8; k++)
            come(&s, numbers[order[k]], 100);
        CHECK(seen_ack(&s, 100, 0, &a) && a.n_ranges == 4);
        CHECK(a.ranges[0].first == 11 && a.ranges[0].last == 12);
        CHECK(a.ranges[1].first == 9 && a.ranges[1].last == 9);
        CHECK(a.ranges[2].first == 4 && a.ranges[2].last == 6);
        CHECK(a.ranges[3].first == 1 && a.ranges[3].last == 2);
        while (i < 8 && turns[i] >= i)
            turns[i++] = 0;
        if (i == 8)
            break;
        unsigned with = i % 2 ? turns[i] : 0, swap = order[with];
        order[with] = order[i];
        order[i] = swap;
        turns[i]++;
        i = 1;
    }
}

static void far_below_is_forgotten(void)
{
    struct seen s;
    struct ack a;

    seen_init(&s);
    CHECK(!seen_ack(&s, 0, 0, &a));
    for (uint64_t i = 0; i < 1000; i++)
        come(&s, i * 3, (int64_t)i);
    CHECK(seen_ack(&s, 1000, 0, &a) && a.n_ranges == ACK_RANGES_MAX);
    CHECK(a.ranges[0].last == 2997 && a.delay_us == 1);
    come(&s, 1, 1000); /* below all: there is no room, and no need */
    CHECK(s.n_ranges <= ACK_RANGES_MAX && s.ranges[0].last == 2997);
    seen_forget(&s, 2990);
    CHECK(s.n_ranges == 3 && s.ranges[2].first == 2991);
    seen_forget(&s, 5000);
    CHECK(s.n_ranges == 1); /* the highest is always known */
    seen_init(&s);
    for (uint64_t i = 0; i < 100; i++)
        come(&s, i, 0);
    seen_forget(&s, 50);
    CHECK(s.n_ranges == 1 && s.ranges[0].first == 51 && s.ranges[0].last == 99);
}

static void times_are_of_the_newest(void)
{
    struct seen s;
    struct ack a;

    seen_init(&s);
    for (uint64_t i = 0; i < 200; i++)
        if (i != 190)
            come(&s, i, 1000 * (int64_t)i);
    come(&s, 150, 777777); /* once more: its later time counts */
    CHECK(seen_ack(&s, 300000, 500, &a) && a.n_times == ACK_TIMES_MAX - 1);
    CHECK(a.times_us[0] == 199000 - 500 && a.times_us[8] == 191000 - 500);
    CHECK(a.times_us[9] == 189000 - 500);
    uint8_t bytes[PATH_BYTES * 200];
    struct writer w = writer_of(bytes, sizeof bytes);
    CHECK(dgram_write_ack(&w, &a));
}

static void acknowledgements_are_due(void)
{
    struct seen s;
    uint64_t n = 0;

    seen_init(&s);
    for (; n < SEEN_AT_ONCE; n++) { /* the first at once */
        come(&s, n, 0);
        CHECK(s.due_us == 0);
        seen_on_ack_sent(&s);
        CHECK(s.due_us == INT64_MAX);
    }
    for (int i = 0; i < 9; i++) { /* then a little later */
        come(&s, n++, 1000 + i);
        CHECK(s.due_us == 1000 + pace.delay_us);
    }
    come(&s, n++, 2000); /* or after so many */
    CHECK(s.due_us == 2000);
    seen_on_ack_sent(&s);
    n++;
    come(&s, n++, 3000); /* or on a gap */
    CHECK(s.due_us == 3000);
    seen_on_ack_sent(&s);
    come(&s, n - 2, 3100); /* and when it is filled */
    CHECK(s.due_us == 3100);
    seen_on_ack_sent(&s);
    seen_on_packet(&s, n++, 4000, true, SEEN_CE, &pace); /* or on a mark */
    CHECK(s.due_us == 4000 && s.ce == 1);
    seen_on_ack_sent(&s);
    seen_on_packet(&s, n++, 5000, false, SEEN_ECT0, &pace); /* an acknowledgement: never */
    CHECK(s.due_us == INT64_MAX);
    struct ack a;
    CHECK(seen_ack(&s, 5000, 0, &a) && a.ecn && a.ce == 1 && a.ect0 == 1);
}

TEST_MAIN({ "other_pacers", other_pacers },
          { "round_trips_are_smoothed", round_trips_are_smoothed },
          { "held_acknowledgements_are_allowed_for", held_acknowledgements_are_allowed_for },
          { "a_longer_path_is_believed_in_the_end", a_longer_path_is_believed_in_the_end },
          { "packets_leave_at_the_rate", packets_leave_at_the_rate },
          { "nobody_wakes_up_for_one_packet", nobody_wakes_up_for_one_packet },
          { "packets_leave_together", packets_leave_together },
          { "bursts_are_bounded", bursts_are_bounded },
          { "ranges_do_not_depend_on_the_order", ranges_do_not_depend_on_the_order },
          { "far_below_is_forgotten", far_below_is_forgotten },
          { "times_are_of_the_newest", times_are_of_the_newest },
          { "acknowledgements_are_due", acknowledgements_are_due })
