/* tcp.c - one connection of the kernel's TCP, with the congestion control that is asked for. */
#include <errno.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow.h"

int tcp_receive(const char *port, uint64_t bytes, const char *file)
{
    static uint8_t buf[1 << 18];
    struct sockaddr_in at = flow_address(NULL, port);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    int target = flow_target(file);
    uint64_t got = 0;
    ssize_t n = 0;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1))
        flow_die("listening");
    printf("{\"ready\": true}\n");
    fflush(stdout);
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return 1;
    while (!flow_over && (bytes == 0 || got < bytes)) {
        n = recv(fd, buf, sizeof buf, 0);
        if (n <= 0)
            break;
        flow_write(target, buf, (size_t)n);
        got += (uint64_t)n;
        flow_tell(got, false);
    }
    flow_tell(got, bytes && got >= bytes);
    shutdown(fd, SHUT_WR); /* the sender may go */
    return bytes == 0 || got >= bytes ? 0 : 1;
}

/* What was sent twice, as the kernel counts it. */
static void tell_sent(int fd)
{
    struct tcp_info i = { 0 };
    socklen_t len = sizeof i;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) < 0)
        return;
    printf("{\"sent_bytes\": %" PRIu64 ", \"again_bytes\": %" PRIu64
           ", \"rtt_us\": %u, \"window\": %u}\n",
           (uint64_t)i.tcpi_bytes_sent, (uint64_t)i.tcpi_bytes_retrans, i.tcpi_rtt,
           i.tcpi_snd_cwnd);
    fflush(stdout);
}

int tcp_send(const char *ip, const char *port, const char *file, const char *cc)
{
    struct sockaddr_in to = flow_address(ip, port);
    static uint8_t chunk[FLOW_CHUNK];
    int fd = socket(AF_INET, SOCK_STREAM, 0), source = flow_source(file);
    size_t len, at;
    char byte;

    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc)))
        flow_die(cc);
    if (connect(fd, (struct sockaddr *)&to, sizeof to))
        flow_die("connecting");
    while (!flow_over && (len = flow_read(source, chunk)) > 0)
        for (at = 0; !flow_over && at < len;) {
            ssize_t n = send(fd, chunk + at, len - at, 0);
            if (n < 0 && errno != EINTR)
                flow_die("sending");
            at += n > 0 ? (size_t)n : 0;
        }
    shutdown(fd, SHUT_WR);
    while (!flow_over && recv(fd, &byte, 1, 0) > 0)
        ;
    tell_sent(fd);
    close(fd);
    return 0;
}
