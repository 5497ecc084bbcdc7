#include "store/sqlite_probe.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/sqlite_db.h"

/* The header's number of the schema: an UPDATE with the same values would write no page. */
static void write_header(struct db *d)
{
    int64_t version = db_int(d, -1, "PRAGMA user_version", "");
    char sql[64];

    snprintf(sql, sizeof sql, "PRAGMA user_version = %" PRId64, version);
    if (!d->failed && sqlite3_exec(d->sql, sql, NULL, NULL, NULL))
        d->failed = sqlite3_errcode(d->sql) == SQLITE_FULL ? -ROOST_FULL : -ROOST_NOT_STORED;
}

int sqlite_store_probe(struct store *s)
{
    struct db *d = (struct db *)s;
    int err = s->ops->begin(s);

    if (err)
        return err;
    write_header(d);
    err = d->failed;
    if (!err)
        return s->ops->commit(s);
    s->ops->rollback(s);
    return err;
}
