/* judge.c - a second opinion: the whole log, read straight from the store and
 * judged by rules written from what users were promised, not from the hub.
 *
 *   Only members speak; in a moderated room only moderators and owners. One edits
 *   only one's own words; one deletes one's own, moderators anybody's. Members
 *   bring people in; moderators remove and ban who is below them, owners give
 *   roles. Nobody who is banned comes in; nobody walks into a private room by
 *   himself. What a room says reaches those who are in it, and nobody else.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/world.h"
#include "store/batch.h"

enum { NOBODY = -1, BANNED = -2 };

struct place {
    int role;      /* NOBODY, BANNED, or a Roost__RoomRole */
    uint64_t last; /* highest number after which it was a member */
    bool ever;
};

struct ruling {
    struct world *w;
    uint64_t room, head;
    struct place of[NUMBERS_MAX];
    uint64_t author[SEQ_MAX];
    bool private, moderated, closed, direct;
    uint64_t first_number; /* below it, the room was made */
};

static struct store_result *ask(struct world *w, struct store_op *op)
{
    struct store_result *r = NULL;

    assert(op);
    int err = store_run_batch(w->hall.store, &op, 1, &r);
    assert(!err && r);
    (void)err;
    store_op_unref(op);
    return r;
}

static struct place *place(struct ruling *g, uint64_t account)
{
    assert(account < NUMBERS_MAX);
    return &g->of[account];
}

static void forbidden(struct ruling *g, const struct event *e, const char *what)
{
    world_break(g->w, "log %llu:%llu by account %llu: %s", (unsigned long long)g->room,
                (unsigned long long)e->seq, (unsigned long long)e->from, what);
}

static void judge_text(struct ruling *g, const struct event *e)
{
    unsigned n = 0;

    if (g->moderated && place(g, e->from)->role < ROOST__ROOM_ROLE__ROOM_MODERATOR)
        forbidden(g, e, "spoke in a moderated room");
    if (e->deleted || e->edit_seq || !e->text || sscanf(e->text, "w%06u", &n) != 1 ||
        n >= WORDS_MAX)
        return;
    struct word *x = &g->w->words[n];
    if (x->seen_seq && (x->seen_room != g->room || x->seen_seq != e->seq))
        forbidden(g, e, "the same text twice");
    x->seen_room = g->room;
    x->seen_seq = e->seq;
}

static void judge_change(struct ruling *g, const struct event *e)
{
    int role = place(g, e->from)->role;
    uint64_t author = e->ref < e->seq ? g->author[e->ref] : 0;

    if (!author)
        forbidden(g, e, "changed what is no text");
    else if (author != e->from &&
             (e->kind == EVENT_EDIT || role < ROOST__ROOM_ROLE__ROOM_MODERATOR))
        forbidden(g, e, "changed somebody else's words");
}

static void judge_member(struct ruling *g, const struct event *e)
{
    struct place *by = place(g, e->from), *who = place(g, e->who);
    bool made = g->author[0]; /* the room's first members come with it */

    switch (e->change) {
    case ROOST__MEMBER_CHANGED__CHANGE__JOINED:
        if (made && (g->private || who->role == BANNED))
            forbidden(g, e, "came in uninvited");
        who->role = (int)e->role;
        break;
    case ROOST__MEMBER_CHANGED__CHANGE__INVITED:
        if (made && by->role < 0)
            forbidden(g, e, "invited without being a member");
        if (who->role == BANNED && by->role < ROOST__ROOM_ROLE__ROOM_MODERATOR)
            forbidden(g, e, "invited who is banned");
        who->role = (int)e->role;
        break;
    case ROOST__MEMBER_CHANGED__CHANGE__LEFT:
        who->role = NOBODY;
        break;
    case ROOST__MEMBER_CHANGED__CHANGE__ROLE:
        if (by->role != ROOST__ROOM_ROLE__OWNER || who->role < 0)
            forbidden(g, e, "gave a role");
        who->role = (int)e->role;
        break;
    default:
        if (by->role < ROOST__ROOM_ROLE__ROOM_MODERATOR ||
            (who->role >= by->role && by->role != ROOST__ROOM_ROLE__OWNER))
            forbidden(g, e, "removed or banned");
        who->role = e->change == ROOST__MEMBER_CHANGED__CHANGE__BANNED ? BANNED : NOBODY;
    }
}

static void judge_event(struct ruling *g, const struct event *e)
{
    bool member = e->kind == EVENT_MEMBER || e->kind == EVENT_ROOM;

    if (e->seq != g->head + 1)
        world_break(g->w, "log %llu: %llu after %llu", (unsigned long long)g->room,
                    (unsigned long long)e->seq, (unsigned long long)g->head);
    if (!member) {
        g->author[0] = 1;
        bool guest = g->direct && g->w->actor_of[e->from]; /* may be gone by now */
        if (place(g, e->from)->role < 0 && !guest)
            forbidden(g, e, "was not a member");
    }
    if (g->closed)
        forbidden(g, e, "the room was closed");
    if (e->kind == EVENT_TEXT) {
        judge_text(g, e);
        if (e->seq < SEQ_MAX)
            g->author[e->seq] = e->from;
    } else if (e->kind == EVENT_EDIT || e->kind == EVENT_DELETE) {
        judge_change(g, e);
    } else if (e->kind == EVENT_MEMBER) {
        judge_member(g, e);
    } else if (e->kind == EVENT_ROOM) {
        if (!e->created && place(g, e->from)->role < ROOST__ROOM_ROLE__ROOM_MODERATOR)
            forbidden(g, e, "set the room");
        g->private = e->private;
        g->moderated = e->moderated;
        g->closed = e->closed;
    }
    g->head = e->seq;
    for (int i = 0; i < NUMBERS_MAX; i++)
        if (g->of[i].role >= 0) {
            g->of[i].last = e->seq;
            g->of[i].ever = true;
        }
}

/* The room's members as they are before the first event that the log shows. */
static void begin(struct ruling *g)
{
    struct store_op *op = store_op_new(STORE_ROOM_LOAD, 0);

    for (int i = 0; i < NUMBERS_MAX; i++)
        g->of[i] = (struct place){ .role = NOBODY };
    op->room.id = g->room;
    struct store_result *r = ask(g->w, op);
    g->direct = r->room_row.kind != ROOST__ROOM_KIND__ROOM;
    if (g->direct) /* its members are no events: they never change */
        for (size_t i = 0; i < r->n_members; i++)
            place(g, r->members[i].account)->role = (int)r->members[i].role;
    if (g->direct)
        g->author[0] = 1;
    store_result_free(r);
}

static void judge_log(struct ruling *g)
{
    bool more = true;

    begin(g);
    while (more) {
        struct store_op *op = store_op_new(STORE_READ, 0);
        op->room.id = g->room;
        op->after = g->head;
        op->limit = STORE_PAGE_MAX;
        struct store_result *r = ask(g->w, op);
        for (size_t i = 0; i < r->n_events; i++) {
            bool first_of_a_room = !g->direct && g->head == 0 && r->events[i].kind != EVENT_ROOM;
            if (first_of_a_room)
                forbidden(g, &r->events[i], "a room that was not made");
            judge_event(g, &r->events[i]);
        }
        more = r->more && r->n_events;
        store_result_free(r);
    }
}

/* What each client was given, against who was in the room. */
static void judge_clients(struct ruling *g)
{
    struct world *w = g->w;

    for (int i = 0; i < w->n_actors; i++) {
        struct actor *a = &w->actors[i];
        uint64_t account = w->people[a->person].account;
        const struct place *p = place(g, account);
        for (size_t k = 0; k < a->n_rooms; k++) {
            const struct followed *f = &a->rooms[k];
            if (f->room != g->room)
                continue;
            if (f->most > (p->ever ? p->last + 1 : 0))
                world_break(w, "a leak: client %d has %llu:%llu, and was a member up to %llu", i,
                            (unsigned long long)f->room, (unsigned long long)f->most,
                            (unsigned long long)p->last);
            if (p->role >= 0 && !a->guest && actor_is_ready(a) && f->cursor != g->head)
                world_break(w, "client %d is a member and has %llu of %llu of room %llu", i,
                            (unsigned long long)f->cursor, (unsigned long long)g->head,
                            (unsigned long long)f->room);
        }
    }
}

static void judge_words(struct world *w)
{
    for (uint32_t n = 1; n < w->n_words; n++) {
        const struct word *x = &w->words[n];
        if (x->seq && x->seen_seq && (x->room != x->seen_room || x->seq != x->seen_seq))
            world_break(w, "text %u was acknowledged as %llu:%llu and is %llu:%llu", n,
                        (unsigned long long)x->room, (unsigned long long)x->seq,
                        (unsigned long long)x->seen_room, (unsigned long long)x->seen_seq);
    }
}

/* An acknowledged text is in the log, under its number, by its author. */
static void judge_acknowledged(struct ruling *g)
{
    struct world *w = g->w;

    for (uint32_t n = 1; n < w->n_words; n++) {
        const struct word *x = &w->words[n];
        if (x->room != g->room || !x->seq)
            continue;
        if (x->seq > g->head || x->seq >= SEQ_MAX || g->author[x->seq] != world_author(w, x))
            world_break(w, "text %u was acknowledged as %llu:%llu, which it is not", n,
                        (unsigned long long)x->room, (unsigned long long)x->seq);
    }
}

/* What is forbidden now is tried by everybody. */
static void probe(struct ruling *g)
{
    struct world *w = g->w;

    for (int i = 0; i < w->n_actors; i++) {
        struct actor *a = &w->actors[i];
        int role = place(g, w->people[a->person].account)->role;
        Roost__ToServer m = ROOST__TO_SERVER__INIT;
        Roost__Target target = ROOST__TARGET__INIT;
        Roost__Say say = ROOST__SAY__INIT;
        Roost__Read read = ROOST__READ__INIT;

        if (!actor_is_ready(a))
            continue;
        target.room = g->room;
        read.target = say.target = &target;
        say.text = (char *)"probe";
        if (role < 0) {
            m.body_case = ROOST__TO_SERVER__BODY_READ;
            m.read = &read;
            actor_ask(w, a, &m, g->room, 0, true);
        }
        if (role < (g->moderated ? (int)ROOST__ROOM_ROLE__ROOM_MODERATOR : 0) || g->closed) {
            m.body_case = ROOST__TO_SERVER__BODY_SAY;
            m.say = &say;
            actor_ask(w, a, &m, g->room, 0, true);
        }
        actor_pull(w, a);
    }
}

void judge(struct world *w)
{
    static struct ruling g;

    for (size_t i = 0; i < w->n_rooms; i++) {
        if (met_known(w, w->rooms[i]->room))
            continue;
        memset(&g, 0, sizeof g);
        g.w = w;
        g.room = w->rooms[i]->room;
        judge_log(&g);
        judge_clients(&g);
        judge_acknowledged(&g);
        probe(&g);
    }
    for (int i = 0; i < w->n_meets; i++)
        met_judge(w, &w->meets[i]);
    judge_words(w);
    world_run(w, w->now_us + 5000000);
}
