#include "seal/phrase.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

enum { NEAR_ENOUGH = 2 /* letters */ };

/* Bits from `at` on, the highest first. */
static unsigned bits_at(const uint8_t *bytes, unsigned at)
{
    unsigned v = 0;

    for (unsigned i = at; i < at + PHRASE_BITS; i++)
        v = v << 1 | (bytes[i / 8] >> (7 - i % 8) & 1);
    return v;
}

void phrase_make(struct phrase *ret, uint32_t number, const uint8_t random[static 8])
{
    ret->number = number;
    for (unsigned i = 0; i < PHRASE_SECRET; i++)
        ret->words[i] = (uint16_t)bits_at(random, i * PHRASE_BITS);
}

static void join(char *ret, size_t cap, const char *word, char between)
{
    size_t len = strlen(ret), n = strlen(word);

    assert(len + n + 2 <= cap && "words have a longest");
    if (len)
        ret[len++] = between;
    memcpy(ret + len, word, n + 1);
}

void phrase_of_bits(const uint8_t *bytes, unsigned n, char *ret, size_t cap)
{
    *ret = 0;
    for (unsigned i = 0; i < n; i++)
        join(ret, cap, phrase_words[bits_at(bytes, i * PHRASE_BITS)], ' ');
}

void phrase_secret(const struct phrase *p, char ret[static PHRASE_TEXT_MAX])
{
    *ret = 0;
    for (unsigned i = 0; i < PHRASE_SECRET; i++)
        join(ret, PHRASE_TEXT_MAX, phrase_words[p->words[i] % PHRASE_WORDS], '-');
}

void phrase_text(const struct phrase *p, char ret[static PHRASE_TEXT_MAX])
{
    char words[PHRASE_TEXT_MAX];

    phrase_secret(p, words);
    snprintf(ret, PHRASE_TEXT_MAX, "%u-%.36s", (unsigned)p->number, words);
}

/* --- reading ------------------------------------------------------------------------- */

/* The next run of letters and digits, in lower case. Returns how long it really was. */
static size_t next_token(const char **at, char ret[static PHRASE_TYPED_MAX])
{
    size_t n = 0;

    while (**at && !isalnum((unsigned char)**at))
        ++*at;
    for (; isalnum((unsigned char)**at); ++*at, n++)
        if (n < PHRASE_TYPED_MAX - 1)
            ret[n] = (char)tolower((unsigned char)**at);
    ret[n < PHRASE_TYPED_MAX ? n : PHRASE_TYPED_MAX - 1] = 0;
    return n;
}

/* The first word that is not before it. */
static unsigned lower_bound(const char *typed)
{
    unsigned low = 0, high = PHRASE_WORDS;

    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (strcmp(phrase_words[mid], typed) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool begins(unsigned i, const char *typed)
{
    return i < PHRASE_WORDS && !strncmp(phrase_words[i], typed, strlen(typed));
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters that are wrong, missing, too many, or changed places. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[3][PHRASE_LONGEST + 1], n = (unsigned)strlen(b);

    for (unsigned j = 0; j <= n; j++)
        row[0][j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            bool same = a[i - 1] == b[j - 1];
            now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + !same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], two[j - 2] + 1);
        }
    }
    return row[strlen(a) % 3][n];
}

static const char *nearest(const char *typed)
{
    unsigned best = NEAR_ENOUGH + 1;
    const char *ret = NULL;

    for (unsigned i = 0; i < PHRASE_WORDS; i++) {
        unsigned d = distance(typed, phrase_words[i]);
        if (d < best) {
            best = d;
            ret = phrase_words[i];
        }
    }
    return ret;
}

static int read_word(const char *typed, uint16_t *ret, struct phrase_wrong *wrong)
{
    unsigned i = lower_bound(typed);

    if (begins(i, typed) && (!strcmp(phrase_words[i], typed) || !begins(i + 1, typed))) {
        *ret = (uint16_t)i;
        return 0;
    }
    wrong->what = begins(i, typed) ? PHRASE_MANY : PHRASE_NO_WORD;
    wrong->near = begins(i, typed) ? phrase_words[i] : nearest(typed);
    return -ROOST_INVALID;
}

static int read_number(const char *typed, size_t len, uint32_t *ret)
{
    uint64_t n = 0;

    for (size_t i = 0; i < len && i < PHRASE_TYPED_MAX - 1; i++) {
        if (!isdigit((unsigned char)typed[i]))
            return -ROOST_INVALID;
        n = n * 10 + (uint64_t)(typed[i] - '0');
        if (n > PHRASE_NUMBER_MAX)
            return -ROOST_INVALID;
    }
    *ret = (uint32_t)n;
    return n ? 0 : -ROOST_INVALID;
}

int phrase_read(struct phrase *ret, const char *typed, struct phrase_wrong *ret_wrong)
{
    struct phrase_wrong *w = ret_wrong;
    struct phrase p;
    size_t len = (*w = (struct phrase_wrong){ 0 }, next_token(&typed, w->typed));

    w->what = PHRASE_NO_NUMBER;
    int err = read_number(w->typed, len, &p.number);
    for (unsigned i = 0; !err && i < PHRASE_SECRET; i++) {
        w->what = PHRASE_FEW;
        err = next_token(&typed, w->typed) ? read_word(w->typed, &p.words[i], w) : -ROOST_INVALID;
    }
    if (!err && next_token(&typed, w->typed)) {
        w->what = PHRASE_MORE;
        err = -ROOST_INVALID;
    }
    if (!err)
        *ret = p;
    return err;
}

void phrase_explain(const struct phrase_wrong *w, char *ret, size_t cap)
{
    switch (w->what) {
    case PHRASE_NO_NUMBER:
        snprintf(ret, cap, "a phrase begins with its number, as in 4821-maple-orbit-tin");
        break;
    case PHRASE_NO_WORD:
        if (w->near)
            snprintf(ret, cap, "'%s' is no word of phrases: is '%s' meant?", w->typed, w->near);
        else
            snprintf(ret, cap, "'%s' is no word of phrases", w->typed);
        break;
    case PHRASE_MANY:
        snprintf(ret, cap, "'%s' is the beginning of several words, '%s' for one", w->typed,
                 w->near);
        break;
    case PHRASE_FEW:
        snprintf(ret, cap, "a word is missing: there are %d after the number", PHRASE_SECRET);
        break;
    case PHRASE_MORE:
        snprintf(ret, cap, "'%s' is too much: there are %d words after the number", w->typed,
                 PHRASE_SECRET);
        break;
    }
}
