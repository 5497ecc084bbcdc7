/* main.c - roost-mumble: many people on a mumble-server. See mumble.h. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "mumble.h"

#define MS  1000000LL
#define SEC (1000 * MS)
/* Sockets are looked at so often, by the clock: a server on another machine would wake nobody up
 * either. */
#define LOOK_NS     (1 * MS)
#define PING_NS     (5 * SEC)
#define PATIENCE_NS (60 * SEC)

enum { PEOPLE_MAX = 2000, EVENTS = 512 };

static struct person *people;
static struct crowd crowd = {
    .people = 10, .speakers = 2, .frame_ms = 20, .bytes = 80, .seconds = 10
};

void give_up(const char *what, unsigned person)
{
    fprintf(stderr, "roost-mumble: person %u: %s\n", person + 1, what);
    exit(1);
}

int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SEC + t.tv_nsec;
}

static void nap(int64_t until)
{
    struct timespec t = { until / SEC, until % SEC };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

/* --- the loop --------------------------------------------------------------------------------- */

struct loop {
    int epoll;
    int64_t look_ns, ping_ns;
    unsigned next_ping; /* one after the other, not all at once */
    bool talks;
};

static void watch(const struct loop *l, int fd, uint64_t id)
{
    struct epoll_event e = { .events = EPOLLIN, .data.u64 = id };

    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e))
        give_up("too many sockets", (unsigned)(id / 2));
}

static void look(struct loop *l)
{
    struct epoll_event e[EVENTS];
    int n = epoll_wait(l->epoll, e, EVENTS, 0);

    for (int i = 0; i < n; i++) {
        struct person *p = &people[e[i].data.u64 / 2];
        if (e[i].data.u64 % 2)
            speech_hear(p, &crowd);
        else
            control_read(p);
    }
}

static void ping(struct loop *l, int64_t now)
{
    for (; l->ping_ns <= now; l->ping_ns += PING_NS / crowd.people) {
        struct person *p = &people[l->next_ping++ % crowd.people];
        if (!p->keys)
            continue;
        speech_ping(p);
        control_ping(p);
    }
}

/* Returns when the next of them speaks. */
static int64_t speak(int64_t now)
{
    int64_t next = INT64_MAX;

    for (unsigned i = 0; i < crowd.speakers; i++) {
        struct person *p = &people[i];
        if (p->say_ns <= now) {
            speech_say(p, &crowd);
            p->say_ns += crowd.frame_ms * MS;
        }
        next = p->say_ns < next ? p->say_ns : next;
    }
    return next;
}

static void run(struct loop *l, int64_t until)
{
    for (int64_t now; (now = now_ns()) < until;) {
        int64_t next = l->talks ? speak(now) : INT64_MAX;
        if (l->look_ns <= now) {
            look(l);
            l->look_ns = now + LOOK_NS;
        }
        ping(l, now);
        next = l->look_ns < next ? l->look_ns : next;
        nap(next < until ? next : until);
    }
}

/* --- what is done ------------------------------------------------------------------------------
 */

static bool all_are_in(void)
{
    for (unsigned i = 0; i < crowd.people; i++)
        if (!people[i].in || !people[i].mapped)
            return false;
    return true;
}

static void gather(struct loop *l)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int64_t patience = now_ns() + PATIENCE_NS + crowd.people * 100 * MS;

    if (!ctx || l->epoll < 0)
        give_up("nothing to begin with", 0);
    l->look_ns = l->ping_ns = now_ns();
    for (unsigned i = 0; i < crowd.people; i++) {
        struct person *p = &people[i];
        p->index = i;
        control_open(p, &crowd, ctx);
        watch(l, p->tcp, 2 * i);
        while (!p->in && now_ns() < patience)
            run(l, now_ns() + MS);
        speech_open(p, &crowd);
        watch(l, p->udp, 2 * i + 1);
        speech_ping(p);
    }
    while (!all_are_in()) {
        run(l, now_ns() + 100 * MS);
        for (unsigned i = 0; i < crowd.people; i++)
            if (!people[i].mapped && people[i].keys)
                speech_ping(&people[i]);
        if (now_ns() > patience)
            give_up("not all came in", 0);
    }
    SSL_CTX_free(ctx);
}

/* A while of talk that does not count, silence, and then what does: with nothing else on its way.
 */
static void count(struct loop *l)
{
    for (int i = 0; i < 2; i++) {
        int64_t now = now_ns();
        for (unsigned k = 0; k < crowd.speakers; k++) /* out of phase */
            people[k].say_ns = now + k * crowd.frame_ms * MS / (crowd.speakers + 1);
        if (i)
            fprintf(stderr, "%u people are in, %u speak\n", crowd.people, crowd.speakers);
        crowd.counts = l->talks = i;
        l->talks = true;
        run(l, now + (i ? crowd.seconds * SEC : 2 * SEC));
        l->talks = false;
        run(l, now_ns() + SEC / 2);
    }
}

static void report(void)
{
    uint64_t due = crowd.sent * (crowd.people - 1);
    const struct histogram *h = &crowd.delays;

    printf("{\"people\": %u, \"speakers\": %u, \"seconds\": %u, \"sent\": %" PRIu64
           ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"strange\": %" PRIu64
           ", \"delay_us\": {\"p50\": %.0f, \"p99\": %.0f, \"p999\": %.0f}}\n",
           crowd.people, crowd.speakers, crowd.seconds, crowd.sent, crowd.received,
           due > crowd.received ? due - crowd.received : 0, crowd.damaged,
           histogram_ms(h, 0.5) * 1000, histogram_ms(h, 0.99) * 1000,
           histogram_ms(h, 0.999) * 1000);
}

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end || end == text || !n || n > most) {
        fprintf(stderr, "roost-mumble: a number that cannot be: %s\n", text);
        exit(2);
    }
    return (unsigned)n;
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", 1, NULL, 'p' },     { "people", 1, NULL, 'n' }, { "speakers", 1, NULL, 'k' },
        { "frame-ms", 1, NULL, 'f' }, { "bytes", 1, NULL, 'b' },  { "seconds", 1, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
        switch (opt) {
        case 'p':
            crowd.port = number(optarg, 65535);
            break;
        case 'n':
            crowd.people = number(optarg, PEOPLE_MAX);
            break;
        case 'k':
            crowd.speakers = number(optarg, PEOPLE_MAX);
            break;
        case 'f':
            crowd.frame_ms = number(optarg, 60);
            break;
        case 'b':
            crowd.bytes = number(optarg, FRAME_MAX);
            break;
        case 's':
            crowd.seconds = number(optarg, 100000);
            break;
        default:
            exit(2);
        }
    if (!crowd.port || crowd.speakers > crowd.people || crowd.bytes < sizeof(int64_t)) {
        fputs("usage: roost-mumble --port P --people N --speakers K [--frame-ms 20] [--bytes 80] "
              "[--seconds 10]\n",
              stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct loop l = { .epoll = epoll_create1(0) };
    struct rlimit most;

    parse(argc, argv);
    if (!getrlimit(RLIMIT_NOFILE, &most)) { /* two sockets each */
        most.rlim_cur = most.rlim_max;
        setrlimit(RLIMIT_NOFILE, &most);
    }
    prctl(PR_SET_TIMERSLACK, 1);
    people = calloc(crowd.people, sizeof *people);
    if (!people)
        give_up("out of memory", 0);
    histogram_init(&crowd.delays);
    gather(&l);
    count(&l);
    report();
    return 0;
}
