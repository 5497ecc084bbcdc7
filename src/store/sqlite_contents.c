#include "store/sqlite_contents.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/sqlite_db.h"

/* What does not fit (a root that is none, say) would never be found on the disk either. */
#define WHICH                                                                                      \
    " FROM files WHERE kept = 1 AND stage = 5 AND length(root) = 32 AND size >= 0 AND list_size "  \
    ">="                                                                                           \
    " 0 AND length(coalesce(list_root, '')) IN (0, 32)"

struct sqlite_contents {
    sqlite3 *sql;
    sqlite3_stmt *all, *one;
    bool none;
};

static int failed(struct sqlite_contents *c)
{
    int code = sqlite3_errcode(c->sql) & 0xff;

    return code == SQLITE_NOMEM ? -ROOST_NOMEM : code == SQLITE_IOERR ? -ROOST_IO : -ROOST_INVALID;
}

static int prepare(struct sqlite_contents *c, const char *text, sqlite3_stmt **ret)
{
    return sqlite3_prepare_v2(c->sql, text, -1, ret, NULL) ? failed(c) : 0;
}

static int ask(struct sqlite_contents *c, const char *text, uint64_t ret[static 2])
{
    sqlite3_stmt *st = NULL;
    int err = prepare(c, text, &st);

    if (!err && sqlite3_step(st) != SQLITE_ROW)
        err = failed(c);
    for (int i = 0; !err && i < 2; i++)
        ret[i] = (uint64_t)sqlite3_column_int64(st, i);
    sqlite3_finalize(st);
    return err;
}

int sqlite_contents_open(struct sqlite_contents **ret, const char *path)
{
    struct sqlite_contents *c = calloc(1, sizeof *c);
    uint64_t there[2] = { 0 };
    int err = c ? db_open_still(path, &c->sql) : -ROOST_NOMEM;

    if (!err)
        err = ask(c,
                  "SELECT count(*), 0 FROM sqlite_schema WHERE type = 'table' AND name = 'files'",
                  there);
    if (!err)
        c->none = !there[0];
    if (!err && !c->none)
        err = prepare(
            c,
            "SELECT max(id), count(*), name, max(size), max(list_size), root, list_root" WHICH
            " GROUP BY root, coalesce(list_root, x'')",
            &c->all);
    if (!err && !c->none)
        err = prepare(c,
                      "SELECT 1" WHICH " AND root = ?1 AND coalesce(list_root, x'') = ?2 LIMIT 1",
                      &c->one);
    if (err) {
        sqlite_contents_close(c);
        return err;
    }
    *ret = c;
    return 0;
}

void sqlite_contents_close(struct sqlite_contents *c)
{
    if (!c)
        return;
    sqlite3_finalize(c->all);
    sqlite3_finalize(c->one);
    sqlite3_close(c->sql);
    free(c);
}

int sqlite_contents_count(struct sqlite_contents *c, uint64_t *ret_n, uint64_t *ret_bytes)
{
    uint64_t n[2] = { 0 };
    int err = c->none
                  ? 0
                  : ask(c,
                        "SELECT count(*), coalesce(sum(b), 0) FROM (SELECT max(size) +"
                        " max(list_size) AS b" WHICH " GROUP BY root, coalesce(list_root, x''))",
                        n);

    *ret_n = n[0];
    *ret_bytes = n[1];
    return err;
}

int sqlite_contents_next(struct sqlite_contents *c, struct sqlite_content *ret)
{
    int rc = c->none ? SQLITE_DONE : sqlite3_step(c->all);

    if (rc != SQLITE_ROW)
        return rc == SQLITE_DONE ? 0 : failed(c);
    const char *name = (const char *)sqlite3_column_text(c->all, 2);
    const void *root = sqlite3_column_blob(c->all, 5), *list = sqlite3_column_blob(c->all, 6);
    *ret = (struct sqlite_content){ .file = (uint64_t)sqlite3_column_int64(c->all, 0),
                                    .parcels = (uint64_t)sqlite3_column_int64(c->all, 1),
                                    .name = name ? name : "",
                                    .size = (uint64_t)sqlite3_column_int64(c->all, 3),
                                    .list_size = (uint64_t)sqlite3_column_int64(c->all, 4),
                                    .has_list = list != NULL };
    if (!root)
        return -ROOST_NOMEM;
    memcpy(ret->root, root, sizeof ret->root);
    if (list)
        memcpy(ret->list_root, list, sizeof ret->list_root);
    return 1;
}

int sqlite_contents_has(struct sqlite_contents *c, const uint8_t root[static 32],
                        const uint8_t *list_root)
{
    if (c->none)
        return 0;
    sqlite3_bind_blob(c->one, 1, root, 32, SQLITE_STATIC);
    sqlite3_bind_blob(c->one, 2, list_root ? (const void *)list_root : "", list_root ? 32 : 0,
                      SQLITE_STATIC);
    int rc = sqlite3_step(c->one);
    int found = rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : failed(c);
    sqlite3_reset(c->one);
    return found;
}
