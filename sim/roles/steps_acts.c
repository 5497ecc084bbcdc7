/* steps_acts.c - somebody who is in a meeting does one of the acts, on somebody or nobody. */
#include <string.h>

#include "base/err.h"
#include "sim/roles/play.h"

static Roost__MeetAction any_action(struct play *p)
{
    for (;;) {
        Roost__MeetAction action = 1 + (Roost__MeetAction)dice_below(&p->dice, 93);
        const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
            &roost__meet_action__descriptor, (int)action);
        bool seldom = action == ROOST__MEET_ACTION__END || action == ROOST__MEET_ACTION__LOCK ||
                      action == ROOST__MEET_ACTION__BAN || action == ROOST__MEET_ACTION__REMOVE ||
                      action == ROOST__MEET_ACTION__DENY_ALL;
        if (v && (!seldom || one_in(p, action == ROOST__MEET_ACTION__END ? 12 : 4)))
            return action;
    }
}

struct actor *actor_in(struct play *p, const struct m_meet *t)
{
    for (int i = 0; i < 12; i++) {
        struct actor *a = any_actor(p, true);
        struct m_seat *s = a ? m_seat((struct m_meet *)t, a->id) : NULL;
        bool manages = s && s->role >= ROOST__MEET_ROLE__COHOST;
        if (s && s->state == ROOST__MEET_STATE__IN && (manages || one_in(p, 3)))
            return a;
    }
    return any_actor(p, true);
}

static char *any_text(struct play *p, Roost__MeetAction action)
{
    static char text[1200];
    static const size_t lengths[] = { 0, 1, 12, 200, 201, 1000, 1001, 12, 12 };

    if (action == ROOST__MEET_ACTION__RENAME) {
        strcpy(text, any_name(p));
        return text;
    }
    size_t n = PICK(p, lengths);
    memset(text, 'a' + (int)dice_below(&p->dice, 26), n);
    text[n] = '\0';
    return text;
}

uint64_t any_target(struct play *p, struct m_meet *t, const struct actor *by)
{
    if (one_in(p, 30) || !t->n_seats) {
        struct actor *a = any_actor(p, true);
        return a ? a->id : 0;
    }
    for (int i = 0;; i++) {
        struct m_seat *s = &t->seats[dice_below(&p->dice, t->n_seats)];
        bool there = s->state == ROOST__MEET_STATE__IN || s->state == ROOST__MEET_STATE__WAITING;
        if ((there && s->who != by->id) || one_in(p, 12) || i > 20)
            return s->who;
    }
}

static bool is_about_oneself(Roost__MeetAction action)
{
    return action >= ROOST__MEET_ACTION__HAND_UP || action == ROOST__MEET_ACTION__TAKE_BACK;
}

static bool is_about_all(Roost__MeetAction action)
{
    return (action >= ROOST__MEET_ACTION__MUTE_ALL && action <= ROOST__MEET_ACTION__UNLOCK_MICS) ||
           action == ROOST__MEET_ACTION__ADMIT_ALL || action == ROOST__MEET_ACTION__DENY_ALL;
}

/* 0: nobody. */
static uint64_t who_is_banned(const struct m_meet *t)
{
    for (int i = 0; i < (int)t->n_seats; i++)
        if (t->seats[i].state == ROOST__MEET_STATE__EXCLUDED)
            return t->seats[i].who;
    return 0;
}

/* On whom: nobody named, or somebody. */
static uint64_t target_of(struct play *p, struct m_meet *t, const struct actor *a,
                          Roost__MeetAction action)
{
    if (action == ROOST__MEET_ACTION__LEAVE && t->host == a->id && one_in(p, 2))
        return any_target(p, t, a);
    if (is_about_oneself(action) || is_about_all(action) || one_in(p, 25))
        return 0;
    if (action == ROOST__MEET_ACTION__MESSAGE && one_in(p, 3))
        return 0;
    if (action == ROOST__MEET_ACTION__RENAME && one_in(p, 2))
        return one_in(p, 2) ? a->id : 0;
    if (action == ROOST__MEET_ACTION__UNBAN && who_is_banned(t) && one_in(p, 2))
        return who_is_banned(t);
    return any_target(p, t, a);
}

static struct actor *actor_of(struct play *p, uint64_t id)
{
    for (int i = 0; i < ACTORS; i++)
        if (id && p->actors[i].id == id)
            return &p->actors[i];
    return NULL;
}

/* Changes the state of the one whom it is on. */
static bool moves(Roost__MeetAction action)
{
    return action == ROOST__MEET_ACTION__ADMIT || action == ROOST__MEET_ACTION__DENY ||
           action == ROOST__MEET_ACTION__REMOVE || action == ROOST__MEET_ACTION__BAN;
}

/* Who is moved by another is told so, wherever it is connected. */
static void check_told(struct play *p, struct m_meet *t, const struct actor *whom)
{
    if (whom->told_of != t->id || whom->told_state != (int)m_seat(t, whom->id)->state)
        play_break(p, "%s is not told that its place changed", whom->name);
}

static void do_act(struct play *p, struct m_meet *t, struct actor *a, const struct m_act *act)
{
    Roost__MeetAct b = ROOST__MEET_ACT__INIT;
    struct m_seat *on = m_seat(t, act->whom);

    b.meeting = t->id;
    b.action = act->action;
    b.text = (char *)act->text;
    b.account = act->whom;
    if (on && one_in(p, 3) &&
        (on->state == ROOST__MEET_STATE__IN || on->state == ROOST__MEET_STATE__WAITING)) {
        b.account = 0;
        b.user = on->name;
    }
    play_tell(
        p, "%s does %s on %s in %llu (%.20s)", a->name,
        protobuf_c_enum_descriptor_get_value(&roost__meet_action__descriptor, (int)act->action)
            ->name,
        on ? on->name : "nobody", (unsigned long long)t->id, b.text);
    no why = m_may_act(&p->model, t, act);
    if (actor_of(p, act->whom))
        actor_of(p, act->whom)->told_state = -1;
    if (!check_answer(p, ASK(p, a, MEET_ACT, meet_act, &b), why)) {
        p->tally.refused_acts[act->action]++;
        return;
    }
    p->tally.acts[act->action]++;
    m_act(&p->model, t, act);
    if (act->action == ROOST__MEET_ACTION__LEAVE && a->attached == t->id)
        a->attached = 0;
    if (!t->ended)
        check_meeting(p, t);
    struct actor *whom = actor_of(p, act->whom);
    if (!whom || !whom->on || t->ended)
        return;
    if (moves(act->action) && act->whom != a->id)
        check_told(p, t, whom);
    /* who is sent away often comes again at once */
    if ((act->action == ROOST__MEET_ACTION__DENY || act->action == ROOST__MEET_ACTION__REMOVE) &&
        one_in(p, 2))
        step_follow_link(p, whom, t);
}

/* Half of what is tried may be done: else meetings stand still. */
static void one_act(struct play *p, struct m_meet *t, Roost__MeetAction action)
{
    bool fitting = one_in(p, 2);

    for (int i = 0; i < 30; i++) {
        struct actor *a = actor_in(p, t);
        if (!a)
            return;
        Roost__MeetAction which = action ? action : any_action(p);
        struct m_act act = { which, a->id, target_of(p, t, a, which), any_text(p, which) };
        if (!fitting || !m_may_act(&p->model, t, &act)) {
            do_act(p, t, a, &act);
            return;
        }
    }
}

void step_act(struct play *p)
{
    struct m_meet *t = any_meet(p);

    if (t)
        one_act(p, t, 0);
}

/* Somebody who waits is often let in at once, and a place taken back. */
void step_admit(struct play *p)
{
    struct m_meet *t = any_meet(p);

    if (t && m_is_fresh(&p->model, t) && one_in(p, 2))
        one_act(p, t, ROOST__MEET_ACTION__TAKE_BACK);
    else if (t && m_count(t, ROOST__MEET_STATE__WAITING))
        one_act(p, t, one_in(p, 4) ? ROOST__MEET_ACTION__ADMIT_ALL : ROOST__MEET_ACTION__ADMIT);
}
