/* conceal.h - something like the sound that is missing, for sound without a codec of its own.
 *
 * What was heard last is heard again, by periods of its pitch, for CONCEAL_FULL_US as loud as it
 * was, then quieter until CONCEAL_OVER_US. What comes after it is faded in. Plain data. Pure;
 * samples of 48 kHz, 16 bit, one channel.
 */
#pragma once

#include <stdint.h>

enum { CONCEAL_PAST = 1920, CONCEAL_PERIOD_MAX = 800 };
#define CONCEAL_FULL_US 20000
#define CONCEAL_OVER_US 80000

struct conceal {
    int16_t past[CONCEAL_PAST];
    int16_t period[CONCEAL_PERIOD_MAX];
    uint32_t lag, at, run; /* run: samples made up in a row */
    float alike;           /* -1 to 1: one period and the one before */
};

void conceal_init(struct conceal *c);
/* A frame that came: in place, if something was made up before it. */
void conceal_on_frame(struct conceal *c, int16_t *pcm, uint32_t n);
void conceal_make(struct conceal *c, int16_t *ret, uint32_t n);
/* One period more, if there is one (or it is quiet): returns its samples, or 0. */
uint32_t conceal_longer(struct conceal *c, int16_t *ret);
