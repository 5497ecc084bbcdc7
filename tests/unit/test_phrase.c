/* Phrases: the list keeps its promises, and what people type is understood or explained. */
#include <string.h>

#include "base/err.h"
#include "seal/phrase.h"
#include "test.h"

static bool differ_by_one(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), front = 0, back = 0;

    while (a[front] && a[front] == b[front])
        front++;
    while (back < la - front && back < lb - front && a[la - 1 - back] == b[lb - 1 - back])
        back++;
    size_t ra = la - front - back, rb = lb - front - back;
    return (ra <= 1 && rb <= 1) ||
           (ra == 2 && rb == 2 && a[front] == b[front + 1] && a[front + 1] == b[front]);
}

static void no_two_words_are_alike(void)
{
    for (int i = 0; i < PHRASE_WORDS; i++) {
        const char *w = phrase_words[i];
        CHECK(strlen(w) >= 3 && strlen(w) <= PHRASE_LONGEST);
        CHECK(strspn(w, "abcdefghijklmnopqrstuvwxyz") == strlen(w));
        if (i) {
            CHECK(strcmp(phrase_words[i - 1], w) < 0);
            CHECK(strncmp(phrase_words[i - 1], w, 4) != 0);
        }
        for (int j = 0; j < i; j++)
            if (differ_by_one(w, phrase_words[j]))
                CHECK(!"two words are alike");
    }
}

static bool reads(const char *typed, const char *as)
{
    struct phrase_wrong wrong;
    struct phrase p;
    char text[PHRASE_TEXT_MAX];

    if (phrase_read(&p, typed, &wrong))
        return false;
    phrase_text(&p, text);
    return !strcmp(text, as);
}

static void typing_is_forgiven(void)
{
    CHECK(reads("4821-maple-orbit-tin", "4821-maple-orbit-tin"));
    CHECK(reads("  4821 Maple ORBIT   tin\n", "4821-maple-orbit-tin"));
    CHECK(reads("4821_maple.orbit,tin", "4821-maple-orbit-tin"));
    CHECK(reads("4821-mapl-orbi-tin", "4821-maple-orbit-tin"));
    CHECK(reads("0007-maple-orbit-tin", "7-maple-orbit-tin"));
}

static const struct phrase_wrong *wrong_of(const char *typed)
{
    static struct phrase_wrong w;
    struct phrase p = { .number = 1 };

    CHECK(phrase_read(&p, typed, &w) == -ROOST_INVALID);
    CHECK(p.number == 1);
    return &w;
}

static void what_is_wrong_is_said(void)
{
    const struct phrase_wrong *w;
    char text[160];

    w = wrong_of("4821-mapel-orbit-tin");
    CHECK(w->what == PHRASE_NO_WORD);
    CHECK(!strcmp(w->typed, "mapel"));
    CHECK(!strcmp(w->near, "maple"));
    phrase_explain(w, text, sizeof text);
    CHECK(!strcmp(text, "'mapel' is no word of phrases: is 'maple' meant?"));
    w = wrong_of("4821-maple-orbit-xqzxqzxqz");
    CHECK(w->what == PHRASE_NO_WORD && !w->near);
    CHECK(wrong_of("4821-m-orbit-tin")->what == PHRASE_MANY);
    CHECK(wrong_of("4821-maple-orbit")->what == PHRASE_FEW);
    CHECK(wrong_of("4821")->what == PHRASE_FEW);
    CHECK(wrong_of("4821-maple-orbit-tin-maple")->what == PHRASE_MORE);
    CHECK(wrong_of("maple-orbit-tin")->what == PHRASE_NO_NUMBER);
    CHECK(wrong_of("")->what == PHRASE_NO_NUMBER);
    CHECK(wrong_of("0-maple-orbit-tin")->what == PHRASE_NO_NUMBER);
    CHECK(wrong_of("99999999999-maple-orbit-tin")->what == PHRASE_NO_NUMBER);
    char longer[400];
    memset(longer, 'a', sizeof longer);
    longer[0] = '1', longer[1] = '-', longer[sizeof longer - 1] = 0;
    w = wrong_of(longer);
    CHECK(w->what == PHRASE_NO_WORD && strlen(w->typed) == PHRASE_TYPED_MAX - 1);
    phrase_explain(w, text, sizeof text);
}

static void words_are_bits(void)
{
    const uint8_t first[8] = { 0 }, last[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };
    struct phrase p;
    char text[PHRASE_TEXT_MAX];

    phrase_make(&p, 4821, first);
    CHECK(!p.words[0] && !p.words[1] && !p.words[2]);
    phrase_make(&p, 4821, last);
    CHECK(p.words[0] == 2047 && p.words[2] == 2047);
    const uint8_t three[8] = { 0x00, 0x20, 0x08, 0x01, 0x80 };
    phrase_make(&p, 1, three); /* 00000000001 00000000010 00000000011 */
    CHECK(p.words[0] == 1 && p.words[1] == 2 && p.words[2] == 3);
    phrase_of_bits(three, 2, text, sizeof text);
    CHECK(!strncmp(text, phrase_words[1], strlen(phrase_words[1])));
    for (uint32_t i = 0; i < PHRASE_WORDS; i++) { /* all of them come back */
        struct phrase_wrong wrong;
        struct phrase q, from = { .number = PHRASE_NUMBER_MAX,
                                  .words = { (uint16_t)i, (uint16_t)(2047 - i), 5 } };
        phrase_text(&from, text);
        CHECK(!phrase_read(&q, text, &wrong) && !memcmp(q.words, from.words, sizeof q.words));
    }
}

TEST_MAIN({ "no_two_words_are_alike", no_two_words_are_alike },
          { "typing_is_forgiven", typing_is_forgiven },
          { "what_is_wrong_is_said", what_is_wrong_is_said }, { "words_are_bits", words_are_bits })
