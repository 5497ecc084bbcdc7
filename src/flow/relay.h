/* relay.h - packets between two ends that no straight path joins: what the server passes on, and
 * how an end says where it is.
 *
 *     | 0x41 | number 4 | kind 1 | ...
 *       HERE   cookie 8, mac 16     end -> server; zeros: it has none yet
 *       PROVE  cookie 8, mac 16     server -> end: send HERE with this
 *       BOUND  other 1, length 1, address 16, port 2, mac 16
 *                                   server -> end: you are there, as I see you; is the other?
 *       PACKET a datagram           passed to the other end, unopened
 *
 * An address counts when a cookie that was sent there came back: until then it gets answers no
 * longer than what it sent, and nothing of the other end's. Each end has a token of its own, from
 * control; the mac is made with it (HMAC-SHA-256 of all before it, cut to 16 bytes), so nobody else
 * can say where an end is. Instead of a datagram a PACKET may come through a tunnel (TLS) that
 * was bound with the same token.
 *
 * Pure: time and randomness are given. Plain data of the caller's. Microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/path.h"

enum {
    RELAY_FIRST = 0x41, /* of a packet; sessions have zeros in the low bits */
    RELAY_HEAD = 6,
    RELAY_TOKEN = 16,
    RELAY_COOKIE = 8,
    RELAY_MAC = 16,
    RELAY_WORD_MAX = RELAY_HEAD + 20 + RELAY_MAC,
};
#define RELAY_AGAIN_US (300 * 1000LL)   /* an unanswered HERE is said again */
#define RELAY_KEEP_US  (10 * 1000000LL) /* and so often when all is well */
#define RELAY_GONE_US  (35 * 1000000LL) /* without HERE an end is gone */

enum relay_kind { RELAY_HERE, RELAY_PROVE, RELAY_BOUND, RELAY_PACKET };

/* The number of a packet, in *ret. False: it is none of a relay. */
bool relay_read(const uint8_t *bytes, size_t len, uint32_t *ret_number, enum relay_kind *ret_kind);
/* The head of a PACKET, in front of the datagram. */
void relay_put_head(uint8_t ret[static RELAY_HEAD], uint32_t number, enum relay_kind kind);

/* --- the server's side --------------------------------------------------------------- */

struct relay_side {
    uint8_t token[32];             /* and zeros */
    struct path_address at, tried; /* len 0: none */
    uint8_t cookie[RELAY_COOKIE];  /* sent to `tried` */
    int64_t here_us;               /* the last HERE from `at` */
};

struct relay {
    uint32_t number;
    bool passes;
    struct relay_side side[2];
    uint64_t passed, passed_bytes, refused; /* counted */
};

void relay_init(struct relay *r, uint32_t number, bool passes,
                const uint8_t tokens[static 2 * RELAY_TOKEN]);

enum relay_do { RELAY_NOTHING, RELAY_ANSWER, RELAY_PASS };
struct relay_verdict {
    enum relay_do what;
    int side;                      /* that it came from */
    uint8_t bytes[RELAY_WORD_MAX]; /* ANSWER: to where it came from */
    size_t len;
    bool moved; /* the side is at another address than before */
};
/* A packet of this number came. cookie: random, used if one is made. */
void relay_on_packet(struct relay *r, const uint8_t *bytes, size_t len,
                     const struct path_address *from, const uint8_t cookie[static RELAY_COOKIE],
                     int64_t now_us, struct relay_verdict *ret);
/* Where that side is; NULL: not known, or not any more. */
const struct path_address *relay_where(const struct relay *r, int side, int64_t now_us);

/* --- an end's --------------------------------------------------------------------------- */

struct relay_end {
    uint32_t number;
    uint8_t token[32];
    uint8_t cookie[RELAY_COOKIE];
    bool bound, other;            /* the server knows us there; and the other end */
    struct path_address observed; /* len 0: not told yet */
    int64_t asked_us, heard_us;   /* HERE, its answer */
    uint32_t asked;               /* since it was answered */
    bool hurry;
};

void relay_end_init(struct relay_end *e, uint32_t number, const uint8_t token[static RELAY_TOKEN],
                    int64_t now_us);
/* 0; -ROOST_MALFORMED: not from that server. PACKETs are the caller's. */
int relay_end_on_packet(struct relay_end *e, const uint8_t *bytes, size_t len, int64_t now_us);
/* HERE if it is due: bytes, or 0. */
size_t relay_end_next(struct relay_end *e, uint8_t ret[static RELAY_WORD_MAX], int64_t now_us);
int64_t relay_end_deadline_us(const struct relay_end *e);
void relay_end_on_change(struct relay_end *e); /* of interfaces, or silence: ask now */
