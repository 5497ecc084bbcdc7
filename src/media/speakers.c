#include "media/speakers.h"

#include <stddef.h>

void speakers_init(struct speakers *s, uint32_t places)
{
    *s = (struct speakers){ .n = places < 1 ? 1 : places > SPEAKERS_MAX ? SPEAKERS_MAX : places };
}

static struct speaker *find(const struct speakers *s, uint32_t who)
{
    for (uint32_t i = 0; who && i < s->n; i++)
        if (s->places[i].who == who)
            return (struct speaker *)&s->places[i];
    return NULL;
}

bool speakers_has(const struct speakers *s, uint32_t who)
{
    return find(s, who) != NULL;
}

/* An empty one, or of who was loud longest ago, if that is long enough. */
static struct speaker *place_for(struct speakers *s, int64_t now_us)
{
    struct speaker *oldest = &s->places[0];

    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->places[i].who)
            return &s->places[i];
        if (s->places[i].loud_us < oldest->loud_us)
            oldest = &s->places[i];
    }
    return now_us - oldest->loud_us >= SPEAKERS_STAY_US ? oldest : NULL;
}

/* A quarter of the way to what is heard, so it is a matter of 100 ms. */
static void hear(struct speaker *p, int64_t now_us, uint8_t level)
{
    p->level += (level * 16 - p->level) / 4;
    p->level_us = now_us;
    if (level >= SPEAKERS_LOUD)
        p->loud_us = now_us;
}

/* Who has not been heard for a while is not loud any more. */
static int32_t level_of(const struct speaker *p, int64_t now_us)
{
    return p && now_us - p->level_us < SPEAKERS_TURN_US ? p->level : 0;
}

static void choose(struct speakers *s, int64_t now_us, const struct speaker *p)
{
    const struct speaker *first = find(s, s->first);

    if (s->first == p->who)
        return;
    if (p->level < SPEAKERS_LOUD * 16 / 2)
        return;
    if (!first) {
        s->first = p->who;
        return;
    }
    bool louder = p->level > level_of(first, now_us) + SPEAKERS_BESIDE * 16;
    if (!louder) {
        if (s->rival == p->who)
            s->rival = 0;
    } else if (s->rival != p->who) {
        const struct speaker *rival = find(s, s->rival);
        if (!rival || level_of(rival, now_us) < p->level) {
            s->rival = p->who;
            s->rival_us = now_us;
        }
    } else if (now_us - s->rival_us >= SPEAKERS_TURN_US) {
        s->first = p->who;
        s->rival = 0;
    }
}

bool speakers_on_frame(struct speakers *s, int64_t now_us, uint32_t who, uint8_t level,
                       bool *ret_changed)
{
    struct speaker *p = find(s, who);

    *ret_changed = false;
    if (!p && level >= SPEAKERS_LOUD && (p = place_for(s, now_us))) {
        *p = (struct speaker){ .who = who, .loud_us = now_us };
        *ret_changed = true;
    }
    if (!p)
        return false;
    hear(p, now_us, level);
    choose(s, now_us, p);
    return true;
}

void speakers_on_silent(struct speakers *s, uint32_t who)
{
    struct speaker *p = find(s, who);

    if (p)
        *p = (struct speaker){ 0 };
    if (s->rival == who)
        s->rival = 0;
    if (s->first == who)
        s->first = 0;
}
