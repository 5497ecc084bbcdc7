/* word.h - two who know the same word agree on a secret; nobody else learns anything of it.
 *
 * CPace (draft-irtf-cfrg-cpace) over Curve25519: the word chooses the base point (Elligator
 * 2, RFC 9380), each side multiplies it by a fresh secret of its own (X25519, RFC 7748) and
 * shows the product. With two words the results have nothing in common. So who listens has
 * nothing to try words on, and who takes part tries exactly one word each time.
 *
 * The word is stretched first (argon2id), once a program. Pure: secrets are given, fresh
 * ones each time; the caller wipes them. 0 or -ROOST_NOMEM unless said otherwise.
 */
#pragma once

#include <stdint.h>

#include "seal/digest.h"

enum { WORD_BYTES = 32, WORD_MAX = 256 };

/* What stands for the word from now on. -ROOST_INVALID: it is empty, or too long. */
int word_stretch(uint8_t ret[static WORD_BYTES], const char *word);
/* The base point of it, for this purpose. */
int word_point(uint8_t ret[static WORD_BYTES], const uint8_t stretched[static WORD_BYTES],
               const char *purpose);
/* secret times point: what is shown, and of what the other side showed, what both know.
 * -ROOST_MALFORMED: the point is one of the few that give away nothing but zeros. */
int word_times(uint8_t ret[static WORD_BYTES], const uint8_t secret[static WORD_BYTES],
               const uint8_t point[static WORD_BYTES]);

/* Elligator 2: 32 bytes of a hash to a point's u-coordinate. For the published vectors. */
int word_map(uint8_t ret[static WORD_BYTES], const uint8_t hash[static WORD_BYTES]);
