#include "store/sqlite_migrate.h"

#include <stdio.h>

#include "base/err.h"

static int code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return 0;
    case SQLITE_NOMEM:
        return -ROOST_NOMEM;
    case SQLITE_FULL:
        return -ROOST_FULL;
    default:
        return -ROOST_IO;
    }
}

/* In one transaction of its own, so a copy that is there is whole. */
static int copy_to(sqlite3 *sql, const char *to, const char *vfs)
{
    sqlite3 *copy = NULL;
    int rc = sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);

    if (!rc)
        rc = sqlite3_exec(copy, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = EXTRA", NULL,
                          NULL, NULL);
    sqlite3_backup *b = rc ? NULL : sqlite3_backup_init(copy, "main", sql, "main");
    if (!rc && !b)
        rc = sqlite3_errcode(copy);
    while (b && (rc = sqlite3_backup_step(b, 1024)) == SQLITE_OK)
        ;
    if (b) {
        int end = sqlite3_backup_finish(b);
        rc = rc == SQLITE_DONE ? end : rc;
    }
    int closed = sqlite3_close(copy);
    return code_of(rc ? rc : closed);
}

static int step(sqlite3 *sql, const struct migration *m)
{
    char number[64];
    int rc = sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (!rc)
        rc = m->run(sql);
    snprintf(number, sizeof number, "PRAGMA user_version = %d", m->to);
    if (!rc)
        rc = sqlite3_exec(sql, number, NULL, NULL, NULL);
    if (!rc)
        rc = sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL);
    if (rc && !sqlite3_get_autocommit(sql))
        sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
    return code_of(rc);
}

int migrate(sqlite3 *sql, const char *path, const char *vfs, const struct migration *steps,
            size_t n, int from, char why[static 200])
{
    int err = 0, last = n ? steps[n - 1].to : from;

    if (from >= last)
        return 0;
    if (from < steps[0].to - 1) {
        snprintf(why, 200, "%.100s is of version %d: too old to be brought up", path, from);
        return -ROOST_VERSION;
    }
    char *to = sqlite3_mprintf("%s.before-v%d", path, last);
    if (!to)
        return -ROOST_NOMEM;
    err = copy_to(sql, to, vfs);
    if (err)
        snprintf(why, 200, "cannot copy %.40s to %.50s before it is brought up: %.30s", path, to,
                 err_text(err));
    sqlite3_free(to);
    for (size_t i = 0; i < n && !err; i++) {
        if (steps[i].to <= from)
            continue;
        err = step(sql, &steps[i]);
        if (err)
            snprintf(why, 200, "cannot bring %.60s to version %d: %.80s", path, steps[i].to,
                     sqlite3_errmsg(sql));
    }
    return err;
}
