/* request.c - the life of a request: from its bytes to its one answer.
 *
 * Every request ends in exactly one reply and, but for the quiet ones, one line
 * of the log. A refusal of a request that changes something asks the store
 * first whether the same id was done before: then that answer stands, even if
 * the right has gone since.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "hub/internal.h"
#include "seal/digest.h"

enum { TARGET_PART = 127 }; /* bytes of a name in the log */

struct conn *request_conn(struct hub *h, const struct request *q)
{
    struct conn *c = conn_of(h, q->conn);

    /* Somebody else may have logged in on it meanwhile. */
    return c && (!q->account || c->session == q->session) ? c : NULL;
}

static struct store_op *op_for(struct hub *h, struct request *q, enum store_kind kind)
{
    struct store_op *op = store_op_new(kind, h->now.wall_ms);

    if (!op)
        return NULL;
    op->token = q->token;
    op->owner_epoch = 1;
    op->patient = q->conn && !q->account; /* a stranger's: see storer.c */
    return op;
}

struct store_op *request_look(struct hub *h, struct request *q, enum store_kind kind)
{
    return op_for(h, q, kind);
}

/* Behind what is there; pure folders have no printf. */
static void add_text(char *text, const char *more)
{
    strncat(text, more, utf8_fit(more, TARGET_PART));
}

static void add_number(char *text, const char *sign, uint64_t n)
{
    char digits[24];
    size_t at = sizeof digits;

    digits[--at] = 0;
    for (; n; n /= 10)
        digits[--at] = (char)('0' + n % 10);
    strcat(text, sign);
    strcat(text, digits + at);
}

/* "#maths", "@ann", "#7:12", "#maths ann": what the request was about, for the log. */
static char *log_target(struct arena *a, const struct request *q)
{
    struct want w = q->rule->want ? q->rule->want(q->msg) : (struct want){ 0 };
    const char *place = w.target && w.target->name ? w.target->name : "";
    const char *about = w.user ? w.user : q->about ? q->about : "";
    char *text = arena_get(a, 2 * TARGET_PART + 64);

    if (!text)
        return NULL;
    if (*place)
        add_text(text, place);
    else if (q->room_id)
        add_number(text, "#", q->room_id);
    if (w.seq)
        add_number(text, ":", w.seq);
    if (*about)
        add_text(strcat(text, *text ? " " : ""), about);
    return text;
}

static void log_fill(struct store_op *op, const struct request *q)
{
    op->log.kind = q->rule->kind; /* static text */
    op->log.account = q->account;
    op->log.address = arena_str(&op->mem, q->address);
    op->log.target = log_target(&op->mem, q);
}

struct store_op *request_do(struct hub *h, struct request *q, enum store_kind kind)
{
    struct store_op *op = op_for(h, q, kind);

    if (!op)
        return NULL;
    if (q->rule->flags & RULE_CHANGES) {
        op->req.has_id = true;
        op->req.scope = q->account;
        memcpy(op->req.id, q->id, sizeof q->id);
        memcpy(op->req.digest, q->digest, sizeof q->digest);
    }
    log_fill(op, q);
    q->logged = true;
    return op;
}

int request_store(struct hub *h, struct request *q, struct store_op *op)
{
    (void)q;
    if (!op || outbox_store(h->out, op) < 0)
        return -ROOST_NOMEM;
    return HUB_WAIT;
}

void hub_store(struct hub *h, struct store_op *op)
{
    if (op)
        outbox_store(h->out, op);
}

int request_hash(struct hub *h, struct request *q, const char *password, const char *verify_encoded)
{
    struct hub_hash hash = { .token = q->token, .verify = verify_encoded != NULL };

    if (h->hashes >= h->config.hashes_max) {
        q->retry_after_ms = 1000;
        return -ROOST_BUSY;
    }
    hash.password = strdup(password);
    hash.encoded = verify_encoded ? strdup(verify_encoded) : NULL;
    rng_fill(&h->rng, hash.salt, sizeof hash.salt);
    if (!hash.password || (verify_encoded && !hash.encoded) || outbox_hash(h->out, &hash) < 0) {
        hub_hash_fini(&hash);
        return -ROOST_NOMEM;
    }
    h->hashes++;
    return HUB_WAIT;
}

void request_free(struct hub *h, struct request *q)
{
    struct conn *c = conn_of(h, q->conn);

    if (c && c->pending)
        c->pending--;
    map_take(&h->requests, q->token);
    arena_fini(&q->mem);
    free(q);
}

void request_refuse(struct hub *h, struct request *q, int err)
{
    bool look = !q->logged && (q->rule->flags & RULE_CHANGES) && q->has_id &&
                err != -ROOST_CONFLICT;
    struct store_op *op = NULL;

    q->step = err;
    if (!q->logged && !(q->rule->flags & RULE_QUIET) && err != -ROOST_NOMEM) {
        op = request_do(h, q, STORE_LOG);
        if (op) {
            op->log.outcome = err;
            if (!look)
                op->token = 0;
        }
    }
    if (op && look && request_store(h, q, op) == HUB_WAIT) {
        q->in_room = false;
        q->rule = rule_of(NULL); /* its result is only asked whether it was done before */
        return;
    }
    if (op && !look)
        hub_store(h, op);
    reply_error(h, q, err);
    request_free(h, q);
}

void request_settle(struct hub *h, struct request *q, int outcome)
{
    if (outcome == HUB_WAIT)
        return;
    if (outcome < 0) {
        request_refuse(h, q, outcome);
        return;
    }
    if (!q->logged && !(q->rule->flags & RULE_QUIET)) {
        struct store_op *op = request_do(h, q, STORE_LOG);
        if (op) {
            op->token = 0;
            op->req.has_id = false;
        }
        hub_store(h, op);
    }
    request_free(h, q);
}

void request_on_result(struct hub *h, struct request *q, struct store_result *r)
{
    if (q->rule == rule_of(NULL)) { /* refused: was it done before? */
        if (r->dup && !r->err)
            reply_done(h, q, r);
        else
            reply_error(h, q, r->err == -ROOST_CONFLICT ? r->err : q->step);
        request_free(h, q);
        return;
    }
    if (!resolve_on_stored(h, q, r))
        shard_on_stored(h, q, r);
}

static int request_fill(struct request *q, const struct conn *c, const uint8_t *body, size_t len)
{
    uint8_t sum[32];
    int err = 0;

    q->msg = msg_to_server_decode(&q->mem, body, len, &err);
    if (!q->msg)
        return err;
    if (q->msg->id.len == sizeof q->id) {
        q->has_id = true;
        memcpy(q->id, q->msg->id.data, sizeof q->id);
        if (seal_sha256(sum, &(struct seal_part){ body, len }, 1) < 0)
            return -ROOST_NOMEM;
        memcpy(q->digest, sum, sizeof q->digest);
    }
    q->address = arena_str(&q->mem, c->peer.address);
    q->source = arena_str(&q->mem, c->peer.source);
    q->local = c->peer.local;
    q->name = "";
    if (c->user) {
        q->account = c->user->account;
        q->session = c->session;
        q->name = arena_str(&q->mem, c->user->name);
        q->role = c->user->role;
        q->guest = c->user->guest;
        q->guest_of = c->user->guest_of;
    }
    return q->address && q->source && q->name ? 0 : -ROOST_NOMEM;
}

/* What can be said of a request before anything is looked up. */
static int request_check(struct hub *h, struct request *q, struct conn *c)
{
    bool hello = q->msg->body_case == ROOST__TO_SERVER__BODY_HELLO;

    if (h->draining)
        return -ROOST_SHUTTING_DOWN;
    if (!c->greeted && !hello)
        return -ROOST_VERSION;
    if ((q->rule->flags & RULE_CHANGES) && !q->has_id)
        return -ROOST_INVALID;
    if (q->rule->right != RIGHT_NONE && !c->user)
        return -ROOST_LOGIN_NEEDED;
    if (q->guest && q->rule->right != RIGHT_NONE && !(q->rule->flags & RULE_GUESTS))
        return -ROOST_GUEST;
    if (q->rule->right == RIGHT_ADMIN && q->role != ROOST__ROLE__ADMIN)
        return -ROOST_NOT_ALLOWED;
    return 0;
}

struct request *request_internal(struct hub *h, const struct rule *rule)
{
    static const Roost__ToServer nothing = ROOST__TO_SERVER__INIT;
    bool crowded = h->requests.n >= REQUESTS_MAX;
    struct request *q = crowded ? NULL : calloc(1, sizeof *q);

    if (!q)
        return NULL;
    q->msg = &nothing;
    q->rule = rule;
    q->token = h->next_token++;
    q->name = q->address = q->source = "";
    q->resolved = true;
    if (map_put(&h->requests, q->token, q) == 0)
        return q;
    free(q);
    return NULL;
}

void request_begin(struct hub *h, struct conn *c, const uint8_t *body, size_t len)
{
    struct request *q = calloc(1, sizeof *q);
    int err = q ? request_fill(q, c, body, len) : -ROOST_NOMEM;

    if (err == -ROOST_NOMEM || err == -ROOST_MALFORMED) {
        static const Roost__ToServer nothing = ROOST__TO_SERVER__INIT;
        if (q) { /* tell, then end: nothing that follows can be trusted */
            q->msg = &nothing;
            q->conn = c->id;
            q->account = 0;
            reply_error(h, q, err);
            arena_fini(&q->mem);
            free(q);
        }
        hub_close(h, c);
        return;
    }
    h->stats.requests++;
    q->conn = c->id;
    q->token = h->next_token++;
    q->rule = rule_of(q->msg);
    bool crowded = c->pending >= CONN_PENDING_MAX || h->requests.n >= REQUESTS_MAX;
    if (!q->rule || crowded || map_put(&h->requests, q->token, q) < 0) {
        q->retry_after_ms = q->rule ? 100 : 0;
        reply_error(h, q, q->rule ? -ROOST_BUSY : -ROOST_UNSUPPORTED);
        arena_fini(&q->mem);
        free(q);
        return;
    }
    c->pending++;
    if (c->user && q->rule->right != RIGHT_NONE) {
        if (h->now.mono_us - c->user->active_us > 60 * 1000000LL)
            user_changed(h, c->user); /* back from being idle */
        c->user->active_us = h->now.mono_us;
    }
    err = request_check(h, q, c);
    if (err)
        request_settle(h, q, err);
    else
        resolve_start(h, q);
}
