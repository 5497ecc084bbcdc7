/* main.c - roost-flow: which end one is. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "flow.h"

static const char usage[] = "usage: roost-flow tcp-receive PORT BYTES FILE\n"
                            "       roost-flow tcp-send IP PORT FILE CONGESTION-CONTROL\n"
                            "       roost-flow srt-receive PORT BYTES FILE\n"
                            "       roost-flow srt-send IP PORT FILE\n"
                            "       roost-flow answer PORT\n"
                            "       roost-flow ping IP PORT MILLISECONDS\n"
                            "BYTES 0: until the end; FILE -: without end, or nowhere\n";

volatile sig_atomic_t flow_over;

static void on_signal(int number)
{
    (void)number;
    flow_over = 1;
}

int64_t flow_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void flow_die(const char *what)
{
    fprintf(stderr, "roost-flow: %s: %s\n", what, strerror(errno));
    exit(1);
}

struct sockaddr_in flow_address(const char *ip, const char *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

    if (ip && inet_pton(AF_INET, ip, &a.sin_addr) != 1)
        flow_die(ip);
    return a;
}

int flow_source(const char *file)
{
    int fd = open(strcmp(file, "-") ? file : "/dev/zero", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        flow_die(file);
    return fd;
}

int flow_target(const char *file)
{
    int fd = strcmp(file, "-") ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                               : open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        flow_die(file);
    return fd;
}

size_t flow_read(int fd, uint8_t bytes[static FLOW_CHUNK])
{
    ssize_t n = read(fd, bytes, FLOW_CHUNK);

    return n > 0 ? (size_t)n : 0;
}

void flow_write(int fd, const uint8_t *bytes, size_t n)
{
    if (write(fd, bytes, n) != (ssize_t)n)
        flow_die("writing");
}

void flow_tell(uint64_t bytes, bool all)
{
    static int64_t told_ns;
    int64_t now = flow_now_ns();

    if (!all && now - told_ns < FLOW_TELL_MS * (int64_t)1000000)
        return;
    told_ns = now;
    printf("{\"at_ns\": %" PRId64 ", \"bytes\": %" PRIu64 ", \"all\": %s}\n", now, bytes,
           all ? "true" : "false");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    struct sigaction a = { .sa_handler = on_signal };

    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(what, "tcp-receive") && argc == 5)
        return tcp_receive(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
    if (!strcmp(what, "tcp-send") && argc == 6)
        return tcp_send(argv[2], argv[3], argv[4], argv[5]);
#ifdef HAVE_SRT
    if (!strcmp(what, "srt-receive") && argc == 5)
        return srt_receive(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
    if (!strcmp(what, "srt-send") && argc == 5)
        return srt_send_all(argv[2], argv[3], argv[4]);
#endif
    if (!strcmp(what, "answer") && argc == 3)
        return ping_answer(argv[2]);
    if (!strcmp(what, "ping") && argc == 5)
        return ping_ask(argv[2], argv[3], atoll(argv[4]));
    fputs(usage, stderr);
    return 2;
}
