/* test_voices.c - who is heard, whose turn it is on a path, and figures beside what a link counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "lab/link.h"
#include "media/early.h"
#include "media/figures.h"
#include "media/gaps.h"
#include "media/speakers.h"
#include "media/turn.h"
#include "test.h"

#define MS 1000LL
enum { LOUD = 100, HUM = 40 };

/* --- who is heard --- */

static bool frame(struct speakers *s, int64_t now_us, uint32_t who, uint8_t level)
{
    bool changed;

    return speakers_on_frame(s, now_us, who, level, &changed);
}

static void first_words_are_not_cut(void)
{
    struct speakers s;

    speakers_init(&s, 2);
    CHECK(!frame(&s, 0, 1, HUM) && speakers_first(&s) == 0);
    CHECK(frame(&s, 20 * MS, 1, LOUD)); /* the first loud frame is forwarded */
    CHECK(frame(&s, 40 * MS, 1, HUM) && frame(&s, 40 * MS, 2, LOUD));
    CHECK(!frame(&s, 60 * MS, 3, LOUD));  /* both places are of people who speak */
    CHECK(frame(&s, 1020 * MS, 3, LOUD)); /* the first was silent for a second */
    CHECK(!speakers_has(&s, 1) && speakers_has(&s, 2) && speakers_has(&s, 3));
    CHECK(!frame(&s, 1040 * MS, 1, HUM));
}

/* Ten hum, five talk: the five are heard, whole. */
static void a_noisy_room_takes_nobodys_place(void)
{
    struct speakers s;

    speakers_init(&s, 5);
    for (int64_t now = 0; now < 20000 * MS; now += 20 * MS)
        for (uint32_t who = 1; who <= 15; who++) {
            bool talks = who <= 5 && (now / (700 * MS) + who) % 3 != 0; /* with pauses */
            bool heard = frame(&s, now, who, talks ? LOUD : HUM);
            CHECK(!talks || heard);
            CHECK(who <= 5 || !heard);
        }
}

static void a_cough_is_no_speech(void)
{
    struct speakers s;
    int64_t now = 0;

    speakers_init(&s, 5);
    for (; now < 1000 * MS; now += 20 * MS)
        frame(&s, now, 1, LOUD);
    CHECK(speakers_first(&s) == 1);
    for (int i = 0; i < 5; i++, now += 20 * MS) {
        frame(&s, now, 2, 120);
        frame(&s, now, 1, LOUD);
    }
    for (int i = 0; i < 20; i++, now += 20 * MS) {
        frame(&s, now, 2, HUM);
        frame(&s, now, 1, LOUD);
    }
    CHECK(speakers_first(&s) == 1);
    for (int i = 0; i < 50; i++, now += 20 * MS) { /* now the other speaks */
        frame(&s, now, 2, LOUD);
        frame(&s, now, 1, HUM);
    }
    CHECK(speakers_first(&s) == 2);
    speakers_on_silent(&s, 2);
    CHECK(!speakers_has(&s, 2) && speakers_first(&s) == 0);
}

/* --- whose turn it is --- */

static void sound_first_files_last(void)
{
    struct turn t;
    uint64_t sent[TURN_KINDS] = { 0 };
    int64_t late_us = 0;

    turn_init(&t, 0, 1000000);
    for (int64_t now = 0; now < 10000 * MS; now += MS) {
        if (now % (20 * MS) == 0) {
            int64_t when = turn_when_us(&t, now, TURN_SOUND, 120);
            late_us = when - now > late_us ? when - now : late_us;
            turn_on_sent(&t, now, TURN_SOUND, 120);
            sent[TURN_SOUND] += 120;
        }
        if (now < 5000 * MS && sent[TURN_PICTURE] * 8 < (uint64_t)now) /* 1 Mbit/s wanted */
            while (turn_allows(&t, now, TURN_PICTURE, 1100)) {
                turn_on_sent(&t, now, TURN_PICTURE, 1100);
                sent[TURN_PICTURE] += 1100;
                if (sent[TURN_PICTURE] * 8 >= (uint64_t)now)
                    break;
            }
        while (turn_allows(&t, now, TURN_FILE, 1100)) {
            turn_on_sent(&t, now, TURN_FILE, 1100);
            sent[TURN_FILE] += 1100;
        }
        if (now == 4999 * MS) /* pictures take all that sound leaves */
            CHECK(sent[TURN_PICTURE] > 550000 && sent[TURN_FILE] < 20000);
    }
    CHECK(late_us == 0 && sent[TURN_SOUND] == 60000);
    uint64_t all = sent[TURN_SOUND] + sent[TURN_PICTURE] + sent[TURN_FILE];
    CHECK(all > 1225000 && all <= 1252000); /* the rate, not more */
    CHECK(sent[TURN_FILE] > 550000);
}

static void a_burst_is_five_milliseconds(void)
{
    struct turn t;
    uint32_t n = 0;

    turn_init(&t, 0, 8000000);
    while (turn_allows(&t, 1000 * MS, TURN_PICTURE, 1000)) {
        turn_on_sent(&t, 1000 * MS, TURN_PICTURE, 1000);
        n++;
    }
    CHECK(n == 5);
    CHECK(turn_when_us(&t, 1000 * MS, TURN_PICTURE, 1000) == 1001 * MS + 1);
    CHECK(!turn_allows(&t, 500 * MS, TURN_PICTURE, 1000)); /* a clock that steps back */
    turn_set_rate(&t, 1000 * MS, 80000);
    CHECK(turn_when_us(&t, 1000 * MS, TURN_PICTURE, 1000) == 1100 * MS + 1);
}

/* --- before their key --- */

static void frames_wait_for_their_key(void)
{
    static uint8_t store[EARLY_FRAMES * 100];
    struct early e;
    struct early_frame f;
    uint8_t bytes[101] = { 0 }, *found;
    uint32_t i = 0;

    early_init(&e, store, 100);
    for (uint32_t n = 0; n < 60; n++) { /* the first ten give way */
        struct media m = { .frame = n, .key_id = n % 3 ? 256 : 512 };
        bytes[0] = (uint8_t)n;
        CHECK(early_put(&e, n * MS, 1 + n % 2, &m, bytes, 100));
        CHECK(!early_put(&e, n * MS, 1, &m, bytes, 101));
    }
    uint32_t frames = 0;
    for (uint64_t last = 9; early_take(&e, 100 * MS, 1, 256, &i, &f, &found); frames++) {
        CHECK(f.who == 1 && f.media.key_id == 256 && f.media.frame > last);
        CHECK(found[0] == f.media.frame && f.len == 100);
        last = f.media.frame;
    }
    CHECK(frames == 17); /* even ones from 10 on that are no multiples of 3 */
    i = 0;
    CHECK(!early_take(&e, 100 * MS, 1, 256, &i, &f, &found));
    i = 0;
    CHECK(!early_take(&e, 3000 * MS, 2, 512, &i, &f, &found)); /* too old */
}

/* --- figures --- */

/* Over a link with known loss, delay and jitter, what is shown is what the link did. */
static void figures_are_what_the_link_counted(void)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct dice d = { seed * 77 };
        struct link_config c = { .delay_us = dice_between(&d, 5, 80) * MS,
                                 .jitter_us = dice_between(&d, 1, 20) * MS,
                                 .loss_ppm = (uint32_t)dice_below(&d, 150000) };
        struct link l;
        struct figures f;
        struct gaps g = { 0 };
        struct figures_view v;
        uint16_t count = 0;
        int64_t last = 0, n = 0, sum = 0;

        link_init(&l, LINK_DATAGRAMS, &c, seed);
        figures_init(&f, 0);
        for (int64_t now = 0; now < 60000 * MS; now += 250) {
            if (now % (20 * MS) == 0) {
                struct blob *b = blob_new(200);
                CHECK(b);
                memcpy(b->bytes, &now, sizeof now);
                memcpy(b->bytes + 8, &count, sizeof count);
                count++;
                CHECK(link_push(&l, now, b) == 0);
                blob_unref(b);
            }
            for (struct blob *b; (b = link_next(&l, now)); blob_unref(b)) {
                int64_t sent;
                uint16_t at;
                memcpy(&sent, b->bytes, sizeof sent);
                memcpy(&at, b->bytes + 8, sizeof at);
                uint64_t lost = g.lost, repaired = g.repaired;
                gaps_on_part(&g, now, at);
                figures_on_loss(&f, now, (uint32_t)(g.lost - lost),
                                (uint32_t)(g.repaired - repaired));
                figures_on_packet(&f, now, sent + 5000000, 200); /* clocks that do not agree */
                if (now >= 49000 * MS && now < 59000 * MS && n++)
                    sum += llabs(now - sent - last);
                last = now - sent;
            }
        }
        figures_look(&f, 59900 * MS, &v);
        int64_t loss = (int64_t)(l.counts.lost * 1000000 / l.counts.pushed);
        uint64_t bits = 80000ULL * (1000000 - v.loss_ppm) / 1000000;
        CHECK(v.bits > bits * 97 / 100 && v.bits < bits * 103 / 100);
        CHECK(v.loss_ppm == v.loss_after_ppm && llabs((int64_t)v.loss_ppm - loss) < 50000);
        CHECK(llabs(v.jitter_us - sum / (n - 1)) * 20 < v.jitter_us + 20); /* 5 % */
        /* over all of the time, to half a point */
        CHECK(llabs((int64_t)(g.lost * 1000000 / (g.lost + g.received)) - loss) < 5000);
        link_fini(&l);
    }
}

static void reasons_are_told_when_they_change(void)
{
    struct figures f;
    struct figures_view v;
    char text[FIGURES_SENTENCE];

    figures_init(&f, 0);
    figures_on_rtt(&f, 51000);
    figures_on_why(&f, 10, FIGURES_LOSS, 52);
    figures_on_why(&f, 20, FIGURES_LOSS, 60); /* much the same */
    figures_look(&f, 30, &v);
    CHECK(v.why == FIGURES_LOSS && v.why_value == 52 && v.rtt_us == 51000);
    figures_sentence(v.why, v.why_value, text, sizeof text);
    CHECK(strcmp(text, "5.2 % of the packets are lost on the way") == 0);
    figures_on_why(&f, 40, FIGURES_NARROW, 300);
    figures_look(&f, 50, &v);
    CHECK(v.why == FIGURES_NARROW && f.why_us == 40);
    for (int i = 0; i < FIGURES_WHY_MAX; i++) {
        figures_sentence((enum figures_why)i, UINT32_MAX, text, sizeof text);
        CHECK(strlen(text) > 10 && strlen(text) < FIGURES_SENTENCE - 1);
    }
    figures_look(&f, 1000000 * MS, &v); /* long silence */
    CHECK(v.bits == 0 && v.jitter_us == 0 && v.loss_ppm == 0);
}

TEST_MAIN({ "first_words_are_not_cut", first_words_are_not_cut },
          { "a_noisy_room_takes_nobodys_place", a_noisy_room_takes_nobodys_place },
          { "a_cough_is_no_speech", a_cough_is_no_speech },
          { "sound_first_files_last", sound_first_files_last },
          { "a_burst_is_five_milliseconds", a_burst_is_five_milliseconds },
          { "frames_wait_for_their_key", frames_wait_for_their_key },
          { "figures_are_what_the_link_counted", figures_are_what_the_link_counted },
          { "reasons_are_told_when_they_change", reasons_are_told_when_they_change })
