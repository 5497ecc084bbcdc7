#include "seal/sum.h"

#include <limits.h>

#include <openssl/evp.h>

#include "base/err.h"

struct sum *sum_new(const uint8_t key[static SUM_KEY])
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (ctx && EVP_CipherInit_ex(ctx, EVP_aes_128_gcm(), NULL, key, key + 16, 1) == 1)
        return (struct sum *)ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

void sum_free(struct sum *s)
{
    EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)s);
}

int sum_add(struct sum *s, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    int n;

    while (len) {
        int piece = len < INT_MAX / 2 ? (int)len : INT_MAX / 2;
        if (EVP_CipherUpdate((EVP_CIPHER_CTX *)s, NULL, &n, at, piece) != 1)
            return -ROOST_NOMEM;
        at += piece;
        len -= (size_t)piece;
    }
    return 0;
}

int sum_end(struct sum *s, uint8_t ret[static SUM_BYTES])
{
    uint8_t nothing[16];
    int n;

    return EVP_CipherFinal_ex((EVP_CIPHER_CTX *)s, nothing, &n) == 1 &&
                   EVP_CIPHER_CTX_ctrl((EVP_CIPHER_CTX *)s, EVP_CTRL_AEAD_GET_TAG, SUM_BYTES,
                                       ret) == 1
               ? 0
               : -ROOST_NOMEM;
}
