#include "media/mix.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { PIECE = 120 }; /* 2.5 ms have one gain at their end */
/* Towards 1 in each piece: 63 % in 200 ms. */
#define RISE (1.0f / 80)

/* Above the knee it is bent so that it never reaches full scale. */
static int16_t bend(float x)
{
    const float knee = MIX_LOUD, room = 32760 - knee;
    float size = fabsf(x);

    if (size > knee)
        size = knee + room * (1 - expf(-(size - knee) / room));
    return (int16_t)lrintf(x < 0 ? -size : size);
}

void mix_init(struct mix *m)
{
    m->gain = 1;
    m->n = 0;
}

void mix_begin(struct mix *m, uint32_t n)
{
    assert(n <= MIX_SAMPLES_MAX);
    m->n = n;
    memset(m->sum, 0, n * sizeof *m->sum);
}

void mix_add(struct mix *m, const int16_t *pcm, float volume)
{
    for (uint32_t i = 0; i < m->n; i++)
        m->sum[i] += (float)pcm[i] * volume;
}

static float peak_of(const float *x, uint32_t n)
{
    float peak = 0;

    for (uint32_t i = 0; i < n; i++)
        peak = fmaxf(peak, fabsf(x[i]));
    return peak;
}

void mix_end(struct mix *m, int16_t *ret)
{
    for (uint32_t at = 0; at < m->n; at += PIECE) {
        uint32_t n = m->n - at < PIECE ? m->n - at : PIECE;
        float peak = peak_of(m->sum + at, n), was = m->gain;
        float most = peak > MIX_LOUD ? MIX_LOUD / peak : 1;

        m->gain += (1 - m->gain) * RISE;
        if (m->gain > most)
            m->gain = most;
        for (uint32_t i = 0; i < n; i++)
            ret[at + i] = bend(m->sum[at + i] *
                               (was + (m->gain - was) * (float)(i + 1) / (float)n));
    }
}

void mix_volume(int16_t *pcm, uint32_t n, float volume)
{
    for (uint32_t i = 0; i < n; i++)
        pcm[i] = volume > 1 ? bend((float)pcm[i] * volume)
                            : (int16_t)lrintf((float)pcm[i] * volume);
}
