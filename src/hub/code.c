/* code.c - numbers under which two connections find each other, with or without an
 * account.
 *
 * The number is the first word of a phrase; the rest is proven by the two ends to each other, and
 * nothing of it is heard here. One at a time may try: whoever made the code burns it after a wrong
 * proof. Kept in memory only: a server that starts anew knows no codes.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/file.h"
#include "seal/digest.h"

#define CODE_US       (3600 * 1000000LL)
#define CODE_GRACE_US (60 * 1000000LL) /* past the end of its maker's connection */
#define GUESSES_US    (3600 * 1000000LL)

enum { MAKER = 0, JOINER = 1, CLAIM = 16, DRAWS = 20 };

struct code {
    uint32_t number;
    uint64_t conns[2], source; /* 0: nobody; source: of the maker, hashed */
    uint8_t claim[CLAIM];
    int64_t end_us;
    struct ends ends;
};

static uint64_t hash_of(const char *source)
{
    uint8_t sum[32];
    uint64_t n = 0;

    if (!seal_sha256(sum, &(struct seal_part){ source, strlen(source) }, 1))
        memcpy(&n, sum, sizeof n);
    return n | 1;
}

static void tell_met(struct hub *h, const struct code *c, int who, bool gone)
{
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    Roost__CodeMet met = ROOST__CODE_MET__INIT;
    struct conn *to = c->conns[who] ? conn_of(h, c->conns[who]) : NULL;

    if (!to)
        return;
    met.code = c->number;
    met.gone = gone;
    frame.body_case = ROOST__TO_CLIENT__BODY_CODE_MET;
    frame.code_met = &met;
    send_frame(h, to, &frame);
}

static void code_free(struct hub *h, struct code *c)
{
    map_take(&h->codes, c->number);
    ends_over(h, &c->ends);
    seal_wipe(c, sizeof *c);
    free(c);
}

static void code_burn(struct hub *h, struct code *c)
{
    tell_met(h, c, JOINER, true);
    code_free(h, c);
}

/* --- guesses --------------------------------------------------------------------------------- */

struct guesses {
    unsigned n;
};

static void free_values(struct map *m)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(m, &i));)
        free(s->value);
    map_fini(m);
}

static bool may_guess(struct hub *h, struct request *q)
{
    if (h->now.mono_us - h->guesses_us > GUESSES_US || h->code_guesses.n > GUESSES_KEPT) {
        uint64_t seed = h->code_guesses.seed;
        free_values(&h->code_guesses);
        map_init(&h->code_guesses, seed);
        h->guesses_us = h->now.mono_us;
    }
    const struct guesses *g = map_get(&h->code_guesses, hash_of(q->source));
    if ((g ? g->n : 0) < h->config.code_tries)
        return true;
    q->retry_after_ms = (uint64_t)((h->guesses_us + GUESSES_US - h->now.mono_us) / 1000);
    return false;
}

static void note_guess(struct hub *h, const struct request *q)
{
    uint64_t key = hash_of(q->source);
    struct guesses *g = map_get(&h->code_guesses, key);

    if (!g && (g = calloc(1, sizeof *g)) && map_put(&h->code_guesses, key, g)) {
        free(g);
        g = NULL;
    }
    if (g)
        g->n++;
}

/* --- making ------------------------------------------------------------------------------------
 */

static int reply_code(struct hub *h, struct request *q, const struct code *c)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Code code = ROOST__CODE__INIT;

    code.number = c->number;
    code.until_ms = (uint64_t)(h->now.wall_ms + (c->end_us - h->now.mono_us) / 1000);
    reply.result_case = ROOST__REPLY__RESULT_CODE;
    reply.code = &code;
    return reply_with(h, q, &reply);
}

/* Four digits while few are in use, so that most numbers are nobody's. */
static uint32_t draw(struct hub *h)
{
    uint32_t low = h->codes.n < 100 ? 1000 : h->codes.n < 1000 ? 10000 : 100000;

    for (int i = 0; i < DRAWS; i++) {
        uint32_t n = low + (uint32_t)(rng_u64(&h->rng) % (9ULL * low));
        if (!map_get(&h->codes, n))
            return n;
    }
    return 0;
}

static uint32_t codes_of(const struct hub *h, uint64_t source)
{
    struct map_slot *s;
    uint32_t n = 0;

    for (size_t i = 0; (s = map_next(&h->codes, &i));)
        n += ((const struct code *)s->value)->source == source;
    return n;
}

static int code_again(struct hub *h, struct request *q, const Roost__CodeNew *b)
{
    struct code *c = map_get(&h->codes, b->number);

    if (!c || !seal_equal(c->claim, b->claim.data, CLAIM))
        return -ROOST_NO_SUCH_CODE;
    c->conns[MAKER] = q->conn;
    c->end_us = h->now.mono_us + CODE_US;
    tell_met(h, c, JOINER, false);
    return reply_code(h, q, c);
}

int code_new_on_message(struct hub *h, struct request *q)
{
    const Roost__CodeNew *b = q->msg->code_new;
    uint64_t source = hash_of(q->source);

    if (!h->config.codes)
        return -ROOST_FILES_OFF;
    if (b->claim.len != CLAIM)
        return -ROOST_INVALID;
    if (b->number) {
        if (!may_guess(h, q))
            return -ROOST_GUESSES;
        int err = code_again(h, q, b);
        if (err == -ROOST_NO_SUCH_CODE)
            note_guess(h, q);
        return err;
    }
    if (h->codes.n >= CODES_MAX || codes_of(h, source) >= CODES_OF_SOURCE)
        return -ROOST_LIMIT;
    struct code *c = calloc(1, sizeof *c);
    if (!c)
        return -ROOST_NOMEM;
    *c = (struct code){ .number = draw(h),
                        .conns = { q->conn },
                        .source = source,
                        .end_us = h->now.mono_us + CODE_US };
    memcpy(c->claim, b->claim.data, CLAIM);
    int err = !c->number ? -ROOST_BUSY : map_put(&h->codes, c->number, c);
    if (err) {
        free(c);
        return err;
    }
    return reply_code(h, q, c);
}

int code_join_on_message(struct hub *h, struct request *q)
{
    struct code *c = map_get(&h->codes, q->msg->code_join->number);

    if (!h->config.codes)
        return -ROOST_FILES_OFF;
    if (!may_guess(h, q))
        return -ROOST_GUESSES;
    if (!c) {
        note_guess(h, q);
        return -ROOST_NO_SUCH_CODE;
    }
    if (c->conns[MAKER] == q->conn)
        return -ROOST_SELF;
    if (!c->conns[MAKER])
        return -ROOST_NOBODY_THERE;
    if (c->conns[JOINER] && c->conns[JOINER] != q->conn)
        return -ROOST_CODE_BUSY;
    c->conns[JOINER] = q->conn;
    ends_over(h, &c->ends); /* the one before may know its numbers */
    tell_met(h, c, MAKER, false);
    return reply_code(h, q, c);
}

/* --- being at it ---------------------------------------------------------------------------------
 */

static struct code *code_at(struct hub *h, const struct request *q, uint32_t number, int *side)
{
    struct code *c = map_get(&h->codes, number);

    *side = !c || !q->conn                ? -1
            : c->conns[MAKER] == q->conn  ? MAKER
            : c->conns[JOINER] == q->conn ? JOINER
                                          : -1;
    return *side < 0 ? NULL : c;
}

static void leave(struct hub *h, struct code *c)
{
    c->conns[JOINER] = 0;
    ends_over(h, &c->ends);
    tell_met(h, c, MAKER, true);
}

int code_end_on_message(struct hub *h, struct request *q)
{
    int side;
    struct code *c = code_at(h, q, q->msg->code_end->number, &side);

    if (!c)
        return -ROOST_NO_SUCH_CODE;
    if (side == MAKER)
        code_burn(h, c);
    else
        leave(h, c);
    return reply_done(h, q, NULL);
}

int code_signal(struct hub *h, struct request *q)
{
    Roost__FileSignal signal = *q->msg->file_signal;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    int side;
    struct code *c = code_at(h, q, signal.code, &side);

    if (!c)
        return -ROOST_NO_SUCH_CODE;
    struct conn *to = c->conns[!side] ? conn_of(h, c->conns[!side]) : NULL;
    if (!to)
        return -ROOST_NOBODY_THERE;
    int err = ends_signal(h, q, &c->ends, side);
    if (err)
        return err;
    signal.session = 0;
    frame.body_case = ROOST__TO_CLIENT__BODY_FILE_SIGNAL;
    frame.file_signal = &signal;
    send_frame(h, to, &frame);
    return reply_done(h, q, NULL);
}

int code_relay(struct hub *h, struct request *q)
{
    int side;
    struct code *c = code_at(h, q, q->msg->file_relay->code, &side);

    if (!c)
        return -ROOST_NO_SUCH_CODE;
    int err = ends_signal(h, q, &c->ends, side);
    return err ? err : ends_reply_relay(h, q, &c->ends, side);
}

/* --- the end -------------------------------------------------------------------------------------
 */

void codes_on_gone(struct hub *h, const struct conn *conn)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->codes, &i));) {
        struct code *c = s->value;
        if (c->conns[JOINER] == conn->id)
            leave(h, c);
        if (c->conns[MAKER] != conn->id)
            continue;
        c->conns[MAKER] = 0;
        if (c->end_us > h->now.mono_us + CODE_GRACE_US)
            c->end_us = h->now.mono_us + CODE_GRACE_US;
        tell_met(h, c, JOINER, true);
    }
}

void codes_expire(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->codes, &i));) {
        struct code *c = s->value;
        if (c->end_us > h->now.mono_us)
            continue;
        tell_met(h, c, MAKER, true);
        code_burn(h, c);
        i = 0;
    }
}

void files_free_all(struct hub *h)
{
    free_values(&h->parcels);
    free_values(&h->codes);
    free_values(&h->code_guesses);
}
