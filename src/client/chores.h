/* chores.h - work that may block, such as that of a disk, on a thread of its own.
 *
 *     chores_add(c, &mine->chore)         it is run there, in the order of adding
 *     poll chores_fd(c) to be readable
 *     while ((chore = chores_next(c)))    here again: its owner goes on
 *
 * A chore is its owner's memory; between add and next it is the thread's alone. All but
 * `run` is called on the owner's thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct chore {
    void (*run)(struct chore *chore); /* on the thread */
    struct chore *next;
};

struct chores {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct chore *todo, **todo_end, *done, **done_end;
    size_t n; /* added and not yet given back; the owner's */
    int fd;   /* an eventfd; -1: not begun */
    bool over;
};

/* 0, -ROOST_IO or -ROOST_NOMEM. The thread takes no signals. */
int chores_init(struct chores *c);
/* Waits for those that were added: all are run. What is done is not given back any more:
 * call chores_next until it gives NULL first where that matters. */
void chores_fini(struct chores *c);
void chores_add(struct chores *c, struct chore *chore);
struct chore *chores_next(struct chores *c);
/* Blocks until one is done; NULL: none was added. */
struct chore *chores_wait(struct chores *c);
int chores_fd(const struct chores *c);
