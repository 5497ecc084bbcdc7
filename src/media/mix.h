/* mix.h - many voices as one sound, without clipping.
 *
 * A sum; where it would be beyond full scale it is turned down at once for all, and comes up again
 * within half a second; what is left of peaks is bent, not cut. Plain data, no memory of its own.
 * Pure; samples of 16 bit, one channel, 48 kHz.
 */
#pragma once

#include <stdint.h>

enum { MIX_SAMPLES_MAX = 2880 };
#define MIX_LOUD 29000 /* peaks are kept below by turning down */

struct mix {
    float sum[MIX_SAMPLES_MAX];
    float gain;
    uint32_t n;
};

void mix_init(struct mix *m);
/* Of n samples, at most MIX_SAMPLES_MAX. */
void mix_begin(struct mix *m, uint32_t n);
void mix_add(struct mix *m, const int16_t *pcm, float volume);
void mix_end(struct mix *m, int16_t *ret);
/* The same for one: in place, with bending. */
void mix_volume(int16_t *pcm, uint32_t n, float volume);
