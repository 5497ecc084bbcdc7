/* meet_acts_people.c - what is done with people: let in, turned away, renamed, thrown out, given
 * a role; and the end of a meeting.
 */
#include <string.h>

#include "hub/meet_acts.h"

/* --- the lobby --------------------------------------------------------------------- */

static void let_in(struct act *a, person *p)
{
    meet_step_in(a->m, a->c, p);
}

int act_admit(struct act *a)
{
    if (a->m->n_in >= MEET_IN_MAX)
        return -ROOST_MEET_FULL;
    let_in(a, act_edit(a));
    return 0;
}

int act_admit_all(struct act *a)
{
    if (!a->m->n_waiting)
        return -ROOST_NOT_IN_MEETING;
    if (a->m->n_in + a->m->n_waiting > MEET_IN_MAX)
        return -ROOST_MEET_FULL;
    act_each(a, ROOST__MEET_STATE__WAITING, let_in);
    return 0;
}

static void turn_away(struct act *a, person *p)
{
    meet_step_out(a->m, a->c, p, ROOST__MEET_STATE__DENIED);
}

int act_deny(struct act *a)
{
    turn_away(a, act_edit(a));
    a->c->event = false;
    act_quiet(a);
    return 0;
}

int act_deny_all(struct act *a)
{
    if (!a->m->n_waiting)
        return -ROOST_NOT_IN_MEETING;
    act_each(a, ROOST__MEET_STATE__WAITING, turn_away);
    a->c->event = false;
    act_quiet(a);
    return 0;
}

static void write_to(struct act *a, person *p)
{
    p->row.note = (char *)a->c->text;
}

int act_message(struct act *a)
{
    size_t len = strlen(a->ask->text);

    if (!len || len > MEET_TEXT_MAX)
        return len ? -ROOST_TOO_LONG : -ROOST_BAD_TEXT;
    if (a->ask->who) {
        if (a->who->row.state != ROOST__MEET_STATE__WAITING)
            return -ROOST_NOT_IN_MEETING;
        write_to(a, act_edit(a));
    } else {
        if (!a->m->n_waiting)
            return -ROOST_NOT_IN_MEETING;
        act_each(a, ROOST__MEET_STATE__WAITING, write_to);
    }
    a->c->event = false;
    act_quiet(a);
    return 0;
}

/* --- people ---------------------------------------------------------------------------------- */

int act_rename_one(struct act *a)
{
    bool self = a->who == a->by;

    if (a->m->head.no_rename && a->by->row.role < ROOST__MEET_ROLE__COHOST)
        return -ROOST_NOT_ALLOWED;
    if (!self && a->by->row.role < ROOST__MEET_ROLE__COHOST)
        return -ROOST_NOT_ALLOWED;
    if (!a->ask->name)
        return -ROOST_NAME_BAD;
    const person *other = meeting_named(a->m, a->ask->skeleton);
    if (other && other != a->who)
        return -ROOST_NAME_TAKEN;
    if (strcmp(a->ask->name, a->who->row.name) == 0)
        return -ROOST_ALREADY;
    a->c->old_name = meet_text(a->c, a->who->row.name);
    act_edit(a)->row.name = meet_text(a->c, a->ask->name);
    a->edit->skeleton = meet_text(a->c, a->ask->skeleton);
    return 0;
}

int act_remove_one(struct act *a)
{
    meet_step_out(a->m, a->c, act_edit(a), ROOST__MEET_STATE__REMOVED);
    return 0;
}

/* Another name of whoever was banned, present; not one that a ban cannot mean. */
static bool goes_with(const struct act *a, const person *p)
{
    return p != a->who && attendee_present(p) && p->row.role < ROOST__MEET_ROLE__COHOST &&
           p->has_device && a->who->has_device && memcmp(p->device, a->who->device, 32) == 0;
}

static void put_out_with(struct act *a)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&a->m->attendees, &i));) {
        const person *p = s->value;
        if (!goes_with(a, p))
            continue;
        a->c->event |= p->row.state == ROOST__MEET_STATE__IN;
        meet_step_out(a->m, a->c, meet_edit(a->m, a->c, p->row.account),
                      ROOST__MEET_STATE__REMOVED);
    }
}

int act_ban(struct act *a)
{
    bool was_in = a->who->row.state == ROOST__MEET_STATE__IN;

    if (a->who->row.state == ROOST__MEET_STATE__EXCLUDED)
        return -ROOST_ALREADY;
    if (a->who->row.account == a->m->head.first_host && act_is_fresh(a))
        return -ROOST_SUCCESSOR;
    meet_step_out(a->m, a->c, act_edit(a), ROOST__MEET_STATE__EXCLUDED);
    if (!was_in)
        act_quiet(a);
    a->c->event = was_in;
    put_out_with(a);
    return 0;
}

int act_unban(struct act *a)
{
    act_edit(a)->row.state = ROOST__MEET_STATE__REMOVED; /* and waits when it comes */
    a->c->event = false;
    act_quiet(a);
    return 0;
}

int act_make_cohost(struct act *a)
{
    if (a->who->row.role >= ROOST__MEET_ROLE__COHOST)
        return -ROOST_ALREADY;
    if (a->who->row.guest && !a->by->row.guest)
        return -ROOST_NOT_ALLOWED;
    act_edit(a)->row.role = ROOST__MEET_ROLE__COHOST;
    return 0;
}

int act_drop_cohost(struct act *a)
{
    if (a->who->row.role != ROOST__MEET_ROLE__COHOST)
        return -ROOST_ALREADY;
    act_edit(a)->row.role = ROOST__MEET_ROLE__PARTICIPANT;
    return 0;
}

int act_make_viewer(struct act *a)
{
    if (a->who->row.role != ROOST__MEET_ROLE__PARTICIPANT)
        return a->who->row.role == ROOST__MEET_ROLE__VIEWER ? -ROOST_ALREADY : -ROOST_NOT_ALLOWED;
    Roost__Attendee *row = &act_edit(a)->row;
    row->role = ROOST__MEET_ROLE__VIEWER;
    row->muted = row->video_off = true;
    row->recording = row->may_record = row->asked_unmute = row->asked_video = false;
    row->share_ms = 0;
    if (a->c->head.presenter == row->account)
        a->c->head.presenter = 0;
    return 0;
}

int act_make_participant(struct act *a)
{
    if (a->who->row.role != ROOST__MEET_ROLE__VIEWER)
        return a->who->row.role == ROOST__MEET_ROLE__PARTICIPANT ? -ROOST_ALREADY
                                                                 : -ROOST_NOT_ALLOWED;
    act_edit(a)->row.role = ROOST__MEET_ROLE__PARTICIPANT;
    return 0;
}

/* Changes places: the old host, if it is in, becomes co-host. */
static void hand_over(struct act *a, uint64_t to)
{
    uint64_t from = a->m->head.host;

    if (meeting_role(a->m, from) == ROOST__MEET_ROLE__HOST)
        meet_edit(a->m, a->c, from)->row.role = ROOST__MEET_ROLE__COHOST;
    meet_edit(a->m, a->c, to)->row.role = ROOST__MEET_ROLE__HOST;
    a->c->head.host = to;
    a->c->head.fresh_until_ms = 0;
}

int act_make_host(struct act *a)
{
    hand_over(a, a->who->row.account);
    return 0;
}

int act_take_back(struct act *a)
{
    if (a->m->head.host == a->by->row.account)
        return -ROOST_ALREADY;
    if (a->m->head.fresh_until_ms <= (uint64_t)a->c->now_ms)
        return -ROOST_NOT_ALLOWED;
    hand_over(a, a->by->row.account);
    return 0;
}

int act_lower_hand(struct act *a)
{
    if (!a->who->row.hand_ms)
        return -ROOST_ALREADY;
    act_edit(a)->row.hand_ms = 0;
    return 0;
}

int act_hand_up(struct act *a)
{
    if (a->by->row.hand_ms)
        return -ROOST_ALREADY;
    act_edit(a)->row.hand_ms = (uint64_t)a->c->now_ms;
    return 0;
}

int act_go_away(struct act *a)
{
    return act_turn(&act_edit(a)->row.away, true);
}

int act_come_back(struct act *a)
{
    return act_turn(&act_edit(a)->row.away, false);
}

/* --- the meeting --- */

int act_title(struct act *a)
{
    size_t len = strlen(a->ask->text);

    if (!len || len > MEET_TITLE_MAX)
        return len ? -ROOST_TOO_LONG : -ROOST_BAD_TEXT;
    a->c->head.title = meet_text(a->c, a->ask->text);
    return 0;
}

static void part(struct act *a, person *p)
{
    uint32_t role = p->row.role; /* who was what stays in the list of attendance */

    meet_step_out(a->m, a->c, p, ROOST__MEET_STATE__OUT);
    p->row.role = (Roost__MeetRole)role;
}

int act_end(struct act *a)
{
    act_each(a, ROOST__MEET_STATE__IN, part);
    act_each(a, ROOST__MEET_STATE__WAITING, part);
    act_quiet(a);
    a->c->head.ended = true;
    a->c->head.host = a->c->head.presenter = a->c->head.spotlight = 0;
    return 0;
}

/* Whom one names must be able to take over; who waits just goes. */
int act_leave(struct act *a)
{
    bool waits = a->by->row.state == ROOST__MEET_STATE__WAITING;
    uint64_t next = a->ask->who;

    if (next && a->by->row.role == ROOST__MEET_ROLE__HOST) {
        int role = meeting_role(a->m, next);
        if (next == a->by->row.account || role < 0 || role == ROOST__MEET_ROLE__VIEWER)
            return role < 0 ? -ROOST_NOT_IN_MEETING : -ROOST_NOT_ALLOWED;
    }
    person *me = meet_edit(a->m, a->c, a->by->row.account);
    meet_step_out(a->m, a->c, me, ROOST__MEET_STATE__OUT);
    if (a->m->head.host == a->by->row.account && !waits)
        meet_succeed(a->m, a->c, next);
    a->c->event = !waits;
    if (waits)
        act_quiet(a);
    return 0;
}
