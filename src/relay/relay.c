#include "relay/relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "relay/inside.h"

/* --- life ------------------------------------------------------------------------------- */

static bool is_power(uint32_t n)
{
    return n && !(n & (n - 1));
}

static void share_queues(struct relay *r)
{
    struct held *at = r->queues;

    for (uint32_t i = 0; i < r->is.legs; i++) {
        r->legs[i].voices = (struct queue){ at, RELAY_VOICES_MAX, 0, 0 };
        at += RELAY_VOICES_MAX;
        r->legs[i].pictures = (struct queue){ at, RELAY_PICTURES_MAX, 0, 0 };
        at += RELAY_PICTURES_MAX;
    }
}

int relay_new(struct relay **ret, const struct relay_settings *s)
{
    struct relay *r;

    if (!is_power(s->items) || !is_power(s->buffers) || !s->legs || !s->meetings || !s->streams)
        return -ROOST_INVALID;
    r = calloc(1, sizeof *r);
    if (!r)
        return -ROOST_NOMEM;
    r->is = *s;
    map_init(&r->by_number, s->legs);
    r->legs = calloc(s->legs, sizeof *r->legs);
    r->streams = calloc(s->streams, sizeof *r->streams);
    r->meetings = calloc(s->meetings, sizeof *r->meetings);
    r->queues = calloc((size_t)s->legs * (RELAY_VOICES_MAX + RELAY_PICTURES_MAX),
                       sizeof *r->queues);
    r->items = calloc(s->items, sizeof *r->items);
    r->buffers = calloc(s->buffers, s->buffer_bytes);
    r->heap = calloc(s->legs, sizeof *r->heap);
    if (!r->legs || !r->streams || !r->meetings || !r->queues || !r->items || !r->buffers ||
        !r->heap) {
        relay_free(r);
        return -ROOST_NOMEM;
    }
    share_queues(r);
    r->next_item = s->items; /* so that number 0 is gone already */
    r->next_buffer = s->buffers;
    *ret = r;
    return 0;
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; r->meetings && i < r->is.meetings; i++)
        map_fini(&r->meetings[i].streams);
    map_fini(&r->by_number);
    free(r->legs);
    free(r->streams);
    free(r->meetings);
    free(r->queues);
    free(r->items);
    free(r->buffers);
    free(r->heap);
    free(r);
}

const struct relay_counts *relay_counts(const struct relay *r)
{
    return &r->counts;
}

/* --- meetings and legs -------------------------------------------------------------------- */

static struct meeting *meeting_of(struct relay *r, uint64_t number)
{
    struct meeting *m = map_get(&r->by_number, number);

    if (m)
        return m;
    for (uint32_t i = 0; i < r->is.meetings && !m; i++)
        if (!r->meetings[i].used)
            m = &r->meetings[i];
    if (!m || map_put(&r->by_number, number, m))
        return NULL;
    *m = (struct meeting){ .used = true, .number = number, .first = NOBODY };
    map_init(&m->streams, number);
    speakers_init(&m->speakers, r->is.speakers);
    return m;
}

static void meeting_end(struct relay *r, struct meeting *m)
{
    map_take(&r->by_number, m->number);
    map_fini(&m->streams);
    *m = (struct meeting){ 0 };
}

static void leg_begin(struct leg *l, int64_t now_us)
{
    struct queue voices = l->voices, pictures = l->pictures;

    voices.n = pictures.n = 0;
    memset(l, 0, sizeof *l);
    l->voices = voices;
    l->pictures = pictures;
    l->used = true;
    l->heap = NOBODY;
    l->due_us = l->voices_due_us = INT64_MAX;
    for (int i = 0; i < RELAY_WANTS_MAX; i++)
        l->wants[i].stream = NOBODY;
    turn_init(&l->turn, now_us, 1000000);
}

int64_t relay_enter(struct relay *r, uint64_t meeting, int64_t now_us)
{
    uint32_t leg = 0;

    while (leg < r->is.legs && r->legs[leg].used)
        leg++;
    if (leg == r->is.legs)
        return -ROOST_LIMIT;
    struct meeting *m = meeting_of(r, meeting);
    if (!m)
        return -ROOST_LIMIT;
    leg_begin(&r->legs[leg], now_us);
    r->legs[leg].meeting = (uint32_t)(m - r->meetings);
    r->legs[leg].after = m->first;
    m->first = leg;
    m->n_legs++;
    r->n_legs++;
    return leg;
}

static void unwant_all(struct relay *r, const struct meeting *m, uint32_t stream)
{
    for (uint32_t leg = m->first; leg != NOBODY; leg = r->legs[leg].after)
        for (int i = 0; i < RELAY_WANTS_MAX; i++)
            if (r->legs[leg].wants[i].stream == stream)
                r->legs[leg].wants[i].stream = NOBODY;
}

static void stream_end(struct relay *r, struct stream *s)
{
    struct meeting *m = &r->meetings[s->meeting];

    unwant_all(r, m, (uint32_t)(s - r->streams));
    if (s->sort == RELAY_VOICE)
        speakers_on_silent(&m->speakers, s->leg + 1);
    map_take(&m->streams, s->number);
    m->slots[s->slot / 64] &= ~(1ULL << s->slot % 64);
    *s = (struct stream){ 0 };
}

void relay_leave(struct relay *r, uint32_t leg)
{
    struct leg *l = &r->legs[leg];

    if (leg >= r->is.legs || !l->used)
        return;
    struct meeting *m = &r->meetings[l->meeting];
    for (uint32_t i = 0; i < r->is.streams; i++)
        if (r->streams[i].used && r->streams[i].leg == leg)
            stream_end(r, &r->streams[i]);
    for (uint32_t *at = &m->first; *at != NOBODY; at = &r->legs[*at].after)
        if (*at == leg) {
            *at = l->after;
            break;
        }
    relay_undue(r, leg);
    l->used = false;
    r->n_legs--;
    if (!--m->n_legs)
        meeting_end(r, m);
}

/* --- streams ------------------------------------------------------------------------------- */

struct stream *relay_stream(const struct meeting *m, uint64_t number)
{
    return map_get(&m->streams, number);
}

static int free_slot(const struct meeting *m)
{
    for (int i = 0; i < RELAY_STREAMS_MAX; i++)
        if (!(m->slots[i / 64] >> i % 64 & 1))
            return i;
    return -ROOST_LIMIT;
}

int relay_publish(struct relay *r, uint32_t leg, uint64_t number, enum relay_sort sort)
{
    if (leg >= r->is.legs || !r->legs[leg].used)
        return -ROOST_INVALID;
    struct meeting *m = &r->meetings[r->legs[leg].meeting];
    struct stream *s = NULL;
    int slot = free_slot(m);

    for (uint32_t i = 0; i < r->is.streams && !s; i++)
        if (!r->streams[i].used)
            s = &r->streams[i];
    if (relay_stream(m, number))
        return -ROOST_INVALID;
    if (slot < 0 || !s)
        return -ROOST_LIMIT;
    if (map_put(&m->streams, number, s))
        return -ROOST_NOMEM;
    m->slots[slot / 64] |= 1ULL << slot % 64;
    *s = (struct stream){ .used = true, .sort = sort, .number = number, .leg = leg };
    s->meeting = r->legs[leg].meeting;
    s->slot = (uint32_t)slot;
    for (int i = 0; i < MEDIA_ENCODINGS; i++)
        s->key_asked_us[i] = INT64_MIN / 2;
    return 0;
}

void relay_unpublish(struct relay *r, uint32_t leg, uint64_t number)
{
    struct stream *s = leg < r->is.legs && r->legs[leg].used
                           ? relay_stream(&r->meetings[r->legs[leg].meeting], number)
                           : NULL;

    if (s && s->leg == leg)
        stream_end(r, s);
}

int relay_mute(struct relay *r, uint64_t meeting, uint64_t stream, bool muted)
{
    struct meeting *m = map_get(&r->by_number, meeting);
    struct stream *s = m ? relay_stream(m, stream) : NULL;

    if (!s)
        return -ROOST_INVALID;
    s->muted = muted;
    if (muted && s->sort == RELAY_VOICE)
        speakers_on_silent(&m->speakers, s->leg + 1);
    return 0;
}

static struct want *want_of(struct leg *l, uint32_t stream)
{
    for (int i = 0; i < RELAY_WANTS_MAX; i++)
        if (l->wants[i].stream == stream)
            return &l->wants[i];
    return NULL;
}

int relay_want(struct relay *r, uint32_t leg, uint64_t stream, uint8_t encoding, int temporal)
{
    if (leg >= r->is.legs || !r->legs[leg].used || encoding >= MEDIA_ENCODINGS)
        return -ROOST_INVALID;
    struct leg *l = &r->legs[leg];
    struct stream *s = relay_stream(&r->meetings[l->meeting], stream);
    if (!s || s->sort != RELAY_PICTURE || s->leg == leg)
        return -ROOST_INVALID;
    uint32_t place = (uint32_t)(s - r->streams);
    struct want *w = want_of(l, place);
    if (!w && temporal < 0)
        return 0;
    if (!w) {
        w = want_of(l, NOBODY);
        if (!w)
            return -ROOST_LIMIT;
        w->encoding = MEDIA_ENCODINGS; /* none yet */
    }
    w->stream = temporal < 0 ? (uint32_t)NOBODY : place;
    w->next = encoding;
    w->temporal = temporal;
    return 0;
}

bool relay_ask_key(struct relay *r, int64_t now_us, uint32_t leg, const struct media_ask *a,
                   uint32_t *ret_leg)
{
    if (leg >= r->is.legs || !r->legs[leg].used || a->encoding >= MEDIA_ENCODINGS)
        return false;
    struct leg *l = &r->legs[leg];
    struct stream *s = relay_stream(&r->meetings[l->meeting], a->stream);
    if (!s || s->sort != RELAY_PICTURE || !want_of(l, (uint32_t)(s - r->streams)) ||
        now_us - s->key_asked_us[a->encoding] < RELAY_KEY_US)
        return false;
    s->key_asked_us[a->encoding] = now_us;
    *ret_leg = s->leg;
    return true;
}

int64_t relay_speaker(const struct relay *r, uint64_t meeting)
{
    const struct meeting *m = map_get(&r->by_number, meeting);

    return m ? (int64_t)speakers_first(&m->speakers) - 1 : -1;
}
