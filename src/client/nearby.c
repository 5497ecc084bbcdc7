#include "client/nearby.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/utf8.h"
#include "net/address.h"
#include "net/sleep.h"

#define SERVICE     "_roost-send._tcp"
#define GROUP       "224.0.0.251"
#define ASK_US      (1000 * 1000LL)
#define CALL_US     (5 * 1000000LL)  /* to be connected */
#define STRANGER_US (60 * 1000000LL) /* a connection that is served says something */

enum {
    FD_MDNS,
    FD_LISTEN,
    FD_CALL,
    NEWS_MAX = NEARBY_PEERS_MAX + 8,
    SIGNAL_HEAD = 2,
    OUT_MAX = 16 * (REACH_SIGNAL_MAX + SIGNAL_HEAD),
    HEAR_MAX = 64, /* messages in one turn */
};

struct nearby {
    bool serves;
    struct mdns_answer me;
    uint8_t offer[REACH_OFFER];
    int mdns, listen, call;
    bool connecting;
    unsigned call_wants;
    struct sleep sleep;
    uint16_t question;
    int64_t ask_us, call_until_us;
    struct nearby_peer peers[NEARBY_PEERS_MAX];
    union address at[NEARBY_PEERS_MAX];
    unsigned n_peers;
    struct nearby_event news[NEWS_MAX];
    unsigned n_news;
    uint8_t in[REACH_SIGNAL_MAX + SIGNAL_HEAD], out[OUT_MAX];
    size_t n_in, n_out;
};

static void tell(struct nearby *n, enum nearby_what what, unsigned peer)
{
    if (n->n_news < NEWS_MAX)
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

/* --- this machine's networks --------------------------------------------------------------- */

static bool in_network(const struct ifaddrs *i, const union address *a)
{
    if (!i->ifa_addr || !i->ifa_netmask || i->ifa_addr->sa_family != AF_INET)
        return false;
    uint32_t mine = ((const struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr;
    uint32_t mask = ((const struct sockaddr_in *)i->ifa_netmask)->sin_addr.s_addr;
    return ((mine ^ a->v4.sin_addr.s_addr) & mask) == 0;
}

static bool is_near(const union address *a)
{
    struct ifaddrs *all;
    bool near = false;

    if (a->any.sa_family != AF_INET || getifaddrs(&all))
        return false;
    for (const struct ifaddrs *i = all; i && !near; i = i->ifa_next)
        near = in_network(i, a);
    freeifaddrs(all);
    return near;
}

/* Calls for each interface that speaks IPv4; returns how often it worked. */
static int each_interface(int fd, void (*what)(int fd, const struct in_addr *at, void *ctx),
                          void *ctx)
{
    struct ifaddrs *all;
    int n = 0;

    if (getifaddrs(&all))
        return 0;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET && (i->ifa_flags & IFF_UP)) {
            what(fd, &((const struct sockaddr_in *)i->ifa_addr)->sin_addr, ctx);
            n++;
        }
    freeifaddrs(all);
    return n;
}

/* --- multicast DNS --------------------------------------------------------------------------- */

static struct sockaddr_in group(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(MDNS_PORT) };

    inet_pton(AF_INET, GROUP, &a.sin_addr);
    return a;
}

static void join(int fd, const struct in_addr *at, void *ctx)
{
    struct ip_mreq m = { .imr_multiaddr = group().sin_addr, .imr_interface = *at };

    (void)ctx;
    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m); /* perhaps it was joined */
}

/* Beside a daemon that has the port too. */
static int open_mdns(struct nearby *n)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    int one = 1;

    n->mdns = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (n->mdns < 0)
        return -ROOST_IO;
    setsockopt(n->mdns, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof one);
    if (n->serves) {
        setsockopt(n->mdns, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        setsockopt(n->mdns, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
        at.sin_port = htons(MDNS_PORT);
    }
    if (bind(n->mdns, (struct sockaddr *)&at, sizeof at))
        return -ROOST_IO;
    if (n->serves)
        each_interface(n->mdns, join, NULL);
    return sleep_add(&n->sleep, n->mdns, SLEEP_READ, FD_MDNS);
}

struct question {
    uint8_t bytes[MDNS_MESSAGE_MAX];
    size_t len;
};

static void ask_there(int fd, const struct in_addr *at, void *ctx)
{
    const struct question *q = ctx;
    struct sockaddr_in to = group();

    if (!setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, at, sizeof *at))
        sendto(fd, q->bytes, q->len, 0, (struct sockaddr *)&to, sizeof to);
}

static void ask(struct nearby *n, int64_t now_us)
{
    struct question q;

    n->ask_us = now_us + ASK_US;
    q.len = mdns_put_question(q.bytes, n->question, SERVICE);
    each_interface(n->mdns, ask_there, &q);
}

static void answer(struct nearby *n, const uint8_t *bytes, size_t len, const union address *from)
{
    uint8_t out[MDNS_MESSAGE_MAX];

    if (!mdns_is_question(bytes, len, SERVICE, &n->me.id))
        return;
    size_t out_len = mdns_put_answer(out, &n->me, SERVICE);
    sendto(n->mdns, out, out_len, 0, &from->any, sizeof from->v4);
}

static void list(struct nearby *n, const uint8_t *bytes, size_t len, const union address *from)
{
    struct mdns_answer a;
    union address at = *from;

    if (mdns_read_answer(bytes, len, SERVICE, &a) || a.id != n->question || !a.has_text)
        return;
    at.v4.sin_port = htons(a.port);
    for (unsigned i = 0; i < n->n_peers; i++)
        if (!memcmp(n->peers[i].offer, a.text, sizeof a.text))
            return; /* by another interface */
    if (n->n_peers == NEARBY_PEERS_MAX)
        return;
    struct nearby_peer *p = &n->peers[n->n_peers];
    memcpy(p->name, a.name, sizeof p->name);
    memcpy(p->offer, a.text, sizeof p->offer);
    address_text(&at, p->address);
    n->at[n->n_peers] = at;
    tell(n, NEARBY_FOUND, n->n_peers++);
}

static void hear_mdns(struct nearby *n)
{
    uint8_t bytes[1500];
    union address from;
    ssize_t len;

    for (int i = 0; i < HEAR_MAX; i++) {
        socklen_t size = sizeof from;
        memset(&from, 0, sizeof from);
        len = recvfrom(n->mdns, bytes, sizeof bytes, 0, &from.any, &size);
        if (len < 0)
            return;
        if (!is_near(&from))
            continue;
        if (n->serves)
            answer(n, bytes, (size_t)len, &from);
        else
            list(n, bytes, (size_t)len, &from);
    }
}

/* --- the connection ----------------------------------------------------------------------------
 */

static void want(struct nearby *n)
{
    unsigned wants = SLEEP_READ | (n->connecting || n->n_out ? SLEEP_WRITE : 0u);

    if (n->call < 0 || wants == n->call_wants)
        return;
    sleep_set(&n->sleep, n->call, wants, FD_CALL);
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
        tell(n, NEARBY_MET, 0);
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
    tell(n, NEARBY_GONE, 0);
}

static int open_listen(struct nearby *n)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;

    n->listen = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (n->listen < 0 || bind(n->listen, (struct sockaddr *)&at, sizeof at) ||
        listen(n->listen, 4) || getsockname(n->listen, (struct sockaddr *)&at, &len))
        return -ROOST_IO;
    n->me.port = ntohs(at.sin_port);
    return sleep_add(&n->sleep, n->listen, SLEEP_READ, FD_LISTEN);
}

/* One at a time: who comes while somebody is there is told so by being hung up on. */
static void take_calls(struct nearby *n, int64_t now_us)
{
    for (;;) {
        union address from = { 0 };
        socklen_t len = sizeof from;
        int fd = accept4(n->listen, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (n->call < 0 && is_near(&from))
            take_call(n, fd, false, now_us + STRANGER_US);
        else
            close(fd);
    }
}

int nearby_call(struct nearby *n, unsigned peer, int64_t now_us)
{
    if (peer >= n->n_peers)
        return -ROOST_INVALID;
    nearby_hang_up(n);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -ROOST_IO;
    if (connect(fd, &n->at[peer].any, sizeof n->at[peer].v4) && errno != EINPROGRESS) {
        close(fd);
        return -ROOST_IO;
    }
    memcpy(n->offer, n->peers[peer].offer, sizeof n->offer);
    take_call(n, fd, true, now_us + CALL_US);
    return 0;
}

static bool is_connected(struct nearby *n)
{
    union address there;
    socklen_t size = sizeof there;
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(n->call, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
        lose_call(n);
        return false;
    }
    if (getpeername(n->call, &there.any, &size))
        return false; /* not yet */
    n->connecting = false;
    n->call_until_us = INT64_MAX;
    tell(n, NEARBY_MET, 0);
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
        if (n->n_in >= SIGNAL_HEAD && (!signal_len(n) || signal_len(n) > REACH_SIGNAL_MAX))
            lose_call(n);
    }
}

int nearby_send(struct nearby *n, const uint8_t *bytes, size_t len)
{
    if (n->call < 0 || n->connecting)
        return -ROOST_CLOSED;
    if (!len || len > REACH_SIGNAL_MAX)
        return -ROOST_INVALID;
    if (n->n_out + SIGNAL_HEAD + len > sizeof n->out)
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
    if (n->n_in < SIGNAL_HEAD || n->n_in < SIGNAL_HEAD + signal_len(n))
        return 0;
    size_t len = signal_len(n), all = SIGNAL_HEAD + len;
    if (!len || len > REACH_SIGNAL_MAX)
        return 0;
    memcpy(ret, n->in + SIGNAL_HEAD, len);
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
    n->mdns = n->listen = n->call = -1;
    n->sleep = (struct sleep){ -1, -1 };
    int err = getrandom(&n->question, sizeof n->question, 0) == sizeof n->question &&
                      getrandom(n->me.text, sizeof n->me.text, 0) == sizeof n->me.text
                  ? sleep_init(&n->sleep, false)
                  : -ROOST_IO;
    memcpy(n->offer, n->me.text, sizeof n->offer);
    if (!err && n->serves)
        err = open_listen(n);
    if (!err)
        err = open_mdns(n);
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
    n->ask_us = n->call_until_us = INT64_MAX;
    (void)now_us;
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
    if (n->mdns >= 0)
        close(n->mdns);
    sleep_fini(&n->sleep);
    free(n);
    errno = error;
}

void nearby_process(struct nearby *n, int64_t now_us)
{
    hear_mdns(n);
    if (n->ask_us <= now_us)
        ask(n, now_us);
    if (n->serves)
        take_calls(n, now_us);
    if (n->call >= 0 && n->call_until_us <= now_us)
        lose_call(n);
    if (n->call >= 0 && n->connecting && !is_connected(n))
        return;
    if (n->call >= 0)
        write_call(n);
    if (n->call >= 0)
        read_call(n);
    want(n);
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

const uint8_t *nearby_offer(const struct nearby *n)
{
    return n->offer;
}
