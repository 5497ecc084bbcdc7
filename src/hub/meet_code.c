/* meet_code.c - codes, the secrets of links, and what wrong guesses count against.
 *
 * A code is short because it is read out; so wrong ones are counted: by source and in
 * all for those who are not signed in, by account for those who are. A link holds a
 * secret of 128 bits and needs no counting; a wrong secret is a wrong guess, so that
 * nobody learns from it which codes exist.
 */
#include <string.h>

#include "hub/guard.h"
#include "hub/handlers_meet.h"
#include "seal/digest.h"

#define HOUR_MS 3600000LL

static void put_number(uint8_t bytes[static 8], uint64_t n)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(n >> 8 * i);
}

int meet_secret(const struct hub *h, uint64_t meeting, char ret[static MEET_SECRET_BYTES])
{
    uint8_t sum[32], id[8];

    put_number(id, meeting);
    int err = seal_hmac(sum, h->config.server_secret,
                        (struct seal_part[]){ { "roost meeting link 1", 21 }, { id, 8 } }, 2);
    if (!err)
        err = seal_base32(ret, MEET_SECRET_BYTES, sum, 16);
    seal_wipe(sum, sizeof sum);
    return err;
}

bool meet_secret_is(const struct hub *h, uint64_t meeting, const char *typed)
{
    char canon[MEET_SECRET_BYTES], secret[MEET_SECRET_BYTES];
    bool is = seal_base32_canon(canon, sizeof canon, typed) == 0 &&
              strlen(canon) == MEET_SECRET_BYTES - 1 && meet_secret(h, meeting, secret) == 0 &&
              seal_equal(canon, secret, sizeof secret);

    seal_wipe(secret, sizeof secret);
    return is;
}

void meet_code_draw(struct hub *h, char ret[static MEET_CODE_MAX + 1])
{
    uint32_t digits = h->config.code_digits;

    for (uint32_t i = 0; i < digits; i++) {
        uint64_t n;
        do
            n = rng_u64(&h->rng); /* without a digit that comes a little more often */
        while (n >= UINT64_MAX - UINT64_MAX % 10);
        ret[i] = (char)('0' + n % 10);
    }
    ret[digits] = 0;
}

static int count_key(uint8_t ret[static 32], uint8_t kind, const void *what, size_t len)
{
    return seal_sha256(ret, (struct seal_part[]){ { "count", 6 }, { &kind, 1 }, { what, len } }, 3);
}

int meet_counts(struct hub *h, const struct request *q, struct store_op *op)
{
    bool signed_in = q->account && !q->guest;
    uint8_t id[8];

    put_number(id, q->account);
    struct store_count *one = &op->counts[0], *all = &op->counts[1];
    *one = (struct store_count){ .kind = GUARD_CODE,
                                 .limit = h->config.code_tries,
                                 .window_ms = HOUR_MS,
                                 .source = arena_str(&op->mem, q->source) };
    op->n_counts = 1;
    if (signed_in)
        return count_key(one->key, GUARD_CODE, id, sizeof id);
    *all = (struct store_count){ .kind = GUARD_CODES,
                                 .limit = h->config.code_tries_all,
                                 .window_ms = 24 * HOUR_MS };
    op->n_counts = 2;
    int err = count_key(one->key, GUARD_CODE, q->source, strlen(q->source));
    return err ? err : count_key(all->key, GUARD_CODES, "", 0);
}

int meet_count_made(const struct request *q, uint32_t kind, uint32_t limit, int64_t window_ms,
                    struct store_op *op)
{
    struct store_count *one = &op->counts[0];
    bool signed_in = q->account && !q->guest;
    uint8_t id[8];

    put_number(id, q->account);
    *one = (struct store_count){ .kind = kind,
                                 .limit = limit,
                                 .window_ms = window_ms,
                                 .source = arena_str(&op->mem, q->source) };
    op->n_counts = 1;
    return signed_in ? count_key(one->key, (uint8_t)kind, id, sizeof id)
                     : count_key(one->key, (uint8_t)kind, q->source, strlen(q->source));
}
