/* process_near.h - the library behind process.h, of the one that was chosen (bench/run echo):
 * blocks of 10 ms, 48 kHz, one channel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct near;

/* NULL: no memory. */
struct near *near_new(bool echo, bool noise, bool gain);
void near_free(struct near *n);
/* What the speaker says at the time of the next block of near_said. */
void near_heard(struct near *n, const int16_t *far);
/* In place. */
void near_said(struct near *n, int16_t *pcm);
