/* test_relay.c - who gets which packet: meetings in virtual time, up to 200 people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/dice.h"
#include "relay/inside.h"
#include "test.h"

#define MS 1000LL
enum { LOUD = 100, HUM = 40, BYTES = 96, PEOPLE_MAX = 200, LATE_MAX = 64 };

static const struct relay_settings usual = { .legs = 256,
                                             .meetings = 8,
                                             .streams = 512,
                                             .items = 4096,
                                             .buffers = 4096,
                                             .buffer_bytes = 1500,
                                             .speakers = 5,
                                             .mtu = 1200 };

/* What came to each leg. */
struct room {
    struct relay *r;
    int64_t now_us, ago_us;
    uint64_t frame[PEOPLE_MAX]; /* of each voice: the next */
    uint64_t voices[PEOPLE_MAX], pictures[PEOPLE_MAX], datagrams[PEOPLE_MAX];
    uint64_t sum[PEOPLE_MAX];       /* of all that came to it, and when */
    uint64_t late[LATE_MAX];        /* voices by how long the relay held them, in quarters of ms */
    uint16_t counts[PEOPLE_MAX][4]; /* of the first streams: the next that is expected */
    bool holes;
    struct relay_out last; /* of leg `look` */
    uint32_t look;
};

static struct room *room_made(const struct relay_settings *s)
{
    struct room *m = calloc(1, sizeof *m);

    if (m && relay_new(&m->r, s)) {
        free(m);
        return NULL;
    }
    return m;
}

static struct room *room_of(const struct relay_settings *s, uint32_t people)
{
    struct room *m = room_made(s);

    CHECK(m);
    m->now_us = 1000 * MS;
    for (uint32_t i = 0; i < people; i++) {
        CHECK(relay_enter(m->r, 7, m->now_us) == i);
        CHECK(relay_publish(m->r, i, 100 + i, true) == 0);
    }
    return m;
}

static void room_free(struct room *m)
{
    relay_free(m->r);
    free(m);
}

static int put(struct room *m, uint32_t leg, const struct media *x)
{
    uint32_t buffer;
    uint8_t *to = relay_buffer(m->r, &buffer);

    int64_t came_us = m->now_us - m->ago_us;

    memcpy(to + 40, &came_us, sizeof came_us); /* the payload says when it came */
    return relay_on_media(m->r, m->now_us, came_us, leg, x, buffer, 40);
}

static int voice(struct room *m, uint32_t leg, uint8_t level)
{
    struct media x = { .stream = 100 + leg,
                       .codec = MEDIA_OPUS,
                       .key = true,
                       .last = true,
                       .has_level = true,
                       .level = level,
                       .len = BYTES,
                       .key_id = 256,
                       .frame = m->frame[leg]++ };

    return put(m, leg, &x);
}

static void pull(struct room *m)
{
    static struct relay_out o;

    while (relay_next(m->r, m->now_us, &o)) {
        size_t bytes = 11 + 16;
        m->datagrams[o.leg]++;
        for (uint32_t i = 0; i < o.n; i++) {
            const struct media_part *p = &o.parts[i];
            int64_t came;
            memcpy(&came, p->payload, sizeof came);
            bytes += media_bytes(&p->head) + p->head.len;
            CHECK(!p->head.has_level);
            if (p->head.codec == MEDIA_VP8) {
                m->pictures[o.leg]++;
                continue;
            }
            m->voices[o.leg]++;
            int64_t held = (m->now_us - came) / 250;
            m->late[held < LATE_MAX ? held : LATE_MAX - 1]++;
            m->sum[o.leg] = m->sum[o.leg] * 31 + p->head.stream * 7 + p->head.frame +
                            (uint64_t)m->now_us;
            if (p->head.stream < 104) {
                uint16_t *next = &m->counts[o.leg][p->head.stream - 100];
                m->holes |= p->head.count != *next;
                *next = p->head.count + 1;
            }
        }
        CHECK(o.n && bytes <= 1200);
        if (o.leg == m->look)
            m->last = o;
    }
}

static void run(struct room *m, int64_t for_us)
{
    for (int64_t until = m->now_us + for_us; m->now_us < until;) {
        int64_t due = relay_deadline_us(m->r);
        m->now_us = due < until ? (due > m->now_us ? due : m->now_us) : until;
        pull(m);
    }
}

/* `speak` people out of phase with each other, for so long. */
static void talk(struct room *m, uint32_t speak, int64_t for_us)
{
    for (int64_t at = 0; at < for_us; at += 20 * MS)
        for (uint32_t i = 0; i < speak; i++) {
            CHECK(voice(m, i, LOUD) == 0);
            run(m, 20 * MS / speak);
        }
    run(m, RELAY_HOLD_MOST_US);
}

static int64_t held_us(const struct room *m, double share)
{
    uint64_t all = 0, n = 0;

    for (int i = 0; i < LATE_MAX; i++)
        all += m->late[i];
    for (int i = 0; i < LATE_MAX; i++)
        if ((double)(n += m->late[i]) >= share * (double)all)
            return (i + 1) * 250;
    return INT64_MAX;
}

/* --- load --- */

static void all_hear_all_and_frames_share_datagrams(void)
{
    struct relay_settings s = usual;

    s.speakers = 10;
    struct room *m = room_of(&s, 200);
    talk(m, 10, 4000 * MS);
    const struct relay_counts *c = relay_counts(m->r);
    CHECK(c->came == 2000 && c->forwarded == 2000 * 199 && !c->dropped && !c->gone);
    for (uint32_t i = 0; i < 200; i++)
        CHECK(m->voices[i] == (i < 10 ? 1800u : 2000u));
    CHECK(!m->holes && held_us(m, 1) <= RELAY_HOLD_MOST_US + 250);
    CHECK(c->datagrams * 5 < c->forwarded * 2); /* two and a half in each, and more */
    if (getenv("ROOST_SAY"))
        printf("200 and 10: %.2f frames a datagram, held %lld us at p99\n",
               (double)c->forwarded / (double)c->datagrams, (long long)held_us(m, 0.99));
    room_free(m);
}

/* A socket may be looked at late: that is part of the five milliseconds. */
static void what_was_read_late_waits_less(void)
{
    struct relay_settings s = usual;

    s.speakers = 10;
    struct room *m = room_of(&s, 200);
    talk(m, 10, 500 * MS);
    memset(m->late, 0, sizeof m->late);
    m->ago_us = 3 * MS;
    talk(m, 10, 2000 * MS);
    CHECK(held_us(m, 1) <= RELAY_HOLD_MOST_US + 250 && held_us(m, 1) > RELAY_HOLD_MOST_US - 250);
    m->ago_us = RELAY_HOLD_MOST_US;
    CHECK(voice(m, 0, LOUD) == 0 && relay_deadline_us(m->r) <= m->now_us);
    uint64_t before = relay_counts(m->r)->datagrams;
    pull(m); /* all of it leaves now */
    CHECK(relay_counts(m->r)->datagrams == before + 199 && relay_deadline_us(m->r) == INT64_MAX);
    room_free(m);
}

static void few_do_not_wait(void)
{
    struct room *m = room_of(&usual, 20);

    talk(m, 4, 4000 * MS); /* 3,800 frames a second: nobody would come to share */
    CHECK(held_us(m, 1) <= 250 && relay_hold_us(m->r, m->now_us) == 0);
    CHECK(relay_counts(m->r)->forwarded == 800 * 19);
    room_free(m);
    m = room_of(&usual, 100); /* many, but each hears only 200 frames a second */
    talk(m, 4, 1000 * MS);
    CHECK(held_us(m, 1) <= 250);
    room_free(m);
}

static void memory_of_a_leg_is_small(void)
{
    CHECK(sizeof(struct leg) + (RELAY_VOICES_MAX + RELAY_PICTURES_MAX) * sizeof(struct held) <
          10000);
}

/* --- who is heard --- */

static void the_muted_are_not_heard(void)
{
    struct room *m = room_of(&usual, 3);

    CHECK(voice(m, 0, LOUD) == 0 && voice(m, 0, LOUD) == 0);
    run(m, 20 * MS);
    CHECK(m->voices[1] == 2 && relay_speaker(m->r, 7) == 0);
    CHECK(relay_mute(m->r, 7, 100, true) == 0);
    for (int i = 0; i < 50; i++) {
        CHECK(voice(m, 0, LOUD) == -ROOST_NOT_ALLOWED);
        CHECK(voice(m, 2, LOUD) == 0);
        run(m, 20 * MS);
    }
    CHECK(m->voices[1] == 52 && m->voices[0] == 50 && relay_counts(m->r)->muted == 50);
    CHECK(relay_speaker(m->r, 7) == 2);
    CHECK(relay_mute(m->r, 7, 100, false) == 0 && voice(m, 0, LOUD) == 0);
    run(m, 20 * MS);
    CHECK(m->voices[1] == 53 && !m->holes);
    CHECK(relay_mute(m->r, 7, 999, true) == -ROOST_INVALID);
    room_free(m);
}

static void nobody_speaks_for_others(void)
{
    struct room *m = room_of(&usual, 3);
    struct media x = { .stream = 101,
                       .codec = MEDIA_OPUS,
                       .last = true,
                       .has_level = true,
                       .level = LOUD,
                       .len = BYTES };

    CHECK(put(m, 0, &x) == -ROOST_NOT_ALLOWED); /* another's stream */
    x.stream = 5;
    CHECK(put(m, 0, &x) == -ROOST_NOT_ALLOWED);  /* nobody's */
    CHECK(relay_enter(m->r, 8, m->now_us) == 3); /* another meeting: same number of a stream */
    CHECK(relay_publish(m->r, 3, 100, true) == 0);
    x.stream = 100;
    CHECK(put(m, 3, &x) == 0);
    run(m, 20 * MS);
    CHECK(!m->voices[0] && !m->voices[1] && relay_counts(m->r)->foreign == 2);
    x.len = 1500;
    CHECK(put(m, 0, &x) == -ROOST_INVALID); /* beyond its buffer */
    CHECK(relay_publish(m->r, 1, 100, true) == -ROOST_INVALID);
    CHECK(relay_publish(m->r, 99, 5, true) == -ROOST_INVALID);
    room_free(m);
}

static void the_last_speakers_are_forwarded(void)
{
    struct room *m = room_of(&usual, 12);

    for (int i = 0; i < 100; i++) {
        for (uint32_t who = 0; who < 11; who++)
            voice(m, who, who < 5 ? LOUD : HUM);
        run(m, 20 * MS);
    }
    CHECK(m->voices[11] == 500 && relay_counts(m->r)->unheard == 600);
    for (int i = 0; i < 60; i++) { /* the first is quiet: another takes its place */
        voice(m, 0, HUM);
        voice(m, 7, i < 55 ? HUM : LOUD);
        run(m, 20 * MS);
    }
    CHECK(m->voices[11] == 500 + 56 + 5);
    room_free(m);
}

static void who_leaves_is_gone(void)
{
    struct room *m = room_of(&usual, 3);

    voice(m, 0, LOUD);
    relay_leave(m->r, 1);
    run(m, 20 * MS);
    CHECK(m->voices[1] == 0 && m->voices[2] == 1);
    CHECK(voice(m, 1, LOUD) == -ROOST_INVALID);
    relay_leave(m->r, 1);
    CHECK(relay_enter(m->r, 7, m->now_us) == 1 && relay_publish(m->r, 1, 101, true) == 0);
    relay_unpublish(m->r, 1, 100); /* not its own */
    CHECK(voice(m, 0, LOUD) == 0);
    relay_unpublish(m->r, 0, 100);
    CHECK(voice(m, 0, LOUD) == -ROOST_NOT_ALLOWED);
    for (uint32_t i = 0; i < 3; i++)
        relay_leave(m->r, i);
    CHECK(relay_speaker(m->r, 7) == -1 && relay_deadline_us(m->r) == INT64_MAX);
    for (int i = 0; i < 1000; i++) { /* all of it comes back */
        CHECK(relay_enter(m->r, 1000 + (uint64_t)i, m->now_us) == 0);
        relay_leave(m->r, 0);
    }
    room_free(m);
}

/* --- repair --- */

static void what_is_asked_for_comes_again(void)
{
    struct room *m = room_of(&usual, 2);
    struct nack n = { 100, 1, { { 3, 0x0005 } } };

    m->look = 1;
    for (int i = 0; i < 10; i++) {
        voice(m, 0, LOUD);
        run(m, 20 * MS);
    }
    CHECK(m->voices[1] == 10);
    relay_on_nack(m->r, m->now_us, 1, &n, 40 * MS);
    run(m, 1 * MS);
    CHECK(m->voices[1] == 13 && m->last.n == 3 && relay_counts(m->r)->again == 3);
    relay_on_nack(m->r, m->now_us, 1, &n, 40 * MS); /* before the answer can be there */
    run(m, 1 * MS);
    CHECK(m->voices[1] == 13);
    run(m, 20 * MS);
    relay_on_nack(m->r, m->now_us, 1, &n, 40 * MS);
    run(m, 1 * MS);
    CHECK(m->voices[1] == 16);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(m->last.parts[i].head.count == m->last.parts[i].head.frame);
        seen |= 1u << m->last.parts[i].head.count;
    }
    CHECK(seen == (1u << 3 | 1u << 4 | 1u << 6));
    n.stream = 101; /* of another stream, from nobody */
    relay_on_nack(m->r, m->now_us, 1, &n, 0);
    relay_on_nack(m->r, m->now_us, 99, &n, 0);
    run(m, 1 * MS);
    CHECK(m->voices[1] == 16);
    room_free(m);
}

static void a_path_that_loses_gets_frames_twice(void)
{
    struct room *m = room_of(&usual, 3);

    m->look = 1;
    for (int i = 0; i < 10; i++) {
        relay_on_path(m->r, m->now_us, 1, 1000000, i < 2 ? 0 : 0.06f);
        voice(m, 0, LOUD);
        run(m, 20 * MS);
    }
    CHECK(m->last.n == 2 && m->last.parts[0].head.count == 9 && m->last.parts[1].head.count == 8);
    CHECK(m->voices[1] == 18 && m->voices[2] == 10); /* nobody else */
    relay_on_path(m->r, m->now_us, 1, 1000000, 0.2f);
    voice(m, 0, LOUD);
    run(m, 20 * MS);
    CHECK(m->last.n == 3 && m->last.parts[2].head.count == 8);
    room_free(m);
}

/* --- one bad receiver --- */

static void picture(struct room *m, uint64_t frame, bool key, uint8_t encoding, uint8_t temporal,
                    uint16_t parts)
{
    for (uint16_t p = 0; p < parts; p++) {
        struct media x = { .stream = 50,
                           .codec = MEDIA_VP8,
                           .key = key,
                           .encoding = encoding,
                           .temporal = temporal,
                           .frame = frame,
                           .part = p,
                           .last = p + 1 == parts,
                           .has_mark = true,
                           .len = 1000 };
        CHECK(put(m, 0, &x) == 0);
    }
}

static struct room *lecture(bool bad)
{
    struct room *m = room_of(&usual, 10);

    CHECK(relay_publish(m->r, 0, 50, false) == 0);
    for (uint32_t i = 1; i < 10; i++) {
        CHECK(relay_want(m->r, i, 50, 0, 7) == 0);
        relay_on_path(m->r, m->now_us, i, i == 9 && bad ? 100000 : 20000000, 0);
    }
    for (int i = 0; i < 300; i++) { /* a voice, and 1.2 Mbit/s of pictures */
        voice(m, 0, LOUD);
        if (i % 2 == 0)
            picture(m, (uint64_t)i / 2, i == 0, 0, 0, 6);
        if (bad && i % 3 == 0) {
            struct nack n = { 50, 1, { { (uint16_t)(i * 3), 0xffff } } };
            relay_on_nack(m->r, m->now_us, 9, &n, 40 * MS);
        }
        run(m, 20 * MS);
    }
    return m;
}

static void one_bad_receiver_changes_nobody_elses(void)
{
    struct room *good = lecture(false), *bad = lecture(true);

    for (uint32_t i = 1; i < 9;
         i++) { /* to the microsecond, but for what the hold adds for its NACKs */
        CHECK(good->sum[i] == bad->sum[i] && good->voices[i] == 300);
        CHECK(good->pictures[i] == bad->pictures[i] && good->pictures[i] == 900);
    }
    CHECK(bad->voices[9] == 300 &&
          bad->pictures[9] < 100); /* hears all, sees what there is room for */
    CHECK(relay_counts(bad->r)->dropped > 500 && relay_counts(good->r)->dropped == 0);
    CHECK(bad->r->legs[9].pictures.n <= RELAY_PICTURES_MAX);
    room_free(good);
    room_free(bad);
}

static void media_takes_no_memory(void)
{
    struct room *m = lecture(false);
    struct nack n = { 50, 1, { { 1, 0xffff } } };
    long before = test_allocations();

    for (int i = 0; i < 200; i++) {
        voice(m, 0, LOUD);
        voice(m, 1 + (uint32_t)i % 9, LOUD);
        picture(m, 1000 + (uint64_t)i, i % 10 == 0, 0, 0, 6);
        relay_on_nack(m->r, m->now_us, 3, &n, 0);
        relay_on_path(m->r, m->now_us, 4, 1000000, 0.2f);
        run(m, 20 * MS);
    }
    CHECK(test_allocations() == before);
    room_free(m);
}

static void what_was_overwritten_is_not_sent(void)
{
    struct relay_settings s = usual;

    s.items = s.buffers = 64;
    struct room *m = room_of(&s, 2);
    CHECK(relay_publish(m->r, 0, 50, false) == 0 && relay_want(m->r, 1, 50, 0, 7) == 0);
    relay_on_path(m->r, m->now_us, 1, 1000, 0);
    picture(m, 0, true, 0, 0, 100);
    CHECK(m->r->legs[1].pictures.n == 100);
    relay_on_path(m->r, m->now_us, 1, 100000000, 0);
    run(m, 100 * MS);
    CHECK(relay_counts(m->r)->gone == 36 && m->pictures[1] == 64);
    struct nack n = { 50, 1, { { 0, 0xffff } } };
    picture(m, 1, false, 0, 0, 64);
    run(m, 100 * MS);
    uint64_t before = m->pictures[1];
    relay_on_nack(m->r, m->now_us, 1, &n, 0); /* it has been overwritten since */
    run(m, 100 * MS);
    CHECK(m->pictures[1] == before && relay_counts(m->r)->again == 0);
    room_free(m);
}

/* --- pictures --- */

static void encodings_change_at_key_frames(void)
{
    struct room *m = room_of(&usual, 2);
    uint32_t whom;

    m->look = 1;
    CHECK(relay_publish(m->r, 0, 50, false) == 0 && relay_want(m->r, 1, 50, 0, 1) == 0);
    relay_on_path(m->r, m->now_us, 1, 20000000, 0);
    picture(m, 0, false, 0, 0, 1); /* nothing can be made of it yet */
    run(m, 20 * MS);
    CHECK(m->pictures[1] == 0);
    picture(m, 1, true, 0, 0, 2);
    run(m, 20 * MS);
    picture(m, 2, false, 0, 1, 1);
    picture(m, 3, false, 0, 2, 1); /* above what it wants */
    picture(m, 2, false, 1, 0, 1); /* of the other size */
    run(m, 20 * MS);
    CHECK(m->pictures[1] == 3);
    CHECK(relay_want(m->r, 1, 50, 1, 7) == 0);
    picture(m, 4, false, 0, 0, 1); /* goes on until the other can be begun */
    picture(m, 4, false, 1, 0, 1);
    picture(m, 5, true, 1, 0, 1);
    picture(m, 5, false, 0, 0, 1);
    picture(m, 6, false, 1, 3, 1);
    run(m, 20 * MS);
    CHECK(m->pictures[1] == 3 + 1 + 2);
    CHECK(m->last.parts[m->last.n - 1].head.count == 5); /* of all that was sent, without holes */

    struct media_ask ask = { 50, 1 };
    CHECK(relay_ask_key(m->r, m->now_us, 1, &ask, &whom) && whom == 0);
    CHECK(!relay_ask_key(m->r, m->now_us + 499 * MS, 1, &ask, &whom));
    CHECK(relay_ask_key(m->r, m->now_us + 500 * MS, 1, &ask, &whom));
    CHECK(!relay_ask_key(m->r, m->now_us + 9000 * MS, 0, &ask, &whom)); /* its own */
    CHECK(relay_want(m->r, 1, 50, 1, -1) == 0);
    CHECK(!relay_ask_key(m->r, m->now_us + 9000 * MS, 1, &ask, &whom)); /* it does not see it */
    picture(m, 7, true, 1, 0, 1);
    run(m, 20 * MS);
    CHECK(m->pictures[1] == 6);
    CHECK(relay_want(m->r, 0, 50, 0, 1) == -ROOST_INVALID);
    CHECK(relay_want(m->r, 1, 100, 0, 1) == -ROOST_INVALID);
    room_free(m);
}

static void limits_are_kept(void)
{
    struct relay_settings s = { .legs = 2,
                                .meetings = 1,
                                .streams = 2,
                                .items = 4,
                                .buffers = 4,
                                .buffer_bytes = 1500,
                                .speakers = 1,
                                .mtu = 1200 };
    struct relay *r;

    CHECK(relay_new(&r, &s) == 0);
    CHECK(relay_enter(r, 1, 0) == 0 && relay_enter(r, 2, 0) == -ROOST_LIMIT);
    CHECK(relay_enter(r, 1, 0) == 1 && relay_enter(r, 1, 0) == -ROOST_LIMIT);
    CHECK(relay_publish(r, 0, 1, true) == 0 && relay_publish(r, 0, 2, false) == 0);
    CHECK(relay_publish(r, 0, 3, true) == -ROOST_LIMIT);
    relay_free(r);
    s.items = 3;
    CHECK(relay_new(&r, &s) == -ROOST_INVALID);
}

TEST_MAIN({ "all_hear_all_and_frames_share_datagrams", all_hear_all_and_frames_share_datagrams },
          { "what_was_read_late_waits_less", what_was_read_late_waits_less },
          { "few_do_not_wait", few_do_not_wait },
          { "memory_of_a_leg_is_small", memory_of_a_leg_is_small },
          { "media_takes_no_memory", media_takes_no_memory },
          { "the_muted_are_not_heard", the_muted_are_not_heard },
          { "nobody_speaks_for_others", nobody_speaks_for_others },
          { "the_last_speakers_are_forwarded", the_last_speakers_are_forwarded },
          { "who_leaves_is_gone", who_leaves_is_gone },
          { "what_is_asked_for_comes_again", what_is_asked_for_comes_again },
          { "a_path_that_loses_gets_frames_twice", a_path_that_loses_gets_frames_twice },
          { "one_bad_receiver_changes_nobody_elses", one_bad_receiver_changes_nobody_elses },
          { "what_was_overwritten_is_not_sent", what_was_overwritten_is_not_sent },
          { "encodings_change_at_key_frames", encodings_change_at_key_frames },
          { "limits_are_kept", limits_are_kept })
