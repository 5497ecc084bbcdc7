/* Guests, and counting what must not happen too often. */
#include "store/sqlite_db.h"

/* --- counts ------------------------------------------------------------------------ */

/* How often it happened in its window, and when that ends; 0 when none is open. A row
 * from the future was written before the clock was set back: it counts no more. */
static uint32_t count_get(struct db *d, const struct store_op *op, const struct store_count *c,
                          int64_t *ret_until_ms)
{
    sqlite3_stmt *st = db_query(d,
                                "SELECT n, until_ms FROM guards WHERE key = ?1 AND since_ms <= ?2"
                                " AND until_ms > ?2",
                                "bi", c->key, op->now_ms);

    *ret_until_ms = op->now_ms + c->window_ms;
    if (!db_row(d, st))
        return 0;
    uint32_t n = col_u32(st, 0);
    *ret_until_ms = sqlite3_column_int64(st, 1);
    db_done(st);
    return n;
}

int counts_check(struct db *d, const struct store_op *op, struct store_result *r)
{
    int err = 0;

    for (size_t i = 0; i < op->n_counts && i < STORE_COUNTS_MAX; i++) {
        int64_t until_ms = 0;
        if (count_get(d, op, &op->counts[i], &until_ms) < op->counts[i].limit)
            continue;
        err = -ROOST_GUESSES;
        if (until_ms - op->now_ms > r->retry_ms)
            r->retry_ms = until_ms - op->now_ms;
    }
    return err;
}

void counts_add(struct db *d, const struct store_op *op)
{
    for (size_t i = 0; i < op->n_counts && i < STORE_COUNTS_MAX; i++) {
        const struct store_count *c = &op->counts[i];
        int64_t until_ms = 0;
        uint32_t n = count_get(d, op, c, &until_ms);
        if (n)
            db_run(d, "UPDATE guards SET n = n + 1 WHERE key = ?1", "b", c->key);
        else
            db_run(d,
                   "INSERT OR REPLACE INTO guards(key, kind, source, n, strikes, since_ms,"
                   " until_ms) VALUES(?1, ?2, ?3, 1, 0, ?4, ?5)",
                   "bitii", c->key, (int64_t)c->kind, c->source, op->now_ms, until_ms);
    }
}

/* --- those who go -------------------------------------------------------------------------- */

/* Marks those who never joined anything, and whose session lies unused. */
static void mark_idle(struct db *d, int64_t before_ms)
{
    db_run(d,
           "UPDATE accounts SET guest = 2 WHERE guest <> 0 AND guest_of = 0 AND created_ms < ?1"
           " AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.account = accounts.id AND"
           " s.used_ms >= ?1) AND NOT EXISTS (SELECT 1 FROM direct WHERE low = accounts.id)"
           " AND NOT EXISTS (SELECT 1 FROM direct WHERE high = accounts.id)",
           "i", before_ms);
}

/* A guest that its meeting no longer lists, or never did. */
#define ROWLESS                                                                                    \
    "NOT EXISTS (SELECT 1 FROM attendees a WHERE a.meeting = ?1 AND a.account = accounts.id)"

/* Marks those of a meeting of whom nothing is left but their names. */
static void mark_of(struct db *d, uint64_t room, int64_t now_ms)
{
    db_run(
        d,
        "UPDATE accounts SET guest = 2 WHERE guest <> 0 AND guest_of = ?1"
        " AND ((SELECT live FROM meets WHERE room = ?1) = 0 OR (created_ms < ?4 AND " ROWLESS "))"
        " AND id NOT IN"
        " (SELECT sender FROM events WHERE id > ?2 AND id < ?3 UNION SELECT who FROM events"
        " WHERE id > ?2 AND id < ?3 AND who IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM direct WHERE low = accounts.id)"
        " AND NOT EXISTS (SELECT 1 FROM direct WHERE high = accounts.id)",
        "iiii", (int64_t)room, event_id(room, 0), event_id(room + 1, 0), now_ms - GUEST_COUNT_MS);
    db_run(d, "UPDATE meets SET guests_until_ms = NULL WHERE room = ?1", "i", (int64_t)room);
}

#define MARKED "(SELECT id FROM accounts WHERE guest <> 0 AND guest = 2)"

static void marked_go(struct db *d)
{
    db_run(d, "DELETE FROM sessions WHERE account IN " MARKED, "");
    db_run(d, "DELETE FROM members WHERE account IN " MARKED, "");
    db_run(d, "DELETE FROM ignores WHERE account IN " MARKED, "");
    db_run(d, "DELETE FROM ignores WHERE peer IN " MARKED, "");
    db_run(d, "DELETE FROM accounts WHERE guest <> 0 AND guest = 2", "");
}

void guests_clear(struct db *d, int64_t now_ms)
{
    int64_t room = 0;

    mark_idle(d, now_ms - GUEST_IDLE_MS);
    while ((room = db_int(d, 0, "SELECT room FROM meets WHERE guests_until_ms < ?1 LIMIT 1", "i",
                          now_ms)))
        mark_of(d, (uint64_t)room, now_ms);
    marked_go(d);
}

/* --- a new one ----------------------------------------------------------------------- */

static bool meet_is_live(struct db *d, uint64_t room)
{
    return db_int(d, 0, "SELECT live FROM meets WHERE room = ?1", "i", (int64_t)room) == 1;
}

/* No name has the byte 1 in its skeleton. */
static uint64_t guest_add(struct db *d, const struct store_op *op)
{
    const struct account_row *a = &op->account;

    db_run(d,
           "INSERT INTO accounts(name, skeleton, password, role, created_ms, guest, guest_of)"
           " VALUES(?1, char(1), '', 0, ?2, 1, ?3)",
           "tii", a->name ? a->name : "", op->now_ms, (int64_t)a->guest_of);
    int64_t id = db_last_id(d);
    db_run(d, "UPDATE accounts SET skeleton = char(1) || id WHERE id = ?1", "i", id);
    return (uint64_t)id;
}

static int64_t guests_of(struct db *d, uint64_t meeting)
{
    return db_int(d, 0, "SELECT count(*) FROM accounts WHERE guest <> 0 AND guest_of = ?1", "i",
                  (int64_t)meeting);
}

/* Those who have no row, and came long ago, do not count: they go by and by, when nothing of
 * them is left in the chat. */
static bool is_full(struct db *d, const struct store_op *op)
{
    int64_t room = (int64_t)op->account.guest_of;

    if (guests_of(d, op->account.guest_of) < GUESTS_MAX)
        return false;
    db_run(d, "UPDATE meets SET guests_until_ms = ?2 WHERE room = ?1 AND guests_until_ms IS NULL",
           "ii", room, op->now_ms);
    return db_int(d, 0,
                  "SELECT count(*) FROM accounts WHERE guest <> 0 AND guest_of = ?1"
                  " AND NOT (created_ms < ?2 AND " ROWLESS ")",
                  "ii", room, op->now_ms - GUEST_COUNT_MS) >= GUESTS_MAX;
}

/* Of those who have not made their meeting: it takes a moment only. */
static void first_goes(struct db *d)
{
    db_run(d,
           "UPDATE accounts SET guest = 2 WHERE id ="
           " (SELECT min(id) FROM accounts WHERE guest <> 0 AND guest_of = 0)",
           "");
    marked_go(d);
}

int do_guest_new(struct db *d, const struct store_op *op, struct store_result *r)
{
    int err = counts_check(d, op, r);

    if (err)
        return err;
    counts_add(d, op);
    if (op->account.guest_of && !meet_is_live(d, op->account.guest_of))
        return -ROOST_MEET_ENDED;
    if (db_looks_taken(d, LOOK_ACCOUNT, op->skeleton, op->account.looks))
        return -ROOST_NAME_TAKEN;
    if (op->account.guest_of && is_full(d, op))
        return -ROOST_MEET_FULL;
    if (!op->account.guest_of && guests_of(d, 0) >= GUESTS_MAX)
        first_goes(d);
    uint64_t id = guest_add(d, op);
    session_add(d, op, id, r);
    return account_get(d, r, id);
}
