/* lab link: a link that one can bend, between programs or between network namespaces */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/bend.h"
#include "cli/cmd.h"
#include "cli/json.h"

/* LINE_MAX_BYTES: of the prompt. PORT_TRIES: a free port that both protocols have. GRAIN_US: on a
 * fast link turns are not closer than that; to wake up for each packet of 900 Mbit/s would take
 * a whole processor, and both ends need some of it. */
enum { LINE_MAX_BYTES = 1024, PORT_TRIES = 32, ADDRESS_BYTES = 64, GRAIN_US = 60 };

struct prompt {
    struct cli *c;
    struct bend *bend;
    int signals;
    bool over, asks; /* asks: somebody sits there */
    int stdin_flags;
    size_t n;
    char line[LINE_MAX_BYTES];
    bool crowd_told;
    int64_t every_us, next_us; /* counters by themselves */
    int64_t began_us;
};

/* --- what it says --- */

static void tell_link(struct prompt *p, const char *event)
{
    char up[LINK_TEXT_MAX], down[LINK_TEXT_MAX];
    const struct link_pair *pair = &p->bend->pair;
    struct json j;

    link_config_text(&pair->up, up);
    link_config_text(&pair->down, down);
    if (p->c->json) {
        json_begin(&j, &p->c->out);
        json_str(&j, "event", event);
        json_str(&j, "up", up);
        json_str(&j, "down", down);
        json_bool(&j, "cut", p->bend->down);
        json_end(&j);
    } else {
        buf_printf(&p->c->out, "up    %s\ndown  %s\n", up, down);
        if (p->bend->down)
            buf_puts(&p->c->out, "cut: nothing passes\n");
    }
}

static void count_json(struct json *j, const char *key, const struct link_counts *n,
                       uint64_t waiting)
{
    json_open(j, key, '{');
    json_u64(j, "pushed", n->pushed);
    json_u64(j, "pushed_bytes", n->pushed_bytes);
    json_u64(j, "arrived", n->arrived);
    json_u64(j, "arrived_bytes", n->arrived_bytes);
    json_u64(j, "lost", n->lost);
    json_u64(j, "policed", n->policed);
    json_u64(j, "dropped", n->dropped);
    json_u64(j, "early", n->early);
    json_u64(j, "cut", n->cut);
    json_u64(j, "duplicated", n->duplicated);
    json_u64(j, "corrupted", n->corrupted);
    json_u64(j, "reordered", n->reordered);
    json_u64(j, "queue_bytes", waiting);
    json_u64(j, "queue_most_bytes", n->queue_most_bytes);
    json_u64(j, "journeys", n->journeys);
    json_u64(j, "took_us", n->took_us);
    json_u64(j, "apart_us", n->apart_us);
    json_close(j, '}');
}

static void count_text(struct cli *c, const char *way, const struct link_counts *n,
                       uint64_t waiting)
{
    buf_printf(&c->out,
               "%-5s %llu of %llu packets arrived, %llu of %llu bytes; lost %llu, queue full %llu, "
               "early %llu, policed %llu, cut %llu, twice %llu, damaged %llu, late %llu; "
               "queue %llu bytes, at most %llu\n",
               way, (unsigned long long)n->arrived, (unsigned long long)n->pushed,
               (unsigned long long)n->arrived_bytes, (unsigned long long)n->pushed_bytes,
               (unsigned long long)n->lost, (unsigned long long)n->dropped,
               (unsigned long long)n->early, (unsigned long long)n->policed,
               (unsigned long long)n->cut, (unsigned long long)n->duplicated,
               (unsigned long long)n->corrupted, (unsigned long long)n->reordered,
               (unsigned long long)waiting, (unsigned long long)n->queue_most_bytes);
}

static void tell_counts(struct prompt *p)
{
    static const char *const ways[] = { "up", "down" };
    int64_t now = sleep_now_us();
    struct json j;

    if (p->c->json) {
        json_begin(&j, &p->c->out);
        json_str(&j, "event", "counters");
        json_fixed(&j, "seconds", (double)(now - p->began_us) / 1e6);
        json_u64(&j, "flows", bend_udp_flows(p->bend) + bend_tcp_flows(p->bend));
        json_u64(&j, "unsent", p->bend->unsent);
        json_u64(&j, "crowded", p->bend->crowded);
    }
    for (int way = 0; way < 2; way++) {
        uint64_t waiting;
        struct link_counts n = bend_counts(p->bend, way, now, &waiting);
        if (p->c->json)
            count_json(&j, ways[way], &n, waiting);
        else
            count_text(p->c, ways[way], &n, waiting);
    }
    if (p->c->json)
        json_end(&j);
    else if (p->bend->unsent)
        buf_printf(&p->c->out, "%llu arrived where nobody took them\n",
                   (unsigned long long)p->bend->unsent);
    if (!p->c->json && p->bend->crowded)
        buf_printf(&p->c->out, "%llu programs came when all places were taken\n",
                   (unsigned long long)p->bend->crowded);
}

/* Once: the counters say how often. */
static void tell_crowd(struct prompt *p)
{
    struct json j;

    if (!p->bend->crowded || p->crowd_told)
        return;
    p->crowd_told = true;
    if (!p->c->json) {
        fprintf(stderr,
                "roost: more than 256 programs: of those that send datagrams who was silent "
                "longest has to go, connections are refused\n");
        return;
    }
    json_begin(&j, &p->c->out);
    json_str(&j, "event", "crowded");
    json_u64(&j, "places", 256);
    json_end(&j);
    cli_flush(p->c);
}

/* --- what it is told --- */

static const char help[] =
    "rate=5M loss=2% …  bend it; up.rate=5M or down.wifi: one way only\n"
    "lan wifi wan lossy sat bloat shallow policed mobile: a link by its name\n"
    "show      how it is bent\n"
    "counters  what happened to the packets\n"
    "cut, mend  nothing passes; it passes again\n"
    "quit      end\n";

static void obey(struct prompt *p, char *line)
{
    static const char blanks[] = " \t\r";
    struct link_pair pair = p->bend->pair;
    char wrong[LINK_WRONG_MAX];
    size_t len = strlen(line += strspn(line, blanks));

    while (len && strchr(blanks, line[len - 1]))
        line[--len] = 0;
    if (!*line)
        return;
    if (!strcmp(line, "quit")) {
        p->over = true;
    } else if (!strcmp(line, "show")) {
        tell_link(p, "bent");
    } else if (!strcmp(line, "counters")) {
        tell_counts(p);
    } else if (!strcmp(line, "help")) {
        buf_puts(&p->c->out, help);
        cmd_flush_help(p->c);
    } else if (!strcmp(line, "cut") || !strcmp(line, "mend")) {
        bend_set_down(p->bend, *line == 'c', sleep_now_us());
        tell_link(p, "bent");
    } else if (link_spec(&pair, line, wrong) < 0) {
        cli_fail(p->c, CLI_USAGE, wrong, "\"help\" lists what can be said here");
    } else {
        bend_set(p->bend, &pair);
        tell_link(p, "bent");
    }
}

static void ask(struct prompt *p)
{
    if (p->asks && !p->over)
        buf_puts(&p->c->out, "link> ");
    cli_flush(p->c);
}

static void on_stdin(struct prompt *p)
{
    ssize_t n = read(STDIN_FILENO, p->line + p->n, sizeof p->line - 1 - p->n);
    char *at = p->line, *end;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* it goes on; a signal ends it */
        sleep_remove(&p->bend->sleep, STDIN_FILENO);
        p->over |= p->asks;
        return;
    }
    p->n += (size_t)n;
    p->line[p->n] = 0;
    while (!p->over && (end = strchr(at, '\n'))) {
        *end = 0;
        obey(p, at);
        at = end + 1;
    }
    p->n -= (size_t)(at - p->line);
    memmove(p->line, at, p->n);
    if (p->n == sizeof p->line - 1)
        p->n = 0; /* no such long line means anything */
    ask(p);
}

/* A pipe or a terminal; a file is not to be waited for, and is not asked. */
static void watch_stdin(struct prompt *p)
{
    p->asks = !p->c->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (sleep_add(&p->bend->sleep, STDIN_FILENO, SLEEP_READ, bend_id(BEND_STDIN, 0)) == 0)
        ask(p);
}

/* --- the loop --- */

static int watch_signals(struct prompt *p)
{
    p->signals = sleep_add_signals(&p->bend->sleep, bend_id(BEND_SIGNAL, 0));
    return p->signals < 0 ? p->signals : 0;
}

static void tell_regularly(struct prompt *p, int64_t now_us)
{
    if (!p->every_us || now_us < p->next_us)
        return;
    tell_counts(p);
    cli_flush(p->c);
    p->next_us = now_us + p->every_us;
}

/* A link does not wait for its turn on a processor: what it did late would look like a full
 * queue. Where that is not allowed it goes on as it is. */
static void hurry(void)
{
    struct sched_param first = { .sched_priority = 1 };

    sched_setscheduler(0, SCHED_RR, &first);
}

static void nap(int64_t last_us)
{
    int64_t left_us = last_us + GRAIN_US - sleep_now_us();
    struct timespec t = { 0, left_us * 1000 };

    if (left_us > 0)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static int run(struct prompt *p)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];

    int64_t last_us = 0;

    while (!p->over) {
        nap(last_us);
        last_us = sleep_now_us();
        int64_t until = bend_deadline_us(p->bend, last_us);
        if (p->every_us && p->next_us < until)
            until = p->next_us;
        int n = sleep_until(&p->bend->sleep, until, ready);
        if (n < 0)
            return n;
        int64_t now = sleep_now_us();
        for (int i = 0; i < n; i++) {
            if (ready[i].id == bend_id(BEND_SIGNAL, 0))
                p->over = true;
            else if (ready[i].id == bend_id(BEND_STDIN, 0))
                on_stdin(p);
            else
                bend_on_ready(p->bend, &ready[i], now);
        }
        bend_deliver(p->bend, now);
        tell_crowd(p);
        tell_regularly(p, now);
    }
    return 0;
}

/* --- the command line --- */

/* "A,B" cut in two, in the buffer. */
static bool cut(const char *text, char *buf, size_t size, const char *ret[2])
{
    const char *comma = strchr(text, ',');
    size_t len = strlen(text);

    if (!comma || comma == text || !comma[1] || strchr(comma + 1, ',') || len >= size)
        return false;
    memcpy(buf, text, len + 1);
    buf[comma - text] = 0;
    ret[0] = buf;
    ret[1] = buf + (comma - text) + 1;
    return true;
}

static int open_tun(struct prompt *p, const struct cli_args *a, char *wrong)
{
    char spaces[LINE_MAX_BYTES], addresses[ADDRESS_BYTES];
    const char *at = args_value(a, "addresses"), *space[2], *address[2];
    struct json j;

    if (!cut(args_value(a, "between"), spaces, sizeof spaces, space))
        return cli_usage(p->c, "--between takes two network namespaces", "--between left,right");
    if (!strcmp(space[0], space[1])) /* what is sent from one to the other would not come by */
        return cli_usage(p->c, "--between takes two different network namespaces",
                         "--between left,right");
    if (!cut(at ? at : "10.77.0.1,10.77.0.2", addresses, sizeof addresses, address))
        return cli_usage(p->c, "--addresses takes two IPv4 addresses",
                         "--addresses 10.77.0.1,10.77.0.2");
    if (bend_tun_open(p->bend, space, address, wrong) < 0)
        return cli_fail(p->c, CLI_REFUSED, wrong, "this needs root; `ip netns add` makes them");
    if (p->c->json) {
        json_begin(&j, &p->c->out);
        json_str(&j, "event", "ready");
        json_str(&j, "first", address[0]);
        json_str(&j, "second", address[1]);
        json_end(&j);
    } else {
        buf_printf(&p->c->out, "%s in %s <-> %s in %s\n", address[0], space[0], address[1],
                   space[1]);
    }
    return 0;
}

/* Both protocols at one port; when it is ours to choose, one that is free in both. */
static int open_both(struct bend *b, const char *only, union address *listen,
                     const union address *to, char *wrong)
{
    bool free_choice = !listen->v4.sin_port; /* stands at the same place in both families */
    int err = 0;

    for (int i = 0; i < PORT_TRIES; i++) {
        union address at = *listen;
        err = only && !strcmp(only, "tcp") ? 0 : bend_udp_open(b, &at, to, wrong);
        if (!err && !(only && !strcmp(only, "udp")))
            err = bend_tcp_open(b, &at, to, wrong);
        if (!err || !free_choice || only) {
            *listen = at;
            return err;
        }
        bend_udp_close(b);
        bend_tcp_close(b);
    }
    return err;
}

/* What came would come again, for ever. */
static bool leads_to_itself(const union address *listen, const union address *to)
{
    static const char *const everywhere[][2] = { { "0.0.0.0:0", "127.0.0.1:0" },
                                                 { "[::]:0", "127.0.0.1:0" },
                                                 { "[::]:0", "[::1]:0" } };
    union address from = *listen, toward = *to, any, here;

    if (address_equal(listen, to))
        return true;
    from.v4.sin_port = toward.v4.sin_port = 0; /* at the same place in both kinds */
    if (listen->v4.sin_port != to->v4.sin_port)
        return false;
    for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++)
        if (!address_parse(&any, everywhere[i][0], false) &&
            !address_parse(&here, everywhere[i][1], false) && address_equal(&from, &any) &&
            address_equal(&toward, &here))
            return true;
    return false;
}

static int open_proxy(struct prompt *p, const struct cli_args *a, char *wrong)
{
    const char *only = args_value(a, "only");
    union address listen, to;
    char at[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX];
    struct json j;

    if (only && strcmp(only, "udp") != 0 && strcmp(only, "tcp") != 0)
        return cli_usage(p->c, "--only is udp or tcp", "without it both are carried");
    if (address_parse(&listen, args_value(a, "listen"), true) < 0)
        return cli_usage(p->c, "--listen takes an address and a port", "--listen 127.0.0.1:6000");
    if (!args_has(a, "to") || address_parse(&to, args_value(a, "to"), true) < 0)
        return cli_usage(p->c, "--to takes the address and port that are bent toward",
                         "--to 127.0.0.1:5001");
    if (leads_to_itself(&listen, &to))
        return cli_usage(p->c, "--to is where --listen is", "what came would come again, for ever");
    if (open_both(p->bend, only, &listen, &to, wrong) < 0)
        return cli_fail(p->c, CLI_REFUSED, wrong, "choose another --listen");
    address_text(&listen, at);
    address_text(&to, target);
    if (p->c->json) {
        json_begin(&j, &p->c->out);
        json_str(&j, "event", "ready");
        json_str(&j, "listen", at);
        json_str(&j, "to", target);
        json_end(&j);
    } else {
        buf_printf(&p->c->out, "%s at %s <-> %s\n", only ? only : "udp and tcp", at, target);
    }
    return 0;
}

static int read_options(struct prompt *p, const struct cli_args *a, struct link_pair *pair,
                        uint64_t *ret_seed)
{
    const char *seed = args_value(a, "seed"), *every = args_value(a, "every");
    const char *spec = args_value(a, "link");
    unsigned long long n = 0;
    char wrong[LINK_WRONG_MAX];

    if (link_spec(pair, spec ? spec : "", wrong) < 0)
        return cli_usage(p->c, wrong, "roost lab link --help explains the words");
    if (seed && !args_number(seed, 0, UINT64_MAX, &n))
        return cli_usage(p->c, "--seed takes a number", "--seed 7");
    *ret_seed = n;
    if (!seed && getrandom(ret_seed, sizeof *ret_seed, 0) < 0)
        *ret_seed = (uint64_t)cli_now_us();
    n = 0;
    if (every && !args_number(every, 1, 1000000, &n))
        return cli_usage(p->c, "--every takes milliseconds", "--every 1000");
    p->every_us = (int64_t)n * 1000;
    if (args_has(a, "between") == args_has(a, "listen"))
        return cli_usage(p->c, "one of --listen and --between says where the link is",
                         "roost lab link --listen 127.0.0.1:6000 --to 127.0.0.1:5001");
    return 0;
}

static int start(struct prompt *p, const struct cli_args *a)
{
    char wrong[BEND_WRONG_MAX] = "";
    int status = args_has(a, "between") ? open_tun(p, a, wrong) : open_proxy(p, a, wrong);

    if (status)
        return status;
    if (watch_signals(p) < 0)
        return cli_fail(p->c, CLI_REFUSED, strerror(errno), NULL);
    p->began_us = sleep_now_us();
    p->next_us = p->began_us + p->every_us;
    tell_link(p, "bent");
    cli_flush(p->c);
    watch_stdin(p);
    hurry();
    int err = run(p);
    if (err < 0)
        status = cli_fail(p->c, CLI_REFUSED, strerror(errno), NULL);
    if (p->asks)
        buf_puts(&p->c->out, "\n");
    tell_counts(p);
    cli_flush(p->c);
    return status;
}

int cmd_lab_link(struct cli *c, const struct cli_args *a)
{
    struct prompt p = { .c = c, .signals = -1 };
    struct link_pair pair = { 0 };
    struct bend bend;
    uint64_t seed = 0;

    int status = read_options(&p, a, &pair, &seed);
    if (status)
        return status;
    if (bend_init(&bend, &pair, seed) < 0) {
        bend_fini(&bend);
        return cli_fail(c, CLI_REFUSED, strerror(errno), NULL);
    }
    p.bend = &bend;
    status = start(&p, a);
    if (p.signals >= 0)
        close(p.signals);
    bend_fini(&bend);
    return status;
}
