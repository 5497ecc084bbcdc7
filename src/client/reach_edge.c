#include "client/reach_edge.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "client/reach_inside.h"
#include "net/carry.h"
#include "seal/phrase.h"

enum { FD_UDP, FD_TUNNEL, FD_INTERFACES };

void reach_edge_tell(struct reach_edge *e, enum reach_edge_what what, int64_t took_us)
{
    if (e->n_news == REACH_NEWS_MAX)
        memmove(e->news, e->news + 1, --e->n_news * sizeof *e->news);
    e->news[e->n_news++] =
        (struct reach_edge_event){ .what = what, .way = e->way, .took_us = took_us };
}

void reach_edge_lose(struct reach_edge *e, enum reach_edge_what what)
{
    if (e->lost)
        return;
    e->lost = true;
    e->way = REACH_WAY_NONE;
    reach_edge_tell(e, what, 0);
}

bool reach_edge_event(struct reach_edge *e, struct reach_edge_event *ret)
{
    if (!e->n_news)
        return false;
    *ret = e->news[0];
    memmove(e->news, e->news + 1, --e->n_news * sizeof *e->news);
    return true;
}

/* --- this machine's addresses ------------------------------------------------------------ */

static unsigned bits_of(const struct sockaddr *mask)
{
    const uint8_t *at = (const uint8_t *)&((const struct sockaddr_in *)mask)->sin_addr;
    unsigned n = 0, len = 4;

    if (mask->sa_family == AF_INET6) {
        at = (const uint8_t *)&((const struct sockaddr_in6 *)mask)->sin6_addr;
        len = 16;
    }
    while (n < 8 * len && at[n / 8] >> (7 - n % 8) & 1)
        n++;
    return n;
}

static void take_local(struct reach_edge *e, const struct ifaddrs *i, bool loopback)
{
    union address at = { 0 };
    bool six = i->ifa_addr && i->ifa_addr->sa_family == AF_INET6;

    if (!i->ifa_addr || !i->ifa_netmask || (!six && i->ifa_addr->sa_family != AF_INET) ||
        !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_LOOPBACK) == loopback ||
        e->n_locals == REACH_LOCALS_MAX)
        return;
    memcpy(&at, i->ifa_addr, six ? sizeof at.v6 : sizeof at.v4);
    if (six && IN6_IS_ADDR_LINKLOCAL(&at.v6.sin6_addr) &&
        (!e->link || at.v6.sin6_scope_id != e->link))
        return; /* its scope means nothing elsewhere */
    struct reach_local *l = &e->locals[e->n_locals++];
    carry_address(&at, &l->at);
    l->at.port = e->port;
    l->bits = (uint8_t)bits_of(i->ifa_netmask);
}

/* Loopback is one only on a machine that has nothing else. */
static void find_locals(struct reach_edge *e)
{
    struct ifaddrs *all;

    e->n_locals = 0;
    if (getifaddrs(&all))
        return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        take_local(e, i, false);
    for (const struct ifaddrs *i = all; i && !e->n_locals; i = i->ifa_next)
        take_local(e, i, true);
    freeifaddrs(all);
}

static int hear_interfaces(void)
{
    struct sockaddr_nl at = { .nl_family = AF_NETLINK,
                              .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                           RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* --- life ---------------------------------------------------------------------------------- */

static int open_socket(struct reach_edge *e)
{
    struct udp_settings s = { .queue_bytes = 4 << 20 };
    union address at;

    s.at.any.sa_family = AF_INET6; /* and IPv4 in it */
    int err = udp_open(&e->udp, &s);
    if (err) {
        memset(&s.at, 0, sizeof s.at);
        s.at.any.sa_family = AF_INET;
        err = udp_open(&e->udp, &s);
    }
    if (!err)
        err = udp_where(e->udp, &at);
    if (err)
        return err;
    e->port = ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
    if (e->study)
        study_socket(e->study, e->udp);
    return 0;
}

static void on_tunnel(void *ctx, const uint8_t *body, size_t len)
{
    uint8_t copy[TUNNEL_MESSAGE_MAX];

    if (len > sizeof copy)
        return;
    memcpy(copy, body, len);
    reach_edge_on_relay(ctx, copy, len, 0, sleep_now_us());
}

static int take_relay(struct reach_edge *e, const struct reach_relay *r, int64_t now_us)
{
    char text[300];
    int err = 0;

    snprintf(e->host, sizeof e->host, "%s", r->host);
    snprintf(e->relay_port, sizeof e->relay_port, "%s", r->port);
    snprintf(e->fingerprint, sizeof e->fingerprint, "%s", r->fingerprint);
    memcpy(e->token, r->token, sizeof e->token);
    relay_end_init(&e->relay, r->number, r->token, now_us);
    e->has_relay = true;
    e->passes = r->passes && !e->no_relay;
    const char *where = r->address ? r->address : r->host;
    snprintf(text, sizeof text, strchr(where, ':') ? "[%s]:%u" : "%s:%u", where,
             (unsigned)r->udp_port);
    e->has_udp_relay = r->udp_port && !address_parse(&e->relay_at, text, true);
    if (e->passes && !(err = tunnel_init(&e->tunnel, on_tunnel, e))) {
        e->tunnelling = true;
        if (e->study)
            tls_study(&e->tunnel.tls, e->study);
    }
    e->tunnel_us = now_us + (e->has_udp_relay ? REACH_TUNNEL_US : 0);
    return err;
}

static int take_link(struct reach_edge *e, const struct link_pair *how)
{
    uint64_t seed;

    e->bent = calloc(1, sizeof *e->bent);
    if (!e->bent || getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return -ROOST_NOMEM;
    link_init(&e->bent->up, LINK_DATAGRAMS, &how->up, seed);
    link_init(&e->bent->down, LINK_DATAGRAMS, &how->down, seed + 1);
    return 0;
}

static int begin(struct reach_edge *e, const struct reach_edge_settings *s, int64_t now_us)
{
    uint8_t random[PACT_RANDOM];
    const struct pact_settings p = { .caller = s->caller,
                                     .offer = s->offer,
                                     .seed = s->identity_seed,
                                     .phrase = s->phrase,
                                     .expects = s->expects,
                                     .n_expects = s->n_expects,
                                     .random = random };

    if (getrandom(random, sizeof random, 0) != sizeof random)
        return -ROOST_IO;
    int err = pact_init(&e->pact, &p);
    seal_wipe(random, sizeof random);
    if (!err)
        err = sleep_init(&e->sleep, false);
    if (!err)
        err = open_socket(e);
    if (!err)
        err = sleep_add(&e->sleep, udp_fd(e->udp), SLEEP_READ, FD_UDP);
    if (!err && (e->interfaces = hear_interfaces()) >= 0)
        err = sleep_add(&e->sleep, e->interfaces, SLEEP_READ, FD_INTERFACES);
    if (!err && s->link)
        err = take_link(e, s->link);
    if (!err && s->relay)
        err = take_relay(e, s->relay, now_us);
    find_locals(e);
    return err;
}

int reach_edge_new(struct reach_edge **ret, const struct reach_edge_settings *s, int64_t now_us)
{
    struct reach_edge *e = calloc(1, sizeof *e);

    if (!e)
        return -ROOST_NOMEM;
    e->caller = s->caller;
    e->waits = s->caller && s->identity_seed;
    e->no_direct = s->no_direct || s->hides;
    e->no_relay = s->no_relay;
    e->nearby = s->nearby;
    e->link = s->nearby_link;
    e->cc = s->cc;
    e->trace = s->trace;
    e->trace_ctx = s->trace_ctx;
    e->study = s->study;
    e->interfaces = -1;
    e->udp_wants = SLEEP_READ;
    e->sleep = (struct sleep){ -1, -1 };
    e->begun_us = now_us;
    e->run = calloc(1, sizeof *e->run);
    int err = e->run ? begin(e, s, now_us) : -ROOST_NOMEM;
    if (err) {
        reach_edge_free(e);
        return err;
    }
    *ret = e;
    return 0;
}

void reach_edge_free(struct reach_edge *e)
{
    if (!e)
        return;
    if (e->found && !e->lost) {
        flow_close(e->flow, FLOW_DONE, "the other end goes");
        reach_link_flow(e, sleep_now_us());
    }
    if (e->reaching)
        reach_fini(&e->reach);
    flow_free(e->flow);
    pact_fini(&e->pact);
    if (e->tunnelling)
        tunnel_fini(&e->tunnel);
    if (e->bent) {
        link_fini(&e->bent->up);
        link_fini(&e->bent->down);
    }
    free(e->bent);
    udp_close(e->udp);
    if (e->interfaces >= 0)
        close(e->interfaces);
    sleep_fini(&e->sleep);
    free(e->run);
    free(e);
}

/* --- what comes ---------------------------------------------------------------------------- */

void reach_edge_on_packet(struct reach_edge *e, uint8_t *bytes, size_t len, int ecn,
                          const struct path_address *from, int64_t now_us)
{
    struct packet p;

    if (!e->reaching || packet_read(&p, bytes, len))
        return;
    if (p.session == e->reach.session.id)
        reach_on_packet(&e->reach, bytes, len, from, now_us);
    else if (!flow_on_datagram(e->flow, now_us, bytes, len, ecn))
        reach_on_heard(&e->reach, from, now_us);
}

void reach_edge_on_relay(struct reach_edge *e, uint8_t *bytes, size_t len, int ecn, int64_t now_us)
{
    enum relay_kind kind;
    uint32_t number;

    if (!relay_read(bytes, len, &number, &kind) || number != e->relay.number)
        return;
    if (kind != RELAY_PACKET)
        relay_end_on_packet(&e->relay, bytes, len, now_us);
    else if (e->passes)
        reach_edge_on_packet(e, bytes + RELAY_HEAD, len - RELAY_HEAD, ecn, NULL, now_us);
}

static void read_interfaces(struct reach_edge *e, int64_t now_us)
{
    uint8_t bytes[8192];
    bool changed = false;
    ssize_t n;

    while (e->interfaces >= 0 &&
           ((n = recv(e->interfaces, bytes, sizeof bytes, 0)) > 0 || (n < 0 && errno == ENOBUFS)))
        changed = true;
    if (!changed)
        return;
    struct reach_local before[REACH_LOCALS_MAX];
    unsigned n_before = e->n_locals;
    memcpy(before, e->locals, sizeof before);
    find_locals(e);
    if (n_before == e->n_locals && !memcmp(before, e->locals, n_before * sizeof *before))
        return;
    relay_end_on_change(&e->relay);
    if (e->reaching)
        reach_on_change(&e->reach, now_us);
}

/* --- the relay
 * ------------------------------------------------------------------------------------ */

static void mind_tunnel(struct reach_edge *e, int64_t now_us)
{
    bool wanted = !e->relay.bound && e->reaching && !e->lost;

    if (tunnel_step(&e->tunnel, now_us) < 0)
        e->tunnel_us = now_us + REACH_RETRY_US;
    if (!wanted && e->relay.bound && e->tunnel.state != TUNNEL_IDLE)
        tunnel_close(&e->tunnel);
    if (!wanted || e->tunnel.state != TUNNEL_IDLE || now_us < e->tunnel_us)
        return;
    e->tunnel_us = now_us + REACH_RETRY_US;
    tunnel_open(&e->tunnel, e->host, e->relay_port, e->fingerprint, e->relay.number, e->token,
                now_us);
}

static void mind_relay(struct reach_edge *e, int64_t now_us)
{
    uint8_t word[RELAY_WORD_MAX];
    const struct reach_path *p = e->reaching ? reach_now(&e->reach) : NULL;

    if (p && p->relay && p->asked >= 2 && e->relay.bound && now_us - e->relay.asked_us > 300000)
        relay_end_on_change(&e->relay); /* is it the relay that is gone? */
    size_t n = e->has_udp_relay ? relay_end_next(&e->relay, word, now_us) : 0;
    if (n)
        reach_link_plain(e, &e->relay_at, word, n, 0, now_us);
    if (e->tunnelling)
        mind_tunnel(e, now_us);
    bool up = e->tunnelling && e->tunnel.state == TUNNEL_UP;
    if (e->reaching)
        reach_set_relay(&e->reach, e->passes && (e->relay.bound || up), !e->relay.bound && up,
                        now_us);
}

/* --- choosing
 * --------------------------------------------------------------------------------------- */

static void mind_way(struct reach_edge *e, int64_t now_us)
{
    const struct reach_path *p = reach_now(&e->reach);

    if (e->reach.over)
        reach_edge_lose(e, REACH_EDGE_LOST);
    if (!p)
        return;
    enum reach_way way = reach_way_of(&e->reach, p);
    bool same = e->found && e->way_relay == p->relay && (p->relay || path_same(&e->way_at, &p->at));
    if (same && way == e->way)
        return;
    bool first = !e->found;
    e->way = way;
    e->way_relay = p->relay;
    e->way_at = p->at;
    e->found = true;
    if (!first && !same)
        flow_on_change(e->flow, now_us);
    reach_edge_tell(e, first ? REACH_EDGE_FOUND : REACH_EDGE_PATH,
                    first ? now_us - e->begun_us : p->rtt_us);
}

static void ask(struct reach_edge *e, int64_t now_us)
{
    uint8_t bytes[REACH_PACKET_MAX];
    struct reach_to to;
    int n;

    while ((n = reach_next(&e->reach, bytes, &to, now_us)) > 0)
        reach_link_send(e, to.relay, &to.at, bytes, (size_t)n, now_us);
}

/* --- doubts --- */

void reach_edge_doubt(struct reach_edge *e, int64_t now_us)
{
    if (e->lost || e->doubt_us)
        return;
    e->doubt_us = now_us;
    e->doubt_answered = e->reach.answered;
    if (e->reaching)
        reach_doubt(&e->reach);
}

static int64_t doubt_over_us(const struct reach_edge *e)
{
    const struct reach_path *p = e->reaching ? reach_now(&e->reach) : NULL;

    return !e->doubt_us ? INT64_MAX : e->doubt_us + REACH_DOUBT_US + (p ? 2 * p->rtt_us : 0);
}

static void mind_doubt(struct reach_edge *e, int64_t now_us)
{
    if (e->doubt_us && e->reach.answered > e->doubt_answered)
        e->doubt_us = 0;
    if (now_us >= doubt_over_us(e))
        reach_edge_lose(e, REACH_EDGE_LOST);
}

/* What is slept for. */
static void mind_fds(struct reach_edge *e)
{
    int fd = e->tunnelling && e->tunnel.state != TUNNEL_IDLE ? tls_fd(&e->tunnel.tls) : -1;
    int polls = fd >= 0 ? tls_wants(&e->tunnel.tls) : 0;
    unsigned wants = (polls & POLLIN ? SLEEP_READ : 0u) | (polls & POLLOUT ? SLEEP_WRITE : 0u);
    unsigned udp = SLEEP_READ | (e->full ? SLEEP_WRITE : 0u);

    if (fd >= 0) /* what was closed has left by itself */
        sleep_set(&e->sleep, fd, wants, FD_TUNNEL);
    if (udp != e->udp_wants)
        sleep_set(&e->sleep, udp_fd(e->udp), udp, FD_UDP);
    e->udp_wants = udp;
}

void reach_edge_process(struct reach_edge *e, int64_t now_us)
{
    reach_link_hear(e, now_us);
    read_interfaces(e, now_us);
    if (e->waits && !e->reaching && now_us >= e->begun_us + REACH_PACT_US)
        reach_edge_lose(e, REACH_EDGE_LOST);
    if (e->has_relay)
        mind_relay(e, now_us);
    if (e->reaching && !e->lost) {
        reach_expire(&e->reach, now_us);
        ask(e, now_us);
        mind_way(e, now_us);
        flow_expire(e->flow, now_us);
    }
    mind_doubt(e, now_us);
    if (e->found && !e->lost)
        reach_link_flow(e, now_us);
    else if (e->bent || e->tunnelling)
        reach_link_push(e, now_us);
    mind_fds(e);
}

int64_t reach_edge_deadline_us(const struct reach_edge *e, int64_t now_us)
{
    int64_t due_us = reach_link_deadline_us(e, now_us), at_us;

    if (e->lost)
        return INT64_MAX;
    if (e->waits && !e->reaching && e->begun_us + REACH_PACT_US < due_us)
        due_us = e->begun_us + REACH_PACT_US;
    if (e->reaching && (at_us = reach_deadline_us(&e->reach, now_us)) < due_us)
        due_us = at_us;
    if (e->has_udp_relay && (at_us = relay_end_deadline_us(&e->relay)) < due_us)
        due_us = at_us;
    if ((at_us = doubt_over_us(e)) < due_us)
        due_us = at_us;
    if (!e->tunnelling)
        return due_us;
    at_us = e->tunnel.state != TUNNEL_IDLE   ? tunnel_deadline(&e->tunnel)
            : !e->relay.bound && e->reaching ? e->tunnel_us
                                             : INT64_MAX;
    return at_us < due_us ? at_us : due_us;
}

int reach_edge_fd(const struct reach_edge *e)
{
    return e->sleep.epoll;
}

/* --- looking
 * --------------------------------------------------------------------------------------- */

struct flow *reach_edge_flow(struct reach_edge *e)
{
    return e->found && !e->lost ? e->flow : NULL;
}

bool reach_edge_owns(const struct reach_edge *e, const struct flow *flow)
{
    return flow && e->flow == flow;
}

enum reach_way reach_edge_way(const struct reach_edge *e)
{
    return e->way;
}

const char *reach_way_text(enum reach_way way)
{
    static const char *const text[] = { "none", "lan", "direct", "relay", "tunnel" };

    return text[way];
}

const uint8_t *reach_edge_identity(const struct reach_edge *e)
{
    return pact_peer(&e->pact);
}

const uint8_t *reach_edge_stranger(const struct reach_edge *e)
{
    return pact_stranger(&e->pact);
}

void reach_edge_words(const struct reach_edge *e, char ret[static REACH_WORDS_TEXT])
{
    uint8_t bits[8];

    *ret = 0;
    if (e->pact.state == PACT_DONE && !pact_derive(&e->pact, "words", bits, sizeof bits))
        phrase_of_bits(bits, PHRASE_SECRET, ret, REACH_WORDS_TEXT);
}
