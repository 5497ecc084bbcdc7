/* rooms.c - rooms are made, joined, left, managed and listed. */
#include <stdlib.h>
#include <string.h>

#include "hub/handlers_talk.h"
#include "hub/name.h"

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

static void tell_place(struct hub *h, const struct room *r, uint64_t account, bool gone)
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
            tell_place(h, r, s->key, false);
}

/* --- membership -------------------------------------------------------------------------- */

static int of_many(const struct request *q)
{
    return q->room->kind == ROOST__ROOM_KIND__ROOM ? 0 : -ROOST_NOT_ALLOWED;
}

static uint32_t owners(const struct room *r)
{
    struct map_slot *s;
    uint32_t n = 0;

    for (size_t i = 0; (s = map_next(&r->members, &i));) {
        const struct member *m = s->value;
        n += !m->banned && m->role == ROOST__ROOM_ROLE__OWNER;
    }
    return n;
}

/* The last owner stays while others are there: somebody must be able to manage it. */
static int owner_may_go(const struct room *r, const struct member *m)
{
    bool last = m->role == ROOST__ROOM_ROLE__OWNER && owners(r) == 1 && r->n_members > 1;

    return last ? -ROOST_LAST_OWNER : 0;
}

static uint32_t rank_of(const struct request *q, const struct room *r)
{
    const struct member *m = room_member(r, q->account);

    if (q->role == ROOST__ROLE__ADMIN)
        return ROOST__ROOM_ROLE__OWNER + 1;
    if (room_manages(q, RIGHT_OWN))
        return ROOST__ROOM_ROLE__OWNER;
    return m && m->role >= ROOST__ROOM_ROLE__ROOM_MODERATOR ? m->role
           : room_manages(q, RIGHT_MODERATE)                ? ROOST__ROOM_ROLE__ROOM_MODERATOR
                                                            : ROOST__ROOM_ROLE__MEMBER;
}

static int member_event(struct hub *h, struct request *q, uint64_t who, const char *name,
                        uint32_t change, uint32_t role)
{
    struct event e = {
        .kind = EVENT_MEMBER, .who = who, .who_name = name, .change = change, .role = role
    };

    return chat_append(h, q, &e, false);
}

int join_on_message(struct hub *h, struct request *q)
{
    int err = of_many(q);

    if (!err && room_member(q->room, q->account))
        err = -ROOST_ALREADY;
    if (!err && q->room->n_members >= ROOM_MEMBERS_MAX)
        err = -ROOST_LIMIT;
    if (!err && q->room->closed)
        err = -ROOST_ROOM_CLOSED;
    return err ? err
               : member_event(h, q, q->account, q->name, ROOST__MEMBER_CHANGED__CHANGE__JOINED,
                              ROOST__ROOM_ROLE__MEMBER);
}

int leave_on_message(struct hub *h, struct request *q)
{
    const struct member *m = room_member(q->room, q->account);
    int err = of_many(q);

    if (!err)
        err = m ? owner_may_go(q->room, m) : -ROOST_NOT_MEMBER;
    return err ? err
               : member_event(h, q, q->account, q->name, ROOST__MEMBER_CHANGED__CHANGE__LEFT,
                              ROOST__ROOM_ROLE__MEMBER);
}

int invite_on_message(struct hub *h, struct request *q)
{
    const struct member *m = map_get(&q->room->members, q->user_id);
    int err = of_many(q);

    if (!err && m && !m->banned)
        err = -ROOST_ALREADY;
    if (!err && m && m->banned && !room_manages(q, RIGHT_MODERATE))
        err = -ROOST_NOT_ALLOWED;
    if (!err && q->room->n_members >= ROOM_MEMBERS_MAX)
        err = -ROOST_LIMIT;
    return err ? err
               : member_event(h, q, q->user_id, q->user_name,
                              ROOST__MEMBER_CHANGED__CHANGE__INVITED, ROOST__ROOM_ROLE__MEMBER);
}

/* Nobody acts on those of their own rank or above, but owners among themselves. */
static int outranks(const struct request *q, const struct member *m)
{
    uint32_t mine = rank_of(q, q->room);

    return m->role < mine || mine >= ROOST__ROOM_ROLE__OWNER ? 0 : -ROOST_NOT_ALLOWED;
}

int remove_on_message(struct hub *h, struct request *q)
{
    const struct member *m = room_member(q->room, q->user_id);
    int err = of_many(q);

    if (!err)
        err = m ? outranks(q, m) : -ROOST_NOT_MEMBER;
    if (!err)
        err = owner_may_go(q->room, m);
    return err ? err
               : member_event(h, q, q->user_id, m->name, ROOST__MEMBER_CHANGED__CHANGE__REMOVED,
                              ROOST__ROOM_ROLE__MEMBER);
}

int ban_on_message(struct hub *h, struct request *q)
{
    const struct member *m = map_get(&q->room->members, q->user_id);
    bool banned = m && m->banned, lift = q->msg->ban->lift;
    int err = of_many(q);

    if (!err && banned != lift)
        err = -ROOST_ALREADY;
    if (!err && !lift && q->user_id == q->account)
        err = -ROOST_NOT_ALLOWED;
    if (!err && !lift && m)
        err = outranks(q, m);
    if (!err && !lift && m)
        err = owner_may_go(q->room, m);
    if (!err && !lift && q->room->members.n >= 2 * ROOM_MEMBERS_MAX)
        err = -ROOST_LIMIT; /* members and banned ones together */
    return err ? err
               : member_event(h, q, q->user_id, q->user_name,
                              lift ? ROOST__MEMBER_CHANGED__CHANGE__UNBANNED
                                   : ROOST__MEMBER_CHANGED__CHANGE__BANNED,
                              ROOST__ROOM_ROLE__MEMBER);
}

int set_role_on_message(struct hub *h, struct request *q)
{
    const struct member *m = room_member(q->room, q->user_id);
    uint32_t role = (uint32_t)q->msg->set_role->role;
    int err = of_many(q);

    if (!err && !m)
        err = -ROOST_NOT_MEMBER;
    if (!err && role > ROOST__ROOM_ROLE__OWNER)
        err = -ROOST_INVALID;
    if (!err && m->role == role)
        err = -ROOST_ALREADY;
    if (!err && m->role == ROOST__ROOM_ROLE__OWNER && owners(q->room) == 1)
        err = -ROOST_LAST_OWNER;
    return err ? err
               : member_event(h, q, q->user_id, m->name, ROOST__MEMBER_CHANGED__CHANGE__ROLE, role);
}

static int member_apply(struct room *r, const struct event *e)
{
    switch (e->change) {
    case ROOST__MEMBER_CHANGED__CHANGE__JOINED:
    case ROOST__MEMBER_CHANGED__CHANGE__INVITED:
    case ROOST__MEMBER_CHANGED__CHANGE__ROLE:
        return room_set_member(r, e->who, e->who_name, e->role, false);
    case ROOST__MEMBER_CHANGED__CHANGE__BANNED:
        return room_set_member(r, e->who, e->who_name, e->role, true);
    default:
        room_drop_member(r, e->who);
        return 0;
    }
}

int rooms_on_member(struct hub *h, struct request *q, struct store_result *r)
{
    const struct event *e = chat_event(q, r);

    if (member_apply(q->room, e) < 0) {
        q->room->ready = false; /* the store knows better: read it again */
        return reply_done(h, q, r);
    }
    tell_room_event(h, e);
    bool in = room_member(q->room, e->who) != NULL;
    if (!in)
        tell_detach(h, q->room_id, e->who);
    if (e->change != ROOST__MEMBER_CHANGED__CHANGE__UNBANNED)
        tell_place(h, q->room, e->who, !in);
    return reply_done(h, q, r);
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
    int err = of_many(q);

    if (!err && q->room->closed)
        err = -ROOST_ALREADY;
    e.closed = true;
    return err ? err : chat_append(h, q, &e, false);
}

int set_topic_on_message(struct hub *h, struct request *q)
{
    struct event e = setting_now(q->room);
    int err = of_many(q);

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
    room->closed = e->closed;
    room->retention_days = e->retention_days;
    tell_room_event(h, e);
    rooms_tell_place_all(h, room);
    return reply_done(h, q, r);
}

/* --- making one ----------------------------------------------------------------------------- */

struct making {
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    struct member_row *members;
    size_t n; /* members found so far, the owner included */
    size_t asked;
};

static int making_store(struct hub *h, struct request *q, struct making *m)
{
    const Roost__NewRoom *b = q->msg->new_room;
    struct store_op *op = request_do(h, q, STORE_ROOM_NEW);

    if (op) {
        op->account.id = q->account;
        op->account.name = arena_str(&op->mem, q->name);
        op->room.name = arena_str(&op->mem, m->norm);
        op->room.skeleton = arena_str(&op->mem, m->skeleton);
        op->room.topic = arena_str(&op->mem, b->topic);
        op->room.private = b->private_;
        op->room.moderated = b->moderated;
        struct member_row *rows = arena_dup(&op->mem, m->members, m->n * sizeof *rows);
        for (size_t i = 0; rows && i < m->n; i++)
            rows[i].name = arena_str(&op->mem, rows[i].name);
        op->members = rows;
        op->n_members = rows ? m->n : 0;
        if (!rows || !op->room.name || !op->room.skeleton) {
            store_op_unref(op);
            op = NULL;
        }
    }
    return request_store(h, q, op);
}

/* The next person to look up, or the room itself. */
static int making_next(struct hub *h, struct request *q, struct making *m)
{
    const Roost__NewRoom *b = q->msg->new_room;
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];

    if (m->asked == b->n_users)
        return making_store(h, q, m);
    const char *name = b->users[m->asked++];
    if (name_check(&h->names, *name == '@' ? name + 1 : name, norm, sizeof norm, skeleton,
                   sizeof skeleton) < 0)
        return -ROOST_NO_SUCH_USER;
    struct store_op *op = request_look(h, q, STORE_ACCOUNT_FIND);
    if (op)
        op->skeleton = arena_str(&op->mem, skeleton);
    return request_store(h, q, op);
}

int new_room_on_message(struct hub *h, struct request *q)
{
    const Roost__NewRoom *b = q->msg->new_room;
    struct making *m = arena_get(&q->mem, sizeof *m);
    const char *name = *b->name == '#' ? b->name + 1 : b->name;

    if (b->n_users > NAMES_MAX)
        return -ROOST_LIMIT;
    if (strlen(b->topic) > TOPIC_MAX)
        return -ROOST_TOO_LONG;
    if (!m || !(m->members = arena_get(&q->mem, (b->n_users + 1) * sizeof *m->members)))
        return -ROOST_NOMEM;
    int err = name_check(&h->names, name, m->norm, sizeof m->norm, m->skeleton, sizeof m->skeleton);
    if (err)
        return -ROOST_NAME_BAD;
    m->members[m->n++] = (struct member_row){ .account = q->account,
                                              .name = q->name,
                                              .role = ROOST__ROOM_ROLE__OWNER };
    q->state = m;
    return making_next(h, q, m);
}

static int making_add(struct request *q, struct making *m, const struct account_row *found)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->members[i].account == found->id)
            return 0; /* named twice, or oneself */
    const char *name = arena_str(&q->mem, found->name);
    if (!name)
        return -ROOST_NOMEM;
    m->members[m->n++] =
        (struct member_row){ .account = found->id, .name = name, .role = ROOST__ROOM_ROLE__MEMBER };
    return 0;
}

int new_room_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    const Roost__NewRoom *b = q->msg->new_room;
    struct making *m = q->state;

    if (r->kind == STORE_ACCOUNT_FIND) {
        int err = making_add(q, m, &r->account_row);
        return err ? err : making_next(h, q, m);
    }
    for (size_t i = 0; i < m->n; i++) {
        Roost__RoomInfo info = ROOST__ROOM_INFO__INIT;
        info.room = r->room;
        info.name = m->norm;
        info.topic = b->topic;
        info.private_ = b->private_;
        info.moderated = b->moderated;
        info.members = (uint32_t)m->n;
        info.member = true;
        info.role = (Roost__RoomRole)m->members[i].role;
        info.head = r->seq;
        info.first = 1;
        info.last_ms = (uint64_t)r->at_ms;
        tell_room_place(h, m->members[i].account, &info, false);
    }
    return reply_done(h, q, r);
}

/* --- listing -----------------------------------------------------------------------------------
 */

static void info_of_place(Roost__RoomInfo *info, const struct room_place *p)
{
    bool all = p->room.kind == ROOST__ROOM_KIND__EVERYONE;

    roost__room_info__init(info);
    info->room = p->room.id;
    info->kind = (Roost__RoomKind)p->room.kind;
    info->name = (char *)(p->peer_name ? p->peer_name : p->room.name ? p->room.name : "");
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

static void member_fill(struct hub *h, Roost__Member *to, const struct member *m)
{
    const struct user *u = user_of(h, m->account);

    roost__member__init(to);
    to->account = m->account;
    to->name = m->name;
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
        member_fill(h, &rows[i], all[i]);
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
