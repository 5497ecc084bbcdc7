/* conn.c - sockets, TLS and the one epoll loop. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "stamp.h"

/* Shorter than any server's patience (Roost: 60 s). */
#define KEEP_NS (20 * SEC_NS)

int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SEC_NS + t.tv_nsec;
}

void die(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static void raise_files(uint32_t conns)
{
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_cur < conns + 64) {
        r.rlim_cur = r.rlim_max < conns + 64 ? r.rlim_max : conns + 64;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    if (r.rlim_cur < conns + 64)
        die("%u connections need a file limit of %u, and the hard limit is %llu", conns, conns + 64,
            (unsigned long long)r.rlim_max);
}

/* --- the bytes under TLS ------------------------------------------------------- */

static int bio_read(BIO *bio, char *p, int len)
{
    struct conn *c = BIO_get_data(bio);
    ssize_t n = stamp_recv(c->fd, p, (size_t)len, &c->load->arrived_ns);
    BIO_clear_retry_flags(bio);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    return (int)n;
}

static int bio_write(BIO *bio, const char *p, int len)
{
    struct conn *c = BIO_get_data(bio);
    ssize_t n = send(c->fd, p, (size_t)len, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)n;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *p)
{
    (void)bio;
    (void)num;
    (void)p;
    return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_new(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "load");
    if (!m)
        die("out of memory");
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

static SSL *ssl_new(const struct load *l, struct conn *c)
{
    SSL *ssl = SSL_new(l->ctx);
    BIO *bio = BIO_new(l->bio);
    if (!ssl || !bio)
        die("cannot set up TLS");
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    return ssl;
}

static SSL_CTX *tls_new(bool keep_small)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    static const unsigned char alpn[] = "\x07roost/1";
    if (!ctx || SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn - 1))
        die("cannot set up TLS");
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE,
                       NULL); /* the server is ours and has just been started */
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (keep_small)
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    else
        SSL_CTX_set_read_ahead(ctx, 1); /* one system call a read, not two a record */
    return ctx;
}

void load_open(struct load *l)
{
    raise_files(l->opt.conns);
    l->conns = calloc(l->opt.conns, sizeof *l->conns);
    l->epoll = epoll_create1(0);
    if (!l->conns || l->epoll < 0)
        die("cannot start: %s", strerror(errno));
    if (l->opt.proto->tls) {
        l->ctx = tls_new(l->opt.keep_small);
        l->bio = bio_new();
    }
    for (uint32_t i = 0; i < l->opt.conns; i++)
        l->conns[i] = (struct conn){ .load = l, .fd = -1 };
}

void load_close(struct load *l)
{
    for (uint32_t i = 0; i < l->opt.conns; i++) {
        struct conn *c = &l->conns[i];
        SSL_free(c->ssl);
        if (c->fd >= 0)
            close(c->fd);
        free(c->in);
        free(c->out);
    }
    SSL_CTX_free(l->ctx);
    BIO_meth_free(l->bio);
    close(l->epoll);
    free(l->conns);
}

static void conn_dead(struct load *l, struct conn *c, const char *why)
{
    if (c->dead)
        return;
    if (!c->ready)
        die("connection %u was closed while it was being set up: %s", c->index, why);
    if (l->dead++ == 0)
        fprintf(stderr, "load: connection %u was closed: %s\n", c->index, why);
    c->dead = true;
    close(c->fd);
    c->fd = -1;
}

static void watch(struct load *l, struct conn *c, bool out)
{
    if (c->wants_out == out)
        return;
    struct epoll_event e = { .events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c };
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e);
    c->wants_out = out;
}

void conn_start(struct load *l, uint32_t index)
{
    struct conn *c = &l->conns[index];
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)l->opt.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    c->index = index;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (l->opt.stamps)
        stamp_on(c->fd);
    if (connect(c->fd, (struct sockaddr *)&a, sizeof a) && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    if (l->ctx)
        c->ssl = ssl_new(l, c);
    c->wants_out = true;
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e))
        die("epoll: %s", strerror(errno));
    l->started++;
}

/* Bytes taken, 0 when it would block, -1 when the connection is gone. */
static ssize_t raw_write(struct conn *c, const void *p, size_t len)
{
    if (c->ssl) {
        int n = SSL_write(c->ssl, p, (int)len);
        if (n > 0)
            return n;
        int err = SSL_get_error(c->ssl, n);
        return err == SSL_ERROR_WANT_WRITE || err == SSL_ERROR_WANT_READ ? 0 : -1;
    }
    ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
    return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

static ssize_t raw_read(struct conn *c, void *p, size_t len)
{
    if (c->ssl) {
        int n = SSL_read(c->ssl, p, (int)len);
        if (n > 0)
            return n;
        return SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ ? 0 : -1;
    }
    ssize_t n = stamp_recv(c->fd, p, len, &c->load->arrived_ns);
    return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}

static void flush(struct load *l, struct conn *c)
{
    size_t done = 0;
    while (done < c->out_len) {
        ssize_t n = raw_write(c, c->out + done, c->out_len - done);
        if (n < 0) {
            conn_dead(l, c, "writing failed");
            return;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    c->out_len -= done;
    memmove(c->out, c->out + done, c->out_len);
    watch(l, c, c->out_len > 0);
}

void conn_send(struct load *l, struct conn *c, const void *p, size_t len)
{
    if (c->dead)
        return;
    c->sent_ns = l->now_ns;
    if (c->out_len == 0) {
        ssize_t n = raw_write(c, p, len);
        if (n < 0) {
            conn_dead(l, c, "writing failed");
            return;
        }
        if ((size_t)n == len)
            return;
        p = (const uint8_t *)p + n;
        len -= (size_t)n;
    }
    if (c->out_len + len > OUT_MAX)
        die("the server does not read what connection %u sends", c->index);
    if (c->out_len + len > c->out_cap) {
        c->out_cap = c->out_len + len + 4096;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out)
            die("out of memory");
    }
    memcpy(c->out + c->out_len, p, len);
    c->out_len += len;
    watch(l, c, true);
}

void conn_ready(struct load *l, struct conn *c)
{
    c->ready = true;
    l->ready++;
}

static void keep_rest(struct conn *c, const uint8_t *p, size_t len)
{
    if (len > READ_BYTES)
        die("the server sent a message of more than %d bytes", READ_BYTES);
    if (len) {
        c->in = realloc(c->in, len);
        if (!c->in)
            die("out of memory");
        memcpy(c->in, p, len);
    }
    c->in_len = len;
}

/* Says at once that the bytes came. A server that leaves Nagle's algorithm on
 * (ngircd does) otherwise waits up to 40 ms for our delayed acknowledgement, and
 * the kernel's timer would be measured instead of the server. */
static void acknowledge(struct conn *c)
{
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

static void readable(struct load *l, struct conn *c)
{
    do {
        if (c->in_len)
            memcpy(l->buf, c->in, c->in_len);
        ssize_t n = raw_read(c, l->buf + c->in_len, READ_BYTES);
        if (n < 0)
            conn_dead(l, c, "the server closed it");
        if (n <= 0)
            break;
        l->now_ns = clock_ns();
        size_t len = c->in_len + (size_t)n;
        size_t used = l->opt.proto->on_bytes(l, c, l->buf, len);
        keep_rest(c, l->buf + used, len - used);
    } while (!c->dead && c->ssl && SSL_has_pending(c->ssl));
    if (!c->dead)
        acknowledge(c);
}

static void connecting(struct load *l, struct conn *c)
{
    int err = 0;
    socklen_t len = sizeof err;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err)
        die("connection %u: %s", c->index, strerror(err));
    if (c->ssl) {
        int n = SSL_do_handshake(c->ssl);
        int why = n == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, n);
        if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            conn_dead(l, c, "the TLS handshake failed");
        watch(l, c, why == SSL_ERROR_WANT_WRITE);
        if (n != 1)
            return;
    }
    watch(l, c, false);
    c->open = true;
    l->opt.proto->on_open(l, c);
}

void load_poll(struct load *l, int64_t until_ns, int events_max)
{
    struct epoll_event e[256];
    int64_t wait = until_ns - clock_ns();
    if (wait < 0)
        wait = 0;
    struct timespec t = { wait / SEC_NS, wait % SEC_NS };
    int n = epoll_pwait2(l->epoll, e, events_max < 256 ? events_max : 256, &t, NULL);
    l->now_ns = clock_ns();
    for (int i = 0; i < n; i++) {
        struct conn *c = e[i].data.ptr;
        if (!c->open) {
            connecting(l, c);
            continue;
        }
        if (e[i].events & EPOLLOUT)
            flush(l, c);
        if (!c->dead && e[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            readable(l, c);
    }
}

void load_keep(struct load *l)
{
    for (uint32_t i = 0; l->opt.proto->keep && i < l->started; i++) {
        struct conn *c = &l->conns[i];
        if (c->ready && !c->dead && l->now_ns - c->sent_ns > KEEP_NS)
            l->opt.proto->keep(l, c);
    }
}
