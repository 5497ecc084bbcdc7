#include "media/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { WINGS = 16, TAPS_MAX = 256 }; /* crossings of zero on each side */
#define CUT 0.92                     /* of what both rates can carry */

struct resample {
    uint32_t up, down; /* to / from, without common factors */
    uint32_t taps;
    uint32_t phase; /* of the next sample, in 1/up of one that came */
    uint32_t at;    /* where the next one goes in past */
    float past[2 * TAPS_MAX];
    float table[];
};

static uint32_t common(uint32_t a, uint32_t b)
{
    return b == 0 ? a : common(b, a % b);
}

static double sinc(double x)
{
    return fabs(x) < 1e-9 ? 1 : sin(M_PI * x) / (M_PI * x);
}

/* Blackman's window over -1 to 1. */
static double window(double x)
{
    return fabs(x) >= 1 ? 0 : 0.42 + 0.5 * cos(M_PI * x) + 0.08 * cos(2 * M_PI * x);
}

/* The row of one phase, which lets a constant through as it is. */
static void fill_row(struct resample *r, uint32_t phase, double cut)
{
    float *row = r->table + (size_t)phase * r->taps;
    double sum = 0, half = r->taps / 2.0;

    for (uint32_t i = 0; i < r->taps; i++) {
        double x = (double)i - half + (double)phase / r->up;
        double tap = cut * sinc(cut * x) * window(x / half);
        row[r->taps - 1 - i] = (float)tap;
        sum += tap;
    }
    for (uint32_t i = 0; i < r->taps; i++)
        row[i] = (float)(row[i] / sum);
}

int resample_new(struct resample **ret, uint32_t from_hz, uint32_t to_hz)
{
    if (from_hz < 4000 || from_hz > 400000 || to_hz < 4000 || to_hz > 400000)
        return -ROOST_INVALID;
    uint32_t k = common(from_hz, to_hz), up = to_hz / k, down = from_hz / k;
    double wide = down > up ? (double)down / up : 1;
    uint32_t taps = 2 * (uint32_t)ceil(WINGS * wide);
    if (taps > TAPS_MAX || (uint64_t)taps * up > RESAMPLE_TABLE_MAX)
        return -ROOST_INVALID;

    struct resample *r = calloc(1, sizeof *r + (size_t)taps * up * sizeof(float));
    if (!r)
        return -ROOST_NOMEM;
    r->up = up;
    r->down = down;
    r->taps = taps;
    for (uint32_t i = 0; i < up; i++)
        fill_row(r, i, CUT / wide);
    *ret = r;
    return 0;
}

void resample_free(struct resample *r)
{
    free(r);
}

void resample_reset(struct resample *r)
{
    memset(r->past, 0, sizeof r->past);
    r->phase = r->at = 0;
}

uint32_t resample_most(const struct resample *r, uint32_t n)
{
    return (uint32_t)((uint64_t)n * r->up / r->down) + 2;
}

/* The last `taps` samples lie in a row: each is kept twice. */
static void remember(struct resample *r, int16_t x)
{
    r->past[r->at] = r->past[r->at + r->taps] = x;
    r->at = (r->at + 1) % r->taps;
}

static int16_t sum_of(const struct resample *r)
{
    const float *row = r->table + (size_t)r->phase * r->taps, *x = r->past + r->at;
    float sum = 0;

    for (uint32_t i = 0; i < r->taps; i++)
        sum += row[i] * x[i];
    return (int16_t)lrintf(fminf(fmaxf(sum, -32768), 32767));
}

uint32_t resample(struct resample *r, const int16_t *pcm, uint32_t n, int16_t *ret)
{
    uint32_t came = 0;

    for (uint32_t i = 0; i < n; i++) {
        remember(r, pcm[i]);
        for (; r->phase < r->up; r->phase += r->down)
            ret[came++] = sum_of(r);
        r->phase -= r->up;
    }
    return came;
}
