#include "media/level.h"

#include "test.h"
#include "waves.h"

static uint8_t tone_level(double height)
{
    int16_t pcm[4800];

    wave_tone(pcm, 4800, 1000, height, 0);
    return level_of(pcm, 4800);
}

static void levels_are_those_of_rfc6464(void)
{
    int16_t pcm[480] = { 0 };

    CHECK(level_of(pcm, 480) == 0);
    CHECK(level_of(pcm, 0) == 0);
    pcm[7] = 1; /* 117 dB below: nearly nothing */
    CHECK(level_of(pcm, 480) > 0 && level_of(pcm, 480) < 15);
    for (int i = 0; i < 480; i++)
        pcm[i] = i % 2 ? 32767 : -32767;
    CHECK(level_of(pcm, 480) == 127);
    CHECK(tone_level(32767) == 124); /* a sine is 3 dB below the square */
    CHECK(tone_level(3276.7) == 104);
    CHECK(tone_level(32.767) == 64);
}

static void a_voice_is_found_above_the_room(void)
{
    struct activity a;
    int64_t now = 0;

    activity_init(&a);
    for (int i = 0; i < 500; i++, now += 10000)
        CHECK(!activity_on_level(&a, now, 60 + i % 3)); /* a quiet room */
    CHECK(activity_on_level(&a, now, 85));
    /* between words it stays, */
    for (int i = 0; i < 29; i++)
        CHECK(activity_on_level(&a, now += 10000, 61));
    /* and then it is over */
    CHECK(!activity_on_level(&a, now += 20000, 61));
}

static void a_fan_is_learnt(void)
{
    struct activity a;
    int64_t now = 0;
    bool speaks = false;

    activity_init(&a);
    for (int i = 0; i < 300; i++, now += 10000)
        activity_on_level(&a, now, 50);
    for (int i = 0; i < 450; i++, now += 10000)
        speaks = activity_on_level(&a, now, 80 + i % 4);
    CHECK(!speaks);
    CHECK(activity_on_level(&a, now, 95)); /* and who speaks beside it is heard */
    /* what is very loud is no room */
    for (int i = 0; i < 900; i++, now += 10000)
        CHECK(activity_on_level(&a, now, 112));
}

static void a_gate_opens_and_closes_without_a_click(void)
{
    struct gate_fade g = { 0 };
    int16_t pcm[480];
    int most = 0;

    for (int i = 0; i < 480; i++)
        pcm[i] = 10000;
    CHECK(gate_fade(&g, true, pcm, 480));
    for (int i = 1; i < 480; i++)
        most = pcm[i] - pcm[i - 1] > most ? pcm[i] - pcm[i - 1] : most;
    CHECK(pcm[0] < 100 && pcm[239] >= 9990 && pcm[479] == 10000 && most < 50);
    CHECK(gate_fade(&g, false, pcm, 480)); /* it fades: something is heard still */
    CHECK(pcm[479] == 0);
    pcm[0] = 5;
    CHECK(!gate_fade(&g, false, pcm, 480));
    CHECK(pcm[0] == 0);
}

TEST_MAIN({ "levels_are_those_of_rfc6464", levels_are_those_of_rfc6464 },
          { "a_voice_is_found_above_the_room", a_voice_is_found_above_the_room },
          { "a_fan_is_learnt", a_fan_is_learnt },
          { "a_gate_opens_and_closes_without_a_click", a_gate_opens_and_closes_without_a_click })
