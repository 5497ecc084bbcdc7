#include "client/chores.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"

static struct chore *take(struct chores *c)
{
    pthread_mutex_lock(&c->lock);
    while (!c->todo && !c->over)
        pthread_cond_wait(&c->more, &c->lock);
    struct chore *chore = c->todo;
    if (chore && !(c->todo = chore->next))
        c->todo_end = &c->todo;
    pthread_mutex_unlock(&c->lock);
    return chore;
}

/* It cannot be full: it is emptied before chores are taken. */
static void wake_owner(struct chores *c)
{
    const uint64_t one = 1;
    ssize_t n = write(c->fd, &one, sizeof one);

    (void)n;
}

static void *work(void *arg)
{
    struct chores *c = arg;
    struct chore *chore;

    while ((chore = take(c))) {
        chore->run(chore);
        chore->next = NULL;
        pthread_mutex_lock(&c->lock);
        bool first = !c->done;
        *c->done_end = chore;
        c->done_end = &chore->next;
        pthread_mutex_unlock(&c->lock);
        if (first)
            wake_owner(c);
    }
    return NULL;
}

static int start(struct chores *c)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&c->thread, NULL, work, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err ? -ROOST_NOMEM : 0;
}

int chores_init(struct chores *c)
{
    *c = (struct chores){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
    c->todo_end = &c->todo;
    c->done_end = &c->done;
    if (c->fd < 0)
        return -ROOST_IO;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->more, NULL);
    int err = start(c);
    if (err) {
        close(c->fd);
        c->fd = -1;
    }
    return err;
}

void chores_fini(struct chores *c)
{
    if (c->fd < 0)
        return;
    pthread_mutex_lock(&c->lock);
    c->over = true;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
    close(c->fd);
    *c = (struct chores){ .fd = -1 };
}

void chores_add(struct chores *c, struct chore *chore)
{
    chore->next = NULL;
    c->n++;
    pthread_mutex_lock(&c->lock);
    *c->todo_end = chore;
    c->todo_end = &chore->next;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
}

struct chore *chores_next(struct chores *c)
{
    uint64_t n;

    if (!c->n)
        return NULL;
    /* Emptied first: what is done after that fills it again. */
    ssize_t got = read(c->fd, &n, sizeof n);
    (void)got;
    pthread_mutex_lock(&c->lock);
    struct chore *chore = c->done;
    if (chore && !(c->done = chore->next))
        c->done_end = &c->done;
    bool more = c->done != NULL;
    pthread_mutex_unlock(&c->lock);
    if (more) /* whoever stops here hears of the rest */
        wake_owner(c);
    if (chore)
        c->n--;
    return chore;
}

struct chore *chores_wait(struct chores *c)
{
    struct chore *chore = NULL;

    while (c->n && !(chore = chores_next(c))) {
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        poll(&p, 1, -1);
    }
    return chore;
}

int chores_fd(const struct chores *c)
{
    return c->fd;
}
