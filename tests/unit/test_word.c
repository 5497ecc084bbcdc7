/* test_word.c - a secret out of a word: the published vectors, and what two sides see. */
#include <string.h>

#include "base/err.h"
#include "seal/word.h"
#include "test.h"

static void bytes_of(uint8_t ret[static 32], const char *hex)
{
    for (int i = 0; i < 32; i++) {
        unsigned n = 0;
        for (int k = 0; k < 2; k++) {
            char c = hex[2 * i + k];
            n = n * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        ret[i] = (uint8_t)n;
    }
}

static bool equals(const uint8_t bytes[static 32], const char *hex)
{
    char got[65];

    seal_hex(got, bytes, 32);
    return !strcmp(got, hex);
}

static bool times(const char *secret, const char *point, const char *product)
{
    uint8_t s[32], p[32], r[32];

    bytes_of(s, secret);
    bytes_of(p, point);
    return !word_times(r, s, p) && equals(r, product);
}

static void x25519_is_rfc7748(void)
{
    /* section 5.2 */
    CHECK(times("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
    CHECK(times("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
}

/* draft-irtf-cfrg-cpace-21, B.1: the generator of a hash, shares, and the point of both. */
static void the_map_is_cpaces(void)
{
    static const char g[] = "d04bf6d41f6a289632a2e929fa29bebd51092512a7829fdde7d314b62f05a73f",
                      ya[] = "21b4f4bd9e64ed355c3eb676a28ebedaf6d8f17bdc365995b319097153044080",
                      yb[] = "848b0779ff415f0af4ea14df9dd1d3c29ac41d836c7808896c4eba19c51ac40a",
                      Ya[] = "1d13c89278cdadd826f6d8d7f887701430f8380ddc17611cdd6dc989ce0c9f32",
                      Yb[] = "248cccf6d5cdc3646f0ad593f9e6cef4e69d4945f8372e623512ecea32185623",
                      k[] = "5b067effbdc0b2a0e1d907b21ebb25cfedb96a852179a847c37e43ee71322c6b";
    uint8_t hash[32], point[32];

    bytes_of(hash, "03998087bdb1a2617bbe25ef5a7c18cd4f84f902328701790958755ee4aed1d3");
    CHECK(word_map(point, hash) == 0 && equals(point, g));
    CHECK(times(ya, g, Ya) && times(yb, g, Yb));
    CHECK(times(ya, Yb, k) && times(yb, Ya, k));
}

/* Points of low order: who shows one would know the secret without knowing the word. */
static void low_orders_are_refused(void)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t s[32] = { 1, 2, 3 }, p[32], r[32];

    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        bytes_of(p, points[i]);
        CHECK(word_times(r, s, p) == -ROOST_MALFORMED);
    }
}

/* One exchange; do both sides know the same in the end? */
static bool agree(const char *a, const char *b, uint8_t seed)
{
    uint8_t word[2][32], point[2][32], secret[2][32], share[2][32], both[2][32];

    CHECK(word_stretch(word[0], a) == 0 && word_stretch(word[1], b) == 0);
    for (int i = 0; i < 2; i++) {
        memset(secret[i], seed + i, 32);
        CHECK(word_point(point[i], word[i], "test") == 0);
        CHECK(word_times(share[i], secret[i], point[i]) == 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK(word_times(both[i], secret[i], share[!i]) == 0);
    return seal_equal(both[0], both[1], 32);
}

static void who_knows_the_word_agrees(void)
{
    uint8_t a[32], b[32], word[32];
    char long_word[WORD_MAX + 2];

    CHECK(agree("maple", "maple", 7));
    CHECK(!agree("maple", "Maple", 7));
    CHECK(word_stretch(word, "maple") == 0);
    CHECK(word_point(a, word, "one") == 0 && word_point(b, word, "two") == 0);
    CHECK(memcmp(a, b, 32) != 0); /* each purpose has points of its own */
    CHECK(word_stretch(word, "") == -ROOST_INVALID);
    memset(long_word, 'x', sizeof long_word);
    long_word[sizeof long_word - 1] = 0;
    CHECK(word_stretch(word, long_word) == -ROOST_INVALID);
    long_word[WORD_MAX] = 0;
    CHECK(word_stretch(word, long_word) == 0);
}

TEST_MAIN({ "x25519_is_rfc7748", x25519_is_rfc7748 }, { "the_map_is_cpaces", the_map_is_cpaces },
          { "low_orders_are_refused", low_orders_are_refused },
          { "who_knows_the_word_agrees", who_knows_the_word_agrees })
