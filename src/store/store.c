#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/batch.h"

struct store_op *store_op_new(enum store_kind kind, int64_t now_ms)
{
    struct store_op *op = calloc(1, sizeof *op);

    if (!op)
        return NULL;
    op->kind = kind;
    op->refs = 1;
    op->now_ms = now_ms;
    op->owner_epoch = 1;
    return op;
}

/* The count is atomic: an operation is held by the loop and by the store thread. */
struct store_op *store_op_ref(struct store_op *op)
{
    __atomic_fetch_add(&op->refs, 1, __ATOMIC_RELAXED);
    return op;
}

struct store_op *store_op_unref(struct store_op *op)
{
    if (op && __atomic_sub_fetch(&op->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        arena_fini(&op->mem);
        free(op);
    }
    return NULL;
}

struct store_result *store_result_new(const struct store_op *op)
{
    struct store_result *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->kind = op->kind;
    r->token = op->token;
    return r;
}

void store_result_free(struct store_result *r)
{
    if (!r)
        return;
    arena_fini(&r->mem);
    free(r);
}

void store_result_fail(struct store_result *r, int err)
{
    arena_fini(&r->mem);
    *r = (struct store_result){ .kind = r->kind, .token = r->token, .err = err };
}

static int fail_all(struct store_op **ops, size_t n, struct store_result **ret, int err)
{
    for (size_t i = 0; i < n; i++) {
        if (!ret[i])
            ret[i] = store_result_new(ops[i]);
        if (!ret[i])
            goto nomem;
        store_result_fail(ret[i], err);
    }
    return err;
nomem:
    for (size_t i = 0; i < n; i++) {
        store_result_free(ret[i]);
        ret[i] = NULL;
    }
    return -ROOST_NOMEM;
}

static int run_once(struct store *s, struct store_op **ops, size_t n, struct store_result **ret)
{
    int err = s->ops->begin(s);

    if (err)
        return err;
    for (size_t i = 0; i < n; i++) {
        ret[i] = s->ops->apply(s, ops[i]);
        if (!ret[i]) {
            s->ops->rollback(s);
            return -ROOST_NOT_STORED;
        }
    }
    return s->ops->commit(s);
}

static bool is_fine(const struct store *s)
{
    return !s->ops->health || s->ops->health(s, NULL) == STORE_FINE;
}

int store_run_batch(struct store *s, struct store_op **ops, size_t n, struct store_result **ret)
{
    bool was_fine = is_fine(s);

    memset(ret, 0, n * sizeof *ret);
    int err = run_once(s, ops, n, ret);
    if (err && was_fine && !is_fine(s)) {
        /* it cannot be written any more: what only reads is answered all the same */
        for (size_t i = 0; i < n; i++) {
            store_result_free(ret[i]);
            ret[i] = NULL;
        }
        err = run_once(s, ops, n, ret);
    }
    return err ? fail_all(ops, n, ret, err) : 0;
}

uint32_t store_page(const struct store_op *op, uint32_t normal)
{
    uint32_t limit = op->limit ? op->limit : normal;

    return limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
}

uint64_t store_log_account(const struct store_op *op, const struct store_result *r)
{
    return op->log.account || r->err ? op->log.account : r->account;
}

void *store_grow(struct arena *a, void *array, size_t n, size_t size)
{
    if (n & (n - 1))
        return array; /* the last doubling still has room */

    void *bigger = arena_get(a, (n ? n * 2 : 1) * size);
    if (bigger && n)
        memcpy(bigger, array, n * size);
    return bigger;
}

bool store_closed_takes(const struct event *e)
{
    return e->kind == EVENT_MEMBER && e->change == ROOST__MEMBER_CHANGED__CHANGE__LEFT;
}

int store_file_moves(const struct file_row *from, uint32_t to)
{
    bool goes_on = from->stage == ROOST__FILE_STAGE__FILE_OFFERED ||
                   from->stage == ROOST__FILE_STAGE__FILE_ACCEPTED;
    bool kept = from->stage == ROOST__FILE_STAGE__FILE_DONE && from->kept;

    if (to == ROOST__FILE_STAGE__FILE_FORGOTTEN)
        return kept ? 0 : -ROOST_FILE_OVER;
    return goes_on ? 0 : -ROOST_FILE_OVER;
}

bool store_file_same(const struct file_row *a, const struct file_row *b)
{
    return a->has_root && b->has_root && memcmp(a->root, b->root, sizeof a->root) == 0 &&
           a->has_list == b->has_list && memcmp(a->list_root, b->list_root, sizeof a->root) == 0;
}
