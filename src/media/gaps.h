/* gaps.h - which parts of a stream are missing on this hop, and when to ask for them.
 *
 * Every part of a stream that is sent over a hop has a count without holes. What is missing is
 * asked for once later ones came and a little time went by, as packets overtake each other; again
 * after a round trip; and no more when an answer would come too late. What is left out on purpose
 * has no count, so what is missing was lost.
 *
 * Plain data. Pure; microseconds.
 */
#pragma once

#include "wire/media.h"

enum { GAPS_WINDOW = 256, GAPS_TRIES = 3 };
#define GAPS_OVERTAKEN_US 5000  /* later ones may come first by so much */
#define GAPS_AGAIN_US     10000 /* more than a round trip between two askings */

struct gaps {
    struct {
        bool missing;
        uint8_t tried;
        uint16_t count;
        int64_t since_us, asked_us;
    } slots[GAPS_WINDOW];
    bool begun;
    uint16_t newest;
    uint16_t n_missing; /* slots */
    /* since the beginning; lost: missing when others came, repaired: came after that */
    uint64_t received, lost, repaired, again;
    /* of the last seconds, for who decides */
    float loss;
};

enum gaps_came { GAPS_NEW, GAPS_REPAIRED, GAPS_AGAIN };

/* A part came, for the first time or not. What is very old is taken for known. */
enum gaps_came gaps_on_part(struct gaps *g, int64_t now_us, uint16_t count);
/* What is to be asked for now; false: nothing. An answer is of use for budget_us after it was
 * noticed that something is missing. */
bool gaps_ask(struct gaps *g, int64_t now_us, int64_t rtt_us, int64_t budget_us, struct nack *ret);
/* When to ask again; INT64_MAX: not. */
int64_t gaps_deadline_us(const struct gaps *g, int64_t rtt_us, int64_t budget_us);
