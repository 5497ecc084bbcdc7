/* rng.h - unguessable bytes from a seed, without asking the system.
 *
 * ChaCha20 (RFC 8439) with fast key erasure: each refill makes 512 bytes, the
 * first 32 become the next key and what was given out is wiped, so nothing that
 * was handed out can be computed from a later state. The same seed gives the
 * same bytes: the edge seeds it from the system, the simulator by number.
 * Never fails, never allocates. Not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint8_t key[32];
    uint8_t pool[512 - 32];
    size_t used; /* bytes of pool given out; they are zero */
};

void rng_init(struct rng *r, const uint8_t seed[static 32]);
void rng_fini(struct rng *r);
void rng_fill(struct rng *r, void *to, size_t len);
uint64_t rng_u64(struct rng *r);
/* Even over 0 .. below - 1; below > 0. */
uint64_t rng_below(struct rng *r, uint64_t below);

/* The block function alone, for the published vectors. */
void rng_chacha20_block(uint8_t ret[static 64], const uint8_t key[static 32], uint32_t counter,
                        const uint8_t nonce[static 12]);
