#include "client/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

static const uint8_t alpn[] = "\x07roost/1";

/* --- a BIO over a socket that never raises SIGPIPE -------------------------------- */

static int bio_write(BIO *b, const char *p, int n)
{
    const struct tls *t = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    ssize_t w = send(t->fd, p, (size_t)n, MSG_NOSIGNAL);
    if (w < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(b);
    return (int)w;
}

static int bio_read(BIO *b, char *p, int n)
{
    const struct tls *t = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    ssize_t r = recv(t->fd, p, (size_t)n, 0);
    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(b);
    return (int)r;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *p)
{
    (void)b, (void)num, (void)p;
    return cmd == BIO_CTRL_FLUSH;
}

/* Made once for the process and kept, as OpenSSL keeps its own. */
static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *kept;
    BIO_METHOD *m = __atomic_load_n(&kept, __ATOMIC_ACQUIRE), *none = NULL;

    if (m)
        return m;
    m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "roost socket");
    if (!m || !BIO_meth_set_write(m, bio_write) || !BIO_meth_set_read(m, bio_read) ||
        !BIO_meth_set_ctrl(m, bio_ctrl) ||
        !__atomic_compare_exchange_n(&kept, &none, m, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        BIO_meth_free(m);
        m = none;
    }
    return m;
}

/* --- life -------------------------------------------------------------------------- */

int tls_init(struct tls *t)
{
    *t = (struct tls){ .fd = -1 };
    dial_init(&t->dial);
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (!t->ctx)
        return -ROOST_NOMEM;
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_3_VERSION);
    /* What vouches for the server is looked at after the handshake: a pin, or tls_vouched. */
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    return 0;
}

static void on_keys(const SSL *ssl, const char *line)
{
    study_line(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)), line);
}

void tls_study(struct tls *t, struct study *s)
{
    if (!s->keys)
        return;
    SSL_CTX_set_app_data(t->ctx, s);
    SSL_CTX_set_keylog_callback(t->ctx, on_keys);
}

static void drop_socket(struct tls *t)
{
    SSL_free(t->ssl);
    t->ssl = NULL;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    t->want_write = false;
}

void tls_close(struct tls *t)
{
    if (t->ssl && t->state == TLS_UP)
        SSL_shutdown(t->ssl);
    ERR_clear_error();
    drop_socket(t);
    for (size_t i = 0; i < t->n_out; i++)
        blob_unref(t->out[i]);
    t->n_out = 0;
    dial_close(&t->dial);
    t->state = TLS_IDLE;
}

void tls_fini(struct tls *t)
{
    tls_close(t);
    dial_fini(&t->dial);
    free(t->out);
    SSL_CTX_free(t->ctx);
    *t = (struct tls){ .fd = -1, .dial.fd = -1 };
}

/* --- connecting ---------------------------------------------------------------------- */

static int fail(struct tls *t, int code, const char *why)
{
    snprintf(t->detail, sizeof t->detail, "%s", why);
    return -code;
}

int tls_open(struct tls *t, const char *host, const char *port, int64_t now_us)
{
    tls_close(t);
    t->detail[0] = 0;
    snprintf(t->host, sizeof t->host, "%s", host);
    int err = dial_open(&t->dial, host, port, now_us);
    if (err)
        return fail(t, -err, t->dial.detail);
    t->state = TLS_CONNECTING;
    return 0;
}

static bool is_address(const char *host)
{
    struct in6_addr a;

    return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

static int start_handshake(struct tls *t)
{
    BIO_METHOD *m = bio_method();
    BIO *b = m ? BIO_new(m) : NULL;

    t->ssl = b ? SSL_new(t->ctx) : NULL;
    if (!t->ssl) {
        BIO_free(b);
        return fail(t, ROOST_NOMEM, "out of memory");
    }
    BIO_set_data(b, t);
    BIO_set_init(b, 1);
    SSL_set_bio(t->ssl, b, b);
    SSL_set_connect_state(t->ssl);
    SSL_set_alpn_protos(t->ssl, alpn, sizeof alpn - 1);
    if (is_address(t->host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), t->host);
    } else {
        SSL_set_tlsext_host_name(t->ssl, t->host);
        SSL_set1_host(t->ssl, t->host);
    }
    t->state = TLS_HANDSHAKE;
    return 0;
}

static int finish_handshake(struct tls *t)
{
    X509 *cert = SSL_get1_peer_certificate(t->ssl);
    const uint8_t *proto;
    uint8_t sum[32];
    unsigned n = 0, proto_len = 0;

    SSL_get0_alpn_selected(t->ssl, &proto, &proto_len);
    bool ok = cert && X509_digest(cert, EVP_sha256(), sum, &n) && n == sizeof sum;
    X509_free(cert);
    if (!ok)
        return fail(t, ROOST_CLOSED, "the server showed no certificate");
    if (proto_len != sizeof alpn - 2 || memcmp(proto, alpn + 1, proto_len) != 0)
        return fail(t, ROOST_UNSUPPORTED, "this server does not speak roost/1");
    for (unsigned i = 0; i < n; i++)
        snprintf(t->fingerprint + i * 3, 4, i + 1 < n ? "%02x:" : "%02x", sum[i]);
    t->state = TLS_HANDSHAKE_DONE;
    return 0;
}

static bool verify(X509_STORE_CTX *c, X509_STORE *store, X509 *cert, SSL *ssl)
{
    return X509_STORE_set_default_paths(store) &&
           X509_STORE_CTX_init(c, store, cert, SSL_get_peer_cert_chain(ssl)) &&
           X509_STORE_CTX_set_default(c, "ssl_server") &&
           X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(c), SSL_get0_param(ssl)) &&
           X509_verify_cert(c) == 1;
}

bool tls_vouched(struct tls *t)
{
    X509 *cert = t->ssl ? SSL_get1_peer_certificate(t->ssl) : NULL;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *c = X509_STORE_CTX_new();
    bool ok = cert && store && c && verify(c, store, cert, t->ssl);

    X509_STORE_CTX_free(c);
    X509_STORE_free(store);
    X509_free(cert);
    ERR_clear_error();
    return ok;
}

/* What an SSL call returned: 0 = wait. */
static int after(struct tls *t, int ret)
{
    int e = SSL_get_error(t->ssl, ret);
    unsigned long why = ERR_peek_last_error();

    t->want_write = t->want_write || e == SSL_ERROR_WANT_WRITE;
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return 0;
    const char *reason = why ? ERR_reason_error_string(why) : NULL;
    if (why)
        snprintf(t->detail, sizeof t->detail, "the encrypted connection failed: %s",
                 reason ? reason : "for a reason without a name");
    else
        fail(t, ROOST_CLOSED, "the server closed the connection");
    ERR_clear_error();
    return -ROOST_CLOSED;
}

static int step_connecting(struct tls *t, int64_t now_us)
{
    int on = 1, how = dial_step(&t->dial, now_us, &t->fd);

    if (how < 0)
        return fail(t, -how, t->dial.detail);
    if (!how)
        return 0;
    setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return start_handshake(t);
}

int tls_step(struct tls *t, int64_t now_us)
{
    int err = t->state == TLS_CONNECTING ? step_connecting(t, now_us) : 0;

    if (!err && t->state == TLS_HANDSHAKE) {
        t->want_write = false;
        ERR_clear_error();
        int ret = SSL_do_handshake(t->ssl);
        err = ret == 1 ? finish_handshake(t) : after(t, ret);
    }
    if (!err && t->state == TLS_UP)
        err = tls_flush(t);
    return err;
}

void tls_accept(struct tls *t)
{
    t->state = TLS_UP;
}

/* --- bytes -------------------------------------------------------------------------- */

int tls_send(struct tls *t, struct blob *bytes)
{
    if (t->n_out == t->cap_out && t->cap_out < TLS_OUT_MAX) {
        size_t cap = t->cap_out ? t->cap_out * 2 : 16;
        struct blob **out = realloc(t->out, cap * sizeof *out);
        if (out) {
            t->out = out;
            t->cap_out = cap;
        }
    }
    if (t->n_out == t->cap_out) {
        blob_unref(bytes);
        return fail(t, ROOST_NOMEM, "too much waits to be sent");
    }
    t->out[t->n_out++] = bytes;
    return 0;
}

/* All that waits in one record, as far as a record goes. */
static size_t gather(const struct tls *t, uint8_t *to, size_t cap)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_out && n < cap; i++) {
        size_t take = t->out[i]->len < cap - n ? t->out[i]->len : cap - n;
        memcpy(to + n, t->out[i]->bytes, take);
        n += take;
    }
    return n;
}

static int drop_sent(struct tls *t, size_t n)
{
    size_t i = 0;

    for (; i < t->n_out && n >= t->out[i]->len; i++) {
        n -= t->out[i]->len;
        blob_unref(t->out[i]);
    }
    memmove(t->out, t->out + i, (t->n_out - i) * sizeof *t->out);
    t->n_out -= i;
    if (!n)
        return 0;
    struct blob *rest = blob_copy(t->out[0]->bytes + n, t->out[0]->len - n);
    if (!rest)
        return -ROOST_NOMEM;
    blob_unref(t->out[0]);
    t->out[0] = rest;
    return 0;
}

int tls_flush(struct tls *t)
{
    uint8_t record[16384];

    t->want_write = false;
    while (t->n_out) {
        size_t n = gather(t, record, sizeof record);
        ERR_clear_error();
        int w = SSL_write(t->ssl, record, (int)n);
        int err = w > 0 ? drop_sent(t, (size_t)w) : after(t, w);
        if (err || w <= 0)
            return err;
    }
    return 0;
}

int tls_read(struct tls *t, void *ret, size_t cap)
{
    if (t->state != TLS_UP)
        return 0;
    ERR_clear_error();
    int n = SSL_read(t->ssl, ret, (int)cap);
    return n > 0 ? n : after(t, n);
}

int tls_fd(const struct tls *t)
{
    return t->state == TLS_CONNECTING ? t->dial.fd : t->fd;
}

int tls_wants(const struct tls *t)
{
    if (t->state == TLS_CONNECTING)
        return POLLIN;
    if (t->fd < 0)
        return 0;
    return POLLIN | (t->want_write ? POLLOUT : 0);
}

int64_t tls_deadline(const struct tls *t)
{
    return t->state == TLS_CONNECTING ? dial_deadline(&t->dial) : INT64_MAX;
}
