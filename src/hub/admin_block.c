/* admin_block.c - admins see who is blocked from logging in, block, and lift blocks. */
#include <string.h>

#include "hub/account.h"
#include "hub/guard.h"
#include "hub/handlers_account.h"

enum { STEP_BLOCK, STEP_LIST };

/* --- the list ------------------------------------------------------------------------------ */

int admin_blocks_on_message(struct hub *h, struct request *q)
{
    return request_store(h, q, request_do(h, q, STORE_GUARD_LIST));
}

int admin_blocks_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Blocks list = ROOST__BLOCKS__INIT;
    Roost__Block *blocks = arena_get(&q->mem, (r->n_guards + 1) * sizeof *blocks);
    size_t bytes = 0;

    list.blocks = arena_get(&q->mem, (r->n_guards + 1) * sizeof *list.blocks);
    if (!blocks || !list.blocks)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < r->n_guards; i++) {
        struct guard_row *g = &r->guards[i];
        int64_t ms = guard_blocked_ms(g, h->now.wall_ms);
        if (!ms && !guard_count(g, &h->config, h->now.wall_ms))
            continue; /* over, and not yet swept */
        Roost__Block *to = &blocks[list.n_blocks];
        roost__block__init(to);
        to->key = (ProtobufCBinaryData){ sizeof g->key, g->key };
        to->kind = (char *)guard_kind_text(g->kind);
        to->name = (char *)(g->name ? g->name : "");
        to->source = (char *)(g->source ? g->source : "");
        to->failures = g->kind == GUARD_ADMIN ? 0 : g->n;
        to->until_ms = ms ? (uint64_t)g->until_ms : 0;
        bytes += roost__block__get_packed_size(to) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        list.blocks[list.n_blocks++] = to;
    }
    reply.result_case = ROOST__REPLY__RESULT_BLOCKS;
    reply.blocks = &list;
    return reply_with(h, q, &reply);
}

/* --- to block --------------------------------------------------------------------------------- */

/* Ten years: enough, and far from the end of the numbers. */
#define BLOCK_SECONDS_MAX (10 * 365 * 86400LL)

struct want admin_block_want(const Roost__ToServer *m)
{
    return (struct want){ .user = m->admin_block->user };
}

static int block_row(struct hub *h, const struct request *q, struct guard_row *ret)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    uint64_t seconds = q->msg->admin_block->seconds;
    struct guard_try t = { .skeleton = skeleton, .name = q->user_name, .source = "" };
    int err = name_check(&h->names, q->user_name, norm, sizeof norm, skeleton, sizeof skeleton);

    if (!err)
        err = guard_key(ret->key, GUARD_ADMIN, &t);
    if (seconds > BLOCK_SECONDS_MAX)
        seconds = BLOCK_SECONDS_MAX;
    ret->kind = GUARD_ADMIN;
    ret->n = 1;
    ret->since_ms = h->now.wall_ms;
    ret->until_ms = h->now.wall_ms + (int64_t)seconds * 1000;
    return err;
}

int admin_block_on_message(struct hub *h, struct request *q)
{
    struct guard_row *row = arena_get(&q->mem, sizeof *row);
    struct store_op *op;

    if (!row)
        return -ROOST_NOMEM;
    if (q->user_id == q->account)
        return -ROOST_SELF; /* nobody could lift it */
    if (!q->msg->admin_block->seconds)
        return -ROOST_INVALID;
    int err = block_row(h, q, row);
    if (err)
        return err;
    op = request_do(h, q, STORE_GUARD_PUT);
    if (op) {
        row->name = arena_str(&op->mem, q->user_name);
        row->source = "";
        op->guards = arena_dup(&op->mem, row, sizeof *row);
        op->n_guards = 1;
        if (!row->name || !op->guards)
            op = store_op_unref(op);
    }
    q->state = row;
    q->step = STEP_BLOCK;
    return request_store(h, q, op);
}

void account_sessions_end(struct hub *h, struct request *q, uint64_t account,
                          const struct store_result *r, int err)
{
    for (size_t i = 0; i < r->n_sessions; i++) {
        struct store_op *op = request_look(h, q, STORE_SESSION_END);
        if (op) {
            op->token = 0;
            op->session.id = r->sessions[i].id;
            op->account.id = account;
        }
        hub_store(h, op);
    }
    tell_sessions_end(h, account, 0, 0, err);
}

int admin_block_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (q->step == STEP_BLOCK) {
        struct store_op *op = request_look(h, q, STORE_SESSION_LIST);
        guard_override(h->flights, q->state);
        if (op) {
            op->account.id = q->user_id;
            op->limit = STORE_PAGE_MAX;
        }
        q->step = STEP_LIST;
        return request_store(h, q, op);
    }
    account_sessions_end(h, q, q->user_id, r, ROOST_BLOCKED);
    return reply_done(h, q, NULL);
}

/* --- to lift --- */

static int clear_store(struct hub *h, struct request *q, const struct guard_row *rows, size_t n)
{
    struct store_op *op = request_do(h, q, STORE_GUARD_PUT);

    if (op) {
        op->guards = arena_dup(&op->mem, rows, n * sizeof *rows);
        op->n_guards = n;
        if (!op->guards)
            op = store_op_unref(op);
    }
    q->step = STEP_BLOCK;
    return request_store(h, q, op);
}

/* Rows cleared before they are stored: a try that runs meanwhile counts anew. */
static int clear_one(struct hub *h, struct request *q, const uint8_t key[static 32])
{
    struct guard_row row = { .n = 0, .name = "", .source = "" };

    memcpy(row.key, key, sizeof row.key);
    guard_override(h->flights, &row);
    return clear_store(h, q, &row, 1);
}

int admin_unblock_on_message(struct hub *h, struct request *q)
{
    const Roost__AdminUnblock *b = q->msg->admin_unblock;

    q->about = b->user;
    if (b->key.len == 32)
        return clear_one(h, q, b->key.data);
    if (b->key.len || !*b->user)
        return -ROOST_INVALID;
    q->step = STEP_LIST;
    return request_store(h, q, request_look(h, q, STORE_GUARD_LIST));
}

/* Names are compared as people see them. */
static bool same_name(struct hub *h, const char *skeleton, const char *name)
{
    char norm[NAME_BYTES], other[SKELETON_BYTES];

    return name && *name &&
           name_check(&h->names, name, norm, sizeof norm, other, sizeof other) == 0 &&
           strcmp(skeleton, other) == 0;
}

int admin_unblock_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    const char *name = q->msg->admin_unblock->user;
    size_t n = 0;

    if (q->step == STEP_BLOCK)
        return reply_done(h, q, r);
    int err = name_check(&h->names, *name == '@' ? name + 1 : name, norm, sizeof norm, skeleton,
                         sizeof skeleton);
    if (err)
        return err;
    struct guard_row *rows = arena_get(&q->mem, (r->n_guards + 1) * sizeof *rows);
    if (!rows)
        return -ROOST_NOMEM;
    /* The block of the account itself, even if the list is too long to show it. */
    struct guard_try account = { .skeleton = skeleton, .source = "" };
    err = guard_key(rows[n].key, GUARD_ADMIN, &account);
    if (err)
        return err;
    rows[n].name = rows[n].source = "";
    guard_override(h->flights, &rows[n++]);
    for (size_t i = 0; i < r->n_guards; i++) {
        if (!same_name(h, skeleton, r->guards[i].name))
            continue;
        rows[n] = (struct guard_row){ .kind = r->guards[i].kind, .name = "", .source = "" };
        memcpy(rows[n].key, r->guards[i].key, sizeof rows[n].key);
        guard_override(h->flights, &rows[n++]);
    }
    return clear_store(h, q, rows, n);
}
