/* calc ping */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"

enum { PING_EVERY_MS = 250 };
#define WAY_PATIENCE_US  (5 * 1000000LL)
#define PONG_PATIENCE_US (4 * 1000000LL)

CLI_RUN(cmd_calc)
{
    char *expression = cmd_join(a->words, a->n_words);
    struct roost_event e;
    int status = expression ? cli_call(c, roost_calc(c->r, expression), &e) : CLI_REFUSED;

    if (!status && c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "answer");
        json_str(&j, "expression", expression);
        json_str(&j, "text", e.reply.text);
        json_end(&j);
        cli_flush(c);
    } else if (!status) {
        cli_say(c, "%s", e.reply.text);
    }
    free(expression);
    return status;
}

int cmd_ping_count(struct cli *c, const struct cli_args *a, unsigned long long *ret_count)
{
    *ret_count = 4;
    if (args_has(a, "count") && !args_number(args_value(a, "count"), 1, 1000, ret_count))
        return cli_usage(c, "--count takes a number from 1 to 1000", "for example --count 10");
    return CLI_OK;
}

void cmd_pong(struct cli *c, uint64_t n, int64_t took_us)
{
    struct json j;

    if (!c->json) {
        cli_say(c, "%s answered in %.3f ms", roost_server(c->r), (double)took_us / 1000);
        return;
    }
    json_begin(&j, &c->out);
    json_str(&j, "event", "pong");
    json_u64(&j, "n", n);
    json_str(&j, "server", roost_server(c->r));
    json_fixed(&j, "ms", (double)took_us / 1000);
    json_end(&j);
    cli_flush(c);
}

/* --- the way of datagrams --- */

static const char *way_name(enum roost_way way)
{
    static const char *const names[] = { "none", "udp", "tunnel" };

    return names[way];
}

/* Until there is a way, or it is known that there will be none. */
static void wait_for_way(struct cli *c)
{
    struct roost_path p;
    struct roost_event e;
    int64_t until_us = cli_now_us() + WAY_PATIENCE_US;

    do {
        roost_path_get(c->r, &p);
        if (p.way != ROOST_WAY_NONE || p.refused)
            return;
        if (roost_wait(c->r, (until_us - cli_now_us()) / 1000 + 1) < 0)
            return;
        while (roost_next(c->r, &e))
            continue;
    } while (cli_now_us() < until_us);
}

/* How long the way itself takes; below 0: it did not answer. */
static int64_t ping_way(struct cli *c, enum roost_way *ret_way)
{
    struct roost_event e;
    int64_t number = roost_path_ping(c->r), until_us = cli_now_us() + PONG_PATIENCE_US;

    *ret_way = ROOST_WAY_NONE;
    while (number > 0 && cli_now_us() < until_us) {
        if (roost_wait(c->r, (until_us - cli_now_us()) / 1000 + 1) < 0)
            return -1;
        while (roost_next(c->r, &e))
            if (e.kind == ROOST_PONG && e.request == number) {
                *ret_way = e.pong.way;
                return e.pong.took_us;
            }
    }
    return -1;
}

static void show_pong_text(struct cli *c, int64_t took_us, enum roost_way way, int64_t way_us)
{
    char control[64] = "", path[64] = "";

    if (took_us >= 0)
        snprintf(control, sizeof control, " in %.3f ms", (double)took_us / 1000);
    if (way != ROOST_WAY_NONE && way_us >= 0)
        snprintf(path, sizeof path, "%s by %s in %.3f ms", *control ? "," : "", way_name(way),
                 (double)way_us / 1000);
    else if (way != ROOST_WAY_NONE)
        snprintf(path, sizeof path, "%s by %s not at all", *control ? "," : "", way_name(way));
    cli_say(c, "%s %s%s%s", roost_server(c->r),
            took_us < 0 && way_us < 0 ? "was asked" : "answered", control, path);
}

static void show_pong(struct cli *c, uint64_t n, int64_t took_us, enum roost_way way,
                      int64_t way_us)
{
    struct json j;

    if (!c->json) {
        show_pong_text(c, took_us, way, way_us);
        return;
    }
    json_begin(&j, &c->out);
    json_str(&j, "event", "pong");
    json_u64(&j, "n", n);
    json_str(&j, "server", roost_server(c->r));
    if (took_us >= 0)
        json_fixed(&j, "ms", (double)took_us / 1000);
    json_str(&j, "way", way_name(way));
    if (way != ROOST_WAY_NONE && way_us >= 0)
        json_fixed(&j, "way_ms", (double)way_us / 1000);
    json_end(&j);
    cli_flush(c);
}

static void address_of(const struct roost_path *p, char *ret, size_t cap)
{
    char ip[INET6_ADDRSTRLEN] = "";

    *ret = 0;
    if (!p->observed_len)
        return;
    inet_ntop(p->observed_len == 4 ? AF_INET : AF_INET6, p->observed, ip, sizeof ip);
    snprintf(ret, cap, p->observed_len == 4 ? "%s:%u" : "[%s]:%u", ip, p->observed_port);
}

static void show_path(struct cli *c)
{
    struct roost_path p;
    struct json j;
    char at[64];

    roost_path_get(c->r, &p);
    address_of(&p, at, sizeof at);
    double mean = p.answered ? (double)p.sum_us / (double)p.answered / 1000 : 0;
    if (c->json) {
        json_begin(&j, &c->out);
        json_str(&j, "event", "path");
        json_str(&j, "way", way_name(p.way));
        json_u64(&j, "asked", p.asked);
        json_u64(&j, "lost", p.asked - p.answered);
        json_fixed(&j, "least_ms", (double)p.least_us / 1000);
        json_fixed(&j, "mean_ms", mean);
        json_fixed(&j, "most_ms", (double)p.most_us / 1000);
        json_u64(&j, "changes", p.changes);
        json_u64(&j, "datagram_bytes", p.mtu);
        json_str(&j, "address", at);
        json_end(&j);
        cli_flush(c);
    } else if (p.way == ROOST_WAY_NONE) {
        cli_say(c, "datagrams: %s", p.refused ? "this server has none" : "no way was found");
    } else {
        cli_say(c, "datagrams: by %s%s, %llu asked, %llu lost, %.3f/%.3f/%.3f ms%s%s",
                way_name(p.way), p.way == ROOST_WAY_TUNNEL ? " (UDP is blocked)" : "",
                (unsigned long long)p.asked, (unsigned long long)(p.asked - p.answered),
                (double)p.least_us / 1000, mean, (double)p.most_us / 1000, *at ? ", seen at " : "",
                at);
    }
}

/* Datagrams need a session. */
static bool has_session(struct cli *c)
{
    return *roost_user(c->r) != 0;
}

CLI_RUN(cmd_ping)
{
    unsigned long long n, every_ms = PING_EVERY_MS;
    int status = cmd_ping_count(c, a, &n);
    bool datagrams = false;

    if (!status && args_has(a, "interval") &&
        !args_number(args_value(a, "interval"), 1, 60000, &every_ms))
        status = cli_usage(c, "--interval takes milliseconds from 1 to 60000", "for example 250");
    for (unsigned long long i = 1; i <= n && !status; i++) {
        struct roost_event e;
        enum roost_way way = ROOST_WAY_NONE;
        bool alone = datagrams && args_has(a, "datagrams");
        int64_t before = cli_now_us();
        if (!alone)
            status = cli_call(c, roost_ping(c->r), &e);
        int64_t took_us = alone ? -1 : cli_now_us() - before;
        if (!status && !datagrams && has_session(c)) {
            datagrams = !roost_datagrams(c->r, true);
            wait_for_way(c);
        }
        if (status)
            break;
        int64_t way_us = datagrams ? ping_way(c, &way) : -1;
        if (alone && way == ROOST_WAY_NONE) /* control knows why */
            status = cli_call(c, roost_ping(c->r), &e);
        if (status)
            break;
        show_pong(c, i, took_us, way, way_us);
        if (i < n)
            cli_pause_ms(c, (int64_t)every_ms);
    }
    if (!status && datagrams)
        show_path(c);
    return status;
}
