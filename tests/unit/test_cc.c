/* test_cc.c - the laws of Reno and CUBIC, round by round, in virtual time.
 *
 * A round is a window of packets sent together and acknowledged one by one, a round trip
 * later: what the law says of a round trip is exact here.
 */
#include <math.h>
#include <string.h>

#include "flow/cc.h"
#include "test.h"

enum { MSS = 1000 };
#define RTT 100000

struct path {
    struct cc c;
    int64_t now_us, rtt_us, low_us;
    uint64_t number, delivered;
};

static void path_begin(struct path *p, const char *name, int64_t rtt_us)
{
    *p = (struct path){ .now_us = 1000000, .rtt_us = rtt_us, .low_us = rtt_us };
    CHECK(cc_find(name));
    cc_init(&p->c, cc_find(name), MSS, p->now_us);
}

static uint64_t packets(const struct path *p)
{
    return p->c.window / MSS;
}

/* One packet's acknowledgement; so many are under way before it. */
static void ack(struct path *p, uint64_t before, int64_t sent_us, uint64_t next)
{
    struct cc_ack a = { .now_us = p->now_us,
                        .bytes = MSS,
                        .before = before * MSS,
                        .under_way = (before - 1) * MSS,
                        .sent_us = sent_us,
                        .rtt_us = p->rtt_us,
                        .min_rtt_us = p->low_us,
                        .smooth_rtt_us = p->rtt_us,
                        .number = p->number++,
                        .next_number = next };

    p->delivered += MSS;
    a.delivered = p->delivered;
    p->c.ops->on_ack(&p->c, &a);
}

/* All of a window comes through, evenly over the round trip. */
static void round_of(struct path *p)
{
    uint64_t n = packets(p), next = p->number + n;
    int64_t begun_us = p->now_us;

    for (uint64_t i = 0; i < n; i++) {
        p->now_us = begun_us + p->rtt_us * (int64_t)(i + 1) / (int64_t)n;
        ack(p, packets(p), begun_us + p->rtt_us * (int64_t)i / (int64_t)n, ++next);
    }
}

static void lose(struct path *p, int64_t sent_us, bool persistent)
{
    struct cc_loss l = { .now_us = p->now_us,
                         .bytes = MSS,
                         .under_way = p->c.window,
                         .sent_us = sent_us,
                         .persistent = persistent };

    p->c.ops->on_loss(&p->c, &l);
}

/* --- slow start --- */

static void slow_start_doubles_each_round_trip(void)
{
    static const char *const names[] = { "reno", "cubic" };

    for (int i = 0; i < 2; i++) {
        struct path p;
        path_begin(&p, names[i], RTT);
        CHECK(packets(&p) == CC_WINDOW_FIRST && strcmp(p.c.phase, "slow start") == 0);
        for (uint64_t want = 64; want <= 4096; want *= 2) {
            round_of(&p);
            CHECK(packets(&p) == want && cc_in_slow_start(&p.c));
        }
        for (int round = 0; round < 10; round++)
            round_of(&p);
        CHECK(p.c.window == CC_WINDOW_MAX);
    }
}

static void slow_start_ends_when_round_trips_grow(void)
{
    struct path p;

    path_begin(&p, "cubic", RTT);
    round_of(&p);
    round_of(&p);
    p.rtt_us += 13000; /* more than an eighth */
    uint64_t before = packets(&p);
    round_of(&p);
    CHECK(strcmp(p.c.phase, "careful start") == 0 && packets(&p) < before * 3 / 2);
    CHECK(cc_in_slow_start(&p.c));
    for (int round = 0; round < 6; round++)
        round_of(&p);
    CHECK(!cc_in_slow_start(&p.c) && p.c.threshold < CC_NO_LIMIT);

    /* jitter that passes again ends nothing */
    path_begin(&p, "cubic", RTT);
    round_of(&p);
    p.rtt_us += 13000;
    round_of(&p);
    CHECK(p.c.hystart.css);
    p.rtt_us -= 13000;
    round_of(&p);
    CHECK(!p.c.hystart.css);
    before = packets(&p);
    round_of(&p);
    CHECK(packets(&p) == before * 2);
}

static void a_window_that_is_not_used_does_not_grow(void)
{
    static const char *const names[] = { "reno", "cubic" };

    for (int i = 0; i < 2; i++) {
        struct path p;
        path_begin(&p, names[i], RTT);
        for (int n = 0; n < 100; n++) {
            p.now_us += RTT;
            ack(&p, 3, p.now_us - RTT, p.number + 3);
        }
        CHECK(packets(&p) == CC_WINDOW_FIRST);
    }
}

/* --- reno --- */

static void reno_adds_a_packet_a_round_trip(void)
{
    struct path p;

    path_begin(&p, "reno", RTT);
    round_of(&p);
    lose(&p, p.now_us, false);
    CHECK(packets(&p) == 32 && strcmp(p.c.phase, "fast recovery") == 0);
    p.now_us += 1;
    for (uint64_t want = 33; want < 100; want++) {
        round_of(&p);
        CHECK(packets(&p) == want && strcmp(p.c.phase, "congestion avoidance") == 0);
    }
}

static void reno_halves_once_a_congestion(void)
{
    struct path p;

    path_begin(&p, "reno", RTT);
    round_of(&p);
    int64_t sent_us = p.now_us;
    p.now_us += RTT;
    lose(&p, sent_us, false);
    lose(&p, sent_us, false); /* of the same flight */
    lose(&p, sent_us - 5, false);
    CHECK(packets(&p) == 32 && p.c.threshold == 32 * MSS);
    uint64_t before = p.c.window;
    ack(&p, 20, sent_us, p.number + 20); /* likewise: no growth in recovery */
    CHECK(p.c.window == before);
    p.now_us += RTT;
    lose(&p, p.now_us - 1, false); /* sent since */
    CHECK(packets(&p) == 16);
    for (int i = 0; i < 20; i++) {
        p.now_us += RTT;
        lose(&p, p.now_us - 1, false);
    }
    CHECK(packets(&p) == CC_WINDOW_LEAST);
}

static void after_an_outage_all_begins_anew(void)
{
    static const char *const names[] = { "reno", "cubic" };

    for (int i = 0; i < 2; i++) {
        struct path p;
        path_begin(&p, names[i], RTT);
        round_of(&p);
        p.now_us += 10 * RTT;
        lose(&p, p.now_us - RTT, true);
        CHECK(packets(&p) == CC_WINDOW_LEAST && cc_in_slow_start(&p.c));
        p.now_us += 1;
        round_of(&p);
        CHECK(packets(&p) == 2 * CC_WINDOW_LEAST);
    }
}

static void a_loss_that_was_none_is_taken_back(void)
{
    static const char *const names[] = { "reno", "cubic" };

    for (int i = 0; i < 2; i++) {
        struct path p;
        path_begin(&p, names[i], RTT);
        round_of(&p);
        uint64_t window = p.c.window, threshold = p.c.threshold;
        lose(&p, p.now_us, false);
        CHECK(p.c.window < window);
        p.c.ops->on_undo(&p.c, p.now_us);
        CHECK(p.c.window == window && p.c.threshold == threshold);
        p.c.ops->on_undo(&p.c, p.now_us); /* there is nothing more to take back */
        CHECK(p.c.window == window);
    }
}

/* --- cubic --- */

static void cubic_draws_its_curve(void)
{
    struct path p;

    path_begin(&p, "cubic", RTT);
    for (int round = 0; round < 5; round++)
        round_of(&p); /* 1,024 packets */
    double w_max = (double)packets(&p);
    lose(&p, p.now_us, false);
    CHECK(fabs((double)packets(&p) - 0.7 * w_max) < 1);
    p.now_us += 1;

    /* K: the time after which it is back where it was */
    double k = cbrt(0.3 * w_max / 0.4);
    int64_t begun_us = p.now_us;
    bool plateau = false;
    while (p.now_us - begun_us < (int64_t)(2 * k * 1e6)) {
        round_of(&p);
        double t = (double)(p.now_us - begun_us) / 1e6;
        double want = 0.4 * pow(t - k, 3) + w_max, off = (double)packets(&p) - want;
        double slope = 1.2 * (t - k) * (t - k) * 0.1; /* what it grows in a round trip */
        CHECK(fabs(off) < 2 * slope + 3);
        plateau = plateau || strcmp(p.c.phase, "past the plateau") == 0;
        CHECK(strcmp(p.c.phase, t < k - 0.1 ? "back to the plateau" : p.c.phase) == 0);
    }
    CHECK(plateau && (double)packets(&p) > 1.2 * w_max);
}

static void cubic_gives_room_to_who_comes(void)
{
    struct path p;

    path_begin(&p, "cubic", RTT);
    for (int round = 0; round < 5; round++)
        round_of(&p);
    uint64_t first = packets(&p);
    lose(&p, p.now_us, false);
    p.now_us += RTT;
    lose(&p, p.now_us - 1, false); /* below the plateau */
    CHECK(fabs(p.c.cubic.w_max - (double)first * 0.7 * 0.85) < 1);
}

static void cubic_is_no_slower_than_reno(void)
{
    struct path p;

    path_begin(&p, "cubic", 5000); /* short: the curve is flat for long */
    round_of(&p);
    lose(&p, p.now_us, false);
    p.now_us += 1;
    uint64_t before = packets(&p);
    for (int round = 0; round < 20; round++)
        round_of(&p);
    CHECK(strcmp(p.c.phase, "as reno") == 0);
    double alpha = 3 * 0.3 / 1.7;
    CHECK(fabs((double)(packets(&p) - before) - 20 * alpha) < 2);
}

/* Room was given to somebody, so the plateau is lower than what was lost at: it is what was lost at
 * that ends the time of growing slower than Reno (RFC 9438, 4.3). */
static void cubic_is_as_fast_as_reno_above_what_was_lost_at(void)
{
    struct path p;
    uint64_t before;

    path_begin(&p, "cubic", 5000);
    for (int round = 0; round < 2; round++)
        round_of(&p);
    lose(&p, p.now_us, false);
    p.now_us += 5000;
    lose(&p, p.now_us - 1, false);
    uint64_t prior = (uint64_t)(p.c.cubic.w_prior + 0.5), plateau = (uint64_t)p.c.cubic.w_max;
    CHECK(plateau < prior - 10);
    while (packets(&p) <= plateau)
        round_of(&p);
    before = packets(&p);
    for (int round = 0; round < 10; round++)
        round_of(&p);
    CHECK(packets(&p) - before <= 6 && packets(&p) < prior); /* 0.53 in a round */
    while (packets(&p) <= prior)
        round_of(&p);
    before = packets(&p);
    for (int round = 0; round < 10; round++)
        round_of(&p);
    CHECK(packets(&p) - before >= 9);
}

static void cubic_does_not_count_idle_time(void)
{
    struct path p, q;

    path_begin(&p, "cubic", RTT);
    for (int round = 0; round < 4; round++)
        round_of(&p);
    lose(&p, p.now_us, false);
    p.now_us += 1;
    round_of(&p);
    q = p;
    round_of(&p);
    for (int i = 0; i < 100; i++) { /* ten seconds of little to send */
        q.now_us += RTT;
        ack(&q, 2, q.now_us - RTT, q.number + 2);
    }
    round_of(&q);
    CHECK(packets(&q) <= packets(&p) + 1 && packets(&q) + 1 >= packets(&p));
}

static void names_find_controllers(void)
{
    CHECK(cc_find("reno") == &cc_reno && cc_find("cubic") == &cc_cubic);
    CHECK(!cc_find("vegas") && !cc_find(""));
}

static void packets_leave_as_the_window_says(void)
{
    struct path p;

    path_begin(&p, "reno", RTT);
    CHECK(cc_pacing(&p.c, RTT) == 2 * CC_WINDOW_FIRST * MSS * 10);
    lose(&p, p.now_us, false);
    CHECK(cc_pacing(&p.c, RTT) == p.c.window * 5 / 4 * 10);
    p.c.pacing = 12345;
    CHECK(cc_pacing(&p.c, RTT) == 12345);
    cc_set_mss(&p.c, 9000);
    CHECK(p.c.window >= 2 * 9000);
}

TEST_MAIN({ "slow_start_doubles_each_round_trip", slow_start_doubles_each_round_trip },
          { "slow_start_ends_when_round_trips_grow", slow_start_ends_when_round_trips_grow },
          { "a_window_that_is_not_used_does_not_grow", a_window_that_is_not_used_does_not_grow },
          { "reno_adds_a_packet_a_round_trip", reno_adds_a_packet_a_round_trip },
          { "reno_halves_once_a_congestion", reno_halves_once_a_congestion },
          { "after_an_outage_all_begins_anew", after_an_outage_all_begins_anew },
          { "a_loss_that_was_none_is_taken_back", a_loss_that_was_none_is_taken_back },
          { "cubic_draws_its_curve", cubic_draws_its_curve },
          { "cubic_gives_room_to_who_comes", cubic_gives_room_to_who_comes },
          { "cubic_is_no_slower_than_reno", cubic_is_no_slower_than_reno },
          { "cubic_is_as_fast_as_reno_above_what_was_lost_at",
            cubic_is_as_fast_as_reno_above_what_was_lost_at },
          { "cubic_does_not_count_idle_time", cubic_does_not_count_idle_time },
          { "names_find_controllers", names_find_controllers },
          { "packets_leave_as_the_window_says", packets_leave_as_the_window_says })
