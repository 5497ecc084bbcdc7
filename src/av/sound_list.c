#include <stdio.h>
#include <string.h>
#include <time.h>

#include "av/pulse_lib.h"
#include "av/sound.h"
#include "base/err.h"

#define PATIENCE_US 3000000

struct list {
    struct sound_device *devices;
    uint32_t n;
    char sink[SOUND_NAME], source[SOUND_NAME]; /* the defaults */
    int waiting;                               /* answers that are to come */
    bool asked, failed;
    struct sound_device none; /* what is too much is written there */
};

static struct sound_device *add(struct list *l, const char *name, const char *text)
{
    if (l->n == SOUND_DEVICES_MAX || !name)
        return &l->none;
    struct sound_device *d = &l->devices[l->n++];
    memset(d, 0, sizeof *d);
    snprintf(d->name, sizeof d->name, "%s", name);
    snprintf(d->text, sizeof d->text, "%s", text ? text : name);
    return d;
}

static void on_sink(pa_context *c, const pa_sink_info *info, int end, void *ctx)
{
    struct list *l = ctx;

    (void)c;
    if (end)
        l->waiting--;
    else
        add(l, info->name, info->description)->out = true;
}

static void on_source(pa_context *c, const pa_source_info *info, int end, void *ctx)
{
    struct list *l = ctx;

    (void)c;
    if (end) {
        l->waiting--;
        return;
    }
    struct sound_device *d = add(l, info->name, info->description);
    d->in = true;
    d->monitor = info->monitor_of_sink != PA_INVALID_INDEX;
}

static void on_server(pa_context *c, const pa_server_info *info, void *ctx)
{
    struct list *l = ctx;

    (void)c;
    snprintf(l->sink, sizeof l->sink, "%s",
             info && info->default_sink_name ? info->default_sink_name : "");
    snprintf(l->source, sizeof l->source, "%s",
             info && info->default_source_name ? info->default_source_name : "");
    l->waiting--;
}

static void ask(pa_context *c, struct list *l)
{
    pa_operation *all[3] = { pulse_lib.context_get_server_info(c, on_server, l),
                             pulse_lib.context_get_sink_info_list(c, on_sink, l),
                             pulse_lib.context_get_source_info_list(c, on_source, l) };

    l->asked = true;
    for (int i = 0; i < 3; i++)
        if (all[i]) {
            l->waiting++;
            pulse_lib.operation_unref(all[i]);
        } else {
            l->failed = true;
        }
}

static void on_state(pa_context *c, void *ctx)
{
    struct list *l = ctx;

    if (pulse_lib.context_get_state(c) == PA_CONTEXT_READY)
        ask(c, l);
    else if (!PA_CONTEXT_IS_GOOD(pulse_lib.context_get_state(c)))
        l->failed = true;
}

static int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* Turns of the library's loop until all is answered. */
static bool run(pa_mainloop *loop, const struct list *l)
{
    int64_t end_us = clock_us() + PATIENCE_US;

    while (!l->failed && (!l->asked || l->waiting > 0)) {
        int64_t left_us = end_us - clock_us();
        if (left_us <= 0 || pulse_lib.mainloop_prepare(loop, (int)left_us) < 0 ||
            pulse_lib.mainloop_poll(loop) < 0 || pulse_lib.mainloop_dispatch(loop) < 0)
            return false;
    }
    return !l->failed;
}

static void mark_defaults(struct list *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        struct sound_device *d = &l->devices[i];
        d->is_default = strcmp(d->name, d->out ? l->sink : l->source) == 0;
    }
}

int sound_devices(struct sound_device ret[static SOUND_DEVICES_MAX], char why[static SOUND_WHY])
{
    struct list l = { .devices = ret };

    if (!pulse_load()) {
        snprintf(why, SOUND_WHY, "%s", PULSE_MISSING);
        return -ROOST_IO;
    }
    pa_mainloop *loop = pulse_lib.mainloop_new();
    pa_context *c = loop ? pulse_lib.context_new(pulse_lib.mainloop_get_api(loop), "Roost") : NULL;
    int n = -ROOST_NOMEM;

    snprintf(why, SOUND_WHY, "%s", err_text(ROOST_NOMEM));
    if (!c)
        goto out;
    pulse_lib.context_set_state_callback(c, on_state, &l);
    bool ok = pulse_lib.context_connect(c, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) >= 0 &&
              run(loop, &l);
    n = ok ? (int)l.n : -ROOST_IO;
    if (ok)
        mark_defaults(&l);
    else
        snprintf(why, SOUND_WHY, "no sound server (PipeWire or PulseAudio) answers: %.80s",
                 pulse_lib.strerror(pulse_lib.context_errno(c)));
    pulse_lib.context_set_state_callback(c, NULL, NULL);
    pulse_lib.context_disconnect(c);
    pulse_lib.context_unref(c);
out:
    if (loop)
        pulse_lib.mainloop_free(loop);
    return n;
}
