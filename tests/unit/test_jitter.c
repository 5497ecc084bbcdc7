/* test_jitter.c - a voice over links that lose, delay and stop, in virtual time: how much of it is
 * made up for, and how long it takes from mouth to ear. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/err.h"
#include "lab/link.h"
#include "media/gaps.h"
#include "media/history.h"
#include "media/jitter.h"
#include "test.h"

#define MS 1000LL
enum { SENT_MAX = 200000, BYTES = 80 };

/* --- a speaker, two hops, a listener ---------------------------------------------------- */

/* In a packet: frames, each with its number, count and time of sending. */
struct carried {
    uint64_t frame;
    uint32_t timestamp;
    uint16_t count;
    bool silence;
};

struct talk {
    struct link up, down, back;
    struct jitter jitter;
    struct gaps gaps;
    struct history history;
    uint8_t repeats;
    uint8_t store[JITTER_FRAMES * BYTES];
    struct carried sent[SENT_MAX];
    int64_t now_us, next_send_us, next_play_us;
    int64_t frame_us;
    double speaker_ppm;
    uint64_t frames;
    int64_t ear_us, ear_n, ear_most_us; /* mouth to ear */
    bool repair;
    int64_t mouth_us[SENT_MAX];
    uint64_t bytes_down;
};

static void talk_init(struct talk *t, const struct link_config *up, const struct link_config *down,
                      uint64_t seed)
{
    memset(t, 0, sizeof *t);
    link_init(&t->up, LINK_DATAGRAMS, up, seed);
    link_init(&t->down, LINK_DATAGRAMS, down, seed + 1);
    link_init(&t->back, LINK_DATAGRAMS, down, seed + 2);
    jitter_init(&t->jitter, t->store, BYTES, false);
    t->now_us = 1000000;
    t->next_send_us = t->next_play_us = t->now_us;
    t->frame_us = 20 * MS;
    t->repair = true;
}

static void talk_fini(struct talk *t)
{
    link_fini(&t->up);
    link_fini(&t->down);
    link_fini(&t->back);
}

static void push(struct talk *t, struct link *l, const void *bytes, size_t len)
{
    struct blob *b = blob_copy(bytes, len);

    CHECK(b);
    CHECK(link_push(l, t->now_us, b) == 0);
    blob_unref(b);
}

static void speak(struct talk *t)
{
    uint64_t n = t->frames++;
    struct carried c = { n, (uint32_t)(n * (uint64_t)t->frame_us * 6 / 125), 0, false };

    CHECK(n < SENT_MAX);
    t->mouth_us[n] = t->now_us - t->frame_us; /* its first sample */
    push(t, &t->up, &c, sizeof c);
    t->next_send_us = 1000000 + (int64_t)((double)((n + 1) * (uint64_t)t->frame_us) *
                                          (1 - t->speaker_ppm / 1e6));
}

/* The relay: to the listener, with the last ones if much is lost; again what is asked for. */
static void forward(struct talk *t, struct carried c)
{
    struct carried packet[3];
    size_t n = 1;
    uint32_t what;

    c.count = history_on_sent(&t->history, t->now_us, (uint32_t)c.frame);
    t->sent[c.frame] = packet[0] = c;
    t->repeats = history_repeats(t->repeats, t->gaps.loss);
    for (uint16_t i = 1; t->repair && i <= t->repeats; i++)
        if (history_back(&t->history, i, &what, &c.count))
            packet[n++] = t->sent[what];
    push(t, &t->down, packet, n * sizeof *packet);
    t->bytes_down += n * BYTES;
}

static void relay(struct talk *t)
{
    struct blob *b;
    uint32_t i, what;
    uint16_t count;

    while ((b = link_next(&t->up, t->now_us))) {
        struct carried c;
        memcpy(&c, b->bytes, sizeof c);
        forward(t, c);
        blob_unref(b);
    }
    while ((b = link_next(&t->back, t->now_us))) {
        struct nack n;
        memcpy(&n, b->bytes, sizeof n);
        blob_unref(b);
        for (i = 0; history_asked(&t->history, t->now_us, 50 * MS, &n, &i, &what, &count);)
            push(t, &t->down, &t->sent[what], sizeof *t->sent);
    }
}

static void listen(struct talk *t)
{
    uint8_t bytes[BYTES] = { 0 };
    struct blob *b;
    struct nack n;

    while ((b = link_next(&t->down, t->now_us))) {
        for (size_t at = 0; at < b->len; at += sizeof(struct carried)) {
            struct carried c;
            memcpy(&c, b->bytes + at, sizeof c);
            struct media m = { .frame = c.frame, .timestamp = c.timestamp, .silence = c.silence };
            memcpy(bytes, &c.frame, sizeof c.frame);
            gaps_on_part(&t->gaps, t->now_us, c.count);
            jitter_put(&t->jitter, t->now_us, &m, bytes, BYTES, (uint32_t)(t->frame_us * 6 / 125));
        }
        blob_unref(b);
    }
    if (t->repair && gaps_ask(&t->gaps, t->now_us, 50 * MS, jitter_budget_us(&t->jitter), &n))
        push(t, &t->back, &n, sizeof n);
}

static void play(struct talk *t)
{
    struct jitter_turn turn;
    uint64_t frame;

    jitter_next(&t->jitter, t->now_us, &turn);
    int64_t takes = (int64_t)turn.ticks * 125 / 6;
    if (turn.what == JITTER_PLAY || turn.what == JITTER_FASTER || turn.what == JITTER_SLOWER) {
        memcpy(&frame, turn.bytes, sizeof frame);
        int64_t ear = t->now_us - t->mouth_us[frame];
        t->ear_us += ear;
        t->ear_n++;
        t->ear_most_us = ear > t->ear_most_us ? ear : t->ear_most_us;
        takes += turn.what == JITTER_FASTER   ? -takes / 4
                 : turn.what == JITTER_SLOWER ? takes / 4
                                              : 0;
    }
    t->next_play_us += takes;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void talk_run(struct talk *t, int64_t for_us)
{
    int64_t until = t->now_us + (test_starves() ? for_us / 200 : for_us);

    while (t->now_us < until) {
        if (t->now_us >= t->next_send_us)
            speak(t);
        relay(t);
        listen(t);
        while (t->now_us >= t->next_play_us)
            play(t);
        int64_t due = least(t->next_send_us, t->next_play_us);
        due = least(due, link_deadline_us(&t->up));
        due = least(due, link_deadline_us(&t->down));
        due = least(due, link_deadline_us(&t->back));
        if (t->repair)
            due = least(due, gaps_deadline_us(&t->gaps, 50 * MS, jitter_budget_us(&t->jitter)));
        t->now_us = due > t->now_us ? due : t->now_us + 1;
    }
}

/* Parts of a million. */
static int64_t concealed_ppm(const struct talk *t)
{
    const struct jitter_counts *c = &t->jitter.counts;

    return (int64_t)(c->concealed_ticks * 1000000 / (c->concealed_ticks + c->played_ticks + 1));
}

static void say(const char *what, const struct talk *t)
{
    if (getenv("ROOST_SAY"))
        printf(
            "%s: concealed %lld ppm, mouth to ear %lld us (most %lld), held %lld, stretched %llu\n",
            what, (long long)concealed_ppm(t), (long long)(t->ear_us / (t->ear_n ? t->ear_n : 1)),
            (long long)t->ear_most_us, (long long)jitter_held_us(&t->jitter),
            (unsigned long long)t->jitter.counts.stretched);
}

static struct talk *talk_on(const struct link_config *down, uint64_t seed)
{
    struct link_config up = { .delay_us = 25 * MS };
    struct talk *t = malloc(sizeof *t);

    if (!t)
        CHECK(!"memory");
    talk_init(t, &up, down, seed);
    return t;
}

/* --- what is asserted ------------------------------------------------------------------------ */

static void losses(uint32_t ppm, int64_t most_ppm, const char *name)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct link_config down = { .delay_us = 25 * MS, .loss_ppm = ppm };
        struct talk *t = talk_on(&down, seed * 100);
        talk_run(t, 120000 * MS);
        say(name, t);
        CHECK(concealed_ppm(t) < most_ppm);
        CHECK(t->ear_us / (t->ear_n + 1) <= 250 * MS && t->ear_most_us <= 290 * MS);
        talk_fini(t);
        free(t);
    }
}

static void five_of_a_hundred_lost(void)
{
    losses(50000, 5000, "5 %");
}

static void ten_of_a_hundred_lost(void)
{
    losses(100000, 10000, "10 %");
}

static void twenty_of_a_hundred_lost(void)
{
    losses(200000, 20000, "20 %");
}

/* A LAN: the frame itself, and next to nothing. */
static void a_clean_link_costs_nothing(void)
{
    for (int frame_ms = 10; frame_ms <= 20; frame_ms += 10) {
        struct link_config near = { .delay_us = 300 }, none = { .delay_us = 300 };
        struct talk *t = talk_on(&none, 1);
        link_set(&t->up, &near);
        t->frame_us = frame_ms * MS;
        talk_run(t, 60000 * MS);
        say("lan", t);
        CHECK(concealed_ppm(t) == 0);
        CHECK(t->ear_us / (t->ear_n + 1) <= (frame_ms + 20) * MS);
        talk_fini(t);
        free(t);
    }
}

/* An hour of clocks 200 ppm apart, both ways, over a link with jitter. */
static void clocks_go_apart(void)
{
    for (int side = -1; side <= 1; side += 2) {
        struct link_config down = { .delay_us = 25 * MS, .jitter_us = 3 * MS };
        struct talk *t = talk_on(&down, 3);
        t->speaker_ppm = 200 * side;
        talk_run(t, 3600000 * MS);
        say("200 ppm", t);
        CHECK(t->jitter.counts.concealed == 0 && t->jitter.counts.skipped == 0);
        CHECK(t->jitter.counts.late == 0 && t->jitter.counts.played > 179000);
        CHECK(t->ear_most_us < 130 * MS);
        talk_fini(t);
        free(t);
    }
}

/* Laptops scan for access points and go deaf: all that was sent meanwhile comes at once. The
 * first such pause is heard; after a few the buffer holds enough. */
static void pauses_are_learnt(void)
{
    struct link_config down = { .delay_us = 25 * MS, .rate_bps = 20000000 };
    struct talk *t = talk_on(&down, 4);
    uint64_t first = 0, later = 0;

    for (int i = 0; i < 20; i++) {
        uint64_t before = t->jitter.counts.concealed_ticks;
        struct link_config slow = { .delay_us = 25 * MS, .rate_bps = 1000 };
        talk_run(t, 3900 * MS);
        link_set(&t->down, &slow); /* nothing comes through for a while, nothing is lost */
        talk_run(t, 100 * MS);
        link_set(&t->down, &down);
        *(i < 3 ? &first : &later) += t->jitter.counts.concealed_ticks - before;
    }
    say("pauses", t);
    CHECK(first > 0 && later < first);
    CHECK(concealed_ppm(t) < 10000);
    talk_fini(t);
    free(t);
}

static void wifi(void)
{
    struct link_config down = {
        .delay_us = 25 * MS, .jitter_us = 15 * MS, .loss_ppm = 5000, .loss_burst = 3
    };
    struct talk *t = talk_on(&down, 5);

    talk_run(t, 120000 * MS);
    say("wifi", t);
    CHECK(concealed_ppm(t) < 5000 && t->ear_us / (t->ear_n + 1) <= 200 * MS);
    talk_fini(t);
    free(t);
}

/* Without repair what is lost is heard: the figures are no figment. */
static void without_repair_it_is_heard(void)
{
    struct link_config down = { .delay_us = 25 * MS, .loss_ppm = 50000 };
    struct talk *t = talk_on(&down, 6);

    t->repair = false;
    talk_run(t, 120000 * MS);
    CHECK(concealed_ppm(t) > 40000 && concealed_ppm(t) < 60000);
    talk_fini(t);
    free(t);
}

/* Out for two seconds: as live as before within a second of its return. */
static void an_outage_is_forgotten(void)
{
    struct link_config down = { .delay_us = 25 * MS };
    struct talk *t = talk_on(&down, 7);

    talk_run(t, 20000 * MS);
    int64_t before = jitter_held_us(&t->jitter);
    link_set_down(&t->down, true, t->now_us);
    talk_run(t, 2000 * MS);
    link_set_down(&t->down, false, t->now_us);
    talk_run(t, 1000 * MS);
    t->ear_us = t->ear_n = t->ear_most_us = 0;
    uint64_t concealed = t->jitter.counts.concealed_ticks;
    talk_run(t, 5000 * MS);
    say("outage", t);
    CHECK(t->ear_most_us < 20 * MS + 50 * MS + before + 60 * MS);
    CHECK(t->jitter.counts.concealed_ticks - concealed < MEDIA_HZ / 20);
    CHECK(concealed < MEDIA_HZ * 22 / 10); /* two seconds were silent, and not much more */
    talk_fini(t);
    free(t);
}

/* --- the small things ---------------------------------------------------------------------- */

static struct media frame_at(uint64_t n)
{
    return (struct media){ .frame = n, .timestamp = (uint32_t)(n * 960 + 0xffffff00u) };
}

static void frames_come_once_and_in_any_order(void)
{
    static uint8_t store[JITTER_FRAMES * BYTES];
    struct jitter j;
    struct jitter_turn turn;
    uint8_t bytes[BYTES + 1] = { 0 };
    int64_t now = 0;

    jitter_init(&j, store, BYTES, true);
    jitter_next(&j, now, &turn);
    CHECK(turn.what == JITTER_QUIET && turn.ticks > 0);
    for (int i = 0; i < 3; i++) { /* timestamps wrap here */
        struct media m = frame_at((uint64_t[]){ 0, 2, 1 }[i]);
        CHECK(jitter_put(&j, now, &m, bytes, BYTES, 960) == 0);
        CHECK(jitter_put(&j, now, &m, bytes, BYTES, 960) == -ROOST_ALREADY);
    }
    struct media m = frame_at(4);
    CHECK(jitter_put(&j, now, &m, bytes, BYTES + 1, 960) == -ROOST_LIMIT);
    CHECK(jitter_put(&j, now, &m, bytes, 7, 960) == 0);
    now = j.delay.low_us + j.delay.target_us + (0xffffff00LL - 0x100000000LL) * 125 / 6;
    now = delay_due_us(&j.delay, j.slots[0].sent_us);
    for (int i = 0; i < 3; i++, now += 20 * MS) {
        jitter_next(&j, now, &turn);
        CHECK(turn.what == JITTER_PLAY && turn.len == BYTES && turn.ticks == 960);
    }
    jitter_next(&j, now, &turn); /* 3 is missing, and 4 knows something of it */
    CHECK(turn.what == JITTER_RECOVER && turn.len == 7);
    jitter_next(&j, now + 20 * MS, &turn);
    CHECK(turn.what == JITTER_PLAY && turn.len == 7);
    m = frame_at(3);
    CHECK(jitter_put(&j, now, &m, bytes, BYTES, 960) == -ROOST_ALREADY);
    CHECK(j.counts.late == 1 && j.counts.recovered == 1 && j.counts.played == 4);
}

static void silence_is_not_made_up(void)
{
    static uint8_t store[JITTER_FRAMES * BYTES];
    struct jitter j;
    struct jitter_turn turn;
    uint8_t bytes[BYTES] = { 0 };

    jitter_init(&j, store, BYTES, true);
    struct media m = { .frame = 0, .timestamp = 0, .silence = true };
    CHECK(jitter_put(&j, 0, &m, bytes, BYTES, 960) == 0);
    int64_t now = delay_due_us(&j.delay, 0);
    jitter_next(&j, now, &turn);
    CHECK(turn.what == JITTER_PLAY);
    for (int i = 0; i < 100; i++) {
        now += 20 * MS;
        jitter_next(&j, now, &turn);
        CHECK(turn.what == JITTER_QUIET);
    }
    m = (struct media){ .frame = 1, .timestamp = 48000 * 3 };
    CHECK(jitter_put(&j, 3000 * MS, &m, bytes, BYTES, 960) == 0);
    now = delay_due_us(&j.delay, 3000 * MS);
    jitter_next(&j, now - 3 * MS, &turn);
    CHECK(turn.what == JITTER_QUIET && turn.ticks <= 145); /* until it is due */
    jitter_next(&j, now, &turn);
    CHECK(turn.what == JITTER_PLAY && j.counts.concealed_ticks == 0);
}

static void gaps_are_asked_for_in_time(void)
{
    struct gaps g = { 0 };
    struct nack n;

    for (uint16_t c = 65530; c != 10; c++) /* 65533 and 2 to 4 are missing */
        if (c != 65533 && (c < 2 || c > 4))
            CHECK(gaps_on_part(&g, 0, c) == GAPS_NEW);
    CHECK(!gaps_ask(&g, 4 * MS, 50 * MS, 100 * MS, &n)); /* they may have been overtaken */
    CHECK(gaps_deadline_us(&g, 50 * MS, 100 * MS) == 5 * MS);
    CHECK(gaps_ask(&g, 5 * MS, 50 * MS, 100 * MS, &n));
    CHECK(n.n == 1 && n.gaps[0].first == 65533 && n.gaps[0].more == 0x0070);
    CHECK(!gaps_ask(&g, 6 * MS, 50 * MS, 100 * MS, &n));
    CHECK(gaps_on_part(&g, 60 * MS, 3) == GAPS_REPAIRED);
    CHECK(gaps_on_part(&g, 60 * MS, 3) == GAPS_AGAIN && gaps_on_part(&g, 60 * MS, 9) == GAPS_AGAIN);
    CHECK(!gaps_ask(&g, 65 * MS, 50 * MS, 100 * MS, &n)); /* too late for an answer */
    CHECK(gaps_ask(&g, 65 * MS, 50 * MS, 150 * MS, &n));
    CHECK(n.gaps[0].first == 65533 && n.gaps[0].more == 0x0050);
    CHECK(g.lost == 4 && g.repaired == 1 && g.received == 13);
    CHECK(gaps_on_part(&g, 70 * MS, 30000) == GAPS_NEW && g.lost == 4); /* begun anew */
    CHECK(!gaps_ask(&g, 100 * MS, 1 * MS, 150 * MS, &n));
}

static void what_was_sent_is_sent_again_once_a_round_trip(void)
{
    struct history h = { 0 };
    struct nack n = { 1, 2, { { 3, 0x8001 }, { 200, 0 } } };
    uint32_t i = 0, what;
    uint16_t count;

    h.next = 2;
    for (uint32_t k = 2; k < 50; k++)
        CHECK(history_on_sent(&h, k * MS, 100 + k) == k);
    CHECK(history_asked(&h, 60 * MS, 20 * MS, &n, &i, &what, &count) && what == 103 && count == 3);
    CHECK(history_asked(&h, 60 * MS, 20 * MS, &n, &i, &what, &count) && what == 104);
    CHECK(history_asked(&h, 60 * MS, 20 * MS, &n, &i, &what, &count) && count == 19);
    CHECK(!history_asked(&h, 60 * MS, 20 * MS, &n, &i, &what, &count));
    i = 0;
    CHECK(!history_asked(&h, 65 * MS, 20 * MS, &n, &i, &what, &count));
    i = 0;
    CHECK(history_asked(&h, 70 * MS, 20 * MS, &n, &i, &what, &count));
    i = 0;
    CHECK(!history_asked(&h, 700 * MS, 20 * MS, &n, &i, &what, &count)); /* too old */
    CHECK(history_back(&h, 2, &what, &count) && what == 147);
    history_forget(&h, 147);
    CHECK(!history_back(&h, 2, &what, &count));
    static const struct {
        float loss;
        uint8_t repeats;
    } steps[] = { { 0.03f, 0 }, { 0.05f, 1 }, { 0.03f, 1 }, { 0.1f, 2 },
                  { 0.2f, 2 },  { 0.07f, 2 }, { 0.03f, 1 }, { 0.01f, 0 } };
    uint8_t repeats = 0;
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
        CHECK((repeats = history_repeats(repeats, steps[k].loss)) == steps[k].repeats);
}

TEST_MAIN({ "five_of_a_hundred_lost", five_of_a_hundred_lost },
          { "ten_of_a_hundred_lost", ten_of_a_hundred_lost },
          { "twenty_of_a_hundred_lost", twenty_of_a_hundred_lost },
          { "a_clean_link_costs_nothing", a_clean_link_costs_nothing },
          { "clocks_go_apart", clocks_go_apart }, { "pauses_are_learnt", pauses_are_learnt },
          { "wifi", wifi }, { "without_repair_it_is_heard", without_repair_it_is_heard },
          { "an_outage_is_forgotten", an_outage_is_forgotten },
          { "frames_come_once_and_in_any_order", frames_come_once_and_in_any_order },
          { "silence_is_not_made_up", silence_is_not_made_up },
          { "gaps_are_asked_for_in_time", gaps_are_asked_for_in_time },
          { "what_was_sent_is_sent_again_once_a_round_trip",
            what_was_sent_is_sent_again_once_a_round_trip })
