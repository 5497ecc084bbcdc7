/* reacher.c - two ends and a relay between them, as programs of their own, for tests of real
 * networks.
 *
 *     reacher relay ADDRESS PORT        passes packets of one relay until its input ends
 *     reacher calls SOCKET ADDRESS PORT    an end; SOCKET is a path by which the two pass signals
 *     reacher answers SOCKET ADDRESS PORT  the other: it sends without end, and listens at SOCKET
 *
 * An end prints a line for each thing that happens, and each half second "bytes N" of what it has
 * read. It ends with its input.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "client/reach_edge.h"
#include "net/sleep.h"
#include "server/workers.h"

enum { NUMBER = 7000, RATE = 16000000 /* bits a second: it is a test of ways */ };
#define SHOW_US 500000

/* --- the relay ------------------------------------------------------------------------ */

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

static int relay(const char *address, uint16_t port)
{
    struct workers_settings s = { .listen = address,
                                  .port = port,
                                  .must = true,
                                  .n = 1,
                                  .on_frames = on_frames,
                                  .on_over = on_over,
                                  .on_taken = on_taken };
    struct hub_datagrams d = { .what = DATAGRAMS_RELAY, .id = NUMBER, .passes = true };
    struct workers *w;
    uv_loop_t loop;
    char byte;

    if (uv_loop_init(&loop) || workers_new(&w, &loop, &s))
        return 1;
    for (unsigned i = 0; i < sizeof d.secret; i++)
        d.secret[i] = (uint8_t)(i + 1);
    workers_put(w, &d);
    puts("ready");
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    workers_stop(w);
    uv_run(&loop, UV_RUN_DEFAULT);
    workers_free(w);
    return uv_loop_close(&loop);
}

/* --- an end ---------------------------------------------------------------------------- */

/* Each signal is one packet of the socket. */
static int meet(const char *path, bool calls)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), other = fd;

    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    if (!calls) {
        if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1))
            return -1;
        puts("ready");
        fflush(stdout);
        other = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        close(fd);
    } else if (connect(fd, (struct sockaddr *)&at, sizeof at)) {
        return -1;
    }
    return other;
}

static void pass_signals(struct reach_edge *e, int fd)
{
    uint8_t bytes[REACH_SIGNAL_MAX];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        reach_edge_on_signal(e, bytes, (size_t)n, sleep_now_us());
    while ((n = reach_edge_next_signal(e, bytes)) > 0)
        send(fd, bytes, (size_t)n, MSG_NOSIGNAL);
}

static void say(struct reach_edge *e)
{
    static const char *const words[] = { "known", "found", "path", "wrong", "lost" };
    struct reach_edge_event v;

    while (reach_edge_event(e, &v))
        printf("%s %s %lld\n", words[v.what], reach_way_text(v.way), (long long)v.took_us / 1000);
    fflush(stdout);
}

static uint64_t stream(struct flow *f, bool calls)
{
    static uint8_t some[65536];
    struct flow_event v;
    uint64_t came = 0;
    size_t len;
    bool over;

    while (f && flow_event(f, &v))
        while (v.what == FLOW_READABLE && flow_read(f, v.stream, &len, &over) && len) {
            came += len;
            flow_take(f, v.stream, len, sleep_now_us());
        }
    if (!f || calls)
        return came;
    if (flow_write(f, 1, some, 1) == -ROOST_INVALID && flow_open(f, 1) != 1)
        return came;
    while (flow_waiting(f, 1) < sizeof some && flow_write(f, 1, some, sizeof some) > 0)
        ;
    return came;
}

static int end(bool calls, const char *path, const char *address, uint16_t port)
{
    static const uint8_t seeds[2][32] = { { 1 }, { 2 } };
    struct reach_relay r = { .host = address,
                             .port = "1",
                             .fingerprint = "",
                             .number = NUMBER,
                             .udp_port = port,
                             .passes = true };
    struct reach_edge_settings s = { .caller = calls, .identity_seed = seeds[calls], .relay = &r };
    struct reach_edge *e;
    uint64_t bytes = 0;
    bool limited = false;
    int fd = meet(path, calls);

    for (unsigned i = 0; i < REACH_TOKEN; i++)
        r.token[i] = (uint8_t)(calls * REACH_TOKEN + i + 1);
    if (fd < 0 || reach_edge_new(&e, &s, sleep_now_us()))
        return 1;
    for (int64_t show_us = 0;;) {
        int64_t now_us = sleep_now_us(), due_us = reach_edge_deadline_us(e, now_us);
        int64_t wait_us = due_us < now_us + SHOW_US ? due_us - now_us : SHOW_US;
        struct pollfd fds[] = { { 0, POLLIN, 0 },
                                { fd, POLLIN, 0 },
                                { reach_edge_fd(e), POLLIN, 0 } };
        poll(fds, 3, wait_us > 0 ? (int)((wait_us + 999) / 1000) : 0);
        if (fds[0].revents)
            break;
        reach_edge_process(e, sleep_now_us());
        if (calls && !limited && (limited = reach_edge_flow(e) != NULL))
            flow_limit(reach_edge_flow(e), RATE);
        bytes += stream(reach_edge_flow(e), calls);
        reach_edge_process(e, sleep_now_us());
        pass_signals(e, fd);
        say(e);
        if (calls && sleep_now_us() >= show_us) {
            printf("bytes %llu\n", (unsigned long long)bytes);
            show_us = sleep_now_us() + SHOW_US;
        }
    }
    reach_edge_free(e);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "relay"))
        return relay(argv[2], (uint16_t)atoi(argv[3]));
    if (argc == 5)
        return end(!strcmp(argv[1], "calls"), argv[2], argv[3], (uint16_t)atoi(argv[4]));
    return 2;
}
