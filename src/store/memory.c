#include "store/memory.h"

#include <stdlib.h>
#include <string.h>

#include "store/memory_db.h"

/* --- arrays --- */

void *mem_add(struct mem *m, void *array_ptr, size_t *n, size_t size)
{
    void **array = array_ptr;

    if ((*n & (*n - 1)) == 0) {
        void *bigger = realloc(*array, (*n ? *n * 2 : 1) * size);
        if (!bigger) {
            m->nomem = true;
            return NULL;
        }
        *array = bigger;
    }
    return memset((char *)*array + (*n)++ * size, 0, size);
}

/* The room behind the last is lost to mem_add when n becomes a power of two from
 * above; realloc then keeps or shrinks what is there, which is fine. */
void mem_drop(void *array, size_t *n, size_t size, size_t i)
{
    char *at = (char *)array + i * size;

    memmove(at, at + size, (*n - i - 1) * size);
    (*n)--;
}

void *mem_result_add(struct mem *m, struct store_result *r, void *array_ptr, size_t *n, size_t size)
{
    void **array = array_ptr;
    void *grown = store_grow(&r->mem, *array, *n, size);

    if (!grown) {
        m->nomem = true;
        return NULL;
    }
    *array = grown;
    return memset((char *)grown + (*n)++ * size, 0, size);
}

const char *mem_str(struct mem *m, struct store_result *r, const char *s)
{
    char *copy = arena_str(&r->mem, s ? s : "");

    if (!copy)
        m->nomem = true;
    return copy ? copy : "";
}

/* --- state --- */

static void state_fini(struct mem_state *s)
{
    for (size_t i = 0; i < s->n_rooms; i++) {
        for (size_t k = 0; k < s->rooms[i].n_events; k++)
            free(s->rooms[i].events[k].reactions);
        free(s->rooms[i].events);
        free(s->rooms[i].members);
        free(s->rooms[i].pins);
        free(s->rooms[i].attendees);
    }
    free(s->accounts);
    free(s->sessions);
    free(s->devices);
    free(s->invites);
    free(s->ignores);
    free(s->guards);
    free(s->requests);
    free(s->rooms);
    free(s->lines);
    free(s->files);
    *s = (struct mem_state){ 0 };
}

static void state_init(struct mem *m)
{
    struct mem_room *everyone = mem_add(m, &m->now.rooms, &m->now.n_rooms, sizeof *everyone);

    if (!everyone)
        return;
    everyone->epoch = 1;
    everyone->row =
        (struct room_row){ .id = EVERYONE_ROOM, .kind = ROOST__ROOM_KIND__EVERYONE, .first = 1 };
}

static mem_handler *const handlers[] = {
    [STORE_ACCOUNT_NEW] = mem_account_new,
    [STORE_ACCOUNT_FIND] = mem_account_find,
    [STORE_ACCOUNT_PASSWORD] = mem_account_password,
    [STORE_ACCOUNT_ROLE] = mem_account_role,
    [STORE_ACCOUNT_DELETE] = mem_account_delete,
    [STORE_ACCOUNT_LIST] = mem_account_list,
    [STORE_INVITE_NEW] = mem_invite_new,
    [STORE_INVITE_FIND] = mem_invite_find,
    [STORE_IGNORE] = mem_ignore,
    [STORE_LOGIN_FIND] = mem_login_find,
    [STORE_SESSION_NEW] = mem_session_new,
    [STORE_SESSION_RESUME] = mem_session_resume,
    [STORE_SESSION_END] = mem_session_end,
    [STORE_SESSION_LIST] = mem_session_list,
    [STORE_GUARD_PUT] = mem_guard_put,
    [STORE_GUARD_LIST] = mem_guard_list,
    [STORE_ROOM_NEW] = mem_room_new,
    [STORE_ROOM_FIND] = mem_room_find,
    [STORE_ROOM_DIRECT] = mem_room_direct,
    [STORE_ROOM_LOAD] = mem_room_load,
    [STORE_ROOM_LIST] = mem_room_list,
    [STORE_APPEND] = mem_append,
    [STORE_MARK] = mem_mark,
    [STORE_ROOM_MUTE] = mem_room_mute,
    [STORE_READ] = mem_read,
    [STORE_SEARCH] = mem_search,
    [STORE_EARLIER] = mem_earlier,
    [STORE_LOG_READ] = mem_log_read,
    [STORE_RETAIN] = mem_retain,
    [STORE_GUEST_NEW] = mem_guest_new,
    [STORE_MEET_NEW] = mem_meet_new,
    [STORE_MEET_FIND] = mem_meet_find,
    [STORE_MEET_CHANGE] = mem_meet_change,
    [STORE_MEET_LIST] = mem_meet_list,
    [STORE_MEET_NOTE] = mem_meet_note,
    [STORE_FILE_NEW] = mem_file_new,
    [STORE_FILE_FIND] = mem_file_find,
    [STORE_FILE_SET] = mem_file_set,
    [STORE_FILE_KEEP] = mem_file_keep,
    [STORE_FILE_LIST] = mem_file_list,
    [STORE_FILE_EXPIRE] = mem_file_expire,
    [STORE_FILE_LOOSE] = mem_file_loose,
};

static struct mem_request *request_find(struct mem *m, const struct store_request *req)
{
    for (size_t i = m->now.n_requests; i-- > 0;) { /* one that is asked for again is young */
        struct mem_request *q = &m->now.requests[i];
        if (q->req.scope == req->scope && memcmp(q->req.id, req->id, sizeof req->id) == 0)
            return q;
    }
    return NULL;
}

static bool known(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_request *q = request_find(m, &op->req);

    if (!q || q->made_ms < op->now_ms - REQUEST_KEEP_MS)
        return false;
    if (memcmp(q->req.digest, op->req.digest, sizeof q->req.digest) != 0) {
        r->err = -ROOST_CONFLICT;
        return true;
    }
    r->dup = true;
    r->room = q->room;
    r->seq = q->seq;
    r->at_ms = q->at_ms;
    r->account = q->account;
    return true;
}

static void remember(struct mem *m, const struct store_op *op, const struct store_result *r)
{
    struct mem_request *q = request_find(m, &op->req);

    if (!q)
        q = mem_add(m, &m->now.requests, &m->now.n_requests, sizeof *q);
    if (q)
        *q = (struct mem_request){ op->req, op->now_ms, r->at_ms, r->room, r->seq, r->account };
}

static void log_put(struct mem *m, const struct store_op *op, uint64_t account, int outcome)
{
    size_t n = m->now.n_lines;
    int64_t at_ms = n && m->now.lines[n - 1].at_ms > op->now_ms ? m->now.lines[n - 1].at_ms
                                                                : op->now_ms;
    struct log_line *l = mem_add(m, &m->now.lines, &m->now.n_lines, sizeof *l);

    if (l)
        *l = (struct log_line){
            .n = n + 1,
            .account = account,
            .at_ms = at_ms,
            .kind = op->log.kind,
            .target = op->log.target,
            .address = op->log.address,
            .outcome = outcome,
        };
}

static void apply(struct mem *m, const struct store_op *op, struct store_result *r)
{
    size_t kinds = sizeof handlers / sizeof *handlers;
    mem_handler *h = (size_t)op->kind < kinds ? handlers[op->kind] : NULL;

    if (!op->req.has_id || !known(m, op, r)) {
        if (op->kind != STORE_LOG)
            r->err = h ? h(m, op, r) : -ROOST_UNSUPPORTED;
        if (op->req.has_id && !r->err && op->kind != STORE_LOG) /* that is a refusal */
            remember(m, op, r);
    }
    if (op->log.kind)
        log_put(m, op, store_log_account(op, r), op->kind == STORE_LOG ? op->log.outcome : r->err);
}

/* --- the journal --- */

static struct mem *mem_of(const struct store *s)
{
    return (struct mem *)s;
}

static void rebuild(struct mem *m)
{
    state_fini(&m->now);
    m->nomem = false;
    state_init(m);
    for (size_t i = 0; i < m->n_committed && !m->nomem; i++) {
        struct store_result *r = store_result_new(m->journal[i]);
        if (r)
            apply(m, m->journal[i], r);
        else
            m->nomem = true;
        store_result_free(r);
    }
    m->broken = m->nomem;
}

static int mem_begin(struct store *s)
{
    struct mem *m = mem_of(s);

    if (m->broken)
        rebuild(m);
    m->nomem = false;
    return m->broken ? -ROOST_NOT_STORED : 0;
}

/* What only reads need not be done again. */
static bool changes(const struct store_op *op)
{
    switch (op->kind) {
    case STORE_ACCOUNT_FIND:
    case STORE_ACCOUNT_LIST:
    case STORE_INVITE_FIND:
    case STORE_LOGIN_FIND:
    case STORE_SESSION_LIST:
    case STORE_GUARD_LIST:
    case STORE_ROOM_FIND:
    case STORE_ROOM_LOAD:
    case STORE_ROOM_LIST:
    case STORE_READ:
    case STORE_SEARCH:
    case STORE_EARLIER:
    case STORE_LOG_READ:
    case STORE_MEET_FIND:
    case STORE_MEET_LIST:
    case STORE_FILE_FIND:
    case STORE_FILE_LIST:
    case STORE_FILE_LOOSE:
        return op->log.kind || op->req.has_id || op->n_counts;
    default:
        return true;
    }
}

static struct store_result *mem_apply(struct store *s, const struct store_op *op)
{
    struct mem *m = mem_of(s);
    struct store_result *r = store_result_new(op);

    if (!r || m->nomem)
        goto fail;
    if (changes(op)) {
        struct store_op **slot = mem_add(m, &m->journal, &m->n_journal, sizeof *slot);
        if (!slot)
            goto fail;
        *slot = store_op_ref((struct store_op *)op); /* its strings live on in the state */
    }
    apply(m, op, r);
    if (!m->nomem)
        return r;
fail:
    store_result_free(r);
    return NULL;
}

static void mem_rollback(struct store *s)
{
    struct mem *m = mem_of(s);

    if (m->n_journal == m->n_committed && !m->nomem)
        return;
    while (m->n_journal > m->n_committed)
        store_op_unref(m->journal[--m->n_journal]);
    rebuild(m);
}

static int mem_commit(struct store *s)
{
    struct mem *m = mem_of(s);
    int err = m->nomem ? -ROOST_NOT_STORED : m->fail_commit;

    if (err) {
        m->fail_commit = 0;
        mem_rollback(s);
        return err;
    }
    m->n_committed = m->n_journal;
    return 0;
}

static void mem_free(struct store *s)
{
    struct mem *m = mem_of(s);

    if (!s)
        return;
    state_fini(&m->now);
    for (size_t i = 0; i < m->n_journal; i++)
        store_op_unref(m->journal[i]);
    free(m->journal);
    free(m);
}

static const struct store_ops mem_ops = {
    .begin = mem_begin,
    .apply = mem_apply,
    .commit = mem_commit,
    .rollback = mem_rollback,
    .free = mem_free,
};

struct store *memory_store_new(void)
{
    struct mem *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->store.ops = &mem_ops;
    state_init(m);
    if (m->nomem) {
        mem_free(&m->store);
        return NULL;
    }
    return &m->store;
}

void memory_fail_commit(struct store *s, int err)
{
    mem_of(s)->fail_commit = err;
}

/* --- looking in --- */

uint64_t memory_rooms(const struct store *s)
{
    return mem_of(s)->now.n_rooms;
}

uint64_t memory_head(const struct store *s, uint64_t room)
{
    struct mem_room *r = mem_room(mem_of(s), room);

    return r ? r->row.head : 0;
}

const struct event *memory_event(const struct store *s, uint64_t room, uint64_t seq)
{
    struct mem_room *r = mem_room(mem_of(s), room);
    struct mem_event *e = r ? mem_event_at(r, seq) : NULL;

    return e ? &e->e : NULL;
}

bool memory_is_member(const struct store *s, uint64_t room, uint64_t account)
{
    struct mem_room *r = mem_room(mem_of(s), room);

    return r && mem_in(r, account);
}

/* FNV-1a: any function that differs when something differs will do. */
static uint64_t mix(uint64_t h, const void *p, size_t len)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < len; i++)
        h = (h ^ b[i]) * 0x100000001b3;
    return h;
}

static uint64_t mix_n(uint64_t h, uint64_t n)
{
    return mix(h, &n, sizeof n);
}

static uint64_t mix_str(uint64_t h, const char *s)
{
    return mix(h, s ? s : "", s ? strlen(s) + 1 : 1);
}

static uint64_t mix_meet(uint64_t h, const struct mem_room *r)
{
    h = mix(mix_n(mix_str(h, r->meet.code), r->meet.live), r->meet.data, r->meet.n_data);
    for (size_t i = 0; i < r->n_attendees; i++) {
        const struct attendee_row *a = &r->attendees[i];
        h = mix(mix_str(mix_n(h, a->account), a->skeleton), a->data, a->n_data);
    }
    return h;
}

static uint64_t mix_room(uint64_t h, const struct mem_room *r)
{
    h = mix_n(mix_str(mix_str(h, r->row.name), r->row.topic), r->row.head);
    for (size_t i = 0; i < r->n_members; i++) {
        const struct member_row *m = &r->members[i].row;
        h = mix_n(mix_n(mix_n(h, m->account), m->role), m->banned);
    }
    for (size_t i = 0; i < r->n_events; i++) {
        const struct mem_event *e = &r->events[i];
        h = mix_n(mix_n(mix_n(h, e->e.kind), e->e.from), e->e.ref);
        h = mix_n(mix_n(mix_str(h, e->e.text), e->deleted), e->gone);
    }
    return mix_meet(h, r);
}

uint64_t memory_digest(const struct store *s)
{
    const struct mem_state *now = &mem_of(s)->now;
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < now->n_accounts; i++)
        h = mix_n(mix_str(h, now->accounts[i].row.name), now->accounts[i].row.role);
    for (size_t i = 0; i < now->n_rooms; i++)
        h = mix_room(h, &now->rooms[i]);
    for (size_t i = 0; i < now->n_files; i++)
        h = mix_n(mix_n(mix_str(h, now->files[i].name), now->files[i].stage), now->files[i].seq);
    return h;
}
