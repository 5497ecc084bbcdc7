/* desk_out.c - what leaves: from desk_send to the socket, through a link if there is one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "lab/classics/desk.h"

/* --- what leaves --------------------------------------------------------------------------------
 */

void desk_fail_peer(struct desk_peer *p, int err)
{
    p->gone = p->ended = true;
    if (!p->err)
        p->err = err;
    p->out_len = 0;
}

/* How much the socket took; 0: none now. */
static size_t write_some(struct desk *d, struct desk_peer *p, const uint8_t *bytes, size_t len)
{
    ssize_t n = p->gone ? 0 : send(p->fd, bytes, len, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        desk_fail_peer(p, -ROOST_CLOSED);
    if (n <= 0)
        return 0;
    if (p->stream.known) {
        pthread_mutex_lock(&d->record->lock);
        study_bytes(&d->record->study, &p->stream, true, bytes, (size_t)n);
        pthread_mutex_unlock(&d->record->lock);
    }
    return (size_t)n;
}

static void drop_out(struct desk_peer *p, size_t n)
{
    memmove(p->out, p->out + n, p->out_len - n);
    p->out_len -= n;
}

uint64_t desk_inside_bytes(const struct link *l)
{
    return l->counts.pushed_bytes - l->counts.arrived_bytes;
}

/* Into the link as far as it takes it. */
static void push_out(struct desk_peer *p, int64_t now_us)
{
    while (p->out_len && desk_inside_bytes(p->up) < DESK_LINK_BYTES_MAX) {
        size_t n = p->out_len < DESK_PIECE_BYTES ? p->out_len : DESK_PIECE_BYTES;
        struct blob *b = blob_copy(p->out, n);
        int err = b ? link_push(p->up, now_us, b) : -ROOST_NOMEM;
        blob_unref(b);
        if (err)
            return;
        drop_out(p, n);
    }
}

/* And out of it into the socket. */
static void pull_out(struct desk *d, struct desk_peer *p, int64_t now_us)
{
    while (!p->gone && (p->held || (p->held = link_next(p->up, now_us)))) {
        size_t left = p->held->len - p->held_at;
        size_t n = write_some(d, p, p->held->bytes + p->held_at, left);
        p->held_at += n;
        if (n < left)
            return;
        p->held = blob_unref(p->held);
        p->held_at = 0;
    }
}

static void send_datagram(struct desk *d, struct desk_peer *p, const uint8_t *bytes, size_t len)
{
    struct iovec part = { (uint8_t *)bytes, len };
    struct udp_out o = { .parts = &part, .n_parts = 1 };

    if (d->serves) {
        o.to = &p->at;
        o.from = &p->local;
    }
    udp_send(d->udp, &o); /* what the socket does not take is lost, as datagrams are */
}

static void turn_udp(struct desk *d, struct desk_peer *p, int64_t now_us)
{
    struct blob *b;

    while (p->up && (b = link_next(p->up, now_us))) {
        send_datagram(d, p, b->bytes, b->len);
        blob_unref(b);
    }
    p->closed |= p->closing && (!p->up || link_is_empty(p->up));
}

static void say_closed(struct desk *d, struct desk_peer *p, int64_t now_us)
{
    p->closed = true;
    p->closed_us = now_us;
    shutdown(p->fd, SHUT_WR);
    pthread_mutex_lock(&d->record->lock);
    study_closed(&d->record->study, &p->stream, true);
    pthread_mutex_unlock(&d->record->lock);
}

static void wait_for(struct desk *d, size_t i)
{
    struct desk_peer *p = &d->peers[i];
    bool room = p->down ? desk_inside_bytes(p->down) < DESK_LINK_BYTES_MAX
                        : p->cut->to - p->cut->from < sizeof p->cut->bytes;
    bool reads = !p->ended && !p->connecting && room;
    bool writes = p->connecting || p->held || (!p->up && p->out_len);
    unsigned want = (reads ? SLEEP_READ : 0) | (writes && !p->gone ? SLEEP_WRITE : 0);

    if (want != p->waits_for)
        sleep_set(&d->sleep, p->fd, want, DESK_ID_PEERS + (uint64_t)i);
    p->waits_for = want;
}

static void turn_tcp(struct desk *d, size_t i, int64_t now_us)
{
    struct desk_peer *p = &d->peers[i];

    if (p->connecting)
        return;
    if (p->up) {
        push_out(p, now_us);
        pull_out(d, p, now_us);
        push_out(p, now_us);
    } else if (p->out_len) {
        drop_out(p, write_some(d, p, p->out, p->out_len));
    }
    if (p->closing && !p->closed && !p->out_len && !p->held && (!p->up || link_is_empty(p->up)))
        say_closed(d, p, now_us);
    if ((p->closing && p->gone) ||
        (p->closed && (p->ended || now_us > p->closed_us + DESK_LINGER_US)))
        desk_drop(d, i);
    else
        wait_for(d, i);
}

void desk_turn(struct desk *d, size_t i)
{
    if (d->is_udp)
        turn_udp(d, &d->peers[i], sleep_now_us());
    else
        turn_tcp(d, i, sleep_now_us());
}

static int queue(struct desk_peer *p, const void *bytes, size_t len)
{
    if (p->out_len + len > DESK_OUT_MAX) {
        desk_fail_peer(p, -ROOST_LIMIT);
        return -ROOST_LIMIT;
    }
    if (p->out_len + len > p->out_cap) {
        size_t cap = p->out_cap ? p->out_cap : 4096;
        while (cap < p->out_len + len)
            cap *= 2;
        uint8_t *more = realloc(p->out, cap);
        if (!more)
            return -ROOST_NOMEM;
        p->out = more;
        p->out_cap = cap;
    }
    if (len)
        memcpy(p->out + p->out_len, bytes, len);
    p->out_len += len;
    return 0;
}

static int send_tcp(struct desk_peer *p, const void *bytes, size_t len)
{
    const uint8_t size[] = { (uint8_t)(len >> 8), (uint8_t)len };
    int err = 0;

    if ((p->how == CUT_FRAMES && (!len || len > CUT_FRAME_MAX)) ||
        (p->how == CUT_LINES && len > CUT_LINE_MAX))
        return -ROOST_TOO_LONG;
    if (p->how == CUT_FRAMES)
        err = queue(p, size, 2);
    if (!err)
        err = queue(p, bytes, len);
    if (!err && p->how == CUT_LINES)
        err = queue(p, "\n", 1);
    return err;
}

/* False: the link lost it. */
static bool send_udp(struct desk *d, struct desk_peer *p, const uint8_t *bytes, size_t len)
{
    if (!p->up) {
        send_datagram(d, p, bytes, len);
        return true;
    }
    const struct link_counts *n = &p->up->counts;
    uint64_t before = n->lost + n->policed + n->dropped;
    struct blob *b = blob_copy(bytes, len);
    bool kept = b && !link_push(p->up, sleep_now_us(), b);

    blob_unref(b);
    return kept && n->lost + n->policed + n->dropped == before;
}

int desk_send(struct desk *d, size_t i, const void *bytes, size_t len)
{
    struct desk_peer *p = &d->peers[i];
    bool lost = false;
    int err = 0;

    p->wants_room = false;
    if (!p->used || p->gone || p->closing)
        return -ROOST_CLOSED;
    if (d->is_udp && len > DESK_DATAGRAM_MAX)
        return -ROOST_TOO_LONG;
    if (d->is_udp)
        lost = !send_udp(d, p, bytes, len);
    else
        err = send_tcp(p, bytes, len);
    if (!err)
        desk_trace(d, i, true, lost, bytes, len);
    return err;
}

int desk_send_raw(struct desk *d, size_t i, const void *bytes, size_t len)
{
    struct desk_peer *p = &d->peers[i];

    p->wants_room = false;
    if (!p->used || p->gone || p->closing)
        return -ROOST_CLOSED;
    int err = queue(p, bytes, len);
    if (!err)
        desk_trace_raw(d, i, true, len);
    return err;
}

bool desk_has_room(const struct desk *d, size_t i)
{
    return d->peers[i].out_len < DESK_OUT_FULL;
}

void desk_want_room(struct desk *d, size_t i)
{
    d->peers[i].wants_room = true;
}

bool desk_is_flushed(const struct desk *d, size_t i)
{
    const struct desk_peer *p = &d->peers[i];

    if (!p->used || p->gone)
        return true;
    if (p->closing)
        return p->closed && d->is_udp;
    return !p->out_len && !p->held && (!p->up || link_is_empty(p->up));
}

void desk_finish(struct desk *d, size_t i)
{
    struct desk_peer *p = &d->peers[i];

    p->closing = true;
    if (p->connecting || p->gone)
        desk_drop(d, i);
}

void desk_hold(struct desk *d, size_t i, bool hold)
{
    d->peers[i].held_back = hold;
    d->peers[i].look = !hold;
}

void desk_cut(struct desk *d, size_t i, enum cut_how how)
{
    d->peers[i].how = how;
}
