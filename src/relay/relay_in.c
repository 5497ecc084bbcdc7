#include <string.h>

#include "base/err.h"
#include "relay/inside.h"

uint8_t *relay_buffer(struct relay *r, uint32_t *ret_buffer)
{
    *ret_buffer = r->next_buffer++;
    return r->buffers + (size_t)(*ret_buffer % r->is.buffers) * r->is.buffer_bytes;
}

struct item *relay_item(const struct relay *r, uint32_t number)
{
    struct item *i = &r->items[number % r->is.items];

    if (r->next_item - number > r->is.items || r->next_item == number ||
        r->next_buffer - i->buffer > r->is.buffers)
        return NULL;
    return i;
}

static uint32_t item_new(struct relay *r, const struct media *m, const struct stream *s,
                         uint32_t buffer, uint32_t offset)
{
    uint32_t number = r->next_item++;
    struct item *i = &r->items[number % r->is.items];

    *i = (struct item){ *m, buffer, offset, s->slot };
    i->head.has_level = false; /* of the voice, and for the relay alone */
    i->head.level = 0;
    return number;
}

/* To all others; who joined a moment ago too. */
static void spread_sound(struct relay *r, int64_t now_us, int64_t came_us, const struct stream *s,
                         uint32_t item)
{
    const struct meeting *m = &r->meetings[s->meeting];
    int64_t due_us = came_us + relay_hold_us(r, now_us);

    for (uint32_t leg = m->first; leg != NOBODY; leg = r->legs[leg].after)
        if (leg != s->leg)
            relay_put_voice(r, leg, item, due_us);
}

/* Another encoding begins with a key frame's first part; none goes on in the middle of a frame. */
static bool is_wanted(struct want *w, const struct media *m)
{
    if (m->key && !m->part && m->encoding == w->next)
        w->encoding = w->next;
    return m->encoding == w->encoding && m->temporal <= w->temporal;
}

static void spread_picture(struct relay *r, int64_t now_us, const struct stream *s,
                           const struct media *m, uint32_t item)
{
    uint32_t place = (uint32_t)(s - r->streams);

    for (uint32_t leg = r->meetings[s->meeting].first; leg != NOBODY; leg = r->legs[leg].after)
        for (int i = 0; i < RELAY_WANTS_MAX; i++)
            if (r->legs[leg].wants[i].stream == place && is_wanted(&r->legs[leg].wants[i], m))
                relay_put_picture(r, now_us, leg, item);
}

int relay_on_media(struct relay *r, int64_t now_us, int64_t came_us, uint32_t leg,
                   const struct media *m, uint32_t buffer, uint32_t offset)
{
    bool changed;

    if (leg >= r->is.legs || !r->legs[leg].used || offset > r->is.buffer_bytes ||
        m->len > r->is.buffer_bytes - offset)
        return -ROOST_INVALID;
    r->counts.came++;
    struct meeting *meeting = &r->meetings[r->legs[leg].meeting];
    struct stream *s = relay_stream(meeting, m->stream);
    if (!s || s->leg != leg) {
        r->counts.foreign++;
        return -ROOST_NOT_ALLOWED;
    }
    if (s->muted) {
        r->counts.muted++;
        return -ROOST_NOT_ALLOWED;
    }
    if (s->sort == RELAY_VOICE && !speakers_on_frame(&meeting->speakers, now_us, leg + 1,
                                                     m->has_level ? m->level : 0, &changed)) {
        r->counts.unheard++;
        return 0;
    }
    uint32_t item = item_new(r, m, s, buffer, offset);
    if (s->sort != RELAY_PICTURE)
        spread_sound(r, now_us, came_us, s, item);
    else
        spread_picture(r, now_us, s, m, item);
    return 0;
}
