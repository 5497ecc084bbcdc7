#include "seal/aead.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/err.h"

static int init(struct aead *a, const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
                bool seals)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    *a = (struct aead){ .seals = seals };
    if (!ctx || EVP_CipherInit_ex(ctx, cipher, NULL, key, NULL, seals) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        return -ROOST_NOMEM;
    }
    memcpy(a->iv, iv, sizeof a->iv);
    a->ctx = ctx;
    return 0;
}

int aead_init(struct aead *a, const uint8_t key[static AEAD_KEY], const uint8_t iv[static AEAD_IV],
              bool seals)
{
    return init(a, EVP_aes_128_gcm(), key, iv, seals);
}

int aead_init_256(struct aead *a, const uint8_t key[static AEAD_KEY_256],
                  const uint8_t iv[static AEAD_IV], bool seals)
{
    return init(a, EVP_aes_256_gcm(), key, iv, seals);
}

void aead_fini(struct aead *a)
{
    EVP_CIPHER_CTX_free(a->ctx); /* wipes the key */
    seal_wipe(a, sizeof *a);
}

static bool begin(struct aead *a, uint64_t number, const struct seal_part *also, size_t n_also)
{
    uint8_t nonce[AEAD_IV];
    int n;

    memcpy(nonce, a->iv, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[AEAD_IV - 1 - i] ^= (uint8_t)(number >> 8 * i);
    bool ok = EVP_CipherInit_ex(a->ctx, NULL, NULL, NULL, nonce, a->seals) == 1;
    for (size_t i = 0; ok && i < n_also; i++)
        ok = !also[i].len ||
             EVP_CipherUpdate(a->ctx, NULL, &n, also[i].bytes, (int)also[i].len) == 1;
    return ok;
}

int aead_seal(struct aead *a, uint64_t number, const struct seal_part *also, size_t n_also,
              uint8_t *bytes, size_t len, uint8_t tag[static AEAD_TAG])
{
    int n;

    if (!begin(a, number, also, n_also) ||
        EVP_CipherUpdate(a->ctx, bytes, &n, bytes, (int)len) != 1 ||
        EVP_CipherFinal_ex(a->ctx, bytes + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, tag) != 1)
        return -ROOST_NOMEM;
    return 0;
}

int aead_open(struct aead *a, uint64_t number, const struct seal_part *also, size_t n_also,
              uint8_t *bytes, size_t len, const uint8_t tag[static AEAD_TAG])
{
    uint8_t copy[AEAD_TAG]; /* OpenSSL takes it as something to write to */
    int n;

    memcpy(copy, tag, sizeof copy);
    if (!begin(a, number, also, n_also) ||
        EVP_CipherUpdate(a->ctx, bytes, &n, bytes, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, copy) != 1 ||
        EVP_CipherFinal_ex(a->ctx, bytes + n, &n) != 1)
        return -ROOST_MALFORMED;
    return 0;
}

static int hkdf(const char *digest, uint8_t *ret, size_t len, const struct seal_part *secret,
                const struct seal_part *salt, const struct seal_part *purpose)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret->bytes, secret->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)purpose->bytes,
                                          purpose->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt->bytes, salt->len),
        OSSL_PARAM_construct_end(),
    };

    bool ok = ctx && EVP_KDF_derive(ctx, ret, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? 0 : -ROOST_NOMEM;
}

int seal_hkdf(uint8_t *ret, size_t len, const struct seal_part *secret,
              const struct seal_part *salt, const struct seal_part *purpose)
{
    return hkdf("SHA256", ret, len, secret, salt, purpose);
}

int seal_hkdf_sha512(uint8_t *ret, size_t len, const struct seal_part *secret,
                     const struct seal_part *salt, const struct seal_part *purpose)
{
    return hkdf("SHA512", ret, len, secret, salt, purpose);
}
