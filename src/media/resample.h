/* resample.h - sound at one rate as sound at another.
 *
 * A low pass of windowed sinc, one row of taps for each of the places that a sample of one rate can
 * have between two of the other; so the two rates are to be in a ratio of small numbers, as all
 * that are in use are. Owns its table. Pure; samples of 16 bit, one channel.
 */
#pragma once

#include <stdint.h>

enum { RESAMPLE_TABLE_MAX = 24000 };

struct resample;

/* -ROOST_INVALID: rates that do not go together; -ROOST_NOMEM. */
int resample_new(struct resample **ret, uint32_t from_hz, uint32_t to_hz);
void resample_free(struct resample *r);
void resample_reset(struct resample *r);
/* At most so many come of n. */
uint32_t resample_most(const struct resample *r, uint32_t n);
/* Returns how many came. Takes no memory. */
uint32_t resample(struct resample *r, const int16_t *pcm, uint32_t n, int16_t *ret);
