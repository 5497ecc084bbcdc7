/* test_voice.c - people in a meeting, with all that a client has: voice.h over real sessions, links
 * and a relay, in virtual time. Codecs and devices are left out: a frame is its own number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/voice.h"
#include "flow/flow_media.h"
#include "lab/link.h"
#include "media/gaps.h"
#include "media/jitter.h"
#include "relay/relay.h"
#include "sim/pump.h"
#include "test.h"

#define MS     1000LL
#define SECOND 1000000LL
enum { PEOPLE = 3, BYTES = 80, MEETING = 9, LETTERS_MAX = 256, BUFFER = 2048 };

struct ear {
    struct jitter jitter;
    uint8_t store[JITTER_FRAMES * BYTES];
    int64_t next_play_us, quiet_us, longest_us; /* nothing real was heard since; the longest */
    uint64_t wrong;
};

struct person {
    uint32_t number, leg;
    uint64_t stream;
    bool here, speaks, tunnelled;
    struct voice *voice;
    struct flow *flow[2]; /* its end, and the server's */
    struct link udp[2], tcp[2];
    struct gaps gaps; /* the server's, of what comes */
    struct ear ears[PEOPLE];
    struct keyring_event last;
    uint64_t said, events[8];
    struct call *call;
    uint32_t buffer;
    uint8_t *at; /* of the datagram that the server reads */
};

struct letter {
    int64_t due_us;
    uint32_t from, to;
    size_t len;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
};

struct call {
    int64_t now_us;
    struct relay *relay;
    struct person people[PEOPLE];
    struct letter letters[LETTERS_MAX];
    uint32_t n_letters, epoch, sessions, numbers;
    struct link_config way;
    const uint8_t *hub; /* the hub's key, where it is not sealed end to end */
};

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
    struct flow_to to;
    int n = flow_send_media(p->flow[end], c->now_us, bytes, sizeof bytes, parts, n_parts, words,
                            n_words, &to);
    size_t len = n > 0 ? (size_t)n : 0;

    if (!len)
        return;
    for (size_t i = 0; i < n_parts; len += parts[i++].head.len)
        memcpy(bytes + len, parts[i].payload, parts[i].head.len);
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

static void say(struct call *c, struct person *p)
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
static void connect_to(struct call *c, struct person *p)
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

static void come(struct call *c, int at)
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
    connect_to(c, p);
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
static void tell(struct call *c)
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

static void go(struct call *c, int at)
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

static struct relay *relay_of(void)
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

static struct call *call_on(const struct link_config *way, const uint8_t *hub)
{
    struct call *c = calloc(1, sizeof *c);

    CHECK(c);
    c->now_us = 1000 * MS;
    c->way = *way;
    c->hub = hub;
    c->relay = relay_of();
    for (int i = 0; i < PEOPLE; i++)
        come(c, i);
    tell(c);
    c->people[0].speaks = c->people[1].speaks = true;
    return c;
}

static void call_free(struct call *c)
{
    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].here)
            end_of(&c->people[i]);
    relay_free(c->relay);
    free(c);
}

static void call_run(struct call *c, int64_t for_us)
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
                say(c, p);
            client_sends(c, p);
            for (int k = 0; k < PEOPLE; k++)
                if (k != i)
                    play(c, &p->ears[k]);
        }
        serve_out(c);
    }
}

static int64_t concealed_ppm(const struct call *c)
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

static const struct link_config clean = { .delay_us = 25 * MS };

static void three_people_talk(void)
{
    struct call *c = call_on(&clean, NULL);
    struct voice_figures f;

    call_run(c, 20 * SECOND);
    for (int i = 0; i < PEOPLE; i++)
        for (int k = 0; k < 2; k++)
            if (i != k) {
                CHECK(c->people[i].ears[k].jitter.counts.played > c->people[k].said - 20);
                CHECK(c->people[i].ears[k].wrong == 0);
            }
    CHECK(concealed_ppm(c) == 0);
    CHECK(voice_look(c->people[2].voice, c->now_us, 0, &f) && f.who == 0);
    CHECK(voice_look(c->people[2].voice, c->now_us, 1, &f) && f.who && f.heard);
    CHECK(f.view.loss_ppm == 0 && f.view.bits > 30000 && f.view.bits < 45000 && !f.unopened);
    CHECK(!voice_look(c->people[2].voice, c->now_us, 3, &f));
    CHECK(voice_deadline_us(c->people[2].voice, c->now_us) > c->now_us);
    call_free(c);
}

/* The others have another key before it is a second later, and nobody hears of it. */
static void who_leaves_hears_no_more(void)
{
    struct call *c = call_on(&clean, NULL);

    call_run(c, 3 * SECOND);
    uint32_t key = keyring_key_id(voice_keys(c->people[0].voice));
    go(c, 2);
    tell(c);
    call_run(c, SECOND);
    CHECK(keyring_key_id(voice_keys(c->people[0].voice)) / 256 > key / 256);
    come(c, 2);
    tell(c);
    call_run(c, 5 * SECOND);
    CHECK(c->people[2].ears[0].jitter.counts.played > 200);
    CHECK(concealed_ppm(c) == 0 && c->people[0].ears[1].wrong == 0);
    CHECK(c->people[0].events[KEYRING_DIFFERS] + c->people[0].events[KEYRING_FORGED] == 0);
    call_free(c);
}

static void a_mute_is_the_servers(void)
{
    struct call *c = call_on(&clean, NULL);
    struct voice_figures f;

    call_run(c, 3 * SECOND);
    CHECK(relay_mute(c->relay, MEETING, c->people[0].stream, true) == 0);
    call_run(c, SECOND / 2);
    uint64_t before = c->people[2].ears[0].jitter.counts.played;
    call_run(c, 3 * SECOND);
    CHECK(c->people[2].ears[0].jitter.counts.played <= before + 10);
    CHECK(c->people[2].ears[1].jitter.counts.played > 250);
    for (uint32_t i = 0; voice_look(c->people[2].voice, c->now_us, i, &f); i++)
        CHECK(f.who != c->people[0].number || !f.heard);
    relay_mute(c->relay, MEETING, c->people[0].stream, false);
    call_run(c, 2 * SECOND);
    CHECK(c->people[2].ears[0].jitter.counts.played > before + 80);
    call_free(c);
}

static void without_end_to_end_the_hubs_key_does(void)
{
    static const uint8_t hub[KEYRING_SECRET] = { 8 };
    struct call *c = call_on(&clean, hub);

    call_run(c, 3 * SECOND);
    CHECK(!keyring_is_end_to_end(voice_keys(c->people[2].voice)));
    CHECK(c->people[2].ears[0].jitter.counts.played > 120 && concealed_ppm(c) == 0);
    call_free(c);
}

/* On both hops of each: what two lose together is more than either. */
static int64_t at_loss(uint32_t ppm, uint64_t *ret_rtt_us)
{
    struct link_config lossy = { .delay_us = 25 * MS, .loss_ppm = ppm };
    struct call *c = call_on(&lossy, NULL);
    struct voice_figures f = { 0 };

    call_run(c, 60 * SECOND);
    int64_t got = concealed_ppm(c);
    CHECK(voice_look(c->people[2].voice, c->now_us, 1, &f));
    *ret_rtt_us = (uint64_t)f.view.rtt_us;
    if (getenv("ROOST_SAY"))
        printf("%u ppm: %lld ppm concealed, rtt %lld, before repair %u, after %u\n", ppm,
               (long long)got, (long long)f.view.rtt_us, f.view.loss_ppm, f.view.loss_after_ppm);
    CHECK(f.view.loss_ppm > ppm / 2 && f.view.loss_after_ppm < f.view.loss_ppm / 4);
    for (int i = 1; i < PEOPLE; i++)
        CHECK(c->people[i].ears[0].wrong == 0);
    call_free(c);
    return got;
}

static void loss_is_repaired(void)
{
    uint64_t rtt_us;

    CHECK(at_loss(50000, &rtt_us) < 10000);
    CHECK(rtt_us >= 50 * MS && rtt_us <= 52 * MS);
    CHECK(at_loss(200000, &rtt_us) < 40000);
}

/* UDP dies under one of them, who finds out and goes through a tunnel; and later back. */
static void into_a_tunnel_and_back(void)
{
    struct call *c = call_on(&clean, NULL);
    struct person *p = &c->people[2];
    struct flow_view v;

    p->speaks = true;
    call_run(c, 5 * SECOND);
    for (int end = 0; end < 2; end++)
        link_set_down(&p->udp[end], true, c->now_us);
    for (int ms = 0; ms < 2000; ms++) {
        flow_look(p->flow[0], &v);
        if (v.asked) /* the tunnel was dialled, and stands after four round trips */
            break;
        call_run(c, test_starves() ? 20 * MS : MS);
    }
    call_run(c, 200 * MS);
    for (int end = 0; end < 2; end++)
        flow_tunnel(p->flow[end], true, c->now_us);
    call_run(c, 5 * SECOND);
    for (int end = 0; end < 2; end++)
        link_set_down(&p->udp[end], false, c->now_us);
    for (int end = 0; end < 2; end++)
        flow_tunnel(p->flow[end], false, c->now_us);
    call_run(c, 5 * SECOND);
    for (int k = 0; k < 2; k++) {
        if (getenv("ROOST_SAY"))
            printf("gaps %lld and %lld ms\n", (long long)p->ears[k].longest_us / 1000,
                   (long long)c->people[k].ears[2].longest_us / 1000);
        CHECK(p->ears[k].longest_us < 800 * MS && c->people[k].ears[2].longest_us < 800 * MS);
        CHECK(p->ears[k].wrong == 0 && p->ears[k].jitter.counts.played > 600);
    }
    call_free(c);
}

/* The server starts again: other sessions, another relay, the same keys. */
static void a_server_that_restarts(void)
{
    struct call *c = call_on(&clean, NULL);

    call_run(c, 5 * SECOND);
    relay_free(c->relay);
    c->relay = relay_of();
    int64_t back_us = c->now_us;
    c->epoch += 100;
    for (int i = 0; i < PEOPLE; i++)
        connect_to(c, &c->people[i]);
    call_run(c, 100 * MS);
    tell(c);
    uint64_t before = c->people[2].ears[0].jitter.counts.played;
    while (c->people[2].ears[0].jitter.counts.played < before + 30 &&
           c->now_us < back_us + 10 * SECOND)
        call_run(c, test_starves() ? SECOND : 10 * MS);
    CHECK(c->now_us - back_us < 2 * SECOND);
    call_run(c, 3 * SECOND);
    CHECK(c->people[2].ears[0].wrong == 0);
    CHECK(c->people[2].events[KEYRING_WENT_BACK] == 0);
    call_free(c);
}

static void bits_follow_the_path(void)
{
    struct call *c = call_on(&clean, NULL);
    struct voice *v = c->people[0].voice;

    CHECK(voice_bits(v, 32000, 960) == 32000);
    voice_on_path(v, 80000, 0, 50 * MS);
    uint32_t tight = voice_bits(v, 32000, 960);
    CHECK(tight >= 8000 && tight < 32000);
    CHECK(voice_bits(v, 32000, 2880) > tight); /* fewer heads */
    voice_on_path(v, 80000, 0.1f, 50 * MS);
    CHECK(voice_bits(v, 32000, 960) <= tight); /* repeats cost */
    voice_on_path(v, 1000, 0, 50 * MS);
    CHECK(voice_bits(v, 32000, 960) == 8000);
    call_free(c);
}

/* Frames take no memory once everybody was heard. */
static void frames_take_no_memory(void)
{
    if (test_starves())
        return;
    struct call *c = call_on(&clean, NULL);
    struct person *p = &c->people[0];
    struct voice_out o;

    call_run(c, 3 * SECOND);
    long before = test_allocations();
    for (int i = 0; i < 100; i++) {
        say(c, p);
        while (voice_next(p->voice, c->now_us, &o))
            for (uint32_t k = 0; k < o.n_parts; k++) {
                struct dgram d = { .kind = DGRAM_MEDIA, .media = o.parts[k].head };
                voice_on_dgram(c->people[2].voice, c->now_us, &d, o.parts[k].payload);
            }
        c->now_us += 20 * MS;
    }
    CHECK(test_allocations() == before);
    call_free(c);
}

TEST_MAIN({ "three_people_talk", three_people_talk },
          { "who_leaves_hears_no_more", who_leaves_hears_no_more },
          { "a_mute_is_the_servers", a_mute_is_the_servers },
          { "without_end_to_end_the_hubs_key_does", without_end_to_end_the_hubs_key_does },
          { "loss_is_repaired", loss_is_repaired },
          { "into_a_tunnel_and_back", into_a_tunnel_and_back },
          { "a_server_that_restarts", a_server_that_restarts },
          { "bits_follow_the_path", bits_follow_the_path },
          { "frames_take_no_memory", frames_take_no_memory })
