/* model_rooms.c - "On the server" and "In a room" of docs/ROLES.md. */
#include "sim/roles/model_rooms.h"

static struct m_member *member(struct m_room *r, uint64_t who)
{
    struct m_member *x = m_member(r, who);

    return x && x->in ? x : NULL;
}

static bool is_banned(struct m_room *r, uint64_t who)
{
    struct m_member *x = m_member(r, who);

    return x && x->banned;
}

/* What it counts as in the room: -1 nothing, 0 member, 1 moderator, 2 owner. */
static int rank(struct model *m, struct m_room *r, uint64_t who)
{
    const struct m_member *x = member(r, who);
    const struct m_person *p = m_person(m, who);
    int rank = x ? (int)x->role : -1;

    if (p->role == ROOST__ROLE__ADMIN)
        return 2;
    if (p->role == ROOST__ROLE__MODERATOR && !r->private && rank < 1)
        return 1;
    return rank;
}

static size_t owners(const struct m_room *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_members; i++)
        n += r->members[i].in && r->members[i].role == ROOST__ROOM_ROLE__OWNER;
    return n;
}

static bool is_last_owner(struct m_room *r, uint64_t who)
{
    const struct m_member *x = member(r, who);

    return x && x->role == ROOST__ROOM_ROLE__OWNER && owners(r) == 1;
}

/* On a person: of lower rank, or owners among themselves. */
static no on_whom(struct model *m, const struct m_deed *d)
{
    struct m_member *x = member(d->room, d->whom);
    int mine = rank(m, d->room, d->by), theirs = x ? (int)x->role : -1;
    no why = 0;

    if (is_last_owner(d->room, d->whom))
        why |= NO(LAST);
    if (theirs >= mine && mine < 2)
        why |= NO(RIGHT) | NO(WHOM);
    return why;
}

static no so(bool is)
{
    return is ? NO(SO) : 0;
}

static no reasons(struct model *m, const struct m_deed *d)
{
    struct m_room *r = d->room;
    const struct m_member *x = member(r, d->by), *on = member(r, d->whom);
    int mine = rank(m, r, d->by);
    no why = 0;

    if (m_person(m, d->by)->guest)
        return NO(GUEST) | NO(RIGHT) | NO(NO_ROOM) | NO(NOT_MEMBER);
    if (r->private && !x && mine < 0)
        why |= NO(NO_ROOM) | NO(NOT_MEMBER);
    if (r->closed && d->what != DO_READ && d->what != DO_EARLIER && d->what != DO_LEAVE)
        why |= NO(CLOSED);
    switch (d->what) {
    case DO_READ:
        return x ? 0 : why | NO(NOT_MEMBER) | NO(NO_ROOM);
    case DO_SPEAK:
        if (!x)
            why |= NO(NOT_MEMBER) | NO(NO_ROOM);
        else if (r->moderated && mine < 1)
            why |= NO(MODERATED);
        return why;
    case DO_PIN:
        return (!x          ? why | NO(NOT_MEMBER) | NO(NO_ROOM)
                : mine >= 1 ? why
                            : why | NO(RIGHT)) |
               so(r->pinned);
    case DO_EARLIER: /* reading needs membership */
        return (x ? 0 : why | NO(NOT_MEMBER) | NO(NO_ROOM) | NO(RIGHT)) |
               (mine >= 1 ? 0 : NO(RIGHT));
    case DO_REACT:
        return (x ? why : why | NO(NOT_MEMBER) | NO(NO_ROOM));
    case DO_TOPIC:
        return mine >= 1 ? why : why | NO(RIGHT) | NO(NOT_MEMBER);
    case DO_MODERATED:
        return (mine >= 2 ? why : why | NO(RIGHT) | NO(NOT_MEMBER));
    case DO_CLOSE:
        return (mine >= 2 ? why : why | NO(RIGHT) | NO(NOT_MEMBER)) | so(r->closed);
    case DO_JOIN:
        if (r->private && !x)
            why |= NO(NO_ROOM) | NO(RIGHT);
        if (is_banned(r, d->by))
            why |= NO(ROOM_BANNED);
        return why | so(x != NULL);
    case DO_LEAVE:
        if (!x)
            return NO(NOT_MEMBER) | NO(NO_ROOM);
        return is_last_owner(r, d->by) ? NO(LAST) : 0;
    case DO_INVITE:
        if (!x)
            why |= NO(NOT_MEMBER) | NO(NO_ROOM);
        if (is_banned(r, d->whom) && mine < 1)
            why |= NO(ROOM_BANNED) | NO(RIGHT);
        return why | so(on != NULL);
    case DO_REMOVE:
        return (mine >= 1 ? why : why | NO(RIGHT) | NO(NOT_MEMBER)) | on_whom(m, d) |
               (on ? 0 : NO(NOT_MEMBER) | NO(NOBODY));
    case DO_BAN:
        return (mine >= 1 ? why : why | NO(RIGHT) | NO(NOT_MEMBER)) | on_whom(m, d) |
               so(is_banned(r, d->whom)) | (d->by == d->whom ? NO(RIGHT) | NO(WHOM) : 0);
    case DO_LIFT:
        return (mine >= 1 ? why : why | NO(RIGHT) | NO(NOT_MEMBER)) | so(!is_banned(r, d->whom));
    case DO_ROLE:
        if (on && on->role != d->role && is_last_owner(r, d->whom))
            why |= NO(LAST);
        return (mine >= 2 ? why : why | NO(RIGHT) | NO(NOT_MEMBER)) |
               (on ? so(on->role == d->role) : NO(NOT_MEMBER) | NO(NOBODY));
    }
    return why;
}

no m_may_do(struct model *m, const struct m_deed *d)
{
    no why = reasons(m, d);

    return why && is_banned(d->room, d->by) ? why | NO(ROOM_BANNED) : why;
}

static struct m_member *place(struct m_room *r, uint64_t who)
{
    struct m_member *x = m_member(r, who);

    if (x)
        return x;
    x = &r->members[r->n_members++];
    *x = (struct m_member){ .who = who };
    return x;
}

void m_do(struct model *m, const struct m_deed *d)
{
    struct m_room *r = d->room;

    (void)m;
    switch (d->what) {
    case DO_READ:
    case DO_SPEAK:
    case DO_TOPIC:
    case DO_EARLIER:
    case DO_REACT:
        break;
    case DO_PIN:
        r->pinned = true;
        break;
    case DO_MODERATED:
        r->moderated = d->on;
        break;
    case DO_CLOSE:
        r->closed = true;
        break;
    case DO_JOIN:
    case DO_INVITE:
        *place(r, d->what == DO_JOIN ? d->by : d->whom) =
            (struct m_member){ .who = d->what == DO_JOIN ? d->by : d->whom, .in = true };
        break;
    case DO_LEAVE:
        place(r, d->by)->in = false;
        break;
    case DO_REMOVE:
        place(r, d->whom)->in = false;
        break;
    case DO_BAN:
        *place(r, d->whom) = (struct m_member){ .who = d->whom, .banned = true };
        break;
    case DO_LIFT:
        place(r, d->whom)->banned = false;
        break;
    case DO_ROLE:
        place(r, d->whom)->role = d->role;
        break;
    }
}

void m_room_new(struct model *m, uint64_t id, uint64_t owner, bool private)
{
    struct m_room *r = &m->rooms[m->n_rooms++];

    *r = (struct m_room){ .id = id, .private = private };
    *place(r,
           owner) = (struct m_member){ .who = owner, .in = true, .role = ROOST__ROOM_ROLE__OWNER };
}

no m_may_everyone(struct model *m, uint64_t by)
{
    const struct m_person *p = m_person(m, by);

    if (p->guest)
        return NO(GUEST) | NO(RIGHT) | NO(NOT_MEMBER) | NO(NO_ROOM);
    return p->role == ROOST__ROLE__ADMIN || m->broadcast == 0 ||
                   (m->broadcast == 1 && p->role == ROOST__ROLE__MODERATOR)
               ? 0
               : NO(RIGHT) | NO(MODERATED);
}

no m_may_user(struct model *m, uint64_t by)
{
    return m_person(m, by)->guest ? NO(GUEST) | NO(RIGHT) : 0;
}

no m_may_admin(struct model *m, uint64_t by)
{
    const struct m_person *p = m_person(m, by);

    return p->role == ROOST__ROLE__ADMIN ? 0 : p->guest ? NO(GUEST) | NO(RIGHT) : NO(RIGHT);
}
