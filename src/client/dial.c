#include "client/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/err.h"

static int fail(struct dial *d, int code, const char *why)
{
    snprintf(d->detail, sizeof d->detail, "%s", why);
    return -code;
}

void dial_init(struct dial *d)
{
    *d = (struct dial){ .fd = -1 };
}

static void try_drop(struct dial *d, size_t i)
{
    close(d->tries[i].fd); /* which leaves the epoll too */
    d->tries[i] = d->tries[--d->n_tries];
}

void dial_close(struct dial *d)
{
    while (d->n_tries)
        try_drop(d, 0);
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    d->listens = false;
}

void dial_fini(struct dial *d)
{
    dial_close(d);
    lookup_free(d->lookup);
    dial_init(d);
}

/* --- addresses --------------------------------------------------------------------- */

static void remember(struct dial *d, const struct addrinfo *list)
{
    d->n_known = d->next = 0;
    for (; list && d->n_known < DIAL_ADDRESSES_MAX; list = list->ai_next) {
        struct dial_address *a = &d->known[d->n_known];
        if (list->ai_addrlen > sizeof a->at)
            continue;
        memcpy(&a->at, list->ai_addr, list->ai_addrlen);
        a->len = list->ai_addrlen;
        d->n_known++;
    }
}

/* An address is known without asking anybody. */
static bool is_numeric(struct dial *d)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV },
                    *list;

    if (getaddrinfo(d->host, d->port, &hints, &list))
        return false;
    remember(d, list);
    freeaddrinfo(list);
    return true;
}

static int watch(struct dial *d, int fd, uint32_t events)
{
    return epoll_ctl(d->fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = events });
}

static int look_up(struct dial *d, int64_t now_us)
{
    const struct addrinfo *list;
    int late;

    if (d->lookup && lookup_done(d->lookup, &late, &list)) { /* nobody listened any more */
        if (!late)
            remember(d, list);
        d->lookup = lookup_free(d->lookup);
    }
    int err = d->lookup ? 0 : lookup_new(&d->lookup, d->host, d->port);

    if (!err && watch(d, lookup_fd(d->lookup), EPOLLIN))
        err = -ROOST_NOMEM;
    d->listens = !err;
    d->next_us = err ? now_us : now_us + DIAL_NEXT_US;
    return err && !d->n_known ? fail(d, -err, err_text(err)) : 0;
}

int dial_open(struct dial *d, const char *host, const char *port, int64_t now_us)
{
    dial_close(d);
    if (strcmp(host, d->host) != 0 || strcmp(port, d->port) != 0) {
        d->lookup = lookup_free(d->lookup);
        d->n_known = 0;
        snprintf(d->host, sizeof d->host, "%s", host);
        snprintf(d->port, sizeof d->port, "%s", port);
    }
    d->detail[0] = 0;
    d->next = 0;
    d->next_us = now_us;
    d->fd = epoll_create1(EPOLL_CLOEXEC);
    if (d->fd < 0)
        return fail(d, ROOST_CLOSED, strerror(errno));
    return is_numeric(d) ? 0 : look_up(d, now_us);
}

/* What the look-up says, if it is done; the newest addresses are tried at once. */
static void hear(struct dial *d, int64_t now_us)
{
    const struct addrinfo *list;
    int err;

    if (!d->listens || !lookup_done(d->lookup, &err, &list))
        return;
    if (err)
        snprintf(d->detail, sizeof d->detail, "no address is known for %.80s (%.50s)", d->host,
                 gai_strerror(err));
    else
        remember(d, list);
    d->next_us = now_us;
    d->listens = false;
    epoll_ctl(d->fd, EPOLL_CTL_DEL, lookup_fd(d->lookup), NULL);
    d->lookup = lookup_free(d->lookup);
}

/* --- tries --------------------------------------------------------------------------- */

/* 1: connected; 0: wait; -1: it is nothing, d->detail says why. */
static int try_look(struct dial *d, const struct dial_try *t, int64_t now_us)
{
    struct pollfd p = { .fd = t->fd, .events = POLLOUT };
    int why = 0;
    socklen_t n = sizeof why;

    if (poll(&p, 1, 0) < 1) {
        if (now_us < t->ends_us)
            return 0;
        why = ETIMEDOUT;
    } else if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0) {
        why = errno;
    }
    if (!why)
        return 1;
    fail(d, ROOST_CLOSED, strerror(why));
    return -1;
}

static void try_next(struct dial *d, int64_t now_us)
{
    const struct dial_address *a = &d->known[d->next++];
    int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 &&
        (connect(fd, (const struct sockaddr *)&a->at, a->len) == 0 || errno == EINPROGRESS) &&
        watch(d, fd, EPOLLOUT) == 0) {
        d->tries[d->n_tries++] = (struct dial_try){ fd, now_us + DIAL_TRY_US };
        d->next_us = now_us + DIAL_NEXT_US;
        return;
    }
    fail(d, ROOST_CLOSED, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static bool may_try(const struct dial *d)
{
    return d->next < d->n_known && d->n_tries < DIAL_TRIES_MAX;
}

int dial_step(struct dial *d, int64_t now_us, int *ret_fd)
{
    hear(d, now_us);
    for (size_t i = d->n_tries; i-- > 0;) {
        int how = try_look(d, &d->tries[i], now_us);
        if (how > 0) {
            *ret_fd = d->tries[i].fd;
            epoll_ctl(d->fd, EPOLL_CTL_DEL, d->tries[i].fd, NULL);
            d->tries[i] = d->tries[--d->n_tries];
            dial_close(d);
            return 1;
        }
        if (how < 0) {
            try_drop(d, i);
            d->next_us = now_us;
        }
    }
    while (may_try(d) && now_us >= d->next_us)
        try_next(d, now_us);
    return d->n_tries || d->next < d->n_known || d->listens ? 0 : -ROOST_CLOSED;
}

int64_t dial_deadline(const struct dial *d)
{
    int64_t at = may_try(d) ? d->next_us : INT64_MAX;

    for (size_t i = 0; i < d->n_tries; i++)
        if (d->tries[i].ends_us < at)
            at = d->tries[i].ends_us;
    return d->fd < 0 ? INT64_MAX : at;
}
