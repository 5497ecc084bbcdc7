/* speakers.h - who of a meeting is heard: the last N who spoke.
 *
 * Every frame of a voice says how loud it is. Who is loud for a moment takes the place of whoever
 * was loud longest ago, at once, with this very frame: first words are not cut. Who has a place
 * keeps it for SPEAKERS_STAY_US after the last loud frame at least, so nobody is thrown out between
 * two words; if all places are held by people who speak now, a louder one waits. Frames of who has
 * no place are not forwarded. The speaker, for a view that shows one, changes only when somebody
 * was louder for a while.
 *
 * Memory: the caller's. Pure; microseconds; levels as in MEDIA: 127 is full scale, 1 dB a step.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SPEAKERS_MAX = 16,   /* places */
    SPEAKERS_LOUD = 77,  /* 50 dB below full scale: above what rooms hum */
    SPEAKERS_BESIDE = 4, /* dB louder than the speaker, to become it */
};
#define SPEAKERS_STAY_US 1000000
#define SPEAKERS_TURN_US 400000 /* so long, too */

struct speaker {
    uint32_t who; /* 0: nobody */
    int64_t loud_us;
    int32_t level; /* smoothed, in 1/16 dB */
    int64_t level_us;
};

struct speakers {
    struct speaker places[SPEAKERS_MAX];
    uint32_t n; /* places */
    uint32_t first, rival;
    int64_t rival_us;
};

/* places: 1 to SPEAKERS_MAX. */
void speakers_init(struct speakers *s, uint32_t places);
/* A frame of somebody came: whether it is forwarded. *ret_changed: the places have. */
bool speakers_on_frame(struct speakers *s, int64_t now_us, uint32_t who, uint8_t level,
                       bool *ret_changed);
/* Muted, or gone. */
void speakers_on_silent(struct speakers *s, uint32_t who);
/* Who is shown; 0: nobody spoke yet. */
static inline uint32_t speakers_first(const struct speakers *s)
{
    return s->first;
}
bool speakers_has(const struct speakers *s, uint32_t who);
