/* room.c - the state of a room, and who may do what in it. */
#include <stdlib.h>
#include <string.h>

#include "hub/internal.h"

struct member *room_member(const struct room *r, uint64_t account)
{
    struct member *m = map_get(&r->members, account);

    return m && !m->banned ? m : NULL;
}

const char *room_called(const struct room *r, const struct member *m)
{
    const char *shown = meeting_shown(r->meeting, m->account, m->name);

    return shown ? shown : m->name;
}

static void member_free(struct member *m)
{
    free(m->name);
    free(m);
}

void room_drop_member(struct room *r, uint64_t account)
{
    struct member *m = map_take(&r->members, account);

    if (!m)
        return;
    r->n_members -= !m->banned;
    member_free(m);
}

int room_set_member(struct room *r, uint64_t account, const char *name, uint32_t role, bool banned)
{
    struct member *m = map_get(&r->members, account);

    if (!m) {
        m = calloc(1, sizeof *m);
        if (!m)
            return -ROOST_NOMEM;
        m->account = account;
        m->name = strdup(name ? name : "");
        if (!m->name || map_put(&r->members, account, m) < 0) {
            member_free(m);
            return -ROOST_NOMEM;
        }
        r->n_members++;
    }
    r->n_members = r->n_members + m->banned - banned;
    m->role = role;
    m->banned = banned;
    m->muted &= !banned;
    return 0;
}

static int meeting_fill(struct room *r, const struct store_result *loaded, int64_t now_us)
{
    struct meeting *fresh = NULL;
    int err = r->kind == ROOST__ROOM_KIND__MEETING ? meeting_load(&fresh, loaded, now_us) : 0;

    if (fresh && r->meeting)
        meeting_keep_presence(fresh, r->meeting);
    meeting_free(r->meeting);
    r->meeting = fresh;
    return err;
}

void room_empty(struct room *r)
{
    struct map_slot *s;
    uint64_t seed = r->members.seed;

    for (size_t i = 0; (s = map_next(&r->members, &i));)
        member_free(s->value);
    map_fini(&r->members);
    map_init(&r->members, seed);
    free(r->name);
    free(r->topic);
    r->name = r->topic = NULL;
    r->n_members = 0;
    r->n_pins = 0;
}

int room_fill(struct room *r, const struct store_result *loaded, int64_t now_us)
{
    const struct room_row *row = &loaded->room_row;

    room_empty(r);
    r->kind = row->kind;
    r->name = strdup(row->name ? row->name : "");
    r->topic = strdup(row->topic ? row->topic : "");
    r->private = row->private;
    r->moderated = row->moderated;
    r->closed = row->closed;
    r->retention_days = row->retention_days;
    r->head = row->head;
    r->first = row->first;
    r->last_ms = row->last_ms;
    for (size_t i = 0; i < loaded->n_ids && i < STORE_PINS_MAX; i++)
        r->pins[r->n_pins++] = loaded->ids[i];
    for (size_t i = 0; i < loaded->n_members; i++) {
        const struct member_row *m = &loaded->members[i];
        if (room_set_member(r, m->account, m->name, m->role, m->banned) < 0)
            return -ROOST_NOMEM;
        struct member *made = map_get(&r->members, m->account);
        made->guest = m->guest;
        made->muted = m->muted;
        made->delivered = m->delivered;
        made->read = m->read;
    }
    if (!r->name || !r->topic)
        return -ROOST_NOMEM;
    return meeting_fill(r, loaded, now_us);
}

void room_on_event(struct room *r, uint64_t seq, int64_t at_ms)
{
    if (seq > r->head)
        r->head = seq;
    if (at_ms > r->last_ms)
        r->last_ms = at_ms;
}

/* --- rights ------------------------------------------------------------------- */

/* Management only: admins of the server own all rooms of many, its moderators
 * moderate the public ones. Reading always needs membership. */
bool room_manages(const struct request *q, enum right right)
{
    const struct room *r = q->room;
    const struct member *m = room_member(r, q->account);
    uint32_t role = m ? m->role : ROOST__ROOM_ROLE__MEMBER;

    if (r->meeting)
        return right != RIGHT_OWN && meeting_manages(r->meeting, q->account);
    if (r->kind != ROOST__ROOM_KIND__ROOM)
        return r->kind == ROOST__ROOM_KIND__EVERYONE && q->role >= ROOST__ROLE__MODERATOR;
    if (q->role == ROOST__ROLE__ADMIN)
        role = ROOST__ROOM_ROLE__OWNER;
    if (q->role == ROOST__ROLE__MODERATOR && !r->private && role < ROOST__ROOM_ROLE__ROOM_MODERATOR)
        role = ROOST__ROOM_ROLE__ROOM_MODERATOR;
    return role >=
           (right == RIGHT_OWN ? ROOST__ROOM_ROLE__OWNER : ROOST__ROOM_ROLE__ROOM_MODERATOR);
}

static int may_broadcast(const struct hub *h, const struct request *q)
{
    uint32_t least = h->config.broadcast == BROADCAST_EVERYONE     ? ROOST__ROLE__USER
                     : h->config.broadcast == BROADCAST_MODERATORS ? ROOST__ROLE__MODERATOR
                                                                   : ROOST__ROLE__ADMIN;
    return q->role >= least ? 0 : -ROOST_NOT_ALLOWED;
}

static int may_speak_in_meeting(const struct request *q)
{
    const struct meeting *m = q->room->meeting;
    int role = meeting_role(m, q->account);

    if (role < 0)
        return -ROOST_NOT_IN_MEETING;
    return m->head.no_chat && role < (int)ROOST__MEET_ROLE__COHOST ? -ROOST_MODERATED : 0;
}

static bool has_guest(const struct room *r)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&r->members, &i));)
        if (((const struct member *)s->value)->guest)
            return true;
    return false;
}

static int may_speak(const struct hub *h, const struct request *q)
{
    const struct room *r = q->room;
    const struct member *m = room_member(r, q->account);

    if (r->kind == ROOST__ROOM_KIND__EVERYONE)
        return may_broadcast(h, q);
    if (r->meeting)
        return may_speak_in_meeting(q);
    if (r->kind == ROOST__ROOM_KIND__DIRECT && has_guest(r))
        return -ROOST_NOT_ALLOWED; /* notes go through the meeting, which may forbid them */
    if (r->moderated && m->role < ROOST__ROOM_ROLE__ROOM_MODERATOR &&
        !room_manages(q, RIGHT_MODERATE))
        return -ROOST_MODERATED;
    return 0;
}

/* A private room is not there for those who are not in it. */
static int sees(const struct request *q, enum right right)
{
    const struct room *r = q->room;
    const struct member *m = map_get(&r->members, q->account);
    bool all = r->kind == ROOST__ROOM_KIND__EVERYONE;
    bool inside = (all && !q->guest) || (m && !m->banned);
    bool manager = right >= RIGHT_MODERATE && room_manages(q, right);

    if (inside || manager)
        return 0;
    if (m && m->banned)
        return -ROOST_BANNED;
    if (r->private || r->kind != ROOST__ROOM_KIND__ROOM || q->guest)
        return -ROOST_NO_SUCH_ROOM;
    return right == RIGHT_SEE                              ? 0
           : right == RIGHT_MEMBER || right == RIGHT_SPEAK ? -ROOST_NOT_MEMBER
                                                           : -ROOST_NOT_ALLOWED;
}

int right_check(const struct hub *h, const struct request *q, enum right right)
{
    if (right < RIGHT_SEE)
        return 0; /* request_check has looked */
    if (right == RIGHT_MEET)
        return q->room && q->room->meeting ? 0 : -ROOST_NO_SUCH_MEETING;
    if (!q->room)
        return -ROOST_NO_SUCH_ROOM;
    int err = sees(q, right);
    if (err)
        return err;
    if (q->room->closed && right != RIGHT_SEE && !(q->rule->flags & RULE_CLOSED_TOO))
        return -ROOST_ROOM_CLOSED;
    if (right == RIGHT_SPEAK)
        return may_speak(h, q);
    if (right >= RIGHT_MODERATE && !room_manages(q, right))
        return -ROOST_NOT_ALLOWED;
    return 0;
}
