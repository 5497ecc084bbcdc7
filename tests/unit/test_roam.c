/* test_roam.c - a session whose client moves, over paths of all kinds, in virtual time. */
#include "base/err.h"
#include "flow/alive.h"
#include "roam.h"

static void nothing_but_questions_until_it_is_proven(void)
{
    struct net n;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct path_address from = net_client(1);

    net_begin(&n, false, 0);
    net_write(&n, SERVER, 100000); /* it has much to say */
    CHECK(flow_next_to(n.end[SERVER], n.now_us, bytes, sizeof bytes, &to) == 0);
    CHECK(flow_deadline_us(n.end[SERVER], n.now_us) == INT64_MAX);
    net_write(&n, CLIENT, 1000);
    int len = flow_next_to(n.end[CLIENT], n.now_us, bytes, sizeof bytes, &to);
    CHECK(len > 1000 &&
          !flow_on_datagram_from(n.end[SERVER], n.now_us, bytes, (size_t)len, 0, &from));
    len = flow_next_to(n.end[SERVER], n.now_us, bytes, sizeof bytes, &to);
    CHECK(len == OVERHEAD + 9 && path_same(&to.at, &from));
    CHECK(flow_next_to(n.end[SERVER], n.now_us, bytes, sizeof bytes, &to) == 0);
    net_end(&n);
}

static void the_other_side_says_where_we_are(void)
{
    struct net n;
    struct flow_view v;
    struct path_address first = net_client(1);

    net_begin(&n, false, 0);
    net_first_words(&n);
    flow_look(n.end[CLIENT], &v);
    CHECK(path_same(v.observed, &first));
    CHECK(flow_is_quiet(n.end[CLIENT]) && flow_is_quiet(n.end[SERVER]));
    net_end(&n);
}

/* A translator forgets who we were, or a phone leaves the house: the server sends on after
 * one round trip from the first word from the new address. That may be data or an
 * acknowledgement of what was still on its way. */
static void who_moves_is_followed(void)
{
    for (int sender = CLIENT; sender <= SERVER; sender++) {
        struct net n;
        struct flow_view v;

        net_begin(&n, false, 0);
        net_first_words(&n);
        net_write(&n, sender, 15000000);
        net_run(&n, SECOND);
        for (uint16_t at = 2; at < 12; at++) { /* more often than there are candidates */
            uint64_t before = n.got;
            struct path_address now = net_client(at), is;
            n.port = n.reach = at;
            net_run(&n, SECOND);
            is = net_proven(&n);
            CHECK(path_same(&now, &is) && n.got > before);
        }
        net_run(&n, 20 * SECOND);
        CHECK(n.got == 15000000);
        CHECK(n.longest_us < 130 * MS); /* two round trips, and the queue */
        flow_look(n.end[SERVER], &v);
        CHECK(v.paths->proven == 11);
        net_end(&n);
    }
}

/* The client has acknowledged all that came, and has nothing to say before it wonders. */
static void until_it_only_listens(struct net *n)
{
    for (int i = 0; flow_deadline_us(n->end[CLIENT], n->now_us) < n->now_us + 100 * MS; i++) {
        CHECK(i < 1000);
        net_run(n, 300);
    }
}

/* A translator forgets who only listens, with all that was on its way. */
static void who_only_listens_is_not_forgotten(void)
{
    struct net n;

    net_begin(&n, false, 0);
    net_first_words(&n);
    net_write(&n, SERVER, 8000000);
    net_run(&n, SECOND);
    for (uint16_t at = 2; at < 6; at++) {
        until_it_only_listens(&n);
        n.port = n.reach = at;
        link_reset(&n.link[SERVER]);
        link_reset(&n.link[CLIENT]);
        net_run(&n, SECOND + 300 * MS);
        struct path_address now = net_client(at), is = net_proven(&n);
        CHECK(path_same(&now, &is));
    }
    CHECK(n.longest_us > ALIVE_SILENT_US && n.longest_us < ALIVE_SILENT_US + 120 * MS);
    net_run(&n, 20 * SECOND);
    CHECK(n.got == 8000000);
    net_end(&n);
}

/* What was measured is of the old path. */
static void all_is_measured_anew(void)
{
    struct net n;
    struct flow_view v;
    struct link_config slow = net_plain;

    net_begin(&n, false, 1472);
    net_first_words(&n);
    net_write(&n, SERVER, 3000000);
    net_run(&n, SECOND);
    flow_look(n.end[SERVER], &v);
    CHECK(v.mtu == 1472 && v.rtt->low_us < 45 * MS);
    slow.delay_us = 150000;
    slow.rate_bps = 1000000;
    link_set(&n.link[SERVER], &slow);
    n.port = n.reach = 2;
    n.carries[SERVER] = 1300;
    net_run(&n, 2 * SECOND);
    flow_look(n.end[SERVER], &v);
    CHECK(v.mtu >= 1200 && v.mtu <= 1300 && v.rtt->low_us > 165 * MS && v.paths->proven == 2);
    net_run(&n, 60 * SECOND);
    CHECK(n.got == 3000000);
    net_end(&n);
}

/* Somebody on the way copies a packet and sends it from elsewhere, first. */
static void a_copy_from_elsewhere_moves_nothing(void)
{
    struct net n;

    net_begin(&n, false, 0);
    net_first_words(&n);
    net_write(&n, CLIENT, 2000000);
    for (int i = 0; i < 50; i++) {
        n.port = (uint16_t)(1000 + i); /* packets are taken away and come from there ... */
        net_run(&n, 5 * MS);
        n.port = 1; /* ... and some come as they are */
        net_run(&n, 45 * MS);
        struct path_address first = net_client(1), now = net_proven(&n);
        CHECK(path_same(&first, &now));
    }
    net_run(&n, 3 * SECOND);
    CHECK(n.got == 2000000 && n.told[FLOW_PROVEN] == 1);
    net_end(&n);
}

static void the_way_is_kept_open(void)
{
    struct net n;
    struct flow_view v;

    net_begin(&n, false, 0);
    net_first_words(&n);
    flow_look(n.end[SERVER], &v);
    uint64_t before = v.packets_in;
    net_run(&n, 61 * SECOND);
    flow_look(n.end[SERVER], &v);
    CHECK(v.packets_in >= before + 4 && v.packets_in <= before + 12);
    CHECK(n.now_us - v.heard_us < 16 * SECOND);
    net_end(&n);
}

static void a_path_that_answers_no_more_is_asked(void)
{
    struct net n;
    struct flow_view v;

    net_begin(&n, false, 0);
    net_first_words(&n);
    link_set_down(&n.link[CLIENT], true, n.now_us);
    net_write(&n, CLIENT, 100);
    net_run(&n, 60 * SECOND);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.sent->stats.packets > 10 && v.sent->stats.packets < 100);
    link_set_down(&n.link[CLIENT], false, n.now_us);
    net_run(&n, 3 * SECOND);
    CHECK(n.got == 100);
    flow_on_change(n.end[CLIENT], n.now_us); /* at once, without silence */
    flow_look(n.end[CLIENT], &v);
    uint64_t before = v.packets_in;
    net_run(&n, 100 * MS);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.packets_in > before);
    net_end(&n);
}

static void larger_packets_are_found_and_lost_again(void)
{
    struct net n;
    struct flow_view v;

    net_begin(&n, false, 8952);
    net_first_words(&n);
    n.carries[CLIENT] = 1472;
    net_write(&n, CLIENT, 8000000);
    net_run(&n, 5 * SECOND);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.mtu == 1472);
    uint64_t lost = v.sent->stats.lost;
    net_run(&n, SECOND);
    uint64_t before = n.got;
    n.carries[CLIENT] = 1250; /* and nobody says so */
    net_run(&n, 3 * SECOND);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.mtu == 1200 && n.got > before + 500000 && v.sent->stats.lost > lost);
    net_run(&n, 20 * SECOND);
    CHECK(n.got == 8000000);
    net_end(&n);
}

/* A probe that is too large is no congestion: the rate is what it is without. */
static void probes_do_not_slow_down(void)
{
    uint64_t got[2];

    for (int i = 0; i < 2; i++) {
        struct net n;
        net_begin(&n, false, i ? 8952 : 0);
        n.carries[CLIENT] = 1300;
        net_first_words(&n);
        net_write(&n, CLIENT, 20000000);
        net_run(&n, 10 * SECOND);
        got[i] = n.got;
        net_end(&n);
    }
    CHECK(got[1] > got[0] - got[0] / 50);
}

/* A queue that marks before it drops is short, and nothing is lost. */
static void marks_are_congestion(void)
{
    static const char *const ccs[] = { "cubic", "reno", "bbr" };
    uint64_t dropped[2], longest[2], got[2];

    for (int i = 0; i < 3; i++) {
        for (int marks = 0; marks < 2; marks++) {
            struct net n;
            net_cc = ccs[i];
            net_begin(&n, true, 0);
            n.marks_above = marks ? 12000 : 0;
            net_first_words(&n);
            net_write(&n, CLIENT, 20000000);
            net_run(&n, 3 * SECOND);
            struct link_counts *counts = &n.link[CLIENT].counts;
            uint64_t before = counts->dropped, came = n.got;
            counts->queue_most_bytes = 0;
            net_run(&n, 8 * SECOND);
            dropped[marks] = counts->dropped - before;
            longest[marks] = counts->queue_most_bytes;
            got[marks] = n.got - came;
            net_end(&n);
        }
        CHECK(!dropped[1] && longest[1] < 40000 && got[1] > 8000000);
        CHECK(i == 2 || (dropped[0] && longest[0] > 48000));
        CHECK(longest[1] <= longest[0]);
    }
    net_cc = "cubic";
}

static void marks_are_used_or_not(void)
{
    static const struct {
        int becomes;
        const char *state;
    } ways[] = { { 2, "capable" }, { 0, "failed" }, { 1, "failed" }, { 3, "capable" } };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct net n;
        struct flow_view v;
        net_begin(&n, true, 0);
        n.marks = ways[i].becomes;
        net_first_words(&n);
        net_write(&n, CLIENT, 300000);
        net_run(&n, SECOND / 2);
        flow_look(n.end[CLIENT], &v);
        CHECK(!strcmp(v.ecn, ways[i].state));
        net_run(&n, 20 * SECOND);
        CHECK(n.got == 300000);
        net_end(&n);
    }
}

static void streams_leave_room_when_told(void)
{
    struct net n;

    net_begin(&n, false, 0);
    net_first_words(&n);
    flow_limit(n.end[SERVER], 2000000);
    net_run(&n, SECOND);
    net_write(&n, CLIENT, 10000000);
    net_run(&n, 4 * SECOND);
    CHECK(n.got > 700000 && n.got < 1050000); /* 2 Mbit/s */
    uint64_t before = n.got;
    flow_limit(n.end[SERVER], 0);
    net_run(&n, 4 * SECOND);
    CHECK(n.got - before > 4000000);
    net_end(&n);
}

/* Only words go back for very long: they do not pile up. */
static void who_only_listens_does_so_for_ever(void)
{
    struct net n;
    struct flow_view v;
    static uint8_t bytes[100000];

    net_begin(&n, false, 0);
    link_set(&n.link[CLIENT], &(struct link_config){ .delay_us = MS });
    link_set(&n.link[SERVER], &(struct link_config){ .delay_us = MS });
    net_first_words(&n);
    int64_t id = flow_open(n.end[CLIENT], 0);
    for (int i = 0; i < 3000; i++) {
        flow_write(n.end[CLIENT], (uint64_t)id, bytes, sizeof bytes);
        net_run(&n, 20 * MS);
    }
    flow_look(n.end[SERVER], &v);
    CHECK(n.got > 100000000 && v.sent->stats.packets > 2000);
    CHECK(v.sent->next - v.sent->first < 1000);
    net_end(&n);
}

TEST_MAIN({ "nothing_but_questions_until_it_is_proven", nothing_but_questions_until_it_is_proven },
          { "the_other_side_says_where_we_are", the_other_side_says_where_we_are },
          { "who_moves_is_followed", who_moves_is_followed },
          { "who_only_listens_is_not_forgotten", who_only_listens_is_not_forgotten },
          { "all_is_measured_anew", all_is_measured_anew },
          { "a_copy_from_elsewhere_moves_nothing", a_copy_from_elsewhere_moves_nothing },
          { "the_way_is_kept_open", the_way_is_kept_open },
          { "a_path_that_answers_no_more_is_asked", a_path_that_answers_no_more_is_asked },
          { "larger_packets_are_found_and_lost_again", larger_packets_are_found_and_lost_again },
          { "probes_do_not_slow_down", probes_do_not_slow_down },
          { "marks_are_used_or_not", marks_are_used_or_not },
          { "marks_are_congestion", marks_are_congestion },
          { "streams_leave_room_when_told", streams_leave_room_when_told },
          { "who_only_listens_does_so_for_ever", who_only_listens_does_so_for_ever })
