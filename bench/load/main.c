/* main.c - options in, one JSON object out. bench/run calls it; see bench/README.md. */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"
#include "disk.h"
#include "load.h"
#include "process.h"

static const char usage[] =
    "usage: roost-load chat  --proto irc|nats|roost --port N --pid PID [OPTION...]\n"
    "       roost-load idle  --proto irc|nats|roost --port N --pid PID [OPTION...]\n"
    "       roost-load ready --proto irc|nats|roost --port N\n"
    "       roost-load disk  --dir DIR [--seconds S]\n"
    "       roost-load bare  --core N [--conns N] [--rate R] [--seconds S]\n"
    "  --conns N          connections (100)\n"
    "  --accounts N       accounts that they share, Roost only (as many)\n"
    "  --rate R           deliveries offered a second (20000)\n"
    "  --seconds S        length of the measurement at that rate (5)\n"
    "  --flat-seconds S   length of each measurement flat out (3)\n"
    "  --warm-seconds S   before each measurement, not counted (1)\n"
    "  --windows N,...    lines in flight when flat out, a phase for each (16,64,256,1024)\n"
    "  --seed N           of the senders' moments (1)\n"
    "  --stamps           a line has arrived when the kernel says so, not when it is read\n"
    "  --limit S          the whole run is cut off after so long (120)\n";

static const struct proto *const protos[] = { &proto_irc, &proto_nats, &proto_roost };

static const struct proto *proto_named(const char *name)
{
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++)
        if (strcmp(protos[i]->name, name) == 0)
            return protos[i];
    die("no protocol is called %s", name);
}

struct args {
    struct options opt;
    const char *dir;
    unsigned core;
};

static const struct option names[] = {
    { "proto", required_argument, NULL, 'P' },
    { "port", required_argument, NULL, 'p' },
    { "pid", required_argument, NULL, 'i' },
    { "conns", required_argument, NULL, 'n' },
    { "accounts", required_argument, NULL, 'a' },
    { "rate", required_argument, NULL, 'r' },
    { "seconds", required_argument, NULL, 's' },
    { "flat-seconds", required_argument, NULL, 'f' },
    { "warm-seconds", required_argument, NULL, 'w' },
    { "windows", required_argument, NULL, 'W' },
    { "seed", required_argument, NULL, 'S' },
    { "stamps", no_argument, NULL, 't' },
    { "limit", required_argument, NULL, 'l' },
    { "dir", required_argument, NULL, 'd' },
    { "core", required_argument, NULL, 'c' },
    { 0 },
};

static void take_windows(struct options *o, const char *v)
{
    memset(o->windows, 0, sizeof o->windows);
    for (size_t i = 0; *v; i++) {
        char *end;
        unsigned long n = strtoul(v, &end, 10);
        if (i == WINDOWS_MAX || n < 1 || n > WINDOW_MAX || (*end && *end != ','))
            die("--windows are at most %d numbers from 1 to %d", WINDOWS_MAX, WINDOW_MAX);
        o->windows[i] = (uint32_t)n;
        v = *end ? end + 1 : end;
    }
}

static void take(struct args *a, int c, const char *v)
{
    struct options *o = &a->opt;
    switch (c) {
    case 'P':
        o->proto = proto_named(v);
        break;
    case 'p':
        o->port = atoi(v);
        break;
    case 'i':
        o->pid = atoi(v);
        break;
    case 'n':
        o->conns = (uint32_t)atoi(v);
        break;
    case 'a':
        o->accounts = (uint32_t)atoi(v);
        break;
    case 'r':
        o->rate = atof(v);
        break;
    case 's':
        o->seconds = atof(v);
        break;
    case 'f':
        o->flat_seconds = atof(v);
        break;
    case 'w':
        o->warm_seconds = atof(v);
        break;
    case 'W':
        take_windows(o, v);
        break;
    case 'S':
        o->seed = strtoull(v, NULL, 10);
        break;
    case 't':
        o->stamps = true;
        break;
    case 'l':
        o->limit_ns = (int64_t)(atof(v) * 1e9);
        break;
    case 'd':
        a->dir = v;
        break;
    case 'c':
        a->core = (unsigned)atoi(v);
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static void parse(struct args *a, int argc, char **argv)
{
    struct options *o = &a->opt;
    *a = (struct args){ .opt = { .conns = 100,
                                 .rate = 20000,
                                 .seconds = 5,
                                 .flat_seconds = 3,
                                 .warm_seconds = 1,
                                 .windows = { 16, 64, 256, 1024 },
                                 .seed = 1,
                                 .limit_ns = 120 * SEC_NS } };
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
        take(a, c, optarg);
    if (o->conns < 1 || o->rate <= 0 || o->seed == 0)
        die("--conns, --rate and --seed are above 0");
    if (o->accounts == 0 || o->accounts > o->conns)
        o->accounts = o->conns;
}

static struct load *load_new(const struct options *opt)
{
    struct load *l = calloc(1, sizeof *l);
    if (!l || getrandom(&l->id_base, sizeof l->id_base, 0) != sizeof l->id_base)
        die("cannot start");
    l->opt = *opt;
    l->now_ns = clock_ns();
    l->deadline_ns = l->now_ns + opt->limit_ns;
    load_open(l);
    return l;
}

static void print_phase(const char *name, const struct phase_result *r)
{
    printf(
        ", \"%s\": {\"seconds\": %.3f, \"deliveries\": %llu, \"lines\": %llu, \"refused\": %llu, "
        "\"missing\": %llu, \"deliveries_s\": %.1f, \"server_us\": %.4f",
        name, r->seconds, (unsigned long long)r->deliveries, (unsigned long long)r->lines,
        (unsigned long long)r->refused, (unsigned long long)r->missing, r->deliveries_s,
        r->server_us);
    printf(", \"server_cpu\": %.4f, \"load_cpu\": %.4f, \"others_cpu\": %.4f", r->server_cpu,
           r->load_cpu, r->others_cpu);
    printf(", \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f, \"late_p99_ms\": %.4f, "
           "\"cut\": %s}",
           r->p50_ms, r->p99_ms, r->max_ms, r->late_p99_ms, r->cut ? "true" : "false");
}

/* Connects all, and prints what they cost; leaves the object open. */
static void connect_and_weigh(struct load *l, double settle)
{
    struct process_memory before = process_memory(l->opt.pid);
    int64_t at = clock_ns();
    load_connect_all(l);
    double took = (double)(clock_ns() - at) / 1e9;
    load_settle(l, (int64_t)(settle * 1e9));
    struct process_memory after = process_memory(l->opt.pid);
    printf("{\"proto\": \"%s\", \"conns\": %u, \"connect_s\": %.3f", l->opt.proto->name,
           l->opt.conns, took);
    printf(", \"rss_before_kb\": %ld, \"rss_after_kb\": %ld, \"anon_before_kb\": %ld, "
           "\"anon_after_kb\": %ld, \"kb_a_conn\": %.3f",
           before.rss_kb, after.rss_kb, before.anon_kb, after.anon_kb,
           (double)(after.anon_kb - before.anon_kb) / l->opt.conns);
}

static int chat(const struct options *opt)
{
    struct phase_result r = { 0 };
    struct load *l = load_new(opt);
    l->opt.room = true;
    connect_and_weigh(l, 1);
    find_fanout(l);
    if (opt->seconds > 0) {
        run_offered(l, &r);
        print_phase("offered", &r);
    }
    for (int i = 0; opt->flat_seconds > 0 && i < WINDOWS_MAX && opt->windows[i]; i++) {
        char name[24];
        snprintf(name, sizeof name, "flat_%u", opt->windows[i]);
        run_flat(l, opt->windows[i], &r);
        print_phase(name, &r);
    }
    printf(", \"fanout\": %u, \"closed\": %u}\n", l->fanout, l->dead);
    load_close(l);
    free(l);
    return 0;
}

static int idle(const struct options *opt)
{
    struct load *l = load_new(opt);
    l->opt.keep_small = true;
    connect_and_weigh(l, opt->seconds);
    printf(", \"closed\": %u}\n", l->dead);
    load_close(l);
    free(l);
    return 0;
}

/* Waits until a connection is answered and prints when that was. */
static int ready(const struct options *opt)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)opt->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int64_t give_up = clock_ns() + opt->limit_ns;
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int refused = connect(fd, (struct sockaddr *)&a, sizeof a);
        close(fd);
        if (!refused)
            break;
        if (clock_ns() > give_up)
            die("nothing answers on port %d", opt->port);
        nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
    }
    struct load *l = load_new(opt);
    l->opt.greet_only = true;
    load_connect_all(l);
    printf("{\"at_ns\": %lld}\n", (long long)clock_ns());
    load_close(l);
    free(l);
    return 0;
}

static int disk(const struct args *a)
{
    static struct histogram h;
    if (!a->dir)
        die("--dir is missing");
    disk_measure(a->dir, a->opt.seconds, &h);
    printf("{\"appends\": %llu, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}\n",
           (unsigned long long)h.n, histogram_ms(&h, 0.5), histogram_ms(&h, 0.99),
           (double)h.max_ns / 1e6);
    return 0;
}

static int bare(const struct args *a)
{
    static struct bare_result r;
    struct bare b = { .conns = a->opt.conns,
                      .core = a->core,
                      .rate = a->opt.rate,
                      .seconds = a->opt.seconds,
                      .stamps = a->opt.stamps,
                      .seed = a->opt.seed };
    bare_measure(&b, &r);
    printf("{\"writes\": %llu, \"write_us\": %.4f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, "
           "\"max_ms\": %.4f}\n",
           (unsigned long long)r.latency.n, r.write_us, histogram_ms(&r.latency, 0.5),
           histogram_ms(&r.latency, 0.99), (double)r.latency.max_ns / 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    struct args a;
    if (argc < 2) {
        fputs(usage, stderr);
        return 2;
    }
    parse(&a, argc - 1, argv + 1);
    const char *what = argv[1];
    if (strcmp(what, "disk") == 0)
        return disk(&a);
    if (strcmp(what, "bare") == 0)
        return bare(&a);
    if (!a.opt.proto || !a.opt.port)
        die("--proto and --port are missing");
    if (strcmp(what, "ready") == 0) {
        a.opt.conns = a.opt.accounts = 1;
        return ready(&a.opt);
    }
    if (!a.opt.pid)
        die("--pid is missing");
    if (strcmp(what, "chat") == 0)
        return chat(&a.opt);
    if (strcmp(what, "idle") == 0)
        return idle(&a.opt);
    fputs(usage, stderr);
    return 2;
}
