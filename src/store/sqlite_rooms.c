/* Rooms: made, found, loaded; marks. (Listing: sqlite_places.c.) */
#include "store/sqlite_db.h"

enum { ROOM_ID_MAX = 1 << (63 - SEQ_BITS) }; /* its events' rows would not fit */

void room_col(struct db *d, struct store_result *r, sqlite3_stmt *st, struct room_row *room)
{
    *room = (struct room_row){
        .id = col_u64(st, 0),
        .kind = col_u32(st, 1),
        .name = col_text(d, r, st, 2),
        .skeleton = col_text(d, r, st, 3),
        .topic = col_text(d, r, st, 4),
        .private = sqlite3_column_int(st, 5) != 0,
        .moderated = sqlite3_column_int(st, 6) != 0,
        .closed = sqlite3_column_int(st, 7) != 0,
        .retention_days = col_u32(st, 8),
        .head = col_u64(st, 9),
        .first = col_u64(st, 10),
        .last_ms = sqlite3_column_int64(st, 11),
    };
}

int room_get(struct db *d, struct store_result *r, uint64_t id)
{
    sqlite3_stmt *st = db_query(d, "SELECT " ROOM_COLS " FROM rooms WHERE id = ?1", "i",
                                (int64_t)id);

    if (!db_row(d, st))
        return -ROOST_NO_SUCH_ROOM;
    room_col(d, r, st, &r->room_row);
    db_done(st);
    r->room = id;
    r->head = r->room_row.head;
    return 0;
}

void room_pins(struct db *d, struct store_result *r, uint64_t room, uint64_t **ret_ids,
               size_t *ret_n)
{
    sqlite3_stmt *st = db_query(d, "SELECT seq FROM pins WHERE room = ?1 ORDER BY seq", "i",
                                (int64_t)room);

    while (db_row(d, st)) {
        if (!db_grow(d, r, ret_ids, *ret_n, sizeof **ret_ids))
            return;
        (*ret_ids)[(*ret_n)++] = col_u64(st, 0);
    }
}

bool rooms_are_full(struct db *d)
{
    return db_int(d, 0, "SELECT max(id) FROM rooms", "") >= ROOM_ID_MAX - 1;
}

static bool all_are(struct db *d, const struct store_op *op)
{
    for (size_t i = 0; i < op->n_members; i++) {
        if (!account_is(d, op->members[i].account))
            return false;
    }
    return true;
}

static void member_first(struct db *d, struct room_head *h, const struct store_op *op, size_t i)
{
    const struct member_row *m = &op->members[i];
    uint32_t role = i == 0 ? ROOST__ROOM_ROLE__OWNER : m->role;

    db_run(d, "INSERT OR IGNORE INTO members(room, account, role) VALUES(?1, ?2, ?3)", "iii",
           (int64_t)h->id, (int64_t)m->account, (int64_t)role);
    if (!db_changed(d))
        return; /* named twice */
    struct event e = {
        .from = op->members[0].account,
        .kind = EVENT_MEMBER,
        .who = m->account,
        .change = i == 0 ? ROOST__MEMBER_CHANGED__CHANGE__JOINED
                         : ROOST__MEMBER_CHANGED__CHANGE__INVITED,
        .role = role,
    };
    event_put(d, h, &e, op->now_ms, 0);
}

int do_room_new(struct db *d, const struct store_op *op, struct store_result *r)
{
    const struct room_row *m = &op->room;
    const char *name = m->name ? m->name : "", *topic = m->topic ? m->topic : "";

    if (op->n_members == 0)
        return -ROOST_INVALID;
    if (op->n_members > ROOM_MEMBERS_MAX || rooms_are_full(d))
        return -ROOST_LIMIT;
    if (!all_are(d, op))
        return -ROOST_NO_SUCH_USER;
    if (db_looks_taken(d, LOOK_ROOM, m->skeleton, m->looks))
        return -ROOST_NAME_TAKEN;
    if (db_run(d,
               "INSERT INTO rooms(kind, name, skeleton, topic, private, moderated, retention_days)"
               " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
               "itttiii", (int64_t)m->kind, name, m->skeleton, topic, (int64_t)m->private,
               (int64_t)m->moderated, (int64_t)m->retention_days))
        return -ROOST_NAME_TAKEN;

    struct room_head h = { .id = (uint64_t)db_last_id(d), .epoch = 1 };
    db_looks_put(d, LOOK_ROOM, h.id, m->skeleton, m->looks);
    struct event e = {
        .from = op->members[0].account,
        .kind = EVENT_ROOM,
        .text = topic,
        .room_name = name,
        .private = m->private,
        .moderated = m->moderated,
        .retention_days = m->retention_days,
        .created = true,
    };
    event_put(d, &h, &e, op->now_ms, 0);
    for (size_t i = 0; i < op->n_members; i++)
        member_first(d, &h, op, i);
    room_head_put(d, &h);
    r->seq = h.head;
    r->at_ms = h.last_ms;
    return room_get(d, r, h.id);
}

int do_room_find(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t id = db_int(d, 0, "SELECT id FROM rooms WHERE skeleton = ?1 AND closed = 0", "t",
                        op->skeleton);

    return room_get(d, r, (uint64_t)id);
}

uint64_t room_direct(struct db *d, uint64_t a, uint64_t b)
{
    int64_t low = (int64_t)(a < b ? a : b), high = (int64_t)(a < b ? b : a);
    int64_t id = db_int(d, 0, "SELECT room FROM direct WHERE low = ?1 AND high = ?2", "ii", low,
                        high);

    if (id || rooms_are_full(d))
        return (uint64_t)id;
    db_run(d, "INSERT INTO rooms(kind, name, private) VALUES(1, '', 1)", "");
    id = db_last_id(d);
    db_run(d, "INSERT INTO direct(low, high, room) VALUES(?1, ?2, ?3)", "iii", low, high, id);
    db_run(d, "INSERT INTO members(room, account) VALUES(?1, ?2)", "ii", id, low);
    if (low != high)
        db_run(d, "INSERT INTO members(room, account) VALUES(?1, ?2)", "ii", id, high);
    return (uint64_t)id;
}

int do_room_direct(struct db *d, const struct store_op *op, struct store_result *r)
{
    if (!account_is(d, op->account.id) || !account_is(d, op->peer))
        return -ROOST_NO_SUCH_USER;
    uint64_t id = room_direct(d, op->account.id, op->peer);
    return id ? room_get(d, r, id) : -ROOST_LIMIT;
}

int do_room_load(struct db *d, const struct store_op *op, struct store_result *r)
{
    int err = room_get(d, r, op->room.id);

    if (err)
        return err;
    sqlite3_stmt *st = db_query(
        d,
        "SELECT m.account, coalesce(a.shown, a.name), m.role, m.banned, m.delivered, m.read,"
        " a.guest, m.muted FROM members m LEFT JOIN accounts a ON a.id = m.account"
        " WHERE m.room = ?1 ORDER BY m.account LIMIT ?2",
        "ii", (int64_t)op->room.id, (int64_t)ROOM_MEMBERS_MAX * 2);
    while (db_row(d, st)) {
        if (!db_grow(d, r, &r->members, r->n_members, sizeof *r->members))
            return 0;
        r->members[r->n_members++] = (struct member_row){
            .account = col_u64(st, 0),
            .name = col_text(d, r, st, 1),
            .role = col_u32(st, 2),
            .banned = sqlite3_column_int(st, 3) != 0,
            .delivered = col_u64(st, 4),
            .read = col_u64(st, 5),
            .guest = sqlite3_column_int(st, 6) != 0,
            .muted = sqlite3_column_int(st, 7) != 0,
        };
    }
    room_pins(d, r, op->room.id, &r->ids, &r->n_ids);
    if (r->room_row.kind == ROOST__ROOM_KIND__MEETING)
        meet_load(d, r, op->room.id);
    return 0;
}

int do_mark(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t room = (int64_t)op->room.id, account = (int64_t)op->account.id;
    sqlite3_stmt *st = db_query(d,
                                "SELECT m.delivered, m.read, r.head FROM members m"
                                " JOIN rooms r ON r.id = m.room"
                                " WHERE m.room = ?1 AND m.account = ?2 AND m.banned = 0",
                                "ii", room, account);

    if (!db_row(d, st))
        return -ROOST_NOT_MEMBER;
    uint64_t delivered = col_u64(st, 0), read = col_u64(st, 1), head = col_u64(st, 2);
    db_done(st);

    uint64_t want_read = op->read < head ? op->read : head;
    uint64_t want = op->delivered < head ? op->delivered : head;
    r->read = want_read > read ? want_read : read;
    r->delivered = want > delivered ? want : delivered;
    if (r->delivered < r->read)
        r->delivered = r->read; /* what was read has arrived */
    if (r->read != read || r->delivered != delivered)
        db_run(d, "UPDATE members SET delivered = ?3, read = ?4 WHERE room = ?1 AND account = ?2",
               "iiii", room, account, (int64_t)r->delivered, (int64_t)r->read);
    r->room = op->room.id;
    r->account = op->account.id;
    r->head = head;
    return 0;
}

int do_room_mute(struct db *d, const struct store_op *op, struct store_result *r)
{
    db_run(d, "UPDATE members SET muted = ?3 WHERE room = ?1 AND account = ?2 AND banned = 0",
           "iii", (int64_t)op->room.id, (int64_t)op->account.id, (int64_t)op->on);
    if (!db_changed(d))
        return -ROOST_NOT_MEMBER;
    r->room = op->room.id;
    r->account = op->account.id;
    return 0;
}
