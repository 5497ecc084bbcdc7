/* test_media.c - the frames of voice and video as bytes. */
#include <string.h>

#include "base/err.h"
#include "test.h"
#include "wire/dgram.h"

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const struct {
    struct dgram f;
    const uint8_t *bytes;
    size_t len;
} golden[] = {
    /* voice on its way to the relay: it stands alone, with its level */
    { { DGRAM_MEDIA, .media = { .stream = 5,
                                .frame = 300,
                                .key_id = 256,
                                .timestamp = 0x01020304,
                                .codec = MEDIA_OPUS,
                                .key = true,
                                .last = true,
                                .count = 7,
                                .has_level = true,
                                .level = 99,
                                .len = 96 } },
      BYTES(16, 0x0b, 5, 0x00, 1, 0x41, 0, 0x41, 0x2c, 1, 2, 3, 4, 0, 0, 7, 99, 0x40, 96) },
    /* the middle of a picture that needs two others */
    { { DGRAM_MEDIA, .media = { .stream = 64,
                                .frame = 9,
                                .key_id = 1,
                                .encoding = 2,
                                .temporal = 1,
                                .codec = MEDIA_VP8,
                                .n_depends = 2,
                                .depends = { 1, 4 },
                                .part = 3,
                                .mark = { 8, 7, 6, 5, 4, 3, 2, 1 },
                                .has_mark = true,
                                .count = 0xfffe,
                                .len = 1100 } },
      BYTES(16, 0x90, 0x40, 64, 0x21, 3, 1, 9, 0, 0, 0, 0, 3, 1, 4, 0xff, 0xfe, 8, 7, 6, 5, 4, 3, 2,
            1, 0x44, 0x4c) },
    /* the last word before silence */
    { { DGRAM_MEDIA, .media = { .stream = 1,
                                .key_id = 1,
                                .codec = MEDIA_PCM,
                                .key = true,
                                .silence = true,
                                .last = true,
                                .len = 1 } },
      BYTES(16, 0x07, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) },
    { { DGRAM_NACK, .nack = { 5, 2, { { 65535, 0 }, { 20, 0x8001 } } } },
      BYTES(17, 5, 1, 0xff, 0xff, 0, 0, 0, 20, 0x80, 1) },
    { { DGRAM_KEYFRAME, .keyframe = { 64, 2 } }, BYTES(18, 0x40, 64, 2) },
    { { DGRAM_FEEDBACK, .feedback = { 5, 1000, 50, 48, 40, 3000, 60000, 2 } },
      BYTES(19, 5, 0x43, 0xe8, 50, 48, 40, 0x4b, 0xb8, 0x80, 0, 0xea, 0x60, 2) },
};
enum { GOLDEN = sizeof golden / sizeof *golden };

static void frames_are_as_they_were(void)
{
    for (size_t i = 0; i < GOLDEN; i++) {
        uint8_t bytes[MEDIA_HEAD_MAX], again[MEDIA_HEAD_MAX];
        struct writer w = writer_of(bytes, sizeof bytes);
        struct reader r = reader_of(golden[i].bytes, golden[i].len);
        struct dgram f;
        struct ack ack;
        CHECK(golden[i].f.kind != DGRAM_MEDIA || media_bytes(&golden[i].f.media) == golden[i].len);
        CHECK(dgram_write(&w, &golden[i].f) && (size_t)(w.p - bytes) == golden[i].len);
        CHECK(memcmp(bytes, golden[i].bytes, golden[i].len) == 0);
        CHECK(dgram_read(&r, &f, &ack) == 1 && dgram_read(&r, &f, &ack) == 0);
        w = writer_of(again, sizeof again);
        CHECK(dgram_write(&w, &f) && memcmp(again, bytes, golden[i].len) == 0);
        for (size_t len = 1; len < golden[i].len; len++) {
            r = reader_of(golden[i].bytes, len);
            CHECK(dgram_read(&r, &f, &ack) == -ROOST_MALFORMED);
            w = writer_of(again, len);
            CHECK(!dgram_write(&w, &golden[i].f) && w.p == again);
        }
    }
}

static const struct {
    const uint8_t *bytes;
    size_t len;
} wrong[] = {
    { BYTES(16, 0x27, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) },          /* a flag that is none */
    { BYTES(16, 0x07, 1, 0x40, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) },       /* a fifth encoding */
    { BYTES(16, 0x07, 1, 0x08, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) },       /* a ninth layer */
    { BYTES(16, 0x07, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) },          /* no codec */
    { BYTES(16, 0x07, 1, 0, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) },          /* one that nobody knows */
    { BYTES(16, 0x07, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0) },          /* without a byte */
    { BYTES(16, 0x07, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x44, 0x4d) }, /* 1,101 bytes */
    { BYTES(16, 0x07, 1, 0, 2, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1) },          /* a part without a mark */
    { BYTES(16, 0x05, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) },          /* nor may the first be */
    { BYTES(16, 0x46, 1, 0, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1) },       /* needs itself */
    { BYTES(16, 0x46, 1, 0, 2, 1, 2, 0, 0, 0, 0, 0, 3, 0, 0, 1) },       /* needs one before all */
    { BYTES(16, 0x47, 1, 0, 2, 1, 9, 0, 0, 0, 0, 0, 3, 0, 0, 1) },       /* a key frame needs one */
    { BYTES(16, 0x0f, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 128, 1) },     /* louder than loud */
    { BYTES(17, 5, 16, 0, 0, 0, 0) },                                    /* 17 gaps */
    { BYTES(18, 5, 4) },                                                 /* a fifth encoding */
};

static void wrong_ones_are_refused(void)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reader r = reader_of(wrong[i].bytes, wrong[i].len);
        struct dgram f;
        struct ack ack;
        CHECK(dgram_read(&r, &f, &ack) == -ROOST_MALFORMED);
    }
}

/* Part, count and level are for the way; all else is authenticated. */
static void what_is_of_the_frame_is_authenticated(void)
{
    static const uint8_t known[] = { 0, 0,    0,    0,  0,    0, 0, 9, 0, 0, 0, 2, 0, 0, 0,
                                     3, 0x80, 0x40, 64, 0x21, 3, 1, 9, 0, 0, 0, 0, 1, 4 };
    struct media m = golden[1].f.media, n;
    uint8_t also[MEDIA_ALSO_MAX], other[MEDIA_ALSO_MAX];

    CHECK(media_also(&m, 9, 2, 3, also) == sizeof known && !memcmp(also, known, sizeof known));
    n = m;
    n.part++;
    n.count++;
    n.last = n.has_level = true;
    n.len--;
    n.mark[0]++;
    CHECK(media_also(&n, 9, 2, 3, other) == sizeof known && !memcmp(other, known, sizeof known));
    m = (struct media){ .stream = CURSOR_VAR_MAX,
                        .frame = CURSOR_VAR_MAX,
                        .key_id = UINT32_MAX,
                        .n_depends = 3,
                        .depends = { 65535, 65535, 65535 } };
    CHECK(media_also(&m, UINT64_MAX, UINT32_MAX, UINT32_MAX, also) <= MEDIA_ALSO_MAX);
}

TEST_MAIN({ "frames_are_as_they_were", frames_are_as_they_were },
          { "wrong_ones_are_refused", wrong_ones_are_refused },
          { "what_is_of_the_frame_is_authenticated", what_is_of_the_frame_is_authenticated })
