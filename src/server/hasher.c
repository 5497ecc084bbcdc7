#include "server/hasher.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/resources.h"
#include "server/wake.h"

enum {
    THREADS_MAX = 64,
    THREADS_AUTO_MAX = 4,
    /* The pool was idle so long: what the allocator kept of logins goes back. */
    TRIM_AFTER_MS = 1000,
};

struct job {
    struct hub_hash hash;
    struct password_params params;
    bool ok, made;
    char encoded[PASSWORD_ENCODED_MAX];
    struct job *next;
};

struct list {
    struct job *first, **end;
};

struct hasher {
    struct hasher_settings settings;
    struct wake wake;
    uv_thread_t threads[THREADS_MAX];
    unsigned n_threads;
    uv_mutex_t lock;
    uv_cond_t cond;
    struct list waiting, done; /* under lock */
    unsigned running;          /* under lock */
    bool stopping, untrimmed;  /* under lock */
    unsigned out;              /* the loop's: put and not handed back */
};

static void list_put(struct list *l, struct job *j)
{
    j->next = NULL;
    if (!l->first)
        l->end = &l->first;
    *l->end = j;
    l->end = &j->next;
}

static struct job *list_take(struct list *l)
{
    struct job *j = l->first;

    if (j)
        l->first = j->next;
    return j;
}

static void job_free(struct job *j)
{
    hub_hash_fini(&j->hash);
    free(j);
}

/* --- threads -------------------------------------------------------------------- */

static void job_run(struct job *j)
{
    if (j->hash.verify) {
        if (password_verify(j->hash.password, j->hash.encoded, &j->ok))
            j->ok = false;
    } else {
        j->made = !password_make(j->hash.password, j->hash.salt, &j->params, j->encoded,
                                 sizeof j->encoded);
        j->ok = j->made;
    }
}

/* Waits for a job; gives memory back once when none comes for a while. */
static struct job *next_job(struct hasher *h)
{
    while (!h->waiting.first && !h->stopping) {
        if (h->running || !h->untrimmed) {
            uv_cond_wait(&h->cond, &h->lock);
        } else if (uv_cond_timedwait(&h->cond, &h->lock, TRIM_AFTER_MS * 1000000ULL) ==
                       UV_ETIMEDOUT &&
                   !h->running && h->untrimmed) {
            h->untrimmed = false;
            uv_mutex_unlock(&h->lock);
            resources_trim();
            uv_mutex_lock(&h->lock);
        }
    }
    return h->stopping ? NULL : list_take(&h->waiting);
}

static void thread_main(void *arg)
{
    struct hasher *h = arg;
    struct job *j;

    /* The loop and the store have the processor at once when they wake up. Not nice: a
     * thread that gets no turn for long may hold a lock of the memory's that they need. */
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }); /* of this thread */

    uv_mutex_lock(&h->lock);
    while ((j = next_job(h))) {
        h->running++;
        uv_mutex_unlock(&h->lock);
        job_run(j);
        uv_mutex_lock(&h->lock);
        h->running--;
        h->untrimmed = true;
        list_put(&h->done, j);
        wake_send(&h->wake);
    }
    uv_mutex_unlock(&h->lock);
}

/* --- the loop --------------------------------------------------------------------- */

static void on_wake(void *ctx)
{
    struct hasher *h = ctx;
    struct job *j;

    uv_mutex_lock(&h->lock);
    struct list done = h->done;
    h->done.first = NULL;
    uv_mutex_unlock(&h->lock);

    while ((j = list_take(&done))) {
        h->out--;
        h->settings.on_hashed(h->settings.ctx, j->hash.token, j->ok, j->made ? j->encoded : NULL);
        job_free(j);
    }
}

/* A flood of logins must not have all processors. */
static unsigned threads_to_make(unsigned wanted)
{
    unsigned spare = uv_available_parallelism() - 1;

    if (wanted)
        return wanted < THREADS_MAX ? wanted : THREADS_MAX;
    return spare < 1 ? 1 : spare < THREADS_AUTO_MAX ? spare : THREADS_AUTO_MAX;
}

int hasher_new(struct hasher **ret, uv_loop_t *loop, const struct hasher_settings *settings)
{
    struct hasher *h = calloc(1, sizeof *h);

    if (!h)
        return -ROOST_NOMEM;
    h->settings = *settings;
    if (wake_init(&h->wake, loop, on_wake, h)) {
        free(h);
        return -ROOST_IO;
    }
    uv_mutex_init(&h->lock);
    uv_cond_init(&h->cond);

    /* argon2 calls no deep stack; the default of 8 MB would be address space only,
     * but is refused under a tight limit */
    uv_thread_options_t options = { UV_THREAD_HAS_STACK_SIZE, 256 * 1024 };
    unsigned wanted = threads_to_make(settings->threads);
    while (h->n_threads < wanted &&
           !uv_thread_create_ex(&h->threads[h->n_threads], &options, thread_main, h))
        h->n_threads++;
    *ret = h;
    return h->n_threads ? 0 : -ROOST_NOMEM;
}

void hasher_put(struct hasher *h, const struct hub_hash *hash)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j) {
        struct hub_hash lost = *hash;

        h->settings.on_hashed(h->settings.ctx, hash->token, false, NULL);
        hub_hash_fini(&lost);
        return;
    }
    j->hash = *hash;
    h->out++;
    uv_mutex_lock(&h->lock);
    j->params = h->settings.params;
    list_put(&h->waiting, j);
    uv_cond_signal(&h->cond);
    uv_mutex_unlock(&h->lock);
}

unsigned hasher_waiting(const struct hasher *h)
{
    return h->out;
}

void hasher_set_params(struct hasher *h, const struct password_params *params)
{
    uv_mutex_lock(&h->lock);
    h->settings.params = *params;
    uv_mutex_unlock(&h->lock);
}

void hasher_stop(struct hasher *h)
{
    uv_mutex_lock(&h->lock);
    h->stopping = true;
    uv_cond_broadcast(&h->cond);
    uv_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < h->n_threads; i++)
        uv_thread_join(&h->threads[i]);
    wake_close(&h->wake);
}

void hasher_free(struct hasher *h)
{
    struct job *j;

    if (!h)
        return;
    while ((j = list_take(&h->waiting)) || (j = list_take(&h->done)))
        job_free(j);
    uv_cond_destroy(&h->cond);
    uv_mutex_destroy(&h->lock);
    free(h);
}
