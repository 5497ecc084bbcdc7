/* Logins, sessions, devices, counters of failed logins. */
#include "store/sqlite_db.h"

#define SESSION_COLS                                                                               \
    "s.id, s.account, s.device, s.token, s.device_name, s.address, a.name, s.created_ms, "         \
    "s.used_ms"

static void session_col(struct db *d, struct store_result *r, sqlite3_stmt *st,
                        struct session_row *s)
{
    s->id = col_u64(st, 0);
    s->account = col_u64(st, 1);
    col_bytes(st, 2, s->device, sizeof s->device);
    col_bytes(st, 3, s->token, sizeof s->token);
    s->device_name = col_text(d, r, st, 4);
    s->address = col_text(d, r, st, 5);
    s->account_name = col_text(d, r, st, 6);
    s->created_ms = sqlite3_column_int64(st, 7);
    s->used_ms = sqlite3_column_int64(st, 8);
}

/* Adds the row that st is at to r->guards. */
static void guard_add(struct db *d, struct store_result *r, sqlite3_stmt *st)
{
    if (!db_grow(d, r, &r->guards, r->n_guards, sizeof *r->guards))
        return;
    struct guard_row *g = &r->guards[r->n_guards++];
    col_bytes(st, 0, g->key, sizeof g->key);
    g->kind = col_u32(st, 1);
    g->name = col_text(d, r, st, 2);
    g->source = col_text(d, r, st, 3);
    g->n = col_u32(st, 4);
    g->strikes = col_u32(st, 5);
    g->since_ms = sqlite3_column_int64(st, 6);
    g->until_ms = sqlite3_column_int64(st, 7);
}

int do_login_find(struct db *d, const struct store_op *op, struct store_result *r)
{
    sqlite3_stmt *st = db_query(
        d, "SELECT " ACCOUNT_COLS " FROM accounts WHERE skeleton = ?1 AND deleted = 0", "t",
        op->skeleton);

    if (db_row(d, st)) {
        account_col(d, r, st, &r->account_row);
        r->account = r->account_row.id;
        db_done(st);
    }
    r->known_device = db_int(d, 0, "SELECT 1 FROM devices WHERE account = ?1 AND device = ?2", "ib",
                             (int64_t)r->account, op->device) == 1;
    for (size_t i = 0; i < op->n_keys && i < GUARD_KEYS_MAX; i++) {
        st = db_query(d,
                      "SELECT key, kind, name, source, n, strikes, since_ms, until_ms"
                      " FROM guards WHERE key = ?1",
                      "b", op->keys[i]);
        if (db_row(d, st))
            guard_add(d, r, st);
        db_done(st);
    }
    return 0;
}

static void device_known(struct db *d, uint64_t account, const uint8_t device[static 32],
                         int64_t now_ms)
{
    db_run(d, "INSERT OR REPLACE INTO devices(account, device, used_ms) VALUES(?1, ?2, ?3)", "ibi",
           (int64_t)account, device, now_ms);
    db_run(d,
           "DELETE FROM devices WHERE account = ?1 AND device IN (SELECT device FROM devices"
           " WHERE account = ?1 ORDER BY used_ms DESC, device DESC LIMIT -1 OFFSET ?2)",
           "ii", (int64_t)account, (int64_t)DEVICES_MAX);
}

void session_add(struct db *d, const struct store_op *op, uint64_t account, struct store_result *r)
{
    const struct session_row *s = &op->session;

    db_run(d,
           "INSERT INTO sessions(account, device, token, device_name, address, created_ms, used_ms)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
           "ibbtti", (int64_t)account, s->device, s->token, s->device_name, s->address, op->now_ms);
    r->session.id = (uint64_t)db_last_id(d);
    r->session.account = account;
    r->account = account;
    r->seq = r->session.id; /* so that the same login sent again learns it too */
}

int do_session_new(struct db *d, const struct store_op *op, struct store_result *r)
{
    if (!account_own(d, op->account.id))
        return -ROOST_NO_SUCH_USER;
    session_add(d, op, op->account.id, r);
    device_known(d, op->account.id, op->session.device, op->now_ms);
    for (size_t i = 0; i < op->n_keys && i < GUARD_KEYS_MAX; i++)
        db_run(d, "DELETE FROM guards WHERE key = ?1", "b", op->keys[i]);
    return 0;
}

/* The session that the token opens, or 0; *ret_current: the token is its newest. */
static int64_t session_of(struct db *d, const struct store_op *op, bool *ret_current)
{
    int64_t id = db_int(d, 0, "SELECT id FROM sessions WHERE token = ?1 AND device = ?2", "bb",
                        op->secret, op->device);

    *ret_current = id != 0;
    if (id)
        return id;
    return db_int(d, 0,
                  "SELECT id FROM sessions WHERE previous = ?1 AND device = ?2"
                  " AND rotated_ms >= ?3",
                  "bbi", op->secret, op->device, op->now_ms - TOKEN_GRACE_MS);
}

static void ignored_list(struct db *d, struct store_result *r)
{
    sqlite3_stmt *st = db_query(d, "SELECT peer FROM ignores WHERE account = ?1 ORDER BY peer", "i",
                                (int64_t)r->account);

    while (db_row(d, st)) {
        if (!db_grow(d, r, &r->ids, r->n_ids, sizeof *r->ids))
            return;
        r->ids[r->n_ids++] = col_u64(st, 0);
    }
}

int do_session_resume(struct db *d, const struct store_op *op, struct store_result *r)
{
    bool current = false;
    int64_t id = session_of(d, op, &current);

    if (!id)
        return -ROOST_SESSION_OVER;
    /* A token lives 60 s from the moment when it was first replaced, however often it
     * is shown in that time. */
    r->token_stays = d->reading;
    if (!d->reading)
        db_run(d,
               "UPDATE sessions SET previous = ?2, token = ?3, used_ms = ?4,"
               " rotated_ms = CASE WHEN ?5 THEN ?4 ELSE rotated_ms END,"
               " address = coalesce(?6, address) WHERE id = ?1",
               "ibbiit", id, op->secret, op->next_secret, op->now_ms, (int64_t)current,
               op->session.address);

    sqlite3_stmt *st = db_query(d,
                                "SELECT " SESSION_COLS
                                " FROM sessions s JOIN accounts a ON a.id = s.account"
                                " WHERE s.id = ?1",
                                "i", id);
    if (db_row(d, st)) {
        session_col(d, r, st, &r->session);
        db_done(st);
    }
    st = db_query(d, "SELECT " ACCOUNT_COLS " FROM accounts WHERE id = ?1", "i",
                  (int64_t)r->session.account);
    if (db_row(d, st)) {
        account_col(d, r, st, &r->account_row);
        db_done(st);
    }
    r->account = r->session.account;
    ignored_list(d, r);
    return 0;
}

int do_session_end(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t id = (int64_t)op->session.id;
    int64_t account = db_int(d, 0, "SELECT account FROM sessions WHERE id = ?1", "i", id);

    if (!account || (op->account.id && (uint64_t)account != op->account.id))
        return -ROOST_NO_SUCH_SESSION;
    db_run(d, "DELETE FROM sessions WHERE id = ?1", "i", id);
    r->account = (uint64_t)account;
    return 0;
}

int do_session_list(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    sqlite3_stmt *st =
        op->account.id
            ? db_query(d,
                       "SELECT " SESSION_COLS " FROM sessions s JOIN accounts a ON a.id = s.account"
                       " WHERE s.id > ?1 AND s.account = ?3 ORDER BY s.id LIMIT ?2",
                       "iii", (int64_t)op->after, (int64_t)limit + 1, (int64_t)op->account.id)
            : db_query(d,
                       "SELECT " SESSION_COLS " FROM sessions s JOIN accounts a ON a.id = s.account"
                       " WHERE s.id > ?1 ORDER BY s.id LIMIT ?2",
                       "ii", (int64_t)op->after, (int64_t)limit + 1);

    while (db_row(d, st)) {
        if (r->n_sessions == limit) {
            r->more = true;
            db_done(st);
            break;
        }
        if (!db_grow(d, r, &r->sessions, r->n_sessions, sizeof *r->sessions))
            break;
        session_col(d, r, st, &r->sessions[r->n_sessions++]);
    }
    return 0;
}

int do_guard_put(struct db *d, const struct store_op *op, struct store_result *r)
{
    (void)r;
    for (size_t i = 0; i < op->n_guards; i++) {
        const struct guard_row *g = &op->guards[i];
        if (g->n)
            db_run(d,
                   "INSERT OR REPLACE INTO guards(key, kind, name, source, n, strikes, since_ms,"
                   " until_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                   "bittiiii", g->key, (int64_t)g->kind, g->name, g->source, (int64_t)g->n,
                   (int64_t)g->strikes, g->since_ms, g->until_ms);
        else
            db_run(d, "DELETE FROM guards WHERE key = ?1", "b", g->key);
    }
    return 0;
}

/* Those that block longest first. */
int do_guard_list(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    sqlite3_stmt *st = db_query(d,
                                "SELECT key, kind, name, source, n, strikes, since_ms, until_ms"
                                " FROM guards ORDER BY until_ms DESC, key LIMIT ?1",
                                "i", (int64_t)limit + 1);

    while (db_row(d, st)) {
        if (r->n_guards == limit) {
            r->more = true;
            db_done(st);
            break;
        }
        guard_add(d, r, st);
    }
    return 0;
}
