#include "server/depot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "server/depot_in.h"
#include "server/log.h"

void depot_job_free(struct depot_job *j)
{
    if (!j)
        return;
    hub_depot_fini(&j->grant);
    free(j->map);
    free(j->pages);
    free(j);
}

/* --- the loop's side ------------------------------------------------------------------- */

static unsigned thread_of_file(const struct depot *d, uint64_t file)
{
    assert(d->n > 0 && "a depot has a thread");
    return (unsigned)(file % d->n);
}

static unsigned thread_of(const struct depot *d, const struct depot_job *j)
{
    switch (j->what) {
    case JOB_LOOK:
        return 0;
    case JOB_OPEN:
        return thread_of_file(d, j->grant.file);
    case JOB_WISH:
    case JOB_WAIT:
    case JOB_LEAVE:
    case JOB_READ:
    case JOB_CLOSE:
        return thread_of_file(d, j->opened->file);
    default:
        break;
    }
    /* tokens, and contents, are thread 0's */
    return j->grant.what == DEPOT_STORED || j->grant.what == DEPOT_OVER ||
                   j->grant.what == DEPOT_BAR
               ? thread_of_file(d, j->grant.file)
               : 0;
}

static bool ask_of(struct depot *d, unsigned thread, struct depot_job *j)
{
    struct depot_thread *t = &d->each[thread];
    uint64_t one = 1;

    if (!passage_put(&t->in[j->asker], j))
        return false;
    return write(t->event, &one, sizeof one) == sizeof one || true; /* full: it is awake */
}

bool depot_ask(struct depot *d, struct depot_job *j)
{
    return ask_of(d, thread_of(d, j), j);
}

static void put_late(struct depot *d)
{
    while (d->late) {
        struct depot_job *j = d->late, *next = j->owner;
        if (!depot_ask(d, j))
            return;
        d->late = next;
    }
}

/* Nothing is forgotten, nothing overtakes: without room orders wait here. */
static void order(struct depot *d, struct depot_job *j)
{
    put_late(d);
    j->owner = NULL;
    if (!d->late && depot_ask(d, j))
        return;
    if (!d->late)
        d->late_end = &d->late;
    *d->late_end = j;
    d->late_end = (struct depot_job **)&j->owner;
}

void depot_admit(struct depot *d, struct hub_depot *grant)
{
    grant->born = ++d->orders;
}

void depot_shut(struct depot *d, struct depot_job *j)
{
    j->what = JOB_CLOSE;
    j->asker = DEPOT_LOOP;
    order(d, j);
}

void depot_found_wrong(struct depot *d, const struct hub_depot *grant, uint64_t inode)
{
    struct depot_job *j = calloc(1, sizeof *j);

    if (!j)
        return; /* it is found again */
    j->what = JOB_WRONG;
    j->wish.at = inode;
    j->asker = DEPOT_LOOP;
    j->grant = *grant;
    j->grant.name = NULL;
    order(d, j);
}

void depot_spare(struct depot *d, bool spare)
{
    d->spare = spare;
}

static void order_new(struct depot *d, const struct hub_depot *o)
{
    struct depot_job *j = calloc(1, sizeof *j);

    if (!j)
        return; /* the next walk of the hub says it again; a ticket is asked for again */
    j->what = JOB_ORDER;
    j->asker = DEPOT_LOOP;
    j->grant = *o;
    order(d, j);
}

void depot_put(struct depot *d, struct hub_depot *o)
{
    o->born = ++d->orders;
    for (unsigned i = 1; o->what == DEPOT_BAR && i < d->n; i++) {
        struct hub_depot each = *o;
        each.file = i; /* the thread */
        order_new(d, &each);
    }
    /* a parcel that is over: thread 0 forgets its tokens as well */
    if (o->what == DEPOT_OVER && thread_of_file(d, o->file))
        order_new(d, &(struct hub_depot){ .what = DEPOT_DROP, .file = o->file, .takes = o->takes });
    order_new(d, o);
    memset(o, 0, sizeof *o);
}

static void on_wake(void *ctx)
{
    struct depot *d = ctx;
    struct depot_job *j;

    for (unsigned i = 0; i < d->n; i++)
        while (!d->stopped && (j = passage_take(&d->each[i].out[DEPOT_LOOP]))) {
            if (j->what != JOB_WORD) {
                d->settings.on_job(d->settings.ctx, j);
                continue;
            }
            d->settings.on_word(d->settings.ctx, &j->word);
            depot_job_free(j);
        }
    if (!d->stopped)
        put_late(d);
}

struct depot_job *depot_answer(struct depot *d, unsigned worker)
{
    struct depot_job *j = NULL;

    for (unsigned i = 0; !j && i < d->n; i++)
        if (d->each[i].out[worker].slots)
            j = passage_take(&d->each[i].out[worker]);
    return j;
}

void depot_stats(const struct depot *d, struct depot_stats *ret)
{
    const struct depot_counts *c = &d->counts;

    *ret = (struct depot_stats){ .taken = c->taken,
                                 .given = c->given,
                                 .bytes_in = c->bytes_in,
                                 .bytes_out = c->bytes_out,
                                 .kept = c->kept,
                                 .failed = c->failed,
                                 .dropped = c->dropped,
                                 .open = c->open,
                                 .crowded = c->crowded,
                                 .lost = c->lost,
                                 .room = c->room };
}

/* --- the beginning and the end ---------------------------------------------------------- */

static int open_folder(struct depot *d)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/files", d->settings.data) >= (int)sizeof path)
        return -ROOST_IO;
    if (mkdir(path, 0700) && errno != EEXIST)
        return -ROOST_IO;
    d->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->dir < 0 || (mkdirat(d->dir, "parts", 0700) && errno != EEXIST) || fsync(d->dir))
        return -ROOST_IO;
    return 0;
}

static int attach(struct depot *d, unsigned asker, int event)
{
    int err = 0;

    d->events[asker] = event;
    for (unsigned i = 0; !err && i < d->n; i++) {
        err = passage_init(&d->each[i].in[asker], DEPOT_JOBS_MAX);
        if (!err)
            err = passage_init(&d->each[i].out[asker], DEPOT_JOBS_MAX);
    }
    return err;
}

int depot_attach(struct depot *d, unsigned worker, int event)
{
    return attach(d, worker, event);
}

int depot_new(struct depot **ret, uv_loop_t *loop, const struct depot_settings *s)
{
    struct depot *d = calloc(1, sizeof *d);

    if (!d)
        return -ROOST_NOMEM;
    d->settings = *s;
    d->n = s->threads < 1 ? 1 : s->threads < DEPOT_THREADS_MAX ? s->threads : DEPOT_THREADS_MAX;
    d->dir = -1;
    if (places_init(&d->places, s->transfers, s->transfers_account, uv_hrtime())) {
        free(d);
        return -ROOST_NOMEM;
    }
    for (unsigned i = 0; i < d->n; i++) {
        d->each[i].all = d;
        d->each[i].index = i;
        d->each[i].event = -1;
        map_init(&d->each[i].takes, uv_hrtime());
        map_init(&d->each[i].grants, uv_hrtime());
    }
    int err = open_folder(d);
    if (err)
        log_error("cannot use %s/files: %s", s->data, strerror(errno));
    for (unsigned i = 0; !err && i < d->n; i++)
        if ((d->each[i].event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
            err = -ROOST_IO;
    if (!err)
        err = wake_init(&d->wake, loop, on_wake, d);
    d->waking = !err;
    if (!err)
        err = attach(d, DEPOT_LOOP, -1);
    *ret = d;
    return err;
}

int depot_start(struct depot *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        if (uv_thread_create(&d->each[i].thread, depot_thread_main, &d->each[i]))
            return -ROOST_NOMEM;
        d->each[i].started = true;
    }
    return 0;
}

void depot_stop(struct depot *d)
{
    uint64_t one = 1;

    if (!d || d->stopped)
        return;
    d->stopped = true;
    d->stopping = true;
    for (unsigned i = 0; i < d->n; i++) {
        struct depot_thread *t = &d->each[i];
        if (t->started && write(t->event, &one, sizeof one) == sizeof one)
            uv_thread_join(&t->thread);
        t->started = false;
    }
    if (d->waking)
        wake_close(&d->wake);
}

static void free_thread(struct depot_thread *t)
{
    struct depot_job *j;
    struct map_slot *s;

    for (unsigned i = 0; i < DEPOT_ASKERS; i++) {
        struct passage *both[] = { &t->in[i], &t->out[i] };
        for (unsigned k = 0; k < 2; k++) {
            while (both[k]->slots && (j = passage_take(both[k])))
                depot_job_free(j);
            passage_fini(both[k]);
        }
    }
    for (size_t i = 0; (s = map_next(&t->grants, &i));) {
        hub_depot_fini(s->value);
        free(s->value);
    }
    while (t->opened) {
        depot_job_free(t->opened->finish);
        depot_close(t, t->opened, false);
    }
    map_fini(&t->grants);
    map_fini(&t->takes);
    if (t->event >= 0)
        close(t->event);
}

void depot_free(struct depot *d)
{
    if (!d)
        return;
    for (unsigned i = 0; i < d->n; i++)
        free_thread(&d->each[i]);
    while (d->late) {
        struct depot_job *j = d->late;
        d->late = j->owner;
        depot_job_free(j);
    }
    if (d->dir >= 0)
        close(d->dir);
    places_fini(&d->places);
    free(d);
}
