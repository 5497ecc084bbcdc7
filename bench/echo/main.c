/* main.c - echo cancellers in rooms that are made of numbers: `bench/run echo`.
 *
 * Two who speak, in some rooms and with some loudness of the echo; what is left of it, what becomes
 * of our voice, and the time that a block takes. Prints a line of JSON for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "av/process_near.h"
#include "echo.h"
#include "tests/unit/room.h"

static double clock_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nothing(void *ctx, const int16_t *far, int16_t *near)
{
    (void)ctx, (void)far, (void)near;
}

static void speex_cancel(void *ctx, const int16_t *far, int16_t *near)
{
    near_heard(ctx, far);
    near_said(ctx, near);
}

struct timed {
    room_cancel *cancel;
    void *ctx;
    double spent_s;
};

static void timed_cancel(void *ctx, const int16_t *far, int16_t *near)
{
    struct timed *t = ctx;
    double before = clock_s();

    t->cancel(t->ctx, far, near);
    t->spent_s += clock_s() - before;
}

struct place {
    double reverb_s, echo_db;
};

static void tell(const char *name, int seed, const struct place *p, room_cancel *cancel, void *ctx)
{
    struct room_result r;
    struct timed t = { cancel, ctx, 0 };

    room_try((uint64_t)seed, p->reverb_s, p->echo_db, timed_cancel, &t, &r);
    printf("{\"canceller\":\"%s\",\"seed\":%d,\"reverb_s\":%.2f,\"echo_db\":%.0f,"
           "\"echo_down_db\":%.1f,\"near_db\":%.1f,\"likeness\":%.3f,\"both_down_db\":%.1f,"
           "\"us_a_block\":%.1f}\n",
           name, seed, p->reverb_s, p->echo_db, r.echo_db, r.near_db, r.likeness, r.double_db,
           t.spent_s * 1e6 / (ROOM_ALL / 480));
    fflush(stdout);
}

static void compare(int seed, const struct place *p)
{
    struct near *speex = near_new(true, false, false);
    struct apm *moderate = webrtc_new(false), *gentle = webrtc_new(true);

    tell("none", seed, p, nothing, NULL);
    tell("speexdsp", seed, p, speex_cancel, speex);
    tell("webrtc", seed, p, webrtc_cancel, moderate);
    tell("webrtc, gentle", seed, p, webrtc_cancel, gentle);
    near_free(speex);
    webrtc_free(moderate);
    webrtc_free(gentle);
}

int main(int argc, char **argv)
{
    static const struct place places[] = { { 0.15, -12 }, { 0.3, -12 }, { 0.3, -6 }, { 0.5, -6 } };
    int seeds = argc > 1 ? atoi(argv[1]) : 3;

    for (int seed = 1; seed <= seeds; seed++)
        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
            compare(seed, &places[i]);
    return 0;
}
