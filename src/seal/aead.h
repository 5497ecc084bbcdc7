/* aead.h - AES-GCM under a key that is kept, and keys made of keys (HKDF).
 *
 * One cipher context a key and direction: making one costs more than sealing a small
 * packet. The nonce is the key's IV with the packet's number added (xor) to its low half;
 * no number may be used twice, which is for the caller to see to. What is authenticated
 * without being sealed comes in parts, in order. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seal/digest.h"

enum { AEAD_KEY = 16, AEAD_KEY_256 = 32, AEAD_IV = 12, AEAD_TAG = 16 };

struct aead {
    void *ctx; /* NULL: no key */
    uint8_t iv[AEAD_IV];
    bool seals; /* or opens */
};

/* AES-128, and AES-256. 0 or -ROOST_NOMEM. */
int aead_init(struct aead *a, const uint8_t key[static AEAD_KEY], const uint8_t iv[static AEAD_IV],
              bool seals);
int aead_init_256(struct aead *a, const uint8_t key[static AEAD_KEY_256],
                  const uint8_t iv[static AEAD_IV], bool seals);
void aead_fini(struct aead *a);

/* In place; the tag is written to `tag`. 0 or -ROOST_NOMEM. */
int aead_seal(struct aead *a, uint64_t number, const struct seal_part *also, size_t n_also,
              uint8_t *bytes, size_t len, uint8_t tag[static AEAD_TAG]);
/* In place. -ROOST_MALFORMED: it is not what was sealed, and what lies there now is nothing. */
int aead_open(struct aead *a, uint64_t number, const struct seal_part *also, size_t n_also,
              uint8_t *bytes, size_t len, const uint8_t tag[static AEAD_TAG]);

/* HKDF (RFC 5869) with SHA-256: len bytes for this purpose. salt may be empty. */
int seal_hkdf(uint8_t *ret, size_t len, const struct seal_part *secret,
              const struct seal_part *salt, const struct seal_part *purpose);
/* The same with SHA-512. */
int seal_hkdf_sha512(uint8_t *ret, size_t len, const struct seal_part *secret,
                     const struct seal_part *salt, const struct seal_part *purpose);
