#include "calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/pump.h"
#include "test.h"

static struct person *who(struct call *c, uint32_t number)
{
    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].here && c->people[i].number == number)
            return &c->people[i];
    return NULL;
}

/* --- ears ------------------------------------------------------------------------------- */

static void heard(void *ctx, int64_t now_us, uint32_t from, const struct media *m,
                  const uint8_t *bytes, size_t len)
{
    struct person *p = ctx, *speaker = who(p->call, from);
    struct ear *e = &p->ears[speaker - p->call->people];

    e->wrong += len != BYTES || bytes[3] != m->frame % 251 || m->stream != speaker->stream;
    jitter_put(&e->jitter, now_us, m, bytes, len, 960);
}

static void play(struct call *c, struct ear *e)
{
    struct jitter_turn t;

    while (c->now_us >= e->next_play_us) {
        jitter_next(&e->jitter, e->next_play_us, &t);
        int64_t takes = (int64_t)t.ticks * 125 / 6;
        bool real = t.what == JITTER_PLAY || t.what == JITTER_FASTER || t.what == JITTER_SLOWER;
        int64_t quiet_us = e->next_play_us - e->quiet_us;
        if (real && e->quiet_us && quiet_us > e->longest_us)
            e->longest_us = quiet_us;
        e->next_play_us += t.what == JITTER_FASTER   ? takes * 3 / 4
                           : t.what == JITTER_SLOWER ? takes * 5 / 4
                                                     : takes;
        e->quiet_us = real ? e->next_play_us : e->quiet_us;
    }
}

/* --- the server --------------------------------------------------------------------------- */

static void serve(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct person *p = ctx;
    struct call *c = p->call;

    if (d->kind == DGRAM_NACK)
        relay_on_nack(c->relay, c->now_us, p->leg, &d->nack, 50 * MS);
    if (d->kind == DGRAM_MEDIA && gaps_on_part(&p->gaps, c->now_us, d->media.count) != GAPS_AGAIN)
        relay_on_media(c->relay, c->now_us, c->now_us, p->leg, &d->media, p->buffer,
                       (uint32_t)(payload - p->at));
}

static void server_hears(struct call *c, struct person *p, struct blob *b, bool tunnel)
{
    static const struct path_address from = { .ip = { 192, 0, 2, 1 }, .len = 4, .port = 1 };

    p->at = relay_buffer(c->relay, &p->buffer);
    CHECK(b->len <= BUFFER);
    memcpy(p->at, b->bytes, b->len);
    if (tunnel)
        flow_on_frames(p->flow[1], c->now_us, p->at, b->len);
    else
        flow_on_datagram_from(p->flow[1], c->now_us, p->at, b->len, 0, &from);
}

static void send(struct call *c, struct person *p, int end, const struct media_part *parts,
                 size_t n_parts, const struct dgram *words, size_t n_words)
{
    uint8_t bytes[BUFFER];
    size_t len = pump_media(p->flow[end], c->now_us, parts, n_parts, words, n_words, bytes,
                            sizeof bytes);

    if (!len)
        return;
    struct link *l = flow_is_tunnelled(p->flow[end]) ? &p->tcp[end] : &p->udp[end];
    CHECK(pump_push(l, bytes, len, c->now_us));
}

static void serve_out(struct call *c)
{
    static struct relay_out o;

    while (relay_next(c->relay, c->now_us, &o))
        for (int i = 0; i < PEOPLE; i++)
            if (c->people[i].here && c->people[i].leg == o.leg)
                send(c, &c->people[i], 1, o.parts, o.n, NULL, 0);
    for (int i = 0; i < PEOPLE; i++) {
        struct person *p = &c->people[i];
        struct dgram nack = { .kind = DGRAM_NACK };
        struct flow_media_view v;
        if (!p->here || !flow_look_media(p->flow[1], &v))
            continue;
        relay_on_path(c->relay, c->now_us, p->leg, v.rate, v.loss);
        if (gaps_ask(&p->gaps, c->now_us, 50 * MS, JITTER_MOST_US / 2, &nack.nack)) {
            nack.nack.stream = p->stream;
            send(c, p, 1, NULL, 0, &nack, 1);
        }
    }
}

/* --- a client ------------------------------------------------------------------------------- */

static void client_hears(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct person *p = ctx;

    voice_on_dgram(p->voice, p->call->now_us, d, payload);
}

void call_say(struct call *c, struct person *p)
{
    uint8_t bytes[BYTES];
    struct voice_said said = { .codec = MEDIA_OPUS,
                               .timestamp = (uint32_t)(c->now_us / MS * 48),
                               .level = 100,
                               .bytes = bytes,
                               .len = BYTES };

    memset(bytes, (int)(p->said % 251), BYTES);
    if (!voice_say(p->voice, c->now_us, 0, &said))
        p->said++;
}

static void client_sends(struct call *c, struct person *p)
{
    struct flow_media_view v;
    struct voice_out o;

    if (flow_look_media(p->flow[0], &v))
        voice_on_path(p->voice, v.rate, v.loss, v.rtt_us);
    voice_expire(p->voice, c->now_us);
    while (voice_next(p->voice, c->now_us, &o))
        send(c, p, 0, o.parts, o.n_parts, o.words, o.n_words);
    for (struct keyring_event e; voice_event(p->voice, &e); p->last = e)
        p->events[e.what]++;
}

/* --- the way between them ------------------------------------------------------------------- */

static void carry(struct call *c, struct person *p)
{
    uint8_t bytes[16384];
    struct flow_to to;
    int n;

    for (struct blob *b; (b = link_next(&p->udp[0], c->now_us)); blob_unref(b))
        server_hears(c, p, b, false);
    for (struct blob *b; (b = link_next(&p->tcp[0], c->now_us)); blob_unref(b))
        server_hears(c, p, b, true);
    for (struct blob *b; (b = link_next(&p->udp[1], c->now_us)); blob_unref(b)) {
        memcpy(bytes, b->bytes, b->len);
        flow_on_datagram(p->flow[0], c->now_us, bytes, b->len, 0);
    }
    for (struct blob *b; (b = link_next(&p->tcp[1], c->now_us)); blob_unref(b))
        flow_on_frames(p->flow[0], c->now_us, b->bytes, b->len);
    for (int end = 0; end < 2; end++) {
        flow_expire(p->flow[end], c->now_us);
        for (struct flow_event e; flow_event(p->flow[end], &e);)
            CHECK(e.what != FLOW_CLOSED);
        while ((n = flow_next_to(p->flow[end], c->now_us, bytes, PACKET_MTU_MAX, &to)) > 0)
            CHECK(pump_push(&p->udp[end], bytes, (size_t)n, c->now_us));
        while ((n = flow_next_frames(p->flow[end], c->now_us, bytes, sizeof bytes)) > 0)
            CHECK(pump_push(&p->tcp[end], bytes, (size_t)n, c->now_us));
    }
}

/* --- who is there ------------------------------------------------------------------------------
 */

/* Another session with the server, as after its restart: the client's keys stay. */
void call_connect(struct call *c, struct person *p)
{
    uint8_t secret[32] = { 3, (uint8_t)++c->sessions }, seeds[2][32] = { { 4 }, { 5 } };

    for (int end = 0; end < 2; end++) {
        struct flow_settings s = { .client = !end,
                                   .session = c->sessions,
                                   .secret = secret,
                                   .seed = seeds[end],
                                   .keeps = !end,
                                   .proves = end == 1 };
        struct flow_media_settings m = { .take = end ? serve : client_hears, .ctx = p };
        flow_free(p->flow[end]);
        p->flow[end] = NULL;
        CHECK(flow_new(&p->flow[end], &s, c->now_us) == 0);
        CHECK(flow_take_media(p->flow[end], &m, c->now_us) == 0);
        link_fini(&p->udp[end]);
        link_fini(&p->tcp[end]);
        link_init(&p->udp[end], LINK_DATAGRAMS, &c->way, 10 * c->sessions + (unsigned)end);
        link_init(&p->tcp[end], LINK_STREAM, &(struct link_config){ .delay_us = 30 * MS }, 7);
    }
    p->gaps = (struct gaps){ .begun = false };
    flow_ask(p->flow[0], 1); /* its address is proven */
    int64_t leg = relay_enter(c->relay, MEETING, c->now_us);
    CHECK(leg >= 0);
    p->leg = (uint32_t)leg;
    CHECK(relay_publish(c->relay, p->leg, p->stream, true) == 0);
}

void call_come(struct call *c, int at)
{
    struct person *p = &c->people[at];
    uint8_t seed[32] = { 1, (uint8_t)(c->numbers + 1) },
            random[32] = { 2, (uint8_t)(c->numbers + 1) };

    memset(p, 0, sizeof *p);
    p->call = c;
    p->number = ++c->numbers;
    p->stream = 100 + p->number;
    struct voice_settings s = { .keys = { MEETING, p->number, seed, random, c->hub },
                                .heard = heard,
                                .ctx = p };
    CHECK(voice_new(&p->voice, &s, c->now_us) == 0);
    for (int i = 0; i < PEOPLE; i++) {
        jitter_init(&p->ears[i].jitter, p->ears[i].store, BYTES, false);
        p->ears[i].next_play_us = c->now_us;
    }
    call_connect(c, p);
    p->here = true;
    CHECK(voice_publish(p->voice, c->now_us, 0, p->stream, MEDIA_OPUS) == 0);
}

static void end_of(struct person *p)
{
    for (int end = 0; end < 2; end++) {
        flow_free(p->flow[end]);
        link_fini(&p->udp[end]);
        link_fini(&p->tcp[end]);
    }
    voice_free(p->voice);
    p->here = false;
}

/* The hub tells who is there, and what they send. */
void call_tell(struct call *c)
{
    struct roster_member list[PEOPLE];
    size_t n = 0;

    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].here) {
            list[n].number = c->people[i].number;
            memcpy(list[n++].identity, keyring_identity(voice_keys(c->people[i].voice)),
                   ROSTER_IDENTITY);
        }
    c->epoch++;
    for (int i = 0; i < PEOPLE; i++)
        for (int k = 0; c->people[i].here && k < PEOPLE; k++)
            if (k != i && c->people[k].here)
                CHECK(voice_on_stream(c->people[i].voice, c->now_us, c->people[k].stream,
                                      c->people[k].number, MEDIA_OPUS, false) == 0);
    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].here)
            CHECK(voice_on_roster(c->people[i].voice, c->now_us, c->epoch, list, n) == 0);
}

void call_go(struct call *c, int at)
{
    relay_leave(c->relay, c->people[at].leg);
    end_of(&c->people[at]);
    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].here)
            voice_on_gone(c->people[i].voice, c->people[at].stream);
}

static void post(struct call *c)
{
    uint32_t due = 0;

    for (int i = 0; i < PEOPLE; i++) {
        struct letter x = { .from = c->people[i].number, .due_us = c->now_us + 30 * MS };
        while (c->people[i].here && (x.len = voice_next_keys(c->people[i].voice, &x.to, x.bytes))) {
            CHECK(c->n_letters < LETTERS_MAX);
            c->letters[c->n_letters++] = x;
        }
    }
    for (; due < c->n_letters && c->letters[due].due_us <= c->now_us; due++) {
        struct letter *x = &c->letters[due];
        struct person *to = who(c, x->to);
        if (to && who(c, x->from))
            voice_on_keys(to->voice, c->now_us, x->from, x->bytes, x->len);
    }
    c->n_letters -= due;
    memmove(c->letters, c->letters + due, c->n_letters * sizeof *c->letters);
}

/* --- a call --------------------------------------------------------------------------------------
 */

struct relay *call_relay(void)
{
    struct relay_settings s = { .legs = 16,
                                .meetings = 2,
                                .streams = 16,
                                .items = 1024,
                                .buffers = 1024,
                                .buffer_bytes = BUFFER,
                                .speakers = 5,
                                .mtu = 1200 };
    struct relay *r = NULL;

    CHECK(relay_new(&r, &s) == 0);
    return r;
}

struct call *call_on(const struct link_config *way, const uint8_t *hub)
{
    struct call *c = calloc(1, sizeof *c);

    CHECK(c);
    c->now_us = 1000 * MS;
    c->way = *way;
    c->hub = hub;
    c->relay = call_relay();
    for (int i = 0; i < PEOPLE; i++)
        call_come(c, i);
    call_tell(c);
    c->people[0].speaks = c->people[1].speaks = true;
    return c;
}

void call_free(struct call *c)
{
    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].here)
            end_of(&c->people[i]);
    relay_free(c->relay);
    free(c);
}

void call_run(struct call *c, int64_t for_us)
{
    for_us /= test_starves() ? 20 : 1;
    for (int64_t until = c->now_us + for_us; c->now_us < until; c->now_us += MS) {
        post(c);
        for (int i = 0; i < PEOPLE; i++) {
            struct person *p = &c->people[i];
            if (!p->here)
                continue;
            carry(c, p);
            if (p->speaks && c->now_us / MS % 20 == 7 * i)
                call_say(c, p);
            client_sends(c, p);
            for (int k = 0; k < PEOPLE; k++)
                if (k != i)
                    play(c, &p->ears[k]);
        }
        serve_out(c);
    }
}

int64_t call_concealed_ppm(const struct call *c)
{
    uint64_t concealed = 0, played = 0;

    for (int i = 0; i < PEOPLE; i++)
        for (int k = 0; k < PEOPLE; k++) {
            const struct jitter_counts *n = &c->people[i].ears[k].jitter.counts;
            concealed += n->concealed_ticks;
            played += n->played_ticks;
        }
    return (int64_t)(concealed * 1000000 / (concealed + played + 1));
}
