#include "seal/digest.h"
#include "seal/password.h"
#include "seal/rng.h"
#include "seal/running.h"

#include <string.h>

#include "base/err.h"
#include "test.h"

static void chacha20_is_rfc8439(void)
{
    /* section 2.3.2 */
    uint8_t key[32], out[64];
    static const uint8_t nonce[12] = { 0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0 };
    char hex[129];

    for (int i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    rng_chacha20_block(out, key, 1, nonce);
    seal_hex(hex, out, 64);
    CHECK(strcmp(hex, "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
                      "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e") == 0);
}

/* FIPS 180-2, the message of 448 bits: in pieces it is the same. */
static void a_hash_in_pieces(void)
{
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    size_t len = strlen(text);
    uint8_t hash[32];
    char hex[65];

    for (size_t cut = 0; cut <= len; cut++) {
        struct seal_running *r = seal_running_new();
        CHECK(r && !seal_running_add(r, text, cut) && !seal_running_add(r, text + cut, len - cut));
        CHECK(seal_running_end(r, hash) == 0);
        seal_hex(hex, hash, sizeof hash);
        CHECK(!strcmp(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
        seal_running_free(r);
    }
}

static void a_seed_gives_one_stream(void)
{
    struct rng a, b;
    uint8_t seed[32] = { 1 }, whole[2000], pieces[2000];

    rng_init(&a, seed);
    rng_init(&b, seed);
    rng_fill(&a, whole, sizeof whole);
    for (size_t at = 0; at < sizeof pieces; at += 8)
        rng_fill(&b, pieces + at, 8);
    CHECK(memcmp(whole, pieces, sizeof whole) == 0);

    /* another seed, other bytes; and no 16 bytes come twice */
    seed[31] = 1;
    rng_init(&b, seed);
    rng_fill(&b, pieces, sizeof pieces);
    CHECK(memcmp(whole, pieces, 16) != 0);
    for (size_t i = 0; i < sizeof whole; i += 16)
        for (size_t k = i + 16; k < sizeof whole; k += 16)
            CHECK(memcmp(whole + i, whole + k, 16) != 0);
}

static void what_was_given_is_not_kept(void)
{
    struct rng r;
    uint8_t seed[32] = { 9 }, out[16];

    rng_init(&r, seed);
    CHECK(memcmp(r.key, seed, 32) != 0);
    rng_fill(&r, out, sizeof out);
    for (size_t i = 0; i + sizeof out <= sizeof r; i++)
        CHECK(memcmp((const uint8_t *)&r + i, out, sizeof out) != 0);
}

static void below_is_even(void)
{
    struct rng r;
    uint8_t seed[32] = { 3 };
    int seen[6] = { 0 };

    rng_init(&r, seed);
    for (int i = 0; i < 6000; i++) {
        uint64_t v = rng_below(&r, 6);
        CHECK(v < 6);
        seen[v]++;
    }
    for (int i = 0; i < 6; i++)
        CHECK(seen[i] > 850 && seen[i] < 1150);
    CHECK(rng_below(&r, 1) == 0);
}

static void sha256_and_hmac_are_the_published_ones(void)
{
    uint8_t sum[32], key[32] = "Jefe";
    char hex[65];

    /* FIPS 180-4, and the same in parts */
    CHECK(seal_sha256(sum, &(struct seal_part){ "abc", 3 }, 1) == 0);
    seal_hex(hex, sum, 32);
    CHECK(strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == 0);
    struct seal_part parts[] = { { "a", 1 }, { NULL, 0 }, { "bc", 2 } };
    uint8_t again[32];
    CHECK(seal_sha256(again, parts, 3) == 0 && seal_equal(sum, again, 32));
    again[31] ^= 1;
    CHECK(!seal_equal(sum, again, 32));

    /* RFC 4231, case 2 (a shorter key is the same as one padded with zeros) */
    const char *text = "what do ya want for nothing?";
    CHECK(seal_hmac(sum, key, &(struct seal_part){ text, strlen(text) }, 1) == 0);
    seal_hex(hex, sum, 32);
    CHECK(strcmp(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") == 0);
}

static void base32_is_rfc4648(void)
{
    char text[64];

    CHECK(seal_base32(text, sizeof text, (const uint8_t *)"foobar", 6) == 0);
    CHECK(strcmp(text, "mzxw6ytboi") == 0 && strlen(text) == SEAL_BASE32_LEN(6));
    CHECK(seal_base32(text, sizeof text, (const uint8_t *)"", 0) == 0 && text[0] == '\0');
    CHECK(seal_base32(text, 10, (const uint8_t *)"foobar", 6) == -ROOST_LIMIT);

    CHECK(seal_base32_canon(text, sizeof text, " MZXW-6YTB 0I") == 0);
    CHECK(strcmp(text, "mzxw6ytboi") == 0);
    CHECK(seal_base32_canon(text, sizeof text, "mzxw9") == -ROOST_INVALID);
    CHECK(seal_base32_canon(text, 4, "mzxw") == -ROOST_LIMIT);
    CHECK(seal_base32_canon(text, 5, "mzxw") == 0);
}

static void argon2id_is_the_reference(void)
{
    /* test vectors of the reference implementation, version 0x13 */
    static const char *const encoded =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    bool ok = false;

    CHECK(password_verify("password", encoded, &ok) == 0 && ok);
    CHECK(password_verify("passwore", encoded, &ok) == 0 && !ok);
    CHECK(password_verify("", encoded, &ok) == 0 && !ok);
}

static void a_made_hash_verifies(void)
{
    const struct password_params p = { 64, 1, 1 };
    static const uint8_t salt[16] = "0123456789abcdef";
    char encoded[PASSWORD_ENCODED_MAX];
    struct password_params seen;
    bool ok = false;

    CHECK(password_make("correct horse", salt, &p, encoded, sizeof encoded) == 0);
    CHECK(password_params_of(encoded, &seen) == 0);
    CHECK(seen.memory_kib == 64 && seen.passes == 1 && seen.lanes == 1);
    CHECK(password_verify("correct horse", encoded, &ok) == 0 && ok);
    CHECK(password_verify("correct hors", encoded, &ok) == 0 && !ok);
    CHECK(password_make("correct horse", salt, &p, encoded, 20) == -ROOST_INVALID);
}

static void bad_parameters_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "$argon2id$",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR", /* 95 GiB */
        "$argon2id$v=19$m=256,t=2,p=1",
        "$argon2id$v=19$m=256,t=2,p=1$!!$nf65",
    };
    static const uint8_t salt[16];
    char encoded[PASSWORD_ENCODED_MAX];
    bool ok = false;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(password_verify("x", bad[i], &ok) == -ROOST_INVALID && !ok);
    struct password_params none = { 0, 0, 0 };
    CHECK(password_make("x", salt, &none, encoded, sizeof encoded) == -ROOST_INVALID);
    CHECK(password_params_valid(&PASSWORD_PARAMS_DEFAULT));
}

TEST_MAIN({ "a_hash_in_pieces", a_hash_in_pieces }, { "chacha20_is_rfc8439", chacha20_is_rfc8439 },
          { "a_seed_gives_one_stream", a_seed_gives_one_stream },
          { "what_was_given_is_not_kept", what_was_given_is_not_kept },
          { "below_is_even", below_is_even },
          { "sha256_and_hmac_are_the_published_ones", sha256_and_hmac_are_the_published_ones },
          { "base32_is_rfc4648", base32_is_rfc4648 },
          { "argon2id_is_the_reference", argon2id_is_the_reference },
          { "a_made_hash_verifies", a_made_hash_verifies },
          { "bad_parameters_are_refused", bad_parameters_are_refused })
