#include "store/sqlite_copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/sqlite_db.h"

enum { PAGE_BYTES = 4096 };

struct sqlite_copy {
    struct db *from;
    sqlite3 *to;
    sqlite3_backup *backup; /* NULL: lost, or all is copied */
    bool whole;
};

static int code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return -ROOST_NOMEM;
    case SQLITE_FULL:
        return -ROOST_FULL;
    default:
        return -ROOST_IO;
    }
}

void copy_lose(struct db *d)
{
    if (!d->copy)
        return;
    sqlite3_backup_finish(d->copy->backup);
    d->copy->backup = NULL;
    d->copy->from = NULL;
    d->copy = NULL;
}

/* A copy that is cut off is thrown away, so it needs no journal and no syncs. */
static int open_target(struct sqlite_copy *c, const char *path, const char *vfs)
{
    int rc = sqlite3_open_v2(path, &c->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);

    if (!rc)
        rc = sqlite3_exec(c->to,
                          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF;"
                          "PRAGMA synchronous = OFF; PRAGMA cache_size = -256",
                          NULL, NULL, NULL);
    return code_of(rc);
}

int sqlite_copy_begin(struct sqlite_copy **ret, struct store *s, const char *path,
                      char why[static 200])
{
    struct db *d = (struct db *)s;
    struct sqlite_copy *c = NULL;
    int err = -ROOST_BUSY;

    snprintf(why, 200, "the database is not open, or is being copied already");
    if (!d->sql || d->copy)
        return err;
    c = calloc(1, sizeof *c);
    if (!c)
        return -ROOST_NOMEM;
    c->from = d;
    err = open_target(c, path, d->vfs);
    if (!err) {
        c->backup = sqlite3_backup_init(c->to, "main", d->sql, "main");
        err = c->backup ? 0 : code_of(sqlite3_errcode(c->to));
    }
    if (err) {
        snprintf(why, 200, "cannot write %.100s: %.60s", path,
                 c->to ? sqlite3_errmsg(c->to) : "out of memory");
        sqlite3_close(c->to);
        free(c);
        return err;
    }
    d->copy = c;
    *ret = c;
    return 0;
}

int sqlite_copy_step(struct sqlite_copy *c, int pages, uint64_t *ret_done, uint64_t *ret_total)
{
    if (!c->backup)
        return c->whole ? 0 : -ROOST_NOT_STORED;

    int rc = sqlite3_backup_step(c->backup, pages);
    int total = sqlite3_backup_pagecount(c->backup), left = sqlite3_backup_remaining(c->backup);
    *ret_total = (uint64_t)total * PAGE_BYTES;
    *ret_done = (uint64_t)(total - left) * PAGE_BYTES;
    if (rc == SQLITE_OK)
        return 1;
    int end = sqlite3_backup_finish(c->backup);
    c->backup = NULL;
    c->from->copy = NULL;
    c->whole = rc == SQLITE_DONE && end == SQLITE_OK;
    return c->whole ? 0 : code_of(rc == SQLITE_DONE ? end : rc);
}

int sqlite_copy_end(struct sqlite_copy *c)
{
    if (!c)
        return 0;
    if (c->backup) {
        sqlite3_backup_finish(c->backup);
        c->from->copy = NULL;
    }
    int rc = sqlite3_close(c->to);
    int err = c->whole ? code_of(rc) : -ROOST_NOT_STORED;
    free(c);
    return err;
}
