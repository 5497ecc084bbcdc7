#include "server/hasher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "seal/digest.h"
#include "server/log.h"
#include "server/resources.h"

enum {
    TRIES = 2, /* a job that ends the process is not tried for ever */
    TRIM_AFTER_MS = 1000,
};

struct job {
    struct hub_hash hash;
    struct password_params params;
    uint64_t id; /* to the process, 0: waits */
    unsigned tries;
    struct job *next;
};

struct list {
    struct job *first, **end;
};

struct hasher {
    struct hasher_settings settings;
    uv_poll_t poll;
    uv_timer_t idle; /* since nobody waits: what a rush of logins needed goes back */
    struct list waiting, under_way;
    unsigned n_under_way;
    unsigned out; /* put and not handed back */
    bool dead;    /* no process, and no thread to stand in */
};

static void list_init(struct list *l)
{
    *l = (struct list){ .end = &l->first };
}

static void list_put(struct list *l, struct job *j)
{
    j->next = NULL;
    *l->end = j;
    l->end = &j->next;
}

/* The one at that place. */
static struct job *list_take(struct list *l, struct job **at)
{
    struct job *j = *at;

    *at = j->next;
    if (!*at)
        l->end = at;
    return j;
}

static void job_free(struct job *j)
{
    hub_hash_fini(&j->hash);
    free(j);
}

static void on_idle(uv_timer_t *idle)
{
    (void)idle;
    resources_trim();
}

static void hand_back(struct hasher *h, struct job *j, int err, bool ok, const char *encoded)
{
    if (--h->out == 0 && !uv_is_closing((uv_handle_t *)&h->idle))
        uv_timer_start(&h->idle, on_idle, TRIM_AFTER_MS, 0);
    h->settings.on_hashed(h->settings.ctx, j->hash.token, err, ok, encoded);
    job_free(j);
}

/* --- to the process --------------------------------------------------------------- */

static bool send_job(struct hasher *h, struct job *j)
{
    struct hash_process *p = h->settings.process;
    struct hash_job job = { .id = ++p->last_id, .params = j->params, .verify = j->hash.verify };

    j->id = job.id;
    memcpy(job.salt, j->hash.salt, sizeof job.salt);
    snprintf(job.password, sizeof job.password, "%s", j->hash.password);
    snprintf(job.encoded, sizeof job.encoded, "%s", j->hash.encoded ? j->hash.encoded : "");
    bool sent = send(p->fd, &job, sizeof job, MSG_NOSIGNAL) == sizeof job;
    seal_wipe(&job, sizeof job);
    return sent;
}

static bool is_too_long(const struct hub_hash *hash)
{
    return strlen(hash->password) >= HASH_PASSWORD_MAX ||
           (hash->encoded && strlen(hash->encoded) >= PASSWORD_ENCODED_MAX);
}

/* As many as it does at once; if it takes none now, what it says next comes here again. */
static void feed(struct hasher *h)
{
    while (!h->dead && h->waiting.first && h->n_under_way < h->settings.process->threads) {
        if (!send_job(h, h->waiting.first))
            return;
        struct job *j = list_take(&h->waiting, &h->waiting.first);
        j->tries++;
        h->n_under_way++;
        list_put(&h->under_way, j);
    }
}

/* --- from the process --------------------------------------------------------------- */

static void on_answer(struct hasher *h, struct hash_answer *a)
{
    struct job **at = &h->under_way.first;

    while (*at && (*at)->id != a->id)
        at = &(*at)->next;
    if (!*at)
        return; /* asked before a restore, or answered just before it was lost */
    struct job *j = list_take(&h->under_way, at);
    h->n_under_way--;
    a->encoded[sizeof a->encoded - 1] = 0;
    hand_back(h, j, a->err, a->ok, a->err || j->hash.verify ? NULL : a->encoded);
}

/* What was under way is first in the queue again, unless it was there before. */
static void on_lost(struct hasher *h)
{
    struct list lost = h->under_way, again;
    struct job *j;

    if (!lost.first)
        return;
    list_init(&again);
    list_init(&h->under_way);
    h->n_under_way = 0;
    while ((j = lost.first)) {
        lost.first = j->next;
        if (j->tries < TRIES)
            list_put(&again, j);
        else
            hand_back(h, j, -ROOST_BUSY, false, NULL);
    }
    if (!again.first)
        return;
    *again.end = h->waiting.first;
    if (!h->waiting.first)
        h->waiting.end = again.end;
    h->waiting.first = again.first;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void drop_waiting(struct hasher *h)
{
    while (h->waiting.first)
        hand_back(h, list_take(&h->waiting, &h->waiting.first), -ROOST_BUSY, false, NULL);
}

static void on_end(struct hasher *h)
{
    uv_poll_stop(&h->poll);
    on_lost(h);
    if (hash_process_stand_in(h->settings.process)) {
        log_error("the process that hashes passwords is gone, and there is no memory to stand in: "
                  "nobody can log in before the next start");
        h->dead = true;
        drop_waiting(h);
        return;
    }
    log_warn("the process that hashes passwords is gone: a thread stands in till the next start");
    uv_poll_start(&h->poll, UV_READABLE, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct hasher *h = poll->data;
    struct hash_answer a;
    ssize_t n;

    (void)status;
    (void)events;
    while ((n = recv(h->settings.process->fd, &a, sizeof a, 0)) == sizeof a) {
        if (a.id) {
            on_answer(h, &a);
        } else {
            log_warn("the process that hashes passwords died and was made anew");
            on_lost(h);
        }
        seal_wipe(&a, sizeof a);
    }
    if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        on_end(h);
    feed(h);
}

/* --- life ------------------------------------------------------------------------------- */

int hasher_new(struct hasher **ret, uv_loop_t *loop, const struct hasher_settings *settings)
{
    struct hasher *h = calloc(1, sizeof *h);

    if (!h)
        return -ROOST_NOMEM;
    h->settings = *settings;
    list_init(&h->waiting);
    list_init(&h->under_way);
    if (uv_poll_init(loop, &h->poll, settings->process->fd)) {
        free(h);
        return -ROOST_IO;
    }
    uv_timer_init(loop, &h->idle);
    uv_unref((uv_handle_t *)&h->idle); /* it keeps no loop going */
    h->poll.data = h;
    uv_poll_start(&h->poll, UV_READABLE, on_poll);
    *ret = h;
    return 0;
}

void hasher_put(struct hasher *h, const struct hub_hash *hash)
{
    struct job *j = is_too_long(hash) || h->dead ? NULL : calloc(1, sizeof *j);

    if (!j) {
        struct hub_hash lost = *hash;
        int err = !is_too_long(hash) ? -ROOST_BUSY : hash->verify ? 0 : -ROOST_INVALID;

        h->settings.on_hashed(h->settings.ctx, hash->token, err, false, NULL);
        hub_hash_fini(&lost);
        return;
    }
    j->hash = *hash;
    j->params = h->settings.params;
    h->out++;
    uv_timer_stop(&h->idle);
    list_put(&h->waiting, j);
    feed(h);
}

unsigned hasher_waiting(const struct hasher *h)
{
    return h->out;
}

void hasher_set_params(struct hasher *h, const struct password_params *params)
{
    h->settings.params = *params;
}

void hasher_stop(struct hasher *h)
{
    uv_close((uv_handle_t *)&h->poll, NULL);
    uv_close((uv_handle_t *)&h->idle, NULL);
    h->dead = true;
}

void hasher_free(struct hasher *h)
{
    if (!h)
        return;
    while (h->waiting.first)
        job_free(list_take(&h->waiting, &h->waiting.first));
    while (h->under_way.first)
        job_free(list_take(&h->under_way, &h->under_way.first));
    free(h);
}
