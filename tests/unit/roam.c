#include "roam.h"

#include "sim/pump.h"

#include <stdlib.h>
#include <string.h>

const char *net_cc = "cubic";
const uint8_t net_secret[32] = { 7 };
const struct link_config net_plain = { .rate_bps = 10000000,
                                       .delay_us = 20000,
                                       .queue_bytes = 50000 };

void net_begin(struct net *n, bool ecn, uint32_t mtu_most)
{
    static const uint8_t seeds[2][32] = { { 1 }, { 2 } };

    *n = (struct net){ .now_us = SECOND, .port = 1, .reach = 1, .marks = 2 };
    for (int i = 0; i < 2; i++) {
        struct flow_settings s = { .client = i == CLIENT,
                                   .session = 9,
                                   .secret = net_secret,
                                   .seed = seeds[i],
                                   .cc = cc_find(net_cc),
                                   .ecn = ecn,
                                   .mtu_most = mtu_most,
                                   .keeps = i == CLIENT,
                                   .proves = i == SERVER };
        CHECK(flow_new(&n->end[i], &s, n->now_us) == 0);
        link_init(&n->link[i], LINK_DATAGRAMS, &net_plain, 5 + (uint64_t)i);
    }
}

void net_end(struct net *n)
{
    for (int i = 0; i < 2; i++) {
        flow_free(n->end[i]);
        link_fini(&n->link[i]);
    }
}

struct path_address net_client(uint16_t port)
{
    return (struct path_address){ .ip = { 192, 0, 2, 1 }, .len = 4, .port = port };
}

struct path_address net_proven(const struct net *n)
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
    struct path_address reach = net_client(n->reach);

    if ((n->carries[from] && len > n->carries[from]) ||
        (from == SERVER && !path_same(&to->at, &reach)))
        return;
    tagged[0] = (uint8_t)(n->port >> 8);
    tagged[1] = (uint8_t)n->port;
    tagged[2] = to->ect ? (uint8_t)n->marks : 0;
    if (to->ect && n->marks_above && link_backlog_bytes(&n->link[from], n->now_us) > n->marks_above)
        tagged[2] = 3;
    memcpy(tagged + 3, bytes, len);
    CHECK(pump_push(&n->link[from], tagged, len + 3, n->now_us));
}

void net_hear(struct net *n, int i)
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
    struct path_address from = net_client((uint16_t)(b->bytes[0] << 8 | b->bytes[1]));
    struct path_address before = net_proven(n);

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
    net_hear(n, i);
    while ((len = flow_next_to(n->end[i], n->now_us, bytes, sizeof bytes, &to)) > 0) {
        struct path_address now = net_proven(n);
        if (i == SERVER && !path_same(&to.at, &now))
            n->to_unproven += (uint64_t)len;
        push(n, i, bytes, (size_t)len, &to);
    }
}

static int64_t turn(void *net, int64_t now_us)
{
    struct net *n = net;

    carry(n, CLIENT);
    carry(n, SERVER);
    CHECK(n->to_unproven <= 3 * n->from_unproven);
    return pump_due_us(n->end, n->link, now_us);
}

void net_run(struct net *n, int64_t for_us)
{
    CHECK(pump_run(turn, n, &n->now_us, for_us) && "time stands still");
}

void net_first_words(struct net *n)
{
    CHECK(flow_ask(n->end[CLIENT], 77) == 0);
    net_run(n, SECOND);
    struct path_address first = net_client(1), now = net_proven(n);
    CHECK(path_same(&first, &now) && n->told[FLOW_PROVEN] == 1 && n->told[FLOW_SEEN_AT] == 1);
    CHECK(n->told[FLOW_BACK] == 1 && n->code == 77);
}

void net_write(struct net *n, int i, size_t len)
{
    uint8_t *bytes = calloc(1, len);
    int64_t id = flow_open(n->end[i], 0);

    CHECK(bytes && id >= 0 && flow_write(n->end[i], (uint64_t)id, bytes, len) == (int64_t)len);
    free(bytes);
}
