#include "seal/roster.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/err.h"
#include "seal/digest.h"
#include "seal/phrase.h"
#include "wire/cursor.h"

static int by_identity(const void *a, const void *b)
{
    const struct roster_member *x = a, *y = b;

    return memcmp(x->identity, y->identity, ROSTER_IDENTITY);
}

void roster_sort(struct roster_member *members, size_t n)
{
    qsort(members, n, sizeof *members, by_identity);
}

/* More parts than one call takes: a chain, hash by hash. */
static int add(uint8_t sum[static 32], const void *bytes, size_t len)
{
    uint8_t size[4];
    struct writer w = writer_of(size, sizeof size);
    struct seal_part parts[] = { { sum, 32 }, { size, sizeof size }, { bytes, len } };

    write_number(&w, len, 4);
    return seal_sha256(sum, parts, 3);
}

int roster_hash(const struct roster_member *members, size_t n, uint8_t ret[static 32])
{
    static const char name[] = "roost roster 1";
    uint8_t sum[32];
    int err = seal_sha256(sum, &(struct seal_part){ name, sizeof name }, 1);

    for (size_t i = 0; !err && i < n; i++)
        err = add(sum, members[i].identity, ROSTER_IDENTITY);
    if (!err)
        memcpy(ret, sum, sizeof sum);
    return err;
}

/* --- the code --------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct roster_named *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : memcmp(x->identity, y->identity, ROSTER_IDENTITY);
}

static int pbkdf2(uint8_t *ret, size_t len, const struct seal_part *password,
                  const struct seal_part *salt)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "PBKDF2", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    unsigned rounds = ROSTER_ROUNDS;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)password->bytes,
                                          password->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt->bytes, salt->len),
        OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &rounds),
        OSSL_PARAM_construct_end(),
    };

    bool ok = ctx && EVP_KDF_derive(ctx, ret, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? 0 : -ROOST_NOMEM;
}

int roster_code(uint64_t meeting, struct roster_named *members, size_t n,
                char ret[static ROSTER_CODE_MAX])
{
    static const char name[] = "roost code 1";
    uint8_t sum[32], salt[sizeof name + 8], bits[16];
    struct writer w = writer_of(salt, sizeof salt);

    qsort(members, n, sizeof *members, by_name);
    write_bytes(&w, name, sizeof name);
    write_number(&w, meeting, 8);
    int err = seal_sha256(sum, &(struct seal_part){ name, sizeof name }, 1);
    for (size_t i = 0; !err && i < n; i++) {
        err = add(sum, members[i].name, strlen(members[i].name));
        if (!err)
            err = add(sum, members[i].identity, ROSTER_IDENTITY);
    }
    if (!err)
        err = pbkdf2(bits, sizeof bits, &(struct seal_part){ sum, sizeof sum },
                     &(struct seal_part){ salt, sizeof salt });
    if (!err)
        phrase_of_bits(bits, ROSTER_WORDS, ret, ROSTER_CODE_MAX);
    return err;
}
