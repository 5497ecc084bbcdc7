#include "seal/digest.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/err.h"

int seal_sha256(uint8_t ret[static 32], const struct seal_part *parts, size_t n)
{
    int err = -ROOST_NOMEM;
    uint8_t sum[32];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
        goto out;
    for (size_t i = 0; i < n; i++)
        if (parts[i].len > 0 && EVP_DigestUpdate(ctx, parts[i].bytes, parts[i].len) != 1)
            goto out;
    if (EVP_DigestFinal_ex(ctx, sum, NULL) != 1)
        goto out;
    memcpy(ret, sum, sizeof sum);
    err = 0;
out:
    EVP_MD_CTX_free(ctx);
    return err;
}

/* RFC 2104: H(K ^ opad, H(K ^ ipad, text)). */
int seal_hmac(uint8_t ret[static 32], const uint8_t key[static 32], const struct seal_part *parts,
              size_t n)
{
    uint8_t pad[64], inner[32];
    struct seal_part all[1 + SEAL_PARTS_MAX] = { { pad, sizeof pad } };

    assert(n <= SEAL_PARTS_MAX);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] = (i < 32 ? key[i] : 0) ^ 0x36;
    for (size_t i = 0; i < n; i++)
        all[1 + i] = parts[i];
    int err = seal_sha256(inner, all, 1 + n);
    if (err)
        goto out;

    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    all[1] = (struct seal_part){ inner, sizeof inner };
    err = seal_sha256(ret, all, 2);
out:
    seal_wipe(pad, sizeof pad);
    seal_wipe(inner, sizeof inner);
    return err;
}

bool seal_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void seal_wipe(void *p, size_t len)
{
    OPENSSL_cleanse(p, len);
}

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

int seal_base32(char *ret, size_t cap, const uint8_t *bytes, size_t len)
{
    uint32_t bits = 0;
    int have = 0;
    size_t n = 0;

    if (cap < SEAL_BASE32_LEN(len) + 1)
        return -ROOST_LIMIT;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 5; have -= 5)
            ret[n++] = alphabet[bits >> (have - 5) & 31];
    }
    if (have > 0)
        ret[n++] = alphabet[bits << (5 - have) & 31];
    ret[n] = '\0';
    return 0;
}

static char canon(char c)
{
    switch (c) {
    case '0':
        return 'o';
    case '1':
        return 'l';
    case '8':
        return 'b';
    default:
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
}

int seal_base32_canon(char *ret, size_t cap, const char *typed)
{
    size_t n = 0;

    for (; *typed; typed++) {
        char c = canon(*typed);
        if (c == ' ' || c == '-')
            continue;
        if (!strchr(alphabet, c))
            return -ROOST_INVALID;
        if (n + 1 >= cap)
            return -ROOST_LIMIT;
        ret[n++] = c;
    }
    if (cap == 0)
        return -ROOST_LIMIT;
    ret[n] = '\0';
    return 0;
}

void seal_hex(char *ret, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * len] = '\0';
}
