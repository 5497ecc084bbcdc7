/* meet_change.c - a change of a meeting: stored, then true, then told.
 *
 * All who are in hear of it as an event of the room; hosts hear of the lobby; and
 * each whose own place changed hears that by itself, as those who wait follow no room.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/handlers_meet.h"
#include "hub/handlers_talk.h"

/* --- to the store ------------------------------------------------------------------- */

static bool is_in(const struct attendee *a)
{
    return a && a->row.state == ROOST__MEET_STATE__IN;
}

static bool waits(const struct attendee *a)
{
    return a && a->row.state == ROOST__MEET_STATE__WAITING;
}

/* Who comes in is a member of the chat; who is thrown out, and a guest who goes, is not. */
static bool membership(const struct attendee *was, const struct attendee *is, bool *ret_out)
{
    bool thrown = is->row.state == ROOST__MEET_STATE__REMOVED ||
                  is->row.state == ROOST__MEET_STATE__EXCLUDED;

    *ret_out = !is_in(is);
    return is_in(is) ? !is_in(was) : was && (thrown || (is->row.guest && is_in(was)));
}

static int rows_fill(struct request *q, struct meet_change *c, struct store_op *op)
{
    const struct meeting *m = q->room ? q->room->meeting : NULL;
    struct attendee_row *rows = arena_get(&op->mem, (c->n_edits + 1) * sizeof *rows);
    struct member_row *members = arena_get(&op->mem, (c->n_edits + 1) * sizeof *members);

    if (!rows || !members)
        return -ROOST_NOMEM;
    for (struct meet_edit *e = c->edits; e; e = e->next) {
        struct attendee_row *row = &rows[op->n_attendees++];
        row->account = e->a.row.account;
        row->gone = e->gone;
        if (e->gone)
            continue;
        row->name = e->a.row.guest ? arena_str(&op->mem, e->a.row.name) : NULL;
        const struct attendee *was = m ? meeting_attendee(m, row->account) : NULL;
        e->a.past = was ? was->past : NULL;
        row->skeleton = attendee_present(&e->a) ? arena_str(&op->mem, e->a.skeleton) : NULL;
        if (meet_pack_attendee(&op->mem, &e->a, &row->data, &row->n_data) < 0)
            return -ROOST_NOMEM;
        bool out;
        if (membership(was, &e->a, &out))
            members[op->n_members++] = (struct member_row){
                .account = row->account, .name = arena_str(&op->mem, e->a.row.name), .banned = out
            };
    }
    op->attendees = rows;
    op->members = members;
    return 0;
}

static int event_fill(struct request *q, const struct meet_change *c, struct event *e,
                      struct arena *mem)
{
    *e = (struct event){
        .kind = EVENT_MEET, .room = q->room_id, .from = c->by, .change = c->action, .who = c->who
    };
    e->from_name = arena_str(mem, c->by_name ? c->by_name : q->name);
    e->shown = c->by_name ? e->from_name : NULL;
    if (!e->from_name)
        return -ROOST_NOMEM;
    return meet_pack_event(mem, c, &e->data, &e->n_data);
}

/* Who comes is called as from now on; who takes a new name, as until now. */
static void name_doer(struct request *q, struct meet_change *c)
{
    const struct attendee *was = meeting_attendee(q->room->meeting, c->by);
    const char *name = was ? was->row.name : q->name;

    for (const struct meet_edit *e = c->edits; e; e = e->next)
        if (e->a.row.account == c->by && !c->old_name)
            name = e->a.row.name;
    c->by_name = c->by && strcmp(name, q->name) != 0 ? meet_text(c, name) : NULL;
}

/* A guest reads from its coming on: the number that this event will have. */
static void begin_reading(struct request *q, struct meet_change *c)
{
    for (struct meet_edit *e = c->edits; e; e = e->next)
        if (is_in(&e->a) && !is_in(meeting_attendee(q->room->meeting, e->a.row.account)))
            e->a.row.from_seq = q->room->head + 1;
}

/* While somebody is in, the code does not expire. */
static bool is_empty(const struct request *q, const struct meet_change *c)
{
    uint32_t n = q->room->meeting->n_in;

    for (const struct meet_edit *e = c->edits; e; e = e->next) {
        n -= is_in(meeting_attendee(q->room->meeting, e->a.row.account));
        n += is_in(&e->a);
    }
    return n == 0;
}

static int op_fill(struct request *q, struct meet_change *c, struct store_op *op)
{
    begin_reading(q, c);
    name_doer(q, c);
    op->room.id = q->room_id;
    op->meet.room = q->room_id;
    op->meet.live = !c->head.ended;
    op->meet.forget = c->head.ended && c->head.forget_chat;
    op->meet.until_ms = is_empty(q, c) ? (int64_t)c->head.until_ms : 0;
    op->meet.bound_room = c->head.bound_room;
    if (c->action == ROOST__MEET_ACTION__TITLE) /* the chat is called so too */
        op->room.name = arena_str(&op->mem, c->head.title);
    if (c->head.ended)
        c->head.code = "";
    int err = meet_pack_head(&op->mem, &c->head, &op->meet.data, &op->meet.n_data);
    if (!err)
        err = rows_fill(q, c, op);
    if (!err && c->event)
        err = event_fill(q, c, &op->event, &op->mem);
    return err;
}

int meet_store(struct hub *h, struct request *q, struct meet_change *c)
{
    struct store_op *op = request_do(h, q, STORE_MEET_CHANGE);

    media_stats_note(h, q->room);
    if (!op || op_fill(q, c, op) < 0) {
        store_op_unref(op);
        return -ROOST_NOMEM;
    }
    q->state = c;
    return request_store(h, q, op);
}

/* --- told -------------------------------------------------------------------------------- */

/* One home, several windows: the others of the session that asked hear it as devices do. */
static void tell_windows(struct hub *h, const struct request *q, Roost__ToClient *frame)
{
    struct user *u = user_of(h, q->account);
    struct blob *b = msg_encode(&frame->base);

    for (struct conn *c = u ? u->conns : NULL; c; c = c->next_of_user) {
        if (c->session != q->session || c->id == q->conn)
            continue;
        if (b)
            send_blob(h, c, b);
        else
            hub_condemn(h, c);
    }
    blob_unref(b);
}

static void tell_own_place(struct hub *h, const struct request *q, const struct meet_change *c,
                           const struct attendee *a)
{
    Roost__MeetNow now = ROOST__MEET_NOW__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    now.meeting = q->room_id;
    now.you = (Roost__Attendee *)&a->row;
    now.action = c->action;
    now.text = (char *)(c->text ? c->text : "");
    frame.body_case = ROOST__TO_CLIENT__BODY_MEET_NOW;
    frame.meet_now = &now;
    /* who leaves knows by the reply, but has other devices and windows, perhaps */
    bool own = a->row.account == q->account && !c->head.ended;
    tell_account_frame(h, a->row.account, &frame, own ? q->session : 0);
    if (own)
        tell_windows(h, q, &frame);
}

/* Everybody who manages the meeting hears who waits, or waited until now. */
static void tell_lobby(struct hub *h, const struct meeting *m, Roost__Attendee **rows, size_t n)
{
    Roost__MeetLobby lobby = ROOST__MEET_LOBBY__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    struct map_slot *s;

    if (!n)
        return;
    lobby.meeting = m->head.room;
    lobby.waiting = rows;
    lobby.n_waiting = n;
    frame.body_case = ROOST__TO_CLIENT__BODY_MEET_LOBBY;
    frame.meet_lobby = &lobby;
    for (size_t i = 0; (s = map_next(&m->attendees, &i));)
        if (meeting_manages(m, s->key))
            tell_account_frame(h, s->key, &frame, 0);
}

/* Its connections are no longer in the meeting. */
static void let_go(struct hub *h, uint64_t account, uint64_t meeting)
{
    struct user *u = user_of(h, account);

    for (struct conn *c = u ? u->conns : NULL; c; c = c->next_of_user)
        if (c->meeting == meeting) {
            c->meeting = 0;
            tell_attached(h, meeting, account, false);
        }
}

/* What the change is for the chat's members, as membership() said to the store. */
static void follow_membership(struct hub *h, struct request *q, const struct attendee *is, bool out)
{
    struct room *r = q->room;
    uint64_t account = is->row.account;

    if (!out) {
        if (room_set_member(r, account, is->row.name, ROOST__ROOM_ROLE__MEMBER, false) < 0) {
            r->ready = false;
            return;
        }
        room_member(r, account)->guest = is->row.guest;
        rooms_tell_place(h, r, account, false);
        return;
    }
    room_drop_member(r, account);
    tell_detach(h, r->id, account);
    rooms_tell_place(h, r, account, true);
}

struct told {
    bool member, out, gone, own, lobby;
};

static struct told told_of(const struct request *q, const struct meet_change *c,
                           const struct attendee *was, const struct attendee *is)
{
    struct told t = { 0 };
    bool moved = !was || was->row.state != is->row.state;

    t.member = membership(was, is, &t.out);
    t.gone = was && attendee_present(was) && !attendee_present(is);
    t.lobby = waits(is) || waits(was);
    t.own = is->row.account == q->account
                ? t.gone
                : (moved && was) || c->action == ROOST__MEET_ACTION__MESSAGE;
    return t;
}

/* Ended: nobody says anything more, guests have no rights left, and a forgotten chat has no
 * members. */
static void close_all(struct hub *h, struct request *q)
{
    struct room *r = q->room;
    struct map_slot *s;

    r->closed = true;
    for (size_t i = 0; (s = map_next(&r->meeting->attendees, &i));) {
        const struct attendee *a = s->value;
        if (!a->row.guest)
            continue;
        tell_sessions_end(h, a->row.account, 0, 0, ROOST_MEET_ENDED);
        files_bar(h, a->row.account, r->id, false);
    }
    files_bar(h, 0, r->id, !r->meeting->head.forget_chat);
    for (size_t i = 0; (s = map_next(&h->users, &i));) {
        const struct user *u = s->value; /* a guest that had only come to the door */
        if (u->guest_of == r->id && !meeting_attendee(r->meeting, u->account))
            tell_sessions_end(h, u->account, 0, 0, ROOST_MEET_ENDED);
    }
    if (r->meeting->head.forget_chat)
        for (size_t i = 0; (s = map_next(&r->members, &i));)
            tell_detach(h, r->id, s->key);
    rooms_tell_place_all(h, r);
    if (r->meeting->head.forget_chat)
        r->ready = false; /* has no members now: read again */
}

static void call(struct hub *h, struct room *r, const char *name)
{
    char *copy = strdup(name);

    if (copy) {
        free(r->name);
        r->name = copy;
    } else {
        r->ready = false; /* read again */
    }
    rooms_tell_place_all(h, r);
}

static void event_tell(struct hub *h, struct request *q, const struct meet_change *c,
                       const struct store_result *r)
{
    struct event e;

    if (!c->event)
        return;
    if (event_fill(q, c, &e, &q->mem) < 0) {
        tell_lost(h);
        return;
    }
    e.seq = r->seq;
    e.at_ms = r->at_ms;
    room_on_event(q->room, r->seq, r->at_ms);
    tell_room_event(h, &e);
}

void meet_changed(struct hub *h, struct request *q, const struct store_result *r)
{
    struct meet_change *c = q->state;
    struct meeting *m = q->room->meeting;
    struct told *told = arena_get(&q->mem, (c->n_edits + 1) * sizeof *told);
    Roost__Attendee **lobby = arena_get(&q->mem, (c->n_edits + 1) * sizeof *lobby);
    size_t i = 0, n_lobby = 0;

    if (!told || !lobby) {
        q->room->ready = false;
        tell_lost(h);
        return;
    }
    for (struct meet_edit *e = c->edits; e; e = e->next, i++) {
        if (e->gone)
            continue;
        told[i] = told_of(q, c, meeting_attendee(m, e->a.row.account), &e->a);
        if (told[i].lobby)
            lobby[n_lobby++] = &e->a.row;
    }
    bool ends = c->head.ended && !m->head.ended;
    if (meet_apply(m, c, h->now.mono_us) < 0) {
        q->room->ready = false; /* the store knows it: read again, and so do all */
        tell_lost(h);
        return;
    }
    event_tell(h, q, c, r);
    i = 0;
    for (struct meet_edit *e = c->edits; e; e = e->next, i++) {
        if (told[i].own || ends)
            tell_own_place(h, q, c, &e->a);
        if (told[i].gone)
            let_go(h, e->a.row.account, q->room_id);
        if (told[i].member)
            follow_membership(h, q, &e->a, told[i].out);
    }
    tell_lobby(h, m, lobby, n_lobby);
    if (c->action == ROOST__MEET_ACTION__TITLE)
        call(h, q->room, c->head.title);
    media_on_meeting(h, q->room);
    if (ends)
        close_all(h, q);
}

/* --- who is connected --- */

static void tell_here(struct hub *h, const struct meeting *m, const struct attendee *a)
{
    Roost__MeetHere here = ROOST__MEET_HERE__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    Roost__Attendee row = a->row, *rows[] = { &row };

    row.here = a->here > 0;
    if (waits(a)) {
        tell_lobby(h, m, rows, 1);
        return;
    }
    here.meeting = m->head.room;
    here.attendees = rows;
    here.n_attendees = 1;
    frame.body_case = ROOST__TO_CLIENT__BODY_MEET_HERE;
    frame.meet_here = &here;
    tell_room_frame(h, m->head.room, &frame, 0);
}

void meet_on_attached(struct hub *h, struct room *r, uint64_t account, bool on)
{
    struct attendee *a = meeting_attendee(r->meeting, account);

    if (!a || (!on && !a->here))
        return;
    a->here += on ? 1 : (uint32_t)-1;
    if (a->here == 0)
        a->lost_us = h->now.mono_us;
    if (attendee_present(a) && a->here == (on ? 1 : 0))
        tell_here(h, r->meeting, a);
}

void meet_attach(struct hub *h, struct request *q)
{
    struct conn *c = request_conn(h, q);

    if (!c || c->meeting == q->room_id)
        return;
    if (c->meeting) {
        media_on_gone(h, c);
        tell_attached(h, c->meeting, q->account, false);
    }
    c->meeting = q->room_id;
    tell_attached(h, c->meeting, q->account, true);
}
