#include "client/tunnel.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/err.h"
#include "wire/msg.h"

enum { NOTSENT = 16 << 10, READS_MAX = 16 };

int tunnel_init(struct tunnel *t, tunnel_fn *on_message, void *ctx)
{
    *t = (struct tunnel){ .on_message = on_message, .ctx = ctx };
    frame_reader_init(&t->frames);
    return tls_init(&t->tls);
}

void tunnel_close(struct tunnel *t)
{
    tls_close(&t->tls);
    frame_reader_fini(&t->frames);
    frame_reader_init(&t->frames);
    t->state = TUNNEL_IDLE;
}

void tunnel_fini(struct tunnel *t)
{
    tunnel_close(t);
    tls_fini(&t->tls);
}

int tunnel_open(struct tunnel *t, const char *host, const char *port, const char *fingerprint,
                uint32_t session, const uint8_t token[static TUNNEL_TOKEN], int64_t now_us)
{
    tunnel_close(t);
    int err = tls_open(&t->tls, host, port, now_us);
    if (err)
        return err;
    snprintf(t->fingerprint, sizeof t->fingerprint, "%s", fingerprint);
    t->session = session;
    memcpy(t->token, token, TUNNEL_TOKEN);
    t->until_us = now_us + TUNNEL_PATIENCE_US;
    t->state = TUNNEL_DIALING;
    return 0;
}

/* --- its first words ------------------------------------------------------------------ */

static int send_message(struct tunnel *t, Roost__ToServer *m)
{
    struct blob *b = msg_encode(&m->base);

    return b ? tls_send(&t->tls, b) : -ROOST_NOMEM;
}

static int greet(struct tunnel *t)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Hello hello = ROOST__HELLO__INIT;

    if (strcasecmp(t->tls.fingerprint, t->fingerprint) != 0)
        return -ROOST_UNTRUSTED;
    tls_accept(&t->tls);
    hello.version_min = hello.version_max = 1;
    hello.program = "libroost " ROOST_RELEASE;
    m.body_case = ROOST__TO_SERVER__BODY_HELLO;
    m.hello = &hello;
    t->state = TUNNEL_GREETING;
    return send_message(t, &m);
}

static int bind_session(struct tunnel *t)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Tunnel body = ROOST__TUNNEL__INIT;

    body.session = t->session;
    body.token = (ProtobufCBinaryData){ TUNNEL_TOKEN, t->token };
    m.body_case = ROOST__TO_SERVER__BODY_TUNNEL;
    m.tunnel = &body;
    t->state = TUNNEL_BINDING;
    return send_message(t, &m);
}

static void get_up(struct tunnel *t)
{
    int low = NOTSENT;

    setsockopt(t->tls.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
    t->state = TUNNEL_UP;
}

static int on_reply(struct tunnel *t, const uint8_t *body, size_t len)
{
    struct arena a = { 0 };
    int err = 0;
    const Roost__ToClient *m = msg_to_client_decode(&a, body, len, &err);
    int result = m && m->body_case == ROOST__TO_CLIENT__BODY_REPLY ? (int)m->reply->result_case : 0;

    if (m && result == ROOST__REPLY__RESULT_ERROR)
        err = -(int)m->reply->error->code;
    arena_fini(&a);
    if (err || !result) /* what else the server says is not for us */
        return err;
    if (t->state == TUNNEL_GREETING)
        return bind_session(t);
    get_up(t);
    return 0;
}

/* --- going on ------------------------------------------------------------------------------- */

static int feed(struct tunnel *t, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n, *body;
    size_t len;
    int r, err = 0;

    while (!err && t->state > TUNNEL_DIALING &&
           (r = frame_next(&t->frames, &p, end, &body, &len))) {
        if (r < 0)
            return r;
        if (t->state == TUNNEL_UP)
            t->on_message(t->ctx, body, len);
        else
            err = on_reply(t, body, len);
    }
    return err;
}

static int read_all(struct tunnel *t)
{
    uint8_t bytes[16384];
    int n = 0, err = 0;

    for (int i = 0; i < READS_MAX && !err && t->state > TUNNEL_DIALING; i++) {
        n = tls_read(&t->tls, bytes, sizeof bytes);
        if (n <= 0)
            return n;
        err = feed(t, bytes, (size_t)n);
    }
    return err;
}

int tunnel_step(struct tunnel *t, int64_t now_us)
{
    if (t->state == TUNNEL_IDLE)
        return 0;
    int err = t->state != TUNNEL_UP && now_us >= t->until_us ? -ROOST_TIMEOUT : 0;
    if (!err)
        err = tls_step(&t->tls, now_us);
    if (!err && t->tls.state == TLS_HANDSHAKE_DONE)
        err = greet(t);
    if (!err && t->tls.state == TLS_UP)
        err = read_all(t);
    if (!err && t->tls.state == TLS_UP)
        err = tls_flush(&t->tls);
    if (err)
        tunnel_close(t);
    return err;
}

int tunnel_send(struct tunnel *t, const uint8_t *bytes, size_t len)
{
    struct blob *b = blob_new(FRAME_HEAD + len);

    if (!b)
        return -ROOST_NOMEM;
    frame_head_encode(b->bytes, len);
    memcpy(b->bytes + FRAME_HEAD, bytes, len);
    return tls_send(&t->tls, b);
}

void tunnel_flush(struct tunnel *t)
{
    if (t->state == TUNNEL_UP && tls_flush(&t->tls))
        tunnel_close(t);
}

int64_t tunnel_deadline(const struct tunnel *t)
{
    int64_t tls_us = tls_deadline(&t->tls);

    if (t->state == TUNNEL_IDLE)
        return INT64_MAX;
    return t->state != TUNNEL_UP && t->until_us < tls_us ? t->until_us : tls_us;
}
