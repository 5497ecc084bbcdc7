/* utf8.h - is it UTF-8, and the characters in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No overlong forms, no surrogates, nothing above U+10FFFF, no zero byte. */
bool utf8_valid(const void *s, size_t len);

/* Reads one character of valid UTF-8 and advances *p (< end). A byte that
 * belongs to none gives U+FFFD and is passed over. */
uint32_t utf8_next(const char **p, const char *end);

/* Length of s, or of as many whole characters of it as fit max bytes. */
size_t utf8_fit(const char *s, size_t max);

/* Writes 1 to 4 bytes, returns how many. */
size_t utf8_put(char out[static 4], uint32_t c);

/* Control characters and those that reorder text: never sent to a terminal. */
bool utf8_is_control(uint32_t c);
