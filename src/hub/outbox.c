/* outbox.c - what the hub wants done, in order, until the edge pulls it.
 *
 * A fan-out to a thousand is a thousand small items, so an item is four words
 * and a hash job lives behind a pointer.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/internal.h"
#include "seal/digest.h"

struct out_item {
    enum hub_output_kind kind;
    uint32_t at, len; /* of a blob */
    uint64_t conn;
    void *thing; /* blob, op, hash or title */
    int err;     /* HUB_TITLE, HUB_FILE */
};

struct outbox {
    struct out_item *items; /* a ring */
    size_t cap, head, n;
};

enum { CAP_FIRST = 64 };

struct outbox *outbox_new(void)
{
    return calloc(1, sizeof(struct outbox));
}

void hub_hash_fini(struct hub_hash *hash)
{
    if (hash->password) {
        seal_wipe(hash->password, strlen(hash->password));
        free(hash->password);
    }
    free(hash->encoded);
    *hash = (struct hub_hash){ 0 };
}

void outbox_free(struct outbox *o)
{
    struct hub_output out;

    if (!o)
        return;
    while (outbox_next(o, &out)) {
        blob_unref(out.bytes);
        store_op_unref(out.op);
        hub_hash_fini(&out.hash);
        hub_keep_fini(&out.keep);
        hub_depot_fini(&out.depot);
        free(out.title);
        seal_wipe(&out.datagrams, sizeof out.datagrams);
    }
    free(o->items);
    free(o);
}

static int grow(struct outbox *o)
{
    size_t cap = o->cap ? o->cap * 2 : CAP_FIRST;
    struct out_item *items = malloc(cap * sizeof *items);

    if (!items)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < o->n; i++)
        items[i] = o->items[(o->head + i) & (o->cap - 1)];
    free(o->items);
    o->items = items;
    o->cap = cap;
    o->head = 0;
    return 0;
}

static int push_item(struct outbox *o, struct out_item item)
{
    int err = o->n == o->cap ? grow(o) : 0;

    if (!err)
        o->items[(o->head + o->n++) & (o->cap - 1)] = item;
    return err;
}

static int push(struct outbox *o, enum hub_output_kind kind, uint64_t conn, void *thing)
{
    return push_item(o, (struct out_item){ .kind = kind, .conn = conn, .thing = thing });
}

int outbox_send(struct outbox *o, uint64_t conn, struct blob *bytes, uint32_t at, uint32_t len)
{
    int err = push_item(o, (struct out_item){ HUB_SEND, at, len, conn, bytes });

    if (!err)
        blob_ref(bytes);
    return err;
}

int outbox_close(struct outbox *o, uint64_t conn)
{
    return push(o, HUB_CLOSE, conn, NULL);
}

int outbox_store(struct outbox *o, struct store_op *op)
{
    int err = push(o, HUB_STORE, 0, op);

    if (err)
        store_op_unref(op);
    return err;
}

int outbox_hash(struct outbox *o, const struct hub_hash *hash)
{
    struct hub_hash *copy = malloc(sizeof *copy);
    int err = copy ? push(o, HUB_HASH, 0, copy) : -ROOST_NOMEM;

    if (!err)
        *copy = *hash;
    else
        free(copy);
    return err;
}

int outbox_keep(struct outbox *o, const struct hub_keep *keep)
{
    struct hub_keep *copy = malloc(sizeof *copy);
    int err = copy ? push(o, HUB_KEEP, 0, copy) : -ROOST_NOMEM;

    if (!err)
        *copy = *keep;
    else
        free(copy);
    return err;
}

void hub_depot_fini(struct hub_depot *d)
{
    free(d->name);
    seal_wipe(d, sizeof *d);
}

int outbox_depot(struct outbox *o, const struct hub_depot *d)
{
    struct hub_depot *copy = malloc(sizeof *copy);
    int err = copy ? push(o, HUB_DEPOT, 0, copy) : -ROOST_NOMEM;

    if (!err)
        *copy = *d;
    else
        free(copy);
    return err;
}

int outbox_datagrams(struct outbox *o, const struct hub_datagrams *d)
{
    struct hub_datagrams *copy = malloc(sizeof *copy);
    int err = copy ? push(o, HUB_DATAGRAMS, d->conn, copy) : -ROOST_NOMEM;

    if (!err)
        *copy = *d;
    else
        free(copy);
    return err;
}

int outbox_leg(struct outbox *o, const struct hub_leg *leg)
{
    struct hub_leg *copy = malloc(sizeof *copy);
    int err = copy ? push(o, HUB_LEG, 0, copy) : -ROOST_NOMEM;

    if (!err)
        *copy = *leg;
    else
        free(copy);
    return err;
}

int outbox_title(struct outbox *o, uint64_t conn, const char *title, int err)
{
    char *copy = strdup(title ? title : "");
    int failed = copy ? push(o, HUB_TITLE, conn, copy) : -ROOST_NOMEM;

    if (failed)
        free(copy);
    else
        o->items[(o->head + o->n - 1) & (o->cap - 1)].err = title ? 0 : err;
    return failed;
}

int outbox_file(struct outbox *o, uint64_t conn, const struct hub_depot *d, int err)
{
    struct hub_depot *copy = malloc(sizeof *copy);
    int failed = copy ? push(o, HUB_FILE, conn, copy) : -ROOST_NOMEM;

    if (failed) {
        free(copy);
        return failed;
    }
    *copy = d ? *d : (struct hub_depot){ 0 };
    o->items[(o->head + o->n - 1) & (o->cap - 1)].err = err;
    return 0;
}

bool outbox_next(struct outbox *o, struct hub_output *ret)
{
    *ret = (struct hub_output){ 0 };
    if (!o->n)
        return false;

    struct out_item item = o->items[o->head];
    o->head = (o->head + 1) & (o->cap - 1);
    o->n--;
    ret->kind = item.kind;
    ret->conn = item.conn;
    switch (item.kind) {
    case HUB_SEND:
        ret->bytes = item.thing;
        ret->at = item.at;
        ret->len = item.len;
        break;
    case HUB_STORE:
        ret->op = item.thing;
        break;
    case HUB_HASH:
        ret->hash = *(struct hub_hash *)item.thing;
        free(item.thing);
        break;
    case HUB_KEEP:
        ret->keep = *(struct hub_keep *)item.thing;
        free(item.thing);
        break;
    case HUB_FILE:
    case HUB_DEPOT:
        ret->err = item.err;
        ret->depot = *(struct hub_depot *)item.thing;
        seal_wipe(item.thing, sizeof ret->depot);
        free(item.thing);
        break;
    case HUB_DATAGRAMS:
        ret->datagrams = *(struct hub_datagrams *)item.thing;
        seal_wipe(item.thing, sizeof ret->datagrams);
        free(item.thing);
        break;
    case HUB_LEG:
        ret->leg = *(struct hub_leg *)item.thing;
        free(item.thing);
        break;
    case HUB_TITLE:
        ret->err = item.err;
        ret->title = item.thing;
        break;
    case HUB_CLOSE:
        break;
    }
    return true;
}
