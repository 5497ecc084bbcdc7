/* Accounts, sessions, devices, counters, in the store in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/looks.h"
#include "store/memory_db.h"

enum { NAME_KEPT_MAX = 127 }; /* bytes */

#define ADD(m, field)     mem_add(m, &(m)->now.field, &(m)->now.n_##field, sizeof *(m)->now.field)
#define DROP(m, field, i) mem_drop((m)->now.field, &(m)->now.n_##field, sizeof *(m)->now.field, i)

struct mem_account *mem_account(struct mem *m, uint64_t id)
{
    if (id == 0 || id > m->now.n_accounts || m->now.accounts[id - 1].row.deleted)
        return NULL;
    return &m->now.accounts[id - 1];
}

struct mem_account *mem_account_own(struct mem *m, uint64_t id)
{
    struct mem_account *a = mem_account(m, id);

    return a && !a->row.guest ? a : NULL;
}

static const char *name_of(const struct mem_account *a)
{
    return a->cleared ? "" : a->row.deleted ? a->made : a->row.name;
}

static const char *skeleton_of(const struct mem_account *a)
{
    return a->row.deleted || a->row.guest ? a->made : a->row.skeleton;
}

const char *mem_name(struct mem *m, uint64_t id)
{
    return id && id <= m->now.n_accounts ? name_of(&m->now.accounts[id - 1]) : "";
}

const char *mem_called(struct mem *m, uint64_t id)
{
    struct mem_account *a = mem_account(m, id);

    return a && a->shown ? a->shown : mem_name(m, id);
}

/* By skeleton, deleted ones under their numbers too. */
struct mem_account *mem_by_skeleton(struct mem *m, const char *skeleton)
{
    for (size_t i = 0; skeleton && i < m->now.n_accounts; i++) {
        struct mem_account *a = &m->now.accounts[i];
        if (!a->cleared && strcmp(skeleton_of(a), skeleton) == 0)
            return a;
    }
    return NULL;
}

bool mem_looks_taken(struct mem *m, const struct account_row *by)
{
    for (size_t i = 0; i < m->now.n_accounts; i++) {
        const struct account_row *a = &m->now.accounts[i].row;
        if (!a->deleted && !a->guest &&
            looks_meet((struct looks){ a->skeleton, a->looks },
                       (struct looks){ by->skeleton, by->looks }))
            return true;
    }
    return false;
}

void mem_account_copy(struct mem *m, struct store_result *r, const struct mem_account *a,
                      struct account_row *out)
{
    *out = a->row;
    out->name = mem_str(m, r, name_of(a));
    out->skeleton = mem_str(m, r, skeleton_of(a));
    out->password = mem_str(m, r, a->row.password);
    out->looks = NULL;
}

static bool other_admin(struct mem *m, uint64_t id)
{
    for (size_t i = 0; i < m->now.n_accounts; i++) {
        const struct account_row *a = &m->now.accounts[i].row;
        if (a->role == ROOST__ROLE__ADMIN && !a->deleted && a->id != id)
            return true;
    }
    return false;
}

void mem_sessions_end(struct mem *m, uint64_t account, uint64_t but)
{
    for (size_t i = m->now.n_sessions; i-- > 0;) {
        if (m->now.sessions[i].row.account == account && m->now.sessions[i].row.id != but)
            DROP(m, sessions, i);
    }
}

static struct mem_invite *invite(struct mem *m, const struct store_op *op, uint64_t account)
{
    for (size_t i = 0; i < m->now.n_invites; i++) {
        struct mem_invite *v = &m->now.invites[i];
        if (memcmp(v->secret, op->secret, 32) == 0 && v->account == account &&
            v->until_ms >= op->now_ms)
            return v;
    }
    return NULL;
}

struct mem_account *mem_account_add(struct mem *m, const struct store_op *op)
{
    struct mem_account *a = ADD(m, accounts);

    if (a)
        a->row = (struct account_row){
            .id = m->now.n_accounts,
            .name = op->account.name,
            .skeleton = op->account.skeleton ? op->account.skeleton : "",
            .password = op->account.password,
            .looks = op->account.looks,
            .created_ms = op->now_ms,
        };
    return a;
}

int mem_account_new(struct mem *m, const struct store_op *op, struct store_result *r)
{
    const struct account_row *from = &op->account;
    struct mem_invite *v = op->has_secret ? invite(m, op, 0) : NULL;
    uint32_t role = v ? v->role : from->role;

    if (op->has_secret && !v)
        return -ROOST_INVITE_BAD;
    if (mem_by_skeleton(m, from->skeleton ? from->skeleton : "") || mem_looks_taken(m, from))
        return -ROOST_NAME_TAKEN;
    if (v)
        DROP(m, invites, (size_t)(v - m->now.invites));
    struct mem_account *a = mem_account_add(m, op);
    if (!a)
        return 0;
    a->row.role = role;
    struct mem_room *everyone = mem_room(m, EVERYONE_ROOM);
    struct mem_member *in = mem_member_add(m, everyone, a->row.id);
    if (in)
        in->row.delivered = in->row.read = everyone->row.head;
    r->account = a->row.id;
    mem_account_copy(m, r, a, &r->account_row);
    return 0;
}

int mem_account_find(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_account *a = op->account.id ? mem_account(m, op->account.id)
                                           : mem_by_skeleton(m, op->skeleton);

    if (!a || a->row.deleted)
        return -ROOST_NO_SUCH_USER;
    r->account = a->row.id;
    mem_account_copy(m, r, a, &r->account_row);
    return 0;
}

int mem_account_password(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_account *a = mem_account_own(m, op->account.id);

    if (!a)
        return -ROOST_NO_SUCH_USER;
    if (op->has_secret) {
        struct mem_invite *v = invite(m, op, a->row.id);
        if (!v)
            return -ROOST_INVITE_BAD;
        DROP(m, invites, (size_t)(v - m->now.invites));
    }
    a->row.password = op->account.password;
    mem_sessions_end(m, a->row.id, op->session.id);
    r->account = a->row.id;
    return 0;
}

int mem_account_role(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_account *a = mem_account_own(m, op->account.id);

    if (!a)
        return -ROOST_NO_SUCH_USER;
    if (op->account.role != ROOST__ROLE__ADMIN && a->row.role == ROOST__ROLE__ADMIN &&
        !other_admin(m, a->row.id))
        return -ROOST_LAST_ADMIN;
    a->row.role = op->account.role;
    r->account = a->row.id;
    return 0;
}

/* An act in a meeting: by it, on it, or on others with it. */
static bool is_about(const struct event *e, uint64_t account, const char *name)
{
    size_t len = strlen(name);
    char kept[NAME_KEPT_MAX + 2];

    if (e->kind != EVENT_MEET || e->from == account || e->who == account || len > NAME_KEPT_MAX)
        return e->kind == EVENT_MEET && (e->from == account || e->who == account);
    snprintf(kept, sizeof kept, "%c%s", (char)len, name);
    return e->n_data && memmem(e->data, e->n_data, kept, len + 1);
}

/* Its texts, and what they were edited to, are gone for good. */
static void texts_empty(struct mem *m, uint64_t account)
{
    for (size_t i = 0; i < m->now.n_rooms; i++) {
        struct mem_room *room = &m->now.rooms[i];
        for (size_t k = 0; k < room->n_events; k++) {
            struct mem_event *e = &room->events[k];
            struct mem_event *t = e->e.kind == EVENT_EDIT ? mem_event_at(room, e->e.ref) : e;
            if (e->e.from == account)
                e->e.shown = NULL;
            if (is_about(&e->e, account, mem_name(m, account))) {
                e->e.data = NULL; /* the words of what it did in meetings */
                e->e.n_data = 0;
            }
            if (e->gone || !t || t->e.kind != EVENT_TEXT || t->e.from != account)
                continue;
            e->e.text = "";
            e->e.n_mentions = 0;
            mem_text_delete(room, t);
        }
    }
}

int mem_account_delete(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_account *a = mem_account(m, op->account.id);
    uint64_t id = op->account.id;

    if (!a)
        return -ROOST_NO_SUCH_USER;
    if (a->row.role == ROOST__ROLE__ADMIN && !other_admin(m, id))
        return -ROOST_LAST_ADMIN;
    texts_empty(m, id);
    mem_files_forget_account(m, id);
    snprintf(a->made, sizeof a->made, "#%llu", (unsigned long long)id);
    a->row.password = "";
    a->row.role = 0;
    a->row.deleted = true;
    a->gone_after = m->now.n_lines;
    mem_sessions_end(m, id, 0);
    for (size_t i = m->now.n_devices; i-- > 0;)
        if (m->now.devices[i].account == id)
            DROP(m, devices, i);
    for (size_t i = m->now.n_ignores; i-- > 0;)
        if (m->now.ignores[i].account == id || m->now.ignores[i].peer == id)
            DROP(m, ignores, i);
    for (size_t i = m->now.n_invites; i-- > 0;)
        if (m->now.invites[i].account == id)
            DROP(m, invites, i);
    for (size_t i = 0; i < m->now.n_rooms; i++) {
        struct mem_room *room = &m->now.rooms[i];
        struct mem_member *in = mem_member(room, id);
        if (in)
            mem_drop(room->members, &room->n_members, sizeof *in, (size_t)(in - room->members));
        for (size_t k = room->n_attendees; k-- > 0;)
            if (room->attendees[k].account == id)
                mem_drop(room->attendees, &room->n_attendees, sizeof *room->attendees, k);
    }
    r->account = id;
    return 0;
}

int mem_account_list(struct mem *m, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);

    for (size_t i = op->after; i < m->now.n_accounts; i++) {
        if (m->now.accounts[i].row.guest)
            continue;
        r->more = r->n_accounts == limit;
        struct account_row *a = r->more
                                    ? NULL
                                    : mem_result_add(m, r, &r->accounts, &r->n_accounts, sizeof *a);
        if (!a)
            break;
        mem_account_copy(m, r, &m->now.accounts[i], a);
        for (size_t k = 0; k < m->now.n_sessions; k++)
            a->sessions += m->now.sessions[k].row.account == a->id;
    }
    return 0;
}

int mem_invite_new(struct mem *m, const struct store_op *op, struct store_result *r)
{
    if (op->account.id && !mem_account_own(m, op->account.id))
        return -ROOST_NO_SUCH_USER;
    r->account = op->account.id;
    for (size_t i = 0; i < m->now.n_invites; i++)
        if (memcmp(m->now.invites[i].secret, op->secret, 32) == 0)
            return -ROOST_CONFLICT;
    struct mem_invite *v = ADD(m, invites);
    if (!v)
        return 0;
    memcpy(v->secret, op->secret, 32);
    v->account = op->account.id;
    v->role = op->account.role;
    v->until_ms = op->until_ms;
    return 0;
}

int mem_invite_find(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_account *a = op->skeleton ? mem_by_skeleton(m, op->skeleton) : NULL;

    if ((op->skeleton && !a) || !invite(m, op, a ? a->row.id : 0))
        return -ROOST_INVITE_BAD;
    r->account = a ? a->row.id : 0;
    return 0;
}

int mem_ignore(struct mem *m, const struct store_op *op, struct store_result *r)
{
    size_t n = 0;

    r->account = op->account.id;
    if (op->on && (!mem_account(m, op->account.id) || !mem_account(m, op->peer)))
        return -ROOST_NO_SUCH_USER;
    for (size_t i = m->now.n_ignores; i-- > 0;) {
        struct mem_ignore *g = &m->now.ignores[i];
        if (g->account == op->account.id && g->peer == op->peer) {
            if (!op->on)
                DROP(m, ignores, i);
            return 0;
        }
        n += g->account == op->account.id;
    }
    if (!op->on)
        return 0;
    if (n >= IGNORES_MAX)
        return -ROOST_LIMIT;
    struct mem_ignore *g = ADD(m, ignores);
    if (g)
        *g = (struct mem_ignore){ op->account.id, op->peer };
    return 0;
}
