#include "seal/word.h"

#include <string.h>

#include <argon2.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "seal/password.h"

int word_stretch(uint8_t ret[static WORD_BYTES], const char *word)
{
    static const char salt[] = "roost word 1\0\0\0"; /* nobody can try words offline */
    /* Little: an exchange gives nothing to try words on, so this only makes each guess that is
     * taken part in dearer, and every start of a program later. */
    const struct password_params p = { .memory_kib = 1024, .passes = 3, .lanes = 1 };
    size_t len = strlen(word);

    if (!len || len > WORD_MAX)
        return -ROOST_INVALID;
    int r = argon2id_hash_raw(p.passes, p.memory_kib, p.lanes, word, len, salt, sizeof salt, ret,
                              WORD_BYTES);
    return r == ARGON2_OK ? 0 : -ROOST_NOMEM;
}

int word_point(uint8_t ret[static WORD_BYTES], const uint8_t stretched[static WORD_BYTES],
               const char *purpose)
{
    uint8_t hash[32];
    struct seal_part parts[] = { { "roost word point", 17 },
                                 { stretched, WORD_BYTES },
                                 { purpose, strlen(purpose) } };
    int err = seal_sha256(hash, parts, 3);

    return err ? err : word_map(ret, hash);
}

int word_times(uint8_t ret[static WORD_BYTES], const uint8_t secret[static WORD_BYTES],
               const uint8_t point[static WORD_BYTES])
{
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, WORD_BYTES);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, WORD_BYTES);
    EVP_PKEY_CTX *ctx = mine ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
    size_t len = WORD_BYTES;
    int err = -ROOST_NOMEM;

    if (ctx && theirs && EVP_PKEY_derive_init(ctx) == 1 &&
        EVP_PKEY_derive_set_peer_ex(ctx, theirs, 0) == 1)
        err = EVP_PKEY_derive(ctx, ret, &len) == 1 ? 0 : -ROOST_MALFORMED; /* all zeros */
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    return err;
}

/* --- Elligator 2 ------------------------------------------------------------------------
 *
 * v = -A / (1 + 2 r^2), modulo p = 2^255 - 19. If v is on the curve (v^3 + A v^2 + v is a
 * square), it is the point; else -v - A is. Both are computed each time. */

struct field {
    BN_CTX *ctx;
    BN_MONT_CTX *mont;
    BIGNUM *p, *a, *r, *v, *w, *square, *exponent;
};

static void field_fini(struct field *f)
{
    BN_MONT_CTX_free(f->mont);
    if (f->ctx)
        BN_CTX_end(f->ctx);
    BN_CTX_free(f->ctx);
}

static bool field_init(struct field *f)
{
    *f = (struct field){ .ctx = BN_CTX_secure_new() };
    if (!f->ctx)
        return false;
    BN_CTX_start(f->ctx);
    BIGNUM **all[] = { &f->p, &f->a, &f->r, &f->v, &f->w, &f->square, &f->exponent };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!(*all[i] = BN_CTX_get(f->ctx)))
            return false;
    f->mont = BN_MONT_CTX_new();
    return f->mont && BN_set_word(f->a, 486662) && BN_set_bit(f->p, 255) && BN_sub_word(f->p, 19) &&
           BN_MONT_CTX_set(f->mont, f->p, f->ctx);
}

/* x to the power of f->exponent, in the same time whatever x is */
static bool power(struct field *f, BIGNUM *ret, const BIGNUM *x)
{
    return BN_mod_exp_mont_consttime(ret, x, f->exponent, f->p, f->ctx, f->mont);
}

/* v of r */
static bool first_point(struct field *f)
{
    return BN_mod_sqr(f->w, f->r, f->p, f->ctx) && BN_mod_lshift1_quick(f->w, f->w, f->p) &&
           BN_add_word(f->w, 1) && BN_copy(f->exponent, f->p) && BN_sub_word(f->exponent, 2) &&
           power(f, f->v, f->w) && BN_mod_mul(f->v, f->v, f->a, f->p, f->ctx) &&
           BN_sub(f->v, f->p, f->v);
}

/* w = ((v + A) v + 1) v; square: w^((p-1)/2), 1 if it is one */
static bool test_square(struct field *f)
{
    return BN_mod_add(f->w, f->v, f->a, f->p, f->ctx) &&
           BN_mod_mul(f->w, f->w, f->v, f->p, f->ctx) && BN_add_word(f->w, 1) &&
           BN_mod_mul(f->w, f->w, f->v, f->p, f->ctx) && BN_copy(f->exponent, f->p) &&
           BN_rshift1(f->exponent, f->exponent) && power(f, f->square, f->w);
}

/* w = -v - A */
static bool other_point(struct field *f)
{
    return BN_mod_add(f->w, f->v, f->a, f->p, f->ctx) && BN_sub(f->w, f->p, f->w);
}

int word_map(uint8_t ret[static WORD_BYTES], const uint8_t hash[static WORD_BYTES])
{
    uint8_t r[WORD_BYTES], one[WORD_BYTES], two[WORD_BYTES];
    struct field f;

    memcpy(r, hash, sizeof r);
    r[WORD_BYTES - 1] &= 0x7f;
    bool ok = field_init(&f) && BN_lebin2bn(r, sizeof r, f.r) && BN_nnmod(f.r, f.r, f.p, f.ctx) &&
              first_point(&f) && test_square(&f) && other_point(&f) &&
              BN_bn2lebinpad(f.v, one, sizeof one) == WORD_BYTES &&
              BN_bn2lebinpad(f.w, two, sizeof two) == WORD_BYTES;
    if (ok) {
        uint8_t mask = (uint8_t) - (uint8_t)(BN_is_one(f.square) != 0);
        for (int i = 0; i < WORD_BYTES; i++)
            ret[i] = (uint8_t)((one[i] & mask) | (two[i] & ~mask));
    }
    field_fini(&f);
    seal_wipe(r, sizeof r);
    seal_wipe(one, sizeof one);
    seal_wipe(two, sizeof two);
    return ok ? 0 : -ROOST_NOMEM;
}
