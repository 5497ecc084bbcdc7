/* test_transport.c - two ends of a session over a modelled link, in virtual time. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/flow.h"
#include "flow/sink.h"
#include "lab/link.h"
#include "sim/pump.h"
#include "test.h"

enum { HERE, THERE };
#define SECOND 1000000LL

struct net {
    struct flow *end[2];
    struct link link[2]; /* from that end */
    int64_t now_us;
    uint64_t asked[2], got[2], over[2]; /* bytes written and read, streams that ended */
    uint64_t codes[2][6];               /* the last code of each kind of event, plus 1 */
    uint8_t forge;                      /* xored into the next datagram from HERE */
    bool read_nothing;
};

static const struct link_config plain = { .rate_bps = 10000000,
                                          .delay_us = 20000,
                                          .queue_bytes = 50000 };

static uint64_t data_window; /* of all streams together; 0: the usual */

static void net_begin(struct net *n, const char *cc, const struct link_config *up,
                      const struct link_config *down)
{
    static const uint8_t secret[32] = { 7 }, seeds[2][32] = { { 1 }, { 2 } };

    *n = (struct net){ .now_us = SECOND };
    for (int i = 0; i < 2; i++) {
        struct flow_settings s = {
            .client = i == HERE,
            .session = 9,
            .secret = secret,
            .seed = seeds[i],
            .cc = cc_find(cc),
            .data_window = data_window,
        };
        CHECK(flow_new(&n->end[i], &s, n->now_us) == 0);
        link_init(&n->link[i], LINK_DATAGRAMS, i == HERE ? up : down, 5 + (uint64_t)i);
    }
}

static void net_end(struct net *n)
{
    for (int i = 0; i < 2; i++) {
        flow_free(n->end[i]);
        link_fini(&n->link[i]);
    }
}

static uint8_t byte_at(uint64_t stream, uint64_t at)
{
    return (uint8_t)(stream * 7 + at * 31 + at / 251);
}

/* Reads all that is there; streams carry byte_at, from where was read last. */
static void read_all(struct net *n, int i, uint64_t stream)
{
    static uint64_t at[2][256];
    size_t len;
    bool over;

    if (n->got[i] == 0)
        memset(at[i], 0, sizeof at[i]);
    for (const uint8_t *p; (p = flow_read(n->end[i], stream, &len, &over)) && len;) {
        for (size_t k = 0; k < len; k++)
            CHECK(p[k] == byte_at(stream, at[i][stream % 256] + k));
        at[i][stream % 256] += len;
        n->got[i] += len;
        flow_take(n->end[i], stream, len, n->now_us);
    }
    flow_read(n->end[i], stream, &len, &over);
    n->over[i] += over;
}

static void hear(struct net *n, int i)
{
    struct flow_event e;

    while (flow_event(n->end[i], &e)) {
        n->codes[i][e.what] = e.code + 1;
        if (e.what == FLOW_READABLE && !n->read_nothing)
            read_all(n, i, e.stream);
    }
}

static void carry(struct net *n, int i)
{
    uint8_t bytes[PACKET_MTU_MAX];
    int len;

    pump_in(n->end[i], &n->link[!i], n->now_us);
    flow_expire(n->end[i], n->now_us);
    hear(n, i);
    while ((len = flow_next(n->end[i], n->now_us, bytes, sizeof bytes)) > 0) {
        bytes[12] ^= i == HERE ? n->forge : 0;
        n->forge = i == HERE ? 0 : n->forge;
        CHECK(pump_push(&n->link[i], bytes, (size_t)len, n->now_us));
    }
}

static int64_t turn(void *net, int64_t now_us)
{
    struct net *n = net;

    carry(n, HERE);
    carry(n, THERE);
    return pump_due_us(n->end, n->link, now_us);
}

/* Until nothing happens any more, or for so long. */
static void run(struct net *n, int64_t for_us)
{
    CHECK(pump_run(turn, n, &n->now_us, for_us) && "time stands still");
}

/* All of it, as the stream takes it. Returns how long it took. */
static int64_t send_all(struct net *n, int i, uint64_t stream, uint64_t length)
{
    static uint8_t bytes[65536];
    int64_t begun_us = n->now_us;
    uint64_t at = 0, want = n->got[!i] + length;

    while (n->got[!i] < want) {
        CHECK(n->now_us - begun_us < 1000 * SECOND);
        while (at < length) {
            size_t len = length - at < sizeof bytes ? (size_t)(length - at) : sizeof bytes;
            for (size_t k = 0; k < len; k++)
                bytes[k] = byte_at(stream, at + k);
            int64_t took = flow_write(n->end[i], stream, bytes, len);
            CHECK(took >= 0);
            at += (uint64_t)took;
            if ((size_t)took < len)
                break;
        }
        if (at == length)
            flow_end(n->end[i], stream);
        run(n, 10000);
    }
    return n->now_us - begun_us;
}

/* --- stories --- */

static void a_question_and_its_answer(void)
{
    struct net n;

    net_begin(&n, "cubic", &plain, &plain);
    int64_t id = flow_open(n.end[HERE], 0);
    CHECK(id == 0 && flow_open(n.end[THERE], 0) == 1);
    send_all(&n, HERE, 0, 5);
    CHECK(n.got[THERE] == 5 && n.over[THERE] == 1);
    send_all(&n, THERE, 0, 100);
    CHECK(n.got[HERE] == 100 && n.over[HERE] == 1);
    run(&n, SECOND);
    CHECK(n.codes[HERE][FLOW_SENT] && n.codes[THERE][FLOW_SENT]);
    CHECK(flow_is_quiet(n.end[HERE]) && flow_is_quiet(n.end[THERE]));
    CHECK(flow_deadline_us(n.end[HERE], n.now_us) == INT64_MAX);
    CHECK(flow_write(n.end[HERE], 0, "x", 1) == -ROOST_INVALID); /* it is over */
    net_end(&n);
}

static void much_over_links_of_all_kinds(void)
{
    static const struct {
        struct link_config up, down;
        uint64_t length;
        double least; /* of the link's rate */
    } links[] = {
        { { .rate_bps = 10000000, .delay_us = 20000, .queue_bytes = 100000 },
          { .rate_bps = 10000000, .delay_us = 20000 },
          10000000,
          0.9 },
        { { .rate_bps = 50000000, .delay_us = 500, .queue_bytes = 256000 },
          { .rate_bps = 50000000, .delay_us = 500 },
          20000000,
          0.9 },
        /* loss, jitter that reorders, and a way back that loses acknowledgements */
        { { .rate_bps = 10000000,
            .delay_us = 20000,
            .jitter_us = 8000,
            .loss_ppm = 1000,
            .queue_bytes = 100000 },
          { .rate_bps = 500000, .delay_us = 20000, .loss_ppm = 50000 },
          4000000,
          0.2 },
        { { .rate_bps = 2000000, .delay_us = 300000, .queue_bytes = 100000, .loss_ppm = 100 },
          { .rate_bps = 2000000, .delay_us = 300000 },
          2000000,
          0.2 },
    };
    static const char *const names[] = { "reno", "cubic" };

    for (size_t k = 0; k < sizeof links / sizeof *links; k++)
        for (size_t c = 0; c < 2; c++) {
            struct net n;
            net_begin(&n, names[c], &links[k].up, &links[k].down);
            CHECK(flow_open(n.end[HERE], 0) == 0);
            int64_t took_us = send_all(&n, HERE, 0, links[k].length);
            double rate = (double)links[k].length * 8e6 / (double)took_us;
            CHECK(rate >= links[k].least * (double)links[k].up.rate_bps);
            CHECK(n.got[THERE] == links[k].length);
            net_end(&n);
        }
}

static void many_streams_share(void)
{
    struct net n;
    enum { STREAMS = 20 };
    uint8_t bytes[20000];

    net_begin(&n, "cubic", &plain, &plain);
    for (uint64_t s = 0; s < STREAMS; s++) {
        CHECK(flow_open(n.end[HERE], 0) == (int64_t)(2 * s));
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = byte_at(2 * s, k);
        CHECK(flow_write(n.end[HERE], 2 * s, bytes, sizeof bytes) == sizeof bytes);
        CHECK(flow_end(n.end[HERE], 2 * s) == 0);
    }
    run(&n, 10 * SECOND);
    CHECK(n.got[THERE] == STREAMS * sizeof bytes && n.over[THERE] == STREAMS);
    net_end(&n);
}

/* More of them than a packet has places for. */
static void many_small_ones_share_a_packet(void)
{
    struct net n;
    enum { STREAMS = 100 };

    net_begin(&n, "bbr", &plain, &plain);
    for (uint64_t s = 0; s < STREAMS; s++) {
        uint8_t byte = byte_at(2 * s, 0);
        CHECK(flow_open(n.end[HERE], 0) == (int64_t)(2 * s));
        CHECK(flow_write(n.end[HERE], 2 * s, &byte, 1) == 1);
        CHECK(flow_end(n.end[HERE], 2 * s) == 0);
    }
    run(&n, SECOND);
    CHECK(n.got[THERE] == STREAMS && n.over[THERE] == STREAMS);
    struct flow_view v;
    flow_look(n.end[HERE], &v);
    CHECK(v.sent->stats.packets < 20);
    net_end(&n);
}

/* A small one of a better priority is not behind the large ones. */
static void priorities_go_first(void)
{
    struct net n;
    static uint8_t bytes[2000000];
    size_t len;
    bool over;

    net_begin(&n, "cubic", &plain, &plain);
    n.read_nothing = true;
    CHECK(flow_open(n.end[HERE], 5) == 0 && flow_open(n.end[HERE], 1) == 2);
    CHECK(flow_write(n.end[HERE], 0, bytes, sizeof bytes) == sizeof bytes);
    run(&n, SECOND / 5);
    CHECK(flow_write(n.end[HERE], 2, "now", 3) == 3);
    run(&n, SECOND / 5);
    CHECK(flow_read(n.end[THERE], 2, &len, &over) && len == 3);
    net_end(&n);
}

static void a_reader_that_sleeps_holds_the_writer_back(void)
{
    struct net n;
    static uint8_t bytes[4000000];
    size_t len;
    bool over;

    net_begin(&n, "cubic", &plain, &plain);
    n.read_nothing = true;
    CHECK(flow_open(n.end[HERE], 0) == 0);
    CHECK(flow_write(n.end[HERE], 0, bytes, sizeof bytes) == sizeof bytes);
    run(&n, 20 * SECOND);
    CHECK(flow_read(n.end[THERE], 0, &len, &over) && len <= SINK_WINDOW_FIRST);
    struct flow_view v;
    flow_look(n.end[HERE], &v);
    CHECK(v.sent->stats.bytes - v.sent->stats.lost_bytes < SINK_WINDOW_FIRST * 11 / 10 &&
          !v.sent->eliciting);
    net_end(&n);
}

/* What all streams together may send is what was read, and the window. */
static void credit_is_for_what_was_read(void)
{
    struct net n;
    static uint8_t bytes[1000000];
    const struct link_config fast = { .rate_bps = 100000000, .delay_us = 1000 };
    uint64_t read = 0;
    size_t len;
    bool over;

    data_window = 2000000;
    net_begin(&n, "cubic", &fast, &fast);
    data_window = 0;
    n.read_nothing = true;
    for (uint64_t s = 0; s < 8; s += 2) {
        CHECK(flow_open(n.end[HERE], 0) == (int64_t)s);
        CHECK(flow_write(n.end[HERE], s, bytes, sizeof bytes) == sizeof bytes);
    }
    run(&n, SECOND);
    while (read < 250000 && flow_read(n.end[THERE], 0, &len, &over) && len) {
        flow_take(n.end[THERE], 0, len, n.now_us);
        read += len;
    }
    CHECK(read >= 250000);
    run(&n, SECOND);
    struct flow_view v;
    flow_look(n.end[HERE], &v);
    uint64_t sent = v.sent->stats.bytes - v.sent->stats.lost_bytes;
    CHECK(sent > read + 2000000 && sent < read + 2000000 * 11 / 10);
    net_end(&n);
}

static void giving_up(void)
{
    struct net n;
    static uint8_t bytes[500000];

    net_begin(&n, "reno", &plain, &plain);
    n.read_nothing = true;
    CHECK(flow_open(n.end[HERE], 0) == 0 && flow_open(n.end[HERE], 0) == 2);
    CHECK(flow_write(n.end[HERE], 0, bytes, sizeof bytes) == sizeof bytes);
    CHECK(flow_write(n.end[HERE], 2, bytes, sizeof bytes) == sizeof bytes);
    run(&n, SECOND / 10);
    CHECK(flow_reset(n.end[HERE], 0, 42) == 0);
    CHECK(flow_stop(n.end[THERE], 2, 43) == 0);
    run(&n, SECOND);
    CHECK(n.codes[THERE][FLOW_RESET] && n.codes[HERE][FLOW_STOPPED] == 44);
    CHECK(flow_write(n.end[HERE], 0, "x", 1) == -ROOST_INVALID);
    CHECK(flow_write(n.end[HERE], 2, "x", 1) == -ROOST_INVALID);
    run(&n, SECOND);
    CHECK(flow_is_quiet(n.end[HERE]));
    net_end(&n);
}

static void a_goodbye_is_heard(void)
{
    struct net n;

    net_begin(&n, "reno", &plain, &plain);
    CHECK(flow_open(n.end[HERE], 0) == 0);
    CHECK(flow_write(n.end[HERE], 0, "x", 1) == 1);
    flow_close(n.end[HERE], FLOW_WHY_APP + 1, "that was all");
    run(&n, SECOND);
    CHECK(n.codes[HERE][FLOW_CLOSED] == FLOW_WHY_APP + 2);
    CHECK(n.codes[THERE][FLOW_CLOSED] == FLOW_WHY_APP + 2);
    CHECK(flow_open(n.end[THERE], 0) == -ROOST_CLOSED);
    CHECK(flow_deadline_us(n.end[THERE], n.now_us) == INT64_MAX);
    net_end(&n);
}

static void an_outage_is_survived(void)
{
    struct net n;
    uint64_t before;

    net_begin(&n, "cubic", &plain, &plain);
    CHECK(flow_open(n.end[HERE], 0) == 0);
    static uint8_t bytes[3000000];
    for (size_t k = 0; k < sizeof bytes; k++)
        bytes[k] = byte_at(0, k);
    CHECK(flow_write(n.end[HERE], 0, bytes, sizeof bytes) == sizeof bytes);
    run(&n, SECOND);
    before = n.got[THERE];
    for (int i = 0; i < 2; i++)
        link_set_down(&n.link[i], true, n.now_us);
    run(&n, 3 * SECOND);
    CHECK(n.got[THERE] - before < 100000);
    for (int i = 0; i < 2; i++)
        link_set_down(&n.link[i], false, n.now_us);
    run(&n, 20 * SECOND);
    CHECK(n.got[THERE] == sizeof bytes);
    net_end(&n);
}

static void what_is_damaged_is_lost(void)
{
    struct net n;
    struct flow_view v;

    net_begin(&n, "reno", &plain, &plain);
    CHECK(flow_open(n.end[HERE], 0) == 0);
    n.forge = 1;
    send_all(&n, HERE, 0, 3000);
    flow_look(n.end[THERE], &v);
    CHECK(v.bad_in == 1 && n.got[THERE] == 3000);
    net_end(&n);
}

TEST_MAIN({ "a_question_and_its_answer", a_question_and_its_answer },
          { "much_over_links_of_all_kinds", much_over_links_of_all_kinds },
          { "many_streams_share", many_streams_share },
          { "many_small_ones_share_a_packet", many_small_ones_share_a_packet },
          { "priorities_go_first", priorities_go_first },
          { "a_reader_that_sleeps_holds_the_writer_back",
            a_reader_that_sleeps_holds_the_writer_back },
          { "credit_is_for_what_was_read", credit_is_for_what_was_read },
          { "giving_up", giving_up }, { "a_goodbye_is_heard", a_goodbye_is_heard },
          { "an_outage_is_survived", an_outage_is_survived },
          { "what_is_damaged_is_lost", what_is_damaged_is_lost })
