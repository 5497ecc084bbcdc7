/* Guests, and counting what must not happen too often, in the store in memory. */
#include <stdio.h>
#include <string.h>

#include "store/memory_db.h"

/* --- counts ------------------------------------------------------------------------ */

/* The row whose window is open. One from the future counts no more. */
static struct guard_row *open_row(struct mem *m, const struct store_op *op, size_t i)
{
    struct guard_row *g = mem_guard(m, op->counts[i].key);

    return g && g->since_ms <= op->now_ms && g->until_ms > op->now_ms ? g : NULL;
}

int mem_counts_check(struct mem *m, const struct store_op *op, struct store_result *r)
{
    int err = 0;

    for (size_t i = 0; i < op->n_counts && i < STORE_COUNTS_MAX; i++) {
        const struct guard_row *g = open_row(m, op, i);
        int64_t wait_ms = g ? g->until_ms - op->now_ms : op->counts[i].window_ms;
        if ((g ? g->n : 0) < op->counts[i].limit)
            continue;
        err = -ROOST_GUESSES;
        if (wait_ms > r->retry_ms)
            r->retry_ms = wait_ms;
    }
    return err;
}

void mem_counts_add(struct mem *m, const struct store_op *op)
{
    for (size_t i = 0; i < op->n_counts && i < STORE_COUNTS_MAX; i++) {
        const struct store_count *c = &op->counts[i];
        struct guard_row *g = open_row(m, op, i);
        if (g) {
            g->n++;
            continue;
        }
        g = mem_guard(m, c->key);
        if (!g)
            g = mem_add(m, &m->now.guards, &m->now.n_guards, sizeof *g);
        if (!g)
            return;
        *g = (struct guard_row){ .kind = c->kind, .source = c->source, .n = 1 };
        memcpy(g->key, c->key, sizeof g->key);
        g->since_ms = op->now_ms;
        g->until_ms = op->now_ms + c->window_ms;
    }
}

/* --- those who go -------------------------------------------------------------------------- */

static bool is_in_use(struct mem *m, uint64_t account, int64_t since_ms)
{
    for (size_t i = 0; i < m->now.n_sessions; i++) {
        const struct session_row *s = &m->now.sessions[i].row;
        if (s->account == account && s->used_ms >= since_ms)
            return true;
    }
    return false;
}

/* Is there anything of it in its meeting, or a direct room? */
static bool left_something(struct mem *m, const struct account_row *a)
{
    const struct mem_room *room = mem_room(m, a->guest_of);

    for (size_t i = 0; i < m->now.n_rooms; i++)
        if (m->now.rooms[i].low == a->id || m->now.rooms[i].high == a->id)
            return true;
    for (size_t i = 0; room && i < room->n_events; i++) {
        const struct mem_event *e = &room->events[i];
        if (!e->gone && (e->e.from == a->id || e->e.who == a->id))
            return true;
    }
    return false;
}

static void clear(struct mem *m, struct mem_account *a)
{
    uint64_t id = a->row.id;

    a->cleared = a->row.deleted = true;
    mem_sessions_end(m, id, 0);
    for (size_t i = m->now.n_ignores; i-- > 0;)
        if (m->now.ignores[i].account == id || m->now.ignores[i].peer == id)
            mem_drop(m->now.ignores, &m->now.n_ignores, sizeof *m->now.ignores, i);
    for (size_t i = 0; i < m->now.n_rooms; i++) {
        struct mem_room *room = &m->now.rooms[i];
        struct mem_member *in = mem_member(room, id);
        if (in)
            mem_drop(room->members, &room->n_members, sizeof *in, (size_t)(in - room->members));
    }
}

/* A guest of a live meeting that does not list it any more, or never did. */
static bool is_passing(const struct mem_room *room, const struct account_row *a, int64_t now_ms)
{
    for (size_t i = 0; i < room->n_attendees; i++)
        if (room->attendees[i].account == a->id)
            return false;
    return a->created_ms < now_ms - GUEST_COUNT_MS;
}

void mem_guests_clear(struct mem *m, int64_t now_ms)
{
    int64_t idle_ms = now_ms - GUEST_IDLE_MS;

    for (size_t i = 0; i < m->now.n_accounts; i++) {
        struct mem_account *a = &m->now.accounts[i];
        const struct mem_room *room = mem_room(m, a->row.guest_of);
        if (!a->row.guest || a->cleared)
            continue;
        bool over = room ? room->guests_until_ms && room->guests_until_ms < now_ms &&
                               (!room->meet.live || is_passing(room, &a->row, now_ms))
                         : a->row.created_ms < idle_ms && !is_in_use(m, a->row.id, idle_ms);
        if (over && !left_something(m, &a->row))
            clear(m, a);
    }
    for (size_t i = 0; i < m->now.n_rooms; i++)
        if (m->now.rooms[i].guests_until_ms < now_ms)
            m->now.rooms[i].guests_until_ms = 0;
}

/* --- a new one ----------------------------------------------------------------------- */

static size_t guests_of(struct mem *m, uint64_t meeting, struct mem_account **ret_first)
{
    size_t n = 0;

    for (size_t i = 0; i < m->now.n_accounts; i++) {
        struct mem_account *a = &m->now.accounts[i];
        if (!a->row.guest || a->cleared || a->row.guest_of != meeting)
            continue;
        if (n++ == 0)
            *ret_first = a;
    }
    return n;
}

/* Those who only passed do not count: they go by and by. */
static bool is_full(struct mem *m, struct mem_room *room, int64_t now_ms)
{
    size_t n = 0;

    if (!room->guests_until_ms)
        room->guests_until_ms = now_ms;
    for (size_t i = 0; i < m->now.n_accounts; i++) {
        const struct mem_account *a = &m->now.accounts[i];
        n += a->row.guest && !a->cleared && a->row.guest_of == room->row.id &&
             !is_passing(room, &a->row, now_ms);
    }
    return n >= GUESTS_MAX;
}

int mem_guest_new(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->account.guest_of);
    int err = mem_counts_check(m, op, r);

    if (err)
        return err;
    mem_counts_add(m, op);
    if (op->account.guest_of && !(room && room->meet.live))
        return -ROOST_MEET_ENDED;
    if (mem_looks_taken(
            m, &(struct account_row){ .skeleton = op->skeleton, .looks = op->account.looks }))
        return -ROOST_NAME_TAKEN;
    struct mem_account *first = NULL;
    if (guests_of(m, op->account.guest_of, &first) >= GUESTS_MAX) {
        if (room && is_full(m, room, op->now_ms))
            return -ROOST_MEET_FULL;
        if (!room)
            clear(m, first);
    }
    struct mem_account *a = mem_account_add(m, op);
    if (!a)
        return 0;
    snprintf(a->made, sizeof a->made, "\1%llu", (unsigned long long)a->row.id);
    a->row.skeleton = a->row.password = "";
    a->row.looks = NULL;
    a->row.guest = true;
    a->row.guest_of = op->account.guest_of;
    mem_session_add(m, op, a->row.id, r);
    mem_account_copy(m, r, a, &r->account_row);
    return 0;
}
