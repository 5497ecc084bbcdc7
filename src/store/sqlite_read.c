/* A room's events, as they are now. */
#include <string.h>

#include "store/sqlite_db.h"

#define EVENT_SELECT                                                                               \
    "SELECT e.id, e.at_ms, e.kind, e.sender, coalesce(e.shown, a.name), e.edit_seq, e.deleted, "   \
    "e.ref, e.bits,"                                                                               \
    " e.text, e.mentions, e.who, w.name, e.change, e.role, e.days, e.room_name, e.data FROM"       \
    " events e LEFT JOIN accounts a ON a.id = e.sender LEFT JOIN accounts w ON w.id = e.who"

/* The first row at or after the number, up to head: numbers may be missing since
 * texts are not kept for ever. */
static uint64_t seq_at(struct db *d, uint64_t room, uint64_t seq, uint64_t head, int64_t *ret_at_ms)
{
    sqlite3_stmt *st = db_query(
        d, "SELECT id, at_ms FROM events WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT 1", "ii",
        event_id(room, seq), event_id(room, head));

    if (!db_row(d, st))
        return 0;
    seq = seq_of(sqlite3_column_int64(st, 0));
    *ret_at_ms = sqlite3_column_int64(st, 1);
    db_done(st);
    return seq;
}

uint64_t seq_since(struct db *d, uint64_t room, uint64_t head, int64_t at_ms)
{
    uint64_t low = 1, high = head + 1; /* the answer is in low..high */

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        int64_t at = 0;
        uint64_t seq = seq_at(d, room, mid, head, &at);
        if (seq && at < at_ms)
            low = seq + 1;
        else
            high = mid;
    }
    return low;
}

static void mentions_col(struct db *d, struct store_result *r, sqlite3_stmt *st, int i,
                         struct event *e)
{
    size_t bytes = (size_t)sqlite3_column_bytes(st, i);

    e->mentions = NULL;
    e->n_mentions = bytes / sizeof *e->mentions;
    if (!e->n_mentions)
        return;
    e->mentions = arena_dup(&r->mem, sqlite3_column_blob(st, i), bytes);
    if (!e->mentions) {
        d->nomem = true;
        e->n_mentions = 0;
    }
}

static void event_col(struct db *d, struct store_result *r, sqlite3_stmt *st, struct event *e)
{
    int64_t bits = sqlite3_column_int64(st, 8);

    *e = (struct event){
        .room = col_u64(st, 0) >> SEQ_BITS,
        .seq = seq_of(sqlite3_column_int64(st, 0)),
        .at_ms = sqlite3_column_int64(st, 1),
        .kind = (enum event_kind)sqlite3_column_int(st, 2),
        .from = col_u64(st, 3),
        .from_name = col_text(d, r, st, 4),
        .edit_seq = col_u64(st, 5),
        .deleted = sqlite3_column_int(st, 6) != 0,
        .ref = col_u64(st, 7),
        .flag = bits & BIT_FLAG,
        .private = bits & BIT_PRIVATE,
        .moderated = bits & BIT_MODERATED,
        .closed = bits & BIT_CLOSED,
        .created = bits & BIT_CREATED,
        .text = col_text(d, r, st, 9),
        .who = col_u64(st, 11),
        .who_name = col_text(d, r, st, 12),
        .change = col_u32(st, 13),
        .role = col_u32(st, 14),
        .retention_days = col_u32(st, 15),
        .room_name = col_text(d, r, st, 16),
    };
    mentions_col(d, r, st, 10, e);
    e->data = col_blob(d, r, st, 17, &e->n_data);
}

static void words_empty(struct event *e)
{
    e->text = "";
    e->mentions = NULL;
    e->n_mentions = 0;
}

static void reactions_load(struct db *d, struct store_result *r, struct event *e, uint64_t account)
{
    struct event_reaction *list = NULL;
    sqlite3_stmt *st = db_query(
        d,
        "SELECT emoji, count(*), max(account = ?2) FROM reactions WHERE event = ?1"
        " GROUP BY emoji ORDER BY emoji",
        "ii", event_id(e->room, e->seq), (int64_t)account);

    while (db_row(d, st)) {
        if (!db_grow(d, r, &list, e->n_reactions, sizeof *list))
            return;
        list[e->n_reactions++] = (struct event_reaction){
            .emoji = col_text(d, r, st, 0),
            .count = col_u32(st, 1),
            .mine = sqlite3_column_int(st, 2) != 0,
        };
        e->reactions = list;
    }
}

/* What became of a text: its last edit's words, or none; its reactions. */
static void text_now(struct db *d, struct store_result *r, struct event *e, uint64_t account)
{
    if (e->deleted) {
        words_empty(e);
        return;
    }
    if (e->edit_seq) {
        sqlite3_stmt *st = db_query(d, "SELECT text, mentions FROM events WHERE id = ?1", "i",
                                    event_id(e->room, e->edit_seq));
        if (db_row(d, st)) {
            e->text = col_text(d, r, st, 0);
            mentions_col(d, r, st, 1, e);
            db_done(st);
        }
    }
    reactions_load(d, r, e, account);
}

/* An edit shows its words while it is the last of a text that is still there. */
static void edit_now(struct db *d, struct event *e)
{
    sqlite3_stmt *st = db_query(d, "SELECT edit_seq, deleted FROM events WHERE id = ?1", "i",
                                event_id(e->room, e->ref));

    e->edit_seq = 0; /* in its row it is the edit before this one */
    if (!db_row(d, st) || col_u64(st, 0) != e->seq || sqlite3_column_int(st, 1))
        words_empty(e);
    db_done(st);
}

static bool event_next(struct db *d, struct store_result *r, sqlite3_stmt *st)
{
    if (!db_row(d, st) || !db_grow(d, r, &r->events, r->n_events, sizeof *r->events))
        return false;
    event_col(d, r, st, &r->events[r->n_events++]);
    return true;
}

static void event_now(struct db *d, struct store_result *r, struct event *e, uint64_t account)
{
    if (e->kind == EVENT_TEXT)
        text_now(d, r, e, account);
    else if (e->kind == EVENT_EDIT)
        edit_now(d, e);
}

bool event_load(struct db *d, struct store_result *r, int64_t id, uint64_t account)
{
    sqlite3_stmt *st = db_query(d, EVENT_SELECT " WHERE e.id = ?1", "i", id);

    if (!event_next(d, r, st))
        return false;
    db_done(st);
    event_now(d, r, &r->events[r->n_events - 1], account);
    return true;
}

/* Adds at most `limit` events of low..high, from either end; true if some are left. */
static bool take(struct db *d, const struct store_op *op, struct store_result *r, uint64_t low,
                 uint64_t high, size_t limit, bool newest)
{
    size_t first = r->n_events, bytes = 0;
    bool more = false;

    if (low > high)
        return false;
    int64_t from = event_id(op->room.id, low), to = event_id(op->room.id, high);
    sqlite3_stmt *st =
        newest ? db_query(d, EVENT_SELECT " WHERE e.id >= ?1 AND e.id <= ?2 ORDER BY e.id DESC",
                          "ii", from, to)
               : db_query(d, EVENT_SELECT " WHERE e.id >= ?1 AND e.id <= ?2 ORDER BY e.id", "ii",
                          from, to);
    while (db_row(d, st)) {
        more = r->n_events - first == limit || bytes > READ_BYTES_MAX;
        if (more || !db_grow(d, r, &r->events, r->n_events, sizeof *r->events)) {
            db_done(st);
            break;
        }
        struct event *e = &r->events[r->n_events++];
        event_col(d, r, st, e);
        event_now(d, r, e, op->account.id);
        bytes += strlen(e->text) + e->n_data;
    }
    for (size_t i = first, j = r->n_events; newest && i + 1 < j; i++, j--) {
        struct event swap = r->events[i];
        r->events[i] = r->events[j - 1];
        r->events[j - 1] = swap;
    }
    return more;
}

int do_read(struct db *d, const struct store_op *op, struct store_result *r)
{
    size_t limit = store_page(op, READ_PAGE);
    struct room_head h;
    int err = room_head_get(d, op->room.id, &h);

    if (err)
        return err;
    uint64_t low = op->after + 1, high = h.head;
    r->room = h.id;
    r->head = h.head;
    if (op->since_ms > 0) {
        uint64_t since = seq_since(d, h.id, h.head, op->since_ms);
        low = since > low ? since : low;
    }
    if (op->unread) {
        uint64_t read = (uint64_t)db_int(
            d, 0, "SELECT read FROM members WHERE room = ?1 AND account = ?2 AND banned = 0", "ii",
            (int64_t)h.id, (int64_t)op->account.id);
        low = read + 1 > low ? read + 1 : low;
    }
    if (op->before && op->before - 1 < high)
        high = op->before - 1;
    if (low == 0 || low > high) /* 0: after was the largest number there is */
        return 0;
    if (op->around) {
        uint64_t mid = op->around < low ? low : op->around > high ? high + 1 : op->around;
        if (mid > low)
            take(d, op, r, low, mid - 1, limit / 2, true);
        r->more = take(d, op, r, mid, high, limit - r->n_events, false);
        return 0;
    }
    r->more = take(d, op, r, low, high, limit, op->last);
    return 0;
}

int do_earlier(struct db *d, const struct store_op *op, struct store_result *r)
{
    sqlite3_stmt *st = db_query(d, EVENT_SELECT " WHERE e.id = ?1 AND e.kind = 1", "i",
                                event_id(op->room.id, op->seq));
    if (op->seq >> SEQ_BITS || !event_next(d, r, st))
        return -ROOST_NO_SUCH_MESSAGE;
    db_done(st);
    uint64_t edit = r->events[0].edit_seq;
    r->events[0].edit_seq = 0;
    r->events[0].deleted = false;

    /* each edit's row names the one before it */
    while (edit && r->n_events < STORE_PAGE_MAX) {
        st = db_query(d, EVENT_SELECT " WHERE e.id = ?1 AND e.kind <> 1", "i",
                      event_id(op->room.id, edit));
        if (!event_next(d, r, st))
            break;
        db_done(st);
        struct event *e = &r->events[r->n_events - 1];
        edit = e->edit_seq;
        e->edit_seq = 0;
    }
    for (size_t i = 1, j = r->n_events; i + 1 < j; i++, j--) {
        struct event swap = r->events[i];
        r->events[i] = r->events[j - 1];
        r->events[j - 1] = swap;
    }
    r->room = op->room.id;
    return 0;
}
