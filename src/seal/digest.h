/* digest.h - SHA-256, HMAC, comparing and wiping secrets, and tokens as text.
 *
 * What is hashed is given in parts, each with its length: no buffer is glued
 * together. Parts are hashed one behind the other; where the border between two
 * matters, the caller puts a length or a zero byte between them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEAL_PARTS_MAX = 8 };

struct seal_part {
    const void *bytes;
    size_t len;
};

/* 0 or -ROOST_NOMEM. */
int seal_sha256(uint8_t ret[static 32], const struct seal_part *parts, size_t n);
int seal_hmac(uint8_t ret[static 32], const uint8_t key[static 32], const struct seal_part *parts,
              size_t n);

/* In a time that depends on len only. */
bool seal_equal(const void *a, const void *b, size_t len);
/* Not removed by the compiler. */
void seal_wipe(void *p, size_t len);

/* Base 32 (RFC 4648) in lower case without padding: what is read out over a
 * telephone. cap counts the zero byte; -ROOST_LIMIT when it does not fit. */
#define SEAL_BASE32_LEN(bytes) (((bytes)*8 + 4) / 5)
int seal_base32(char *ret, size_t cap, const uint8_t *bytes, size_t len);
/* As people type it: upper case, spaces and dashes are fine, 0 1 8 are o l b.
 * Writes the canonical form; -ROOST_INVALID for any other character, -ROOST_LIMIT. */
int seal_base32_canon(char *ret, size_t cap, const char *typed);

/* 2 * len characters and a zero byte. */
void seal_hex(char *ret, const uint8_t *bytes, size_t len);
