/* What a failure says about the disk, and what becomes of a store whose disk does not
 * take anything: it is opened for reading, and refuses the rest. */
#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/sqlite_db.h"

static enum store_health health_of(sqlite3 *sql)
{
    int os = sqlite3_system_errno(sql);

    switch (sqlite3_errcode(sql) & 0xff) {
    case SQLITE_FULL:
        return STORE_NO_ROOM;
    case SQLITE_READONLY:
        return STORE_READ_ONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STORE_DAMAGED;
    case SQLITE_IOERR:
        if (sqlite3_extended_errcode(sql) == SQLITE_IOERR_NOMEM)
            return STORE_FINE;
        if (os == ENOSPC || os == EDQUOT)
            return STORE_NO_ROOM;
        return os == EROFS ? STORE_READ_ONLY : STORE_BROKEN;
    case SQLITE_CANTOPEN:
        if (os == ENOSPC || os == EDQUOT)
            return STORE_NO_ROOM;
        return os == EROFS || os == EACCES ? STORE_READ_ONLY : STORE_BROKEN;
    default:
        return STORE_FINE; /* memory, or we ourselves */
    }
}

bool health_has_room(const struct db *d)
{
    struct statvfs v;

    if (d->vfs || statvfs(d->path, &v))
        return true;
    return v.f_bavail * (uint64_t)v.f_frsize >= HEALTH_ROOM;
}

static void note(struct db *d, enum store_health health, const char *why)
{
    if (health == STORE_FINE || health == d->health || d->health == STORE_DAMAGED)
        return;
    d->health = health;
    snprintf(d->why, sizeof d->why, "%s", why);
}

int health_refusal(const struct db *d)
{
    switch (d->health) {
    case STORE_NO_ROOM:
        return -ROOST_FULL;
    case STORE_READ_ONLY:
    case STORE_DAMAGED:
        return -ROOST_IO;
    default:
        return -ROOST_NOT_STORED;
    }
}

int health_on_failure(struct db *d)
{
    enum store_health health = health_of(d->sql);

    /* The connection refuses to write because we told it to. */
    if (d->reading && health == STORE_READ_ONLY)
        return health_refusal(d);
    note(d, health, sqlite3_errmsg(d->sql));
    if (d->reading)
        return -ROOST_IO; /* this row cannot be read */
    return health == STORE_NO_ROOM ? -ROOST_FULL : -ROOST_NOT_STORED;
}

void health_on_open_failure(struct db *d, int err, const char *why)
{
    enum store_health health = d->sql ? health_of(d->sql) : STORE_FINE;

    if (health == STORE_FINE && (err == -ROOST_FULL || err == -ROOST_IO))
        health = err == -ROOST_FULL ? STORE_NO_ROOM : STORE_BROKEN;
    if (health == STORE_BROKEN && !d->vfs && access(d->path, W_OK) && errno != ENOENT)
        health = STORE_READ_ONLY;
    note(d, health, why);
}
