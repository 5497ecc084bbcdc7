#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/utf8.h"
#include "client/nearby_inside.h"

#define CALL_US     (3 * 1000000LL)  /* to be connected, at one of its places */
#define STRANGER_US (60 * 1000000LL) /* a connection that is served says something */

enum { BACKLOG = 16 /* who call while somebody is served */ };

void nearby_tell(struct nearby *n, enum nearby_what what, unsigned peer)
{
    if (n->n_news < NEARBY_NEWS_MAX)
        n->news[n->n_news++] = (struct nearby_event){ what, peer };
}

bool nearby_event(struct nearby *n, struct nearby_event *ret)
{
    if (!n->n_news)
        return false;
    *ret = n->news[0];
    memmove(n->news, n->news + 1, --n->n_news * sizeof *n->news);
    return true;
}

/* --- the connection ----------------------------------------------------------------------------
 */

static void want(struct nearby *n)
{
    unsigned wants = SLEEP_READ | (n->connecting || n->n_out ? SLEEP_WRITE : 0u);

    if (n->call < 0 || wants == n->call_wants)
        return;
    sleep_set(&n->sleep, n->call, wants, NEARBY_FD_CALL);
    n->call_wants = wants;
}

static void take_call(struct nearby *n, int fd, bool connecting, int64_t until_us)
{
    n->call = fd;
    n->connecting = connecting;
    n->n_in = n->n_out = 0;
    n->call_until_us = until_us;
    n->call_wants = 0;
    if (!connecting)
        nearby_tell(n, NEARBY_MET, 0);
    want(n);
}

void nearby_hang_up(struct nearby *n)
{
    if (n->call < 0)
        return;
    sleep_remove(&n->sleep, n->call);
    close(n->call);
    n->call = -1;
    n->connecting = false;
}

static void lose_call(struct nearby *n)
{
    nearby_hang_up(n);
    nearby_tell(n, NEARBY_GONE, 0);
}

/* IPv6, and IPv4 in it; or IPv4 alone where there is no other. */
static int open_listen(struct nearby *n)
{
    union address at = { .any.sa_family = AF_INET6 };
    socklen_t len = sizeof at;
    int zero = 0;

    n->listen = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (n->listen < 0) {
        at.any.sa_family = AF_INET;
        n->listen = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    } else {
        setsockopt(n->listen, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    }
    if (n->listen < 0 || bind(n->listen, &at.any, address_len(&at)) || listen(n->listen, BACKLOG) ||
        getsockname(n->listen, &at.any, &len))
        return -ROOST_IO;
    n->me.port = ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
    return sleep_add(&n->sleep, n->listen, SLEEP_READ, NEARBY_FD_LISTEN);
}

/* Who calls while somebody is served waits, until that is over or somebody else listens. */
static void mind_listen(struct nearby *n)
{
    bool busy = n->call >= 0;

    if (n->listen < 0 || n->busy == busy)
        return;
    n->busy = busy;
    sleep_set(&n->sleep, n->listen, busy ? 0 : SLEEP_READ, NEARBY_FD_LISTEN);
}

static void take_calls(struct nearby *n, int64_t now_us)
{
    while (n->call < 0) {
        union address from = { 0 };
        socklen_t len = sizeof from;
        int fd = accept4(n->listen, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        address_plain(&from);
        if (nearby_is_near(&from))
            take_call(n, fd, false, now_us + STRANGER_US);
        else
            close(fd);
    }
}

/* At the next place of the peer that takes a call at all. */
static int call_next(struct nearby *n, int64_t now_us)
{
    struct nearby_places *p = &n->places[n->peer];

    while (p->tried < p->n) {
        const union address *at = &p->at[p->tried++];
        int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        if (!connect(fd, &at->any, address_len(at)) || errno == EINPROGRESS) {
            take_call(n, fd, true, now_us + CALL_US);
            return 0;
        }
        close(fd);
    }
    return -ROOST_IO;
}

int nearby_call(struct nearby *n, unsigned peer, int64_t now_us)
{
    if (peer >= n->n_peers)
        return -ROOST_INVALID;
    nearby_hang_up(n);
    n->peer = peer;
    n->places[peer].tried = 0;
    memcpy(n->offer, n->peers[peer].offer, sizeof n->offer);
    int err = call_next(n, now_us);
    if (err)
        nearby_give_up(n);
    return err;
}

void nearby_give_up(struct nearby *n)
{
    n->peer_gone[n->peer] = true;
}

/* Was not to be reached there; else it is gone. */
static void lose_place(struct nearby *n, int64_t now_us)
{
    bool connecting = n->connecting;

    nearby_hang_up(n);
    if (connecting && !call_next(n, now_us))
        return;
    if (connecting)
        nearby_give_up(n);
    nearby_tell(n, NEARBY_GONE, 0);
}

static bool is_connected(struct nearby *n, int64_t now_us)
{
    union address there;
    socklen_t size = sizeof there;
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(n->call, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
        lose_place(n, now_us);
        return false;
    }
    if (getpeername(n->call, &there.any, &size))
        return false; /* not yet */
    n->connecting = false;
    n->call_until_us = INT64_MAX;
    nearby_tell(n, NEARBY_MET, 0);
    return true;
}

static void write_call(struct nearby *n)
{
    while (n->n_out) {
        ssize_t m = send(n->call, n->out, n->n_out, MSG_NOSIGNAL);
        if (m < 0 && errno != EAGAIN && errno != EINTR)
            lose_call(n);
        if (m <= 0)
            return;
        n->n_out -= (size_t)m;
        memmove(n->out, n->out + m, n->n_out);
    }
}

static size_t signal_len(const struct nearby *n)
{
    return (size_t)n->in[0] << 8 | n->in[1];
}

static void read_call(struct nearby *n)
{
    while (n->call >= 0 && n->n_in < sizeof n->in) {
        ssize_t m = recv(n->call, n->in + n->n_in, sizeof n->in - n->n_in, 0);
        if (m < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (m <= 0) {
            lose_call(n);
            return;
        }
        n->n_in += (size_t)m;
        n->call_until_us = INT64_MAX;
        if (n->n_in >= NEARBY_SIGNAL_HEAD && (!signal_len(n) || signal_len(n) > REACH_SIGNAL_MAX))
            lose_call(n);
    }
}

int nearby_send(struct nearby *n, const uint8_t *bytes, size_t len)
{
    if (n->call < 0 || n->connecting)
        return -ROOST_CLOSED;
    if (!len || len > REACH_SIGNAL_MAX)
        return -ROOST_INVALID;
    if (n->n_out + NEARBY_SIGNAL_HEAD + len > sizeof n->out)
        return -ROOST_LIMIT;
    n->out[n->n_out++] = (uint8_t)(len >> 8);
    n->out[n->n_out++] = (uint8_t)len;
    memcpy(n->out + n->n_out, bytes, len);
    n->n_out += len;
    write_call(n);
    want(n);
    return 0;
}

int nearby_receive(struct nearby *n, uint8_t ret[static REACH_SIGNAL_MAX])
{
    if (n->n_in < NEARBY_SIGNAL_HEAD || n->n_in < NEARBY_SIGNAL_HEAD + signal_len(n))
        return 0;
    size_t len = signal_len(n), all = NEARBY_SIGNAL_HEAD + len;
    if (!len || len > REACH_SIGNAL_MAX)
        return 0;
    memcpy(ret, n->in + NEARBY_SIGNAL_HEAD, len);
    n->n_in -= all;
    memmove(n->in, n->in + all, n->n_in);
    if (n->call >= 0)
        read_call(n);
    return (int)len;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static int begin(struct nearby **ret, struct nearby *n)
{
    n->mdns[0] = n->mdns[1] = n->listen = n->call = -1;
    n->sleep = (struct sleep){ -1, -1 };
    int err = getrandom(&n->question, sizeof n->question, 0) == sizeof n->question &&
                      getrandom(n->me.text, sizeof n->me.text, 0) == sizeof n->me.text
                  ? sleep_init(&n->sleep, false)
                  : -ROOST_IO;
    memcpy(n->offer, n->me.text, sizeof n->offer);
    if (!err && n->serves)
        err = open_listen(n);
    if (!err)
        err = nearby_open_mdns(n);
    if (err) {
        nearby_free(n);
        return err;
    }
    *ret = n;
    return 0;
}

int nearby_serve(struct nearby **ret, const char *name, int64_t now_us)
{
    struct nearby *n = calloc(1, sizeof *n);
    size_t len = utf8_fit(name, MDNS_NAME_MAX);

    if (!n)
        return -ROOST_NOMEM;
    n->serves = true;
    n->ask_us = now_us;
    n->call_until_us = INT64_MAX;
    if (!len || !utf8_valid(name, len)) {
        free(n);
        return -ROOST_INVALID;
    }
    memcpy(n->me.name, name, len);
    return begin(ret, n);
}

int nearby_look(struct nearby **ret, int64_t now_us)
{
    struct nearby *n = calloc(1, sizeof *n);

    if (!n)
        return -ROOST_NOMEM;
    n->ask_us = now_us;
    n->call_until_us = INT64_MAX;
    return begin(ret, n);
}

void nearby_free(struct nearby *n)
{
    int error = errno;

    if (!n)
        return;
    nearby_hang_up(n);
    if (n->listen >= 0)
        close(n->listen);
    for (int i = 0; i < NEARBY_FAMILIES; i++)
        if (n->mdns[i] >= 0)
            close(n->mdns[i]);
    sleep_fini(&n->sleep);
    free(n);
    errno = error;
}

/* One of what is listened to is somebody else's from now on. */
static int move_fd(struct nearby *to, struct nearby *from, int *fd, int *ret_fd, unsigned id)
{
    if (*fd < 0)
        return 0;
    sleep_remove(&from->sleep, *fd);
    *ret_fd = *fd;
    *fd = -1;
    return sleep_add(&to->sleep, *ret_fd, SLEEP_READ, id);
}

int nearby_pass_on(struct nearby *from, struct nearby **ret)
{
    struct nearby *n;

    if (!nearby_listens(from))
        return -ROOST_INVALID;
    if (!(n = calloc(1, sizeof *n)))
        return -ROOST_NOMEM;
    n->mdns[0] = n->mdns[1] = n->listen = n->call = -1;
    n->serves = true;
    n->me = from->me;
    memcpy(n->offer, from->offer, sizeof n->offer);
    n->ask_us = from->ask_us;
    n->call_until_us = INT64_MAX;
    int err = sleep_init(&n->sleep, false);
    for (int i = 0; i < NEARBY_FAMILIES && !err; i++)
        err = move_fd(n, from, &from->mdns[i], &n->mdns[i], NEARBY_FD_MDNS);
    if (!err)
        err = move_fd(n, from, &from->listen, &n->listen, NEARBY_FD_LISTEN);
    if (err) {
        nearby_free(n);
        return err;
    }
    from->ask_us = INT64_MAX;
    *ret = n;
    return 0;
}

bool nearby_listens(const struct nearby *n)
{
    return n->listen >= 0;
}

bool nearby_is_called(const struct nearby *n)
{
    return n->call >= 0;
}

uint32_t nearby_link(const struct nearby *n)
{
    union address there = { 0 };
    socklen_t size = sizeof there;

    if (n->call < 0 || getpeername(n->call, &there.any, &size) || there.any.sa_family != AF_INET6 ||
        !IN6_IS_ADDR_LINKLOCAL(&there.v6.sin6_addr))
        return 0;
    return there.v6.sin6_scope_id;
}

void nearby_process(struct nearby *n, int64_t now_us)
{
    nearby_find(n, now_us);
    if (n->listen >= 0)
        take_calls(n, now_us);
    mind_listen(n);
    if (n->call >= 0 && n->call_until_us <= now_us)
        lose_place(n, now_us);
    if (n->call >= 0 && n->connecting && !is_connected(n, now_us))
        return;
    if (n->call >= 0)
        write_call(n);
    if (n->call >= 0)
        read_call(n);
    want(n);
    mind_listen(n);
}

int64_t nearby_deadline_us(const struct nearby *n)
{
    return n->call >= 0 && n->call_until_us < n->ask_us ? n->call_until_us : n->ask_us;
}

int nearby_fd(const struct nearby *n)
{
    return n->sleep.epoll;
}

unsigned nearby_peers(const struct nearby *n)
{
    return n->n_peers;
}

const struct nearby_peer *nearby_peer(const struct nearby *n, unsigned i)
{
    return i < n->n_peers ? &n->peers[i] : NULL;
}

static bool same_host(union address a, union address b)
{
    in_port_t *port_a = a.any.sa_family == AF_INET6 ? &a.v6.sin6_port : &a.v4.sin_port;
    in_port_t *port_b = b.any.sa_family == AF_INET6 ? &b.v6.sin6_port : &b.v4.sin_port;

    *port_a = *port_b = 0;
    return address_equal(&a, &b);
}

static bool same_machine(const struct nearby_places *a, const struct nearby_places *b)
{
    for (unsigned i = 0; i < a->n; i++)
        for (unsigned k = 0; k < b->n; k++)
            if (same_host(a->at[i], b->at[k]))
                return true;
    return false;
}

bool nearby_is_there(const struct nearby *n, unsigned i)
{
    if (i >= n->n_peers || n->peer_gone[i])
        return false;
    for (unsigned k = i + 1; k < n->n_peers; k++)
        if (!n->peer_gone[k] && !strcmp(n->peers[i].name, n->peers[k].name) &&
            same_machine(&n->places[i], &n->places[k]))
            return false;
    return true;
}

const uint8_t *nearby_offer(const struct nearby *n)
{
    return n->offer;
}
