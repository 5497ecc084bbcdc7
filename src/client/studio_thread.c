#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "client/studio_inside.h"
#include "net/sleep.h"

#define TURN_US 10000  /* the longest sleep: what was heard meanwhile keeps its time */
#define SHOW_US 100000 /* a look each */
#define JUMP_US 100000 /* so far off the microphone's time begins anew */

void studio_tell(struct studio *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    if (s->n_news < NEWS_WAIT)
        snprintf(s->news[s->n_news++], STUDIO_NEWS, "%s", text);
    pthread_mutex_unlock(&s->lock);
}

/* --- what is heard ------------------------------------------------------------------------ */

static float volume_of(const struct studio *s, uint32_t who)
{
    for (int i = 0; i < STUDIO_EARS_MAX; i++)
        if (s->volumes[i].who == who && who)
            return s->volumes[i].volume;
    return 1;
}

static void on_played(void *ctx, const struct jitter_turn *turn, enum media_codec codec,
                      int64_t heard_us)
{
    struct studio_voice *v = ctx;
    struct studio *s = v->studio;

    if (s->record && turn->bytes &&
        (turn->what == JITTER_PLAY || turn->what == JITTER_FASTER || turn->what == JITTER_SLOWER))
        record_frame(s->record, heard_us, v->who, codec, turn->bytes, turn->len);
}

static void let_go(struct studio_voice *v)
{
    ear_free(v->ear);
    *v = (struct studio_voice){ .stream = 0 };
}

static struct studio_voice *voice_of(struct studio *s, uint64_t stream)
{
    for (int i = 0; i < STUDIO_EARS_MAX; i++)
        if (s->voices[i].stream == stream)
            return &s->voices[i];
    return NULL;
}

/* The one that was silent longest gives way. */
static struct studio_voice *new_voice(struct studio *s, uint32_t who, uint64_t stream)
{
    struct studio_voice *v = voice_of(s, stream);

    if (!v)
        v = &s->voices[0];
    for (int i = 0; i < STUDIO_EARS_MAX && v->stream && v->stream != stream; i++)
        if (!s->voices[i].stream || s->voices[i].heard_us < v->heard_us)
            v = &s->voices[i];
    let_go(v);
    if (ear_new(&v->ear))
        return NULL;
    v->stream = stream;
    v->who = who;
    v->studio = s;
    ear_set_volume(v->ear, volume_of(s, who));
    ear_set_played(v->ear, s->record ? on_played : NULL, v);
    return v;
}

static void on_frame(struct studio *s, const struct studio_down *d)
{
    struct studio_voice *v = voice_of(s, d->media.stream);

    if (!v || v->who != d->who) /* new_voice takes the place of the same stream */
        v = new_voice(s, d->who, d->media.stream);
    if (!v)
        return;
    v->heard_us = d->at_us;
    int err = ear_put(v->ear, d->at_us, &d->media, d->bytes, d->len);
    if (err == -ROOST_MALFORMED && s->record)
        record_on_missed(s->record, d->at_us, d->who, err);
}

static void set_volume(struct studio *s, uint32_t who, float volume)
{
    int at = STUDIO_EARS_MAX - 1; /* with all taken, the last gives way */

    for (int i = STUDIO_EARS_MAX - 1; i >= 0; i--)
        if (s->volumes[i].who == who || (!s->volumes[i].who && s->volumes[at].who != who))
            at = i;
    s->volumes[at].who = who;
    s->volumes[at].volume = volume;
    for (int i = 0; i < STUDIO_EARS_MAX; i++)
        if (s->voices[i].stream && s->voices[i].who == who)
            ear_set_volume(s->voices[i].ear, volume);
}

static void read_words(struct studio *s)
{
    for (;;) {
        uint32_t at = atomic_load_explicit(&s->down.read, memory_order_relaxed);
        if (at == atomic_load_explicit(&s->down.wrote, memory_order_acquire))
            return;
        const struct studio_down *d = &s->down_frames[at % DOWN_FRAMES];
        struct studio_voice *v = d->what == STUDIO_GONE ? voice_of(s, d->media.stream) : NULL;
        if (d->what == STUDIO_HEARD)
            on_frame(s, d);
        else if (d->what == STUDIO_VOLUME)
            set_volume(s, d->who, d->volume);
        else if (d->what == STUDIO_PERSON && s->record)
            record_person(s->record, d->who, (const char *)d->bytes);
        else if (v)
            let_go(v);
        atomic_store_explicit(&s->down.read, at + 1, memory_order_release);
    }
}

/* What the canceller is to know of: whole blocks of it. */
static void note_played(struct studio *s, const int16_t *pcm, int64_t at_us)
{
    if (!s->process)
        return;
    if (!s->n_played)
        s->played_us = at_us;
    memcpy(s->played + s->n_played, pcm, STUDIO_BLOCK * sizeof *pcm);
    s->n_played += STUDIO_BLOCK;
    if (s->n_played < SOUND_BLOCK)
        return;
    process_on_heard(s->process, s->played, s->played_us);
    s->n_played = 0;
}

static void play(struct studio *s, int64_t now_us)
{
    int16_t pcm[STUDIO_BLOCK];

    while (sound_out_wants(s->speaker, now_us) >= STUDIO_BLOCK) {
        int64_t at_us = sound_out_heard_us(s->speaker, now_us);
        mix_begin(&s->mix, STUDIO_BLOCK);
        for (int i = 0; i < STUDIO_EARS_MAX; i++)
            if (s->voices[i].stream && ear_pull(s->voices[i].ear, now_us, at_us, pcm, STUDIO_BLOCK))
                mix_add(&s->mix, pcm, 1);
        mix_end(&s->mix, pcm);
        note_played(s, pcm, at_us);
        sound_out_write(s->speaker, now_us, pcm, STUDIO_BLOCK);
    }
}

/* --- what is said --------------------------------------------------------------------------- */

static void give(struct studio *s, const uint8_t *bytes, int len, bool silence)
{
    uint32_t at = atomic_load_explicit(&s->up.wrote, memory_order_relaxed);
    uint64_t one = 1;

    if (at - atomic_load_explicit(&s->up.read, memory_order_acquire) >= UP_FRAMES) {
        s->lost++;
        return;
    }
    struct studio_frame *f = &s->up_frames[at % UP_FRAMES];
    *f = (struct studio_frame){ .codec = s->wish.codec,
                                .timestamp = (uint32_t)s->stamp,
                                .level = s->level,
                                .silence = silence,
                                .len = (uint16_t)len };
    memcpy(f->bytes, bytes, (size_t)len);
    atomic_store_explicit(&s->up.wrote, at + 1, memory_order_release);
    if (write(s->fd, &one, sizeof one) < 0)
        return; /* it counts enough already */
}

static void follow_rate(struct studio *s)
{
    uint32_t bits = s->bits, loss = s->loss_permille;

    if (bits != s->bits_now)
        encoder_set_bits(s->encoder, bits);
    if (loss != s->loss_now)
        encoder_set_loss(s->encoder, (float)loss / 1000);
    s->bits_now = bits;
    s->loss_now = loss;
}

/* One frame of those that wait. last: nothing follows, so that nobody waits for it. */
static void encode(struct studio *s, bool last)
{
    uint32_t ticks = s->wish.frame_ticks;
    uint8_t bytes[CODEC_BYTES_MAX];
    bool silence = false;

    follow_rate(s);
    int len = encoder_frame(s->encoder, s->waiting, ticks, bytes, &silence);
    if (len > 0) {
        give(s, bytes, len, silence || last);
        if (s->record)
            record_frame(s->record, s->stamp_us, STUDIO_SELF, s->wish.codec, bytes, (size_t)len);
    }
    s->stamp += ticks;
    s->stamp_us += (int64_t)ticks * 125 / 6;
    s->n_waiting -= ticks;
    memmove(s->waiting, s->waiting + ticks, s->n_waiting * sizeof *s->waiting);
}

/* The clock of timestamps is that of the samples; it jumps when they do. */
static void mind_stamp(struct studio *s, int64_t at_us)
{
    int64_t next_us = s->stamp_us + (int64_t)s->n_waiting * 125 / 6;
    int64_t off_us = at_us - next_us;

    if (s->stamped && off_us < JUMP_US && off_us > -JUMP_US)
        return;
    s->n_waiting = 0;
    s->stamp_us = at_us;
    s->stamp = (uint64_t)at_us * 6 / 125;
    s->stamped = true;
}

static void on_block(struct studio *s, int16_t *pcm, int64_t at_us)
{
    bool wants = !studio_is_muted(s);

    if (s->process)
        process_said(s->process, pcm, at_us);
    s->level = level_of(pcm, SOUND_BLOCK);
    activity_on_level(&s->activity, at_us, s->level);
    bool heard = gate_fade(&s->gate, wants, pcm, SOUND_BLOCK);
    mind_stamp(s, at_us);
    memcpy(s->waiting + s->n_waiting, pcm, SOUND_BLOCK * sizeof *pcm);
    s->n_waiting += SOUND_BLOCK;
    if (!heard && !s->open) { /* nothing is made of it */
        s->stamped = false;
        s->n_waiting = 0;
        return;
    }
    s->open = true;
    while (s->n_waiting >= s->wish.frame_ticks) {
        bool last = !heard && !wants && s->n_waiting < 2 * s->wish.frame_ticks;
        encode(s, last);
        if (last)
            s->open = false;
    }
}

static void listen(struct studio *s, int64_t now_us)
{
    int16_t pcm[SOUND_BLOCK];
    int64_t at_us;

    while (sound_in_read(s->mic, now_us, pcm, SOUND_BLOCK, &at_us))
        on_block(s, pcm, at_us);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void tell_record(struct studio *s)
{
    static const char *const words[] = {
        [RECORD_BEGUN] = "%s is recorded",
        [RECORD_MISSING] = "%s IS NOT RECORDED: %s",
        [RECORD_AGAIN] = "%s is recorded again",
        [RECORD_STOPPED] = "%sTHE RECORDING HAS STOPPED: %s",
    };
    struct record_news n;
    char text[STUDIO_NEWS];

    while (s->record && record_next_news(s->record, &n)) {
        snprintf(text, sizeof text, words[n.what], n.what == RECORD_STOPPED ? "" : n.name,
                 err_text(n.err));
        studio_tell(s, text);
    }
}

static void show_ear(const struct studio_voice *v, struct studio_ear *ret)
{
    const struct jitter *j = ear_jitter(v->ear);

    *ret = (struct studio_ear){ .stream = v->stream,
                                .who = v->who,
                                .level = ear_level(v->ear),
                                .played_ticks = j->counts.played_ticks,
                                .concealed_ticks = j->counts.concealed_ticks,
                                .held_us = jitter_held_us(j) };
}

static void show(struct studio *s, int64_t now_us)
{
    if (now_us - s->shown_us < SHOW_US || pthread_mutex_trylock(&s->lock))
        return;
    s->shown_us = now_us;
    sound_in_look(s->mic, &s->shown.mic);
    sound_out_look(s->speaker, &s->shown.speaker);
    s->shown.level = s->level;
    s->shown.speaks = s->activity.loud && now_us - s->activity.loud_us < LEVEL_STAY_US;
    s->shown.n = 0;
    for (int i = 0; i < STUDIO_EARS_MAX; i++)
        if (s->voices[i].stream)
            show_ear(&s->voices[i], &s->shown.ears[s->shown.n++]);
    pthread_mutex_unlock(&s->lock);
}

static void rest(struct studio *s, int64_t now_us)
{
    int64_t in_us = sound_in_due_us(s->mic, now_us, SOUND_BLOCK);
    int64_t out_us = sound_out_due_us(s->speaker, now_us, STUDIO_BLOCK);
    int64_t until_us = in_us < out_us ? in_us : out_us;

    until_us = until_us < now_us + TURN_US ? until_us : now_us + TURN_US;
    if (until_us <= now_us)
        until_us = now_us + 500;
    struct timespec t = { .tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000 };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

void *studio_run(void *studio)
{
    struct studio *s = studio;

    sleep_sharpen();
    while (!s->over) {
        int64_t now_us = sleep_now_us();
        read_words(s);
        play(s, now_us);
        listen(s, now_us);
        tell_record(s);
        show(s, now_us);
        rest(s, sleep_now_us());
    }
    return NULL;
}
