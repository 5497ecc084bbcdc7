#include "server/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void queue_init(struct queue *q)
{
    *q = (struct queue){ .cap = QUEUE_INLINE };
    q->ring = q->few;
}

static struct queue_part *slot(const struct queue *q, uint32_t i)
{
    return &q->ring[(q->head + i) & (q->cap - 1)];
}

static void give_back(struct queue *q)
{
    if (q->ring != q->few)
        free(q->ring);
    queue_init(q);
}

void queue_fini(struct queue *q)
{
    for (uint32_t i = 0; i < q->n; i++)
        blob_unref(slot(q, i)->blob);
    give_back(q);
}

static int grow(struct queue *q)
{
    assert(q->cap > 0);
    struct queue_part *ring = malloc(2 * (size_t)q->cap * sizeof *ring);

    if (!ring)
        return -ROOST_NOMEM;
    for (uint32_t i = 0; i < q->n; i++)
        ring[i] = *slot(q, i);
    if (q->ring != q->few)
        free(q->ring);
    q->ring = ring;
    q->cap *= 2;
    q->head = 0;
    return 0;
}

int queue_put(struct queue *q, struct blob *b, uint32_t at, uint32_t len)
{
    struct queue_part *last = q->n ? slot(q, q->n - 1) : NULL;

    if (last && last->blob == b && last->end == at && !last->until_us) {
        last->end += len;
        q->bytes += len;
        blob_unref(b);
        return 0;
    }
    if (q->n == q->cap && grow(q) < 0) {
        blob_unref(b);
        return -ROOST_NOMEM;
    }
    *slot(q, q->n++) = (struct queue_part){ b, at, at + len, false, 0 };
    q->bytes += len + QUEUE_ITEM_COST;
    return 0;
}

int queue_put_until(struct queue *q, struct blob *b, int64_t until_us)
{
    int err = queue_put(q, b, 0, b->len);

    if (!err)
        slot(q, q->n - 1)->until_us = until_us;
    return err;
}

uint32_t queue_drop_late(struct queue *q, int64_t now_us)
{
    uint32_t kept = 0, dropped;

    for (uint32_t i = 0; i < q->n; i++) {
        struct queue_part p = *slot(q, i);
        if (!p.until_us || p.until_us > now_us || p.begun) {
            *slot(q, kept++) = p;
            continue;
        }
        q->bytes -= p.end - p.at + QUEUE_ITEM_COST;
        blob_unref(p.blob);
    }
    dropped = q->n - kept;
    q->n = kept;
    if (dropped && !kept)
        give_back(q);
    return dropped;
}

const uint8_t *queue_peek(const struct queue *q, uint8_t *room, size_t cap, size_t *ret_len)
{
    size_t got = 0;

    for (uint32_t i = 0; i < q->n && got < cap; i++) {
        const struct queue_part *p = slot(q, i);
        size_t left = p->end - p->at, take = left < cap - got ? left : cap - got;

        if (!got && (q->n == 1 || take == cap)) {
            *ret_len = take;
            return p->blob->bytes + p->at;
        }
        memcpy(room + got, p->blob->bytes + p->at, take);
        got += take;
    }
    *ret_len = got;
    return room;
}

void queue_drop(struct queue *q, size_t len)
{
    while (q->n) {
        struct queue_part *p = slot(q, 0);
        size_t left = p->end - p->at, take = left < len ? left : len;

        q->bytes -= take;
        len -= take;
        p->at += (uint32_t)take;
        p->begun = true;
        if (take < left)
            return;
        q->bytes -= QUEUE_ITEM_COST;
        blob_unref(p->blob);
        q->head = (q->head + 1) & (q->cap - 1);
        q->n--;
    }
    give_back(q);
}
