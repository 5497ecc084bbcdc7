#include "lab/pair.h"

#include <string.h>

#include "base/err.h"
#include "seal/aead.h"
#include "wire/cursor.h"

enum { VERSION = 1, HELLO = 0x81, ANSWER = 0x82, NO = 0x83, COOKIE = 0x84, PROOF = 32 };

static const char purpose[] = "roost pair 1";

/* All that is said, but for the proof. */
struct said {
    const uint8_t *random[2], *share[2]; /* the caller's, the listener's */
    uint32_t session;
};

bool pair_is_ours(const uint8_t *bytes, size_t len)
{
    return len >= PAIR_NO && bytes[0] >= HELLO && bytes[0] <= COOKIE;
}

/* The first bytes of SHA-256 of what stands before them. */
static int mark_of(uint8_t ret[static PAIR_MARK], const uint8_t *bytes, size_t len)
{
    uint8_t sum[32];
    int err = seal_sha256(sum, &(struct seal_part){ bytes, len - PAIR_MARK }, 1);

    if (!err)
        memcpy(ret, sum, PAIR_MARK);
    return err;
}

void pair_mark(uint8_t *bytes, size_t len)
{
    if (mark_of(bytes + len - PAIR_MARK, bytes, len))
        memset(bytes + len - PAIR_MARK, 0, PAIR_MARK);
}

static bool is_whole(const uint8_t *bytes, size_t len)
{
    uint8_t wanted[PAIR_MARK];

    return !mark_of(wanted, bytes, len) && seal_equal(wanted, bytes + len - PAIR_MARK, PAIR_MARK);
}

/* --- keys --------------------------------------------------------------------------- */

static int digest(uint8_t ret[static 32], const struct said *s)
{
    uint8_t session[4];
    struct writer w = writer_of(session, sizeof session);

    write_number(&w, s->session, 4);
    struct seal_part parts[] = {
        { purpose, sizeof purpose },   { s->random[0], PAIR_RANDOM }, { s->share[0], WORD_BYTES },
        { s->random[1], PAIR_RANDOM }, { s->share[1], WORD_BYTES },   { session, sizeof session },
    };
    return seal_sha256(ret, parts, 6);
}

/* The session's secret, and the listener's proof that it knows the word. */
static int derive(uint8_t ret_secret[static PAIR_SECRET], uint8_t ret_proof[static PROOF],
                  const uint8_t word[static WORD_BYTES], const uint8_t both[static WORD_BYTES],
                  const struct said *s)
{
    uint8_t info[sizeof purpose + 32], keys[PAIR_SECRET + 32];

    memcpy(info, purpose, sizeof purpose);
    int err = digest(info + sizeof purpose, s);
    if (!err)
        err = seal_hkdf(keys, sizeof keys, &(struct seal_part){ both, WORD_BYTES },
                        &(struct seal_part){ word, WORD_BYTES },
                        &(struct seal_part){ info, sizeof info });
    if (!err)
        err = seal_hmac(ret_proof, keys + PAIR_SECRET, &(struct seal_part){ info, sizeof info }, 1);
    if (!err)
        memcpy(ret_secret, keys, PAIR_SECRET);
    seal_wipe(keys, sizeof keys);
    return err;
}

/* --- the caller ----------------------------------------------------------------------- */

int pair_call(struct pair_caller *c, const uint8_t word[static WORD_BYTES],
              const uint8_t seed[static 32], int64_t now_us)
{
    uint8_t point[WORD_BYTES];
    struct rng rng;

    *c = (struct pair_caller){ .begun_us = now_us, .due_us = now_us, .wait_us = PAIR_AGAIN_US };
    memcpy(c->word, word, WORD_BYTES);
    rng_init(&rng, seed);
    rng_fill(&rng, c->random, sizeof c->random);
    rng_fill(&rng, c->secret, sizeof c->secret);
    rng_fini(&rng);
    int err = word_point(point, word, purpose);
    if (!err)
        err = word_times(c->share, c->secret, point);
    seal_wipe(point, sizeof point);
    return err;
}

void pair_caller_fini(struct pair_caller *c)
{
    seal_wipe(c, sizeof *c);
}

size_t pair_caller_next(struct pair_caller *c, int64_t now_us, uint8_t bytes[static PAIR_HELLO])
{
    if (now_us < c->due_us)
        return 0;
    c->due_us = now_us + c->wait_us;
    c->wait_us = c->wait_us * 2 < PAIR_AGAIN_MAX ? c->wait_us * 2 : PAIR_AGAIN_MAX;
    c->begun_us = c->sent++ ? c->begun_us : now_us;
    memset(bytes, 0, PAIR_HELLO);
    struct writer w = writer_of(bytes, PAIR_HELLO);
    write_u8(&w, HELLO);
    write_u8(&w, VERSION);
    write_bytes(&w, c->random, PAIR_RANDOM);
    write_bytes(&w, c->share, WORD_BYTES);
    write_bytes(&w, c->cookie, CALLERS_COOKIE);
    pair_mark(bytes, PAIR_HELLO);
    return PAIR_HELLO;
}

static int check_answer(const struct pair_caller *c, const struct said *s, const uint8_t *proof,
                        uint8_t secret[static PAIR_SECRET])
{
    uint8_t both[WORD_BYTES], wanted[PROOF];
    int err = word_times(both, c->secret, s->share[1]);

    if (err == -ROOST_MALFORMED)
        return -ROOST_LOGIN_WRONG;
    if (!err)
        err = derive(secret, wanted, c->word, both, s);
    if (!err && !seal_equal(wanted, proof, PROOF))
        err = -ROOST_LOGIN_WRONG;
    seal_wipe(both, sizeof both);
    return err;
}

/* It is shown at once, and again as the first ones were. */
static void take_cookie(struct pair_caller *c, int64_t now_us, const uint8_t *cookie)
{
    if (!memcmp(c->cookie, cookie, CALLERS_COOKIE))
        return;
    memcpy(c->cookie, cookie, CALLERS_COOKIE);
    c->due_us = now_us;
    c->wait_us = PAIR_AGAIN_US;
    c->sent = 0;
}

static int hear_answer(struct pair_caller *c, int64_t now_us, struct reader *r,
                       struct pair_keys *ret)
{
    struct said s = { .random = { c->random }, .share = { c->share } };
    struct pair_keys k = { 0 };

    s.random[1] = read_bytes(r, PAIR_RANDOM);
    s.share[1] = read_bytes(r, WORD_BYTES);
    s.session = k.session = (uint32_t)read_number(r, 4);
    int err = check_answer(c, &s, read_bytes(r, PROOF), k.secret);
    if (err)
        return err;
    k.rtt_us = c->sent == 1 ? now_us - c->begun_us : 0; /* which HELLO it answers is not known */
    *ret = k;
    seal_wipe(&k, sizeof k);
    return 1;
}

int pair_caller_hear(struct pair_caller *c, int64_t now_us, const uint8_t *bytes, size_t len,
                     struct pair_keys *ret)
{
    struct reader r = reader_of(bytes, len);
    uint8_t kind = read_u8(&r), version = read_u8(&r);

    if (version != VERSION || len != (kind == ANSWER   ? (size_t)PAIR_ANSWER
                                      : kind == COOKIE ? (size_t)PAIR_COOKIE
                                                       : 0))
        return 0;
    if (!seal_equal(read_bytes(&r, PAIR_RANDOM), c->random, PAIR_RANDOM))
        return 0; /* of another run */
    if (!is_whole(bytes, len))
        return 0;
    if (kind == ANSWER)
        return hear_answer(c, now_us, &r, ret);
    take_cookie(c, now_us, read_bytes(&r, CALLERS_COOKIE));
    return 0;
}

size_t pair_no(const struct pair_caller *c, uint8_t bytes[static PAIR_NO])
{
    bytes[0] = NO;
    bytes[1] = VERSION;
    memcpy(bytes + 2, c->random, PAIR_RANDOM);
    pair_mark(bytes, PAIR_NO);
    return PAIR_NO;
}

/* --- the listener ------------------------------------------------------------------------ */

int pair_listen(struct pair_listener *l, const uint8_t word[static WORD_BYTES],
                const uint8_t seed[static 32])
{
    *l = (struct pair_listener){ 0 };
    memcpy(l->word, word, WORD_BYTES);
    rng_init(&l->rng, seed);
    rng_fill(&l->rng, l->callers.secret, sizeof l->callers.secret);
    return word_point(l->point, word, purpose);
}

void pair_listener_fini(struct pair_listener *l)
{
    seal_wipe(l, sizeof *l);
}

static struct pair_waiting *by_random(struct pair_listener *l, const struct path_address *from,
                                      const uint8_t *random)
{
    for (int i = 0; i < PAIR_WAITING_MAX; i++)
        if (l->waiting[i].used && path_same(&l->waiting[i].from, from) &&
            seal_equal(l->waiting[i].random, random, PAIR_RANDOM))
            return &l->waiting[i];
    return NULL;
}

static struct pair_waiting *by_session(const struct pair_listener *l, uint32_t session)
{
    for (int i = 0; i < PAIR_WAITING_MAX; i++)
        if (l->waiting[i].used && l->waiting[i].keys.session == session)
            return (struct pair_waiting *)&l->waiting[i];
    return NULL;
}

static void guessed(struct pair_listener *l, struct pair_waiting *w)
{
    callers_end(&l->callers, &w->from, true);
    l->guesses++;
    l->wrong++;
    seal_wipe(w, sizeof *w);
}

static struct pair_waiting *place(struct pair_listener *l)
{
    for (int i = 0; i < PAIR_WAITING_MAX; i++)
        if (!l->waiting[i].used)
            return &l->waiting[i];
    return NULL;
}

static void write_answer(uint8_t bytes[static PAIR_ANSWER], const struct said *s,
                         const uint8_t proof[static PROOF])
{
    struct writer w = writer_of(bytes, PAIR_ANSWER);

    write_u8(&w, ANSWER);
    write_u8(&w, VERSION);
    write_bytes(&w, s->random[0], PAIR_RANDOM);
    write_bytes(&w, s->random[1], PAIR_RANDOM);
    write_bytes(&w, s->share[1], WORD_BYTES);
    write_number(&w, s->session, 4);
    write_bytes(&w, proof, PROOF);
    pair_mark(bytes, PAIR_ANSWER);
}

/* Fresh secrets for whoever says hello. -ROOST_MALFORMED: its share is none. */
static int begin_exchange(struct pair_listener *l, struct pair_waiting *w, const uint8_t *random,
                          const uint8_t *share)
{
    uint8_t mine[PAIR_RANDOM], secret[WORD_BYTES], shown[WORD_BYTES], both[WORD_BYTES],
        proof[PROOF];
    struct said s = { .random = { random, mine }, .share = { share, shown } };

    rng_fill(&l->rng, mine, sizeof mine);
    rng_fill(&l->rng, secret, sizeof secret);
    do
        s.session = (uint32_t)rng_u64(&l->rng);
    while (by_session(l, s.session));
    int err = word_times(shown, secret, l->point);
    if (!err)
        err = word_times(both, secret, share);
    if (!err)
        err = derive(w->keys.secret, proof, l->word, both, &s);
    if (!err) {
        w->keys.session = s.session;
        memcpy(w->random, random, PAIR_RANDOM);
        write_answer(w->answer, &s, proof);
    }
    seal_wipe(secret, sizeof secret);
    seal_wipe(both, sizeof both);
    return err;
}

static int ask_cookie(struct pair_listener *l, int64_t now_us, const struct path_address *from,
                      const uint8_t *random, uint8_t ret[static PAIR_COOKIE])
{
    uint8_t cookie[CALLERS_COOKIE];
    struct writer w = writer_of(ret, PAIR_COOKIE);
    int err = callers_cookie(&l->callers, now_us, from, random, cookie);

    if (err)
        return err;
    write_u8(&w, COOKIE);
    write_u8(&w, VERSION);
    write_bytes(&w, random, PAIR_RANDOM);
    write_bytes(&w, cookie, sizeof cookie);
    pair_mark(ret, PAIR_COOKIE);
    return PAIR_COOKIE;
}

/* 0: this address has to wait. */
static int answer_first(struct pair_listener *l, int64_t now_us, const struct path_address *from,
                        const uint8_t *random, const uint8_t *share,
                        uint8_t answer[static PAIR_ANSWER])
{
    struct pair_waiting *w = place(l);

    if (l->guesses >= PAIR_GUESSES_MAX)
        return -ROOST_GUESSES;
    if (!w || !callers_begin(&l->callers, now_us, from))
        return 0;
    int err = begin_exchange(l, w, random, share);
    if (err) {
        callers_end(&l->callers, from, false);
        return err == -ROOST_MALFORMED ? 0 : err;
    }
    w->used = true;
    w->from = *from;
    w->at_us = now_us;
    memcpy(answer, w->answer, PAIR_ANSWER);
    return PAIR_ANSWER;
}

static int on_hello(struct pair_listener *l, int64_t now_us, const struct path_address *from,
                    struct reader *r, uint8_t answer[static PAIR_ANSWER])
{
    const uint8_t *random = read_bytes(r, PAIR_RANDOM), *share = read_bytes(r, WORD_BYTES),
                  *cookie = read_bytes(r, CALLERS_COOKIE);
    const struct pair_waiting *w = by_random(l, from, random);

    if (w) {
        memcpy(answer, w->answer, PAIR_ANSWER);
        return PAIR_ANSWER;
    }
    if (!callers_cookie_holds(&l->callers, now_us, from, random, cookie)) {
        if (l->unasked >= PAIR_UNASKED)
            return ask_cookie(l, now_us, from, random, answer);
        l->unasked++;
    }
    return answer_first(l, now_us, from, random, share, answer);
}

int pair_listener_hear(struct pair_listener *l, int64_t now_us, const struct path_address *from,
                       const uint8_t *bytes, size_t len, uint8_t answer[static PAIR_ANSWER])
{
    struct reader r = reader_of(bytes, len);
    uint8_t kind = read_u8(&r);

    if (read_u8(&r) != VERSION)
        return 0;
    if (kind == HELLO && len == PAIR_HELLO && is_whole(bytes, len))
        return on_hello(l, now_us, from, &r, answer);
    if (kind == NO && len == PAIR_NO && is_whole(bytes, len)) {
        struct pair_waiting *w = by_random(l, from, read_bytes(&r, PAIR_RANDOM));
        if (w)
            guessed(l, w);
        return w && l->guesses >= PAIR_GUESSES_MAX ? -ROOST_GUESSES : 0;
    }
    return 0;
}

const struct pair_keys *pair_listener_keys(const struct pair_listener *l, uint32_t session)
{
    const struct pair_waiting *w = by_session(l, session);

    return w ? &w->keys : NULL;
}

void pair_listener_expire(struct pair_listener *l, int64_t now_us)
{
    for (int i = 0; i < PAIR_WAITING_MAX; i++)
        if (l->waiting[i].used && now_us - l->waiting[i].at_us >= PAIR_PROVE_US)
            guessed(l, &l->waiting[i]);
}

int64_t pair_listener_deadline_us(const struct pair_listener *l)
{
    int64_t at_us = INT64_MAX;

    for (int i = 0; i < PAIR_WAITING_MAX; i++)
        if (l->waiting[i].used && l->waiting[i].at_us + PAIR_PROVE_US < at_us)
            at_us = l->waiting[i].at_us + PAIR_PROVE_US;
    return at_us;
}
