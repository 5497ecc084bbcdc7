/* room.h - a room in which somebody sits before a loudspeaker: what the microphone hears. */
#pragma once

#include "waves.h"

enum { ROOM_TAIL = 7200, ROOM_WAYS = 256 }; /* 150 ms; so many ways from the speaker to the ear */

struct room {
    float height[ROOM_WAYS], past[2 * ROOM_TAIL];
    uint32_t delay[ROOM_WAYS], at;
};

/* The straight way of 4 ms, then what comes back from the walls, 60 dB less after `reverb_s`; the
 * echo is so much quieter than what is played. */
static inline void room_init(struct room *r, uint64_t seed, double reverb_s, double echo_db)
{
    struct wave_dice d = { seed * 9999 + 7 };
    double sum = 0, gain = pow(10, echo_db / 20);

    memset(r, 0, sizeof *r);
    r->height[0] = 1;
    r->delay[0] = 192;
    for (int i = 1; i < ROOM_WAYS; i++) {
        r->delay[i] = (uint32_t)(250 + (ROOM_TAIL - 260) * (wave_noise(&d) + 1) / 2);
        r->height[i] = (float)(0.3 * wave_noise(&d) *
                               pow(10, -3.0 * (r->delay[i] - 192) / 48000 / reverb_s));
    }
    for (int i = 0; i < ROOM_WAYS; i++)
        sum += r->height[i] * r->height[i];
    for (int i = 0; i < ROOM_WAYS; i++)
        r->height[i] *= (float)(gain / sqrt(sum));
}

static inline void room_echo(struct room *r, const int16_t *far, uint32_t n, int16_t *ret)
{
    for (uint32_t i = 0; i < n; i++) {
        float sum = 0;
        r->at = (r->at + ROOM_TAIL - 1) % ROOM_TAIL; /* the newest first, each twice */
        r->past[r->at] = r->past[r->at + ROOM_TAIL] = far[i];
        for (uint32_t k = 0; k < ROOM_WAYS; k++)
            sum += r->height[k] * r->past[r->at + r->delay[k]];
        ret[i] = (int16_t)lrintf(sum > 32000 ? 32000 : sum < -32000 ? -32000 : sum);
    }
}

/* What a canceller did with it. */
struct room_result {
    double echo_db;   /* down, while only the other speaks */
    double near_db;   /* our voice beside what it was, while both speak: 0 is best */
    double likeness;  /* of our voice then and before: 1 is best */
    double double_db; /* all else beside our voice then, down from what it was */
};

/* One block of 10 ms: far is played, near (in place) was recorded. */
typedef void room_cancel(void *ctx, const int16_t *far, int16_t *near);

/* How far the output lags: the shift at which it is most like what was said. */
static inline int room_lag(const int16_t *said, const int16_t *out, uint32_t n)
{
    double most = -1;
    int best = 0;

    for (int lag = 0; lag < 1440; lag += 2) {
        double sum = 0;
        for (uint32_t i = 1440; i < n; i += 3)
            sum += (double)said[i - (uint32_t)lag] * out[i];
        if (sum > most) {
            most = sum;
            best = lag;
        }
    }
    return best;
}

enum { ROOM_ALONE_S = 12, ROOM_BOTH_S = 12, ROOM_ALL = (ROOM_ALONE_S + ROOM_BOTH_S) * 48000 };

/* The other speaks alone, of which the last 4 s count, then both do, of which all but the first
 * second does. */
static inline void room_try(uint64_t seed, double reverb_s, double echo_db, room_cancel *cancel,
                            void *ctx, struct room_result *ret)
{
    static int16_t said[ROOM_ALL], out[ROOM_ALL], echoes[ROOM_ALL];
    static struct room room;
    struct wave_speech far, near;
    struct wave_dice hiss = { seed };
    int16_t played[480];

    room_init(&room, seed, reverb_s, echo_db);
    wave_speech_init(&far, seed * 2 + 1, 115);
    wave_speech_init(&near, seed * 2 + 2, 205);
    memset(said, 0, sizeof said);
    for (uint32_t at = 0; at < ROOM_ALL; at += 480) {
        wave_speech(&far, played, 480, 9000);
        room_echo(&room, played, 480, echoes + at);
        if (at >= ROOM_ALONE_S * 48000)
            wave_speech(&near, said + at, 480, 6000);
        for (int i = 0; i < 480; i++)
            out[at + i] = (int16_t)lrint(said[at + i] + echoes[at + i] + 3 * wave_noise(&hiss));
        cancel(ctx, played, out + at);
    }
    uint32_t alone = (ROOM_ALONE_S - 4) * 48000, both = (ROOM_ALONE_S + 1) * 48000,
             n = ROOM_ALL - both;
    int lag = room_lag(said + both, out + both, 48000 * 4);
    double xy = 0, xx = wave_power(said + both - lag, n) * n;
    for (uint32_t i = both; i < ROOM_ALL; i++)
        xy += (double)said[i - (uint32_t)lag] * out[i];
    double yy = wave_power(out + both, n) * n, echo = wave_power(echoes + both, n) * n;
    ret->echo_db = wave_db(wave_power(echoes + alone, 4 * 48000),
                           wave_power(out + alone, 4 * 48000));
    ret->near_db = wave_db(yy, xx);
    ret->likeness = xy / sqrt(xx * yy);
    double rest = yy - xy * xy / xx;
    ret->double_db = wave_db(echo, rest > 0 ? rest : 0);
}
