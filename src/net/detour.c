#include "net/detour.h"

void detour_init(struct detour *d, const struct link_pair *how, uint64_t seed)
{
    link_init(&d->up, LINK_DATAGRAMS, &how->up, seed);
    link_init(&d->down, LINK_DATAGRAMS, &how->down, seed + 1);
}

void detour_fini(struct detour *d)
{
    link_fini(&d->up);
    link_fini(&d->down);
}

/* Without memory it is lost, as links lose. */
static void put(struct link *l, const uint8_t *bytes, size_t len, int ecn, int64_t now_us)
{
    struct blob *blob = blob_copy(bytes, len);

    if (blob)
        link_push_tagged(l, now_us, blob, (uint32_t)ecn);
    blob_unref(blob);
}

void detour_hear(struct detour *d, const struct udp_in *in, int64_t now_us)
{
    put(&d->down, in->bytes, in->len, in->ecn, now_us);
}

void detour_deliver(struct detour *d, struct carry *c, int64_t now_us)
{
    struct blob *blob;
    uint32_t mark;

    while ((blob = link_next_tagged(&d->down, now_us, &mark))) {
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

void detour_send(struct detour *d, struct carry *c, int64_t now_us)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct blob *blob;
    uint32_t mark;
    int n;

    while ((n = flow_next_to(c->flow, now_us, bytes, sizeof bytes, &to)) > 0)
        put(&d->up, bytes, (size_t)n, to.ect ? 2 : 0, now_us);
    while ((blob = link_next_tagged(&d->up, now_us, &mark))) {
        leave(c, blob, mark);
        blob_unref(blob);
    }
}

void detour_put(struct detour *d, const uint8_t *bytes, size_t len, bool ect, int64_t now_us)
{
    put(&d->up, bytes, len, ect ? 2 : 0, now_us);
}

int64_t detour_deadline_us(const struct detour *d)
{
    int64_t up_us = link_deadline_us(&d->up), down_us = link_deadline_us(&d->down);

    return up_us < down_us ? up_us : down_us;
}
