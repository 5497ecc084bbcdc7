#include <stdio.h>
#include <string.h>

#include "av/sound_pulse_inside.h"
#include "base/err.h"

#define STALLED_US 300000 /* a device that says nothing for so long is gone */

/* While the device says nothing, what is between us and it is a clock. */
static bool is_stalled(struct pulse *p, int64_t now_us)
{
    bool was = p->stalled;

    p->stalled = now_us - atomic_load(&p->called_us) > STALLED_US;
    if (p->stalled && !was) {
        p->stalled_us = now_us;
        p->stalled_samples = 0;
        if (atomic_load(&p->state) == SOUND_GOES)
            pulse_set_state(p, SOUND_GONE);
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
