#include "sim/roles/model.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct m_person *m_person(struct model *m, uint64_t id)
{
    for (size_t i = 0; i < m->n_people; i++)
        if (id && m->people[i].id == id)
            return &m->people[i];
    return NULL;
}

struct m_meet *m_meet(struct model *m, uint64_t id)
{
    for (size_t i = 0; i < m->n_meets; i++)
        if (m->meets[i]->id == id)
            return m->meets[i];
    return NULL;
}

struct m_room *m_room(struct model *m, uint64_t id)
{
    for (size_t i = 0; i < m->n_rooms; i++)
        if (id && m->rooms[i].id == id)
            return &m->rooms[i];
    return NULL;
}

struct m_seat *m_seat(struct m_meet *t, uint64_t who)
{
    for (size_t i = 0; i < t->n_seats; i++)
        if (who && t->seats[i].who == who)
            return &t->seats[i];
    return NULL;
}

struct m_member *m_member(struct m_room *r, uint64_t who)
{
    for (size_t i = 0; i < r->n_members; i++)
        if (r->members[i].who == who)
            return &r->members[i];
    return NULL;
}

size_t m_count(const struct m_meet *t, Roost__MeetState state)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_seats; i++)
        n += t->seats[i].state == state;
    return n;
}

/* As a reader sees a name: capitals, "rn" and "m", zero and O, one and l and i. */
static void look(const char *name, char *ret)
{
    for (; *name; name++) {
        char c = (char)tolower((unsigned char)*name);
        if (c == 'r' && tolower((unsigned char)name[1]) == 'n') {
            c = 'm';
            name++;
        }
        *ret++ = c == '0' ? 'o' : c == '1' || c == 'i' ? 'l' : c;
    }
    *ret = '\0';
}

bool m_looks_alike(const char *a, const char *b)
{
    char x[M_NAME_MAX], y[M_NAME_MAX];

    look(a, x);
    look(b, y);
    return strcmp(x, y) == 0;
}

bool m_is_fresh(const struct model *m, const struct m_meet *t)
{
    return t->host && m->now_ms < t->fresh_until_ms;
}

void m_free(struct model *m)
{
    for (size_t i = 0; i < m->n_meets; i++)
        free(m->meets[i]);
    m->n_meets = 0;
}
