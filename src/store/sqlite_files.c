/* Parcels: offered, kept, over. */
#include <string.h>

#include "store/sqlite_db.h"

#define FILE_COLS                                                                                  \
    "f.id, f.room, f.sender, f.peer, f.name, f.kind, f.files, f.size, f.open_size, f.list_size,"   \
    " f.root, f.list_root, f.kept, f.stage, f.got, f.made_ms, f.done_ms, f.until_ms, f.seq,"       \
    " coalesce(f.shown, s.name), coalesce(p.shown, p.name), f.shown, f.mode, f.mtime_s"
#define FILE_FROM                                                                                  \
    " FROM files f LEFT JOIN accounts s ON s.id = f.sender LEFT JOIN accounts p ON p.id = f.peer"

_Static_assert(ROOST__FILE_STAGE__FILE_OFFERED == 0 && ROOST__FILE_STAGE__FILE_ACCEPTED == 1 &&
                   ROOST__FILE_STAGE__FILE_CANCELLED == 3 && ROOST__FILE_STAGE__FILE_DONE == 5 &&
                   ROOST__FILE_STAGE__FILE_FORGOTTEN == 6,
               "these numbers are in texts");

static bool root_col(sqlite3_stmt *st, int i, uint8_t ret[static 32])
{
    if (sqlite3_column_bytes(st, i) != 32)
        return false;
    col_bytes(st, i, ret, 32);
    return true;
}

static void file_col(struct db *d, struct store_result *r, sqlite3_stmt *st, struct file_row *f)
{
    *f = (struct file_row){
        .id = col_u64(st, 0),
        .room = col_u64(st, 1),
        .sender = col_u64(st, 2),
        .peer = col_u64(st, 3),
        .name = col_text(d, r, st, 4),
        .kind = col_u32(st, 5),
        .files = col_u32(st, 6),
        .size = col_u64(st, 7),
        .open_size = sqlite3_column_int(st, 8) != 0,
        .list_size = col_u64(st, 9),
        .kept = sqlite3_column_int(st, 12) != 0,
        .stage = col_u32(st, 13),
        .got = sqlite3_column_int(st, 14) != 0,
        .made_ms = sqlite3_column_int64(st, 15),
        .done_ms = sqlite3_column_int64(st, 16),
        .until_ms = sqlite3_column_int64(st, 17),
        .seq = col_u64(st, 18),
        .sender_name = col_text(d, r, st, 19),
        .peer_name = col_text(d, r, st, 20),
        .shown = col_text(d, r, st, 21),
        .mode = col_u32(st, 22),
        .mtime_s = col_u64(st, 23),
    };
    f->has_root = root_col(st, 10, f->root);
    f->has_list = root_col(st, 11, f->list_root);
}

static bool file_get(struct db *d, struct store_result *r, uint64_t id)
{
    sqlite3_stmt *st = db_query(d, "SELECT " FILE_COLS FILE_FROM " WHERE f.id = ?1", "i",
                                (int64_t)id);

    if (!db_row(d, st))
        return false;
    file_col(d, r, st, &r->file);
    db_done(st);
    return true;
}

static bool reads(struct db *d, uint64_t room, uint64_t account)
{
    if (room == EVERYONE_ROOM)
        return account_own(d, account);
    return db_int(d, 0, "SELECT 1 FROM members WHERE room = ?1 AND account = ?2 AND banned = 0",
                  "ii", (int64_t)room, (int64_t)account) == 1;
}

/* --- how much ------------------------------------------------------------------------ */

static uint64_t used_by(struct db *d, uint64_t sender, uint64_t but)
{
    return (uint64_t)db_int(d, 0,
                            "SELECT sum(size) FROM files WHERE sender = ?1 AND kept = 1 AND"
                            " stage IN (0, 1, 5) AND id <> ?2",
                            "ii", (int64_t)sender, (int64_t)but);
}

static uint64_t used_in(struct db *d, uint64_t room, uint64_t but)
{
    return (uint64_t)db_int(d, 0,
                            "SELECT sum(size) FROM files WHERE room = ?1 AND kept = 1 AND"
                            " stage IN (0, 1, 5) AND id <> ?2",
                            "ii", (int64_t)room, (int64_t)but);
}

static int quota(struct db *d, const struct store_op *op, uint64_t sender, uint64_t room)
{
    uint64_t size = op->file.size, but = op->file.id;

    if (op->quota_user && used_by(d, sender, but) + size > op->quota_user)
        return -ROOST_QUOTA;
    if (op->quota_room && used_in(d, room, but) + size > op->quota_room)
        return -ROOST_QUOTA;
    return 0;
}

static bool has_contents(struct db *d, const struct file_row *f)
{
    return f->has_root &&
           db_int(d, 0,
                  "SELECT 1 FROM files WHERE root = ?1 AND kept = 1 AND stage = 5 AND"
                  " coalesce(list_root, x'') = ?2 LIMIT 1",
                  "bx", f->root, (const void *)f->list_root,
                  f->has_list ? (size_t)32 : (size_t)0) == 1;
}

/* --- a new one -------------------------------------------------------------------------- */

/* Kept already, where its sender may read: nothing need be sent. */
static bool has_readable(struct db *d, const struct file_row *f, bool mine)
{
    return f->has_root &&
           db_int(
               d, 0,
               "SELECT 1 FROM files k WHERE k.root = ?1 AND k.kept = 1 AND k.stage = 5 AND"
               " coalesce(k.list_root, x'') = ?2 AND k.size = ?4 AND (k.sender = ?3 OR (?5 = 0 AND"
               " (k.room = 1 OR EXISTS (SELECT 1 FROM members m WHERE m.room = k.room AND"
               " m.account = ?3 AND m.banned = 0)))) LIMIT 1",
               "bxiii", f->root, (const void *)f->list_root, f->has_list ? (size_t)32 : (size_t)0,
               (int64_t)f->sender, (int64_t)f->size, (int64_t)mine) == 1;
}

/* Half sent before, to the same place. */
static uint64_t same_open(struct db *d, const struct file_row *f)
{
    return (uint64_t)db_int(
        d, 0,
        "SELECT id FROM files WHERE sender = ?1 AND stage IN (0, 1) AND room = ?2 AND peer = ?3"
        " AND kept = ?4 AND name = ?5 AND size = ?6 AND open_size = 0 AND"
        " coalesce(list_root, x'') = ?7 AND (root IS NULL OR root = ?8) ORDER BY id DESC LIMIT 1",
        "iiiitixx", (int64_t)f->sender, (int64_t)f->room, (int64_t)f->peer, (int64_t)f->kept,
        f->name, (int64_t)f->size, (const void *)f->list_root, f->has_list ? (size_t)32 : (size_t)0,
        (const void *)f->root, f->has_root ? (size_t)32 : (size_t)0);
}

static uint64_t file_insert(struct db *d, const struct file_row *f, int64_t now_ms)
{
    db_run(d,
           "INSERT INTO files(room, sender, peer, name, kind, files, size, open_size, list_size,"
           " root, list_root, kept, stage, made_ms, done_ms, until_ms, seq, shown, mode, mtime_s)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, ?13, 0, 0, 0, ?14, ?15,"
           " ?16)",
           "iiitiiiiixxiitii", (int64_t)f->room, (int64_t)f->sender, (int64_t)f->peer, f->name,
           (int64_t)f->kind, (int64_t)f->files, (int64_t)f->size, (int64_t)f->open_size,
           (int64_t)f->list_size, f->has_root ? (const void *)f->root : NULL, (size_t)32,
           f->has_list ? (const void *)f->list_root : NULL, (size_t)32, (int64_t)f->kept, now_ms,
           f->shown && *f->shown ? f->shown : NULL, (int64_t)f->mode, (int64_t)f->mtime_s);
    return (uint64_t)db_last_id(d);
}

/* Whole now: an event of its room. */
static int file_done(struct db *d, const struct store_op *op, struct room_head *h, uint64_t id,
                     struct store_result *r)
{
    struct event e = op->event;

    e.ref = id;
    int err = event_put(d, h, &e, op->now_ms, 0);
    if (err)
        return err;
    room_head_put(d, h);
    db_run(d,
           "UPDATE files SET stage = 5, done_ms = ?2, until_ms = ?3, seq = ?4, size = ?5,"
           " open_size = 0, root = ?6, list_root = ?7 WHERE id = ?1",
           "iiiiixx", (int64_t)id, op->now_ms, op->file.until_ms, (int64_t)h->head,
           (int64_t)op->file.size, (const void *)op->file.root, (size_t)32,
           op->file.has_list ? (const void *)op->file.list_root : NULL, (size_t)32);
    r->room = h->id;
    r->seq = r->head = h->head;
    r->at_ms = h->last_ms;
    return 0;
}

static int room_open(struct db *d, const struct store_op *op, uint64_t room, struct room_head *h)
{
    heads_write(d);
    int err = room_head_get(d, room, h);

    if (err)
        return err;
    if (op->owner_epoch < h->epoch)
        return -ROOST_STALE_OWNER;
    h->epoch = op->owner_epoch;
    return h->closed ? -ROOST_ROOM_CLOSED : 0;
}

int do_file_new(struct db *d, const struct store_op *op, struct store_result *r)
{
    const struct file_row *f = &op->file;
    struct room_head h;
    int err = room_open(d, op, f->room, &h);

    if (err)
        return err;
    uint64_t id = f->open_size ? 0 : same_open(d, f);
    r->more = id != 0;
    if (!id && f->kept)
        err = quota(d, op, f->sender, f->room);
    if (!err && !id &&
        db_int(d, 0, "SELECT count(*) FROM files WHERE sender = ?1 AND stage IN (0, 1)", "i",
               (int64_t)f->sender) >= FILES_OPEN_MAX)
        err = -ROOST_LIMIT;
    if (err)
        return err;
    if (!id)
        id = file_insert(d, f, op->now_ms);
    r->on = f->kept && !op->unread && has_readable(d, f, op->mine);
    if (r->on)
        err = file_done(d, op, &h, id, r);
    r->account = id;
    return err || file_get(d, r, id) ? err : -ROOST_NO_SUCH_FILE;
}

/* --- what becomes of it -------------------------------------------------------------------- */

int do_file_find(struct db *d, const struct store_op *op, struct store_result *r)
{
    r->file.id = op->file.id;
    if (!file_get(d, r, op->file.id))
        return -ROOST_NO_SUCH_FILE;
    r->on = reads(d, r->file.room, op->account.id);
    r->meet_role = (uint32_t)(1 + db_int(d, -1,
                                         "SELECT role FROM members WHERE room = ?1 AND"
                                         " account = ?2 AND banned = 0",
                                         "ii", (int64_t)r->file.room, (int64_t)op->account.id));
    r->room_row.closed = db_int(d, 0, "SELECT closed FROM rooms WHERE id = ?1", "i",
                                (int64_t)r->file.room) == 1;
    return 0;
}

int do_file_set(struct db *d, const struct store_op *op, struct store_result *r)
{
    int64_t id = (int64_t)op->file.id;

    if (!file_get(d, r, op->file.id))
        return -ROOST_NO_SUCH_FILE;
    r->account = r->file.id;
    if (op->mine) {
        if (r->file.peer != op->account.id)
            return 0;
        db_run(d, "UPDATE files SET got = 1 WHERE id = ?1", "i", id);
        r->file.got = true;
        return 0;
    }
    int err = store_file_moves(&r->file, op->file.stage);
    if (err)
        return err;
    db_run(d, "UPDATE files SET stage = ?2, done_ms = ?3 WHERE id = ?1", "iii", id,
           (int64_t)op->file.stage, op->now_ms);
    r->file.stage = op->file.stage;
    r->file.done_ms = op->now_ms;
    r->on = r->file.kept && r->file.has_root && !has_contents(d, &r->file);
    return 0;
}

int do_file_keep(struct db *d, const struct store_op *op, struct store_result *r)
{
    struct room_head h;

    if (op->event.kind != EVENT_FILE)
        return -ROOST_INVALID;
    if (!file_get(d, r, op->file.id))
        return -ROOST_NO_SUCH_FILE;
    int err = r->file.kept ? store_file_moves(&r->file, ROOST__FILE_STAGE__FILE_DONE)
                           : -ROOST_FILE_OVER;
    if (!err)
        err = quota(d, op, r->file.sender, r->file.room);
    if (!err)
        err = room_open(d, op, r->file.room, &h);
    if (!err)
        err = file_done(d, op, &h, op->file.id, r);
    if (!err)
        file_get(d, r, op->file.id);
    return err;
}

/* --- lists ------------------------------------------------------------------------------- */

static sqlite3_stmt *list_query(struct db *d, const struct store_op *op, int64_t limit)
{
    int64_t after = (int64_t)op->after;

    if (op->room.id)
        return db_query(d,
                        "SELECT " FILE_COLS FILE_FROM " WHERE f.room = ?3 AND f.kept = 1 AND"
                        " f.stage = 5 AND f.id > ?1 AND f.seq >= ?4 ORDER BY f.id LIMIT ?2",
                        "iiii", after, limit, (int64_t)op->room.id, (int64_t)op->seq);
    if (op->account.id)
        return db_query(d,
                        "SELECT " FILE_COLS FILE_FROM " WHERE f.id IN"
                        " (SELECT id FROM files WHERE sender = ?3 AND stage IN (0, 1)"
                        "  UNION SELECT id FROM files WHERE peer = ?3 AND got = 0 AND"
                        "  stage IN (0, 1, 5) AND (stage = 5) = kept)"
                        " AND f.id > ?1 ORDER BY f.id LIMIT ?2",
                        "iii", after, limit, (int64_t)op->account.id);
    return db_query(d,
                    "SELECT " FILE_COLS FILE_FROM " WHERE f.kept = 1 AND f.stage = 5 AND f.id > ?1"
                    " ORDER BY f.id LIMIT ?2",
                    "ii", after, limit);
}

static void list_fill(struct db *d, struct store_result *r, sqlite3_stmt *st, uint32_t limit)
{
    while (db_row(d, st)) {
        r->more = r->n_files == limit;
        if (r->more || !db_grow(d, r, &r->files, r->n_files, sizeof *r->files)) {
            db_done(st);
            return;
        }
        file_col(d, r, st, &r->files[r->n_files++]);
    }
}

int do_file_list(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);

    list_fill(d, r, list_query(d, op, (int64_t)limit + 1), limit);
    if (op->room.id)
        r->used = used_in(d, op->room.id, 0);
    else if (op->account.id)
        r->used = used_by(d, op->account.id, 0);
    return 0;
}

int do_file_expire(struct db *d, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    sqlite3_stmt *st = db_query(d,
                                "SELECT " FILE_COLS FILE_FROM " WHERE f.id IN"
                                " (SELECT id FROM files WHERE kept = 1 AND stage = 5 AND"
                                "  until_ms > 0 AND until_ms <= ?1"
                                "  UNION SELECT id FROM files WHERE stage IN (0, 1) AND"
                                "  made_ms < ?2) ORDER BY f.id LIMIT ?3",
                                "iii", op->now_ms, op->before_ms, (int64_t)limit + 1);

    list_fill(d, r, st, limit);
    for (size_t i = 0; i < r->n_files; i++) {
        struct file_row *f = &r->files[i];
        f->stage = f->stage == ROOST__FILE_STAGE__FILE_DONE ? ROOST__FILE_STAGE__FILE_FORGOTTEN
                                                            : ROOST__FILE_STAGE__FILE_CANCELLED;
        db_run(d, "UPDATE files SET stage = ?2 WHERE id = ?1", "ii", (int64_t)f->id,
               (int64_t)f->stage);
    }
    return 0;
}

int do_file_loose(struct db *d, const struct store_op *op, struct store_result *r)
{
    r->file = op->file;
    r->file.name = r->file.sender_name = r->file.peer_name = r->file.shown = NULL;
    r->on = !has_contents(d, &op->file);
    return 0;
}

/* --- with accounts and rooms ------------------------------------------------------------------ */

void files_forget_account(struct db *d, uint64_t account)
{
    int64_t id = (int64_t)account;

    db_run(d, "UPDATE events SET data = NULL WHERE kind = 9 AND sender = ?1", "i", id);
    db_run(d,
           "UPDATE files SET stage = CASE WHEN stage = 5 THEN 6 ELSE 3 END, until_ms = 0"
           " WHERE sender = ?1 AND stage IN (0, 1, 5)",
           "i", id);
    db_run(d, "UPDATE files SET name = '', shown = NULL WHERE sender = ?1", "i", id);
    db_run(d, "UPDATE files SET stage = 3 WHERE peer = ?1 AND got = 0 AND stage IN (0, 1)", "i",
           id);
}

void files_forget_room(struct db *d, uint64_t room)
{
    db_run(d, "UPDATE events SET data = NULL WHERE kind = 9 AND id > ?1 AND id < ?2", "ii",
           event_id(room, 0), event_id(room + 1, 0));
    db_run(d,
           "UPDATE files SET stage = CASE WHEN stage = 5 THEN 6 ELSE 3 END, until_ms = 0,"
           " name = '' WHERE room = ?1 AND kept = 1 AND stage IN (0, 1, 5)",
           "i", (int64_t)room);
}
