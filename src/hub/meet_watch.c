/* meet_watch.c - the time of meetings: read at the start, looked at every second.
 *
 * A meeting with somebody in it stays loaded, so its time runs; after a restart all
 * live ones are read, page by page, and the time of those who were in begins
 * again. Codes of meetings that nobody is in are looked at every ten minutes.
 */
#include "hub/handlers_meet.h"

#define WALK_US (600 * 1000000LL)
#define TICK_US 1000000LL

static void walk_from(struct hub *h, uint64_t room)
{
    struct store_op *op = store_op_new(STORE_MEET_LIST, h->now.wall_ms);

    if (op) {
        op->after = room;
        op->limit = STORE_PAGE_MAX;
    }
    hub_store(h, op);
}

void meetings_on_stored(struct hub *h, const struct store_result *r)
{
    uint64_t last = 0;

    for (size_t i = 0; i < r->n_meets; i++) {
        const struct meet_row *row = &r->meets[i];
        last = row->room;
        if (!h->meetings_read || (row->until_ms && row->until_ms <= h->now.wall_ms))
            shard_wake(h, row->room);
    }
    if (r->more && last)
        walk_from(h, last);
    else if (!r->err)
        h->meetings_read = true;
}

int meet_tick_on_message(struct hub *h, struct request *q)
{
    struct meet_change *c = arena_get(&q->mem, sizeof *c);

    if (!q->room->meeting)
        return HUB_DONE;
    if (!c)
        return -ROOST_NOMEM;
    meet_change_begin(c, &q->mem, q->room->meeting, ROOST__MEET_ACTION__LOST, 0, h->now.wall_ms);
    int err = meet_tick(q->room->meeting, h->now.mono_us, c);
    if (q->room->meeting->keep_us <= h->now.mono_us)
        q->room->meeting->keep_us = 0; /* what fails is tried with the next figures */
    return err == 1 ? HUB_DONE : err ? err : meet_store(h, q, c);
}

int meet_tick_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (!r->err)
        meet_changed(h, q, r);
    return r->err ? r->err : HUB_DONE;
}

static void tick(struct hub *h, struct room *r)
{
    static const struct rule rule = {
        .kind = "meet_time",
        .right = RIGHT_NONE,
        .flags = RULE_BARRIER | RULE_QUIET,
        .on_message = meet_tick_on_message,
        .on_stored = meet_tick_on_stored,
    };

    if (meet_due_us(r->meeting, h->now.mono_us, h->now.wall_ms) > h->now.mono_us)
        return;
    struct request *q = request_internal(h, &rule);
    if (!q)
        return; /* the next second asks again */
    q->room_id = r->id;
    shard_enter(h, q);
}

int64_t meetings_deadline_us(const struct hub *h)
{
    int64_t walk = h->meetings_us ? h->meetings_us + WALK_US : h->now.mono_us;

    return walk; /* ticks come with the sweep, once a second while anything is loaded */
}

void meetings_expire(struct hub *h)
{
    if (h->draining)
        return;
    if (!h->meetings_us || h->now.mono_us >= h->meetings_us + WALK_US) {
        h->meetings_us = h->now.mono_us;
        walk_from(h, 0);
    }
    if (h->now.mono_us - h->ticked_us >= TICK_US) {
        h->ticked_us = h->now.mono_us;
        shard_each_meeting(h, tick);
    }
}
