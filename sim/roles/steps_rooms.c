/* steps_rooms.c - one random thing in a room, or on the server. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sim/roles/model_rooms.h"
#include "sim/roles/play.h"

enum { ROOMS = 5 };

static const char *name_of(struct play *p, uint64_t id)
{
    const struct m_person *x = m_person(&p->model, id);

    return x ? x->name : "nobody";
}

static void new_room(struct play *p, struct actor *a)
{
    Roost__NewRoom b = ROOST__NEW_ROOM__INIT;
    char name[20];

    snprintf(name, sizeof name, "room-%zu", p->model.n_rooms);
    b.name = name;
    b.private_ = one_in(p, 3);
    play_tell(p, "%s makes the %s room %s", a->name, b.private_ ? "private" : "public", name);
    if (!check_answer(p, ASK(p, a, NEW_ROOM, new_room, &b), m_may_user(&p->model, a->id)))
        return;
    m_room_new(&p->model, p->reply->done->room, a->id, b.private_);
    strcpy(p->model.rooms[p->model.n_rooms - 1].name, name);
}

/* --- each deed as a request --- */

#define THE(type, name, ...)                                                                       \
    (&(type){ .base = PROTOBUF_C_MESSAGE_INIT(&name##__descriptor), __VA_ARGS__ })

static int ask(struct play *p, struct actor *a, const struct m_deed *d)
{
    Roost__Target to = ROOST__TARGET__INIT;
    char *user = (char *)name_of(p, d->whom), emoji[24];

    to.room = d->room->id;
    snprintf(emoji, sizeof emoji, "+%zu", p->step);
    switch (d->what) {
    case DO_READ:
        return ASK(p, a, READ, read, THE(Roost__Read, roost__read, .target = &to));
    case DO_SPEAK:
        return ASK(p, a, SAY, say, THE(Roost__Say, roost__say, .target = &to, .text = "hello"));
    case DO_PIN:
        return ASK(p, a, PIN, pin,
                   THE(Roost__Pin, roost__pin, .room = to.room, .seq = d->room->text));
    case DO_EARLIER:
        return ASK(p, a, EARLIER, earlier,
                   THE(Roost__Earlier, roost__earlier, .room = to.room, .seq = d->room->text));
    case DO_REACT:
        return ASK(p, a, REACT, react,
                   THE(Roost__React, roost__react, .room = to.room, .seq = d->room->text,
                       .emoji = emoji, .remove = false));
    case DO_TOPIC:
        return ASK(p, a, SET_TOPIC, set_topic,
                   THE(Roost__SetTopic, roost__set_topic, .target = &to, .topic = user));
    case DO_MODERATED:
        return ASK(p, a, SET_ROOM, set_room,
                   THE(Roost__SetRoom, roost__set_room, .target = &to,
                       .moderated = d->on ? ROOST__SWITCH__ON : ROOST__SWITCH__OFF));
    case DO_CLOSE:
        return ASK(p, a, CLOSE_ROOM, close_room,
                   THE(Roost__CloseRoom, roost__close_room, .target = &to));
    case DO_JOIN:
        return ASK(p, a, JOIN, join, THE(Roost__Join, roost__join, .target = &to));
    case DO_LEAVE:
        return ASK(p, a, LEAVE, leave, THE(Roost__Leave, roost__leave, .target = &to));
    case DO_INVITE:
        return ASK(p, a, INVITE, invite,
                   THE(Roost__Invite, roost__invite, .target = &to, .user = user));
    case DO_REMOVE:
        return ASK(p, a, REMOVE, remove,
                   THE(Roost__Remove, roost__remove, .target = &to, .user = user));
    case DO_BAN:
    case DO_LIFT:
        return ASK(
            p, a, BAN, ban,
            THE(Roost__Ban, roost__ban, .target = &to, .user = user, .lift = d->what == DO_LIFT));
    case DO_ROLE:
        return ASK(
            p, a, SET_ROLE, set_role,
            THE(Roost__SetRole, roost__set_role, .target = &to, .user = user, .role = d->role));
    }
    return -1;
}

/* Somebody who is in it looks who else is. */
static void check_room(struct play *p, struct m_room *r)
{
    Roost__Members b = ROOST__MEMBERS__INIT;
    Roost__Target to = ROOST__TARGET__INIT;
    struct actor *a = NULL;
    size_t in = 0, seen = 0;

    for (size_t i = 0; i < r->n_members; i++)
        in += r->members[i].in;
    for (int i = 0; i < ACCOUNTS && !a; i++) {
        struct m_member *x = m_member(r, p->actors[i].id);
        a = x && x->in && p->actors[i].on ? &p->actors[i] : NULL;
    }
    to.room = r->id;
    b.target = &to;
    if (!a)
        return;
    int code = ASK(p, a, MEMBERS, members, &b);
    if (code) {
        play_break(p, "%s cannot see the members: %s", a->name, err_name(code));
        return;
    }
    const Roost__MemberList *list = p->reply->members;
    for (size_t i = 0; i < list->n_members; i++) {
        const Roost__Member *is = list->members[i];
        struct m_member *x = m_member(r, is->account);
        if (!x || x->in == is->banned || x->banned != is->banned || (x->in && x->role != is->role))
            play_break(p, "%s is %d%s in %s, by the page %d%s", is->name, (int)is->role,
                       is->banned ? " and banned" : "", r->name, x ? (int)x->role : -1,
                       x && x->banned ? " and banned" : "");
        seen += !is->banned;
    }
    if (seen != in)
        play_break(p, "%zu members in %s, by the page %zu", seen, r->name, in);
}

static const char *const words[DO_WHATS] = { "reads",          "speaks in",
                                             "pins in",        "reads earlier words in",
                                             "reacts in",      "sets the topic of",
                                             "(un)moderates",  "closes",
                                             "joins",          "leaves",
                                             "invites to",     "removes from",
                                             "bans from",      "unbans in",
                                             "gives a role in" };

void step_room(struct play *p)
{
    struct actor *a = any_actor(p, true);

    if (!a)
        return;
    if (p->model.n_rooms < 2 || (one_in(p, 20) && p->model.n_rooms < ROOMS)) {
        new_room(p, a);
        return;
    }
    struct m_room *r = &p->model.rooms[dice_below(&p->dice, p->model.n_rooms)];
    struct m_deed d = { .room = r, .by = a->id };
    d.what = (enum m_what)dice_below(&p->dice, DO_WHATS);
    d.whom = p->actors[1 + dice_below(&p->dice, ACCOUNTS - 1)].id;
    d.role = (Roost__RoomRole)dice_below(&p->dice, 3);
    d.on = one_in(p, 2);
    if (d.what == DO_CLOSE && !one_in(p, 20))
        d.what = DO_JOIN;
    if (d.what == DO_LEAVE && one_in(p, 2))
        d.what = DO_INVITE;
    bool about_text = d.what == DO_PIN || d.what == DO_EARLIER || d.what == DO_REACT;
    if (about_text && !r->text)
        d.what = DO_SPEAK;
    play_tell(p, "%s %s %s (%s)", a->name, words[d.what], r->name, name_of(p, d.whom));
    if (check_answer(p, ask(p, a, &d), m_may_do(&p->model, &d))) {
        p->tally.deeds[DEED_ROOM_DEED]++;
        if (d.what == DO_SPEAK && !r->text)
            r->text = p->reply->done->seq;
        m_do(&p->model, &d);
    }
    check_room(p, r);
}

/* --- the server --- */

static void change_role(struct play *p, struct actor *a)
{
    Roost__AdminRole b = ROOST__ADMIN_ROLE__INIT;
    size_t admins = 0;

    if (one_in(p, 2))
        a = &p->actors[0];
    for (int i = 0; i < ACCOUNTS; i++)
        admins += p->model.people[i].role == ROOST__ROLE__ADMIN;
    /* the one who looks stays what it is */
    int whom = admins == 1 && one_in(p, 2) ? 0 : 1 + (int)dice_below(&p->dice, ACCOUNTS - 1);
    struct m_person *x = &p->model.people[whom];
    no why = m_may_admin(&p->model, a->id);

    b.user = p->actors[whom].name;
    b.role = (Roost__Role)dice_below(&p->dice, 3);
    play_tell(p, "%s makes %s a %s", a->name, b.user, b.role == 2 ? "admin" : "user or moderator");
    if (x->role == ROOST__ROLE__ADMIN && b.role != ROOST__ROLE__ADMIN && admins == 1)
        why |= NO(LAST);
    if (check_answer(p, ASK(p, a, ADMIN_ROLE, admin_role, &b), why))
        x->role = b.role;
}

void step_server(struct play *p)
{
    struct actor *a = one_in(p, 10) ? &p->actors[0] : any_actor(p, true);
    Roost__Say say = ROOST__SAY__INIT;
    Roost__Target to = ROOST__TARGET__INIT;
    Roost__Who who = ROOST__WHO__INIT;
    Roost__Calc calc = ROOST__CALC__INIT;
    Roost__AdminUsers users = ROOST__ADMIN_USERS__INIT;
    Roost__AdminMeetings meetings = ROOST__ADMIN_MEETINGS__INIT;
    Roost__AdminLog log = ROOST__ADMIN_LOG__INIT;
    Roost__AdminInvite invite = ROOST__ADMIN_INVITE__INIT;
    uint64_t draw = dice_below(&p->dice, 8);
    no why = a ? draw < 1   ? m_may_everyone(&p->model, a->id)
                 : draw < 3 ? m_may_user(&p->model, a->id)
                            : m_may_admin(&p->model, a->id)
               : 0;

    if (!a)
        return;
    to.name = "*";
    say.target = &to;
    say.text = "to all";
    calc.expression = "7 % 3";
    if (draw == 7) {
        change_role(p, a);
        return;
    }
    play_tell(p, "%s asks the server for thing %d", a->name, (int)draw);
    int code = draw == 0   ? ASK(p, a, SAY, say, &say)
               : draw == 1 ? ASK(p, a, WHO, who, &who)
               : draw == 2 ? ASK(p, a, CALC, calc, &calc)
               : draw == 3 ? ASK(p, a, ADMIN_USERS, admin_users, &users)
               : draw == 4 ? ASK(p, a, ADMIN_MEETINGS, admin_meetings, &meetings)
               : draw == 5 ? ASK(p, a, ADMIN_LOG, admin_log, &log)
                           : ASK(p, a, ADMIN_INVITE, admin_invite, &invite);
    if (check_answer(p, code, why))
        p->tally.deeds[DEED_SERVER_DEED]++;
}
