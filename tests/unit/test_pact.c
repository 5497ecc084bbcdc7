/* Two ends that agree: who is right, who is wrong, and what each mistake costs. */
#include <string.h>

#include "base/err.h"
#include "seal/pact.h"
#include "seal/rng.h"
#include "test.h"

static const uint8_t OFFER[PACT_OFFER] = { 9, 8, 7 }, SEED[2][32] = { { 1 }, { 2 } };

static struct pact_settings settings_of(bool caller, const char *phrase)
{
    static uint8_t random[2][PACT_RANDOM];
    const uint8_t seed[32] = { (uint8_t)caller, 77 };
    struct rng rng;

    rng_init(&rng, seed);
    rng_fill(&rng, random[caller], PACT_RANDOM);
    return (struct pact_settings){ .caller = caller,
                                   .offer = OFFER,
                                   .seed = phrase ? NULL : SEED[caller],
                                   .phrase = phrase,
                                   .random = random[caller] };
}

/* One message from a to b. Returns what b says of it, 1: there was none. */
static int pass(struct pact *a, struct pact *b)
{
    uint8_t bytes[PACT_MESSAGE_MAX];
    size_t len = pact_next(a, bytes), n;
    const uint8_t *body;

    return len ? pact_on_message(b, bytes, len, &body, &n) : 1;
}

static void run(struct pact *caller, struct pact *answerer, int want_last)
{
    CHECK(pass(caller, answerer) == 0);
    CHECK(pass(answerer, caller) == 0);
    CHECK(pass(caller, answerer) == want_last);
}

static void talks(struct pact *a, struct pact *b)
{
    uint8_t bytes[5 + 5 + 16] = "     hello", key[2][8];
    const uint8_t *body;
    size_t n;
    int64_t len = pact_seal(a, bytes, 5);

    CHECK(len == sizeof bytes);
    uint8_t again[sizeof bytes];
    memcpy(again, bytes, sizeof bytes);
    CHECK(pact_on_message(b, bytes, sizeof bytes, &body, &n) == 0 && n == 5);
    CHECK(!memcmp(body, "hello", 5));
    CHECK(pact_on_message(b, again, sizeof again, &body, &n) == -ROOST_MALFORMED); /* once */
    CHECK(!pact_derive(a, "x", key[0], 8) && !pact_derive(b, "x", key[1], 8));
    CHECK(!memcmp(key[0], key[1], 8));
}

static void two_who_are_right(void)
{
    for (int phrase = 0; phrase < 2; phrase++) {
        struct pact_settings s[2] = { settings_of(false, phrase ? "maple-orbit-tin" : NULL),
                                      settings_of(true, phrase ? "maple-orbit-tin" : NULL) };
        struct pact caller, answerer;
        uint8_t id[32];
        CHECK(pact_init(&caller, &s[1]) == 0 && pact_init(&answerer, &s[0]) == 0);
        CHECK(!pact_peer(&caller));
        run(&caller, &answerer, 0);
        CHECK(pass(&answerer, &caller) == 0);
        CHECK(caller.state == PACT_DONE && answerer.state == PACT_DONE);
        talks(&caller, &answerer);
        talks(&answerer, &caller);
        pact_identity(SEED[1], id);
        CHECK(phrase || !memcmp(pact_peer(&answerer), id, 32));
        pact_fini(&caller);
        pact_fini(&answerer);
    }
}

static void a_wrong_phrase_is_told_by_the_first_proof(void)
{
    struct pact_settings s[2] = { settings_of(false, "maple-orbit-tin"),
                                  settings_of(true, "maple-orbit-tiny") };
    struct pact caller, answerer;

    CHECK(pact_init(&caller, &s[1]) == 0 && pact_init(&answerer, &s[0]) == 0);
    run(&caller, &answerer, -ROOST_UNTRUSTED);
    CHECK(answerer.state == PACT_WRONG);
    CHECK(pass(&answerer, &caller) == 1); /* who guessed is given nothing to try others on */
    CHECK(pass(&caller, &answerer) == 1);
    pact_fini(&caller);
    pact_fini(&answerer);
}

static void somebody_else_is_not_taken(void)
{
    uint8_t other[32], id[32];
    struct pact_settings s[2] = { settings_of(false, NULL), settings_of(true, NULL) };
    struct pact caller, answerer;

    pact_identity(SEED[0], id);
    pact_identity(SEED[1], other);
    s[1].expects = other; /* it wants somebody else than who answers */
    s[1].n_expects = 1;
    CHECK(pact_init(&caller, &s[1]) == 0 && pact_init(&answerer, &s[0]) == 0);
    run(&caller, &answerer, 0);
    CHECK(!pact_stranger(&caller));
    CHECK(pass(&answerer, &caller) == -ROOST_UNTRUSTED && caller.state == PACT_WRONG);
    CHECK(pact_stranger(&caller) && !memcmp(pact_stranger(&caller), id, sizeof id));
    pact_fini(&caller);
    pact_fini(&answerer);
    uint8_t either[2][32]; /* of several devices one may answer */
    memcpy(either[0], other, sizeof other);
    memcpy(either[1], id, sizeof id);
    s[1].expects = either[0];
    s[1].n_expects = 2;
    CHECK(pact_init(&caller, &s[1]) == 0 && pact_init(&answerer, &s[0]) == 0);
    run(&caller, &answerer, 0);
    CHECK(pass(&answerer, &caller) == 0 && !pact_stranger(&caller));
    CHECK(!memcmp(pact_peer(&caller), id, sizeof id));
    pact_fini(&caller);
    pact_fini(&answerer);
    s[1].n_expects = PACT_EXPECTS_MAX + 1;
    CHECK(pact_init(&caller, &s[1]) == -ROOST_INVALID);
    s[1].expects = id;
    s[1].n_expects = 1;
    s[0].offer = (const uint8_t[PACT_OFFER]){ 1 }; /* of another offer */
    CHECK(pact_init(&caller, &s[1]) == 0 && pact_init(&answerer, &s[0]) == 0);
    run(&caller, &answerer, -ROOST_UNTRUSTED);
    pact_fini(&caller);
    pact_fini(&answerer);
}

/* Each bit of each message counts, and a caller's key that is not the one it was bound to. */
static void nothing_may_be_changed(void)
{
    for (unsigned at = 0; at < 160; at++)
        for (int message = 0; message < 4; message++) {
            struct pact_settings s[2] = { settings_of(false, NULL), settings_of(true, NULL) };
            struct pact end[2];
            CHECK(pact_init(&end[0], &s[1]) == 0 && pact_init(&end[1], &s[0]) == 0);
            for (int m = 0; m < 4; m++) {
                uint8_t bytes[PACT_MESSAGE_MAX];
                size_t len = pact_next(&end[m % 2], bytes), n;
                const uint8_t *body;
                if (m == message && at < len)
                    bytes[at] ^= 4;
                else if (m == message)
                    m = 4; /* shorter than that */
                if (m < 4 && len)
                    pact_on_message(&end[!(m % 2)], bytes, len, &body, &n);
            }
            CHECK(end[0].state != PACT_DONE || end[1].state != PACT_DONE ||
                  !memcmp(end[0].secret, end[1].secret, 32));
            CHECK(end[0].state != PACT_DONE);
            pact_fini(&end[0]);
            pact_fini(&end[1]);
        }
}

static void nonsense_changes_nothing(void)
{
    struct pact_settings s = settings_of(false, NULL);
    struct pact p;
    uint8_t bytes[PACT_MESSAGE_MAX];
    const uint8_t *body;
    size_t n;

    CHECK(pact_init(&p, &s) == 0);
    for (unsigned kind = 0; kind < 256; kind++)
        for (size_t len = 0; len < sizeof bytes; len++) {
            memset(bytes, 0, sizeof bytes);
            bytes[0] = (uint8_t)kind;
            CHECK(pact_on_message(&p, bytes, len, &body, &n) == -ROOST_MALFORMED);
        }
    CHECK(p.state == PACT_BEGUN);
    pact_fini(&p);
}

TEST_MAIN({ "two_who_are_right", two_who_are_right },
          { "a_wrong_phrase_is_told_by_the_first_proof",
            a_wrong_phrase_is_told_by_the_first_proof },
          { "somebody_else_is_not_taken", somebody_else_is_not_taken },
          { "nothing_may_be_changed", nothing_may_be_changed },
          { "nonsense_changes_nothing", nonsense_changes_nothing })
