/* test_path.c - addresses and their proof, sizes, marks, silence: each rule by itself. */
#include <string.h>

#include "flow/alive.h"
#include "flow/ecn.h"
#include "flow/path.h"
#include "flow/pmtu.h"
#include "lab/dice.h"
#include "test.h"

#define MS     1000LL
#define SECOND 1000000LL
enum { OVERHEAD = 25, FRAME = 1 + PATH_BYTES };

/* --- addresses --- */

static const uint8_t random_1[PATH_BYTES] = "random1", random_2[PATH_BYTES] = "random2";
static const uint8_t asked[PATH_BYTES] = "client?";

static struct path_address at(uint16_t port)
{
    return (struct path_address){ .ip = { 10, 0, 0, 1 }, .len = 4, .port = port };
}

static bool proves(struct paths *p, uint16_t port, int64_t now_us)
{
    struct path_address from = at(port);
    struct path_words w;
    int64_t took_us;

    paths_on_packet(p, &from, 100, true, random_1, now_us);
    return paths_next(p, OVERHEAD, now_us, &w) && path_same(w.to, &from) && w.challenge &&
           paths_on_back(p, &from, random_1, now_us + 20 * MS, &took_us) && took_us == 20 * MS;
}

static void the_first_address_is_proven_too(void)
{
    struct paths p;
    struct path_words w;
    struct path_address a = at(1), b = at(2);
    int64_t took_us;

    paths_init(&p, 0);
    paths_on_packet(&p, &a, 34, true, random_1, 0);
    CHECK(!p.now.len && !paths_on_path(&p, &a, asked));
    CHECK(paths_next(&p, OVERHEAD, 0, &w) && path_same(w.to, &a));
    CHECK(!memcmp(w.challenge, random_1, 8) && !memcmp(w.back, asked, 8));
    CHECK(!paths_on_back(&p, &a, random_2, 10, &took_us)); /* not what was asked */
    CHECK(!paths_on_back(&p, &b, random_1, 10, &took_us)); /* not from there */
    CHECK(paths_on_back(&p, &a, random_1, 10, &took_us) && took_us == 10);
    CHECK(path_same(&p.now, &a) && p.n_tried == 0);
    CHECK(paths_on_path(&p, &a, asked)); /* from now on as anything else */
}

static void an_answer_before_the_question_proves_nothing(void)
{
    struct paths p;
    struct path_address a = at(1);
    int64_t took_us;

    paths_init(&p, 0);
    paths_on_packet(&p, &a, 34, true, random_1, 0);
    CHECK(!paths_on_back(&p, &a, random_1, 10, &took_us));
}

/* However little comes, three times of it is not passed, whoever asks how often. */
static void three_times_what_came_and_no_more(void)
{
    struct paths p;
    struct path_words w;
    struct path_address a = at(1);

    for (size_t len = 26; len < 40; len++) {
        uint64_t received = 0, sent = 0;
        paths_init(&p, 0);
        for (int64_t now_us = 0; now_us < 4 * SECOND; now_us += 10 * MS) {
            if (now_us % SECOND == 0) {
                paths_on_packet(&p, &a, len, true, random_1, now_us);
                received += len;
            }
            paths_on_path(&p, &a, asked);
            while (paths_next(&p, OVERHEAD, now_us, &w))
                sent += OVERHEAD + (w.challenge ? FRAME : 0) + (w.back ? FRAME : 0);
            CHECK(sent <= 3 * received);
        }
        CHECK(sent > 0);
    }
}

static void three_challenges_a_second(void)
{
    struct paths p;
    struct path_words w;
    int64_t times[100];
    int n = 0;

    paths_init(&p, 0);
    for (int64_t now_us = 0; now_us < 20 * SECOND; now_us += 5 * MS) {
        struct path_address from = at((uint16_t)(1 + now_us / MS / 5)); /* another each time */
        paths_on_packet(&p, &from, 10000, true, random_1, now_us);
        while (paths_next(&p, OVERHEAD, now_us, &w))
            if (w.challenge)
                times[n++] = now_us;
        CHECK(n < 100 && p.n_tried <= PATHS_CANDIDATES_MAX);
    }
    for (int i = 3; i < n; i++)
        CHECK(times[i] - times[i - 3] >= SECOND);
    CHECK(n >= 40 && p.refused > 1000);
}

static void only_the_newest_packet_makes_a_candidate(void)
{
    struct paths p;
    struct path_address b = at(2), a = at(1);

    paths_init(&p, 0);
    CHECK(proves(&p, 1, 0));
    paths_on_packet(&p, &b, 1000, false, random_2, SECOND); /* late, from where it was */
    CHECK(p.n_tried == 0);
    paths_on_packet(&p, &b, 1000, true, random_2, SECOND);
    CHECK(p.n_tried == 1 && path_same(&p.now, &a)); /* meanwhile all goes to the old one */
    paths_on_packet(&p, &b, 1000, false, random_2, SECOND);
    CHECK(p.tried[0].received == 2000);
    paths_on_packet(&p, &a, 1000, false, random_2, SECOND);
    CHECK(p.n_tried == 1);
    paths_on_packet(&p, &a, 1000, true, random_2, SECOND); /* it is where it was after all */
    CHECK(p.n_tried == 0);
    CHECK(proves(&p, 2, 2 * SECOND) && p.proven == 2);
}

static void candidates_are_three(void)
{
    struct paths p;
    struct path_address from;
    struct path_words w;

    paths_init(&p, 0);
    for (uint16_t i = 1; i <= 5; i++) {
        from = at(i);
        paths_on_packet(&p, &from, 1000, true, random_1, 0);
    }
    CHECK(p.n_tried == 3 && p.refused == 2);
    from = at(9);
    paths_on_packet(&p, &from, 1000, true, random_1, PATHS_TRIED_US);
    CHECK(p.n_tried == 3 && path_same(&p.tried[2].at, &from)); /* the oldest made room */
    CHECK(paths_next(&p, OVERHEAD, PATHS_TRIED_US, &w) && path_same(w.to, &from));
    CHECK(paths_deadline_us(&p, OVERHEAD, PATHS_TRIED_US) >= PATHS_TRIED_US);
    while (paths_next(&p, OVERHEAD, PATHS_TRIED_US, &w))
        ;
    CHECK(paths_deadline_us(&p, OVERHEAD, PATHS_TRIED_US) == PATHS_TRIED_US + SECOND);
    CHECK(!paths_next(&p, OVERHEAD, PATHS_TRIED_US + PATHS_PATIENCE_US, &w) && !p.n_tried);
    CHECK(paths_deadline_us(&p, OVERHEAD, 0) == INT64_MAX);
}

/* Whatever comes from wherever: no address is given more than three times what it gave. */
static void chance_finds_no_way_around_it(void)
{
    enum { ADDRESSES = 12 };

    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct dice dice = { seed };
        uint64_t received[ADDRESSES] = { 0 }, sent[ADDRESSES] = { 0 };
        int64_t asked_us[PATHS_A_SECOND] = { -SECOND, -SECOND, -SECOND }, took_us;
        struct path_words w;
        struct paths p;
        int n = 0;

        paths_init(&p, 0);
        for (int64_t now_us = 0; now_us < 30 * SECOND;
             now_us += (int64_t)dice_below(&dice, 90000)) {
            uint16_t who = (uint16_t)dice_below(&dice, ADDRESSES);
            struct path_address from = at(who);
            size_t len = 26 + (size_t)dice_below(&dice, 30);
            paths_on_packet(&p, &from, len, dice_below(&dice, 4) > 0, random_1, now_us);
            received[who] += len;
            if (dice_below(&dice, 2))
                paths_on_path(&p, &from, asked);
            while (paths_next(&p, OVERHEAD, now_us, &w)) {
                uint16_t to = w.to->port;
                sent[to] += OVERHEAD + (w.challenge ? FRAME : 0) + (w.back ? FRAME : 0);
                CHECK(sent[to] <= 3 * received[to] && !(p.now.len && path_same(w.to, &p.now)));
                if (!w.challenge)
                    continue;
                CHECK(now_us - asked_us[n % PATHS_A_SECOND] >= SECOND);
                asked_us[n++ % PATHS_A_SECOND] = now_us;
            }
            if (dice_below(&dice, 40) == 0) /* it answers, if it was asked */
                paths_on_back(&p, &from, random_1, now_us, &took_us);
            CHECK(p.n_tried <= PATHS_CANDIDATES_MAX);
            CHECK(paths_deadline_us(&p, OVERHEAD, now_us) >= now_us);
        }
    }
}

/* --- sizes --- */

/* A path that carries so much: what is found, and with how many probes. */
static uint32_t search(struct pmtu *p, uint32_t carries, int *ret_probes, int64_t now_us)
{
    uint32_t size;
    uint64_t number = 0;
    int64_t end_us = now_us + 300 * SECOND;

    for (*ret_probes = 0; now_us < end_us; now_us += 10 * MS) {
        if (!(size = pmtu_next(p, now_us)) && p->next_us > now_us + 5 * SECOND)
            break; /* it rests */
        if (!size)
            continue;
        ++*ret_probes;
        pmtu_on_probe(p, size, now_us, 100 * MS);
        if (size <= carries)
            CHECK(pmtu_on_acked(p, number, size) && p->now == size);
        else if (number % 2) /* else only time tells */
            CHECK(!pmtu_on_lost(p, number, size, now_us, now_us, 100 * MS));
        number++;
    }
    return p->now;
}

static void the_size_is_found(void)
{
    struct pmtu p;
    int probes;

    for (uint32_t carries = 1200; carries <= 9000; carries += 13) {
        pmtu_init(&p, 1200, 8952, 0);
        uint32_t found = search(&p, carries, &probes, 0);
        CHECK(found <= carries && (found + PMTU_GRAIN > carries || found == 8952));
        CHECK(probes <= 3 * 12);
    }
    pmtu_init(&p, 1200, 1472, 0);
    CHECK(search(&p, 1472, &probes, 0) == 1472 && probes == 3);
    pmtu_init(&p, 1200, 0, 0);
    CHECK(search(&p, 9000, &probes, 0) == 1200 && probes == 0);
}

static void a_lost_probe_is_not_the_end(void)
{
    struct pmtu p;

    pmtu_init(&p, 1200, 1400, 0);
    for (int i = 0; i < 2; i++) {
        CHECK(pmtu_next(&p, 0) == 1372);
        pmtu_on_probe(&p, 1372, 0, MS);
        CHECK(!pmtu_next(&p, 0)); /* one at a time */
        CHECK(!pmtu_on_lost(&p, 5, 1372, 0, 0, 0));
    }
    CHECK(pmtu_next(&p, 0) == 1372);
    pmtu_on_probe(&p, 1372, 0, MS);
    CHECK(pmtu_on_acked(&p, 9, 1372) && p.now == 1372 && p.tries == 0);
}

static void more_is_tried_after_a_while(void)
{
    struct pmtu p;
    int probes;

    pmtu_init(&p, 1200, 1472, 0);
    CHECK(search(&p, 1460, &probes, 0) == 1452);
    CHECK(!pmtu_next(&p, 400 * SECOND));
    CHECK(search(&p, 1472, &probes, 901 * SECOND) == 1472);
}

/* Less than nearly every path carries may be bad luck: it is tried again after 10 s, 20, 40, ... */
static void little_is_tried_again_soon(void)
{
    struct pmtu p;
    int64_t now_us = 0, last_us = 0;
    int searches = 0, probes = 0;

    pmtu_init(&p, 1200, 1472, 0);
    for (; now_us < 3600 * SECOND; now_us += 100 * MS) {
        uint32_t size = pmtu_next(&p, now_us);
        if (!size)
            continue;
        if (now_us - last_us >= PMTU_SOON_US)
            searches++;
        CHECK(searches != 1 || probes || now_us - last_us < 12 * SECOND);
        probes += searches == 1;
        last_us = now_us;
        pmtu_on_probe(&p, size, now_us, 100 * MS);
        CHECK(!pmtu_on_lost(&p, 1, size, now_us, now_us + 50 * MS, 100 * MS));
    }
    CHECK(searches >= 9 && searches <= 13); /* 10 + 20 + ... + 320, then each 600 s */
    /* and one that it carries is found then */
    pmtu_init(&p, 1200, 1472, 0);
    CHECK(search(&p, 1210, &probes, 0) < 1230);
    CHECK(search(&p, 1472, &probes, 320 * SECOND) == 1472);
}

/* A full queue loses probes like everything else. */
static void lost_in_company_is_no_answer(void)
{
    struct pmtu p;

    pmtu_init(&p, 1200, 1472, 0);
    int64_t now_us = SECOND;
    for (int i = 0; i < PMTU_EXCUSES; i++, now_us += SECOND) {
        CHECK(pmtu_next(&p, now_us) == 1372);
        pmtu_on_probe(&p, 1372, now_us, 100 * MS);
        /* what was sent before it, or after it, whichever is found first */
        if (i % 2)
            CHECK(!pmtu_on_lost(&p, 1, 1200, now_us - 50 * MS, now_us + 90 * MS, 100 * MS));
        CHECK(!pmtu_on_lost(&p, 2, 1372, now_us, now_us + 100 * MS, 100 * MS));
        CHECK(!pmtu_next(&p, now_us + 150 * MS)); /* not judged yet */
        if (i % 2 == 0)
            CHECK(!pmtu_on_lost(&p, 3, 1200, now_us + 50 * MS, now_us + 160 * MS, 100 * MS));
    }
    CHECK(p.high == 1472);
    /* what is lost long before or after is another matter, and excuses come to an end */
    for (int i = 0; i < PMTU_TRIES; i++, now_us += SECOND) {
        CHECK(pmtu_next(&p, now_us) == 1372);
        pmtu_on_probe(&p, 1372, now_us, 100 * MS);
        CHECK(!pmtu_on_lost(&p, 1, 1200, now_us + (i ? 50 : 400) * MS, now_us, 100 * MS));
        CHECK(!pmtu_on_lost(&p, 2, 1372, now_us, now_us + 100 * MS, 100 * MS));
    }
    CHECK(pmtu_next(&p, now_us) < 1372 && p.high == 1371);
}

static void a_black_hole_is_noticed(void)
{
    struct pmtu p;
    int probes;

    pmtu_init(&p, 1200, 1472, 0);
    CHECK(search(&p, 1472, &probes, 0) == 1472);
    CHECK(!pmtu_on_acked(&p, 100, 1472));
    for (uint64_t n = 0; n < 50; n++) /* lost, but later ones of the size came */
        CHECK(!pmtu_on_lost(&p, n, 1472, SECOND, SECOND, 100 * MS));
    for (uint64_t n = 101; n < 200; n++) /* small ones say nothing */
        CHECK(!pmtu_on_lost(&p, n, 300, SECOND, SECOND, 100 * MS));
    for (uint64_t n = 200; n < 200 + PMTU_BLACK - 1; n++)
        CHECK(!pmtu_on_lost(&p, n, 1472, SECOND, SECOND, 100 * MS));
    CHECK(!pmtu_on_lost(&p, 209, 1472, SECOND + 49 * MS, SECOND, 100 * MS)); /* a full queue */
    CHECK(pmtu_on_lost(&p, 210, 1472, SECOND + 50 * MS, SECOND, 100 * MS) && p.now == 1200 &&
          p.holes == 1);
    CHECK(!pmtu_next(&p, 2 * SECOND) && pmtu_next(&p, SECOND + PMTU_REST_US) == 1372);
}

/* --- marks --- */

static struct ack told(uint64_t ect0, uint64_t ce)
{
    return (struct ack){ .ecn = true, .ect0 = ect0, .ce = ce };
}

static void send_marked(struct ecn *e, int n)
{
    for (; n; n--) {
        CHECK(ecn_marks(e));
        ecn_on_sent(e);
    }
}

static void settle_marked(struct ecn *e, int n)
{
    while (n--)
        ecn_on_acked(e);
}

static void marks_that_arrive_are_used(void)
{
    struct ecn e;
    struct ack a = told(10, 0);

    ecn_init(&e, true);
    send_marked(&e, ECN_TEST_PACKETS);
    CHECK(!ecn_marks(&e)); /* until it is known */
    settle_marked(&e, 10);
    CHECK(!ecn_on_ack(&e, &a) && e.state == ECN_CAPABLE);
    send_marked(&e, 5);
    settle_marked(&e, 5);
    a = told(13, 2);
    CHECK(ecn_on_ack(&e, &a));  /* congestion */
    CHECK(!ecn_on_ack(&e, &a)); /* once */
    ecn_on_path(&e);
    CHECK(e.state == ECN_TESTING);
    send_marked(&e, 4);
    settle_marked(&e, 4);
    a = told(16, 3);
    CHECK(ecn_on_ack(&e, &a) && e.state == ECN_CAPABLE);
}

static void counts_that_do_not_fit_end_it(void)
{
    static const struct {
        int sent, acked;
        struct ack a;
    } wrong[] = {
        { 10, 10, { .ecn = false } },            /* bleached */
        { 10, 10, { .ecn = true, .ect0 = 9 } },  /* some were */
        { 10, 10, { .ecn = true, .ect0 = 11 } }, /* more than were sent */
        { 10, 10, { .ecn = true, .ect1 = 10 } }, /* another mark */
        { 10, 10, { .ecn = true, .ect0 = 10, .ect1 = 1 } },
        { 10, 5, { .ecn = true, .ce = 11 } },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ecn e;
        ecn_init(&e, true);
        send_marked(&e, wrong[i].sent);
        settle_marked(&e, wrong[i].acked);
        CHECK(!ecn_on_ack(&e, &wrong[i].a) && e.state == ECN_FAILED && !ecn_marks(&e));
    }
}

static void marked_ones_that_are_dropped_end_it(void)
{
    struct ecn e;

    ecn_init(&e, true);
    send_marked(&e, 10);
    for (int i = 0; i < 9; i++)
        ecn_on_lost(&e);
    CHECK(e.state == ECN_TESTING);
    ecn_on_lost(&e);
    CHECK(e.state == ECN_FAILED);
    ecn_init(&e, false);
    CHECK(!ecn_marks(&e));
    ecn_on_path(&e);
    CHECK(!ecn_marks(&e));
}

/* --- silence --- */

static void silence_is_asked_into_when_something_is_awaited(void)
{
    struct alive a;
    int64_t times[200], now_us = 0;
    int n = 0;

    alive_init(&a, 0);
    CHECK(alive_deadline_us(&a, 0) == ALIVE_PING_US); /* nothing is awaited */
    alive_on_awaited(&a, true, SECOND);
    CHECK(alive_deadline_us(&a, 0) == SECOND + ALIVE_SILENT_US);
    CHECK(alive_deadline_us(&a, SECOND) == 2 * SECOND); /* a long path */
    alive_on_heard(&a, SECOND + 100 * MS);
    CHECK(alive_deadline_us(&a, 0) == SECOND + 100 * MS + ALIVE_SILENT_US);
    for (now_us = 2 * SECOND; n < 100; now_us += MS)
        if (alive_expire(&a, now_us, 0) == ALIVE_ASK)
            times[n++] = now_us;
    CHECK(times[3] - times[0] == 3 * ALIVE_SILENT_US); /* at an even pace */
    for (int i = 3; i < n; i++)
        CHECK(times[i] - times[i - 3] >= 9 * ALIVE_SILENT_US / 10 * 3);
    CHECK(times[99] - times[98] == ALIVE_SLOW_US); /* then more slowly */
    alive_on_awaited(&a, false, now_us);
    CHECK(alive_expire(&a, now_us + SECOND, 0) == ALIVE_NOTHING);
}

/* Who only listens awaits nothing, and yet would miss what does not come any more. */
static void what_stops_coming_is_asked_for(void)
{
    struct alive a;
    int n = 0;

    alive_init(&a, 0);
    for (int64_t now_us = 0; now_us < SECOND; now_us += 20 * MS) {
        alive_on_heard(&a, now_us);
        alive_on_data(&a);
        CHECK(alive_expire(&a, now_us, 0) == ALIVE_NOTHING);
    }
    CHECK(alive_deadline_us(&a, 0) == 980 * MS + ALIVE_SILENT_US);
    CHECK(alive_expire(&a, 1280 * MS, 0) == ALIVE_ASK);
    alive_on_heard(&a, 1300 * MS); /* it was over, that is all */
    CHECK(alive_deadline_us(&a, 0) == 1280 * MS + 20 * MS + ALIVE_PING_US);
    alive_on_data(&a);
    for (int64_t now_us = 2 * SECOND; now_us < 60 * SECOND; now_us += 10 * MS)
        n += alive_expire(&a, now_us, 0) == ALIVE_ASK;
    CHECK(n == 10); /* nobody is there: not for ever */
}

static void the_way_is_kept_open(void)
{
    struct alive a;

    alive_init(&a, 0);
    CHECK(alive_expire(&a, ALIVE_PING_US - 1, 0) == ALIVE_NOTHING);
    CHECK(alive_expire(&a, ALIVE_PING_US, 0) == ALIVE_PING);
    CHECK(alive_expire(&a, ALIVE_PING_US + 1, 0) == ALIVE_NOTHING);
    CHECK(alive_expire(&a, 2 * ALIVE_PING_US, 0) == ALIVE_PING);
    alive_on_change(&a);
    CHECK(alive_deadline_us(&a, 0) < 0);
    CHECK(alive_expire(&a, 2 * ALIVE_PING_US + 1, 0) == ALIVE_ASK);
    CHECK(alive_expire(&a, 2 * ALIVE_PING_US + 2, 0) == ALIVE_NOTHING);
}

TEST_MAIN({ "the_first_address_is_proven_too", the_first_address_is_proven_too },
          { "an_answer_before_the_question_proves_nothing",
            an_answer_before_the_question_proves_nothing },
          { "three_times_what_came_and_no_more", three_times_what_came_and_no_more },
          { "three_challenges_a_second", three_challenges_a_second },
          { "only_the_newest_packet_makes_a_candidate", only_the_newest_packet_makes_a_candidate },
          { "candidates_are_three", candidates_are_three },
          { "chance_finds_no_way_around_it", chance_finds_no_way_around_it },
          { "the_size_is_found", the_size_is_found },
          { "a_lost_probe_is_not_the_end", a_lost_probe_is_not_the_end },
          { "more_is_tried_after_a_while", more_is_tried_after_a_while },
          { "little_is_tried_again_soon", little_is_tried_again_soon },
          { "lost_in_company_is_no_answer", lost_in_company_is_no_answer },
          { "a_black_hole_is_noticed", a_black_hole_is_noticed },
          { "marks_that_arrive_are_used", marks_that_arrive_are_used },
          { "counts_that_do_not_fit_end_it", counts_that_do_not_fit_end_it },
          { "marked_ones_that_are_dropped_end_it", marked_ones_that_are_dropped_end_it },
          { "silence_is_asked_into_when_something_is_awaited",
            silence_is_asked_into_when_something_is_awaited },
          { "what_stops_coming_is_asked_for", what_stops_coming_is_asked_for },
          { "the_way_is_kept_open", the_way_is_kept_open })
