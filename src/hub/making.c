/* making.c - a new room: its name, and one look in the store for each who is asked in. */
#include <string.h>

#include "hub/handlers_talk.h"
#include "hub/name.h"

struct making {
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES], looks[LOOKS_BYTES];
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
        op->room.looks = arena_str(&op->mem, m->looks);
        op->room.topic = arena_str(&op->mem, b->topic);
        op->room.private = b->private_;
        op->room.moderated = b->moderated;
        struct member_row *rows = arena_dup(&op->mem, m->members, m->n * sizeof *rows);
        for (size_t i = 0; rows && i < m->n; i++)
            rows[i].name = arena_str(&op->mem, rows[i].name);
        op->members = rows;
        op->n_members = rows ? m->n : 0;
        if (!rows || !op->room.name || !op->room.skeleton || !op->room.looks) {
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
    if (!err)
        err = name_looks(&h->names, name, m->looks);
    if (err)
        return err;
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
