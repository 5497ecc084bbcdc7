/* core_room.c - rooms that are followed: each event once and in order.
 *
 * On a fresh connection nothing of a room comes before its Sync, so what comes
 * is given at once, holes and all (old events go away). After a gap on a live
 * connection, events that were under way arrive before those that the Sync
 * brings: they are held, sorted, until the Sync is answered.
 *
 * Few Syncs are under way at a time, the room that has waited longest first: each
 * may bring 256 KiB, and a server closes a connection on which more waits than its
 * queue holds (1 MiB), so asking for all rooms at once would never end.
 */
#include "client/core_internal.h"

#include <stdlib.h>

enum { SYNC_LIMIT = 200, SYNCS_MAX = 2 };

static void free_held(struct room_cursor *r)
{
    while (r->held.head) {
        struct item *i = r->held.head;
        list_take(&r->held, &r->held.head);
        item_free(i);
    }
}

static void room_free(struct core *c, struct room_cursor *r)
{
    map_take(&c->rooms, r->room);
    free_held(r);
    free(r);
}

void room_free_all(struct core *c)
{
    size_t at = 0;

    for (struct map_slot *s; (s = map_next(&c->rooms, &at));) {
        struct room_cursor *r = s->value;
        free_held(r);
        free(r);
    }
    map_fini(&c->rooms);
    map_init(&c->rooms, rng_u64(&c->rng));
}

int64_t core_follow(struct core *c, uint64_t room, uint64_t after, int64_t now_us)
{
    c->now_us = now_us;
    if (!room)
        return -ROOST_INVALID;
    if (c->state == CORE_AT_OVER)
        return -ROOST_CLOSED;
    if (c->state == CORE_AT_LOGIN && !ask_has_login(c))
        return -ROOST_LOGIN_NEEDED;
    if (map_get(&c->rooms, room))
        return -ROOST_ALREADY;
    if (c->rooms.n >= CORE_ROOMS_MAX)
        return -ROOST_LIMIT;
    struct room_cursor *r = calloc(1, sizeof *r);
    if (!r || map_put(&c->rooms, room, r) < 0) {
        free(r);
        return -ROOST_NOMEM;
    }
    int64_t request = (int64_t)c->next_n++;
    *r = (struct room_cursor){ .room = room, .upto = after, .follow = request, .wanted = true };
    list_init(&r->held);
    room_pump(c);
    return request;
}

int room_follow_meeting(struct core *c, uint64_t room, uint64_t after)
{
    struct room_cursor *r = map_get(&c->rooms, room);

    if (!r && c->rooms.n >= CORE_ROOMS_MAX)
        return -ROOST_LIMIT;
    if (!r) {
        r = calloc(1, sizeof *r);
        if (!r || map_put(&c->rooms, room, r) < 0) {
            free(r);
            return -ROOST_NOMEM;
        }
        *r = (struct room_cursor){ .room = room, .upto = after, .meeting = true, .answered = true };
        r->follow = (int64_t)c->next_n++;
        list_init(&r->held);
    }
    r->fresh = r->meeting;
    r->wanted = r->wanted || (r->meeting && !r->syncing);
    room_pump(c);
    return 0;
}

void room_unfollow_meeting(struct core *c, uint64_t room)
{
    struct room_cursor *r = map_get(&c->rooms, room);

    if (r && r->meeting)
        room_free(c, r);
}

void core_unfollow(struct core *c, uint64_t room)
{
    struct room_cursor *r = map_get(&c->rooms, room);

    if (r)
        room_free(c, r);
}

/* --- asking ----------------------------------------------------------------------- */

static int sync(struct core *c, struct room_cursor *r)
{
    Roost__Sync sync = ROOST__SYNC__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    sync.room = r->room;
    sync.after = r->asked = r->upto;
    sync.limit = SYNC_LIMIT;
    m.body_case = ROOST__TO_SERVER__BODY_SYNC;
    m.sync = &sync;
    r->wanted = false;
    r->syncing = true;
    r->turn = ++c->next_turn;
    c->n_syncs++;
    c->stats.syncs++;
    return ask_own(c, &m, ITEM_SYNC, r->room);
}

/* The one that has waited longest; NULL: none. */
static struct room_cursor *next_wanted(const struct core *c)
{
    struct room_cursor *first = NULL;
    size_t at = 0;

    for (struct map_slot *s; (s = map_next(&c->rooms, &at));) {
        struct room_cursor *r = s->value;
        if (r->wanted && !r->syncing && r->retry_at_us <= c->now_us &&
            (!first || r->turn < first->turn))
            first = r;
    }
    return first;
}

void room_pump(struct core *c)
{
    struct room_cursor *r;

    while (c->state == CORE_AT_READY && c->n_syncs < SYNCS_MAX && (r = next_wanted(c)))
        if (sync(c, r) < 0)
            core_lose_code(c, ROOST_NOMEM);
}

int64_t room_deadline(const struct core *c)
{
    int64_t first = INT64_MAX;
    size_t at = 0;

    if (c->state != CORE_AT_READY || c->n_syncs >= SYNCS_MAX)
        return INT64_MAX; /* the next answer lets the next one go */
    for (struct map_slot *s; (s = map_next(&c->rooms, &at));) {
        const struct room_cursor *r = s->value;
        if (r->wanted && !r->syncing && r->retry_at_us < first)
            first = r->retry_at_us;
    }
    return first;
}

/* Every cursor is asked for again over the next connection. */
void room_on_lost(struct core *c)
{
    size_t at = 0;

    c->n_syncs = 0;
    for (struct map_slot *s; (s = map_next(&c->rooms, &at));) {
        struct room_cursor *r = s->value;
        free_held(r);
        r->wanted = !r->meeting; /* a meeting's waits for its ticket */
        r->syncing = r->was_live = false;
        r->retry_at_us = 0;
    }
}

/* --- events ----------------------------------------------------------------------- */

static struct item *event_item(struct core *c, const Roost__ToClient *m, struct arena *mem)
{
    struct item *i = item_new();

    if (!i) {
        core_lose_code(c, ROOST_NOMEM);
        return NULL;
    }
    i->event.kind = CORE_PUSH;
    i->event.msg = m;
    i->event.room = m->event->room;
    i->event.seq = m->event->seq;
    i->event.hidden = core_ignores(c, m->event->sender);
    i->event.own = m->event->sender && m->event->sender == c->self.account;
    i->event.mem = *mem;
    *mem = (struct arena){ 0 };
    return i;
}

static void give(struct core *c, struct room_cursor *r, struct item *i)
{
    r->upto = i->event.seq;
    c->stats.events++;
    core_give(c, i);
    meet_on_event(c, i->event.msg->event);
}

static void ask_again(struct core *c, struct room_cursor *r)
{
    r->wanted = true;
    r->was_live = true;
    r->retry_at_us = 0;
    room_pump(c);
}

/* Sorted by number, each once. */
static void hold(struct core *c, struct room_cursor *r, struct item *i)
{
    struct item **at = &r->held.head;

    while (*at && (*at)->event.seq < i->event.seq)
        at = &(*at)->next;
    if (*at && (*at)->event.seq == i->event.seq) {
        c->stats.dups++;
        item_free(i);
        return;
    }
    if (r->held.n >= CORE_HELD_MAX) {
        item_free(i);
        core_lose_code(c, ROOST_LIMIT);
        return;
    }
    i->next = *at;
    *at = i;
    if (!i->next)
        r->held.end = &i->next;
    r->held.n++;
}

void room_on_push(struct core *c, const Roost__ToClient *m, struct arena *mem)
{
    struct room_cursor *r = map_get(&c->rooms, m->event->room);
    uint64_t seq = m->event->seq;

    if (c->state != CORE_AT_READY || !r)
        return; /* not asked for */
    if (seq <= r->upto) {
        c->stats.dups++;
        return;
    }
    bool holding = r->was_live && (r->syncing || r->wanted);
    bool live = !r->syncing && !r->wanted;
    if (!holding && live && seq != r->upto + 1) {
        c->stats.gaps++;
        holding = true;
    }
    struct item *i = event_item(c, m, mem);
    if (!i)
        return;
    if (!holding) {
        give(c, r, i);
        return;
    }
    hold(c, r, i);
    if (c->state == CORE_AT_READY && live)
        ask_again(c, r);
}

void room_on_behind(struct core *c, const Roost__Behind *b)
{
    struct room_cursor *r = map_get(&c->rooms, b->room);

    c->stats.behinds++;
    if (!r || c->state != CORE_AT_READY)
        return;
    if (r->syncing)
        r->wanted = true; /* it may have been sent before the Sync was read */
    else
        ask_again(c, r);
}

void room_on_gone(struct core *c, uint64_t room)
{
    struct room_cursor *r = map_get(&c->rooms, room);

    if (r && r->answered)
        room_free(c, r);
}

/* --- answers ---------------------------------------------------------------------- */

/* The room of a Sync; NULL when it was left since, also when it is followed again:
 * then the answer is to the Sync of an earlier following. Numbers only grow. */
static struct room_cursor *room_asked(struct core *c, const struct item *i)
{
    struct room_cursor *r = map_get(&c->rooms, i->room);

    return r && i->event.request > r->follow ? r : NULL;
}

/* What was held comes out: all up to `upto`, which the Sync has made complete, and
 * behind it what has no gap. */
static void release(struct core *c, struct room_cursor *r, uint64_t upto, bool more)
{
    while (r->held.head) {
        struct item *i = r->held.head;
        uint64_t seq = i->event.seq;
        if (seq > upto && (more || seq != r->upto + 1))
            break;
        list_take(&r->held, &r->held.head);
        if (seq > r->upto)
            give(c, r, i);
        else
            item_free(i);
        if (r->upto < upto && (!r->held.head || r->held.head->event.seq > upto))
            r->upto = upto;
    }
    if (r->upto < upto)
        r->upto = upto;
}

void room_on_synced(struct core *c, struct item *i, const Roost__Synced *s)
{
    struct room_cursor *r = room_asked(c, i);

    if (!r || s->room != i->room) {
        item_free(i);
        return;
    }
    r->syncing = false;
    if (s->head < r->upto && !s->more)
        r->upto = s->head; /* a server restored from an older copy counts from there */
    else
        release(c, r, s->upto, s->more);
    if (s->more) {
        r->wanted = true;
        if (r->asked == r->upto)
            r->retry_at_us = c->now_us + CORE_RETRY_US; /* no progress: not in a circle */
        item_free(i);
        return;
    }
    if (!r->held.n)
        r->was_live = r->wanted;
    if (r->held.n)
        r->wanted = true; /* there is still a gap */
    bool fresh = r->fresh;
    uint64_t room = r->room;
    r->fresh = r->fresh && r->wanted;
    if (fresh && !r->fresh)
        meet_on_followed(c, room);
    if (!c->transport || r->answered) {
        item_free(i);
    } else {
        r->answered = true;
        i->flags = 0;
        i->event.kind = CORE_FOLLOWED;
        i->event.request = r->follow;
        i->event.room = r->room;
        i->event.seq = r->upto;
        core_give(c, i);
    }
}

static bool passes(int code)
{
    return code == ROOST_BUSY || code == ROOST_NOT_STORED || code == ROOST_TOO_FAST ||
           code == ROOST_NOMEM || code == ROOST_IO || code == ROOST_FULL ||
           code == ROOST_SHUTTING_DOWN;
}

void room_on_refused(struct core *c, struct item *i, const Roost__Error *e)
{
    struct room_cursor *r = room_asked(c, i);

    if (!r) {
        item_free(i);
        return;
    }
    if (e)
        error_read(&i->error, e);
    else
        error_set(&i->error, ROOST_MALFORMED);
    r->syncing = false;
    if (passes(i->error.code) || i->error.retry_after_ms) {
        r->wanted = true;
        r->retry_at_us = c->now_us + CORE_RETRY_US;
        item_free(i);
        return;
    }
    if (r->meeting) { /* the next ticket follows it again */
        room_free(c, r);
        item_free(i);
        return;
    }
    i->flags = 0;
    i->event.kind = CORE_REFUSED;
    i->event.request = r->follow;
    i->event.error = &i->error;
    i->event.room = r->room;
    room_free(c, r);
    core_give(c, i);
}
