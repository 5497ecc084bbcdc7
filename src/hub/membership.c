/* membership.c - rooms are joined, left, and managed by those of higher rank. */
#include <assert.h>

#include "hub/handlers_talk.h"

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

/* The last owner stays, or closes the room: somebody must be able to manage it. */
static int owner_may_go(const struct room *r, const struct member *m)
{
    return m->role == ROOST__ROOM_ROLE__OWNER && owners(r) == 1 ? -ROOST_LAST_OWNER : 0;
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
    int err = rooms_of_many(q);

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
    int err = rooms_of_many(q);

    assert((err || m) && "leaving is for members");
    if (!err)
        err = owner_may_go(q->room, m);
    return err ? err
               : member_event(h, q, q->account, q->name, ROOST__MEMBER_CHANGED__CHANGE__LEFT,
                              ROOST__ROOM_ROLE__MEMBER);
}

int invite_on_message(struct hub *h, struct request *q)
{
    const struct member *m = map_get(&q->room->members, q->user_id);
    int err = rooms_of_many(q);

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
    int err = rooms_of_many(q);

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
    int err = rooms_of_many(q);

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
    int err = rooms_of_many(q);

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
    bool was_in = room_member(q->room, e->who) != NULL;

    if (member_apply(q->room, e) < 0) {
        q->room->ready = false; /* the store knows better: read it again */
        return reply_done(h, q, r);
    }
    tell_room_event(h, e);
    bool in = room_member(q->room, e->who) != NULL;
    if (!in)
        tell_detach(h, q->room_id, e->who);
    if (was_in || in) /* who never was in it learns nothing of a private room */
        rooms_tell_place(h, q->room, e->who, !in);
    return reply_done(h, q, r);
}
