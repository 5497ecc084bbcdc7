#include "client/studio.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "client/studio_inside.h"
#include "net/sleep.h"

/* --- life ------------------------------------------------------------------------------- */

/* No device. */
static bool is_paced(const char *speaker)
{
    return speaker && (strcmp(speaker, "null") == 0 || strncmp(speaker, "file:", 5) == 0);
}

/* A device that nobody asked for may be missing. */
static int open_sound(struct studio *s, char why[static SOUND_WHY])
{
    const struct studio_wish *w = &s->wish;
    int64_t now_us = sleep_now_us();
    char speaker[SOUND_WHY] = "";
    int err = sound_in_new(&s->mic, w->mic ? w->mic : "default", now_us, why);

    if (!err)
        *why = 0;
    if (err && !w->mic && w->speaker)
        err = sound_in_new(&s->mic, "none", now_us, (char[SOUND_WHY]){ 0 });
    if (err)
        return err;
    err = sound_out_new(&s->speaker, w->speaker ? w->speaker : "default", now_us,
                        is_paced(w->speaker) ? STUDIO_PACED_US : 0, speaker);
    if (err)
        memcpy(why, speaker, sizeof speaker);
    if (err && !w->speaker && w->mic)
        err = sound_out_new(&s->speaker, "null", now_us, STUDIO_PACED_US, (char[SOUND_WHY]){ 0 });
    return err;
}

static bool is_device(const char *word)
{
    return !word || (strcmp(word, "none") != 0 && strncmp(word, "tone", 4) != 0 &&
                     strncmp(word, "file:", 5) != 0 && strncmp(word, "once:", 5) != 0);
}

static int open_codec(struct studio *s)
{
    const struct studio_wish *w = &s->wish;
    struct encoder_wish e = {
        .codec = w->codec, .music = w->music, .dtx = !w->music, .bits = w->bits
    };
    struct process_wish p = { .echo = w->echo, .noise = w->noise, .gain = w->gain };
    int err = encoder_new(&s->encoder, &e);

    s->bits_now = w->bits;
    /* what comes out of a file is fit to be sent */
    if (!err && is_device(w->mic) && (w->echo || w->noise || w->gain))
        err = process_new(&s->process, &p);
    return err;
}

static int open_record(struct studio *s, char why[static SOUND_WHY])
{
    struct timespec wall;

    if (!s->wish.record)
        return 0;
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t wall_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000;
    int err = record_new(&s->record, s->path, sleep_now_us(), wall_us, s->names[0]);
    if (!err)
        err = record_person(s->record, STUDIO_SELF, s->names[1]);
    if (err)
        snprintf(why, SOUND_WHY, "the recording cannot be begun: %s", err_text(err));
    return err;
}

static void begin(struct studio *s, const struct studio_wish *w)
{
    s->wish = *w;
    snprintf(s->names[0], STUDIO_NAME, "%s", w->title ? w->title : "");
    snprintf(s->names[1], STUDIO_NAME, "%s", w->name ? w->name : "");
    snprintf(s->path, sizeof s->path, "%s", w->record ? w->record : "");
    s->muted = w->muted;
    s->bits = w->bits;
    mix_init(&s->mix);
    activity_init(&s->activity);
}

static int start_thread(struct studio *s)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->begun = !pthread_create(&s->thread, NULL, studio_run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->begun ? 0 : -ROOST_NOMEM;
}

int studio_new(struct studio **ret, const struct studio_wish *wish, char why[static SOUND_WHY])
{
    struct studio *s = calloc(1, sizeof *s);
    int err = -ROOST_NOMEM;

    *why = 0;
    if (!s)
        return err;
    s->fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    begin(s, wish);
    s->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->fd < 0)
        goto out;
    err = open_sound(s, why);
    if (!err)
        err = open_codec(s);
    if (!err)
        err = open_record(s, why);
    if (!err)
        err = start_thread(s);
    if (err)
        goto out;
    *ret = s;
    s = NULL;
out:
    if (err && !*why)
        snprintf(why, SOUND_WHY, "%s", err_text(err));
    studio_free(s);
    return err;
}

void studio_free(struct studio *s)
{
    if (!s)
        return;
    s->over = true;
    if (s->begun)
        pthread_join(s->thread, NULL);
    for (int i = 0; i < STUDIO_EARS_MAX; i++)
        ear_free(s->voices[i].ear);
    if (s->record)
        record_end(s->record, sleep_now_us());
    encoder_free(s->encoder);
    process_free(s->process);
    sound_in_free(s->mic);
    sound_out_free(s->speaker);
    pthread_mutex_destroy(&s->lock);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

/* --- the handle's side ----------------------------------------------------------------------- */

int studio_fd(const struct studio *s)
{
    return s->fd;
}

bool studio_next(struct studio *s, struct studio_frame *ret)
{
    uint32_t at = atomic_load_explicit(&s->up.read, memory_order_relaxed);
    uint64_t waiting;

    if (at == atomic_load_explicit(&s->up.wrote, memory_order_acquire)) {
        if (read(s->fd, &waiting, sizeof waiting) < 0 ||
            at == atomic_load_explicit(&s->up.wrote, memory_order_acquire))
            return false;
    }
    *ret = s->up_frames[at % UP_FRAMES];
    atomic_store_explicit(&s->up.read, at + 1, memory_order_release);
    return true;
}

/* Room for one word to the thread; NULL: it does not keep up. */
static struct studio_down *next_down(struct studio *s)
{
    uint32_t at = atomic_load_explicit(&s->down.wrote, memory_order_relaxed);

    if (at - atomic_load_explicit(&s->down.read, memory_order_acquire) >= DOWN_FRAMES) {
        s->lost++;
        return NULL;
    }
    return &s->down_frames[at % DOWN_FRAMES];
}

static void say_down(struct studio *s)
{
    atomic_fetch_add_explicit(&s->down.wrote, 1, memory_order_release);
}

void studio_heard(struct studio *s, int64_t now_us, uint32_t who, const struct media *m,
                  const uint8_t *bytes, size_t len)
{
    struct studio_down *d = len <= sizeof d->bytes ? next_down(s) : NULL;

    if (!d)
        return;
    d->what = STUDIO_HEARD;
    d->who = who;
    d->at_us = now_us;
    d->media = *m;
    d->len = (uint32_t)len;
    memcpy(d->bytes, bytes, len);
    say_down(s);
}

void studio_gone(struct studio *s, uint64_t stream)
{
    struct studio_down *d = next_down(s);

    if (!d)
        return; /* it falls silent, and gives way in time */
    d->what = STUDIO_GONE;
    d->media = (struct media){ .stream = stream };
    say_down(s);
}

void studio_person(struct studio *s, uint32_t who, const char *name)
{
    struct studio_down *d = next_down(s);

    if (!d)
        return;
    d->what = STUDIO_PERSON;
    d->who = who;
    snprintf((char *)d->bytes, STUDIO_NAME, "%s", name);
    say_down(s);
}

void studio_volume(struct studio *s, uint32_t who, float volume)
{
    struct studio_down *d = next_down(s);

    if (!d)
        return;
    d->what = STUDIO_VOLUME;
    d->who = who;
    d->volume = volume;
    say_down(s);
}

void studio_mute(struct studio *s, bool muted)
{
    s->muted = muted;
}

void studio_talk(struct studio *s, bool pushed)
{
    s->pushed = pushed;
}

bool studio_is_muted(const struct studio *s)
{
    return s->muted || (s->wish.ptt && !s->pushed);
}

void studio_rate(struct studio *s, uint32_t bits, float loss)
{
    s->bits = bits;
    s->loss_permille = (uint32_t)(loss * 1000);
}

void studio_look(struct studio *s, struct studio_look *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->shown;
    pthread_mutex_unlock(&s->lock);
    ret->lost = s->lost;
}

bool studio_news(struct studio *s, char ret[static STUDIO_NEWS])
{
    pthread_mutex_lock(&s->lock);
    bool any = s->n_news > 0;
    if (any) {
        memcpy(ret, s->news[0], STUDIO_NEWS);
        memmove(s->news, s->news + 1, --s->n_news * sizeof *s->news);
    }
    pthread_mutex_unlock(&s->lock);
    return any;
}
