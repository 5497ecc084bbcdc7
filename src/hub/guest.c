/* guest.c - takes part without an account: a name and a number, until the meeting ends.
 *
 * A guest comes with the code of a meeting, whose room is this request's shard, or
 * to start one. Its number and its session are made by one operation; the session is
 * resumed as any other.
 */
#include <string.h>

#include "base/utf8.h"
#include "hub/guard.h"
#include "hub/handlers_meet.h"
#include "hub/token.h"

enum { DEVICE_NAME_BYTES = 64 };

struct guest {
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    uint8_t device[32], token[32];
};

static bool may_register(const struct hub *h, const struct request *q)
{
    return h->config.registration == REGISTRATION_OPEN || (h->config.open_to_local && q->local);
}

static int guest_check(struct hub *h, struct request *q, struct guest *g)
{
    const Roost__Guest *b = q->msg->guest;
    struct conn *c = request_conn(h, q);

    if (!c || c->user)
        return c ? -ROOST_ALREADY : -ROOST_CLOSED;
    if (b->device.len != 32)
        return -ROOST_INVALID;
    if (b->host && (!h->config.guests_may_host || !may_register(h, q)))
        return -ROOST_NO_GUESTS;
    if (!b->host && !*b->code)
        return -ROOST_NO_SUCH_MEETING;
    int err = token_device_hash(g->device, b->device.data);
    if (!err)
        err = meet_name_check(h, b->name, g->norm, g->skeleton);
    return err ? err : meet_name_reserved(h, g->skeleton) ? -ROOST_NAME_TAKEN : 0;
}

/* What its meeting says before it has a number. */
static int at_the_door(struct hub *h, struct request *q, const struct guest *g)
{
    const struct meeting *m = q->room ? q->room->meeting : NULL;

    if (q->msg->guest->host)
        return 0;
    if (!m)
        return -ROOST_NO_SUCH_MEETING;
    const struct attendee *other = meeting_named(m, g->skeleton);
    if (other && strcmp(other->row.name, g->norm) != 0)
        return -ROOST_NAME_TAKEN; /* merely looks like somebody present */
    struct meet_comer who = { .guest = true,
                              .by_link = q->by_link,
                              .by_code = q->by_code,
                              .device = g->device,
                              .source = q->source };
    return meet_may_knock(m, &who, h->now.wall_ms, &q->retry_after_ms);
}

static int guest_op(struct hub *h, struct request *q, struct guest *g, struct store_op *op)
{
    const Roost__Guest *b = q->msg->guest;
    size_t len = utf8_fit(b->device_name, DEVICE_NAME_BYTES);
    char *device_name = arena_get(&op->mem, len + 1);

    op->account.name = arena_str(&op->mem, g->norm);
    op->skeleton = arena_str(&op->mem, g->skeleton);
    op->account.guest = true;
    op->account.guest_of = q->room_id;
    op->session.address = arena_str(&op->mem, q->address);
    memcpy(op->session.device, g->device, 32);
    if (!device_name || !op->account.name || !op->skeleton)
        return -ROOST_NOMEM;
    memcpy(device_name, b->device_name, len);
    op->session.device_name = device_name;
    rng_fill(&h->rng, g->token, sizeof g->token);
    int err = token_session_hash(op->session.token, g->token);
    return err ? err : meet_count_made(q, GUARD_GUESTS, h->config.guests_hour, 3600000, op);
}

int guest_on_message(struct hub *h, struct request *q)
{
    struct guest *g = arena_get(&q->mem, sizeof *g);

    if (!g)
        return -ROOST_NOMEM;
    q->state = g;
    int err = guest_check(h, q, g);
    if (!err)
        err = at_the_door(h, q, g);
    if (err)
        return err;
    q->about = g->norm;
    struct store_op *op = request_do(h, q, STORE_GUEST_NEW);
    err = op ? guest_op(h, q, g, op) : -ROOST_NOMEM;
    if (err) {
        store_op_unref(op);
        return err;
    }
    return request_store(h, q, op);
}

int guest_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct guest *g = q->state;
    struct conn *c = request_conn(h, q);
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Session s = ROOST__SESSION__INIT;

    if (r->err) { /* so many guests are many, but no guesses */
        q->retry_after_ms = (uint64_t)r->retry_ms;
        return r->err == -ROOST_GUESSES ? -ROOST_LIMIT : r->err;
    }
    if (!c || c->user)
        return c ? -ROOST_ALREADY : -ROOST_CLOSED;
    int err = conn_attach(h, c, r->session.id, r->account, g->norm, ROOST__ROLE__USER);
    if (err)
        return err;
    c->user->guest = true;
    c->user->guest_of = q->room_id;
    memcpy(c->device, g->device, 32);
    s.session = r->session.id;
    s.token = (ProtobufCBinaryData){ sizeof g->token, g->token };
    s.account = r->account;
    s.name = g->norm;
    s.guest = true;
    reply.result_case = ROOST__REPLY__RESULT_SESSION;
    reply.session = &s;
    return reply_with(h, q, &reply);
}
