#include "store/sqlite_check.h"

#include <stdio.h>
#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_db.h"

static int code_of(sqlite3 *sql)
{
    switch (sqlite3_errcode(sql) & 0xff) {
    case SQLITE_NOMEM:
        return -ROOST_NOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table that is not as it should be */
    case SQLITE_AUTH:
    case SQLITE_TOOBIG:
        return -ROOST_INVALID;
    default:
        return -ROOST_IO;
    }
}

static int ask_int(sqlite3 *sql, const char *text, int64_t *ret)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(sql, text, -1, &st, NULL);

    if (!rc)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(st, 0);
    int err = rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -ROOST_INVALID : code_of(sql);
    sqlite3_finalize(st);
    return err;
}

int db_open_still(const char *path, sqlite3 **ret)
{
    char uri[3 * 1024 + 64], *at = uri;

    if (strlen(path) > 1000)
        return -ROOST_INVALID;
    at += sprintf(at, "file:");
    for (const char *p = path; *p; p++)
        at += sprintf(at, "%%%02x", (unsigned char)*p);
    sprintf(at, "?mode=ro&immutable=1");
    if (sqlite3_open_v2(uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                        NULL))
        return *ret ? code_of(*ret) : -ROOST_NOMEM;
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return sqlite3_exec(*ret, "PRAGMA cell_size_check = 1; PRAGMA cache_size = -1024", NULL, NULL,
                        NULL)
               ? code_of(*ret)
               : 0;
}

/* One line for each table, index and column; what is computed or runs is named too. */
static const char tables_of[] =
    "SELECT group_concat(line, char(10)) FROM (SELECT s.type || ' ' || s.name || ' ' || s.tbl_name"
    " || CASE WHEN s.type = 'table' THEN coalesce((SELECT group_concat(c, ' ') FROM (SELECT ' ' ||"
    " i.name || i.hidden AS c FROM pragma_table_xinfo(s.name) i ORDER BY i.name)), '') ELSE '' END"
    " AS line FROM sqlite_schema s WHERE s.name NOT LIKE 'sqlite_stat%' ORDER BY 1)";

/* Are the tables those that a new file has? */
static int check_tables(sqlite3 *sql, char why[static 200])
{
    sqlite3 *ours = NULL;
    sqlite3_stmt *st = NULL, *st_ours = NULL;
    int err = -ROOST_NOMEM;

    if (sqlite3_open(":memory:", &ours))
        goto out;
    err = schema_make(ours);
    if (err)
        goto out;
    err = -ROOST_INVALID;
    snprintf(why, 200, "its tables are not those of this program");
    if (sqlite3_prepare_v2(sql, tables_of, -1, &st, NULL) ||
        sqlite3_prepare_v2(ours, tables_of, -1, &st_ours, NULL) || sqlite3_step(st) != SQLITE_ROW ||
        sqlite3_step(st_ours) != SQLITE_ROW)
        goto out;
    const char *is = (const char *)sqlite3_column_text(st, 0);
    const char *should = (const char *)sqlite3_column_text(st_ours, 0);
    if (is && should && !strcmp(is, should))
        err = 0;
out:
    sqlite3_finalize(st);
    sqlite3_finalize(st_ours);
    sqlite3_close(ours);
    return err;
}

/* Of an older version the tables are other ones, but nothing in it may run by itself. */
static int check_nothing_runs(sqlite3 *sql, char why[static 200])
{
    int64_t others = 0;
    int err = ask_int(sql,
                      "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR"
                      " (sql LIKE 'CREATE VIRTUAL%' AND (name <> 'words' OR"
                      " sql NOT LIKE 'CREATE VIRTUAL TABLE words USING fts5(%'))",
                      &others);

    if (!err && others) {
        snprintf(why, 200, "it holds triggers, views or strange tables");
        err = -ROOST_INVALID;
    }
    return err;
}

static int check_whose(sqlite3 *sql, struct sqlite_info *info, char why[static 200])
{
    int64_t application = 0, version = 0;
    int err = ask_int(sql, "PRAGMA application_id", &application);

    if (!err)
        err = ask_int(sql, "PRAGMA user_version", &version);
    if (err)
        return err;
    if (application != SCHEMA_APPLICATION || version < 1) {
        snprintf(why, 200, "it is not a database of this program");
        return -ROOST_INVALID;
    }
    info->version = (int)version;
    if (version > SCHEMA_VERSION) {
        snprintf(why, 200, "a newer program wrote it (version %d, known is %d): update this one",
                 (int)version, SCHEMA_VERSION);
        return -ROOST_VERSION;
    }
    err = check_nothing_runs(sql, why);
    if (!err && version == SCHEMA_VERSION)
        err = check_tables(sql, why);
    return err;
}

static int check_pages(sqlite3 *sql, char why[static 200])
{
    sqlite3_stmt *st = NULL;
    int err = -ROOST_INVALID;

    if (sqlite3_prepare_v2(sql, "PRAGMA integrity_check(1)", -1, &st, NULL) ||
        sqlite3_step(st) != SQLITE_ROW) {
        err = code_of(sql);
    } else {
        const char *said = (const char *)sqlite3_column_text(st, 0);
        if (said && !strcmp(said, "ok"))
            err = 0;
        else
            snprintf(why, 200, "it is damaged: %.150s", said ? said : "");
    }
    sqlite3_finalize(st);
    return err;
}

static int count(sqlite3 *sql, struct sqlite_info *info)
{
    int64_t n[4] = { 0 };
    int err = ask_int(sql, "SELECT count(*) FROM accounts WHERE deleted = 0", &n[0]);

    if (!err)
        err = ask_int(sql, "SELECT count(*) FROM rooms", &n[1]);
    if (!err)
        err = ask_int(sql, "SELECT count(*) FROM events", &n[2]);
    if (!err)
        err = ask_int(sql,
                      "SELECT coalesce(max(at_ms), 0) FROM log WHERE n = (SELECT max(n) FROM log)",
                      &n[3]);
    info->accounts = (uint64_t)n[0];
    info->rooms = (uint64_t)n[1];
    info->events = (uint64_t)n[2];
    info->last_ms = n[3];
    return err;
}

int sqlite_file_check(const char *path, bool thorough, struct sqlite_info *ret,
                      char why[static 200])
{
    struct sqlite_info info = { 0 };
    sqlite3 *sql = NULL;

    why[0] = 0;
    int err = db_open_still(path, &sql);
    if (!err)
        err = check_whose(sql, &info, why);
    if (!err && thorough)
        err = check_pages(sql, why);
    if (!err && thorough)
        err = count(sql, &info);
    if (err && !why[0])
        snprintf(why, 200, "%.150s", sql ? sqlite3_errmsg(sql) : "it cannot be opened");
    sqlite3_close(sql);
    *ret = info;
    return err;
}

int sqlite_file_prepare(const char *path, int64_t now_ms, const char *origin, char why[static 200])
{
    struct store *s = NULL;
    const char *trouble = "";
    int err = sqlite_store_open(&s, &(struct sqlite_options){ .path = path }, why);

    if (err)
        return err;
    struct db *d = (struct db *)s;
    struct store_op op = { .kind = STORE_LOG, .now_ms = now_ms };
    op.log = (struct store_log){ .kind = "restored", .target = origin, .address = "" };
    if (s->ops->health(s, &trouble) != STORE_FINE) {
        snprintf(why, 200, "%.150s", trouble);
        err = -ROOST_IO;
    } else if (check_tables(d->sql, why)) {
        err = -ROOST_INVALID;
    } else if (!sqlite_store_check(s, why)) {
        err = -ROOST_INVALID;
    } else {
        db_run(d, "BEGIN IMMEDIATE", "");
        db_run(d, "DELETE FROM sessions", "");
        log_put(d, &op, 0, 0);
        if (db_run(d, "COMMIT", "")) {
            err = d->failed;
            snprintf(why, 200, "%.150s", sqlite3_errmsg(d->sql));
        }
    }
    s->ops->free(s); /* the last to close it: everything goes into the one file */
    return err;
}
