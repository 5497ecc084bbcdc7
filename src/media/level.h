/* level.h - how loud a block of sound is, whether somebody speaks, and whether they may.
 *
 * The level is RFC 6464's, the other way round as MEDIA has it: 127 is full scale, a step is a
 * decibel, 0 is silence or 127 dB below. Voice activity goes by how far the level is above the
 * noise of the room, which is learnt from the quietest moments, and stays for LEVEL_STAY_US so that
 * words are not cut. The gate is for push to talk and mute: it opens and closes over 5 ms without
 * a click. Plain data. Pure; samples of 48 kHz, 16 bit, one channel.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    LEVEL_FULL = 127,
    LEVEL_ABOVE = 9,   /* dB above the noise: somebody speaks */
    LEVEL_LEAST = 67,  /* -60 dB: below it nobody ever does, */
    LEVEL_ALWAYS = 97, /* -30 dB: and above it it is never noise */
};
#define LEVEL_STAY_US 300000
#define LEVEL_ROOM_US 2000000 /* the noise is the quietest of so long, or of twice that */
#define LEVEL_FADE_US 5000

uint8_t level_of(const int16_t *pcm, uint32_t n);

struct activity {
    uint8_t noise, noise_next; /* the level of the room */
    bool begun, loud;          /* loud: was ever, at loud_us last */
    int64_t since_us, loud_us;
};
void activity_init(struct activity *a);
/* A block with this level. Whether somebody speaks. */
bool activity_on_level(struct activity *a, int64_t now_us, uint8_t level);

struct gate_fade {
    float open; /* 0 to 1, now */
};
/* In place: towards open or closed. True: something of it is to be heard. */
bool gate_fade(struct gate_fade *g, bool open, int16_t *pcm, uint32_t n);
