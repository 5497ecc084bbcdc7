/* The rooms that somebody sees, with its own place in each. */
#include <string.h>

#include "store/sqlite_db.h"

static bool mentions(sqlite3_stmt *st, int i, uint64_t account)
{
    const uint8_t *p = sqlite3_column_blob(st, i);
    size_t n = (size_t)sqlite3_column_bytes(st, i) / sizeof account;

    for (size_t k = 0; k < n; k++) {
        uint64_t one = 0;
        memcpy(&one, p + k * sizeof one, sizeof one);
        if (one == account)
            return true;
    }
    return false;
}

/* Others' texts above the mark, up to UNREAD_MAX. Mentions as first written: an edit
 * rings nobody again. */
static void unread_count(struct db *d, struct room_place *p, uint64_t account)
{
    sqlite3_stmt *st = db_query(d,
                                "SELECT mentions FROM events WHERE id > ?1 AND id <= ?2 AND"
                                " kind = 1 AND sender <> ?3 AND deleted IS NOT 1 LIMIT ?4",
                                "iiii", event_id(p->room.id, p->read),
                                event_id(p->room.id, p->room.head), (int64_t)account,
                                (int64_t)UNREAD_MAX);

    while (db_row(d, st)) {
        p->unread++;
        p->mentions += mentions(st, 0, account);
    }
}

static void peer_find(struct db *d, struct store_result *r, struct room_place *p, uint64_t account)
{
    sqlite3_stmt *st = db_query(d, "SELECT low, high FROM direct WHERE room = ?1", "i",
                                (int64_t)p->room.id);

    if (db_row(d, st)) {
        p->peer = col_u64(st, 0) == account ? col_u64(st, 1) : col_u64(st, 0);
        db_done(st);
    }
    st = db_query(d, "SELECT coalesce(shown, name) FROM accounts WHERE id = ?1", "i",
                  (int64_t)p->peer);
    if (db_row(d, st)) {
        p->peer_name = col_text(d, r, st, 0);
        db_done(st);
    }
}

static void place_fill(struct db *d, const struct store_op *op, struct store_result *r,
                       struct room_place *p)
{
    uint64_t account = op->account.id;
    uint64_t *pins = NULL;
    sqlite3_stmt *st = db_query(d,
                                "SELECT role, muted, read FROM members"
                                " WHERE room = ?1 AND account = ?2 AND banned = 0",
                                "ii", (int64_t)p->room.id, (int64_t)account);

    p->peer_name = "";
    if (db_row(d, st)) {
        p->member = true;
        p->role = col_u32(st, 0);
        p->muted = sqlite3_column_int(st, 1) != 0;
        p->read = col_u64(st, 2);
        db_done(st);
    }
    p->members = (uint32_t)db_int(d, 0,
                                  "SELECT count(*) FROM members WHERE room = ?1 AND banned = 0",
                                  "i", (int64_t)p->room.id);
    if (p->member)
        unread_count(d, p, account);
    if (p->room.kind == ROOST__ROOM_KIND__DIRECT && account)
        peer_find(d, r, p, account);
    room_pins(d, r, p->room.id, &pins, &p->n_pins);
    p->pins = pins;
}

/* One statement for each question, so that each finds its rows by an index. */
static sqlite3_stmt *places_query(struct db *d, const struct store_op *op, int64_t limit)
{
    int64_t account = (int64_t)op->account.id, after = (int64_t)op->after;

    if (!account)
        return db_query(d, "SELECT " ROOM_COLS " FROM rooms WHERE id > ?1 ORDER BY id LIMIT ?2",
                        "ii", after, limit);
    if (op->mine)
        return db_query(d,
                        "SELECT " ROOM_COLS " FROM rooms WHERE id IN (SELECT room FROM members"
                        " WHERE account = ?3 AND banned = 0 AND room > ?1) ORDER BY id LIMIT ?2",
                        "iii", after, limit, account);
    return db_query(d,
                    "SELECT " ROOM_COLS " FROM rooms WHERE id > ?1 AND ((private = 0 AND"
                    " closed = 0 AND kind = 0) OR EXISTS (SELECT 1 FROM members m WHERE"
                    " m.room = rooms.id AND m.account = ?3 AND m.banned = 0)) ORDER BY id LIMIT ?2",
                    "iii", after, limit, account);
}

int do_room_list(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    sqlite3_stmt *st = places_query(d, op, (int64_t)limit + 1);

    while (db_row(d, st)) {
        if (r->n_places == limit) {
            r->more = true;
            db_done(st);
            break;
        }
        if (!db_grow(d, r, &r->places, r->n_places, sizeof *r->places))
            break;
        struct room_place *p = &r->places[r->n_places++];
        *p = (struct room_place){ 0 };
        room_col(d, r, st, &p->room);
    }
    for (size_t i = 0; i < r->n_places; i++)
        place_fill(d, op, r, &r->places[i]);
    return 0;
}
