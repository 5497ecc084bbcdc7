/* Parcels, in the store in memory. */
#include <string.h>

#include "store/memory_db.h"

enum {
    OFFERED = ROOST__FILE_STAGE__FILE_OFFERED,
    ACCEPTED = ROOST__FILE_STAGE__FILE_ACCEPTED,
    CANCELLED = ROOST__FILE_STAGE__FILE_CANCELLED,
    DONE = ROOST__FILE_STAGE__FILE_DONE,
    FORGOTTEN = ROOST__FILE_STAGE__FILE_FORGOTTEN,
};

static struct file_row *file_of(struct mem *m, uint64_t id)
{
    return id && id <= m->now.n_files ? &m->now.files[id - 1] : NULL;
}

static bool is_open(const struct file_row *f)
{
    return f->stage == OFFERED || f->stage == ACCEPTED;
}

static bool is_whole(const struct file_row *f)
{
    return f->kept && f->stage == DONE;
}

static void show(struct mem *m, struct store_result *r, const struct file_row *f,
                 struct file_row *out)
{
    *out = *f;
    out->name = mem_str(m, r, f->name);
    const char *own = f->sender ? mem_name(m, f->sender) : "";
    out->shown = mem_str(m, r, f->shown);
    out->sender_name = mem_str(m, r, f->shown && *f->shown ? f->shown : own);
    out->peer_name = mem_str(m, r, f->peer ? mem_called(m, f->peer) : "");
}

static bool reads(struct mem *m, uint64_t room, uint64_t account)
{
    struct mem_room *in = mem_room(m, room);

    if (room == EVERYONE_ROOM)
        return mem_account_own(m, account) != NULL;
    return in && mem_in(in, account);
}

/* --- how much ------------------------------------------------------------------------ */

static uint64_t used(struct mem *m, uint64_t sender, uint64_t room, uint64_t but)
{
    uint64_t n = 0;

    for (size_t i = 0; i < m->now.n_files; i++) {
        const struct file_row *f = &m->now.files[i];
        if (f->kept && (is_open(f) || f->stage == DONE) && f->id != but &&
            (sender ? f->sender == sender : f->room == room))
            n += f->size;
    }
    return n;
}

static int quota(struct mem *m, const struct store_op *op, uint64_t sender, uint64_t room)
{
    uint64_t size = op->file.size, but = op->file.id;

    if (op->quota_user && used(m, sender, 0, but) + size > op->quota_user)
        return -ROOST_QUOTA;
    if (op->quota_room && used(m, 0, room, but) + size > op->quota_room)
        return -ROOST_QUOTA;
    return 0;
}

static bool has_contents(struct mem *m, const struct file_row *of)
{
    for (size_t i = 0; i < m->now.n_files; i++)
        if (is_whole(&m->now.files[i]) && store_file_same(&m->now.files[i], of))
            return true;
    return false;
}

/* --- a new one -------------------------------------------------------------------------- */

static bool has_readable(struct mem *m, const struct file_row *of, bool mine)
{
    for (size_t i = 0; i < m->now.n_files; i++) {
        const struct file_row *f = &m->now.files[i];
        struct mem_room *room = mem_room(m, f->room);
        if (is_whole(f) && store_file_same(f, of) && f->size == of->size &&
            (f->sender == of->sender ||
             (!mine && (f->room == EVERYONE_ROOM || (room && mem_in(room, of->sender))))))
            return true;
    }
    return false;
}

static struct file_row *same_open(struct mem *m, const struct file_row *of)
{
    for (size_t i = m->now.n_files; i-- > 0;) {
        struct file_row *f = &m->now.files[i];
        if (f->sender == of->sender && is_open(f) && f->room == of->room && f->peer == of->peer &&
            f->kept == of->kept && strcmp(f->name, of->name) == 0 && f->size == of->size &&
            !f->open_size && f->has_list == of->has_list &&
            memcmp(f->list_root, of->list_root, 32) == 0 &&
            (!f->has_root || (of->has_root && memcmp(f->root, of->root, 32) == 0)))
            return f;
    }
    return NULL;
}

static size_t n_open(struct mem *m, uint64_t sender)
{
    size_t n = 0;

    for (size_t i = 0; i < m->now.n_files; i++)
        n += m->now.files[i].sender == sender && is_open(&m->now.files[i]);
    return n;
}

static int room_open(struct mem *m, const struct store_op *op, uint64_t id, struct mem_room **ret)
{
    struct mem_room *room = mem_room(m, id);

    if (!room)
        return -ROOST_NO_SUCH_ROOM;
    if (op->owner_epoch < room->epoch)
        return -ROOST_STALE_OWNER;
    if (room->row.closed)
        return -ROOST_ROOM_CLOSED;
    *ret = room;
    return 0;
}

static void file_done(struct mem *m, const struct store_op *op, struct mem_room *room,
                      struct file_row *f, struct store_result *r)
{
    struct event e = op->event;

    e.ref = f->id;
    room->epoch = op->owner_epoch;
    if (!mem_event_put(m, room, &e, op->now_ms))
        return;
    f->stage = DONE;
    f->done_ms = op->now_ms;
    f->until_ms = op->file.until_ms;
    f->seq = room->row.head;
    f->size = op->file.size;
    f->open_size = false;
    f->has_root = true;
    f->has_list = op->file.has_list;
    memcpy(f->root, op->file.root, 32);
    memcpy(f->list_root, op->file.list_root, 32);
    r->room = room->row.id;
    r->seq = r->head = room->row.head;
    r->at_ms = room->row.last_ms;
}

int mem_file_new(struct mem *m, const struct store_op *op, struct store_result *r)
{
    const struct file_row *of = &op->file;
    struct mem_room *room = NULL;
    int err = room_open(m, op, of->room, &room);

    if (err)
        return err;
    struct file_row *f = of->open_size ? NULL : same_open(m, of);
    r->more = f != NULL;
    if (!f && of->kept)
        err = quota(m, op, of->sender, of->room);
    if (!err && !f && n_open(m, of->sender) >= FILES_OPEN_MAX)
        err = -ROOST_LIMIT;
    if (err)
        return err;
    if (!f && (f = mem_add(m, &m->now.files, &m->now.n_files, sizeof *f))) {
        *f = *of;
        f->id = m->now.n_files;
        f->stage = OFFERED;
        f->got = false;
        f->made_ms = op->now_ms;
        f->done_ms = f->until_ms = 0;
        f->seq = 0;
    }
    if (!f)
        return 0;
    r->on = of->kept && !op->unread && has_readable(m, of, op->mine);
    if (r->on)
        file_done(m, op, room, f, r);
    r->account = f->id;
    show(m, r, f, &r->file);
    return 0;
}

/* --- what becomes of it -------------------------------------------------------------------- */

int mem_file_find(struct mem *m, const struct store_op *op, struct store_result *r)
{
    const struct file_row *f = file_of(m, op->file.id);

    r->file.id = op->file.id;
    if (!f)
        return -ROOST_NO_SUCH_FILE;
    show(m, r, f, &r->file);
    r->on = reads(m, f->room, op->account.id);
    struct mem_room *room = mem_room(m, f->room);
    struct mem_member *in = room ? mem_in(room, op->account.id) : NULL;
    r->meet_role = in ? in->row.role + 1 : 0;
    r->room_row.closed = room && room->row.closed;
    return 0;
}

int mem_file_set(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct file_row *f = file_of(m, op->file.id);

    if (!f)
        return -ROOST_NO_SUCH_FILE;
    r->account = f->id;
    int err = op->mine ? 0 : store_file_moves(f, op->file.stage);
    if (op->mine)
        f->got = f->got || f->peer == op->account.id;
    else if (!err) {
        f->stage = op->file.stage;
        f->done_ms = op->now_ms;
        r->on = f->kept && f->has_root && !has_contents(m, f);
    }
    show(m, r, f, &r->file);
    return err;
}

int mem_file_keep(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct file_row *f = file_of(m, op->file.id);
    struct mem_room *room = NULL;

    if (op->event.kind != EVENT_FILE)
        return -ROOST_INVALID;
    if (!f)
        return -ROOST_NO_SUCH_FILE;
    show(m, r, f, &r->file);
    int err = f->kept ? store_file_moves(f, DONE) : -ROOST_FILE_OVER;
    if (!err)
        err = quota(m, op, f->sender, f->room);
    if (!err)
        err = room_open(m, op, f->room, &room);
    if (err)
        return err;
    file_done(m, op, room, f, r);
    show(m, r, f, &r->file);
    return 0;
}

/* --- lists ------------------------------------------------------------------------------- */

static bool is_listed(const struct store_op *op, const struct file_row *f)
{
    if (op->room.id)
        return f->room == op->room.id && is_whole(f) && f->seq >= op->seq;
    if (!op->account.id)
        return is_whole(f);
    if (f->sender == op->account.id && is_open(f))
        return true;
    return f->peer == op->account.id && !f->got && (f->kept ? f->stage == DONE : is_open(f));
}

static bool is_due(const struct store_op *op, const struct file_row *f)
{
    if (is_open(f))
        return f->made_ms < op->before_ms;
    return is_whole(f) && f->until_ms && f->until_ms <= op->now_ms;
}

static void list_fill(struct mem *m, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    bool due = op->kind == STORE_FILE_EXPIRE;

    for (size_t i = due ? 0 : op->after; i < m->now.n_files; i++) {
        struct file_row *f = &m->now.files[i];
        if (due ? !is_due(op, f) : !is_listed(op, f))
            continue;
        r->more = r->n_files == limit;
        struct file_row *out = r->more ? NULL
                                       : mem_result_add(m, r, &r->files, &r->n_files, sizeof *out);
        if (!out)
            return;
        if (due)
            f->stage = f->stage == DONE ? FORGOTTEN : CANCELLED;
        show(m, r, f, out);
    }
}

int mem_file_list(struct mem *m, const struct store_op *op, struct store_result *r)
{
    list_fill(m, op, r);
    if (op->room.id)
        r->used = used(m, 0, op->room.id, 0);
    else if (op->account.id)
        r->used = used(m, op->account.id, 0, 0);
    return 0;
}

int mem_file_expire(struct mem *m, const struct store_op *op, struct store_result *r)
{
    list_fill(m, op, r);
    return 0;
}

int mem_file_loose(struct mem *m, const struct store_op *op, struct store_result *r)
{
    r->file = op->file;
    r->file.name = r->file.sender_name = r->file.peer_name = r->file.shown = NULL;
    r->on = !has_contents(m, &op->file);
    return 0;
}

/* --- with accounts and rooms ------------------------------------------------------------------ */

static void events_empty(struct mem_room *room, uint64_t account)
{
    for (size_t i = 0; i < room->n_events; i++) {
        struct event *e = &room->events[i].e;
        if (e->kind == EVENT_FILE && (!account || e->from == account)) {
            e->data = NULL;
            e->n_data = 0;
        }
    }
}

static void file_forget(struct file_row *f)
{
    if (is_open(f) || f->stage == DONE) {
        f->stage = f->stage == DONE ? FORGOTTEN : CANCELLED;
        f->until_ms = 0;
    }
}

void mem_files_forget_account(struct mem *m, uint64_t account)
{
    for (size_t i = 0; i < m->now.n_rooms; i++)
        events_empty(&m->now.rooms[i], account);
    for (size_t i = 0; i < m->now.n_files; i++) {
        struct file_row *f = &m->now.files[i];
        if (f->sender == account) {
            file_forget(f);
            f->name = "";
            f->shown = NULL;
        }
        if (f->peer == account && !f->got && is_open(f))
            f->stage = CANCELLED;
    }
}

void mem_files_forget_room(struct mem *m, uint64_t room)
{
    struct mem_room *r = mem_room(m, room);

    if (r)
        events_empty(r, 0);
    for (size_t i = 0; i < m->now.n_files; i++) {
        struct file_row *f = &m->now.files[i];
        if (f->room == room && f->kept && (is_open(f) || f->stage == DONE)) {
            file_forget(f);
            f->name = "";
        }
    }
}
