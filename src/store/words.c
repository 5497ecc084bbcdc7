#include "store/words.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Reads one term at *p; false when only space is left. */
static bool term_next(const char **p, const char *end, struct words_term *ret_term)
{
    while (*p < end && is_space(**p))
        (*p)++;
    if (*p == end)
        return false;

    bool quoted = **p == '"';
    const char *from = quoted ? ++*p : *p;
    while (*p < end && **p != '"' && (quoted || !is_space(**p)))
        (*p)++;
    const char *to = *p;
    if (quoted && *p < end)
        (*p)++; /* the closing one */

    bool prefix = false;
    if (quoted && *p < end && **p == '*') {
        prefix = true;
        (*p)++;
    } else if (!quoted && to > from && to[-1] == '*') {
        prefix = true;
        to--;
    }
    *ret_term = (struct words_term){ from, (size_t)(to - from), prefix };
    return true;
}

/* Nobody can look for "..." or "+"; a byte above ASCII may be a letter. */
static bool has_letter(const struct words_term *t)
{
    for (size_t i = 0; i < t->len; i++) {
        unsigned char c = (unsigned char)t->text[i];
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return true;
    }
    return false;
}

size_t words_parse(const char *text, struct words_term terms[static WORDS_TERMS_MAX])
{
    size_t n = 0;

    if (!text)
        return 0;
    const char *end = text + strnlen(text, WORDS_BYTES_MAX);
    while (n < WORDS_TERMS_MAX && term_next(&text, end, &terms[n])) {
        if (has_letter(&terms[n]))
            n++;
    }
    return n;
}
