/* wav.h - the head of a WAV file, and samples as they lie behind it.
 *
 * Read: PCM of 8, 16, 24 and 32 bit and floats of 32, any rate and up to WAV_CHANNELS_MAX channels,
 * which become one. Written: 16 bit, one channel. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WAV_HEAD = 44, WAV_HEAD_MAX = 65536, WAV_CHANNELS_MAX = 8 };

struct wav {
    uint32_t hz, channels, bits;
    bool is_float;
    uint64_t at, bytes; /* of the samples; UINT64_MAX: until the file ends */
};

/* Out of the first bytes of a file. False: it is none that can be read. */
bool wav_read_head(const uint8_t *bytes, size_t len, struct wav *ret);
/* Bytes of a sample of all channels. */
uint32_t wav_each(const struct wav *w);
void wav_read(const struct wav *w, const uint8_t *bytes, uint32_t n, int16_t *ret);
void wav_write_head(uint8_t ret[static WAV_HEAD], uint32_t hz, uint64_t samples);
