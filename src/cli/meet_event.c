/* meet_event.c - what arrives in a meeting. */
#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/live.h"
#include "cli/meet_in.h"
#include "cli/meet_show.h"
#include "cli/text.h"
#include "cli/when.h"

/* --- who was spoken of already ------------------------------------------------------------ */

static bool noted(const struct meet_noted *n, uint64_t account)
{
    for (size_t i = 0; i < n->n; i++)
        if (n->list[i] == account)
            return true;
    return false;
}

/* False: it was so already. */
static bool note(struct meet_noted *n, uint64_t account, bool on)
{
    bool was = noted(n, account);

    if (on && !was && n->n < MEET_NOTED_MAX)
        n->list[n->n++] = account;
    for (size_t i = 0; !on && i < n->n; i++)
        if (n->list[i] == account)
            n->list[i] = n->list[--n->n];
    return was != on;
}

static void line(struct meet *m, uint64_t at_ms, const char *format, const char *name,
                 const char *more)
{
    struct buf b = { 0 };

    if (m->c->json)
        return;
    for (const char *p = format; *p; p++)
        if (*p == '%')
            buf_puts(&b, *++p == 'n' ? name : more);
        else
            buf_putc(&b, *p);
    meet_line(&m->show, at_ms, buf_str(&b), &m->c->out);
    buf_fini(&b);
}

/* "Gus (guest)", into the buffer. */
static const char *called(struct buf *b, const struct roost_attendee *a)
{
    buf_clear(b);
    meet_name(b, a->name, a->guest);
    return buf_str(b);
}

/* --- tickets -------------------------------------------------------------------------------- */

static void json_ticket(struct meet *m, const struct roost_ticket *t, bool again)
{
    struct json j;

    json_begin(&j, &m->c->out);
    json_str(&j, "event", "ticket");
    json_bool(&j, "again", again);
    meet_json_ticket(&j, t, roost_server(m->c->r));
    json_end(&j);
}

/* Rings for those who are new. */
static void say_waiting(struct meet *m, const struct roost_attendee *list, size_t n)
{
    bool any = false;
    struct buf name = { 0 };

    for (size_t i = 0; i < n; i++)
        if (list[i].state == ROOST_IS_WAITING && note(&m->waiting, list[i].account, true)) {
            any = true;
            line(m, 0, "%t waits in the lobby: /admit %n or /deny %n", list[i].name,
                 called(&name, &list[i]));
        }
    buf_fini(&name);
    if (any && !m->line.plain)
        buf_putc(&m->c->out, '\a');
}

/* A paragraph for people, broken at words. */
static void paragraph(struct meet *m, const char *text)
{
    struct buf clean = { 0 };

    text_clean(&clean, text, TEXT_ONE_LINE);
    if (m->show.columns)
        text_wrap(&m->c->out, buf_str(&clean), 0, 2, m->show.columns);
    else
        buf_puts(&m->c->out, buf_str(&clean));
    buf_putc(&m->c->out, '\n');
    buf_fini(&clean);
}

static const char *name_of(const struct roost_ticket *t, uint64_t account)
{
    for (size_t i = 0; i < t->n_attendees; i++)
        if (t->attendees[i].account == account)
            return t->attendees[i].name;
    return "";
}

static void until(struct buf *b, uint64_t ms)
{
    struct when_parts at = when_split((int64_t)ms, cli_zone_s((int64_t)ms));

    buf_printf(b, "%02d:%02d", at.hour, at.minute);
}

/* A successor keeps the place for a while; the first host may have it back. */
static void tell_of_successor(struct meet *m, const struct roost_ticket *t)
{
    uint64_t ends_ms = t->meeting.fresh_until_ms;
    bool first = t->meeting.first_host == t->you.account, now = t->meeting.host == t->you.account;
    struct buf at = { 0 };

    if (m->c->json || first == now || ends_ms <= (uint64_t)cli_now_ms())
        return;
    until(&at, ends_ms);
    if (first)
        line(m, 0, "%n is host in your place: /take-back takes it back, until %t",
             name_of(t, t->meeting.host), buf_str(&at));
    else
        line(m, 0,
             "you are host for now: until %t the first host can take the place back, and you "
             "cannot ban, name another host or end the meeting",
             "", buf_str(&at));
    buf_fini(&at);
}

static void arrive(struct meet *m)
{
    const struct roost_ticket *t = meet_there(m);
    struct buf b = { 0 };

    if (!t)
        return;
    buf_printf(&b, "You are in “%s” as %s. /help explains, /leave leaves.", t->meeting.title,
               t->you.name);
    paragraph(m, buf_str(&b));
    meet_roster(&m->show, t, &m->c->out);
    for (size_t i = 0; i < t->n_waiting; i++)
        note(&m->waiting, t->waiting[i].account, true);
    tell_of_successor(m, t);
    buf_fini(&b);
}

static void wait_outside(struct meet *m, const struct roost_ticket *t)
{
    struct buf b = { 0 };

    buf_printf(&b, "You wait in the lobby of “%s” as %s. Its hosts were told; /leave gives up.",
               t->meeting.title, t->you.name);
    paragraph(m, buf_str(&b));
    buf_fini(&b);
    if (t->meeting.unsealed)
        line(m, 0, "its voices are " MEET_UNSEALED ": the server could listen", "", "");
    if (*t->you.note)
        line(m, 0, "the host writes: %t", "", t->you.note);
}

void meet_ticket(struct meet *m, const struct roost_ticket *t, bool again)
{
    bool was_in = m->in, was_lost = m->lost;

    m->in = t->you.state == ROOST_IS_IN;
    m->lost = false;
    if (was_lost)
        m->back_us = cli_now_us();
    if (m->c->json) {
        const struct roost_ticket *now = meet_there(m); /* which knows that one is here */
        json_ticket(m, now ? now : t, again);
        return;
    }
    if (m->in && (!again || !was_in)) {
        arrive(m);
    } else if (!m->in && !again) {
        wait_outside(m, t);
    } else {
        if (was_lost)
            line(m, 0,
                 m->in ? "connected again, and back in your place"
                       : "connected again: you go on waiting",
                 "", "");
        say_waiting(m, t->waiting, t->n_waiting);
    }
}

/* --- what happens -------------------------------------------------------------------------- */

/* Members and settings of the room follow what happens in the meeting: said once. Private
 * words come in rooms of their own; what is done in another meeting is not for here. */
static bool is_shown(const struct meet *m, const struct roost_message *e)
{
    if (e->hidden || (e->what == ROOST_MET && e->room != m->meeting))
        return false;
    if (m->c->json || e->room != m->meeting)
        return true;
    return e->what != ROOST_MEMBERSHIP && e->what != ROOST_ROOM_SET &&
           !(e->what == ROOST_MET && e->met.action == ROOST_ACT_CREATED);
}

/* The host's place went to another, or from the first host. */
static bool succeeds(const struct roost_message *e)
{
    switch (e->met.action) {
    case ROOST_ACT_LEAVE:
    case ROOST_ACT_LOST:
    case ROOST_ACT_SUCCEEDED:
        for (size_t i = 0; e->what == ROOST_MET && i < e->met.n_attendees; i++)
            if (e->met.attendees[i].role == ROOST_HOST && e->met.attendees[i].state == ROOST_IS_IN)
                return true;
        return false;
    default:
        return false;
    }
}

/* Another window of the same session, or another device. The roll knows which events are
 * past since one came in again. */
static bool left_elsewhere(const struct meet *m, const struct roost_message *e)
{
    const struct roost_ticket *t = meet_there(m);

    return e->what == ROOST_MET && e->met.action == ROOST_ACT_LEAVE && e->sender == m->c->account &&
           m->in && !m->leaving && t && t->you.state == ROOST_IS_OUT;
}

static void over_elsewhere(struct meet *m)
{
    m->elsewhere = true;
    meet_over(m, CLI_OK, "left");
}

static void on_message(struct meet *m, const struct roost_message *e)
{
    bool here = e->room == m->meeting;

    if (is_shown(m, e)) {
        m->show.there = meet_there(m);
        m->show.room_labels = !here;
        show_day(&m->show, e->at_ms, &m->last_day, &m->c->out);
        show_message(&m->show, e, &m->c->out);
        if (here && m->in && succeeds(e) && m->show.there &&
            m->show.there->meeting.host == m->show.there->you.account)
            tell_of_successor(m, m->show.there);
        m->show.there = NULL;
    }
    if (e->what == ROOST_TEXT && !e->own && e->mentions_me && !m->line.plain)
        buf_putc(&m->c->out, '\a');
    roost_room_mark(m->c->r, e->room, e->seq, e->seq);
    if (here && e->what == ROOST_MET && e->met.meeting && e->met.meeting->ended)
        meet_over(m, CLI_OK, "ended");
    else if (here && left_elsewhere(m, e))
        over_elsewhere(m);
}

static void json_push(struct meet *m, const char *event, const struct roost_meet_push *p,
                      const char *list)
{
    struct json j;

    json_begin(&j, &m->c->out);
    json_str(&j, "event", event);
    json_u64(&j, "meeting", p->meeting);
    meet_json_attendees(&j, list, p->attendees, p->n_attendees, true);
    json_end(&j);
}

static void on_lobby(struct meet *m, const struct roost_meet_push *p)
{
    struct buf name = { 0 };

    if (m->c->json)
        json_push(m, "lobby", p, "waiting");
    say_waiting(m, p->attendees, p->n_attendees);
    for (size_t i = 0; i < p->n_attendees; i++) {
        const struct roost_attendee *a = &p->attendees[i];
        if (a->state == ROOST_IS_WAITING || !note(&m->waiting, a->account, false))
            continue;
        if (a->state == ROOST_IS_OUT)
            line(m, 0, "%n no longer waits", called(&name, a), "");
        else if (a->state == ROOST_IS_DENIED)
            line(m, 0, "%n was not let in", called(&name, a), "");
        else if (a->state == ROOST_IS_BANNED)
            line(m, 0, "%n was banned, and waits no longer", called(&name, a), "");
    }
    buf_fini(&name);
}

static void on_here(struct meet *m, const struct roost_meet_push *p)
{
    struct buf name = { 0 };

    if (m->c->json)
        json_push(m, "here", p, "attendees");
    for (size_t i = 0; i < p->n_attendees; i++) {
        const struct roost_attendee *a = &p->attendees[i];
        if (!a->here && m->back_us && cli_now_us() - m->back_us < MEET_CALM_US)
            continue;
        if (note(&m->away, a->account, !a->here))
            line(m, 0, a->here ? "%n is back" : "%n lost the connection", called(&name, a), "");
    }
    buf_fini(&name);
}

static void on_reaction(struct meet *m, const struct roost_meet_push *p)
{
    enum meet_kind kind = meet_kind_of(meet_there(m), p->account);
    struct buf name = { 0 };
    struct json j;

    if (!m->c->json) {
        meet_name(&name, p->name, kind == MEET_IS_GUEST);
        line(m, 0, "%n: %t", buf_str(&name), p->text);
        buf_fini(&name);
        return;
    }
    json_begin(&j, &m->c->out);
    json_str(&j, "event", "reaction");
    json_u64(&j, "meeting", p->meeting);
    json_u64(&j, "account", p->account);
    json_str(&j, "name", p->name);
    meet_json_kind(&j, "guest", kind);
    json_str(&j, "emoji", p->text);
    json_end(&j);
}

static void json_now(struct meet *m, const struct roost_meet_push *p)
{
    struct json j;

    json_begin(&j, &m->c->out);
    json_str(&j, "event", "now");
    json_u64(&j, "meeting", p->meeting);
    json_str(&j, "action", meet_word_of(p->action));
    json_str(&j, "text", *p->text ? p->text : NULL);
    meet_json_attendee(&j, "you", &p->you, false);
    json_end(&j);
}

/* One's own place. What happens to those who are in is an event too: said there. */
static void on_now(struct meet *m, const struct roost_meet_push *p)
{
    if (m->c->json)
        json_now(m, p);
    switch (p->you.state) {
    case ROOST_IS_DENIED:
        cli_say(m->c, "The host did not let you in.");
        meet_over(m, CLI_REFUSED, "denied");
        break;
    case ROOST_IS_REMOVED:
        cli_say(m->c, "You were removed from the meeting.");
        meet_over(m, CLI_REFUSED, "removed");
        break;
    case ROOST_IS_BANNED:
        cli_say(m->c, "You were banned from the meeting.");
        meet_over(m, CLI_REFUSED, "banned");
        break;
    case ROOST_IS_OUT:
        if (p->action == ROOST_ACT_END || p->action == ROOST_ACT_EXPIRED)
            meet_over(m, CLI_OK, "ended");
        else if (p->action == ROOST_ACT_LEAVE && !m->leaving)
            over_elsewhere(m);
        else
            meet_over(m, CLI_OK, "left");
        break;
    case ROOST_IS_WAITING:
        if (p->action == ROOST_ACT_MESSAGE)
            line(m, 0, "the host writes: %t", "", p->text);
        break;
    default:
        if (p->action == ROOST_ACT_END || p->action == ROOST_ACT_EXPIRED)
            meet_over(m, CLI_OK, "ended");
    }
}

static void on_push(struct meet *m, enum roost_event_kind kind, const struct roost_meet_push *p)
{
    switch (kind) {
    case ROOST_MEET_NOW:
        on_now(m, p);
        break;
    case ROOST_MEET_LOBBY:
        on_lobby(m, p);
        break;
    case ROOST_MEET_HERE:
        on_here(m, p);
        break;
    default:
        on_reaction(m, p);
    }
}

/* --- the connection -------------------------------------------------------------------------- */

static void on_status(struct meet *m, const struct roost_status *s)
{
    bool was_lost = m->lost;

    m->lost = m->lost || s->state == ROOST_LOST;
    if (s->state == ROOST_LOST && was_lost)
        return; /* said already; it goes on trying */
    if (s->state == ROOST_OVER && s->error.code == ROOST_E_MEET_ENDED) {
        meet_over(m, CLI_OK, "ended"); /* a guest's session goes with it */
        return;
    }
    if (s->state == ROOST_LOGIN && m->c->guest) { /* it ended while one was away */
        meet_over(m, CLI_OK, "ended");
        return;
    }
    if (s->state == ROOST_LOST && !m->c->json) {
        line(m, 0, "the connection is lost; trying again", "", "");
        return;
    }
    if (s->state == ROOST_READY && !m->c->json) {
        cli_on_status(m->c, s); /* the ticket that follows is told of */
        return;
    }
    int over = live_on_status(m->c, s);
    if (over)
        meet_over(m, over - 1, "lost");
}

/* The place cannot be taken again. */
static void on_lost_place(struct meet *m, const struct roost_error *e)
{
    bool ended = e->code == ROOST_E_MEET_ENDED || e->code == ROOST_E_NO_SUCH_MEETING;

    if (ended) {
        meet_over(m, CLI_OK, "ended");
        return;
    }
    int status = cli_fail_error(m->c, e, NULL);
    meet_over(m, status, e->code == ROOST_E_DENIED ? "denied" : "lost");
}

void meet_find_notes(struct meet *m, uint64_t after_room)
{
    int64_t request = roost_room_list(m->c->r, true, after_room);

    m->rooms = request > 0 ? request : 0;
}

static void on_rooms(struct meet *m, const struct roost_event *e)
{
    uint64_t after = 0;

    m->rooms = 0;
    for (size_t i = 0; e->kind == ROOST_REPLY && i < e->reply.n; i++) {
        const struct roost_room *room = &e->reply.rooms[i];
        after = room->room;
        rooms_put(&m->c->rooms, room);
        if (room->kind == ROOST_DIRECT)
            roost_room_follow(m->c->r, room->room, room->head);
    }
    if (after && e->reply.more)
        meet_find_notes(m, after);
}

static void on_room(struct meet *m, const struct roost_event *e)
{
    if (e->room.kind == ROOST_DIRECT) /* private notes */
        live_on_room(m->c, e, NULL);
    else if (!e->gone)
        rooms_put(&m->c->rooms, &e->room);
}

void meet_event(struct meet *m, const struct roost_event *e)
{
    switch (e->kind) {
    case ROOST_MESSAGE:
        on_message(m, &e->message);
        break;
    case ROOST_TICKET_AGAIN:
        meet_ticket(m, &e->ticket, true);
        break;
    case ROOST_MEET_NOW:
    case ROOST_MEET_LOBBY:
    case ROOST_MEET_HERE:
    case ROOST_MEET_REACTED:
        if (e->meet.meeting == m->meeting) /* an account may be in others, by other windows */
            on_push(m, e->kind, &e->meet);
        break;
    case ROOST_ROOM_CHANGED:
        on_room(m, e);
        break;
    case ROOST_STATUS:
        on_status(m, &e->status);
        break;
    case ROOST_NOTICE:
        live_on_notice(m->c, e);
        break;
    case ROOST_VOICE:
        meet_voice_event(m, &e->voice);
        break;
    case ROOST_REFUSED:
    case ROOST_REPLY:
        if (e->request == m->rooms)
            on_rooms(m, e);
        else if (e->request == m->join)
            on_lost_place(m, &e->error);
        else
            meet_answered(m, e);
        break;
    default:
        break;
    }
}
