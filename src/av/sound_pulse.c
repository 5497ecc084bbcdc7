/* Devices, by PulseAudio's protocol: PipeWire speaks it too. The library has a thread of its own,
 * which runs what is below "callbacks"; it shares with the others a ring, numbers, and names that
 * change when a device does. */
#include <pthread.h>
#include <pulse/pulseaudio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "av/fifo.h"
#include "av/sound_inside.h"
#include "base/err.h"

#define PATIENCE_US 3000000 /* for the server, at the beginning */
#define AGAIN_US    500000  /* between two tries, later */
#define STALLED_US  300000  /* a device that says nothing for so long is gone */
#define JUMP_US     20000   /* times that are off by more are believed at once */
enum {
    SMOOTH = 128
}; /* a second or so: what the server says of its delay trembles by milliseconds */

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

static int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* --- callbacks ----------------------------------------------------------------------------- */

static void set_state(struct pulse *p, enum sound_state state)
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
    set_state(p, SOUND_GOES);
}

static int64_t latency_of(struct pulse *p)
{
    pa_usec_t us = 0;
    int negative = 0;

    if (pa_stream_get_latency(p->stream, &us, &negative) < 0 || negative)
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
        if (pa_stream_begin_write(stream, &room, &some) < 0 || !room)
            return;
        some -= some % sizeof(int16_t);
        if (some > bytes)
            some = bytes;
        uint32_t n = (uint32_t)(some / sizeof(int16_t)), here = fifo_read(&p->fifo, room, n);
        memset((int16_t *)room + here, 0, (n - here) * sizeof(int16_t));
        atomic_fetch_add(&p->gaps, n - here);
        if (pa_stream_write(stream, room, some, NULL, 0, PA_SEEK_RELATIVE) < 0)
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
        if (pa_stream_peek(stream, &data, &some) < 0 || some == 0)
            break;
        take_samples(p, data, (uint32_t)(some / sizeof(int16_t)));
        pa_stream_drop(stream);
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
    const char *name = pa_stream_get_device_name(p->stream);
    pa_operation *o;

    if (!name)
        return;
    set_name(p, name);
    p->elsewhere = p->want[0] && strcmp(name, p->want) != 0;
    o = p->plays ? pa_context_get_sink_info_by_name(p->context, name, on_sink, p)
                 : pa_context_get_source_info_by_name(p->context, name, on_source, p);
    if (o)
        pa_operation_unref(o);
}

/* What lies between is for the other device, and would be late for ever. */
static void on_moved(pa_stream *stream, void *ctx)
{
    struct pulse *p = ctx;
    pa_operation *o = p->plays ? pa_stream_flush(stream, NULL, NULL) : NULL;

    if (o)
        pa_operation_unref(o);
    note_device(p);
}

static void connect_context(struct pulse *p);
static void connect_stream(struct pulse *p, bool wanted);

static void drop_stream(struct pulse *p)
{
    if (!p->stream)
        return;
    pa_stream_set_state_callback(p->stream, NULL, NULL);
    pa_stream_set_write_callback(p->stream, NULL, NULL);
    pa_stream_set_read_callback(p->stream, NULL, NULL);
    pa_stream_set_moved_callback(p->stream, NULL, NULL);
    pa_stream_disconnect(p->stream);
    pa_stream_unref(p->stream);
    p->stream = NULL;
}

static void drop_context(struct pulse *p)
{
    drop_stream(p);
    if (!p->context)
        return;
    pa_context_set_state_callback(p->context, NULL, NULL);
    pa_context_set_subscribe_callback(p->context, NULL, NULL);
    pa_context_disconnect(p->context);
    pa_context_unref(p->context);
    p->context = NULL;
}

static void on_timer(pa_mainloop_api *api, pa_time_event *timer, const struct timeval *at,
                     void *ctx)
{
    struct pulse *p = ctx;

    (void)api, (void)timer, (void)at;
    if (!p->begun) {
        p->given_up = true;
        pa_threaded_mainloop_signal(p->loop, 0);
    } else if (!p->context || !PA_CONTEXT_IS_GOOD(pa_context_get_state(p->context))) {
        drop_context(p);
        connect_context(p);
    } else if (pa_context_get_state(p->context) == PA_CONTEXT_READY &&
               (!p->stream || p->elsewhere)) {
        drop_stream(p);
        connect_stream(p, true);
    }
}

static void call_later(struct pulse *p, int64_t us)
{
    pa_mainloop_api *api = pa_threaded_mainloop_get_api(p->loop);
    struct timeval at;

    pa_timeval_add(pa_gettimeofday(&at), (pa_usec_t)us);
    if (p->timer)
        api->time_restart(p->timer, &at);
    else
        p->timer = api->time_new(api, &at, on_timer, p);
}

/* What was wanted is not there: meanwhile the default will do. At the beginning it is an error. */
static void on_stream_failed(struct pulse *p)
{
    bool fell_back = p->elsewhere;

    p->err = pa_context_errno(p->context);
    set_state(p, SOUND_GONE);
    drop_stream(p);
    if (!p->begun) {
        pa_threaded_mainloop_signal(p->loop, 0);
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

    switch (pa_stream_get_state(stream)) {
    case PA_STREAM_READY:
        note_device(p);
        pa_threaded_mainloop_signal(p->loop, 0);
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
    p->stream = pa_stream_new(p->context, p->plays ? "voices" : "voice", &spec, NULL);
    if (p->stream) {
        pa_stream_set_state_callback(p->stream, on_stream, p);
        pa_stream_set_moved_callback(p->stream, on_moved, p);
        pa_stream_set_write_callback(p->stream, on_wanted, p);
        pa_stream_set_read_callback(p->stream, on_recorded, p);
        err = p->plays ? pa_stream_connect_playback(p->stream, device, &attr, flags, NULL, NULL)
                       : pa_stream_connect_record(p->stream, device, &attr, flags);
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
        pa_threaded_mainloop_signal(p->loop, 0);
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
    pa_operation *o = p->plays
                          ? pa_context_get_sink_info_by_name(p->context, p->want, on_wanted_sink, p)
                          : pa_context_get_source_info_by_name(p->context, p->want,
                                                               on_wanted_source, p);

    if (o)
        pa_operation_unref(o);
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

    switch (pa_context_get_state(context)) {
    case PA_CONTEXT_READY:
        pa_context_set_subscribe_callback(context, on_event, p);
        o = pa_context_subscribe(context, PA_SUBSCRIPTION_MASK_SINK | PA_SUBSCRIPTION_MASK_SOURCE,
                                 NULL, NULL);
        if (o)
            pa_operation_unref(o);
        if (p->begun || !p->want[0])
            connect_stream(p, true);
        else
            look_for_wanted(p);
        break;
    case PA_CONTEXT_FAILED:
    case PA_CONTEXT_TERMINATED:
        p->err = pa_context_errno(context);
        set_state(p, SOUND_GONE);
        if (p->begun)
            call_later(p, AGAIN_US);
        else
            pa_threaded_mainloop_signal(p->loop, 0);
        break;
    default:
        break;
    }
}

static void connect_context(struct pulse *p)
{
    p->context = pa_context_new(pa_threaded_mainloop_get_api(p->loop), "Roost");
    if (!p->context) {
        p->err = PA_ERR_INTERNAL;
        if (p->begun)
            call_later(p, AGAIN_US);
        return;
    }
    pa_context_set_state_callback(p->context, on_context, p);
    if (pa_context_connect(p->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
        p->err = pa_context_errno(p->context);
}

/* --- beginning and end --------------------------------------------------------------------- */

static void pulse_free(struct pulse *p)
{
    if (p->loop) {
        pa_threaded_mainloop_stop(p->loop);
        drop_context(p);
        if (p->timer)
            pa_threaded_mainloop_get_api(p->loop)->time_free(p->timer);
        pa_threaded_mainloop_free(p->loop);
    }
    pthread_mutex_destroy(&p->naming);
    free(p);
}

static bool is_settled(const struct pulse *p)
{
    if (p->given_up || !p->context || !PA_CONTEXT_IS_GOOD(pa_context_get_state(p->context)))
        return true;
    return p->err || (p->stream && pa_stream_get_state(p->stream) == PA_STREAM_READY);
}

/* Until it plays or records, or it is known why not. */
static bool begin(struct pulse *p, char why[static SOUND_WHY])
{
    pa_threaded_mainloop_lock(p->loop);
    call_later(p, PATIENCE_US);
    connect_context(p);
    while (!is_settled(p))
        pa_threaded_mainloop_wait(p->loop);
    p->begun = p->stream && pa_stream_get_state(p->stream) == PA_STREAM_READY;
    int err = p->err ? p->err : PA_ERR_TIMEOUT;
    pa_threaded_mainloop_unlock(p->loop);
    if (p->begun)
        return true;
    if (err == PA_ERR_NOENTITY && p->want[0])
        snprintf(why, SOUND_WHY, "there is no %s '%.80s'", p->plays ? "speaker" : "microphone",
                 p->want);
    else
        snprintf(why, SOUND_WHY, "the sound server (PipeWire or PulseAudio) gives no %s: %.80s",
                 p->plays ? "speaker" : "microphone", pa_strerror(err));
    return false;
}

static int pulse_new(struct pulse **ret, bool plays, const char *device, int64_t buffer_us,
                     char why[static SOUND_WHY])
{
    struct pulse *p = calloc(1, sizeof *p);

    if (!p)
        return -ROOST_NOMEM;
    p->plays = plays;
    p->buffer_us = buffer_us;
    snprintf(p->want, sizeof p->want, "%s", device ? device : "");
    pthread_mutex_init(&p->naming, NULL);
    atomic_store(&p->called_us, clock_us());
    p->loop = pa_threaded_mainloop_new();
    if (!p->loop || pa_threaded_mainloop_start(p->loop) < 0) {
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

/* --- the caller's thread --------------------------------------------------------------------- */

/* While the device says nothing, what is between us and it is a clock. */
static bool is_stalled(struct pulse *p, int64_t now_us)
{
    bool was = p->stalled;

    p->stalled = now_us - atomic_load(&p->called_us) > STALLED_US;
    if (p->stalled && !was) {
        p->stalled_us = now_us;
        p->stalled_samples = 0;
        if (atomic_load(&p->state) == SOUND_GOES)
            set_state(p, SOUND_GONE);
    }
    return p->stalled;
}

static void look(struct pulse *p, struct sound_look *ret)
{
    *ret = (struct sound_look){
        .state = (enum sound_state)atomic_load(&p->state),
        .changes = atomic_load(&p->changes),
        .latency_us = atomic_load(&p->latency_us),
        .samples = atomic_load(&p->fifo.read),
        .lost = atomic_load(&p->lost) + p->dropped,
        .gaps = atomic_load(&p->gaps),
    };
    if (p->plays)
        ret->latency_us += sound_us_of(fifo_fill(&p->fifo));
    pthread_mutex_lock(&p->naming);
    snprintf(ret->name, sizeof ret->name, "%s", p->name);
    snprintf(ret->text, sizeof ret->text, "%s", p->text);
    pthread_mutex_unlock(&p->naming);
}

static struct pulse *of_in(struct sound_in *s)
{
    return (struct pulse *)((char *)s - offsetof(struct pulse, in));
}

static struct pulse *of_out(struct sound_out *s)
{
    return (struct pulse *)((char *)s - offsetof(struct pulse, out));
}

static void in_free(struct sound_in *s)
{
    pulse_free(of_in(s));
}

static void out_free(struct sound_out *s)
{
    pulse_free(of_out(s));
}

static void in_look(struct sound_in *s, struct sound_look *ret)
{
    look(of_in(s), ret);
}

static void out_look(struct sound_out *s, struct sound_look *ret)
{
    look(of_out(s), ret);
}

static int64_t stalled_at_us(const struct pulse *p)
{
    return p->stalled_us + sound_us_of((int64_t)p->stalled_samples);
}

static bool in_read(struct sound_in *s, int64_t now_us, int16_t *pcm, uint32_t n,
                    int64_t *ret_at_us)
{
    struct pulse *p = of_in(s);
    uint32_t fill = fifo_fill(&p->fifo), most = (uint32_t)sound_samples_of(SOUND_LATE_US) + n;

    if (fill < n && is_stalled(p, now_us)) {
        if (stalled_at_us(p) + sound_us_of(n) > now_us)
            return false;
        *ret_at_us = stalled_at_us(p);
        memset(pcm, 0, n * sizeof *pcm);
        p->stalled_samples += n;
        return true;
    }
    if (fill > most)
        p->dropped += fifo_read(&p->fifo, NULL, fill - n);
    if (fill < n)
        return false;
    *ret_at_us = atomic_load(&p->zero_us) + sound_us_of((int64_t)atomic_load(&p->fifo.read));
    return fifo_read(&p->fifo, pcm, n) == n;
}

/* A device speaks every 10 ms or so: what is missing comes so long after it spoke last. */
static int64_t in_due_us(struct sound_in *s, int64_t now_us, uint32_t n)
{
    struct pulse *p = of_in(s);
    uint32_t fill = fifo_fill(&p->fifo);

    if (fill >= n)
        return now_us;
    int64_t due = p->stalled ? stalled_at_us(p) + sound_us_of(n)
                             : atomic_load(&p->called_us) + sound_us_of(n - fill);
    return due > now_us + 1000 ? due : now_us + 1000;
}

static int64_t out_fill(struct pulse *p, int64_t now_us)
{
    if (!is_stalled(p, now_us))
        return fifo_fill(&p->fifo);
    int64_t gone = sound_samples_of(now_us - p->stalled_us);
    if ((int64_t)p->stalled_samples < gone)
        p->stalled_samples = (uint64_t)gone;
    return (int64_t)p->stalled_samples - gone;
}

static uint32_t out_wants(struct sound_out *s, int64_t now_us)
{
    struct pulse *p = of_out(s);
    int64_t wants = sound_samples_of(p->buffer_us) - out_fill(p, now_us);

    return wants <= 0 ? 0 : wants > FIFO_SAMPLES ? FIFO_SAMPLES : (uint32_t)wants;
}

static int64_t out_due_us(struct sound_out *s, int64_t now_us, uint32_t n)
{
    struct pulse *p = of_out(s);
    int64_t more = out_fill(p, now_us) + n - sound_samples_of(p->buffer_us);

    return more <= 0 ? now_us : now_us + sound_us_of(more) + 1;
}

static int64_t out_heard_us(struct sound_out *s, int64_t now_us)
{
    struct pulse *p = of_out(s);
    uint64_t next = atomic_load(&p->fifo.written) + atomic_load(&p->gaps);

    if (is_stalled(p, now_us) || atomic_load(&p->state) != SOUND_GOES)
        return now_us + sound_us_of(out_fill(p, now_us) > 0 ? out_fill(p, now_us) : 0);
    return atomic_load(&p->zero_us) + sound_us_of((int64_t)next);
}

static void out_write(struct sound_out *s, int64_t now_us, const int16_t *pcm, uint32_t n)
{
    struct pulse *p = of_out(s);

    if (is_stalled(p, now_us)) {
        p->stalled_samples += n;
        p->dropped += n;
    } else {
        p->dropped += n - fifo_write(&p->fifo, pcm, n);
    }
}

static const struct sound_in_kind in_kind = { in_free, in_read, in_due_us, in_look };
static const struct sound_out_kind out_kind = { out_free,     out_wants, out_due_us,
                                                out_heard_us, out_write, out_look };

int sound_pulse_in_new(struct sound_in **ret, const char *device, char why[static SOUND_WHY])
{
    struct pulse *p = NULL;
    int err = pulse_new(&p, false, device, 0, why);

    if (err)
        return err;
    p->in.kind = &in_kind;
    *ret = &p->in;
    return 0;
}

int sound_pulse_out_new(struct sound_out **ret, const char *device, int64_t buffer_us,
                        char why[static SOUND_WHY])
{
    struct pulse *p = NULL;
    int err = pulse_new(&p, true, device, buffer_us, why);

    if (err)
        return err;
    p->out.kind = &out_kind;
    *ret = &p->out;
    return 0;
}
