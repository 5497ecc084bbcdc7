/* Stories about the store's thread. The store is ours: it notes what it is given, and can be
 * held up, so that what comes meanwhile is known. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "server/storer.h"
#include "store/store.h"
#include "test.h"

enum { RESULTS_MAX = 256 };

/* On the heap, and lost when a CHECK fails: its thread may still use it. */
struct scene {
    struct store store; /* first: the thread's view of it */
    uv_loop_t loop;
    struct storer *storer;

    uv_mutex_t lock;
    uv_cond_t cond;
    bool closed, entered;     /* under lock: begin waits; somebody waits in it */
    int commit_err;           /* under lock: of the next commit */
    bool starved;             /* under lock: the next operation finds no memory */
    enum store_health health; /* under lock */
    size_t batches[64], n_batches, n_applied, n_rolled; /* under lock */
    int probe_err, chores;                              /* under lock */

    struct store_result *results[RESULTS_MAX]; /* the loop's */
    size_t n_results, n_probed, n_health;
    int probed_err;
    enum store_health told;
};

static struct scene *scene_of(const struct store *s)
{
    return (struct scene *)s;
}

/* --- the store ------------------------------------------------------------------- */

static int begin(struct store *store)
{
    struct scene *s = scene_of(store);

    uv_mutex_lock(&s->lock);
    s->entered = true;
    uv_cond_broadcast(&s->cond);
    while (s->closed)
        uv_cond_wait(&s->cond, &s->lock);
    s->entered = false;
    s->batches[s->n_batches++ % 64] = 0;
    uv_mutex_unlock(&s->lock);
    return 0;
}

static struct store_result *apply(struct store *store, const struct store_op *op)
{
    struct scene *s = scene_of(store);

    uv_mutex_lock(&s->lock);
    bool starved = s->starved;
    s->starved = false;
    s->n_applied++;
    s->batches[(s->n_batches - 1) % 64]++;
    uv_mutex_unlock(&s->lock);
    struct store_result *r = starved ? NULL : store_result_new(op);
    if (r)
        r->seq = op->seq;
    return r;
}

static int commit(struct store *store)
{
    struct scene *s = scene_of(store);

    uv_mutex_lock(&s->lock);
    int err = s->commit_err;
    s->commit_err = 0;
    uv_mutex_unlock(&s->lock);
    return err;
}

static void rollback(struct store *store)
{
    struct scene *s = scene_of(store);

    uv_mutex_lock(&s->lock);
    s->n_rolled++;
    uv_mutex_unlock(&s->lock);
}

static enum store_health health(const struct store *store, const char **ret_why)
{
    struct scene *s = scene_of(store);

    if (ret_why)
        *ret_why = "because the story says so";
    uv_mutex_lock(&s->lock);
    enum store_health h = s->health;
    uv_mutex_unlock(&s->lock);
    return h;
}

static void try_again(struct store *store, int64_t now_ms)
{
    struct scene *s = scene_of(store);

    (void)now_ms;
    uv_mutex_lock(&s->lock);
    s->health = STORE_FINE;
    uv_mutex_unlock(&s->lock);
}

static int probe(struct store *store)
{
    struct scene *s = scene_of(store);

    uv_mutex_lock(&s->lock);
    int err = s->probe_err;
    uv_mutex_unlock(&s->lock);
    return err;
}

/* --- the loop --------------------------------------------------------------------- */

static void on_result(void *ctx, struct store_result *r)
{
    struct scene *s = ctx;

    if (s->n_results < RESULTS_MAX)
        s->results[s->n_results++] = r;
    else
        store_result_free(r);
}

static void on_probed(void *ctx, int err)
{
    struct scene *s = ctx;

    s->n_probed++;
    s->probed_err = err;
}

static void on_health(void *ctx, enum store_health now, const char *why)
{
    struct scene *s = ctx;

    s->n_health++;
    s->told = now;
    CHECK(strcmp(why, "because the story says so") == 0);
}

static struct scene *scene_new(size_t waiting_max, size_t batch_max)
{
    static const struct store_ops ops = { .begin = begin,
                                          .apply = apply,
                                          .commit = commit,
                                          .rollback = rollback,
                                          .health = health,
                                          .probe = try_again };
    struct scene *s = calloc(1, sizeof *s);

    CHECK(s);
    s->store.ops = &ops;
    uv_mutex_init(&s->lock);
    uv_cond_init(&s->cond);
    uv_loop_init(&s->loop);
    struct storer_settings settings = { .waiting_max = waiting_max,
                                        .batch_max = batch_max,
                                        .on_result = on_result,
                                        .probe = probe,
                                        .on_probed = on_probed,
                                        .on_health = on_health,
                                        .health_ctx = s,
                                        .ctx = s };
    CHECK(storer_new(&s->storer, &s->loop, &s->store, &settings) == 0);
    return s;
}

static void forget(struct scene *s)
{
    for (size_t i = 0; i < s->n_results; i++)
        store_result_free(s->results[i]);
    s->n_results = 0;
}

static void scene_free(struct scene *s)
{
    storer_stop(s->storer);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    storer_free(s->storer);
    CHECK(uv_loop_close(&s->loop) == 0);
    forget(s);
    uv_cond_destroy(&s->cond);
    uv_mutex_destroy(&s->lock);
    free(s);
}

static void put(struct scene *s, uint64_t number, bool patient)
{
    struct store_op *op = store_op_new(STORE_LOG, 0);

    CHECK(op);
    op->token = op->seq = number;
    op->patient = patient;
    storer_put(s->storer, op);
}

static void put_many(struct scene *s, uint64_t from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        put(s, from + i, false);
}

static void hold(struct scene *s, bool closed)
{
    uv_mutex_lock(&s->lock);
    s->closed = closed;
    uv_cond_broadcast(&s->cond);
    uv_mutex_unlock(&s->lock);
}

/* Until the thread is held up with a batch. */
static void until_held(struct scene *s)
{
    uv_mutex_lock(&s->lock);
    while (!s->entered)
        uv_cond_wait(&s->cond, &s->lock);
    uv_mutex_unlock(&s->lock);
}

static void until_results(struct scene *s, size_t n)
{
    while (s->n_results < n)
        uv_run(&s->loop, UV_RUN_ONCE);
    CHECK(s->n_results == n && storer_waiting(s->storer) == 0);
}

static void check_order(struct scene *s, uint64_t from)
{
    for (size_t i = 0; i < s->n_results; i++)
        CHECK(s->results[i]->token == from + i);
}

/* --- stories ------------------------------------------------------------------------ */

static void results_come_in_the_order_of_putting(void)
{
    struct scene *s = scene_new(1000, 16);

    for (uint64_t i = 0; i < 20; i++) {
        put_many(s, 1 + i * 10, 10);
        uv_run(&s->loop, UV_RUN_NOWAIT); /* some may be done already */
    }
    until_results(s, 200);
    check_order(s, 1);
    for (size_t i = 0; i < 200; i++)
        CHECK(s->results[i]->err == 0 && s->results[i]->seq == i + 1);
    struct storer_stats stats;
    storer_stats(s->storer, &stats);
    CHECK(stats.ops == 200 && stats.busy == 0 && stats.failed == 0);
    scene_free(s);
}

static void what_comes_meanwhile_is_the_next_batch(void)
{
    struct scene *s = scene_new(1000, 4);

    hold(s, true);
    put(s, 1, false);
    until_held(s);
    put_many(s, 2, 3); /* one batch */
    hold(s, false);
    until_results(s, 4);
    CHECK(s->n_batches == 2 && s->batches[0] == 1 && s->batches[1] == 3);

    hold(s, true);
    put(s, 5, false);
    until_held(s);
    put_many(s, 6, 10); /* more than one batch may hold */
    hold(s, false);
    until_results(s, 15);
    CHECK(s->n_batches == 6 && s->batches[3] == 4 && s->batches[4] == 4 && s->batches[5] == 2);
    check_order(s, 1);
    scene_free(s);
}

static void above_the_bound_it_is_busy(void)
{
    struct scene *s = scene_new(4, 16);

    hold(s, true);
    put(s, 1, false);
    until_held(s);
    put_many(s, 2, 5);
    CHECK(storer_waiting(s->storer) == 6);
    hold(s, false);
    until_results(s, 6);
    check_order(s, 1); /* in its turn */
    for (size_t i = 0; i < 6; i++)
        CHECK(s->results[i]->err == (i < 4 ? 0 : -ROOST_BUSY));
    CHECK(s->n_applied == 4); /* and nothing was done */
    struct storer_stats stats;
    storer_stats(s->storer, &stats);
    CHECK(stats.busy == 2);

    forget(s);
    put(s, 7, false); /* there is room again */
    until_results(s, 1);
    CHECK(s->results[0]->err == 0);
    scene_free(s);
}

static void a_failed_batch_fails_all_of_it_and_no_other(void)
{
    struct scene *s = scene_new(100, 16);

    hold(s, true);
    put(s, 1, false);
    until_held(s);
    put_many(s, 2, 3);
    hold(s, false);
    until_results(s, 4);
    forget(s);

    hold(s, true);
    put_many(s, 5, 1);
    until_held(s);
    s->commit_err = -ROOST_NOT_STORED; /* of the batch in hand */
    put_many(s, 6, 2);
    hold(s, false);
    until_results(s, 3);
    check_order(s, 5);
    CHECK(s->results[0]->err == -ROOST_NOT_STORED && s->results[0]->seq == 0);
    CHECK(s->results[1]->err == 0 && s->results[2]->err == 0);

    /* an operation for which there is no memory takes its batch with it */
    forget(s);
    hold(s, true);
    put(s, 8, false);
    until_held(s);
    put_many(s, 9, 3);
    hold(s, false);
    until_results(s, 4);
    forget(s);
    uv_mutex_lock(&s->lock);
    s->starved = true;
    uv_mutex_unlock(&s->lock);
    put(s, 12, false);
    until_results(s, 1);
    CHECK(s->results[0]->err == -ROOST_NOT_STORED && s->n_rolled == 1);
    scene_free(s);
}

static void stopping_finishes_what_waits(void)
{
    struct scene *s = scene_new(100, 4);

    hold(s, true);
    put(s, 1, false);
    until_held(s);
    put_many(s, 2, 9);
    put(s, 11, true); /* a patient one does not hold the end up */
    hold(s, false);
    storer_stop(s->storer); /* the loop does not run */
    CHECK(s->n_results == 11);
    check_order(s, 1);
    put(s, 12, false); /* nobody is there any more */
    uv_run(&s->loop, UV_RUN_DEFAULT);
    CHECK(s->n_results == 11 && storer_waiting(s->storer) == 0);
    storer_free(s->storer);
    CHECK(uv_loop_close(&s->loop) == 0);
    forget(s);
    uv_cond_destroy(&s->cond);
    uv_mutex_destroy(&s->lock);
    free(s);
}

/* Those who are not logged in share commits; nobody who is waits for that. */
static void patient_ones_wait_for_company(void)
{
    struct scene *s = scene_new(100, 16);

    put(s, 1, true);
    until_results(s, 1);
    uint64_t before_ns = uv_hrtime();
    for (uint64_t i = 0; i < 5; i++) { /* each alone would be one of fifty a second */
        put(s, 2 + i, true);
        until_results(s, 2 + i);
    }
    CHECK(uv_hrtime() - before_ns >= 80 * 1000000ULL);
    check_order(s, 1);
    put(s, 7, true);
    put(s, 8, false);
    until_results(s, 8);
    check_order(s, 1);
    scene_free(s);
}

static void a_probe_is_answered_between_batches(void)
{
    struct scene *s = scene_new(100, 16);

    storer_probe(s->storer);
    while (!s->n_probed)
        uv_run(&s->loop, UV_RUN_ONCE);
    CHECK(s->probed_err == 0);

    hold(s, true);
    put(s, 1, false);
    until_held(s);
    uv_mutex_lock(&s->lock);
    s->probe_err = -ROOST_IO;
    uv_mutex_unlock(&s->lock);
    storer_probe(s->storer);
    storer_probe(s->storer); /* one answer for both */
    hold(s, false);
    while (s->n_probed < 2 || s->n_results < 1)
        uv_run(&s->loop, UV_RUN_ONCE);
    storer_stop(s->storer);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    CHECK(s->n_probed == 2 && s->probed_err == -ROOST_IO);
    storer_free(s->storer);
    CHECK(uv_loop_close(&s->loop) == 0);
    forget(s);
    free(s);
}

static bool piece(void *ctx, struct store *store)
{
    struct scene *s = ctx;

    CHECK(store == &s->store);
    uv_mutex_lock(&s->lock);
    bool more = ++s->chores < 50;
    uv_mutex_unlock(&s->lock);
    return more;
}

static bool for_ever(void *ctx, struct store *store)
{
    struct scene *s = ctx;

    (void)store;
    uv_mutex_lock(&s->lock);
    s->chores++;
    uv_cond_broadcast(&s->cond);
    uv_mutex_unlock(&s->lock);
    return true;
}

static void long_work_is_done_between_batches(void)
{
    struct scene *s = scene_new(100, 16);

    storer_set_chore(s->storer, piece, s);
    put_many(s, 1, 10);
    until_results(s, 10);
    for (int n = 0; n < 50;) {
        uv_mutex_lock(&s->lock);
        n = s->chores;
        uv_mutex_unlock(&s->lock);
        usleep(1000);
    }

    /* operations are not held up by it, and it is over when it is taken away */
    storer_set_chore(s->storer, for_ever, s);
    put_many(s, 11, 10);
    until_results(s, 20);
    check_order(s, 1);
    storer_set_chore(s->storer, NULL, NULL);
    uv_mutex_lock(&s->lock);
    int chores = s->chores;
    uv_mutex_unlock(&s->lock);
    put(s, 21, false);
    until_results(s, 21);
    uv_mutex_lock(&s->lock);
    CHECK(s->chores == chores && chores > 50);
    uv_mutex_unlock(&s->lock);
    scene_free(s);
}

static void how_it_is_with_the_disk_is_told(void)
{
    struct scene *s = scene_new(100, 16);

    uv_mutex_lock(&s->lock);
    s->health = STORE_NO_ROOM;
    uv_mutex_unlock(&s->lock);
    put(s, 1, false);
    while (s->n_health < 1)
        uv_run(&s->loop, UV_RUN_ONCE);
    CHECK(s->told == STORE_NO_ROOM && storer_health(s->storer) == STORE_NO_ROOM);
    while (s->n_health < 2) /* it is tried again by itself */
        uv_run(&s->loop, UV_RUN_ONCE);
    CHECK(s->told == STORE_FINE && storer_health(s->storer) == STORE_FINE);
    scene_free(s);
}

TEST_MAIN({ "results_come_in_the_order_of_putting", results_come_in_the_order_of_putting },
          { "what_comes_meanwhile_is_the_next_batch", what_comes_meanwhile_is_the_next_batch },
          { "above_the_bound_it_is_busy", above_the_bound_it_is_busy },
          { "a_failed_batch_fails_all_of_it_and_no_other",
            a_failed_batch_fails_all_of_it_and_no_other },
          { "stopping_finishes_what_waits", stopping_finishes_what_waits },
          { "patient_ones_wait_for_company", patient_ones_wait_for_company },
          { "a_probe_is_answered_between_batches", a_probe_is_answered_between_batches },
          { "long_work_is_done_between_batches", long_work_is_done_between_batches },
          { "how_it_is_with_the_disk_is_told", how_it_is_with_the_disk_is_told })
