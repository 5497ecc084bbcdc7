/* test_parcel.c - bytes that arrive whole, over a link that loses, in virtual time. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/link.h"
#include "lab/parcel.h"
#include "sim/pump.h"
#include "test.h"

enum { HERE, THERE };
#define SECOND 1000000LL

struct story {
    struct flow *end[2];
    struct link link[2];
    struct parcel_out out;
    struct parcel_in in;
    int64_t now_us;
    uint64_t length, put;
    int result; /* of the receiver, once it is known */
    bool damage, confirmed;
};

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

static void begin_over(struct story *s, uint64_t length, uint64_t told,
                       const struct link_config *link, const char *cc)
{
    static const uint8_t secret[32] = { 7 }, seeds[2][32] = { { 1 }, { 2 } };

    *s = (struct story){ .now_us = SECOND, .length = length };
    for (int i = 0; i < 2; i++) {
        struct flow_settings f = {
            .client = i == HERE, .session = 9, .secret = secret, .seed = seeds[i], .cc = cc_find(cc)
        };
        CHECK(flow_new(&s->end[i], &f, s->now_us) == 0);
        link_init(&s->link[i], LINK_DATAGRAMS, link, 5 + (uint64_t)i);
    }
    CHECK(parcel_send(&s->out, s->end[HERE], told) == 0);
    CHECK(parcel_receive(&s->in, s->end[THERE]) == 0);
}

static void begin(struct story *s, uint64_t length, uint64_t told, uint32_t loss_ppm)
{
    const struct link_config link = {
        .rate_bps = 20000000, .delay_us = 10000, .loss_ppm = loss_ppm, .queue_bytes = 100000
    };

    begin_over(s, length, told, &link, "cubic");
}

static void end(struct story *s)
{
    parcel_out_fini(&s->out);
    parcel_in_fini(&s->in);
    for (int i = 0; i < 2; i++) {
        flow_free(s->end[i]);
        link_fini(&s->link[i]);
    }
}

static void work_here(struct story *s)
{
    uint8_t bytes[4096];

    parcel_out_hear(&s->out, s->now_us);
    while (!s->out.ended && !s->out.closed) {
        size_t n = s->length - s->put < sizeof bytes ? (size_t)(s->length - s->put) : sizeof bytes;
        uint64_t room = parcel_room(&s->out);
        if (!n) {
            CHECK(parcel_end(&s->out) == 0);
            break;
        }
        if (!room)
            break;
        n = n < room ? n : (size_t)room;
        for (size_t i = 0; i < n; i++)
            bytes[i] = byte_at(s->put + i);
        int64_t took = parcel_put(&s->out, bytes, n);
        CHECK(took == (int64_t)n); /* what there is room for is taken */
        s->put += n;
    }
}

static void work_there(struct story *s)
{
    const uint8_t *at;
    size_t len;

    if (s->result < 0)
        return;
    int err = parcel_in_hear(&s->in, s->now_us);
    while (!err && (at = parcel_peek(&s->in, &len)) && len) {
        for (size_t i = 0; i < len; i++)
            CHECK(at[i] == byte_at(s->in.got + i));
        if (s->damage && s->in.got == 0)
            *(uint8_t *)at ^= 1; /* as a broken memory would */
        err = parcel_take(&s->in, len, s->now_us);
    }
    s->result = err ? err : parcel_is_whole(&s->in);
    if (s->result == 1 && !s->confirmed)
        s->confirmed = !parcel_confirm(&s->in);
    else if (s->result < 0)
        flow_close(s->end[THERE], PARCEL_WRONG, parcel_text(PARCEL_WRONG));
}

static void carry(struct story *s, int i)
{
    pump_in(s->end[i], &s->link[!i], s->now_us);
    flow_expire(s->end[i], s->now_us);
    if (i == HERE)
        work_here(s);
    else
        work_there(s);
    CHECK(pump_out(s->end[i], &s->link[i], s->now_us));
}

static void run(struct story *s, int64_t for_us)
{
    int64_t end_us = s->now_us + for_us;

    while (s->now_us < end_us && !s->out.done && !s->out.closed) {
        carry(s, HERE);
        carry(s, THERE);
        int64_t at = pump_due_us(s->end, s->link, s->now_us);
        at = at < end_us ? at : end_us;
        s->now_us = at > s->now_us ? at : s->now_us + 1;
    }
}

static void arrives(uint64_t length, uint64_t told, uint32_t loss_ppm)
{
    struct story s;

    begin(&s, length, told, loss_ppm);
    run(&s, 60 * SECOND);
    CHECK(s.out.done && !s.out.closed && s.result == 1 && s.in.got == length);
    CHECK(s.in.expected == told && !memcmp(s.in.hash, s.out.hash, PARCEL_HASH));
    run(&s, SECOND);
    flow_close(s.end[HERE], PARCEL_DONE, "");
    carry(&s, HERE);
    s.now_us += SECOND;
    carry(&s, THERE);
    CHECK(loss_ppm || (s.in.closed && s.in.why == PARCEL_DONE));
    end(&s);
}

static void all_lengths_arrive(void)
{
    static const uint64_t lengths[] = { 0, 1, 1000, 1200, 65536, 3000000 };

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        arrives(lengths[i], lengths[i], 0);
        arrives(lengths[i], PARCEL_UNKNOWN, 20000);
    }
}

/* While one that was lost is sent again, and again, the other side's window fills, and then our
 * room: nothing more is put until there is some. */
static void a_hole_on_a_long_fat_path(void)
{
    const struct link_config link = {
        .rate_bps = 900000000, .delay_us = 100000, .loss_ppm = 1000, .queue_bytes = 64 << 20
    };
    const uint64_t length = 150000000;
    struct story s;

    begin_over(&s, length, length, &link, "bbr");
    run(&s, 60 * SECOND);
    CHECK(s.out.done && s.result == 1 && s.in.got == length);
    end(&s);
}

static void no_more_is_put_than_there_is_room_for(void)
{
    static uint8_t piece[1 << 20];
    struct story s;

    begin(&s, 0, 0, 0);
    int64_t stream = flow_open(s.end[HERE], 1);
    for (uint64_t all = 0; all < FLOW_STREAM_ROOM; all += sizeof piece) {
        CHECK(flow_room(s.end[HERE], (uint64_t)stream) == FLOW_STREAM_ROOM - all);
        CHECK(flow_write(s.end[HERE], (uint64_t)stream, piece, sizeof piece) == sizeof piece);
    }
    CHECK(flow_room(s.end[HERE], (uint64_t)stream) == 0);
    CHECK(flow_write(s.end[HERE], (uint64_t)stream, piece, 1) == 0);
    CHECK(flow_room(s.end[HERE], 77) == 0); /* there is no such stream */
    end(&s);
}

static void another_length_is_not_whole(void)
{
    struct story s;

    begin(&s, 1000, 1001, 0); /* it became shorter while it was read */
    run(&s, 10 * SECOND);
    CHECK(s.result == -ROOST_MALFORMED && !s.out.done && s.out.closed);
    CHECK(s.out.why == PARCEL_WRONG);
    end(&s);
}

static void damage_is_seen(void)
{
    struct story s;

    begin(&s, 100000, 100000, 0);
    s.damage = true;
    run(&s, 10 * SECOND);
    CHECK(s.result == -ROOST_MALFORMED && s.out.closed && s.out.why == PARCEL_WRONG);
    CHECK(strstr(parcel_text(s.out.why), "not what was sent"));
    end(&s);
}

/* What does not keep to it is told so, and nothing is stored. */
static void nonsense(void)
{
    static const struct {
        const char *words;
        size_t len;
        int streams;
        bool end;
    } cases[] = {
        { "\2\0\0\0\0\0\0\0\0", 9, 0, false }, /* a version that nobody has */
        { "\1\0\0\0\0\0\0\0", 8, 0, true },    /* ends too early */
        { "\1\0\0\0\0\0\0\0\5", 9, 0, true },  /* without an end */
        { "\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\5"
          "................................!",
          50, 0, false },                      /* goes on after it */
        { "\1\0\0\0\0\0\0\0\5", 9, 2, false }, /* a third stream */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        begin(&s, 0, 0, 0);
        parcel_out_fini(&s.out);
        flow_free(s.end[HERE]);
        static const uint8_t secret[32] = { 7 }, seed[32] = { 3 };
        struct flow_settings f = {
            .client = true, .session = 9, .secret = secret, .seed = seed, .cc = cc_find("reno")
        };
        CHECK(flow_new(&s.end[HERE], &f, s.now_us) == 0);
        int64_t talk = flow_open(s.end[HERE], 0);
        CHECK(flow_write(s.end[HERE], (uint64_t)talk, cases[i].words, cases[i].len) ==
              (int64_t)cases[i].len);
        if (cases[i].end)
            flow_end(s.end[HERE], (uint64_t)talk);
        for (int k = 0; k < cases[i].streams; k++)
            flow_write(s.end[HERE], (uint64_t)flow_open(s.end[HERE], 1), "x", 1);
        s.out = (struct parcel_out){ .flow = s.end[HERE], .talk = talk, .ended = true };
        for (int k = 0; k < 100 && !s.out.closed; k++, s.now_us += 10000) {
            carry(&s, HERE);
            carry(&s, THERE);
        }
        CHECK(s.result == -ROOST_MALFORMED && s.out.closed && !s.out.done);
        end(&s);
    }
}

static void every_reason_has_words(void)
{
    for (uint64_t i = 0; i < 40; i++)
        CHECK(*parcel_text(i));
}

TEST_MAIN({ "all_lengths_arrive", all_lengths_arrive },
          { "another_length_is_not_whole", another_length_is_not_whole },
          { "a_hole_on_a_long_fat_path", a_hole_on_a_long_fat_path },
          { "no_more_is_put_than_there_is_room_for", no_more_is_put_than_there_is_room_for },
          { "damage_is_seen", damage_is_seen }, { "nonsense", nonsense },
          { "every_reason_has_words", every_reason_has_words })
