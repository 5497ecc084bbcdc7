/* chat.c - the phases of a run: connect, settle, lines at a rate, lines flat out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "process.h"

enum { POLL_EVENTS = 16 }; /* between two looks at what is due to be sent */

static bool too_late(const struct load *l)
{
    return l->now_ns >= l->deadline_ns;
}

/* xorshift64*: the senders' phases are the same for every server of a round. */
static uint64_t draw(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1dULL;
}

/* The first connection alone (it makes the room), then AT_ONCE at a time; one
 * that shares an account comes after the one that signs it up. */
static bool may_start(const struct load *l)
{
    uint32_t i = l->started;
    if (i >= l->opt.conns || i - l->ready >= AT_ONCE || (i && !l->conns[0].ready))
        return false;
    return i < l->opt.accounts || l->conns[i - l->opt.accounts].ready;
}

void load_connect_all(struct load *l)
{
    int64_t keep_at = 0;
    while (l->ready < l->opt.conns) {
        while (may_start(l))
            conn_start(l, l->started);
        load_poll(l, clock_ns() + SEC_NS / 10, 256);
        if (l->now_ns > keep_at) {
            load_keep(l);
            keep_at = l->now_ns + SEC_NS;
        }
        if (too_late(l))
            die("cut off: %u of %u connections were set up", l->ready, l->opt.conns);
    }
}

void load_settle(struct load *l, int64_t ns)
{
    int64_t end = clock_ns() + ns;
    do {
        load_poll(l, end, 256);
        load_keep(l);
    } while (l->now_ns < end && !too_late(l));
}

/* One line, and how often it comes: with or without its sender. */
void find_fanout(struct load *l)
{
    uint64_t before = l->delivered;
    line_say(l, &l->conns[0]);
    load_settle(l, SEC_NS);
    l->fanout = (uint32_t)(l->delivered - before);
    if (l->fanout != l->opt.conns && l->fanout != l->opt.conns - 1)
        die("a line arrived %u times, with %u members", l->fanout, l->opt.conns);
    l->complete = 1;
}

/* What is read at both ends of a measurement. */
struct marks {
    int64_t at_ns;
    uint64_t delivered, lines, refused;
    double server, own, machine;
};

static struct marks mark(const struct load *l)
{
    return (struct marks){ .at_ns = clock_ns(),
                           .delivered = l->delivered,
                           .lines = l->lines,
                           .refused = l->refused,
                           .server = process_cpu(l->opt.pid),
                           .own = process_cpu(getpid()),
                           .machine = machine_cpu() };
}

static void summarise(struct load *l, const struct marks *a, const struct marks *b,
                      struct phase_result *r)
{
    double s = (double)(b->at_ns - a->at_ns) / 1e9;
    r->seconds = s;
    r->deliveries = b->delivered - a->delivered;
    r->lines = b->lines - a->lines;
    r->refused = l->refused - a->refused;
    r->deliveries_s = (double)r->deliveries / s;
    r->server_us = r->deliveries ? (b->server - a->server) * 1e6 / (double)r->deliveries : 0;
    r->server_cpu = (b->server - a->server) / s;
    r->load_cpu = (b->own - a->own) / s;
    r->others_cpu = (b->machine - a->machine) / s - r->server_cpu - r->load_cpu;
    r->p50_ms = histogram_ms(&l->latency, 0.5);
    r->p99_ms = histogram_ms(&l->latency, 0.99);
    r->max_ms = (double)l->latency.max_ns / 1e6;
    r->late_p99_ms = histogram_ms(&l->lateness, 0.99);
    r->cut = too_late(l);
}

static void start_timing(struct load *l)
{
    histogram_init(&l->latency);
    histogram_init(&l->lateness);
    l->timing = true;
    l->from_ns = clock_ns();
}

/* Until all has arrived, or nothing more comes; what then lacks is missing. */
static void drain(struct load *l, struct phase_result *r)
{
    int64_t quiet_at = clock_ns();
    uint64_t delivered = l->delivered;
    while (l->delivered < l->lines * l->fanout && clock_ns() - quiet_at < 3 * SEC_NS &&
           !too_late(l)) {
        load_poll(l, clock_ns() + SEC_NS / 10, 256);
        if (l->delivered != delivered) {
            delivered = l->delivered;
            quiet_at = clock_ns();
        }
    }
    uint64_t all = l->lines * l->fanout;
    r->missing = all > l->delivered ? all - l->delivered : 0;
}

static uint32_t *shuffled(uint32_t n, uint64_t *seed)
{
    uint32_t *who = calloc(n, sizeof *who);
    if (!who)
        die("out of memory");
    for (uint32_t i = 0; i < n; i++)
        who[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = (uint32_t)(draw(seed) % (i + 1)), t = who[i];
        who[i] = who[j];
        who[j] = t;
    }
    return who;
}

/* Every member speaks once in each period, at a random moment of its own slot of
 * it: out of phase, and yet the rate is exact. */
struct timetable {
    uint32_t n;
    uint32_t *who;
    int64_t *phase_ns;
    int64_t period_ns, start_ns;
};

static void timetable_init(struct timetable *t, const struct load *l)
{
    uint64_t seed = l->opt.seed;
    t->n = l->opt.conns;
    t->period_ns = (int64_t)(1e9 * t->n * l->fanout / l->opt.rate);
    t->who = shuffled(t->n, &seed);
    t->phase_ns = calloc(t->n, sizeof *t->phase_ns);
    if (!t->phase_ns)
        die("out of memory");
    int64_t slot = t->period_ns / t->n;
    for (uint32_t i = 0; i < t->n; i++)
        t->phase_ns[i] = i * slot + (int64_t)(draw(&seed) % (uint64_t)slot);
    t->start_ns = clock_ns();
}

static void timetable_fini(struct timetable *t)
{
    free(t->who);
    free(t->phase_ns);
}

static int64_t due_at(const struct timetable *t, uint64_t k)
{
    return t->start_ns + (int64_t)(k / t->n) * t->period_ns + t->phase_ns[k % t->n];
}

static void send_due(struct load *l, const struct timetable *t, uint64_t *k)
{
    int64_t due;
    while ((due = due_at(t, *k)) <= l->now_ns) {
        struct conn *c = &l->conns[t->who[*k % t->n]];
        if (l->timing)
            histogram_add(&l->lateness, l->now_ns - due);
        ++*k;
        if (!c->dead)
            line_say(l, c);
    }
}

static void offer_until(struct load *l, const struct timetable *t, uint64_t *k, int64_t end)
{
    while (l->now_ns < end && !too_late(l)) {
        int64_t due = due_at(t, *k);
        load_poll(l, due < end ? due : end, POLL_EVENTS);
        send_due(l, t, k);
    }
}

void run_offered(struct load *l, struct phase_result *ret)
{
    struct timetable t;
    uint64_t k = 0;
    timetable_init(&t, l);
    l->now_ns = clock_ns();
    offer_until(l, &t, &k, l->now_ns + (int64_t)(l->opt.warm_seconds * 1e9));
    start_timing(l);
    struct marks a = mark(l);
    offer_until(l, &t, &k, a.at_ns + (int64_t)(l->opt.seconds * 1e9));
    struct marks b = mark(l);
    drain(l, ret); /* the slowest lines are part of the latencies */
    l->timing = false;
    summarise(l, &a, &b, ret);
    timetable_fini(&t);
}

static void push_until(struct load *l, uint32_t window, const uint32_t *who, uint64_t *k,
                       int64_t end)
{
    while (l->now_ns < end && !too_late(l)) {
        while (l->lines - l->complete < window) {
            struct conn *c = &l->conns[who[(*k)++ % l->opt.conns]];
            if (l->dead == l->opt.conns)
                return;
            if (!c->dead)
                line_say(l, c);
        }
        load_poll(l, end, POLL_EVENTS);
    }
}

void run_flat(struct load *l, uint32_t window, struct phase_result *ret)
{
    uint64_t k = 0, seed = l->opt.seed;
    uint32_t *who = shuffled(l->opt.conns, &seed);
    l->complete = l->lines; /* what an earlier phase lost is not in flight */
    l->now_ns = clock_ns();
    push_until(l, window, who, &k, l->now_ns + (int64_t)(l->opt.warm_seconds * 1e9));
    start_timing(l);
    struct marks a = mark(l);
    push_until(l, window, who, &k, a.at_ns + (int64_t)(l->opt.flat_seconds * 1e9));
    struct marks b = mark(l);
    drain(l, ret);
    l->timing = false;
    summarise(l, &a, &b, ret);
    free(who);
}
