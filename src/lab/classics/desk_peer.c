/* desk_peer.c - sockets: who is there, and what comes of each, through a link if there is one. */
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/classics/desk.h"

enum { UDP_QUEUE = 1 << 20 };

/* --- coming and going ----------------------------------------------------------------------- */

static struct link *new_link(struct desk *d, const struct link_config *how)
{
    struct link *l = calloc(1, sizeof *l);

    if (l)
        link_init(l, d->is_udp ? LINK_DATAGRAMS : LINK_STREAM, how, dice_next(&d->dice));
    return l;
}

static void free_link(struct link *l)
{
    if (l)
        link_fini(l);
    free(l);
}

void desk_drop(struct desk *d, size_t i)
{
    struct desk_peer *p = &d->peers[i];

    if (!p->used)
        return;
    if (p->mine && d->plan.forget)
        d->plan.forget(d, i);
    if (p->fd >= 0) {
        if (d->sleep.epoll >= 0)
            sleep_remove(&d->sleep, p->fd);
        close(p->fd);
    }
    free_link(p->up);
    free_link(p->down);
    blob_unref(p->held);
    free(p->cut);
    free(p->out);
    *p = (struct desk_peer){ .fd = -1 };
}

/* -1: there is no place, or no memory. */
static int new_peer(struct desk *d, int fd, const union address *at)
{
    size_t i = 0;

    while (i < d->n_peers && d->peers[i].used)
        i++;
    if (i == DESK_PEERS_MAX)
        return -1;
    struct desk_peer *p = &d->peers[i];
    *p = (struct desk_peer){ .used = true, .fd = fd, .at = *at, .how = d->plan.how };
    if (i == d->n_peers)
        d->n_peers++;
    if (fd >= 0)
        p->cut = calloc(1, sizeof *p->cut);
    if (d->bends) {
        p->up = new_link(d, &d->bent.up);
        p->down = new_link(d, &d->bent.down);
    }
    p->heard_us = sleep_now_us();
    if ((fd < 0 || p->cut) && (!d->bends || (p->up && p->down)))
        return (int)i;
    p->fd = -1; /* the caller's still */
    desk_drop(d, i);
    return -1;
}

static int add_connection(struct desk *d, int fd, const union address *at, bool connecting)
{
    int on = 1, i = new_peer(d, fd, at);

    if (i < 0) {
        close(fd);
        return -1;
    }
    struct desk_peer *p = &d->peers[i];
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p->connecting = connecting;
    p->came = !connecting;
    p->waits_for = connecting ? SLEEP_WRITE : SLEEP_READ;
    if (sleep_add(&d->sleep, fd, p->waits_for, DESK_ID_PEERS + (uint64_t)i)) {
        desk_drop(d, (size_t)i);
        return -1;
    }
    return i;
}

static void opened(struct desk *d, struct desk_peer *p)
{
    pthread_mutex_lock(&d->record->lock);
    study_opened(&d->record->study, &p->stream, p->fd, !d->serves);
    pthread_mutex_unlock(&d->record->lock);
}

int desk_accept(struct desk *d)
{
    return accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void desk_accept_all(struct desk *d)
{
    int fd, i;

    while ((fd = desk_accept(d)) >= 0) {
        union address at = { 0 };
        socklen_t len = sizeof at;
        getpeername(fd, &at.any, &len);
        address_plain(&at);
        if ((i = add_connection(d, fd, &at, false)) >= 0)
            opened(d, &d->peers[i]);
    }
}

int desk_call_with(struct desk *d, int fd)
{
    address_plain(&d->at);
    int i = add_connection(d, fd, &d->at, false);

    if (i < 0)
        return -ROOST_NOMEM;
    opened(d, &d->peers[i]);
    return 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int listen_tcp(struct desk *d)
{
    int on = 1, off = 0;
    int fd = socket(d->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    d->listener = fd;
    if (fd < 0)
        return -ROOST_IO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (d->at.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &d->at.any, address_len(&d->at)) || listen(fd, 64))
        return -ROOST_IO;
    return sleep_add(&d->sleep, fd, SLEEP_READ, DESK_ID_LISTENER);
}

static int open_udp(struct desk *d)
{
    int may = IP_PMTUDISC_DONT; /* datagrams above the MTU come in fragments, to be looked at */
    struct udp_settings s = { .queue_bytes = UDP_QUEUE };

    if (d->serves) {
        s.at = d->at;
    } else {
        s.connect = true;
        s.to = d->at;
        s.at.any.sa_family = d->at.any.sa_family;
    }
    int err = udp_open(&d->udp, &s);
    if (err)
        return err;
    setsockopt(udp_fd(d->udp), IPPROTO_IP, IP_MTU_DISCOVER, &may, sizeof may);
    if (s.at.any.sa_family == AF_INET6)
        setsockopt(udp_fd(d->udp), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &may, sizeof may);
    study_socket(&d->own.study, d->udp);
    return sleep_add(&d->sleep, udp_fd(d->udp), SLEEP_READ, DESK_ID_UDP);
}

static int tell_listening(struct desk *d)
{
    char text[ADDRESS_TEXT_MAX];
    union address at;
    socklen_t len = sizeof at;
    struct json j;

    if (d->is_udp)
        udp_where(d->udp, &at);
    else
        getsockname(d->listener, &at.any, &len);
    address_text(&at, text);
    if (d->c->json) {
        desk_json(d, &j, "listening");
        json_str(&j, "address", text);
        json_str(&j, "protocol", d->is_udp ? "udp" : "tcp");
        desk_json_end(d, &j);
    } else {
        desk_note(d, "listening at %s (%s)", text, d->is_udp ? "udp" : "tcp");
    }
    return 0;
}

int desk_listen(struct desk *d)
{
    char text[ADDRESS_TEXT_MAX];

    if (!(d->is_udp ? open_udp(d) : listen_tcp(d)))
        return tell_listening(d);
    int error = errno;
    address_text(&d->at, text);
    return desk_fail(d, CLI_UNREACHABLE,
                     error == EADDRINUSE ? "another program is there: choose another --listen"
                                         : "choose another --listen",
                     "%s: %s", text, strerror(error));
}

int desk_call(struct desk *d)
{
    char text[ADDRESS_TEXT_MAX];
    int fd = -1, err = 0;

    if (d->is_udp) {
        err = open_udp(d);
        if (!err && new_peer(d, -1, &d->at) < 0)
            err = -ROOST_NOMEM;
        d->peers[0].came = !err;
    } else {
        fd = socket(d->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || (connect(fd, &d->at.any, address_len(&d->at)) && errno != EINPROGRESS))
            err = -ROOST_IO;
        if (err && fd >= 0)
            close(fd);
        else if (!err && add_connection(d, fd, &d->at, true) < 0)
            err = -ROOST_NOMEM;
    }
    if (!err)
        return 0;
    address_text(&d->at, text);
    return desk_fail(d, CLI_UNREACHABLE, "check the address and the network", "%s: %s", text,
                     strerror(errno));
}

/* --- what comes
 * ----------------------------------------------------------------------------------- */

static void has_connected(struct desk *d, struct desk_peer *p)
{
    int why = 0;
    socklen_t len = sizeof why;

    p->connecting = false;
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &why, &len) || why) {
        errno = why;
        desk_fail_peer(p, -ROOST_IO);
        return;
    }
    p->came = true;
    opened(d, p);
}

/* To the cut, or into the link. */
static size_t read_to(struct desk_peer *p, uint8_t piece[static DESK_PIECE_BYTES], uint8_t **ret_at)
{
    if (!p->down)
        return cut_room(p->cut, ret_at);
    *ret_at = piece;
    return desk_inside_bytes(p->down) < DESK_LINK_BYTES_MAX ? DESK_PIECE_BYTES : 0;
}

static void was_read(struct desk *d, struct desk_peer *p, uint8_t *at, size_t n)
{
    int64_t now_us = sleep_now_us();

    p->heard_us = now_us;
    if (p->stream.known) {
        pthread_mutex_lock(&d->record->lock);
        study_bytes(&d->record->study, &p->stream, false, at, n);
        pthread_mutex_unlock(&d->record->lock);
    }
    if (!p->down) {
        cut_put(p->cut, n);
        return;
    }
    struct blob *b = blob_copy(at, n);
    if (!b || link_push(p->down, now_us, b)) /* a stream's queue that is full would tear a hole */
        desk_fail_peer(p, -ROOST_LIMIT);
    blob_unref(b);
}

static void read_some(struct desk *d, struct desk_peer *p)
{
    uint8_t piece[DESK_PIECE_BYTES], *at;
    size_t room = read_to(p, piece, &at);

    if (!room || p->ended)
        return;
    ssize_t n = recv(p->fd, at, room, 0);
    if (n > 0) {
        was_read(d, p, at, (size_t)n);
    } else if (n == 0) {
        p->ended = true;
        pthread_mutex_lock(&d->record->lock);
        study_closed(&d->record->study, &p->stream, false);
        pthread_mutex_unlock(&d->record->lock);
    } else if (errno != EAGAIN && errno != EINTR) {
        desk_fail_peer(p, -ROOST_CLOSED);
    }
}

void desk_peer_ready(struct desk *d, size_t i, unsigned what)
{
    struct desk_peer *p = &d->peers[i];

    if (!p->used)
        return;
    if (p->connecting && what & SLEEP_WRITE)
        has_connected(d, p);
    else if (what & SLEEP_READ)
        read_some(d, p);
}

/* Out of the link as far as there is room. */
static void pull_in(struct desk_peer *p, int64_t now_us)
{
    struct blob *b;
    uint8_t *at;

    while (p->down && cut_room(p->cut, &at) >= DESK_PIECE_BYTES &&
           (b = link_next(p->down, now_us))) {
        memcpy(at, b->bytes, b->len);
        cut_put(p->cut, b->len);
        blob_unref(b);
    }
}

static bool message(struct desk *d, size_t i, struct desk_event *ret)
{
    ret->kind = DESK_MESSAGE;
    if (d->peers[i].how == CUT_RAW)
        desk_trace_raw(d, i, false, ret->len);
    else
        desk_trace(d, i, false, false, ret->bytes, ret->len);
    return true;
}

/* Away; it is told unless we had said that it is over. */
static bool away(struct desk *d, size_t i, int err, struct desk_event *ret)
{
    bool told = d->peers[i].closing;

    ret->kind = DESK_GONE;
    ret->err = err;
    desk_drop(d, i);
    return !told;
}

static bool next_tcp(struct desk *d, size_t i, struct desk_event *ret)
{
    struct desk_peer *p = &d->peers[i];

    pull_in(p, sleep_now_us());
    if (p->closing || p->held_back)
        return p->gone && away(d, i, p->err, ret);
    int got = cut_next(p->cut, p->how, &ret->bytes, &ret->len);
    bool over = p->ended && (!p->down || link_is_empty(p->down));
    if (!got && over)
        got = cut_last(p->cut, p->how, &ret->bytes, &ret->len);
    if (got > 0)
        return message(d, i, ret);
    if (got < 0 || p->gone)
        return away(d, i, got < 0 ? got : p->err, ret);
    ret->kind = DESK_GONE;
    over = over && !p->ended_told;
    p->ended_told |= over;
    return over;
}

static bool next_bent(struct desk *d, size_t i, struct desk_event *ret)
{
    struct desk_peer *p = &d->peers[i];

    d->current = p->down ? link_next(p->down, sleep_now_us()) : NULL;
    if (!d->current)
        return false;
    ret->bytes = d->current->bytes;
    ret->len = d->current->len;
    return message(d, i, ret);
}

bool desk_next_of(struct desk *d, size_t i, struct desk_event *ret)
{
    *ret = (struct desk_event){ .peer = i };
    d->peers[i].look = false;
    if (d->peers[i].came) {
        d->peers[i].came = false;
        ret->kind = DESK_CAME;
        return true;
    }
    return d->is_udp ? next_bent(d, i, ret) : next_tcp(d, i, ret);
}

/* Its place, or a new one; -1: there is none. */
static int place_of(struct desk *d, const struct udp_in *in)
{
    if (!d->serves)
        return d->peers[0].used ? 0 : -1;
    for (size_t i = 0; i < d->n_peers; i++)
        if (d->peers[i].used && address_equal(&d->peers[i].at, &in->from))
            return (int)i;
    int i = new_peer(d, -1, &in->from);
    if (i >= 0)
        d->peers[i].local = in->to;
    return i;
}

/* The other machine says that no program is there, and says so again. */
static bool is_refused(struct desk *d, struct desk_event *ret)
{
    if (d->serves || udp_counts(d->udp)->refused <= d->refused + 2)
        return false;
    d->refused = UINT64_MAX - 2;
    *ret = (struct desk_event){ .kind = DESK_GONE, .err = -ROOST_IO };
    return true;
}

bool desk_next_udp(struct desk *d, struct desk_event *ret)
{
    struct udp_in in;

    while (!d->bends && d->datagrams-- > 0 && udp_receive(d->udp, &in) > 0) {
        int i = in.len <= DESK_DATAGRAM_MAX ? place_of(d, &in) : -1;
        if (i < 0)
            continue;
        d->peers[i].heard_us = sleep_now_us();
        d->refused = udp_counts(d->udp)->refused;
        *ret = (struct desk_event){ .peer = (size_t)i, .bytes = in.bytes, .len = in.len };
        return message(d, (size_t)i, ret);
    }
    return is_refused(d, ret);
}

void desk_hear_udp(struct desk *d)
{
    struct udp_in in;

    while (d->datagrams-- > 0 && udp_receive(d->udp, &in) > 0) {
        int i = in.len <= DESK_DATAGRAM_MAX ? place_of(d, &in) : -1;
        struct blob *b = i < 0 ? NULL : blob_copy(in.bytes, in.len);
        if (!b)
            continue;
        struct desk_peer *p = &d->peers[i];
        assert(p->down && "a desk that bends has made a link for each");
        uint64_t lost = p->down->counts.lost + p->down->counts.dropped;
        p->heard_us = sleep_now_us();
        link_push(p->down, p->heard_us, b);
        if (p->down->counts.lost + p->down->counts.dropped != lost)
            desk_trace(d, (size_t)i, false, true, in.bytes, in.len);
        blob_unref(b);
    }
}

int64_t desk_peer_deadline(const struct desk *d, size_t i)
{
    const struct desk_peer *p = &d->peers[i];
    int64_t at = p->closed && !d->is_udp ? p->closed_us + DESK_LINGER_US + 1 : INT64_MAX;

    if (p->came || p->gone || p->look || (p->wants_room && desk_has_room(d, i)))
        return 0;
    if (p->up && !p->held) {
        int64_t due = link_deadline_us(p->up);
        if (p->out_len && link_idle_us(p->up) < due)
            due = link_idle_us(p->up);
        at = due < at ? due : at;
    }
    if (p->down && link_deadline_us(p->down) < at)
        at = link_deadline_us(p->down);
    return at;
}
