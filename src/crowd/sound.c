/* sound.c - what somebody in a rehearsal says: two seconds of a voice, encoded once, said again and
 * again.
 *
 * A voice is a few overtones of a note of one's own, in syllables. A packet is made one of Opus'
 * code 3 with 8 bytes of padding (RFC 6716, 3.2.5), which no decoder looks at: there stands when it
 * was said.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "av/codec.h"
#include "base/err.h"
#include "crowd/crowd.h"

enum { SOUND_MS = 2000, OVERTONES = 8, BITS = 24000 };

/* A pentatonic scale: whoever speaks at once sounds well. */
static double note(uint32_t who)
{
    static const int steps[] = { 0, 2, 4, 7, 9 };

    return 110.0 * pow(2, steps[who % 5] / 12.0 + who / 5 % 2);
}

/* 0 to 1: four syllables a second, some of them left out; the end fits the beginning. */
static double loudness(uint32_t who, double s)
{
    int syllable = (int)(s * 4);

    if ((syllable * 5 + who) % 7 == 0)
        return 0;
    return 0.5 - 0.5 * cos(2 * M_PI * 4 * s);
}

static void fill(uint32_t who, uint32_t at, uint32_t ticks, int16_t *pcm, uint8_t *ret_level)
{
    double hz = note(who), power = 1e-9;

    for (uint32_t i = 0; i < ticks; i++) {
        double s = (double)(at + i) / MEDIA_HZ, x = 0;
        for (int k = 1; k <= OVERTONES; k++)
            x += sin(2 * M_PI * hz * k * s) / k;
        x *= 0.12 * loudness(who, s);
        pcm[i] = (int16_t)(x * 32767);
        power += x * x / ticks;
    }
    double level = 127 + 10 * log10(power);
    *ret_level = level < 0 ? 0 : (uint8_t)level;
}

static void with_padding(struct crowd_frame *f, const uint8_t *packet, size_t len)
{
    f->bytes[0] = packet[0] | 3; /* of code 0: one frame */
    f->bytes[1] = 0x40 | 1;      /* padding; one frame */
    f->bytes[2] = CROWD_STAMP;
    memcpy(f->bytes + 3, packet + 1, len - 1);
    f->len = (uint32_t)len + 2 + CROWD_STAMP;
}

int crowd_sound(struct crowd_frame **ret, uint32_t *ret_n, uint32_t who, uint32_t frame_ms)
{
    const struct encoder_wish wish = { .codec = MEDIA_OPUS, .bits = BITS };
    uint32_t n = SOUND_MS / frame_ms, ticks = frame_ms * (MEDIA_HZ / 1000);
    int16_t pcm[CODEC_TICKS_MAX];
    uint8_t packet[CODEC_BYTES_MAX];
    struct encoder *e;
    bool silence;

    if (ticks > CODEC_TICKS_MAX)
        return -ROOST_INVALID;
    struct crowd_frame *list = calloc(n, sizeof *list);
    int err = list ? encoder_new(&e, &wish) : -ROOST_NOMEM;
    for (uint32_t i = 0; !err && i < n; i++) {
        fill(who, i * ticks, ticks, pcm, &list[i].level);
        int len = encoder_frame(e, pcm, ticks, packet, &silence);
        if (len <= 0 || (packet[0] & 3) || len + 2 + CROWD_STAMP > CROWD_BYTES_MAX)
            err = len < 0 ? len : -ROOST_INVALID;
        else
            with_padding(&list[i], packet, (size_t)len);
    }
    if (list && err != -ROOST_NOMEM)
        encoder_free(e);
    if (err) {
        free(list);
        return err;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}
