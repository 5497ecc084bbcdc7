/* cpace.h - two who know the same short secret agree on a long one; nobody else learns anything.
 *
 * CPace (draft-irtf-cfrg-cpace) on ristretto255 with SHA-512: the secret chooses a generator,
 * each side multiplies it by a scalar of its own and shows the product. Who listens has nothing to
 * try secrets on, and who takes part tries exactly one each time. (word.h is the older one of
 * the labs, over X25519, which needs no library beside OpenSSL.)
 *
 * Pure: randomness is given, fresh each time; the caller wipes what is secret. 0, or
 * -ROOST_MALFORMED: what the other side showed is no point, or one that gives all away.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "seal/digest.h"

enum { CPACE_BYTES = 32, CPACE_RANDOM = 64, CPACE_KEY = 64, CPACE_MAX = 127 /* of each input */ };

/* What both know before they begin. secret: the short one; context: who, and for what; sid: of
 * this meeting. Each at most CPACE_MAX bytes. */
struct cpace_input {
    struct seal_part secret, context, sid;
};

/* One side's: the share is shown with `also` (at most CPACE_MAX bytes, not secret). */
struct cpace_side {
    uint8_t share[CPACE_BYTES];
    struct seal_part also;
};

int cpace_generator(uint8_t ret[static CPACE_BYTES], const struct cpace_input *in);
void cpace_scalar(uint8_t ret[static CPACE_BYTES], const uint8_t random[static CPACE_RANDOM]);
/* The share of a scalar, or of another's share what both know: the point. */
int cpace_times(uint8_t ret[static CPACE_BYTES], const uint8_t scalar[static CPACE_BYTES],
                const uint8_t point[static CPACE_BYTES]);
/* The long secret. caller, answerer: as both saw them. */
void cpace_key(uint8_t ret[static CPACE_KEY], const struct cpace_input *in,
               const uint8_t point[static CPACE_BYTES], const struct cpace_side *caller,
               const struct cpace_side *answerer);
