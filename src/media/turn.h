/* turn.h - whose turn it is on a path: sound, then pictures and their repair, then files.
 *
 * One path has one rate (media/estimate.h). Sound leaves at once, whatever the rate says: it is
 * little, and waiting is what it cannot bear. Pictures leave at the rate less what sound took,
 * spaced, in bursts of a few milliseconds at most. Files get what is left, and never more than
 * that. What one takes the others pay for, in bytes, so together they keep to the rate.
 *
 * Decides only; who has the bytes asks before, and says what it sent. Plain data. Pure;
 * microseconds, bits a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum turn_kind { TURN_SOUND, TURN_PICTURE, TURN_FILE, TURN_KINDS };
#define TURN_BURST_US 5000

struct turn {
    uint64_t rate;
    double room; /* bytes that may leave now; negative: what sound has taken ahead */
    int64_t at_us;
    int64_t wanted_us[TURN_KINDS]; /* when each had something to send last */
    uint64_t sent[TURN_KINDS];
};

void turn_init(struct turn *t, int64_t now_us, uint64_t rate);
void turn_set_rate(struct turn *t, int64_t now_us, uint64_t rate);
/* May so many bytes of this kind leave now? Asking says that there is something to send. */
bool turn_allows(struct turn *t, int64_t now_us, enum turn_kind kind, uint32_t bytes);
void turn_on_sent(struct turn *t, int64_t now_us, enum turn_kind kind, uint32_t bytes);
/* When they may; now_us: already. */
int64_t turn_when_us(struct turn *t, int64_t now_us, enum turn_kind kind, uint32_t bytes);
