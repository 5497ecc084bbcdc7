#include "server/storer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "server/log.h"
#include "server/recovery.h"
#include "server/turns.h"
#include "server/wake.h"
#include "store/batch.h"

enum {
    VEC_FIRST = 64,
    VEC_KEEP = 1024,       /* a larger array is given back when it is empty */
    NOMEM_WAIT_US = 10000, /* before memory is asked for again */
    TELL_EVERY_S = 10,     /* that nothing can be stored */
    /* Between two commits for strangers alone. Each makes those who talk meanwhile wait as
     * long as a disk takes; so a flood of wrong passwords shares 50 a second. */
    STRANGERS_MS = 20,
};

/* An operation on its way there (result NULL), or back. */
struct item {
    struct store_op *op;
    struct store_result *result;
    bool busy; /* came above the bound: not run */
};

struct vec {
    struct item *items;
    size_t n, cap;
};

struct storer {
    struct storer_settings settings;
    struct store *store;
    struct wake wake;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t cond;
    struct vec waiting, done;  /* under lock */
    size_t urgent;             /* under lock: of those that wait, not patient */
    uint64_t strangers_ns;     /* the thread's: when it last worked for strangers alone */
    bool stopping;             /* under lock */
    bool probing, probed;      /* under lock: is asked for; probe_err is the answer */
    int probe_err;             /* under lock */
    struct storer_stats stats; /* under lock */
    storer_chore *chore;       /* under lock */
    void *chore_ctx;           /* under lock */
    bool in_chore;             /* under lock */
    enum store_health health;  /* under lock */
    char why[200];             /* under lock: of that health */
    enum store_health told;    /* the loop's */
    struct recovery recovery;  /* the thread's */
    size_t out;                /* the loop's: put and not handed back */
    size_t out_urgent;         /* ... of them, not patient */
    bool stopped;              /* the loop's */
    uint64_t told_ns;          /* the loop's */
    struct vec batch;          /* the thread's */
    struct store_op **ops;     /* the thread's, batch_max of each */
    struct store_result **results;
};

static int vec_room(struct vec *v, size_t more)
{
    size_t cap = v->cap ? v->cap : VEC_FIRST;

    while (cap < v->n + more)
        cap *= 2;
    if (cap == v->cap)
        return 0;
    struct item *items = realloc(v->items, cap * sizeof *items);
    if (!items)
        return -ROOST_NOMEM;
    v->items = items;
    v->cap = cap;
    return 0;
}

static void vec_clear(struct vec *v)
{
    v->n = 0;
    if (v->cap <= VEC_KEEP)
        return;
    free(v->items);
    *v = (struct vec){ 0 };
}

/* --- the thread --------------------------------------------------------------- */

/* A result is owed for every operation, so memory is waited for. */
static struct store_result *result_of(const struct store_op *op)
{
    struct store_result *r;

    while (!(r = store_result_new(op)))
        usleep(NOMEM_WAIT_US);
    return r;
}

static void fail_item(struct item *i, int err)
{
    i->result = result_of(i->op);
    store_result_fail(i->result, err);
}

static void run_batch(struct storer *s)
{
    struct vec *b = &s->batch;
    size_t n = 0, at = 0;

    for (size_t i = 0; i < b->n; i++)
        if (!b->items[i].busy)
            s->ops[n++] = b->items[i].op;
    if (n)
        store_run_batch(s->store, s->ops, n, s->results);
    for (size_t i = 0; i < b->n; i++) {
        if (b->items[i].busy)
            fail_item(&b->items[i], -ROOST_BUSY);
        else if (!(b->items[i].result = s->results[at++]))
            fail_item(&b->items[i], -ROOST_NOT_STORED);
    }
}

/* Only patient ones wait, and some had their turn a moment ago. */
static bool may_rest(const struct storer *s, uint64_t *ret_ns)
{
    uint64_t now_ns = uv_hrtime(), due_ns = s->strangers_ns + STRANGERS_MS * 1000000ULL;

    *ret_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    return s->waiting.n && !s->urgent && *ret_ns && !s->stopping && !s->probing;
}

static void count_urgent(struct storer *s)
{
    s->urgent = 0;
    for (size_t i = 0; i < s->waiting.n; i++)
        s->urgent += !s->waiting.items[i].op->patient;
}

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static bool is_due(const struct storer *s)
{
    return recovery_due_us(&s->recovery) <= now_us();
}

static void wait_for_more(struct storer *s)
{
    int64_t due_us = recovery_due_us(&s->recovery), left_us = due_us - now_us();

    if (due_us == INT64_MAX)
        uv_cond_wait(&s->cond, &s->lock);
    else if (left_us > 0)
        uv_cond_timedwait(&s->cond, &s->lock, (uint64_t)left_us * 1000);
}

/* Moves the oldest that wait to the batch. False: nothing waits and we stop. */
static bool take(struct storer *s)
{
    while (!s->waiting.n && !s->stopping && !s->probing && !s->chore && !is_due(s))
        wait_for_more(s);
    for (uint64_t rest_ns; may_rest(s, &rest_ns);)
        uv_cond_timedwait(&s->cond, &s->lock, rest_ns);
    s->batch.n = 0;
    if (!s->waiting.n)
        return !s->stopping;
    if (!s->urgent)
        s->strangers_ns = uv_hrtime();

    size_t n = s->waiting.n < s->settings.batch_max ? s->waiting.n : s->settings.batch_max;
    memcpy(s->batch.items, s->waiting.items, n * sizeof *s->waiting.items);
    s->batch.n = n;
    s->waiting.n -= n;
    memmove(s->waiting.items, s->waiting.items + n, s->waiting.n * sizeof *s->waiting.items);
    if (!s->waiting.n)
        vec_clear(&s->waiting);
    count_urgent(s);
    return true;
}

static void give(struct storer *s)
{
    while (vec_room(&s->done, s->batch.n)) {
        uv_mutex_unlock(&s->lock);
        usleep(NOMEM_WAIT_US);
        uv_mutex_lock(&s->lock);
    }
    memcpy(s->done.items + s->done.n, s->batch.items, s->batch.n * sizeof *s->batch.items);
    s->done.n += s->batch.n;
    s->stats.batches += s->batch.n > 0;
    s->stats.ops += s->batch.n;
    for (size_t i = 0; i < s->batch.n; i++)
        s->stats.failed += s->batch.items[i].result->err == -ROOST_NOT_STORED;
}

/* Not together with a batch: what fails here fails nobody. */
static void probe(struct storer *s)
{
    if (!s->probing)
        return;
    uv_mutex_unlock(&s->lock);
    int err = s->settings.probe(s->store);
    uv_mutex_lock(&s->lock);
    s->probing = false;
    s->probed = true;
    s->probe_err = err;
}

static void do_chore(struct storer *s)
{
    storer_chore *chore = s->chore;
    void *ctx = s->chore_ctx;

    if (!chore)
        return;
    s->in_chore = true;
    uv_mutex_unlock(&s->lock);
    bool more = chore(ctx, s->store);
    uv_mutex_lock(&s->lock);
    s->in_chore = false;
    if (!more && s->chore == chore)
        s->chore = NULL;
    uv_cond_broadcast(&s->cond); /* somebody may wait for its end */
}

/* Without the lock: it works on the store. */
static void recover(struct storer *s)
{
    struct timespec ts;

    if (!is_due(s))
        return;
    clock_gettime(CLOCK_REALTIME, &ts);
    s->store->ops->probe(s->store, (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
    recovery_on_probed(&s->recovery, now_us());
}

static void watch_health(struct storer *s)
{
    const char *why = "";

    if (!s->store->ops->health)
        return;
    enum store_health health = s->store->ops->health(s->store, &why);
    if (!recovery_on_health(&s->recovery, health, now_us()))
        return;
    s->health = health;
    snprintf(s->why, sizeof s->why, "%s", why);
}

static void thread_main(void *arg)
{
    struct storer *s = arg;

    turns_short();
    uv_mutex_lock(&s->lock);
    watch_health(s); /* it may have been opened for reading only */
    if (s->health)
        wake_send(&s->wake);
    while (take(s)) {
        uv_mutex_unlock(&s->lock);
        recover(s);
        run_batch(s);
        uv_mutex_lock(&s->lock);
        bool chore = s->chore && !s->batch.n && !s->probing;
        give(s);
        probe(s);
        do_chore(s);
        enum store_health before = s->health;
        watch_health(s);
        if (!chore || s->health != before) /* nobody is woken for a piece of work */
            wake_send(&s->wake);
    }
    uv_mutex_unlock(&s->lock);
}

/* --- the loop ------------------------------------------------------------------ */

/* Users are told one by one; who runs the server reads it here. */
static void tell(struct storer *s, int err)
{
    uint64_t now_ns = uv_hrtime();

    if (err != -ROOST_NOT_STORED && err != -ROOST_FULL && err != -ROOST_IO)
        return;
    if (s->told_ns && now_ns - s->told_ns < TELL_EVERY_S * 1000000000ULL)
        return;
    s->told_ns = now_ns;
    log_error("a change was not made: %s", err_text(err));
}

static void hand_out(struct storer *s)
{
    struct vec done;

    uv_mutex_lock(&s->lock);
    done = s->done;
    s->done = (struct vec){ 0 };
    bool probed = s->probed;
    int probe_err = s->probe_err;
    s->probed = false;
    enum store_health health = s->health;
    char why[sizeof s->why];
    memcpy(why, s->why, sizeof why);
    uv_mutex_unlock(&s->lock);

    if (health != s->told) {
        s->told = health;
        if (s->settings.on_health)
            s->settings.on_health(s->settings.health_ctx, health, why);
    }
    for (size_t i = 0; i < done.n; i++) {
        s->out--;
        s->out_urgent -= !done.items[i].op->patient;
        store_op_unref(done.items[i].op);
        tell(s, done.items[i].result->err);
        s->settings.on_result(s->settings.ctx, done.items[i].result);
    }
    free(done.items);
    if (probed)
        s->settings.on_probed(s->settings.ctx, probe_err);
}

static void on_wake(void *ctx)
{
    hand_out(ctx);
}

int storer_new(struct storer **ret, uv_loop_t *loop, struct store *store,
               const struct storer_settings *settings)
{
    struct storer *s = calloc(1, sizeof *s);

    if (!s)
        return -ROOST_NOMEM;
    s->settings = *settings;
    s->store = store;
    s->ops = calloc(settings->batch_max, sizeof *s->ops);
    s->results = calloc(settings->batch_max, sizeof *s->results);
    if (!s->ops || !s->results || vec_room(&s->batch, settings->batch_max))
        goto nomem;
    if (wake_init(&s->wake, loop, on_wake, s))
        goto nomem;
    uv_mutex_init(&s->lock);
    uv_cond_init(&s->cond);
    if (uv_thread_create(&s->thread, thread_main, s))
        goto nomem; /* at start: the process ends */
    *ret = s;
    return 0;
nomem:
    free(s->batch.items);
    free(s->ops);
    free(s->results);
    free(s);
    return -ROOST_NOMEM;
}

void storer_put(struct storer *s, struct store_op *op)
{
    if (s->stopped) {
        store_op_unref(op);
        return;
    }
    bool urgent = !op->patient; /* op is the thread's from now on */
    struct item item = { .op = op, .busy = s->out >= s->settings.waiting_max };

    uv_mutex_lock(&s->lock);
    while (vec_room(&s->waiting, 1)) {
        uv_mutex_unlock(&s->lock);
        usleep(NOMEM_WAIT_US); /* the thread empties it meanwhile */
        uv_mutex_lock(&s->lock);
    }
    s->waiting.items[s->waiting.n++] = item;
    s->stats.busy += item.busy;
    s->urgent += urgent;
    if (s->waiting.n == 1 || (urgent && s->urgent == 1))
        uv_cond_broadcast(&s->cond);
    uv_mutex_unlock(&s->lock);
    s->out++;
    s->out_urgent += urgent;
}

void storer_probe(struct storer *s)
{
    uv_mutex_lock(&s->lock);
    s->probing = true;
    uv_cond_broadcast(&s->cond);
    uv_mutex_unlock(&s->lock);
}

size_t storer_waiting(const struct storer *s)
{
    return s->out;
}

size_t storer_coming(const struct storer *s)
{
    return s->out_urgent;
}

void storer_stats(const struct storer *s, struct storer_stats *ret)
{
    struct storer *all = (struct storer *)s; /* only for its lock */

    uv_mutex_lock(&all->lock);
    *ret = s->stats;
    uv_mutex_unlock(&all->lock);
}

enum store_health storer_health(const struct storer *s)
{
    return s->told;
}

void storer_set_chore(struct storer *s, storer_chore *chore, void *ctx)
{
    uv_mutex_lock(&s->lock);
    s->chore = NULL;
    while (s->in_chore)
        uv_cond_wait(&s->cond, &s->lock);
    s->chore = chore;
    s->chore_ctx = ctx;
    uv_cond_broadcast(&s->cond);
    uv_mutex_unlock(&s->lock);
}

void storer_stop(struct storer *s)
{
    uv_mutex_lock(&s->lock);
    s->stopping = true;
    uv_cond_broadcast(&s->cond);
    uv_mutex_unlock(&s->lock);
    uv_thread_join(&s->thread);
    s->stopped = true;
    hand_out(s);
    wake_close(&s->wake);
}

void storer_free(struct storer *s)
{
    if (!s)
        return;
    free(s->waiting.items);
    free(s->done.items);
    free(s->batch.items);
    free(s->ops);
    free(s->results);
    uv_cond_destroy(&s->cond);
    uv_mutex_destroy(&s->lock);
    free(s);
}
