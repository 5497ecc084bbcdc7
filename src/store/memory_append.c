/* The event that is added to a room and what it changes, in the store in memory. */
#include <stdlib.h>
#include <string.h>

#include "store/memory_db.h"

struct mem_event *mem_event_at(struct mem_room *room, uint64_t seq)
{
    if (seq == 0 || seq > room->n_events || room->events[seq - 1].gone)
        return NULL;
    return &room->events[seq - 1];
}

struct mem_event *mem_event_put(struct mem *m, struct mem_room *room, const struct event *e,
                                int64_t now_ms)
{
    struct mem_event *put = mem_add(m, &room->events, &room->n_events, sizeof *put);

    if (!put)
        return NULL;
    if (now_ms > room->row.last_ms)
        room->row.last_ms = now_ms;
    put->e = *e;
    put->e.room = room->row.id;
    put->e.seq = room->row.head = room->n_events;
    put->e.at_ms = room->row.last_ms;
    return put;
}

void mem_text_delete(struct mem_room *room, struct mem_event *t)
{
    t->deleted = true;
    free(t->reactions);
    t->reactions = NULL;
    t->n_reactions = 0;
    mem_pin_drop(room, t->e.seq);
}

static int target_find(const struct store_op *op, struct mem_room *room, struct mem_event **ret)
{
    struct mem_event *t = mem_event_at(room, op->event.ref);

    if (!t || t->e.kind != EVENT_TEXT)
        return -ROOST_NO_SUCH_MESSAGE;
    if (t->deleted)
        return op->event.kind == EVENT_DELETE ? -ROOST_ALREADY : -ROOST_NO_SUCH_MESSAGE;
    if (op->own && t->e.from != op->event.from)
        return -ROOST_NOT_ALLOWED;
    *ret = t;
    return 0;
}

static int react(struct mem *m, struct mem_event *t, const struct event *e)
{
    const char *emoji = e->text ? e->text : "";
    size_t others = 0, mine = SIZE_MAX;

    for (size_t i = 0; i < t->n_reactions; i++) {
        const struct mem_reaction *x = &t->reactions[i];
        bool first = true;
        for (size_t k = 0; k < i; k++)
            first &= strcmp(t->reactions[k].emoji, x->emoji) != 0;
        others += first && strcmp(x->emoji, emoji) != 0;
        if (x->account == e->from && strcmp(x->emoji, emoji) == 0)
            mine = i;
    }
    if (e->flag && mine == SIZE_MAX)
        return -ROOST_ALREADY;
    if (e->flag) {
        mem_drop(t->reactions, &t->n_reactions, sizeof *t->reactions, mine);
        return 0;
    }
    if (others >= REACTIONS_MAX)
        return -ROOST_LIMIT;
    if (mine != SIZE_MAX)
        return -ROOST_ALREADY;
    struct mem_reaction *x = mem_add(m, &t->reactions, &t->n_reactions, sizeof *x);
    if (x)
        *x = (struct mem_reaction){ e->from, emoji };
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static int pin(struct mem *m, struct mem_room *room, const struct event *e)
{
    bool there = false;

    for (size_t i = 0; i < room->n_pins; i++)
        there |= room->pins[i] == e->ref;
    if (!e->flag && room->n_pins - there >= STORE_PINS_MAX)
        return -ROOST_LIMIT;
    if (there != e->flag)
        return -ROOST_ALREADY;
    if (e->flag) {
        mem_pin_drop(room, e->ref);
        return 0;
    }
    uint64_t *p = mem_add(m, &room->pins, &room->n_pins, sizeof *p);
    if (p) {
        *p = e->ref;
        qsort(room->pins, room->n_pins, sizeof *p, by_number);
    }
    return 0;
}

static int member_in(struct mem *m, struct mem_room *room, const struct event *e)
{
    struct mem_member *in = mem_member(room, e->who);
    size_t others = 0;

    if (!mem_account(m, e->who))
        return -ROOST_NO_SUCH_USER;
    for (size_t i = 0; i < room->n_members; i++)
        others += !room->members[i].row.banned && room->members[i].row.account != e->who;
    if (others >= ROOM_MEMBERS_MAX)
        return -ROOST_LIMIT;
    if (!in || in->row.banned) {
        if (!in)
            in = mem_member_add(m, room, e->who);
        if (!in)
            return 0;
        in->row.banned = false;
        in->row.delivered = in->row.read = room->row.head + 1;
    }
    in->row.role = e->role;
    return 0;
}

static int ban(struct mem *m, struct mem_room *room, const struct event *e)
{
    struct mem_member *in = mem_member(room, e->who);

    if (!mem_account(m, e->who))
        return -ROOST_NO_SUCH_USER;
    if (!in)
        in = mem_member_add(m, room, e->who);
    if (in) {
        in->row.banned = true;
        in->row.role = 0;
        in->muted = false;
    }
    return 0;
}

static int member(struct mem *m, struct mem_room *room, const struct event *e)
{
    struct mem_member *in = mem_member(room, e->who);

    switch (e->change) {
    case ROOST__MEMBER_CHANGED__CHANGE__JOINED:
    case ROOST__MEMBER_CHANGED__CHANGE__INVITED:
        return member_in(m, room, e);
    case ROOST__MEMBER_CHANGED__CHANGE__LEFT:
    case ROOST__MEMBER_CHANGED__CHANGE__REMOVED:
        if (in && !in->row.banned)
            mem_drop(room->members, &room->n_members, sizeof *in, (size_t)(in - room->members));
        return 0;
    case ROOST__MEMBER_CHANGED__CHANGE__BANNED:
        return ban(m, room, e);
    case ROOST__MEMBER_CHANGED__CHANGE__UNBANNED:
        if (in && in->row.banned)
            mem_drop(room->members, &room->n_members, sizeof *in, (size_t)(in - room->members));
        return 0;
    case ROOST__MEMBER_CHANGED__CHANGE__ROLE:
        if (in && !in->row.banned)
            in->row.role = e->role;
        return 0;
    default:
        return -ROOST_INVALID;
    }
}

static void settings(struct mem_room *room, const struct event *e)
{
    room->row.topic = e->text;
    room->row.private = e->private;
    room->row.moderated = e->moderated;
    room->row.closed = e->closed;
    room->row.retention_days = e->retention_days;
}

/* All checks, and what changes but the event itself and what needs its number. */
static int effects(struct mem *m, struct mem_room *room, const struct store_op *op,
                   struct mem_event **ret_target)
{
    const struct event *e = &op->event;
    int err = 0;

    if (e->kind == EVENT_EDIT || e->kind == EVENT_DELETE || e->kind == EVENT_REACT ||
        e->kind == EVENT_PIN)
        err = target_find(op, room, ret_target);
    if (err)
        return err;
    switch (e->kind) {
    case EVENT_TEXT:
    case EVENT_EDIT:
        return 0;
    case EVENT_DELETE:
        mem_text_delete(room, *ret_target);
        return 0;
    case EVENT_REACT:
        return react(m, *ret_target, e);
    case EVENT_PIN:
        return pin(m, room, e);
    case EVENT_MEMBER:
        return member(m, room, e);
    case EVENT_ROOM:
        settings(room, e);
        return 0;
    case EVENT_MEET: /* comes by STORE_MEET_CHANGE */
    case EVENT_FILE: /* comes with what is kept */
        break;
    }
    return -ROOST_INVALID;
}

int mem_append(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->event.room);
    struct mem_event *target = NULL;

    if (!room)
        return -ROOST_NO_SUCH_ROOM;
    if (op->owner_epoch < room->epoch)
        return -ROOST_STALE_OWNER;
    if (room->row.closed && !store_closed_takes(&op->event))
        return -ROOST_ROOM_CLOSED;
    int err = effects(m, room, op, &target);
    if (err)
        return err;
    uint64_t at = target ? target->e.seq : 0;
    struct mem_event *put = mem_event_put(m, room, &op->event, op->now_ms);
    if (!put)
        return 0;
    if (op->event.kind == EVENT_EDIT)
        room->events[at - 1].edit_seq = put->e.seq; /* the array may have moved */
    room->epoch = op->owner_epoch;
    r->room = room->row.id;
    r->seq = r->head = room->row.head;
    r->at_ms = room->row.last_ms;
    return 0;
}
