#include "server/worker_media.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/flow_media.h"
#include "media/figures.h"
#include "media/gaps.h"
#include "relay/relay.h"
#include "wire/frame.h"

enum {
    BUFFERS = 1024, /* a second and more of what comes */
    BUFFER_BYTES = 1280,
    ITEMS = 8192,
    UPS_MAX = 4, /* streams of a leg */
    ASKS = 8,    /* for key frames, of one leg */
    NAP_PART = 8,
    SPEAKERS = 5, /* unless the settings say so */
};
#define PATH_US      50000   /* so often the relay hears what a path carries */
#define GAPS_US      5000    /* so often it is looked at what is missing */
#define BUDGET_US    150000  /* what was lost on the way to us is of use for so long */
#define SPEAKER_US   250000  /* so often it is looked at who speaks */
#define NAP_LEAST_US 100     /* less is not worth its call */
#define LAZY_US      100000  /* a session that is looked at so soon need not be now */
#define FIGURES_US   2000000 /* so often the hub hears what was measured of a leg */

/* A stream that comes. */
struct up {
    uint64_t stream;
    struct gaps gaps;
    struct figures figures;
    uint64_t lost, repaired; /* that the figures know */
    uint32_t stamp;
    int64_t stamp_us; /* unwrapped: of the sender's clock */
};

struct leg_at {
    struct worker *w;
    uint32_t id, leg; /* the session; its number at the relay */
    uint32_t number;  /* the device */
    uint64_t meeting;
    struct carried *c, *next; /* the session now, and the one that takes over; NULL: none */
    struct up *ups[UPS_MAX];
    struct media_ask asks[ASKS];
    uint32_t n_asks;
    bool wants_gaps, talks; /* has words to say */
    int64_t path_us, figures_us;
    uint64_t bytes_out, bytes_told;
    struct leg_at *next_talking;
};

/* Whom a meeting shows. */
struct shown {
    uint64_t meeting;
    uint32_t legs, number;
};

/* Datagrams of one size for one leg, which leave in one call: heads in the worker's `out`, payloads
 * where they lie. */
struct gather {
    struct carried *c;
    struct flow_to to;
    struct iovec parts[UDP_PARTS_MAX];
    size_t n_parts, used, bytes, segment;
    unsigned n;
    bool closed;
};

struct forwarding {
    struct relay *relay;
    struct leg_at *legs[LEGS_MAX]; /* by number at the relay */
    struct map by_session;         /* id to struct leg_at */
    struct map shown;              /* meeting to struct shown */
    uint32_t n_legs, buffer, used; /* of the buffer that is being filled */
    uint8_t *fill;
    struct leg_at *talking;
    int64_t gaps_us, second_us; /* when to look next; INT64_MAX: not */
    struct relay_out out;
    struct gather gather;
    uint64_t told; /* relay's datagrams, when counts were taken */
};

/* --- life --------------------------------------------------------------------------------- */

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

static void leg_free(struct leg_at *l)
{
    for (int i = 0; i < UPS_MAX; i++)
        free(l->ups[i]);
    free(l);
}

void worker_media_fini(struct worker *w)
{
    struct forwarding *f = w->media;
    struct map_slot *s;

    if (!f)
        return;
    for (uint32_t i = 0; i < LEGS_MAX; i++)
        if (f->legs[i])
            leg_free(f->legs[i]);
    for (size_t i = 0; (s = map_next(&f->shown, &i));)
        free(s->value);
    map_fini(&f->shown);
    map_fini(&f->by_session);
    relay_free(f->relay);
    free(f);
    w->media = NULL;
}

/* --- what comes ------------------------------------------------------------------------------ */

static void talk(struct leg_at *l)
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
        measure(u, m, now_us);
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
    if (!relay_on_media(f->relay, l->w->now_us, l->leg, m, f->buffer, f->used))
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
    talk(f->legs[whom]);
}

static int64_t rtt_of(const struct carried *c)
{
    struct flow_media_view v = { 0 };

    if (c)
        flow_look_media(c->flow, &v);
    return v.rtt_us;
}

static void take(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct leg_at *l = ctx;

    switch (d->kind) {
    case DGRAM_MEDIA:
        on_media(l, &d->media, payload);
        break;
    case DGRAM_NACK:
        relay_on_nack(l->w->media->relay, l->w->now_us, l->leg, &d->nack, rtt_of(l->c));
        break;
    case DGRAM_KEYFRAME:
        on_key(l, &d->keyframe);
        break;
    default: /* FEEDBACK: what it says stands in reports too */
        break;
    }
}

/* --- legs ---------------------------------------------------------------------------------------
 */

static bool has_way(const struct carried *c)
{
    struct flow_view v;

    if (c->over)
        return false;
    flow_look(c->flow, &v);
    return c->tunnel || v.paths->now.len;
}

static void serve(struct leg_at *l, struct carried *c)
{
    const struct flow_media_settings s = { .take = take, .ctx = l };

    if (flow_take_media(c->flow, &s, l->w->now_us))
        return; /* without memory: media ends it, and its client begins anew */
    c->leg = l;
    l->next = c;
    if (!l->c || has_way(c)) {
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
                          .figures_us = w->now_us + FIGURES_US };
    f->legs[leg] = l;
    s->legs++;
    f->n_legs++;
    if (f->second_us == INT64_MAX)
        f->second_us = w->now_us + SPEAKER_US;
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
    leg_free(l);
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

/* --- streams -------------------------------------------------------------------------------------
 */

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

void worker_media_came(struct worker *w, struct carried *c)
{
    struct leg_at *l = c->leg;
    struct flow_media_view v;

    if (!l)
        return;
    if (l->next == c && has_way(c)) {
        l->c = c;
        l->next = NULL;
        l->path_us = 0;
    }
    if (l->c != c || w->now_us < l->path_us || !flow_look_media(c->flow, &v))
        return;
    l->path_us = w->now_us + PATH_US;
    relay_on_path(w->media->relay, w->now_us, l->leg, v.rate, v.loss);
}

/* --- what goes
 * -------------------------------------------------------------------------------------- */

static void flush(struct worker *w, struct gather *g)
{
    const struct via *via = g->n ? worker_via(g->c, &g->to.at) : NULL;
    union address to;

    if (via && worker_address(&g->to.at, &to)) {
        struct udp_out o = { .to = &to,
                             .from = via->local.len ? &via->local : NULL,
                             .parts = g->parts,
                             .n_parts = g->n_parts,
                             .segment = g->n > 1 ? g->segment : 0,
                             .ecn = g->to.ect ? 2 : 0 };
        if (udp_send(w->udp[via->socket], &o) > 0) {
            w->counts.out += g->n;
            w->counts.out_bytes += g->bytes;
        }
    }
    g->n_parts = g->used = g->bytes = g->n = 0;
    g->closed = false;
}

static void gather(struct worker *w, struct gather *g, struct carried *c, const struct flow_to *to,
                   size_t head, const struct media_part *parts, size_t n)
{
    size_t len = head;

    for (size_t i = 0; i < n; i++)
        len += parts[i].head.len;
    if (g->n && (g->c != c || g->closed || len > g->segment || g->n == UDP_SEGMENTS_MAX ||
                 g->bytes + len > UDP_RUN_BYTES || !path_same(&g->to.at, &to->at))) {
        uint8_t *late = w->out + g->used;
        flush(w, g);
        memmove(w->out, late, head);
    }
    if (!g->n) {
        g->c = c;
        g->to = *to;
        g->segment = len;
    }
    g->parts[g->n_parts++] = (struct iovec){ w->out + g->used, head };
    for (size_t i = 0; i < n; i++)
        g->parts[g->n_parts++] = (struct iovec){ (void *)parts[i].payload, parts[i].head.len };
    g->closed = len < g->segment;
    g->used += head;
    g->bytes += len;
    g->n++;
}

/* A message of the tunnel. */
static void send_message(struct worker *w, struct carried *c, size_t head,
                         const struct media_part *parts, size_t n)
{
    size_t len = head;
    struct word *word = calloc(1, sizeof *word);

    for (size_t i = 0; i < n; i++)
        len += parts[i].head.len;
    struct blob *b = word ? blob_new(FRAME_HEAD + len) : NULL;
    if (!b) {
        free(word);
        return; /* lost, as the network loses */
    }
    frame_head_encode(b->bytes, len);
    memcpy(b->bytes + FRAME_HEAD, w->out, head);
    for (size_t i = 0, at = FRAME_HEAD + head; i < n; at += parts[i].head.len, i++)
        memcpy(b->bytes + at, parts[i].payload, parts[i].head.len);
    *word = (struct word){ .what = WORD_FRAMES, .conn = c->tunnel, .bytes = b };
    worker_tell(w, word);
}

static void send_to(struct worker *w, struct gather *g, struct leg_at *l,
                    const struct media_part *parts, size_t n_parts, const struct dgram *words,
                    size_t n_words)
{
    struct carried *c = l->c;
    struct flow_to to;

    if (!c || c->over)
        return;
    if (g->n_parts + 1 + n_parts > UDP_PARTS_MAX || (c->tunnel && g->n))
        flush(w, g);
    int n = flow_send_media(c->flow, w->now_us, w->out + g->used, PACKET_MTU_MAX, parts, n_parts,
                            words, n_words, &to);
    if (n <= 0)
        return;
    for (size_t i = 0; i < n_parts; i++)
        l->bytes_out += parts[i].head.len;
    if (c->tunnel)
        send_message(w, c, (size_t)n, parts, n_parts);
    else
        gather(w, g, c, &to, (size_t)n, parts, n_parts);
    if (c->due.at_us > w->now_us + LAZY_US)
        worker_touch(w, c);
}

/* Key frames and lost parts that are asked for. */
static void say(struct worker *w, struct gather *g, struct leg_at *l)
{
    struct dgram words[ASKS + UPS_MAX];
    size_t n = 0;
    int64_t rtt_us = rtt_of(l->c);

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
        send_to(w, g, l, NULL, 0, words, n);
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
        talk(l);
        bool open = false;
        for (int k = 0; k < UPS_MAX; k++)
            open |= l->ups[k] &&
                    gaps_deadline_us(&l->ups[k]->gaps, rtt_of(l->c), BUDGET_US) != INT64_MAX;
        l->wants_gaps = open;
        more |= open;
    }
    f->gaps_us = more ? w->now_us + GAPS_US : INT64_MAX;
}

/* --- what the hub hears
 * --------------------------------------------------------------------------- */

static void tell_hub(struct worker *w, const struct hub_leg_word *heard)
{
    struct word *word = calloc(1, sizeof *word);

    if (!word)
        return;
    word->what = WORD_HEARD;
    word->bytes = blob_copy(heard, sizeof *heard);
    if (word->bytes)
        worker_tell(w, word);
    else
        word_free(word);
}

static void look_who_speaks(struct worker *w, struct shown *s)
{
    struct forwarding *f = w->media;
    int64_t leg = relay_speaker(f->relay, s->meeting);
    uint32_t number = leg >= 0 && f->legs[leg] ? f->legs[leg]->number : 0;
    struct hub_leg_word heard = { .what = LEG_SPEAKER, .meeting = s->meeting, .number = number };

    if (number == s->number)
        return;
    s->number = number;
    tell_hub(w, &heard);
}

static void fill_up(struct hub_figures *to, struct up *u, int64_t now_us)
{
    struct figures_view v;

    figures_look(&u->figures, now_us, &v);
    *to = (struct hub_figures){ .stream = u->stream,
                                .bits = v.bits,
                                .jitter_us = (uint32_t)v.jitter_us,
                                .loss_ppm = v.loss_ppm,
                                .left_ppm = v.loss_after_ppm,
                                .why = v.why,
                                .why_value = v.why_value };
}

static void tell_figures(struct worker *w, struct leg_at *l)
{
    struct hub_leg_word heard = { .what = LEG_FIGURES, .meeting = l->meeting, .number = l->number };
    struct flow_media_view v;

    l->figures_us = w->now_us + FIGURES_US;
    if (!l->c || !flow_look_media(l->c->flow, &v))
        return;
    heard.figures[heard.n_figures++] = (struct hub_figures){
        .sent = true,
        .rtt_us = (uint32_t)v.rtt_us,
        .estimate = v.rate,
        .loss_ppm = (uint32_t)(v.loss * 1e6f),
        .bits = (l->bytes_out - l->bytes_told) * 8 * 1000000 / FIGURES_US,
        .tunnel = l->c->tunnel != 0,
    };
    l->bytes_told = l->bytes_out;
    for (int i = 0; i < UPS_MAX; i++)
        if (l->ups[i])
            fill_up(&heard.figures[heard.n_figures++], l->ups[i], w->now_us);
    tell_hub(w, &heard);
}

static void look_around(struct worker *w)
{
    struct forwarding *f = w->media;
    struct map_slot *s;

    if (f->second_us > w->now_us)
        return;
    f->second_us = f->n_legs ? w->now_us + SPEAKER_US : INT64_MAX;
    for (size_t i = 0; (s = map_next(&f->shown, &i));)
        look_who_speaks(w, s->value);
    for (uint32_t i = 0, n = 0; i < LEGS_MAX && n < f->n_legs; i++) {
        n += f->legs[i] != NULL;
        if (f->legs[i] && f->legs[i]->figures_us <= w->now_us)
            tell_figures(w, f->legs[i]);
    }
}

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

/* --- a turn
 * ------------------------------------------------------------------------------------------ */

void worker_media_send(struct worker *w)
{
    struct forwarding *f = w->media;
    struct gather *g = &f->gather;
    struct leg_at *l;

    look_for_gaps(w);
    look_around(w);
    while ((l = f->talking)) {
        f->talking = l->next_talking;
        l->talks = false;
        say(w, g, l);
    }
    while (relay_next(f->relay, w->now_us, &f->out))
        if (f->legs[f->out.leg])
            send_to(w, g, f->legs[f->out.leg], f->out.parts, f->out.n, NULL, 0);
    flush(w, g);
    count(w);
}

int64_t worker_media_deadline_us(const struct worker *w)
{
    const struct forwarding *f = w->media;
    int64_t due = relay_deadline_us(f->relay);

    due = f->gaps_us < due ? f->gaps_us : due;
    return f->second_us < due ? f->second_us : due;
}

int64_t worker_media_nap_us(const struct worker *w)
{
    int64_t nap_us = w->media->n_legs ? relay_hold_us(w->media->relay, w->now_us) / NAP_PART : 0;

    return nap_us < NAP_LEAST_US ? 0 : nap_us;
}
