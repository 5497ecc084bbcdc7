/* queue.h - what waits to be sent on one connection: references to blobs.
 *
 * Bounded by the owner, who asks queue->bytes after each put. A queue of a few
 * blobs needs no memory of its own, and none is kept when it is empty.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

enum {
    QUEUE_INLINE = 4,
    QUEUE_ITEM_COST = 32, /* counted for each blob, so that empty ones are bounded too */
};

struct queue {
    struct blob **ring; /* few, or heap */
    uint32_t cap, head, n;
    uint32_t offset; /* bytes of the first blob that are gone already */
    size_t bytes;    /* that wait, with QUEUE_ITEM_COST for each blob */
    struct blob *few[QUEUE_INLINE];
};

void queue_init(struct queue *q);
void queue_fini(struct queue *q);

/* Takes the reference over; on -ROOST_NOMEM too. */
int queue_put(struct queue *q, struct blob *b);
/* Copies up to cap bytes out and drops what is done with. */
size_t queue_take(struct queue *q, uint8_t *out, size_t cap);
