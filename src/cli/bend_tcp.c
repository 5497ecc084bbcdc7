/* bend_tcp.c - connections of programs: each has a socket toward the target and two links of its
 * own (LINK_STREAM: in order and complete; a loss costs a round trip). */
#include "cli/bend.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

/* PIECE_BYTES: what the link loses or keeps is about a packet. INSIDE_BYTES_MAX: in one link;
 * past it we do not read, and the sender's TCP notices. */
enum { FLOWS_MAX = 256, PIECE_BYTES = 1400, INSIDE_BYTES_MAX = 8 << 20 };

/* One end of a connection, and the link from there to the other end. */
struct end {
    int fd;
    struct link link;
    struct blob *refused; /* read, but the link's queue was full */
    struct blob *arrived; /* at the other end, which did not take all of it */
    size_t written;       /* of that */
    bool ended;           /* nothing more comes from here */
    bool told;            /* and the other end knows */
    unsigned waits_for;   /* SLEEP_READ, SLEEP_WRITE */
};

struct flow_pair {
    bool used, connecting;
    struct end end[2]; /* BEND_UP: the client */
};

struct bend_tcp {
    int listener;
    union address to;
    struct flow_pair flows[FLOWS_MAX];
};

static size_t id_of(size_t flow, int way)
{
    return flow * 2 + (size_t)way;
}

/* --- opening --- */

static int listen_at(struct bend *b, union address *listen_at)
{
    int on = 1, off = 0;
    socklen_t len = sizeof *listen_at;
    int fd = socket(listen_at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    b->tcp->listener = fd;
    if (fd < 0)
        return -ROOST_IO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listen_at->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &listen_at->any, address_len(listen_at)) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, &listen_at->any, &len) < 0)
        return -ROOST_IO;
    return sleep_add(&b->sleep, fd, SLEEP_READ, bend_id(BEND_TCP_LISTEN, 0));
}

int bend_tcp_open(struct bend *b, union address *listen, const union address *to,
                  char wrong[static BEND_WRONG_MAX])
{
    char text[ADDRESS_TEXT_MAX];

    b->tcp = calloc(1, sizeof *b->tcp);
    int err = b->tcp ? listen_at(b, listen) : -ROOST_NOMEM;
    if (err) {
        address_text(listen, text);
        snprintf(wrong, BEND_WRONG_MAX, "listening for connections at %s: %s", text,
                 err == -ROOST_NOMEM ? "out of memory" : strerror(errno));
        return err;
    }
    b->tcp->to = *to;
    return 0;
}

/* --- closing --- */

static void drop_flow(struct bend *b, size_t i)
{
    struct flow_pair *f = &b->tcp->flows[i];

    for (int way = 0; way < 2; way++) {
        struct end *e = &f->end[way];
        if (e->fd >= 0) {
            sleep_remove(&b->sleep, e->fd);
            close(e->fd);
        }
        blob_unref(e->refused);
        blob_unref(e->arrived);
        link_reset(&e->link);
        bend_count(&b->closed[way], &e->link.counts);
        link_fini(&e->link);
    }
    *f = (struct flow_pair){ 0 };
}

void bend_tcp_close(struct bend *b)
{
    if (!b->tcp)
        return;
    for (size_t i = 0; i < FLOWS_MAX; i++)
        if (b->tcp->flows[i].used)
            drop_flow(b, i);
    if (b->tcp->listener >= 0)
        close(b->tcp->listener);
    free(b->tcp);
    b->tcp = NULL;
}

/* --- a new connection --- */

static int connect_to(const union address *to)
{
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return fd;
    if (connect(fd, &to->any, address_len(to)) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static void begin_end(struct bend *b, size_t i, int way, int fd)
{
    struct end *e = &b->tcp->flows[i].end[way];
    int on = 1;

    e->fd = fd;
    link_init(&e->link, LINK_STREAM, way == BEND_UP ? &b->pair.up : &b->pair.down,
              dice_next(&b->dice));
    link_set_down(&e->link, b->down, 0);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    e->waits_for = way == BEND_UP ? SLEEP_READ : SLEEP_WRITE;
    if (sleep_add(&b->sleep, fd, e->waits_for, bend_id(BEND_TCP, id_of(i, way))) < 0) {
        close(fd);
        e->fd = -1;
    }
}

void bend_tcp_on_accept(struct bend *b, int64_t now_us)
{
    (void)now_us;
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        struct flow_pair *f = &b->tcp->flows[i];
        if (f->used)
            continue;
        int fd = accept4(b->tcp->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        f->used = f->connecting = true;
        begin_end(b, i, BEND_UP, fd);
        begin_end(b, i, BEND_DOWN, connect_to(&b->tcp->to));
        if (f->end[0].fd < 0 || f->end[1].fd < 0)
            drop_flow(b, i);
    }
    for (int n = 0; n < BEND_AT_ONCE; n++) { /* no place */
        int fd = accept4(b->tcp->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        close(fd);
        b->crowded++;
    }
}

/* --- bytes --- */

static uint64_t inside_bytes(const struct link *l)
{
    return l->counts.pushed_bytes - l->counts.arrived_bytes;
}

/* false: no more now */
static bool push_refused(struct end *e, int64_t now_us)
{
    if (e->refused && link_push(&e->link, now_us, e->refused) < 0)
        return false;
    e->refused = blob_unref(e->refused);
    return inside_bytes(&e->link) < INSIDE_BYTES_MAX;
}

/* false: the connection is broken */
static bool read_some(struct end *e, int64_t now_us)
{
    uint8_t bytes[PIECE_BYTES];

    for (int i = 0; i < BEND_AT_ONCE && !e->ended && push_refused(e, now_us); i++) {
        ssize_t n = recv(e->fd, bytes, sizeof bytes, 0);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0) {
            e->ended = true;
            return true;
        }
        e->refused = blob_copy(bytes, (size_t)n);
        if (!e->refused)
            return false;
    }
    push_refused(e, now_us);
    return true;
}

/* What has arrived from `from` goes to fd, as far as it takes it. */
static bool write_some(struct end *from, int fd, int64_t now_us)
{
    while (from->arrived || (from->arrived = link_next(&from->link, now_us))) {
        size_t left = from->arrived->len - from->written;
        ssize_t n = send(fd, from->arrived->bytes + from->written, left, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        from->written += (size_t)n;
        if ((size_t)n < left)
            return true;
        from->arrived = blob_unref(from->arrived);
        from->written = 0;
    }
    if (from->ended && !from->told && !from->refused && link_is_empty(&from->link)) {
        from->told = true;
        shutdown(fd, SHUT_WR);
    }
    return true;
}

static void wait_for(struct bend *b, size_t i, int way)
{
    struct flow_pair *f = &b->tcp->flows[i];
    struct end *e = &f->end[way], *other = &f->end[!way];
    bool reads = !e->ended && !e->refused && inside_bytes(&e->link) < INSIDE_BYTES_MAX &&
                 !(way == BEND_DOWN && f->connecting);
    bool writes = other->arrived || (way == BEND_DOWN && f->connecting);
    unsigned want = (reads ? SLEEP_READ : 0) | (writes ? SLEEP_WRITE : 0);

    if (want != e->waits_for)
        sleep_set(&b->sleep, e->fd, want, bend_id(BEND_TCP, id_of(i, way)));
    e->waits_for = want;
}

/* Both directions as far as they go; the connection may be over then. */
static void turn(struct bend *b, size_t i, unsigned readable, int64_t now_us)
{
    struct flow_pair *f = &b->tcp->flows[i];
    bool alive = true;

    for (int way = 0; way < 2 && alive; way++) {
        struct end *e = &f->end[way];
        if (readable & 1u << way)
            alive = read_some(e, now_us);
        else
            push_refused(e, now_us);
        if (alive && !f->connecting)
            alive = write_some(e, f->end[!way].fd, now_us);
    }
    if (!alive || (f->end[0].told && f->end[1].told)) {
        drop_flow(b, i);
        return;
    }
    wait_for(b, i, BEND_UP);
    wait_for(b, i, BEND_DOWN);
}

static bool has_connected(int fd)
{
    int why = 0;
    socklen_t len = sizeof why;

    return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) && !why;
}

void bend_tcp_on_ready(struct bend *b, size_t index, unsigned what, int64_t now_us)
{
    size_t i = index / 2;
    int way = (int)(index % 2);
    struct flow_pair *f = &b->tcp->flows[i];

    if (!f->used)
        return;
    if (way == BEND_DOWN && f->connecting && what & SLEEP_WRITE) {
        if (!has_connected(f->end[BEND_DOWN].fd)) {
            drop_flow(b, i);
            return;
        }
        f->connecting = false;
    }
    turn(b, i, what & SLEEP_READ ? 1u << way : 0, now_us);
}

void bend_tcp_deliver(struct bend *b, int64_t now_us)
{
    for (size_t i = 0; i < FLOWS_MAX; i++)
        if (b->tcp->flows[i].used)
            turn(b, i, 0, now_us);
}

/* --- for all of them --- */

int64_t bend_tcp_deadline_us(const struct bend *b)
{
    int64_t at = INT64_MAX;

    for (size_t i = 0; b->tcp && i < FLOWS_MAX; i++)
        for (int way = 0; b->tcp->flows[i].used && way < 2; way++) {
            const struct end *e = &b->tcp->flows[i].end[way];
            int64_t due = e->arrived ? INT64_MAX : link_deadline_us(&e->link);
            if (e->refused && !b->down && link_idle_us(&e->link) < due)
                due = link_idle_us(&e->link);
            if (!b->tcp->flows[i].connecting && due < at)
                at = due;
        }
    return at;
}

void bend_tcp_set(struct bend *b)
{
    for (size_t i = 0; b->tcp && i < FLOWS_MAX; i++)
        if (b->tcp->flows[i].used) {
            link_set(&b->tcp->flows[i].end[BEND_UP].link, &b->pair.up);
            link_set(&b->tcp->flows[i].end[BEND_DOWN].link, &b->pair.down);
        }
}

void bend_tcp_set_down(struct bend *b, int64_t now_us)
{
    for (size_t i = 0; b->tcp && i < FLOWS_MAX; i++)
        for (int way = 0; b->tcp->flows[i].used && way < 2; way++)
            link_set_down(&b->tcp->flows[i].end[way].link, b->down, now_us);
}

size_t bend_tcp_flows(const struct bend *b)
{
    size_t n = 0;

    for (size_t i = 0; b->tcp && i < FLOWS_MAX; i++)
        n += b->tcp->flows[i].used;
    return n;
}

void bend_tcp_count(const struct bend *b, int way, int64_t now_us, struct link_counts *sum,
                    uint64_t *waiting_bytes)
{
    for (size_t i = 0; b->tcp && i < FLOWS_MAX; i++)
        if (b->tcp->flows[i].used) {
            bend_count(sum, &b->tcp->flows[i].end[way].link.counts);
            *waiting_bytes += link_backlog_bytes(&b->tcp->flows[i].end[way].link, now_us);
        }
}
