/* test_sound.c - microphones and speakers that need no hardware, in virtual time. */
#include "av/sound.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "av/codec.h"
#include "av/fifo.h"
#include "base/err.h"
#include "media/ogg.h"
#include "media/wav.h"
#include "media/webm.h"
#include "test.h"
#include "waves.h"

#define MS 1000LL

static char folder[] = "/tmp/roost-sound-XXXXXX";
static char path[64];
static bool made;

static void cleanup(void)
{
    static const char *const names[] = {
        "a.wav", "a.opus", "a.webm", "b.opus", "c.opus", "out.wav"
    };

    for (size_t i = 0; made && i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    if (made)
        rmdir(folder);
}

/* In a folder of this process, which goes with it. */
static const char *file_in(const char *name)
{
    static pid_t maker;

    if (maker != getpid()) {
        maker = getpid();
        memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
        if (!mkdtemp(folder))
            abort();
        made = true;
        atexit(cleanup);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const void *bytes, size_t len)
{
    FILE *f = fopen(file_in(name), "wb");

    CHECK(f && fwrite(bytes, 1, len, f) == len);
    if (f)
        fclose(f);
}

/* word: "file:" or "once:" */
static struct sound_in *open_file(const char *word, const char *name, int64_t now_us)
{
    char all[96], why[SOUND_WHY] = "";
    struct sound_in *s = NULL;

    snprintf(all, sizeof all, "%s%s", word, file_in(name));
    int err = sound_in_new(&s, all, now_us, why);
    CHECK(err == 0 || *why);
    return s;
}

static void words_are_checked(void)
{
    static const char *const wrong[] = { "",         "tone:", "tone:1",          "tone:440x",
                                         "tone:nan", "file:", "file:/nowhere/x", "once:/dev/null",
                                         "file:/" };
    char why[SOUND_WHY];
    struct sound_in *in = NULL;
    struct sound_out *out = NULL;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        *why = '\0';
        CHECK(sound_in_new(&in, wrong[i], 0, why) < 0 && *why && !in);
    }
    *why = '\0';
    CHECK(sound_out_new(&out, "", 0, 0, why) == -ROOST_INVALID && *why);
    CHECK(sound_out_new(&out, "file:/nowhere/x.wav", 0, 0, why) == -ROOST_IO && !out);
}

static void a_tone_comes_at_the_pace_of_the_clock(void)
{
    static int16_t pcm[48000];
    struct sound_in *s = NULL;
    char why[SOUND_WHY];
    int64_t now = 5000000, at = 0;
    uint32_t n = 0;

    CHECK(sound_in_new(&s, "tone:1000", now, why) == 0);
    if (!s)
        return;
    CHECK(!sound_in_read(s, now, pcm, SOUND_BLOCK, &at));
    while (n < 48000) {
        int64_t due = sound_in_due_us(s, now, SOUND_BLOCK);
        CHECK(due > now && due <= now + 10 * MS + 1);
        CHECK(!sound_in_read(s, due - 30, pcm + n, SOUND_BLOCK, &at));
        now = due;
        CHECK(sound_in_read(s, now, pcm + n, SOUND_BLOCK, &at));
        CHECK(llabs(at - (5000000 + n * 125LL / 6)) <= 1);
        n += SOUND_BLOCK;
    }
    CHECK(fabs(wave_height(pcm, 48000, 1000, 48000) - 8231) < 10);
    CHECK(fabs(sqrt(wave_power(pcm, 48000)) * sqrt(2) - 8231) < 10); /* and nothing else */
    /* who comes a second late finds what is new, and is told */
    struct sound_look look;
    CHECK(sound_in_read(s, now + 1000 * MS, pcm, SOUND_BLOCK, &at));
    CHECK(at > now + 980 * MS);
    sound_in_look(s, &look);
    CHECK(look.lost > 46000 && look.lost <= 48000 && look.state == SOUND_GOES);
    CHECK(look.samples == 48480);
    sound_in_free(s);
}

static void none_is_silence(void)
{
    struct sound_in *s = NULL;
    char why[SOUND_WHY];
    int16_t pcm[960];
    int64_t at;

    CHECK(sound_in_new(&s, "none", 0, why) == 0);
    if (!s)
        return;
    memset(pcm, 1, sizeof pcm);
    CHECK(sound_in_read(s, 20001, pcm, 960, &at) && wave_power(pcm, 960) == 0);
    sound_in_free(s);
}

/* All of it, as 48 kHz: returns the samples. */
static uint32_t read_all(struct sound_in *s, int16_t *pcm, uint32_t cap, struct sound_look *ret)
{
    int64_t now = 0, at;
    uint32_t n = 0;

    while (s && n + SOUND_BLOCK <= cap) {
        now = sound_in_due_us(s, now, SOUND_BLOCK);
        CHECK(sound_in_read(s, now, pcm + n, SOUND_BLOCK, &at));
        n += SOUND_BLOCK;
    }
    if (s)
        sound_in_look(s, ret);
    return n;
}

static void wav_files_are_read(void)
{
    static uint8_t bytes[WAV_HEAD + 4 * 2 * 22050];
    static int16_t pcm[96000];
    struct sound_look look = { 0 };

    /* 22,050 Hz, two channels, with a chunk before */
    wav_write_head(bytes, 22050, 22050 * 2);
    bytes[22] = 2;
    for (int i = 0; i < 22050; i++) {
        int16_t x = (int16_t)lrint(9000 * sin(2 * M_PI * 700 * i / 22050));
        memcpy(bytes + WAV_HEAD + 4 * i, &x, 2);
        memcpy(bytes + WAV_HEAD + 4 * i + 2, &x, 2);
    }
    put("a.wav", bytes, WAV_HEAD + 4 * 22050);
    struct sound_in *s = open_file("once:", "a.wav", 0);
    read_all(s, pcm, 96000, &look);
    sound_in_free(s);
    CHECK(fabs(wave_height(pcm + 1000, 46000, 700, 48000) - 9000) < 200);
    CHECK(wave_power(pcm + 48200, 47000) == 0 && look.state == SOUND_GONE && look.gaps > 47000);
    /* again and again */
    s = open_file("file:", "a.wav", 0);
    read_all(s, pcm, 96000, &look);
    sound_in_free(s);
    CHECK(wave_power(pcm + 48200, 47000) > 3e7 && look.state == SOUND_GOES && look.gaps == 0);
}

static void wav_heads_of_all_kinds(void)
{
    static const struct {
        uint8_t format, bits;
        bool ok;
    } kinds[] = { { 1, 8, true },  { 1, 16, true },  { 1, 24, true }, { 1, 32, true },
                  { 3, 32, true }, { 3, 64, false }, { 6, 8, false } };
    uint8_t head[WAV_HEAD], samples[8] = { 0 };
    struct wav w;
    int16_t pcm;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        wav_write_head(head, 48000, 1);
        head[20] = kinds[i].format;
        head[34] = kinds[i].bits;
        CHECK(wav_read_head(head, sizeof head, &w) == kinds[i].ok);
        if (!kinds[i].ok)
            continue;
        CHECK(w.at == WAV_HEAD && w.bytes == 2 && wav_each(&w) == kinds[i].bits / 8u);
        memset(samples, 0, sizeof samples);
        samples[w.bits / 8 - 1] = w.is_float ? 0x3f : w.bits == 8 ? 0xc0 : 0x40; /* a half */
        wav_read(&w, samples, 1, &pcm);
        CHECK(pcm == 16384);
    }
    for (size_t len = 0; len < WAV_HEAD; len++) {
        wav_write_head(head, 48000, 1);
        CHECK(!wav_read_head(head, len, &w));
    }
    wav_write_head(head, 48000, 0); /* cut off: until the file ends */
    CHECK(wav_read_head(head, sizeof head, &w) && w.bytes == UINT64_MAX);
}

/* A second of a tone in Opus, as Ogg and as WebM; the beginning is left out as the file says. */
static void opus_files_are_read(void)
{
    static uint8_t ogg[100000], webm[WEBM_HEAD + 100000];
    static struct ogg_out o;
    static struct webm_out w;
    static int16_t pcm[96000];
    uint8_t frame[CODEC_BYTES_MAX], more[64];
    struct encoder *e = NULL;
    struct sound_look look = { 0 };
    size_t n = 0;
    bool silence;

    CHECK(encoder_new(&e, &(struct encoder_wish){ MEDIA_OPUS, .music = true, .bits = 64000 }) == 0);
    if (!e)
        return;
    ogg_init(&o, 1);
    ogg_put(&o, more, ogg_opus_head(more, 312), 0);
    n += ogg_page(&o, false, ogg + n);
    ogg_put(&o, more, ogg_opus_tags(more, sizeof more, "roost"), 0);
    n += ogg_page(&o, false, ogg + n);
    webm_begin(&w, 0, "t", webm);
    webm_slot(1, "ann", webm + webm_slot_at(1));
    for (uint32_t i = 0; i < 50; i++) {
        wave_tone(pcm, 960, 700, 9000, 960 * i);
        int len = encoder_frame(e, pcm, 960, frame, &silence);
        CHECK(len > 0);
        if (len <= 0)
            return;
        if (i == 20)
            n += ogg_page(&o, false, ogg + n);
        CHECK(ogg_put(&o, frame, (size_t)len, 960 * (i + 1)));
        uint64_t at = w.at;
        size_t head = webm_block(&w, 1, i * 20 * MS, (size_t)len, more);
        memcpy(webm + at, more, head);
        memcpy(webm + at + head, frame, (size_t)len);
    }
    n += ogg_page(&o, true, ogg + n);
    encoder_free(e);
    put("a.opus", ogg, n);
    put("a.webm", webm, w.at);
    for (int i = 0; i < 2; i++) {
        struct sound_in *s = open_file("once:", i ? "a.webm" : "a.opus", 0);
        read_all(s, pcm, 96000, &look);
        sound_in_free(s);
        CHECK(fabs(wave_height(pcm + 4000, 40000, 700, 48000) - 9000) < 400);
        CHECK(look.gaps == 96000 - 48000 + (i ? 0 : 312));
        /* looped, it has no end */
        s = open_file("file:", i ? "a.webm" : "a.opus", 0);
        read_all(s, pcm, 96000, &look);
        sound_in_free(s);
        CHECK(fabs(wave_height(pcm + 52000, 40000, 700, 48000) - 9000) < 400 && look.gaps == 0);
    }
    /* a page that was changed ends it */
    ogg[n / 2] ^= 1;
    put("b.opus", ogg, n);
    struct sound_in *s = open_file("once:", "b.opus", 0);
    read_all(s, pcm, 96000, &look);
    CHECK(look.state == SOUND_GONE && look.gaps > 48000);
    sound_in_free(s);
    put("c.opus", ogg, 60);
    CHECK(!open_file("once:", "c.opus", 0));
}

/* What is written is heard at the pace of the clock, and silence where nothing was written. */
static void a_speaker_of_a_file(void)
{
    static uint8_t bytes[WAV_HEAD + 2 * 96000];
    static int16_t pcm[480], heard[96000];
    struct sound_out *s = NULL;
    struct sound_look look;
    char word[96], why[SOUND_WHY];
    int64_t now = 0;
    uint64_t said = 0;

    snprintf(word, sizeof word, "file:%s", file_in("out.wav"));
    CHECK(sound_out_new(&s, word, now, 30 * MS, why) == 0);
    if (!s)
        return;
    CHECK(sound_out_wants(s, now) == 1440);
    while (now < 1000 * MS) {
        while (sound_out_wants(s, now) >= 480) {
            CHECK(llabs(sound_out_heard_us(s, now) - (int64_t)said * 125 / 6) <= 1);
            wave_tone(pcm, 480, 500, 8000, said);
            sound_out_write(s, now, pcm, 480);
            said += 480;
        }
        int64_t due = sound_out_due_us(s, now, 480);
        CHECK(due > now && due <= now + 10 * MS + 1);
        now = due;
    }
    now += 500 * MS; /* nobody came */
    CHECK(sound_out_wants(s, now) == 1440);
    sound_out_look(s, &look);
    CHECK(look.gaps > 23000 - 1440 && look.gaps < 24000);
    CHECK(llabs(sound_out_heard_us(s, now) - now) <= 21);
    /* more than it asked for is not kept for ever */
    for (int i = 0; i < 100; i++)
        sound_out_write(s, now, pcm, 480);
    sound_out_look(s, &look);
    CHECK(look.lost > 48000 - 12000);
    sound_out_free(s);
    FILE *f = fopen(file_in("out.wav"), "rb");
    struct wav w = { 0 };
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    CHECK(wav_read_head(bytes, n, &w) && w.hz == 48000 && w.at + w.bytes == n);
    wav_read(&w, bytes + w.at, (uint32_t)(w.bytes / 2), heard);
    CHECK(fabs(wave_height(heard, 48000, 500, 48000) - 8000) < 10);
    CHECK(wave_power(heard + 50000, 20000) == 0);
}

/* A speaker that is 200 ppm slower or faster than our clock: what is wanted follows it. */
static void another_clock_shows_as_what_is_wanted(void)
{
    static const int16_t pcm[480];
    char why[SOUND_WHY];

    for (int k = -1; k <= 1; k += 2) {
        struct sound_out *s = NULL;
        uint64_t written = 0;
        CHECK(sound_out_new(&s, "null", 0, 0, why) == 0);
        if (!s)
            return;
        for (int64_t ours = 0; ours < 600000 * MS; ours += 10 * MS) {
            int64_t theirs = ours + k * ours / 5000;
            for (; sound_out_wants(s, theirs) >= 480; written += 480)
                sound_out_write(s, theirs, pcm, 480);
        }
        int64_t more = (int64_t)written - 600 * 48000;
        CHECK(llabs(more - k * 5760) < 1500);
        sound_out_free(s);
    }
}

static void a_ring_keeps_order_and_tells(void)
{
    static struct fifo f;
    static int16_t in[FIFO_SAMPLES + 100], out[FIFO_SAMPLES];
    uint32_t n = 0, next = 0;
    struct wave_dice dice = { 5 };

    for (int i = 0; i < FIFO_SAMPLES + 100; i++)
        in[i] = (int16_t)i;
    CHECK(fifo_write(&f, in, FIFO_SAMPLES + 100) == FIFO_SAMPLES && fifo_fill(&f) == FIFO_SAMPLES);
    CHECK(fifo_read(&f, NULL, 10) == 10 && fifo_read(&f, out, FIFO_SAMPLES) == FIFO_SAMPLES - 10);
    CHECK(out[0] == 10 && fifo_read(&f, out, 1) == 0);
    for (int i = 0; i < 2000; i++) {
        uint32_t some = (uint32_t)((wave_noise(&dice) + 1) * 4000);
        for (uint32_t k = 0; k < some; k++)
            in[k] = (int16_t)(n + k);
        n += fifo_write(&f, in, some);
        uint32_t got = fifo_read(&f, out, (uint32_t)((wave_noise(&dice) + 1) * 4000));
        for (uint32_t k = 0; k < got; k++)
            CHECK(out[k] == (int16_t)next++);
    }
}

TEST_MAIN({ "words_are_checked", words_are_checked },
          { "a_tone_comes_at_the_pace_of_the_clock", a_tone_comes_at_the_pace_of_the_clock },
          { "none_is_silence", none_is_silence }, { "wav_files_are_read", wav_files_are_read },
          { "wav_heads_of_all_kinds", wav_heads_of_all_kinds },
          { "opus_files_are_read", opus_files_are_read },
          { "a_speaker_of_a_file", a_speaker_of_a_file },
          { "another_clock_shows_as_what_is_wanted", another_clock_shows_as_what_is_wanted },
          { "a_ring_keeps_order_and_tells", a_ring_keeps_order_and_tells }, { "cleanup", cleanup })
