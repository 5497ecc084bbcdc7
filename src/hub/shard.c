/* shard.c - who may touch which state.
 *
 * A handler runs with one shard active. It may use that room and no other: in a
 * build with AddressSanitizer every other room is poisoned meanwhile. A request
 * waits here while its room is loaded, or while a change of rights in it is
 * being stored.
 */
#include <assert.h>
#include <stdlib.h>

#include "hub/internal.h"

#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif
#ifdef POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ROOM_KEPT_US = 60 * 1000000 };
#define LOAD_TOKEN (1ULL << 63) /* tokens of loads: this bit and the room's number */

static void others_poison(struct hub *h, const struct room *but)
{
#ifdef POISONS
    struct map_slot *s;
    for (size_t i = 0; (s = map_next(&h->rooms, &i));)
        if (s->value != but)
            ASAN_POISON_MEMORY_REGION(s->value, sizeof(struct room));
#else
    (void)h, (void)but;
#endif
}

static void others_unpoison(struct hub *h)
{
#ifdef POISONS
    struct map_slot *s;
    for (size_t i = 0; (s = map_next(&h->rooms, &i));)
        ASAN_UNPOISON_MEMORY_REGION(s->value, sizeof(struct room));
#else
    (void)h;
#endif
}

static void enter(struct hub *h, struct request *q, struct room *r)
{
    h->active = r ? (struct shard){ SHARD_ROOM, r->id } : (struct shard){ SHARD_NONE, 0 };
    q->room = r;
    if (r)
        r->used_us = h->now.mono_us;
    others_poison(h, r);
}

static void leave(struct hub *h, struct request *q)
{
    others_unpoison(h);
    h->active = (struct shard){ SHARD_NONE, 0 };
    q->room = NULL;
}

struct room *shard_room(struct hub *h, uint64_t id)
{
    assert(h->active.kind == SHARD_ROOM && h->active.id == id && "a handler touches one shard");
    return map_get(&h->rooms, id);
}

static void room_free(struct hub *h, struct room *r)
{
    map_take(&h->rooms, r->id);
    room_empty(r);
    meeting_free(r->meeting);
    map_fini(&r->members);
    free(r);
}

static int load(struct hub *h, struct room *r)
{
    struct store_op *op = store_op_new(STORE_ROOM_LOAD, h->now.wall_ms);

    r->ready = r->stale = false;
    if (!op)
        return -ROOST_NOMEM;
    op->token = LOAD_TOKEN | r->id;
    op->room.id = r->id;
    int err = outbox_store(h->out, op);
    r->loading = !err;
    return err;
}

static int room_get(struct hub *h, uint64_t id, struct room **ret)
{
    struct room *r = map_get(&h->rooms, id);
    int err = 0;

    if (!r) {
        r = calloc(1, sizeof *r);
        if (!r)
            return -ROOST_NOMEM;
        r->id = id;
        r->waiting_end = &r->waiting;
        map_init(&r->members, h->next_token);
        err = map_put(&h->rooms, id, r);
        if (err) {
            free(r);
            return err;
        }
        err = load(h, r);
        if (err) {
            room_free(h, r);
            return err;
        }
        h->stats.rooms_loaded = h->rooms.n;
    }
    *ret = r;
    return 0;
}

/* Runs the handler; the room is ready. */
static void run(struct hub *h, struct request *q, struct room *r)
{
    bool barrier = r && (q->rule->flags & RULE_BARRIER);

    enter(h, q, r);
    int outcome = right_check(h, q, q->rule->right);
    if (!outcome)
        outcome = q->rule->on_message(h, q);
    leave(h, q);
    if (r && outcome == HUB_WAIT) {
        q->in_room = true;
        r->n_busy++;
        r->barrier = r->barrier || barrier;
    }
    request_settle(h, q, outcome);
}

static void wait_in(struct hub *h, struct request *q, struct room *r)
{
    if (r->n_waiting >= ROOM_WAITING_MAX) {
        q->retry_after_ms = 200;
        request_settle(h, q, -ROOST_BUSY);
        return;
    }
    q->next = NULL;
    *r->waiting_end = q;
    r->waiting_end = &q->next;
    r->n_waiting++;
}

void shard_enter(struct hub *h, struct request *q)
{
    struct room *r = NULL;

    if (!q->room_id) {
        run(h, q, NULL);
        return;
    }
    /* no room has that bit: the answer to its load would be another room's */
    int err = q->room_id & LOAD_TOKEN ? -ROOST_NO_SUCH_ROOM : room_get(h, q->room_id, &r);
    if (!err && !r->ready && !r->loading)
        err = load(h, r);
    if (err)
        request_settle(h, q, err);
    else if (!r->ready || r->barrier || r->n_waiting)
        wait_in(h, q, r);
    else
        run(h, q, r);
}

static struct request *next_waiting(struct room *r)
{
    struct request *q = r->waiting;

    r->waiting = q->next;
    if (!r->waiting)
        r->waiting_end = &r->waiting;
    r->n_waiting--;
    return q;
}

static void refuse_waiting(struct hub *h, struct room *r, int err)
{
    while (r->waiting)
        request_settle(h, next_waiting(r), err);
}

/* Whoever of them makes the room one to be read again, the rest waits for that. */
static void run_waiting(struct hub *h, struct room *r)
{
    while (r->waiting && r->ready && !r->barrier)
        run(h, next_waiting(r), r);
    if (r->waiting && !r->ready && !r->loading && load(h, r) < 0)
        refuse_waiting(h, r, -ROOST_NOMEM);
}

void shard_on_loaded(struct hub *h, uint64_t token, struct store_result *res)
{
    struct room *r = map_get(&h->rooms, token & ~LOAD_TOKEN);

    if (!r)
        return;
    r->loading = false;
    int err = r->stale ? load(h, r) : 0;
    if (r->loading)
        return;
    err = err ? err : res->err ? res->err : room_fill(r, res, h->now.mono_us);
    r->ready = !err;
    r->used_us = h->now.mono_us;
    if (!err) {
        run_waiting(h, r);
        return;
    }
    refuse_waiting(h, r, err);
    if (!r->n_busy) /* else somebody's answer is still due; the next request loads again */
        room_free(h, r);
}

/* A handler of an operation came back: the room may go on. */
static void settle_in(struct hub *h, struct request *q, struct room *r, int outcome, bool lost)
{
    bool barrier = q->rule->flags & RULE_BARRIER;

    if (r && outcome != HUB_WAIT) {
        r->n_busy--;
        if (barrier)
            r->barrier = false;
        if (lost && !r->loading && load(h, r) < 0)
            refuse_waiting(h, r, -ROOST_NOMEM);
    }
    request_settle(h, q, outcome);
    if (r && outcome != HUB_WAIT)
        run_waiting(h, r);
}

void shard_on_stored(struct hub *h, struct request *q, struct store_result *res)
{
    struct room *r = q->in_room ? map_get(&h->rooms, q->room_id) : NULL;
    bool lost = res->err == -ROOST_NOT_STORED || res->err == -ROOST_FULL || res->err == -ROOST_IO;
    int outcome;

    enter(h, q, r);
    if (res->err && !(q->rule->flags & RULE_ERRORS))
        outcome = res->err;
    else if (res->dup && !(q->rule->flags & RULE_DUPS))
        outcome = reply_done(h, q, res);
    else if (q->rule->on_stored)
        outcome = q->rule->on_stored(h, q, res);
    else
        outcome = reply_done(h, q, res);
    leave(h, q);
    h->stats.dups += res->dup;
    settle_in(h, q, r, outcome, lost);
}

void shard_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
{
    assert(q->rule->on_hashed && "who lets something be hashed waits for it");
    enter(h, q, NULL);
    int outcome = q->rule->on_hashed(h, q, ok, encoded);
    leave(h, q);
    request_settle(h, q, outcome);
}

/* Loaded again before the next request; what is being read now may be old already. */
static void make_stale(struct room *r)
{
    r->ready = false;
    r->stale = r->loading;
}

void shard_forget_account(struct hub *h, uint64_t account)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->rooms, &i));) {
        struct room *r = s->value;
        if (r->loading || map_get(&r->members, account))
            make_stale(r);
    }
}

void shard_stale(struct hub *h, uint64_t room)
{
    struct room *r = map_get(&h->rooms, room);

    if (r)
        make_stale(r);
}

void shard_wake(struct hub *h, uint64_t room)
{
    struct room *r;

    room_get(h, room, &r); /* without memory: by the next walk */
}

void shard_each_meeting(struct hub *h, void (*f)(struct hub *h, struct room *r))
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->rooms, &i));) {
        struct room *r = s->value;
        if (!r->ready && !r->loading && r->meeting)
            load(h,
                 r); /* perhaps nobody enters it: its time is to go on; without memory: next time */
        else if (r->ready && r->meeting && !r->barrier && !r->n_busy)
            f(h, r);
    }
}

void shard_sweep(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->rooms, &i));) {
        struct room *r = s->value;
        bool followed = map_get(&h->topics, r->id) != NULL ||
                        (r->meeting && r->meeting->n_in + r->meeting->n_waiting);
        if (r->n_busy || r->n_waiting || r->loading || followed ||
            h->now.mono_us - r->used_us < ROOM_KEPT_US)
            continue;
        room_free(h, r);
        i = 0;
    }
    h->stats.rooms_loaded = h->rooms.n;
}

void shard_free_all(struct hub *h)
{
    struct map_slot *s;
    size_t i = 0;

    while ((s = map_next(&h->rooms, &i))) {
        room_free(h, s->value);
        i = 0;
    }
    map_fini(&h->rooms);
}
