/* waves.h - sounds for tests: tones, noise, something like a voice; and how loud a tone is in them.
 */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline void wave_tone(int16_t *pcm, uint32_t n, double hz, double height, uint64_t from)
{
    for (uint32_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(height * sin(2 * M_PI * hz * (double)(from + i) / 48000));
}

/* How high the tone of so many Hz is in it (Goertzel). */
static inline double wave_height(const int16_t *pcm, uint32_t n, double hz, double rate)
{
    double k = 2 * cos(2 * M_PI * hz / rate), a = 0, b = 0;

    for (uint32_t i = 0; i < n; i++) {
        double c = pcm[i] + k * a - b;
        b = a;
        a = c;
    }
    return 2 * sqrt(fabs(a * a + b * b - k * a * b)) / n;
}

static inline double wave_power(const int16_t *pcm, uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return n ? sum / n : 0;
}

static inline double wave_db(double more, double less)
{
    return 10 * log10((more + 1e-9) / (less + 1e-9));
}

struct wave_dice {
    uint64_t x;
};
/* -1 to 1 */
static inline double wave_noise(struct wave_dice *d)
{
    d->x = d->x * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(int32_t)(d->x >> 32) / 2147483648.0;
}

/* Something like speech: pulses of a throat whose pitch moves, through three formants that change
 * with each syllable, with hisses and pauses between. */
struct wave_speech {
    struct wave_dice dice;
    double pitch, phase, formants[3], y[3][2];
    uint32_t left; /* of the syllable, in samples */
    int kind;      /* 0: a pause, 1: a vowel, 2: a hiss */
    double loud, now;
};

static inline void wave_speech_init(struct wave_speech *s, uint64_t seed, double pitch)
{
    memset(s, 0, sizeof *s);
    s->dice.x = seed * 77777 + 1;
    s->pitch = pitch;
}

static inline void wave_syllable(struct wave_speech *s)
{
    static const double vowels[5][3] = {
        { 730, 1090, 2440 }, { 270, 2290, 3010 }, { 300, 870, 2240 },
        { 530, 1840, 2480 }, { 570, 840, 2410 },
    };
    int v = (int)((wave_noise(&s->dice) + 1) * 2.5) % 5;
    double r = wave_noise(&s->dice);

    s->kind = r < -0.6 ? 0 : r > 0.6 ? 2 : 1;
    s->left = (uint32_t)(48000 * (0.12 + 0.06 * wave_noise(&s->dice)));
    memcpy(s->formants, vowels[v], sizeof s->formants);
    s->loud = 0.7 + 0.3 * wave_noise(&s->dice);
}

static inline double wave_throat(struct wave_speech *s)
{
    s->phase += s->pitch * (1 + 0.1 * sin((double)s->left / 3000)) / 48000;
    if (s->phase < 1)
        return 0.01 * wave_noise(&s->dice);
    s->phase -= 1;
    return 20;
}

static inline void wave_speech(struct wave_speech *s, int16_t *pcm, uint32_t n, double height)
{
    for (uint32_t i = 0; i < n; i++) {
        if (s->left-- == 0)
            wave_syllable(s);
        double x = s->kind == 1 ? wave_throat(s) : s->kind == 2 ? 0.4 * wave_noise(&s->dice) : 0;
        double sum = 0;
        s->now += ((s->kind ? s->loud : 0) - s->now) * 0.002;
        for (int f = 0; f < 3; f++) { /* a resonance each */
            double w = 2 * M_PI * s->formants[f] / 48000, r = exp(-M_PI * (60 + 40 * f) / 48000);
            double y = x * (1 - r) * 2 + 2 * r * cos(w) * s->y[f][0] - r * r * s->y[f][1];
            s->y[f][1] = s->y[f][0];
            s->y[f][0] = y;
            sum += y / (1 + f);
        }
        double out = height * s->now * sum;
        pcm[i] = (int16_t)lrint(out > 32000 ? 32000 : out < -32000 ? -32000 : out);
    }
}
