#include "av/codec.h"

#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "media/conceal.h"
#include "media/resample.h"

enum {
    WIDE_TICKS = 240,   /* of a frame of PCM with 48 kHz, */
    NARROW_TICKS = 960, /* and with 16 */
    NARROW_HZ = 16000,
    EFFORT = 7,   /* Opus: of 10; 10 costs half as much again, and is not heard on a voice */
    FEC_FROM = 1, /* percent of loss */
};

struct encoder {
    enum media_codec codec;
    OpusEncoder *opus;
    struct resample *narrow;
    bool dtx, music, silent; /* silent: nothing needs to be sent, lately */
    float loss;
    uint32_t bits;
};

struct decoder {
    enum media_codec codec;
    OpusDecoder *opus;
    struct resample *wide;
    struct conceal conceal;
};

/* --- encoding -------------------------------------------------------------------- */

static int set(OpusEncoder *opus, int request, int value)
{
    return opus_encoder_ctl(opus, request, (opus_int32)value);
}

/* Music has no redundancy (that is the voice's half of Opus), and silence in it is part of it. */
static void tell_opus(struct encoder *e)
{
    int percent = (int)(e->loss * 100 + 0.5f);

    if (!e->opus)
        return;
    set(e->opus, OPUS_SET_BITRATE_REQUEST, (int)e->bits);
    set(e->opus, OPUS_SET_SIGNAL_REQUEST, e->music ? OPUS_SIGNAL_MUSIC : OPUS_SIGNAL_VOICE);
    set(e->opus, OPUS_SET_PACKET_LOSS_PERC_REQUEST, percent);
    set(e->opus, OPUS_SET_INBAND_FEC_REQUEST, !e->music && percent >= FEC_FROM);
    set(e->opus, OPUS_SET_DTX_REQUEST, e->dtx && !e->music);
}

static uint32_t allowed(uint32_t bits)
{
    return bits < CODEC_BITS_LEAST  ? CODEC_BITS_LEAST
           : bits > CODEC_BITS_MOST ? CODEC_BITS_MOST
                                    : bits;
}

int encoder_new(struct encoder **ret, const struct encoder_wish *wish)
{
    int err = -ROOST_INVALID;
    struct encoder *e = NULL;

    if (wish->codec != MEDIA_OPUS && wish->codec != MEDIA_PCM)
        return err;
    err = -ROOST_NOMEM;
    e = calloc(1, sizeof *e);
    if (!e)
        goto out;
    *e = (struct encoder){
        .codec = wish->codec, .dtx = wish->dtx, .music = wish->music, .bits = allowed(wish->bits)
    };
    if (e->codec == MEDIA_PCM) {
        err = resample_new(&e->narrow, MEDIA_HZ, NARROW_HZ);
        if (err)
            goto out;
    } else {
        e->opus = malloc((size_t)opus_encoder_get_size(1));
        if (!e->opus ||
            opus_encoder_init(e->opus, MEDIA_HZ, 1,
                              e->music ? OPUS_APPLICATION_AUDIO : OPUS_APPLICATION_VOIP))
            goto out;
        set(e->opus, OPUS_SET_COMPLEXITY_REQUEST, EFFORT);
        tell_opus(e);
    }
    *ret = e;
    e = NULL;
    err = 0;
out:
    encoder_free(e);
    return err;
}

void encoder_free(struct encoder *e)
{
    if (!e)
        return;
    resample_free(e->narrow);
    free(e->opus);
    free(e);
}

void encoder_set_bits(struct encoder *e, uint32_t bits)
{
    if (allowed(bits) == e->bits)
        return;
    e->bits = allowed(bits);
    tell_opus(e);
}

void encoder_set_loss(struct encoder *e, float loss)
{
    e->loss = loss < 0 ? 0 : loss > 1 ? 1 : loss;
    tell_opus(e);
}

void encoder_set_music(struct encoder *e, bool music)
{
    if (e->music == music)
        return;
    e->music = music;
    if (e->opus) {
        /* the application can only be changed before the first frame after a reset */
        opus_encoder_ctl(e->opus, OPUS_RESET_STATE);
        set(e->opus, OPUS_SET_APPLICATION_REQUEST,
            music ? OPUS_APPLICATION_AUDIO : OPUS_APPLICATION_VOIP);
    }
    tell_opus(e);
}

static int put_samples(const int16_t *pcm, uint32_t n, uint8_t *ret)
{
    for (uint32_t i = 0; i < n; i++) {
        ret[2 * i] = (uint8_t)pcm[i];
        ret[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] >> 8);
    }
    return (int)(2 * n);
}

static int frame_pcm(struct encoder *e, const int16_t *pcm, uint32_t ticks, uint8_t *ret)
{
    int16_t narrow[NARROW_TICKS / 3 + 2];

    if (ticks == WIDE_TICKS)
        return put_samples(pcm, ticks, ret);
    if (ticks != NARROW_TICKS)
        return -ROOST_INVALID;
    return put_samples(narrow, resample(e->narrow, pcm, ticks, narrow), ret);
}

/* A frame of a byte or two says that nothing is to be said: the first such is sent, those behind it
 * are not, but now and then one of how the silence sounds is. */
static int frame_opus(struct encoder *e, const int16_t *pcm, uint32_t ticks, uint8_t *ret,
                      bool *ret_silence)
{
    opus_int32 rests = 0;

    if (ticks != 480 && ticks != 960 && ticks != 2880)
        return -ROOST_INVALID;
    int len = opus_encode(e->opus, pcm, (int)ticks, ret, CODEC_BYTES_MAX);
    if (len <= 0)
        return -ROOST_INVALID;
    if (e->dtx && !e->music)
        opus_encoder_ctl(e->opus, OPUS_GET_IN_DTX(&rests));
    bool empty = len <= 2 && rests, was = e->silent;
    e->silent = rests != 0;
    *ret_silence = e->silent;
    return empty && was ? 0 : len;
}

int encoder_frame(struct encoder *e, const int16_t *pcm, uint32_t ticks,
                  uint8_t ret[static CODEC_BYTES_MAX], bool *ret_silence)
{
    *ret_silence = false;
    if (e->codec == MEDIA_PCM)
        return frame_pcm(e, pcm, ticks, ret);
    return frame_opus(e, pcm, ticks, ret, ret_silence);
}

/* --- decoding -------------------------------------------------------------------- */

uint32_t codec_ticks(enum media_codec codec, const uint8_t *bytes, size_t len)
{
    if (len == 0 || len > CODEC_BYTES_MAX)
        return 0;
    if (codec == MEDIA_PCM)
        return len == 2 * WIDE_TICKS ? WIDE_TICKS : len == 2 * NARROW_TICKS / 3 ? NARROW_TICKS : 0;
    if (codec != MEDIA_OPUS)
        return 0;
    int n = opus_packet_get_nb_samples(bytes, (opus_int32)len, MEDIA_HZ);
    return n <= 0 || n > CODEC_TICKS_MAX ? 0 : (uint32_t)n;
}

/* RFC 6716, 4.2.3: a frame of the voice's half (SILK) begins with a bit for each 20 ms of it,
 * whether they are a voice, and then one that says that the frame before follows. */
bool codec_recovers(enum media_codec codec, const uint8_t *bytes, size_t len)
{
    const unsigned char *frames[48];
    opus_int16 sizes[48];
    int payload = 0;

    if (codec != MEDIA_OPUS || len == 0 || len > CODEC_BYTES_MAX || bytes[0] & 0x80)
        return false;
    if (opus_packet_parse(bytes, (opus_int32)len, NULL, frames, sizes, &payload) <= 0 ||
        sizes[0] == 0)
        return false;
    int ticks = opus_packet_get_samples_per_frame(bytes, MEDIA_HZ);
    int bits = ticks > 960 ? ticks / 960 : 1;
    return frames[0][0] >> (7 - bits) & 1;
}

int decoder_new(struct decoder **ret, enum media_codec codec)
{
    int err = -ROOST_INVALID;
    struct decoder *d = NULL;

    if (codec != MEDIA_OPUS && codec != MEDIA_PCM)
        return err;
    err = -ROOST_NOMEM;
    d = calloc(1, sizeof *d);
    if (!d)
        goto out;
    d->codec = codec;
    if (codec == MEDIA_PCM) {
        err = resample_new(&d->wide, NARROW_HZ, MEDIA_HZ);
        if (err)
            goto out;
    } else {
        d->opus = malloc((size_t)opus_decoder_get_size(1));
        if (!d->opus || opus_decoder_init(d->opus, MEDIA_HZ, 1))
            goto out;
    }
    *ret = d;
    d = NULL;
    err = 0;
out:
    decoder_free(d);
    return err;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    resample_free(d->wide);
    free(d->opus);
    free(d);
}

void decoder_reset(struct decoder *d)
{
    if (d->opus)
        opus_decoder_ctl(d->opus, OPUS_RESET_STATE);
    else
        resample_reset(d->wide);
    conceal_init(&d->conceal);
}

static void get_samples(const uint8_t *bytes, uint32_t n, int16_t *ret)
{
    for (uint32_t i = 0; i < n; i++)
        ret[i] = (int16_t)(uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
}

static void decode_pcm(struct decoder *d, const uint8_t *bytes, uint32_t ticks, int16_t *ret)
{
    int16_t narrow[NARROW_TICKS / 3];

    if (ticks == WIDE_TICKS) {
        get_samples(bytes, ticks, ret);
    } else {
        get_samples(bytes, ticks / 3, narrow);
        resample(d->wide, narrow, ticks / 3, ret);
    }
    conceal_on_frame(&d->conceal, ret, ticks);
}

int decoder_frame(struct decoder *d, const uint8_t *bytes, size_t len, int16_t *ret)
{
    uint32_t ticks = codec_ticks(d->codec, bytes, len);

    if (ticks == 0)
        return -ROOST_MALFORMED;
    if (d->codec == MEDIA_PCM) {
        decode_pcm(d, bytes, ticks, ret);
        return (int)ticks;
    }
    int n = opus_decode(d->opus, bytes, (opus_int32)len, ret, CODEC_TICKS_MAX, 0);
    return n <= 0 ? -ROOST_MALFORMED : n;
}

/* Opus makes up whole steps of 2.5 ms. */
static uint32_t whole(uint32_t ticks)
{
    ticks -= ticks % 120;
    return ticks > CODEC_TICKS_MAX ? CODEC_TICKS_MAX : ticks < 120 ? 120 : ticks;
}

int decoder_conceal(struct decoder *d, uint32_t ticks, int16_t *ret)
{
    ticks = whole(ticks);
    if (d->codec == MEDIA_PCM) {
        conceal_make(&d->conceal, ret, ticks);
        return (int)ticks;
    }
    int n = opus_decode(d->opus, NULL, 0, ret, (int)ticks, 0);
    return n <= 0 ? -ROOST_MALFORMED : n;
}

int decoder_recover(struct decoder *d, const uint8_t *bytes, size_t len, uint32_t ticks,
                    int16_t *ret)
{
    if (d->codec == MEDIA_PCM || codec_ticks(d->codec, bytes, len) == 0)
        return decoder_conceal(d, ticks, ret);
    int n = opus_decode(d->opus, bytes, (opus_int32)len, ret, (int)whole(ticks), 1);
    return n <= 0 ? -ROOST_MALFORMED : n;
}

int decoder_longer(struct decoder *d, int16_t *ret)
{
    return d->codec == MEDIA_PCM ? (int)conceal_longer(&d->conceal, ret) : 0;
}
