#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "server/edge.h"
#include "server/keeper_work.h"

/* --- the files that a database names ------------------------------------------------------- */

static void on_wrong(void *ctx, const struct sqlite_content *c, uint64_t inode)
{
    struct task *t = ctx;

    if (!t->n_wrong)
        snprintf(t->first, sizeof t->first, "file %llu, '%.60s', is %s",
                 (unsigned long long)c->file, c->name, inode ? "damaged" : "missing");
    if (t->n_wrong == KEEPER_WRONG_MAX)
        return;
    if (!t->wrong && !(t->wrong = calloc(KEEPER_WRONG_MAX, sizeof *t->wrong)))
        return; /* it is counted */
    t->wrong[t->n_wrong++] = (struct wrong_content){ *c, inode };
    t->wrong[t->n_wrong - 1].content.name = NULL;
}

static void look_at_files(struct task *t)
{
    const struct contents_look look = { .data = t->k->dir->path,
                                        .database = t->path,
                                        .since_s = t->since_s,
                                        .stop = &t->k->stop_looking,
                                        .on_wrong = on_wrong,
                                        .ctx = t };
    const struct contents_found *f = &t->found;
    char words[BACKUP_WHY_MAX];

    t->err = contents_look(&look, &t->found);
    uint64_t wrong = f->missing + f->damaged;
    if (t->err)
        snprintf(words, sizeof words, "cannot look through the files: %s", err_text(t->err));
    else if (wrong)
        snprintf(words, sizeof words, "%s%s; copy from a backup, or have it sent again", t->first,
                 wrong > 1 ? " (and others: the log names them)" : "");
    else
        snprintf(words, sizeof words, "%.120s; %llu files, %llu bytes", t->text,
                 (unsigned long long)f->files, (unsigned long long)f->bytes);
    memcpy(t->text, words, sizeof t->text);
    if (wrong)
        t->err = -ROOST_UNREADABLE;
}

/* --- tasks --------------------------------------------------------------------------------- */

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
    if (!t->err && t->what == KEEP_CHECK)
        look_at_files(t);
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

    for (size_t i = 0; i < t->n_wrong; i++)
        k->settings.on_wrong(k->settings.ctx, &t->wrong[i].content, t->wrong[i].inode);
    if (t->err) {
        keeper_fail(w, t->text);
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
            keeper_fail(w, strerror(errno));
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
        keeper_fail(w, t->text);
        return;
    }
    close(w->fd);
    w->fd = -1;
    w->stage = ROOST__WORK_STAGE__WORK_READY;
    snprintf(w->text, sizeof w->text, "%s", t->text);
}

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
            keeper_answer(k, t->token, t->offset + BACKUP_HEAD_BYTES, t->data, t->n);
        else if (!current && !k->stopped)
            keeper_answer_gone(k, t->token, t->number);
        else if (!k->stopped)
            keeper_answer_err(k, t->token, t->err);
        break;
    case WRITE_PIECE:
        if (current && t->err && !k->work.failed)
            k->work.failed = t->err;
        if (current)
            keeper_check_upload(k);
        if (!current && !k->stopped)
            keeper_answer_gone(k, t->token, t->number);
        else if (t->err && !k->stopped)
            keeper_answer_err(k, t->token, t->err);
        else if (!k->stopped)
            keeper_answer(k, t->token, 0, NULL, 0);
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
    free(t->wrong);
    free(t->data);
    free(t);
    if (!k->stopped) {
        keeper_see_checking(k);
        keeper_resume(k);
    }
}

struct task *keeper_task(struct keeper *k, int kind, uint64_t token)
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
    t->since_s = k->work.since_s;
    t->fd = -1;
    t->now_ms = edge_now().wall_ms;
    memcpy(t->path, k->work.path, sizeof t->path);
    return t;
}

/* With a file of its own, so that it may be closed here meanwhile. Takes t. */
int keeper_start(struct keeper *k, struct task *t)
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
