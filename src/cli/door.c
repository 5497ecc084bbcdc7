#include "cli/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { HEAD_MAX = 512 };

/* --- ranges --- */

static bool number(const char **s, uint64_t *ret)
{
    uint64_t n = 0;
    const char *p = *s;

    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > (UINT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    if (p == *s)
        return false;
    *s = p;
    *ret = n;
    return true;
}

bool door_range(const char *range, uint64_t size, uint64_t *ret_from, uint64_t *ret_to)
{
    uint64_t a = 0, b = size;

    if (range && strncasecmp(range, "bytes=", 6) != 0)
        range = NULL; /* a unit that nobody knows is passed over */
    if (range) {
        range += 6;
        bool first = number(&range, &a);
        if (*range++ != '-')
            return false;
        bool second = number(&range, &b);
        if (*range || (!first && !second)) /* several ranges: not here */
            return false;
        if (!first) {
            a = b < size ? size - b : 0;
            b = size;
        } else {
            b = second && b < size ? b + 1 : size;
        }
        if (a >= size || a >= b)
            return false;
    }
    *ret_from = a;
    *ret_to = b;
    return true;
}

/* --- life --- */

/* In a URL nothing of it means anything. */
static void put_name(char *to, size_t cap, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = 0;

    for (; *name && n + 4 < cap; name++)
        if (strchr(plain, *name))
            to[n++] = *name;
        else
            n += (size_t)snprintf(to + n, cap - n, "%%%02X", (unsigned char)*name);
    to[n] = 0;
}

static int listen_here(uint16_t *ret_port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&at, len) || listen(fd, DOOR_GUESTS_MAX) ||
        getsockname(fd, (struct sockaddr *)&at, &len)) {
        close(fd);
        return -1;
    }
    *ret_port = ntohs(at.sin_port);
    return fd;
}

int door_open(struct door *d, uint64_t size, const char *name)
{
    uint64_t word[2];
    char clean[200];
    uint16_t port;

    *d = (struct door){ .fd = -1, .size = size };
    for (size_t i = 0; i < DOOR_GUESTS_MAX; i++)
        d->guests[i].fd = -1;
    if (getrandom(word, sizeof word, 0) != sizeof word || (d->fd = listen_here(&port)) < 0)
        return -ROOST_IO;
    put_name(clean, sizeof clean, name);
    snprintf(d->path, sizeof d->path, "/%016" PRIx64 "%016" PRIx64 "/%s", word[0], word[1], clean);
    snprintf(d->url, sizeof d->url, "http://127.0.0.1:%u%s", port, d->path);
    return 0;
}

static void dismiss(struct door_guest *g)
{
    if (g->fd >= 0)
        close(g->fd);
    http_reader_free(g->reader);
    free(g->out);
    *g = (struct door_guest){ .fd = -1 };
}

void door_close(struct door *d)
{
    if (d->fd < 0) /* it never was open */
        return;
    for (size_t i = 0; i < DOOR_GUESTS_MAX; i++)
        dismiss(&d->guests[i]);
    close(d->fd);
    d->fd = -1;
}

/* --- requests --- */

static void answer(struct door *d, struct door_guest *g, const struct http_request *q)
{
    const char *range = q ? http_header(q, "Range") : NULL;
    uint64_t from = 0, to = 0;
    unsigned status = 400;

    if (q && q->method == HTTP_IS_OTHER)
        status = 405;
    else if (q && strcmp(q->path, d->path) != 0)
        status = 404;
    else if (q && !door_range(range, d->size, &from, &to))
        status = 416;
    else if (q)
        status = range && (from || to != d->size) ? 206 : 200;
    bool good = status == 200 || status == 206;
    g->ends = !good || !q->keep_alive;
    int n = snprintf((char *)g->out, HEAD_MAX,
                     "HTTP/1.1 %u %s\r\nContent-Length: %" PRIu64
                     "\r\nAccept-Ranges: bytes\r\nConnection: %s\r\n",
                     status, good ? "OK" : "No", to - from, g->ends ? "close" : "keep-alive");
    if (status == 206)
        n += snprintf((char *)g->out + n, HEAD_MAX - (size_t)n,
                      "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", from, to - 1,
                      d->size);
    if (status == 416)
        n += snprintf((char *)g->out + n, HEAD_MAX - (size_t)n,
                      "Content-Range: bytes */%" PRIu64 "\r\n", d->size);
    memcpy(g->out + n, "\r\n", 2);
    g->out_len = (size_t)n + 2;
    g->out_done = 0;
    g->turn = ++d->turns;
    g->at = good && q->method == HTTP_IS_GET ? from : to;
    g->to = to;
}

static bool is_busy(const struct door_guest *g)
{
    return g->out_done < g->out_len || g->at < g->to;
}

/* False: it goes. */
static bool hear(struct door *d, struct door_guest *g)
{
    uint8_t bytes[4096];
    ssize_t n = recv(g->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    const uint8_t *p = bytes;
    struct http_request q;

    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    if (is_busy(g)) /* what a player sends ahead is not for us: it means that it has gone */
        return false;
    int got = http_next(g->reader, &p, bytes + n, &q);
    if (got)
        answer(d, g, got > 0 ? &q : NULL);
    return true;
}

static bool speak(struct door_guest *g)
{
    while (g->out_done < g->out_len) {
        ssize_t n = send(g->fd, g->out + g->out_done, g->out_len - g->out_done,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        g->out_done += (size_t)n;
    }
    return is_busy(g) || !g->ends;
}

static void welcome(struct door *d)
{
    int fd;

    while ((fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct door_guest *g = &d->guests[0];
        for (size_t i = 1; i < DOOR_GUESTS_MAX; i++) /* the one who came longest ago makes room */
            if (d->guests[i].fd < 0 ? g->fd >= 0 : g->fd >= 0 && d->guests[i].turn < g->turn)
                g = &d->guests[i];
        dismiss(g);
        *g = (struct door_guest){ .fd = fd,
                                  .reader = http_reader_new(0),
                                  .out = malloc(DOOR_BYTES_MAX + HEAD_MAX),
                                  .turn = ++d->turns };
        if (!g->reader || !g->out)
            dismiss(g);
    }
}

size_t door_fds(const struct door *d, struct pollfd *fds)
{
    size_t n = 0;

    fds[n++] = (struct pollfd){ .fd = d->fd, .events = POLLIN };
    for (size_t i = 0; i < DOOR_GUESTS_MAX; i++)
        if (d->guests[i].fd >= 0)
            fds[n++] = (struct pollfd){
                .fd = d->guests[i].fd,
                .events = (short)(POLLIN |
                                  (d->guests[i].out_done < d->guests[i].out_len ? POLLOUT : 0)),
            };
    return n;
}

void door_process(struct door *d)
{
    welcome(d);
    for (size_t i = 0; i < DOOR_GUESTS_MAX; i++) {
        struct door_guest *g = &d->guests[i];
        if (g->fd >= 0 && (!hear(d, g) || !speak(g)))
            dismiss(g);
    }
}

/* --- bytes --- */

bool door_wants(const struct door *d, uint64_t *ret_from)
{
    const struct door_guest *best = NULL;

    for (size_t i = 0; i < DOOR_GUESTS_MAX; i++) {
        const struct door_guest *g = &d->guests[i];
        if (g->fd >= 0 && g->at < g->to && g->out_done == g->out_len &&
            (!best || g->turn > best->turn))
            best = g;
    }
    if (best)
        *ret_from = best->at;
    return best != NULL;
}

void door_give(struct door *d, uint64_t from, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < DOOR_GUESTS_MAX; i++) {
        struct door_guest *g = &d->guests[i];
        if (g->fd < 0 || g->at != from || g->at >= g->to || g->out_done < g->out_len)
            continue;
        size_t take = n < DOOR_BYTES_MAX ? n : DOOR_BYTES_MAX;
        if (take > g->to - g->at)
            take = (size_t)(g->to - g->at);
        memcpy(g->out, bytes, take);
        g->out_len = take;
        g->out_done = 0;
        g->at += take;
        if (!speak(g))
            dismiss(g);
    }
}
