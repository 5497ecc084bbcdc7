/* requests_meet.c - the request functions of roost_meet.h: each fills one message. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "client/requests.h"

/* Text that a server would not take never leaves. NULL is "". */
static bool ok(const char *s)
{
    return !s || utf8_valid(s, strlen(s));
}

static char *str(const char *s)
{
    return (char *)(s ? s : "");
}

/* --- guests --- */

int64_t roost_guest(struct roost *r, const char *name, const char *code, const char *secret)
{
    if (!name || !*name || !ok(name) || !ok(code) || !ok(secret))
        return -ROOST_INVALID;
    return core_guest(r->core, name, str(code), str(secret), !code, edge_now_us());
}

int roost_guest_keep(struct roost *r, const char *code)
{
    if (!r->guest || !*code || strlen(code) >= CORE_CODE_MAX)
        return -ROOST_INVALID;
    return edge_guest_keep(r, code);
}

/* --- meetings --- */

/* A room by name ("#maths") or number ("17"). */
static bool read_room(Roost__Target *t, const char *s)
{
    char *end = NULL;

    roost__target__init(t);
    if (!ok(s) || !*s)
        return false;
    if (*s >= '0' && *s <= '9') {
        t->room = strtoull(s, &end, 10);
        return !*end && t->room;
    }
    t->name = (char *)s;
    return *s == '#' && s[1];
}

int64_t roost_meet_new(struct roost *r, const struct roost_meet_new *what)
{
    BEGIN(MeetNew, MEET_NEW, meet_new);
    Roost__Target room;

    if ((what->sealed && what->unsealed) || !ok(what->title) ||
        (what->room && !read_room(&room, what->room)))
        return -ROOST_INVALID;
    b.title = str(what->title);
    b.open = what->open;
    b.starts_ms = what->starts_ms;
    b.room = what->room ? &room : NULL;
    b.forget_chat = what->forget_chat;
    b.sealed = what->sealed     ? ROOST__SWITCH__ON
               : what->unsealed ? ROOST__SWITCH__OFF
                                : ROOST__SWITCH__AS_IT_IS;
    return ask(r, &m);
}

int64_t roost_meet_join(struct roost *r, const char *code, const char *secret, uint64_t meeting)
{
    if (!ok(code) || !ok(secret))
        return -ROOST_INVALID;
    return core_meet(r->core, code, secret, meeting, edge_now_us());
}

void roost_meet_forget(struct roost *r, uint64_t meeting)
{
    core_meet_forget(r->core, meeting);
}

int64_t roost_meet_act(struct roost *r, const struct roost_act *act)
{
    BEGIN(MeetAct, MEET_ACT, meet_act);

    if (!ok(act->code) || !ok(act->user) || !ok(act->text))
        return -ROOST_INVALID;
    b.meeting = act->meeting;
    b.code = str(act->meeting ? NULL : act->code);
    b.action = (Roost__MeetAction)act->action;
    b.account = act->account;
    b.user = str(act->account ? NULL : act->user);
    b.text = str(act->text);
    return ask(r, &m);
}

int64_t roost_meet_who(struct roost *r, uint64_t meeting, const char *code, bool all,
                       uint64_t after_account)
{
    BEGIN(MeetWho, MEET_WHO, meet_who);

    if (!ok(code))
        return -ROOST_INVALID;
    b.meeting = meeting;
    b.code = str(meeting ? NULL : code);
    b.all = all;
    b.after = after_account;
    return ask(r, &m);
}

int64_t roost_meet_list(struct roost *r, uint64_t after_meeting)
{
    BEGIN(MeetList, MEET_LIST, meet_list);
    b.after = after_meeting;
    return ask(r, &m);
}

int64_t roost_meet_note(struct roost *r, uint64_t meeting, uint64_t account, const char *user,
                        const char *text)
{
    BEGIN(MeetNote, MEET_NOTE, meet_note);

    if (!ok(user) || !text || !ok(text))
        return -ROOST_INVALID;
    b.meeting = meeting;
    b.account = account;
    b.user = str(account ? NULL : user);
    b.text = str(text);
    return ask(r, &m);
}

int64_t roost_meet_react(struct roost *r, uint64_t meeting, const char *emoji)
{
    BEGIN(MeetReact, MEET_REACT, meet_react);

    if (!emoji || !ok(emoji))
        return -ROOST_INVALID;
    b.meeting = meeting;
    b.emoji = str(emoji);
    return ask(r, &m);
}

int64_t roost_admin_meetings(struct roost *r, uint64_t after_meeting)
{
    BEGIN(AdminMeetings, ADMIN_MEETINGS, admin_meetings);
    b.after = after_meeting;
    return ask(r, &m);
}
