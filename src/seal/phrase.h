/* phrase.h - what people say to each other to meet: `4821-maple-orbit-tin`.
 *
 * The number is where they meet, the server knows it; the words are the secret (33 bits, of
 * which each guess is told: seal/cpace.h). The list is of our own making: 2,048 well known
 * words of 3 to 7 letters that differ in their first four letters, are two letters apart
 * at least, and do not sound alike. It is part of the protocol, as is its order: words are also how
 * two people compare what their programs know.
 *
 * Typing is forgiven: case, what stands between, the end of a word whose beginning is enough.
 * Pure, no memory of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PHRASE_WORDS = 2048,
    PHRASE_BITS = 11, /* each word is worth */
    PHRASE_LONGEST = 7,
    PHRASE_SECRET = 3, /* words */
    PHRASE_NUMBER_MAX = 999999999,
    PHRASE_TEXT_MAX = 48, /* with its zero byte; room for four words */
    PHRASE_TYPED_MAX = 32,
};

extern const char phrase_words[PHRASE_WORDS][PHRASE_LONGEST + 1]; /* sorted */

struct phrase {
    uint32_t number;
    uint16_t words[PHRASE_SECRET];
};

/* What is wrong with what was typed. */
struct phrase_wrong {
    enum {
        PHRASE_NO_NUMBER, /* it does not begin with one */
        PHRASE_NO_WORD,   /* `typed` is none; near: which was meant, or NULL */
        PHRASE_MANY,      /* `typed` is the beginning of several; near: the first */
        PHRASE_FEW,       /* words are missing */
        PHRASE_MORE,      /* there are too many, from `typed` on */
    } what;
    char typed[PHRASE_TYPED_MAX]; /* lower case, cut; letters and digits only */
    const char *near;
};

/* random: even bits, of which 33 are used. */
void phrase_make(struct phrase *ret, uint32_t number, const uint8_t random[static 8]);
void phrase_text(const struct phrase *p, char ret[static PHRASE_TEXT_MAX]);
/* Without the number: "maple-orbit-tin", what an exchange is keyed with. */
void phrase_secret(const struct phrase *p, char ret[static PHRASE_TEXT_MAX]);
/* 0; -ROOST_INVALID and *ret_wrong. */
int phrase_read(struct phrase *ret, const char *typed, struct phrase_wrong *ret_wrong);
/* The same as a sentence; cap bytes are enough at 160. */
void phrase_explain(const struct phrase_wrong *w, char *ret, size_t cap);

/* n words of the first 11 n bits, with spaces between them; cap: 8 a word. */
void phrase_of_bits(const uint8_t *bytes, unsigned n, char *ret, size_t cap);
