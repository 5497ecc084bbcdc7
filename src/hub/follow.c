/* follow.c - connections that follow rooms: what is published reaches each of
 * them once and in order.
 *
 * While a connection syncs, what happens meanwhile is held behind the sync; one
 * that reads too slowly gets marks instead of events.
 */
#include <assert.h>
#include <stdlib.h>

#include "hub/internal.h"

struct sub *sub_get(struct conn *c, uint64_t room)
{
    return map_get(&c->subs, room);
}

static void topic_free(struct hub *h, struct topic *t)
{
    h->bus->ops->unsubscribe(h->bus, (struct shard){ SHARD_ROOM, t->room });
    train_drop(h, t);
    map_take(&h->topics, t->room);
    free(t->subs);
    free(t);
}

static int topic_get(struct hub *h, uint64_t room, struct topic **ret)
{
    struct topic *t = map_get(&h->topics, room);
    int err = 0;

    if (!t) {
        t = calloc(1, sizeof *t);
        if (!t)
            return -ROOST_NOMEM;
        t->room = room;
        err = map_put(&h->topics, room, t);
        if (!err)
            err = h->bus->ops->subscribe(h->bus, (struct shard){ SHARD_ROOM, room });
    }
    if (!err && t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 4;
        struct sub **subs = realloc(t->subs, cap * sizeof(struct sub *));
        if (subs) {
            t->subs = subs;
            t->cap = cap;
        } else {
            err = -ROOST_NOMEM;
        }
    }
    if (err && !t->n) {
        topic_free(h, t);
        return err;
    }
    *ret = t;
    return err;
}

int sub_new(struct hub *h, struct conn *c, uint64_t room, struct sub **ret)
{
    struct topic *t;

    if (c->subs.n >= CONN_SUBS_MAX)
        return -ROOST_LIMIT;
    struct sub *s = calloc(1, sizeof *s);
    int err = s ? map_put(&c->subs, room, s) : -ROOST_NOMEM;
    if (!err) {
        err = topic_get(h, room, &t);
        if (err)
            map_take(&c->subs, room);
    }
    if (err) {
        free(s);
        return err;
    }
    s->conn = c;
    s->topic = t;
    s->at = t->n;
    t->subs[t->n++] = s;
    *ret = s;
    return 0;
}

static void drop_held(struct sub *s)
{
    for (size_t i = 0; i < s->n_held; i++)
        blob_unref(s->held[i]);
    free(s->held);
    free(s->held_seq);
    s->held = NULL;
    s->held_seq = NULL;
    s->n_held = 0;
}

void sub_free(struct hub *h, struct sub *s)
{
    struct topic *t = s->topic;

    train_catch_up(h, s);
    t->n_live -= s->state == SUB_LIVE;
    t->subs[s->at] = t->subs[--t->n];
    t->subs[s->at]->at = s->at;
    map_take(&s->conn->subs, t->room);
    drop_held(s);
    free(s);
    if (!t->n)
        topic_free(h, t);
}

/* What it was told so far comes before what it is told in another state. */
static void sub_be(struct hub *h, struct sub *s, enum sub_state state)
{
    train_catch_up(h, s);
    s->topic->n_live += (size_t)(state == SUB_LIVE) - (size_t)(s->state == SUB_LIVE);
    s->state = state;
    train_board(s);
}

void sub_syncs(struct hub *h, struct sub *s)
{
    sub_be(h, s, SUB_SYNCING);
}

/* An event that cannot be held ends the connection: it resumes and asks again. */
static void hold(struct hub *h, struct sub *s, struct blob *frame, uint64_t seq)
{
    bool full = s->n_held >= SUB_HELD_MAX;

    if (!full && (s->n_held & (s->n_held - 1)) == 0) {
        size_t cap = s->n_held ? s->n_held * 2 : 1;
        struct blob **held = realloc(s->held, cap * sizeof(struct blob *));
        if (held)
            s->held = held;
        uint64_t *seqs = realloc(s->held_seq, cap * sizeof *seqs);
        if (seqs)
            s->held_seq = seqs;
        full = !held || !seqs;
    }
    if (full) {
        hub_condemn(h, s->conn);
        return;
    }
    s->held[s->n_held] = blob_ref(frame);
    s->held_seq[s->n_held++] = seq;
}

static void mark_behind(struct hub *h, struct sub *s, uint64_t seq)
{
    Roost__Behind behind = ROOST__BEHIND__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    if (s->told_behind)
        return;
    s->told_behind = true;
    behind.room = s->topic->room;
    behind.head = seq;
    frame.body_case = ROOST__TO_CLIENT__BODY_BEHIND;
    frame.behind = &behind;
    send_frame(h, s->conn, &frame);
}

void sub_release(struct hub *h, struct sub *s)
{
    sub_be(h, s, s->conn->marks_only ? SUB_MARKS : SUB_LIVE);
    s->told_behind = false;
    for (size_t i = 0; i < s->n_held; i++) {
        if (s->held_seq[i] && s->held_seq[i] <= s->upto)
            continue; /* the sync has brought it */
        if (s->state == SUB_LIVE)
            send_blob(h, s->conn, s->held[i]);
        else if (s->held_seq[i])
            mark_behind(h, s, s->held_seq[i]);
    }
    drop_held(s);
}

static void hold_or_mark(struct hub *h, struct sub *s, struct blob *frame, uint64_t seq)
{
    if (s->state == SUB_SYNCING)
        hold(h, s, frame, seq);
    else if (s->state == SUB_MARKS)
        mark_behind(h, s, seq);
}

static bool is(const struct sub *s, uint64_t account)
{
    return account && s->conn->user && s->conn->user->account == account;
}

void follow_publish(struct hub *h, uint64_t room, struct blob *frame, uint64_t seq, uint64_t except)
{
    struct topic *t = map_get(&h->topics, room);

    if (!t)
        return;
    bool joined = t->n_live && !except && train_add(h, t, frame) == 0;
    for (size_t i = 0; i < t->n && !joined && t->n_live; i++)
        if (t->subs[i]->state == SUB_LIVE && !is(t->subs[i], except))
            send_blob(h, t->subs[i]->conn, frame);
    for (size_t i = 0; i < t->n && seq && t->n_live < t->n; i++)
        if (!is(t->subs[i], except))
            hold_or_mark(h, t->subs[i], frame, seq);
    h->stats.events_out += t->n_live;
}

void follow_detach(struct hub *h, uint64_t room, uint64_t account)
{
    struct user *u = map_get(&h->users, account);

    for (struct conn *c = u ? u->conns : NULL; c; c = c->next_of_user) {
        struct sub *s = sub_get(c, room);
        if (s)
            sub_free(h, s);
    }
}

void follow_drop_all(struct hub *h, struct conn *c)
{
    size_t i = 0;
    struct map_slot *slot;

    /* sub_free takes from the map, so start again each time; few rooms, rare. */
    while ((slot = map_next(&c->subs, &i))) {
        sub_free(h, slot->value);
        i = 0;
    }
    map_fini(&c->subs);
}
