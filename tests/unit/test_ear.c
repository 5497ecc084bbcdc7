/* test_ear.c - one person's voice in virtual time: what comes late or not at all, clocks that go
 * apart, lengths and codecs that change. */
#include "av/ear.h"

#include <stdlib.h>

#include "av/codec.h"
#include "av/sound.h"
#include "base/err.h"
#include "media/level.h"
#include "test.h"
#include "waves.h"

#define MS 1000LL

struct talk {
    struct encoder *in;
    struct ear *ear;
    struct wave_speech speech;
    uint32_t ticks, stamp;
    uint64_t frame;
    enum media_codec codec;
    double said_us; /* when the next frame is whole, by the listener's clock */
    double drift;   /* so much longer a second of the speaker is */
    int64_t heard;  /* samples that were pulled */
    double play_drift;
};

static bool talk_of(struct talk *t, enum media_codec codec, uint32_t ticks, bool dtx)
{
    *t = (struct talk){ .ticks = ticks, .codec = codec, .stamp = 0xffff0000 };
    CHECK(encoder_new(&t->in, &(struct encoder_wish){ codec, .bits = 24000, .dtx = dtx }) == 0);
    CHECK(ear_new(&t->ear) == 0);
    wave_speech_init(&t->speech, 21, 140);
    return t->ear;
}

static bool talk_new(struct talk *t, enum media_codec codec, uint32_t ticks)
{
    return talk_of(t, codec, ticks, true);
}

static void talk_free(struct talk *t)
{
    encoder_free(t->in);
    ear_free(t->ear);
}

/* A frame is said; it comes so much later, or not at all (-1). Time goes on by it. */
static void say(struct talk *t, int64_t way_us, double height)
{
    int16_t pcm[CODEC_TICKS_MAX];
    uint8_t bytes[CODEC_BYTES_MAX];
    bool silence = false;

    wave_speech(&t->speech, pcm, t->ticks, height);
    int n = encoder_frame(t->in, pcm, t->ticks, bytes, &silence);
    CHECK(n >= 0);
    struct media m = {
        .codec = t->codec, .frame = t->frame, .timestamp = t->stamp, .silence = silence
    };
    t->stamp += t->ticks;
    t->said_us += t->ticks / 0.048 * (1 + t->drift);
    if (n > 0) {
        t->frame++;
        if (way_us >= 0)
            CHECK(ear_put(t->ear, (int64_t)t->said_us + way_us, &m, bytes, (size_t)n) == 0);
    }
}

/* What is played until the next frame is said. */
static uint64_t hear(struct talk *t, int16_t *ret)
{
    int16_t pcm[SOUND_BLOCK];
    uint64_t n = 0;

    for (;;) {
        int64_t at = (int64_t)((double)t->heard / 0.048 * (1 + t->play_drift));
        if ((double)at >= t->said_us)
            return n;
        ear_pull(t->ear, at, at, pcm, 240);
        if (ret)
            memcpy(ret + n, pcm, sizeof *pcm * 240);
        t->heard += 240;
        n += 240;
    }
}

static void each_kind_is_heard(void)
{
    static const struct {
        enum media_codec codec;
        uint32_t ticks;
    } kinds[] = { { MEDIA_OPUS, 480 },
                  { MEDIA_OPUS, 960 },
                  { MEDIA_OPUS, 2880 },
                  { MEDIA_PCM, 240 },
                  { MEDIA_PCM, 960 } };
    struct talk t;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (talk_new(&t, kinds[i].codec, kinds[i].ticks))
            while (t.said_us < 5e6) {
                say(&t, 5 * MS, 9000);
                hear(&t, NULL);
            }
        const struct jitter_counts *c = &ear_jitter(t.ear)->counts;
        CHECK(c->concealed_ticks == 0 && c->late == 0 && c->skipped == 0);
        CHECK(c->played_ticks + 9600 >= t.frame * t.ticks); /* the last are not heard yet */
        talk_free(&t);
    }
}

/* Ten seconds of frames that are said again and again: so an hour costs decoding only. */
struct loop {
    uint8_t bytes[2000][CODEC_BYTES_MAX];
    int len[2000];
    int n;
};

static void record_loop(struct talk *t, struct loop *l)
{
    int16_t pcm[CODEC_TICKS_MAX];

    l->n = (int)(480000 / t->ticks);
    for (int i = 0; i < l->n; i++) {
        wave_speech(&t->speech, pcm, t->ticks, 9000);
        l->len[i] = encoder_frame(t->in, pcm, t->ticks, l->bytes[i], &(bool){ 0 });
        CHECK(l->len[i] >= 0);
    }
}

static void say_again(struct talk *t, const struct loop *l, uint64_t i)
{
    struct media m = { .codec = t->codec, .frame = t->frame, .timestamp = t->stamp };

    t->stamp += t->ticks;
    t->said_us += t->ticks / 0.048 * (1 + t->drift);
    CHECK(ear_put(t->ear, (int64_t)t->said_us + 8 * MS, &m, l->bytes[i % l->n],
                  (size_t)l->len[i % l->n]) == 0);
    t->frame++;
}

/* Clocks apart by 200 ppm, on either side: nothing is made up, nothing left out, and what is held
 * stays what it was. */
static void drifts(double said, double played, enum media_codec codec, uint32_t ticks,
                   double minutes)
{
    static struct loop loop;
    struct talk t;
    int64_t most = 0;

    if (test_starves())
        minutes = 0.1;
    if (talk_of(&t, codec, ticks, false)) {
        record_loop(&t, &loop);
        t.drift = said;
        t.play_drift = played;
        for (uint64_t i = 0; t.said_us < 6e7 * minutes; i++) {
            say_again(&t, &loop, i);
            hear(&t, NULL);
            int64_t held = jitter_held_us(ear_jitter(t.ear));
            most = held > most ? held : most;
        }
        const struct jitter_counts *c = &ear_jitter(t.ear)->counts;
        CHECK(c->concealed_ticks == 0 && c->skipped == 0 && c->late == 0);
        CHECK(most <= 30 * MS);
    }
    talk_free(&t);
}

static void clocks_go_apart_for_an_hour(void)
{
    drifts(200e-6, 0, MEDIA_OPUS, 960, 60);
}

static void speakers_go_apart(void)
{
    drifts(0, 200e-6, MEDIA_PCM, 240, 10);
    drifts(0, -200e-6, MEDIA_PCM, 240, 10);
    drifts(-200e-6, 0, MEDIA_PCM, 960, 10);
    drifts(-200e-6, 200e-6, MEDIA_OPUS, 480, 10);
}

/* A speaker asks for sound before it is heard, and nothing that was not there yet can be heard:
 * frames come when they come, and are asked for in pieces. */
static void asked_ahead(uint32_t ticks, int64_t lead_us, double drift, double minutes)
{
    static struct loop loop;
    struct talk t;
    int16_t pcm[240];

    if (test_starves())
        minutes = 0.1;
    if (talk_of(&t, MEDIA_OPUS, ticks, false)) {
        record_loop(&t, &loop);
        t.drift = drift;
        uint64_t i = 0;
        for (int64_t now_us = 0; (double)now_us < 6e7 * minutes; now_us += 5 * MS) {
            for (; t.said_us + ticks / 0.048 * (1 + drift) + 8 * MS <= (double)now_us; i++)
                say_again(&t, &loop, i);
            ear_pull(t.ear, now_us, now_us + lead_us, pcm, 240);
        }
        const struct jitter_counts *c = &ear_jitter(t.ear)->counts;
        CHECK(c->concealed_ticks == 0 && c->skipped == 0 && c->late == 0);
        CHECK(c->played + 10 >= i && c->stretched <= 20 + i / 100);
    }
    talk_free(&t);
}

static void speakers_ask_ahead(void)
{
    static const uint32_t ticks[] = { 480, 960, 2880 };

    for (int i = 0; i < 3; i++)
        for (int64_t lead_us = 0; lead_us <= 40 * MS; lead_us += 10 * MS)
            asked_ahead(ticks[i], lead_us, 0, 0.5);
    asked_ahead(960, 20 * MS, 200e-6, 10);
    asked_ahead(960, 20 * MS, -200e-6, 10);
}

static void losses_are_recovered_and_said(void)
{
    struct talk t;

    if (talk_new(&t, MEDIA_OPUS, 960)) {
        encoder_set_loss(t.in, 0.1f);
        for (int i = 0; i < 500; i++) {
            say(&t, i % 10 == 5 ? -1 : 5 * MS, 9000);
            hear(&t, NULL);
        }
        const struct jitter_counts *c = &ear_jitter(t.ear)->counts;
        CHECK(c->recovered >= 15);                /* syllables */
        CHECK(c->recovered + c->concealed <= 60); /* 50, and pauses in which little is known */
        CHECK(c->concealed_ticks >=
              960 * c->concealed); /* what had nothing to come out of is said */
    }
    talk_free(&t);
}

/* Silence is not missed, and words after it are not cut. */
static void silence_is_quiet(void)
{
    static int16_t out[48000 * 8];
    struct talk t;
    uint64_t n = 0;

    if (!talk_new(&t, MEDIA_OPUS, 960))
        return talk_free(&t);
    for (int i = 0; i < 100; i++) {
        say(&t, 5 * MS, 9000);
        n += hear(&t, out + n);
    }
    uint64_t frames = t.frame;
    for (int i = 0; i < 150; i++) {
        say(&t, 5 * MS, 0);
        n += hear(&t, out + n);
    }
    CHECK(t.frame - frames < 50); /* most was not sent */
    CHECK(wave_power(out + n - 48000, 48000) < 100);
    CHECK(ear_jitter(t.ear)->counts.concealed_ticks == 0);
    uint64_t before = ear_jitter(t.ear)->counts.played;
    frames = t.frame;
    for (int i = 0; i < 100; i++) {
        say(&t, 5 * MS, 9000);
        n += hear(&t, out + n);
    }
    CHECK(ear_jitter(t.ear)->counts.played - before >= t.frame - frames - 3);
    CHECK(ear_jitter(t.ear)->counts.concealed_ticks == 0);
    talk_free(&t);
}

struct tape {
    uint32_t frames, bytes;
    int64_t last_us;
};

static void on_played(void *ctx, const struct jitter_turn *turn, enum media_codec codec,
                      int64_t at_us)
{
    struct tape *tape = ctx;

    CHECK(codec_ticks(codec, turn->bytes, turn->len) == turn->ticks);
    CHECK(at_us >= tape->last_us);
    tape->last_us = at_us;
    tape->frames++;
    tape->bytes += turn->len;
}

static void codecs_change_under_way(void)
{
    struct talk t;
    struct tape tape = { 0 };
    struct encoder *other = NULL;

    CHECK(encoder_new(&other, &(struct encoder_wish){ MEDIA_PCM }) == 0);
    if (other && talk_new(&t, MEDIA_OPUS, 960)) {
        ear_set_played(t.ear, on_played, &tape);
        for (int i = 0; i < 200; i++) {
            if (i == 100) {
                struct encoder *was = t.in;
                t.in = other;
                other = was;
                t.codec = MEDIA_PCM;
            }
            say(&t, 5 * MS, 9000);
            hear(&t, NULL);
        }
        CHECK(tape.frames == ear_jitter(t.ear)->counts.played && tape.frames >= 190);
        CHECK(tape.bytes > 90 * 640);
        CHECK(ear_jitter(t.ear)->counts.concealed == 0);
        talk_free(&t);
    }
    encoder_free(other);
}

static void volume_is_of_each(void)
{
    struct talk t;
    int16_t pcm[SOUND_BLOCK];
    struct media m = { .codec = MEDIA_OPUS };

    if (!talk_new(&t, MEDIA_PCM, 240))
        return talk_free(&t);
    CHECK(!ear_pull(t.ear, 0, 0, pcm, SOUND_BLOCK) && ear_level(t.ear) == 0);
    ear_set_volume(t.ear, 0);
    uint8_t loudest = 0;
    for (int i = 0; i < 100; i++) {
        say(&t, 5 * MS, 9000);
        hear(&t, pcm);
        CHECK(pcm[0] == 0 && pcm[239] == 0);
        loudest = ear_level(t.ear) > loudest ? ear_level(t.ear) : loudest;
    }
    CHECK(loudest > 80); /* how loud they are, not how loud we want them */
    CHECK(ear_put(t.ear, 0, &m, NULL, 0) == -ROOST_MALFORMED);
    CHECK(ear_put(t.ear, 0, &m, (const uint8_t *)"\xff\xff\xff", 3) == -ROOST_MALFORMED);
    talk_free(&t);
}

static void an_ear_takes_no_memory(void)
{
    struct talk t;

    if (talk_new(&t, MEDIA_OPUS, 960)) {
        long before = test_allocations();
        for (int i = 0; i < 300; i++) {
            say(&t, i % 7 == 3 ? -1 : (i % 5) * 10 * MS, 9000);
            hear(&t, NULL);
        }
        CHECK(test_allocations() == before);
    }
    talk_free(&t);
}

TEST_MAIN({ "each_kind_is_heard", each_kind_is_heard },
          { "clocks_go_apart_for_an_hour", clocks_go_apart_for_an_hour },
          { "speakers_go_apart", speakers_go_apart }, { "speakers_ask_ahead", speakers_ask_ahead },
          { "losses_are_recovered_and_said", losses_are_recovered_and_said },
          { "silence_is_quiet", silence_is_quiet },
          { "codecs_change_under_way", codecs_change_under_way },
          { "volume_is_of_each", volume_is_of_each },
          { "an_ear_takes_no_memory", an_ear_takes_no_memory })
