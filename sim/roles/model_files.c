/* model_files.c - "Files" of docs/ROLES.md. */
#include "sim/roles/model_files.h"

#include "sim/roles/model_rooms.h"

struct m_file *m_file(struct model *m, uint64_t id)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (m->files[i].id == id)
            return &m->files[i];
    return NULL;
}

static bool is_admin(struct model *m, uint64_t who)
{
    return m_person(m, who)->role == ROOST__ROLE__ADMIN;
}

static struct m_member *in_room(struct model *m, const struct m_file *f, uint64_t who)
{
    struct m_room *r = m_room(m, f->room);
    struct m_member *x = r ? m_member(r, who) : NULL;

    return x && x->in ? x : NULL;
}

/* May it read there? */
static bool is_there(struct model *m, const struct m_file *f, uint64_t who)
{
    bool guest = m_person(m, who)->guest;

    if (f->everyone)
        return !guest;
    if (f->peer)
        return who == f->peer || who == f->sender;
    if (f->room)
        return !guest && in_room(m, f, who);
    struct m_meet *t = m_meet(m, f->meeting);
    return !m_may_read(m, t, who) && !(t->ended && t->forget);
}

/* What is kept there, as what is said there. */
bool m_file_reads(struct model *m, const struct m_file *f, uint64_t who)
{
    if (!is_there(m, f, who))
        return false;
    return !m_person(m, who)->guest || !f->meeting ||
           f->number >= m_seat(m_meet(m, f->meeting), who)->files_from;
}

static bool is_under_way(const struct m_file *f)
{
    return f->stage == F_OFFERED || f->stage == F_ACCEPTED;
}

/* It went with the meeting. */
static bool is_forgotten(struct model *m, const struct m_file *f)
{
    struct m_meet *t = f->meeting ? m_meet(m, f->meeting) : NULL;

    return t && t->ended && t->forget;
}

static bool counts(struct model *m, const struct m_file *f)
{
    return f->kept && !is_forgotten(m, f) && (is_under_way(f) || f->stage == F_WHOLE);
}

static bool same_place(const struct m_file *a, const struct m_file *b)
{
    bool ends = (a->peer == b->peer && a->sender == b->sender) ||
                (a->peer == b->sender && a->sender == b->peer);

    return a->everyone == b->everyone && a->room == b->room && a->meeting == b->meeting &&
           !a->peer == !b->peer && (!a->peer || ends);
}

static no quotas(struct model *m, const struct m_file *f, uint64_t size)
{
    uint64_t mine = size, here = size;

    for (size_t i = 0; i < m->n_files; i++) {
        const struct m_file *x = &m->files[i];
        if (!counts(m, x) || x == f)
            continue;
        mine += x->sender == f->sender ? x->size : 0;
        here += same_place(x, f) ? x->size : 0;
    }
    return mine > m->quota_user || here > m->quota_room ? NO(QUOTA) : 0;
}

no m_may_offer(struct model *m, const struct m_file *f)
{
    no why = 0;

    if (f->everyone) {
        why = m_may_everyone(m, f->sender);
    } else if (f->peer) {
        why = m_person(m, f->sender)->guest
                  ? NO(GUEST) | NO(RIGHT) | NO(NO_ROOM) | NO(NOT_MEMBER) | NO(NOBODY)
                  : 0;
    } else if (f->room) {
        why = m_may_do(
            m, &(struct m_deed){ .what = DO_SPEAK, .room = m_room(m, f->room), .by = f->sender });
    } else {
        why = m_may_chat(m, m_meet(m, f->meeting), f->sender);
        if (why)
            why |= NO(NOT_MEMBER) | NO(NO_ROOM) | NO(CLOSED) | NO(GUEST) | NO(ROOM_BANNED);
    }
    if (!f->kept)
        return why;
    if (f->size > m->file_max)
        why |= NO(TOO_BIG);
    return why | quotas(m, f, f->size);
}

bool m_file_had(struct model *m, const struct m_file *f)
{
    bool guest = m_person(m, f->sender)->guest;

    for (size_t i = 0; f->kept && !f->open_size && i < m->n_files; i++) {
        const struct m_file *x = &m->files[i];
        if (x->kept && x->stage == F_WHOLE && !is_forgotten(m, x) && x->contents == f->contents &&
            x->size == f->size &&
            (x->sender == f->sender || (!guest && m_file_reads(m, x, f->sender))))
            return true;
    }
    return false;
}

static bool is_closed(struct model *m, const struct m_file *f)
{
    struct m_room *r = m_room(m, f->room);
    struct m_meet *t = f->meeting ? m_meet(m, f->meeting) : NULL;

    return (r && r->closed) || (t && t->ended);
}

static const no NOTHING = NO(NO_FILE) | NO(GUEST) | NO(NOT_IN) | NO(ENDED) | NO(NOT_MEMBER);

no m_may_get(struct model *m, const struct m_file *f, uint64_t who)
{
    bool end = who == f->sender || who == f->peer;

    if (!f->kept)
        return !end ? NOTHING : is_under_way(f) ? 0 : NO(OVER);
    if (!end && !m_file_reads(m, f, who))
        return NOTHING;
    if (f->stage == F_WHOLE)
        return 0;
    if (!is_under_way(f))
        return NOTHING | NO(OVER);
    no closed = is_closed(m, f) ? NO(CLOSED) | NO(ENDED) | NOTHING : 0;
    if (who == f->peer && !f->open_size) /* as it comes */
        return closed;
    return who == f->sender && is_there(m, f, who) ? closed : NOTHING | closed;
}

no m_may_list(struct model *m, const struct m_file *where, uint64_t who)
{
    if (m_person(m, who)->guest && !where->meeting)
        return NO(GUEST) | NO(RIGHT) | NO(NO_ROOM) | NO(NOT_MEMBER);
    if (where->everyone)
        return 0;
    if (where->room)
        return m_may_do(
            m, &(struct m_deed){ .what = DO_READ, .room = m_room(m, where->room), .by = who });
    return m_may_read(m, m_meet(m, where->meeting), who);
}

no m_may_answer(const struct m_file *f, uint64_t who)
{
    if (f->kept || who != f->peer)
        return NOTHING;
    return f->stage == F_OFFERED ? 0 : f->stage == F_ACCEPTED ? NO(SO) : NO(OVER);
}

no m_may_cancel(struct model *m, const struct m_file *f, uint64_t who)
{
    bool may = who == f->sender || (f->kept ? is_admin(m, who) : who == f->peer);

    return !may ? NOTHING : is_under_way(f) ? 0 : NO(OVER);
}

no m_may_delete(struct model *m, const struct m_file *f, uint64_t who)
{
    const struct m_member *x = f->room ? in_room(m, f, who) : NULL;
    no why = f->kept && f->stage == F_WHOLE ? 0 : NO(OVER);

    if (who == f->sender || is_admin(m, who))
        return why;
    if (!m_file_reads(m, f, who))
        return NOTHING;
    if (f->stage != F_WHOLE) /* what is not there to be read */
        return why | NOTHING | NO(RIGHT);
    if (x && x->role >= ROOST__ROOM_ROLE__ROOM_MODERATOR)
        return why;
    if (f->everyone && m_person(m, who)->role == ROOST__ROLE__MODERATOR)
        return why;
    return NO(RIGHT) | why;
}

void m_file_came(struct model *m, struct m_file *f, uint64_t size)
{
    no full = quotas(m, f, size);

    f->size = size;
    f->open_size = false;
    f->stage = full || is_closed(m, f) ? F_OVER : F_WHOLE;
    if (f->stage == F_WHOLE)
        f->number = m->n_whole++;
}

bool m_may_go_on(struct model *m, const struct m_file *f, uint64_t who, bool sends)
{
    if (sends)
        return who == f->sender && f->stage == F_OFFERED && is_there(m, f, who) && !is_closed(m, f);
    if (m_person(m, who)->gone || is_forgotten(m, f))
        return false;
    if (f->stage == F_OFFERED) /* as it comes */
        return who == f->peer && !f->open_size;
    return f->stage == F_WHOLE && (who == f->sender || m_file_reads(m, f, who));
}
