#include "av/codec.h"

#include <stdlib.h>

#include "base/err.h"
#include "test.h"
#include "waves.h"

struct pair {
    struct encoder *in;
    struct decoder *out;
};

static bool pair_new(struct pair *p, struct encoder_wish wish)
{
    *p = (struct pair){ 0 };
    CHECK(encoder_new(&p->in, &wish) == 0);
    CHECK(decoder_new(&p->out, wish.codec) == 0);
    return p->in && p->out;
}

static void pair_free(struct pair *p)
{
    encoder_free(p->in);
    decoder_free(p->out);
}

/* A second of speech there and back. Returns the bits that it took; likeness of heights in ret. */
static uint32_t second_of(struct pair *p, uint32_t ticks, int16_t *ret)
{
    struct wave_speech s;
    int16_t pcm[CODEC_TICKS_MAX];
    uint8_t frame[CODEC_BYTES_MAX];
    uint32_t bytes = 0;
    bool silence;

    wave_speech_init(&s, 5, 130);
    for (uint32_t at = 0; at < 48000; at += ticks) {
        wave_speech(&s, pcm, ticks, 9000);
        int n = encoder_frame(p->in, pcm, ticks, frame, &silence);
        CHECK(n > 0 && n <= CODEC_BYTES_MAX);
        if (n <= 0)
            return 0;
        CHECK(codec_ticks(p->out && n == 640 ? MEDIA_PCM
                          : n == 480         ? MEDIA_PCM
                                             : MEDIA_OPUS,
                          frame, (size_t)n) == ticks);
        CHECK(decoder_frame(p->out, frame, (size_t)n, ret + at) == (int)ticks);
        bytes += (uint32_t)n;
    }
    return bytes * 8;
}

static void opus_goes_there_and_back(void)
{
    static const uint32_t lengths[] = { 480, 960, 2880 };
    static int16_t heard[48000 + CODEC_TICKS_MAX];

    for (int i = 0; i < 3; i++) {
        struct pair p;
        if (pair_new(&p, (struct encoder_wish){ MEDIA_OPUS, .bits = 32000 })) {
            uint32_t ticks = lengths[i];
            uint32_t bits = second_of(&p, ticks, heard);
            CHECK(bits > 15000 && bits < 45000);
            CHECK(wave_power(heard, 48000) > 100000);
        }
        pair_free(&p);
    }
}

static void pcm_goes_there_and_back(void)
{
    static int16_t heard[48000], said[48000];
    struct pair p;
    struct wave_speech s;

    if (!pair_new(&p, (struct encoder_wish){ MEDIA_PCM }))
        return pair_free(&p);
    wave_speech_init(&s, 5, 130);
    for (uint32_t at = 0; at < 48000; at += 240)
        wave_speech(&s, said + at, 240, 9000);
    CHECK(second_of(&p, 240, heard) == 768000);
    /* with 5 ms the bytes are the samples */
    wave_speech_init(&s, 5, 130);
    for (uint32_t at = 0; at < 48000; at++)
        CHECK(heard[at] == said[at]);
    CHECK(second_of(&p, 960, heard) == 256000);
    CHECK(fabs(wave_db(wave_power(heard + 2000, 40000), wave_power(said + 2000, 40000))) < 1.5);
    /* known bytes: little endian */
    int16_t pcm[240] = { 0x1234, -2 };
    uint8_t frame[CODEC_BYTES_MAX];
    bool silence = true;
    CHECK(encoder_frame(p.in, pcm, 240, frame, &silence) == 480 && !silence);
    CHECK(frame[0] == 0x34 && frame[1] == 0x12 && frame[2] == 0xfe && frame[3] == 0xff);
    CHECK(encoder_frame(p.in, pcm, 480, frame, &silence) == -ROOST_INVALID);
    pair_free(&p);
}

static void the_rate_follows_at_any_moment(void)
{
    static int16_t heard[48000 + CODEC_TICKS_MAX];
    static const uint32_t rates[] = { 8000, 16000, 32000, 64000, 96000, 12000 };
    struct pair p;

    if (pair_new(&p, (struct encoder_wish){ MEDIA_OPUS, .bits = 1 }))
        for (int i = 0; i < 6; i++) {
            encoder_set_bits(p.in, rates[i]);
            uint32_t bits = second_of(&p, 960, heard);
            CHECK(bits > rates[i] / 3 && bits < rates[i] * 3 / 2);
        }
    pair_free(&p);
}

/* Every tenth frame is lost: with redundancy it comes back out of the next. */
static double lost_and_recovered(float told, int *ret_carried)
{
    static int16_t said[960 * 300], heard[960 * 300];
    struct pair p;
    struct wave_speech s;
    uint8_t frame[CODEC_BYTES_MAX];
    bool silence;
    double with = 0, missed = 0;

    *ret_carried = 0;
    if (!pair_new(&p, (struct encoder_wish){ MEDIA_OPUS, .bits = 32000 })) {
        pair_free(&p);
        return 0;
    }
    encoder_set_loss(p.in, told);
    wave_speech_init(&s, 9, 120);
    for (int i = 0; i < 300; i++) {
        int16_t *pcm = said + 960 * i, *out = heard + 960 * i;
        wave_speech(&s, pcm, 960, 9000);
        int n = encoder_frame(p.in, pcm, 960, frame, &silence);
        if (n <= 0 || i % 10 == 5)
            continue;
        if (i % 10 == 6) {
            *ret_carried += codec_recovers(MEDIA_OPUS, frame, (size_t)n);
            CHECK(decoder_recover(p.out, frame, (size_t)n, 960, out - 960) == 960);
        }
        CHECK(decoder_frame(p.out, frame, (size_t)n, out) == 960);
    }
    for (int i = 55; i < 299;
         i += 10) { /* how loud it is, in 5 ms, beside how loud it was; 6.5 ms late */
        for (int k = 0; k < 3; k++) {
            double a = sqrt(wave_power(said + 960 * i + 240 * k, 240)),
                   b = sqrt(wave_power(heard + 960 * i + 240 * k + 312, 240));
            with += a;
            missed += fabs(a - b);
        }
    }
    pair_free(&p);
    return missed / with;
}

static void what_is_lost_comes_back(void)
{
    int none, all;
    double without = lost_and_recovered(0, &none), with = lost_and_recovered(0.2f, &all);

    CHECK(none == 0 && all >= 15); /* of 30: pauses have none */
    CHECK(with < without * 0.8);
}

static void silence_needs_no_frames(void)
{
    struct pair p;
    struct wave_speech s;
    int16_t pcm[960];
    uint8_t frame[CODEC_BYTES_MAX];
    struct wave_dice dice = { 3 };
    bool silence, begun = false;
    int sent = 0, told = 0;

    if (!pair_new(&p, (struct encoder_wish){ MEDIA_OPUS, .bits = 32000, .dtx = true }))
        return pair_free(&p);
    wave_speech_init(&s, 5, 130);
    for (int i = 0; i < 50; i++) {
        wave_speech(&s, pcm, 960, 9000);
        CHECK(encoder_frame(p.in, pcm, 960, frame, &silence) > 0 || silence);
    }
    for (int i = 0; i < 250; i++) { /* 5 s of a room */
        for (int k = 0; k < 960; k++)
            pcm[k] = (int16_t)(8 * wave_noise(&dice));
        int n = encoder_frame(p.in, pcm, 960, frame, &silence);
        CHECK(n >= 0 && (n > 0 || begun)); /* nothing is left out before it was told */
        sent += n > 0;
        begun = begun || (n > 0 && silence);
        told += n > 0 && silence;
    }
    CHECK(begun && sent < 60 && told >= 3);
    /* the first word is sent at once, and does not say silence for long */
    wave_speech_init(&s, 5, 130);
    int words = 0;
    for (int i = 0; i < 25; i++) {
        wave_speech(&s, pcm, 960, 9000);
        words += encoder_frame(p.in, pcm, 960, frame, &silence) > 2 && !silence;
    }
    CHECK(words >= 20);
    pair_free(&p);
}

static void music_keeps_its_heights(void)
{
    static int16_t heard[48000];
    struct pair p;
    int16_t pcm[960];
    uint8_t frame[CODEC_BYTES_MAX];
    bool silence;

    if (!pair_new(&p,
                  (struct encoder_wish){ MEDIA_OPUS, .music = true, .bits = 96000, .dtx = true }))
        return pair_free(&p);
    encoder_set_loss(p.in, 0.2f);
    for (uint32_t at = 0; at < 48000; at += 960) {
        int16_t high[960];
        wave_tone(pcm, 960, 440, 8000, at);
        wave_tone(high, 960, 13000, 3000, at);
        for (int i = 0; i < 960; i++)
            pcm[i] = (int16_t)(pcm[i] + high[i]);
        int n = encoder_frame(p.in, pcm, 960, frame, &silence);
        CHECK(n > 0 && !silence && !codec_recovers(MEDIA_OPUS, frame, (size_t)n));
        if (n > 0)
            decoder_frame(p.out, frame, (size_t)n, heard + at);
    }
    CHECK(wave_height(heard + 24000, 24000, 13000, 48000) > 2000);
    CHECK(wave_height(heard + 24000, 24000, 440, 48000) > 7000);
    encoder_set_music(p.in, false); /* under way */
    CHECK(encoder_frame(p.in, pcm, 960, frame, &silence) > 0);
    pair_free(&p);
}

/* A tone goes on through 20 ms that are missing, and is gone after 100. */
static void missing_samples_are_made_up(void)
{
    struct pair p;
    int16_t pcm[240], out[48000];
    uint8_t frame[CODEC_BYTES_MAX];
    bool silence;
    int steepest = 0;

    if (!pair_new(&p, (struct encoder_wish){ MEDIA_PCM }))
        return pair_free(&p);
    for (uint32_t i = 0; i < 100; i++) {
        wave_tone(pcm, 240, 300, 8000, 240 * i);
        if (i >= 50 && i < 54) {
            CHECK(decoder_conceal(p.out, 240, out + 240 * i) == 240);
            continue;
        }
        CHECK(encoder_frame(p.in, pcm, 240, frame, &silence) == 480);
        CHECK(decoder_frame(p.out, frame, 480, out + 240 * i) == 240);
    }
    CHECK(fabs(wave_height(out + 12000, 960, 300, 48000) - 8000) < 400);
    for (int i = 11000; i < 14000; i++)
        steepest = abs(out[i] - out[i - 1]) > steepest ? abs(out[i] - out[i - 1]) : steepest;
    CHECK(steepest < 450); /* of the tone itself: 314; no click */
    for (int i = 0; i < 20; i++)
        decoder_conceal(p.out, 240, out);
    CHECK(wave_power(out, 240) == 0);
    pair_free(&p);
}

static void nonsense_is_refused(void)
{
    struct wave_dice dice = { 11 };
    struct decoder *opus = NULL, *pcm = NULL;
    int16_t out[CODEC_TICKS_MAX];
    uint8_t bytes[1400];

    CHECK(decoder_new(&opus, MEDIA_VP8) == -ROOST_INVALID && decoder_new(&opus, MEDIA_OPUS) == 0);
    CHECK(decoder_new(&pcm, MEDIA_PCM) == 0);
    if (opus && pcm) {
        CHECK(decoder_frame(opus, bytes, 0, out) == -ROOST_MALFORMED);
        CHECK(decoder_frame(pcm, bytes, 479, out) == -ROOST_MALFORMED);
        for (int i = 0; i < 3000; i++) {
            size_t len = (size_t)((wave_noise(&dice) + 1) * 600);
            for (size_t k = 0; k < len; k++)
                bytes[k] = (uint8_t)(dice.x >> 40), wave_noise(&dice);
            int n = decoder_frame(opus, bytes, len, out);
            CHECK(n == -ROOST_MALFORMED || (n > 0 && n <= CODEC_TICKS_MAX));
            n = decoder_recover(opus, bytes, len, 960, out);
            CHECK(n == -ROOST_MALFORMED || n == 960);
            codec_recovers(MEDIA_OPUS, bytes, len);
        }
    }
    decoder_free(opus);
    decoder_free(pcm);
}

static void nothing_takes_memory_on_the_way(void)
{
    static int16_t heard[48000 + CODEC_TICKS_MAX];
    struct pair p, q;
    long before = 0;

    if (pair_new(&p, (struct encoder_wish){ MEDIA_OPUS, .bits = 32000, .dtx = true }) &&
        pair_new(&q, (struct encoder_wish){ MEDIA_PCM })) {
        before = test_allocations();
        encoder_set_loss(p.in, 0.1f);
        second_of(&q, 240, heard);
        second_of(&q, 960, heard);
        CHECK(decoder_conceal(q.out, 960, heard) == 960);
        int16_t pcm[960] = { 0 };
        uint8_t frame[CODEC_BYTES_MAX];
        bool silence;
        for (int i = 0; i < 100; i++)
            if (encoder_frame(p.in, pcm, 960, frame, &silence) > 0)
                decoder_frame(p.out, frame, 1, heard);
        decoder_conceal(p.out, 960, heard);
        CHECK(test_allocations() == before);
    }
    pair_free(&p);
    if (before)
        pair_free(&q);
}

TEST_MAIN({ "opus_goes_there_and_back", opus_goes_there_and_back },
          { "pcm_goes_there_and_back", pcm_goes_there_and_back },
          { "the_rate_follows_at_any_moment", the_rate_follows_at_any_moment },
          { "what_is_lost_comes_back", what_is_lost_comes_back },
          { "silence_needs_no_frames", silence_needs_no_frames },
          { "music_keeps_its_heights", music_keeps_its_heights },
          { "missing_samples_are_made_up", missing_samples_are_made_up },
          { "nonsense_is_refused", nonsense_is_refused },
          { "nothing_takes_memory_on_the_way", nothing_takes_memory_on_the_way })
