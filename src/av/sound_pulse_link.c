/* The library's side of a device: PulseAudio's protocol, which PipeWire speaks too. The library has
 * a thread of its own, which runs all that is below "callbacks". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "av/sound_pulse_inside.h"
#include "base/err.h"

#define PATIENCE_US 3000000 /* for the server, at the beginning */
#define AGAIN_US    500000  /* between two tries, later */
#define JUMP_US     20000   /* times that are off by more are believed at once */
enum {
    SMOOTH = 128
}; /* a second or so: what the server says of its delay trembles by milliseconds */

static int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* --- callbacks ----------------------------------------------------------------------------- */

void pulse_set_state(struct pulse *p, enum sound_state state)
{
    if (atomic_exchange(&p->state, (int)state) != (int)state)
        atomic_fetch_add(&p->changes, 1);
}

static void set_name(struct pulse *p, const char *name)
{
    pthread_mutex_lock(&p->naming);
    bool same = strncmp(p->name, name, SOUND_NAME - 1) == 0;
    if (!same) {
        snprintf(p->name, SOUND_NAME, "%s", name);
        snprintf(p->text, SOUND_NAME, "%s", name);
    }
    pthread_mutex_unlock(&p->naming);
    if (!same)
        atomic_fetch_add(&p->changes, 1);
}

static void set_text(struct pulse *p, const char *text)
{
    pthread_mutex_lock(&p->naming);
    snprintf(p->text, SOUND_NAME, "%s", text);
    pthread_mutex_unlock(&p->naming);
}

/* Sample n is in the air at this time: measured anew with each callback, and smoothed. */
static void note_time(struct pulse *p, uint64_t n, int64_t air_us)
{
    int64_t zero = air_us - sound_us_of((int64_t)n), was = atomic_load(&p->zero_us);
    int64_t off = zero - was;

    if (off > JUMP_US || off < -JUMP_US) {
        p->measured = 0;
        was = zero;
        off = 0;
    }
    p->measured += p->measured < SMOOTH;
    atomic_store(&p->zero_us, was + off / p->measured);
    atomic_store(&p->called_us, clock_us());
    pulse_set_state(p, SOUND_GOES);
}

static int64_t latency_of(struct pulse *p)
{
    pa_usec_t us = 0;
    int negative = 0;

    if (pulse_lib.stream_get_latency(p->stream, &us, &negative) < 0 || negative)
        us = 0;
    atomic_store(&p->latency_us, (int64_t)us);
    return (int64_t)us;
}

static void on_wanted(pa_stream *stream, size_t bytes, void *ctx)
{
    struct pulse *p = ctx;
    void *room = NULL;

    while (bytes >= sizeof(int16_t)) {
        size_t some = bytes;
        if (pulse_lib.stream_begin_write(stream, &room, &some) < 0 || !room)
            return;
        some -= some % sizeof(int16_t);
        if (some > bytes)
            some = bytes;
        uint32_t n = (uint32_t)(some / sizeof(int16_t)), here = fifo_read(&p->fifo, room, n);
        memset((int16_t *)room + here, 0, (n - here) * sizeof(int16_t));
        atomic_fetch_add(&p->gaps, n - here);
        if (pulse_lib.stream_write(stream, room, some, NULL, 0, PA_SEEK_RELATIVE) < 0)
            return;
        bytes -= some;
    }
    note_time(p, atomic_load(&p->fifo.read) + atomic_load(&p->gaps), clock_us() + latency_of(p));
}

static void take_samples(struct pulse *p, const int16_t *pcm, uint32_t n)
{
    static const int16_t hole[480];

    while (n > 0) {
        uint32_t some = pcm || n < 480 ? n : 480,
                 went = fifo_write(&p->fifo, pcm ? pcm : hole, some);
        atomic_fetch_add(&p->lost, some - went);
        pcm = pcm ? pcm + some : NULL;
        n -= some;
    }
}

static void on_recorded(pa_stream *stream, size_t bytes, void *ctx)
{
    struct pulse *p = ctx;
    const void *data = NULL;

    (void)bytes;
    for (;;) {
        size_t some = 0;
        if (pulse_lib.stream_peek(stream, &data, &some) < 0 || some == 0)
            break;
        take_samples(p, data, (uint32_t)(some / sizeof(int16_t)));
        pulse_lib.stream_drop(stream);
    }
    note_time(p, atomic_load(&p->fifo.written), clock_us() - latency_of(p));
}

static void on_sink(pa_context *context, const pa_sink_info *info, int end, void *ctx)
{
    (void)context;
    if (!end && info->description)
        set_text(ctx, info->description);
}

static void on_source(pa_context *context, const pa_source_info *info, int end, void *ctx)
{
    (void)context;
    if (!end && info->description)
        set_text(ctx, info->description);
}

static void note_device(struct pulse *p)
{
    const char *name = pulse_lib.stream_get_device_name(p->stream);
    pa_operation *o;

    if (!name)
        return;
    set_name(p, name);
    p->elsewhere = p->want[0] && strcmp(name, p->want) != 0;
    o = p->plays ? pulse_lib.context_get_sink_info_by_name(p->context, name, on_sink, p)
                 : pulse_lib.context_get_source_info_by_name(p->context, name, on_source, p);
    if (o)
        pulse_lib.operation_unref(o);
}

/* What lies between is for the other device, and would be late for ever. */
static void on_moved(pa_stream *stream, void *ctx)
{
    struct pulse *p = ctx;
    pa_operation *o = p->plays ? pulse_lib.stream_flush(stream, NULL, NULL) : NULL;

    if (o)
        pulse_lib.operation_unref(o);
    note_device(p);
}

static void connect_context(struct pulse *p);
static void connect_stream(struct pulse *p, bool wanted);

static void drop_stream(struct pulse *p)
{
    if (!p->stream)
        return;
    pulse_lib.stream_set_state_callback(p->stream, NULL, NULL);
    pulse_lib.stream_set_write_callback(p->stream, NULL, NULL);
    pulse_lib.stream_set_read_callback(p->stream, NULL, NULL);
    pulse_lib.stream_set_moved_callback(p->stream, NULL, NULL);
    pulse_lib.stream_disconnect(p->stream);
    pulse_lib.stream_unref(p->stream);
    p->stream = NULL;
}

static void drop_context(struct pulse *p)
{
    drop_stream(p);
    if (!p->context)
        return;
    pulse_lib.context_set_state_callback(p->context, NULL, NULL);
    pulse_lib.context_set_subscribe_callback(p->context, NULL, NULL);
    pulse_lib.context_disconnect(p->context);
    pulse_lib.context_unref(p->context);
    p->context = NULL;
}

static void on_timer(pa_mainloop_api *api, pa_time_event *timer, const struct timeval *at,
                     void *ctx)
{
    struct pulse *p = ctx;

    (void)api, (void)timer, (void)at;
    if (!p->begun) {
        p->given_up = true;
        pulse_lib.threaded_mainloop_signal(p->loop, 0);
    } else if (!p->context || !PA_CONTEXT_IS_GOOD(pulse_lib.context_get_state(p->context))) {
        drop_context(p);
        connect_context(p);
    } else if (pulse_lib.context_get_state(p->context) == PA_CONTEXT_READY &&
               (!p->stream || p->elsewhere)) {
        drop_stream(p);
        connect_stream(p, true);
    }
}

static void call_later(struct pulse *p, int64_t us)
{
    pa_mainloop_api *api = pulse_lib.threaded_mainloop_get_api(p->loop);
    struct timeval at;

    pulse_lib.timeval_add(pulse_lib.gettimeofday(&at), (pa_usec_t)us);
    if (p->timer)
        api->time_restart(p->timer, &at);
    else
        p->timer = api->time_new(api, &at, on_timer, p);
}

/* What was wanted is not there: meanwhile the default will do. At the beginning it is an error. */
static void on_stream_failed(struct pulse *p)
{
    bool fell_back = p->elsewhere;

    p->err = pulse_lib.context_errno(p->context);
    pulse_set_state(p, SOUND_GONE);
    drop_stream(p);
    if (!p->begun) {
        pulse_lib.threaded_mainloop_signal(p->loop, 0);
    } else if (p->want[0] && !fell_back && p->err == PA_ERR_NOENTITY) {
        connect_stream(p, false);
    } else {
        p->elsewhere = false;
        call_later(p, AGAIN_US);
    }
}

static void on_stream(pa_stream *stream, void *ctx)
{
    struct pulse *p = ctx;

    switch (pulse_lib.stream_get_state(stream)) {
    case PA_STREAM_READY:
        note_device(p);
        pulse_lib.threaded_mainloop_signal(p->loop, 0);
        break;
    case PA_STREAM_FAILED:
    case PA_STREAM_TERMINATED:
        on_stream_failed(p);
        break;
    default:
        break;
    }
}

static void connect_stream(struct pulse *p, bool wanted)
{
    static const pa_sample_spec spec = { PA_SAMPLE_S16NE, SOUND_HZ, 1 };
    uint32_t block = SOUND_BLOCK / 2 * sizeof(int16_t), all = UINT32_MAX;
    pa_buffer_attr attr = { all, 2 * block, 0, block, block };
    pa_stream_flags_t flags = PA_STREAM_ADJUST_LATENCY | PA_STREAM_AUTO_TIMING_UPDATE |
                              PA_STREAM_INTERPOLATE_TIMING;
    const char *device = wanted && p->want[0] ? p->want : NULL;
    int err = -1;

    p->elsewhere = !wanted;
    p->stream = pulse_lib.stream_new(p->context, p->plays ? "voices" : "voice", &spec, NULL);
    if (p->stream) {
        pulse_lib.stream_set_state_callback(p->stream, on_stream, p);
        pulse_lib.stream_set_moved_callback(p->stream, on_moved, p);
        pulse_lib.stream_set_write_callback(p->stream, on_wanted, p);
        pulse_lib.stream_set_read_callback(p->stream, on_recorded, p);
        err = p->plays
                  ? pulse_lib.stream_connect_playback(p->stream, device, &attr, flags, NULL, NULL)
                  : pulse_lib.stream_connect_record(p->stream, device, &attr, flags);
    }
    if (err < 0)
        on_stream_failed(p);
}

/* PipeWire takes another device for one that it does not know: so it is asked for first. */
static void on_wanted_found(struct pulse *p, bool found, int end)
{
    if (p->begun || (!found && !end))
        return;
    if (found) {
        p->found = true;
    } else if (p->found) {
        connect_stream(p, true);
    } else {
        p->err = PA_ERR_NOENTITY;
        pulse_lib.threaded_mainloop_signal(p->loop, 0);
    }
}

static void on_wanted_sink(pa_context *context, const pa_sink_info *info, int end, void *ctx)
{
    (void)context;
    on_wanted_found(ctx, info && !end, end);
}

static void on_wanted_source(pa_context *context, const pa_source_info *info, int end, void *ctx)
{
    (void)context;
    on_wanted_found(ctx, info && !end, end);
}

static void look_for_wanted(struct pulse *p)
{
    pa_operation *o =
        p->plays
            ? pulse_lib.context_get_sink_info_by_name(p->context, p->want, on_wanted_sink, p)
            : pulse_lib.context_get_source_info_by_name(p->context, p->want, on_wanted_source, p);

    if (o)
        pulse_lib.operation_unref(o);
}

/* A device has come: perhaps the one that was wanted. */
static void on_event(pa_context *context, pa_subscription_event_type_t type, uint32_t index,
                     void *ctx)
{
    struct pulse *p = ctx;

    (void)context, (void)index;
    if ((type & PA_SUBSCRIPTION_EVENT_TYPE_MASK) == PA_SUBSCRIPTION_EVENT_NEW && p->begun &&
        (p->elsewhere || !p->stream))
        call_later(p, AGAIN_US / 2);
}

static void on_context(pa_context *context, void *ctx)
{
    struct pulse *p = ctx;
    pa_operation *o;

    switch (pulse_lib.context_get_state(context)) {
    case PA_CONTEXT_READY:
        pulse_lib.context_set_subscribe_callback(context, on_event, p);
        o = pulse_lib.context_subscribe(
            context, PA_SUBSCRIPTION_MASK_SINK | PA_SUBSCRIPTION_MASK_SOURCE, NULL, NULL);
        if (o)
            pulse_lib.operation_unref(o);
        if (p->begun || !p->want[0])
            connect_stream(p, true);
        else
            look_for_wanted(p);
        break;
    case PA_CONTEXT_FAILED:
    case PA_CONTEXT_TERMINATED:
        p->err = pulse_lib.context_errno(context);
        pulse_set_state(p, SOUND_GONE);
        if (p->begun)
            call_later(p, AGAIN_US);
        else
            pulse_lib.threaded_mainloop_signal(p->loop, 0);
        break;
    default:
        break;
    }
}

static void connect_context(struct pulse *p)
{
    p->context = pulse_lib.context_new(pulse_lib.threaded_mainloop_get_api(p->loop), "Roost");
    if (!p->context) {
        p->err = PA_ERR_INTERNAL;
        if (p->begun)
            call_later(p, AGAIN_US);
        return;
    }
    pulse_lib.context_set_state_callback(p->context, on_context, p);
    if (pulse_lib.context_connect(p->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
        p->err = pulse_lib.context_errno(p->context);
}

/* --- beginning and end --------------------------------------------------------------------- */

void pulse_free(struct pulse *p)
{
    if (p->loop) {
        pulse_lib.threaded_mainloop_stop(p->loop);
        drop_context(p);
        if (p->timer)
            pulse_lib.threaded_mainloop_get_api(p->loop)->time_free(p->timer);
        pulse_lib.threaded_mainloop_free(p->loop);
    }
    pthread_mutex_destroy(&p->naming);
    free(p);
}

static bool is_settled(const struct pulse *p)
{
    if (p->given_up || !p->context || !PA_CONTEXT_IS_GOOD(pulse_lib.context_get_state(p->context)))
        return true;
    return p->err || (p->stream && pulse_lib.stream_get_state(p->stream) == PA_STREAM_READY);
}

/* Until it plays or records, or it is known why not. */
static bool begin(struct pulse *p, char why[static SOUND_WHY])
{
    pulse_lib.threaded_mainloop_lock(p->loop);
    call_later(p, PATIENCE_US);
    connect_context(p);
    while (!is_settled(p))
        pulse_lib.threaded_mainloop_wait(p->loop);
    p->begun = p->stream && pulse_lib.stream_get_state(p->stream) == PA_STREAM_READY;
    int err = p->err ? p->err : PA_ERR_TIMEOUT;
    pulse_lib.threaded_mainloop_unlock(p->loop);
    if (p->begun)
        return true;
    if (err == PA_ERR_NOENTITY && p->want[0])
        snprintf(why, SOUND_WHY, "there is no %s '%.80s'", p->plays ? "speaker" : "microphone",
                 p->want);
    else
        snprintf(why, SOUND_WHY, "the sound server (PipeWire or PulseAudio) gives no %s: %.80s",
                 p->plays ? "speaker" : "microphone", pulse_lib.strerror(err));
    return false;
}

int pulse_new(struct pulse **ret, bool plays, const char *device, int64_t buffer_us,
              char why[static SOUND_WHY])
{
    struct pulse *p = pulse_load() ? calloc(1, sizeof *p) : NULL;

    if (!p) {
        snprintf(why, SOUND_WHY, "%s", pulse_load() ? err_text(ROOST_NOMEM) : PULSE_MISSING);
        return pulse_load() ? -ROOST_NOMEM : -ROOST_IO;
    }
    p->plays = plays;
    p->buffer_us = buffer_us;
    snprintf(p->want, sizeof p->want, "%s", device ? device : "");
    pthread_mutex_init(&p->naming, NULL);
    atomic_store(&p->called_us, clock_us());
    p->loop = pulse_lib.threaded_mainloop_new();
    if (!p->loop || pulse_lib.threaded_mainloop_start(p->loop) < 0) {
        pulse_free(p);
        return -ROOST_NOMEM;
    }
    if (!begin(p, why)) {
        pulse_free(p);
        return -ROOST_IO;
    }
    *ret = p;
    return 0;
}
