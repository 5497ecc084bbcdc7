/* retention.c - texts that are older than their room keeps them go: soon after the start, for
 * a server that is often switched off, and then once an hour.
 *
 * Walks over all rooms a page at a time, so that a large server is never busy
 * with it; the last operation of a walk also clears old requests and sessions.
 */
#include "hub/internal.h"

#define RETAIN_US (3600 * 1000000LL)
#define FIRST_US  (300 * 1000000LL)
#define DAY_MS    86400000LL

void retention_init(struct hub *h)
{
    h->retained_us = h->now.mono_us + FIRST_US - RETAIN_US;
}

static void walk_from(struct hub *h, uint64_t room)
{
    struct store_op *op = store_op_new(STORE_ROOM_LIST, h->now.wall_ms);

    if (op) {
        op->after = room;
        op->limit = STORE_PAGE_MAX;
    }
    hub_store(h, op);
}

static void retain(struct hub *h, uint64_t room, int64_t before_ms)
{
    struct store_op *op = store_op_new(STORE_RETAIN, h->now.wall_ms);

    if (op) {
        op->room.id = room;
        op->before_ms = before_ms;
    }
    hub_store(h, op);
}

int64_t retention_deadline_us(const struct hub *h)
{
    return h->retained_us + RETAIN_US;
}

void retention_expire(struct hub *h)
{
    if (h->now.mono_us < retention_deadline_us(h))
        return;
    h->retained_us = h->now.mono_us;
    walk_from(h, 0);
    files_retain(h);
}

void retention_on_stored(struct hub *h, const struct store_result *r)
{
    uint64_t last = 0;

    for (size_t i = 0; i < r->n_places; i++) {
        const struct room_row *room = &r->places[i].room;
        last = room->id;
        if (room->retention_days)
            retain(h, room->id, h->now.wall_ms - room->retention_days * DAY_MS);
    }
    if (r->more && last)
        walk_from(h, last);
    else
        retain(h, 0, 0);
}
