/* queue.h - what waits to be sent on one connection: references to parts of blobs.
 *
 * A part may have a time after which nobody wants it (a voice): it goes if it was not begun by
 * then. Bounded by the owner, who asks queue->bytes after each put. A queue of a few parts needs no
 * memory of its own, and none is kept when it is empty. A part that follows the last one in the
 * same blob makes that one longer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

enum {
    QUEUE_INLINE = 4,
    QUEUE_ITEM_COST = 32, /* counted for each part, so that empty ones are bounded too */
};

struct queue_part {
    struct blob *blob;
    uint32_t at, end;
    bool begun;
    int64_t until_us; /* 0: it is sent whenever that is */
};

struct queue {
    struct queue_part *ring; /* few, or heap */
    uint32_t cap, head, n;
    size_t bytes; /* that wait, with QUEUE_ITEM_COST for each part */
    struct queue_part few[QUEUE_INLINE];
};

void queue_init(struct queue *q);
void queue_fini(struct queue *q);

/* len bytes from `at` on. Takes the reference over; on -ROOST_NOMEM too. */
int queue_put(struct queue *q, struct blob *b, uint32_t at, uint32_t len);
/* The whole of a blob, which is of no use after that time. Likewise. */
int queue_put_until(struct queue *q, struct blob *b, int64_t until_us);
/* What is of no use any more goes, the oldest first. Returns how many parts. */
uint32_t queue_drop_late(struct queue *q, int64_t now_us);
/* The next bytes, at most cap: where they are, if that is one piece of a blob, else
 * copied to `room`. They stay there until queue_drop, which must follow. */
const uint8_t *queue_peek(const struct queue *q, uint8_t *room, size_t cap, size_t *ret_len);
/* They were sent: drops what is done with. */
void queue_drop(struct queue *q, size_t len);
