#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mumble.h"

/* What is said over TLS: two bytes of what it is, four of how long, and a protobuf message. */
enum {
    SAYS_VERSION = 0,
    SAYS_AUTHENTICATE = 2,
    SAYS_PING = 3,
    SAYS_REJECT = 4,
    SAYS_SYNC = 5,
    SAYS_CRYPT = 15,
    HEAD = 6
};

static const struct {
    int version;
} speaks = { 0x010304 };

/* --- messages of protobuf ------------------------------------------------------------------- */

static uint8_t *put_number(uint8_t *at, unsigned field, uint64_t n)
{
    *at++ = (uint8_t)(field << 3);
    for (; n >= 128; n >>= 7)
        *at++ = (uint8_t)(n | 128);
    *at++ = (uint8_t)n;
    return at;
}

static uint8_t *put_text(uint8_t *at, unsigned field, const char *text)
{
    size_t len = strlen(text);

    *at++ = (uint8_t)(field << 3 | 2);
    *at++ = (uint8_t)len;
    memcpy(at, text, len);
    return at + len;
}

static bool take_number(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t b = *(*at)++;
        *ret |= (uint64_t)(b & 127) << shift;
        if (!(b & 128))
            return true;
    }
    return false;
}

/* A field: a number, or bytes (then *ret_bytes is set and *ret_n is how many). */
static bool take_field(const uint8_t **at, const uint8_t *end, unsigned *ret_field, uint64_t *ret_n,
                       const uint8_t **ret_bytes)
{
    uint64_t key;

    *ret_bytes = NULL;
    if (*at >= end || !take_number(at, end, &key) || !take_number(at, end, ret_n))
        return false;
    *ret_field = (unsigned)(key >> 3);
    if ((key & 7) == 0)
        return true;
    if ((key & 7) != 2 || *ret_n > (uint64_t)(end - *at))
        return false;
    *ret_bytes = *at;
    *at += *ret_n;
    return true;
}

/* --- saying ------------------------------------------------------------------------------------
 */

static void say(struct person *p, unsigned what, const uint8_t *body, size_t len)
{
    uint8_t bytes[HEAD + 256] = { (uint8_t)(what >> 8), (uint8_t)what, 0, 0,
                                  (uint8_t)(len >> 8),  (uint8_t)len };

    memcpy(bytes + HEAD, body, len);
    if (SSL_write(p->tls, bytes, (int)(HEAD + len)) <= 0)
        give_up("its connection was closed", p->index);
}

static void introduce(struct person *p)
{
    uint8_t body[200], *at = put_number(body, 1, (unsigned)speaks.version);
    char name[32];

    at = put_text(at, 2, "roost-mumble");
    say(p, SAYS_VERSION, body, (size_t)(at - body));
    snprintf(name, sizeof name, "crowd%u", p->index + 1);
    at = put_text(body, 1, name);
    at = put_number(at, 5, 1); /* Opus */
    say(p, SAYS_AUTHENTICATE, body, (size_t)(at - body));
}

void control_ping(struct person *p)
{
    uint8_t body[16], *at = put_number(body, 1, (uint64_t)now_ns() / 1000);

    say(p, SAYS_PING, body, (size_t)(at - body));
}

/* --- hearing -------------------------------------------------------------------------------------
 */

static void on_keys(struct person *p, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *bytes, *of[4] = { NULL };
    unsigned field;
    uint64_t n;

    while (take_field(&at, end, &field, &n, &bytes))
        if (bytes && n == OCB_BLOCK && field < 4)
            of[field] = bytes;
    if (!of[1] || !of[2] || !of[3])
        return; /* a nonce again, as it has lost ours: it has not */
    if (!ocb_init(&p->ocb, of[1], of[2], of[3]))
        give_up("no cipher", p->index);
    p->keys = true;
}

static void on_message(struct person *p, unsigned what, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *bytes;
    unsigned field;
    uint64_t n;

    if (what == SAYS_REJECT)
        give_up("the server does not want it", p->index);
    if (what == SAYS_CRYPT)
        on_keys(p, at, end);
    while (what == SAYS_SYNC && take_field(&at, end, &field, &n, &bytes))
        if (field == 1 && !bytes)
            p->session = (unsigned)n;
    p->in |= what == SAYS_SYNC;
}

/* Long ones say nothing that is of use here: they are let through in pieces. */
static void take_apart(struct person *p, size_t *skip)
{
    size_t at = 0;

    while (p->have - at >= HEAD) {
        const uint8_t *m = p->in_bytes + at;
        size_t len = (size_t)m[2] << 24 | (size_t)m[3] << 16 | (size_t)m[4] << 8 | m[5];
        if (HEAD + len > sizeof p->in_bytes) {
            *skip = HEAD + len - (p->have - at);
            at = p->have;
            break;
        }
        if (p->have - at < HEAD + len)
            break;
        on_message(p, (unsigned)(m[0] << 8 | m[1]), m + HEAD, m + HEAD + len);
        at += HEAD + len;
    }
    p->have -= at;
    memmove(p->in_bytes, p->in_bytes + at, p->have);
}

void control_read(struct person *p)
{
    static uint8_t past[4096];
    size_t skip = 0;

    for (;;) {
        uint8_t *to = skip ? past : p->in_bytes + p->have;
        size_t room = skip ? (skip < sizeof past ? skip : sizeof past)
                           : sizeof p->in_bytes - p->have;
        int n = SSL_read(p->tls, to, (int)room);
        if (n <= 0 && SSL_get_error(p->tls, n) != SSL_ERROR_WANT_READ)
            give_up("its connection was closed", p->index);
        if (n <= 0 && !skip)
            return;
        if (n <= 0)
            continue; /* the rest is on its way */
        if (skip)
            skip -= (size_t)n;
        else
            p->have += (size_t)n;
        take_apart(p, &skip);
    }
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

void control_open(struct person *p, const struct crowd *c, SSL_CTX *ctx)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->port) };
    int on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->tcp = socket(AF_INET, SOCK_STREAM, 0);
    if (p->tcp < 0 || connect(p->tcp, (struct sockaddr *)&at, sizeof at))
        give_up("no connection", p->index);
    setsockopt(p->tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p->tls = SSL_new(ctx);
    if (!p->tls || !SSL_set_fd(p->tls, p->tcp) || SSL_connect(p->tls) != 1)
        give_up("no TLS", p->index);
    introduce(p);
    fcntl(p->tcp, F_SETFL, O_NONBLOCK);
}
