#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "server/keeper_work.h"

enum { PIECES_WAITING = 64 }; /* as many as a connection may have unanswered */

static int begin_upload(struct keeper *k, const struct hub_keep *asked)
{
    struct work *w = &k->work;
    struct statvfs v;

    if (asked->size <= BACKUP_HEAD_BYTES || asked->size > BACKUP_SIZE_MAX)
        return -ROOST_INVALID;
    int err = 0;
    keeper_begin(k, asked, UPLOAD_NAME);
    if (!statvfs(k->dir->path, &v) && asked->size / v.f_frsize >= v.f_bavail)
        err = -ROOST_FULL;
    else if ((w->fd = open(w->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        err = errno == ENOSPC ? -ROOST_FULL : -ROOST_IO;
    w->stage = ROOST__WORK_STAGE__WORK_RECEIVING;
    w->total = asked->size;
    if (err)
        keeper_drop(k);
    return err;
}

/* Everything came, and everything is written: is it good? */
void keeper_check_upload(struct keeper *k)
{
    struct work *w = &k->work;

    if (!w->all || w->stage != ROOST__WORK_STAGE__WORK_RECEIVING || k->tasks)
        return;
    struct task *t = w->failed || w->done != w->total ? NULL : keeper_task(k, CHECK_UPLOAD, 0);
    if (!t) {
        keeper_fail(w, w->failed             ? err_text(w->failed)
                       : w->done != w->total ? "a part of the file is missing"
                                             : "out of memory");
        return;
    }
    t->head = w->head;
    w->stage = ROOST__WORK_STAGE__WORK_CHECKING;
    if (keeper_start(k, t))
        keeper_fail(w, strerror(errno));
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
        keeper_fail(w, why);
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
    struct task *t = keeper_task(k, WRITE_PIECE, asked->token);
    if (!t)
        return -ROOST_NOMEM;
    t->data = asked->data;
    t->n = asked->n_data;
    t->offset = w->done - BACKUP_HEAD_BYTES;
    asked->data = NULL;
    w->done += t->n;
    int err = keeper_start(k, t);
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

void keeper_put_restore(struct keeper *k, struct hub_keep *asked)
{
    struct work *w = &k->work;
    bool again = asked->work && asked->offset + asked->n_data <= w->done; /* sent once more */
    int err = asked->work ? 0 : begin_upload(k, asked), waits = 0;

    if (!err && asked->n_data && w->stage == ROOST__WORK_STAGE__WORK_RECEIVING && !again) {
        waits = write_piece(k, asked);
        err = waits < 0 ? waits : 0;
    }
    if (!err && asked->all && w->stage == ROOST__WORK_STAGE__WORK_RECEIVING) {
        w->all = true;
        keeper_check_upload(k);
    }
    if (!err && asked->go)
        err = go(k);
    if (err)
        keeper_answer_err(k, asked->token, err);
    else if (waits <= 0)
        keeper_answer(k, asked->token, 0, NULL, 0);
    if (!err && asked->go)
        k->settings.on_restore(k->settings.ctx);
}
