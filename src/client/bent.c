#include "client/bent.h"

#include <stdlib.h>

#include "base/err.h"

struct bent *bent_new(const struct link_pair *how, uint64_t seed)
{
    struct bent *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    link_init(&b->up, LINK_DATAGRAMS, &how->up, seed);
    link_init(&b->down, LINK_DATAGRAMS, &how->down, seed + 1);
    link_init(&b->stream_up, LINK_STREAM, &how->up, seed + 2);
    link_init(&b->stream_down, LINK_STREAM, &how->down, seed + 3);
    return b;
}

void bent_free(struct bent *b)
{
    if (!b)
        return;
    link_fini(&b->up);
    link_fini(&b->down);
    link_fini(&b->stream_up);
    link_fini(&b->stream_down);
    blob_unref(b->refused);
    free(b);
}

/* Without memory it is lost, as links lose. */
static void put(struct link *l, const uint8_t *bytes, size_t len, uint32_t tag, int64_t now_us)
{
    struct blob *blob = blob_copy(bytes, len);

    if (blob)
        link_push_tagged(l, now_us, blob, tag);
    blob_unref(blob);
}

/* --- datagrams ------------------------------------------------------------------------ */

void bent_hear(struct bent *b, const struct udp_in *in, int64_t now_us)
{
    put(&b->down, in->bytes, in->len, (uint32_t)in->ecn, now_us);
}

void bent_deliver(struct bent *b, struct carry *c, int64_t now_us)
{
    struct blob *blob;
    uint32_t mark;

    while ((blob = link_next_tagged(&b->down, now_us, &mark))) {
        struct udp_in in = {
            .from = c->to, .bytes = blob->bytes, .len = blob->len, .ecn = (int)mark
        };
        carry_hear(c, &in, now_us);
        blob_unref(blob);
    }
}

static void leave(const struct carry *c, struct blob *blob, uint32_t mark)
{
    struct iovec part = { blob->bytes, blob->len };
    struct udp_out o = { .to = &c->to, .parts = &part, .n_parts = 1, .ecn = (int)mark };

    udp_send(c->udp, &o); /* what the socket does not take is lost */
}

void bent_send(struct bent *b, struct carry *c, int64_t now_us)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct blob *blob;
    uint32_t mark;
    int n;

    while ((n = flow_next_to(c->flow, now_us, bytes, sizeof bytes, &to)) > 0)
        put(&b->up, bytes, (size_t)n, to.ect ? 2 : 0, now_us);
    while ((blob = link_next_tagged(&b->up, now_us, &mark))) {
        leave(c, blob, mark);
        blob_unref(blob);
    }
}

/* --- messages ----------------------------------------------------------------------------- */

void bent_hear_message(struct bent *b, const uint8_t *bytes, size_t len, int64_t now_us)
{
    put(&b->stream_down, bytes, len, 0, now_us);
}

void bent_deliver_messages(struct bent *b, struct flow *f, int64_t now_us)
{
    struct blob *blob;

    while ((blob = link_next(&b->stream_down, now_us))) {
        flow_on_frames(f, now_us, blob->bytes, blob->len);
        blob_unref(blob);
    }
}

/* As many as the link takes: one that it refuses waits here for its next turn. */
static void take_messages(struct bent *b, struct flow *f, int64_t now_us)
{
    uint8_t bytes[TUNNEL_MESSAGE_MAX];
    int n;

    if (b->refused && link_push(&b->stream_up, now_us, b->refused))
        return;
    b->refused = blob_unref(b->refused);
    while (!b->refused && (n = flow_next_frames(f, now_us, bytes, sizeof bytes)) > 0) {
        struct blob *blob = blob_copy(bytes, (size_t)n);
        if (blob && link_push(&b->stream_up, now_us, blob))
            b->refused = blob;
        else
            blob_unref(blob);
    }
}

int bent_send_messages(struct bent *b, struct flow *f, struct tunnel *t, int64_t now_us)
{
    struct blob *blob;
    int err = 0;

    take_messages(b, f, now_us);
    while (!err && (blob = link_next(&b->stream_up, now_us))) {
        err = tunnel_send(t, blob->bytes, blob->len);
        blob_unref(blob);
    }
    return err;
}

void bent_reset_stream(struct bent *b)
{
    link_reset(&b->stream_up);
    link_reset(&b->stream_down);
    b->refused = blob_unref(b->refused);
}

int64_t bent_deadline_us(const struct bent *b)
{
    const int64_t all[] = { link_deadline_us(&b->up), link_deadline_us(&b->down),
                            link_deadline_us(&b->stream_up), link_deadline_us(&b->stream_down),
                            b->refused ? link_idle_us(&b->stream_up) : INT64_MAX };
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        least = all[i] < least ? all[i] : least;
    return least;
}
