#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "crowd/crowd.h"

#define LOOK_US 1000 /* sockets are looked at so often */

/* Each a little after the one before, once the meeting is there. */
static void begin_more(struct group *g, uint32_t *begun, int64_t *next_us)
{
    const struct crowd *c = g->crowd;

    while (*begun < g->n && g->now_us >= *next_us &&
           (c->meeting || g->people[*begun]->index == 0)) {
        struct person *p = g->people[(*begun)++];
        *next_us = g->now_us + (int64_t)c->is.join_ms * 1000;
        if (person_begin(p))
            person_fail(p, "connecting", "out of memory or sockets");
        p->due_us = g->now_us;
    }
}

/* The socket of TLS changes while it connects. */
struct watch {
    int fd;
    unsigned what;
};

static void watch_tls(struct group *g, struct person *p, struct watch *w)
{
    int fd = p->step == STEP_GONE ? -1 : tls_fd(&p->tls);
    int wants = fd >= 0 ? tls_wants(&p->tls) : 0;
    unsigned what = (wants & POLLIN ? SLEEP_READ : 0) | (wants & POLLOUT ? SLEEP_WRITE : 0);

    if (fd == w->fd && what == w->what)
        return;
    if (fd != w->fd) { /* a closed one is forgotten by the kernel */
        if (w->fd >= 0)
            sleep_remove(&g->sleep, w->fd);
        if (fd >= 0)
            sleep_add(&g->sleep, fd, what, 2 * (uint64_t)p->index);
    } else {
        sleep_set(&g->sleep, fd, what, 2 * (uint64_t)p->index);
    }
    *w = (struct watch){ fd, what };
}

static void run_due(struct group *g, uint32_t begun, struct watch *watches)
{
    for (uint32_t i = 0; i < begun; i++) {
        struct person *p = g->people[i];
        if (p->step == STEP_GONE || p->due_us > g->now_us)
            continue;
        person_turn(p);
        watch_tls(g, p, &watches[i]);
    }
}

/* Who speaks does so when it is time; all else waits for the next look. */
static int64_t next_word(const struct group *g, uint32_t begun, int64_t look_us)
{
    for (uint32_t i = 0; i < begun; i++)
        if (g->people[i]->speaks && g->people[i]->say_us && g->people[i]->say_us < look_us)
            look_us = g->people[i]->say_us;
    return look_us;
}

static void look(struct group *g)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];
    struct crowd *c = g->crowd;
    struct timespec day;
    int n = SLEEP_AT_ONCE;

    clock_gettime(CLOCK_REALTIME, &day);
    g->day_us = day.tv_sec * 1000000 + day.tv_nsec / 1000 - sleep_now_us();
    for (uint32_t k = 0; k <= 2 * g->n / SLEEP_AT_ONCE && n == SLEEP_AT_ONCE; k++) {
        n = sleep_until(&g->sleep, 0, ready);
        for (int i = 0; i < n; i++) {
            c->people[ready[i].id / 2].due_us = g->now_us;
            c->people[ready[i].id / 2].heard |= ready[i].id % 2 == 0;
        }
    }
}

void *group_main(void *group)
{
    struct group *g = group;
    struct crowd *c = g->crowd;
    struct watch *watches = calloc(g->n + 1, sizeof *watches);
    uint32_t begun = 0;
    int64_t next_us = 0, look_us = 0;

    for (uint32_t i = 0; watches && i < g->n; i++)
        watches[i].fd = -1;
    sleep_sharpen();
    while (watches && !c->failed && !(c->over && sleep_now_us() > c->until_us + 1000000)) {
        sleep_nap(next_word(g, begun, look_us));
        g->now_us = sleep_now_us();
        if (g->now_us >= look_us) {
            look_us = g->now_us + LOOK_US;
            begin_more(g, &begun, &next_us);
            look(g);
        }
        run_due(g, begun, watches);
    }
    for (uint32_t i = 0; i < begun; i++)
        person_end(g->people[i]);
    free(watches);
    return NULL;
}
