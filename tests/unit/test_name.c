#include "hub/name.h"

#include <string.h>

#include <unicode/uspoof.h>

#include "base/err.h"
#include "test.h"

static int check(struct names *n, const char *name)
{
    return name_check(n, name, NULL, 0, NULL, 0);
}

static bool alike(struct names *n, const char *a, const char *b)
{
    char sa[SKELETON_BYTES], sb[SKELETON_BYTES];

    CHECK(name_check(n, a, NULL, 0, sa, sizeof sa) == 0);
    CHECK(name_check(n, b, NULL, 0, sb, sizeof sb) == 0);
    return strcmp(sa, sb) == 0;
}

static void plain_names_need_no_icu(void)
{
    struct names n = { 0 };
    static const char *const good[] = {
        "ann", "Ann-Marie", "a", "x.y_z", "7even", "2024-11", "abcdefghijklmnopqrstuvwxyz012345"
    };
    static const char *const bad[] = { "",
                                       "12",
                                       "#12",
                                       "@ann",
                                       "*",
                                       "-ann",
                                       ".x",
                                       "a b",
                                       "a/b",
                                       "a\x1b[1m",
                                       "abcdefghijklmnopqrstuvwxyz0123456" };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(check(&n, good[i]) == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(check(&n, bad[i]) == -ROOST_NAME_BAD);
    CHECK(!n.spoof);
}

static void names_of_the_world(void)
{
    struct names n = { 0 };
    static const char *const good[] = { "Zoë",    "Łukasz",     "Юлия",      "Ελένη", "李小龍",
                                        "さくら", "東京タワー", "한국어",    "עִבְרִית", "محمد",
                                        "สมชาย",  "ভাষা",       "Nguyễn-Văn" };
    static const char *const bad[] = {
        "p\xd0\xb0ypal",    /* a Cyrillic letter among Latin ones */
        "\xd9\xa1\xd9\xa2", /* only digits */
        "zero\xe2\x80\x8bwidth",
        "right\xe2\x80\xaeleft",
        "e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85",
        "\xcc\x81x",
        "party\xf0\x9f\x8e\x89",
        "\xff\xfe",
        "soft\xc2\xadhyphen",
        "1\xd9\xa1x", /* digits of two kinds */
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(check(&n, good[i]) == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(check(&n, bad[i]) == -ROOST_NAME_BAD);
    names_fini(&n);
    CHECK(!n.spoof);
}

static void one_name_has_one_form(void)
{
    struct names n = { 0 };
    char a[NAME_BYTES], b[NAME_BYTES], tight[4];

    /* composed or not, wide or not */
    CHECK(name_check(&n, "Zo\xc3\xab", a, sizeof a, NULL, 0) == 0);
    CHECK(name_check(&n, "Zoe\xcc\x88", b, sizeof b, NULL, 0) == 0);
    CHECK(strcmp(a, b) == 0 && strcmp(a, "Zo\xc3\xab") == 0);
    CHECK(name_check(&n, "\xef\xbc\xa1nn", a, sizeof a, NULL, 0) == 0 && strcmp(a, "Ann") == 0);
    CHECK(name_check(&n, "ann1", tight, sizeof tight, NULL, 0) == -ROOST_NAME_BAD);
    names_fini(&n);
}

/* Some look of the one is some look of the other: then only one of them may exist. */
static bool clash(struct names *n, const char *a, const char *b)
{
    const char *const names[2] = { a, b };
    char looks[2][SKELETON_BYTES + LOOKS_BYTES + 1];

    for (int i = 0; i < 2; i++) {
        CHECK(name_check(n, names[i], NULL, 0, looks[i], SKELETON_BYTES) == 0);
        size_t len = strlen(looks[i]);
        looks[i][len] = '\n';
        CHECK(name_looks(n, names[i], looks[i] + len + 1) == 0);
    }
    for (char *x = looks[0]; *x; x = strchr(x, '\n') + 1)
        for (char *y = looks[1]; *y; y = strchr(y, '\n') + 1)
            if (strcspn(x, "\n") == strcspn(y, "\n") && !strncmp(x, y, strcspn(x, "\n")))
                return true;
    return false;
}

/* Letters that are alike only in capitals, or only in small letters. */
static void look_alikes_in_one_case_clash(void)
{
    struct names n = { 0 };
    char looks[LOOKS_BYTES];

    CHECK(clash(&n, "BAM", "ВАМ") && clash(&n, "bam", "вам")); /* Cyrillic */
    CHECK(clash(&n, "HEKTOP", "НЕКТОР") && clash(&n, "Hektop", "Нектор"));
    CHECK(clash(&n, "NAN", "ΝΑΝ") && clash(&n, "NON", "ΝΟΝ")); /* Greek */
    CHECK(clash(&n, "ОПТ-3", "опт-3") && clash(&n, "ΒΑΜ", "ВАМ"));
    CHECK(clash(&n, "ΝΑΝ", "ναν") && clash(&n, "vov", "νον") && clash(&n, "NON", "νον"));

    CHECK(!clash(&n, "nan", "van") && !clash(&n, "вам", "вас") && !clash(&n, "Анна", "anna"));
    CHECK(!clash(&n, "Юлия", "Julia") && !clash(&n, "Ελένη", "Eleni"));

    /* nothing to add: the store keeps no more than it must */
    CHECK(name_looks(&n, "BAM", looks) == 0 && !*looks);
    CHECK(name_looks(&n, "Zoë", looks) == 0 && !*looks);
    CHECK(name_looks(&n, "東京", looks) == 0 && !*looks);
    names_fini(&n);
}

static void look_alikes_collide(void)
{
    struct names n = { 0 };

    CHECK(alike(&n, "paypal", "PayPal"));
    CHECK(alike(&n, "modern", "rnodern") && alike(&n, "modern", "modem"));
    CHECK(alike(&n, "M", "rn"));
    CHECK(alike(&n, "O0", "oO") && alike(&n, "b0b", "bob"));
    CHECK(alike(&n, "Il1", "lIl") && alike(&n, "Ian", "lan") && alike(&n, "ian", "Ian"));
    /* all of it in Cyrillic: one script, so not mixed, but the same to the eye */
    CHECK(alike(&n, "cop", "\xd1\x81\xd0\xbe\xd1\x80"));
    CHECK(alike(&n, "cop", "\xd0\xa1\xd0\x9e\xd0\xa0"));
    CHECK(alike(&n, "ann", "\xef\xbd\x81nn"));
    CHECK(alike(&n, "\xd0\xae\xd0\x9b", "\xd1\x8e\xd0\xbb"));

    CHECK(!alike(&n, "ann", "anna"));
    CHECK(!alike(&n, "zoe", "zo\xc3\xab"));
    CHECK(!alike(&n, "a-b", "a_b") && !alike(&n, "a-b", "ab"));
    CHECK(!alike(&n, "user2", "user3"));
    names_fini(&n);
}

/* The short way of ASCII must agree with ICU: two letters that ICU takes for one
 * are one here too. */
static void ascii_agrees_with_icu(void)
{
    struct names n = { 0 };
    UErrorCode e = U_ZERO_ERROR;
    USpoofChecker *s = uspoof_open(&e);
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    CHECK(U_SUCCESS(e));
    for (const char *a = all; *a; a++)
        for (const char *b = all; *b; b++) {
            char x[] = { 'x', *a, '\0' }, y[] = { 'x', *b, '\0' };
            UChar ux[] = { (UChar)*a }, uy[] = { (UChar)*b }, sx[8], sy[8];
            int32_t lx = uspoof_getSkeleton(s, 0, ux, 1, sx, 8, &e);
            int32_t ly = uspoof_getSkeleton(s, 0, uy, 1, sy, 8, &e);
            CHECK(U_SUCCESS(e));
            if (lx == ly && memcmp(sx, sy, (size_t)lx * sizeof *sx) == 0)
                CHECK(alike(&n, x, y));
        }
    uspoof_close(s);
    CHECK(!n.spoof);
}

/* A name with one letter outside ASCII takes the long way; the rest of its
 * skeleton must be what the short way makes. */
static void both_ways_make_one_skeleton(void)
{
    struct names n = { 0 };
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    for (const char *a = all; *a; a++) {
        char plain[] = { 'x', *a, '\0' },
             wide[] = { '\xef', '\xbd', '\x98', *a, '\0' }; /* wide x */
        CHECK(alike(&n, plain, wide));
    }
    names_fini(&n);
}

TEST_MAIN({ "plain_names_need_no_icu", plain_names_need_no_icu },
          { "names_of_the_world", names_of_the_world },
          { "one_name_has_one_form", one_name_has_one_form },
          { "look_alikes_collide", look_alikes_collide },
          { "look_alikes_in_one_case_clash", look_alikes_in_one_case_clash },
          { "ascii_agrees_with_icu", ascii_agrees_with_icu },
          { "both_ways_make_one_skeleton", both_ways_make_one_skeleton })
