#include "server/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "server/addr.h"
#include "server/log.h"

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
    /* Some 30 us each, when another has to go for it: those who talk have their turn in between,
     * and a turn costs 2 us. */
    ACCEPTS_A_TURN = 4,
    FREE_PORT_TRIES = 20,
    /* Without files left, the kernel's queue holds who comes. */
    PAUSE_MS = 100,
    TELL_EVERY_US = 10000000,
};

#define NOT_AN_ADDRESS "'%.*s' is no address to listen on"

/* --- opening --------------------------------------------------------------------- */

static int open_one(const struct sockaddr_storage *a, socklen_t len)
{
    int on = 1, fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (!bind(fd, (const struct sockaddr *)a, len) && !listen(fd, BACKLOG))
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static void close_all(struct listener *l)
{
    while (l->n)
        close(l->sockets[--l->n].fd);
}

static int add(struct listener *l, const char *address)
{
    struct sockaddr_storage a;
    socklen_t len = 0;

    if (l->n == LISTENERS_MAX || addr_parse(address, l->port, &a, &len)) {
        log_error(l->n == LISTENERS_MAX ? "more than %d addresses to listen on" : NOT_AN_ADDRESS,
                  l->n == LISTENERS_MAX ? LISTENERS_MAX : ADDR_TEXT_MAX, address);
        return -ROOST_INVALID;
    }
    int fd = open_one(&a, len);
    if (fd < 0) {
        if (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)
            return -ROOST_UNSUPPORTED;
        if (errno == EADDRINUSE)
            return -ROOST_BUSY;
        log_error("cannot listen on %s port %u: %s", address, l->port, strerror(errno));
        return -ROOST_IO;
    }
    len = sizeof a;
    if (!l->port && !getsockname(fd, (struct sockaddr *)&a, &len))
        l->port = addr_port(&a);
    l->sockets[l->n++].fd = fd;
    return 0;
}

int listener_check(const char *addresses)
{
    struct sockaddr_storage a;
    char address[ADDR_TEXT_MAX];
    socklen_t len;
    int err = 0;

    do {
        addr_next(&addresses, address);
        err = addr_parse(address, 0, &a, &len);
    } while (*addresses && !err);
    if (err)
        log_error(NOT_AN_ADDRESS, ADDR_TEXT_MAX, address);
    return err;
}

static int add_all(struct listener *l, const char *addresses)
{
    int err = 0, missing = 0;

    while (*addresses && !err) {
        char address[ADDR_TEXT_MAX];

        addr_next(&addresses, address);
        err = add(l, address);
        if (err == -ROOST_UNSUPPORTED) {
            log_warn("this machine has no address %s: it is left out", address);
            missing = err;
            err = 0;
        }
    }
    return err ? err : l->n ? 0 : missing ? missing : -ROOST_INVALID;
}

int listener_open(struct listener *l, const char *addresses, uint16_t port)
{
    int err = -ROOST_BUSY;

    memset(l, 0, sizeof *l);
    /* a port that is free on one address may be taken on the next */
    for (int i = 0; err == -ROOST_BUSY && i < (port ? 1 : FREE_PORT_TRIES); i++) {
        l->port = port;
        err = add_all(l, addresses);
        if (err)
            close_all(l);
    }
    if (err == -ROOST_BUSY)
        log_error("port %u is taken: stop what listens there, or choose another with --port", port);
    else if (err == -ROOST_UNSUPPORTED)
        log_error("there is no address left to listen on: see --listen");
    return err;
}

void listener_name(const struct listener *l, unsigned i, char out[static ADDR_TEXT_MAX])
{
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof a;

    getsockname(l->sockets[i].fd, (struct sockaddr *)&a, &len);
    addr_text(&a, out);
}

/* --- accepting -------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void resume(uv_timer_t *again)
{
    struct listener *l = again->data;

    for (unsigned i = 0; l->open && i < l->n; i++)
        uv_poll_start(&l->sockets[i].poll, UV_READABLE, on_poll);
}

/* Nothing can be taken now: to be called again by the poll would be spinning. */
static void rest(struct listener *l, const char *why)
{
    int64_t now_us = edge_now().mono_us;

    if (!l->told_us || now_us - l->told_us > TELL_EVERY_US) {
        log_warn("new connections have to wait: %s", why);
        l->told_us = now_us;
    }
    for (unsigned i = 0; i < l->n; i++)
        uv_poll_stop(&l->sockets[i].poll);
    uv_timer_start(&l->again, resume, PAUSE_MS, 0);
}

static bool is_passing(int why)
{
    return why == ECONNABORTED || why == EINTR || why == EPROTO || why == EPERM;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct listener_socket *s = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from = { 0 };
        socklen_t len = sizeof from;
        int fd = accept4(s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            edge_accept(s->owner->edge, fd, addr_source(&from));
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_passing(errno)) {
            rest(s->owner, strerror(errno));
            return;
        }
    }
}

int listener_start(struct listener *l, uv_loop_t *loop, struct edge *edge)
{
    l->loop = loop;
    l->edge = edge;
    l->open = true;
    uv_timer_init(loop, &l->again);
    l->again.data = l;
    for (unsigned i = 0; i < l->n; i++) {
        struct listener_socket *s = &l->sockets[i];

        s->owner = l;
        s->poll.data = s;
        if (uv_poll_init(loop, &s->poll, s->fd))
            return -ROOST_IO;
    }
    resume(&l->again);
    return 0;
}

void listener_stop(struct listener *l)
{
    if (!l->open) {
        close_all(l);
        return;
    }
    l->open = false;
    uv_close((uv_handle_t *)&l->again, NULL);
    for (unsigned i = 0; i < l->n; i++) {
        uv_close((uv_handle_t *)&l->sockets[i].poll, NULL);
        close(l->sockets[i].fd);
    }
    l->n = 0;
}
