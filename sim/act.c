/* act.c - one random thing that a person does, or that goes wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

enum { SECOND = 1000000, FLOOD = 40, LONG_TEXT = 15000 };

#define ASK(member, KIND, ...)                                                                     \
    Roost__ToServer m = ROOST__TO_SERVER__INIT;                                                    \
    m.body_case = ROOST__TO_SERVER__BODY_##KIND;                                                   \
    m.member = __VA_ARGS__

static struct actor *anybody(struct world *w)
{
    return &w->actors[dice_below(&w->dice, (uint64_t)w->n_actors)];
}

static char *some_name(struct world *w)
{
    return w->people[dice_below(&w->dice, (uint64_t)w->n_people)].name;
}

/* A room that somebody has heard of, mostly one that the actor is in. */
static uint64_t some_room(struct world *w, const struct actor *a)
{
    if (a->n_rooms && dice_below(&w->dice, 4))
        return a->rooms[dice_below(&w->dice, a->n_rooms)].room;
    return w->n_rooms ? w->rooms[dice_below(&w->dice, w->n_rooms)]->room : EVERYONE_ROOM;
}

static uint64_t some_seq(struct world *w, const struct actor *a, uint64_t room)
{
    for (size_t i = 0; i < a->n_rooms; i++)
        if (a->rooms[i].room == room && a->rooms[i].cursor)
            return 1 + dice_below(&w->dice, a->rooms[i].cursor);
    return 1;
}

/* A text that an own client has seen acknowledged. */
static const struct word *own_word(struct world *w, const struct actor *a)
{
    for (int i = 0; i < 20 && w->n_words > 1; i++) {
        const struct word *x = &w->words[1 + dice_below(&w->dice, w->n_words - 1)];
        if (x->seq && (x->person == a->person || dice_below(&w->dice, 5) == 0))
            return x;
    }
    return NULL;
}

/* --- talk --- */

static void say_words(struct world *w, struct actor *a, uint64_t room, char *to, size_t len)
{
    static char text[LONG_TEXT + 1];
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Say say = ROOST__SAY__INIT;

    if (w->n_words + 1 >= WORDS_MAX)
        return;
    uint32_t n = w->n_words ? w->n_words : 1;
    memset(text, 'x', len);
    text[len] = 0;
    int head = snprintf(text, 32, "w%06u @%s ", n, some_name(w));
    if (len > (size_t)head)
        text[head] = 'x';
    target.room = room;
    if (to)
        target.name = to;
    say.target = &target;
    say.text = text;
    ASK(say, SAY, &say);
    if (actor_ask(w, a, &m, room, n, false)) {
        w->n_words = n + 1;
        w->words[n] = (struct word){ .person = a->person, .account = actor_account(w, a) };
    }
}

static void say(struct world *w, struct actor *a)
{
    uint64_t len = 40 + dice_below(&w->dice, 200); /* before the room, whatever the compiler */

    say_words(w, a, some_room(w, a), NULL, len);
}

void act_say(struct world *w, struct actor *a, uint64_t room)
{
    say_words(w, a, room, NULL, 40);
}

static void say_private(struct world *w, struct actor *a)
{
    char to[20];

    snprintf(to, sizeof to, "@%s", some_name(w));
    say_words(w, a, 0, to, 40);
}

static void flood(struct world *w, struct actor *a)
{
    uint64_t room = some_room(w, a);

    for (int i = 0; i < FLOOD; i++)
        say_words(w, a, room, NULL, LONG_TEXT);
}

static void edit(struct world *w, struct actor *a)
{
    const struct word *x = own_word(w, a);
    Roost__Edit edit = ROOST__EDIT__INIT;

    if (!x)
        return;
    edit.room = x->room;
    edit.seq = x->seq;
    edit.text = (char *)"changed";
    ASK(edit, EDIT, &edit);
    actor_ask(w, a, &m, x->room, 0, false);
}

static void delete (struct world *w, struct actor *a)
{
    const struct word *x = own_word(w, a);
    Roost__Delete del = ROOST__DELETE__INIT;

    if (!x)
        return;
    del.room = x->room;
    del.seq = x->seq;
    ASK(delete_, DELETE, &del);
    actor_ask(w, a, &m, x->room, 0, false);
}

static void react(struct world *w, struct actor *a)
{
    Roost__React r = ROOST__REACT__INIT;

    r.room = some_room(w, a);
    r.seq = some_seq(w, a, r.room);
    r.emoji = (char *)"\xf0\x9f\x91\x8d";
    r.remove = dice_below(&w->dice, 4) == 0;
    ASK(react, REACT, &r);
    actor_ask(w, a, &m, r.room, 0, false);
}

static void mark(struct world *w, struct actor *a)
{
    Roost__Mark r = ROOST__MARK__INIT;

    r.room = some_room(w, a);
    r.delivered = r.read = some_seq(w, a, r.room);
    ASK(mark, MARK, &r);
    actor_ask(w, a, &m, r.room, 0, false);
}

static void read_page(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Read r = ROOST__READ__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    r.after = dice_below(&w->dice, 2) ? some_seq(w, a, target.room) : 0;
    r.last = dice_below(&w->dice, 2);
    r.limit = (uint32_t)dice_below(&w->dice, 100);
    ASK(read, READ, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void search(struct world *w, struct actor *a)
{
    Roost__Search s = ROOST__SEARCH__INIT;

    s.words = some_name(w);
    ASK(search, SEARCH, &s);
    actor_ask(w, a, &m, 0, 0, false);
}

/* --- rooms --- */

static void new_room(struct world *w, struct actor *a)
{
    Roost__NewRoom r = ROOST__NEW_ROOM__INIT;
    char name[32], *users[2] = { some_name(w), some_name(w) };

    if (w->n_rooms > ROOMS_MAX / 2)
        return;
    snprintf(name, sizeof name, "room%llu", (unsigned long long)dice_below(&w->dice, 1000));
    r.name = name;
    r.users = users;
    r.n_users = dice_below(&w->dice, 3);
    r.private_ = dice_below(&w->dice, 2);
    r.moderated = dice_below(&w->dice, 5) == 0;
    ASK(new_room, NEW_ROOM, &r);
    actor_ask(w, a, &m, 0, 0, false);
}

static void join(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Join r = ROOST__JOIN__INIT;

    if (!w->n_rooms)
        return;
    target.room = w->rooms[dice_below(&w->dice, w->n_rooms)]->room;
    r.target = &target;
    ASK(join, JOIN, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void leave(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Leave r = ROOST__LEAVE__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    ASK(leave, LEAVE, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void invite(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Invite r = ROOST__INVITE__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    r.user = some_name(w);
    ASK(invite, INVITE, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void remove_one(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Remove r = ROOST__REMOVE__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    r.user = some_name(w);
    ASK(remove, REMOVE, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void ban(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Ban r = ROOST__BAN__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    r.user = some_name(w);
    r.lift = dice_below(&w->dice, 2);
    ASK(ban, BAN, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void role(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__SetRole r = ROOST__SET_ROLE__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    r.user = some_name(w);
    r.role = (Roost__RoomRole)dice_below(&w->dice, 3);
    ASK(set_role, SET_ROLE, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void set_room(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__SetRoom r = ROOST__SET_ROOM__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    r.private_ = (Roost__Switch)dice_below(&w->dice, 3);
    r.moderated = (Roost__Switch)dice_below(&w->dice, 3);
    ASK(set_room, SET_ROOM, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void topic(struct world *w, struct actor *a)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__SetTopic r = ROOST__SET_TOPIC__INIT;

    target.room = some_room(w, a);
    r.target = &target;
    r.topic = some_name(w);
    ASK(set_topic, SET_TOPIC, &r);
    actor_ask(w, a, &m, target.room, 0, false);
}

static void log_out(struct world *w, struct actor *a)
{
    Roost__Logout r = ROOST__LOGOUT__INIT;

    ASK(logout, LOGOUT, &r);
    actor_ask(w, a, &m, 0, 0, false);
}

/* --- what goes wrong --- */

static void cut(struct world *w, struct actor *a)
{
    world_partition(w, a, dice_between(&w->dice, 100000, 40LL * SECOND));
}

/* In the middle of work: before, in or after a commit. */
static void server_dies(struct world *w, struct actor *a)
{
    (void)a;
    for (int i = 0; i < w->n_actors; i++)
        if (core_state(w->actors[i].core) == CORE_AT_READY && !w->actors[i].guest) {
            say(w, &w->actors[i]);
            actor_pull(w, &w->actors[i]);
        }
    world_run(w, w->now_us + dice_between(&w->dice, 0, 25000));
    world_crash(w);
}

static void disk_fails(struct world *w, struct actor *a)
{
    (void)a;
    w->hall.fail_ppm = 500000;
    w->calm_us = w->now_us + dice_between(&w->dice, 50000, 2 * SECOND);
}

static void gets_slow(struct world *w, struct actor *a)
{
    world_slow(w, a, !a->slow);
}

/* More is said than the queue of somebody slow can hold. */
static void drown(struct world *w, struct actor *a)
{
    if (!a->n_rooms || a->slow)
        return;
    uint64_t room = a->rooms[dice_below(&w->dice, a->n_rooms)].room;
    world_slow(w, a, true);
    for (int i = 0; i < w->n_actors; i++) {
        struct actor *b = &w->actors[i];
        if (b == a || core_state(b->core) != CORE_AT_READY)
            continue;
        for (int k = 0; k < FLOOD; k++)
            say_words(w, b, room, NULL, LONG_TEXT);
        actor_pull(w, b);
    }
}

static void clock_steps(struct world *w, struct actor *a)
{
    (void)a;
    w->hall.wall_offset_ms += dice_between(&w->dice, -60000, 60000);
    world_count(w, SIM_CLOCK);
}

/* Of 1,500; the rest are ordinary words. */
static const struct {
    unsigned weight;
    bool online; /* needs a session */
    void (*act)(struct world *w, struct actor *a);
} acts[] = {
    { 60, true, say_private }, { 5, true, flood },         { 70, true, edit },
    { 40, true, delete },      { 50, true, react },        { 30, true, mark },
    { 40, true, read_page },   { 20, true, search },       { 30, true, new_room },
    { 60, true, join },        { 30, true, leave },        { 50, true, invite },
    { 30, true, remove_one },  { 30, true, ban },          { 50, true, role },
    { 15, true, set_room },    { 15, true, topic },        { 5, true, log_out },
    { 15, false, cut },        { 12, false, server_dies }, { 20, false, world_reset_wire },
    { 8, false, disk_fails },  { 8, false, gets_slow },    { 8, false, world_reboot_client },
    { 5, false, clock_steps }, { 4, true, drown },         { 500, true, met_act },
};

void act_step(struct world *w)
{
    uint64_t roll = dice_below(&w->dice, 1500);
    struct actor *a = anybody(w);
    void (*act)(struct world *, struct actor *) = say;
    bool online = true;

    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (roll < acts[i].weight) {
            act = acts[i].act;
            online = acts[i].online;
            break;
        }
        roll -= acts[i].weight;
    }
    if (a->guest && online)
        act = met_act;
    if (!online || (core_state(a->core) != CORE_AT_LOGIN && core_state(a->core) != CORE_AT_OVER))
        act(w, a);
    for (int i = 0; i < w->n_actors; i++) {
        actor_log_in(w, &w->actors[i]);
        actor_pull(w, &w->actors[i]);
    }
}
