#include "server/worker_media_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/cheat.h"

enum {
    BUFFERS = 1024, /* a second and more of what comes */
    BUFFER_BYTES = 1280,
    ITEMS = 8192,
    NAP_PART = 8,
    SPEAKERS = 5, /* unless the settings say so */
};
#define PATH_US      50000  /* so often the relay hears what a path carries */
#define GAPS_US      5000   /* so often it is looked at what is missing */
#define BUDGET_US    150000 /* what was lost on the way to us is of use for so long */
#define NAP_LEAST_US 100    /* less is not worth its call */

/* --- life --- */

int worker_media_init(struct worker *w)
{
    const struct relay_settings s = { .legs = LEGS_MAX,
                                      .meetings = LEG_MEETINGS_MAX,
                                      .streams = LEG_STREAMS_MAX,
                                      .items = ITEMS,
                                      .buffers = BUFFERS,
                                      .buffer_bytes = BUFFER_BYTES,
                                      .speakers = w->all->settings.speakers
                                                      ? w->all->settings.speakers
                                                      : SPEAKERS,
                                      .mtu = PACKET_MTU_MIN };
    struct forwarding *f = calloc(1, sizeof *f);
    int err = f ? relay_new(&f->relay, &s) : -ROOST_NOMEM;

    if (err) {
        free(f);
        return err;
    }
    map_init(&f->by_session, (uint64_t)(uintptr_t)f);
    map_init(&f->shown, (uint64_t)(uintptr_t)f);
    f->gaps_us = f->second_us = INT64_MAX;
    f->used = BUFFER_BYTES;
    w->media = f;
    return 0;
}

void worker_media_fini(struct worker *w)
{
    struct forwarding *f = w->media;
    struct map_slot *s;

    if (!f)
        return;
    for (uint32_t i = 0; i < LEGS_MAX; i++)
        if (f->legs[i])
            media_leg_free(f->legs[i]);
    for (size_t i = 0; (s = map_next(&f->shown, &i));)
        free(s->value);
    map_fini(&f->shown);
    map_fini(&f->by_session);
    relay_free(f->relay);
    free(f);
    w->media = NULL;
}

/* --- what comes --- */

void media_talk(struct leg_at *l)
{
    if (l->talks)
        return;
    l->talks = true;
    l->next_talking = l->w->media->talking;
    l->w->media->talking = l;
}

static struct up *up_of(const struct leg_at *l, uint64_t stream)
{
    for (int i = 0; i < UPS_MAX; i++)
        if (l->ups[i] && l->ups[i]->stream == stream)
            return l->ups[i];
    return NULL;
}

static void measure(struct up *u, const struct media *m, int64_t now_us)
{
    if (!u->figures.heard_us)
        u->stamp = m->timestamp;
    u->stamp_us += (int64_t)(int32_t)(m->timestamp - u->stamp) * 125 / 6;
    u->stamp = m->timestamp;
    figures_on_packet(&u->figures, now_us, u->stamp_us, m->len);
}

/* False: it came before. */
static bool is_new(struct leg_at *l, struct up *u, const struct media *m)
{
    struct forwarding *f = l->w->media;
    int64_t now_us = l->w->now_us;
    enum gaps_came came = gaps_on_part(&u->gaps, now_us, m->count);

    if (came == GAPS_NEW)
        measure(u, m, l->w->came_us);
    if (u->gaps.lost != u->lost || u->gaps.repaired != u->repaired) {
        figures_on_loss(&u->figures, now_us, (uint32_t)(u->gaps.lost - u->lost),
                        (uint32_t)(u->gaps.repaired - u->repaired));
        u->lost = u->gaps.lost;
        u->repaired = u->gaps.repaired;
    }
    if (u->gaps.lost > u->gaps.repaired && came == GAPS_NEW && !l->wants_gaps) {
        l->wants_gaps = true;
        f->gaps_us = f->gaps_us < now_us + GAPS_US ? f->gaps_us : now_us + GAPS_US;
    }
    return came != GAPS_AGAIN;
}

static void on_media(struct leg_at *l, const struct media *m, const uint8_t *payload)
{
    struct forwarding *f = l->w->media;
    struct up *u = up_of(l, m->stream);

    if (m->len > BUFFER_BYTES || (u && !is_new(l, u, m)))
        return;
    if (f->used + m->len > BUFFER_BYTES) {
        f->fill = relay_buffer(f->relay, &f->buffer);
        f->used = 0;
    }
    memcpy(f->fill + f->used, payload, m->len);
    if (!relay_on_media(f->relay, l->w->now_us, l->w->came_us, l->leg, m, f->buffer, f->used))
        f->used += m->len;
}

static void on_key(struct leg_at *l, const struct media_ask *a)
{
    struct forwarding *f = l->w->media;
    uint32_t whom;

    if (!relay_ask_key(f->relay, l->w->now_us, l->leg, a, &whom) || !f->legs[whom] ||
        f->legs[whom]->n_asks == ASKS)
        return;
    f->legs[whom]->asks[f->legs[whom]->n_asks++] = *a;
    media_talk(f->legs[whom]);
}

int64_t media_rtt_us(const struct carried *c)
{
    struct flow_media_view v = { 0 };

    if (c)
        flow_look_media(c->flow, &v);
    return v.rtt_us;
}

void media_take(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct leg_at *l = ctx;

    switch (d->kind) {
    case DGRAM_MEDIA:
        cheat_media(l, &d->media, payload, on_media);
        break;
    case DGRAM_NACK:
        relay_on_nack(l->w->media->relay, l->w->now_us, l->leg, &d->nack, media_rtt_us(l->c));
        break;
    case DGRAM_KEYFRAME:
        on_key(l, &d->keyframe);
        break;
    default: /* FEEDBACK: what it says stands in reports too */
        break;
    }
}

void worker_media_came(struct worker *w, struct carried *c)
{
    struct leg_at *l = c->leg;
    struct flow_media_view v;

    if (!l)
        return;
    if (l->next == c && media_has_way(c)) {
        l->c = c;
        l->next = NULL;
        l->path_us = 0;
    }
    if (l->c != c || w->now_us < l->path_us || !flow_look_media(c->flow, &v))
        return;
    l->path_us = w->now_us + PATH_US;
    relay_on_path(w->media->relay, w->now_us, l->leg, v.rate, v.loss);
}

/* --- what is asked for --- */

/* Key frames and lost parts that are asked for. */
static void say(struct worker *w, struct gather *g, struct leg_at *l)
{
    struct dgram words[ASKS + UPS_MAX];
    size_t n = 0;
    int64_t rtt_us = media_rtt_us(l->c);

    for (uint32_t i = 0; i < l->n_asks; i++)
        words[n++] = (struct dgram){ .kind = DGRAM_KEYFRAME, .keyframe = l->asks[i] };
    l->n_asks = 0;
    for (int i = 0; l->wants_gaps && i < UPS_MAX; i++) {
        words[n] = (struct dgram){ .kind = DGRAM_NACK };
        if (!l->ups[i] || !gaps_ask(&l->ups[i]->gaps, w->now_us, rtt_us, BUDGET_US, &words[n].nack))
            continue;
        words[n++].nack.stream = l->ups[i]->stream;
    }
    if (n)
        media_send_to(w, g, l, NULL, 0, words, n);
}

static void look_for_gaps(struct worker *w)
{
    struct forwarding *f = w->media;
    bool more = false;

    if (f->gaps_us > w->now_us)
        return;
    for (uint32_t i = 0, n = 0; i < LEGS_MAX && n < f->n_legs; i++) {
        struct leg_at *l = f->legs[i];
        n += l != NULL;
        if (!l || !l->wants_gaps)
            continue;
        media_talk(l);
        bool open = false;
        for (int k = 0; k < UPS_MAX; k++)
            open |= l->ups[k] &&
                    gaps_deadline_us(&l->ups[k]->gaps, media_rtt_us(l->c), BUDGET_US) != INT64_MAX;
        l->wants_gaps = open;
        more |= open;
    }
    f->gaps_us = more ? w->now_us + GAPS_US : INT64_MAX;
}

/* --- a turn --- */

static void count(struct worker *w)
{
    const struct relay_counts *c = relay_counts(w->media->relay);

    if (c->came + c->datagrams == w->media->told)
        return;
    w->media->told = c->came + c->datagrams;
    w->counts.media_in = c->came;
    w->counts.media_forwarded = c->forwarded;
    w->counts.media_datagrams = c->datagrams;
    w->counts.media_muted = c->muted + c->foreign;
    w->counts.media_unheard = c->unheard;
    w->counts.media_dropped = c->dropped + c->gone;
    w->counts.media_again = c->again + c->repeats;
}

/* With hundreds of sessions each is out of the cache when its turn comes. */
static void expect(const struct forwarding *f, int64_t leg)
{
    const struct leg_at *l = leg < 0 ? NULL : f->legs[leg];

    if (l && l->c)
        flow_expect_media(l->c->flow);
}

void worker_media_send(struct worker *w)
{
    struct forwarding *f = w->media;
    struct gather *g = &f->gather;
    struct leg_at *l;

    look_for_gaps(w);
    media_look_around(w);
    while ((l = f->talking)) {
        f->talking = l->next_talking;
        l->talks = false;
        say(w, g, l);
    }
    while (relay_next(f->relay, w->now_us, &f->out)) {
        expect(f, relay_soon(f->relay));
        if (f->legs[f->out.leg])
            media_send_to(w, g, f->legs[f->out.leg], f->out.parts, f->out.n, NULL, 0);
    }
    media_flush(w, g);
    count(w);
}

int64_t worker_media_deadline_us(const struct worker *w)
{
    const struct forwarding *f = w->media;
    int64_t due = relay_deadline_us(f->relay);

    due = f->gaps_us < due ? f->gaps_us : due;
    return f->second_us < due ? f->second_us : due;
}

int64_t worker_media_nap_us(const struct worker *w, int64_t now_us)
{
    const struct forwarding *f = w->media;
    int64_t hold_us = f->n_legs ? relay_hold_us(f->relay, w->now_us) : 0;
    int64_t due_us = relay_deadline_us(f->relay);

    if (!hold_us)
        return 0;
    if (due_us == INT64_MAX || w->n_trips || w->relays.n)
        return now_us + hold_us / NAP_PART;
    return due_us > now_us + NAP_LEAST_US ? due_us : 0;
}
