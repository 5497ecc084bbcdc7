/* stretch.h - a frame of sound a little shorter or longer, at the same pitch.
 *
 * A period of the voice is taken out, or put in once more, with the two ends faded into each other:
 * the period is the shift by which the frame is most like itself. Where nothing repeats (noise, a
 * consonant) nothing is done, unless it is so quiet that nobody hears it. Samples of 16 bit, one
 * channel; a frame of 10 ms at least. Pure; in place.
 */
#pragma once

#include <stdint.h>

#define STRETCH_LEAST_US 2500  /* a period: 400 Hz, */
#define STRETCH_MOST_US  10000 /* to 100 Hz, half a frame at most */

/* Both return the new number of samples: n, if nothing was done. */
uint32_t stretch_shorter(int16_t *pcm, uint32_t n, uint32_t hz);
/* pcm has room for STRETCH_MOST_US more. */
uint32_t stretch_longer(int16_t *pcm, uint32_t n, uint32_t hz);
