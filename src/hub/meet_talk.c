/* meet_talk.c - a private note to one person in the meeting, and reactions to all. */
#include <string.h>

#include "base/utf8.h"
#include "hub/handlers_meet.h"

static const struct attendee *person(struct hub *h, const struct meeting *m, uint64_t account,
                                     const char *name)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];

    if (!account)
        account = meet_name_number(name);
    if (account)
        return meeting_role(m, account) >= 0 ? meeting_attendee(m, account) : NULL;
    if (meet_name_check(h, *name == '@' ? name + 1 : name, norm, skeleton) < 0)
        return NULL;
    const struct attendee *a = meeting_named(m, skeleton);
    return a && a->row.state == ROOST__MEET_STATE__IN ? a : NULL;
}

static int note_check(struct hub *h, struct request *q, const struct meeting *m,
                      const struct attendee *to)
{
    const char *text = q->msg->meet_note->text;
    int role = meeting_role(m, q->account);

    if (role < 0 || !to)
        return -ROOST_NOT_IN_MEETING;
    if (to->row.account == q->account)
        return -ROOST_INVALID;
    if (m->head.no_notes && role < (int)ROOST__MEET_ROLE__COHOST &&
        to->row.role < ROOST__MEET_ROLE__COHOST)
        return -ROOST_MODERATED;
    if (!*text)
        return -ROOST_BAD_TEXT;
    if (strlen(text) > h->config.text_max)
        return -ROOST_TOO_LONG;
    return speed_check(h, q);
}

/* Who wrote, as the meeting showed it then; and what each calls the room of the two: a guest has
 * no other name than in the meeting. */
struct note_names {
    const char *from;
    const char *room_from, *room_to; /* after whom */
};

static const char *name_for_room(struct request *q, const struct attendee *a)
{
    return arena_str(&q->mem, a->row.guest ? a->row.name : a->row.login);
}

static struct note_names *names_of(struct request *q, const struct attendee *from,
                                   const struct attendee *to)
{
    struct note_names *n = arena_get(&q->mem, sizeof *n);

    if (!n)
        return NULL;
    n->from = arena_str(&q->mem, from->row.name);
    n->room_from = name_for_room(q, from);
    n->room_to = name_for_room(q, to);
    return n->from && n->room_from && n->room_to ? n : NULL;
}

int meet_note_on_message(struct hub *h, struct request *q)
{
    const Roost__MeetNote *b = q->msg->meet_note;
    const struct meeting *m = q->room->meeting;
    const struct attendee *to = person(h, m, b->account, b->user);
    int err = note_check(h, q, m, to);

    if (err)
        return err;
    struct note_names *names = names_of(q, meeting_attendee(m, q->account), to);
    if (!names)
        return -ROOST_NOMEM;
    struct store_op *op = request_do(h, q, STORE_MEET_NOTE);
    if (op) {
        op->account.id = q->account;
        op->peer = to->row.account;
        op->event = (struct event){ .kind = EVENT_TEXT,
                                    .from = q->account,
                                    .from_name = arena_str(&op->mem, names->from),
                                    .text = arena_str(&op->mem, b->text) };
        if (strcmp(names->from, q->name) != 0)
            op->event.shown = op->event.from_name;
        q->user_id = to->row.account;
        q->state = names;
    }
    return request_store(h, q, op);
}

/* The other one may not know the room of the two yet. */
static void tell_place(struct hub *h, const struct request *q, const struct store_result *r,
                       uint64_t account)
{
    Roost__RoomInfo info = ROOST__ROOM_INFO__INIT;
    const struct note_names *names = q->state;
    bool own = account == q->account;

    info.room = r->room;
    info.kind = ROOST__ROOM_KIND__DIRECT;
    info.name = (char *)(own ? names->room_to : names->room_from);
    info.peer = own ? q->user_id : q->account;
    info.members = 2;
    info.member = true;
    info.head = r->head;
    info.first = 1;
    info.last_ms = (uint64_t)r->at_ms;
    tell_room_place(h, account, &info, false);
}

int meet_note_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    const struct note_names *names = q->state;
    struct event e = { .kind = EVENT_TEXT,
                       .room = r->room,
                       .seq = r->seq,
                       .at_ms = r->at_ms,
                       .from = q->account,
                       .from_name = names->from,
                       .text = q->msg->meet_note->text };

    tell_stale(h, r->room); /* its owner did not see this */
    if (r->seq == 1) {
        tell_place(h, q, r, q->user_id);
        tell_place(h, q, r, q->account);
    }
    tell_room_event(h, &e);
    return reply_done(h, q, r);
}

int meet_react_on_message(struct hub *h, struct request *q)
{
    enum { BYTES_MAX = 32 };
    const char *emoji = q->msg->meet_react->emoji;
    const struct meeting *m = q->room->meeting;
    Roost__MeetReacted reacted = ROOST__MEET_REACTED__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    size_t len = strlen(emoji);

    if (meeting_role(m, q->account) < 0)
        return -ROOST_NOT_IN_MEETING;
    if (!len || len > BYTES_MAX || strpbrk(emoji, " \t\r\n"))
        return -ROOST_NO_SUCH_EMOJI;
    for (const char *p = emoji, *end = p + len; p < end;)
        if (utf8_is_control(utf8_next(&p, end)))
            return -ROOST_NO_SUCH_EMOJI;
    int err = speed_check(h, q);
    if (err)
        return err;
    reacted.meeting = q->room_id;
    reacted.account = q->account;
    reacted.name = meeting_attendee(m, q->account)->row.name;
    reacted.emoji = (char *)emoji;
    frame.body_case = ROOST__TO_CLIENT__BODY_MEET_REACTED;
    frame.meet_reacted = &reacted;
    tell_room_frame(h, q->room_id, &frame, 0);
    return reply_done(h, q, NULL);
}
