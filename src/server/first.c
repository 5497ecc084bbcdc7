#include "server/first.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/log.h"
#include "store/batch.h"

#define FILE_NAME "first-admin"

enum { FILE_MAX = 1024, SOON_MS = 3600000 /* an old one is worth showing if it lasts so long */ };

/* Runs one operation, whose reference it takes; NULL when it was not done. */
static struct store_result *run_one(struct store *store, struct store_op *op)
{
    struct store_result *r = NULL;

    if (!op)
        return NULL;
    store_run_batch(store, &op, 1, &r);
    store_op_unref(op);
    if (!r || !r->err)
        return r;
    log_error("cannot use the database: %s", err_text(r->err));
    store_result_free(r);
    return NULL;
}

/* Looks at a page of accounts; 0 with *ret_last = 0 behind the last one. */
static int page_has_admin(struct store *store, int64_t now_ms, uint64_t after, uint64_t *ret_last,
                          bool *ret)
{
    struct store_op *op = store_op_new(STORE_ACCOUNT_LIST, now_ms);

    if (op) {
        op->after = after;
        op->limit = STORE_PAGE_MAX;
    }
    struct store_result *r = run_one(store, op);
    if (!r)
        return -ROOST_IO;
    for (size_t i = 0; i < r->n_accounts; i++)
        *ret = *ret || (r->accounts[i].role == ROOST__ROLE__ADMIN && !r->accounts[i].deleted);
    *ret_last = r->more && r->n_accounts ? r->accounts[r->n_accounts - 1].id : 0;
    store_result_free(r);
    return 0;
}

static int has_admin(struct store *store, int64_t now_ms, bool *ret)
{
    uint64_t last = 0;
    int err;

    *ret = false;
    do
        err = page_has_admin(store, now_ms, last, &last, ret);
    while (!err && !*ret && last);
    return err;
}

/* The invitation of an earlier start, if it is still good. */
static bool load(struct first *f, const struct datadir *d, int64_t now_ms)
{
    char text[FILE_MAX];
    long n = datadir_read(d, FILE_NAME, text, sizeof text - 1);
    int64_t until_ms;

    if (n <= 0)
        return false;
    text[n] = 0;
    return sscanf(text, "token %47s\nuntil_ms %" SCNd64, f->token, &until_ms) == 2 &&
           until_ms > now_ms + SOON_MS;
}

static int make(struct first *f, const struct datadir *d, struct hub *hub, struct store *store,
                struct now now)
{
    char text[FILE_MAX];
    struct store_op *op = hub_first_admin(hub, f->token, now);
    int64_t until_ms = op ? op->until_ms : 0;
    struct store_result *r = run_one(store, op);

    if (!r)
        return -ROOST_IO;
    store_result_free(r);
    int n = snprintf(text, sizeof text,
                     "token %s\nuntil_ms %" PRId64 "\n\n"
                     "Makes the first admin of this server, once:\n"
                     "roost -s HOST:PORT register NAME --invite %s\n",
                     f->token, until_ms, f->token);
    return datadir_write(d, FILE_NAME, text, (size_t)n);
}

int first_init(struct first *f, const struct datadir *d, struct hub *hub, struct store *store,
               struct now now)
{
    bool any;
    int err = has_admin(store, now.wall_ms, &any);

    *f = (struct first){ 0 };
    datadir_path(d, FILE_NAME, f->path);
    if (err)
        return err;
    if (any) {
        datadir_remove(d, FILE_NAME);
        return 0;
    }
    if (load(f, d, now.wall_ms))
        return 0;
    return make(f, d, hub, store, now);
}

void first_print(const struct first *f, const char *host, unsigned port)
{
    printf("There is no admin yet. This makes the first admin, once (also in %s):\n"
           "  roost -s %s:%u register NAME --invite %s\n",
           f->path, host, port, f->token);
}
