/* words.h - what a user typed into a search, as terms.
 *
 * Words, "a phrase" and prefix* ; all must occur. Nothing that a user types is
 * an error: an open quote ends with the text, and what holds no letter or digit
 * is left out. Terms borrow from the text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_TERMS_MAX = 16, WORDS_BYTES_MAX = 1024 };

struct words_term {
    const char *text; /* one word or the inside of the quotes */
    size_t len;
    bool prefix; /* its last word is the beginning of one */
};

/* Returns how many; what is past the limits is left out. */
size_t words_parse(const char *text, struct words_term terms[static WORDS_TERMS_MAX]);
