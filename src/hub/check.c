#include "hub/check.h"

#include <string.h>

#include "seal/digest.h"

static int account_copy(struct arena *a, struct account_row *to, const struct account_row *from)
{
    *to = *from;
    to->name = arena_str(a, from->name);
    to->skeleton = arena_str(a, from->skeleton);
    to->password = arena_str(a, from->password);
    return (from->name && !to->name) || (from->password && !to->password) ? -ROOST_NOMEM : 0;
}

static int give_up(struct hub *h, struct check *c, int err)
{
    guard_end(h->flights, &c->run);
    return err;
}

int check_begin(struct hub *h, struct request *q, struct check *c, const char *name,
                const char *skeleton, const uint8_t device[static 32])
{
    struct guard_try t = { .skeleton = skeleton, .name = name, .source = q->source };

    if (!h->flights)
        h->flights = guard_flights_new(rng_u64(&h->rng));
    if (!h->flights)
        return -ROOST_NOMEM;
    memcpy(t.device, device, sizeof t.device);
    int err = guard_begin(h->flights, &c->run, &t);
    if (err)
        return err;

    struct store_op *op = request_look(h, q, STORE_LOGIN_FIND);
    if (op) {
        op->skeleton = arena_str(&op->mem, skeleton);
        memcpy(op->device, device, sizeof op->device);
        memcpy(op->keys, c->run.keys, sizeof op->keys);
        op->n_keys = GUARD_PLACES;
        if (!op->skeleton)
            op = store_op_unref(op);
    }
    err = request_store(h, q, op);
    return err == HUB_WAIT ? err : give_up(h, c, err);
}

int check_begin_own(struct hub *h, struct request *q, struct check *c)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    uint8_t id[8], device[32];

    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)(q->session >> 8 * i);
    int err = seal_sha256(device, (struct seal_part[]){ { "own session", 12 }, { id, sizeof id } },
                          2);
    if (!err)
        err = name_check(&h->names, q->name, norm, sizeof norm, skeleton, sizeof skeleton);
    c->own_session = true;
    return err ? err : check_begin(h, q, c, q->name, skeleton, device);
}

int check_on_found(struct hub *h, struct request *q, struct check *c, const struct store_result *r,
                   const char *password)
{
    if (r->err)
        return give_up(h, c, r->err);
    guard_on_rows(h->flights, &c->run, r->guards, r->n_guards);
    int err = account_copy(&q->mem, &c->account, &r->account_row);
    if (!err)
        err = guard_admit(h->flights, &c->run, c->own_session || r->known_device, &h->config,
                          h->now.wall_ms, &q->retry_after_ms);
    if (!err) {
        bool real = c->account.id && c->account.password && *c->account.password;
        err = request_hash(h, q, password, real ? c->account.password : NULL);
    }
    return err == HUB_WAIT ? err : give_up(h, c, err);
}

static struct store_op *rows_put(struct hub *h, struct request *q, const struct guard_row *rows,
                                 size_t n)
{
    struct store_op *op = request_look(h, q, STORE_GUARD_PUT);
    struct guard_row *copies = op ? arena_dup(&op->mem, rows, n * sizeof *rows) : NULL;

    if (!copies)
        return store_op_unref(op);
    for (size_t i = 0; i < n; i++) {
        copies[i].name = arena_str(&op->mem, rows[i].name);
        copies[i].source = arena_str(&op->mem, rows[i].source);
        if (!copies[i].name || !copies[i].source)
            return store_op_unref(op);
    }
    op->guards = copies;
    op->n_guards = n;
    return op;
}

int check_on_hashed(struct hub *h, struct request *q, struct check *c, bool ok)
{
    struct guard_row rows[GUARD_PLACES];

    if (q->unhashed)
        return give_up(h, c, -ROOST_BUSY);
    if (ok && c->account.id) {
        int64_t shut_ms = guard_shut_ms(h->flights, &c->run, h->now.wall_ms);
        if (shut_ms) {
            q->retry_after_ms = (uint64_t)shut_ms;
            return give_up(h, c, -ROOST_BLOCKED);
        }
        size_t n = guard_succeeded(h->flights, &c->run, &h->config, h->now.wall_ms, rows);
        struct store_op *op = n ? rows_put(h, q, rows, n) : NULL;
        if (op) {
            op->token = 0; /* nobody waits; lost, it only leaves an old count */
            hub_store(h, op);
        }
        return give_up(h, c, HUB_DONE);
    }
    size_t n = guard_failed(h->flights, &c->run, &h->config, h->now.wall_ms, rows);
    int err = request_store(h, q, rows_put(h, q, rows, n));
    return give_up(h, c, err);
}

int check_on_failed(const struct store_result *r)
{
    return r->err ? r->err : -ROOST_LOGIN_WRONG;
}

int password_length(const char *password)
{
    size_t len = strlen(password);

    return len < PASSWORD_MIN || len > PASSWORD_MAX ? -ROOST_PASSWORD_WEAK : 0;
}

int digest_without_password(struct request *q, const char *const parts[static 4])
{
    struct seal_part all[5] = { { q->rule->kind, strlen(q->rule->kind) + 1 } };
    uint8_t sum[32];

    for (int i = 0; i < 4; i++)
        if (parts[i])
            all[1 + i] = (struct seal_part){ parts[i], strlen(parts[i]) + 1 };
    int err = seal_sha256(sum, all, 5);
    if (!err)
        memcpy(q->digest, sum, sizeof q->digest);
    return err;
}
