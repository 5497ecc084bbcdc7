/* core_meet.c - meetings that one has joined: the place in each is kept.
 *
 * MeetJoin is never sent twice with one id: over a new connection it is asked anew,
 * before the room is synced, because only then is the place taken again. Who waits
 * asks by what it came with; who was in, by the meeting's number, which is good
 * when the code is not any more. Admitted (MeetNow), it asks again by itself.
 *
 * Who becomes host or co-host asks again too: only a ticket shows the lobby and the
 * secret of the link.
 *
 * The roll changes when an event is handed out, not when it arrives: so it stands
 * as the program that pulls events believes it to.
 */
#include "client/core_internal.h"

#include <stdlib.h>
#include <string.h>

/*   NEW -> WAITING <-> IN       any -> OVER      what is not OVER is asked for again */
enum place_state { PLACE_NEW, PLACE_WAITING, PLACE_IN, PLACE_OVER };

struct place {
    struct place *next;
    int64_t request;
    uint64_t room; /* 0: not known yet */
    uint64_t head; /* of the last ticket: events up to it are past */
    enum place_state state;
    Roost__MeetRole role;
    char code[CORE_CODE_MAX], secret[CORE_SECRET_MAX];
    bool wanted, asked;  /* a MeetJoin is to be sent; is under way */
    bool leaving;        /* a LEAVE is under way: not to be taken again meanwhile */
    struct item *answer; /* for a refusal of ours; NULL: it was answered */
    int64_t retry_at_us;
    struct roll roll;
};

static void place_free(struct place *p)
{
    if (!p)
        return;
    roll_fini(&p->roll);
    item_free(p->answer);
    memset(p->secret, 0, sizeof p->secret);
    free(p);
}

static struct place *by_room(const struct core *c, uint64_t room)
{
    struct place *p = c->places;

    while (p && (p->room != room || !room))
        p = p->next;
    return p;
}

static struct place *by_request(const struct core *c, int64_t request)
{
    struct place *p = c->places;

    while (p && p->request != request)
        p = p->next;
    return p;
}

static struct place *by_act(const struct core *c, const Roost__MeetAct *act)
{
    if (act->meeting)
        return by_room(c, act->meeting);
    for (struct place *p = c->places; p; p = p->next) {
        const Roost__Meeting *m = roll_meeting(&p->roll);
        if (m && act->code && *act->code && strcmp(m->code, act->code) == 0)
            return p;
    }
    return NULL;
}

static void drop(struct core *c, struct place *gone)
{
    for (struct place **at = &c->places; *at; at = &(*at)->next)
        if (*at == gone) {
            *at = gone->next;
            c->n_places--;
            place_free(gone);
            return;
        }
}

void meet_free_all(struct core *c)
{
    while (c->places)
        drop(c, c->places);
}

/* --- joining ---------------------------------------------------------------------- */

/* One that is over makes room for a new one. */
static bool make_room(struct core *c)
{
    for (struct place *p = c->places; p && c->n_places >= CORE_MEETS_MAX; p = p->next)
        if (p->state == PLACE_OVER) {
            drop(c, p);
            break;
        }
    return c->n_places < CORE_MEETS_MAX;
}

static bool is_kept(const struct core *c, const char *code, uint64_t meeting)
{
    for (const struct place *p = c->places; p; p = p->next)
        if (p->state != PLACE_OVER &&
            ((meeting && p->room == meeting) || (*code && strcmp(p->code, code) == 0)))
            return true;
    return false;
}

int64_t core_meet(struct core *c, const char *code, const char *secret, uint64_t meeting,
                  int64_t now_us)
{
    code = code ? code : "";
    secret = secret ? secret : "";
    c->now_us = now_us;
    if (!*code == !meeting || strlen(code) >= CORE_CODE_MAX || strlen(secret) >= CORE_SECRET_MAX)
        return -ROOST_INVALID;
    if (c->state == CORE_AT_OVER)
        return -ROOST_CLOSED;
    if (c->state == CORE_AT_LOGIN && !ask_has_login(c))
        return -ROOST_LOGIN_NEEDED;
    if (is_kept(c, code, meeting))
        return -ROOST_ALREADY;
    if (!make_room(c))
        return -ROOST_LIMIT;
    struct place *p = calloc(1, sizeof *p);
    if (!p || !(p->answer = item_new())) {
        place_free(p);
        return -ROOST_NOMEM;
    }
    int64_t request = p->request = (int64_t)c->next_n++;
    p->room = meeting;
    strcpy(p->code, code);
    strcpy(p->secret, secret);
    p->wanted = true;
    roll_init(&p->roll);
    p->next = c->places;
    c->places = p;
    c->n_places++;
    meet_pump(c);
    return request;
}

static int ask(struct core *c, struct place *p)
{
    Roost__MeetJoin join = ROOST__MEET_JOIN__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    if (*p->code && p->state != PLACE_IN) {
        join.code = p->code;
        join.secret = p->secret;
    } else {
        join.meeting = p->room;
    }
    m.body_case = ROOST__TO_SERVER__BODY_MEET_JOIN;
    m.meet_join = &join;
    p->wanted = false;
    p->asked = true;
    return ask_own(c, &m, ITEM_MEET, (uint64_t)p->request);
}

static struct place *next_wanted(const struct core *c)
{
    for (struct place *p = c->places; p; p = p->next)
        if (p->wanted && !p->asked && !p->leaving && p->state != PLACE_OVER &&
            p->retry_at_us <= c->now_us)
            return p;
    return NULL;
}

void meet_pump(struct core *c)
{
    struct place *p;

    while (c->state == CORE_AT_READY && (p = next_wanted(c)))
        if (ask(c, p) < 0)
            core_lose_code(c, ROOST_NOMEM);
}

int64_t meet_deadline(const struct core *c)
{
    int64_t first = INT64_MAX;

    for (const struct place *p = c->places; c->state == CORE_AT_READY && p; p = p->next)
        if (p->wanted && !p->asked && !p->leaving && p->state != PLACE_OVER &&
            p->retry_at_us < first)
            first = p->retry_at_us;
    return first;
}

void meet_on_lost(struct core *c)
{
    for (struct place *p = c->places; p; p = p->next) {
        p->wanted = p->state != PLACE_OVER;
        p->asked = false;
        p->retry_at_us = 0;
    }
}

bool meet_knows(const struct core *c, int64_t request)
{
    const struct place *p = by_request(c, request);

    return p && p->answer;
}

void meet_cancel(struct core *c, int64_t request)
{
    struct place *p = by_request(c, request);

    if (p && p->answer)
        drop(c, p);
}

/* Those that were never answered never will be. */
void meet_refuse(struct core *c, int code)
{
    for (struct place *p = c->places, *next; p; p = next) {
        struct item *i = p->answer;
        next = p->next;
        if (!i)
            continue;
        p->answer = NULL;
        error_set(&i->error, code);
        i->event.kind = CORE_REFUSED;
        i->event.request = p->request;
        i->event.error = &i->error;
        core_give(c, i);
        drop(c, p);
    }
}

/* --- answers ---------------------------------------------------------------------- */

static void be_over(struct core *c, struct place *p)
{
    p->state = PLACE_OVER;
    p->wanted = false;
    room_unfollow_meeting(c, p->room);
}

static void give_ticket(struct core *c, struct place *p, struct item *i, const Roost__ToClient *m,
                        struct arena *mem)
{
    bool first = p->answer != NULL;

    item_free(p->answer);
    p->answer = NULL;
    i->flags = 0;
    i->event.kind = first ? CORE_REPLY : CORE_TICKET;
    i->event.request = first ? p->request : 0;
    i->event.room = p->room;
    i->event.took_us = c->now_us - i->sent_us;
    i->event.msg = m;
    i->event.mem = *mem;
    *mem = (struct arena){ 0 };
    core_give(c, i);
}

static void take_ticket(struct core *c, struct place *p, const Roost__Ticket *t)
{
    bool in = t->you->state == ROOST__MEET_STATE__IN;
    struct place *other = by_room(c, t->meeting->room);

    if (other && other != p)
        drop(c, other); /* the same meeting, by its code and by its number */
    p->room = t->meeting->room;
    p->head = t->head;
    p->role = t->you->role;
    p->state = in                                            ? PLACE_IN
               : t->you->state == ROOST__MEET_STATE__WAITING ? PLACE_WAITING
                                                             : PLACE_OVER;
    if (in && room_follow_meeting(c, p->room, t->head) < 0)
        core_lose_code(c, ROOST_NOMEM);
}

/* What a later try may not meet. */
static bool passes(const Roost__Error *e)
{
    switch (e->code) {
    case ROOST_BUSY:
    case ROOST_NOT_STORED:
    case ROOST_TOO_FAST:
    case ROOST_NOMEM:
    case ROOST_IO:
    case ROOST_FULL:
    case ROOST_SHUTTING_DOWN:
    case ROOST_STALE_OWNER:
        return true;
    default:
        return false;
    }
}

static void refused(struct core *c, struct place *p, struct item *i, const Roost__Error *e)
{
    if (!p->answer && e && passes(e)) {
        p->wanted = true;
        p->retry_at_us = c->now_us + CORE_RETRY_US;
        item_free(i);
        return;
    }
    if (e)
        error_read(&i->error, e);
    else
        error_set(&i->error, ROOST_MALFORMED);
    i->flags = 0;
    i->event.kind = CORE_REFUSED;
    i->event.request = p->request;
    i->event.room = p->room;
    i->event.error = &i->error;
    core_give(c, i);
    if (p->answer)
        drop(c, p);
    else
        be_over(c, p);
}

void meet_on_answer(struct core *c, struct item *i, const Roost__ToClient *m, struct arena *mem)
{
    struct place *p = by_request(c, (int64_t)i->room);
    const Roost__Reply *r = m->reply;

    if (!p) {
        item_free(i);
        return;
    }
    p->asked = false;
    if (r->result_case == ROOST__REPLY__RESULT_TICKET && r->ticket->meeting && r->ticket->you &&
        r->ticket->meeting->room) {
        take_ticket(c, p, r->ticket);
        if (c->transport)
            give_ticket(c, p, i, m, mem);
        else
            item_free(i);
        meet_pump(c);
        return;
    }
    refused(c, p, i, r->result_case == ROOST__REPLY__RESULT_ERROR ? r->error : NULL);
}

/* --- who is connected --- */

/* Who came or went between the ticket and now was told to those who followed the room
 * already: so it is asked once more. */
void meet_on_followed(struct core *c, uint64_t room)
{
    Roost__MeetWho who = ROOST__MEET_WHO__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    if (!by_room(c, room))
        return;
    who.meeting = room;
    m.body_case = ROOST__TO_SERVER__BODY_MEET_WHO;
    m.meet_who = &who;
    if (ask_own(c, &m, ITEM_HERE, room) < 0)
        core_lose_code(c, ROOST_NOMEM);
}

/* Told as if the server had said it by itself. */
void meet_on_who(struct core *c, struct item *i, const Roost__ToClient *m, struct arena *mem)
{
    const struct place *p = by_room(c, i->room);
    const Roost__Reply *r = m->reply;
    Roost__ToClient *told = arena_get(mem, sizeof *told);
    Roost__MeetHere *here = arena_get(mem, sizeof *here);

    if (!p || r->result_case != ROOST__REPLY__RESULT_TICKET || !told || !here) {
        item_free(i); /* the next ticket knows it too */
        return;
    }
    roost__to_client__init(told);
    roost__meet_here__init(here);
    told->body_case = ROOST__TO_CLIENT__BODY_MEET_HERE;
    told->meet_here = here;
    here->meeting = i->room;
    here->attendees = r->ticket->attendees;
    here->n_attendees = r->ticket->n_attendees;
    i->flags = 0;
    i->event.kind = CORE_PUSH;
    i->event.request = 0;
    i->event.msg = told;
    i->event.mem = *mem;
    *mem = (struct arena){ 0 };
    core_give(c, i);
}

/* --- what the program does itself ---------------------------------------------------- */

void meet_note_leaving(struct core *c, const Roost__MeetAct *act, uint64_t *ret_room)
{
    struct place *p = by_act(c, act);

    *ret_room = p ? p->room : 0;
    if (p)
        p->leaving = true;
}

void meet_on_left(struct core *c, uint64_t room, bool done)
{
    struct place *p = by_room(c, room);

    if (!p)
        return;
    p->leaving = false;
    if (done)
        be_over(c, p);
    else
        meet_pump(c);
}

void core_meet_forget(struct core *c, uint64_t meeting)
{
    struct place *p = by_room(c, meeting);

    if (p) {
        be_over(c, p);
        drop(c, p);
    }
}

const struct roll *core_roll(const struct core *c, uint64_t meeting)
{
    const struct place *p = by_room(c, meeting);

    return p && p->roll.head ? &p->roll : NULL;
}

/* --- what arrives ------------------------------------------------------------------- */

void meet_on_now(struct core *c, const Roost__MeetNow *m)
{
    struct place *p = by_room(c, m->meeting);

    if (!p || !m->you || p->state == PLACE_OVER)
        return;
    switch (m->you->state) {
    case ROOST__MEET_STATE__WAITING:
        p->wanted = p->wanted || m->you->admitted;
        break;
    case ROOST__MEET_STATE__IN:
        p->wanted = p->wanted || p->state == PLACE_WAITING;
        break;
    default:
        be_over(c, p);
    }
    meet_pump(c);
}

static void on_own_row(struct core *c, struct place *p, const Roost__Attendee *a)
{
    bool manages = a->role == ROOST__MEET_ROLE__COHOST || a->role == ROOST__MEET_ROLE__HOST;
    bool managed = p->role == ROOST__MEET_ROLE__COHOST || p->role == ROOST__MEET_ROLE__HOST;

    p->role = a->role;
    p->wanted = p->wanted || (manages && !managed && p->state == PLACE_IN);
    meet_pump(c);
}

/* One left, but not by this connection: by another window or device. */
static bool left_elsewhere(const struct place *p, const Roost__Event *e, const Roost__Attendee *own)
{
    return e->met->action == ROOST__MEET_ACTION__LEAVE && own->state == ROOST__MEET_STATE__OUT &&
           e->seq > p->head && !p->leaving;
}

void meet_on_event(struct core *c, const Roost__Event *e)
{
    struct place *p = e->what_case == ROOST__EVENT__WHAT_MET ? by_room(c, e->room) : NULL;
    bool over = p && e->met->meeting && e->met->meeting->ended;

    for (size_t i = 0; p && i < e->met->n_attendees && c->transport; i++)
        if (e->met->attendees[i]->account == c->self.account) {
            over = over || left_elsewhere(p, e, e->met->attendees[i]);
            on_own_row(c, p, e->met->attendees[i]);
        }
    if (over) {
        p->state = PLACE_OVER; /* its room is followed to its last word */
        p->wanted = false;
    }
}

static int apply(struct place *p, const Roost__ToClient *m)
{
    switch (m->body_case) {
    case ROOST__TO_CLIENT__BODY_REPLY:
        return roll_ticket(&p->roll, m->reply->ticket);
    case ROOST__TO_CLIENT__BODY_EVENT:
        return roll_met(&p->roll, m->event->seq, m->event->met);
    case ROOST__TO_CLIENT__BODY_MEET_LOBBY:
        return roll_lobby(&p->roll, m->meet_lobby);
    case ROOST__TO_CLIENT__BODY_MEET_HERE:
        roll_here(&p->roll, m->meet_here);
        return 0;
    case ROOST__TO_CLIENT__BODY_MEET_NOW:
        return roll_now(&p->roll, m->meet_now);
    default:
        return 0;
    }
}

static uint64_t meeting_of(const struct core_event *e)
{
    const Roost__ToClient *m = e->msg;

    switch (m->body_case) {
    case ROOST__TO_CLIENT__BODY_REPLY:
        return m->reply->result_case == ROOST__REPLY__RESULT_TICKET ? e->room : 0;
    case ROOST__TO_CLIENT__BODY_EVENT:
        return m->event->what_case == ROOST__EVENT__WHAT_MET ? m->event->room : 0;
    case ROOST__TO_CLIENT__BODY_MEET_LOBBY:
        return m->meet_lobby->meeting;
    case ROOST__TO_CLIENT__BODY_MEET_HERE:
        return m->meet_here->meeting;
    case ROOST__TO_CLIENT__BODY_MEET_NOW:
        return m->meet_now->meeting;
    default:
        return 0;
    }
}

void meet_on_given(struct core *c, const struct core_event *e)
{
    struct place *p = c->places && e->msg ? by_room(c, meeting_of(e)) : NULL;

    if (p && apply(p, e->msg) < 0)
        core_lose_code(c, ROOST_NOMEM); /* the next ticket has it all */
}
