/* meet_new.c - a new meeting: its code, its host. */
#include <string.h>

#include "hub/guard.h"
#include "hub/handlers_meet.h"

enum {
    TITLE_SUFFIX = 16,
    CODES_TRIED = 20,
    MEETINGS_A_DAY = 200, /* of one account, or source */
};

struct making {
    Roost__Meeting head;
    struct attendee host;
    char code[MEET_CODE_MAX + 1];
    char title[NAME_BYTES + TITLE_SUFFIX];
    int tried;
};

static int check(struct hub *h, struct request *q)
{
    const Roost__MeetNew *b = q->msg->meet_new;

    if (q->guest && q->guest_of)
        return -ROOST_GUEST; /* one meeting each */
    if (q->guest && !h->config.guests_may_host)
        return -ROOST_NO_GUESTS;
    if (strlen(b->title) > MEET_TITLE_MAX)
        return -ROOST_TOO_LONG;
    if (b->starts_ms > (uint64_t)h->now.wall_ms + MEET_AHEAD_MS)
        return -ROOST_TOO_FAR;
    if (!q->room)
        return 0;
    if (q->room->kind != ROOST__ROOM_KIND__ROOM)
        return -ROOST_NOT_ALLOWED;
    return right_check(h, q, RIGHT_MODERATE);
}

/* Who makes it is its host from the start, and comes when it likes. */
static int host_fill(struct hub *h, struct request *q, struct making *k)
{
    struct attendee *a = &k->host;
    struct conn *c = request_conn(h, q);
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    int err = meet_name_check(h, q->name, norm, skeleton);

    roost__attendee__init(&a->row);
    a->row.account = q->account;
    a->row.name = (char *)q->name;
    a->row.guest = q->guest;
    a->row.login = q->guest ? (char *)"" : (char *)q->name;
    a->row.role = ROOST__MEET_ROLE__HOST;
    a->row.admitted = true;
    a->skeleton = arena_str(&q->mem, err ? q->name : skeleton);
    a->source = (char *)q->source;
    a->has_device = c != NULL;
    if (c)
        memcpy(a->device, c->device, 32);
    return a->skeleton ? 0 : -ROOST_NOMEM;
}

static void head_fill(struct hub *h, struct request *q, struct making *k)
{
    const Roost__MeetNew *b = q->msg->meet_new;
    Roost__Meeting *head = &k->head;
    uint64_t now = (uint64_t)h->now.wall_ms;

    roost__meeting__init(head);
    strcat(strcpy(k->title, q->name), "'s meeting");
    head->title = *b->title ? b->title : k->title;
    head->made_ms = now;
    head->starts_ms = b->starts_ms;
    head->until_ms = (b->starts_ms > now ? b->starts_ms : now) + MEET_CODE_MS;
    head->open = b->open;
    head->forget_chat = b->forget_chat;
    head->unsealed = b->sealed == ROOST__SWITCH__AS_IT_IS ? h->config.unsealed
                                                          : b->sealed == ROOST__SWITCH__OFF;
    head->host = head->first_host = q->account;
    if (q->room) { /* permanent */
        head->until_ms = 0;
        head->bound_room = q->room_id;
        head->bound_name = arena_str(&q->mem, q->room->name);
    }
}

static int op_fill(struct request *q, struct making *k, struct store_op *op)
{
    struct meet_change c;
    struct attendee_row *row = arena_get(&op->mem, sizeof *row);
    struct member_row *member = arena_get(&op->mem, sizeof *member);

    if (!row || !member)
        return -ROOST_NOMEM;
    meet_change_begin(&c, &op->mem, NULL, ROOST__MEET_ACTION__CREATED, q->account, op->now_ms);
    k->head.code = k->code;
    c.head = k->head;
    op->account.id = q->account;
    op->room.name = arena_str(&op->mem, k->head.title);
    op->room.private = true;
    op->meet = (struct meet_row){ .bound_room = k->head.bound_room,
                                  .code = arena_str(&op->mem, k->code),
                                  .until_ms = (int64_t)k->head.until_ms,
                                  .live = true };
    *row = (struct attendee_row){ .account = q->account };
    *member = (struct member_row){ .account = q->account, .name = arena_str(&op->mem, q->name) };
    op->attendees = row;
    op->members = member;
    op->n_attendees = 1;
    op->n_members = q->guest ? 0 : 1; /* a guest reads from its coming on */
    op->event = (struct event){ .kind = EVENT_MEET,
                                .from = q->account,
                                .from_name = arena_str(&op->mem, q->name),
                                .change = ROOST__MEET_ACTION__CREATED };
    int err = meet_pack_head(&op->mem, &k->head, &op->meet.data, &op->meet.n_data);
    if (!err)
        err = meet_pack_attendee(&op->mem, &k->host, &row->data, &row->n_data);
    if (!err)
        err = meet_pack_event(&op->mem, &c, &op->event.data, &op->event.n_data);
    return op->room.name && op->meet.code && member->name ? err : -ROOST_NOMEM;
}

static int try_code(struct hub *h, struct request *q, struct making *k)
{
    struct store_op *op = request_do(h, q, STORE_MEET_NEW);

    meet_code_draw(h, k->code);
    k->tried++;
    int err = op ? op_fill(q, k, op) : -ROOST_NOMEM;
    if (!err)
        err = meet_count_made(q, GUARD_MEETINGS, MEETINGS_A_DAY, 86400000, op);
    if (err) {
        store_op_unref(op);
        return err;
    }
    return request_store(h, q, op);
}

int meet_new_on_message(struct hub *h, struct request *q)
{
    struct making *k = arena_get(&q->mem, sizeof *k);
    int err = k ? check(h, q) : -ROOST_NOMEM;

    if (!err)
        err = host_fill(h, q, k);
    if (err)
        return err;
    q->state = k;
    head_fill(h, q, k);
    return try_code(h, q, k);
}

/* The meeting as it was made; one that was asked for again, as it is now. */
static int answer(struct hub *h, struct request *q, Roost__Meeting *head, Roost__Attendee *you,
                  uint64_t head_seq)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Ticket ticket = ROOST__TICKET__INIT;
    char secret[MEET_SECRET_BYTES];

    if (meet_secret(h, head->room, secret) < 0)
        return -ROOST_NOMEM;
    ticket.meeting = head;
    ticket.you = you;
    ticket.secret = secret;
    ticket.head = head_seq;
    reply.result_case = ROOST__REPLY__RESULT_TICKET;
    reply.ticket = &ticket;
    return reply_with(h, q, &reply);
}

static int again(struct hub *h, struct request *q, const struct store_result *r)
{
    struct store_op *op = request_look(h, q, STORE_MEET_FIND);

    if (op) {
        op->room.id = r->room;
        op->account.id = q->account;
    }
    return request_store(h, q, op);
}

static int found(struct hub *h, struct request *q, struct making *k, const struct store_result *r)
{
    Roost__KeptMeeting *kept = msg_unpack(&q->mem, &roost__kept_meeting__descriptor, r->meet.data,
                                          r->meet.n_data);

    if (!kept || !kept->meeting)
        return -ROOST_NOMEM;
    kept->meeting->room = r->room;
    return answer(h, q, kept->meeting, &k->host.row, r->head);
}

int meet_new_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct making *k = q->state;
    struct conn *c = request_conn(h, q);

    if (r->err == -ROOST_CODE_TAKEN && k->tried < CODES_TRIED)
        return try_code(h, q, k);
    if (r->err) {
        q->retry_after_ms = (uint64_t)r->retry_ms;
        return r->err == -ROOST_GUESSES ? -ROOST_LIMIT : r->err;
    }
    if (c && c->user->guest)
        c->user->guest_of = r->room;
    if (r->kind == STORE_MEET_FIND)
        return found(h, q, k, r);
    if (r->dup)
        return again(h, q, r);
    k->head.room = r->room;
    return answer(h, q, &k->head, &k->host.row, r->seq);
}
