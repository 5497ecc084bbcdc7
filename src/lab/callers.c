#include "lab/callers.h"

#include <stddef.h>
#include <string.h>

#include "seal/digest.h"
#include "wire/cursor.h"

enum { SECOND_BYTES = 4, NET_BYTES = 8 };

static const char purpose[] = "roost pair cookie";

/* --- cookies ------------------------------------------------------------------------- */

static int cookie_of(const struct callers *c, uint32_t second, const struct path_address *at,
                     const uint8_t *random, uint8_t ret[static CALLERS_COOKIE])
{
    uint8_t where[4 + 1 + sizeof at->ip + 2 + 4] = { 0 }, mac[32];
    struct writer w = writer_of(where, sizeof where);

    write_number(&w, second, SECOND_BYTES);
    write_u8(&w, at->len);
    write_bytes(&w, at->ip, sizeof at->ip);
    write_number(&w, at->port, 2);
    write_number(&w, at->scope, 4);
    int err = seal_hmac(mac, c->secret,
                        (struct seal_part[]){ { purpose, sizeof purpose },
                                              { where, sizeof where },
                                              { random, CALLERS_RANDOM } },
                        3);
    if (err)
        return err;
    memcpy(ret, where, SECOND_BYTES);
    memcpy(ret + SECOND_BYTES, mac, CALLERS_COOKIE - SECOND_BYTES);
    return 0;
}

static uint32_t second_of(int64_t now_us)
{
    return (uint32_t)(now_us / 1000000);
}

int callers_cookie(const struct callers *c, int64_t now_us, const struct path_address *at,
                   const uint8_t random[static CALLERS_RANDOM], uint8_t ret[static CALLERS_COOKIE])
{
    return cookie_of(c, second_of(now_us), at, random, ret);
}

bool callers_cookie_holds(const struct callers *c, int64_t now_us, const struct path_address *at,
                          const uint8_t random[static CALLERS_RANDOM],
                          const uint8_t cookie[static CALLERS_COOKIE])
{
    uint8_t wanted[CALLERS_COOKIE];
    struct reader r = reader_of(cookie, CALLERS_COOKIE);
    uint32_t second = (uint32_t)read_number(&r, SECOND_BYTES);

    return second_of(now_us) - second <= CALLERS_COOKIE_S &&
           !cookie_of(c, second, at, random, wanted) && seal_equal(wanted, cookie, sizeof wanted);
}

/* --- guesses ---------------------------------------------------------------------------- */

static bool is_link_local(const struct path_address *a)
{
    return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

/* On a link, who has an address is all that tells neighbours apart. */
static bool same_machine(const struct path_address *a, const struct path_address *b)
{
    size_t len = a->len == 16 && !is_link_local(a) ? NET_BYTES : a->len;

    return a->len == b->len && !memcmp(a->ip, b->ip, len);
}

static struct caller *row_of(struct callers *c, const struct path_address *at)
{
    for (int i = 0; i < CALLERS_MAX; i++)
        if (c->rows[i].at.len && same_machine(&c->rows[i].at, at))
            return &c->rows[i];
    return NULL;
}

static bool is_forgotten(const struct caller *row, int64_t now_us)
{
    return !row->at.len || (!row->guesses && !row->places && row->spent_us <= now_us);
}

static struct caller *new_row(struct callers *c, int64_t now_us, const struct path_address *at)
{
    for (int i = 0; i < CALLERS_MAX; i++) {
        if (is_forgotten(&c->rows[i], now_us)) {
            c->rows[i] = (struct caller){ .at = *at, .spent_us = now_us };
            return &c->rows[i];
        }
    }
    return NULL;
}

struct caller *callers_begin(struct callers *c, int64_t now_us, const struct path_address *at)
{
    struct caller *row = row_of(c, at);

    if (!row)
        row = new_row(c, now_us, at);
    if (!row || row->places >= CALLER_PLACES || row->guesses >= CALLER_GUESSES)
        return NULL;
    int64_t spent_us = row->spent_us > now_us ? row->spent_us : now_us;
    if (spent_us + CALLER_EACH_US > now_us + CALLER_AT_ONCE * (int64_t)CALLER_EACH_US)
        return NULL;
    row->spent_us = spent_us + CALLER_EACH_US;
    row->places++;
    return row;
}

void callers_end(struct callers *c, const struct path_address *at, bool guessed)
{
    struct caller *row = row_of(c, at);

    if (!row)
        return;
    row->places -= row->places > 0;
    row->guesses += guessed;
}
