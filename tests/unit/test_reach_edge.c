/* Two ends on this machine, with real sockets and a real worker between them: they find each
 * other, straight or by the relay, and what is sent arrives. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/reach_edge.h"
#include "lab/spec.h"
#include "net/sleep.h"
#include "net/udp.h"
#include "server/workers.h"
#include "test.h"

enum { SENT = 3000000, PATIENCE_MS = 8000 };

struct stage {
    uv_loop_t loop;
    struct workers *workers;
    struct reach_edge *edge[2]; /* 0 calls */
    enum reach_edge_what last[2];
    enum reach_way way[2];
    unsigned found[2], signals;
    uint64_t read, wrote;
};

static void on_frames(void *ctx, uint64_t conn, struct blob *bytes, bool soon)
{
    (void)soon;
    (void)ctx, (void)conn;
    blob_unref(bytes);
}

static void on_over(void *ctx, uint64_t conn)
{
    (void)ctx, (void)conn;
}

static void on_taken(void *ctx)
{
    (void)ctx;
}

static uint16_t free_port(void)
{
    struct udp_settings s = { 0 };
    union address at;
    struct udp *u = NULL;

    CHECK(address_parse(&s.at, "127.0.0.1:0", false) == 0 && udp_open(&u, &s) == 0);
    CHECK(udp_where(u, &at) == 0);
    udp_close(u);
    return ntohs(at.v4.sin_port);
}

static void relay_begin(struct stage *s, bool passes)
{
    struct workers_settings settings = { .listen = "127.0.0.1",
                                         .port = free_port(),
                                         .must = true,
                                         .n = 2,
                                         .on_frames = on_frames,
                                         .on_over = on_over,
                                         .on_taken = on_taken,
                                         .ctx = s };
    struct hub_datagrams d = { .what = DATAGRAMS_RELAY, .id = 7001, .passes = passes };

    CHECK(uv_loop_init(&s->loop) == 0);
    CHECK(workers_new(&s->workers, &s->loop, &settings) == 0);
    for (unsigned i = 0; i < sizeof d.secret; i++)
        d.secret[i] = (uint8_t)(i + 1);
    workers_put(s->workers, &d);
}

static void begin(struct stage *s, const struct reach_edge_settings *how)
{
    for (int i = 0; i < 2; i++) {
        struct reach_edge_settings settings = how[i];
        struct reach_relay relay = { .host = "127.0.0.1",
                                     .port = "1",
                                     .fingerprint = "",
                                     .number = 7001,
                                     .udp_port = workers_port(s->workers),
                                     .passes = true };
        for (unsigned k = 0; k < REACH_TOKEN; k++)
            relay.token[k] = (uint8_t)(i * REACH_TOKEN + k + 1);
        settings.caller = i == 0;
        settings.relay = &relay;
        CHECK(reach_edge_new(&s->edge[i], &settings, sleep_now_us()) == 0);
    }
}

static void end(struct stage *s)
{
    for (int i = 0; i < 2; i++)
        reach_edge_free(s->edge[i]);
    workers_stop(s->workers);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    workers_free(s->workers);
    CHECK(uv_loop_close(&s->loop) == 0);
}

static void pass_signals(struct stage *s, int from)
{
    uint8_t bytes[REACH_SIGNAL_MAX];
    int n;

    while ((n = reach_edge_next_signal(s->edge[from], bytes)) > 0) {
        reach_edge_on_signal(s->edge[!from], bytes, (size_t)n, sleep_now_us());
        s->signals++;
    }
}

static void stream(struct stage *s, int i)
{
    static uint8_t some[65536];
    struct flow *f = reach_edge_flow(s->edge[i]);
    struct flow_event e;
    size_t len;
    bool over;

    while (f && flow_event(f, &e))
        while (e.what == FLOW_READABLE && flow_read(f, e.stream, &len, &over) && len) {
            s->read += len;
            flow_take(f, e.stream, len, sleep_now_us());
        }
    if (!f || i == 0)
        return;
    if (!s->wrote)
        CHECK(flow_open(f, 1) == 1);
    for (int64_t n = 1; s->wrote < SENT && n > 0; s->wrote += (uint64_t)n) {
        n = flow_write(f, 1, some, SENT - s->wrote < sizeof some ? SENT - s->wrote : sizeof some);
        n = n > 0 ? n : 0;
    }
}

static void turn(struct stage *s)
{
    struct reach_edge_event e;
    struct pollfd fds[2];
    int64_t now_us = sleep_now_us(), due_us = now_us + 20000;

    for (int i = 0; i < 2; i++) {
        int64_t at_us = reach_edge_deadline_us(s->edge[i], now_us);
        due_us = at_us < due_us ? at_us : due_us;
        fds[i] = (struct pollfd){ .fd = reach_edge_fd(s->edge[i]), .events = POLLIN };
    }
    poll(fds, 2, due_us > now_us ? (int)((due_us - now_us + 999) / 1000) : 0);
    for (int i = 0; i < 2; i++) {
        reach_edge_process(s->edge[i], sleep_now_us());
        while (reach_edge_event(s->edge[i], &e)) {
            s->last[i] = e.what;
            s->way[i] = e.way;
            s->found[i] += e.what == REACH_EDGE_FOUND;
        }
        stream(s, i);
        reach_edge_process(s->edge[i], sleep_now_us());
        pass_signals(s, i);
    }
}

static void run(struct stage *s, uint64_t bytes)
{
    int64_t until_us = sleep_now_us() + PATIENCE_MS * 1000LL;

    while (sleep_now_us() < until_us && s->read < bytes)
        turn(s);
    CHECK(s->read == bytes);
}

static const uint8_t SEED[2][32] = { { 1 }, { 2 } };

static void straight(void)
{
    struct reach_edge_settings how[2] = { { .identity_seed = SEED[0] },
                                          { .identity_seed = SEED[1] } };
    struct stage s = { 0 };
    char words[2][REACH_WORDS_TEXT];

    relay_begin(&s, true);
    begin(&s, how);
    run(&s, SENT);
    for (int i = 0; i < 2; i++) {
        CHECK(s.found[i] == 1 && s.way[i] == REACH_WAY_LAN);
        CHECK(reach_edge_way(s.edge[i]) == REACH_WAY_LAN);
        CHECK(reach_edge_identity(s.edge[i]));
        reach_edge_words(s.edge[i], words[i]);
    }
    CHECK(words[0][0] && !strcmp(words[0], words[1]));
    CHECK(s.signals < 12);
    end(&s);
}

static void by_the_relay(void)
{
    struct reach_edge_settings how[2] = { { .phrase = "maple-orbit-tin", .no_direct = true },
                                          { .phrase = "maple-orbit-tin" } };
    struct workers_stats stats;
    struct stage s = { 0 };

    relay_begin(&s, true);
    begin(&s, how);
    run(&s, SENT);
    CHECK(s.way[0] == REACH_WAY_RELAY && s.way[1] == REACH_WAY_RELAY);
    workers_stats(s.workers, &stats);
    CHECK(stats.relays == 1 && stats.relayed_bytes > SENT);
    end(&s);
}

static void a_relay_that_only_tells(void)
{
    struct reach_edge_settings how[2] = { { .identity_seed = SEED[0], .no_direct = true },
                                          { .identity_seed = SEED[1] } };
    struct workers_stats stats;
    struct stage s = { 0 };

    relay_begin(&s, false);
    begin(&s, how);
    for (int k = 0; k < 80; k++)
        turn(&s);
    workers_stats(s.workers, &stats);
    CHECK(stats.relays == 1 && stats.relayed_bytes == 0 && !s.found[0] && !s.found[1]);
    end(&s);
}

static void who_guesses_is_told_and_no_more(void)
{
    struct reach_edge_settings how[2] = { { .phrase = "maple-orbit-tiny" },
                                          { .phrase = "maple-orbit-tin" } };
    struct stage s = { 0 };

    relay_begin(&s, true);
    begin(&s, how);
    for (int k = 0; k < 20; k++)
        turn(&s);
    CHECK(s.last[1] == REACH_EDGE_WRONG && !s.found[0] && !s.found[1]);
    CHECK(!reach_edge_flow(s.edge[1]) && !reach_edge_identity(s.edge[0]));
    end(&s);
}

static void over_a_modelled_link(void)
{
    struct reach_edge_settings how[2] = { { .identity_seed = SEED[0] },
                                          { .identity_seed = SEED[1] } };
    struct link_pair link = { 0 };
    char wrong[LINK_WRONG_MAX];
    struct stage s = { 0 };

    CHECK(link_spec(&link, "rate=50M delay=5ms loss=1%", wrong) == 0);
    how[1].link = &link;
    relay_begin(&s, true);
    begin(&s, how);
    run(&s, SENT);
    CHECK(s.way[0] == REACH_WAY_LAN);
    end(&s);
}

/* Whoever borrowed its flow has to know that it goes with the edge. */
static void what_is_lost_owns_its_flow(void)
{
    struct reach_edge_settings how[2] = { { .identity_seed = SEED[0] },
                                          { .identity_seed = SEED[1] } };
    struct reach_edge_event e;
    struct stage s = { 0 };

    relay_begin(&s, true);
    begin(&s, how);
    run(&s, SENT);
    struct flow *flow = reach_edge_flow(s.edge[1]);
    CHECK(flow && reach_edge_owns(s.edge[1], flow) && !reach_edge_owns(s.edge[0], flow));
    CHECK(!reach_edge_owns(s.edge[1], NULL));
    for (int64_t at_us = sleep_now_us(); reach_edge_flow(s.edge[1]); at_us += 1000000) {
        CHECK(at_us < sleep_now_us() + 100 * 1000000LL); /* silence has its end */
        reach_edge_process(s.edge[1], at_us);
        while (reach_edge_event(s.edge[1], &e))
            s.last[1] = e.what;
    }
    CHECK(s.last[1] == REACH_EDGE_LOST && reach_edge_owns(s.edge[1], flow));
    end(&s);
}

TEST_MAIN({ "straight", straight }, { "by_the_relay", by_the_relay },
          { "a_relay_that_only_tells", a_relay_that_only_tells },
          { "who_guesses_is_told_and_no_more", who_guesses_is_told_and_no_more },
          { "over_a_modelled_link", over_a_modelled_link },
          { "what_is_lost_owns_its_flow", what_is_lost_owns_its_flow })
