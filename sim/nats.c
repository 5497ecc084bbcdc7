#include "nats.h"

#include <stdlib.h>
#include <string.h>

static struct path_address v4(unsigned a, unsigned b, unsigned c, unsigned d, uint16_t port)
{
    return (struct path_address){ .ip = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d },
                                  .len = 4,
                                  .port = port };
}

static bool same_place(const struct path_address *a, const struct path_address *b)
{
    return a->len == b->len && !memcmp(a->ip, b->ip, a->len);
}

/* --- the network -------------------------------------------------------------------------- */

static void post(struct nats *n, const struct path_address *from, const struct path_address *to,
                 int lan, const uint8_t *bytes, size_t len)
{
    if (dice_ppm(&n->dice, n->loss_ppm) || n->n_packets == NATS_PACKETS_MAX || len > NATS_PACKET)
        return;
    struct nats_packet *p = &n->packets[n->n_packets++];
    p->at_us = n->now_us + (lan >= 0 ? 300 : n->delay_us) + (int64_t)dice_below(&n->dice, 2000);
    p->from = *from;
    p->to = *to;
    p->lan = lan;
    p->len = (uint16_t)len;
    memcpy(p->bytes, bytes, len);
}

static void send_from(struct nats *n, struct nats_end *e, const struct path_address *to,
                      const uint8_t *bytes, size_t len)
{
    bool local = !memcmp(to->ip, e->inside.ip, 3) && e->nat->kind != NAT_NONE;

    if (local) { /* its own network; who is not there does not answer */
        post(n, &e->inside, to, (int)e->lan, bytes, len);
        return;
    }
    struct path_address from = nat_out(e->nat, &e->inside, to);
    bool server = same_place(to, &n->server);
    if (same_place(to, &e->nat->outside) && !e->nat->hairpin)
        return;
    if (server ? n->no_server : n->no_direct)
        return;
    if (!server)
        n->direct_bytes += len;
    post(n, &from, to, -1, bytes, len);
}

static void hear(struct nats *n, struct nats_end *e, const struct path_address *from,
                 uint8_t *bytes, size_t len)
{
    enum relay_kind kind;
    uint32_t number;
    const struct path_address *at = from;
    struct path_address other = *from;

    if (relay_read(bytes, len, &number, &kind)) {
        if (kind != RELAY_PACKET) {
            relay_end_on_packet(&e->relay, bytes, len, n->now_us);
            return;
        }
        bytes += RELAY_HEAD;
        len -= RELAY_HEAD;
        at = NULL;
    }
    if (!flow_on_datagram_from(e->flow, n->now_us, bytes, len, 0, &other))
        reach_on_heard(&e->reach, at, n->now_us);
    else
        reach_on_packet(&e->reach, bytes, len, at, n->now_us);
}

static void serve(struct nats *n, const struct path_address *from, const uint8_t *bytes, size_t len)
{
    struct relay_verdict v;
    uint8_t cookie[RELAY_COOKIE];
    uint64_t random = dice_next(&n->dice);

    memcpy(cookie, &random, sizeof cookie);
    relay_on_packet(&n->relay, bytes, len, from, cookie, n->now_us, &v);
    const struct path_address *to = from;
    if (v.what == RELAY_PASS)
        to = relay_where(&n->relay, !v.side, n->now_us);
    if (v.what == RELAY_ANSWER)
        post(n, &n->server, to, -1, v.bytes, v.len);
    else if (v.what == RELAY_PASS && to) {
        n->relayed_bytes += len;
        post(n, &n->server, to, -1, bytes, len);
    }
}

static void arrive(struct nats *n, struct nats_packet *p)
{
    struct path_address inside;

    if (p->lan < 0 && same_place(&p->to, &n->server)) {
        serve(n, &p->from, p->bytes, p->len);
        return;
    }
    for (int i = 0; i < 2; i++) {
        struct nats_end *e = &n->end[i];
        bool here = p->lan >= 0 ? (unsigned)p->lan == e->lan && path_same(&p->to, &e->inside)
                    : e->nat->kind == NAT_NONE ? path_same(&p->to, &e->inside)
                                               : nat_in(e->nat, &p->from, &p->to, &inside) &&
                                                     path_same(&inside, &e->inside);
        if (here) {
            hear(n, e, &p->from, p->bytes, p->len);
            return;
        }
    }
}

/* --- an end --------------------------------------------------------------------------------- */

static void send_to(struct nats *n, struct nats_end *e, bool relay, const struct path_address *at,
                    const uint8_t *bytes, size_t len)
{
    uint8_t packet[NATS_PACKET];

    if (!relay) {
        send_from(n, e, at, bytes, len);
        return;
    }
    relay_put_head(packet, e->relay.number, RELAY_PACKET);
    memcpy(packet + RELAY_HEAD, bytes, len);
    send_from(n, e, &n->server, packet, RELAY_HEAD + len);
}

static void tell_list(struct nats *n, int i)
{
    struct nats_end *e = &n->end[i];
    struct reach_local local = { e->inside, 24 };
    uint8_t list[REACH_LIST_MAX];

    reach_set_locals(&e->reach, &local, 1);
    reach_set_observed(&e->reach, &e->relay.observed);
    size_t len = reach_list(&local, 1, e->inside.port, &e->relay.observed, list);
    reach_on_list(&n->end[!i].reach, list, len, n->now_us);
}

static void mind_relay(struct nats *n, int i)
{
    struct nats_end *e = &n->end[i];
    uint8_t word[RELAY_WORD_MAX];
    size_t len = relay_end_next(&e->relay, word, n->now_us);

    if (len)
        send_from(n, e, &n->server, word, len);
    if (!path_same(&e->relay.observed, &e->reach.observed))
        tell_list(n, i);
    reach_set_relay(&e->reach, e->relay.bound && n->relay.passes, false, n->now_us);
}

static void mind_way(struct nats *n, struct nats_end *e)
{
    const struct reach_path *now = reach_now(&e->reach);

    e->lost = e->reach.over;
    if (!now || now == e->was)
        return;
    if (e->was)
        flow_on_change(e->flow, n->now_us);
    if (e->found_us < 0)
        e->found_us = n->now_us;
    e->was = now;
    e->changes++;
}

static void mind_flow(struct nats *n, struct nats_end *e)
{
    static const uint8_t some[4096];
    const struct reach_path *now = reach_now(&e->reach);
    struct flow_event event;
    uint8_t bytes[NATS_PACKET];
    size_t len;
    bool over;
    int m;

    flow_expire(e->flow, n->now_us);
    while (flow_event(e->flow, &event))
        while (event.what == FLOW_READABLE && flow_read(e->flow, event.stream, &len, &over) &&
               len) {
            e->read += len;
            flow_take(e->flow, event.stream, len, n->now_us);
        }
    while (e->wrote && flow_waiting(e->flow, 0) < sizeof some) {
        size_t part = e->wrote < sizeof some ? (size_t)e->wrote : sizeof some;
        int64_t took = flow_write(e->flow, e == &n->end[0] ? 0 : 1, some, part);
        if (took <= 0)
            break;
        e->wrote -= (uint64_t)took;
    }
    while (now && (m = flow_next(e->flow, n->now_us, bytes, 1200)) > 0)
        send_to(n, e, now->relay, &now->at, bytes, (size_t)m);
}

static void step(struct nats *n, int i)
{
    struct nats_end *e = &n->end[i];
    uint8_t bytes[REACH_PACKET_MAX];
    struct reach_to to;
    int len;

    mind_relay(n, i);
    reach_expire(&e->reach, n->now_us);
    mind_way(n, e);
    while ((len = reach_next(&e->reach, bytes, &to, n->now_us)) > 0) {
        n->tried += !to.relay;
        send_to(n, e, to.relay, &to.at, bytes, (size_t)len);
    }
    mind_flow(n, e);
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static int64_t next_at(const struct nats *n, unsigned *ret)
{
    int64_t at_us = INT64_MAX;

    *ret = n->n_packets;
    for (unsigned i = 0; i < n->n_packets; i++)
        if (n->packets[i].at_us < at_us) {
            at_us = n->packets[i].at_us;
            *ret = i;
        }
    for (int i = 0; i < 2; i++) {
        const struct nats_end *e = &n->end[i];
        int64_t due[] = { reach_deadline_us(&e->reach, n->now_us), relay_end_deadline_us(&e->relay),
                          reach_now(&e->reach) ? flow_deadline_us(e->flow, n->now_us) : INT64_MAX };
        for (int k = 0; k < 3; k++)
            if (due[k] < at_us) {
                at_us = due[k];
                *ret = n->n_packets;
            }
    }
    return at_us;
}

void nats_run(struct nats *n, int64_t until_us)
{
    unsigned which;

    for (;;) {
        int64_t at_us = next_at(n, &which);
        if (at_us > until_us)
            break;
        n->now_us = at_us > n->now_us ? at_us : n->now_us + 1;
        if (which < n->n_packets) {
            struct nats_packet p = n->packets[which];
            n->packets[which] = n->packets[--n->n_packets];
            arrive(n, &p);
        }
        step(n, 0);
        step(n, 1);
    }
    n->now_us = until_us;
}

enum reach_way nats_way(const struct nats *n, int end)
{
    const struct reach_path *p = reach_now(&n->end[end].reach);

    return p ? reach_way_of(&n->end[end].reach, p) : REACH_WAY_NONE;
}

void nats_move(struct nats *n, int i)
{
    struct nats_end *e = &n->end[i];

    e->inside.ip[3]++;
    relay_end_on_change(&e->relay);
    tell_list(n, i);
    reach_on_change(&e->reach, n->now_us);
}

void nats_send(struct nats *n, int from, uint64_t bytes)
{
    n->end[from].wrote += bytes;
}

static int end_init(struct nats *n, int i, const struct nats_settings *s)
{
    struct nats_end *e = &n->end[i];
    uint8_t secret[64], seed[32], tokens[2 * RELAY_TOKEN];
    const struct reach_settings r = {
        .caller = i == 0, .session = 7, .secret = secret, .seed = seed
    };
    const struct flow_settings f = {
        .client = i == 0, .session = 8, .secret = secret + 32, .seed = seed, .keeps = true
    };

    memset(secret, 3, sizeof secret);
    memset(seed, (int)(s->seed * 2 + (uint64_t)i), sizeof seed);
    for (unsigned k = 0; k < sizeof tokens; k++)
        tokens[k] = (uint8_t)k;
    relay_init(&n->relay, 9, !s->no_relay, tokens);
    relay_end_init(&e->relay, 9, tokens + i * RELAY_TOKEN, n->now_us);
    e->found_us = -1;
    int err = reach_init(&e->reach, &r, n->now_us);
    return err ? err : flow_new(&e->flow, &f, n->now_us);
}

int nats_init(struct nats *n, const struct nats_settings *s)
{
    *n = (struct nats){ .now_us = 1000000,
                        .loss_ppm = s->loss_ppm,
                        .delay_us = s->delay_us,
                        .server = v4(192, 0, 2, 1, 5001) };
    n->dice.state = s->seed;
    n->packets = calloc(NATS_PACKETS_MAX, sizeof *n->packets);
    if (!n->packets)
        return -1;
    for (int i = 0; i < 2; i++) {
        struct nats_end *e = &n->end[i];
        int home = s->same_nat ? 0 : i, net = s->same_lan ? 0 : i;
        struct path_address outside = v4(198, 51, 100, (unsigned)home + 1, 0);
        nat_init(&n->nat[i], s->kind[i], s->hairpin, &outside);
        e->nat = &n->nat[home];
        e->lan = (unsigned)net;
        e->inside = e->nat->kind == NAT_NONE ? v4(203, 0, 113 + (unsigned)i, 5, 4000)
                                             : v4(192, 168, s->same_nat ? (unsigned)net : 0,
                                                  10 + (unsigned)i * 20, 4000);
        int err = end_init(n, i, s);
        if (err)
            return err;
    }
    tell_list(n, 0);
    tell_list(n, 1);
    int64_t one = flow_open(n->end[0].flow, 1), two = flow_open(n->end[1].flow, 1);
    return one == 0 && two == 1 ? 0 : -1;
}

void nats_fini(struct nats *n)
{
    for (int i = 0; i < 2; i++) {
        reach_fini(&n->end[i].reach);
        flow_free(n->end[i].flow);
    }
    free(n->packets);
}
