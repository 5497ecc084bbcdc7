/* test_tunnel.c - a session that goes over from datagrams to a connection and back, with
 * every byte once and in order, in virtual time. */
#include <string.h>

#include "base/err.h"
#include "flow/flow.h"
#include "lab/dice.h"
#include "lab/link.h"
#include "sim/pump.h"
#include "test.h"

enum { CLIENT, SERVER };
#define MS     1000LL
#define SECOND 1000000LL

struct net {
    struct flow *end[2];
    struct link udp[2], tcp[2]; /* from that end */
    int64_t now_us;
    bool on; /* the connection stands */
    uint64_t got, wrote, udp_bytes, tcp_bytes, token;
    bool wrong;
};

static const struct link_config udp_link = { .rate_bps = 10000000,
                                             .delay_us = 20000,
                                             .queue_bytes = 50000,
                                             .loss_ppm = 5000 },
                                tcp_link = { .rate_bps = 5000000, .delay_us = 30000 };

static void net_begin(struct net *n)
{
    static const uint8_t secret[32] = { 7 }, seeds[2][32] = { { 1 }, { 2 } };

    *n = (struct net){ .now_us = SECOND };
    for (int i = 0; i < 2; i++) {
        struct flow_settings s = { .client = i == CLIENT,
                                   .session = 9,
                                   .secret = secret,
                                   .seed = seeds[i],
                                   .keeps = i == CLIENT,
                                   .mtu_most = 1472,
                                   .proves = i == SERVER };
        CHECK(flow_new(&n->end[i], &s, n->now_us) == 0);
        link_init(&n->udp[i], LINK_DATAGRAMS, &udp_link, 5 + (uint64_t)i);
        link_init(&n->tcp[i], LINK_STREAM, &tcp_link, 15 + (uint64_t)i);
    }
}

static void net_end(struct net *n)
{
    for (int i = 0; i < 2; i++) {
        flow_free(n->end[i]);
        link_fini(&n->udp[i]);
        link_fini(&n->tcp[i]);
    }
}

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

static void hear(struct net *n, int i)
{
    struct flow_event e;
    size_t len;
    bool over;
    const uint8_t *p;

    while (flow_event(n->end[i], &e)) {
        n->token = e.what == FLOW_BACK ? e.code : n->token;
        while (e.what == FLOW_READABLE && (p = flow_read(n->end[i], e.stream, &len, &over)) &&
               len) {
            for (size_t k = 0; k < len; k++)
                n->wrong = n->wrong || p[k] != byte_at(n->got + k);
            n->got += len;
            flow_take(n->end[i], e.stream, len, n->now_us);
        }
    }
}

static void carry(struct net *n, int i)
{
    static const struct path_address from = { .ip = { 192, 0, 2, 1 }, .len = 4, .port = 1 };
    uint8_t bytes[16384];
    struct flow_to to;
    int len;

    for (struct blob *b; (b = link_next(&n->udp[!i], n->now_us)); blob_unref(b)) {
        memcpy(bytes, b->bytes, b->len);
        flow_on_datagram_from(n->end[i], n->now_us, bytes, b->len, 0, i == SERVER ? &from : NULL);
    }
    for (struct blob *b; (b = link_next(&n->tcp[!i], n->now_us)); blob_unref(b))
        if (n->on)
            CHECK(flow_on_frames(n->end[i], n->now_us, b->bytes, b->len) == 0);
    flow_expire(n->end[i], n->now_us);
    hear(n, i);
    while ((len = flow_next_to(n->end[i], n->now_us, bytes, PACKET_MTU_MAX, &to)) > 0) {
        CHECK(pump_push(&n->udp[i], bytes, (size_t)len, n->now_us));
        n->udp_bytes += (uint64_t)len;
    }
    while (n->on && (len = flow_next_frames(n->end[i], n->now_us, bytes, sizeof bytes)) > 0) {
        CHECK(pump_push(&n->tcp[i], bytes, (size_t)len, n->now_us));
        n->tcp_bytes += (uint64_t)len;
    }
}

static int64_t turn(void *net, int64_t now_us)
{
    struct net *n = net;

    carry(n, CLIENT);
    carry(n, SERVER);
    int64_t at = pump_due_us(n->end, n->udp, now_us);
    for (int i = 0; i < 2; i++)
        at = link_deadline_us(&n->tcp[i]) < at ? link_deadline_us(&n->tcp[i]) : at;
    return at;
}

static void run(struct net *n, int64_t for_us)
{
    CHECK(pump_run(turn, n, &n->now_us, for_us) && "time stands still");
}

static void write_some(struct net *n, int i, uint64_t stream, uint64_t up_to)
{
    uint8_t bytes[4096];

    while (n->wrote < up_to) {
        size_t len = up_to - n->wrote < sizeof bytes ? (size_t)(up_to - n->wrote) : sizeof bytes;
        for (size_t k = 0; k < len; k++)
            bytes[k] = byte_at(n->wrote + k);
        int64_t took = flow_write(n->end[i], stream, bytes, len);
        CHECK(took >= 0);
        n->wrote += (uint64_t)took;
        if ((size_t)took < len)
            break;
    }
}

/* As an edge does it: both sides notice, what is in the connection is gone. */
static void go(struct net *n, bool on)
{
    n->on = on;
    for (int i = 0; i < 2; i++) {
        link_reset(&n->tcp[i]);
        flow_tunnel(n->end[i], on, n->now_us);
    }
}

static void nothing_works_but_the_tunnel(void)
{
    for (int sender = CLIENT; sender <= SERVER; sender++) {
        struct net n;

        net_begin(&n);
        for (int i = 0; i < 2; i++)
            link_set_down(&n.udp[i], true, n.now_us);
        go(&n, true);
        int64_t id = flow_open(n.end[sender], 0);
        write_some(&n, sender, (uint64_t)id, 2000000);
        CHECK(n.wrote == 2000000);
        run(&n, 5 * SECOND);
        CHECK(n.got == 2000000 && !n.wrong); /* 3.2 s at the connection's rate */
        CHECK(n.udp_bytes == 0 && n.tcp_bytes < 2000000 + 2000000 / 50);
        CHECK(flow_is_quiet(n.end[sender]));
        net_end(&n);
    }
}

static void questions_are_answered_on_either_way(void)
{
    struct net n;

    net_begin(&n);
    CHECK(flow_ask(n.end[CLIENT], 5) == 0);
    run(&n, SECOND);
    CHECK(n.token == 5 && !n.tcp_bytes);
    go(&n, true);
    uint64_t before = n.udp_bytes;
    CHECK(flow_ask(n.end[CLIENT], 6) == 0);
    int64_t asked_us = n.now_us;
    for (int i = 0; i < 100 && n.token != 6; i++)
        run(&n, MS);
    CHECK(n.token == 6);
    CHECK(n.now_us - asked_us >= 60 * MS && n.now_us - asked_us < 70 * MS);
    CHECK(n.udp_bytes == before);
    for (uint64_t i = 100; i < 106; i++) /* several at once */
        CHECK(flow_ask(n.end[CLIENT], i) == 0);
    run(&n, SECOND);
    CHECK(n.token >= 100);
    CHECK(flow_ask_datagram(n.end[CLIENT], 7) == 0); /* is the other way back? */
    run(&n, SECOND);
    CHECK(n.token == 7);
    net_end(&n);
}

static void back_and_forth(void)
{
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct net n;
        struct dice dice;
        int sender = seed % 2;

        net_begin(&n);
        dice = (struct dice){ seed };
        CHECK(flow_ask(n.end[CLIENT], 5) == 0);
        run(&n, SECOND / 2);
        int64_t id = flow_open(n.end[sender], 0);
        for (int i = 0; i < 12; i++) {
            write_some(&n, sender, (uint64_t)id, 2000000);
            run(&n, (int64_t)dice_below(&dice, 700000));
            go(&n, !n.on);
        }
        for (int i = 0; i < 100 && n.got < 2000000; i++) {
            write_some(&n, sender, (uint64_t)id, 2000000);
            run(&n, SECOND / 5);
        }
        CHECK(n.got == 2000000 && !n.wrong);
        net_end(&n);
    }
}

static void what_is_no_frame_ends_it(void)
{
    struct net n;
    static const uint8_t rubbish[] = { 0xff, 1, 2 };

    net_begin(&n);
    go(&n, true);
    CHECK(flow_on_frames(n.end[SERVER], n.now_us, rubbish, sizeof rubbish) == -ROOST_MALFORMED);
    run(&n, SECOND);
    struct flow_event e;
    CHECK(!flow_event(n.end[CLIENT], &e)); /* it was heard */
    CHECK(flow_open(n.end[CLIENT], 0) == -ROOST_CLOSED);
    CHECK(flow_open(n.end[SERVER], 0) == -ROOST_CLOSED);
    net_end(&n);
}

/* The window of the connection is bounded, and so is what is kept for it. */
static void a_connection_that_is_stuck_takes_so_much(void)
{
    struct net n;

    net_begin(&n);
    go(&n, true);
    link_set_down(&n.tcp[CLIENT], true, n.now_us);
    int64_t id = flow_open(n.end[CLIENT], 0);
    write_some(&n, CLIENT, (uint64_t)id, 8000000);
    run(&n, 10 * SECOND);
    CHECK(n.tcp_bytes < 700000);
    for (int i = 0; i < 5000; i++) { /* small ones too */
        uint8_t byte = byte_at(n.wrote);
        n.wrote += (uint64_t)flow_write(n.end[CLIENT], (uint64_t)id, &byte, 1);
        run(&n, MS);
    }
    CHECK(n.tcp_bytes < 800000);
    link_set_down(&n.tcp[CLIENT], false, n.now_us);
    run(&n, 20 * SECOND);
    CHECK(n.got == n.wrote && !n.wrong);
    net_end(&n);
}

TEST_MAIN({ "nothing_works_but_the_tunnel", nothing_works_but_the_tunnel },
          { "questions_are_answered_on_either_way", questions_are_answered_on_either_way },
          { "back_and_forth", back_and_forth },
          { "what_is_no_frame_ends_it", what_is_no_frame_ends_it },
          { "a_connection_that_is_stuck_takes_so_much", a_connection_that_is_stuck_takes_so_much })
