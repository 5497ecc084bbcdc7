/* Logins, sessions, devices, counters of failed logins, in the store in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/memory_db.h"

#define ADD(m, field)     mem_add(m, &(m)->now.field, &(m)->now.n_##field, sizeof *(m)->now.field)
#define DROP(m, field, i) mem_drop((m)->now.field, &(m)->now.n_##field, sizeof *(m)->now.field, i)

static void guard_show(struct mem *m, struct store_result *r, const struct guard_row *from)
{
    struct guard_row *g = mem_result_add(m, r, &r->guards, &r->n_guards, sizeof *g);

    if (!g)
        return;
    *g = *from;
    g->name = mem_str(m, r, from->name);
    g->source = mem_str(m, r, from->source);
}

struct guard_row *mem_guard(struct mem *m, const uint8_t key[static 32])
{
    for (size_t i = 0; i < m->now.n_guards; i++)
        if (memcmp(m->now.guards[i].key, key, 32) == 0)
            return &m->now.guards[i];
    return NULL;
}

static void guard_drop(struct mem *m, const uint8_t key[static 32])
{
    struct guard_row *g = mem_guard(m, key);

    if (g)
        DROP(m, guards, (size_t)(g - m->now.guards));
}

static struct mem_device *device_find(struct mem *m, uint64_t account,
                                      const uint8_t device[static 32])
{
    for (size_t i = 0; i < m->now.n_devices; i++) {
        struct mem_device *v = &m->now.devices[i];
        if (v->account == account && memcmp(v->device, device, 32) == 0)
            return v;
    }
    return NULL;
}

int mem_login_find(struct mem *m, const struct store_op *op, struct store_result *r)
{
    for (size_t i = 0; op->skeleton && i < m->now.n_accounts; i++) {
        struct mem_account *a = &m->now.accounts[i];
        if (!a->row.deleted && !a->row.guest && strcmp(a->row.skeleton, op->skeleton) == 0) {
            r->account = a->row.id;
            mem_account_copy(m, r, a, &r->account_row);
        }
    }
    r->known_device = device_find(m, r->account, op->device) != NULL;
    for (size_t i = 0; i < op->n_keys && i < GUARD_KEYS_MAX; i++) {
        struct guard_row *g = mem_guard(m, op->keys[i]);
        if (g)
            guard_show(m, r, g);
    }
    return 0;
}

/* The one used longest ago goes when there are too many. */
static void devices_trim(struct mem *m, uint64_t account)
{
    size_t n = 0;
    struct mem_device *oldest = NULL;

    for (size_t i = 0; i < m->now.n_devices; i++) {
        struct mem_device *v = &m->now.devices[i];
        if (v->account != account)
            continue;
        n++;
        if (!oldest || v->used_ms < oldest->used_ms ||
            (v->used_ms == oldest->used_ms && memcmp(v->device, oldest->device, 32) < 0))
            oldest = v;
    }
    if (n > DEVICES_MAX)
        DROP(m, devices, (size_t)(oldest - m->now.devices));
}

void mem_session_add(struct mem *m, const struct store_op *op, uint64_t account,
                     struct store_result *r)
{
    struct mem_session *s = ADD(m, sessions);

    if (!s)
        return;
    s->row = op->session;
    s->row.id = ++m->now.last_session;
    s->row.account = account;
    s->row.created_ms = s->row.used_ms = op->now_ms;
    r->session.id = r->seq = s->row.id;
    r->session.account = r->account = account;
}

int mem_session_new(struct mem *m, const struct store_op *op, struct store_result *r)
{
    if (!mem_account_own(m, op->account.id))
        return -ROOST_NO_SUCH_USER;
    struct mem_device *v = device_find(m, op->account.id, op->session.device);
    if (!v)
        v = ADD(m, devices);
    if (!v)
        return 0;
    mem_session_add(m, op, op->account.id, r);
    *v = (struct mem_device){ .account = op->account.id, .used_ms = op->now_ms };
    memcpy(v->device, op->session.device, 32);
    devices_trim(m, op->account.id);
    for (size_t i = 0; i < op->n_keys && i < GUARD_KEYS_MAX; i++)
        guard_drop(m, op->keys[i]);
    return 0;
}

static void session_show(struct mem *m, struct store_result *r, const struct mem_session *from,
                         struct session_row *s)
{
    *s = from->row;
    s->device_name = mem_str(m, r, from->row.device_name);
    s->address = mem_str(m, r, from->row.address);
    s->account_name = mem_str(m, r, mem_name(m, from->row.account));
}

static struct mem_session *session_of(struct mem *m, const struct store_op *op)
{
    struct mem_session *before = NULL;

    for (size_t i = 0; i < m->now.n_sessions; i++) {
        struct mem_session *s = &m->now.sessions[i];
        if (memcmp(s->row.device, op->device, 32) != 0)
            continue;
        if (memcmp(s->row.token, op->secret, 32) == 0)
            return s;
        if (!before && s->rotated && memcmp(s->previous, op->secret, 32) == 0 &&
            s->rotated_ms >= op->now_ms - TOKEN_GRACE_MS)
            before = s;
    }
    return before;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

int mem_session_resume(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_session *s = session_of(m, op);

    if (!s)
        return -ROOST_SESSION_OVER;
    if (memcmp(s->row.token, op->secret, 32) == 0)
        s->rotated_ms = op->now_ms; /* shown again, the previous one does not live longer */
    s->rotated = true;
    memcpy(s->previous, op->secret, 32);
    memcpy(s->row.token, op->next_secret, 32);
    s->row.used_ms = op->now_ms;
    if (op->session.address)
        s->row.address = op->session.address;
    session_show(m, r, s, &r->session);
    r->account = s->row.account;
    mem_account_copy(m, r, &m->now.accounts[r->account - 1], &r->account_row);
    for (size_t i = 0; i < m->now.n_ignores; i++) {
        if (m->now.ignores[i].account != r->account)
            continue;
        uint64_t *id = mem_result_add(m, r, &r->ids, &r->n_ids, sizeof *id);
        if (id)
            *id = m->now.ignores[i].peer;
    }
    if (r->n_ids)
        qsort(r->ids, r->n_ids, sizeof *r->ids, by_number);
    return 0;
}

int mem_session_end(struct mem *m, const struct store_op *op, struct store_result *r)
{
    for (size_t i = 0; i < m->now.n_sessions; i++) {
        const struct session_row *s = &m->now.sessions[i].row;
        if (s->id != op->session.id || (op->account.id && s->account != op->account.id))
            continue;
        r->account = s->account;
        DROP(m, sessions, i);
        return 0;
    }
    return -ROOST_NO_SUCH_SESSION;
}

int mem_session_list(struct mem *m, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);

    for (size_t i = 0; i < m->now.n_sessions; i++) { /* they are in order of id */
        const struct mem_session *from = &m->now.sessions[i];
        if (from->row.id <= op->after || (op->account.id && from->row.account != op->account.id))
            continue;
        r->more = r->n_sessions == limit;
        struct session_row *s = r->more
                                    ? NULL
                                    : mem_result_add(m, r, &r->sessions, &r->n_sessions, sizeof *s);
        if (!s)
            break;
        session_show(m, r, from, s);
    }
    return 0;
}

int mem_guard_put(struct mem *m, const struct store_op *op, struct store_result *r)
{
    (void)r;
    for (size_t i = 0; i < op->n_guards; i++) {
        guard_drop(m, op->guards[i].key);
        struct guard_row *g = op->guards[i].n ? ADD(m, guards) : NULL;
        if (g)
            *g = op->guards[i];
    }
    return 0;
}

static int longest_first(const void *a, const void *b)
{
    const struct guard_row *x = a, *y = b;

    if (x->until_ms != y->until_ms)
        return x->until_ms < y->until_ms ? 1 : -1;
    return memcmp(x->key, y->key, sizeof x->key);
}

int mem_guard_list(struct mem *m, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);

    if (m->now.n_guards) /* their own order means nothing */
        qsort(m->now.guards, m->now.n_guards, sizeof *m->now.guards, longest_first);
    for (size_t i = 0; i < m->now.n_guards && i < limit; i++)
        guard_show(m, r, &m->now.guards[i]);
    r->more = m->now.n_guards > limit;
    return 0;
}

static bool line_matches(const struct store_op *op, uint64_t account, const struct log_line *l)
{
    return l->n > op->after && (op->since_ms <= 0 || l->at_ms >= op->since_ms) &&
           (!op->skeleton || l->account == account) &&
           (!op->words || strcmp(l->kind, op->words) == 0);
}

/* Whether a target names somebody: at its end, after nothing, ' ' or '@'. */
static bool target_names(const char *target, const char *name)
{
    size_t len = strlen(target), n = strlen(name);

    return n && len >= n && strcasecmp(target + len - n, name) == 0 &&
           (len == n || strchr(" @", target[len - n - 1]));
}

/* Who went since then is a number in it. */
static const char *target_now(struct mem *m, struct store_result *r, const struct log_line *l)
{
    for (size_t i = 0; l->target && i < m->now.n_accounts; i++) {
        const struct mem_account *a = &m->now.accounts[i];
        if (!a->row.deleted || a->row.guest || l->n > a->gone_after ||
            !target_names(l->target, a->row.name))
            continue;
        size_t at = strlen(l->target) - strlen(a->row.name), size = at + sizeof a->made;
        char *text = arena_get(&r->mem, size);
        if (!text)
            m->nomem = true;
        else
            snprintf(text, size, "%.*s%s", (int)at, l->target, a->made);
        return text ? text : "";
    }
    return mem_str(m, r, l->target);
}

int mem_log_read(struct mem *m, const struct store_op *op, struct store_result *r)
{
    uint32_t limit = store_page(op, STORE_PAGE_MAX);
    uint64_t account = 0;

    for (size_t i = 0; op->skeleton && i < m->now.n_accounts; i++) {
        const struct mem_account *a = &m->now.accounts[i];
        const char *skeleton = a->row.deleted || a->row.guest ? a->made : a->row.skeleton;
        if (!a->cleared && strcmp(skeleton, op->skeleton) == 0)
            account = a->row.id;
    }
    if (op->skeleton && !account)
        return -ROOST_NO_SUCH_USER;
    for (size_t i = 0; i < m->now.n_lines; i++) {
        const struct log_line *from = &m->now.lines[i];
        if (!line_matches(op, account, from))
            continue;
        r->more = r->n_lines == limit;
        struct log_line *l = r->more ? NULL
                                     : mem_result_add(m, r, &r->lines, &r->n_lines, sizeof *l);
        if (!l)
            break;
        *l = *from;
        l->name = mem_str(m, r, mem_name(m, from->account));
        l->kind = mem_str(m, r, from->kind);
        l->target = target_now(m, r, from);
        l->address = mem_str(m, r, from->address);
    }
    return 0;
}
