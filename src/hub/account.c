/* account.c - registering, who one is, changing and resetting a password, deleting.
 *
 * Whether a name is free, an invitation good, or somebody the last admin is
 * decided by the store when it commits, never here.
 */
#include <stdio.h>
#include <string.h>

#include "hub/account.h"
#include "hub/check.h"
#include "hub/handlers_account.h"
#include "hub/token.h"
#include "seal/digest.h"

static const char *const no_parts[4] = { NULL, NULL, NULL, NULL };

/* --- registering --------------------------------------------------------------------------- */

struct sign_up {
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES], looks[LOOKS_BYTES];
    bool invited;
    uint8_t invite[32];
    uint32_t role;
};

static int sign_up_allowed(struct hub *h, const struct request *q, struct sign_up *s)
{
    const char *invite = q->msg->sign_up->invite;
    bool open = h->config.registration == REGISTRATION_OPEN ||
                (h->config.open_to_local && q->local);

    s->invited = *invite != '\0';
    if (s->invited) /* good in every policy: an admin gave it away */
        return token_hash(s->invite, TOKEN_INVITE, invite);
    if (open)
        return 0;
    return h->config.registration == REGISTRATION_INVITE ? -ROOST_INVITE_NEEDED
                                                         : -ROOST_REGISTRATION_CLOSED;
}

/* Are the name and the password fit to be kept? */
static int making_check(struct hub *h, struct request *q, struct sign_up *s, const char *name,
                        const char *password)
{
    int err = name_check(&h->names, name, s->norm, sizeof s->norm, s->skeleton, sizeof s->skeleton);

    if (!err && strcmp(s->skeleton, "everyone") == 0)
        err = -ROOST_NAME_TAKEN; /* @everyone would be one person */
    if (!err)
        err = name_looks(&h->names, name, s->looks);
    if (!err)
        err = password_length(password);
    q->about = s->norm;
    q->state = s;
    return err;
}

/* Before anything is hashed, which is dear: is there an invitation, or (skeleton) a reset
 * for that name, with this secret? */
static int invite_find(struct hub *h, struct request *q, const uint8_t secret[static 32],
                       const char *skeleton)
{
    struct store_op *op = request_look(h, q, STORE_INVITE_FIND);

    if (op) {
        memcpy(op->secret, secret, sizeof op->secret);
        op->skeleton = skeleton ? arena_str(&op->mem, skeleton) : NULL;
        if (skeleton && !op->skeleton)
            op = store_op_unref(op);
    }
    return request_store(h, q, op);
}

static int making_store(struct hub *h, struct request *q, const char *encoded)
{
    const struct sign_up *s = q->state;
    struct store_op *op;

    if (!encoded)
        return -ROOST_BUSY;
    op = request_do(h, q, STORE_ACCOUNT_NEW);
    if (op) {
        op->account.name = arena_str(&op->mem, s->norm);
        op->account.skeleton = arena_str(&op->mem, s->skeleton);
        op->account.looks = arena_str(&op->mem, s->looks);
        op->account.password = arena_str(&op->mem, encoded);
        op->account.role = s->role;
        op->has_secret = s->invited;
        memcpy(op->secret, s->invite, sizeof op->secret);
        if (!op->account.name || !op->account.skeleton || !op->account.looks ||
            !op->account.password)
            op = store_op_unref(op);
    }
    return request_store(h, q, op);
}

int sign_up_on_message(struct hub *h, struct request *q)
{
    const Roost__SignUp *b = q->msg->sign_up;
    struct sign_up *s = arena_get(&q->mem, sizeof *s);

    if (!s)
        return -ROOST_NOMEM;
    int err = digest_without_password(q, (const char *const[4]){ b->name, b->invite });
    if (!err)
        err = sign_up_allowed(h, q, s);
    if (!err)
        err = making_check(h, q, s, b->name, b->password);
    if (err)
        return err;
    return s->invited ? invite_find(h, q, s->invite, NULL) : request_hash(h, q, b->password, NULL);
}

int sign_up_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
{
    (void)ok;
    return making_store(h, q, encoded);
}

int sign_up_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (r->kind == STORE_INVITE_FIND)
        return r->err ? r->err : request_hash(h, q, q->msg->sign_up->password, NULL);
    return reply_done(h, q, r);
}

int admin_user_new_on_message(struct hub *h, struct request *q)
{
    const Roost__AdminUserNew *b = q->msg->admin_user_new;
    struct sign_up *s = arena_get(&q->mem, sizeof *s);
    char role[2] = { (char)('0' + (b->role & 7)), '\0' };

    if (!s)
        return -ROOST_NOMEM;
    int err = digest_without_password(q, (const char *const[4]){ b->name, role });
    if (!err && b->role > ROOST__ROLE__ADMIN)
        err = -ROOST_INVALID;
    s->role = b->role;
    if (!err)
        err = making_check(h, q, s, b->name, b->password);
    return err ? err : request_hash(h, q, b->password, NULL);
}

int admin_user_new_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
{
    (void)ok;
    return making_store(h, q, encoded);
}

struct store_op *hub_first_admin(struct hub *h, char ret_token[static 48], struct now now)
{
    uint8_t raw[TOKEN_RAW_BYTES];
    struct store_op *op = store_op_new(STORE_INVITE_NEW, now.wall_ms);

    if (!op)
        return NULL;
    rng_fill(&h->rng, raw, sizeof raw);
    if (seal_base32(ret_token, 48, raw, sizeof raw) < 0 ||
        token_hash(op->secret, TOKEN_INVITE, ret_token) < 0)
        return store_op_unref(op);
    seal_wipe(raw, sizeof raw);
    op->owner_epoch = 1;
    op->has_secret = true;
    op->account.role = ROOST__ROLE__ADMIN;
    op->until_ms = now.wall_ms + INVITE_MS;
    op->log.kind = "first_admin";
    op->log.address = "";
    op->log.target = "";
    return op;
}

/* --- whoami ---------------------------------------------------------------------------------- */

int whoami_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_ACCOUNT_FIND);

    if (op)
        op->account.id = q->account;
    return request_store(h, q, op);
}

int whoami_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Me me = ROOST__ME__INIT;

    me.account = r->account_row.id;
    me.name = (char *)r->account_row.name;
    me.role = (Roost__Role)r->account_row.role;
    me.created_ms = (uint64_t)r->account_row.created_ms;
    me.session = q->session;
    me.address = (char *)q->address;
    reply.result_case = ROOST__REPLY__RESULT_ME;
    reply.me = &me;
    return reply_with(h, q, &reply);
}

/* --- a new password --- */

enum { PASSWD_OLD, PASSWD_AGAIN, PASSWD_NEW };

struct passwd {
    struct check check;
    bool failed;
};

int passwd_on_message(struct hub *h, struct request *q)
{
    struct passwd *p = arena_get(&q->mem, sizeof *p);

    if (!p)
        return -ROOST_NOMEM;
    q->state = p;
    q->step = PASSWD_OLD;
    int err = digest_without_password(q, no_parts);
    if (!err)
        err = password_length(q->msg->passwd->new_password);
    return err ? err : check_begin_own(h, q, &p->check);
}

static int passwd_store(struct hub *h, struct request *q, uint64_t account, const char *encoded)
{
    struct store_op *op = request_do(h, q, STORE_ACCOUNT_PASSWORD);

    if (op) {
        op->account.id = account;
        op->account.password = arena_str(&op->mem, encoded);
        op->session.id = q->session;
        if (!op->account.password)
            op = store_op_unref(op);
    }
    return request_store(h, q, op);
}

/* The old password is not it; but if the new one is, then this is a request that
 * was done and is sent again: the store knows. */
static int passwd_again(struct hub *h, struct request *q, struct passwd *p)
{
    q->step = PASSWD_AGAIN;
    int err = request_hash(h, q, q->msg->passwd->new_password, p->check.account.password);
    return err == HUB_WAIT ? err : check_on_hashed(h, q, &p->check, false);
}

int passwd_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
{
    struct passwd *p = q->state;

    if (q->step == PASSWD_NEW)
        return encoded ? passwd_store(h, q, p->check.account.id, encoded) : -ROOST_BUSY;
    if (q->step == PASSWD_OLD && !ok && !q->unhashed)
        return passwd_again(h, q, p);
    int outcome = check_on_hashed(h, q, &p->check, ok);
    if (outcome != HUB_DONE)
        return outcome;
    if (q->step == PASSWD_AGAIN)
        return passwd_store(h, q, p->check.account.id, p->check.account.password);
    q->step = PASSWD_NEW;
    return request_hash(h, q, q->msg->passwd->new_password, NULL);
}

int passwd_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct passwd *p = q->state;

    if (r->kind == STORE_LOGIN_FIND)
        return check_on_found(h, q, &p->check, r, q->msg->passwd->old_password);
    if (r->kind == STORE_GUARD_PUT)
        return check_on_failed(r);
    if (r->err)
        return r->err;
    tell_sessions_end(h, q->account, 0, q->session, ROOST_SESSION_OVER);
    return reply_done(h, q, r);
}

/* --- a forgotten one --- */

struct reset {
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    uint8_t secret[32];
    uint64_t account;
};

int reset_password_on_message(struct hub *h, struct request *q)
{
    const Roost__ResetPassword *b = q->msg->reset_password;
    struct reset *s = arena_get(&q->mem, sizeof *s);

    if (!s)
        return -ROOST_NOMEM;
    q->state = s;
    int err = digest_without_password(q, (const char *const[4]){ b->name, b->reset });
    if (!err)
        err = name_check(&h->names, b->name, s->norm, sizeof s->norm, s->skeleton,
                         sizeof s->skeleton);
    if (!err)
        err = password_length(b->new_password);
    q->about = s->norm;
    if (!err)
        err = token_hash(s->secret, TOKEN_RESET, b->reset);
    return err ? err : invite_find(h, q, s->secret, s->skeleton);
}

int reset_password_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
{
    const struct reset *s = q->state;

    (void)ok;
    if (!encoded)
        return -ROOST_BUSY;
    struct store_op *op = request_do(h, q, STORE_ACCOUNT_PASSWORD);
    if (op) {
        op->account.id = s->account;
        op->account.password = arena_str(&op->mem, encoded);
        op->has_secret = true;
        memcpy(op->secret, s->secret, sizeof op->secret);
        if (!op->account.password)
            op = store_op_unref(op);
    }
    return request_store(h, q, op);
}

int reset_password_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct reset *s = q->state;

    if (r->kind == STORE_INVITE_FIND) { /* no such name: the same answer, so nothing is learned */
        s->account = r->account;
        return r->err ? r->err : request_hash(h, q, q->msg->reset_password->new_password, NULL);
    }
    if (r->err)
        return r->err;
    tell_sessions_end(h, s->account, 0, 0, ROOST_SESSION_OVER);
    return reply_done(h, q, r);
}

/* --- the end --- */

int delete_account_on_message(struct hub *h, struct request *q)
{
    struct check *c = arena_get(&q->mem, sizeof *c);

    if (!c)
        return -ROOST_NOMEM;
    q->state = c;
    int err = digest_without_password(q, no_parts);
    return err ? err : check_begin_own(h, q, c);
}

int delete_account_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
{
    (void)encoded;
    int outcome = check_on_hashed(h, q, q->state, ok);
    return outcome == HUB_DONE ? deletion_store(h, q, q->account) : outcome;
}

int delete_account_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (r->kind == STORE_LOGIN_FIND)
        return check_on_found(h, q, q->state, r, q->msg->delete_account->password);
    if (r->kind == STORE_GUARD_PUT)
        return check_on_failed(r);
    return deletion_on_stored(h, q, r, q->account);
}

int deletion_store(struct hub *h, struct request *q, uint64_t account)
{
    struct store_op *op = request_do(h, q, STORE_ACCOUNT_DELETE);
    char *number = op ? arena_get(&op->mem, 24) : NULL;

    if (number) {
        op->account.id = account;
        snprintf(number, 24, "#%llu", (unsigned long long)account);
        op->log.target = number; /* the name is to be gone from the log too */
    } else {
        op = store_op_unref(op);
    }
    return request_store(h, q, op);
}

int deletion_on_stored(struct hub *h, struct request *q, struct store_result *r, uint64_t account)
{
    if (r->err)
        return r->err;
    int err = reply_done(h, q, r);
    tell_account_gone(h, account);
    return err;
}
