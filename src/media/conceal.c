#include "media/conceal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "wire/media.h"

enum {
    LAG_LEAST = MEDIA_HZ / 400,
    LAG_MOST = CONCEAL_PERIOD_MAX, /* 60 Hz */
    LIKE = 960,                    /* samples that are compared, */
    COARSE = 4,                    /* every so many of them at first */
    FADE = 120,
    QUIET = 30, /* whatever is repeated of it, nobody hears it */
};
#define ALIKE 0.8f

void conceal_init(struct conceal *c)
{
    memset(c, 0, sizeof *c);
}

/* How much the last samples are like those `lag` before them: -1 to 1. */
static float likeness(const int16_t *end, uint32_t lag, uint32_t step)
{
    float both = 0, one = 1, other = 1;

    for (uint32_t i = 1; i <= LIKE; i += step) {
        float a = end[-(int)i], b = end[-(int)(i + lag)];
        both += a * b;
        one += a * a;
        other += b * b;
    }
    return both / sqrtf(one * other);
}

static uint32_t best_lag(const int16_t *end, uint32_t from, uint32_t to, uint32_t step)
{
    uint32_t best = from;
    float most = -2;

    for (uint32_t lag = from; lag <= to; lag += step) {
        float like = likeness(end, lag, step);
        if (like > most) {
            most = like;
            best = lag;
        }
    }
    return best;
}

/* One period of what was heard last, whose end goes over into its beginning. */
static void find_period(struct conceal *c)
{
    const int16_t *end = c->past + CONCEAL_PAST;
    uint32_t lag = best_lag(end, LAG_LEAST, LAG_MOST, COARSE);
    uint32_t from = lag > LAG_LEAST + COARSE ? lag - COARSE : LAG_LEAST;

    lag = best_lag(end, from, lag + COARSE < LAG_MOST ? lag + COARSE : LAG_MOST, 1);
    memcpy(c->period, end - lag, lag * sizeof *c->period);
    uint32_t fade = lag / 4;
    for (uint32_t i = 0; i < fade; i++) {
        float w = (float)(i + 1) / (float)(fade + 1);
        int16_t *x = &c->period[lag - fade + i];
        *x = (int16_t)lrintf((float)*x * (1 - w) + (float)end[-(int)(lag + fade - i)] * w);
    }
    c->alike = likeness(end, lag, 1);
    c->lag = lag;
    c->at = 0;
}

static float loudness(uint32_t run)
{
    const float full = CONCEAL_FULL_US * 1e-6f * MEDIA_HZ,
                over = CONCEAL_OVER_US * 1e-6f * MEDIA_HZ;

    return (float)run < full ? 1 : (float)run > over ? 0 : (over - (float)run) / (over - full);
}

static int16_t next_made(struct conceal *c)
{
    int16_t x = (int16_t)lrintf((float)c->period[c->at] * loudness(c->run));

    c->at = (c->at + 1) % c->lag;
    c->run++;
    return x;
}

static void remember(struct conceal *c, const int16_t *pcm, uint32_t n)
{
    if (n > CONCEAL_PAST) {
        pcm += n - CONCEAL_PAST;
        n = CONCEAL_PAST;
    }
    memmove(c->past, c->past + n, (CONCEAL_PAST - n) * sizeof *c->past);
    memcpy(c->past + CONCEAL_PAST - n, pcm, n * sizeof *pcm);
}

void conceal_on_frame(struct conceal *c, int16_t *pcm, uint32_t n)
{
    if (c->run > 0)
        for (uint32_t i = 0; i < n && i < FADE; i++) {
            float w = (float)(i + 1) / (FADE + 1);
            pcm[i] = (int16_t)lrintf((float)pcm[i] * w + (float)next_made(c) * (1 - w));
        }
    c->run = 0;
    remember(c, pcm, n);
}

void conceal_make(struct conceal *c, int16_t *ret, uint32_t n)
{
    if (c->run == 0)
        find_period(c);
    for (uint32_t i = 0; i < n; i++)
        ret[i] = next_made(c);
    remember(c, ret, n);
}

static bool is_quiet(const struct conceal *c)
{
    for (uint32_t i = 0; i < c->lag; i++)
        if (c->period[i] > QUIET || c->period[i] < -QUIET)
            return false;
    return true;
}

uint32_t conceal_longer(struct conceal *c, int16_t *ret)
{
    if (c->run > 0)
        return 0;
    find_period(c);
    if (c->alike < ALIKE && !is_quiet(c))
        return 0;
    for (uint32_t i = 0; i < c->lag; i++)
        ret[i] = next_made(c);
    remember(c, ret, c->lag);
    return c->lag;
}
