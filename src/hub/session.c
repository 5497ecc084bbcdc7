/* session.c - logging in and out, resuming, and the list of one's sessions.
 *
 * A login is a check of the password, then one batch of three operations: the
 * session is made, resumed at once (which reads the account as it is now: a
 * password that changed meanwhile, or an account that is gone, ends the login)
 * and all sessions of the account are listed, to end the longest unused one
 * when there are too many.
 */
#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "hub/check.h"
#include "hub/file.h"
#include "hub/handlers_account.h"
#include "hub/token.h"
#include "seal/digest.h"

enum { DEVICE_NAME_BYTES = 64, TOKEN_BYTES = 32 };

struct login {
    struct check check;
    const char *norm, *skeleton, *device_name;
    uint8_t device[32];         /* hash */
    uint8_t token[TOKEN_BYTES]; /* what the client is given */
    uint8_t first[32];          /* hash of a token that nobody is given */
    uint64_t session;
    uint32_t role;
    uint64_t *ignored;
    size_t n_ignored;
};

static int session_reply(struct hub *h, struct request *q, const struct login *l, uint64_t account,
                         const char *name)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Session s = ROOST__SESSION__INIT;
    const struct conn *c = request_conn(h, q);

    s.session = l->session;
    s.token = (ProtobufCBinaryData){ TOKEN_BYTES, (uint8_t *)l->token };
    s.account = account;
    s.name = (char *)name;
    s.role = (Roost__Role)l->role;
    s.ignored = l->ignored;
    s.n_ignored = l->n_ignored;
    s.guest = c && c->user && c->user->guest;
    reply.result_case = ROOST__REPLY__RESULT_SESSION;
    reply.session = &s;
    return reply_with(h, q, &reply);
}

static void session_drop(struct hub *h, struct request *q, uint64_t session)
{
    struct store_op *op = request_look(h, q, STORE_SESSION_END);

    if (op) {
        op->token = 0;
        op->session.id = session;
    }
    hub_store(h, op);
}

/* As much of a text as fits. */
static char *text_cut(struct arena *a, const char *s, size_t max)
{
    size_t len = utf8_fit(s, max);
    char *copy = arena_get(a, len + 1);

    return copy ? memcpy(copy, s, len) : NULL;
}

/* --- login ------------------------------------------------------------------------------ */

static int login_fill(struct hub *h, struct request *q, struct login *l)
{
    const Roost__Login *b = q->msg->login;
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];

    if (b->device.len != 32)
        return -ROOST_INVALID;
    int err = name_check(&h->names, b->name, norm, sizeof norm, skeleton, sizeof skeleton);
    if (!err)
        err = token_device_hash(l->device, b->device.data);
    if (err)
        return err;
    l->norm = arena_str(&q->mem, norm);
    l->skeleton = arena_str(&q->mem, skeleton);
    l->device_name = text_cut(&q->mem, b->device_name, DEVICE_NAME_BYTES);
    if (!l->norm || !l->skeleton || !l->device_name)
        return -ROOST_NOMEM;
    q->about = l->norm;
    /* No password is that long: nothing to hash, whether the name exists or not. */
    return strlen(b->password) > PASSWORD_MAX ? -ROOST_LOGIN_WRONG : 0;
}

int login_on_message(struct hub *h, struct request *q)
{
    struct conn *c = request_conn(h, q);
    struct login *l = arena_get(&q->mem, sizeof *l);

    if (!l)
        return -ROOST_NOMEM;
    assert(c && "nothing is looked up before this");
    if (c->user)
        return -ROOST_ALREADY;
    q->state = l;
    int err = login_fill(h, q, l);
    return err ? err : check_begin(h, q, &l->check, l->norm, l->skeleton, l->device);
}

static int login_store(struct hub *h, struct request *q, struct login *l)
{
    uint8_t first[TOKEN_BYTES], next[32];

    rng_fill(&h->rng, first, sizeof first);
    rng_fill(&h->rng, l->token, sizeof l->token);
    int err = token_session_hash(l->first, first);
    if (!err)
        err = token_session_hash(next, l->token);
    if (err)
        return err;

    struct store_op *make = request_do(h, q, STORE_SESSION_NEW);
    struct store_op *resume = request_look(h, q, STORE_SESSION_RESUME);
    struct store_op *list = request_look(h, q, STORE_SESSION_LIST);
    if (!make || !resume || !list) {
        store_op_unref(make);
        store_op_unref(resume);
        store_op_unref(list);
        q->logged = false;
        return -ROOST_NOMEM;
    }
    make->account.id = l->check.account.id;
    memcpy(make->session.device, l->device, 32);
    memcpy(make->session.token, l->first, 32);
    make->session.device_name = arena_str(&make->mem, l->device_name);
    make->session.address = arena_str(&make->mem, q->address);
    make->log.account = l->check.account.id;
    resume->has_secret = true;
    memcpy(resume->secret, l->first, 32);
    memcpy(resume->next_secret, next, 32);
    memcpy(resume->device, l->device, 32);
    resume->session.address = arena_str(&resume->mem, q->address);
    list->account.id = l->check.account.id;
    list->limit = STORE_PAGE_MAX;

    struct store_op *ops[] = { make, resume, list };
    for (size_t i = 0; i < 3; i++)
        if ((err = request_store(h, q, ops[i])) != HUB_WAIT) {
            while (++i < 3)
                store_op_unref(ops[i]);
            return err; /* results of what was emitted find no request any more */
        }
    return HUB_WAIT;
}

int login_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
{
    struct login *l = q->state;

    (void)encoded; /* what was made for a name that nobody has */
    int outcome = check_on_hashed(h, q, &l->check, ok);
    return outcome == HUB_DONE ? login_store(h, q, l) : outcome;
}

static int login_on_resumed(struct request *q, struct login *l, const struct store_result *r)
{
    const struct account_row *was = &l->check.account, *is = &r->account_row;

    if (r->err)
        return r->err;
    l->session = r->session.id;
    l->role = is->role;
    l->n_ignored = r->n_ids;
    l->ignored = arena_dup(&q->mem, r->ids, r->n_ids * sizeof *r->ids);
    if (r->n_ids && !l->ignored)
        return -ROOST_NOMEM;
    /* Changed between the check and now: the old one opens nothing any more. */
    return strcmp(is->password, was->password) == 0 ? HUB_WAIT : -ROOST_LOGIN_WRONG;
}

/* Those not on go first, the longest unused first. */
static void sessions_trim(struct hub *h, struct request *q, const struct login *l,
                          const struct store_result *r)
{
    const struct session_row *oldest = NULL;

    if (r->err || r->n_sessions <= h->config.sessions_max)
        return;
    for (size_t i = 0; i < r->n_sessions; i++) {
        const struct session_row *s = &r->sessions[i];
        if (s->id == l->session)
            continue;
        bool on = session_is_on(h, s->id), oldest_on = oldest && session_is_on(h, oldest->id);
        if (!oldest || on < oldest_on || (on == oldest_on && s->used_ms < oldest->used_ms))
            oldest = s;
    }
    if (!oldest)
        return;
    session_drop(h, q, oldest->id);
    tell_sessions_end(h, l->check.account.id, oldest->id, 0, ROOST_SESSION_OVER);
}

static int login_finish(struct hub *h, struct request *q, struct login *l,
                        const struct store_result *r)
{
    const struct account_row *a = &l->check.account;
    struct conn *c = request_conn(h, q);
    int err = !c ? -ROOST_CLOSED : c->user ? -ROOST_ALREADY : 0;

    sessions_trim(h, q, l, r);
    if (!err)
        err = conn_attach(h, c, l->session, a->id, a->name, l->role);
    if (err) {
        session_drop(h, q, l->session); /* nobody was told its token */
        return err;
    }
    memcpy(c->device, l->device, 32);
    return session_reply(h, q, l, a->id, a->name);
}

int login_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct login *l = q->state;
    int err;

    switch (r->kind) {
    case STORE_LOGIN_FIND:
        return check_on_found(h, q, &l->check, r, q->msg->login->password);
    case STORE_GUARD_PUT:
        return check_on_failed(r);
    case STORE_SESSION_NEW:
        if (!r->err)
            return HUB_WAIT;
        return r->err == -ROOST_NO_SUCH_USER ? -ROOST_LOGIN_WRONG : r->err;
    case STORE_SESSION_RESUME:
        err = login_on_resumed(q, l, r);
        if (err < 0 && l->session)
            session_drop(h, q, l->session);
        return err;
    default:
        return login_finish(h, q, l, r);
    }
}

/* --- resume ------------------------------------------------------------------------------- */

int resume_on_message(struct hub *h, struct request *q)
{
    const Roost__Resume *b = q->msg->resume;
    struct conn *c = request_conn(h, q);
    struct login *l = arena_get(&q->mem, sizeof *l);

    if (!l)
        return -ROOST_NOMEM;
    assert(c && "nothing is looked up before this");
    if (c->user)
        return -ROOST_ALREADY;
    if (b->token.len != TOKEN_BYTES || b->device.len != 32)
        return -ROOST_INVALID;
    q->state = l;
    rng_fill(&h->rng, l->token, sizeof l->token);

    struct store_op *op = request_do(h, q, STORE_SESSION_RESUME);
    if (!op)
        return -ROOST_NOMEM;
    op->has_secret = true;
    op->session.address = arena_str(&op->mem, q->address);
    int err = token_session_hash(op->secret, b->token.data);
    if (!err)
        err = token_session_hash(op->next_secret, l->token);
    if (!err)
        err = token_device_hash(op->device, b->device.data);
    if (err) {
        store_op_unref(op);
        return err;
    }
    return request_store(h, q, op);
}

int resume_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct login *l = q->state;
    const struct account_row *a = &r->account_row;
    struct conn *c = request_conn(h, q);

    if (!c || c->user)
        return c ? -ROOST_ALREADY : -ROOST_CLOSED;
    if (r->token_stays)
        memcpy(l->token, q->msg->resume->token.data, sizeof l->token);
    l->session = r->session.id;
    l->role = a->role;
    l->ignored = r->ids;
    l->n_ignored = r->n_ids;
    int err = conn_attach(h, c, l->session, a->id, a->name, a->role);
    if (err)
        return err;
    c->user->guest = a->guest;
    c->user->guest_of = a->guest_of;
    memcpy(c->device, r->session.device, 32);
    return session_reply(h, q, l, a->id, a->name);
}

/* --- the end of sessions --------------------------------------------------------------------- */

static int end_store(struct hub *h, struct request *q, uint64_t session)
{
    struct store_op *op = request_do(h, q, STORE_SESSION_END);

    if (op) {
        op->session.id = session;
        op->account.id = q->account;
    }
    return request_store(h, q, op);
}

/* The answer goes out before the connection stops being logged in. */
static int end_finish(struct hub *h, struct request *q, uint64_t session,
                      const struct store_result *r)
{
    struct conn *c = request_conn(h, q);
    int err = reply_done(h, q, r);

    if (c && session == q->session)
        conn_detach(h, c);
    tell_sessions_end(h, q->account, session, 0, ROOST_SESSION_OVER);
    return err;
}

int logout_on_message(struct hub *h, struct request *q)
{
    return end_store(h, q, q->session);
}

int logout_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return end_finish(h, q, q->session, r);
}

int end_session_on_message(struct hub *h, struct request *q)
{
    return q->msg->end_session->session ? end_store(h, q, q->msg->end_session->session)
                                        : -ROOST_NO_SUCH_SESSION;
}

int end_session_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return end_finish(h, q, q->msg->end_session->session, r);
}

/* --- the list --- */

int list_sessions_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_SESSION_LIST);

    if (op) {
        op->account.id = q->account;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

int list_sessions_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__SessionList list = ROOST__SESSION_LIST__INIT;
    Roost__SessionInfo *infos = arena_get(&q->mem, (r->n_sessions + 1) * sizeof *infos);
    char bearer[BEARER_TEXT];
    size_t bytes = 0;

    list.sessions = arena_get(&q->mem, (r->n_sessions + 1) * sizeof *list.sessions);
    if (!infos || !list.sessions)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < r->n_sessions; i++) {
        const struct session_row *s = &r->sessions[i];
        Roost__SessionInfo *to = &infos[i];
        roost__session_info__init(to);
        to->session = s->id;
        to->device_name = (char *)(s->device_name ? s->device_name : "");
        to->address = (char *)(s->address ? s->address : "");
        to->name = (char *)(s->account_name ? s->account_name : "");
        to->created_ms = (uint64_t)s->created_ms;
        to->used_ms = (uint64_t)s->used_ms;
        to->on = session_is_on(h, s->id);
        to->own = s->id == q->session;
        if (to->own && h->config.files && h->config.file_paths &&
            bearer_make(h, q->account, s, bearer) == 0)
            to->bearer = bearer;
        bytes += roost__session_info__get_packed_size(to) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        list.sessions[list.n_sessions++] = to;
    }
    reply.result_case = ROOST__REPLY__RESULT_SESSIONS;
    reply.sessions = &list;
    return reply_with(h, q, &reply);
}
