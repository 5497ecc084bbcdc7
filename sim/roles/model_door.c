/* model_door.c - "Coming in" of docs/ROLES.md: the lowest row of the table that fits decides. */
#include "sim/roles/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN_MAX = 250, WAITING_MAX = 200, SEATS_MAX = 2000, DENIED_MS = 60000, FRESH_MS = 600000 };

static bool is_there(const struct m_seat *s)
{
    return s->state == ROOST__MEET_STATE__IN || s->state == ROOST__MEET_STATE__WAITING;
}

static Roost__RoomRole room_role(struct model *m, const struct m_meet *t, uint64_t who,
                                 bool *member)
{
    struct m_room *r = m_room(m, t->bound);
    struct m_member *x = r && who ? m_member(r, who) : NULL;

    *member = x && x->in;
    return *member ? x->role : ROOST__ROOM_ROLE__MEMBER;
}

static bool is_banned(const struct m_meet *t, const struct m_coming *c)
{
    for (size_t i = 0; i < t->n_seats; i++) {
        const struct m_seat *s = &t->seats[i];
        if (s->state != ROOST__MEET_STATE__EXCLUDED)
            continue;
        if (s->who == c->who || s->device == c->device ||
            (s->guest && c->guest && !strcmp(s->source, c->source)))
            return true;
    }
    return false;
}

enum row { HOST_ROW, BEFORE_ROW, ROOM_ROW, OPEN_ROW, ELSE_ROW, DENIED_ROW, REMOVED_ROW };

static enum row row_of(struct model *m, struct m_meet *t, const struct m_coming *c)
{
    struct m_seat *s = c->who ? m_seat(t, c->who) : NULL;
    bool member;

    if (c->who && (c->who == t->host || c->who == t->first_host))
        return HOST_ROW;
    if (s && s->state == ROOST__MEET_STATE__DENIED)
        return DENIED_ROW;
    if (s && s->sent_away)
        return REMOVED_ROW;
    if (s && s->was_in)
        return BEFORE_ROW;
    room_role(m, t, c->who, &member);
    if (member)
        return ROOM_ROW;
    return t->open && (c->by_link || !c->guest) ? OPEN_ROW : ELSE_ROW;
}

no m_may_come(struct model *m, struct m_meet *t, const struct m_coming *c)
{
    struct m_seat *s = c->who ? m_seat(t, c->who) : NULL;
    no why = 0;

    if (t->ended)
        return NO(ENDED) | NO(NO_MEETING);
    if (s && is_there(s))
        return 0;
    if (is_banned(t, c))
        why |= NO(BANNED);
    enum row row = row_of(m, t, c);
    bool waits = row == DENIED_ROW || row == REMOVED_ROW || row == ELSE_ROW;
    if (row == DENIED_ROW && m->now_ms < s->denied_ms + DENIED_MS)
        why |= NO(DENIED);
    if (t->locked && row != HOST_ROW && row != BEFORE_ROW)
        why |= NO(LOCKED);
    if (waits ? m_count(t, ROOST__MEET_STATE__WAITING) >= WAITING_MAX
              : m_count(t, ROOST__MEET_STATE__IN) >= IN_MAX)
        why |= NO(FULL);
    if (!s && t->n_seats >= SEATS_MAX)
        why |= NO(FULL);
    /* its number is known to those who were in, and to members of its room */
    bool member;
    room_role(m, t, c->who, &member);
    if (!c->by_code && !member && !s)
        why |= NO(NO_MEETING);
    return why;
}

static bool present_has(const struct m_meet *t, uint64_t but, const char *name, bool exactly)
{
    for (size_t i = 0; i < t->n_seats; i++) {
        const struct m_seat *s = &t->seats[i];
        if (s->who != but && is_there(s) &&
            (exactly ? !strcmp(s->name, name) : m_looks_alike(s->name, name)))
            return true;
    }
    return false;
}

no m_guest_name(struct model *m, const struct m_meet *t, const char *name)
{
    for (size_t i = 0; i < m->n_people; i++)
        if (!m->people[i].guest && m_looks_alike(m->people[i].name, name))
            return NO(NAME_TAKEN);
    if (t && present_has(t, 0, name, false) && !present_has(t, 0, name, true))
        return NO(NAME_TAKEN);
    return 0;
}

static void give_name(const struct m_meet *t, struct m_seat *s, const char *name)
{
    char numbered[M_NAME_MAX];

    snprintf(numbered, sizeof numbered, "%s", name);
    for (int n = 2; present_has(t, s->who, numbered, false); n++)
        snprintf(numbered, sizeof numbered, "%.120s %d", name, n);
    snprintf(s->name, sizeof s->name, "%s", numbered);
}

static void become_host(struct model *m, struct m_meet *t, struct m_seat *s)
{
    s->role = ROOST__MEET_ROLE__HOST;
    t->host = s->who;
    t->fresh_until_ms = s->who == t->first_host ? 0 : m->now_ms + FRESH_MS;
}

void m_step_in(struct model *m, struct m_meet *t, struct m_seat *s)
{
    s->state = ROOST__MEET_STATE__IN;
    s->was_in = true;
    s->sent_away = false;
    s->in_ms = m->now_ms;
    s->heard_from = m->n_said;
    s->files_from = m->n_whole;
    s->note[0] = '\0';
    if (!t->host && s->role != ROOST__MEET_ROLE__VIEWER)
        become_host(m, t, s);
    if (s->role < ROOST__MEET_ROLE__COHOST && (t->mute_on_entry || t->mics_locked))
        s->muted = true;
}

static struct m_seat *seat_for(struct m_meet *t, const struct m_coming *c)
{
    struct m_seat *s = m_seat(t, c->who);

    if (s)
        return s;
    if (t->n_seats == M_SEATS_MAX)
        abort();
    s = &t->seats[t->n_seats++];
    *s = (struct m_seat){ .who = c->who, .guest = c->guest };
    snprintf(s->name, sizeof s->name, "%s", c->name);
    return s;
}

void m_come(struct model *m, struct m_meet *t, const struct m_coming *c)
{
    enum row row = row_of(m, t, c);
    struct m_seat *s = seat_for(t, c);
    bool was_there = is_there(s);

    s->here = true;
    s->device = c->device;
    snprintf(s->source, sizeof s->source, "%s", c->source);
    if (was_there)
        return;
    give_name(t, s, s->name);
    if (row == DENIED_ROW || row == REMOVED_ROW || row == ELSE_ROW) {
        s->state = ROOST__MEET_STATE__WAITING;
        return;
    }
    bool member;
    Roost__RoomRole role = room_role(m, t, s->who, &member);
    if (member && role != ROOST__ROOM_ROLE__MEMBER && s->role != ROOST__MEET_ROLE__HOST)
        s->role = ROOST__MEET_ROLE__COHOST;
    m_step_in(m, t, s);
}

struct m_meet *m_meet_new(struct model *m, uint64_t id, uint64_t host, const struct m_coming *c)
{
    if (m->n_meets == M_MEETS_MAX)
        abort();
    struct m_meet *t = m->meets[m->n_meets] = calloc(1, sizeof *t);
    if (!t)
        abort();
    m->n_meets++;
    t->id = id;
    t->made_ms = m->now_ms;
    t->first_host = host;
    struct m_seat *s = seat_for(t, c);
    s->device = c->device;
    snprintf(s->source, sizeof s->source, "%s", c->source);
    /* its host from the start, who comes when it likes */
    s->was_in = true;
    s->role = ROOST__MEET_ROLE__HOST;
    t->host = host;
    if (c->guest)
        m_person(m, host)->guest_of = id;
    return t;
}
