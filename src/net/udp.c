#include "net/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "net/udp_inside.h"

static bool set(int fd, int level, int name, int value)
{
    return !setsockopt(fd, level, name, &value, sizeof value);
}

/* Some of it may be missing: then it is done without. */
static void set_up(struct udp *u, const struct udp_settings *s)
{
    bool six = u->family == AF_INET6;

    set(u->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set(u->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    set(u->fd, IPPROTO_IP, IP_PKTINFO, 1);
    bool ecn = set(u->fd, IPPROTO_IP, IP_RECVTOS, 1);
    if (six) {
        set(u->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        set(u->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        ecn = set(u->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    }
    if (!ecn)
        u->counts.lacks |= UDP_LACKS_ECN;
    if (!udp_lacks(u, UDP_LACKS_GRO) && !set(u->fd, IPPROTO_UDP, UDP_GRO, 1))
        u->counts.lacks |= UDP_LACKS_GRO;
    /* A kernel that does not know it would send a run as one datagram, without a word. */
    if (!set(u->fd, IPPROTO_UDP, UDP_SEGMENT, 0))
        u->counts.lacks |= UDP_LACKS_SEGMENT;
    if (s->stamps)
        set(u->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (s->queue_bytes) {
        set(u->fd, SOL_SOCKET, SO_RCVBUF, (int)s->queue_bytes);
        set(u->fd, SOL_SOCKET, SO_SNDBUF, (int)s->queue_bytes);
    }
}

/* Then all leaves from there, and nobody need say so. */
static bool is_somewhere(const union address *a)
{
    return a->any.sa_family == AF_INET6 ? !IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr)
                                        : a->v4.sin_addr.s_addr != htonl(INADDR_ANY);
}

static int bind_it(struct udp *u, const struct udp_settings *s)
{
    if (u->family == AF_INET6)
        set(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, s->v6_only);
    if (s->reuse_port && !set(u->fd, SOL_SOCKET, SO_REUSEPORT, 1))
        return -ROOST_IO;
    if (bind(u->fd, &s->at.any, address_len(&s->at)))
        return -ROOST_IO;
    u->bound = is_somewhere(&s->at);
    u->connected = s->connect;
    u->to = s->to;
    if (s->connect && connect(u->fd, &s->to.any, address_len(&s->to)))
        return -ROOST_IO;
    return 0;
}

int udp_open(struct udp **ret, const struct udp_settings *s)
{
    struct udp *u = calloc(1, sizeof *u);
    int err = -ROOST_NOMEM;

    if (!u)
        return err;
    u->fd = -1;
    u->family = s->at.any.sa_family;
    u->counts.lacks = s->lacks;
    u->in_bytes = malloc(UDP_BATCH * sizeof *u->in_bytes);
    u->in_control = malloc(UDP_BATCH * sizeof *u->in_control);
    if (!u->in_bytes || !u->in_control)
        goto out;
    err = -ROOST_IO;
    u->fd = socket(u->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->fd < 0)
        goto out;
    set_up(u, s);
    err = bind_it(u, s);
    if (err)
        goto out;
    *ret = u;
    u = NULL;
out:
    udp_close(u);
    return err;
}

void udp_close(struct udp *u)
{
    int error = errno; /* of what failed before */

    if (!u)
        return;
    if (u->fd >= 0)
        close(u->fd);
    free(u->in_bytes);
    free(u->in_control);
    free(u);
    errno = error;
}

int udp_fd(const struct udp *u)
{
    return u->fd;
}

const struct udp_counts *udp_counts(const struct udp *u)
{
    return &u->counts;
}

static void set_port(union address *a, const union address *from)
{
    if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = from->v6.sin6_port;
    else
        a->v4.sin_port = from->v4.sin_port;
}

int udp_source(const union address *to, union address *ret)
{
    static const union address none;
    union address at = none;
    socklen_t len = sizeof at;
    int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && !connect(fd, &to->any, address_len(to)) && !getsockname(fd, &at.any, &len);

    if (fd >= 0)
        close(fd);
    if (!ok)
        return -ROOST_IO;
    set_port(&at, &none);
    *ret = at;
    return 0;
}

bool udp_follow(struct udp *u)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    union address now = { 0 }, mine;

    if (!u->connected || udp_source(&u->to, &now) || udp_where(u, &mine))
        return false;
    set_port(&now, &mine);
    if (address_equal(&now, &mine))
        return false;
    return !connect(u->fd, &nobody, sizeof nobody) &&
           !connect(u->fd, &u->to.any, address_len(&u->to));
}

void udp_tap(struct udp *u, udp_tap_fn *fn, void *ctx)
{
    u->tap = fn;
    u->tap_ctx = ctx;
}

int udp_where(const struct udp *u, union address *ret)
{
    socklen_t len = sizeof *ret;

    memset(ret, 0, sizeof *ret);
    return getsockname(u->fd, &ret->any, &len) ? -ROOST_IO : 0;
}
