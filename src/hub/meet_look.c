/* meet_look.c - who is in a meeting, and which meetings there are. */
#include <stdlib.h>
#include <string.h>

#include "hub/handlers_meet.h"

static int by_coming(const void *a, const void *b)
{
    const Roost__Attendee *x = *(Roost__Attendee *const *)a, *y = *(Roost__Attendee *const *)b;

    if (x->came_ms != y->came_ms)
        return x->came_ms < y->came_ms ? -1 : 1;
    return x->account < y->account ? -1 : x->account > y->account;
}

static int by_account(const void *a, const void *b)
{
    const Roost__Attendee *x = *(Roost__Attendee *const *)a, *y = *(Roost__Attendee *const *)b;

    return x->account < y->account ? -1 : x->account > y->account;
}

/* Copies of the rows in these states (bits), above `after`. */
static int list(struct arena *mem, const struct meeting *m, unsigned states, uint64_t after,
                Roost__Attendee ***ret, size_t *ret_n)
{
    size_t total = m->attendees.n + 1;
    Roost__Attendee **rows = arena_get(mem, total * sizeof *rows);
    Roost__Attendee *copies = arena_get(mem, total * sizeof *copies);
    struct map_slot *s;

    *ret_n = 0;
    if (!rows || !copies)
        return -ROOST_NOMEM;
    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (!(states & 1u << a->row.state) || a->row.account <= after)
            continue;
        Roost__Attendee *copy = &copies[*ret_n];
        *copy = a->row;
        copy->here = a->here > 0;
        rows[(*ret_n)++] = copy;
    }
    *ret = rows;
    return 0;
}

static size_t fit(Roost__Attendee **rows, size_t n, size_t *bytes)
{
    size_t i = 0;

    for (; i < n; i++) {
        *bytes += roost__attendee__get_packed_size(rows[i]) + 8;
        if (*bytes > REPLY_BYTES_MAX)
            break;
    }
    return i;
}

static int ticket_fill(struct hub *h, struct request *q, const struct meeting *m,
                       Roost__Meeting *head, Roost__Ticket *t)
{
    const struct attendee *me = meeting_attendee(m, q->account);
    bool in = meeting_role(m, q->account) >= 0, manages = meeting_manages(m, q->account);
    char *secret = arena_get(&q->mem, MEET_SECRET_BYTES);
    Roost__Attendee *you = me ? arena_dup(&q->mem, &me->row, sizeof me->row) : NULL;

    *head = m->head;
    head->present = m->n_in;
    head->waiting = manages ? m->n_waiting : 0;
    t->meeting = head;
    t->you = you;
    t->head = q->room->head;
    if (you)
        you->here = me->here > 0;
    if (!secret || (me && !you))
        return -ROOST_NOMEM;
    if (!manages && !q->by_link)
        head->code = in ? head->code : "";
    else if (!head->ended && meet_secret(h, q->room_id, secret) == 0)
        t->secret = secret;
    return 0;
}

static int ticket_send(struct hub *h, struct request *q, Roost__Ticket *t)
{
    Roost__Reply reply = ROOST__REPLY__INIT;

    reply.result_case = ROOST__REPLY__RESULT_TICKET;
    reply.ticket = t;
    return reply_with(h, q, &reply);
}

int meet_reply_ticket(struct hub *h, struct request *q, const struct meeting *m)
{
    Roost__Ticket t = ROOST__TICKET__INIT;
    Roost__Meeting head;
    size_t bytes = 0;
    int err = ticket_fill(h, q, m, &head, &t);

    if (!err && meeting_role(m, q->account) >= 0)
        err = list(&q->mem, m, 1u << ROOST__MEET_STATE__IN, 0, &t.attendees, &t.n_attendees);
    if (!err && meeting_manages(m, q->account))
        err = list(&q->mem, m, 1u << ROOST__MEET_STATE__WAITING, 0, &t.waiting, &t.n_waiting);
    if (err)
        return err;
    if (t.n_attendees)
        qsort(t.attendees, t.n_attendees, sizeof *t.attendees, by_coming);
    if (t.n_waiting)
        qsort(t.waiting, t.n_waiting, sizeof *t.waiting, by_coming);
    t.n_attendees = fit(t.attendees, t.n_attendees, &bytes);
    t.n_waiting = fit(t.waiting, t.n_waiting, &bytes);
    return ticket_send(h, q, &t);
}

/* --- MeetWho ---------------------------------------------------------------------------- */

int meet_who_on_message(struct hub *h, struct request *q)
{
    const Roost__MeetWho *b = q->msg->meet_who;
    const struct meeting *m = q->room->meeting;
    bool manages = meeting_manages(m, q->account) || q->role == ROOST__ROLE__ADMIN;
    bool was_host = q->account == m->head.first_host;
    unsigned states = b->all ? ~0u : 1u << ROOST__MEET_STATE__IN;
    Roost__Ticket t = ROOST__TICKET__INIT;
    Roost__Meeting head;
    size_t bytes = 0;

    if (!manages && !was_host && !q->meet_role && !meeting_attendee(m, q->account))
        return q->by_code ? -ROOST_NOT_IN_MEETING : -ROOST_NO_SUCH_MEETING;
    bool in = meeting_role(m, q->account) >= 0;
    if (b->all ? !manages && !was_host : !in && !manages && !was_host && !q->meet_role)
        return b->all ? -ROOST_NOT_ALLOWED : -ROOST_NOT_IN_MEETING;
    int err = ticket_fill(h, q, m, &head, &t);
    if (!err)
        err = list(&q->mem, m, states, b->after, &t.attendees, &t.n_attendees);
    if (!err && !b->all && manages)
        err = list(&q->mem, m, 1u << ROOST__MEET_STATE__WAITING, b->after, &t.waiting,
                   &t.n_waiting);
    if (err)
        return err;
    if (t.n_attendees)
        qsort(t.attendees, t.n_attendees, sizeof *t.attendees, by_account);
    if (t.n_waiting)
        qsort(t.waiting, t.n_waiting, sizeof *t.waiting, by_account);
    t.n_attendees = fit(t.attendees, t.n_attendees, &bytes);
    t.n_waiting = fit(t.waiting, t.n_waiting, &bytes);
    return ticket_send(h, q, &t);
}

/* --- lists of meetings ---------------------------------------------------------------------- */

static int list_ask(struct hub *h, struct request *q, uint64_t account, uint64_t after)
{
    struct store_op *op = request_do(h, q, STORE_MEET_LIST);

    if (op) {
        op->account.id = account;
        op->after = after;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

int meet_list_on_message(struct hub *h, struct request *q)
{
    return list_ask(h, q, q->account, q->msg->meet_list->after);
}

int admin_meetings_on_message(struct hub *h, struct request *q)
{
    return list_ask(h, q, 0, q->msg->admin_meetings->after);
}

int meet_list_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__MeetingList meetings = ROOST__MEETING_LIST__INIT;
    size_t bytes = 0;

    meetings.meetings = arena_get(&q->mem, (r->n_meets + 1) * sizeof *meetings.meetings);
    if (!meetings.meetings)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < r->n_meets; i++) {
        const struct meet_row *row = &r->meets[i];
        Roost__KeptMeeting *kept = msg_unpack(&q->mem, &roost__kept_meeting__descriptor, row->data,
                                              row->n_data);
        if (!kept || !kept->meeting)
            return -ROOST_NOMEM;
        kept->meeting->room = row->room;
        bytes += roost__meeting__get_packed_size(kept->meeting) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        meetings.meetings[meetings.n_meetings++] = kept->meeting;
    }
    meetings.more = r->more || meetings.n_meetings < r->n_meets;
    reply.result_case = ROOST__REPLY__RESULT_MEETINGS;
    reply.meetings = &meetings;
    return reply_with(h, q, &reply);
}

int admin_meetings_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return meet_list_on_stored(h, q, r);
}
