/* Meetings: made, found, changed, listed; notes between two. What a constraint may
 * refuse is written behind a savepoint, so that a refusal has changed nothing. */
#include "store/sqlite_db.h"

#define MEET_COLS "t.room, t.bound_room, t.code, t.until_ms, t.live, t.forget, t.data"

static void meet_col(struct db *d, struct store_result *r, sqlite3_stmt *st, struct meet_row *m)
{
    *m = (struct meet_row){
        .room = col_u64(st, 0),
        .bound_room = col_u64(st, 1),
        .code = col_text(d, r, st, 2),
        .until_ms = sqlite3_column_int64(st, 3),
        .live = sqlite3_column_int(st, 4) != 0,
        .forget = sqlite3_column_int(st, 5) != 0,
    };
    m->data = col_blob(d, r, st, 6, &m->n_data);
}

static bool meet_get(struct db *d, struct store_result *r, uint64_t room)
{
    sqlite3_stmt *st = db_query(d, "SELECT " MEET_COLS " FROM meets t WHERE t.room = ?1", "i",
                                (int64_t)room);

    if (!db_row(d, st))
        return false;
    meet_col(d, r, st, &r->meet);
    db_done(st);
    return true;
}

void meet_load(struct db *d, struct store_result *r, uint64_t room)
{
    meet_get(d, r, room);
    sqlite3_stmt *st = db_query(d,
                                "SELECT account, skeleton, data FROM attendees WHERE meeting = ?1"
                                " ORDER BY account",
                                "i", (int64_t)room);
    while (db_row(d, st)) {
        if (!db_grow(d, r, &r->attendees, r->n_attendees, sizeof *r->attendees))
            return;
        struct attendee_row *a = &r->attendees[r->n_attendees++];
        bool present = sqlite3_column_type(st, 1) != SQLITE_NULL;
        *a = (struct attendee_row){ .account = col_u64(st, 0) };
        a->skeleton = present ? col_text(d, r, st, 1) : NULL;
        a->data = col_blob(d, r, st, 2, &a->n_data);
    }
}

/* --- who is in it ---------------------------------------------------------------------- */

static bool ends(const struct store_op *op)
{
    return op->kind == STORE_MEET_CHANGE && !op->meet.live;
}

/* Rooms of notes with it are called so; what it said keeps what it was called then. */
static void guest_call(struct db *d, const struct attendee_row *a)
{
    if (a->name)
        db_run(d,
               "UPDATE accounts SET shown = ?2 WHERE id = ?1 AND guest <> 0"
               " AND coalesce(shown, name) <> ?2",
               "it", (int64_t)a->account, a->name);
}

/* All of them step aside first: two may have changed names with each other. */
static void names_leave(struct db *d, const struct store_op *op, uint64_t room)
{
    for (size_t i = 0; op->n_attendees > 1 && i < op->n_attendees; i++)
        if (account_is(d, op->attendees[i].account))
            db_run(d, "UPDATE attendees SET skeleton = NULL WHERE meeting = ?1 AND account = ?2",
                   "ii", (int64_t)room, (int64_t)op->attendees[i].account);
}

static int attendees_put(struct db *d, const struct store_op *op, uint64_t room)
{
    int err = 0;

    names_leave(d, op, room);
    for (size_t i = 0; i < op->n_attendees && !err; i++) {
        const struct attendee_row *a = &op->attendees[i];
        guest_call(d, a);
        if (a->gone)
            db_run(d, "DELETE FROM attendees WHERE meeting = ?1 AND account = ?2", "ii",
                   (int64_t)room, (int64_t)a->account);
        else if (account_is(d, a->account))
            err = db_run(d,
                         "INSERT INTO attendees(meeting, account, skeleton, data)"
                         " VALUES(?1, ?2, ?3, ?4) ON CONFLICT(meeting, account) DO UPDATE SET"
                         " skeleton = ?3, data = ?4",
                         "iitx", (int64_t)room, (int64_t)a->account, ends(op) ? NULL : a->skeleton,
                         (const void *)a->data, a->n_data);
    }
    if (err)
        return -ROOST_NAME_TAKEN;
    return op->n_attendees && db_int(d, 0, "SELECT count(*) FROM attendees WHERE meeting = ?1", "i",
                                     (int64_t)room) > MEET_ATTENDEES_MAX
               ? -ROOST_MEET_FULL
               : 0;
}

/* Who comes in has read all up to `seq`; who is in keeps its marks. */
static void member_put(struct db *d, uint64_t room, const struct member_row *m, uint64_t seq)
{
    if (m->banned)
        db_run(d, "DELETE FROM members WHERE room = ?1 AND account = ?2", "ii", (int64_t)room,
               (int64_t)m->account);
    else if (account_is(d, m->account))
        db_run(d,
               "INSERT INTO members(room, account, role, delivered, read)"
               " VALUES(?1, ?2, ?3, ?4, ?4) ON CONFLICT(room, account) DO UPDATE SET"
               " role = ?3, delivered = CASE WHEN banned THEN ?4 ELSE delivered END,"
               " read = CASE WHEN banned THEN ?4 ELSE read END, banned = 0",
               "iiii", (int64_t)room, (int64_t)m->account, (int64_t)m->role, (int64_t)seq);
}

static int members_put(struct db *d, const struct store_op *op, uint64_t room, uint64_t seq)
{
    for (size_t i = 0; i < op->n_members; i++)
        member_put(d, room, &op->members[i], seq);
    return op->n_members &&
                   db_int(d, 0, "SELECT count(*) FROM members WHERE room = ?1 AND banned = 0", "i",
                          (int64_t)room) > ROOM_MEMBERS_MAX
               ? -ROOST_LIMIT
               : 0;
}

/* Runs what may be refused; then nothing of it has happened. */
typedef int part(struct db *d, const struct store_op *op, struct room_head *h);
static int whole(struct db *d, const struct store_op *op, struct room_head *h, part *p)
{
    db_run(d, "SAVEPOINT meet", "");
    int err = p(d, op, h);
    if (err)
        db_run(d, "ROLLBACK TO meet", "");
    db_run(d, "RELEASE meet", "");
    return err;
}

static const char *code_of(const struct store_op *op)
{
    return !ends(op) && op->meet.code && *op->meet.code ? op->meet.code : NULL;
}

/* --- a new one --------------------------------------------------------------------- */

static int meet_make(struct db *d, const struct store_op *op, struct room_head *h)
{
    const struct room_row *m = &op->room;
    const struct meet_row *t = &op->meet;

    db_run(d,
           "INSERT INTO rooms(kind, name, topic, private, moderated, retention_days)"
           " VALUES(3, ?1, ?2, 1, ?3, ?4)",
           "ttii", m->name ? m->name : "", m->topic ? m->topic : "", (int64_t)m->moderated,
           (int64_t)m->retention_days);
    *h = (struct room_head){ .id = (uint64_t)db_last_id(d), .epoch = 1 };
    if (db_run(d,
               "INSERT INTO meets(room, bound_room, code, until_ms, live, forget, data)"
               " VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6)",
               "iitiix", (int64_t)h->id, (int64_t)t->bound_room, code_of(op), t->until_ms,
               (int64_t)t->forget, (const void *)t->data, t->n_data))
        return -ROOST_CODE_TAKEN;
    int err = attendees_put(d, op, h->id);
    return err ? err : members_put(d, op, h->id, 1);
}

_Static_assert(ROOST__ROOM_KIND__MEETING == 3 && EVENT_MEET == 8, "these numbers are in texts");

static bool guest_has_one(struct db *d, uint64_t account)
{
    return db_int(d, 0, "SELECT 1 FROM accounts WHERE id = ?1 AND guest <> 0 AND guest_of <> 0",
                  "i", (int64_t)account) == 1;
}

int do_meet_new(struct db *d, const struct store_op *op, struct store_result *r)
{
    struct room_head h = { 0 };

    if (op->event.kind != EVENT_MEET)
        return -ROOST_INVALID;
    if (!account_is(d, op->account.id))
        return -ROOST_NO_SUCH_USER;
    if (guest_has_one(d, op->account.id))
        return -ROOST_ALREADY;
    if (rooms_are_full(d))
        return -ROOST_LIMIT;
    int err = counts_check(d, op, r);
    if (!err)
        err = whole(d, op, &h, meet_make);
    if (err)
        return err;
    counts_add(d, op);
    event_put(d, &h, &op->event, op->now_ms, 0);
    room_head_put(d, &h);
    db_run(d, "UPDATE accounts SET guest_of = ?2 WHERE id = ?1 AND guest <> 0", "ii",
           (int64_t)op->account.id, (int64_t)h.id);
    r->seq = h.head;
    r->at_ms = h.last_ms;
    return room_get(d, r, h.id);
}

/* --- finding ------------------------------------------------------------------------ */

static uint64_t meet_by_code(struct db *d, const struct store_op *op)
{
    return (uint64_t)db_int(d, 0,
                            "SELECT room FROM meets WHERE code = ?1 AND live = 1"
                            " AND (until_ms = 0 OR until_ms >= ?2)",
                            "ti", op->words, op->now_ms);
}

static uint32_t role_in(struct db *d, uint64_t room, uint64_t account)
{
    return (uint32_t)(1 + db_int(d, -1,
                                 "SELECT role FROM members WHERE room = ?1 AND account = ?2"
                                 " AND banned = 0",
                                 "ii", (int64_t)room, (int64_t)account));
}

/* Who has a place there, or is a guest of it, was told its code. */
static bool is_known_there(struct db *d, uint64_t room, uint64_t account)
{
    return account &&
           db_int(d, 0,
                  "SELECT EXISTS (SELECT 1 FROM attendees WHERE meeting = ?1 AND account = ?2) OR"
                  " EXISTS (SELECT 1 FROM accounts WHERE id = ?2 AND guest <> 0 AND guest_of = ?1)",
                  "ii", (int64_t)room, (int64_t)account) == 1;
}

int do_meet_find(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint64_t room = op->room.id;

    if (!room) {
        room = meet_by_code(d, op);
        bool guess = !room || !is_known_there(d, room, op->account.id);
        int err = guess ? counts_check(d, op, r) : 0;
        if (err)
            return err;
        if (!room)
            counts_add(d, op);
    }
    if (!room || !meet_get(d, r, room))
        return -ROOST_NO_SUCH_MEETING;
    r->room = room;
    r->head = (uint64_t)db_int(d, 0, "SELECT head FROM rooms WHERE id = ?1", "i", (int64_t)room);
    r->meet_role = role_in(d, r->meet.bound_room, op->account.id);
    return 0;
}

/* One statement for each question, so that each finds its rows by an index. */
static sqlite3_stmt *meets_query(struct db *d, const struct store_op *op, int64_t limit)
{
    int64_t account = (int64_t)op->account.id, after = (int64_t)op->after;

    if (!account)
        return db_query(d,
                        "SELECT " MEET_COLS " FROM meets t WHERE t.live = 1 AND t.room > ?1"
                        " ORDER BY t.room LIMIT ?2",
                        "ii", after, limit);
    return db_query(d,
                    "SELECT " MEET_COLS " FROM meets t WHERE t.live = 1 AND t.room > ?1 AND"
                    " (EXISTS (SELECT 1 FROM attendees a WHERE a.meeting = t.room AND"
                    " a.account = ?3) OR EXISTS (SELECT 1 FROM members m WHERE"
                    " m.room = t.bound_room AND m.account = ?3 AND m.banned = 0))"
                    " ORDER BY t.room LIMIT ?2",
                    "iii", after, limit, account);
}

int do_meet_list(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    sqlite3_stmt *st = meets_query(d, op, (int64_t)limit + 1);

    while (db_row(d, st)) {
        if (r->n_meets == limit) {
            r->more = true;
            db_done(st);
            break;
        }
        if (!db_grow(d, r, &r->meets, r->n_meets, sizeof *r->meets))
            break;
        meet_col(d, r, st, &r->meets[r->n_meets++]);
    }
    return 0;
}

/* --- changing, ending ---------------------------------------------------------------- */

static int meet_write(struct db *d, const struct store_op *op, struct room_head *h)
{
    const struct meet_row *t = &op->meet;
    uint64_t seq = h->head + (op->event.kind != 0);

    if (db_run(d,
               "UPDATE meets SET code = coalesce(?2, code), until_ms = ?3, forget = ?4, data = ?5"
               " WHERE room = ?1",
               "itiix", (int64_t)h->id, code_of(op), t->until_ms, (int64_t)t->forget,
               (const void *)t->data, t->n_data))
        return -ROOST_CODE_TAKEN;
    int err = attendees_put(d, op, h->id);
    return err ? err : members_put(d, op, h->id, seq);
}

#define ITS_GUESTS "(SELECT id FROM accounts WHERE guest <> 0 AND guest_of = ?1)"

/* Notes from guest to guest: nobody is left who could read them. */
static void notes_forget(struct db *d, int64_t meeting)
{
    struct room_head h;
    int64_t room = 0;

    while ((room = db_int(d, 0,
                          "SELECT min(room) FROM direct WHERE room > ?2 AND (low IN " ITS_GUESTS
                          " OR high IN " ITS_GUESTS ") AND NOT EXISTS (SELECT 1 FROM members m"
                          " WHERE m.room = direct.room)",
                          "ii", meeting, room)))
        if (!room_head_get(d, (uint64_t)room, &h))
            texts_drop(d, &h, h.head + 1);
}

/* What was said is nobody's any more; guests' notes are left to those who got them. */
static void meet_forget(struct db *d, const struct room_head *h)
{
    int64_t room = (int64_t)h->id;

    texts_drop(d, h, h->head + 1);
    files_forget_room(d, h->id);
    db_run(d, "DELETE FROM members WHERE room = ?1", "i", room);
    db_run(d,
           "DELETE FROM members WHERE account IN " ITS_GUESTS
           " AND EXISTS (SELECT 1 FROM direct t WHERE t.room = members.room)",
           "i", room);
    notes_forget(d, room);
}

static void meet_end(struct db *d, const struct store_op *op, const struct room_head *h)
{
    int64_t room = (int64_t)h->id;

    db_run(d, "UPDATE meets SET live = 0, code = NULL, guests_until_ms = ?2 WHERE room = ?1", "ii",
           room, op->now_ms + GUEST_KEEP_MS);
    db_run(d, "UPDATE rooms SET closed = 1 WHERE id = ?1", "i", room);
    db_run(
        d,
        "UPDATE rooms SET closed = 1 WHERE id IN (SELECT room FROM direct WHERE low IN " ITS_GUESTS
        " OR high IN " ITS_GUESTS ")",
        "i", room); /* nobody answers there any more */
    db_run(d, "UPDATE attendees SET skeleton = NULL WHERE meeting = ?1", "i", room);
    db_run(d, "DELETE FROM sessions WHERE account IN " ITS_GUESTS, "i", room);
    if (op->meet.forget)
        meet_forget(d, h);
}

/* 0 when the meeting may be changed. */
static int meet_open(struct db *d, const struct store_op *op, struct room_head *h)
{
    int err = room_head_get(d, op->room.id, h);

    if (err)
        return err;
    if (op->owner_epoch < h->epoch)
        return -ROOST_STALE_OWNER;
    int64_t live = db_int(d, -1, "SELECT live FROM meets WHERE room = ?1", "i", (int64_t)h->id);
    if (live < 1)
        return live < 0 ? -ROOST_NO_SUCH_MEETING : -ROOST_ROOM_CLOSED;
    return op->event.kind && op->event.kind != EVENT_MEET ? -ROOST_INVALID : 0;
}

int do_meet_change(struct db *d, const struct store_op *op, struct store_result *r)
{
    struct room_head h;
    int err = meet_open(d, op, &h);

    if (!err)
        err = whole(d, op, &h, meet_write);
    if (err)
        return err;
    if (op->room.name)
        db_run(d, "UPDATE rooms SET name = ?2 WHERE id = ?1", "it", (int64_t)h.id, op->room.name);
    if (ends(op))
        meet_end(d, op, &h);
    h.epoch = op->owner_epoch;
    r->at_ms = op->now_ms > h.last_ms ? op->now_ms : h.last_ms;
    if (op->event.kind) {
        event_put(d, &h, &op->event, op->now_ms, 0);
        r->seq = h.head;
    }
    room_head_put(d, &h);
    r->room = h.id;
    r->head = h.head;
    return 0;
}

/* --- a note --------------------------------------------------------------------------- */

int do_meet_note(struct db *d, const struct store_op *op, struct store_result *r)
{
    struct room_head h;

    if (op->event.kind != EVENT_TEXT)
        return -ROOST_INVALID;
    if (!account_is(d, op->account.id) || !account_is(d, op->peer))
        return -ROOST_NO_SUCH_USER;
    if (op->owner_epoch < 1) /* also of a room that is yet to be made */
        return -ROOST_STALE_OWNER;
    uint64_t room = room_direct(d, op->account.id, op->peer);
    if (!room || room_head_get(d, room, &h))
        return -ROOST_LIMIT;
    if (op->owner_epoch < h.epoch)
        return -ROOST_STALE_OWNER;
    if (h.closed)
        return -ROOST_ROOM_CLOSED;
    h.epoch = op->owner_epoch;
    event_put(d, &h, &op->event, op->now_ms, 0);
    d->unindexed++;
    room_head_put(d, &h);
    r->room = h.id;
    r->seq = r->head = h.head;
    r->at_ms = h.last_ms;
    return 0;
}
