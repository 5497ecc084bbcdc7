/* rooms.c - what a room is for those in it: told, set and listed. */
#include <stdlib.h>
#include <string.h>

#include "hub/handlers_talk.h"

/* --- what the room is, for one account ------------------------------------------------ */

static void info_of_room(Roost__RoomInfo *info, const struct room *r, uint64_t account)
{
    const struct member *m = room_member(r, account);
    size_t i = 0;
    struct map_slot *s;

    roost__room_info__init(info);
    info->room = r->id;
    info->kind = (Roost__RoomKind)r->kind;
    info->name = r->name;
    info->topic = r->topic;
    info->private_ = r->private;
    info->moderated = r->moderated;
    info->closed = r->closed;
    info->members = r->n_members;
    info->member = m != NULL;
    info->role = m ? (Roost__RoomRole)m->role : ROOST__ROOM_ROLE__MEMBER;
    info->head = r->head;
    info->first = r->first;
    info->read = m ? m->read : 0;
    info->muted = m && m->muted;
    info->retention_days = r->retention_days;
    info->last_ms = (uint64_t)r->last_ms;
    info->pins = (uint64_t *)r->pins;
    info->n_pins = r->n_pins;
    while (r->kind == ROOST__ROOM_KIND__DIRECT && (s = map_next(&r->members, &i))) {
        const struct member *other = s->value;
        if (other->account == account)
            continue;
        info->peer = other->account;
        info->name = other->name;
    }
}

void rooms_tell_place(struct hub *h, const struct room *r, uint64_t account, bool gone)
{
    Roost__RoomInfo info;

    info_of_room(&info, r, account);
    tell_room_place(h, account, &info, gone);
}

void rooms_tell_place_all(struct hub *h, const struct room *r)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&r->members, &i));)
        if (!((struct member *)s->value)->banned)
            rooms_tell_place(h, r, s->key, false);
}

int rooms_of_many(const struct request *q)
{
    return q->room->kind == ROOST__ROOM_KIND__ROOM ? 0 : -ROOST_NOT_ALLOWED;
}

/* --- what the room is set to -------------------------------------------------------------- */

static struct event setting_now(const struct room *r)
{
    return (struct event){ .kind = EVENT_ROOM,
                           .text = r->topic,
                           .private = r->private,
                           .moderated = r->moderated,
                           .closed = r->closed,
                           .retention_days = r->retention_days,
                           .room_name = r->name };
}

int close_room_on_message(struct hub *h, struct request *q)
{
    struct event e = setting_now(q->room);
    int err = rooms_of_many(q);

    if (!err && q->room->closed)
        err = -ROOST_ALREADY;
    e.closed = true;
    return err ? err : chat_append(h, q, &e, false);
}

int set_topic_on_message(struct hub *h, struct request *q)
{
    struct event e = setting_now(q->room);
    int err = rooms_of_many(q);

    e.text = q->msg->set_topic->topic;
    if (!err && strlen(e.text) > TOPIC_MAX)
        err = -ROOST_TOO_LONG;
    return err ? err : chat_append(h, q, &e, false);
}

static void turn(bool *what, Roost__Switch to)
{
    if (to != ROOST__SWITCH__AS_IT_IS)
        *what = to == ROOST__SWITCH__ON;
}

int set_room_on_message(struct hub *h, struct request *q)
{
    const Roost__SetRoom *b = q->msg->set_room;
    struct event e = setting_now(q->room);
    bool many = q->room->kind == ROOST__ROOM_KIND__ROOM;

    if (!many && (b->private_ || b->moderated || q->room->kind == ROOST__ROOM_KIND__DIRECT))
        return -ROOST_NOT_ALLOWED;
    turn(&e.private, b->private_);
    turn(&e.moderated, b->moderated);
    if (b->set_retention)
        e.retention_days = b->retention_days;
    return chat_append(h, q, &e, false);
}

int rooms_on_set(struct hub *h, struct request *q, struct store_result *r)
{
    const struct event *e = chat_event(q, r);
    struct room *room = q->room;
    char *topic = strdup(e->text ? e->text : "");

    if (topic) {
        free(room->topic);
        room->topic = topic;
    }
    room->private = e->private;
    room->moderated = e->moderated;
    if (e->closed && !room->closed)
        files_bar(h, 0, room->id, true);
    room->closed = e->closed;
    room->retention_days = e->retention_days;
    tell_room_event(h, e);
    rooms_tell_place_all(h, room);
    return reply_done(h, q, r);
}

/* --- listing --- */

static void info_of_place(Roost__RoomInfo *info, const struct room_place *p)
{
    bool all = p->room.kind == ROOST__ROOM_KIND__EVERYONE;

    roost__room_info__init(info);
    info->room = p->room.id;
    info->kind = (Roost__RoomKind)p->room.kind;
    const char *name = p->peer_name && *p->peer_name ? p->peer_name : p->room.name;
    info->name = (char *)(name ? name : "");
    info->topic = (char *)(p->room.topic ? p->room.topic : "");
    info->private_ = p->room.private;
    info->moderated = p->room.moderated;
    info->closed = p->room.closed;
    info->members = p->members;
    info->member = p->member;
    info->role = (Roost__RoomRole)p->role;
    info->head = p->room.head;
    info->first = p->room.first;
    info->read = p->read;
    info->unread = all ? 0 : p->unread; /* a broadcast rings nobody who was away */
    info->mentions = p->mentions;
    info->muted = p->muted;
    info->retention_days = p->room.retention_days;
    info->pins = (uint64_t *)p->pins;
    info->n_pins = p->n_pins;
    info->last_ms = (uint64_t)p->room.last_ms;
    info->peer = p->peer;
}

int list_rooms_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_ROOM_LIST);

    if (op) {
        op->account.id = q->account;
        op->mine = q->msg->list_rooms->mine;
        op->after = q->msg->list_rooms->after;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

int list_rooms_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__RoomList list = ROOST__ROOM_LIST__INIT;
    Roost__RoomInfo *infos = arena_get(&q->mem, (r->n_places + 1) * sizeof *infos);
    size_t bytes = 0;

    list.rooms = arena_get(&q->mem, (r->n_places + 1) * sizeof *list.rooms);
    if (!infos || !list.rooms)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < r->n_places; i++) {
        info_of_place(&infos[i], &r->places[i]);
        bytes += roost__room_info__get_packed_size(&infos[i]) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        list.rooms[list.n_rooms++] = &infos[i];
    }
    list.more = r->more || list.n_rooms < r->n_places;
    reply.result_case = ROOST__REPLY__RESULT_ROOMS;
    reply.rooms = &list;
    return reply_with(h, q, &reply);
}

static int by_account(const void *a, const void *b)
{
    const struct member *x = *(const struct member *const *)a,
                        *y = *(const struct member *const *)b;

    return x->account < y->account ? -1 : x->account > y->account;
}

static void member_fill(struct hub *h, const struct room *r, Roost__Member *to,
                        const struct member *m)
{
    const struct user *u = user_of(h, m->account);

    roost__member__init(to);
    to->account = m->account;
    to->name = (char *)room_called(r, m);
    to->role = (Roost__RoomRole)m->role;
    to->on = u && u->n_conns;
    to->banned = m->banned;
    to->delivered = m->delivered;
    to->read = m->read;
}

int members_on_message(struct hub *h, struct request *q)
{
    const struct room *r = q->room;
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__MemberList list = ROOST__MEMBER_LIST__INIT;
    size_t n = 0, bytes = 0, total = r->members.n + 1;
    const struct member **all = arena_get(&q->mem, total * sizeof *all);
    Roost__Member *rows = arena_get(&q->mem, total * sizeof *rows);
    struct map_slot *s;

    list.members = arena_get(&q->mem, total * sizeof *list.members);
    if (!all || !rows || !list.members)
        return -ROOST_NOMEM;
    for (size_t i = 0; (s = map_next(&r->members, &i));)
        if (s->key > q->msg->members->after)
            all[n++] = s->value;
    qsort(all, n, sizeof *all, by_account);
    for (size_t i = 0; i < n; i++) {
        member_fill(h, r, &rows[i], all[i]);
        bytes += roost__member__get_packed_size(&rows[i]) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        list.members[list.n_members++] = &rows[i];
    }
    list.room = r->id;
    list.more = list.n_members < n;
    reply.result_case = ROOST__REPLY__RESULT_MEMBERS;
    reply.members = &list;
    return reply_with(h, q, &reply);
}

int mute_room_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_ROOM_MUTE);

    if (op) {
        op->account.id = q->account;
        op->room.id = q->room_id;
        op->on = q->msg->mute_room->on;
    }
    return request_store(h, q, op);
}

int mute_room_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct member *m = room_member(q->room, q->account);

    if (m) {
        m->muted = q->msg->mute_room->on;
        rooms_tell_place(h, q->room, q->account, false);
    }
    return reply_done(h, q, r);
}
