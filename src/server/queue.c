#include "server/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void queue_init(struct queue *q)
{
    *q = (struct queue){ .cap = QUEUE_INLINE };
    q->ring = q->few;
}

static struct blob **slot(struct queue *q, uint32_t i)
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
        blob_unref(*slot(q, i));
    give_back(q);
}

static int grow(struct queue *q)
{
    struct blob **ring = malloc(2 * (size_t)q->cap * sizeof *ring);

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

int queue_put(struct queue *q, struct blob *b)
{
    int err = q->n == q->cap ? grow(q) : 0;

    if (err) {
        blob_unref(b);
        return err;
    }
    *slot(q, q->n++) = b;
    q->bytes += b->len + QUEUE_ITEM_COST;
    return 0;
}

size_t queue_take(struct queue *q, uint8_t *out, size_t cap)
{
    size_t got = 0;

    while (q->n) {
        struct blob *b = *slot(q, 0);
        size_t left = b->len - q->offset, take = left < cap - got ? left : cap - got;

        memcpy(out + got, b->bytes + q->offset, take);
        got += take;
        q->bytes -= take;
        if (take < left) {
            q->offset += (uint32_t)take;
            return got;
        }
        q->bytes -= QUEUE_ITEM_COST;
        q->head = (q->head + 1) & (q->cap - 1);
        q->n--;
        q->offset = 0;
        blob_unref(b);
    }
    give_back(q);
    return got;
}
