#include "media/mix.h"

#include <stdlib.h>

#include "media/resample.h"
#include "test.h"
#include "waves.h"

static void few_are_summed_as_they_are(void)
{
    static struct mix m;
    int16_t a[480], b[480], sum[480];

    mix_init(&m);
    wave_tone(a, 480, 440, 6000, 0);
    wave_tone(b, 480, 700, 6000, 0);
    mix_begin(&m, 480);
    mix_add(&m, a, 1);
    mix_add(&m, b, 0.5f);
    mix_end(&m, sum);
    for (int i = 0; i < 480; i++)
        CHECK(abs(sum[i] - a[i] - b[i] / 2) <= 1);
    mix_begin(&m, 480);
    mix_end(&m, sum);
    CHECK(wave_power(sum, 480) == 0);
}

/* Ten who are as loud as can be: no sample is at the end, the tones are all there, equally. */
static void many_do_not_clip(void)
{
    static struct mix m;
    static int16_t out[48000];
    int16_t pcm[480];

    mix_init(&m);
    for (uint32_t at = 0; at < 48000; at += 480) {
        mix_begin(&m, 480);
        for (int k = 0; k < 10; k++) {
            wave_tone(pcm, 480, 300 + 100 * k, 32000, at);
            mix_add(&m, pcm, 1);
        }
        mix_end(&m, out + at);
    }
    for (int i = 0; i < 48000; i++)
        CHECK(out[i] < 32767 && out[i] > -32767);
    double first = wave_height(out + 24000, 24000, 300, 48000);
    for (int k = 1; k < 10; k++)
        CHECK(fabs(wave_db(wave_height(out + 24000, 24000, 300 + 100 * k, 48000), first)) < 1);
    /* what is not one of them is at least 20 dB below */
    CHECK(wave_height(out + 24000, 24000, 2950, 48000) < first / 10);
    /* when they are silent, one is as loud as before in a second */
    for (uint32_t at = 0; at < 48000; at += 480) {
        mix_begin(&m, 480);
        wave_tone(pcm, 480, 300, 8000, at);
        mix_add(&m, pcm, 1);
        mix_end(&m, out + at);
    }
    CHECK(fabs(wave_height(out + 40000, 8000, 300, 48000) - 8000) < 200);
}

static void volume_bends(void)
{
    int16_t pcm[480];

    wave_tone(pcm, 480, 1000, 20000, 0);
    mix_volume(pcm, 480, 4);
    for (int i = 0; i < 480; i++)
        CHECK(pcm[i] <= 32767 && pcm[i] >= -32767);
    wave_tone(pcm, 480, 1000, 20000, 0);
    mix_volume(pcm, 480, 0.25f);
    CHECK(fabs(wave_height(pcm, 480, 1000, 48000) - 5000) < 5);
}

/* A tone keeps its pitch and height; what the other rate cannot carry is gone. */
static void rates_are_changed(void)
{
    static const uint32_t rates[][2] = { { 48000, 16000 }, { 16000, 48000 },  { 44100, 48000 },
                                         { 8000, 48000 },  { 96000, 48000 },  { 22050, 48000 },
                                         { 11025, 48000 }, { 192000, 48000 }, { 48000, 48000 } };
    static int16_t in[192000], out[300000];

    for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) {
        struct resample *r = NULL;
        uint32_t from = rates[k][0], to = rates[k][1], n = 0;
        CHECK(resample_new(&r, from, to) == 0);
        if (!r)
            return;
        for (uint32_t i = 0; i < from; i++)
            in[i] = (int16_t)lrint(10000 * sin(2 * M_PI * 1000 * i / from));
        for (uint32_t i = 0; i < from; i += 441) {
            uint32_t some = from - i < 441 ? from - i : 441,
                     came = resample(r, in + i, some, out + n);
            CHECK(came <= resample_most(r, some));
            n += came;
        }
        CHECK(n >= to - 2 && n <= to + 2);
        CHECK(fabs(wave_height(out + to / 4, to / 2, 1000, to) - 10000) < 100);
        resample_free(r);
    }
    struct resample *r = NULL;
    CHECK(resample_new(&r, 44056, 48000) < 0 && resample_new(&r, 0, 48000) < 0);
    CHECK(resample_new(&r, 48000, 16000) == 0);
    if (!r)
        return;
    wave_tone(in, 48000, 9000, 20000, 0); /* above what 16 kHz carry */
    uint32_t n = resample(r, in, 48000, out);
    CHECK(wave_power(out + 1000, n - 1000) < 20000.0 * 20000 / 2 / 10000);
    resample_free(r);
}

TEST_MAIN({ "few_are_summed_as_they_are", few_are_summed_as_they_are },
          { "many_do_not_clip", many_do_not_clip }, { "volume_bends", volume_bends },
          { "rates_are_changed", rates_are_changed })
