#include "media/stretch.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* So alike a frame is to be to its shifted self to be cut there: vowels are, noise is not. */
#define ALIKE 0.6
/* Mean square of what nobody hears: 60 dB below full scale. */
#define QUIET (32.0 * 32.0)

static uint32_t samples(int64_t us, uint32_t hz)
{
    return (uint32_t)(us * hz / 1000000);
}

/* -1 to 1: how alike the two halves of what a shift leaves are. */
static double likeness(const int16_t *pcm, uint32_t n, uint32_t shift)
{
    double both = 0, one = 1, other = 1;

    for (uint32_t i = 0; i + shift < n; i++) {
        both += (double)pcm[i] * pcm[i + shift];
        one += (double)pcm[i] * pcm[i];
        other += (double)pcm[i + shift] * pcm[i + shift];
    }
    return both / sqrt(one * other);
}

static double loudness(const int16_t *pcm, uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return sum / (n ? n : 1);
}

/* Coarsely first: a period more or less misses the best by little. 0: there is none. */
static uint32_t period(const int16_t *pcm, uint32_t n, uint32_t hz)
{
    uint32_t least = samples(STRETCH_LEAST_US, hz), most = samples(STRETCH_MOST_US, hz), best = 0;
    uint32_t coarse = hz / 8000 ? hz / 8000 : 1;
    double alike = -1;

    most = most > n / 2 ? n / 2 : most;
    for (uint32_t shift = least; shift <= most; shift += coarse) {
        double like = likeness(pcm, n, shift);
        if (like > alike) {
            alike = like;
            best = shift;
        }
    }
    uint32_t from = best > least + coarse ? best - coarse : least;
    for (uint32_t shift = from; best && shift <= best + coarse && shift <= most; shift++) {
        double like = likeness(pcm, n, shift);
        if (like > alike) {
            alike = like;
            best = shift;
        }
    }
    bool inside = best > least && best < most; /* else it only gets more alike towards a period */
    return (alike >= ALIKE && inside) || loudness(pcm, n) <= QUIET ? best : 0;
}

/* From one to the other, evenly. */
static int16_t fade(int16_t from, int16_t to, uint32_t i, uint32_t n)
{
    return (int16_t)((from * (int32_t)(n - i) + to * (int32_t)i) / (int32_t)n);
}

uint32_t stretch_shorter(int16_t *pcm, uint32_t n, uint32_t hz)
{
    uint32_t shift = period(pcm, n, hz);

    if (!shift)
        return n;
    for (uint32_t i = 0; i < shift; i++)
        pcm[i] = fade(pcm[i], pcm[i + shift], i, shift);
    memmove(pcm + shift, pcm + 2 * shift, (n - 2 * shift) * sizeof *pcm);
    return n - shift;
}

uint32_t stretch_longer(int16_t *pcm, uint32_t n, uint32_t hz)
{
    uint32_t shift = period(pcm, n, hz);

    if (!shift)
        return n;
    memmove(pcm + 2 * shift, pcm + shift, (n - shift) * sizeof *pcm);
    for (uint32_t i = shift; i-- > 0;) /* the first period lies before, the second behind */
        pcm[shift + i] = fade(pcm[2 * shift + i], pcm[i], i, shift);
    return n + shift;
}
