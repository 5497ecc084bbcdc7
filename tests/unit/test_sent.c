/* test_sent.c - what becomes of packets: acknowledged, lost, late; in virtual time. */
#include <stdlib.h>

#include "base/err.h"
#include "flow/sent.h"
#include "test.h"

enum { BYTES = 1000 };
#define RTT 40000

/* Each packet's load is where its fate is written. */
struct sender {
    struct sent s;
    struct rtt rtt;
    struct sent_report r;
    int64_t now_us;
    char fates[1000];
};

static void settle(void *ctx, void *load, enum sent_fate fate)
{
    (void)ctx;
    if (fate != SENT_GONE)
        *(char *)load = fate == SENT_ACKED ? 'a' : fate == SENT_LOST ? 'l' : 'L';
}

static void begin(struct sender *x)
{
    *x = (struct sender){ .now_us = 1000000 };
    sent_init(&x->s, settle, NULL);
    rtt_init(&x->rtt);
}

static void send_one(struct sender *x)
{
    CHECK(sent_add(&x->s, x->now_us, BYTES, true, &x->fates[sent_next(&x->s)]) == 0);
}

/* So many, one each millisecond. */
static void send_some(struct sender *x, int n)
{
    for (; n > 0; n--) {
        send_one(x);
        x->now_us += 1000;
    }
}

/* Acknowledges first to last, and from then on to `last` if a second pair is given. */
static int ack(struct sender *x, uint64_t first, uint64_t last)
{
    struct ack a = { .n_ranges = 1, .ranges = { { first, last } } };

    return sent_on_ack(&x->s, &a, x->now_us, &x->rtt, 25000, &x->r);
}

static void in_order_nothing_is_lost(void)
{
    struct sender x;

    begin(&x);
    send_some(&x, 10);
    CHECK(x.s.under_way == 10 * BYTES);
    x.now_us = 1000000 + RTT;
    CHECK(ack(&x, 0, 0) == 0 && x.r.ack.bytes == BYTES && x.r.ack.rtt_us == RTT);
    CHECK(x.r.ack.before == 10 * BYTES && x.r.ack.under_way == 9 * BYTES);
    for (uint64_t i = 1; i < 10; i++) {
        x.now_us += 1000;
        CHECK(ack(&x, 0, i) == 0 && x.r.ack.bytes == BYTES && !x.r.loss.bytes);
        CHECK(x.r.ack.sent_us == 1000000 + (int64_t)i * 1000 && x.r.ack.rtt_us == RTT);
    }
    CHECK(ack(&x, 0, 9) == 0 && !x.r.ack.bytes); /* said twice */
    CHECK(!x.s.under_way && sent_deadline_us(&x.s, &x.rtt, 0) == INT64_MAX);
    CHECK(x.s.next - x.s.first <= 2);
    for (int i = 0; i < 10; i++)
        CHECK(x.fates[i] == 'a');
    sent_fini(&x.s);
}

static void three_later_ones_make_it_lost(void)
{
    struct sender x;

    begin(&x);
    send_some(&x, 10);
    x.now_us = 1000000 + RTT;
    CHECK(ack(&x, 1, 2) == 0 && !x.r.loss.bytes && x.fates[0] == 0);
    CHECK(ack(&x, 1, 3) == 0 && x.r.loss.bytes == BYTES && x.fates[0] == 'l');
    CHECK(x.r.loss.sent_us == 1000000 && x.s.under_way == 6 * BYTES);
    CHECK(ack(&x, 1, 9) == 0 && !x.r.loss.bytes && x.s.stats.lost == 1);
    sent_fini(&x.s);
}

/* A probe of the path's size asks for an acknowledgement, but is not under way: that it was too
 * large says nothing of congestion, whatever its size. */
static void what_is_not_under_way_is_no_loss(void)
{
    struct sender x;

    begin(&x);
    CHECK(sent_add(&x.s, x.now_us, 9 * BYTES, false, &x.fates[0]) == 0);
    send_some(&x, 9);
    CHECK(x.s.under_way == 9 * BYTES);
    x.now_us = 1000000 + RTT;
    CHECK(ack(&x, 1, 9) == 0 && x.fates[0] == 'l');
    CHECK(!x.r.loss.bytes && !x.r.lost && !x.r.ack.lost && !x.r.ack.lost_all);
    CHECK(!x.s.stats.lost && !x.s.stats.lost_bytes);

    /* nor, when it comes late, was a loss undone */
    CHECK(ack(&x, 0, 9) == 0 && x.fates[0] == 'L');
    CHECK(!x.r.undo && !x.r.late && !x.s.stats.late_bytes);
    sent_fini(&x.s);
}

static void time_makes_it_lost(void)
{
    struct sender x;

    begin(&x);
    send_some(&x, 2);
    x.now_us = 1001000 + RTT;
    CHECK(ack(&x, 1, 1) == 0 && !x.r.loss.bytes);
    int64_t due_us = 1000000 + RTT * 9 / 8; /* of its round trip */
    CHECK(sent_deadline_us(&x.s, &x.rtt, 0) == due_us);
    CHECK(sent_expire(&x.s, due_us - 1, &x.rtt, 0, &x.r) == 0 && !x.r.loss.bytes);
    CHECK(sent_expire(&x.s, due_us, &x.rtt, 0, &x.r) == 0 && x.r.loss.bytes == BYTES);
    CHECK(x.fates[0] == 'l' && !x.s.under_way);
    sent_fini(&x.s);
}

static void a_path_that_reorders_is_waited_for(void)
{
    struct sender x;

    begin(&x);
    send_some(&x, 20);
    x.now_us = 1000000 + RTT;
    CHECK(ack(&x, 1, 8) == 0 && x.fates[0] == 'l');
    x.now_us += 1000;
    CHECK(ack(&x, 0, 8) == 0 && x.fates[0] == 'L' && x.r.undo && x.r.ack.bytes == BYTES);
    CHECK(x.s.reorder == 9 && x.s.stats.late == 1);
    CHECK(ack(&x, 10, 17) == 0 && !x.r.loss.bytes); /* as far behind as the one before */
    CHECK(ack(&x, 10, 18) == 0 && x.r.loss.bytes == BYTES && x.fates[9] == 'l');
    sent_fini(&x.s);
}

static void only_what_was_all_for_nothing_is_taken_back(void)
{
    struct sender x;

    begin(&x);
    send_some(&x, 20);
    x.now_us = 1000000 + RTT;
    CHECK(ack(&x, 2, 8) == 0 && x.fates[0] == 'l' && x.fates[1] == 'l');
    CHECK(ack(&x, 1, 8) == 0 && x.fates[1] == 'L' && !x.r.undo);
    CHECK(ack(&x, 0, 8) == 0 && x.r.undo);
    sent_fini(&x.s);
}

static void who_guesses_is_found_out(void)
{
    struct sender x;

    begin(&x);
    CHECK(ack(&x, 0, 0) == -ROOST_MALFORMED);
    send_some(&x, 5);
    CHECK(sent_skip(&x.s) == 0); /* 5 */
    send_some(&x, 5);
    CHECK(ack(&x, 0, 11) == -ROOST_MALFORMED); /* was not sent yet */
    CHECK(ack(&x, 0, 7) == -ROOST_MALFORMED);  /* 5 never was */
    CHECK(x.s.under_way == 10 * BYTES && x.fates[0] == 0);
    CHECK(ack(&x, 0, 4) == 0);
    CHECK(ack(&x, 6, 10) == 0 && !x.s.under_way && !x.s.stats.lost);
    sent_fini(&x.s);
}

static void silence_is_asked_into(void)
{
    struct sender x;

    begin(&x);
    send_one(&x);
    x.now_us += RTT;
    CHECK(ack(&x, 0, 0) == 0);
    CHECK(sent_deadline_us(&x.s, &x.rtt, 25000) == INT64_MAX); /* nothing is out */
    send_one(&x);
    int64_t patience_us = RTT + 4 * (RTT / 2) + 25000, sent_us = x.now_us;
    for (int i = 0; i < 24; i++) { /* twice as long each time, up to half a second for a while */
        int64_t most_us = 500000LL << (i > 16 ? i - 16 : 0), longest_us = patience_us << 6;
        int64_t due_us = sent_us + (i < 2 ? patience_us << i : most_us);
        due_us = due_us < sent_us + longest_us ? due_us : sent_us + longest_us;
        CHECK(sent_deadline_us(&x.s, &x.rtt, 25000) == due_us);
        CHECK(sent_expire(&x.s, due_us - 1, &x.rtt, 25000, &x.r) == 0);
        CHECK(sent_expire(&x.s, due_us, &x.rtt, 25000, &x.r) == 2 && !x.r.loss.bytes);
    }
    x.now_us += RTT;
    CHECK(ack(&x, 1, 1) == 0 && x.s.probes == 0);
    sent_fini(&x.s);
}

static void an_outage_is_told_from_a_loss(void)
{
    struct sender x;

    begin(&x);
    send_some(&x, 10);
    x.now_us = 1009000 + RTT;
    CHECK(ack(&x, 0, 9) == 0);
    for (int i = 0; i < 10; i++) { /* for longer than three patiences nothing comes through */
        send_one(&x);
        x.now_us += 100000;
    }
    send_one(&x);
    x.now_us += RTT;
    CHECK(ack(&x, 20, 20) == 0 && x.r.loss.persistent && x.r.loss.bytes == 10 * BYTES);

    send_some(&x, 10); /* a burst of losses within a round trip is none */
    x.now_us += RTT;
    CHECK(ack(&x, 29, 30) == 0 && x.r.loss.bytes && !x.r.loss.persistent);
    sent_fini(&x.s);
}

static void the_rate_is_what_came_through(void)
{
    struct sender x;

    begin(&x);
    for (uint64_t i = 0; i < 200; i++) { /* one a millisecond, acknowledged as evenly */
        send_one(&x);
        x.now_us += 1000;
        if (i < 40)
            continue;
        CHECK(ack(&x, i - 39, i - 39) == 0);
        if (i > 80)
            CHECK(x.r.ack.rate == 1000000 && !x.r.ack.app_limited);
    }
    /* acknowledgements that come together do not make it faster */
    x.now_us += 30000;
    CHECK(ack(&x, 161, 199) == 0 && x.r.ack.rate <= 1000000);

    sent_on_idle(&x.s);
    send_one(&x);
    x.now_us += RTT;
    CHECK(ack(&x, 200, 200) == 0 && x.r.ack.app_limited);
    send_one(&x);
    x.now_us += RTT;
    CHECK(ack(&x, 201, 201) == 0 && !x.r.ack.app_limited);
    sent_fini(&x.s);
}

static void what_is_kept_is_bounded(void)
{
    struct sender x;
    char fate;
    int err = 0;

    begin(&x);
    for (uint32_t i = 0; i < SENT_MAX + 1 && !err; i++)
        err = sent_add(&x.s, x.now_us, BYTES, true, &fate);
    CHECK(err == -ROOST_LIMIT && x.s.next == SENT_MAX && sent_skip(&x.s) == -ROOST_LIMIT);
    x.now_us += RTT;
    CHECK(ack(&x, 0, SENT_MAX - 1) == 0);
    CHECK(sent_add(&x.s, x.now_us, BYTES, true, &fate) == 0);

    /* words alone are not waited for, and make nobody ask */
    CHECK(sent_add(&x.s, x.now_us, 30, false, &fate) == 0);
    CHECK(x.s.under_way == BYTES);
    sent_fini(&x.s);
}

/* Who says nothing of what asks for nothing is not remembered for ever. */
static void of_words_alone_the_newest_are_remembered(void)
{
    struct sender x;
    int forgotten = 0;

    begin(&x);
    send_one(&x); /* what is asked for stays */
    for (int i = 1; i < 1000; i++)
        CHECK(sent_add(&x.s, x.now_us, 30, false, &x.fates[i]) == 0);
    for (int i = 0; i < 1000; i++)
        forgotten += x.fates[i] == 'l';
    CHECK(forgotten == 999 - SENT_QUIET_MAX && !x.fates[0] && !x.fates[999]);
    CHECK(x.fates[1] == 'l' && x.s.quiet == SENT_QUIET_MAX);
    x.now_us += RTT;
    CHECK(ack(&x, 0, 999) == 0 && x.r.ack.bytes == BYTES && !x.r.loss.bytes);
    CHECK(x.fates[0] == 'a' && x.fates[1] == 'l' && x.fates[999] == 'a' && !x.s.quiet);
    sent_fini(&x.s);
}

static void who_says_nothing_though_asked_is_nobody(void)
{
    struct sender x;
    char fate;
    int err = 0, n = 0;

    begin(&x);
    send_one(&x);
    for (int i = 0; i < 2; i++) {
        x.now_us = sent_deadline_us(&x.s, &x.rtt, 25000);
        CHECK(sent_expire(&x.s, x.now_us, &x.rtt, 25000, &x.r) > 0);
    }
    while (!err && n < SENT_MAX) {
        err = sent_add(&x.s, x.now_us, 30, false, &fate);
        n += !err;
    }
    CHECK(err == -ROOST_LIMIT && n == SENT_UNHEARD_MAX);
    sent_fini(&x.s);
}

TEST_MAIN({ "in_order_nothing_is_lost", in_order_nothing_is_lost },
          { "three_later_ones_make_it_lost", three_later_ones_make_it_lost },
          { "what_is_not_under_way_is_no_loss", what_is_not_under_way_is_no_loss },
          { "time_makes_it_lost", time_makes_it_lost },
          { "a_path_that_reorders_is_waited_for", a_path_that_reorders_is_waited_for },
          { "only_what_was_all_for_nothing_is_taken_back",
            only_what_was_all_for_nothing_is_taken_back },
          { "who_guesses_is_found_out", who_guesses_is_found_out },
          { "silence_is_asked_into", silence_is_asked_into },
          { "an_outage_is_told_from_a_loss", an_outage_is_told_from_a_loss },
          { "the_rate_is_what_came_through", the_rate_is_what_came_through },
          { "what_is_kept_is_bounded", what_is_kept_is_bounded },
          { "of_words_alone_the_newest_are_remembered", of_words_alone_the_newest_are_remembered },
          { "who_says_nothing_though_asked_is_nobody", who_says_nothing_though_asked_is_nobody })
