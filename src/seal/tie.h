/* tie.h - what two devices of a meeting have between them: keys that nobody else knows.
 *
 * Each shows the others an X25519 key, made for this meeting and signed by its identity:
 *
 *     HELLO  1, meeting 8, epoch 4, identity 32, key 32, signature 64
 *     BACK   4, and the same: to who said HELLO
 *
 * Two such keys make a tie: a key of AES-256-GCM in each direction. Every message under it is
 * numbered, by a counter that a device has for all of its ties and never begins anew, so no
 * nonce comes twice whatever it is shown. Not thread-safe; two cipher contexts.
 */
#pragma once

#include "seal/aead.h"

enum {
    TIE_KEY = 32,
    TIE_HELLO = 1 + 8 + 4 + 32 + 32 + 64,
};

/* This device in a meeting. */
struct tie_self {
    uint64_t meeting;
    uint8_t signer[64];  /* secret: Ed25519, with its public half */
    uint8_t private[32]; /* secret */
    uint8_t identity[TIE_KEY], key[TIE_KEY];
};

struct tie {
    struct aead out, in;
    uint64_t next; /* lower numbers were used: messages come in order */
};

/* What a HELLO says; it borrows. */
struct tie_hello {
    uint32_t epoch; /* in which it was written */
    bool back;
    const uint8_t *identity, *key;
};

/* seed: the identity's; random: fresh, for this meeting. */
int tie_self_init(struct tie_self *s, uint64_t meeting, const uint8_t seed[static 32],
                  const uint8_t random[static 32]);
void tie_self_fini(struct tie_self *s);

void tie_hello(const struct tie_self *s, uint32_t epoch, bool back, uint8_t ret[static TIE_HELLO]);
/* -ROOST_MALFORMED: it is none; -ROOST_UNTRUSTED: of another meeting, or not signed by it. */
int tie_hello_read(const uint8_t *bytes, size_t len, uint64_t meeting, struct tie_hello *ret);

/* -ROOST_MALFORMED: no good key. */
int tie_init(struct tie *t, const struct tie_self *s, const uint8_t identity[static TIE_KEY],
             const uint8_t key[static TIE_KEY]);
void tie_fini(struct tie *t);

int tie_seal(struct tie *t, uint64_t number, const struct seal_part *also, uint8_t *bytes,
             size_t len, uint8_t tag[static AEAD_TAG]);
/* -ROOST_ALREADY: it came before. */
int tie_open(struct tie *t, uint64_t number, const struct seal_part *also, uint8_t *bytes,
             size_t len, const uint8_t tag[static AEAD_TAG]);
