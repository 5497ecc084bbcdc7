/* The event that is added to a room, and what it changes. */
#include <string.h>

#include "store/sqlite_db.h"

int room_head_get(struct db *d, uint64_t id, struct room_head *ret)
{
    sqlite3_stmt *st = db_query(
        d, "SELECT head, indexed, owner_epoch, last_ms, closed FROM rooms WHERE id = ?1", "i",
        (int64_t)id);

    if (!db_row(d, st))
        return -ROOST_NO_SUCH_ROOM;
    *ret = (struct room_head){
        .id = id,
        .head = col_u64(st, 0),
        .indexed = col_u64(st, 1),
        .epoch = col_u64(st, 2),
        .last_ms = sqlite3_column_int64(st, 3),
        .closed = sqlite3_column_int(st, 4) != 0,
    };
    db_done(st);
    return 0;
}

int room_head_put(struct db *d, const struct room_head *h)
{
    return db_run(d, "UPDATE rooms SET head = ?2, last_ms = ?3, owner_epoch = ?4 WHERE id = ?1",
                  "iiii", (int64_t)h->id, (int64_t)h->head, h->last_ms, (int64_t)h->epoch);
}

/* --- the heads of rooms, while one text follows another ---------------------------- */

static struct kept_head *head_kept(struct db *d, uint64_t room)
{
    return &d->heads[room % HEADS_MAX];
}

static void head_write(struct db *d, struct kept_head *k)
{
    if (k->ahead)
        room_head_put(d, &k->head);
    k->ahead = false;
}

void heads_write(struct db *d)
{
    for (size_t i = 0; i < HEADS_MAX; i++)
        head_write(d, &d->heads[i]);
}

void heads_drop(struct db *d)
{
    memset(d->heads, 0, sizeof d->heads);
}

static int head_get(struct db *d, uint64_t room, struct room_head *ret)
{
    struct kept_head *k = head_kept(d, room);

    if (k->head.id == room && room) {
        *ret = k->head;
        return 0;
    }
    return room_head_get(d, room, ret);
}

/* A text changes nothing else of its room, so its row can wait for the commit. */
static void head_keep(struct db *d, const struct room_head *h)
{
    struct kept_head *k = head_kept(d, h->id);

    if (k->head.id != h->id)
        head_write(d, k);
    *k = (struct kept_head){ *h, true };
}

/* Most events are texts: what only the others have is a statement of its own. */
static int other_put(struct db *d, int64_t id, const struct event *e, int64_t at_ms, int64_t bits)
{
    return db_run(d,
                  "INSERT INTO events(id, at_ms, kind, sender, bits, text, who, change, role, days,"
                  " room_name, data, ref, shown) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                  " ?11, ?12, ?13, ?14)",
                  "iiiiitiiiitxit", id, at_ms, (int64_t)e->kind, (int64_t)e->from, bits, e->text,
                  (int64_t)e->who, (int64_t)e->change, (int64_t)e->role, (int64_t)e->retention_days,
                  e->room_name, (const void *)e->data, e->n_data, (int64_t)e->ref, e->shown);
}

int event_put(struct db *d, struct room_head *h, const struct event *e, int64_t now_ms,
              uint64_t edit_seq)
{
    int64_t at_ms = now_ms > h->last_ms ? now_ms : h->last_ms;
    int64_t id = event_id(h->id, h->head + 1);
    int64_t bits = (e->flag ? BIT_FLAG : 0) | (e->private ? BIT_PRIVATE : 0) |
                   (e->moderated ? BIT_MODERATED : 0) | (e->closed ? BIT_CLOSED : 0) |
                   (e->created ? BIT_CREATED : 0);
    int err = 0;

    if (e->kind == EVENT_MEMBER || e->kind == EVENT_ROOM || e->kind == EVENT_MEET ||
        e->kind == EVENT_FILE)
        err = other_put(d, id, e, at_ms, bits);
    else
        err = db_run(d,
                     "INSERT INTO events(id, at_ms, kind, sender, ref, bits, text, mentions,"
                     " edit_seq, shown) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                     "iiiiiitxit", id, at_ms, (int64_t)e->kind, (int64_t)e->from, (int64_t)e->ref,
                     bits, e->text, e->n_mentions ? (const void *)e->mentions : NULL,
                     e->n_mentions * sizeof *e->mentions, (int64_t)edit_seq, e->shown);
    if (err)
        return err;
    h->head++;
    h->last_ms = at_ms;
    return 0;
}

/* --- what an event refers to --- */

struct target {
    uint64_t author, edit_seq;
    bool deleted;
};

static int target_get(struct db *d, const struct store_op *op, struct target *ret)
{
    const struct event *e = &op->event;
    sqlite3_stmt *st = db_query(
        d, "SELECT sender, edit_seq, deleted FROM events WHERE id = ?1 AND kind = 1", "i",
        event_id(e->room, e->ref));

    if (e->ref >> SEQ_BITS || !db_row(d, st))
        return -ROOST_NO_SUCH_MESSAGE;
    *ret = (struct target){ col_u64(st, 0), col_u64(st, 1), sqlite3_column_int(st, 2) != 0 };
    db_done(st);
    if (ret->deleted)
        return e->kind == EVENT_DELETE ? -ROOST_ALREADY : -ROOST_NO_SUCH_MESSAGE;
    return op->own && ret->author != e->from ? -ROOST_NOT_ALLOWED : 0;
}

/* Drops the words of a text from the index, as they are now. */
static void unindex(struct db *d, int64_t id)
{
    sqlite3_stmt *st = db_query(
        d,
        "SELECT coalesce(n.text, e.text) FROM events e LEFT JOIN events n ON"
        " e.edit_seq <> 0 AND n.id = (e.id >> 40 << 40 | e.edit_seq) WHERE e.id = ?1",
        "i", id);

    if (!db_row(d, st))
        return;
    index_drop(d, id, (const char *)sqlite3_column_text(st, 0));
    db_done(st);
}

void text_delete(struct db *d, uint64_t room, uint64_t seq, uint64_t indexed)
{
    int64_t id = event_id(room, seq);

    if (seq <= indexed &&
        !db_int(d, 1, "SELECT coalesce(deleted, 0) FROM events WHERE id = ?1", "i", id))
        unindex(d, id);
    db_run(d, "UPDATE events SET deleted = 1 WHERE id = ?1", "i", id);
    db_run(d, "DELETE FROM reactions WHERE event = ?1", "i", id);
    db_run(d, "DELETE FROM pins WHERE room = ?1 AND seq = ?2", "ii", (int64_t)room, (int64_t)seq);
}

static int edit(struct db *d, const struct store_op *op, struct room_head *h)
{
    const struct event *e = &op->event;
    struct target t;
    int err = target_get(d, op, &t);
    int64_t id = event_id(h->id, e->ref);

    if (err)
        return err;
    if (e->ref <= h->indexed) {
        unindex(d, id);
        index_add(d, id, e->text);
    }
    err = event_put(d, h, e, op->now_ms, t.edit_seq);
    return err ? err
               : db_run(d, "UPDATE events SET edit_seq = ?2 WHERE id = ?1", "ii", id,
                        (int64_t)h->head);
}

static int erase(struct db *d, const struct store_op *op, struct room_head *h)
{
    struct target t;
    int err = target_get(d, op, &t);

    if (err)
        return err;
    text_delete(d, h->id, op->event.ref, h->indexed);
    return event_put(d, h, &op->event, op->now_ms, 0);
}

static int react(struct db *d, const struct store_op *op, struct room_head *h)
{
    const struct event *e = &op->event;
    const char *emoji = e->text ? e->text : "";
    struct target t;
    int err = target_get(d, op, &t);
    int64_t id = event_id(h->id, e->ref);

    if (err)
        return err;
    if (e->flag) {
        db_run(d, "DELETE FROM reactions WHERE event = ?1 AND emoji = ?2 AND account = ?3", "iti",
               id, emoji, (int64_t)e->from);
    } else {
        if (db_int(d, 0,
                   "SELECT count(DISTINCT emoji) FROM reactions WHERE event = ?1 AND emoji <> ?2",
                   "it", id, emoji) >= REACTIONS_MAX)
            return -ROOST_LIMIT;
        db_run(d, "INSERT OR IGNORE INTO reactions(event, emoji, account) VALUES(?1, ?2, ?3)",
               "iti", id, emoji, (int64_t)e->from);
    }
    return db_changed(d) ? event_put(d, h, e, op->now_ms, 0) : -ROOST_ALREADY;
}

static int pin(struct db *d, const struct store_op *op, struct room_head *h)
{
    const struct event *e = &op->event;
    struct target t;
    int err = target_get(d, op, &t);
    int64_t room = (int64_t)h->id, seq = (int64_t)e->ref;

    if (err)
        return err;
    if (e->flag) {
        db_run(d, "DELETE FROM pins WHERE room = ?1 AND seq = ?2", "ii", room, seq);
    } else {
        if (db_int(d, 0, "SELECT count(*) FROM pins WHERE room = ?1 AND seq <> ?2", "ii", room,
                   seq) >= STORE_PINS_MAX)
            return -ROOST_LIMIT;
        db_run(d, "INSERT OR IGNORE INTO pins(room, seq) VALUES(?1, ?2)", "ii", room, seq);
    }
    return db_changed(d) ? event_put(d, h, e, op->now_ms, 0) : -ROOST_ALREADY;
}

/* --- members and settings --- */

static int member_in(struct db *d, const struct event *e, int64_t seq)
{
    if (!account_is(d, e->who))
        return -ROOST_NO_SUCH_USER;
    if (db_int(d, 0,
               "SELECT count(*) FROM members WHERE room = ?1 AND banned = 0 AND account <> ?2",
               "ii", (int64_t)e->room, (int64_t)e->who) >= ROOM_MEMBERS_MAX)
        return -ROOST_LIMIT;
    /* what was said before is no news to who joins; who is in keeps its marks */
    return db_run(d,
                  "INSERT INTO members(room, account, role, delivered, read)"
                  " VALUES(?1, ?2, ?3, ?4, ?4) ON CONFLICT(room, account) DO UPDATE SET"
                  " role = ?3, delivered = CASE WHEN banned THEN ?4 ELSE delivered END,"
                  " read = CASE WHEN banned THEN ?4 ELSE read END, banned = 0",
                  "iiii", (int64_t)e->room, (int64_t)e->who, (int64_t)e->role, seq);
}

static int member(struct db *d, const struct store_op *op, struct room_head *h)
{
    const struct event *e = &op->event;
    int64_t room = (int64_t)h->id, who = (int64_t)e->who;
    int err = 0;

    switch (e->change) {
    case ROOST__MEMBER_CHANGED__CHANGE__JOINED:
    case ROOST__MEMBER_CHANGED__CHANGE__INVITED:
        err = member_in(d, e, (int64_t)h->head + 1);
        break;
    case ROOST__MEMBER_CHANGED__CHANGE__LEFT:
    case ROOST__MEMBER_CHANGED__CHANGE__REMOVED:
        db_run(d, "DELETE FROM members WHERE room = ?1 AND account = ?2 AND banned = 0", "ii", room,
               who);
        break;
    case ROOST__MEMBER_CHANGED__CHANGE__BANNED:
        if (!account_is(d, e->who))
            return -ROOST_NO_SUCH_USER;
        db_run(d,
               "INSERT INTO members(room, account, banned) VALUES(?1, ?2, 1)"
               " ON CONFLICT(room, account) DO UPDATE SET banned = 1, role = 0, muted = 0",
               "ii", room, who);
        break;
    case ROOST__MEMBER_CHANGED__CHANGE__UNBANNED:
        db_run(d, "DELETE FROM members WHERE room = ?1 AND account = ?2 AND banned = 1", "ii", room,
               who);
        break;
    case ROOST__MEMBER_CHANGED__CHANGE__ROLE:
        db_run(d, "UPDATE members SET role = ?3 WHERE room = ?1 AND account = ?2 AND banned = 0",
               "iii", room, who, (int64_t)e->role);
        break;
    default:
        return -ROOST_INVALID;
    }
    return err ? err : event_put(d, h, e, op->now_ms, 0);
}

static int settings(struct db *d, const struct store_op *op, struct room_head *h)
{
    const struct event *e = &op->event;

    db_run(d,
           "UPDATE rooms SET topic = ?2, private = ?3, moderated = ?4, closed = ?5,"
           " retention_days = ?6 WHERE id = ?1",
           "itiiii", (int64_t)h->id, e->text ? e->text : "", (int64_t)e->private,
           (int64_t)e->moderated, (int64_t)e->closed, (int64_t)e->retention_days);
    if (e->closed)
        db_looks_drop(d, LOOK_ROOM, h->id); /* its name is free */
    return event_put(d, h, e, op->now_ms, 0);
}

static int append(struct db *d, const struct store_op *op, struct room_head *h)
{
    switch (op->event.kind) {
    case EVENT_TEXT:
        d->unindexed++;
        return event_put(d, h, &op->event, op->now_ms, 0);
    case EVENT_EDIT:
        return edit(d, op, h);
    case EVENT_DELETE:
        return erase(d, op, h);
    case EVENT_REACT:
        return react(d, op, h);
    case EVENT_PIN:
        return pin(d, op, h);
    case EVENT_MEMBER:
        return member(d, op, h);
    case EVENT_ROOM:
        return settings(d, op, h);
    case EVENT_MEET: /* comes by STORE_MEET_CHANGE */
    case EVENT_FILE: /* comes with what is kept */
        break;
    }
    return -ROOST_INVALID;
}

int do_append(struct db *d, const struct store_op *op, struct store_result *r)
{
    struct room_head h;
    int err = head_get(d, op->event.room, &h);

    if (err)
        return err;
    if (op->owner_epoch < h.epoch)
        return -ROOST_STALE_OWNER;
    if (h.closed && !store_closed_takes(&op->event))
        return -ROOST_ROOM_CLOSED;
    h.epoch = op->owner_epoch;
    err = append(d, op, &h);
    if (err)
        return err;
    if (op->event.kind == EVENT_TEXT)
        head_keep(d, &h);
    else
        room_head_put(d, &h);
    r->room = h.id;
    r->seq = r->head = h.head;
    r->at_ms = h.last_ms;
    return 0;
}
