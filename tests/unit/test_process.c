/* test_process.c - echo, noise and loudness in rooms that are made of numbers. `bench/run echo` has
 * more rooms, and other cancellers. */
#include "av/process.h"

#include <stdlib.h>

#include "room.h"
#include "test.h"

/* Somebody with a loudspeaker, and clocks that tremble by milliseconds. What the microphone heard
 * comes 20 ms later, as from a device. */
enum { LATER = 2 };
struct desk {
    struct process *process;
    int64_t now_us;
    struct wave_dice dice;
    int16_t on_its_way[LATER][PROCESS_BLOCK];
};

static void at_desk(void *ctx, const int16_t *far, int16_t *near)
{
    struct desk *d = ctx;
    int16_t *slot = d->on_its_way[d->now_us / 10000 % LATER], come[PROCESS_BLOCK];

    memcpy(come, slot, sizeof come);
    memcpy(slot, near, sizeof come);
    process_on_heard(d->process, far, d->now_us + (int64_t)(4000 * wave_noise(&d->dice)));
    process_said(d->process, come,
                 d->now_us - LATER * 10000 + (int64_t)(4000 * wave_noise(&d->dice)));
    memcpy(near, come, sizeof come);
    d->now_us += 10000;
}

static bool desk_new(struct desk *d, struct process_wish wish)
{
    *d = (struct desk){ .now_us = 7000000, .dice = { 3 } };
    CHECK(process_new(&d->process, &wish) == 0);
    return d->process;
}

/* Down by 20 dB at least while the other speaks, and our own voice within 3 dB while both do. */
static void an_echo_goes_and_a_voice_stays(void)
{
    static const double rooms[][2] = { { 0.3, -12 }, { 0.3, -6 } };
    struct desk d;
    struct room_result r = { 0 };

    for (int i = 0; i < 2; i++) {
        if (desk_new(&d, (struct process_wish){ .echo = true }))
            room_try(1, rooms[i][0], rooms[i][1], at_desk, &d, &r);
        process_free(d.process);
        CHECK(r.echo_db >= 20);
        CHECK(r.near_db >= -3 && r.near_db <= 3);
        CHECK(r.likeness > 0.75);
    }
}

/* All at once, as it is used. */
static void all_of_it_at_once(void)
{
    struct desk d;
    struct room_result r = { 0 };

    if (desk_new(&d, (struct process_wish){ .echo = true, .noise = true }))
        room_try(2, 0.3, -9, at_desk, &d, &r);
    process_free(d.process);
    CHECK(r.echo_db >= 20 && r.near_db >= -3);
}

/* Without the other's sound nothing is taken away; what was heard too long ago is no echo. */
static void nothing_is_taken_for_an_echo(void)
{
    static int16_t said[PROCESS_BLOCK], out[PROCESS_BLOCK];
    struct process *p = NULL;
    struct wave_speech s;
    double in_sum = 0, out_sum = 0;

    CHECK(process_new(&p, &(struct process_wish){ .echo = true }) == 0);
    if (!p)
        return;
    wave_speech_init(&s, 4, 130);
    process_on_heard(p, said, 0);
    for (int i = 0; i < 500; i++) {
        wave_speech(&s, said, PROCESS_BLOCK, 8000);
        memcpy(out, said, sizeof out);
        process_said(p, out, 60000000 + 10000LL * i);
        in_sum += i > 100 ? wave_power(said, PROCESS_BLOCK) : 0;
        out_sum += i > 100 ? wave_power(out, PROCESS_BLOCK) : 0;
    }
    CHECK(fabs(wave_db(out_sum, in_sum)) < 1.5);
    process_free(p);
}

/* A fan is 10 dB quieter after some seconds, and a voice above it is not. */
static void noise_is_quieter(void)
{
    int16_t pcm[PROCESS_BLOCK];
    struct process *p = NULL;
    struct wave_dice dice = { 5 };
    struct wave_speech s;
    double fan = 0, left = 0, said = 0, heard = 0;

    CHECK(process_new(&p, &(struct process_wish){ .noise = true }) == 0);
    if (!p)
        return;
    wave_speech_init(&s, 4, 130);
    for (int i = 0; i < 1000; i++) {
        int16_t voice[PROCESS_BLOCK] = { 0 };
        if (i >= 500)
            wave_speech(&s, voice, PROCESS_BLOCK, 9000);
        for (int k = 0; k < PROCESS_BLOCK; k++)
            pcm[k] = (int16_t)(voice[k] + 200 * wave_noise(&dice));
        fan += i >= 300 && i < 500 ? wave_power(pcm, PROCESS_BLOCK) : 0;
        said += i >= 500 ? wave_power(voice, PROCESS_BLOCK) : 0;
        process_said(p, pcm, 10000LL * i);
        left += i >= 300 && i < 500 ? wave_power(pcm, PROCESS_BLOCK) : 0;
        heard += i >= 500 ? wave_power(pcm, PROCESS_BLOCK) : 0;
    }
    CHECK(wave_db(fan, left) >= 10);
    CHECK(fabs(wave_db(heard, said)) < 3);
    process_free(p);
}

/* Who is far from the microphone and who is near become nearly as loud. */
static void all_are_as_loud(void)
{
    double heights[2] = { 1500, 15000 }, loud[2] = { 0 };

    for (int k = 0; k < 2; k++) {
        int16_t pcm[PROCESS_BLOCK];
        struct process *p = NULL;
        struct wave_speech s;
        CHECK(process_new(&p, &(struct process_wish){ .gain = true }) == 0);
        if (!p)
            return;
        wave_speech_init(&s, 4, 130);
        for (int i = 0; i < 2000; i++) {
            wave_speech(&s, pcm, PROCESS_BLOCK, heights[k]);
            process_said(p, pcm, 10000LL * i);
            loud[k] += i >= 1500 ? wave_power(pcm, PROCESS_BLOCK) : 0;
        }
        process_free(p);
    }
    CHECK(fabs(wave_db(loud[0], loud[1])) < 6); /* of 20 */
}

TEST_MAIN({ "an_echo_goes_and_a_voice_stays", an_echo_goes_and_a_voice_stays },
          { "all_of_it_at_once", all_of_it_at_once },
          { "nothing_is_taken_for_an_echo", nothing_is_taken_for_an_echo },
          { "noise_is_quieter", noise_is_quieter }, { "all_are_as_loud", all_are_as_loud })
