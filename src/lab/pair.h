/* pair.h - two programs that know one word agree on the keys of a session of datagrams.
 *
 *     caller                                     listener
 *       HELLO   version, random, share       ->
 *                          <-  COOKIE   that random, cookie
 *       HELLO   with the cookie              ->
 *                          <-  ANSWER   that random, random, share, session, proof
 *       datagrams of the session             ->     the first that opens is the caller's proof
 *
 * Shares are of seal/word.h: who listens cannot try words, who takes part tries one each
 * time. The keys are HKDF over what both shares give and all that was said, so no two runs
 * have the same. Nothing is sent before both have proven that they know the word.
 *
 * Each message ends with 8 bytes by which damage is told from another word: what was damaged
 * is dropped, and comes again. They keep nobody out: who forges makes them, too.
 *
 * A HELLO is eight times as long as its answer, so nobody is flooded by forging one. It is
 * answered with a cookie, and with no more work than that, until it brings one (lab/callers.h);
 * only the first PAIR_UNASKED of a listener's life are answered at once, which saves who comes to
 * a listener that nobody disturbs a round trip.
 * Exchanges that nobody proves anything in count as guesses of their address. After
 * PAIR_GUESSES_MAX of all addresses the listener gives up.
 *
 * Pure: time and randomness are given. The first byte tells all of these from datagrams of
 * a session (wire/packet.h). Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/callers.h"
#include "seal/rng.h"
#include "seal/word.h"

enum {
    PAIR_HELLO = 1200, /* bytes */
    PAIR_ANSWER = 142,
    PAIR_NO = 42,
    PAIR_COOKIE = 62,
    PAIR_MARK = 8, /* at their ends */
    PAIR_RANDOM = 32,
    PAIR_SECRET = 32,
    PAIR_WAITING_MAX = 32, /* exchanges that are not proven */
    PAIR_UNASKED = 3,      /* exchanges that begin without a cookie */
    PAIR_GUESSES_MAX = 100,
};
#define PAIR_AGAIN_US  250000   /* a HELLO is repeated; twice as long each time ... */
#define PAIR_AGAIN_MAX 2000000  /* ... up to so long */
#define PAIR_PROVE_US  10000000 /* for the caller, to prove that it knows the word */

struct pair_keys {
    uint32_t session;
    uint8_t secret[PAIR_SECRET];
    int64_t rtt_us; /* as the exchange took; 0: not measured */
};

/* Does this begin like one of ours? */
bool pair_is_ours(const uint8_t *bytes, size_t len);
/* Writes the last PAIR_MARK bytes. Out of memory, they are as they would be if damaged. */
void pair_mark(uint8_t *bytes, size_t len);

/* --- the caller --- */

struct pair_caller {
    uint8_t word[WORD_BYTES], random[PAIR_RANDOM], secret[WORD_BYTES], share[WORD_BYTES];
    uint8_t cookie[CALLERS_COOKIE]; /* zeros: it was not asked for one */
    int64_t begun_us;               /* the first HELLO with this cookie */
    int64_t due_us, wait_us;
    uint32_t sent; /* with it */
};

/* word: of word_stretch; seed: 32 random bytes. 0 or -ROOST_NOMEM. */
int pair_call(struct pair_caller *c, const uint8_t word[static WORD_BYTES],
              const uint8_t seed[static 32], int64_t now_us);
void pair_caller_fini(struct pair_caller *c);
/* A HELLO, if one is due at now_us; 0: not yet. Due next at c->due_us. */
size_t pair_caller_next(struct pair_caller *c, int64_t now_us, uint8_t bytes[static PAIR_HELLO]);
/* 1: agreed, *ret is set. 0: not yet: it may be a cookie, then a HELLO is due. -ROOST_LOGIN_WRONG:
 * the other side has another word; send it what pair_no writes. -ROOST_NOMEM. */
int pair_caller_hear(struct pair_caller *c, int64_t now_us, const uint8_t *bytes, size_t len,
                     struct pair_keys *ret);
size_t pair_no(const struct pair_caller *c, uint8_t bytes[static PAIR_NO]);

/* --- the listener --- */

struct pair_waiting {
    bool used;
    struct path_address from;
    uint8_t random[PAIR_RANDOM]; /* the caller's */
    uint8_t answer[PAIR_ANSWER];
    int64_t at_us;
    struct pair_keys keys;
};

struct pair_listener {
    uint8_t word[WORD_BYTES], point[WORD_BYTES];
    struct rng rng;
    struct pair_waiting waiting[PAIR_WAITING_MAX];
    struct callers callers;
    uint32_t unasked; /* exchanges that began without a cookie */
    uint32_t guesses; /* in all */
    uint32_t wrong;   /* the same, until the caller of this takes them away */
};

int pair_listen(struct pair_listener *l, const uint8_t word[static WORD_BYTES],
                const uint8_t seed[static 32]);
void pair_listener_fini(struct pair_listener *l);
/* Bytes of an answer to it, 0: none. -ROOST_GUESSES: too many words were tried; -ROOST_NOMEM. */
int pair_listener_hear(struct pair_listener *l, int64_t now_us, const struct path_address *from,
                       const uint8_t *bytes, size_t len, uint8_t answer[static PAIR_ANSWER]);
/* The keys of a session that is not proven yet; NULL: there is none such. */
const struct pair_keys *pair_listener_keys(const struct pair_listener *l, uint32_t session);
/* Exchanges that nobody proved anything in for too long are guesses. */
void pair_listener_expire(struct pair_listener *l, int64_t now_us);
int64_t pair_listener_deadline_us(const struct pair_listener *l);
