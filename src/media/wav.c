#include "media/wav.h"

#include <math.h>
#include <string.h>

enum { FORMAT_PCM = 1, FORMAT_FLOAT = 3, FORMAT_MORE = 0xfffe };

static uint32_t get(const uint8_t *p, int n)
{
    uint32_t x = 0;

    for (int i = n; i-- > 0;)
        x = x << 8 | p[i];
    return x;
}

static bool read_format(const uint8_t *p, uint32_t len, struct wav *ret)
{
    if (len < 16)
        return false;
    uint32_t format = get(p, 2);
    if (format == FORMAT_MORE && len >= 26)
        format = get(p + 24, 2);
    ret->is_float = format == FORMAT_FLOAT;
    ret->channels = get(p + 2, 2);
    ret->hz = get(p + 4, 4);
    ret->bits = get(p + 14, 2);
    bool known = format == FORMAT_PCM
                     ? ret->bits == 8 || ret->bits == 16 || ret->bits == 24 || ret->bits == 32
                     : ret->is_float && ret->bits == 32;
    return known && ret->channels >= 1 && ret->channels <= WAV_CHANNELS_MAX;
}

bool wav_read_head(const uint8_t *bytes, size_t len, struct wav *ret)
{
    struct wav w = { 0 };
    bool has_format = false;

    if (len < 12 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WAVE", 4) != 0)
        return false;
    for (size_t at = 12; at + 8 <= len;) {
        uint32_t n = get(bytes + at + 4, 4);
        if (memcmp(bytes + at, "data", 4) == 0) {
            w.at = at + 8;
            /* a writer that was cut off left what it began with */
            w.bytes = n == 0 || n >= 0xffffff00 ? UINT64_MAX : n;
            *ret = w;
            return has_format;
        }
        if (n > len - at - 8)
            return false;
        if (memcmp(bytes + at, "fmt ", 4) == 0) {
            has_format = read_format(bytes + at + 8, n, &w);
            if (!has_format)
                return false;
        }
        at += 8 + (size_t)n + (n & 1);
    }
    return false;
}

uint32_t wav_each(const struct wav *w)
{
    return w->channels * w->bits / 8;
}

/* -1 to 1 */
static float sample_at(const struct wav *w, const uint8_t *p)
{
    uint32_t bits = get(p, (int)w->bits / 8);
    float x;

    if (w->is_float) {
        memcpy(&x, &bits, sizeof x);
        return x >= -1 && x <= 1 ? x : x > 1 ? 1 : x < -1 ? -1 : 0;
    }
    if (w->bits == 8)
        return ((float)bits - 128) / 128;
    return (float)(int32_t)(bits << (32 - w->bits)) / 2147483648.0f;
}

void wav_read(const struct wav *w, const uint8_t *bytes, uint32_t n, int16_t *ret)
{
    uint32_t each = w->bits / 8;

    for (uint32_t i = 0; i < n; i++) {
        float sum = 0;
        for (uint32_t c = 0; c < w->channels; c++, bytes += each)
            sum += sample_at(w, bytes);
        float x = sum / (float)w->channels * 32768;
        ret[i] = (int16_t)lrintf(x > 32767 ? 32767 : x);
    }
}

static void put(uint8_t *p, uint32_t x, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(x >> (8 * i));
}

void wav_write_head(uint8_t ret[static WAV_HEAD], uint32_t hz, uint64_t samples)
{
    uint64_t bytes = 2 * samples > 0xffffff00u ? 0xffffff00u : 2 * samples;

    memcpy(ret, "RIFF....WAVEfmt ", 16);
    put(ret + 4, (uint32_t)bytes + WAV_HEAD - 8, 4);
    put(ret + 16, 16, 4);
    put(ret + 20, FORMAT_PCM, 2);
    put(ret + 22, 1, 2);
    put(ret + 24, hz, 4);
    put(ret + 28, 2 * hz, 4);
    put(ret + 32, 2, 2);
    put(ret + 34, 16, 2);
    memcpy(ret + 36, "data", 4);
    put(ret + 40, (uint32_t)bytes, 4);
}
