#include "flow/relay.h"

#include <string.h>

#include "base/err.h"
#include "seal/digest.h"
#include "wire/cursor.h"

enum {
    COOKIE_LEN = RELAY_HEAD + RELAY_COOKIE + RELAY_MAC,
    BOUND_LEN = RELAY_HEAD + 20 + RELAY_MAC,
    PATIENCE = 5, /* HEREs without an answer: it is not bound any more */
};
#define NEVER (INT64_MIN / 2)

void relay_put_head(uint8_t ret[static RELAY_HEAD], uint32_t number, enum relay_kind kind)
{
    ret[0] = RELAY_FIRST;
    for (int i = 0; i < 4; i++)
        ret[1 + i] = (uint8_t)(number >> (24 - 8 * i));
    ret[5] = (uint8_t)kind;
}

bool relay_read(const uint8_t *bytes, size_t len, uint32_t *ret_number, enum relay_kind *ret_kind)
{
    if (len < RELAY_HEAD || bytes[0] != RELAY_FIRST || bytes[5] > RELAY_PACKET)
        return false;
    struct reader r = reader_of(bytes + 1, 4);
    *ret_number = (uint32_t)read_number(&r, 4);
    *ret_kind = bytes[5];
    return true;
}

/* --- macs ------------------------------------------------------------------------------ */

/* Behind n bytes; returns their sum. */
static size_t put_mac(const uint8_t token[static 32], uint8_t *bytes, size_t n)
{
    struct seal_part part = { bytes, n };
    uint8_t mac[32];

    if (seal_hmac(mac, token, &part, 1))
        return 0;
    memcpy(bytes + n, mac, RELAY_MAC);
    return n + RELAY_MAC;
}

static bool mac_fits(const uint8_t token[static 32], const uint8_t *bytes, size_t len)
{
    struct seal_part part = { bytes, len - RELAY_MAC };
    uint8_t mac[32];

    return !seal_hmac(mac, token, &part, 1) && seal_equal(mac, bytes + len - RELAY_MAC, RELAY_MAC);
}

static size_t put_cookie(uint8_t *ret, uint32_t number, enum relay_kind kind,
                         const uint8_t token[static 32], const uint8_t cookie[static RELAY_COOKIE])
{
    relay_put_head(ret, number, kind);
    memcpy(ret + RELAY_HEAD, cookie, RELAY_COOKIE);
    return put_mac(token, ret, RELAY_HEAD + RELAY_COOKIE);
}

/* --- the server's side -------------------------------------------------------------------- */

void relay_init(struct relay *r, uint32_t number, bool passes,
                const uint8_t tokens[static 2 * RELAY_TOKEN])
{
    *r = (struct relay){ .number = number, .passes = passes };
    for (int i = 0; i < 2; i++) {
        memcpy(r->side[i].token, tokens + i * RELAY_TOKEN, RELAY_TOKEN);
        r->side[i].here_us = NEVER;
    }
}

const struct path_address *relay_where(const struct relay *r, int side, int64_t now_us)
{
    const struct relay_side *s = &r->side[side];

    return s->at.len && now_us - s->here_us < RELAY_GONE_US ? &s->at : NULL;
}

static size_t put_bound(const struct relay *r, int side, int64_t now_us, uint8_t *ret)
{
    const struct relay_side *s = &r->side[side];
    struct writer w = writer_of(ret + RELAY_HEAD, 20);

    relay_put_head(ret, r->number, RELAY_BOUND);
    write_number(&w, relay_where(r, !side, now_us) != NULL, 1);
    write_number(&w, s->at.len, 1);
    write_bytes(&w, s->at.ip, 16);
    write_number(&w, s->at.port, 2);
    return put_mac(s->token, ret, RELAY_HEAD + 20);
}

static void on_here(struct relay *r, int side, const uint8_t *cookie,
                    const struct path_address *from, const uint8_t *fresh, int64_t now_us,
                    struct relay_verdict *ret)
{
    struct relay_side *s = &r->side[side];

    ret->what = RELAY_ANSWER;
    if (s->tried.len && path_same(&s->tried, from) && seal_equal(cookie, s->cookie, RELAY_COOKIE)) {
        ret->moved = !s->at.len || !path_same(&s->at, from);
        s->at = *from;
        s->here_us = now_us;
        ret->len = put_bound(r, side, now_us, ret->bytes);
        return;
    }
    if (!s->tried.len || !path_same(&s->tried, from)) {
        s->tried = *from;
        memcpy(s->cookie, fresh, RELAY_COOKIE);
    }
    ret->len = put_cookie(ret->bytes, r->number, RELAY_PROVE, s->token, s->cookie);
}

/* Who sends from the address of one side is that side; who sends from elsewhere is nobody. */
static void on_passing(struct relay *r, const struct path_address *from, size_t len, int64_t now_us,
                       struct relay_verdict *ret)
{
    for (int i = 0; i < 2; i++) {
        const struct path_address *at = relay_where(r, i, now_us);
        if (!at || !path_same(at, from) || !r->passes)
            continue;
        ret->what = RELAY_PASS;
        ret->side = i;
        r->passed++;
        r->passed_bytes += len;
        return;
    }
    r->refused++;
}

void relay_on_packet(struct relay *r, const uint8_t *bytes, size_t len,
                     const struct path_address *from, const uint8_t cookie[static RELAY_COOKIE],
                     int64_t now_us, struct relay_verdict *ret)
{
    enum relay_kind kind;
    uint32_t number;

    *ret = (struct relay_verdict){ .what = RELAY_NOTHING };
    if (!relay_read(bytes, len, &number, &kind) || number != r->number)
        return;
    if (kind == RELAY_PACKET && len > RELAY_HEAD)
        on_passing(r, from, len, now_us, ret);
    for (int i = 0; i < 2 && kind == RELAY_HERE && len == COOKIE_LEN; i++)
        if (mac_fits(r->side[i].token, bytes, len)) {
            ret->side = i;
            on_here(r, i, bytes + RELAY_HEAD, from, cookie, now_us, ret);
            return;
        }
    if (ret->what == RELAY_NOTHING && kind != RELAY_PACKET)
        r->refused++;
}

/* --- an end's -------------------------------------------------------------------------------- */

void relay_end_init(struct relay_end *e, uint32_t number, const uint8_t token[static RELAY_TOKEN],
                    int64_t now_us)
{
    *e = (struct relay_end){ .number = number, .asked_us = NEVER, .heard_us = now_us };
    memcpy(e->token, token, RELAY_TOKEN);
    e->hurry = true;
}

static void take_bound(struct relay_end *e, const uint8_t *bytes, int64_t now_us)
{
    struct reader r = reader_of(bytes + RELAY_HEAD, 20);

    e->other = read_number(&r, 1) == 1;
    e->observed = (struct path_address){ .len = (uint8_t)read_number(&r, 1) };
    memcpy(e->observed.ip, read_bytes(&r, 16), 16);
    e->observed.port = (uint16_t)read_number(&r, 2);
    if (e->observed.len != 4 && e->observed.len != 16)
        e->observed.len = 0;
    e->bound = true;
    e->heard_us = now_us;
    e->asked = 0;
}

int relay_end_on_packet(struct relay_end *e, const uint8_t *bytes, size_t len, int64_t now_us)
{
    enum relay_kind kind;
    uint32_t number;

    if (!relay_read(bytes, len, &number, &kind) || number != e->number)
        return -ROOST_MALFORMED;
    bool prove = kind == RELAY_PROVE && len == COOKIE_LEN,
         bound = kind == RELAY_BOUND && len == BOUND_LEN;
    if ((!prove && !bound) || !mac_fits(e->token, bytes, len))
        return -ROOST_MALFORMED;
    if (bound) {
        take_bound(e, bytes, now_us);
        return 0;
    }
    if (memcmp(e->cookie, bytes + RELAY_HEAD, RELAY_COOKIE) != 0) {
        memcpy(e->cookie, bytes + RELAY_HEAD, RELAY_COOKIE);
        e->hurry = true;
    }
    return 0;
}

int64_t relay_end_deadline_us(const struct relay_end *e)
{
    int64_t doubled = e->asked > 10 ? RELAY_KEEP_US : RELAY_AGAIN_US << (e->asked / 3);

    if (e->hurry)
        return e->asked_us + 1000; /* a server that proves and proves is asked no faster */
    return e->asked_us + (e->bound && !e->asked ? RELAY_KEEP_US : doubled);
}

size_t relay_end_next(struct relay_end *e, uint8_t ret[static RELAY_WORD_MAX], int64_t now_us)
{
    if (relay_end_deadline_us(e) > now_us)
        return 0;
    e->hurry = false;
    e->asked_us = now_us;
    if (++e->asked >= PATIENCE)
        e->bound = false;
    return put_cookie(ret, e->number, RELAY_HERE, e->token, e->cookie);
}

void relay_end_on_change(struct relay_end *e)
{
    e->hurry = true;
}
