/* test_workers.c - who is due next, what goes between threads, and workers with real sockets. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/err.h"
#include "lab/dice.h"
#include "net/carry.h"
#include "net/sleep.h"
#include "server/due.h"
#include "server/passage.h"
#include "server/workers.h"
#include "test.h"

/* --- deadlines --- */

static void the_earliest_is_first(void)
{
    enum { N = 300 };
    static struct due all[N];
    struct dues d = { 0 };
    struct dice dice = { 7 };

    memset(all, 0, sizeof all);
    for (int round = 0; round < 20000; round++) {
        struct due *x = &all[dice_below(&dice, N)];
        if (dice_below(&dice, 3) == 0) {
            dues_remove(&d, x);
            CHECK(!x->place);
        } else {
            CHECK(dues_reserve(&d) == 0);
            dues_set(&d, x, (int64_t)dice_below(&dice, 1000));
        }
        int64_t least = INT64_MAX;
        size_t n = 0;
        for (int i = 0; i < N; i++) {
            n += all[i].place > 0;
            least = all[i].place && all[i].at_us < least ? all[i].at_us : least;
        }
        struct due *first = dues_first(&d);
        CHECK(d.n == n && (first ? first->at_us == least : n == 0));
    }
    dues_fini(&d);
}

/* --- between threads --- */

static void give(void *passage)
{
    for (uintptr_t i = 1; i <= 100000; i++)
        while (!passage_put(passage, (void *)i))
            ;
}

static void a_passage_keeps_the_order(void)
{
    struct passage p;
    uv_thread_t thread;

    CHECK(passage_init(&p, 8) == 0);
    CHECK(!passage_take(&p));
    for (uintptr_t i = 1; i <= 8; i++)
        CHECK(passage_put(&p, (void *)i));
    CHECK(!passage_put(&p, &p)); /* it is full */
    for (uintptr_t i = 1; i <= 8; i++)
        CHECK(passage_take(&p) == (void *)i);
    CHECK(uv_thread_create(&thread, give, &p) == 0);
    for (uintptr_t i = 1; i <= 100000; i++) {
        void *thing;
        while (!(thing = passage_take(&p)))
            ;
        CHECK(thing == (void *)i);
    }
    uv_thread_join(&thread);
    passage_fini(&p);
}

/* --- workers --- */

enum { SESSIONS = 8, WORKERS = 4, PATIENCE_MS = 2000 };

struct stage {
    uv_loop_t loop;
    struct workers *workers;
    uint64_t over; /* a tunnel that was ended */
    int taken;
    struct blob *frames;
};

static void on_frames(void *ctx, uint64_t conn, struct blob *bytes, bool soon)
{
    struct stage *s = ctx;

    (void)soon;
    CHECK(conn == 77);
    blob_unref(s->frames);
    s->frames = bytes;
}

static void on_over(void *ctx, uint64_t conn)
{
    ((struct stage *)ctx)->over = conn;
}

static void on_taken(void *ctx)
{
    ((struct stage *)ctx)->taken++;
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

static void stage_begin(struct stage *s, bool unsteered)
{
    struct workers_settings settings = { .listen = "127.0.0.1",
                                         .port = free_port(),
                                         .must = true,
                                         .unsteered = unsteered,
                                         .n = WORKERS,
                                         .on_frames = on_frames,
                                         .on_over = on_over,
                                         .on_taken = on_taken,
                                         .ctx = s };

    *s = (struct stage){ 0 };
    CHECK(uv_loop_init(&s->loop) == 0);
    CHECK(workers_new(&s->workers, &s->loop, &settings) == 0);
    CHECK(workers_port(s->workers) == settings.port && workers_n(s->workers) == WORKERS);
}

static void stage_end(struct stage *s)
{
    workers_stop(s->workers);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    workers_free(s->workers);
    blob_unref(s->frames);
    CHECK(uv_loop_close(&s->loop) == 0);
}

struct client {
    struct flow *flow;
    struct udp *udp;
    struct carry carry;
    uint64_t token, closed, stopped;
};

static void tell(struct stage *s, int what, uint32_t id, uint8_t key)
{
    struct hub_datagrams d = { .id = id, .conn = 77 };

    d.what = what;
    memset(d.secret, key, sizeof d.secret);
    workers_put(s->workers, &d);
    CHECK(!d.secret[0]); /* it was wiped */
}

static void client_begin(struct client *c, const struct stage *s, uint32_t id, uint8_t key)
{
    uint8_t secret[32];
    struct udp_settings u = { 0 };
    union address to;
    const struct flow_settings settings = {
        .client = true, .session = id, .secret = secret, .seed = secret, .keeps = true
    };

    memset(secret, key, sizeof secret);
    *c = (struct client){ 0 };
    CHECK(address_parse(&u.at, "127.0.0.1:0", false) == 0 && udp_open(&c->udp, &u) == 0);
    CHECK(address_parse(&to, "127.0.0.1:1", false) == 0);
    to.v4.sin_port = htons(workers_port(s->workers));
    CHECK(flow_new(&c->flow, &settings, sleep_now_us()) == 0);
    CHECK(carry_init(&c->carry, c->udp, c->flow, &to) == 0);
}

static void client_end(struct client *c)
{
    flow_free(c->flow);
    carry_fini(&c->carry);
    udp_close(c->udp);
}

static void client_turn(struct client *c)
{
    struct flow_event e;
    struct udp_in in;

    while (udp_receive(c->udp, &in) > 0)
        carry_hear(&c->carry, &in, sleep_now_us());
    flow_expire(c->flow, sleep_now_us());
    while (flow_event(c->flow, &e)) {
        c->token = e.what == FLOW_BACK ? e.code : c->token;
        c->closed += e.what == FLOW_CLOSED;
        c->stopped += e.what == FLOW_STOPPED;
    }
    carry_out(&c->carry, sleep_now_us());
}

static bool all_answered(struct client *all, uint64_t token)
{
    for (int i = 0; i < SESSIONS; i++)
        if (all[i].token != token)
            return false;
    return true;
}

static void run(struct client *all, int n, int ms)
{
    for (int k = 0; k < ms; k++) {
        for (int i = 0; i < n; i++)
            client_turn(&all[i]);
        poll(NULL, 0, 1);
    }
}

/* Each session is answered, whichever worker has it; ids as the hub draws them. */
static void sessions_are_found(bool unsteered)
{
    static struct client all[SESSIONS];
    struct workers_stats stats;
    struct stage s;

    stage_begin(&s, unsteered);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        tell(&s, DATAGRAMS_OPEN, 1000 + i, (uint8_t)(i + 1));
        client_begin(&all[i], &s, 1000 + i, (uint8_t)(i + 1));
    }
    for (uint64_t token = 1; token <= 5; token++) {
        for (int i = 0; i < SESSIONS; i++)
            CHECK(flow_ask(all[i].flow, token) == 0);
        for (int k = 0; k < PATIENCE_MS && !all_answered(all, token); k++)
            run(all, SESSIONS, 1);
        CHECK(all_answered(all, token));
    }
    workers_stats(s.workers, &stats);
    CHECK(stats.sessions == SESSIONS && stats.in >= 5 * SESSIONS && stats.forged == 0);
    CHECK(stats.unproven_out <= 3 * stats.unproven_in && stats.unproven_out > 0);
    CHECK(unsteered ? stats.handed_over > 0 : stats.handed_over == 0);
    tell(&s, DATAGRAMS_CLOSE, 1000, 0);
    for (int k = 0; k < PATIENCE_MS && !all[0].closed; k++)
        run(all, SESSIONS, 1);
    CHECK(all[0].closed == 1 && !all[1].closed);
    stage_end(&s); /* says goodbye to the others */
    run(all, SESSIONS, 5);
    for (int i = 0; i < SESSIONS; i++) {
        CHECK(all[i].closed == 1);
        client_end(&all[i]);
    }
}

static void the_kernel_steers(void)
{
    sessions_are_found(false);
}

static void without_it_packets_are_handed_over(void)
{
    sessions_are_found(true);
}

static void the_wrong_key_opens_nothing(void)
{
    struct client c;
    struct workers_stats stats = { 0 };
    struct stage s;

    stage_begin(&s, false);
    tell(&s, DATAGRAMS_OPEN, 5, 1);
    client_begin(&c, &s, 5, 2);
    CHECK(flow_ask(c.flow, 9) == 0);
    for (int k = 0; k < PATIENCE_MS && !stats.forged; k++) {
        run(&c, 1, 1);
        workers_stats(s.workers, &stats);
    }
    CHECK(stats.forged > 0 && stats.out == 0 && c.token == 0);
    client_end(&c);
    client_begin(&c, &s, 6, 2); /* nobody's */
    CHECK(flow_ask(c.flow, 9) == 0);
    for (int k = 0; k < PATIENCE_MS && !stats.strangers; k++) {
        run(&c, 1, 1);
        workers_stats(s.workers, &stats);
    }
    CHECK(stats.strangers > 0 && stats.out == 0);
    client_end(&c);
    stage_end(&s);
}

static void wait_for(struct stage *s, bool over)
{
    for (int k = 0; k < PATIENCE_MS && !(over ? s->over > 0 : s->frames != NULL); k++) {
        uv_run(&s->loop, UV_RUN_NOWAIT);
        poll(NULL, 0, 1);
    }
}

/* Nobody here takes streams: who opens some is told so, as often as it likes. */
static void streams_are_refused(void)
{
    static uint8_t bytes[100000];
    struct workers_stats stats;
    struct client c;
    struct stage s;

    stage_begin(&s, false);
    tell(&s, DATAGRAMS_OPEN, 5, 1);
    client_begin(&c, &s, 5, 1);
    for (uint64_t i = 1; i <= 600; i++) { /* more than may be open at once */
        int64_t id = -1;
        for (int k = 0; k < PATIENCE_MS && (id = flow_open(c.flow, 0)) < 0; k++)
            run(&c, 1, 1);
        CHECK(id >= 0);
        flow_write(c.flow, (uint64_t)id, bytes, i % 100 ? 10 : sizeof bytes);
    }
    for (int k = 0; k < PATIENCE_MS && c.stopped < 600; k++)
        run(&c, 1, 1);
    workers_stats(s.workers, &stats);
    CHECK(c.stopped == 600 && !c.closed && stats.sessions == 1);
    client_end(&c);
    stage_end(&s);
}

static void a_tunnel_is_carried(void)
{
    struct stage s;
    /* two messages in one word: nothing that matters, and a question */
    static const uint8_t ask[] = { 0,          0, 0, 1, DGRAM_PING, 0, 0, 0, 9,
                                   DGRAM_PATH, 1, 2, 3, 4,          5, 6, 7, 8 };

    stage_begin(&s, false);
    tell(&s, DATAGRAMS_OPEN, 5, 1);
    tell(&s, DATAGRAMS_TUNNEL, 5, 0);
    struct gate *gate = gate_new();
    struct blob *b = blob_copy(ask, sizeof ask);
    CHECK(gate && b && workers_frames(s.workers, 5, 77, gate, b));
    gate_drop(gate); /* its word holds it */
    wait_for(&s, false);
    CHECK(s.frames);
    CHECK(s.frames->len == 4 + 9 && s.frames->bytes[3] == 9);
    CHECK(s.frames->bytes[4] == DGRAM_PATH_BACK && !memcmp(s.frames->bytes + 5, ask + 10, 8));
    tell(&s, DATAGRAMS_CLOSE, 5, 0); /* and its connection with it */
    wait_for(&s, true);
    CHECK(s.over == 77);
    s.over = 0;
    tell(&s, DATAGRAMS_TUNNEL, 6, 0); /* there is no such session */
    wait_for(&s, true);
    CHECK(s.over == 77);
    stage_end(&s);
}

/* Words for many tunnels at once, more than the passage has room for: none is lost, and who waits
 * is told. */
static void gates_open_again(void)
{
    enum { TUNNELS = 3000 };
    static struct gate *gates[TUNNELS];
    struct stage s;
    bool shut = true;

    stage_begin(&s, false);
    for (int i = 0; i < TUNNELS; i++) {
        CHECK((gates[i] = gate_new()) && !gate_is_shut(gates[i]));
        for (int k = 0; k < GATE_WORDS_MAX; k++) {
            struct blob *b = blob_copy("", 1);
            CHECK(b && workers_frames(s.workers, 8, 77, gates[i], b));
        }
    }
    for (int k = 0; k < PATIENCE_MS && shut; k++) {
        int before = s.taken;
        workers_await(s.workers);
        shut = false;
        for (int i = 0; i < TUNNELS; i++)
            shut = shut || gate_is_shut(gates[i]);
        for (int j = 0; j < PATIENCE_MS && shut && s.taken == before; j++)
            if (!uv_run(&s.loop, UV_RUN_NOWAIT) || s.taken == before)
                poll(NULL, 0, 1);
        CHECK(!shut || s.taken > before);
    }
    for (int i = 0; i < TUNNELS; i++) {
        CHECK(!gate_is_shut(gates[i]));
        gate_drop(gates[i]);
    }
    stage_end(&s);
}

static void a_gate_is_shut_behind_so_many(void)
{
    struct gate *g = gate_new();

    CHECK(g != NULL);
    for (int i = 0; i < GATE_WORDS_MAX; i++) {
        CHECK(!gate_is_shut(g));
        gate_hold(g);
    }
    CHECK(gate_is_shut(g));
    gate_drop(g);
    CHECK(!gate_is_shut(g));
    for (int i = 0; i < GATE_WORDS_MAX; i++)
        gate_drop(g);
}

static void a_port_that_is_taken(void)
{
    uv_loop_t loop;
    struct udp_settings u = { 0 };
    union address at;
    struct udp *taken = NULL;
    struct workers *w;

    CHECK(uv_loop_init(&loop) == 0);
    CHECK(address_parse(&u.at, "127.0.0.1:0", false) == 0 && udp_open(&taken, &u) == 0);
    CHECK(udp_where(taken, &at) == 0);
    struct workers_settings settings = {
        .listen = "127.0.0.1", .port = ntohs(at.v4.sin_port), .must = true, .n = 1
    };
    CHECK(workers_new(&w, &loop, &settings) < 0);
    settings.must = false; /* it is done without */
    CHECK(workers_new(&w, &loop, &settings) == 0 && workers_port(w) == 0);
    workers_stop(w);
    uv_run(&loop, UV_RUN_DEFAULT);
    workers_free(w);
    udp_close(taken);
    CHECK(uv_loop_close(&loop) == 0);
}

static unsigned count_files(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* The limit under which so many more can be opened: what we were started with may leave gaps. */
static rlim_t room_for(unsigned more)
{
    rlim_t limit = 0;

    for (unsigned free = 0; free < more || fcntl((int)limit, F_GETFD) >= 0; limit++)
        free += fcntl((int)limit, F_GETFD) < 0;
    return limit;
}

/* With too few file descriptors nothing begins, and nothing hangs when it is to end: a worker that
 * cannot sleep would never hear of it. */
static void who_cannot_sleep_does_not_begin(void)
{
    struct workers_settings settings = { .n = 2 };
    struct rlimit before, few;
    struct workers *w;
    uv_loop_t loop;
    unsigned wanted = 4; /* for each: what wakes it up, and what it sleeps with */

    CHECK(uv_loop_init(&loop) == 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    unsigned idle = count_files(), refused = 0;
    for (unsigned more = 0; more < 12; more++) {
        few = (struct rlimit){ .rlim_cur = room_for(more), .rlim_max = before.rlim_max };
        CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
        int err = workers_new(&w, &loop, &settings);
        if (!err) {
            CHECK(count_files() >= idle + wanted);
            workers_stop(w);
            uv_run(&loop, UV_RUN_DEFAULT);
            workers_free(w);
        }
        refused += err < 0;
        CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    }
    CHECK(refused >= wanted && refused < 12 && count_files() == idle);
    CHECK(uv_loop_close(&loop) == 0);
}

TEST_MAIN({ "the_earliest_is_first", the_earliest_is_first },
          { "a_passage_keeps_the_order", a_passage_keeps_the_order },
          { "the_kernel_steers", the_kernel_steers },
          { "without_it_packets_are_handed_over", without_it_packets_are_handed_over },
          { "the_wrong_key_opens_nothing", the_wrong_key_opens_nothing },
          { "streams_are_refused", streams_are_refused },
          { "a_tunnel_is_carried", a_tunnel_is_carried },
          { "a_gate_is_shut_behind_so_many", a_gate_is_shut_behind_so_many },
          { "gates_open_again", gates_open_again },
          { "a_port_that_is_taken", a_port_that_is_taken },
          { "who_cannot_sleep_does_not_begin", who_cannot_sleep_does_not_begin })
