/* CPace: the draft's vectors (draft-irtf-cfrg-cpace, ristretto255 with SHA-512), and what it is
 * for. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "seal/cpace.h"
#include "seal/rng.h"
#include "test.h"

static uint8_t *unhex(uint8_t *ret, const char *hex)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        ret[i] = (uint8_t)byte;
    }
    return ret;
}

static struct cpace_input draft_input(void)
{
    static uint8_t ci[24], sid[16];

    unhex(ci, "0b415f696e69746961746f720b425f726573706f6e646572");
    unhex(sid, "7e4b4791d6a8ef019b936c79fb7f2c57");
    return (struct cpace_input){ { "Password", 8 }, { ci, sizeof ci }, { sid, sizeof sid } };
}

static void agrees_with_the_draft(void)
{
    struct cpace_input in = draft_input();
    struct cpace_side a = { .also = { "ADa", 3 } }, b = { .also = { "ADb", 3 } };
    uint8_t g[32], ya[32], yb[32], k[32], want[64], key[64];

    CHECK(cpace_generator(g, &in) == 0);
    unhex(want, "222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56");
    CHECK(!memcmp(g, want, 32));
    unhex(ya, "da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08");
    unhex(yb, "d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d");
    CHECK(cpace_times(a.share, ya, g) == 0 && cpace_times(b.share, yb, g) == 0);
    unhex(want, "d6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157");
    CHECK(!memcmp(a.share, want, 32));
    unhex(want, "3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258");
    CHECK(!memcmp(b.share, want, 32));
    unhex(want, "80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f");
    CHECK(cpace_times(k, ya, b.share) == 0 && !memcmp(k, want, 32));
    CHECK(cpace_times(k, yb, a.share) == 0 && !memcmp(k, want, 32));
    cpace_key(key, &in, k, &a, &b);
    unhex(want, "b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd"
                "2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447");
    CHECK(!memcmp(key, want, 64));
}

/* The draft's list of what must not be taken: the neutral element, and what encodes no point. */
static void takes_no_bad_points(void)
{
    static const char *bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t s[32], point[32], k[32], want[32];

    unhex(s, "7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05");
    unhex(point, "2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c");
    unhex(want, "7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e");
    CHECK(cpace_times(k, s, point) == 0 && !memcmp(k, want, 32));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(cpace_times(k, s, unhex(point, bad[i])) == -ROOST_MALFORMED);
}

static bool agree(const char *one, const char *two, const char *where, const char *there)
{
    const struct cpace_input in[2] = {
        { { one, strlen(one) }, { "test", 4 }, { where, strlen(where) } },
        { { two, strlen(two) }, { "test", 4 }, { there, strlen(there) } },
    };
    struct cpace_side side[2] = { { .also = { "a", 1 } }, { .also = { "b", 1 } } };
    uint8_t random[64], scalar[2][32], g[32], k[32], key[2][64];
    static const uint8_t seed[32] = { 7 };
    struct rng rng;

    rng_init(&rng, seed);
    for (int i = 0; i < 2; i++) {
        rng_fill(&rng, random, sizeof random);
        cpace_scalar(scalar[i], random);
        CHECK(cpace_generator(g, &in[i]) == 0 && cpace_times(side[i].share, scalar[i], g) == 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(cpace_times(k, scalar[i], side[!i].share) == 0);
        cpace_key(key[i], &in[i], k, &side[0], &side[1]);
    }
    return !memcmp(key[0], key[1], 64);
}

static void the_same_words_agree_and_no_others(void)
{
    CHECK(agree("maple-orbit-tin", "maple-orbit-tin", "4821", "4821"));
    CHECK(!agree("maple-orbit-tin", "maple-orbit-tan", "4821", "4821"));
    CHECK(!agree("maple-orbit-tin", "maple-orbit-tin", "4821", "4822"));
}

TEST_MAIN({ "agrees_with_the_draft", agrees_with_the_draft },
          { "takes_no_bad_points", takes_no_bad_points },
          { "the_same_words_agree_and_no_others", the_same_words_agree_and_no_others })
