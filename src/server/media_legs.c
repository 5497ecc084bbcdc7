#include "server/worker_media_in.h"

#include <stdlib.h>

#include "base/err.h"

void media_leg_free(struct leg_at *l)
{
    for (int i = 0; i < UPS_MAX; i++)
        free(l->ups[i]);
    free(l);
}

bool media_has_way(const struct carried *c)
{
    struct flow_view v;

    if (c->over)
        return false;
    flow_look(c->flow, &v);
    return c->tunnel || v.paths->now.len;
}

static void serve(struct leg_at *l, struct carried *c)
{
    const struct flow_media_settings s = { .take = media_take, .ctx = l };

    if (flow_take_media(c->flow, &s, l->w->now_us))
        return; /* without memory: media ends it, and its client begins anew */
    c->leg = l;
    l->next = c;
    if (!l->c || media_has_way(c)) {
        l->c = c;
        l->next = NULL;
    }
}

static void unserve(struct leg_at *l, struct carried *c)
{
    const struct flow_media_settings nobody = { 0 };

    if (!c)
        return;
    flow_take_media(c->flow, &nobody, l->w->now_us);
    c->leg = NULL;
}

static struct shown *shown_get(struct forwarding *f, uint64_t meeting)
{
    struct shown *s = map_get(&f->shown, meeting);

    if (s)
        return s;
    s = calloc(1, sizeof *s);
    if (s && map_put(&f->shown, meeting, s)) {
        free(s);
        return NULL;
    }
    if (s)
        s->meeting = meeting;
    return s;
}

static void enter(struct worker *w, const struct hub_leg *o)
{
    struct forwarding *f = w->media;
    struct leg_at *l = calloc(1, sizeof *l);
    struct shown *s = l ? shown_get(f, o->meeting) : NULL;
    int64_t leg = s ? relay_enter(f->relay, o->meeting, w->now_us) : -ROOST_NOMEM;
    struct carried *c = map_get(&w->sessions, o->id);

    if (leg >= 0 && map_put(&f->by_session, o->id, l)) {
        relay_leave(f->relay, (uint32_t)leg);
        leg = -ROOST_NOMEM;
    }
    if (leg < 0) { /* nothing comes to it, and nothing of it goes on */
        if (s && !s->legs)
            free(map_take(&f->shown, o->meeting));
        free(l);
        w->counts.media_refused++;
        return;
    }
    *l = (struct leg_at){ .w = w,
                          .id = o->id,
                          .leg = (uint32_t)leg,
                          .number = o->number,
                          .meeting = o->meeting,
                          .figures_us = w->now_us + MEDIA_FIGURES_US };
    f->legs[leg] = l;
    s->legs++;
    f->n_legs++;
    if (f->second_us == INT64_MAX)
        f->second_us = w->now_us + MEDIA_SPEAKER_US;
    if (c)
        serve(l, c);
}

/* A session that it had before is good for a while, and still says whose it is. */
static void unserve_all(struct worker *w, struct leg_at *l)
{
    struct map_slot *slot;

    for (size_t i = 0; (slot = map_next(&w->sessions, &i));) {
        struct carried *c = slot->value;
        if (c->leg == l)
            unserve(l, c);
    }
}

static void leave(struct worker *w, struct leg_at *l)
{
    struct forwarding *f = w->media;
    struct shown *s = map_get(&f->shown, l->meeting);

    unserve_all(w, l);
    relay_leave(f->relay, l->leg);
    map_take(&f->by_session, l->id);
    f->legs[l->leg] = NULL;
    for (struct leg_at **at = &f->talking; *at; at = &(*at)->next_talking)
        if (*at == l) {
            *at = l->next_talking;
            break;
        }
    if (!--s->legs)
        free(map_take(&f->shown, s->meeting));
    if (!--f->n_legs)
        f->second_us = f->gaps_us = INT64_MAX;
    media_leg_free(l);
}

static void move(struct worker *w, struct leg_at *l, uint32_t to)
{
    struct forwarding *f = w->media;
    struct carried *c = map_get(&w->sessions, to);

    if (map_put(&f->by_session, to, l))
        return; /* its client hears nothing, and begins anew */
    map_take(&f->by_session, l->id);
    l->id = to;
    if (l->next)
        unserve(l, l->next);
    l->next = NULL;
    if (c)
        serve(l, c);
}

/* --- streams --- */

static void publish(struct leg_at *l, const struct hub_leg *o)
{
    struct forwarding *f = l->w->media;
    enum relay_sort sort = o->kind == LEG_VOICE   ? RELAY_VOICE
                           : o->kind == LEG_SOUND ? RELAY_SOUND
                                                  : RELAY_PICTURE;

    if (relay_publish(f->relay, l->leg, o->stream, sort)) {
        l->w->counts.media_refused++;
        return;
    }
    relay_mute(f->relay, l->meeting, o->stream, o->muted);
    for (int i = 0; i < UPS_MAX; i++) {
        if (l->ups[i])
            continue;
        l->ups[i] = calloc(1, sizeof *l->ups[i]); /* without: repeats are forwarded too */
        if (l->ups[i]) {
            l->ups[i]->stream = o->stream;
            figures_init(&l->ups[i]->figures, l->w->now_us);
        }
        return;
    }
}

static void unpublish(struct leg_at *l, uint64_t stream)
{
    relay_unpublish(l->w->media->relay, l->leg, stream);
    for (int i = 0; i < UPS_MAX; i++)
        if (l->ups[i] && l->ups[i]->stream == stream) {
            free(l->ups[i]);
            l->ups[i] = NULL;
        }
}

void worker_media_on_leg(struct worker *w, const struct hub_leg *o)
{
    struct leg_at *l = map_get(&w->media->by_session, o->id);

    if (o->what == LEG_ENTER && !l)
        enter(w, o);
    if (!l)
        return;
    switch (o->what) {
    case LEG_ENTER:
        break;
    case LEG_LEAVE:
        leave(w, l);
        break;
    case LEG_MOVE:
        move(w, l, o->to);
        break;
    case LEG_PUBLISH:
        publish(l, o);
        break;
    case LEG_UNPUBLISH:
        unpublish(l, o->stream);
        break;
    case LEG_MUTE:
        relay_mute(w->media->relay, l->meeting, o->stream, o->muted);
        break;
    case LEG_WANT:
        relay_want(w->media->relay, l->leg, o->stream, o->encoding, o->temporal);
        break;
    }
}

void worker_media_left(struct worker *w, struct carried *c)
{
    struct leg_at *l = c->leg;

    (void)w;
    if (!l)
        return;
    unserve(l, c);
    if (l->next == c)
        l->next = NULL;
    if (l->c == c) {
        l->c = l->next;
        l->next = NULL;
    }
}
