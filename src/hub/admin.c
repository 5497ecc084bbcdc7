/* admin.c - what only admins of the server do: accounts, sessions, rooms,
 * invitations, exports. Blocks are in admin_block.c, the log in admin_log.c.
 */
#include <string.h>

#include "hub/account.h"
#include "hub/handlers_account.h"
#include "hub/handlers_talk.h"
#include "hub/token.h"

/* --- accounts ---------------------------------------------------------------------------- */

int admin_users_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_ACCOUNT_LIST);

    if (op) {
        op->after = q->msg->admin_users->after;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

int admin_users_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Users list = ROOST__USERS__INIT;
    Roost__User *users = arena_get(&q->mem, (r->n_accounts + 1) * sizeof *users);
    size_t bytes = 0;

    list.users = arena_get(&q->mem, (r->n_accounts + 1) * sizeof *list.users);
    if (!users || !list.users)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < r->n_accounts; i++) {
        const struct account_row *a = &r->accounts[i];
        roost__user__init(&users[i]);
        users[i].account = a->id;
        users[i].name = (char *)(a->name ? a->name : "");
        users[i].role = (Roost__Role)a->role;
        users[i].created_ms = (uint64_t)a->created_ms;
        users[i].sessions = a->sessions;
        users[i].deleted = a->deleted;
        bytes += roost__user__get_packed_size(&users[i]) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        list.users[list.n_users++] = &users[i];
    }
    list.more = r->more || list.n_users < r->n_accounts;
    reply.result_case = ROOST__REPLY__RESULT_USERS;
    reply.users = &list;
    return reply_with(h, q, &reply);
}

struct want admin_role_want(const Roost__ToServer *m)
{
    return (struct want){ .user = m->admin_role->user };
}

int admin_role_on_message(struct hub *h, struct request *q)
{
    Roost__Role role = q->msg->admin_role->role;
    struct store_op *op;

    if (role > ROOST__ROLE__ADMIN)
        return -ROOST_INVALID;
    op = request_do(h, q, STORE_ACCOUNT_ROLE);
    if (op) {
        op->account.id = q->user_id;
        op->account.role = role;
    }
    return request_store(h, q, op);
}

int admin_role_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    tell_role(h, q->user_id, q->msg->admin_role->role);
    return reply_done(h, q, r);
}

struct want admin_delete_want(const Roost__ToServer *m)
{
    return (struct want){ .user = m->admin_delete->user };
}

int admin_delete_on_message(struct hub *h, struct request *q)
{
    return deletion_store(h, q, q->user_id);
}

int admin_delete_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return deletion_on_stored(h, q, r, q->user_id);
}

/* --- tokens ---------------------------------------------------------------------------------- */

/* The operation comes back with the time of the first request when this one is
 * a repetition: the token and its end are the same then. */
static int token_store(struct hub *h, struct request *q, enum token_kind kind, uint64_t account,
                       uint32_t role)
{
    char *text = arena_get(&q->mem, TOKEN_TEXT_BYTES);
    struct store_op *op;
    int err = text ? token_derive(h, q, kind, account, text) : -ROOST_NOMEM;

    if (err)
        return err;
    q->state = text;
    op = request_do(h, q, STORE_INVITE_NEW);
    if (!op)
        return -ROOST_NOMEM;
    op->has_secret = true;
    op->account.id = account;
    op->account.role = role;
    op->until_ms = h->now.wall_ms + (kind == TOKEN_INVITE ? INVITE_MS : RESET_MS);
    err = token_hash(op->secret, kind, text);
    if (err) {
        store_op_unref(op);
        return err;
    }
    return request_store(h, q, op);
}

static int token_reply(struct hub *h, struct request *q, const struct store_result *r, int64_t ms)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Token token = ROOST__TOKEN__INIT;

    token.token = q->state;
    token.until_ms = (uint64_t)((r->at_ms ? r->at_ms : h->now.wall_ms) + ms);
    reply.result_case = ROOST__REPLY__RESULT_TOKEN;
    reply.token = &token;
    return reply_with(h, q, &reply);
}

int admin_invite_on_message(struct hub *h, struct request *q)
{
    Roost__Role role = q->msg->admin_invite->role;

    return role > ROOST__ROLE__ADMIN ? -ROOST_INVALID : token_store(h, q, TOKEN_INVITE, 0, role);
}

int admin_invite_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return token_reply(h, q, r, INVITE_MS);
}

struct want admin_reset_want(const Roost__ToServer *m)
{
    return (struct want){ .user = m->admin_reset->user };
}

int admin_reset_on_message(struct hub *h, struct request *q)
{
    return token_store(h, q, TOKEN_RESET, q->user_id, 0);
}

int admin_reset_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return token_reply(h, q, r, RESET_MS);
}

/* --- sessions --- */

int admin_sessions_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_SESSION_LIST);

    if (op) {
        op->after = q->msg->admin_sessions->after;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

int admin_sessions_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return list_sessions_on_stored(h, q, r);
}

int admin_end_session_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_SESSION_END);

    if (op)
        op->session.id = q->msg->admin_end_session->session;
    return request_store(h, q, op);
}

int admin_end_session_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    int err = reply_done(h, q, r);

    tell_sessions_end(h, r->account, q->msg->admin_end_session->session, 0, ROOST_SESSION_OVER);
    return err;
}

/* --- rooms --- */

int admin_rooms_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_ROOM_LIST);

    if (op) {
        op->after = q->msg->admin_rooms->after;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

int admin_rooms_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return list_rooms_on_stored(h, q, r);
}

struct want admin_export_want(const Roost__ToServer *m)
{
    return (struct want){ .room = m->admin_export->room };
}

int admin_export_on_message(struct hub *h, struct request *q)
{
    struct store_op *op;

    if (!q->room)
        return -ROOST_NO_SUCH_ROOM;
    if (q->room->kind == ROOST__ROOM_KIND__DIRECT && !h->config.log_private_text)
        return -ROOST_NOT_ALLOWED;
    op = request_do(h, q, STORE_READ);
    if (op) {
        op->account.id = q->account;
        op->room.id = q->room_id;
        op->after = q->msg->admin_export->after;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

int admin_export_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return reading_reply_page(h, q, r, false);
}
