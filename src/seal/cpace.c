#include "seal/cpace.h"

#include <assert.h>
#include <string.h>

#include <sodium/crypto_core_ristretto255.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ristretto255.h>

#include "base/err.h"

enum { BLOCK = 128 /* of SHA-512 */ };

static const char DSI[] = "CPaceRistretto255", DSI_ISK[] = "CPaceRistretto255_ISK";

/* A length is a byte: inputs are short. */
static void put(crypto_hash_sha512_state *h, const void *bytes, size_t len)
{
    uint8_t n = (uint8_t)len;

    assert(len <= CPACE_MAX && "its length is one byte (LEB128)");
    crypto_hash_sha512_update(h, &n, 1);
    if (len)
        crypto_hash_sha512_update(h, bytes, len);
}

/* Zeros fill the first block, so that the secret is not hashed together with what follows. */
static void put_padding(crypto_hash_sha512_state *h, size_t secret_len)
{
    static const uint8_t zeros[BLOCK];
    size_t before = 1 + secret_len + 1 + strlen(DSI) + 1;

    put(h, zeros, before < BLOCK ? BLOCK - before : 0);
}

int cpace_generator(uint8_t ret[static CPACE_BYTES], const struct cpace_input *in)
{
    crypto_hash_sha512_state h;
    uint8_t hash[crypto_hash_sha512_BYTES];

    crypto_hash_sha512_init(&h);
    put(&h, DSI, strlen(DSI));
    put(&h, in->secret.bytes, in->secret.len);
    put_padding(&h, in->secret.len);
    put(&h, in->context.bytes, in->context.len);
    put(&h, in->sid.bytes, in->sid.len);
    crypto_hash_sha512_final(&h, hash);
    int err = crypto_core_ristretto255_from_hash(ret, hash) ? -ROOST_MALFORMED : 0;
    seal_wipe(hash, sizeof hash);
    seal_wipe(&h, sizeof h);
    return err;
}

void cpace_scalar(uint8_t ret[static CPACE_BYTES], const uint8_t random[static CPACE_RANDOM])
{
    crypto_core_ristretto255_scalar_reduce(ret, random);
}

int cpace_times(uint8_t ret[static CPACE_BYTES], const uint8_t scalar[static CPACE_BYTES],
                const uint8_t point[static CPACE_BYTES])
{
    return crypto_scalarmult_ristretto255(ret, scalar, point) ? -ROOST_MALFORMED : 0;
}

void cpace_key(uint8_t ret[static CPACE_KEY], const struct cpace_input *in,
               const uint8_t point[static CPACE_BYTES], const struct cpace_side *caller,
               const struct cpace_side *answerer)
{
    const struct cpace_side *sides[] = { caller, answerer };
    crypto_hash_sha512_state h;

    crypto_hash_sha512_init(&h);
    put(&h, DSI_ISK, strlen(DSI_ISK));
    put(&h, in->sid.bytes, in->sid.len);
    put(&h, point, CPACE_BYTES);
    for (int i = 0; i < 2; i++) {
        put(&h, sides[i]->share, CPACE_BYTES);
        put(&h, sides[i]->also.bytes, sides[i]->also.len);
    }
    crypto_hash_sha512_final(&h, ret);
    seal_wipe(&h, sizeof h);
}
