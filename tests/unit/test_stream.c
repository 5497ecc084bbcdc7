/* test_stream.c - a stream's two ends, with all that a network does to pieces in between. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/sink.h"
#include "flow/source.h"
#include "lab/dice.h"
#include "test.h"

/* --- sets --- */

/* Against a bit for each byte. */
static void sets_of_bytes(void)
{
    struct dice dice;
    struct spans s = { 0 };
    bool bits[200] = { false };

    dice.state = 7;
    for (int round = 0; round < 3000; round++) {
        uint64_t from = dice_below(&dice, 200), to = from + dice_below(&dice, 201 - from);
        bool add = dice_below(&dice, 2);
        if ((add ? spans_add(&s, from, to) : spans_remove(&s, from, to)) == 0)
            for (uint64_t i = from; i < to; i++)
                bits[i] = add;
        uint32_t n = 0;
        for (uint64_t i = 0; i < 200; i++) {
            CHECK(spans_has(&s, i, i + 1) == bits[i]);
            n += bits[i] && (i == 0 || !bits[i - 1]);
        }
        CHECK(s.n == n && spans_has(&s, from, to) == (add || from == to));
    }
    spans_fini(&s);
    int err = 0;
    for (uint64_t i = 0; i <= SPANS_MAX && !err; i++)
        err = spans_add(&s, 2 * i, 2 * i + 1);
    CHECK(err == -ROOST_LIMIT && s.n == SPANS_MAX);
    CHECK(spans_add(&s, 0, 100000) == 0 && s.n == 1);
    CHECK(spans_remove(&s, 5, 5) == 0 && spans_remove(&s, 200000, 200001) == 0 && s.n == 1);
    spans_fini(&s);
}

/* --- one end --- */

#define PUT(s, offset, text, end)                                                                  \
    sink_put(s, offset, (const uint8_t *)(text), sizeof(text) - 1, end)

static bool reads(struct sink *s, const char *want)
{
    size_t len;
    const uint8_t *p = sink_peek(s, &len);
    bool same = len == strlen(want) && (!len || memcmp(p, want, len) == 0);

    sink_take(s, len, 0, 1);
    return same;
}

static void pieces_come_in_any_order(void)
{
    struct sink s;

    sink_init(&s, SINK_WINDOW_MAX);
    CHECK(PUT(&s, 3, "def", false) == 6 && reads(&s, ""));
    CHECK(PUT(&s, 3, "def", false) == 0); /* twice */
    CHECK(PUT(&s, 0, "abcd", false) == 0 && reads(&s, "abcdef"));
    CHECK(PUT(&s, 0, "zzzzzzg", false) == 1 && reads(&s, "g"));
    CHECK(PUT(&s, 9, "", true) == 2 && !sink_is_over(&s));
    CHECK(PUT(&s, 7, "hi", false) == 0 && reads(&s, "hi") && sink_is_over(&s));
    sink_fini(&s);
}

static void ends_do_not_move(void)
{
    struct sink s;

    sink_init(&s, SINK_WINDOW_MAX);
    CHECK(PUT(&s, 0, "abc", false) == 3);
    CHECK(PUT(&s, 0, "ab", true) == -ROOST_MALFORMED); /* before what came */
    CHECK(PUT(&s, 3, "d", true) == 1);
    CHECK(PUT(&s, 3, "d", true) == 0);
    CHECK(PUT(&s, 3, "de", true) == -ROOST_MALFORMED);
    CHECK(PUT(&s, 4, "e", false) == -ROOST_MALFORMED);
    CHECK(PUT(&s, 2, "c", true) == -ROOST_MALFORMED);
    CHECK(reads(&s, "abcd") && sink_is_over(&s));
    sink_fini(&s);

    sink_init(&s, SINK_WINDOW_MAX);
    CHECK(PUT(&s, 10, "abc", false) == 13);
    CHECK(sink_reset(&s, 12) == -ROOST_MALFORMED);
    CHECK(sink_reset(&s, 20) == 7 && sink_is_over(&s) && reads(&s, ""));
    CHECK(sink_reset(&s, 20) == 0 && PUT(&s, 13, "d", false) == 0);
    CHECK(sink_reset(&s, 21) == -ROOST_MALFORMED);
    sink_fini(&s);
}

/* What one gave back another may have; each has some of its own. */
static void holes_are_shared(void)
{
    struct spans_budget budget = { 100 };
    struct spans a = { .budget = &budget }, b = a, c = a;
    uint64_t i, n;

    for (i = 0; spans_add(&a, 2 * i, 2 * i + 1) == 0; i++)
        ;
    CHECK(i == 64 && budget.left == 100 - (64 - SPANS_OWN));
    CHECK(spans_add(&a, 2 * i, 2 * i + 1) == -ROOST_BUSY && a.n == 64);
    CHECK(spans_reserve(&a, 2 * i, 2 * i + 1) == -ROOST_BUSY && spans_reserve(&a, 1, 2) == 0);
    for (n = 0; spans_add(&b, 2 * n, 2 * n + 1) == 0; n++)
        ;
    CHECK(n == 64 && budget.left == 4);
    for (n = 0; spans_add(&c, 2 * n, 2 * n + 1) == 0; n++)
        ;
    CHECK(n == SPANS_OWN && c.n == n);
    CHECK(spans_add(&a, 1, 2) == 0 && a.n == 63);
    CHECK(spans_add(&a, 0, 2 * i) == 0 && a.n == 1);
    for (n = 0; n < 8; n++) /* half of it each time */
        CHECK(spans_remove(&a, 0, n + 1) == 0);
    CHECK(a.cap <= SPANS_OWN && budget.left == 52 && spans_add(&c, 200, 201) == 0);
    spans_fini(&a);
    spans_fini(&b);
    spans_fini(&c);
    CHECK(budget.left == 100);
}

static void an_end_may_come_before_what_it_ends(void)
{
    struct sink s;
    size_t len;

    sink_init(&s, SINK_WINDOW_MAX);
    CHECK(sink_put(&s, 500000, NULL, 0, true) == 500000);
    CHECK(sink_put(&s, 0, (const uint8_t *)"hello", 5, false) == 0);
    CHECK(s.ring.cap < 10000); /* of what has come, not of what may */
    CHECK(sink_peek(&s, &len) && len == 5 && !sink_is_over(&s));
    sink_fini(&s);
}

static void nobody_sends_past_the_limit(void)
{
    static const uint8_t much[SINK_WINDOW_FIRST + 1];
    struct sink s;
    size_t len;

    sink_init(&s, 2 * SINK_WINDOW_FIRST);
    CHECK(sink_put(&s, 0, much, sizeof much, false) == -ROOST_MALFORMED);
    CHECK(sink_put(&s, s.limit - 1, much, 1, false) == (int64_t)s.limit);
    CHECK(sink_put(&s, s.limit, much, 1, false) == -ROOST_MALFORMED);
    CHECK(sink_put(&s, 0, much, SINK_WINDOW_FIRST, false) == 0);
    CHECK(!sink_has_credit(&s) && sink_peek(&s, &len) && len == SINK_WINDOW_FIRST);
    sink_take(&s, SINK_WINDOW_FIRST / 8, 1, 1000);
    CHECK(!sink_has_credit(&s));
    sink_take(&s, SINK_WINDOW_FIRST / 8, 1, 1000);
    CHECK(sink_has_credit(&s) && sink_give_credit(&s) == SINK_WINDOW_FIRST * 5 / 4);
    CHECK(!sink_has_credit(&s));

    /* a window that is read within two round trips grows, up to what is allowed */
    for (int i = 0; i < 10; i++) {
        uint64_t n = s.limit - s.read < sizeof much - 1 ? s.limit - s.read : sizeof much - 1;
        sink_put(&s, s.upto, much, s.limit - s.upto < n ? s.limit - s.upto : n, false);
        sink_peek(&s, &len);
        sink_take(&s, len, 10 + i * 100, 1000);
        sink_give_credit(&s);
    }
    CHECK(s.window == 2 * SINK_WINDOW_FIRST);
    sink_fini(&s);
}

/* --- the other end --- */

static bool next_is(struct source *s, uint64_t offset, uint32_t len, bool end)
{
    struct piece p;

    return source_next(s, 4, 1000, &p) && p.offset == offset && p.len == len && p.end == end;
}

static void take(struct source *s, uint64_t offset, uint32_t len, bool end)
{
    source_take(s, &(struct piece){ offset, len, end });
}

static void what_is_lost_goes_first(void)
{
    struct source s;
    struct piece p;

    source_init(&s, 100, 1000);
    CHECK(!source_next(&s, 4, 1000, &p));
    CHECK(source_write(&s, (const uint8_t *)"abcdefghij", 10) == 10);
    CHECK(next_is(&s, 0, 4, false));
    take(&s, 0, 4, false);
    CHECK(next_is(&s, 4, 4, false));
    take(&s, 4, 4, false);
    CHECK(source_on_lost(&s, &(struct piece){ 0, 4, false }) == 0);
    CHECK(next_is(&s, 0, 4, false));
    take(&s, 0, 2, false); /* there was less room */
    CHECK(next_is(&s, 2, 2, false));
    CHECK(source_on_acked(&s, &(struct piece){ 0, 4, false }) == 0); /* it came, only late */
    CHECK(s.base == 4 && next_is(&s, 8, 2, false));
    source_end(&s);
    CHECK(next_is(&s, 8, 2, true));
    take(&s, 8, 2, true);
    CHECK(!source_next(&s, 4, 1000, &p));
    CHECK(source_on_acked(&s, &(struct piece){ 8, 2, true }) == 0 && !source_is_over(&s));
    CHECK(source_on_lost(&s, &(struct piece){ 4, 6, true }) == 0); /* most of it came since */
    CHECK(next_is(&s, 4, 4, false));
    CHECK(source_on_acked(&s, &(struct piece){ 4, 4, false }) == 0 && source_is_over(&s));
    CHECK(source_write(&s, (const uint8_t *)"k", 1) == 0); /* it has ended */
    source_fini(&s);

    source_init(&s, 100, 1000); /* an end alone, and lost once */
    source_end(&s);
    CHECK(next_is(&s, 0, 0, true));
    take(&s, 0, 0, true);
    CHECK(!source_next(&s, 4, 1000, &p));
    CHECK(source_on_lost(&s, &(struct piece){ 0, 0, true }) == 0 && next_is(&s, 0, 0, true));
    take(&s, 0, 0, true);
    CHECK(source_on_acked(&s, &(struct piece){ 0, 0, true }) == 0 && source_is_over(&s));
    source_fini(&s);
}

static void limits_hold_new_bytes_back(void)
{
    static const uint8_t much[3000];
    struct source s;
    struct piece p;

    source_init(&s, 10, 2000);
    CHECK(source_write(&s, much, sizeof much) == 2000 && source_write(&s, much, 1) == 0);
    CHECK(source_next(&s, 100, 1000, &p) && p.len == 10);
    CHECK(source_take(&s, &p) == 10);
    CHECK(!source_next(&s, 100, 1000, &p));
    source_allow(&s, 500);
    source_allow(&s, 400); /* never less */
    CHECK(source_next(&s, 1000, 50, &p) && p.len == 50);
    CHECK(source_next(&s, 1000, 1000, &p) && p.len == 490);
    CHECK(source_take(&s, &p) == 490);
    CHECK(source_on_lost(&s, &p) == 0); /* to send again needs no credit */
    CHECK(source_next(&s, 1000, 0, &p) && p.len == 490 && source_take(&s, &p) == 0);
    CHECK(source_on_acked(&s, &(struct piece){ 0, 10, false }) == 0);
    CHECK(source_write(&s, much, sizeof much) == 10);
    source_fini(&s);
}

/* --- both, and a bad network --- */

enum { LENGTH = 300000, FLYING_MAX = 64 };

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

struct network {
    struct source from;
    struct sink to;
    struct dice dice;
    struct piece flying[FLYING_MAX];
    uint8_t bytes[FLYING_MAX][1200];
    int n;
    uint64_t written, read;
};

static void write_some(struct network *x)
{
    uint8_t bytes[5000];
    size_t len = (size_t)dice_below(&x->dice, sizeof bytes);

    len = LENGTH - x->written < len ? (size_t)(LENGTH - x->written) : len;
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(x->written + i);
    x->written += (uint64_t)source_write(&x->from, bytes, len);
    if (x->written == LENGTH)
        source_end(&x->from);
}

static void send_some(struct network *x)
{
    while (x->n < FLYING_MAX && source_next(&x->from, 1 + (uint32_t)dice_below(&x->dice, 1200),
                                            1ULL << 40, &x->flying[x->n])) {
        source_copy(&x->from, &x->flying[x->n], x->bytes[x->n]);
        source_take(&x->from, &x->flying[x->n]);
        x->n++;
    }
}

/* One of those that fly, any: comes, is lost, comes twice, or comes and is thought lost. */
static void arrive(struct network *x)
{
    int i = (int)dice_below(&x->dice, (uint64_t)x->n);
    struct piece p = x->flying[i];
    uint32_t fate = (uint32_t)dice_below(&x->dice, 10);

    for (uint32_t times = 0; times < (fate < 2 ? 0 : fate < 4 ? 2 : 1u); times++)
        CHECK(sink_put(&x->to, p.offset, x->bytes[i], p.len, p.end) >= 0);
    if (fate < 2 || fate == 5)
        CHECK(source_on_lost(&x->from, &p) == 0);
    if (fate >= 2)
        CHECK(source_on_acked(&x->from, &p) == 0);
    x->n--;
    x->flying[i] = x->flying[x->n];
    memcpy(x->bytes[i], x->bytes[x->n], sizeof *x->bytes);
}

static void read_some(struct network *x)
{
    size_t len;
    const uint8_t *p = sink_peek(&x->to, &len);

    for (size_t i = 0; i < len; i++)
        CHECK(p[i] == byte_at(x->read + i));
    x->read += len;
    sink_take(&x->to, len, 0, 1000);
    if (sink_has_credit(&x->to))
        source_allow(&x->from, sink_give_credit(&x->to));
}

static void every_byte_arrives_once_in_order(void)
{
    struct network *x = calloc(1, sizeof *x);

    CHECK(x);
    for (uint64_t seed = 0; seed < 20; seed++) {
        *x = (struct network){ .n = 0 };
        x->dice.state = seed + 1;
        sink_init(&x->to, 20000);
        source_init(&x->from, x->to.limit, 8000 + 1000 * seed);
        for (int rounds = 0; !source_is_over(&x->from) || x->n; rounds++) {
            CHECK(rounds < 100000);
            write_some(x);
            send_some(x);
            if (x->n)
                arrive(x);
            if (dice_below(&x->dice, 3))
                read_some(x);
        }
        while (x->read < LENGTH)
            read_some(x);
        CHECK(sink_is_over(&x->to) && x->to.ring.cap <= 32768 && x->from.ring.cap <= 32768);
        source_fini(&x->from);
        sink_fini(&x->to);
    }
    free(x);
}

TEST_MAIN({ "sets_of_bytes", sets_of_bytes },
          { "pieces_come_in_any_order", pieces_come_in_any_order },
          { "ends_do_not_move", ends_do_not_move }, { "holes_are_shared", holes_are_shared },
          { "an_end_may_come_before_what_it_ends", an_end_may_come_before_what_it_ends },
          { "nobody_sends_past_the_limit", nobody_sends_past_the_limit },
          { "what_is_lost_goes_first", what_is_lost_goes_first },
          { "limits_hold_new_bytes_back", limits_hold_new_bytes_back },
          { "every_byte_arrives_once_in_order", every_byte_arrives_once_in_order })
