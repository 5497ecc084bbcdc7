/* model_time.c - "The host" of docs/ROLES.md: lost connections, succession, the end. */
#include "sim/roles/model.h"

#include <string.h>

enum { HOST_GRACE_MS = 60000, GRACE_MS = 30000, LOBBY_GRACE_MS = 60000, FRESH_MS = 600000 };
#define DAY_MS 86400000LL

void m_lost(struct model *m, struct m_meet *t, uint64_t who)
{
    struct m_seat *s = m_seat(t, who);

    if (s && s->here) {
        s->here = false;
        s->lost_ms = m->now_ms;
    }
}

void m_found(struct m_meet *t, uint64_t who)
{
    struct m_seat *s = m_seat(t, who);

    if (s)
        s->here = true;
}

/* The times of those who are lost begin again. */
void m_restarted(struct model *m)
{
    for (size_t i = 0; i < m->n_meets; i++)
        for (size_t j = 0; j < m->meets[i]->n_seats; j++) {
            m->meets[i]->seats[j].here = false;
            m->meets[i]->seats[j].lost_ms = m->now_ms;
        }
}

void m_end(struct model *m, struct m_meet *t)
{
    t->ended = true;
    t->host = t->presenter = t->spotlight = 0;
    for (size_t i = 0; i < t->n_seats; i++) {
        struct m_seat *s = &t->seats[i];
        if (s->state == ROOST__MEET_STATE__IN || s->state == ROOST__MEET_STATE__WAITING)
            s->state = ROOST__MEET_STATE__OUT;
        s->here = false;
    }
    for (size_t i = 0; i < m->n_people; i++)
        if (m->people[i].guest && m->people[i].guest_of == t->id)
            m->people[i].gone = true;
}

void m_out(struct model *m, struct m_meet *t, struct m_seat *s, Roost__MeetState to)
{
    bool was_in = s->state == ROOST__MEET_STATE__IN;

    s->state = to;
    s->note[0] = '\0';
    s->recording = s->wants_share = s->hand = s->away = false;
    if (t->presenter == s->who)
        t->presenter = 0;
    if (t->spotlight == s->who)
        t->spotlight = 0;
    if (was_in && !m_count(t, ROOST__MEET_STATE__IN))
        t->left_ms = m->now_ms;
}

/* Co-host, else account, else guest; the longest in. */
static int rank(const struct m_seat *s)
{
    return s->role == ROOST__MEET_ROLE__COHOST ? 3 : s->guest ? 1 : 2;
}

static struct m_seat *heir(struct m_meet *t)
{
    struct m_seat *best = NULL;

    for (size_t i = 0; i < t->n_seats; i++) {
        struct m_seat *s = &t->seats[i];
        if (s->state != ROOST__MEET_STATE__IN || s->role == ROOST__MEET_ROLE__VIEWER)
            continue;
        if (!best || rank(s) > rank(best) ||
            (rank(s) == rank(best) &&
             (s->in_ms < best->in_ms || (s->in_ms == best->in_ms && s->who < best->who))))
            best = s;
    }
    return best;
}

void m_succeed(struct model *m, struct m_meet *t, uint64_t named)
{
    struct m_seat *old = m_seat(t, t->host);

    if (old && old->role == ROOST__MEET_ROLE__HOST)
        old->role = ROOST__MEET_ROLE__PARTICIPANT;
    t->host = 0;
    t->fresh_until_ms = 0;
    struct m_seat *s = named ? m_seat(t, named) : heir(t);
    if (!s) {
        m->n_hostless++;
        return;
    }
    m->n_successions++;
    s->role = ROOST__MEET_ROLE__HOST;
    t->host = s->who;
    if (s->who != t->first_host)
        t->fresh_until_ms = m->now_ms + FRESH_MS;
}

static int64_t grace(const struct m_meet *t, const struct m_seat *s)
{
    return s->state == ROOST__MEET_STATE__WAITING ? LOBBY_GRACE_MS
           : t->host == s->who                    ? HOST_GRACE_MS
                                                  : GRACE_MS;
}

static int64_t expires(const struct m_meet *t)
{
    int64_t from = t->made_ms;

    if (t->starts_ms > from)
        from = t->starts_ms;
    if (t->left_ms > from)
        from = t->left_ms;
    return from + DAY_MS;
}

/* When the next thing happens to t by itself; the person to whom, or NULL: it ends. */
static int64_t next(struct m_meet *t, struct m_seat **ret)
{
    int64_t at = INT64_MAX;

    *ret = NULL;
    if (t->ended)
        return at;
    for (size_t i = 0; i < t->n_seats; i++) {
        struct m_seat *s = &t->seats[i];
        bool there = s->state == ROOST__MEET_STATE__IN || s->state == ROOST__MEET_STATE__WAITING;
        if (there && !s->here && s->lost_ms + grace(t, s) < at) {
            at = s->lost_ms + grace(t, s);
            *ret = s;
        }
    }
    if (!t->bound && !m_count(t, ROOST__MEET_STATE__IN) && expires(t) < at) {
        at = expires(t);
        *ret = NULL;
    }
    return at;
}

static void happen(struct model *m, struct m_meet *t, struct m_seat *s)
{
    m->last_ms = m->now_ms;
    if (!s) {
        m->expired_ms = m->now_ms;
        m->n_expired++;
        m_end(m, t);
        return;
    }
    bool was_host = t->host == s->who;
    m_out(m, t, s, ROOST__MEET_STATE__OUT);
    if (was_host)
        m_succeed(m, t, 0);
}

void m_time(struct model *m, int64_t now_ms)
{
    for (;;) {
        struct m_meet *first = NULL;
        struct m_seat *whom = NULL;
        int64_t at = now_ms;
        for (size_t i = 0; i < m->n_meets; i++) {
            struct m_seat *s;
            int64_t due = next(m->meets[i], &s);
            if (due <= at && (due < at || !first)) {
                at = due;
                first = m->meets[i];
                whom = s;
            }
        }
        if (!first)
            break;
        if (at > m->now_ms)
            m->now_ms = at;
        happen(m, first, whom);
    }
    m->now_ms = now_ms;
}
