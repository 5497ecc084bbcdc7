/* plain_meet.c - what the core tells of meetings, as the plain structs of roost_meet.h. */
#include "client/edge.h"

#include "base/err.h"

#define SAME(name) _Static_assert((int)ROOST_ACT_##name == (int)ROOST__MEET_ACTION__##name, #name)
SAME(ADMIT);
SAME(MESSAGE);
SAME(STOP_VIDEO);
SAME(SPOTLIGHT_OFF);
SAME(FORBID_RECORD);
SAME(LOWER_HAND);
SAME(END);
SAME(LEAVE);
SAME(EXPIRED);
#undef SAME
_Static_assert((int)ROOST_HOST == (int)ROOST__MEET_ROLE__HOST, "roles");
_Static_assert((int)ROOST_IS_BANNED == (int)ROOST__MEET_STATE__EXCLUDED, "states");

static const char *str(const char *s)
{
    return s ? s : "";
}

void plain_attendee(const Roost__Attendee *m, struct roost_attendee *p)
{
    static const Roost__Attendee nobody = ROOST__ATTENDEE__INIT;

    m = m ? m : &nobody;
    *p = (struct roost_attendee){ .account = m->account,
                                  .name = str(m->name),
                                  .login = str(m->login),
                                  .guest = m->guest,
                                  .role = (enum roost_meet_role)m->role,
                                  .state = (enum roost_meet_state)m->state,
                                  .here = m->here,
                                  .admitted = m->admitted,
                                  .muted = m->muted,
                                  .video_off = m->video_off,
                                  .away = m->away,
                                  .may_record = m->may_record,
                                  .recording = m->recording,
                                  .hand_ms = m->hand_ms,
                                  .share_ms = m->share_ms,
                                  .asked_unmute = m->asked_unmute,
                                  .asked_video = m->asked_video,
                                  .came_ms = m->came_ms,
                                  .left_ms = m->left_ms,
                                  .note = str(m->note) };
}

void plain_meeting(const Roost__Meeting *m, struct roost_meeting *p)
{
    static const Roost__Meeting none = ROOST__MEETING__INIT;

    m = m ? m : &none;
    *p = (struct roost_meeting){ .meeting = m->room,
                                 .code = str(m->code),
                                 .title = str(m->title),
                                 .made_ms = m->made_ms,
                                 .starts_ms = m->starts_ms,
                                 .until_ms = m->until_ms,
                                 .bound_room = m->bound_room,
                                 .bound_name = str(m->bound_name),
                                 .host = m->host,
                                 .first_host = m->first_host,
                                 .fresh_until_ms = m->fresh_until_ms,
                                 .open = m->open,
                                 .locked = m->locked,
                                 .mute_on_entry = m->mute_on_entry,
                                 .mics_locked = m->mics_locked,
                                 .no_share = m->no_share,
                                 .no_chat = m->no_chat,
                                 .no_notes = m->no_notes,
                                 .no_rename = m->no_rename,
                                 .forget_chat = m->forget_chat,
                                 .ended = m->ended,
                                 .unsealed = m->unsealed,
                                 .presenter = m->presenter,
                                 .spotlight = m->spotlight,
                                 .present = m->present,
                                 .waiting = m->waiting };
}

static int read_rows(struct arena *a, Roost__Attendee *const *rows, size_t n,
                     const struct roost_attendee **ret, size_t *ret_n)
{
    struct roost_attendee *list = arena_get(a, n * sizeof *list + 1);

    if (!list)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < n; i++)
        plain_attendee(rows[i], &list[i]);
    *ret = list;
    *ret_n = n;
    return 0;
}

int plain_ticket(struct arena *a, const Roost__Ticket *m, struct roost_ticket *p)
{
    *p = (struct roost_ticket){ .secret = str(m->secret) };
    plain_meeting(m->meeting, &p->meeting);
    plain_attendee(m->you, &p->you);
    int err = read_rows(a, m->attendees, m->n_attendees, &p->attendees, &p->n_attendees);
    return err ? err : read_rows(a, m->waiting, m->n_waiting, &p->waiting, &p->n_waiting);
}

int plain_met(struct arena *a, const Roost__Met *m, struct roost_met *p)
{
    *p = (struct roost_met){ .action = (enum roost_meet_action)m->action,
                             .old_name = str(m->old_name) };
    if (m->meeting) {
        struct roost_meeting *meeting = arena_get(a, sizeof *meeting);
        if (!meeting)
            return -ROOST_NOMEM;
        plain_meeting(m->meeting, meeting);
        p->meeting = meeting;
    }
    return read_rows(a, m->attendees, m->n_attendees, &p->attendees, &p->n_attendees);
}

int plain_meet_push(struct arena *a, const Roost__ToClient *m, struct roost_event *to)
{
    struct roost_meet_push *p = &to->meet;

    *p = (struct roost_meet_push){ .text = "", .name = "" };
    plain_attendee(NULL, &p->you);
    switch (m->body_case) {
    case ROOST__TO_CLIENT__BODY_MEET_NOW:
        to->kind = ROOST_MEET_NOW;
        p->meeting = m->meet_now->meeting;
        p->action = (enum roost_meet_action)m->meet_now->action;
        p->text = str(m->meet_now->text);
        plain_attendee(m->meet_now->you, &p->you);
        return 0;
    case ROOST__TO_CLIENT__BODY_MEET_LOBBY:
        to->kind = ROOST_MEET_LOBBY;
        p->meeting = m->meet_lobby->meeting;
        return read_rows(a, m->meet_lobby->waiting, m->meet_lobby->n_waiting, &p->attendees,
                         &p->n_attendees);
    case ROOST__TO_CLIENT__BODY_MEET_HERE:
        to->kind = ROOST_MEET_HERE;
        p->meeting = m->meet_here->meeting;
        return read_rows(a, m->meet_here->attendees, m->meet_here->n_attendees, &p->attendees,
                         &p->n_attendees);
    case ROOST__TO_CLIENT__BODY_MEET_REACTED:
        to->kind = ROOST_MEET_REACTED;
        p->meeting = m->meet_reacted->meeting;
        p->account = m->meet_reacted->account;
        p->name = str(m->meet_reacted->name);
        p->text = str(m->meet_reacted->emoji);
        return 0;
    default:
        return -ROOST_UNSUPPORTED;
    }
}

/* --- the list that the core keeps ------------------------------------------------------ */

static int read_roll(struct arena *a, const struct roll *roll, struct roost_ticket *p)
{
    struct roost_attendee *in = arena_get(a, roll->n * sizeof *in + 1);
    struct roost_attendee *waiting = arena_get(a, roll->n * sizeof *waiting + 1);

    if (!in || !waiting)
        return -ROOST_NOMEM;
    plain_meeting(roll_meeting(roll), &p->meeting);
    plain_attendee(roll_you(roll), &p->you);
    p->secret = str(roll->secret);
    p->attendees = in;
    p->waiting = waiting;
    for (size_t i = 0; i < roll->n; i++) {
        const Roost__Attendee *row = roll_at(roll, i);
        if (row->state == ROOST__MEET_STATE__IN)
            plain_attendee(row, &in[p->n_attendees++]);
        else
            plain_attendee(row, &waiting[p->n_waiting++]);
    }
    p->meeting.present = (uint32_t)p->n_attendees;
    p->meeting.waiting = (uint32_t)p->n_waiting;
    return 0;
}

const struct roost_ticket *roost_meet_get(struct roost *r, uint64_t meeting)
{
    const struct roll *roll = core_roll(r->core, meeting);

    arena_fini(&r->roll_mem);
    arena_init(&r->roll_mem, 0);
    r->roll = (struct roost_ticket){ 0 };
    return roll && read_roll(&r->roll_mem, roll, &r->roll) == 0 ? &r->roll : NULL;
}
