/* test_record.c - recordings: tracks that come late, what is missing, what was cut off, the mix. */
#include "av/record.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "av/codec.h"
#include "av/compose.h"
#include "av/track.h"
#include "base/err.h"
#include "media/webm.h"
#include "test.h"
#include "waves.h"

#define MS    1000LL
#define START 77000000LL

static char folder[] = "/tmp/roost-record-XXXXXX";
static char a_path[80], b_path[80];

/* What is left of the last test, which may have ended in the middle. */
static void end(void)
{
    if (!*a_path)
        return;
    unlink(a_path);
    unlink(b_path);
    rmdir(folder);
    *a_path = '\0';
}

/* Two names in a folder that is fresh. */
static void begin(const char *mix)
{
    static pid_t registered;

    end();
    if (registered != getpid())
        atexit(end);
    registered = getpid();
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        abort();
    snprintf(a_path, sizeof a_path, "%s/a.webm", folder);
    snprintf(b_path, sizeof b_path, "%s/mix%s", folder, mix);
}

struct talker {
    struct encoder *e;
    enum media_codec codec;
    uint32_t who, ticks;
    double hz;
    uint64_t said;
};

static bool talker_new(struct talker *t, uint32_t who, double hz, enum media_codec codec,
                       uint32_t ticks)
{
    *t = (struct talker){ .codec = codec, .who = who, .ticks = ticks, .hz = hz };
    CHECK(encoder_new(&t->e, &(struct encoder_wish){ codec, .music = true, .bits = 48000 }) == 0);
    return t->e;
}

/* From at_us on, for so long. */
static int talk(struct record *r, struct talker *t, int64_t at_us, int64_t for_us)
{
    int16_t pcm[CODEC_TICKS_MAX];
    uint8_t bytes[CODEC_BYTES_MAX];
    bool silence;
    int err = 0;

    for (int64_t end_us = at_us + for_us; at_us < end_us && !err; at_us += t->ticks * 125 / 6) {
        wave_tone(pcm, t->ticks, t->hz, 6000, t->said);
        t->said += t->ticks;
        int len = encoder_frame(t->e, pcm, t->ticks, bytes, &silence);
        err = len < 0 ? len : record_frame(r, START + at_us, t->who, t->codec, bytes, (size_t)len);
    }
    return err;
}

static struct record *record_here(void)
{
    struct record *r = NULL;

    CHECK(record_new(&r, a_path, START, 1790000000000000LL, "weekly") == 0);
    return r;
}

static void expect_news(struct record *r, enum record_what what, uint32_t who, const char *name)
{
    struct record_news n;

    CHECK(record_next_news(r, &n));
    CHECK(n.what == what && n.who == who && strcmp(n.name, name) == 0);
}

/* Three people, of whom one comes later and one speaks PCM. */
static void record_three(struct record *r)
{
    struct talker ann, bea, cor;

    if (talker_new(&ann, 1, 400, MEDIA_OPUS, 960) && talker_new(&bea, 2, 700, MEDIA_OPUS, 480) &&
        talker_new(&cor, 3, 1100, MEDIA_PCM, 240)) {
        CHECK(record_person(r, 1, "Ann") == 0 && record_person(r, 2, "Bea") == 0);
        for (int s = 0; s < 14; s++) {
            CHECK(talk(r, &ann, s * 1000 * MS, 1000 * MS) == 0);
            if (s >= 3)
                CHECK(talk(r, &bea, s * 1000 * MS, 1000 * MS) == 0);
            if (s == 6)
                CHECK(record_person(r, 3, "Cora \xc3\xa9") == 0);
            if (s >= 6 && s < 10)
                CHECK(talk(r, &cor, s * 1000 * MS, 1000 * MS) == 0);
        }
    }
    encoder_free(ann.e);
    encoder_free(bea.e);
    encoder_free(cor.e);
}

static void check_mix(const char *path, double seconds)
{
    static int16_t pcm[48000 * 15];
    struct track *t = NULL;

    CHECK(track_open(&t, path) == 0);
    if (!t)
        return;
    uint32_t n = track_read(t, pcm, 48000 * 15);
    track_free(t);
    CHECK(fabs(n / 48000.0 - seconds) < 0.05);
    for (int s = 0; s < (int)seconds; s++) {
        int16_t *x = pcm + s * 48000 + 6000;
        CHECK(fabs(wave_height(x, 36000, 400, 48000) - 6000) < 600);
        CHECK(s < 3 ? wave_height(x, 36000, 700, 48000) < 200
                    : fabs(wave_height(x, 36000, 700, 48000) - 6000) < 600);
        CHECK(s < 6 || s >= 10 ? wave_height(x, 36000, 1100, 48000) < 200
                               : fabs(wave_height(x, 36000, 1100, 48000) - 6000) < 900);
    }
}

static void each_has_a_track_and_all_are_one(void)
{
    static const char *const kinds[] = { ".wav", ".opus", ".webm" };
    static struct compose_report report;

    for (int k = 0; k < 3; k++) {
        begin(kinds[k]);
        struct record *r = record_here();
        if (!r)
            return end();
        record_three(r);
        expect_news(r, RECORD_BEGUN, 1, "Ann");
        expect_news(r, RECORD_BEGUN, 2, "Bea");
        expect_news(r, RECORD_BEGUN, 3, "Cora \xc3\xa9");
        CHECK(!record_next_news(r, &(struct record_news){ 0 }));
        CHECK(record_end(r, START + 14000 * MS) == 0);
        CHECK(compose(a_path, b_path, &report) == 0);
        CHECK(report.n == 3 && !report.cut && llabs(report.us - 14000 * MS) < 30 * MS);
        CHECK(strcmp(report.tracks[2].name, "Cora \xc3\xa9") == 0 && !report.tracks[2].partly);
        CHECK(llabs(report.tracks[1].first_us - 3000 * MS) <= 1 * MS);
        CHECK(llabs(report.tracks[2].heard_us - 4000 * MS) < 30 * MS && report.tracks[2].bad == 0);
        check_mix(b_path, 14);
        CHECK(compose(a_path, b_path, &report) == -ROOST_ALREADY);
        struct record *again = NULL;
        CHECK(record_new(&again, a_path, 0, 0, "") == -ROOST_ALREADY);
        end();
    }
}

/* At every moment: what was written so far is a recording. */
static void what_was_cut_off_is_whole(void)
{
    static struct compose_report report;
    struct stat st;

    begin(".wav");
    struct record *r = record_here();
    if (!r)
        return end();
    record_three(r);
    /* nothing was ended; and then more and more of the end is missing */
    CHECK(compose(a_path, b_path, &report) == 0 && report.cut && report.n == 3);
    check_mix(b_path, 14);
    int64_t before_us = report.us;
    CHECK(stat(a_path, &st) == 0);
    for (off_t len = st.st_size - 1; len > st.st_size - 400; len -= 7) {
        unlink(b_path);
        CHECK(truncate(a_path, len) == 0);
        CHECK(compose(a_path, b_path, &report) == 0 && report.cut);
        CHECK(report.us <= before_us && report.us > before_us - 200 * MS);
    }
    unlink(b_path);
    CHECK(truncate(a_path, WEBM_HEAD) == 0);
    CHECK(compose(a_path, b_path, &report) == 0 && report.n == 3 && report.tracks[0].empty &&
          report.us == 0);
    unlink(b_path);
    CHECK(truncate(a_path, 500) == 0);
    CHECK(compose(a_path, b_path, &report) == -ROOST_MALFORMED);
    CHECK(access(b_path, F_OK) != 0); /* nothing is left of it */
    record_end(r, START + 14000 * MS);
    end();
}

static void what_is_missing_is_said(void)
{
    static struct compose_report report;
    struct talker ann;
    struct record_news n;

    begin(".wav");
    struct record *r = record_here();
    if (!r || !talker_new(&ann, 1, 400, MEDIA_OPUS, 960))
        return end();
    record_person(r, 1, "Ann");
    record_person(r, 2, "Bea");
    talk(r, &ann, 0, 1000 * MS);
    expect_news(r, RECORD_BEGUN, 1, "Ann");
    /* one that could not be opened now and then is nothing; three in a second are */
    for (int s = 1; s < 4; s++)
        record_on_missed(r, START + s * 1500 * MS, 1, ROOST_MALFORMED);
    CHECK(!record_next_news(r, &n));
    for (int i = 0; i < 3; i++)
        record_on_missed(r, START + (6000 + i) * MS, 1, ROOST_NOT_ALLOWED);
    expect_news(r, RECORD_MISSING, 1, "Ann");
    for (int i = 0; i < 3; i++)
        record_on_missed(r, START + (6000 + i) * MS, 2, ROOST_NOT_ALLOWED);
    expect_news(r, RECORD_BEGUN, 2, "Bea"); /* her track is there, and says that it is empty */
    expect_news(r, RECORD_MISSING, 2, "Bea");
    CHECK(record_frame(r, START + 6500 * MS, 1, MEDIA_PCM, (const uint8_t *)"x", 1) ==
          -ROOST_MALFORMED);
    talk(r, &ann, 8000 * MS, 500 * MS);
    CHECK(!record_next_news(r, &n));
    talk(r, &ann, 10000 * MS, 500 * MS);
    expect_news(r, RECORD_AGAIN, 1, "Ann");
    encoder_free(ann.e);
    CHECK(record_end(r, START + 14000 * MS) == 0);
    CHECK(compose(a_path, b_path, &report) == 0 && report.n == 2);
    CHECK(strcmp(report.tracks[0].name, "Ann" RECORD_MARK "not-allowed)") == 0);
    CHECK(report.tracks[0].partly && !report.tracks[0].empty);
    CHECK(report.tracks[1].partly && report.tracks[1].empty);
    end();
}

static void too_many_people_are_said(void)
{
    struct record_news n;
    uint8_t silence[] = { 0xf8, 0xff, 0xfe }; /* Opus: 20 ms of nothing */
    int begun = 0, missing = 0;

    begin(".wav");
    struct record *r = record_here();
    if (!r)
        return end();
    for (uint32_t i = 1; i <= WEBM_TRACKS_MAX + 5; i++)
        CHECK(record_frame(r, START, i, MEDIA_OPUS, silence, sizeof silence) ==
              (i > WEBM_TRACKS_MAX ? -ROOST_LIMIT : 0));
    while (record_next_news(r, &n)) {
        begun += n.what == RECORD_BEGUN;
        missing += n.what == RECORD_MISSING && n.err == -ROOST_LIMIT;
    }
    CHECK(begun == WEBM_TRACKS_MAX && missing == 5);
    CHECK(record_end(r, START + 14000 * MS) == 0);
    end();
}

/* The disk is full: it is said once, at once, and what there is stays. */
static void a_full_disk_is_said(void)
{
    static struct compose_report report;
    struct rlimit was, little = { WEBM_HEAD + 2000, RLIM_INFINITY };
    struct record_news n;
    struct talker ann;

    begin(".wav");
    struct record *r = record_here();
    if (!r || !talker_new(&ann, 1, 400, MEDIA_OPUS, 960))
        return end();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    little.rlim_max = was.rlim_max;
    setrlimit(RLIMIT_FSIZE, &little);
    record_person(r, 1, "Ann");
    int err = talk(r, &ann, 0, 2000 * MS);
    bool told = record_next_news(r, &n) && n.what == RECORD_STOPPED && n.err == -ROOST_FULL;
    int last = record_end(r, START + 14000 * MS);
    setrlimit(RLIMIT_FSIZE, &was);
    encoder_free(ann.e);
    CHECK(told && err == -ROOST_FULL && last == -ROOST_FULL);
    CHECK(compose(a_path, b_path, &report) == 0 && report.n == 1 && report.tracks[0].bad == 0);
    CHECK(report.us > 0 && report.cut);
    end();
}

/* Hours of clusters have a bounded list of places to seek to. */
static void places_to_seek_to_are_bounded(void)
{
    static struct webm_out w;
    static uint8_t head[WEBM_HEAD], cues[WEBM_CUES_MAX * WEBM_CUE_BYTES + 16];
    uint8_t more[WEBM_MORE_MAX], patch[WEBM_PATCH_MAX];
    uint64_t at;

    webm_begin(&w, 0, "", head);
    for (int64_t i = 0; i < 3 * WEBM_CUES_MAX; i++)
        webm_block(&w, 256, i * WEBM_CLUSTER_US, 100, more);
    CHECK(w.n_cues <= WEBM_CUES_MAX && w.n_cues > WEBM_CUES_MAX / 2);
    for (uint32_t i = 1; i < w.n_cues; i++)
        CHECK(w.cues[i].at > w.cues[i - 1].at && w.cues[i].ms - w.cues[i - 1].ms == 20000);
    CHECK(webm_cues(&w, cues) <= sizeof cues);
    CHECK(webm_patch_seek(&w, &at, patch) + at < WEBM_TRACKS_AT);
}

TEST_MAIN({ "each_has_a_track_and_all_are_one", each_has_a_track_and_all_are_one },
          { "what_was_cut_off_is_whole", what_was_cut_off_is_whole },
          { "what_is_missing_is_said", what_is_missing_is_said },
          { "too_many_people_are_said", too_many_people_are_said },
          { "a_full_disk_is_said", a_full_disk_is_said },
          { "places_to_seek_to_are_bounded", places_to_seek_to_are_bounded })
