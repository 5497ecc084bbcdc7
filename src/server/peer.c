#include "server/peer.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "server/addr.h"
#include "server/log.h"
#include "server/tunnel_conn.h"
#include "server/web_conn.h"

enum {
    FED_PART = 4,     /* of conn.queue: with more waiting for it, a peer is not read from */
    READS_A_TURN = 4, /* of 16 KB: then the other peers have their turn */
    /* Records that wait in the kernel's stead: one chunk, and what TLS itself
     * sends. A peer that makes TLS talk without reading is closed. */
    LEFT_MAX = 2 * EDGE_CIPHER_MAX,
};

/* --- the bytes under TLS -------------------------------------------------------- */

static int bio_read(BIO *bio, char *out, int len)
{
    struct peer *p = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (!p->reads_left) {
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t n = recv(p->fd, out, (size_t)len, 0);
    if (n < 0) {
        p->reads_left = 0;
        if (errno == EAGAIN || errno == EINTR)
            BIO_set_retry_read(bio);
        return -1;
    }
    p->edge->stats.bytes_in += (uint64_t)n;
    /* a short read means that the socket is empty: spare the call that says so */
    p->reads_left = n < len ? 0 : p->reads_left - 1;
    return (int)n;
}

/* Into the edge's buffer; peer_push takes it from there in one write. */
static int bio_write(BIO *bio, const char *in, int len)
{
    struct peer *p = BIO_get_data(bio);
    struct edge *e = p->edge;

    BIO_clear_retry_flags(bio);
    if ((size_t)len > EDGE_CIPHER_MAX - e->cipher_len)
        return -1;
    memcpy(e->cipher + e->cipher_len, in, (size_t)len);
    e->cipher_len += (size_t)len;
    return len;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

BIO_METHOD *peer_bio_new(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "roost");

    if (!m)
        return NULL;
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

/* --- writing -------------------------------------------------------------------- */

/* Sends from *p on; returns how much the socket took, or -1 when it is broken. */
static ssize_t send_some(struct peer *p, const uint8_t *bytes, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t n = send(p->fd, bytes + sent, len - sent, MSG_NOSIGNAL);

        p->edge->stats.writes++;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? (ssize_t)sent : -1;
        sent += (size_t)n;
        if (sent < len)
            break; /* it is full: the next call would only say so */
    }
    p->edge->stats.bytes_out += sent;
    return (ssize_t)sent;
}

static int keep_left(struct peer *p, const uint8_t *bytes, size_t len)
{
    if (!len)
        return 0;
    if (p->left_len + len > LEFT_MAX)
        return -ROOST_LIMIT;
    uint8_t *left = realloc(p->left, p->left_len + len);
    if (!left)
        return -ROOST_NOMEM;
    memcpy(left + p->left_len, bytes, len);
    p->left = left;
    p->left_len += (uint32_t)len;
    return 0;
}

/* Moves the records in the edge's buffer to the socket, or behind what it would
 * not take before. */
static int push(struct peer *p)
{
    struct edge *e = p->edge;
    size_t len = e->cipher_len;
    ssize_t sent = 0;

    e->cipher_len = 0;
    if (len && !p->left_len)
        sent = send_some(p, e->cipher, len);
    return sent < 0 ? -ROOST_CLOSED : keep_left(p, e->cipher + sent, len - (size_t)sent);
}

static int push_left(struct peer *p)
{
    ssize_t sent = send_some(p, p->left + p->left_at, p->left_len - p->left_at);

    if (sent < 0)
        return -ROOST_CLOSED;
    p->left_at += (uint32_t)sent;
    if (p->left_at < p->left_len)
        return 0;
    free(p->left);
    p->left = NULL;
    p->left_len = p->left_at = 0;
    return 0;
}

/* What is queued becomes records, as long as the socket takes them. */
static int push_queue(struct peer *p)
{
    struct edge *e = p->edge;
    int err = 0;

    while (!err && p->queue.n && !p->left_len) {
        while (p->queue.n && e->cipher_len < EDGE_CIPHER_CHUNK) {
            size_t n;
            const uint8_t *plain = queue_peek(&p->queue, e->plain, EDGE_PLAIN_MAX, &n);

            if (SSL_write(p->ssl, plain, (int)n) != (int)n) {
                e->cipher_len = 0;
                return -ROOST_CLOSED;
            }
            queue_drop(&p->queue, n);
            e->stats.records++;
        }
        err = push(p);
    }
    return err;
}

static int say_goodbye(struct peer *p)
{
    int err = 0;

    if (!p->said_goodbye) {
        p->said_goodbye = true;
        SSL_shutdown(p->ssl);
        err = push(p);
    }
    if (!err && !p->left_len) {
        shutdown(p->fd, SHUT_WR);
        p->state = PEER_LINGERING;
    }
    return err;
}

void peer_flush(struct peer *p)
{
    int err = p->left_len ? push_left(p) : 0;

    if (p->state == PEER_TUNNEL)
        queue_drop_late(&p->queue, edge_now().mono_us);
    if (!err && p->state != PEER_HANDSHAKE && p->state != PEER_LINGERING)
        err = push_queue(p);
    if (!err && p->state == PEER_FINISHING && !p->queue.n && !p->left_len)
        err = say_goodbye(p);
    ERR_clear_error();
    if (err)
        peer_lose(p, HUB_CLOSE_GONE);
    else
        peer_watch(p);
}

void peer_send(struct peer *p, struct blob *bytes)
{
    peer_send_part(p, bytes, 0, bytes->len);
}

static void on_put(struct peer *p, uint32_t len, int err)
{
    struct edge *e = p->edge;

    e->stats.sends++;
    e->stats.bytes_queued += len;
    if (err) {
        peer_lose(p, HUB_CLOSE_GONE);
    } else if (p->queue.bytes > e->settings.queue_max) {
        e->stats.slow++;
        peer_lose(p, HUB_CLOSE_SLOW);
    } else if (!p->is_dirty) {
        edge_mark_dirty(e, p);
    }
}

void peer_send_part(struct peer *p, struct blob *bytes, uint32_t at, uint32_t len)
{
    on_put(p, len, queue_put(&p->queue, bytes, at, len));
}

void peer_send_until(struct peer *p, struct blob *bytes, int64_t until_us)
{
    uint32_t len = bytes->len;

    on_put(p, len, queue_put_until(&p->queue, bytes, until_us));
}

/* --- reading --------------------------------------------------------------------- */

static void feed_hub(struct peer *p, const uint8_t *body, size_t len)
{
    struct edge *e = p->edge;

    if (p->timed == TIMED_HANDSHAKE)
        edge_time(e, p, TIMED_NONE); /* it speaks: the hub knows for how long */
    hub_on_frame(e->hub, p->number, body, len, edge_now());
    edge_pull(e);
}

static bool has_frames(const struct peer *p)
{
    return p->state == PEER_ROOST || p->state == PEER_TUNNEL;
}

static void feed_roost(struct peer *p, const uint8_t *in, size_t len)
{
    const uint8_t *end = in + len, *body;
    size_t body_len;
    int r = 0;

    while (p->state == PEER_ROOST && (r = frame_next(&p->frames, &in, end, &body, &body_len)) > 0)
        feed_hub(p, body, body_len);
    if (p->state == PEER_TUNNEL)
        r = tunnel_conn_feed(p, in, end);
    if (r < 0) {
        p->edge->stats.malformed++;
        peer_lose(p, HUB_CLOSE_GONE);
    }
}

void peer_who(const struct peer *p, struct hub_peer *ret)
{
    struct sockaddr_storage from = { 0 };
    socklen_t len = sizeof from;

    getpeername(p->fd, (struct sockaddr *)&from, &len);
    addr_peer(&from, ret);
}

/* The handshake is over: who is it, and what does it speak? */
static void opened(struct peer *p)
{
    struct edge *e = p->edge;
    struct hub_peer who;
    int on = 1;

    if (!tls_is_roost(p->ssl)) {
        p->state = PEER_HTTP;
        if (web_conn_open(p))
            peer_kill(p);
        return;
    }
    /* a client with Nagle's algorithm holds its Hello until our ACK, which would
     * be delayed by 40 ms, as we have nothing to say yet */
    setsockopt(p->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    peer_who(p, &who);
    p->state = PEER_ROOST;
    if (hub_on_connect(e->hub, p->number, &who, edge_now())) {
        e->stats.refused++;
        peer_finish(p);
        return;
    }
    edge_pull(e);
}

/* Somebody speaks HTTP without TLS: say so in words that a browser shows. */
static void answer_plain_http(struct peer *p)
{
    static const char words[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                "Content-Length: 30\r\nConnection: close\r\n\r\n"
                                "Use https:// with this server\n";

    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
        send_some(p, (const uint8_t *)words, sizeof words - 1);
}

static SSL *ssl_new(struct peer *p)
{
    SSL *ssl = SSL_new(p->edge->tls->ctx);
    BIO *bio = ssl ? BIO_new(p->edge->bio) : NULL;

    if (!bio) {
        SSL_free(ssl);
        return NULL;
    }
    BIO_set_data(bio, p);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    return ssl;
}

static bool shake(struct peer *p)
{
    if (!p->ssl && !(p->ssl = ssl_new(p))) {
        peer_kill(p);
        return false;
    }
    int r = SSL_do_handshake(p->ssl);

    if (r == 1) {
        opened(p);
        return p->state != PEER_GONE;
    }
    if (SSL_get_error(p->ssl, r) == SSL_ERROR_WANT_READ)
        return false;
    p->edge->stats.handshakes_failed++;
    answer_plain_http(p);
    push(p); /* the alert */
    peer_kill(p);
    return false;
}

/* One piece of what came. False: no more now. */
static bool read_some(struct peer *p)
{
    struct edge *e = p->edge;

    if (p->state == PEER_HANDSHAKE)
        return shake(p);
    if (p->state == PEER_HTTP && web_conn_is_busy(p)) {
        web_conn_feed(p, NULL, 0); /* there may be more: it comes back for it */
        return false;
    }
    if (tunnel_conn_is_shut(p))
        return false;

    int n = SSL_read(p->ssl, e->plain, EDGE_PLAIN_MAX);
    if (n <= 0) {
        if (SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ)
            peer_lose(p, HUB_CLOSE_GONE);
        return false;
    }
    if (has_frames(p))
        feed_roost(p, e->plain, (size_t)n);
    else if (p->state == PEER_HTTP)
        web_conn_feed(p, e->plain, (size_t)n);
    return has_frames(p) || p->state == PEER_HTTP;
}

static void on_readable(struct peer *p)
{
    p->reads_left = READS_A_TURN;
    while (read_some(p))
        ;
    ERR_clear_error();
    if (p->state == PEER_GONE)
        p->edge->cipher_len = 0;
    else if (p->edge->cipher_len && push(p))
        peer_lose(p, HUB_CLOSE_GONE);
    else
        peer_watch(p);
}

void peer_open(struct peer *p)
{
    assert(!p->edge->cipher_len && "whoever fills it empties it");
    if (p->state == PEER_TUNNEL && !p->edge->draining)
        on_readable(p); /* TLS may hold what no poll tells of */
}

void peer_shake(struct peer *p)
{
    assert(!p->edge->cipher_len && "whoever fills it empties it");
    on_readable(p);
}

static void linger(struct peer *p)
{
    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t n = recv(p->fd, p->edge->plain, EDGE_PLAIN_MAX, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            peer_kill(p);
            return;
        }
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct peer *p = poll->data;

    if (p->state == PEER_GONE)
        return;
    assert(!p->edge->cipher_len && "whoever fills it empties it");
    if (events & UV_WRITABLE) {
        peer_flush(p);
        if (p->state == PEER_GONE)
            return;
    }
    if (web_conn_is_ready(p)) {
        web_conn_resume(p);
        events |= UV_READABLE; /* TLS may hold what no poll tells of */
        if (p->state == PEER_GONE)
            return;
    }
    if (p->state == PEER_HANDSHAKE) {
        edge_shake_later(p->edge, p);
        peer_watch(p);
    } else if (p->state == PEER_LINGERING)
        linger(p);
    else if (p->state == PEER_FINISHING && status < 0)
        peer_kill(p);
    else if (p->state != PEER_FINISHING && (status < 0 || (events & UV_READABLE)))
        on_readable(p);
}

/* --- life ------------------------------------------------------------------------- */

/* Who does not read what it asked for is not asked what else it wants. */
static bool is_fed(const struct peer *p)
{
    return p->queue.bytes > p->edge->settings.queue_max / FED_PART;
}

void peer_watch(struct peer *p)
{
    int events = p->left_len || web_conn_is_ready(p) ? UV_WRITABLE : 0;

    if (p->state == PEER_LINGERING ||
        (p->state < PEER_FINISHING && !p->edge->draining && !p->waits_to_shake && !p->is_shut &&
         !is_fed(p) && !web_conn_is_busy(p)))
        events |= UV_READABLE;
    if (events == p->events || p->state == PEER_GONE)
        return;
    p->events = (uint8_t)events;
    if (events)
        uv_poll_start(&p->poll, events, on_poll);
    else
        uv_poll_stop(&p->poll);
}

struct peer *peer_new(struct edge *e, uint64_t number, int fd)
{
    struct peer *p = calloc(1, sizeof *p);
    int on = 1;

    if (!p || uv_poll_init(e->loop, &p->poll, fd)) {
        close(fd);
        free(p);
        return NULL;
    }
    p->poll.data = p;
    p->edge = e;
    p->number = number;
    p->fd = fd;
    frame_reader_init(&p->frames);
    queue_init(&p->queue);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return p;
}

static void release(struct peer *p)
{
    if (p->closed && !p->is_dirty)
        free(p);
}

static void on_closed(uv_handle_t *handle)
{
    struct peer *p = handle->data;

    p->closed = true;
    release(p);
}

void peer_kill(struct peer *p)
{
    if (p->state == PEER_GONE)
        return;
    p->state = PEER_GONE;
    edge_forget(p->edge, p);
    uv_close((uv_handle_t *)&p->poll, on_closed);
    close(p->fd);
    SSL_free(p->ssl);
    p->ssl = NULL;
    frame_reader_fini(&p->frames);
    gate_drop(p->gate);
    p->gate = NULL;
    queue_fini(&p->queue);
    free(p->left);
    web_conn_free(p->web);
    p->web = NULL;
    p->left = NULL;
    p->left_len = 0;
}

void peer_lose(struct peer *p, enum hub_close why)
{
    bool told = p->state == PEER_ROOST, tunnel = p->state == PEER_TUNNEL;

    peer_kill(p);
    if (tunnel)
        workers_hung_up(p->edge->workers, p->session, p->number);
    if (!told)
        return;
    hub_on_close(p->edge->hub, p->number, why, edge_now());
    edge_pull(p->edge);
}

void peer_finish(struct peer *p)
{
    if (p->state == PEER_HANDSHAKE) {
        peer_kill(p);
    } else if (p->state < PEER_FINISHING) {
        p->state = PEER_FINISHING;
        edge_time(p->edge, p, TIMED_CLOSING);
        if (!p->is_dirty)
            edge_mark_dirty(p->edge, p);
    }
}

void peer_undirty(struct peer *p)
{
    p->is_dirty = false;
    if (p->state == PEER_GONE)
        release(p);
    else
        peer_flush(p);
}
