#include "media/level.h"

#include <math.h>
#include <string.h>

#include "wire/media.h"

uint8_t level_of(const int16_t *pcm, uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    if (n == 0 || sum == 0)
        return 0;
    /* full scale is a square wave of full height */
    double db = LEVEL_FULL + 10 * log10(sum / n / (32767.0 * 32767.0));
    return db < 0 ? 0 : db > LEVEL_FULL ? LEVEL_FULL : (uint8_t)lround(db);
}

void activity_init(struct activity *a)
{
    memset(a, 0, sizeof *a);
}

/* The quietest moment of this while and of the one before. */
static void learn_room(struct activity *a, int64_t now_us, uint8_t level)
{
    if (!a->begun) {
        a->begun = true;
        a->noise = a->noise_next = level;
        a->since_us = now_us;
    }
    if (now_us - a->since_us >= LEVEL_ROOM_US) {
        a->noise = a->noise_next;
        a->noise_next = level;
        a->since_us = now_us;
    }
    if (level < a->noise_next)
        a->noise_next = level;
    if (level < a->noise)
        a->noise = level;
}

bool activity_on_level(struct activity *a, int64_t now_us, uint8_t level)
{
    learn_room(a, now_us, level);
    if (level >= LEVEL_ALWAYS || (level >= LEVEL_LEAST && level >= a->noise + LEVEL_ABOVE)) {
        a->loud = true;
        a->loud_us = now_us;
    }
    return a->loud && now_us - a->loud_us < LEVEL_STAY_US;
}

bool gate_fade(struct gate_fade *g, bool open, int16_t *pcm, uint32_t n)
{
    const float step = 1e6f / LEVEL_FADE_US / MEDIA_HZ;
    bool heard = false;

    for (uint32_t i = 0; i < n; i++) {
        if (open)
            g->open = g->open + step < 1 ? g->open + step : 1;
        else
            g->open = g->open - step > 0 ? g->open - step : 0;
        heard = heard || g->open > 0;
        pcm[i] = (int16_t)lrintf(pcm[i] * g->open);
    }
    return heard;
}
