/* test_stretch.c - sound that is made shorter and longer: what is heard of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/dice.h"
#include "media/stretch.h"
#include "test.h"

enum { HZ = 48000, FRAME = HZ / 50, ROOM = FRAME + HZ / 100 };
#define PI 3.14159265358979

/* A vowel: a pitch and its overtones. */
static double vowel(double t, double pitch)
{
    return 6000 * sin(2 * PI * pitch * t) + 3000 * sin(4 * PI * pitch * t + 1) +
           1500 * sin(6 * PI * pitch * t + 2);
}

static void sing(int16_t *pcm, double pitch, uint32_t hz, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        pcm[i] = (int16_t)vowel((double)i / hz, pitch);
}

/* The steepest step from sample to sample. */
static int steepest(const int16_t *pcm, uint32_t n)
{
    int most = 0;

    for (uint32_t i = 1; i < n; i++)
        most = abs(pcm[i] - pcm[i - 1]) > most ? abs(pcm[i] - pcm[i - 1]) : most;
    return most;
}

/* How far it is from the same vowel going on, at its best phase; 0 is perfect. */
static double strangeness(const int16_t *pcm, uint32_t n, double pitch, uint32_t hz)
{
    double best = 1e18, power = 0;

    for (uint32_t i = 0; i < n; i++)
        power += (double)pcm[i] * pcm[i];
    for (int phase = 0; phase < 400; phase++) {
        double off = 0;
        for (uint32_t i = 0; i < n; i++) {
            double d = pcm[i] - vowel((double)i / hz + phase / 400.0 / pitch, pitch);
            off += d * d;
        }
        best = off < best ? off : best;
    }
    return best / power;
}

static void a_vowel_keeps_its_pitch(void)
{
    for (double pitch = 90; pitch <= 390; pitch += 37) {
        int16_t pcm[ROOM];
        sing(pcm, pitch, HZ, FRAME);
        int before = steepest(pcm, FRAME);
        uint32_t n = stretch_shorter(pcm, FRAME, HZ);
        double periods = (FRAME - n) * pitch / HZ;
        CHECK(pitch < 100 || (n < FRAME && n >= FRAME / 2));
        if (n == FRAME)
            continue;
        CHECK(fabs(periods - round(periods)) < 0.03 && periods > 0.9);
        CHECK(steepest(pcm, n) <= before + before / 10);
        CHECK(strangeness(pcm, n, pitch, HZ) < 0.01);

        sing(pcm, pitch, HZ, FRAME);
        n = stretch_longer(pcm, FRAME, HZ);
        periods = (n - FRAME) * pitch / HZ;
        CHECK(n > FRAME && n <= ROOM && fabs(periods - round(periods)) < 0.03);
        CHECK(steepest(pcm, n) <= before + before / 10);
        CHECK(strangeness(pcm, n, pitch, HZ) < 0.01);
    }
}

/* It begins and ends as it did, so what comes before and after fits. */
static void ends_stay(void)
{
    int16_t pcm[ROOM], was[FRAME];

    sing(was, 170, HZ, FRAME);
    memcpy(pcm, was, sizeof was);
    uint32_t n = stretch_shorter(pcm, FRAME, HZ);
    CHECK(pcm[0] == was[0] && pcm[n - 1] == was[FRAME - 1]);
    memcpy(pcm, was, sizeof was);
    n = stretch_longer(pcm, FRAME, HZ);
    CHECK(pcm[0] == was[0] && pcm[n - 1] == was[FRAME - 1]);
}

static void noise_is_left_alone_and_silence_is_not(void)
{
    int16_t pcm[ROOM], was[FRAME];
    struct dice d = { 5 };

    for (int i = 0; i < FRAME; i++)
        pcm[i] = (int16_t)dice_between(&d, -8000, 8000);
    memcpy(was, pcm, sizeof was);
    CHECK(stretch_shorter(pcm, FRAME, HZ) == FRAME && stretch_longer(pcm, FRAME, HZ) == FRAME);
    CHECK(memcmp(was, pcm, sizeof was) == 0);
    for (int i = 0; i < FRAME; i++)
        pcm[i] = (int16_t)dice_between(&d, -20, 20);
    CHECK(stretch_shorter(pcm, FRAME, HZ) < FRAME);
    memset(pcm, 0, sizeof pcm);
    CHECK(stretch_longer(pcm, FRAME, HZ) > FRAME);
}

static void every_frame_and_rate(void)
{
    for (uint32_t hz = 8000; hz <= 48000; hz += 8000)
        for (uint32_t ms = 5; ms <= 60; ms += 5) {
            uint32_t n = hz / 1000 * ms;
            int16_t *pcm = malloc((n + hz / 100) * sizeof *pcm);
            CHECK(pcm);
            sing(pcm, 200, hz, n);
            uint32_t longer = stretch_longer(pcm, n, hz);
            CHECK(longer >= n && longer <= n + hz / 100);
            uint32_t shorter = stretch_shorter(pcm, n, hz);
            CHECK(shorter <= n && shorter >= n / 2);
            free(pcm);
        }
}

TEST_MAIN({ "a_vowel_keeps_its_pitch", a_vowel_keeps_its_pitch }, { "ends_stay", ends_stay },
          { "noise_is_left_alone_and_silence_is_not", noise_is_left_alone_and_silence_is_not },
          { "every_frame_and_rate", every_frame_and_rate })
