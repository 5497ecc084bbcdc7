/* meet_act.c - one random thing that somebody does in a meeting, or to come into one. */
#include <string.h>

#include "sim/world.h"

enum { SECOND = 1000000 };

#define ASK(member, KIND, ...)                                                                     \
    Roost__ToServer m = ROOST__TO_SERVER__INIT;                                                    \
    m.body_case = ROOST__TO_SERVER__BODY_##KIND;                                                   \
    m.member = __VA_ARGS__

static const struct met *some_meeting(struct world *w)
{
    return w->n_meets ? &w->meets[dice_below(&w->dice, (uint64_t)w->n_meets)] : NULL;
}

/* A meeting that the client has seen from within, and its roll. */
static const struct roll *some_roll(struct world *w, const struct actor *a, uint64_t *ret_room)
{
    for (int i = 0; i < 2 * MEETS_MAX && w->n_meets; i++) {
        const struct met *m = some_meeting(w);
        const struct roll *r = core_roll(a->core, m->room);
        if (r && roll_you(r)) {
            *ret_room = m->room;
            return r;
        }
    }
    return NULL;
}

/* Anybody of the roll, mostly another than oneself. */
static uint64_t somebody(struct world *w, const struct actor *a, const struct roll *r)
{
    uint64_t self = core_self(a->core)->account, who = self;

    for (int i = 0; i < 4 && r->n && who == self; i++)
        who = roll_at(r, dice_below(&w->dice, r->n))->account;
    return who;
}

static void begin(struct world *w, struct actor *a)
{
    Roost__MeetNew n = ROOST__MEET_NEW__INIT;
    Roost__Target room = ROOST__TARGET__INIT;

    if (w->n_meets >= MEETS_MAX - 2)
        return;
    n.open = dice_below(&w->dice, 3) == 0;
    n.forget_chat = dice_below(&w->dice, 4) == 0;
    if (a->n_rooms && dice_below(&w->dice, 5) == 0) {
        room.room = a->rooms[dice_below(&w->dice, a->n_rooms)].room;
        n.room = &room;
    }
    ASK(meet_new, MEET_NEW, &n);
    actor_ask(w, a, &m, 0, 0, false);
}

static void come(struct world *w, struct actor *a)
{
    const struct met *m = some_meeting(w);
    uint64_t how = dice_below(&w->dice, 6);

    if (!m)
        begin(w, a);
    else if (how == 0)
        core_meet(a->core, "000002", NULL, 0, w->now_us);
    else if (how == 1)
        core_meet(a->core, NULL, NULL, m->room, w->now_us);
    else if (*m->code)
        core_meet(a->core, m->code, how == 2 && *m->secret ? m->secret : NULL, 0, w->now_us);
}

static void act(struct world *w, struct actor *a, uint64_t room, const struct roll *r,
                Roost__MeetAction action)
{
    Roost__MeetAct do_it = ROOST__MEET_ACT__INIT;
    bool text = action == ROOST__MEET_ACTION__RENAME || action == ROOST__MEET_ACTION__TITLE ||
                action == ROOST__MEET_ACTION__MESSAGE;

    do_it.meeting = room;
    do_it.action = action;
    if (action != ROOST__MEET_ACTION__LEAVE || dice_below(&w->dice, 3) == 0)
        do_it.account = somebody(w, a, r);
    if (text)
        do_it.text = dice_below(&w->dice, 2) ? (char *)"Visitor" : (char *)"Somebody else";
    ASK(meet_act, MEET_ACT, &do_it);
    actor_ask(w, a, &m, room, 0, false);
}

/* Those that move people come more often than the switches. */
static void act_any(struct world *w, struct actor *a, uint64_t room, const struct roll *r)
{
    static const Roost__MeetAction often[] = {
        ROOST__MEET_ACTION__ADMIT,       ROOST__MEET_ACTION__ADMIT,
        ROOST__MEET_ACTION__ADMIT_ALL,   ROOST__MEET_ACTION__DENY,
        ROOST__MEET_ACTION__REMOVE,      ROOST__MEET_ACTION__BAN,
        ROOST__MEET_ACTION__UNBAN,       ROOST__MEET_ACTION__MAKE_HOST,
        ROOST__MEET_ACTION__MAKE_COHOST, ROOST__MEET_ACTION__TAKE_BACK,
        ROOST__MEET_ACTION__LEAVE,       ROOST__MEET_ACTION__UNLOCK,
        ROOST__MEET_ACTION__ALLOW_CHAT,  ROOST__MEET_ACTION__END,
    };
    uint64_t n = sizeof often / sizeof *often;
    Roost__MeetAction action = often[dice_below(&w->dice, n)];

    if (dice_below(&w->dice, 2)) /* 100 and above are the server's */
        action = (Roost__MeetAction)dice_between(&w->dice, 1, 101);
    act(w, a, room, r, action);
}

static void note(struct world *w, struct actor *a, uint64_t room, const struct roll *r)
{
    Roost__MeetNote n = ROOST__MEET_NOTE__INIT;

    n.meeting = room;
    n.account = somebody(w, a, r);
    n.text = (char *)"between us";
    ASK(meet_note, MEET_NOTE, &n);
    actor_ask(w, a, &m, 0, 0, false);
}

static void react(struct world *w, struct actor *a, uint64_t room)
{
    Roost__MeetReact n = ROOST__MEET_REACT__INIT;

    n.meeting = room;
    n.emoji = (char *)"\xf0\x9f\x91\x8d";
    ASK(meet_react, MEET_REACT, &n);
    actor_ask(w, a, &m, room, 0, false);
}

static void look(struct world *w, struct actor *a, uint64_t room)
{
    Roost__MeetWho who = ROOST__MEET_WHO__INIT;

    who.meeting = room;
    who.all = dice_below(&w->dice, 2);
    ASK(meet_who, MEET_WHO, &who);
    actor_ask(w, a, &m, room, 0, false);
}

/* The server dies while somebody is let in. */
static void crash_in_admission(struct world *w, struct actor *a, uint64_t room,
                               const struct roll *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (roll_at(r, i)->state != ROOST__MEET_STATE__WAITING)
            continue;
        size_t before = a->n_asked;
        act(w, a, room, r, ROOST__MEET_ACTION__ADMIT_ALL);
        actor_pull(w, a);
        world_run(w, w->now_us + dice_between(&w->dice, 2000, 22000));
        if (a->n_asked > before && w->hall_is_up) {
            world_count(w, SIM_ADMISSION_CRASH);
            world_crash(w);
        }
        return;
    }
}

/* Long enough for places to be lost, and for what was denied to be asked again. */
static void wait_long(struct world *w)
{
    world_run(w, w->now_us + dice_between(&w->dice, 20LL * SECOND, 100LL * SECOND));
}

void met_act(struct world *w, struct actor *a)
{
    uint64_t room, roll = dice_below(&w->dice, 100);
    const struct roll *r = some_roll(w, a, &room);

    if (roll < 4 && !a->guest)
        begin(w, a);
    else if (!r || roll < 24)
        come(w, a);
    else if (roll < 68)
        act_any(w, a, room, r);
    else if (roll < 84)
        act_say(w, a, room);
    else if (roll < 88)
        note(w, a, room, r);
    else if (roll < 91)
        react(w, a, room);
    else if (roll < 94)
        look(w, a, room);
    else if (roll < 99)
        crash_in_admission(w, a, room, r);
    else if (dice_below(&w->dice, 2) == 0)
        wait_long(w);
}
