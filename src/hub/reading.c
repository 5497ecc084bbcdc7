/* reading.c - following rooms and reading what was said. */
#include <string.h>

#include "hub/handlers_talk.h"

enum { LIMIT_DEFAULT = 50 };

static uint32_t limit_of(uint32_t asked)
{
    return !asked ? LIMIT_DEFAULT : asked > STORE_PAGE_MAX ? STORE_PAGE_MAX : asked;
}

uint64_t reading_from(const struct request *q)
{
    const struct attendee *a = q->guest && q->room->meeting
                                   ? meeting_attendee(q->room->meeting, q->account)
                                   : NULL;

    return a ? a->row.from_seq : 0;
}

static uint64_t begins_after(const struct request *q, uint64_t after)
{
    uint64_t from = reading_from(q);

    return from > after + 1 ? from - 1 : after;
}

/* --- sync ---------------------------------------------------------------------------- */

static int synced_reply(struct hub *h, struct request *q, uint64_t upto, uint64_t head, bool more)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Synced synced = ROOST__SYNCED__INIT;

    synced.room = q->room_id;
    synced.upto = upto;
    synced.head = head;
    synced.more = more;
    reply.result_case = ROOST__REPLY__RESULT_SYNCED;
    reply.synced = &synced;
    return reply_with(h, q, &reply);
}

int sync_on_message(struct hub *h, struct request *q)
{
    uint64_t after = begins_after(q, q->msg->sync->after);
    struct conn *c = request_conn(h, q);
    struct sub *s = c ? sub_get(c, q->room_id) : NULL;

    if (!c)
        return HUB_DONE;
    if (s)
        sub_free(h, s); /* begins anew: what was held is read again */
    int err = sub_new(h, c, q->room_id, &s);
    if (err)
        return err;
    sub_syncs(h, s);
    s->upto = q->room->head;
    if (after >= q->room->head) {
        synced_reply(h, q, q->room->head, q->room->head, false);
        sub_release(h, s);
        return HUB_DONE;
    }
    struct store_op *op = request_do(h, q, STORE_READ);
    if (op) {
        op->account.id = q->account;
        op->room.id = q->room_id;
        op->after = after;
        op->before = q->room->head + 1;
        op->limit = limit_of(q->msg->sync->limit);
    }
    return request_store(h, q, op);
}

int sync_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct conn *c = request_conn(h, q);
    struct sub *s = c ? sub_get(c, q->room_id) : NULL;
    uint64_t upto = q->msg->sync->after;
    size_t bytes = 0, i;

    if (!c)
        return HUB_DONE;
    if (!s || s->state != SUB_SYNCING) /* another Sync took its place, or one was removed */
        return room_member(q->room, q->account) ? -ROOST_BUSY : -ROOST_NOT_MEMBER;
    for (i = 0; i < r->n_events && bytes < PAGE_BYTES_MAX; i++) {
        struct blob *frame = event_encode(&r->events[i]);
        if (!frame) {
            hub_condemn(h, c);
            return HUB_DONE;
        }
        bytes += frame->len;
        upto = r->events[i].seq;
        send_blob(h, c, frame);
        blob_unref(frame);
    }
    bool more = r->more || i < r->n_events;
    if (!more)
        upto = s->upto; /* retention may have taken the last ones */
    synced_reply(h, q, upto, s->upto, more);
    if (more)
        sub_free(h, s); /* the client asks for the next page, from upto */
    else
        sub_release(h, s);
    return HUB_DONE;
}

/* --- pages ------------------------------------------------------------------------------ */

/* As many events as fit a frame: from the old end, or from the new one. */
int reading_reply_page(struct hub *h, struct request *q, const struct store_result *r, bool newest)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Page page = ROOST__PAGE__INIT;
    Roost__Event **events = arena_get(&q->mem, (r->n_events + 1) * sizeof *events);
    size_t n = 0, bytes = 0;

    if (!events)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < r->n_events; i++) {
        const struct event *e = &r->events[newest ? r->n_events - 1 - i : i];
        Roost__Event *m = event_to_msg(&q->mem, e);
        if (!m)
            return -ROOST_NOMEM;
        bytes += roost__event__get_packed_size(m) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        events[n++] = m;
    }
    for (size_t i = 0; newest && i < n / 2; i++) {
        Roost__Event *swap = events[i];
        events[i] = events[n - 1 - i];
        events[n - 1 - i] = swap;
    }
    page.events = events;
    page.n_events = n;
    page.more = r->more || n < r->n_events;
    reply.result_case = ROOST__REPLY__RESULT_PAGE;
    reply.page = &page;
    return reply_with(h, q, &reply);
}

int read_on_message(struct hub *h, struct request *q)
{
    const Roost__Read *b = q->msg->read;
    struct store_op *op = request_do(h, q, STORE_READ);

    if (op) {
        op->account.id = q->account;
        op->room.id = q->room_id;
        op->after = begins_after(q, b->after);
        op->before = b->before;
        op->around = b->around;
        op->since_ms = (int64_t)b->since_ms;
        op->limit = limit_of(b->limit);
        op->last = b->last;
        op->unread = b->unread;
    }
    return request_store(h, q, op);
}

int read_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return reading_reply_page(h, q, r, q->msg->read->last);
}

int search_on_message(struct hub *h, struct request *q)
{
    const Roost__Search *b = q->msg->search;
    int err = q->room ? right_check(h, q, RIGHT_MEMBER) : 0;

    if (err)
        return err;
    if (!*b->words || strlen(b->words) > WORDS_MAX)
        return *b->words ? -ROOST_TOO_LONG : -ROOST_BAD_TEXT;
    struct store_op *op = request_do(h, q, STORE_SEARCH);
    if (op) {
        op->account.id = q->account;
        op->room.id = q->room_id;
        op->words = arena_str(&op->mem, b->words);
        op->since_ms = (int64_t)b->since_ms;
        op->limit = limit_of(b->limit);
    }
    return request_store(h, q, op);
}

int search_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    return reading_reply_page(h, q, r, true);
}

int earlier_on_message(struct hub *h, struct request *q)
{
    int err = right_check(h, q, RIGHT_MEMBER); /* who manages a room does not read it by that */

    if (err)
        return err;
    struct store_op *op = request_do(h, q, STORE_EARLIER);

    if (op) {
        op->room.id = q->room_id;
        op->seq = q->msg->earlier->seq;
    }
    return request_store(h, q, op);
}

int earlier_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Versions versions = ROOST__VERSIONS__INIT;
    size_t bytes = 0;

    versions.events = arena_get(&q->mem, (r->n_events + 1) * sizeof *versions.events);
    for (size_t i = 0; versions.events && i < r->n_events; i++) {
        Roost__Event *m = event_to_msg(&q->mem, &r->events[i]);
        if (!m)
            return -ROOST_NOMEM;
        bytes += roost__event__get_packed_size(m) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        versions.events[versions.n_events++] = m;
    }
    reply.result_case = ROOST__REPLY__RESULT_VERSIONS;
    reply.versions = &versions;
    return reply_with(h, q, &reply);
}

/* --- marks ---------------------------------------------------------------------------------- */

enum { RECEIPTS_MEMBERS_MAX = 50 }; /* in larger rooms nobody counts who has read */

int mark_on_message(struct hub *h, struct request *q)
{
    const Roost__Mark *b = q->msg->mark;
    struct store_op *op = request_do(h, q, STORE_MARK);

    if (op) {
        op->account.id = q->account;
        op->room.id = q->room_id;
        op->delivered = b->delivered > q->room->head ? q->room->head : b->delivered;
        op->read = b->read > q->room->head ? q->room->head : b->read;
    }
    return request_store(h, q, op);
}

int mark_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct member *m = room_member(q->room, q->account);
    Roost__Receipt receipt = ROOST__RECEIPT__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    if (m && (m->delivered != r->delivered || m->read != r->read)) {
        m->delivered = r->delivered;
        m->read = r->read;
        receipt.room = q->room_id;
        receipt.account = q->account;
        receipt.delivered = r->delivered;
        receipt.read = r->read;
        frame.body_case = ROOST__TO_CLIENT__BODY_RECEIPT;
        frame.receipt = &receipt;
        if (q->room->n_members <= RECEIPTS_MEMBERS_MAX)
            tell_room_frame(h, q->room_id, &frame, 0);
    }
    return reply_done(h, q, r);
}
