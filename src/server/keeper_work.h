/* keeper_work.h - inside the keeper: the piece of work, and what is done away from the loop.
 *
 * keeper.c answers and copies, keeper_upload.c takes the file of a restore, keeper_task.c
 * runs in libuv's threads.
 */
#pragma once

#include "proto/roost.pb-c.h"
#include "server/backup.h"
#include "server/keeper.h"
#include "store/sqlite_copy.h"

enum { KEEPER_WRONG_MAX = 1000 /* contents that a check remembers; it counts all */ };

struct wrong_content {
    struct sqlite_content content; /* without its name */
    uint64_t inode;
};

struct work {
    uint64_t number; /* 0: none */
    unsigned what;   /* KEEP_… */
    uint64_t account, conn;
    bool left; /* the connection that asked last is gone */
    Roost__WorkStage stage;
    uint64_t done, total;
    int64_t asked_ms;
    char text[BACKUP_WHY_MAX];
    char path[DATADIR_PATH_MAX];
    int fd;
    uint8_t head_bytes[BACKUP_HEAD_BYTES], sum[32];
    struct backup_head head;
    bool fetched;    /* its last byte */
    bool all;        /* an upload: everything came */
    int64_t since_s; /* a check: when the copy was begun; wall clock */
    int failed;      /* an upload: a piece could not be written */
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
    unsigned tasks;       /* in libuv's threads */
    bool checking;        /* as on_checking was told */
    bool stop_looking;    /* set here, read there: a look through files ends */
    struct hub_keep held; /* begins as soon as what was given up has ended */
    bool holds;
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
    struct contents_found found;
    struct wrong_content *wrong;
    size_t n_wrong;
    char first[120]; /* the first of them, in words */
    int64_t since_s;
};

/* --- keeper.c --- */

void keeper_answer_err(struct keeper *k, uint64_t token, int err);
/* How the work stands, with a piece of the file. */
void keeper_answer(struct keeper *k, uint64_t token, uint64_t offset, const uint8_t *data,
                   size_t n);
/* There is no such work any more. */
void keeper_answer_gone(struct keeper *k, uint64_t token, uint64_t number);
void keeper_see_checking(struct keeper *k); /* after what changed the work's stage */
void keeper_fail(struct work *w, const char *why);
void keeper_drop(struct keeper *k);
/* Something ended: does what waits for it. */
void keeper_resume(struct keeper *k);
/* New work with a file of that name; only when nothing goes on. */
void keeper_begin(struct keeper *k, const struct hub_keep *asked, const char *name);

/* --- keeper_task.c --- */

struct task *keeper_task(struct keeper *k, int kind, uint64_t token); /* NULL: out of memory */
/* With a file of its own, so that the work's may be closed meanwhile. Takes t. */
int keeper_start(struct keeper *k, struct task *t);

/* --- keeper_upload.c --- */

void keeper_put_restore(struct keeper *k, struct hub_keep *asked);
/* Everything came, and everything is written: is it good? */
void keeper_check_upload(struct keeper *k);
