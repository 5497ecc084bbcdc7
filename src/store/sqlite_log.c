/* The log of every interaction, and what time takes away. */
#include "store/sqlite_db.h"

void log_put(struct db *d, const struct store_op *op, uint64_t account, int outcome)
{
    if (op->now_ms > d->log_ms)
        d->log_ms = op->now_ms;
    db_run(d,
           "INSERT INTO log(at_ms, account, kind, target, address, outcome)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
           "iittti", d->log_ms, (int64_t)account, op->log.kind, op->log.target, op->log.address,
           (int64_t)outcome);
}

/* A target is a name, a place, or both: "ann", "@ann", "#maths ann". */
void log_forget(struct db *d, uint64_t account, const char *number)
{
    db_run(d,
           "UPDATE log SET target = substr(target, 1, length(target) - length(a.name)) || ?2"
           " FROM (SELECT name FROM accounts WHERE id = ?1 AND guest = 0) a WHERE a.name <> ''"
           " AND substr(target, -length(a.name)) = a.name COLLATE NOCASE"
           " AND (length(target) = length(a.name)"
           "  OR substr(target, length(target) - length(a.name), 1) IN (' ', '@'))",
           "it", (int64_t)account, number);
}

/* The line before the first that is not older: the log's time does not go back. */
static int64_t line_before(struct db *d, int64_t since_ms)
{
    int64_t low = 0, high = db_int(d, 0, "SELECT max(n) FROM log", "");

    while (low < high) {
        int64_t mid = low + (high - low + 1) / 2;
        if (db_int(d, INT64_MAX, "SELECT at_ms FROM log WHERE n = ?1", "i", mid) < since_ms)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

int do_log_read(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    int64_t after = (int64_t)op->after, account = -1;

    if (op->skeleton) {
        account = db_int(d, 0, "SELECT id FROM accounts WHERE skeleton = ?1", "t", op->skeleton);
        if (!account)
            return -ROOST_NO_SUCH_USER;
    }
    if (op->since_ms > 0) {
        int64_t before = line_before(d, op->since_ms);
        after = before > after ? before : after;
    }
    sqlite3_stmt *st = db_query(
        d,
        "SELECT l.n, l.at_ms, l.account, a.name, l.kind, l.target, l.address, l.outcome FROM log l"
        " LEFT JOIN accounts a ON a.id = l.account WHERE l.n > ?1 AND (?2 < 0 OR l.account = ?2)"
        " AND (?3 IS NULL OR l.kind = ?3) ORDER BY l.n LIMIT ?4",
        "iiti", after, account, op->words, (int64_t)limit + 1);
    while (db_row(d, st)) {
        if (r->n_lines == limit) {
            r->more = true;
            db_done(st);
            break;
        }
        if (!db_grow(d, r, &r->lines, r->n_lines, sizeof *r->lines))
            break;
        r->lines[r->n_lines++] = (struct log_line){
            .n = col_u64(st, 0),
            .at_ms = sqlite3_column_int64(st, 1),
            .account = col_u64(st, 2),
            .name = col_text(d, r, st, 3),
            .kind = col_text(d, r, st, 4),
            .target = col_text(d, r, st, 5),
            .address = col_text(d, r, st, 6),
            .outcome = sqlite3_column_int(st, 7),
        };
    }
    return 0;
}

/* What is over for everybody. Looks at whole tables, so once in a while only: what
 * is too old is already treated as gone wherever it is read. */
static void purge(struct db *d, int64_t now_ms)
{
    if (d->purged_ms && now_ms - d->purged_ms < 600000 && now_ms >= d->purged_ms)
        return;
    d->purged_ms = now_ms;
    db_run(d, "DELETE FROM requests WHERE made_ms < ?1", "i", now_ms - REQUEST_KEEP_MS);
    db_run(d, "DELETE FROM invites WHERE until_ms < ?1", "i", now_ms);
}

void texts_drop(struct db *d, const struct room_head *h, uint64_t first)
{
    int64_t from = event_id(h->id, 0), upto = event_id(h->id, first);
    int64_t room = (int64_t)h->id, below = (int64_t)first;

    index_all(d);
    db_run(d,
           "INSERT INTO words(words, rowid, text) SELECT 'delete', e.id,"
           " coalesce(n.text, e.text) FROM events e LEFT JOIN events n ON e.edit_seq <> 0 AND"
           " n.id = (e.id >> 40 << 40 | e.edit_seq)"
           " WHERE e.id > ?1 AND e.id < ?2 AND e.kind = 1 AND e.deleted IS NOT 1",
           "ii", from, upto);
    db_run(d, "DELETE FROM reactions WHERE event > ?1 AND event < ?2", "ii", from, upto);
    db_run(d, "DELETE FROM pins WHERE room = ?1 AND seq < ?2", "ii", room, below);
    db_run(d,
           "DELETE FROM events WHERE id > ?1 AND id <= ?2 AND ((kind = 1 AND id < ?3) OR"
           " (kind IN (2, 3, 4, 7) AND ref < ?4))",
           "iiii", from, event_id(h->id, h->head), upto, below);
    db_run(d, "UPDATE rooms SET first = max(first, ?2) WHERE id = ?1", "ii", room, below);
}

/* The counters that began longest ago go when there are too many; but not the one that
 * all who guess codes share: it is what stops them. */
static void guards_trim(struct db *d, int64_t now_ms)
{
    db_run(d, "DELETE FROM guards WHERE until_ms < ?1 AND since_ms < ?1", "i",
           now_ms - GUARD_KEEP_MS);
    db_run(d,
           "DELETE FROM guards WHERE key IN (SELECT key FROM guards WHERE kind <> ?2"
           " ORDER BY since_ms DESC, key LIMIT -1 OFFSET ?1)",
           "ii", (int64_t)GUARDS_MAX, (int64_t)STORE_GUARD_KEPT);
}

int do_retain(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t room = (int64_t)op->room.id;
    struct room_head h;

    if (room && op->before_ms > 0) {
        int err = room_head_get(d, op->room.id, &h);
        if (err)
            return err;
        /* the first that stays; all of the room below it is complete no more */
        texts_drop(d, &h, seq_since(d, h.id, h.head, op->before_ms));
        r->room = op->room.id;
        r->head = h.head;
    }
    db_run(d, "DELETE FROM sessions WHERE used_ms < ?1", "i", op->now_ms - SESSION_KEEP_MS);
    guards_trim(d, op->now_ms);
    if (!room)
        guests_clear(d, op->now_ms);
    purge(d, op->now_ms);
    return 0;
}
