/* bare.c - a line to N connections by nothing but N writes, timed. */
#include "bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "process.h"
#include "stamp.h"

enum { EVENTS = 256 };

static int listening(struct sockaddr_in *a)
{
    socklen_t len = sizeof *a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0 || bind(fd, (struct sockaddr *)a, sizeof *a) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)a, &len))
        die("cannot listen: %s", strerror(errno));
    return fd;
}

static void connect_all(unsigned n, int *from, int *to)
{
    struct sockaddr_in a;
    int one = 1, door = listening(&a);
    for (unsigned i = 0; i < n; i++) {
        to[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (to[i] < 0 || (connect(to[i], (struct sockaddr *)&a, sizeof a) && errno != EINPROGRESS))
            die("cannot connect: %s", strerror(errno));
        from[i] = accept(door, NULL, NULL);
        if (from[i] < 0 || setsockopt(from[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
            die("cannot accept: %s", strerror(errno));
    }
    close(door);
}

static void sleep_until_ns(int64_t at)
{
    struct timespec t = { at / SEC_NS, at % SEC_NS };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* A line falls somewhere in each of the equal slots. A line that is due while the one
 * before is still written is as old as it was due. */
static void write_lines(const struct bare *b, const int *to)
{
    char line[LINE_BYTES] = { 0 };
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(b->core, &core);
    sched_setaffinity(0, sizeof core, &core);
    srand48((long)b->seed);
    int64_t slot = (int64_t)(1e9 * b->conns / b->rate), start = clock_ns();
    for (int64_t k = 0; k * slot < (int64_t)(b->seconds * 1e9); k++) {
        int64_t due = start + k * slot + (int64_t)(drand48() * (double)slot);
        sleep_until_ns(due);
        memcpy(line, &due, sizeof due);
        for (unsigned i = 0; i < b->conns; i++)
            if (write(to[i], line, sizeof line) != sizeof line)
                die("writing: %s", strerror(errno));
    }
    sleep_until_ns(clock_ns() + SEC_NS / 2);
}

static bool read_one(int fd, struct histogram *h)
{
    char in[LINE_BYTES * 64];
    int64_t arrived;
    ssize_t n = stamp_recv(fd, in, sizeof in, &arrived);
    for (ssize_t at = 0; at + LINE_BYTES <= n; at += LINE_BYTES) {
        int64_t due;
        memcpy(&due, in + at, sizeof due);
        histogram_add(h, arrived - due);
    }
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void read_all(const struct bare *b, const int *from, struct histogram *h)
{
    struct epoll_event e[EVENTS];
    int all = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < b->conns; i++) {
        struct epoll_event one = { .events = EPOLLIN, .data.fd = from[i] };
        if (b->stamps)
            stamp_on(from[i]);
        if (epoll_ctl(all, EPOLL_CTL_ADD, from[i], &one))
            die("epoll: %s", strerror(errno));
    }
    for (unsigned left = b->conns; left;) {
        int n = epoll_wait(all, e, EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (!read_one(e[i].data.fd, h)) {
                close(e[i].data.fd);
                left--;
            }
    }
    close(all);
}

void bare_measure(const struct bare *b, struct bare_result *ret)
{
    int *to = calloc(b->conns, sizeof *to), *from = calloc(b->conns, sizeof *from);
    int status;
    if (!to || !from)
        die("out of memory");
    connect_all(b->conns, to, from);
    histogram_init(&ret->latency);
    pid_t pid = fork();
    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (!pid) {
        write_lines(b, to);
        _exit(0);
    }
    for (unsigned i = 0; i < b->conns; i++)
        close(to[i]);
    read_all(b, from, &ret->latency);
    siginfo_t ended;
    waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT);
    ret->write_us = ret->latency.n ? process_cpu(pid) * 1e6 / (double)ret->latency.n : 0;
    if (waitpid(pid, &status, 0) < 0 || status)
        die("the process that writes failed");
    free(to);
    free(from);
}
