/* test_dgram.c - datagrams and their frames: golden bytes, every cut, every limit. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "test.h"
#include "wire/dgram.h"
#include "wire/packet.h"

/* --- numbers --- */

static void vars_have_one_form(void)
{
    static const struct {
        uint64_t n;
        size_t len;
        uint8_t bytes[8];
    } golden[] = {
        /* RFC 9000, appendix A.1 */
        { 151288809941952652, 8, { 0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c } },
        { 494878333, 4, { 0x9d, 0x7f, 0x3e, 0x7d } },
        { 15293, 2, { 0x7b, 0xbd } },
        { 37, 1, { 0x25 } },
        { 0, 1, { 0 } },
        { 63, 1, { 63 } },
        { 64, 2, { 0x40, 64 } },
        { CURSOR_VAR_MAX, 8, { 255, 255, 255, 255, 255, 255, 255, 255 } },
    };
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        struct writer w = writer_of(bytes, sizeof bytes);
        write_var(&w, golden[i].n);
        CHECK(!w.full && (size_t)(w.p - bytes) == golden[i].len);
        CHECK(memcmp(bytes, golden[i].bytes, golden[i].len) == 0);
        struct reader r = reader_of(bytes, golden[i].len);
        CHECK(read_var(&r) == golden[i].n && !r.bad && !reader_left(&r));
        r = reader_of(bytes, golden[i].len - 1);
        CHECK(read_var(&r) == 0 && r.bad);
    }
    struct reader longer = reader_of((uint8_t[]){ 0x40, 0x25 }, 2); /* 37 in two bytes */
    CHECK(read_var(&longer) == 0 && longer.bad);
    struct writer w = writer_of(bytes, sizeof bytes);
    write_var(&w, CURSOR_VAR_MAX + 1);
    CHECK(w.full && w.p == bytes);
}

static void a_full_writer_writes_nothing_more(void)
{
    uint8_t bytes[4] = { 0 };
    struct writer w = writer_of(bytes, 3);

    write_number(&w, 0x0102, 2);
    write_number(&w, 0x0304, 2);
    write_u8(&w, 9);
    CHECK(w.full && w.p == bytes + 2 && bytes[2] == 0 && !writer_left(&w));
}

static void packet_numbers_are_made_whole(void)
{
    uint64_t wrap = 1ULL << 32;

    CHECK(packet_number(0, 0) == 0);
    CHECK(packet_number(5, 3) == 3);
    CHECK(packet_number(wrap - 1, 1) == wrap + 1);
    CHECK(packet_number(wrap + 1, (uint32_t)(wrap - 2)) == wrap - 2);
    CHECK(packet_number(7 * wrap + 100, 90) == 7 * wrap + 90);
    CHECK(packet_number(7 * wrap + wrap / 2 + 10, 9) == 8 * wrap + 9);
    CHECK(packet_number(0, (uint32_t)(wrap - 1)) == wrap - 1); /* none is below zero */
    for (uint64_t next = 1; next < UINT64_MAX / 3; next *= 3)
        for (int64_t d = -1000; d <= 1000; d += 250)
            if ((int64_t)next + d >= 0)
                CHECK(packet_number(next, (uint32_t)(next + (uint64_t)d)) == next + (uint64_t)d);
}

/* --- packets --- */

static void heads_are_as_they_were(void)
{
    static const uint8_t golden[] = { 0x78, 0xde, 0xad, 0xbe, 0xef, 0, 0, 1, 2, 0, 3 };
    struct packet p = { .from_client = true, .phase = true, .has_tail = true };
    uint8_t bytes[100] = { 0 };

    p.session = 0xdeadbeef;
    p.number = 258;
    p.frames_len = 3;
    CHECK(packet_write_head(bytes, &p) == PACKET_HEAD_TAIL);
    CHECK(memcmp(bytes, golden, sizeof golden) == 0);

    struct packet q;
    size_t whole = PACKET_HEAD_TAIL + 3 + PACKET_TAG + 5;
    CHECK(packet_read(&q, bytes, whole) == 0);
    CHECK(q.from_client && q.phase && q.has_tail && q.session == p.session && q.number == 258);
    CHECK(q.frames == bytes + 11 && q.frames_len == 3 && q.tail == bytes + 30 && q.tail_len == 5);
    for (size_t len = 0; len <= whole - 5; len++) /* a tail has a byte at least */
        CHECK(packet_read(&q, bytes, len) == -ROOST_MALFORMED);

    p.has_tail = p.phase = p.from_client = false;
    CHECK(packet_write_head(bytes, &p) == PACKET_HEAD && bytes[0] == 0x40);
    CHECK(packet_read(&q, bytes, PACKET_MIN) == 0 && q.frames_len == 1 && !q.tail_len);
    CHECK(packet_read(&q, bytes, PACKET_MIN - 1) == -ROOST_MALFORMED);
    for (int flags = 0; flags < 256; flags++) {
        bytes[0] = (uint8_t)flags;
        CHECK((packet_read(&q, bytes, 60) == 0) == ((flags & 0xc7) == 0x40));
    }
}

/* --- frames --- */

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const uint8_t eight[PATH_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static const struct {
    struct dgram f;
    const uint8_t *bytes;
    size_t len;
} golden_frames[] = {
    { { .kind = DGRAM_PING }, BYTES(1) },
    { { DGRAM_STREAM, .stream = { 4, 64, (const uint8_t *)"abc", 3, false } },
      BYTES(4, 4, 0x40, 64, 3, 'a', 'b', 'c') },
    { { DGRAM_STREAM_END, .stream = { 4, 64, (const uint8_t *)"", 0, true } },
      BYTES(5, 4, 0x40, 64, 0) },
    { { DGRAM_MAX_DATA, .max = { 0, 1000000 } }, BYTES(6, 0x80, 0x0f, 0x42, 0x40) },
    { { DGRAM_MAX_STREAM, .max = { 5, 63 } }, BYTES(7, 5, 63) },
    { { DGRAM_MAX_STREAMS, .max = { 0, 10 } }, BYTES(8, 10) },
    { { DGRAM_RESET, .reset = { 1, 2, 3 } }, BYTES(9, 1, 2, 3) },
    { { DGRAM_STOP, .reset = { 1, 2, 0 } }, BYTES(10, 1, 2) },
    { { DGRAM_PATH, .path = eight }, BYTES(11, 1, 2, 3, 4, 5, 6, 7, 8) },
    { { DGRAM_PATH_BACK, .path = eight }, BYTES(12, 1, 2, 3, 4, 5, 6, 7, 8) },
    { { DGRAM_OBSERVED, .observed = { { 192, 0, 2, 1 }, 4, 5001 } },
      BYTES(13, 4, 192, 0, 2, 1, 0x13, 0x89) },
    { { DGRAM_MAX_RATE, .max = { 0, 20000 } }, BYTES(14, 0x80, 0, 0x4e, 0x20) },
    { { DGRAM_CLOSE, .close = { 7, "bye", 3 } }, BYTES(15, 7, 3, 'b', 'y', 'e') },
};
enum { GOLDEN = sizeof golden_frames / sizeof *golden_frames };

static void frames_are_as_they_were(void)
{
    struct ack ack;

    for (size_t i = 0; i < GOLDEN; i++) {
        uint8_t bytes[64];
        struct writer w = writer_of(bytes, sizeof bytes);
        CHECK(dgram_write(&w, &golden_frames[i].f));
        CHECK((size_t)(w.p - bytes) == golden_frames[i].len);
        CHECK(memcmp(bytes, golden_frames[i].bytes, golden_frames[i].len) == 0);

        struct dgram f;
        struct reader r = reader_of(bytes, golden_frames[i].len);
        CHECK(dgram_read(&r, &f, &ack) == 1 && dgram_read(&r, &f, &ack) == 0);
        struct writer again = writer_of(bytes + 32, 32);
        CHECK(dgram_write(&again, &f));
        CHECK(memcmp(bytes + 32, golden_frames[i].bytes, golden_frames[i].len) == 0);
        for (size_t len = 1; len < golden_frames[i].len; len++) {
            r = reader_of(golden_frames[i].bytes, len);
            CHECK(dgram_read(&r, &f, &ack) == -ROOST_MALFORMED);
            w = writer_of(bytes, len);
            CHECK(!dgram_write(&w, &golden_frames[i].f) && w.p == bytes && !w.full);
        }
    }
}

static const struct {
    const uint8_t *bytes;
    size_t len;
} wrong_frames[] = {
    { BYTES(20) },         /* unknown */
    { BYTES(0, 0, 1) },    /* padding that is something */
    { BYTES(4, 1, 0, 0) }, /* no bytes, and no end */
    { BYTES(5, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 'x') }, /* beyond all */
    { BYTES(13, 5, 1, 2, 3, 4, 5, 0, 1) },                                   /* neither 4 nor 16 */
    { BYTES(2, 5, 0, 0, 6, 0) },       /* more than there are */
    { BYTES(2, 5, 0, 1, 0, 4, 0, 0) }, /* a hole below zero */
    { BYTES(2, 5, 0, 1, 0, 0, 4, 0) }, /* a range below zero */
    { BYTES(2, 5, 0, 0x40, 64, 0) },   /* 65 ranges */
    { BYTES(2, 5, 0, 0, 0, 2, 1, 1) }, /* more times than packets */
    { BYTES(15, 0, 0x40, 201) },       /* too long a goodbye */
};

static void wrong_frames_are_refused(void)
{
    struct dgram f;
    struct ack ack;

    for (size_t i = 0; i < sizeof wrong_frames / sizeof *wrong_frames; i++) {
        struct reader r = reader_of(wrong_frames[i].bytes, wrong_frames[i].len);
        CHECK(dgram_read(&r, &f, &ack) == -ROOST_MALFORMED);
    }
}

/* --- acknowledgements --- */

static struct ack some_ack(uint32_t ranges, uint32_t times)
{
    struct ack a = { .delay_us = 300, .n_ranges = ranges, .n_times = times };
    uint64_t at = 1000000;

    for (uint32_t i = 0; i < ranges; i++) {
        a.ranges[i] = (struct ack_range){ at - i % 3, at };
        at -= i % 3 + 2 + i % 5;
    }
    for (uint32_t i = 0; i < times; i++) /* now and then one overtook another */
        a.times_us[i] = 5000000 - 120 * (int64_t)i + (i % 7 == 3 ? 500 : 0);
    return a;
}

static bool same_ack(const struct ack *a, const struct ack *b)
{
    bool same = a->n_ranges == b->n_ranges && a->n_times == b->n_times &&
                a->delay_us == b->delay_us && a->ecn == b->ecn && a->ect0 == b->ect0 &&
                a->ect1 == b->ect1 && a->ce == b->ce;

    for (uint32_t i = 0; same && i < a->n_ranges; i++)
        same = a->ranges[i].first == b->ranges[i].first && a->ranges[i].last == b->ranges[i].last;
    for (uint32_t i = 0; same && i < a->n_times; i++)
        same = a->times_us[i] == b->times_us[i];
    return same;
}

static void acknowledgements_come_back_the_same(void)
{
    static const uint8_t golden[] = { 3, 10, 0x41, 0x2c, 1, 0, 1, 2, 2, 20, 6, 7, 8, 9 };
    struct ack a = { .delay_us = 300, .ecn = true, .ect0 = 7, .ect1 = 8, .ce = 9 }, b;
    uint8_t bytes[PACKET_MTU_MIN];
    struct dgram f;

    a.n_ranges = a.n_times = 2;
    a.ranges[0] = (struct ack_range){ 10, 10 };
    a.ranges[1] = (struct ack_range){ 5, 7 };
    a.times_us[0] = 20;
    a.times_us[1] = 17;
    struct writer w = writer_of(bytes, sizeof bytes);
    CHECK(dgram_write_ack(&w, &a) && (size_t)(w.p - bytes) == sizeof golden);
    CHECK(memcmp(bytes, golden, sizeof golden) == 0);

    for (uint32_t ranges = 1; ranges <= ACK_RANGES_MAX; ranges++) {
        a = some_ack(ranges, ranges / 2);
        w = writer_of(bytes, sizeof bytes);
        CHECK(dgram_write_ack(&w, &a));
        struct reader r = reader_of(bytes, (size_t)(w.p - bytes));
        CHECK(dgram_read(&r, &f, &b) == 1 && f.kind == DGRAM_ACK && same_ack(&a, &b));
        for (size_t len = 1; len < (size_t)(w.p - bytes); len++) {
            r = reader_of(bytes, len);
            CHECK(dgram_read(&r, &f, &b) == -ROOST_MALFORMED);
        }
    }
}

static void a_narrow_place_gets_the_newest(void)
{
    struct ack a = some_ack(ACK_RANGES_MAX, ACK_TIMES_MAX), b;
    uint8_t bytes[400];
    struct dgram f;
    bool wrote = false;

    for (size_t cap = 0; cap <= sizeof bytes; cap++) {
        struct writer w = writer_of(bytes, cap);
        bool fits = dgram_write_ack(&w, &a);
        CHECK(fits >= wrote);
        wrote = fits;
        if (!fits)
            continue;
        struct reader r = reader_of(bytes, (size_t)(w.p - bytes));
        CHECK(dgram_read(&r, &f, &b) == 1 && b.ranges[0].last == a.ranges[0].last);
        CHECK(!b.n_times || b.n_ranges == a.n_ranges);
    }
    CHECK(wrote && same_ack(&a, &b));
}

TEST_MAIN({ "vars_have_one_form", vars_have_one_form },
          { "a_full_writer_writes_nothing_more", a_full_writer_writes_nothing_more },
          { "packet_numbers_are_made_whole", packet_numbers_are_made_whole },
          { "heads_are_as_they_were", heads_are_as_they_were },
          { "frames_are_as_they_were", frames_are_as_they_were },
          { "wrong_frames_are_refused", wrong_frames_are_refused },
          { "acknowledgements_come_back_the_same", acknowledgements_come_back_the_same },
          { "a_narrow_place_gets_the_newest", a_narrow_place_gets_the_newest })
