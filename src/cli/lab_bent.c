#include "cli/lab_bent.h"

#include <stdlib.h>

struct lab_bent *lab_bent_new(const struct link_pair *how, uint64_t seed)
{
    struct lab_bent *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    link_init(&b->up, LINK_DATAGRAMS, &how->up, seed);
    link_init(&b->down, LINK_DATAGRAMS, &how->down, seed + 1);
    return b;
}

void lab_bent_free(struct lab_bent *b)
{
    if (!b)
        return;
    link_fini(&b->up);
    link_fini(&b->down);
    free(b);
}

/* Without memory it is lost, as links lose. */
static void put(struct link *l, const uint8_t *bytes, size_t len, uint32_t mark, int64_t now_us)
{
    struct blob *blob = blob_copy(bytes, len);

    if (blob)
        link_push_tagged(l, now_us, blob, mark);
    blob_unref(blob);
}

void lab_bent_hear(struct lab_bent *b, const struct udp_in *in, int64_t now_us)
{
    put(&b->down, in->bytes, in->len, (uint32_t)in->ecn, now_us);
}

static void deliver(struct lab_bent *b, struct carry *c, int64_t now_us)
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

static void leave(struct lab_bent *b, const struct carry *c, int64_t now_us)
{
    struct blob *blob;
    uint32_t mark;

    while ((blob = link_next_tagged(&b->up, now_us, &mark))) {
        struct iovec part = { blob->bytes, blob->len };
        struct udp_out o = { .to = &c->to, .parts = &part, .n_parts = 1, .ecn = (int)mark };

        udp_send(c->udp, &o); /* what the socket does not take is lost */
        blob_unref(blob);
    }
}

void lab_bent_carry(struct lab_bent *b, struct carry *c, int64_t now_us)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    int n;

    deliver(b, c, now_us);
    while ((n = flow_next_to(c->flow, now_us, bytes, sizeof bytes, &to)) > 0)
        put(&b->up, bytes, (size_t)n, to.ect ? 2 : 0, now_us);
    leave(b, c, now_us);
}

int64_t lab_bent_deadline_us(const struct lab_bent *b, const struct flow *f, int64_t now_us)
{
    const int64_t all[] = { link_deadline_us(&b->up), link_deadline_us(&b->down),
                            flow_deadline_us(f, now_us) };
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        least = all[i] < least ? all[i] : least;
    return least;
}
