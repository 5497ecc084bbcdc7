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
        d->failed = health_on_failure(d);
}

int sqlite_store_probe(struct store *s)
{
    struct db *d = (struct db *)s;

    s->ops->probe(s, d->log_ms); /* if it was not fine, it may be now */
    int err = d->health ? health_refusal(d) : s->ops->begin(s);
    if (err)
        return err;
    if (d->health) { /* it turned out just now */
        s->ops->rollback(s);
        return health_refusal(d);
    }
    write_header(d);
    err = d->failed;
    if (!err)
        return s->ops->commit(s);
    s->ops->rollback(s);
    return err;
}
