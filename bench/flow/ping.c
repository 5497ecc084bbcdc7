/* ping.c - how long a datagram takes there and back while others send. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "flow.h"

/* PINGS_MAX: more than two hours of one each 50 ms. What has not come back LATE_MS after the
 * last went out is lost. */
enum { PINGS_MAX = 1 << 18, LATE_MS = 3000 };

struct ping {
    uint64_t n;
    int64_t sent_ns;
};

static int socket_at(const char *port)
{
    struct sockaddr_in at = flow_address(NULL, port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at))
        flow_die("a socket for pings");
    return fd;
}

int ping_answer(const char *port)
{
    int fd = socket_at(port);
    struct sockaddr_in from;
    struct ping p;

    printf("{\"ready\": true}\n");
    fflush(stdout);
    while (!flow_over) {
        socklen_t len = sizeof from;
        struct pollfd one = { .fd = fd, .events = POLLIN };
        if (poll(&one, 1, 200) > 0 &&
            recvfrom(fd, &p, sizeof p, 0, (struct sockaddr *)&from, &len) == sizeof p)
            sendto(fd, &p, sizeof p, 0, (struct sockaddr *)&from, len);
    }
    return 0;
}

/* Waits for answers until a moment. */
static void listen_until(int fd, int64_t until_ns, int32_t *took_us, uint64_t sent, uint64_t *got)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };

    for (int64_t left; (left = until_ns - flow_now_ns()) > 0;) {
        struct ping p;
        struct timespec t = { left / 1000000000, left % 1000000000 };
        if (ppoll(&one, 1, &t, NULL) <= 0 || recv(fd, &p, sizeof p, 0) != sizeof p)
            continue;
        if (p.n < sent && took_us[p.n] < 0) {
            took_us[p.n] = (int32_t)((flow_now_ns() - p.sent_ns) / 1000);
            ++*got;
        }
    }
}

int ping_ask(const char *ip, const char *port, int64_t every_ms)
{
    static int32_t took_us[PINGS_MAX];
    static int64_t at_ns[PINGS_MAX];
    struct sockaddr_in to = flow_address(ip, port);
    int fd = socket_at("0");
    uint64_t sent = 0, got = 0;
    int64_t next = flow_now_ns();

    while (!flow_over && sent < PINGS_MAX) {
        struct ping p = { sent, flow_now_ns() };
        at_ns[sent] = p.sent_ns;
        took_us[sent++] = -1;
        sendto(fd, &p, sizeof p, 0, (struct sockaddr *)&to, sizeof to);
        next += every_ms * 1000000;
        listen_until(fd, next, took_us, sent, &got);
        if (sent == 1) {
            printf("{\"ready\": true}\n");
            fflush(stdout);
        }
    }
    for (int64_t end = flow_now_ns() + LATE_MS * (int64_t)1000000;
         got < sent && flow_now_ns() < end;)
        listen_until(fd, flow_now_ns() + 20000000, took_us, sent, &got);
    printf("{\"pings\": [");
    for (uint64_t i = 0; i < sent; i++)
        printf("%s[%" PRId64 ", %d]", i ? ", " : "", at_ns[i], took_us[i]);
    printf("]}\n");
    return 0;
}
