/* sum.h - a keyed sum of what comes in pieces: is it all there, and is it the same?
 *
 * GMAC with AES-128 (NIST SP 800-38D): for two who share a fresh key, and want to see what
 * got lost or changed anywhere between them, at a fifth of the price of SHA-256. Who knows the key
 * can make other bytes with the same sum; a key is used for one sum only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SUM_KEY = 28 /* 16 of the cipher, 12 of its IV */, SUM_BYTES = 16 };

struct sum;

struct sum *sum_new(const uint8_t key[static SUM_KEY]); /* NULL: out of memory */
void sum_free(struct sum *s);
int sum_add(struct sum *s, const void *bytes, size_t len); /* 0 or -ROOST_NOMEM */
/* Of everything so far; nothing can be added then. 0 or -ROOST_NOMEM. */
int sum_end(struct sum *s, uint8_t ret[static SUM_BYTES]);
