/* history.h - what was sent of a stream over a hop, for who missed it.
 *
 * Remembers of the last HISTORY_PARTS counts what they were: a number of the caller's. What is
 * asked for again before the first answer can have come is not sent twice, and what is too old to
 * be of use not at all. Says too how many of the last payloads go along with the next one, when
 * much is lost. Plain data. Pure; microseconds.
 */
#pragma once

#include "wire/media.h"

enum { HISTORY_PARTS = 64, HISTORY_ASKED_MAX = NACK_GAPS_MAX * 17 };
#define HISTORY_AGE_US 500000

struct history {
    struct {
        bool used;
        uint16_t count;
        uint32_t what;
        int64_t sent_us, again_us;
    } slots[HISTORY_PARTS];
    uint16_t next;
};

/* The part goes out now for the first time: its count. what: the caller's. */
uint16_t history_on_sent(struct history *h, int64_t now_us, uint32_t what);
/* What is to be sent again for this NACK, with its count; *i begins with 0. False: no more. */
bool history_asked(struct history *h, int64_t now_us, int64_t rtt_us, const struct nack *n,
                   uint32_t *i, uint32_t *ret_what, uint16_t *ret_count);
/* The part that was sent `before` counts before the newest (0: the newest); false: unknown. */
bool history_back(const struct history *h, uint16_t before, uint32_t *ret_what,
                  uint16_t *ret_count);
/* The caller has given up what it was. */
void history_forget(struct history *h, uint32_t what);
/* Of the voice's last payloads so many go along, at this loss of the hop: 0 to 2. repeats: how many
 * it were. */
uint8_t history_repeats(uint8_t repeats, float loss);
