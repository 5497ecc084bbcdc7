/* model_do.c - what an act changes, when the page allows it. */
#include <stdio.h>
#include <string.h>

#include "sim/roles/model.h"

static bool is_in(const struct m_seat *s)
{
    return s->state == ROOST__MEET_STATE__IN;
}

static bool waits(const struct m_seat *s)
{
    return s->state == ROOST__MEET_STATE__WAITING;
}

/* A participant or a viewer. */
static bool is_common(const struct m_seat *s)
{
    return s->role < ROOST__MEET_ROLE__COHOST;
}

static void send_away(struct model *m, struct m_meet *t, struct m_seat *s, Roost__MeetState to)
{
    m_out(m, t, s, to);
    s->sent_away = true;
    s->role = ROOST__MEET_ROLE__PARTICIPANT;
    s->may_record = false;
}

static void deny(struct model *m, struct m_meet *t, struct m_seat *s)
{
    send_away(m, t, s, ROOST__MEET_STATE__DENIED);
    s->denied_ms = m->now_ms;
}

static void for_all(struct model *m, struct m_meet *t, Roost__MeetAction action, const char *text)
{
    for (size_t i = 0; i < t->n_seats; i++) {
        struct m_seat *s = &t->seats[i];
        if (action == ROOST__MEET_ACTION__MUTE_ALL && is_in(s) && is_common(s))
            s->muted = true;
        if (action == ROOST__MEET_ACTION__ADMIT_ALL && waits(s))
            m_step_in(m, t, s);
        if (action == ROOST__MEET_ACTION__MESSAGE && waits(s))
            snprintf(s->note, sizeof s->note, "%.60s", text);
        if (action == ROOST__MEET_ACTION__DENY_ALL && waits(s))
            deny(m, t, s);
    }
}

static void new_host(struct m_meet *t, struct m_seat *s)
{
    m_seat(t, t->host)->role = ROOST__MEET_ROLE__COHOST;
    s->role = ROOST__MEET_ROLE__HOST;
    t->host = s->who;
    t->fresh_until_ms = 0;
}

static void end_presenting(struct m_meet *t, struct m_seat *s)
{
    if (t->presenter == s->who)
        t->presenter = 0;
    s->wants_share = false;
}

static void act_on_meeting(struct model *m, struct m_meet *t, const struct m_act *a)
{
    switch (a->action) {
    case ROOST__MEET_ACTION__MUTE_ON_ENTRY:
    case ROOST__MEET_ACTION__NO_MUTE_ON_ENTRY:
        t->mute_on_entry = a->action == ROOST__MEET_ACTION__MUTE_ON_ENTRY;
        break;
    case ROOST__MEET_ACTION__LOCK_MICS:
        t->mics_locked = true;
        for_all(m, t, ROOST__MEET_ACTION__MUTE_ALL, "");
        break;
    case ROOST__MEET_ACTION__UNLOCK_MICS:
        t->mics_locked = false;
        break;
    case ROOST__MEET_ACTION__ALLOW_SHARE:
        t->no_share = false;
        break;
    case ROOST__MEET_ACTION__FORBID_SHARE:
        t->no_share = true;
        if (t->presenter && m_seat(t, t->presenter)->role == ROOST__MEET_ROLE__PARTICIPANT)
            t->presenter = 0;
        break;
    case ROOST__MEET_ACTION__TAKE_SHARE:
        t->presenter = 0;
        break;
    case ROOST__MEET_ACTION__SPOTLIGHT_OFF:
        t->spotlight = 0;
        break;
    case ROOST__MEET_ACTION__ALLOW_CHAT:
    case ROOST__MEET_ACTION__FORBID_CHAT:
        t->no_chat = a->action == ROOST__MEET_ACTION__FORBID_CHAT;
        break;
    case ROOST__MEET_ACTION__ALLOW_NOTES:
    case ROOST__MEET_ACTION__FORBID_NOTES:
        t->no_notes = a->action == ROOST__MEET_ACTION__FORBID_NOTES;
        break;
    case ROOST__MEET_ACTION__ALLOW_RENAME:
    case ROOST__MEET_ACTION__FORBID_RENAME:
        t->no_rename = a->action == ROOST__MEET_ACTION__FORBID_RENAME;
        break;
    case ROOST__MEET_ACTION__LOCK:
    case ROOST__MEET_ACTION__UNLOCK:
        t->locked = a->action == ROOST__MEET_ACTION__LOCK;
        break;
    case ROOST__MEET_ACTION__OPEN:
    case ROOST__MEET_ACTION__CLOSE:
        t->open = a->action == ROOST__MEET_ACTION__OPEN;
        break;
    case ROOST__MEET_ACTION__TITLE:
        snprintf(t->title, sizeof t->title, "%s", a->text);
        break;
    case ROOST__MEET_ACTION__KEEP_CHAT:
    case ROOST__MEET_ACTION__FORGET_CHAT:
        t->forget = a->action == ROOST__MEET_ACTION__FORGET_CHAT;
        break;
    case ROOST__MEET_ACTION__END:
        m_end(m, t);
        break;
    default:
        for_all(m, t, a->action, a->text);
        break;
    }
}

/* There, from the same device, and neither host nor co-host. */
static bool is_other_name_of(const struct m_seat *s, const struct m_seat *on)
{
    return s != on && s->device == on->device && s->role < ROOST__MEET_ROLE__COHOST &&
           (s->state == ROOST__MEET_STATE__IN || s->state == ROOST__MEET_STATE__WAITING);
}

/* true: it was done; other acts are not on one person. */
static bool act_on_person(struct model *m, struct m_meet *t, const struct m_act *a,
                          struct m_seat *on)
{
    switch (a->action) {
    case ROOST__MEET_ACTION__ADMIT:
        m_step_in(m, t, on);
        break;
    case ROOST__MEET_ACTION__DENY:
        deny(m, t, on);
        break;
    case ROOST__MEET_ACTION__MESSAGE:
        snprintf(on->note, sizeof on->note, "%.60s", a->text);
        break;
    case ROOST__MEET_ACTION__MUTE:
        on->muted = true;
        break;
    case ROOST__MEET_ACTION__STOP_VIDEO:
        on->video_off = true;
        break;
    case ROOST__MEET_ACTION__GIVE_SHARE:
        t->presenter = on->who;
        on->wants_share = false;
        break;
    case ROOST__MEET_ACTION__SPOTLIGHT:
        t->spotlight = on->who;
        break;
    case ROOST__MEET_ACTION__ALLOW_RECORD:
        on->may_record = true;
        break;
    case ROOST__MEET_ACTION__FORBID_RECORD:
        on->may_record = on->recording = false;
        break;
    case ROOST__MEET_ACTION__RENAME:
        snprintf(on->name, sizeof on->name, "%s", a->text);
        break;
    case ROOST__MEET_ACTION__REMOVE:
        send_away(m, t, on, ROOST__MEET_STATE__REMOVED);
        break;
    case ROOST__MEET_ACTION__BAN:
        for (size_t i = 0; i < t->n_seats; i++)
            if (is_other_name_of(&t->seats[i], on))
                send_away(m, t, &t->seats[i], ROOST__MEET_STATE__REMOVED);
        send_away(m, t, on, ROOST__MEET_STATE__EXCLUDED);
        break;
    case ROOST__MEET_ACTION__UNBAN:
        on->state = ROOST__MEET_STATE__REMOVED;
        break;
    case ROOST__MEET_ACTION__MAKE_COHOST:
        on->role = ROOST__MEET_ROLE__COHOST;
        break;
    case ROOST__MEET_ACTION__DROP_COHOST:
    case ROOST__MEET_ACTION__MAKE_PARTICIPANT:
        on->role = ROOST__MEET_ROLE__PARTICIPANT;
        break;
    case ROOST__MEET_ACTION__MAKE_VIEWER:
        on->role = ROOST__MEET_ROLE__VIEWER;
        on->muted = on->video_off = true;
        on->recording = on->may_record = false;
        end_presenting(t, on);
        break;
    case ROOST__MEET_ACTION__MAKE_HOST:
        new_host(t, on);
        break;
    case ROOST__MEET_ACTION__LOWER_HAND:
        on->hand = false;
        break;
    case ROOST__MEET_ACTION__ASK_UNMUTE:
    case ROOST__MEET_ACTION__ASK_VIDEO: /* changes nothing yet */
        break;
    default:
        return false;
    }
    return true;
}

static void act_on_self(struct model *m, struct m_meet *t, const struct m_act *a, struct m_seat *by)
{
    switch (a->action) {
    case ROOST__MEET_ACTION__TAKE_BACK:
        new_host(t, by);
        break;
    case ROOST__MEET_ACTION__HAND_UP:
    case ROOST__MEET_ACTION__HAND_DOWN:
        by->hand = a->action == ROOST__MEET_ACTION__HAND_UP;
        break;
    case ROOST__MEET_ACTION__SELF_MUTE:
    case ROOST__MEET_ACTION__SELF_UNMUTE:
        by->muted = a->action == ROOST__MEET_ACTION__SELF_MUTE;
        break;
    case ROOST__MEET_ACTION__VIDEO_ON:
    case ROOST__MEET_ACTION__VIDEO_OFF:
        by->video_off = a->action == ROOST__MEET_ACTION__VIDEO_OFF;
        break;
    case ROOST__MEET_ACTION__GO_AWAY:
    case ROOST__MEET_ACTION__COME_BACK:
        by->away = a->action == ROOST__MEET_ACTION__GO_AWAY;
        break;
    case ROOST__MEET_ACTION__WANT_SHARE:
        by->wants_share = true;
        break;
    case ROOST__MEET_ACTION__START_SHARE:
        t->presenter = by->who;
        by->wants_share = false;
        break;
    case ROOST__MEET_ACTION__STOP_SHARE:
        end_presenting(t, by);
        break;
    case ROOST__MEET_ACTION__START_RECORD:
    case ROOST__MEET_ACTION__STOP_RECORD:
        by->recording = a->action == ROOST__MEET_ACTION__START_RECORD;
        break;
    case ROOST__MEET_ACTION__LEAVE: {
        bool was_host = t->host == by->who;
        m_out(m, t, by, ROOST__MEET_STATE__OUT);
        by->here = false;
        if (was_host)
            m_succeed(m, t, a->whom);
        break;
    }
    default:
        break;
    }
}

void m_act(struct model *m, struct m_meet *t, const struct m_act *a)
{
    struct m_seat *by = m_seat(t, a->by), *on = m_seat(t, a->whom);
    bool self = a->action >= ROOST__MEET_ACTION__HAND_UP;

    if (self || a->action == ROOST__MEET_ACTION__TAKE_BACK)
        act_on_self(m, t, a, by);
    else if (a->action == ROOST__MEET_ACTION__RENAME)
        act_on_person(m, t, a, on ? on : by);
    else if (!on || !act_on_person(m, t, a, on))
        act_on_meeting(m, t, a);
}
