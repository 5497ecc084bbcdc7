/* sound_pulse_inside.h - a device, between the library's thread (sound_pulse_link.c) and the
 * caller's (sound_pulse.c): they share a ring, numbers, and names that change when a device does.
 */
#pragma once

#include "av/pulse_lib.h"
#include <pthread.h>

#include "av/fifo.h"
#include "av/sound_inside.h"

struct pulse {
    struct sound_in in; /* one of the two */
    struct sound_out out;
    bool plays;
    int64_t buffer_us;
    char want[SOUND_NAME]; /* "": the default */
    /* the library's; its lock is held */
    pa_threaded_mainloop *loop;
    pa_context *context;
    pa_stream *stream;
    pa_time_event *timer;
    bool begun, found, given_up; /* found: what is wanted is there; given_up: it took too long */
    bool elsewhere;              /* not on what was wanted */
    int err;
    int measured; /* times since the last jump, SMOOTH at most */
    /* between the threads */
    struct fifo fifo;
    _Atomic int64_t zero_us;   /* when sample 0 was, or will be, in the air */
    _Atomic int64_t called_us; /* the device spoke last */
    _Atomic int64_t latency_us;
    _Atomic uint64_t gaps, lost;
    _Atomic uint32_t changes;
    _Atomic int state;
    pthread_mutex_t naming;
    char name[SOUND_NAME], text[SOUND_NAME];
    /* the caller's thread: while the device is stalled, time goes on */
    bool stalled;
    int64_t stalled_us;
    uint64_t stalled_samples, dropped;
};

/* Until it plays or records, or it is known why not. */
int pulse_new(struct pulse **ret, bool plays, const char *device, int64_t buffer_us,
              char why[static SOUND_WHY]);
void pulse_free(struct pulse *p);
/* Either thread's. */
void pulse_set_state(struct pulse *p, enum sound_state state);
