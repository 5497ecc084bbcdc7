/* Which way two ends take: each kind of translator, what changes under way, and what nobody is to
 * be made to do. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "nats.h"
#include "test.h"

#define SECOND 1000000LL

/* Straight where probing can succeed: not between two of which one has a port for each pair and
 * the other lets in only from the port that it sent to. */
static bool can_go_straight(enum nat_kind a, enum nat_kind b)
{
    bool strict_a = a >= NAT_PORT, strict_b = b >= NAT_PORT;

    return !(a == NAT_SYMMETRIC && strict_b) && !(b == NAT_SYMMETRIC && strict_a);
}

static void each_pair_of_translators(void)
{
    for (int a = 0; a < NAT_KINDS; a++)
        for (int b = 0; b < NAT_KINDS; b++) {
            struct nats_settings s = { .seed = 1, .kind = { a, b }, .delay_us = 30000 };
            struct nats n;
            CHECK(nats_init(&n, &s) == 0);
            nats_send(&n, 1, 300000);
            nats_run(&n, 20 * SECOND);
            enum reach_way want = can_go_straight(a, b) ? REACH_WAY_DIRECT : REACH_WAY_RELAY;
            if (nats_way(&n, 0) != want || nats_way(&n, 1) != want)
                printf("%d and %d: %d and %d\n", a, b, nats_way(&n, 0), nats_way(&n, 1));
            CHECK(nats_way(&n, 0) == want && nats_way(&n, 1) == want);
            for (int i = 0; i < 2; i++)
                CHECK(n.end[i].found_us >= 0 && n.end[i].found_us - 1000000 < 3 * SECOND);
            CHECK(n.end[0].read == 300000);
            nats_fini(&n);
        }
}

static void one_network_is_the_best_way(void)
{
    struct nats_settings s = { .seed = 2,
                               .kind = { NAT_SYMMETRIC, NAT_SYMMETRIC },
                               .same_nat = true,
                               .same_lan = true,
                               .delay_us = 30000 };
    struct nats n;

    CHECK(nats_init(&n, &s) == 0);
    nats_run(&n, 3 * SECOND);
    CHECK(nats_way(&n, 0) == REACH_WAY_LAN && nats_way(&n, 1) == REACH_WAY_LAN);
    CHECK(n.end[0].found_us < 1200000); /* at once */
    nats_fini(&n);
}

static void two_networks_behind_one_translator(void)
{
    for (int hairpin = 0; hairpin < 2; hairpin++) {
        struct nats_settings s = { .seed = 3,
                                   .kind = { NAT_PORT, NAT_PORT },
                                   .same_nat = true,
                                   .hairpin = hairpin,
                                   .delay_us = 30000 };
        struct nats n;
        CHECK(nats_init(&n, &s) == 0);
        nats_run(&n, 5 * SECOND);
        CHECK(nats_way(&n, 0) == (hairpin ? REACH_WAY_DIRECT : REACH_WAY_RELAY));
        nats_fini(&n);
    }
}

/* A little more to send each tenth of a second; returns how much there was in all. */
static uint64_t trickle(struct nats *n, int64_t until_us)
{
    uint64_t sum = 0;

    for (; n->now_us < until_us; sum += 20000) {
        nats_send(n, 1, 20000);
        nats_run(n, n->now_us + SECOND / 10);
    }
    return sum;
}

/* The straight way breaks under a transfer, and comes back. */
static void another_way_is_taken_under_way(void)
{
    struct nats_settings s = { .seed = 4, .kind = { NAT_PORT, NAT_PORT }, .delay_us = 20000 };
    struct nats n;

    CHECK(nats_init(&n, &s) == 0);
    uint64_t sum = trickle(&n, 4 * SECOND);
    CHECK(nats_way(&n, 0) == REACH_WAY_DIRECT);
    n.no_direct = true;
    sum += trickle(&n, 8 * SECOND);
    CHECK(nats_way(&n, 0) == REACH_WAY_RELAY && nats_way(&n, 1) == REACH_WAY_RELAY);
    CHECK(n.end[0].read + 100000 > sum); /* all of the silence was made up for */
    n.no_direct = false;
    sum += trickle(&n, 25 * SECOND);
    CHECK(nats_way(&n, 0) == REACH_WAY_DIRECT && nats_way(&n, 1) == REACH_WAY_DIRECT);
    nats_run(&n, 30 * SECOND);
    CHECK(n.end[0].read == sum && !n.end[0].lost);
    nats_fini(&n);
}

static void who_moves_is_found_again(void)
{
    struct nats_settings s = { .seed = 5, .kind = { NAT_PORT, NAT_PORT }, .delay_us = 20000 };
    struct nats n;

    CHECK(nats_init(&n, &s) == 0);
    nats_send(&n, 1, 5000000);
    nats_run(&n, 3 * SECOND);
    nats_move(&n, 0);
    nats_run(&n, 30 * SECOND);
    CHECK(n.end[0].read == 5000000);
    CHECK(nats_way(&n, 0) == REACH_WAY_DIRECT && nats_way(&n, 1) == REACH_WAY_DIRECT);
    nats_fini(&n);
}

static void silence_is_the_end(void)
{
    struct nats_settings s = { .seed = 6, .kind = { NAT_FULL, NAT_FULL }, .delay_us = 20000 };
    struct nats n;

    CHECK(nats_init(&n, &s) == 0);
    nats_run(&n, 60 * SECOND); /* nothing to say is not silence */
    CHECK(nats_way(&n, 0) == REACH_WAY_DIRECT);
    n.no_direct = n.no_server = true;
    nats_run(&n, 72 * SECOND);
    CHECK(!n.end[0].lost && !n.end[1].lost);
    uint64_t asked = n.end[0].reach.asked;
    nats_run(&n, 78 * SECOND);
    CHECK(n.end[0].lost && n.end[1].lost);
    nats_run(&n, 200 * SECOND);
    CHECK(n.end[0].reach.asked <= asked + 40); /* nobody asks on */
    nats_fini(&n);
}

static void without_a_relay_there_may_be_no_way(void)
{
    struct nats_settings s = {
        .seed = 7, .kind = { NAT_SYMMETRIC, NAT_SYMMETRIC }, .no_relay = true, .delay_us = 20000
    };
    struct nats n;

    CHECK(nats_init(&n, &s) == 0);
    nats_run(&n, 30 * SECOND);
    CHECK(n.end[0].lost && n.end[0].found_us < 0);
    CHECK(n.relay.passed == 0);
    nats_fini(&n);
}

/* --- what the other end tells -------------------------------------------------------------- */

static void init_alone(struct reach *r)
{
    static const uint8_t secret[32], seed[32];
    const struct reach_settings s = {
        .caller = true, .session = 1, .secret = secret, .seed = seed
    };
    const struct reach_local local = { { .ip = { 192, 168, 7, 5 }, .len = 4, .port = 1 }, 24 };

    CHECK(reach_init(r, &s, 0) == 0);
    reach_set_locals(r, &local, 1);
}

static size_t list_of(uint8_t *ret, unsigned n, const uint8_t (*ips)[4], unsigned kind)
{
    size_t len = 2;

    ret[0] = 1;
    ret[1] = (uint8_t)n;
    for (unsigned i = 0; i < n; i++, len += 8) {
        memcpy(ret + len, (uint8_t[]){ (uint8_t)kind, 4 }, 2);
        memcpy(ret + len + 2, ips[i], 4);
        memcpy(ret + len + 6, (uint8_t[]){ 0x10, 0x92 }, 2);
    }
    return len;
}

static void others_networks_are_not_looked_at(void)
{
    static const uint8_t ips[][4] = { { 10, 1, 2, 3 },   { 127, 0, 0, 1 },       { 192, 168, 7, 9 },
                                      { 172, 16, 0, 1 }, { 192, 168, 8, 9 },     { 224, 0, 0, 251 },
                                      { 0, 0, 0, 0 },    { 255, 255, 255, 255 }, { 8, 8, 8, 8 } };
    uint8_t list[REACH_LIST_MAX];
    struct reach r;

    init_alone(&r);
    CHECK(reach_on_list(&r, list, list_of(list, 9, ips, 1), 0) == 0);
    CHECK(r.n_paths == 2); /* 192.168.7.9 and 8.8.8.8 */
    const struct path_address one = { .ip = { 5, 5, 5, 5 }, .len = 4, .port = 9 };
    reach_set_observed(&r, &one);
    r.their_observed = one;
    static const uint8_t seen[][4] = { { 10, 1, 2, 3 }, { 5, 5, 5, 5 } };
    CHECK(reach_on_list(&r, list, list_of(list, 2, seen, 2), 0) == 0);
    CHECK(r.n_paths == 4); /* behind the same address: it may be the same house */
    reach_fini(&r);
}

static void nobody_is_flooded(void)
{
    uint8_t ips[10][4], list[REACH_LIST_MAX], bytes[REACH_PACKET_MAX];
    struct reach_to to;
    struct reach r;
    unsigned sent = 0, first = 0;

    for (unsigned i = 0; i < 10; i++)
        memcpy(ips[i], (uint8_t[]){ 9, 9, 9, (uint8_t)(i + 1) }, 4);
    init_alone(&r);
    for (int64_t t = 0; t < 15 * SECOND; t += 1000) {
        if (t % 500000 == 0) { /* told again and again */
            memcpy(ips[0], (uint8_t[]){ 9, 9, (uint8_t)(t / 500000), 1 }, 4);
            CHECK(reach_on_list(&r, list, list_of(list, 10, (const uint8_t(*)[4])ips, 1), t) == 0);
        }
        while (reach_next(&r, bytes, &to, t) > 0)
            sent++;
        if (t == SECOND)
            first = sent;
        CHECK(r.n_paths <= REACH_PATHS_MAX);
    }
    CHECK(first <= REACH_A_SECOND + 1 && sent <= 15 * REACH_A_SECOND);
    reach_expire(&r, 15 * SECOND);
    CHECK(r.over);
    CHECK(reach_on_list(&r, list, 1, 0) == -ROOST_MALFORMED);
    list[1] = 11;
    CHECK(reach_on_list(&r, list, sizeof list, 0) == -ROOST_MALFORMED);
    reach_fini(&r);
}

/* --- the relay ------------------------------------------------------------------------------- */

static const uint8_t TOKENS[2 * RELAY_TOKEN] = { 1, [RELAY_TOKEN] = 2 };
static const uint8_t COOKIE[RELAY_COOKIE] = { 5 };

static void say(struct relay *r, struct relay_end *e, const struct path_address *from,
                int64_t at_us, struct relay_verdict *v)
{
    uint8_t word[RELAY_WORD_MAX];
    size_t len = relay_end_next(e, word, at_us);

    CHECK(len > 0);
    relay_on_packet(r, word, len, from, COOKIE, at_us, v);
    CHECK(v->what == RELAY_ANSWER && v->len <= 3 * len);
}

static void an_end_proves_where_it_is(void)
{
    const struct path_address here = { .ip = { 1, 1, 1, 1 }, .len = 4, .port = 7 };
    const struct path_address there = { .ip = { 2, 2, 2, 2 }, .len = 4, .port = 7 };
    struct relay r;
    struct relay_end e;
    struct relay_verdict v;
    uint8_t packet[20] = { 0 }, word[RELAY_WORD_MAX];

    relay_init(&r, 77, true, TOKENS);
    relay_end_init(&e, 77, TOKENS, 0);
    say(&r, &e, &here, SECOND, &v);
    CHECK(!relay_where(&r, 0, SECOND)); /* not yet: its address may not be its own */
    CHECK(relay_end_on_packet(&e, v.bytes, v.len, SECOND) == 0 && !e.bound);
    size_t len = relay_end_next(&e, word, 2 * SECOND);
    relay_on_packet(&r, word, len, &there, (const uint8_t[8]){ 6 }, 2 * SECOND, &v);
    CHECK(!relay_where(&r, 0, 2 * SECOND)); /* the right cookie, from elsewhere */
    relay_on_packet(&r, word, len, &here, COOKIE, 2 * SECOND, &v);
    CHECK(!relay_where(&r, 0, 2 * SECOND)); /* another was tried since: it is asked again */
    CHECK(relay_end_on_packet(&e, v.bytes, v.len, 2 * SECOND) == 0);
    say(&r, &e, &here, 3 * SECOND, &v);
    CHECK(relay_where(&r, 0, 3 * SECOND) && v.moved);
    CHECK(relay_end_on_packet(&e, v.bytes, v.len, 3 * SECOND) == 0 && e.bound && !e.other);
    CHECK(path_same(&e.observed, &here));
    v.bytes[8] ^= 1; /* somebody says that it is elsewhere */
    CHECK(relay_end_on_packet(&e, v.bytes, v.len, 3 * SECOND) == -ROOST_MALFORMED);
    relay_put_head(packet, 77, RELAY_PACKET);
    relay_on_packet(&r, packet, sizeof packet, &here, COOKIE, 3 * SECOND, &v);
    CHECK(v.what == RELAY_PASS && v.side == 0);
    relay_on_packet(&r, packet, sizeof packet, &there, COOKIE, 3 * SECOND, &v);
    CHECK(v.what == RELAY_NOTHING && r.refused == 1); /* a stranger's goes nowhere */
    CHECK(!relay_where(&r, 0, 3 * SECOND + RELAY_GONE_US));
    relay_init(&r, 77, false, TOKENS);
    r.side[0].at = here;
    r.side[0].here_us = 0;
    relay_on_packet(&r, packet, sizeof packet, &here, COOKIE, 0, &v);
    CHECK(v.what == RELAY_NOTHING);
}

TEST_MAIN({ "each_pair_of_translators", each_pair_of_translators },
          { "one_network_is_the_best_way", one_network_is_the_best_way },
          { "two_networks_behind_one_translator", two_networks_behind_one_translator },
          { "another_way_is_taken_under_way", another_way_is_taken_under_way },
          { "who_moves_is_found_again", who_moves_is_found_again },
          { "silence_is_the_end", silence_is_the_end },
          { "without_a_relay_there_may_be_no_way", without_a_relay_there_may_be_no_way },
          { "others_networks_are_not_looked_at", others_networks_are_not_looked_at },
          { "nobody_is_flooded", nobody_is_flooded },
          { "an_end_proves_where_it_is", an_end_proves_where_it_is })
