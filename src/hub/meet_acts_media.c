/* meet_acts_media.c - what is done with microphones, cameras, what is presented, and what
 * is allowed at all.
 */
#include "hub/meet_acts.h"

/* --- microphones and cameras ---------------------------------------------------------- */

int act_mute(struct act *a)
{
    act_edit(a)->row.asked_unmute = false;
    return act_turn(&a->edit->row.muted, true);
}

int act_mute_all(struct act *a)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&a->m->attendees, &i));) {
        const person *p = s->value;
        if (p->row.state != ROOST__MEET_STATE__IN || p->row.role >= ROOST__MEET_ROLE__COHOST ||
            (p->row.muted && !p->row.asked_unmute))
            continue;
        person *e = meet_edit(a->m, a->c, p->row.account);
        e->row.muted = true;
        e->row.asked_unmute = false;
    }
    act_quiet(a);
    return 0;
}

int act_mute_on_entry(struct act *a)
{
    return act_turn(&a->c->head.mute_on_entry, true);
}

int act_no_mute_on_entry(struct act *a)
{
    return act_turn(&a->c->head.mute_on_entry, false);
}

int act_lock_mics(struct act *a)
{
    int err = act_turn(&a->c->head.mics_locked, true);

    return err ? err : act_mute_all(a);
}

int act_unlock_mics(struct act *a)
{
    return act_turn(&a->c->head.mics_locked, false);
}

int act_ask_unmute(struct act *a)
{
    if (!a->who->row.muted)
        return -ROOST_ALREADY;
    act_edit(a)->row.asked_unmute = true;
    return 0;
}

int act_ask_video(struct act *a)
{
    if (!a->who->row.video_off)
        return -ROOST_ALREADY;
    act_edit(a)->row.asked_video = true;
    return 0;
}

int act_stop_video(struct act *a)
{
    act_edit(a)->row.asked_video = false;
    return act_turn(&a->edit->row.video_off, true);
}

int act_self_mute(struct act *a)
{
    return act_turn(&act_edit(a)->row.muted, true);
}

int act_self_unmute(struct act *a)
{
    if (a->m->head.mics_locked && a->by->row.role < ROOST__MEET_ROLE__COHOST)
        return -ROOST_NOT_ALLOWED;
    act_edit(a)->row.asked_unmute = false;
    return act_turn(&a->edit->row.muted, false);
}

int act_video_on(struct act *a)
{
    act_edit(a)->row.asked_video = false;
    return act_turn(&a->edit->row.video_off, false);
}

int act_video_off(struct act *a)
{
    return act_turn(&act_edit(a)->row.video_off, true);
}

/* --- presenting ------------------------------------------------------------------------- */

static bool may_share(const struct act *a)
{
    return !a->m->head.no_share || a->by->row.role >= ROOST__MEET_ROLE__COHOST;
}

int act_allow_share(struct act *a)
{
    return act_turn(&a->c->head.no_share, false);
}

int act_forbid_share(struct act *a)
{
    const person *p = meeting_attendee(a->m, a->m->head.presenter);

    if (p && p->row.role < ROOST__MEET_ROLE__COHOST)
        a->c->head.presenter = 0;
    return act_turn(&a->c->head.no_share, true);
}

static int present(struct act *a, uint64_t account)
{
    if (a->m->head.presenter == account)
        return -ROOST_ALREADY;
    a->c->head.presenter = account;
    act_edit(a)->row.share_ms = 0;
    return 0;
}

/* The host presents: only the host ends that. */
static bool is_host_s(const struct act *a)
{
    const person *p = meeting_attendee(a->m, a->m->head.presenter);

    return p && p != a->by && p->row.role == ROOST__MEET_ROLE__HOST;
}

int act_give_share(struct act *a)
{
    if (is_host_s(a) && a->who->row.account != a->m->head.presenter)
        return -ROOST_NOT_ALLOWED;
    return present(a, a->who->row.account);
}

int act_take_share(struct act *a)
{
    if (!a->m->head.presenter)
        return -ROOST_ALREADY;
    if (is_host_s(a))
        return -ROOST_NOT_ALLOWED;
    a->c->head.presenter = 0;
    return 0;
}

int act_want_share(struct act *a)
{
    if (!may_share(a))
        return -ROOST_NOT_ALLOWED;
    if (a->by->row.share_ms || a->m->head.presenter == a->by->row.account)
        return -ROOST_ALREADY;
    act_edit(a)->row.share_ms = (uint64_t)a->c->now_ms;
    return 0;
}

int act_start_share(struct act *a)
{
    if (!may_share(a))
        return -ROOST_NOT_ALLOWED;
    if (a->m->head.presenter && a->m->head.presenter != a->by->row.account)
        return -ROOST_PRESENTING;
    return present(a, a->by->row.account);
}

int act_stop_share(struct act *a)
{
    if (a->m->head.presenter == a->by->row.account)
        a->c->head.presenter = 0;
    else if (!a->by->row.share_ms)
        return -ROOST_ALREADY;
    act_edit(a)->row.share_ms = 0;
    return 0;
}

int act_spotlight(struct act *a)
{
    if (a->m->head.spotlight == a->who->row.account)
        return -ROOST_ALREADY;
    a->c->head.spotlight = a->who->row.account;
    return 0;
}

int act_spotlight_off(struct act *a)
{
    if (!a->m->head.spotlight)
        return -ROOST_ALREADY;
    a->c->head.spotlight = 0;
    return 0;
}

/* --- what is allowed ---------------------------------------------------------------------- */

#define SWITCH(name, field, to)                                                                    \
    int act_##name(struct act *a)                                                                  \
    {                                                                                              \
        return act_turn(&a->c->head.field, to);                                                    \
    }
SWITCH(allow_chat, no_chat, false)
SWITCH(forbid_chat, no_chat, true)
SWITCH(allow_notes, no_notes, false)
SWITCH(forbid_notes, no_notes, true)
SWITCH(allow_rename, no_rename, false)
SWITCH(forbid_rename, no_rename, true)
SWITCH(lock, locked, true)
SWITCH(unlock, locked, false)
SWITCH(open_door, open, true)
SWITCH(close_door, open, false)
SWITCH(keep_chat, forget_chat, false)
SWITCH(forget_chat, forget_chat, true)

int act_allow_record(struct act *a)
{
    return act_turn(&act_edit(a)->row.may_record, true);
}

int act_forbid_record(struct act *a)
{
    if (!a->who->row.may_record && !a->who->row.recording) /* who was host may record still */
        return -ROOST_ALREADY;
    person *p = act_edit(a);
    p->row.recording = p->row.may_record = false;
    return 0;
}

int act_start_record(struct act *a)
{
    if (a->by->row.role != ROOST__MEET_ROLE__HOST && !a->by->row.may_record)
        return -ROOST_NOT_ALLOWED;
    return act_turn(&act_edit(a)->row.recording, true);
}

int act_stop_record(struct act *a)
{
    return act_turn(&act_edit(a)->row.recording, false);
}
