#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/voice_inside.h"
#include "media/jitter.h"

enum { STALE_US = 3000000 }; /* so long after its last part nothing is asked of a stream */
#define SECOND_US 1000000
/* The network damages a part now and then, and while a key changes some come under one that we are
 * not to have: for no longer than ALTERED_SPAN_US. What is more, somebody does. */
enum { ALTERED_MAX = 25 };
#define ALTERED_SPAN_US  (KEYRING_PATIENCE_US + KEYRING_LATE_US + SECOND_US)
#define ALTERED_US       (10 * SECOND_US)
#define ALTERED_AGAIN_US (60 * SECOND_US)

void hearing_free(struct hearing *h)
{
    if (h)
        free(h->way);
    free(h);
}

/* --- what comes ----------------------------------------------------------------------- */

static struct hearing_way *way_of(struct hearing *h, int64_t now_us)
{
    if (h->way)
        return h->way;
    h->way = calloc(1, sizeof *h->way);
    if (!h->way)
        return NULL;
    figures_init(&h->way->figures, now_us);
    h->way->second_us = h->way->feedback_us = now_us;
    return h->way;
}

/* When it was said, on the speaker's clock. */
static int64_t said_us(struct hearing_way *w, uint32_t stamp)
{
    w->stamp = w->stamped ? w->stamp + (int32_t)(stamp - w->last_stamp) : stamp;
    w->last_stamp = stamp;
    w->stamped = true;
    return w->stamp * 125 / 6;
}

/* 0, KEYRING_UNKNOWN, or an error; what was opened was given on. */
static int open_one(struct voice *v, int64_t now_us, uint32_t who, const struct media *m,
                    const uint8_t *payload)
{
    uint8_t bytes[MEDIA_PART_MAX];
    size_t len = m->len - KEYRING_TAG;

    memcpy(bytes, payload, m->len);
    int err = keyring_open(v->keys, now_us, who, m, bytes, len, bytes + len);
    if (!err)
        v->heard(v->ctx, now_us, who, m, bytes, len);
    voice_drain_keys(v, now_us);
    return err;
}

void voice_try_early(struct voice *v, int64_t now_us, uint32_t who, uint32_t key_id)
{
    struct early_frame f;
    uint8_t *bytes;

    for (uint32_t i = 0; early_take(&v->early, now_us, who, key_id, &i, &f, &bytes);) {
        uint8_t copy[MEDIA_PART_MAX];
        size_t len = f.len - KEYRING_TAG;
        memcpy(copy, bytes, f.len);
        if (!keyring_open(v->keys, now_us, who, &f.media, copy, len, copy + len))
            v->heard(v->ctx, now_us, who, &f.media, copy, len);
    }
}

static void note_loss(struct hearing_way *w, int64_t now_us)
{
    figures_on_loss(&w->figures, now_us, (uint32_t)(w->gaps.lost - w->told_lost),
                    (uint32_t)(w->gaps.repaired - w->told_repaired));
    w->told_lost = w->gaps.lost;
    w->told_repaired = w->gaps.repaired;
    if (w->gaps.received > 100)
        figures_on_why(&w->figures, now_us, FIGURES_LOSS, (uint32_t)(w->gaps.loss * 1000));
}

static void note_altered(struct voice *v, struct hearing *h, int64_t now_us)
{
    struct hearing_way *w = h->way;

    if (!w->altered || now_us - w->altered_us > ALTERED_US) {
        w->altered_us = now_us;
        w->altered = 0;
    }
    w->altered++;
    if (w->altered < ALTERED_MAX || now_us - w->altered_us < ALTERED_SPAN_US ||
        (w->altered_told_us && now_us - w->altered_told_us < ALTERED_AGAIN_US))
        return;
    w->altered_told_us = now_us;
    voice_tell(v, &(struct keyring_event){ .what = KEYRING_ALTERED, .who = h->who });
}

static bool skim(struct voice *v, int64_t now_us, const struct hearing *h, const struct media *m)
{
    struct hearing_way *w = h->way;
    enum gaps_came came = gaps_on_part(&w->gaps, now_us, m->count);

    note_loss(w, now_us);
    w->heard_us = now_us;
    if (came != GAPS_AGAIN)
        v->heard(v->ctx, now_us, h->who, m, NULL, 0);
    return came != GAPS_AGAIN;
}

/* A frame that does not open is as good as lost: it was damaged on the way, and is asked for. */
static bool on_media(struct voice *v, int64_t now_us, const struct media *m, const uint8_t *payload)
{
    struct hearing *h = map_get(&v->streams, m->stream);
    struct hearing_way *w = h ? way_of(h, now_us) : NULL;

    if (!w || m->len <= KEYRING_TAG || m->len > MEDIA_PART_MAX || m->part || !m->last)
        return false;
    if (v->opens_each && w->came++ % v->opens_each)
        return skim(v, now_us, h, m);
    int err = open_one(v, now_us, h->who, m, payload);
    if (err < 0 && err != -ROOST_ALREADY) {
        w->unopened++;
        if (err == -ROOST_MALFORMED)
            note_altered(v, h, now_us);
        return false;
    }
    enum gaps_came came = gaps_on_part(&w->gaps, now_us, m->count);
    if (err == KEYRING_UNKNOWN && came != GAPS_AGAIN)
        early_put(&v->early, now_us, h->who, m, payload, m->len);
    if (came == GAPS_NEW && w->heard_us && now_us - w->heard_us > SECOND_US && !h->muted)
        figures_on_why(&w->figures, now_us, FIGURES_STEADY, 0);
    if (came == GAPS_NEW)
        figures_on_packet(&w->figures, now_us, said_us(w, m->timestamp), m->len);
    note_loss(w, now_us);
    w->heard_us = now_us;
    return came != GAPS_AGAIN;
}

bool voice_on_dgram(struct voice *v, int64_t now_us, const struct dgram *d, const uint8_t *payload)
{
    if (d->kind == DGRAM_MEDIA)
        return on_media(v, now_us, &d->media, payload);
    if (d->kind == DGRAM_NACK)
        voice_on_nack(v, now_us, &d->nack);
    return d->kind == DGRAM_NACK;
}

/* --- what is asked and told ---------------------------------------------------------------- */

static bool is_stale(const struct hearing_way *w, int64_t now_us)
{
    return now_us - w->heard_us > STALE_US;
}

static void put_feedback(const struct hearing *h, struct voice_out *out)
{
    const struct hearing_way *w = h->way;
    struct dgram *d = &out->words[out->n_words++];

    *d = (struct dgram){ .kind = DGRAM_FEEDBACK };
    d->feedback = (struct feedback){ .stream = h->stream,
                                     .received = w->gaps.received,
                                     .lost = w->gaps.lost,
                                     .repaired = w->gaps.repaired,
                                     .concealed_ms = w->ear.concealed_ticks / (MEDIA_HZ / 1000),
                                     .held_us = (uint64_t)w->ear.held_us,
                                     .why = (uint8_t)w->figures.why };
}

void voice_put_words(struct voice *v, int64_t now_us, struct voice_out *out)
{
    struct map_slot *slot;

    for (size_t i = 0; out->n_words < VOICE_WORDS_MAX && (slot = map_next(&v->streams, &i));) {
        struct hearing *h = slot->value;
        struct dgram *d = &out->words[out->n_words];
        if (!h->way || is_stale(h->way, now_us))
            continue;
        *d = (struct dgram){ .kind = DGRAM_NACK };
        if (gaps_ask(&h->way->gaps, now_us, v->rtt_us, JITTER_MOST_US, &d->nack)) {
            d->nack.stream = h->stream;
            out->n_words++;
        } else if (now_us - h->way->feedback_us >= VOICE_FEEDBACK_US) {
            h->way->feedback_us = now_us;
            put_feedback(h, out);
        }
    }
}

int64_t voice_ask_us(const struct voice *v, int64_t now_us)
{
    struct map_slot *slot;
    int64_t at_us = INT64_MAX;

    for (size_t i = 0; (slot = map_next(&v->streams, &i));) {
        const struct hearing *h = slot->value;
        if (!h->way || is_stale(h->way, now_us))
            continue;
        int64_t due_us = gaps_deadline_us(&h->way->gaps, v->rtt_us, JITTER_MOST_US);
        int64_t tell_us = h->way->feedback_us + VOICE_FEEDBACK_US;
        due_us = tell_us < due_us ? tell_us : due_us;
        at_us = due_us < at_us ? due_us : at_us;
    }
    return at_us;
}

/* --- figures --------------------------------------------------------------------------------- */

void voice_on_ear(struct voice *v, int64_t now_us, uint64_t stream, const struct voice_ear *ear)
{
    struct hearing *h = map_get(&v->streams, stream);
    struct hearing_way *w = h ? h->way : NULL;

    if (!w)
        return;
    if (ear->played_ticks < w->ear.played_ticks || ear->concealed_ticks < w->ear.concealed_ticks)
        w->n_seconds = 0; /* another ear */
    w->ear = *ear;
    figures_on_why(&w->figures, now_us, FIGURES_DELAY, (uint32_t)(ear->held_us / 1000));
    if (!w->n_seconds)
        w->seconds[w->n_seconds++] = *ear;
    if (now_us - w->second_us > EAR_SECONDS * SECOND_US)
        w->second_us = now_us - EAR_SECONDS * SECOND_US;
    for (; now_us - w->second_us >= SECOND_US; w->second_us += SECOND_US)
        w->seconds[w->n_seconds++ % (EAR_SECONDS + 1)] = *ear;
}

static uint32_t concealed_ppm(const struct hearing_way *w)
{
    struct voice_ear then = { 0 };
    uint32_t back = w->n_seconds < EAR_SECONDS + 1 ? w->n_seconds : EAR_SECONDS + 1;

    if (back)
        then = w->seconds[(w->n_seconds - back) % (EAR_SECONDS + 1)];
    uint64_t concealed = w->ear.concealed_ticks - then.concealed_ticks;
    uint64_t all = w->ear.played_ticks - then.played_ticks + concealed;
    return all ? (uint32_t)(concealed * 1000000 / all) : 0;
}

static void look_in(struct voice *v, int64_t now_us, struct hearing *h, struct voice_figures *ret)
{
    struct hearing_way *w = h->way;

    *ret = (struct voice_figures){ .stream = h->stream,
                                   .who = h->who,
                                   .codec = h->codec,
                                   .muted = h->muted,
                                   .heard = now_us - w->heard_us < SECOND_US,
                                   .concealed_ppm = concealed_ppm(w),
                                   .held_us = w->ear.held_us,
                                   .ear = w->ear,
                                   .received = w->gaps.received,
                                   .lost = w->gaps.lost,
                                   .repaired = w->gaps.repaired,
                                   .unopened = w->unopened };
    figures_on_rtt(&w->figures, v->rtt_us);
    figures_look(&w->figures, now_us, &ret->view);
}

bool voice_look(struct voice *v, int64_t now_us, uint32_t i, struct voice_figures *ret)
{
    struct map_slot *slot;

    for (uint32_t k = 0; k < VOICE_OWN_MAX; k++)
        if (v->own[k].used && !i--) {
            struct saying *s = &v->own[k];
            *ret = (struct voice_figures){ .stream = s->stream, .codec = s->codec };
            figures_look(&s->figures, now_us, &ret->view);
            return true;
        }
    for (size_t k = 0; (slot = map_next(&v->streams, &k));) {
        struct hearing *h = slot->value;
        if (h->way && !i--) {
            look_in(v, now_us, h, ret);
            return true;
        }
    }
    return false;
}
