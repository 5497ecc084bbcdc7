#include "base/err.h"
#include "wire/frame.h"

#include <string.h>

#include "test.h"

static void known_bytes(void)
{
    uint8_t head[4];

    frame_head_encode(head, 0x00012345);
    CHECK(memcmp(head, "\x00\x01\x23\x45", 4) == 0);
}

/* However the transport cuts the stream, the same frames come out. */
static void any_cut_gives_the_same_frames(void)
{
    static const uint8_t stream[] = "\0\0\0\3abc\0\0\0\0\0\0\0\5defgh";
    size_t total = sizeof stream - 1;

    for (size_t step = 1; step <= total; step++) {
        struct frame_reader r;
        char seen[32] = "";
        size_t n = 0;
        frame_reader_init(&r);
        for (size_t at = 0; at < total; at += step) {
            const uint8_t *p = stream + at, *body;
            const uint8_t *end = stream + (at + step < total ? at + step : total);
            size_t len;
            int got;
            while ((got = frame_next(&r, &p, end, &body, &len)) == 1) {
                memcpy(seen + n, body, len);
                n += len;
                seen[n++] = '|';
            }
            if (got < 0) /* out of memory, in the starved runs */
                frame_reader_fini(&r);
            CHECK(got == 0 && p == end);
        }
        frame_reader_fini(&r);
        CHECK(strcmp(seen, "abc||defgh|") == 0);
    }
}

static void idle_costs_nothing(void)
{
    struct frame_reader r;
    const uint8_t *body, *p = (const uint8_t *)"\0\0\0\3abc";
    size_t len;

    frame_reader_init(&r);
    CHECK(frame_next(&r, &p, p + 7, &body, &len) == 1);
    CHECK(!r.body && !r.have);
    frame_reader_fini(&r);
}

static void too_long_is_refused_before_memory_is_taken(void)
{
    struct frame_reader r;
    const uint8_t *body, *p = (const uint8_t *)"\0\1\0\1";
    size_t len;

    frame_reader_init(&r);
    CHECK(frame_next(&r, &p, p + 4, &body, &len) == -ROOST_LIMIT);
    CHECK(!r.body);
    frame_reader_fini(&r);
}

TEST_MAIN({ "known_bytes", known_bytes },
          { "any_cut_gives_the_same_frames", any_cut_gives_the_same_frames },
          { "idle_costs_nothing", idle_costs_nothing },
          { "too_long_is_refused_before_memory_is_taken",
            too_long_is_refused_before_memory_is_taken })
