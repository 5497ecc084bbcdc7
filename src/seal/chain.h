/* chain.h - a sender's key, and what follows from it.
 *
 * A key id is a generation and a step of it. Whoever has a step can make the next ones and none
 * before: a sender steps when somebody joins, and who was there follows without being told. When
 * somebody leaves, a new generation is drawn. Of each step every stream and encoding has keys of
 * its own: one that seals its frames, one that marks their parts.
 */
#pragma once

#include "seal/sframe.h"

enum {
    CHAIN_SECRET = 32,
    CHAIN_STEPS = 256,    /* of a generation */
    CHAIN_AHEAD_MAX = 16, /* a receiver follows so many at once */
    CHAIN_MARK_KEY = 32,
};

struct chain {
    uint8_t secret[CHAIN_SECRET]; /* of this step */
    uint32_t generation, step;    /* generation 0: there is none */
    uint32_t epoch;               /* in which it was made */
};

static inline uint32_t chain_key_id(const struct chain *c)
{
    return c->generation * CHAIN_STEPS + c->step;
}

/* The next step. 0 or -ROOST_NOMEM, and nothing has changed. */
int chain_step(struct chain *c);
/* Of a sender in a meeting in which the hub has the keys: the only one it ever has. */
int chain_of_hub(struct chain *ret, const uint8_t secret[static CHAIN_SECRET], uint32_t number);
/* The keys of a stream and encoding. */
int chain_stream(const struct chain *c, uint64_t stream, uint8_t encoding, bool seals,
                 struct sframe *ret, uint8_t ret_mark[static CHAIN_MARK_KEY]);
