/* test_roam.c - a session whose client moves, over paths of all kinds, in virtual time; and
 * the other side as an enemy. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/alive.h"
#include "flow/flow.h"
#include "lab/link.h"
#include "seal/session.h"
#include "test.h"

enum { CLIENT, SERVER, OVERHEAD = PACKET_HEAD + PACKET_TAG };
#define MS     1000LL
#define SECOND 1000000LL

struct net {
    struct flow *end[2];
    struct link link[2]; /* from that end */
    int64_t now_us;
    uint16_t port;       /* of the client, as the server sees it */
    uint16_t reach;      /* datagrams to another do not arrive */
    uint32_t carries[2]; /* larger ones vanish; 0: all arrive */
    int marks;           /* what becomes of ECT(0) on the way to the server */
    uint64_t got, told[10], to_unproven, from_unproven;
    uint64_t code;
    int64_t got_us, longest_us; /* when the last byte came; the longest silence between two */
};

static const uint8_t secret[32] = { 7 };
static const struct link_config plain = { .rate_bps = 10000000,
                                          .delay_us = 20000,
                                          .queue_bytes = 50000 };

static void net_begin(struct net *n, bool ecn, uint32_t mtu_most)
{
    static const uint8_t seeds[2][32] = { { 1 }, { 2 } };

    *n = (struct net){ .now_us = SECOND, .port = 1, .reach = 1, .marks = 2 };
    for (int i = 0; i < 2; i++) {
        struct flow_settings s = { .client = i == CLIENT,
                                   .session = 9,
                                   .secret = secret,
                                   .seed = seeds[i],
                                   .cc = cc_find("cubic"),
                                   .ecn = ecn,
                                   .mtu_most = mtu_most,
                                   .keeps = i == CLIENT,
                                   .proves = i == SERVER };
        CHECK(flow_new(&n->end[i], &s, n->now_us) == 0);
        link_init(&n->link[i], LINK_DATAGRAMS, &plain, 5 + (uint64_t)i);
    }
}

static void net_end(struct net *n)
{
    for (int i = 0; i < 2; i++) {
        flow_free(n->end[i]);
        link_fini(&n->link[i]);
    }
}

static struct path_address client_at(uint16_t port)
{
    return (struct path_address){ .ip = { 192, 0, 2, 1 }, .len = 4, .port = port };
}

static struct path_address proven(const struct net *n)
{
    struct flow_view v;

    flow_look(n->end[SERVER], &v);
    return v.paths->now;
}

/* The address it came from goes before each datagram, and its mark. */
static void push(struct net *n, int from, const uint8_t *bytes, size_t len,
                 const struct flow_to *to)
{
    uint8_t tagged[PACKET_MTU_MAX + 3];
    struct path_address reach = client_at(n->reach);

    if ((n->carries[from] && len > n->carries[from]) ||
        (from == SERVER && !path_same(&to->at, &reach)))
        return;
    tagged[0] = (uint8_t)(n->port >> 8);
    tagged[1] = (uint8_t)n->port;
    tagged[2] = to->ect ? (uint8_t)n->marks : 0;
    memcpy(tagged + 3, bytes, len);
    struct blob *b = blob_copy(tagged, len + 3);
    CHECK(b && link_push(&n->link[from], n->now_us, b) == 0);
    blob_unref(b);
}

static void hear(struct net *n, int i)
{
    struct flow_event e;
    size_t len;
    bool over;

    while (flow_event(n->end[i], &e)) {
        n->told[e.what]++;
        n->code = e.what == FLOW_CLOSED || e.what == FLOW_BACK ? e.code : n->code;
        if (e.what != FLOW_READABLE)
            continue;
        while (flow_read(n->end[i], e.stream, &len, &over) && len) {
            if (n->got && n->now_us - n->got_us > n->longest_us)
                n->longest_us = n->now_us - n->got_us;
            n->got_us = n->now_us;
            n->got += len;
            flow_take(n->end[i], e.stream, len, n->now_us);
        }
    }
}

static void deliver(struct net *n, int i, struct blob *b)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct path_address from = client_at((uint16_t)(b->bytes[0] << 8 | b->bytes[1]));
    struct path_address before = proven(n);

    memcpy(bytes, b->bytes + 3, b->len - 3);
    if (i == SERVER && !path_same(&from, &before))
        n->from_unproven += b->len - 3;
    flow_on_datagram_from(n->end[i], n->now_us, bytes, b->len - 3, b->bytes[2],
                          i == SERVER ? &from : NULL);
    blob_unref(b);
}

static void carry(struct net *n, int i)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    int len;

    for (struct blob *b; (b = link_next(&n->link[!i], n->now_us));)
        deliver(n, i, b);
    flow_expire(n->end[i], n->now_us);
    hear(n, i);
    while ((len = flow_next_to(n->end[i], n->now_us, bytes, sizeof bytes, &to)) > 0) {
        struct path_address now = proven(n);
        if (i == SERVER && !path_same(&to.at, &now))
            n->to_unproven += (uint64_t)len;
        push(n, i, bytes, (size_t)len, &to);
    }
}

static void run(struct net *n, int64_t for_us)
{
    int64_t end_us = n->now_us + for_us;

    for (int idle = 0;;) {
        int64_t before = n->now_us, at = INT64_MAX;
        carry(n, CLIENT);
        carry(n, SERVER);
        CHECK(n->to_unproven <= 3 * n->from_unproven);
        for (int i = 0; i < 2; i++) {
            int64_t a = flow_deadline_us(n->end[i], n->now_us);
            int64_t b = link_deadline_us(&n->link[i]);
            at = a < at ? a : at;
            at = b < at ? b : at;
        }
        if (at > end_us)
            break;
        n->now_us = at > n->now_us ? at : n->now_us;
        idle = n->now_us == before ? idle + 1 : 0;
        CHECK(idle < 100 && "time stands still");
    }
    n->now_us = end_us;
}

/* --- the path --- */

static void write_much(struct net *n, int i, size_t len)
{
    uint8_t *bytes = calloc(1, len);
    int64_t id = flow_open(n->end[i], 0);

    CHECK(bytes && id >= 0 && flow_write(n->end[i], (uint64_t)id, bytes, len) == (int64_t)len);
    free(bytes);
}

static void nothing_but_questions_until_it_is_proven(void)
{
    struct net n;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct path_address from = client_at(1);

    net_begin(&n, false, 0);
    write_much(&n, SERVER, 100000); /* it has much to say */
    CHECK(flow_next_to(n.end[SERVER], n.now_us, bytes, sizeof bytes, &to) == 0);
    CHECK(flow_deadline_us(n.end[SERVER], n.now_us) == INT64_MAX);
    write_much(&n, CLIENT, 1000);
    int len = flow_next_to(n.end[CLIENT], n.now_us, bytes, sizeof bytes, &to);
    CHECK(len > 1000 &&
          !flow_on_datagram_from(n.end[SERVER], n.now_us, bytes, (size_t)len, 0, &from));
    len = flow_next_to(n.end[SERVER], n.now_us, bytes, sizeof bytes, &to);
    CHECK(len == OVERHEAD + 9 && path_same(&to.at, &from));
    CHECK(flow_next_to(n.end[SERVER], n.now_us, bytes, sizeof bytes, &to) == 0);
    net_end(&n);
}

static void first_words(struct net *n)
{
    CHECK(flow_ask(n->end[CLIENT], 77) == 0);
    run(n, SECOND);
    struct path_address first = client_at(1), now = proven(n);
    CHECK(path_same(&first, &now) && n->told[FLOW_PROVEN] == 1 && n->told[FLOW_SEEN_AT] == 1);
    CHECK(n->told[FLOW_BACK] == 1 && n->code == 77);
}

static void the_other_side_says_where_we_are(void)
{
    struct net n;
    struct flow_view v;
    struct path_address first = client_at(1);

    net_begin(&n, false, 0);
    first_words(&n);
    flow_look(n.end[CLIENT], &v);
    CHECK(path_same(v.observed, &first));
    CHECK(flow_is_quiet(n.end[CLIENT]) && flow_is_quiet(n.end[SERVER]));
    net_end(&n);
}

/* A translator forgets who we were, or a phone leaves the house: the server sends on after
 * one round trip from the first word from the new address. Here it is the one that sends, so
 * it is the client's question after 300 ms of silence that moves it. */
static void who_moves_is_followed(void)
{
    for (int sender = CLIENT; sender <= SERVER; sender++) {
        struct net n;
        struct flow_view v;

        net_begin(&n, false, 0);
        first_words(&n);
        write_much(&n, sender, 15000000);
        run(&n, SECOND);
        for (uint16_t at = 2; at < 12; at++) { /* more often than there are candidates */
            uint64_t before = n.got;
            struct path_address now = client_at(at), is;
            n.port = n.reach = at;
            run(&n, SECOND);
            is = proven(&n);
            CHECK(path_same(&now, &is) && n.got > before);
        }
        run(&n, 20 * SECOND);
        CHECK(n.got == 15000000);
        CHECK(n.longest_us < 600 * MS); /* of an idle interface there is no word */
        flow_look(n.end[SERVER], &v);
        CHECK(v.paths->proven == 11);
        net_end(&n);
    }
}

/* A translator forgets who only listens, with all that was on its way. */
static void who_only_listens_is_not_forgotten(void)
{
    struct net n;

    net_begin(&n, false, 0);
    first_words(&n);
    write_much(&n, SERVER, 8000000);
    run(&n, SECOND);
    for (uint16_t at = 2; at < 6; at++) {
        n.port = n.reach = at;
        link_reset(&n.link[SERVER]);
        link_reset(&n.link[CLIENT]);
        run(&n, SECOND + 300 * MS);
        struct path_address now = client_at(at), is = proven(&n);
        CHECK(path_same(&now, &is));
    }
    CHECK(n.longest_us > ALIVE_SILENT_US && n.longest_us < 800 * MS);
    run(&n, 20 * SECOND);
    CHECK(n.got == 8000000);
    net_end(&n);
}

/* What was measured is of the old path. */
static void all_is_measured_anew(void)
{
    struct net n;
    struct flow_view v;
    struct link_config slow = plain;

    net_begin(&n, false, 1472);
    first_words(&n);
    write_much(&n, SERVER, 3000000);
    run(&n, SECOND);
    flow_look(n.end[SERVER], &v);
    CHECK(v.mtu == 1472 && v.rtt->low_us < 45 * MS);
    slow.delay_us = 150000;
    slow.rate_bps = 1000000;
    link_set(&n.link[SERVER], &slow);
    n.port = n.reach = 2;
    n.carries[SERVER] = 1300;
    run(&n, 2 * SECOND);
    flow_look(n.end[SERVER], &v);
    CHECK(v.mtu >= 1200 && v.mtu <= 1300 && v.rtt->low_us > 165 * MS && v.paths->proven == 2);
    run(&n, 60 * SECOND);
    CHECK(n.got == 3000000);
    net_end(&n);
}

/* Somebody on the way copies a packet and sends it from elsewhere, first. */
static void a_copy_from_elsewhere_moves_nothing(void)
{
    struct net n;

    net_begin(&n, false, 0);
    first_words(&n);
    write_much(&n, CLIENT, 2000000);
    for (int i = 0; i < 50; i++) {
        n.port = (uint16_t)(1000 + i); /* packets are taken away and come from there ... */
        run(&n, 5 * MS);
        n.port = 1; /* ... and some come as they are */
        run(&n, 45 * MS);
        struct path_address first = client_at(1), now = proven(&n);
        CHECK(path_same(&first, &now));
    }
    run(&n, 3 * SECOND);
    CHECK(n.got == 2000000 && n.told[FLOW_PROVEN] == 1);
    net_end(&n);
}

static void the_way_is_kept_open(void)
{
    struct net n;
    struct flow_view v;

    net_begin(&n, false, 0);
    first_words(&n);
    flow_look(n.end[SERVER], &v);
    uint64_t before = v.packets_in;
    run(&n, 61 * SECOND);
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
    first_words(&n);
    link_set_down(&n.link[CLIENT], true, n.now_us);
    write_much(&n, CLIENT, 100);
    run(&n, 60 * SECOND);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.sent->stats.packets > 10 && v.sent->stats.packets < 100);
    link_set_down(&n.link[CLIENT], false, n.now_us);
    run(&n, 3 * SECOND);
    CHECK(n.got == 100);
    flow_on_change(n.end[CLIENT], n.now_us); /* at once, without silence */
    flow_look(n.end[CLIENT], &v);
    uint64_t before = v.packets_in;
    run(&n, 100 * MS);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.packets_in > before);
    net_end(&n);
}

static void larger_packets_are_found_and_lost_again(void)
{
    struct net n;
    struct flow_view v;

    net_begin(&n, false, 8952);
    first_words(&n);
    n.carries[CLIENT] = 1472;
    write_much(&n, CLIENT, 8000000);
    run(&n, 5 * SECOND);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.mtu == 1472);
    uint64_t lost = v.sent->stats.lost;
    run(&n, SECOND);
    uint64_t before = n.got;
    n.carries[CLIENT] = 1250; /* and nobody says so */
    run(&n, 3 * SECOND);
    flow_look(n.end[CLIENT], &v);
    CHECK(v.mtu == 1200 && n.got > before + 500000 && v.sent->stats.lost > lost);
    run(&n, 20 * SECOND);
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
        first_words(&n);
        write_much(&n, CLIENT, 20000000);
        run(&n, 10 * SECOND);
        got[i] = n.got;
        net_end(&n);
    }
    CHECK(got[1] > got[0] - got[0] / 50);
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
        first_words(&n);
        write_much(&n, CLIENT, 300000);
        run(&n, SECOND / 2);
        flow_look(n.end[CLIENT], &v);
        CHECK(!strcmp(v.ecn, ways[i].state));
        run(&n, 20 * SECOND);
        CHECK(n.got == 300000);
        net_end(&n);
    }
}

static void streams_leave_room_when_told(void)
{
    struct net n;

    net_begin(&n, false, 0);
    first_words(&n);
    flow_limit(n.end[SERVER], 2000000);
    run(&n, SECOND);
    write_much(&n, CLIENT, 10000000);
    run(&n, 4 * SECOND);
    CHECK(n.got > 700000 && n.got < 1050000); /* 2 Mbit/s */
    uint64_t before = n.got;
    flow_limit(n.end[SERVER], 0);
    run(&n, 4 * SECOND);
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
    first_words(&n);
    int64_t id = flow_open(n.end[CLIENT], 0);
    for (int i = 0; i < 3000; i++) {
        flow_write(n.end[CLIENT], (uint64_t)id, bytes, sizeof bytes);
        run(&n, 20 * MS);
    }
    flow_look(n.end[SERVER], &v);
    CHECK(n.got > 100000000 && v.sent->stats.packets > 2000);
    CHECK(v.sent->next - v.sent->first < 1000);
    net_end(&n);
}

/* --- an enemy with the keys --- */

struct enemy {
    struct net net;
    struct session keys;
    uint8_t bytes[PACKET_MTU_MIN];
    struct writer w;
};

static void enemy_begin(struct enemy *e)
{
    net_begin(&e->net, false, 0);
    first_words(&e->net);
    CHECK(session_init(&e->keys, 9, true, secret, e->net.now_us) == 0);
    e->keys.out.next = 500; /* above what the client uses meanwhile, and within the window */
    e->w = writer_of(e->bytes + PACKET_HEAD, sizeof e->bytes - OVERHEAD);
}

static void enemy_end(struct enemy *e)
{
    session_fini(&e->keys);
    net_end(&e->net);
}

static bool enemy_sends(struct enemy *e)
{
    struct path_address from = client_at(1);
    int n = session_seal(&e->keys, e->net.now_us, e->bytes,
                         (size_t)(e->w.p - e->bytes) - PACKET_HEAD, NULL, 0);

    e->w = writer_of(e->bytes + PACKET_HEAD, sizeof e->bytes - OVERHEAD);
    return n > 0 &&
           !flow_on_datagram_from(e->net.end[SERVER], e->net.now_us, e->bytes, (size_t)n, 0, &from);
}

static void enemy_writes(struct enemy *e, enum dgram_kind kind, uint64_t id, uint64_t value)
{
    struct dgram d = { .kind = kind };

    d.max.id = id;
    d.max.value = value;
    if (kind == DGRAM_STREAM)
        d.stream =
            (struct dgram_stream){ .id = id, .offset = value, .bytes = (uint8_t *)"x", 1, false };
    if (!dgram_write(&e->w, &d))
        CHECK(enemy_sends(e) && dgram_write(&e->w, &d));
}

static uint64_t why(struct enemy *e)
{
    hear(&e->net, SERVER);
    return e->net.told[FLOW_CLOSED] ? e->net.code : UINT64_MAX;
}

static void who_acknowledges_what_was_not_sent_is_cut_off(void)
{
    struct enemy e;
    struct ack a = { .n_ranges = 1, .ranges = { { 0, 100000 } } };

    enemy_begin(&e);
    dgram_write_ack(&e.w, &a);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_BROKEN);
    enemy_end(&e);
}

static void a_million_streams(void)
{
    struct enemy e;

    enemy_begin(&e); /* one after the other */
    for (uint64_t id = 0; id < 2000000 && why(&e) == UINT64_MAX; id += 2)
        enemy_writes(&e, DGRAM_STREAM, id, 0);
    CHECK(why(&e) == FLOW_LIMITS && e.net.told[FLOW_READABLE] <= FLOW_STREAMS_MAX);
    enemy_end(&e);

    enemy_begin(&e); /* the last first: all below would be opened */
    enemy_writes(&e, DGRAM_STREAM, 2000000, 0);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_LIMITS);
    enemy_end(&e);
}

static void more_than_was_allowed(void)
{
    struct enemy e;

    enemy_begin(&e); /* of one stream */
    enemy_writes(&e, DGRAM_STREAM, 0, 1ULL << 40);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_BROKEN);
    enemy_end(&e);

    enemy_begin(&e); /* of all together: the end of each, with nothing before it */
    for (uint64_t id = 0; id < 2 * FLOW_STREAMS_MAX; id += 2)
        enemy_writes(&e, DGRAM_STREAM, id, 65000);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_LIMITS);
    enemy_end(&e);
}

static void holes_without_end(void)
{
    struct enemy e;

    enemy_begin(&e);
    for (uint64_t at = 1; at < 260000 && why(&e) == UINT64_MAX; at += 2)
        enemy_writes(&e, DGRAM_STREAM, 0, at);
    enemy_sends(&e);
    CHECK(why(&e) == FLOW_LIMITS);
    enemy_end(&e);
}

static void a_window_that_shrinks_is_not_believed(void)
{
    struct enemy e;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    uint64_t out = 0;
    int len;

    enemy_begin(&e);
    write_much(&e.net, SERVER, 100000);
    for (int i = 0; i < 10000; i++) {
        enemy_writes(&e, DGRAM_MAX_STREAM, 1, (uint64_t)(100 - i % 100));
        enemy_writes(&e, DGRAM_MAX_DATA, 0, (uint64_t)(100 - i % 100));
        enemy_writes(&e, DGRAM_MAX_STREAMS, 0, 0);
    }
    CHECK(enemy_sends(&e) && why(&e) == UINT64_MAX);
    for (int i = 0; i < 100; i++, e.net.now_us += MS)
        while ((len = flow_next_to(e.net.end[SERVER], e.net.now_us, bytes, sizeof bytes, &to)) > 0)
            out += (uint64_t)len;
    CHECK(out > 30000 && flow_open(e.net.end[SERVER], 0) > 0);
    enemy_end(&e);
}

static void what_was_said_is_not_heard_twice(void)
{
    struct enemy e;
    struct path_address from = client_at(1), elsewhere = client_at(5);
    uint8_t copy[PACKET_MTU_MIN];
    struct flow_view v;

    enemy_begin(&e);
    enemy_writes(&e, DGRAM_PING, 0, 0);
    struct session before = e.keys;
    int n = session_seal(&before, e.net.now_us, e.bytes, 1, NULL, 0);
    memcpy(copy, e.bytes, sizeof copy);
    CHECK(!flow_on_datagram_from(e.net.end[SERVER], e.net.now_us, e.bytes, (size_t)n, 0, &from));
    for (int i = 0; i < 1000; i++) {
        memcpy(e.bytes, copy, sizeof copy);
        CHECK(flow_on_datagram_from(e.net.end[SERVER], e.net.now_us, e.bytes, (size_t)n, 0,
                                    &elsewhere) == -ROOST_MALFORMED);
    }
    flow_look(e.net.end[SERVER], &v);
    CHECK(v.replayed_in == 1000 && v.paths->n_tried == 0);
    enemy_end(&e);
}

static void questions_without_end_are_answered_one_for_one(void)
{
    struct enemy e;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    uint64_t in = 0, out = 0;
    int len;

    enemy_begin(&e);
    for (int i = 0; i < 1000; i++) {
        struct dgram d = { .kind = DGRAM_PATH };
        d.path = secret;
        while (dgram_write(&e.w, &d))
            ;
        in += (uint64_t)(e.w.p - e.bytes) + PACKET_TAG;
        CHECK(enemy_sends(&e));
        while ((len = flow_next_to(e.net.end[SERVER], e.net.now_us, bytes, sizeof bytes, &to)) > 0)
            out += (uint64_t)len;
    }
    CHECK(out < in);
    enemy_end(&e);
}

/* Words that ask to be answered come without end; of the answers it says nothing. */
static void who_acknowledges_nothing_costs_little(void)
{
    struct enemy e;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct flow_view v;
    uint32_t most = 0;

    enemy_begin(&e);
    for (int i = 0; i < 100000 && why(&e) == UINT64_MAX; i++) {
        struct dgram d = { .kind = DGRAM_PING };
        CHECK(dgram_write(&e.w, &d));
        e.keys.out.next++; /* a gap: it is answered at once */
        CHECK(enemy_sends(&e));
        e.net.now_us += 500;
        flow_expire(e.net.end[SERVER], e.net.now_us);
        while (flow_next_to(e.net.end[SERVER], e.net.now_us, bytes, sizeof bytes, &to) > 0)
            ;
        flow_look(e.net.end[SERVER], &v);
        most = v.sent->quiet > most ? v.sent->quiet : most;
    }
    CHECK(why(&e) == FLOW_LIMITS && most <= SENT_QUIET_MAX);
    flow_expire(e.net.end[SERVER], e.net.now_us);
    flow_look(e.net.end[SERVER], &v);
    CHECK(v.sent->cap == 0); /* what is over keeps nothing */
    enemy_end(&e);
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
          { "streams_leave_room_when_told", streams_leave_room_when_told },
          { "who_only_listens_does_so_for_ever", who_only_listens_does_so_for_ever },
          { "who_acknowledges_what_was_not_sent_is_cut_off",
            who_acknowledges_what_was_not_sent_is_cut_off },
          { "a_million_streams", a_million_streams },
          { "more_than_was_allowed", more_than_was_allowed },
          { "holes_without_end", holes_without_end },
          { "a_window_that_shrinks_is_not_believed", a_window_that_shrinks_is_not_believed },
          { "what_was_said_is_not_heard_twice", what_was_said_is_not_heard_twice },
          { "questions_without_end_are_answered_one_for_one",
            questions_without_end_are_answered_one_for_one },
          { "who_acknowledges_nothing_costs_little", who_acknowledges_nothing_costs_little })
