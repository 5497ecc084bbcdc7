/* test_enemy.c - the other side of a session as an enemy, who has the keys. */
#include <malloc.h>
#include <string.h>

#include "base/err.h"
#include "roam.h"
#include "seal/session.h"

struct enemy {
    struct net net;
    struct session keys;
    uint8_t bytes[PACKET_MTU_MIN];
    struct writer w;
};

static void enemy_begin(struct enemy *e)
{
    net_begin(&e->net, false, 0);
    net_first_words(&e->net);
    CHECK(session_init(&e->keys, 9, true, net_secret, e->net.now_us) == 0);
    e->keys.out.next = 500; /* above what the client uses meanwhile, and within the window */
    e->w = writer_of(e->bytes + PACKET_HEAD, sizeof e->bytes - OVERHEAD);
}

static void enemy_end(struct enemy *e)
{
    session_fini(&e->keys);
    net_end(&e->net);
}

static bool enemy_sends(struct enemy *e)
{
    struct path_address from = net_client(1);
    int n = session_seal(&e->keys, e->net.now_us, e->bytes,
                         (size_t)(e->w.p - e->bytes) - PACKET_HEAD, NULL, 0);

    e->w = writer_of(e->bytes + PACKET_HEAD, sizeof e->bytes - OVERHEAD);
    return n > 0 &&
           !flow_on_datagram_from(e->net.end[SERVER], e->net.now_us, e->bytes, (size_t)n, 0, &from);
}

static void enemy_writes(struct enemy *e, enum dgram_kind kind, uint64_t id, uint64_t value)
{
    struct dgram d = { .kind = kind };

    d.max.id = id;
    d.max.value = value;
    if (kind == DGRAM_STREAM)
        d.stream =
            (struct dgram_stream){ .id = id, .offset = value, .bytes = (uint8_t *)"x", 1, false };
    if (!dgram_write(&e->w, &d))
        CHECK(enemy_sends(e) && dgram_write(&e->w, &d));
}

static uint64_t why(struct enemy *e)
{
    net_hear(&e->net, SERVER);
    return e->net.told[FLOW_CLOSED] ? e->net.code : UINT64_MAX;
}

static void who_acknowledges_what_was_not_sent_is_cut_off(void)
{
    struct enemy e;
    struct ack a = { .n_ranges = 1, .ranges = { { 0, 100000 } } };

    enemy_begin(&e);
    dgram_write_ack(&e.w, &a);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_BROKEN);
    enemy_end(&e);
}

static void a_million_streams(void)
{
    struct enemy e;

    enemy_begin(&e); /* one after the other */
    for (uint64_t id = 0; id < 2000000 && why(&e) == UINT64_MAX; id += 2)
        enemy_writes(&e, DGRAM_STREAM, id, 0);
    CHECK(why(&e) == FLOW_LIMITS && e.net.told[FLOW_READABLE] <= FLOW_STREAMS_MAX);
    enemy_end(&e);

    enemy_begin(&e); /* the last first: all below would be opened */
    enemy_writes(&e, DGRAM_STREAM, 2000000, 0);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_LIMITS);
    enemy_end(&e);
}

static void more_than_was_allowed(void)
{
    struct enemy e;

    enemy_begin(&e); /* of one stream */
    enemy_writes(&e, DGRAM_STREAM, 0, 1ULL << 40);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_BROKEN);
    enemy_end(&e);

    enemy_begin(&e); /* of all together: the end of each, with nothing before it */
    for (uint64_t id = 0; id < 2 * FLOW_STREAMS_MAX; id += 2)
        enemy_writes(&e, DGRAM_STREAM, id, 65000);
    CHECK(enemy_sends(&e) && why(&e) == FLOW_LIMITS);
    enemy_end(&e);
}

static void holes_without_end(void)
{
    struct enemy e;

    enemy_begin(&e);
    for (uint64_t at = 1; at < 260000 && why(&e) == UINT64_MAX; at += 2)
        enemy_writes(&e, DGRAM_STREAM, 0, at);
    enemy_sends(&e);
    CHECK(why(&e) == FLOW_LIMITS);
    enemy_end(&e);
}

/* As the C library counts. */
static int64_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();

    return (int64_t)(m.uordblks + m.hblkhd);
}

static bool names(const struct ack *a, uint64_t number)
{
    for (uint32_t i = 0; i < a->n_ranges; i++)
        if (a->ranges[i].first <= number && number <= a->ranges[i].last)
            return true;
    return false;
}

/* Whether the server acknowledges that packet within a second. */
static bool is_acknowledged(struct enemy *e, uint64_t number)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct session_opened o;
    struct dgram d;
    struct ack ack;
    bool found = false;

    for (int i = 0; i < 100; i++, e->net.now_us += 10 * MS) {
        int n = flow_next_to(e->net.end[SERVER], e->net.now_us, bytes, sizeof bytes, &to);
        if (n <= 0 || session_open(&e->keys, e->net.now_us, bytes, (size_t)n, &o))
            continue;
        struct reader r = reader_of(o.frames, o.frames_len);
        while (dgram_read(&r, &d, &ack) > 0)
            found = found ||
                    ((d.kind == DGRAM_ACK || d.kind == DGRAM_ACK_ECN) && names(&ack, number));
    }
    return found;
}

/* One byte in a packet of its own; its number. */
static uint64_t enemy_sends_one(struct enemy *e, uint64_t stream, uint64_t at)
{
    if (e->w.p > e->bytes + PACKET_HEAD)
        CHECK(enemy_sends(e));
    uint64_t number = e->keys.out.next;
    enemy_writes(e, DGRAM_STREAM, stream, at);
    CHECK(enemy_sends(e));
    return number;
}

enum { HOLED = 4000 }; /* bytes of a stream of which every other one is sent */

/* Holes in many streams, 8 MB if each had its own. Returns the last of them. */
static uint64_t enemy_makes_holes(struct enemy *e)
{
    uint64_t last = 2 * (test_starves() ? 48 : FLOW_STREAMS_MAX) - 2;

    for (uint64_t id = 0; id <= last; id += 2)
        for (uint64_t at = 1; at < HOLED; at += 2)
            enemy_writes(e, DGRAM_STREAM, id, at);
    CHECK(enemy_sends(e) && why(e) == UINT64_MAX);
    return last;
}

/* What needs a hole more than there are waits, as if it had been lost; what needs none comes, of
 * each stream. */
static void holes_of_all_streams_together(void)
{
    struct enemy e;
    size_t len;
    bool over;

    enemy_begin(&e);
    int64_t before = heap_bytes();
    uint64_t last = enemy_makes_holes(&e);
    CHECK(heap_bytes() - before < 4 << 20);
    CHECK(!is_acknowledged(&e, enemy_sends_one(&e, last, HOLED - 1)));

    for (uint64_t at = 0; at < HOLED / 2; at++)
        enemy_writes(&e, DGRAM_STREAM, last, at);
    CHECK(is_acknowledged(&e, enemy_sends_one(&e, last, HOLED / 2)));
    CHECK(flow_read(e.net.end[SERVER], last, &len, &over) && len > HOLED / 2);

    for (uint64_t at = 0; at < HOLED; at++) /* one that held much is done, and there is room */
        enemy_writes(&e, DGRAM_STREAM, 0, at);
    CHECK(enemy_sends(&e));
    for (uint64_t at = HOLED / 2 + 3; at < HOLED; at += 2)
        enemy_writes(&e, DGRAM_STREAM, last, at);
    CHECK(is_acknowledged(&e, enemy_sends_one(&e, last, HOLED - 1)) && why(&e) == UINT64_MAX);
    enemy_end(&e);
}

/* What is refused there would not come again. */
static void holes_through_a_tunnel(void)
{
    struct enemy e;

    enemy_begin(&e);
    uint64_t last = enemy_makes_holes(&e);
    enemy_writes(&e, DGRAM_STREAM, last, HOLED - 1);
    CHECK(flow_on_frames(e.net.end[SERVER], e.net.now_us, e.bytes + PACKET_HEAD,
                         (size_t)(e.w.p - e.bytes) - PACKET_HEAD) == 0);
    CHECK(why(&e) == FLOW_LIMITS);
    enemy_end(&e);
}

static void a_window_that_shrinks_is_not_believed(void)
{
    struct enemy e;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    uint64_t out = 0;
    int len;

    enemy_begin(&e);
    net_write(&e.net, SERVER, 100000);
    for (int i = 0; i < 10000; i++) {
        enemy_writes(&e, DGRAM_MAX_STREAM, 1, (uint64_t)(100 - i % 100));
        enemy_writes(&e, DGRAM_MAX_DATA, 0, (uint64_t)(100 - i % 100));
        enemy_writes(&e, DGRAM_MAX_STREAMS, 0, 0);
    }
    CHECK(enemy_sends(&e) && why(&e) == UINT64_MAX);
    for (int i = 0; i < 100; i++, e.net.now_us += MS)
        while ((len = flow_next_to(e.net.end[SERVER], e.net.now_us, bytes, sizeof bytes, &to)) > 0)
            out += (uint64_t)len;
    CHECK(out > 30000 && flow_open(e.net.end[SERVER], 0) > 0);
    enemy_end(&e);
}

static void what_was_said_is_not_heard_twice(void)
{
    struct enemy e;
    struct path_address from = net_client(1), elsewhere = net_client(5);
    uint8_t copy[PACKET_MTU_MIN];
    struct flow_view v;

    enemy_begin(&e);
    enemy_writes(&e, DGRAM_PING, 0, 0);
    struct session before = e.keys;
    int n = session_seal(&before, e.net.now_us, e.bytes, 1, NULL, 0);
    memcpy(copy, e.bytes, sizeof copy);
    CHECK(!flow_on_datagram_from(e.net.end[SERVER], e.net.now_us, e.bytes, (size_t)n, 0, &from));
    for (int i = 0; i < 1000; i++) {
        memcpy(e.bytes, copy, sizeof copy);
        CHECK(flow_on_datagram_from(e.net.end[SERVER], e.net.now_us, e.bytes, (size_t)n, 0,
                                    &elsewhere) == -ROOST_MALFORMED);
    }
    flow_look(e.net.end[SERVER], &v);
    CHECK(v.replayed_in == 1000 && v.paths->n_tried == 0);
    enemy_end(&e);
}

static void questions_without_end_are_answered_one_for_one(void)
{
    struct enemy e;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    uint64_t in = 0, out = 0;
    int len;

    enemy_begin(&e);
    for (int i = 0; i < 1000; i++) {
        struct dgram d = { .kind = DGRAM_PATH };
        d.path = net_secret;
        while (dgram_write(&e.w, &d))
            ;
        in += (uint64_t)(e.w.p - e.bytes) + PACKET_TAG;
        CHECK(enemy_sends(&e));
        while ((len = flow_next_to(e.net.end[SERVER], e.net.now_us, bytes, sizeof bytes, &to)) > 0)
            out += (uint64_t)len;
    }
    CHECK(out < in);
    enemy_end(&e);
}

/* Words that ask to be answered come without end; of the answers it says nothing. */
static void who_acknowledges_nothing_costs_little(void)
{
    struct enemy e;
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct flow_view v;
    uint32_t most = 0;

    enemy_begin(&e);
    for (int i = 0; i < 100000 && why(&e) == UINT64_MAX; i++) {
        struct dgram d = { .kind = DGRAM_PING };
        CHECK(dgram_write(&e.w, &d));
        e.keys.out.next++; /* a gap: it is answered at once */
        CHECK(enemy_sends(&e));
        e.net.now_us += 500;
        flow_expire(e.net.end[SERVER], e.net.now_us);
        while (flow_next_to(e.net.end[SERVER], e.net.now_us, bytes, sizeof bytes, &to) > 0)
            ;
        flow_look(e.net.end[SERVER], &v);
        most = v.sent->quiet > most ? v.sent->quiet : most;
    }
    CHECK(why(&e) == FLOW_LIMITS && most <= SENT_QUIET_MAX);
    flow_expire(e.net.end[SERVER], e.net.now_us);
    flow_look(e.net.end[SERVER], &v);
    CHECK(v.sent->cap == 0); /* what is over keeps nothing */
    enemy_end(&e);
}

TEST_MAIN({ "who_acknowledges_what_was_not_sent_is_cut_off",
            who_acknowledges_what_was_not_sent_is_cut_off },
          { "a_million_streams", a_million_streams },
          { "more_than_was_allowed", more_than_was_allowed },
          { "holes_without_end", holes_without_end },
          { "holes_of_all_streams_together", holes_of_all_streams_together },
          { "holes_through_a_tunnel", holes_through_a_tunnel },
          { "a_window_that_shrinks_is_not_believed", a_window_that_shrinks_is_not_believed },
          { "what_was_said_is_not_heard_twice", what_was_said_is_not_heard_twice },
          { "questions_without_end_are_answered_one_for_one",
            questions_without_end_are_answered_one_for_one },
          { "who_acknowledges_nothing_costs_little", who_acknowledges_nothing_costs_little })
