/* reply.c - answers, and every other frame to one connection. */
#include <string.h>

#include "hub/internal.h"

void hub_condemn(struct hub *h, struct conn *c)
{
    if (!c->condemned) {
        c->condemned = true;
        h->n_condemned++;
    }
}

void send_blob(struct hub *h, struct conn *c, struct blob *frame)
{
    if (h->departing)
        trains_catch_up(h, c);
    if (!c->condemned && outbox_send(h->out, c->id, frame, 0, frame->len) < 0)
        hub_condemn(h, c);
}

/* Tokens, and keys of datagrams. */
static bool is_secret(const Roost__ToClient *frame)
{
    return frame->body_case == ROOST__TO_CLIENT__BODY_REPLY &&
           (frame->reply->result_case == ROOST__REPLY__RESULT_SESSION ||
            frame->reply->result_case == ROOST__REPLY__RESULT_DATAGRAMS ||
            frame->reply->result_case == ROOST__REPLY__RESULT_MEDIA_PLACE);
}

int send_frame(struct hub *h, struct conn *c, Roost__ToClient *frame)
{
    struct blob *b = msg_encode(&frame->base);

    if (!b) {
        hub_condemn(h, c);
        return -ROOST_NOMEM;
    }
    b->secret = is_secret(frame);
    send_blob(h, c, b);
    blob_unref(b);
    return 0;
}

int reply_with(struct hub *h, struct request *q, Roost__Reply *r)
{
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    struct conn *c = request_conn(h, q);

    if (!c)
        return HUB_DONE; /* it will ask again, with the same id */
    if (q->has_id)
        r->id = (ProtobufCBinaryData){ sizeof q->id, q->id };
    else if (q->msg)
        r->id = q->msg->id;
    frame.body_case = ROOST__TO_CLIENT__BODY_REPLY;
    frame.reply = r;
    send_frame(h, c, &frame);
    return HUB_DONE;
}

int reply_done(struct hub *h, struct request *q, const struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Done done = ROOST__DONE__INIT;

    if (r) {
        done.room = r->room;
        done.seq = r->seq;
        done.at_ms = (uint64_t)r->at_ms;
        done.account = r->account;
    }
    reply.result_case = ROOST__REPLY__RESULT_DONE;
    reply.done = &done;
    return reply_with(h, q, &reply);
}

void reply_error(struct hub *h, struct request *q, int err)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Error error = ROOST__ERROR__INIT;

    error.code = (uint32_t)(err < 0 ? -err : err);
    error.name = (char *)err_name(err);
    error.text = (char *)err_text(err);
    error.advice = (char *)err_advice(err);
    error.retry_after_ms = q->retry_after_ms;
    reply.result_case = ROOST__REPLY__RESULT_ERROR;
    reply.error = &error;
    h->stats.refusals++;
    reply_with(h, q, &reply);
}
