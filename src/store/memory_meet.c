/* Meetings, in the store in memory. What may be refused is looked at first. */
#include <stdlib.h>
#include <string.h>

#include "store/memory_db.h"

static const uint8_t *bytes_show(struct mem *m, struct store_result *r, const uint8_t *from,
                                 size_t *n)
{
    const uint8_t *copy = *n ? arena_dup(&r->mem, from, *n) : NULL;

    if (*n && !copy) {
        m->nomem = true;
        *n = 0;
    }
    return copy;
}

static void meet_show(struct mem *m, struct store_result *r, const struct mem_room *room,
                      struct meet_row *out)
{
    *out = room->meet;
    out->code = mem_str(m, r, room->meet.code);
    out->data = bytes_show(m, r, room->meet.data, &out->n_data);
}

void mem_meet_load(struct mem *m, struct store_result *r, const struct mem_room *room)
{
    meet_show(m, r, room, &r->meet);
    for (size_t i = 0; i < room->n_attendees; i++) {
        const struct attendee_row *from = &room->attendees[i];
        struct attendee_row *a = mem_result_add(m, r, &r->attendees, &r->n_attendees, sizeof *a);
        if (!a)
            return;
        *a = *from;
        a->skeleton = from->skeleton ? mem_str(m, r, from->skeleton) : NULL;
        a->data = bytes_show(m, r, from->data, &a->n_data);
    }
}

static bool ends(const struct store_op *op)
{
    return op->kind == STORE_MEET_CHANGE && !op->meet.live;
}

static const char *code_of(const struct store_op *op)
{
    return !ends(op) && op->meet.code && *op->meet.code ? op->meet.code : NULL;
}

static struct mem_room *by_code(struct mem *m, const char *code)
{
    for (size_t i = 0; code && i < m->now.n_rooms; i++) {
        const struct meet_row *t = &m->now.rooms[i].meet;
        if (t->live && t->code && strcmp(t->code, code) == 0)
            return &m->now.rooms[i];
    }
    return NULL;
}

/* --- who is in it -------------------------------------------------------------------- */

/* The attendees as they will be: a copy, so that a refusal has changed nothing. */
struct list {
    struct attendee_row *rows;
    size_t n;
};

static struct attendee_row *find(const struct list *list, uint64_t account)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->rows[i].account == account)
            return &list->rows[i];
    return NULL;
}

static bool name_is_free(const struct list *list, const char *skeleton)
{
    for (size_t i = 0; skeleton && i < list->n; i++)
        if (list->rows[i].skeleton && strcmp(list->rows[i].skeleton, skeleton) == 0)
            return false;
    return true;
}

static int by_account(const void *a, const void *b)
{
    const struct attendee_row *x = a, *y = b;

    return x->account < y->account ? -1 : x->account > y->account;
}

static int attendee_put(struct mem *m, struct list *list, const struct attendee_row *row)
{
    struct attendee_row *a = find(list, row->account);

    if (row->gone && a)
        mem_drop(list->rows, &list->n, sizeof *a, (size_t)(a - list->rows));
    if (row->gone || !mem_account(m, row->account))
        return 0;
    if (a)
        a->skeleton = NULL;
    if (!name_is_free(list, row->skeleton))
        return -ROOST_NAME_TAKEN;
    if (!a)
        a = mem_add(m, &list->rows, &list->n, sizeof *a);
    if (a)
        *a = *row;
    return 0;
}

static int list_make(struct mem *m, const struct store_op *op, const struct mem_room *room,
                     struct list *list)
{
    int err = 0;

    for (size_t i = 0; room && i < room->n_attendees; i++) {
        struct attendee_row *a = mem_add(m, &list->rows, &list->n, sizeof *a);
        if (!a)
            return 0;
        *a = room->attendees[i];
    }
    for (size_t i = 0; i < op->n_attendees; i++) {
        struct attendee_row *a = find(list, op->attendees[i].account);
        if (a && mem_account(m, a->account))
            a->skeleton = NULL; /* two may have changed names with each other */
    }
    for (size_t i = 0; i < op->n_attendees && !err; i++) {
        struct attendee_row row = op->attendees[i];
        row.skeleton = ends(op) ? NULL : row.skeleton;
        err = attendee_put(m, list, &row);
    }
    return err ? err : op->n_attendees && list->n > MEET_ATTENDEES_MAX ? -ROOST_MEET_FULL : 0;
}

/* Rooms of notes with it are called so; what it said keeps what it was called then. */
static void guests_call(struct mem *m, const struct store_op *op)
{
    for (size_t i = 0; i < op->n_attendees; i++) {
        struct mem_account *a = mem_account(m, op->attendees[i].account);
        if (a && a->row.guest && op->attendees[i].name)
            a->shown = op->attendees[i].name;
    }
}

static void list_take(struct mem_room *room, struct list *list)
{
    if (list->n)
        qsort(list->rows, list->n, sizeof *list->rows, by_account);
    free(room->attendees);
    room->attendees = list->rows;
    room->n_attendees = list->n;
}

/* How many would be in the room is counted before anybody comes in. */
static int members_check(struct mem *m, const struct store_op *op, struct mem_room *room)
{
    size_t n = 0;

    for (size_t i = 0; room && i < room->n_members; i++)
        n += !room->members[i].row.banned;
    if (n + op->n_members <= ROOM_MEMBERS_MAX)
        return 0;
    for (size_t i = 0; i < op->n_members; i++) {
        uint64_t id = op->members[i].account;
        size_t k = i + 1;
        while (k < op->n_members && op->members[k].account != id)
            k++;
        bool in = room && mem_in(room, id), last = k == op->n_members;
        if (last && mem_account(m, id))
            n += (size_t)!op->members[i].banned - (size_t)in;
    }
    return n > ROOM_MEMBERS_MAX ? -ROOST_LIMIT : 0;
}

static void member_put(struct mem *m, struct mem_room *room, const struct member_row *row,
                       uint64_t seq)
{
    struct mem_member *in = mem_member(room, row->account);

    if (row->banned && in)
        mem_drop(room->members, &room->n_members, sizeof *in, (size_t)(in - room->members));
    if (row->banned || !mem_account(m, row->account))
        return;
    if (!in || in->row.banned) {
        in = in ? in : mem_member_add(m, room, row->account);
        if (!in)
            return;
        in->row.banned = false;
        in->row.delivered = in->row.read = seq;
    }
    in->row.role = row->role;
}

/* --- a new one -------------------------------------------------------------------- */

static void meet_make(struct mem_room *room, const struct store_op *op)
{
    room->row.kind = ROOST__ROOM_KIND__MEETING;
    room->row.name = op->room.name;
    room->row.topic = op->room.topic;
    room->row.private = true;
    room->row.moderated = op->room.moderated;
    room->row.retention_days = op->room.retention_days;
    room->meet = op->meet;
    room->meet.room = room->row.id;
    room->meet.code = code_of(op);
    room->meet.live = true;
}

int mem_meet_new(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_account *a = mem_account(m, op->account.id);
    struct list list = { 0 };

    if (op->event.kind != EVENT_MEET)
        return -ROOST_INVALID;
    if (!a)
        return -ROOST_NO_SUCH_USER;
    if (a->row.guest && a->row.guest_of)
        return -ROOST_ALREADY;
    int err = mem_counts_check(m, op, r);
    if (!err)
        err = by_code(m, code_of(op)) ? -ROOST_CODE_TAKEN : list_make(m, op, NULL, &list);
    if (!err)
        err = members_check(m, op, NULL);
    struct mem_room *room = err ? NULL : mem_room_add(m);
    if (!room) {
        free(list.rows);
        return err;
    }
    mem_counts_add(m, op);
    meet_make(room, op);
    list_take(room, &list);
    guests_call(m, op);
    for (size_t i = 0; i < op->n_members; i++)
        member_put(m, room, &op->members[i], 1);
    mem_event_put(m, room, &op->event, op->now_ms);
    if (a->row.guest)
        a->row.guest_of = room->row.id;
    r->seq = room->row.head;
    r->at_ms = room->row.last_ms;
    return mem_room_show(m, r, room);
}

/* --- finding ------------------------------------------------------------------------ */

/* Who has a place there, or is a guest of it, was told its code. */
static bool is_known_there(struct mem *m, const struct mem_room *room, uint64_t account)
{
    struct list list = { room->attendees, room->n_attendees };
    const struct mem_account *a = mem_account(m, account);

    return a && (find(&list, account) || (a->row.guest && a->row.guest_of == room->row.id));
}

int mem_meet_find(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);

    if (!op->room.id) {
        room = by_code(m, op->words);
        if (room && room->meet.until_ms && room->meet.until_ms < op->now_ms)
            room = NULL;
        bool guess = !room || !is_known_there(m, room, op->account.id);
        int err = guess ? mem_counts_check(m, op, r) : 0;
        if (err)
            return err;
        if (!room)
            mem_counts_add(m, op);
    }
    if (!room || !room->meet.room)
        return -ROOST_NO_SUCH_MEETING;
    meet_show(m, r, room, &r->meet);
    r->room = room->row.id;
    r->head = room->row.head;
    struct mem_room *bound = mem_room(m, room->meet.bound_room);
    struct mem_member *in = bound ? mem_in(bound, op->account.id) : NULL;
    r->meet_role = in ? in->row.role + 1 : 0;
    return 0;
}

static bool is_listed(struct mem *m, const struct mem_room *room, uint64_t account)
{
    struct mem_room *bound = mem_room(m, room->meet.bound_room);
    struct list list = { room->attendees, room->n_attendees };

    return room->meet.live &&
           (!account || find(&list, account) || (bound && mem_in(bound, account)));
}

int mem_meet_list(struct mem *m, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);

    for (size_t i = op->after; i < m->now.n_rooms; i++) {
        if (!is_listed(m, &m->now.rooms[i], op->account.id))
            continue;
        r->more = r->n_meets == limit;
        struct meet_row *out = r->more ? NULL
                                       : mem_result_add(m, r, &r->meets, &r->n_meets, sizeof *out);
        if (!out)
            break;
        meet_show(m, r, &m->now.rooms[i], out);
    }
    return 0;
}

/* --- changing, ending ------------------------------------------------------------------ */

static bool is_guest_of(struct mem *m, uint64_t account, uint64_t room)
{
    const struct mem_account *a = account ? &m->now.accounts[account - 1] : NULL;

    return a && !a->cleared && a->row.guest && a->row.guest_of == room;
}

/* Is it between its guests, or between one of them and somebody? */
static bool is_of(struct mem *m, const struct mem_room *direct, uint64_t meeting)
{
    return is_guest_of(m, direct->low, meeting) || is_guest_of(m, direct->high, meeting);
}

static void meet_forget(struct mem *m, struct mem_room *room)
{
    mem_texts_drop(room, room->row.head + 1);
    mem_files_forget_room(m, room->row.id);
    room->n_members = 0;
    for (size_t i = 0; i < m->now.n_rooms; i++) {
        struct mem_room *direct = &m->now.rooms[i];
        for (size_t k = direct->low ? direct->n_members : 0; k-- > 0;)
            if (is_guest_of(m, direct->members[k].row.account, room->row.id))
                mem_drop(direct->members, &direct->n_members, sizeof *direct->members, k);
        if (direct->low && !direct->n_members && is_of(m, direct, room->row.id))
            mem_texts_drop(direct, direct->row.head + 1);
    }
}

static void meet_end(struct mem *m, const struct store_op *op, struct mem_room *room)
{
    room->meet.code = NULL;
    room->row.closed = true;
    room->guests_until_ms = op->now_ms + GUEST_KEEP_MS;
    for (size_t i = 0; i < room->n_attendees; i++)
        room->attendees[i].skeleton = NULL;
    for (size_t i = 0; i < m->now.n_rooms; i++) /* nobody answers there any more */
        m->now.rooms[i].row.closed |= m->now.rooms[i].low &&
                                      is_of(m, &m->now.rooms[i], room->row.id);
    for (size_t i = m->now.n_sessions; i-- > 0;)
        if (is_guest_of(m, m->now.sessions[i].row.account, room->row.id))
            mem_drop(m->now.sessions, &m->now.n_sessions, sizeof *m->now.sessions, i);
    if (op->meet.forget)
        meet_forget(m, room);
}

static int change_check(struct mem *m, const struct store_op *op, struct mem_room *room,
                        struct list *list)
{
    struct mem_room *same = by_code(m, code_of(op));

    if (!room)
        return -ROOST_NO_SUCH_ROOM;
    if (op->owner_epoch < room->epoch)
        return -ROOST_STALE_OWNER;
    if (!room->meet.room || !room->meet.live)
        return room->meet.room ? -ROOST_ROOM_CLOSED : -ROOST_NO_SUCH_MEETING;
    if (op->event.kind && op->event.kind != EVENT_MEET)
        return -ROOST_INVALID;
    if (same && same != room)
        return -ROOST_CODE_TAKEN;
    int err = list_make(m, op, room, list);
    return err ? err : members_check(m, op, room);
}

int mem_meet_change(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);
    struct list list = { 0 };
    int err = change_check(m, op, room, &list);

    if (err || m->nomem) {
        free(list.rows);
        return err;
    }
    list_take(room, &list);
    guests_call(m, op);
    for (size_t i = 0; i < op->n_members; i++)
        member_put(m, room, &op->members[i], room->row.head + (op->event.kind != 0));
    room->meet.code = code_of(op) ? op->meet.code : room->meet.code;
    room->meet.until_ms = op->meet.until_ms;
    room->meet.live = op->meet.live;
    room->meet.forget = op->meet.forget;
    room->meet.data = op->meet.data;
    room->meet.n_data = op->meet.n_data;
    if (op->room.name)
        room->row.name = op->room.name;
    if (ends(op))
        meet_end(m, op, room);
    room->epoch = op->owner_epoch;
    r->at_ms = op->now_ms > room->row.last_ms ? op->now_ms : room->row.last_ms;
    if (op->event.kind && mem_event_put(m, room, &op->event, op->now_ms))
        r->seq = room->row.head;
    r->room = room->row.id;
    r->head = room->row.head;
    return 0;
}

/* --- a note ----------------------------------------------------------------------------- */

int mem_meet_note(struct mem *m, const struct store_op *op, struct store_result *r)
{
    if (op->event.kind != EVENT_TEXT)
        return -ROOST_INVALID;
    if (!mem_account(m, op->account.id) || !mem_account(m, op->peer))
        return -ROOST_NO_SUCH_USER;
    if (op->owner_epoch < 1) /* also of a room that is yet to be made */
        return -ROOST_STALE_OWNER;
    struct mem_room *room = mem_direct(m, op->account.id, op->peer);
    if (!room)
        return 0;
    if (op->owner_epoch < room->epoch)
        return -ROOST_STALE_OWNER;
    if (room->row.closed)
        return -ROOST_ROOM_CLOSED;
    if (!mem_event_put(m, room, &op->event, op->now_ms))
        return 0;
    room->epoch = op->owner_epoch;
    r->room = room->row.id;
    r->seq = r->head = room->row.head;
    r->at_ms = room->row.last_ms;
    return 0;
}
