/* ear.h - one person's voice, from opened frames to samples at the pace of a speaker.
 *
 * Jitter buffer, decoder, stretch and volume in one: put frames as they come, pull as many samples
 * as the speaker wants. For each person one; media/mix.h makes one sound of them.
 *
 *     while ((n = sound_out_wants(out, now)) >= SOUND_BLOCK) {
 *         int64_t at = sound_out_heard_us(out, now);
 *         mix_begin(&mix, SOUND_BLOCK);
 *         for each ear: ear_pull(ear, now, at, pcm, SOUND_BLOCK), mix_add(&mix, pcm, 1);
 *         mix_end(&mix, pcm);
 *         process_on_heard(process, pcm, at);
 *         sound_out_write(out, now, pcm, SOUND_BLOCK);
 *     }
 *
 * After ear_new nothing takes memory. One thread. Microseconds of the listener's clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/jitter.h"
#include "wire/media.h"

struct ear;
/* Of what is played from now on, of a whole frame as it came or was repaired: for a recording. */
typedef void ear_played(void *ctx, const struct jitter_turn *turn, enum media_codec codec,
                        int64_t heard_us);

int ear_new(struct ear **ret); /* -ROOST_NOMEM */
void ear_free(struct ear *e);
/* An opened frame, Opus or PCM. 0; -ROOST_ALREADY, -ROOST_LIMIT as jitter_put; -ROOST_MALFORMED:
 * it is no frame of its codec. */
int ear_put(struct ear *e, int64_t now_us, const struct media *m, const uint8_t *bytes, size_t len);
/* The next n samples (SOUND_BLOCK at most), which are asked for now and heard from at_us on; false:
 * it is quiet, and they are zeros. */
bool ear_pull(struct ear *e, int64_t now_us, int64_t at_us, int16_t *pcm, uint32_t n);
void ear_set_volume(struct ear *e, float volume); /* 1: as it came; 0: not; 4 at most */
/* Called out of ear_pull. NULL: not any more. */
void ear_set_played(struct ear *e, ear_played *played, void *ctx);
/* For figures: counts, how long frames are held, the budget of repair. Borrowed. */
const struct jitter *ear_jitter(const struct ear *e);
/* How loud it is now: 0 to 127 as in MEDIA, of what was pulled last. */
uint8_t ear_level(const struct ear *e);
