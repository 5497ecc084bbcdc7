/* Accounts, invitations, who ignores whom. */
#include <inttypes.h>
#include <stdio.h>

#include "store/sqlite_db.h"

void account_col(struct db *d, struct store_result *r, sqlite3_stmt *st, struct account_row *a)
{
    *a = (struct account_row){
        .id = col_u64(st, 0),
        .name = col_text(d, r, st, 1),
        .skeleton = col_text(d, r, st, 2),
        .password = col_text(d, r, st, 3),
        .role = col_u32(st, 4),
        .created_ms = sqlite3_column_int64(st, 5),
        .deleted = sqlite3_column_int(st, 6) != 0,
        .guest = sqlite3_column_int(st, 7) != 0,
        .guest_of = col_u64(st, 8),
    };
}

int account_get(struct db *d, struct store_result *r, uint64_t id)
{
    sqlite3_stmt *st = db_query(
        d, "SELECT " ACCOUNT_COLS " FROM accounts WHERE id = ?1 AND deleted = 0", "i", (int64_t)id);

    if (!db_row(d, st))
        return -ROOST_NO_SUCH_USER;
    account_col(d, r, st, &r->account_row);
    r->account = r->account_row.id;
    db_done(st);
    return 0;
}

bool account_is(struct db *d, uint64_t id)
{
    return db_int(d, 0, "SELECT 1 FROM accounts WHERE id = ?1 AND deleted = 0", "i", (int64_t)id) ==
           1;
}

bool account_own(struct db *d, uint64_t id)
{
    return db_int(d, 0, "SELECT 1 FROM accounts WHERE id = ?1 AND deleted = 0 AND guest = 0", "i",
                  (int64_t)id) == 1;
}

/* Another admin than this one? */
static bool other_admin(struct db *d, uint64_t id)
{
    return db_int(d, 0,
                  "SELECT 1 FROM accounts WHERE role = 2 AND deleted = 0 AND id <> ?1 LIMIT 1", "i",
                  (int64_t)id) == 1;
}

void accounts_end_sessions(struct db *d, uint64_t account, uint64_t but)
{
    db_run(d, "DELETE FROM sessions WHERE account = ?1 AND id <> ?2", "ii", (int64_t)account,
           (int64_t)but);
}

/* The invitation (for = 0) or reset (for that account) that the secret opens: its
 * role, or -1. */
static int64_t invite_role(struct db *d, const struct store_op *op, uint64_t for_account)
{
    return db_int(d, -1,
                  "SELECT role FROM invites WHERE secret = ?1 AND account = ?2 AND until_ms >= ?3",
                  "bii", op->secret, (int64_t)for_account, op->now_ms);
}

static void invite_use(struct db *d, const struct store_op *op)
{
    if (op->has_secret)
        db_run(d, "DELETE FROM invites WHERE secret = ?1", "b", op->secret);
}

int do_account_new(struct db *d, const struct store_op *op, struct store_result *r)
{
    const struct account_row *a = &op->account;
    int64_t role = a->role;

    if (op->has_secret && (role = invite_role(d, op, 0)) < 0)
        return -ROOST_INVITE_BAD;
    if (db_looks_taken(d, LOOK_ACCOUNT, a->skeleton, a->looks))
        return -ROOST_NAME_TAKEN;
    if (db_run(d,
               "INSERT INTO accounts(name, skeleton, password, role, created_ms)"
               " VALUES(?1, ?2, ?3, ?4, ?5)",
               "tttii", a->name ? a->name : "", a->skeleton ? a->skeleton : "",
               a->password ? a->password : "", role, op->now_ms))
        return -ROOST_NAME_TAKEN;

    int64_t id = db_last_id(d);
    db_looks_put(d, LOOK_ACCOUNT, (uint64_t)id, a->skeleton, a->looks);
    invite_use(d, op);
    /* what was said before is there to be read, but is not unread */
    db_run(d,
           "INSERT INTO members(room, account, delivered, read)"
           " SELECT id, ?1, head, head FROM rooms WHERE id = 1",
           "i", id);
    return account_get(d, r, (uint64_t)id);
}

int do_account_find(struct db *d, const struct store_op *op, struct store_result *r)
{
    if (op->account.id)
        return account_get(d, r, op->account.id);
    int64_t id = db_int(d, 0, "SELECT id FROM accounts WHERE skeleton = ?1", "t", op->skeleton);
    return account_get(d, r, (uint64_t)id);
}

int do_account_password(struct db *d, const struct store_op *op, struct store_result *r)
{
    const struct account_row *a = &op->account;

    if (!account_own(d, a->id))
        return -ROOST_NO_SUCH_USER;
    if (op->has_secret && invite_role(d, op, a->id) < 0)
        return -ROOST_INVITE_BAD;
    invite_use(d, op);
    db_run(d, "UPDATE accounts SET password = ?2 WHERE id = ?1", "it", (int64_t)a->id,
           a->password ? a->password : "");
    accounts_end_sessions(d, a->id, op->session.id);
    r->account = a->id;
    return 0;
}

int do_account_role(struct db *d, const struct store_op *op, struct store_result *r)
{
    const struct account_row *a = &op->account;

    if (!account_own(d, a->id))
        return -ROOST_NO_SUCH_USER;
    if (a->role != ROOST__ROLE__ADMIN && !other_admin(d, a->id) &&
        db_int(d, 0, "SELECT role FROM accounts WHERE id = ?1", "i", (int64_t)a->id) ==
            ROOST__ROLE__ADMIN)
        return -ROOST_LAST_ADMIN;
    db_run(d, "UPDATE accounts SET role = ?2 WHERE id = ?1", "ii", (int64_t)a->id,
           (int64_t)a->role);
    r->account = a->id;
    return 0;
}

/* What it did in meetings, and what was done to it, also to others with it: the words are in the
 * data, and the account's name, behind a byte with its length. Nor does anything say any more
 * what it was called there. */
static void meets_empty(struct db *d, uint64_t account)
{
    db_run(d, "UPDATE events SET shown = NULL WHERE sender = ?1 AND shown IS NOT NULL", "i",
           (int64_t)account);
    db_run(d,
           "UPDATE events SET data = NULL WHERE kind = 8 AND (sender = ?1 OR who = ?1 OR"
           " instr(data, (SELECT CAST(char(length(CAST(name AS BLOB))) || name AS BLOB)"
           " FROM accounts WHERE id = ?1)) > 0)",
           "i", (int64_t)account);
}

/* All that it said, wherever. Looks at every event there is: no index is kept for
 * what happens this rarely. */
static void texts_empty(struct db *d, uint64_t account)
{
    sqlite3_stmt *st = NULL;
    int64_t id = 0;

    index_all(d);
    do {
        st = db_query(d,
                      "SELECT id FROM events WHERE id > ?1 AND kind = 1 AND sender = ?2"
                      " ORDER BY id LIMIT 1",
                      "ii", id, (int64_t)account);
        if (!db_row(d, st))
            break;
        id = sqlite3_column_int64(st, 0);
        db_done(st);
        uint64_t room = (uint64_t)id >> SEQ_BITS;
        text_delete(d, room, seq_of(id), UINT64_MAX);

        int64_t edit = db_int(d, 0, "SELECT edit_seq FROM events WHERE id = ?1", "i", id);
        while (edit) {
            int64_t at = event_id(room, (uint64_t)edit);
            db_run(d, "UPDATE events SET text = '', mentions = NULL WHERE id = ?1", "i", at);
            edit = db_int(d, 0, "SELECT edit_seq FROM events WHERE id = ?1", "i", at);
        }
        db_run(d, "UPDATE events SET text = '', mentions = NULL WHERE id = ?1", "i", id);
    } while (!d->failed);
}

int do_account_delete(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t id = (int64_t)op->account.id;
    char name[24];

    if (!account_is(d, op->account.id))
        return -ROOST_NO_SUCH_USER;
    if (!other_admin(d, op->account.id) &&
        db_int(d, 0, "SELECT role FROM accounts WHERE id = ?1", "i", id) == ROOST__ROLE__ADMIN)
        return -ROOST_LAST_ADMIN;

    snprintf(name, sizeof name, "#%" PRId64, id);
    log_forget(d, op->account.id, name);
    meets_empty(d, op->account.id);
    int err = db_run(d,
                     "UPDATE accounts SET name = ?2, skeleton = ?2, password = '', role = 0,"
                     " deleted = 1 WHERE id = ?1",
                     "it", id, name);
    if (err)
        return err; /* somebody is called so: the hub's rule for names forbids it */
    db_looks_drop(d, LOOK_ACCOUNT, op->account.id);
    texts_empty(d, op->account.id);
    files_forget_account(d, op->account.id);
    accounts_end_sessions(d, op->account.id, 0);
    db_run(d, "DELETE FROM devices WHERE account = ?1", "i", id);
    db_run(d, "DELETE FROM members WHERE account = ?1", "i", id);
    db_run(d, "DELETE FROM attendees WHERE account = ?1", "i", id);
    db_run(d, "DELETE FROM ignores WHERE account = ?1 OR peer = ?1", "i", id);
    db_run(d, "DELETE FROM invites WHERE account = ?1", "i", id);
    r->account = op->account.id;
    return 0;
}

int do_account_list(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    sqlite3_stmt *st = db_query(d,
                                "SELECT " ACCOUNT_COLS
                                ", (SELECT count(*) FROM sessions s WHERE s.account = accounts.id)"
                                " FROM accounts WHERE id > ?1 AND guest = 0 ORDER BY id LIMIT ?2",
                                "ii", (int64_t)op->after, (int64_t)limit + 1);

    while (db_row(d, st)) {
        if (r->n_accounts == limit) {
            r->more = true;
            db_done(st);
            break;
        }
        if (!db_grow(d, r, &r->accounts, r->n_accounts, sizeof *r->accounts))
            break;
        struct account_row *a = &r->accounts[r->n_accounts++];
        account_col(d, r, st, a);
        a->sessions = col_u32(st, ACCOUNT_COLS_N);
    }
    return 0;
}

int do_invite_new(struct db *d, const struct store_op *op, struct store_result *r)
{
    if (op->account.id && !account_own(d, op->account.id))
        return -ROOST_NO_SUCH_USER;
    r->account = op->account.id;
    return db_run(d, "INSERT INTO invites(secret, account, role, until_ms) VALUES(?1, ?2, ?3, ?4)",
                  "biii", op->secret, (int64_t)op->account.id, (int64_t)op->account.role,
                  op->until_ms);
}

int do_invite_find(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t account = 0;

    if (op->skeleton)
        account = db_int(d, -1, "SELECT id FROM accounts WHERE skeleton = ?1", "t", op->skeleton);
    if (invite_role(d, op, (uint64_t)account) < 0)
        return -ROOST_INVITE_BAD;
    r->account = (uint64_t)account;
    return 0;
}

int do_ignore(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t account = (int64_t)op->account.id, peer = (int64_t)op->peer;

    r->account = op->account.id;
    if (!op->on) {
        db_run(d, "DELETE FROM ignores WHERE account = ?1 AND peer = ?2", "ii", account, peer);
        return 0;
    }
    if (!account_is(d, op->account.id) || !account_is(d, op->peer))
        return -ROOST_NO_SUCH_USER;
    if (db_int(d, 0, "SELECT count(*) FROM ignores WHERE account = ?1 AND peer <> ?2", "ii",
               account, peer) >= IGNORES_MAX)
        return -ROOST_LIMIT;
    db_run(d, "INSERT OR IGNORE INTO ignores(account, peer) VALUES(?1, ?2)", "ii", account, peer);
    return 0;
}
