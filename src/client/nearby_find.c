/* nearby_find.c - who is there: questions and answers of multicast DNS on every interface, by IPv4
 * and IPv6. What this machine has of the two is enough. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "client/nearby_inside.h"

#define SERVICE "_roost-send._tcp"
#define ASK_US  (1000 * 1000LL)
#define JOIN_US (2 * 1000000LL) /* interfaces come and go */

enum { HEAR_MAX = 64 /* messages in one turn */, INTERFACES_MAX = 32 };

/* --- this machine's networks --- */

static bool same_bits(const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((a[i] ^ b[i]) & mask[i])
            return false;
    return true;
}

static bool in_network(const struct ifaddrs *i, const union address *a)
{
    const union address *mine = (const void *)i->ifa_addr, *mask = (const void *)i->ifa_netmask;

    if (!mine || !mask || mine->any.sa_family != a->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return same_bits((const uint8_t *)&mine->v4.sin_addr, (const uint8_t *)&a->v4.sin_addr,
                         (const uint8_t *)&mask->v4.sin_addr, 4);
    return same_bits(mine->v6.sin6_addr.s6_addr, a->v6.sin6_addr.s6_addr,
                     mask->v6.sin6_addr.s6_addr, 16);
}

bool nearby_is_near(const union address *a)
{
    struct ifaddrs *all;
    bool near = false;

    if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr))
        return true; /* no router passes it on */
    if ((a->any.sa_family != AF_INET && a->any.sa_family != AF_INET6) || getifaddrs(&all))
        return false;
    for (const struct ifaddrs *i = all; i && !near; i = i->ifa_next)
        near = in_network(i, a);
    freeifaddrs(all);
    return near;
}

/* Where a message goes out: an address for IPv4, an interface for IPv6. */
struct out {
    int family;
    struct in_addr at;
    unsigned index;
};

static unsigned interfaces(struct out ret[static INTERFACES_MAX])
{
    struct ifaddrs *all;
    unsigned n = 0;

    if (getifaddrs(&all))
        return 0;
    for (const struct ifaddrs *i = all; i && n < INTERFACES_MAX; i = i->ifa_next) {
        const union address *a = (const void *)i->ifa_addr;
        if (!a || !(i->ifa_flags & IFF_UP))
            continue;
        if (a->any.sa_family == AF_INET)
            ret[n++] = (struct out){ .family = AF_INET, .at = a->v4.sin_addr };
        else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr))
            ret[n++] = (struct out){ .family = AF_INET6, .index = a->v6.sin6_scope_id };
    }
    freeifaddrs(all);
    return n;
}

/* --- the group --- */

static void group(union address *ret, const struct out *out)
{
    *ret = (union address){ 0 };
    if (out->family == AF_INET) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(MDNS_PORT);
        inet_pton(AF_INET, "224.0.0.251", &ret->v4.sin_addr);
        return;
    }
    ret->v6.sin6_family = AF_INET6;
    ret->v6.sin6_port = htons(MDNS_PORT);
    ret->v6.sin6_scope_id = out->index;
    inet_pton(AF_INET6, "ff02::fb", &ret->v6.sin6_addr);
}

static int fd_of(const struct nearby *n, const struct out *out)
{
    return n->mdns[out->family == AF_INET6];
}

static void join(struct nearby *n, const struct out *out)
{
    union address to;
    int fd = fd_of(n, out);

    if (fd < 0)
        return;
    group(&to, out);
    if (out->family == AF_INET) {
        struct ip_mreq m = { .imr_multiaddr = to.v4.sin_addr, .imr_interface = out->at };
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m); /* perhaps it was joined */
    } else {
        struct ipv6_mreq m = { .ipv6mr_multiaddr = to.v6.sin6_addr,
                               .ipv6mr_interface = out->index };
        setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &m, sizeof m);
    }
}

struct question {
    uint8_t bytes[MDNS_MESSAGE_MAX];
    size_t len;
};

static void ask(struct nearby *n, const struct out *out, const struct question *q)
{
    union address to;
    int fd = fd_of(n, out), index = (int)out->index;

    if (fd < 0)
        return;
    int err = out->family == AF_INET
                  ? setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out->at, sizeof out->at)
                  : setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
    group(&to, out);
    if (!err)
        sendto(fd, q->bytes, q->len, 0, &to.any, address_len(&to));
}

/* --- the sockets --- */

/* Beside a daemon that has the port too. */
static int open_one(const struct nearby *n, int family)
{
    union address at = { .any.sa_family = (sa_family_t)family };
    int one = 1, fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool six = family == AF_INET6;

    if (fd < 0)
        return -1;
    if (six)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP,
               &one, sizeof one);
    if (n->serves) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
        if (six)
            at.v6.sin6_port = htons(MDNS_PORT);
        else
            at.v4.sin_port = htons(MDNS_PORT);
    }
    if (!bind(fd, &at.any, address_len(&at)))
        return fd;
    close(fd);
    return -1;
}

static void join_all(struct nearby *n, int64_t now_us)
{
    struct out outs[INTERFACES_MAX];
    unsigned count = interfaces(outs);

    n->ask_us = now_us + JOIN_US;
    for (unsigned i = 0; i < count; i++)
        join(n, &outs[i]);
}

static void ask_all(struct nearby *n, int64_t now_us)
{
    struct out outs[INTERFACES_MAX];
    unsigned count = interfaces(outs);
    struct question q;

    n->ask_us = now_us + ASK_US;
    q.len = mdns_put_question(q.bytes, n->question, SERVICE);
    for (unsigned i = 0; i < count; i++)
        ask(n, &outs[i], &q);
}

int nearby_open_mdns(struct nearby *n)
{
    int error = 0, err = 0;

    for (int i = 0; i < NEARBY_FAMILIES && !err; i++) {
        n->mdns[i] = open_one(n, i ? AF_INET6 : AF_INET);
        error = n->mdns[i] < 0 && !error ? errno : error;
        if (n->mdns[i] >= 0)
            err = sleep_add(&n->sleep, n->mdns[i], SLEEP_READ, NEARBY_FD_MDNS);
    }
    if (!err && n->mdns[0] < 0 && n->mdns[1] < 0) {
        errno = error;
        err = -ROOST_IO;
    }
    return err;
}

/* --- what comes --- */

static void answer(struct nearby *n, int fd, const uint8_t *bytes, size_t len,
                   const union address *from)
{
    uint8_t out[MDNS_MESSAGE_MAX];

    if (!mdns_is_question(bytes, len, SERVICE, &n->me.id))
        return;
    size_t out_len = mdns_put_answer(out, &n->me, SERVICE);
    sendto(fd, out, out_len, 0, &from->any, address_len(from));
}

/* By another interface, or by the other IP: if one does not work, the next may. */
static void add_place(struct nearby_places *p, const union address *at)
{
    for (unsigned i = 0; i < p->n; i++)
        if (address_equal(&p->at[i], at))
            return;
    if (p->n < NEARBY_PLACES_MAX)
        p->at[p->n++] = *at;
}

static void list(struct nearby *n, const uint8_t *bytes, size_t len, const union address *from)
{
    struct mdns_answer a;
    union address at = *from;

    if (mdns_read_answer(bytes, len, SERVICE, &a) || a.id != n->question || !a.has_text)
        return;
    if (at.any.sa_family == AF_INET6)
        at.v6.sin6_port = htons(a.port);
    else
        at.v4.sin_port = htons(a.port);
    for (unsigned i = 0; i < n->n_peers; i++)
        if (!memcmp(n->peers[i].offer, a.text, sizeof a.text)) {
            add_place(&n->places[i], &at);
            return;
        }
    if (n->n_peers == NEARBY_PEERS_MAX)
        return;
    struct nearby_peer *p = &n->peers[n->n_peers];
    memcpy(p->name, a.name, sizeof p->name);
    memcpy(p->offer, a.text, sizeof p->offer);
    address_text(&at, p->address);
    add_place(&n->places[n->n_peers], &at);
    nearby_tell(n, NEARBY_FOUND, n->n_peers++);
}

static void hear(struct nearby *n, int fd)
{
    uint8_t bytes[1500];
    union address from;
    ssize_t len;

    for (int i = 0; i < HEAR_MAX; i++) {
        socklen_t size = sizeof from;
        memset(&from, 0, sizeof from);
        len = recvfrom(fd, bytes, sizeof bytes, 0, &from.any, &size);
        if (len < 0)
            return;
        if (!nearby_is_near(&from))
            continue;
        if (n->serves)
            answer(n, fd, bytes, (size_t)len, &from);
        else
            list(n, bytes, (size_t)len, &from);
    }
}

void nearby_find(struct nearby *n, int64_t now_us)
{
    for (int i = 0; i < NEARBY_FAMILIES; i++)
        if (n->mdns[i] >= 0)
            hear(n, n->mdns[i]);
    if (n->ask_us > now_us)
        return;
    if (n->serves)
        join_all(n, now_us);
    else
        ask_all(n, now_us);
}
