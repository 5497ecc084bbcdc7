/* Rooms, members, marks, in the store in memory. */
#include <stdlib.h>
#include <string.h>

#include "store/looks.h"
#include "store/memory_db.h"

struct mem_room *mem_room(struct mem *m, uint64_t id)
{
    return id && id <= m->now.n_rooms ? &m->now.rooms[id - 1] : NULL;
}

struct mem_member *mem_member(struct mem_room *room, uint64_t account)
{
    for (size_t i = 0; i < room->n_members; i++)
        if (room->members[i].row.account == account)
            return &room->members[i];
    return NULL;
}

struct mem_member *mem_in(struct mem_room *room, uint64_t account)
{
    struct mem_member *in = mem_member(room, account);

    return in && !in->row.banned ? in : NULL;
}

static int by_account(const void *a, const void *b)
{
    const struct mem_member *x = a, *y = b;

    return x->row.account < y->row.account ? -1 : x->row.account > y->row.account;
}

struct mem_member *mem_member_add(struct mem *m, struct mem_room *room, uint64_t account)
{
    struct mem_member *in = mem_add(m, &room->members, &room->n_members, sizeof *in);

    if (!in)
        return NULL;
    in->row.account = account;
    qsort(room->members, room->n_members, sizeof *in, by_account);
    return mem_member(room, account);
}

void mem_pin_drop(struct mem_room *room, uint64_t seq)
{
    for (size_t i = room->n_pins; i-- > 0;)
        if (room->pins[i] == seq)
            mem_drop(room->pins, &room->n_pins, sizeof *room->pins, i);
}

static void room_copy(struct mem *m, struct store_result *r, const struct mem_room *room,
                      struct room_row *out)
{
    *out = room->row;
    out->name = mem_str(m, r, room->row.name);
    out->skeleton = mem_str(m, r, room->row.skeleton);
    out->looks = NULL;
    out->topic = mem_str(m, r, room->row.topic);
}

int mem_room_show(struct mem *m, struct store_result *r, const struct mem_room *room)
{
    if (!room)
        return -ROOST_NO_SUCH_ROOM;
    room_copy(m, r, room, &r->room_row);
    r->room = room->row.id;
    r->head = room->row.head;
    return 0;
}

struct mem_room *mem_room_add(struct mem *m)
{
    struct mem_room *room = mem_add(m, &m->now.rooms, &m->now.n_rooms, sizeof *room);

    if (!room)
        return NULL;
    room->epoch = 1;
    room->row.id = m->now.n_rooms;
    room->row.first = 1;
    return room;
}

static struct mem_room *by_skeleton(struct mem *m, const char *skeleton)
{
    for (size_t i = 0; skeleton && i < m->now.n_rooms; i++) {
        const struct room_row *row = &m->now.rooms[i].row;
        if (!row->closed && row->skeleton && strcmp(row->skeleton, skeleton) == 0)
            return &m->now.rooms[i];
    }
    return NULL;
}

static bool looks_taken(struct mem *m, const struct room_row *by)
{
    for (size_t i = 0; i < m->now.n_rooms; i++) {
        const struct room_row *row = &m->now.rooms[i].row;
        if (!row->closed && looks_meet((struct looks){ row->skeleton, row->looks },
                                       (struct looks){ by->skeleton, by->looks }))
            return true;
    }
    return false;
}

static void member_first(struct mem *m, struct mem_room *room, const struct store_op *op, size_t i)
{
    uint32_t role = i == 0 ? ROOST__ROOM_ROLE__OWNER : op->members[i].role;
    struct event e = {
        .from = op->members[0].account,
        .kind = EVENT_MEMBER,
        .who = op->members[i].account,
        .change = i == 0 ? ROOST__MEMBER_CHANGED__CHANGE__JOINED
                         : ROOST__MEMBER_CHANGED__CHANGE__INVITED,
        .role = role,
    };

    if (mem_member(room, e.who))
        return;
    struct mem_member *in = mem_member_add(m, room, e.who);
    if (in)
        in->row.role = role;
    mem_event_put(m, room, &e, op->now_ms);
}

int mem_room_new(struct mem *m, const struct store_op *op, struct store_result *r)
{
    if (op->n_members == 0)
        return -ROOST_INVALID;
    if (op->n_members > ROOM_MEMBERS_MAX)
        return -ROOST_LIMIT;
    for (size_t i = 0; i < op->n_members; i++)
        if (!mem_account(m, op->members[i].account))
            return -ROOST_NO_SUCH_USER;
    if (looks_taken(m, &op->room))
        return -ROOST_NAME_TAKEN;

    struct mem_room *room = mem_room_add(m);
    if (!room)
        return 0;
    room->row = (struct room_row){
        .id = room->row.id,
        .kind = op->room.kind,
        .name = op->room.name,
        .skeleton = op->room.skeleton,
        .looks = op->room.looks,
        .topic = op->room.topic,
        .private = op->room.private,
        .moderated = op->room.moderated,
        .retention_days = op->room.retention_days,
        .first = 1,
    };
    struct event e = {
        .from = op->members[0].account,
        .kind = EVENT_ROOM,
        .text = op->room.topic,
        .room_name = op->room.name,
        .private = op->room.private,
        .moderated = op->room.moderated,
        .retention_days = op->room.retention_days,
        .created = true,
    };
    mem_event_put(m, room, &e, op->now_ms);
    for (size_t i = 0; i < op->n_members; i++)
        member_first(m, room, op, i);
    r->seq = room->row.head;
    r->at_ms = room->row.last_ms;
    return mem_room_show(m, r, room);
}

int mem_room_find(struct mem *m, const struct store_op *op, struct store_result *r)
{
    return mem_room_show(m, r, by_skeleton(m, op->skeleton));
}

struct mem_room *mem_direct(struct mem *m, uint64_t a, uint64_t b)
{
    uint64_t low = a < b ? a : b, high = a < b ? b : a;

    for (size_t i = 0; i < m->now.n_rooms; i++)
        if (m->now.rooms[i].low == low && m->now.rooms[i].high == high)
            return &m->now.rooms[i];

    struct mem_room *room = mem_room_add(m);
    if (!room)
        return NULL;
    room->row.kind = ROOST__ROOM_KIND__DIRECT;
    room->row.private = true;
    room->low = low;
    room->high = high;
    mem_member_add(m, room, low);
    if (low != high)
        mem_member_add(m, room, high);
    return room;
}

int mem_room_direct(struct mem *m, const struct store_op *op, struct store_result *r)
{
    if (!mem_account(m, op->account.id) || !mem_account(m, op->peer))
        return -ROOST_NO_SUCH_USER;
    struct mem_room *room = mem_direct(m, op->account.id, op->peer);
    return room ? mem_room_show(m, r, room) : 0;
}

static bool is_guest(struct mem *m, uint64_t id)
{
    return id && id <= m->now.n_accounts && !m->now.accounts[id - 1].cleared &&
           m->now.accounts[id - 1].row.guest;
}

int mem_room_load(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);
    int err = mem_room_show(m, r, room);

    for (size_t i = 0; !err && i < room->n_members; i++) {
        struct member_row *out = mem_result_add(m, r, &r->members, &r->n_members, sizeof *out);
        if (!out)
            break;
        *out = room->members[i].row;
        out->name = mem_str(m, r, mem_called(m, out->account));
        out->guest = is_guest(m, out->account);
        out->muted = room->members[i].muted;
    }
    for (size_t i = 0; !err && i < room->n_pins; i++) {
        uint64_t *id = mem_result_add(m, r, &r->ids, &r->n_ids, sizeof *id);
        if (id)
            *id = room->pins[i];
    }
    if (!err && room->meet.room)
        mem_meet_load(m, r, room);
    return err;
}

/* --- listing --- */

static bool is_unread(const struct mem_event *e, uint64_t read, uint64_t account)
{
    return e->e.kind == EVENT_TEXT && e->e.seq > read && e->e.from != account && !e->deleted &&
           !e->gone;
}

static void unread_count(const struct mem_room *room, struct room_place *p, uint64_t account)
{
    for (size_t i = 0; i < room->n_events && p->unread < UNREAD_MAX; i++) {
        const struct mem_event *e = &room->events[i];
        if (!is_unread(e, p->read, account))
            continue;
        p->unread++;
        for (size_t k = 0; k < e->e.n_mentions; k++) {
            if (e->e.mentions[k] == account) {
                p->mentions++;
                break;
            }
        }
    }
}

static void place_show(struct mem *m, struct store_result *r, struct mem_room *room,
                       uint64_t account)
{
    struct room_place *p = mem_result_add(m, r, &r->places, &r->n_places, sizeof *p);
    struct mem_member *in = mem_in(room, account);
    uint64_t *pins = NULL;

    if (!p)
        return;
    room_copy(m, r, room, &p->room);
    p->peer_name = "";
    for (size_t i = 0; i < room->n_members; i++)
        p->members += !room->members[i].row.banned;
    if (in) {
        p->member = true;
        p->muted = in->muted;
        p->role = in->row.role;
        p->read = in->row.read;
        unread_count(room, p, account);
    }
    if (room->row.kind == ROOST__ROOM_KIND__DIRECT && account) {
        p->peer = room->low == account ? room->high : room->low;
        p->peer_name = mem_str(m, r, mem_called(m, p->peer));
    }
    for (size_t i = 0; i < room->n_pins; i++) {
        uint64_t *pin = mem_result_add(m, r, &pins, &p->n_pins, sizeof *pin);
        if (pin)
            *pin = room->pins[i];
    }
    p->pins = pins;
}

static bool is_listed(struct mem_room *room, const struct store_op *op)
{
    if (!op->account.id || mem_in(room, op->account.id))
        return true;
    return !op->mine && !room->row.private && !room->row.closed &&
           room->row.kind == ROOST__ROOM_KIND__ROOM;
}

int mem_room_list(struct mem *m, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);

    for (size_t i = op->after; i < m->now.n_rooms; i++) {
        if (!is_listed(&m->now.rooms[i], op))
            continue;
        if (r->n_places == limit) {
            r->more = true;
            break;
        }
        place_show(m, r, &m->now.rooms[i], op->account.id);
    }
    return 0;
}

/* --- one's own place --- */

static uint64_t forward(uint64_t had, uint64_t wanted, uint64_t head)
{
    uint64_t to = wanted < head ? wanted : head;

    return to > had ? to : had;
}

int mem_mark(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);
    struct mem_member *in = room ? mem_in(room, op->account.id) : NULL;

    if (!in)
        return -ROOST_NOT_MEMBER;
    in->row.read = forward(in->row.read, op->read, room->row.head);
    in->row.delivered = forward(in->row.delivered, op->delivered, room->row.head);
    if (in->row.delivered < in->row.read)
        in->row.delivered = in->row.read;
    r->room = room->row.id;
    r->account = op->account.id;
    r->head = room->row.head;
    r->read = in->row.read;
    r->delivered = in->row.delivered;
    return 0;
}

int mem_room_mute(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);
    struct mem_member *in = room ? mem_in(room, op->account.id) : NULL;

    if (!in)
        return -ROOST_NOT_MEMBER;
    in->muted = op->on;
    r->room = op->room.id;
    r->account = op->account.id;
    return 0;
}
