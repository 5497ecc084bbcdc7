/* test_call.c - a whole meeting in virtual time: keys, frames sealed twice, datagrams over links,
 * the relay, repair, and what is heard. Nobody here has a socket or a device; all else is as it
 * will be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/err.h"
#include "lab/link.h"
#include "media/early.h"
#include "media/gaps.h"
#include "media/jitter.h"
#include "relay/relay.h"
#include "seal/keyring.h"
#include "seal/session.h"
#include "test.h"
#include "wire/dgram.h"
#include "wire/packet.h"

#define MS 1000LL
enum {
    PEOPLE = 6,
    SPEAKERS = 2,
    BYTES = 80,
    SEALED = BYTES + KEYRING_TAG,
    MEETING = 9,
    LETTERS_MAX = 512
};

struct ear { /* one speaker's voice at one listener */
    struct jitter jitter;
    struct gaps gaps;
    uint8_t store[JITTER_FRAMES * BYTES];
    int64_t next_play_us;
};

struct person {
    uint32_t number; /* 0: nobody is here */
    uint32_t leg;
    struct keyring *keys;
    struct session here, there; /* both ends of the session with the server */
    struct link up, down;
    struct early early;
    uint8_t early_store[EARLY_FRAMES * SEALED];
    struct ear ears[SPEAKERS];
    uint64_t frame;
    uint16_t count;
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
    uint32_t n_letters, epoch, next_number;
    uint64_t seed, unopened, strange;
    struct link_config down;
    uint32_t garbage;   /* packets at each one's session in a millisecond */
    uint64_t dice, sum; /* of what was heard, and when */
    int64_t hub_us;     /* a message takes so long from device to device */
};

/* --- who is there ----------------------------------------------------------------------- */

static void come(struct call *c, uint32_t at)
{
    struct person *p = &c->people[at];
    uint32_t number = ++c->next_number;
    uint8_t seed[32] = { 1, (uint8_t)number }, random[32] = { 2, (uint8_t)number };
    struct keyring_settings s = { MEETING, number, seed, random, NULL };
    struct link_config up = { .delay_us = 25 * MS };

    memset(p, 0, sizeof *p);
    p->number = number;
    CHECK(keyring_new(&p->keys, &s) == 0);
    CHECK(session_init(&p->here, number, true, random, c->now_us) == 0);
    CHECK(session_init(&p->there, number, false, random, c->now_us) == 0);
    link_init(&p->up, LINK_DATAGRAMS, &up, c->seed++);
    link_init(&p->down, LINK_DATAGRAMS, &c->down, c->seed++);
    early_init(&p->early, p->early_store, SEALED);
    for (int i = 0; i < SPEAKERS; i++) {
        jitter_init(&p->ears[i].jitter, p->ears[i].store, BYTES, false);
        p->ears[i].next_play_us = c->now_us;
    }
    int64_t leg = relay_enter(c->relay, MEETING, c->now_us);
    CHECK(leg >= 0);
    p->leg = (uint32_t)leg;
    if (at < SPEAKERS)
        CHECK(relay_publish(c->relay, p->leg, 1 + at, true) == 0);
}

static void go(struct call *c, uint32_t at)
{
    struct person *p = &c->people[at];

    relay_leave(c->relay, p->leg);
    keyring_free(p->keys);
    session_fini(&p->here);
    session_fini(&p->there);
    link_fini(&p->up);
    link_fini(&p->down);
    memset(p, 0, sizeof *p);
}

static void tell(struct call *c)
{
    struct roster_member list[PEOPLE];
    size_t n = 0;

    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].number) {
            list[n].number = c->people[i].number;
            memcpy(list[n++].identity, keyring_identity(c->people[i].keys), ROSTER_IDENTITY);
        }
    c->epoch++;
    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].number)
            CHECK(keyring_on_roster(c->people[i].keys, c->now_us, c->epoch, list, n) == 0);
}

static struct person *who(struct call *c, uint32_t number)
{
    for (int i = 0; i < PEOPLE; i++)
        if (c->people[i].number == number)
            return &c->people[i];
    return NULL;
}

static void carry(struct call *c)
{
    uint32_t due = 0;

    for (int i = 0; i < PEOPLE; i++) {
        struct letter x = { .from = c->people[i].number, .due_us = c->now_us + c->hub_us };
        while (x.from && (x.len = keyring_next(c->people[i].keys, &x.to, x.bytes))) {
            CHECK(c->n_letters < LETTERS_MAX);
            c->letters[c->n_letters++] = x;
        }
    }
    for (; due < c->n_letters && c->letters[due].due_us <= c->now_us; due++) {
        struct letter *x = &c->letters[due];
        struct person *to = who(c, x->to);
        if (to && who(c, x->from))
            keyring_on_message(to->keys, c->now_us, x->from, x->bytes, x->len);
    }
    c->n_letters -= due;
    memmove(c->letters, c->letters + due, c->n_letters * sizeof *c->letters);
}

/* --- sending ------------------------------------------------------------------------------ */

/* Frames lie at PACKET_HEAD_TAIL or PACKET_HEAD; the tail is put behind. */
static void dispatch(struct call *c, struct session *s, struct link *l, uint8_t *packet,
                     size_t frames, const struct seal_part *tail, size_t n_tail)
{
    int n = session_seal(s, c->now_us, packet, frames, tail, n_tail ? 1 : 0);
    size_t len = (size_t)n;

    CHECK(n > 0);
    for (size_t i = 0; i < n_tail; i++) {
        memcpy(packet + len, tail[i].bytes, tail[i].len);
        len += tail[i].len;
    }
    struct blob *b = blob_copy(packet, len);
    CHECK(b && len <= PACKET_MTU_MIN && link_push(l, c->now_us, b) == 0);
    blob_unref(b);
}

static void speak(struct call *c, uint32_t at)
{
    struct person *p = &c->people[at];
    uint8_t packet[PACKET_MTU_MIN], payload[SEALED];
    struct writer w = writer_of(packet + PACKET_HEAD_TAIL, 100);
    struct dgram d = { .kind = DGRAM_MEDIA };

    d.media = (struct media){ .stream = 1 + at,
                              .frame = p->frame,
                              .codec = MEDIA_OPUS,
                              .timestamp = (uint32_t)(p->frame * 960),
                              .key = true,
                              .last = true,
                              .has_level = true,
                              .level = 100,
                              .count = p->count++,
                              .len = SEALED };
    memset(payload, (int)(p->frame++ % 251), BYTES);
    CHECK(keyring_seal(p->keys, &d.media, payload, BYTES, payload + BYTES) == 0);
    CHECK(dgram_write(&w, &d));
    struct seal_part tail = { payload, SEALED };
    dispatch(c, &p->here, &p->up, packet, (size_t)(w.p - packet) - PACKET_HEAD_TAIL, &tail, 1);
}

static void ask(struct call *c, struct person *p, uint32_t speaker)
{
    uint8_t packet[PACKET_MTU_MIN];
    struct writer w = writer_of(packet + PACKET_HEAD, 200);
    struct dgram d = { .kind = DGRAM_NACK };
    struct ear *e = &p->ears[speaker];

    if (!gaps_ask(&e->gaps, c->now_us, 50 * MS, jitter_budget_us(&e->jitter), &d.nack))
        return;
    d.nack.stream = 1 + speaker;
    CHECK(dgram_write(&w, &d));
    dispatch(c, &p->here, &p->up, packet, (size_t)(w.p - packet) - PACKET_HEAD, NULL, 0);
}

/* --- the server ------------------------------------------------------------------------------ */

/* Nonsense, and every other one begins as this session's do. */
static void pelt(struct call *c, struct person *p)
{
    for (uint32_t i = 0; i < c->garbage; i++) {
        struct packet head = { .from_client = true, .session = p->number, .has_tail = true };
        uint8_t bytes[120];
        struct session_opened o;
        for (size_t k = 0; k < sizeof bytes; k++) {
            c->dice = c->dice * 6364136223846793005ULL + 1442695040888963407ULL;
            bytes[k] = (uint8_t)(c->dice >> 56);
        }
        head.number = (uint32_t)(p->count + i % 50);
        head.frames_len = 30;
        if (i % 2)
            packet_write_head(bytes, &head);
        CHECK(session_open(&p->there, c->now_us, bytes, sizeof bytes, &o) < 0);
    }
}

static void serve_in(struct call *c, struct person *p)
{
    struct session_opened o;
    struct dgram d;
    struct ack ack;
    struct blob *b;
    uint32_t buffer;

    pelt(c, p);
    while ((b = link_next(&p->up, c->now_us))) {
        uint8_t *to = relay_buffer(c->relay, &buffer);
        memcpy(to, b->bytes, b->len);
        CHECK(session_open(&p->there, c->now_us, to, b->len, &o) == 0);
        struct reader r = reader_of(o.frames, o.frames_len);
        size_t used = 0;
        while (dgram_read(&r, &d, &ack) == 1) {
            if (d.kind == DGRAM_NACK)
                relay_on_nack(c->relay, c->now_us, p->leg, &d.nack, 50 * MS);
            if (d.kind != DGRAM_MEDIA || used + d.media.len > o.tail_len)
                continue;
            CHECK(relay_on_media(c->relay, c->now_us, c->now_us, p->leg, &d.media, buffer,
                                 (uint32_t)(o.tail + used - to)) == 0);
            used += d.media.len;
        }
        CHECK(used == o.tail_len);
        blob_unref(b);
    }
}

static void serve_out(struct call *c)
{
    static struct relay_out o;
    uint8_t packet[PACKET_MTU_MIN];

    while (relay_next(c->relay, c->now_us, &o)) {
        struct writer w = writer_of(packet + PACKET_HEAD_TAIL, sizeof packet - PACKET_HEAD_TAIL);
        struct seal_part tail[RELAY_PARTS_MAX];
        struct person *p = NULL;
        for (int i = 0; i < PEOPLE; i++)
            if (c->people[i].number && c->people[i].leg == o.leg)
                p = &c->people[i];
        CHECK(p);
        for (uint32_t i = 0; i < o.n; i++) {
            struct dgram d = { .kind = DGRAM_MEDIA, .media = o.parts[i].head };
            CHECK(dgram_write(&w, &d));
            tail[i] = (struct seal_part){ o.parts[i].payload, o.parts[i].head.len };
        }
        dispatch(c, &p->there, &p->down, packet, (size_t)(w.p - packet) - PACKET_HEAD_TAIL, tail,
                 o.n);
    }
}

/* --- hearing ------------------------------------------------------------------------------ */

static void take(struct call *c, struct person *p, uint32_t from, const struct media *m,
                 const uint8_t *payload)
{
    uint8_t bytes[SEALED];

    memcpy(bytes, payload, SEALED);
    int err = keyring_open(p->keys, c->now_us, from, m, bytes, BYTES, bytes + BYTES);
    if (err == KEYRING_UNKNOWN)
        early_put(&p->early, c->now_us, from, m, payload, SEALED);
    else if (!err)
        jitter_put(&p->ears[m->stream - 1].jitter, c->now_us, m, bytes, BYTES, 960);
    if (!err && bytes[7] != m->frame % 251)
        c->strange++;
    if (err < 0 && err != -ROOST_ALREADY)
        c->unopened++;
}

static void hear(struct call *c, struct person *p)
{
    struct session_opened o;
    struct dgram d;
    struct ack ack;
    struct blob *b;

    while ((b = link_next(&p->down, c->now_us))) {
        for (size_t i = 0; i < b->len; i++)
            c->sum = c->sum * 31 + b->bytes[i];
        c->sum = c->sum * 31 + (uint64_t)c->now_us + p->number;
        CHECK(session_open(&p->here, c->now_us, b->bytes, b->len, &o) == 0);
        struct reader r = reader_of(o.frames, o.frames_len);
        for (size_t used = 0; dgram_read(&r, &d, &ack) == 1; used += d.media.len) {
            CHECK(d.kind == DGRAM_MEDIA && used + d.media.len <= o.tail_len);
            CHECK(d.media.stream >= 1 && d.media.stream <= SPEAKERS && d.media.len == SEALED);
            uint32_t from = c->people[d.media.stream - 1].number;
            gaps_on_part(&p->ears[d.media.stream - 1].gaps, c->now_us, d.media.count);
            take(c, p, from, &d.media, o.tail + used);
        }
        blob_unref(b);
    }
    for (struct keyring_event e; keyring_event(p->keys, &e);) {
        struct early_frame f;
        uint8_t *bytes;
        CHECK(e.what == KEYRING_HAS_KEY || e.what == KEYRING_NEW_KEY);
        for (uint32_t i = 0; e.what == KEYRING_HAS_KEY &&
                             early_take(&p->early, c->now_us, e.who, e.value, &i, &f, &bytes);)
            take(c, p, e.who, &f.media, bytes);
    }
}

static void play(struct call *c, struct ear *e)
{
    struct jitter_turn t;

    while (c->now_us >= e->next_play_us) {
        jitter_next(&e->jitter, c->now_us, &t);
        int64_t takes = (int64_t)t.ticks * 125 / 6;
        e->next_play_us += t.what == JITTER_FASTER   ? takes * 3 / 4
                           : t.what == JITTER_SLOWER ? takes * 5 / 4
                                                     : takes;
    }
}

/* --- a call ----------------------------------------------------------------------------------- */

static struct call *call_on(const struct link_config *down, uint64_t seed)
{
    struct relay_settings s = { .legs = 16,
                                .meetings = 2,
                                .streams = 16,
                                .items = 1024,
                                .buffers = 1024,
                                .buffer_bytes = 1500,
                                .speakers = 5,
                                .mtu = 1200 };
    struct call *c = calloc(1, sizeof *c);

    if (!c)
        CHECK(!"memory");
    c->now_us = 1000 * MS;
    c->seed = seed;
    c->down = *down;
    c->hub_us = 30 * MS;
    CHECK(relay_new(&c->relay, &s) == 0);
    for (uint32_t i = 0; i < PEOPLE; i++)
        come(c, i);
    tell(c);
    for (uint32_t i = 0; i < SPEAKERS; i++)
        CHECK(keyring_speak(c->people[i].keys, c->now_us) == 0);
    return c;
}

static void call_free(struct call *c)
{
    for (uint32_t i = 0; i < PEOPLE; i++)
        if (c->people[i].number)
            go(c, i);
    relay_free(c->relay);
    free(c);
}

static void call_run(struct call *c, int64_t for_us)
{
    for_us /= test_starves() ? 50 : 1;
    for (int64_t until = c->now_us + for_us; c->now_us < until; c->now_us += MS) {
        for (uint32_t i = 0; i < SPEAKERS; i++)
            if (c->now_us / MS % 20 == 7 * i)
                speak(c, i);
        carry(c);
        for (uint32_t i = 0; i < PEOPLE; i++) {
            struct person *p = &c->people[i];
            if (!p->number)
                continue;
            serve_in(c, p);
            hear(c, p);
            keyring_expire(p->keys, c->now_us);
            for (uint32_t s = 0; s < SPEAKERS; s++) {
                if (s != i)
                    ask(c, p, s);
                play(c, &p->ears[s]);
            }
        }
        serve_out(c);
    }
}

/* Made up for, of a million, by those who stayed: everybody but the last. */
static int64_t concealed_ppm(const struct call *c)
{
    uint64_t concealed = 0, played = 0;

    for (uint32_t i = 0; i + 1 < PEOPLE; i++)
        for (uint32_t s = 0; s < SPEAKERS; s++)
            if (s != i) {
                concealed += c->people[i].ears[s].jitter.counts.concealed_ticks;
                played += c->people[i].ears[s].jitter.counts.played_ticks;
            }
    return (int64_t)(concealed * 1000000 / (concealed + played + 1));
}

/* Fifty times somebody leaves and somebody comes. */
static void rotate(struct call *c)
{
    call_run(c, 1000 * MS);
    for (int i = 0; i < (test_starves() ? 1 : 25); i++) {
        go(c, PEOPLE - 1);
        tell(c);
        call_run(c, 300 * MS);
        come(c, PEOPLE - 1);
        tell(c);
        call_run(c, 300 * MS);
        go(c, PEOPLE - 1);
        come(c, PEOPLE - 1); /* at once: both in one change */
        tell(c);
        call_run(c, 300 * MS);
    }
}

static void rotations_are_not_heard(void)
{
    struct link_config clean = { .delay_us = 25 * MS };
    struct call *c = call_on(&clean, 1);

    rotate(c);
    CHECK(keyring_key_id(c->people[0].keys) / 256 > 50);
    CHECK(concealed_ppm(c) == 0 && c->strange == 0);
    for (uint32_t i = 1; i + 1 < PEOPLE; i++) /* each of them heard all of it */
        CHECK(c->people[i].ears[0].jitter.counts.played > c->people[0].frame - 10);
    call_free(c);
}

static void nor_on_wifi(void)
{
    struct link_config wifi = {
        .delay_us = 25 * MS, .jitter_us = 15 * MS, .loss_ppm = 5000, .loss_burst = 2
    };
    struct call *c = call_on(&wifi, 2);

    rotate(c);
    if (getenv("ROOST_SAY"))
        printf("wifi: %lld ppm concealed\n", (long long)concealed_ppm(c));
    CHECK(concealed_ppm(c) < 5000 && c->strange == 0);
    call_free(c);
}

/* Keys and rotations change nothing about what loss costs. */
static void loss_is_repaired(void)
{
    struct link_config lossy = { .delay_us = 25 * MS, .loss_ppm = 50000 };
    struct call *c = call_on(&lossy, 3);

    call_run(c, 60000 * MS);
    if (getenv("ROOST_SAY"))
        printf("5 %%: %lld ppm concealed\n", (long long)concealed_ppm(c));
    CHECK(concealed_ppm(c) < 5000 && c->strange == 0);
    CHECK(relay_counts(c->relay)->again > 500 && c->unopened == 0);
    call_free(c);
}

/* 100,000 packets of nothing a second: every datagram to everybody is the same to the bit, at the
 * same moment. */
static void garbage_changes_nothing(void)
{
    const struct link_config wifi = { .delay_us = 25 * MS, .jitter_us = 4 * MS, .loss_ppm = 5000 };
    struct call *quiet = call_on(&wifi, 7), *pelted = call_on(&wifi, 7);

    pelted->garbage = 100 / PEOPLE + 1;
    call_run(quiet, 2000 * MS);
    call_run(pelted, 2000 * MS);
    CHECK(quiet->sum && quiet->sum == pelted->sum);
    CHECK(!pelted->strange && pelted->unopened == quiet->unopened);
    call_free(quiet);
    call_free(pelted);
}

TEST_MAIN({ "rotations_are_not_heard", rotations_are_not_heard }, { "nor_on_wifi", nor_on_wifi },
          { "loss_is_repaired", loss_is_repaired },
          { "garbage_changes_nothing", garbage_changes_nothing })
