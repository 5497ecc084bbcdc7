/* pact.h - two ends agree on keys over whatever carries a few messages between them, and know with
 * whom.
 *
 *     caller                          answerer
 *     COMMIT  hash of its key   --->
 *                               <---  KEY     identity, key
 *     PROOF   identity, key,    --->          (the hash fits)
 *             signature, tag
 *                               <---  PROVED  signature, tag
 *     SEALED  anything          <-->  SEALED
 *
 * Keys are fresh: of X25519, or, with a phrase, CPace's. Each end's Ed25519 identity signs
 * ("roost p2p 1", offer, role, both identities, both keys), and its tag shows that it has the
 * secret. The caller proves itself first: who guesses a phrase is told only if it was right. As the
 * caller's key is fixed before it has seen the other's, nobody between two ends can
 * choose keys until a few words of the transcript (pact_words) look right.
 *
 * Pure: randomness is given. Keeps no memory. Not thread-safe. What it returns is 0 or negative:
 * -ROOST_MALFORMED changed nothing, after -ROOST_UNTRUSTED (state WRONG) it is over.
 */
#pragma once

#include "seal/aead.h"
#include "seal/digest.h"

enum {
    PACT_KEY = 32,
    PACT_OFFER = 16,
    PACT_RANDOM = 96, /* fresh bytes that one end needs */
    PACT_MESSAGE_MAX = 160 /* of all but SEALED */,
    PACT_SEALED = 5 + 16, /* that sealing adds */
    PACT_PHRASE_MAX = 64,
    PACT_EXPECTS_MAX = 8,
};

enum pact_kind { PACT_COMMIT = 1, PACT_SHOW, PACT_PROOF, PACT_PROVED, PACT_BOX };

enum pact_state {
    PACT_BEGUN,   /* caller: COMMIT is to be sent; answerer: it is awaited */
    PACT_SHOWN,   /* caller: it was; answerer: KEY is sent, or to be */
    PACT_PROVING, /* caller: PROOF */
    PACT_DONE,
    PACT_WRONG,
};

struct pact_settings {
    bool caller;
    const uint8_t *offer;   /* PACT_OFFER bytes */
    const uint8_t *seed;    /* 32 bytes, of the identity; NULL: one of its own, for this once */
    const char *phrase;     /* or NULL */
    const uint8_t *expects; /* identities of PACT_KEY bytes, of which the other has one; or NULL */
    size_t n_expects;       /* PACT_EXPECTS_MAX at most */
    const uint8_t *random;  /* PACT_RANDOM */
};

struct pact {
    bool caller, phrased, expecting, strange;
    enum pact_state state;
    uint8_t offer[PACT_OFFER], expects[PACT_EXPECTS_MAX][PACT_KEY];
    size_t n_expects;
    char phrase[PACT_PHRASE_MAX];
    uint8_t signer[64];                              /* secret */
    uint8_t private[32];                             /* secret */
    uint8_t identity[2][PACT_KEY], key[2][PACT_KEY]; /* 0: the caller's */
    uint8_t commit[32], transcript[32], secret[32];
    struct aead out, in;
    uint32_t sent, got; /* SEALED ones */
    uint8_t message[PACT_MESSAGE_MAX];
    size_t n_message; /* that waits to be sent */
};

int pact_init(struct pact *p, const struct pact_settings *s);
void pact_fini(struct pact *p);

/* What is to be sent now; 0: nothing. */
size_t pact_next(struct pact *p, uint8_t ret[static PACT_MESSAGE_MAX]);
/* A message came. SEALED ones are opened in place: *ret_body, *ret_len; else *ret_len is 0. */
int pact_on_message(struct pact *p, uint8_t *bytes, size_t len, const uint8_t **ret_body,
                    size_t *ret_len);
bool pact_is_first(const uint8_t *bytes, size_t len); /* it begins an exchange */
/* DONE only. bytes holds len bytes from offset 5 on, and room for 16 more. Returns all. */
int64_t pact_seal(struct pact *p, uint8_t *bytes, size_t len);

/* DONE only: len bytes for a purpose. */
int pact_derive(const struct pact *p, const char *purpose, uint8_t *ret, size_t len);
const uint8_t *pact_peer(const struct pact *p); /* the other's identity, DONE */
/* WRONG, because it has proven to be somebody who was not expected: who; else NULL. */
const uint8_t *pact_stranger(const struct pact *p);
void pact_identity(const uint8_t seed[static 32], uint8_t ret[static PACT_KEY]);
