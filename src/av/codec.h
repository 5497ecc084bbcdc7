/* codec.h - a voice as frames, and frames as a voice: Opus, or plain samples.
 *
 * Everything in and out is 48 kHz, one channel, 16 bit. How long a frame is may change with each:
 *   Opus  10, 20 or 60 ms: 480, 960, 2880 ticks. A frame carries the one before it once more, so
 *         well as the loss that is expected is worth, unless it is music. In silence nothing needs
 *         to be sent (DTX).
 *   PCM   20 ms: sent with 16 kHz, 640 bytes; 5 ms (240 ticks): with 48 kHz, 480 bytes. Little
 *         endian. The length says which. What is missing is made up for out of what was heard.
 *
 * After _new nothing takes memory. A thread at a time for each object. Ticks are of 1/48,000 s.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/media.h"

enum {
    CODEC_TICKS_MAX = 2880,
    CODEC_BYTES_MAX = 1024, /* of a frame, before it is sealed */
    CODEC_BITS_LEAST = 8000,
    CODEC_BITS_MOST = 96000,
};

struct encoder;
struct decoder;

struct encoder_wish {
    enum media_codec codec;
    bool music;    /* for the whole of the sound rather than for words; without FEC and DTX */
    bool dtx;      /* silence needs no frames */
    uint32_t bits; /* a second; cut to what is allowed; PCM has none */
};

int encoder_new(struct encoder **ret, const struct encoder_wish *wish); /* -ROOST_INVALID, _NOMEM */
void encoder_free(struct encoder *e);
/* At any moment. */
void encoder_set_bits(struct encoder *e, uint32_t bits);
void encoder_set_loss(struct encoder *e, float loss); /* 0 to 1, that is expected */
void encoder_set_music(struct encoder *e, bool music);
/* One frame of so many ticks. Returns its bytes (at most CODEC_BYTES_MAX); 0: it is silent, and
 * need not be sent; -ROOST_INVALID: no such length. *ret_silence: after this frame others may be
 * long in coming (MEDIA_SILENCE). */
int encoder_frame(struct encoder *e, const int16_t *pcm, uint32_t ticks,
                  uint8_t ret[static CODEC_BYTES_MAX], bool *ret_silence);

/* Of an opened frame: its ticks; 0: it is none. */
uint32_t codec_ticks(enum media_codec codec, const uint8_t *bytes, size_t len);
/* Whether it carries the frame before it, too. */
bool codec_recovers(enum media_codec codec, const uint8_t *bytes, size_t len);

int decoder_new(struct decoder **ret, enum media_codec codec); /* -ROOST_INVALID, -ROOST_NOMEM */
void decoder_free(struct decoder *d);
/* Each returns the samples, at most CODEC_TICKS_MAX, or -ROOST_MALFORMED: nothing was written. */
int decoder_frame(struct decoder *d, const uint8_t *bytes, size_t len, int16_t *ret);
/* Something like what was heard last; it becomes quiet in a while. */
int decoder_conceal(struct decoder *d, uint32_t ticks, int16_t *ret);
/* The frame before these bytes, of so many ticks, out of what they carry of it; without that it is
 * made up for. */
int decoder_recover(struct decoder *d, const uint8_t *bytes, size_t len, uint32_t ticks,
                    int16_t *ret);
/* What makes the last frame of PCM longer, at the same pitch: one period of it (at most
 * CONCEAL_PERIOD_MAX), or 0, if it has none. The next frame is faded into it. */
int decoder_longer(struct decoder *d, int16_t *ret);
/* What comes next has nothing to do with what was. */
void decoder_reset(struct decoder *d);
