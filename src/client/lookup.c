#include "client/lookup.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"

struct lookup {
    int fd;   /* counts to 1 when done */
    int refs; /* the owner's, the thread's; atomic */
    int done; /* atomic: what follows is there to be read */
    int err;
    struct addrinfo *list;
    char host[256], port[16];
};

static int running; /* threads of this process; atomic */

static void unref(struct lookup *l)
{
    if (__atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (l->list)
        freeaddrinfo(l->list);
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

static void *thread_main(void *arg)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct lookup *l = arg;

    l->err = getaddrinfo(l->host, l->port, &hints, &l->list);
    if (l->err) { /* without an interface but loopback, AI_ADDRCONFIG finds nothing */
        hints.ai_flags = 0;
        l->err = getaddrinfo(l->host, l->port, &hints, &l->list);
    }
    if (l->err)
        l->list = NULL;
    __atomic_store_n(&l->done, 1, __ATOMIC_RELEASE);
    eventfd_write(l->fd, 1);
    unref(l);
    __atomic_sub_fetch(&running, 1, __ATOMIC_RELAXED);
    return NULL;
}

/* The program's signals are for its own threads. */
static int start(struct lookup *l)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;

    if (pthread_attr_init(&attr))
        return -ROOST_NOMEM;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&thread, &attr, thread_main, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return err ? -ROOST_NOMEM : 0;
}

int lookup_new(struct lookup **ret, const char *host, const char *port)
{
    if (__atomic_add_fetch(&running, 1, __ATOMIC_RELAXED) > LOOKUPS_MAX) {
        __atomic_sub_fetch(&running, 1, __ATOMIC_RELAXED);
        return -ROOST_LIMIT;
    }
    struct lookup *l = calloc(1, sizeof *l);
    if (l) {
        l->refs = 2;
        snprintf(l->host, sizeof l->host, "%s", host);
        snprintf(l->port, sizeof l->port, "%s", port);
        l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    if (!l || l->fd < 0 || start(l)) {
        if (l) {
            l->refs = 1;
            unref(l);
        }
        __atomic_sub_fetch(&running, 1, __ATOMIC_RELAXED);
        return -ROOST_NOMEM;
    }
    *ret = l;
    return 0;
}

int lookup_fd(const struct lookup *l)
{
    return l->fd;
}

bool lookup_done(const struct lookup *l, int *ret_err, const struct addrinfo **ret_list)
{
    if (!__atomic_load_n(&l->done, __ATOMIC_ACQUIRE))
        return false;
    *ret_err = l->err;
    *ret_list = l->list;
    return true;
}

struct lookup *lookup_free(struct lookup *l)
{
    if (l)
        unref(l);
    return NULL;
}
