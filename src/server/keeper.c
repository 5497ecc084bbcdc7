#include "server/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "server/edge.h"
#include "server/keeper_work.h"
#include "server/log.h"

enum {
    STEP_PAGES = 32,   /* of 4 KiB: some hundred microseconds */
    PIECE_OF_TIME = 2, /* ms on the store's thread, then it is the batches' turn */
    COPIES_MAX = 5,    /* that are lost because the store opened its file anew */
};

static int64_t now_ms(const struct keeper *k)
{
    return (int64_t)uv_now(k->loop);
}

/* --- answers ------------------------------------------------------------------------ */

void keeper_answer_err(struct keeper *k, uint64_t token, int err)
{
    k->settings.on_kept(k->settings.ctx, token, &(struct hub_kept){ .err = err });
}

void keeper_answer(struct keeper *k, uint64_t token, uint64_t offset, const uint8_t *data, size_t n)
{
    const struct work *w = &k->work;
    struct hub_kept kept = { .work = w->number,
                             .stage = w->stage,
                             .done = w->done,
                             .total = w->total,
                             .offset = offset,
                             .data = data,
                             .n_data = n,
                             .text = w->text };

    if (w->what == KEEP_BACKUP && w->stage == ROOST__WORK_STAGE__WORK_READY)
        kept.sha256 = w->sum;
    k->settings.on_kept(k->settings.ctx, token, &kept);
}

void keeper_answer_gone(struct keeper *k, uint64_t token, uint64_t number)
{
    const struct hub_kept kept = { .work = number,
                                   .stage = ROOST__WORK_STAGE__WORK_FAILED,
                                   .text = "it was given up for other work" };

    k->settings.on_kept(k->settings.ctx, token, &kept);
}

/* Contents are looked for by what the copy says. */
void keeper_see_checking(struct keeper *k)
{
    const struct work *w = &k->work;
    bool checking = w->number && w->what == KEEP_CHECK && w->stage < ROOST__WORK_STAGE__WORK_READY;

    if (checking == k->checking)
        return;
    k->checking = checking;
    k->settings.on_checking(k->settings.ctx, checking);
}

void keeper_fail(struct work *w, const char *why)
{
    w->stage = ROOST__WORK_STAGE__WORK_FAILED;
    snprintf(w->text, sizeof w->text, "%s", why);
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    unlink(w->path);
    log_warn("%s failed: %s",
             w->what == KEEP_BACKUP  ? "a backup"
             : w->what == KEEP_CHECK ? "a check of the database"
                                     : "a restore",
             why);
}

/* --- life of a piece of work ------------------------------------------------------------ */

void keeper_drop(struct keeper *k)
{
    struct work *w = &k->work;

    if (!w->number)
        return;
    __atomic_store_n(&k->stop_looking, true, __ATOMIC_RELAXED);
    uv_mutex_lock(&k->lock);
    k->copying.given_up = true; /* the thread that makes it ends it */
    uv_mutex_unlock(&k->lock);
    if (w->fd >= 0)
        close(w->fd);
    if (w->stage != ROOST__WORK_STAGE__WORK_GONE)
        unlink(w->path);
    *w = (struct work){ .fd = -1 };
}

static bool is_over(const struct keeper *k)
{
    const struct work *w = &k->work;

    return w->stage == ROOST__WORK_STAGE__WORK_FAILED || w->fetched ||
           (w->what == KEEP_CHECK && w->stage == ROOST__WORK_STAGE__WORK_READY) ||
           now_ms(k) - w->asked_ms > KEEPER_IDLE_MS;
}

static bool is_copying(struct keeper *k)
{
    uv_mutex_lock(&k->lock);
    bool is = k->copying.copy != NULL;
    uv_mutex_unlock(&k->lock);
    return is;
}

/* May what goes on be given up for this? */
static bool gives_way(const struct keeper *k, const struct hub_keep *asked)
{
    const struct work *w = &k->work;

    return !w->number || is_over(k) || w->left || w->conn == asked->conn ||
           (w->account == asked->account && w->what == asked->what);
}

void keeper_begin(struct keeper *k, const struct hub_keep *asked, const char *name)
{
    struct work *w = &k->work;

    *w = (struct work){ .number = ++k->next, .what = asked->what, .fd = -1 };
    w->account = asked->account;
    w->conn = asked->conn;
    w->asked_ms = now_ms(k);
    w->since_s = edge_now().wall_ms / 1000;
    __atomic_store_n(&k->stop_looking, false, __ATOMIC_RELAXED);
    datadir_path(k->dir, name, w->path);
    unlink(w->path);
}

/* --- the copy --------------------------------------------------------------------------------- */

static int copy_some(struct copying *c, struct store *store)
{
    uint64_t end_ns = uv_hrtime() + PIECE_OF_TIME * 1000000ULL;
    int r = 1;

    if (!c->copy)
        r = sqlite_copy_begin(&c->copy, store, c->path, c->why) ? -ROOST_IO : 1;
    while (r == 1 && uv_hrtime() < end_ns)
        r = sqlite_copy_step(c->copy, STEP_PAGES, &c->done, &c->total);
    if (r == 1)
        return r;
    int end = c->copy ? sqlite_copy_end(c->copy) : r;
    c->copy = NULL;
    if (r == -ROOST_NOT_STORED && ++c->tries < COPIES_MAX) {
        unlink(c->path); /* the store opened its file anew meanwhile: once more */
        return 1;
    }
    return r ? r : end;
}

/* On the store's thread. */
static bool copy_chore(void *ctx, struct store *store)
{
    struct keeper *k = ctx;

    uv_mutex_lock(&k->lock);
    if (k->copying.given_up) {
        sqlite_copy_end(k->copying.copy);
        k->copying.copy = NULL;
        uv_async_send(&k->copied);
    }
    int r = k->copying.over || k->copying.given_up ? 0 : copy_some(&k->copying, store);
    bool over = r != 1;
    if (over && !k->copying.over) {
        k->copying.over = true;
        k->copying.err = r;
        uv_async_send(&k->copied);
    }
    uv_mutex_unlock(&k->lock);
    return !over;
}

static void see_copying(struct keeper *k)
{
    uv_mutex_lock(&k->lock);
    k->work.done = k->copying.done;
    k->work.total = k->copying.total;
    uv_mutex_unlock(&k->lock);
}

static void on_copied(uv_async_t *async)
{
    struct keeper *k = async->data;
    struct work *w = &k->work;
    char why[BACKUP_WHY_MAX];

    uv_mutex_lock(&k->lock);
    int err = k->copying.err;
    bool over = k->copying.over, given_up = k->copying.given_up;
    memcpy(why, k->copying.why, sizeof why);
    uv_mutex_unlock(&k->lock);
    if (k->stopped)
        return;
    if (given_up)
        keeper_resume(k);
    if (given_up || !over || w->stage != ROOST__WORK_STAGE__WORK_COPYING || !w->number)
        return;
    see_copying(k);
    struct task *t = err ? NULL : keeper_task(k, FINISH_COPY, 0);
    if (!t) {
        keeper_fail(w, err == -ROOST_FULL ? "there is no room on the server's disk for a copy"
                       : err && why[0]    ? why
                       : err              ? err_text(err)
                                          : "out of memory");
        return;
    }
    t->head.made_ms = t->now_ms;
    memcpy(t->head.server_id, k->dir->server_id, sizeof t->head.server_id);
    w->stage = ROOST__WORK_STAGE__WORK_CHECKING;
    if (keeper_start(k, t))
        keeper_fail(w, strerror(errno));
    keeper_see_checking(k);
}

static void begin_copy(struct keeper *k, const struct hub_keep *asked)
{
    keeper_begin(k, asked, COPY_NAME);
    k->work.stage = ROOST__WORK_STAGE__WORK_COPYING;
    uv_mutex_lock(&k->lock);
    k->copying = (struct copying){ 0 };
    memcpy(k->copying.path, k->work.path, sizeof k->copying.path);
    uv_mutex_unlock(&k->lock);
    storer_set_chore(k->storer, copy_chore, k);
}

/* --- requests ------------------------------------------------------------------------------- */

/* The work that is asked about, if it is this account's. */
static bool find(struct keeper *k, const struct hub_keep *asked)
{
    struct work *w = &k->work;

    if (!w->number || asked->work != w->number || asked->what != w->what ||
        asked->account != w->account)
        return false;
    w->asked_ms = now_ms(k);
    w->conn = asked->conn;
    w->left = false;
    if (w->stage == ROOST__WORK_STAGE__WORK_COPYING)
        see_copying(k);
    return true;
}

static void read_piece(struct keeper *k, const struct hub_keep *asked)
{
    struct work *w = &k->work;
    uint64_t end = w->total;

    if (asked->offset < BACKUP_HEAD_BYTES) { /* the head by itself: it is not in the file */
        size_t n = BACKUP_HEAD_BYTES - asked->offset;
        keeper_answer(k, asked->token, asked->offset, w->head_bytes + asked->offset, n);
        return;
    }
    uint64_t left = asked->offset < end ? end - asked->offset : 0;
    struct task *t = left ? keeper_task(k, READ_PIECE, asked->token) : NULL;
    if (!left) {
        keeper_answer(k, asked->token, asked->offset, NULL, 0);
        return;
    }
    size_t n = left < KEEPER_PIECE ? (size_t)left : KEEPER_PIECE;
    if (!t || !(t->data = malloc(n))) {
        free(t);
        keeper_answer_err(k, asked->token, -ROOST_NOMEM);
        return;
    }
    t->n = n;
    t->offset = asked->offset - BACKUP_HEAD_BYTES;
    w->fetched = left <= KEEPER_PIECE;
    int err = keeper_start(k, t);
    if (err)
        keeper_answer_err(k, asked->token, err);
}

static void put_copy(struct keeper *k, const struct hub_keep *asked)
{
    if (!asked->work)
        begin_copy(k, asked);
    if (asked->work && asked->what == KEEP_BACKUP && k->work.stage == ROOST__WORK_STAGE__WORK_READY)
        read_piece(k, asked);
    else
        keeper_answer(k, asked->token, 0, NULL, 0);
}

static void put_stats(struct keeper *k, uint64_t token)
{
    struct hub_stat stats[KEEPER_STATS_MAX];
    struct hub_kept kept = { .stats = stats };

    kept.n_stats = k->settings.stats(k->settings.ctx, stats);
    k->settings.on_kept(k->settings.ctx, token, &kept);
}

static void put(struct keeper *k, struct hub_keep *asked)
{
    if (asked->what == KEEP_RESTORE)
        keeper_put_restore(k, asked);
    else
        put_copy(k, asked);
}

/* What is given up ends on its own threads; until then its files are not touched. */
static void put_first(struct keeper *k, struct hub_keep *asked)
{
    if (k->holds || !gives_way(k, asked)) {
        keeper_answer_err(k, asked->token, -ROOST_WORK_GOING);
        return;
    }
    keeper_drop(k);
    if (!k->tasks && !is_copying(k)) {
        put(k, asked);
        return;
    }
    k->held = *asked;
    k->holds = true;
    *asked = (struct hub_keep){ 0 };
}

void keeper_resume(struct keeper *k)
{
    if (!k->holds || k->tasks || is_copying(k))
        return;
    struct hub_keep asked = k->held;
    k->holds = false;
    put(k, &asked);
    keeper_see_checking(k);
    hub_keep_fini(&asked);
}

static void put_left(struct keeper *k, uint64_t conn)
{
    if (k->work.conn == conn)
        k->work.left = true;
    if (k->holds && k->held.conn == conn) {
        k->holds = false;
        hub_keep_fini(&k->held);
    }
}

void keeper_put(struct keeper *k, struct hub_keep *asked)
{
    uv_update_time(k->loop);
    if (asked->what == KEEP_LEFT)
        put_left(k, asked->conn);
    else if (k->stopped)
        keeper_answer_err(k, asked->token, -ROOST_SHUTTING_DOWN);
    else if (asked->what == KEEP_STATS)
        put_stats(k, asked->token);
    else if (!asked->work)
        put_first(k, asked);
    else if (find(k, asked))
        put(k, asked);
    else if (asked->go) /* nothing but an error says clearly enough that it is not done */
        keeper_answer_err(k, asked->token, -ROOST_WORK_GOING);
    else
        keeper_answer_gone(k, asked->token, asked->work);
    keeper_see_checking(k);
    hub_keep_fini(asked);
}

/* --- life ------------------------------------------------------------------------------------- */

int keeper_new(struct keeper **ret, uv_loop_t *loop, struct storer *storer,
               const struct datadir *dir, const struct keeper_settings *settings)
{
    struct keeper *k = calloc(1, sizeof *k);

    if (!k)
        return -ROOST_NOMEM;
    k->settings = *settings;
    k->loop = loop;
    k->storer = storer;
    k->dir = dir;
    k->work.fd = -1;
    uv_mutex_init(&k->lock);
    uv_async_init(loop, &k->copied, on_copied);
    k->copied.data = k;
    datadir_remove(dir, COPY_NAME); /* of a process that was killed */
    datadir_remove(dir, UPLOAD_NAME);
    *ret = k;
    return 0;
}

void keeper_stop(struct keeper *k)
{
    if (!k || k->stopped)
        return;
    keeper_drop(k);
    if (k->holds)
        keeper_answer_err(k, k->held.token, -ROOST_SHUTTING_DOWN);
    hub_keep_fini(&k->held);
    k->holds = false;
    k->stopped = true;
    uv_close((uv_handle_t *)&k->copied, NULL);
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    sqlite_copy_end(k->copying.copy);
    uv_mutex_destroy(&k->lock);
    free(k);
}
