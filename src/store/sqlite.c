#include "store/sqlite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite_db.h"

/* Index when so many texts wait: about 5 ms of work, twice as cheap a text as one
 * by one. */
enum { INDEX_CHUNK = 256, CHECKPOINT_PAGES = 1000 };

/* --- statements --- */

static void fail(struct db *d)
{
    int err = health_on_failure(d);

    if (!d->failed)
        d->failed = err;
}

static sqlite3_stmt *prepared(struct db *d, const char *sql)
{
    sqlite3_stmt *st = map_get(&d->statements, (uintptr_t)sql);

    if (st)
        return st;
    if (sqlite3_prepare_v3(d->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL)) {
        fail(d);
        return NULL;
    }
    if (map_put(&d->statements, (uintptr_t)sql, st)) {
        sqlite3_finalize(st);
        d->nomem = true;
        d->failed = -ROOST_NOT_STORED;
        return NULL;
    }
    return st;
}

static int bind_next(sqlite3_stmt *st, int i, char type, va_list *ap)
{
    const void *p = NULL;

    switch (type) {
    case 'i':
        return sqlite3_bind_int64(st, i, va_arg(*ap, int64_t));
    case 't':
        return sqlite3_bind_text(st, i, va_arg(*ap, const char *), -1, SQLITE_STATIC);
    case 'b':
        return sqlite3_bind_blob(st, i, va_arg(*ap, const uint8_t *), 32, SQLITE_STATIC);
    case 'h':
        return sqlite3_bind_blob(st, i, va_arg(*ap, const uint8_t *), 16, SQLITE_STATIC);
    default:
        p = va_arg(*ap, const void *);
        return sqlite3_bind_blob(st, i, p, (int)va_arg(*ap, size_t), SQLITE_STATIC);
    }
}

static sqlite3_stmt *query(struct db *d, const char *sql, const char *fmt, va_list *ap)
{
    if (d->failed)
        return NULL;
    sqlite3_stmt *st = prepared(d, sql);
    if (!st)
        return NULL;
    sqlite3_reset(st);
    for (int i = 0; fmt[i]; i++) {
        if (bind_next(st, i + 1, fmt[i], ap)) {
            fail(d);
            return NULL;
        }
    }
    return st;
}

sqlite3_stmt *db_query(struct db *d, const char *sql, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sqlite3_stmt *st = query(d, sql, fmt, &ap);
    va_end(ap);
    return st;
}

bool db_row(struct db *d, sqlite3_stmt *st)
{
    if (!st || d->failed)
        return false;
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        fail(d);
    sqlite3_reset(st);
    return false;
}

void db_done(sqlite3_stmt *st)
{
    if (st)
        sqlite3_reset(st);
}

int db_run(struct db *d, const char *sql, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sqlite3_stmt *st = query(d, sql, fmt, &ap);
    va_end(ap);
    if (!st)
        return d->failed;

    int rc = sqlite3_step(st), err = 0;
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        err = -ROOST_CONFLICT;
    else if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        fail(d);
    sqlite3_reset(st);
    return err ? err : d->failed;
}

int64_t db_int(struct db *d, int64_t none, const char *sql, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sqlite3_stmt *st = query(d, sql, fmt, &ap);
    va_end(ap);
    if (!db_row(d, st))
        return none;
    int64_t n = sqlite3_column_type(st, 0) == SQLITE_NULL ? none : sqlite3_column_int64(st, 0);
    db_done(st);
    return n;
}

int64_t db_last_id(struct db *d)
{
    return sqlite3_last_insert_rowid(d->sql);
}

int db_changed(struct db *d)
{
    return d->failed ? 0 : sqlite3_changes(d->sql);
}

const char *col_text(struct db *d, struct store_result *r, sqlite3_stmt *st, int i)
{
    const char *s = (const char *)sqlite3_column_text(st, i);
    char *copy = arena_str(&r->mem, s ? s : "");

    if (!copy)
        d->nomem = true;
    return copy ? copy : "";
}

const uint8_t *col_blob(struct db *d, struct store_result *r, sqlite3_stmt *st, int i,
                        size_t *ret_len)
{
    const void *p = sqlite3_column_blob(st, i);
    size_t len = (size_t)sqlite3_column_bytes(st, i);
    uint8_t *copy = len ? arena_dup(&r->mem, p, len) : NULL;

    if (len && !copy)
        d->nomem = true;
    *ret_len = copy ? len : 0;
    return copy;
}

void col_bytes(sqlite3_stmt *st, int i, uint8_t *out, size_t len)
{
    const void *p = sqlite3_column_blob(st, i);

    memset(out, 0, len);
    if (p && (size_t)sqlite3_column_bytes(st, i) == len)
        memcpy(out, p, len);
}

bool db_grow(struct db *d, struct store_result *r, void *array_ptr, size_t n, size_t size)
{
    void **array = array_ptr;
    void *grown = store_grow(&r->mem, *array, n, size);

    if (!grown) {
        d->nomem = true;
        return false;
    }
    *array = grown;
    return true;
}

/* --- the store --- */

static int do_log(struct db *d, const struct store_op *op, struct store_result *r)
{
    (void)d, (void)op, (void)r;
    return 0;
}

static handler *const handlers[] = {
    [STORE_ACCOUNT_NEW] = do_account_new,
    [STORE_ACCOUNT_FIND] = do_account_find,
    [STORE_ACCOUNT_PASSWORD] = do_account_password,
    [STORE_ACCOUNT_ROLE] = do_account_role,
    [STORE_ACCOUNT_DELETE] = do_account_delete,
    [STORE_ACCOUNT_LIST] = do_account_list,
    [STORE_INVITE_NEW] = do_invite_new,
    [STORE_INVITE_FIND] = do_invite_find,
    [STORE_IGNORE] = do_ignore,
    [STORE_LOGIN_FIND] = do_login_find,
    [STORE_SESSION_NEW] = do_session_new,
    [STORE_SESSION_RESUME] = do_session_resume,
    [STORE_SESSION_END] = do_session_end,
    [STORE_SESSION_LIST] = do_session_list,
    [STORE_GUARD_PUT] = do_guard_put,
    [STORE_GUARD_LIST] = do_guard_list,
    [STORE_ROOM_NEW] = do_room_new,
    [STORE_ROOM_FIND] = do_room_find,
    [STORE_ROOM_DIRECT] = do_room_direct,
    [STORE_ROOM_LOAD] = do_room_load,
    [STORE_ROOM_LIST] = do_room_list,
    [STORE_APPEND] = do_append,
    [STORE_MARK] = do_mark,
    [STORE_ROOM_MUTE] = do_room_mute,
    [STORE_READ] = do_read,
    [STORE_SEARCH] = do_search,
    [STORE_EARLIER] = do_earlier,
    [STORE_LOG] = do_log,
    [STORE_LOG_READ] = do_log_read,
    [STORE_RETAIN] = do_retain,
    [STORE_GUEST_NEW] = do_guest_new,
    [STORE_MEET_NEW] = do_meet_new,
    [STORE_MEET_FIND] = do_meet_find,
    [STORE_MEET_CHANGE] = do_meet_change,
    [STORE_MEET_LIST] = do_meet_list,
    [STORE_MEET_NOTE] = do_meet_note,
    [STORE_FILE_NEW] = do_file_new,
    [STORE_FILE_FIND] = do_file_find,
    [STORE_FILE_SET] = do_file_set,
    [STORE_FILE_KEEP] = do_file_keep,
    [STORE_FILE_LIST] = do_file_list,
    [STORE_FILE_EXPIRE] = do_file_expire,
    [STORE_FILE_LOOSE] = do_file_loose,
};

static struct db *db_of(struct store *s)
{
    return (struct db *)s;
}

static void db_close(struct db *d)
{
    size_t at = 0;
    struct map_slot *slot = NULL;

    while ((slot = map_next(&d->statements, &at)))
        sqlite3_finalize(slot->value);
    map_fini(&d->statements);
    map_init(&d->statements, 0);
    copy_lose(d);
    sqlite3_close(d->sql);
    d->sql = NULL;
    d->reading = false;
    d->wal_pages = 0;
    d->unindexed = 0;
    heads_drop(d);
    requests_fini(&d->requests);
}

/* After a commit, with the number of pages in the log file. */
static int on_wal(void *arg, sqlite3 *sql, const char *name, int pages)
{
    struct db *d = arg;

    (void)sql, (void)name;
    d->wal_pages = pages;
    return SQLITE_OK;
}

static void log_time_load(struct db *d)
{
    d->log_ms = db_int(d, 0, "SELECT at_ms FROM log ORDER BY n DESC LIMIT 1", "");
}

static int db_open(struct db *d, char why[static 200])
{
    int err = schema_open(d, why);

    if (err) {
        if (err != -ROOST_VERSION && err != -ROOST_NOMEM)
            health_on_open_failure(d, err, why);
        db_close(d);
        return err;
    }
    sqlite3_wal_hook(d->sql, on_wal, d);
    d->failed = 0;
    d->nomem = false;
    log_time_load(d);
    requests_load(d);
    if (!d->failed && !d->nomem)
        return 0;
    snprintf(why, 200, "cannot read %.100s", d->path);
    err = d->nomem ? -ROOST_NOMEM : d->failed;
    db_close(d);
    return err;
}

static int db_open_reading(struct db *d, char why[static 200])
{
    int err = schema_open_reading(d, why);

    if (err) {
        db_close(d);
        return err;
    }
    d->reading = true;
    d->failed = 0;
    d->nomem = false;
    return 0;
}

/* For reading only, when it is known or turns out now that it cannot be written. */
static int open_for_batch(struct db *d)
{
    char why[200];
    int err = d->health ? -ROOST_IO : db_open(d, why);

    if (err && d->health)
        err = db_open_reading(d, why);
    return !err ? 0 : d->health ? health_refusal(d) : -ROOST_NOT_STORED;
}

static int sqlite_begin(struct store *s)
{
    struct db *d = db_of(s);

    d->failed = 0;
    d->nomem = false;
    if (!d->sql) {
        int err = open_for_batch(d);
        if (err)
            return err;
    }
    int err = d->reading ? db_run(d, "BEGIN", "") : db_run(d, "BEGIN IMMEDIATE", "");
    if (err)
        db_close(d);
    d->in_batch = err == 0;
    return err;
}

/* What would change something fails by itself. A request with an id is not even looked
 * for: what is found may not be on the disk yet. */
static void apply_reading(struct db *d, const struct store_op *op, struct store_result *r)
{
    size_t kinds = sizeof handlers / sizeof *handlers;
    handler *h = (size_t)op->kind < kinds ? handlers[op->kind] : NULL;

    d->unlogged += op->log.kind != NULL;
    if (op->kind == STORE_LOG)
        return;
    r->err = op->req.has_id ? health_refusal(d) : h ? h(d, op, r) : -ROOST_UNSUPPORTED;
    if (d->failed)
        store_result_fail(r, d->failed);
    d->failed = 0;
    heads_drop(d);
}

/* Does it read or write rows of rooms, other than a head? */
static bool leaves_rooms(const struct store_op *op)
{
    return op->kind == STORE_LOG || (op->kind == STORE_APPEND && op->event.kind == EVENT_TEXT);
}

static void apply(struct db *d, const struct store_op *op, struct store_result *r)
{
    size_t kinds = sizeof handlers / sizeof *handlers;
    handler *h = (size_t)op->kind < kinds ? handlers[op->kind] : NULL;

    if (!leaves_rooms(op)) {
        heads_write(d);
        heads_drop(d);
    }
    if (!op->req.has_id || !requests_known(d, op, r)) {
        r->err = h ? h(d, op, r) : -ROOST_UNSUPPORTED;
        if (op->req.has_id && !r->err && op->kind != STORE_LOG) /* that is a refusal */
            requests_remember(d, op, r);
    }
    if (op->log.kind)
        log_put(d, op, store_log_account(op, r), op->kind == STORE_LOG ? op->log.outcome : r->err);
}

static struct store_result *sqlite_apply(struct store *s, const struct store_op *op)
{
    struct db *d = db_of(s);
    struct store_result *r = store_result_new(op);

    if (!r)
        return NULL;
    if (d->reading && !d->nomem)
        apply_reading(d, op, r);
    else if (!d->failed && !d->nomem)
        apply(d, op, r);
    if (d->nomem) {
        store_result_free(r);
        return NULL;
    }
    if (d->failed)
        store_result_fail(r, d->failed);
    return r;
}

static void sqlite_rollback(struct store *s)
{
    struct db *d = db_of(s);

    if (d->sql && d->in_batch && !d->failed)
        db_run(d, "ROLLBACK", "");
    if (d->failed || d->reading || d->nomem)
        db_close(d);
    else if (d->sql) {
        log_time_load(d);
        heads_drop(d);
        requests_forget(d);
    }
    d->in_batch = false;
}

/* A failure here loses nothing, but the connection is not to be trusted. */
static void checkpoint(struct db *d)
{
    int rc = sqlite3_wal_checkpoint_v2(d->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    d->wal_pages = 0;
    if (rc != SQLITE_OK)
        db_close(d);
}

static int sqlite_commit(struct store *s)
{
    struct db *d = db_of(s);

    if (d->reading) { /* there is nothing to commit */
        if (!sqlite3_get_autocommit(d->sql))
            db_run(d, "ROLLBACK", "");
        if (d->failed)
            db_close(d);
        d->in_batch = false;
        return 0;
    }
    heads_write(d);
    requests_keep(d);
    if (d->unindexed >= INDEX_CHUNK) {
        heads_drop(d); /* it moves `indexed` */
        index_all(d);
    }
    if (!d->failed && !d->nomem)
        db_run(d, "COMMIT", "");
    d->in_batch = false;
    if (d->failed || d->nomem) {
        int err = d->failed ? d->failed : -ROOST_NOT_STORED;
        db_close(d);
        return err;
    }
    if ((uint32_t)d->wal_pages >= d->checkpoint_pages)
        checkpoint(d);
    return 0;
}

static enum store_health sqlite_health(const struct store *s, const char **ret_why)
{
    const struct db *d = (const struct db *)s;

    if (ret_why)
        *ret_why = d->why;
    return d->health;
}

/* A line in the log, which also says what the log does not hold. */
static int probe_write(struct db *d, int64_t now_ms)
{
    struct store_op op = { .kind = STORE_LOG, .now_ms = now_ms };
    char lines[48];

    snprintf(lines, sizeof lines, "%llu lines not written", (unsigned long long)d->unlogged);
    op.log = (struct store_log){ .kind = "store-writes-again", .target = lines, .address = "" };
    if (!db_run(d, "BEGIN IMMEDIATE", ""))
        log_put(d, &op, 0, 0);
    return d->failed ? d->failed : db_run(d, "COMMIT", "");
}

static void sqlite_probe(struct store *s, int64_t now_ms)
{
    struct db *d = db_of(s);
    enum store_health was = d->health;
    char why[200];

    if (was == STORE_FINE || was == STORE_DAMAGED)
        return;
    if (was == STORE_NO_ROOM && !health_has_room(d))
        return;
    db_close(d);
    d->health = STORE_FINE; /* whatever fails now says what it is */
    int err = db_open(d, why);
    if (!err)
        err = probe_write(d, now_ms);
    if (!err) {
        d->unlogged = 0;
        return;
    }
    db_close(d);
    if (d->health == STORE_FINE)
        d->health = was;
}

static void sqlite_free(struct store *s)
{
    struct db *d = db_of(s);

    if (!s)
        return;
    db_close(d);
    map_fini(&d->statements);
    free(d->path);
    free(d->vfs);
    free(d);
}

static const struct store_ops sqlite_ops = {
    .begin = sqlite_begin,
    .apply = sqlite_apply,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .free = sqlite_free,
    .health = sqlite_health,
    .probe = sqlite_probe,
};

int sqlite_store_open(struct store **ret_store, const struct sqlite_options *o,
                      char ret_why[static 200])
{
    struct db *d = calloc(1, sizeof *d);
    int err = -ROOST_NOMEM;

    snprintf(ret_why, 200, "out of memory");
    if (!d)
        return err;
    d->store.ops = &sqlite_ops;
    d->checkpoint_pages = o->checkpoint_pages ? o->checkpoint_pages : CHECKPOINT_PAGES;
    map_init(&d->statements, 0);
    requests_init(&d->requests, o->requests_most);
    d->steps = o->steps;
    d->n_steps = o->n_steps;
    d->path = strdup(o->path);
    d->vfs = o->vfs ? strdup(o->vfs) : NULL;
    if (!d->path || (o->vfs && !d->vfs))
        goto out;
    err = db_open(d, ret_why);
    if (err && d->health && err != -ROOST_INVALID) {
        char why[200];
        if (!db_open_reading(d, why))
            err = 0;
    }
    if (err)
        goto out;
    *ret_store = &d->store;
    d = NULL;
out:
    sqlite_free(d ? &d->store : NULL);
    return err;
}

bool sqlite_store_check(struct store *s, char why[static 200])
{
    struct db *d = db_of(s);

    why[0] = 0;
    if (d->health) {
        snprintf(why, 200, "%s", d->why);
        return false;
    }
    if (!d->sql && db_open(d, why))
        return false;
    d->failed = 0;
    sqlite3_stmt *st = db_query(d, "PRAGMA integrity_check(1)", "");
    if (db_row(d, st))
        snprintf(why, 200, "%s", (const char *)sqlite3_column_text(st, 0));
    db_done(st);
    if (db_run(d, "INSERT INTO words(words) VALUES('integrity-check')", ""))
        snprintf(why, 200, "the index of words is damaged");
    return !d->failed && strcmp(why, "ok") == 0;
}
