#include "server/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "proto/roost.pb-c.h"
#include "server/backup.h"
#include "server/edge.h"
#include "server/log.h"
#include "store/sqlite_copy.h"

enum {
    STEP_PAGES = 32,     /* of 4 KiB: some hundred microseconds */
    PIECE_OF_TIME = 2,   /* ms on the store's thread, then it is the batches' turn */
    COPIES_MAX = 5,      /* that are lost because the store opened its file anew */
    PIECES_WAITING = 64, /* of an upload: as many as a connection may have unanswered */
};

struct work {
    uint64_t number; /* 0: none */
    unsigned what;   /* KEEP_… */
    uint64_t account;
    Roost__WorkStage stage;
    uint64_t done, total;
    int64_t asked_ms;
    char text[BACKUP_WHY_MAX];
    char path[DATADIR_PATH_MAX];
    int fd;
    uint8_t head_bytes[BACKUP_HEAD_BYTES], sum[32];
    struct backup_head head;
    bool fetched; /* its last byte */
    bool all;     /* an upload: everything came */
    int failed;   /* an upload: a piece could not be written */
};

/* On the store's thread, under lock. */
struct copying {
    struct sqlite_copy *copy;
    char path[DATADIR_PATH_MAX], why[BACKUP_WHY_MAX];
    uint64_t done, total;
    int err, tries;
    bool over, given_up;
};

struct keeper {
    struct keeper_settings settings;
    uv_loop_t *loop;
    struct storer *storer;
    const struct datadir *dir;
    struct work work;
    uint64_t next;
    uv_mutex_t lock;
    struct copying copying;
    uv_async_t copied;
    unsigned tasks; /* in libuv's threads */
    bool stopped;
};

/* A piece to be read or written, or a check, away from the loop. */
struct task {
    uv_work_t req;
    struct keeper *k;
    enum { READ_PIECE, WRITE_PIECE, FINISH_COPY, CHECK_UPLOAD } kind;
    uint64_t token, number, offset;
    uint8_t *data;
    size_t n;
    int err, fd;
    int64_t now_ms;
    /* of a check */
    unsigned what;
    char path[DATADIR_PATH_MAX], text[BACKUP_WHY_MAX];
    struct backup_head head;
    uint8_t head_bytes[BACKUP_HEAD_BYTES], sum[32];
    uint64_t size;
};

static int64_t now_ms(const struct keeper *k)
{
    return (int64_t)uv_now(k->loop);
}

/* --- answers ------------------------------------------------------------------------ */

static void answer_err(struct keeper *k, uint64_t token, int err)
{
    k->settings.on_kept(k->settings.ctx, token, &(struct hub_kept){ .err = err });
}

static void answer(struct keeper *k, uint64_t token, uint64_t offset, const uint8_t *data, size_t n)
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

static void fail(struct work *w, const char *why)
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

static void drop(struct keeper *k)
{
    struct work *w = &k->work;

    if (!w->number)
        return;
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

static int begin(struct keeper *k, const struct hub_keep *asked, const char *name)
{
    struct work *w = &k->work;

    if (k->tasks || (w->number && !is_over(k)))
        return -ROOST_BUSY;
    drop(k);
    if (is_copying(k))
        return -ROOST_BUSY;
    *w = (struct work){ .number = ++k->next, .what = asked->what, .fd = -1 };
    w->account = asked->account;
    w->asked_ms = now_ms(k);
    datadir_path(k->dir, name, w->path);
    unlink(w->path);
    return 0;
}

/* --- away from the loop -------------------------------------------------------------------- */

static void finish_copy(struct task *t)
{
    struct sqlite_info info;

    t->err = sqlite_file_check(t->path, true, &info, t->text);
    if (t->err)
        return;
    t->head.version = (uint32_t)info.version;
    if (t->what == KEEP_BACKUP)
        t->err = backup_head_make(t->head_bytes, &t->head, t->path, t->sum);
    else
        t->err = sqlite_file_prepare(t->path, t->now_ms, "a check", t->text);
    if (t->err && !t->text[0])
        snprintf(t->text, sizeof t->text, "%s: %s", err_text(t->err), strerror(errno));
    if (!t->err)
        snprintf(t->text, sizeof t->text, "%llu accounts, %llu rooms, %llu events",
                 (unsigned long long)info.accounts, (unsigned long long)info.rooms,
                 (unsigned long long)info.events);
}

static void run_task(uv_work_t *req)
{
    struct task *t = req->data;
    ssize_t n;

    switch (t->kind) {
    case READ_PIECE:
        n = pread(t->fd, t->data, t->n, (off_t)t->offset);
        t->err = n == (ssize_t)t->n ? 0 : -ROOST_IO;
        break;
    case WRITE_PIECE:
        n = pwrite(t->fd, t->data, t->n, (off_t)t->offset);
        t->err = n == (ssize_t)t->n ? 0 : n >= 0 || errno == ENOSPC ? -ROOST_FULL : -ROOST_IO;
        break;
    case FINISH_COPY:
        finish_copy(t);
        break;
    case CHECK_UPLOAD: {
        t->err = fsync(t->fd) ? -ROOST_IO : 0;
        char words[BACKUP_WHY_MAX] = "";
        if (!t->err)
            t->err = restore_check(t->k->dir, &t->head, t->now_ms, words, t->text);
        if (!t->err)
            memcpy(t->text, words, sizeof t->text);
        else if (!t->text[0])
            snprintf(t->text, sizeof t->text, "%s", err_text(t->err));
        break;
    }
    }
}

static void on_copy_checked(struct keeper *k, struct task *t)
{
    struct work *w = &k->work;

    if (t->err) {
        fail(w, t->text);
        return;
    }
    if (w->what == KEEP_BACKUP) {
        struct backup_head h;
        backup_head_decode(&h, t->head_bytes, sizeof t->head_bytes);
        memcpy(w->head_bytes, t->head_bytes, sizeof w->head_bytes);
        memcpy(w->sum, t->sum, sizeof w->sum);
        w->total = w->done = h.size + BACKUP_HEAD_BYTES;
        w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
        if (w->fd < 0) {
            fail(w, strerror(errno));
            return;
        }
    }
    unlink(w->path); /* who has it open reads on; nothing is left behind */
    w->stage = ROOST__WORK_STAGE__WORK_READY;
    snprintf(w->text, sizeof w->text, "%s", t->text);
}

static void on_upload_checked(struct work *w, const struct task *t)
{
    if (t->err) {
        fail(w, t->text);
        return;
    }
    close(w->fd);
    w->fd = -1;
    w->stage = ROOST__WORK_STAGE__WORK_READY;
    snprintf(w->text, sizeof w->text, "%s", t->text);
}

static void check_upload(struct keeper *k);

static void on_task(uv_work_t *req, int status)
{
    struct task *t = req->data;
    struct keeper *k = t->k;
    bool current = t->number == k->work.number && !k->stopped;

    (void)status;
    k->tasks--;
    if (t->fd >= 0)
        close(t->fd);
    switch (t->kind) {
    case READ_PIECE:
        if (current && !t->err)
            answer(k, t->token, t->offset + BACKUP_HEAD_BYTES, t->data, t->n);
        else if (!k->stopped)
            answer_err(k, t->token, t->err ? t->err : -ROOST_INVALID);
        break;
    case WRITE_PIECE:
        if (current && t->err && !k->work.failed)
            k->work.failed = t->err;
        if (current)
            check_upload(k);
        if (!k->stopped && (t->err || !current))
            answer_err(k, t->token, t->err ? t->err : -ROOST_INVALID);
        else if (!k->stopped)
            answer(k, t->token, 0, NULL, 0);
        break;
    case FINISH_COPY:
    case CHECK_UPLOAD:
        if (current && t->kind == FINISH_COPY)
            on_copy_checked(k, t);
        else if (current)
            on_upload_checked(&k->work, t);
        else
            unlink(t->path);
        break;
    }
    free(t->data);
    free(t);
}

static struct task *task_new(struct keeper *k, int kind, uint64_t token)
{
    struct task *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->req.data = t;
    t->k = k;
    t->kind = kind;
    t->token = token;
    t->number = k->work.number;
    t->what = k->work.what;
    t->fd = -1;
    t->now_ms = edge_now().wall_ms;
    memcpy(t->path, k->work.path, sizeof t->path);
    return t;
}

/* With a file of its own, so that it may be closed here meanwhile. Takes t. */
static int task_start(struct keeper *k, struct task *t)
{
    if (k->work.fd >= 0 && (t->fd = fcntl(k->work.fd, F_DUPFD_CLOEXEC, 3)) < 0) {
        free(t->data);
        free(t);
        return -ROOST_IO;
    }
    k->tasks++;
    uv_queue_work(k->loop, &t->req, run_task, on_task);
    return 0;
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
    bool over = k->copying.over;
    memcpy(why, k->copying.why, sizeof why);
    uv_mutex_unlock(&k->lock);
    if (!over || w->stage != ROOST__WORK_STAGE__WORK_COPYING || !w->number || k->stopped)
        return;
    see_copying(k);
    struct task *t = err ? NULL : task_new(k, FINISH_COPY, 0);
    if (!t) {
        fail(w, err == -ROOST_FULL ? "there is no room on the server's disk for a copy"
                : err && why[0]    ? why
                : err              ? err_text(err)
                                   : "out of memory");
        return;
    }
    t->head.made_ms = t->now_ms;
    memcpy(t->head.server_id, k->dir->server_id, sizeof t->head.server_id);
    w->stage = ROOST__WORK_STAGE__WORK_CHECKING;
    if (task_start(k, t))
        fail(w, strerror(errno));
}

static int begin_copy(struct keeper *k, const struct hub_keep *asked)
{
    int err = begin(k, asked, COPY_NAME);

    if (err)
        return err;
    k->work.stage = ROOST__WORK_STAGE__WORK_COPYING;
    uv_mutex_lock(&k->lock);
    k->copying = (struct copying){ 0 };
    memcpy(k->copying.path, k->work.path, sizeof k->copying.path);
    uv_mutex_unlock(&k->lock);
    storer_set_chore(k->storer, copy_chore, k);
    return 0;
}

/* --- requests ------------------------------------------------------------------------------- */

/* The work that is asked about, if it is this account's. */
static int find(struct keeper *k, const struct hub_keep *asked)
{
    struct work *w = &k->work;

    if (!w->number || asked->work != w->number || asked->what != w->what ||
        asked->account != w->account)
        return -ROOST_INVALID;
    w->asked_ms = now_ms(k);
    if (w->stage == ROOST__WORK_STAGE__WORK_COPYING)
        see_copying(k);
    return 0;
}

static void read_piece(struct keeper *k, const struct hub_keep *asked)
{
    struct work *w = &k->work;
    uint64_t end = w->total;

    if (asked->offset < BACKUP_HEAD_BYTES) { /* the head by itself: it is not in the file */
        size_t n = BACKUP_HEAD_BYTES - asked->offset;
        answer(k, asked->token, asked->offset, w->head_bytes + asked->offset, n);
        return;
    }
    uint64_t left = asked->offset < end ? end - asked->offset : 0;
    struct task *t = left ? task_new(k, READ_PIECE, asked->token) : NULL;
    if (!left) {
        answer(k, asked->token, asked->offset, NULL, 0);
        return;
    }
    size_t n = left < KEEPER_PIECE ? (size_t)left : KEEPER_PIECE;
    if (!t || !(t->data = malloc(n))) {
        free(t);
        answer_err(k, asked->token, -ROOST_NOMEM);
        return;
    }
    t->n = n;
    t->offset = asked->offset - BACKUP_HEAD_BYTES;
    w->fetched = left <= KEEPER_PIECE;
    int err = task_start(k, t);
    if (err)
        answer_err(k, asked->token, err);
}

static void put_copy(struct keeper *k, const struct hub_keep *asked)
{
    int err = asked->work ? find(k, asked) : begin_copy(k, asked);

    if (err)
        answer_err(k, asked->token, err);
    else if (asked->work && asked->what == KEEP_BACKUP &&
             k->work.stage == ROOST__WORK_STAGE__WORK_READY)
        read_piece(k, asked);
    else
        answer(k, asked->token, 0, NULL, 0);
}

static int begin_upload(struct keeper *k, const struct hub_keep *asked)
{
    struct work *w = &k->work;
    struct statvfs v;

    if (asked->size <= BACKUP_HEAD_BYTES || asked->size > BACKUP_SIZE_MAX)
        return -ROOST_INVALID;
    int err = begin(k, asked, UPLOAD_NAME);
    if (err)
        return err;
    if (!statvfs(k->dir->path, &v) && asked->size / v.f_frsize >= v.f_bavail)
        err = -ROOST_FULL;
    else if ((w->fd = open(w->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        err = errno == ENOSPC ? -ROOST_FULL : -ROOST_IO;
    w->stage = ROOST__WORK_STAGE__WORK_RECEIVING;
    w->total = asked->size;
    if (err)
        drop(k);
    return err;
}

/* Everything came, and everything is written: is it good? */
static void check_upload(struct keeper *k)
{
    struct work *w = &k->work;

    if (!w->all || w->stage != ROOST__WORK_STAGE__WORK_RECEIVING || k->tasks)
        return;
    struct task *t = w->failed || w->done != w->total ? NULL : task_new(k, CHECK_UPLOAD, 0);
    if (!t) {
        fail(w, w->failed             ? err_text(w->failed)
                : w->done != w->total ? "a part of the file is missing"
                                      : "out of memory");
        return;
    }
    t->head = w->head;
    w->stage = ROOST__WORK_STAGE__WORK_CHECKING;
    if (task_start(k, t))
        fail(w, strerror(errno));
}

/* The head stays in memory: the file is to be a database. */
static int take_head(struct work *w, struct hub_keep *asked)
{
    size_t n = asked->n_data, room = BACKUP_HEAD_BYTES - w->done;

    n = n < room ? n : room;
    memcpy(w->head_bytes + w->done, asked->data, n);
    w->done += n;
    memmove(asked->data, asked->data + n, asked->n_data - n);
    asked->n_data -= n;
    if (w->done < BACKUP_HEAD_BYTES)
        return 0;
    char why[BACKUP_WHY_MAX];
    int err = backup_head_check(&w->head, w->head_bytes, BACKUP_HEAD_BYTES, why);
    if (!err && w->head.size + BACKUP_HEAD_BYTES != w->total) {
        snprintf(why, sizeof why, "the backup is cut off, or too long");
        err = -ROOST_INVALID;
    }
    if (err)
        fail(w, why);
    return err;
}

static int write_piece(struct keeper *k, struct hub_keep *asked)
{
    struct work *w = &k->work;

    if (asked->offset != w->done || asked->n_data > w->total - w->done)
        return -ROOST_INVALID;
    if (k->tasks >= PIECES_WAITING)
        return -ROOST_BUSY;
    if (w->done < BACKUP_HEAD_BYTES && take_head(w, asked))
        return 0; /* it failed; the answer says why */
    if (!asked->n_data)
        return 0;
    struct task *t = task_new(k, WRITE_PIECE, asked->token);
    if (!t)
        return -ROOST_NOMEM;
    t->data = asked->data;
    t->n = asked->n_data;
    t->offset = w->done - BACKUP_HEAD_BYTES;
    asked->data = NULL;
    w->done += t->n;
    int err = task_start(k, t);
    return err ? err : 1;
}

static int go(struct keeper *k)
{
    struct work *w = &k->work;

    if (w->stage != ROOST__WORK_STAGE__WORK_READY)
        return -ROOST_INVALID;
    int err = restore_place(k->dir);
    if (!err)
        w->stage = ROOST__WORK_STAGE__WORK_GONE;
    return err;
}

static void put_restore(struct keeper *k, struct hub_keep *asked)
{
    struct work *w = &k->work;
    bool again = asked->work && asked->offset + asked->n_data <= w->done; /* sent once more */
    int err = asked->work ? find(k, asked) : begin_upload(k, asked), waits = 0;

    if (!err && asked->n_data && w->stage == ROOST__WORK_STAGE__WORK_RECEIVING && !again) {
        waits = write_piece(k, asked);
        err = waits < 0 ? waits : 0;
    }
    if (!err && asked->all && w->stage == ROOST__WORK_STAGE__WORK_RECEIVING) {
        w->all = true;
        check_upload(k);
    }
    if (!err && asked->go)
        err = go(k);
    if (err)
        answer_err(k, asked->token, err);
    else if (waits <= 0)
        answer(k, asked->token, 0, NULL, 0);
    if (!err && asked->go)
        k->settings.on_restore(k->settings.ctx);
}

static void put_stats(struct keeper *k, uint64_t token)
{
    struct hub_stat stats[KEEPER_STATS_MAX];
    struct hub_kept kept = { .stats = stats };

    kept.n_stats = k->settings.stats(k->settings.ctx, stats);
    k->settings.on_kept(k->settings.ctx, token, &kept);
}

void keeper_put(struct keeper *k, struct hub_keep *asked)
{
    uv_update_time(k->loop);
    if (k->stopped)
        answer_err(k, asked->token, -ROOST_SHUTTING_DOWN);
    else if (asked->what == KEEP_STATS)
        put_stats(k, asked->token);
    else if (asked->what == KEEP_RESTORE)
        put_restore(k, asked);
    else
        put_copy(k, asked);
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
    drop(k);
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
