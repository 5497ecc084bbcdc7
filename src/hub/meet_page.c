/* meet_page.c - the page of a meeting asks what it is called. Whoever can open the page
 * can guess codes with it, so that counts as any other guess.
 */
#include <string.h>

#include "hub/handlers_meet.h"

static int asked(struct hub *h, struct request *q)
{
    struct store_op *op = request_do(h, q, STORE_MEET_FIND);
    int err = op ? meet_counts(h, q, op) : -ROOST_NOMEM;

    if (op)
        op->words = arena_str(&op->mem, q->state);
    if (err) {
        store_op_unref(op);
        return err;
    }
    return request_store(h, q, op);
}

static int found(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__KeptMeeting *kept = NULL;

    if (!r->err)
        kept = msg_unpack(&q->mem, &roost__kept_meeting__descriptor, r->meet.data, r->meet.n_data);
    const char *title = kept && kept->meeting ? kept->meeting->title : NULL;
    return outbox_title(h->out, q->page, title, r->err ? r->err : -ROOST_NOMEM);
}

static const struct rule page_rule = {
    .kind = "join_page",
    .right = RIGHT_NONE,
    .flags = RULE_ERRORS | RULE_QUIET,
    .on_message = asked,
    .on_stored = found,
};

int hub_ask_title(struct hub *h, uint64_t conn, const char *code, const struct hub_peer *peer,
                  struct now now)
{
    h->now = now;
    struct request *q = request_internal(h, &page_rule);

    if (!q)
        return -ROOST_BUSY;
    q->page = conn;
    q->address = arena_str(&q->mem, peer->address);
    q->source = arena_str(&q->mem, peer->source);
    q->state = arena_str(&q->mem, code);
    if (!q->address || !q->source || !q->state) {
        request_free(h, q);
        return -ROOST_NOMEM;
    }
    shard_enter(h, q);
    return 0;
}
