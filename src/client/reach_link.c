#include <string.h>

#include "base/err.h"
#include "client/reach_inside.h"
#include "net/carry.h"

enum { TUNNEL_QUEUE = 200 /* packets */ };

void reach_address(const struct path_address *p, union address *ret)
{
    struct dgram_address d = { .len = p->len, .port = p->port };

    memcpy(d.address, p->ip, sizeof d.address);
    address_of_wire(&d, ret);
    if (p->len == 16 && ret->any.sa_family == AF_INET6)
        ret->v6.sin6_scope_id = p->scope;
}

/* --- a modelled link ---------------------------------------------------------------------- */

static unsigned place_of(struct reach_bent *b, const union address *a)
{
    for (unsigned i = 0; i < REACH_PLACES; i++)
        if (b->places[i].any.sa_family && address_equal(&b->places[i], a))
            return i;
    unsigned i = b->next_place++ % REACH_PLACES;
    b->places[i] = *a;
    return i;
}

static void bend(struct reach_bent *b, struct link *l, const union address *place,
                 const uint8_t *bytes, size_t len, int ecn, int64_t now_us)
{
    struct blob *blob = blob_copy(bytes, len);

    if (blob) /* else it is lost, as links lose */
        link_push_tagged(l, now_us, blob, place_of(b, place) << 2 | (unsigned)ecn);
    blob_unref(blob);
}

static void send_now(struct reach_edge *e, const union address *to, const uint8_t *bytes,
                     size_t len, int ecn)
{
    struct iovec part = { (void *)bytes, len };
    struct udp_out o = { .to = to, .parts = &part, .n_parts = 1, .ecn = ecn };

    udp_send(e->udp, &o); /* what the socket does not take is lost */
}

static void take_bent(struct reach_edge *e, int64_t now_us)
{
    struct blob *blob;
    uint32_t tag;

    while ((blob = link_next_tagged(&e->bent->up, now_us, &tag))) {
        send_now(e, &e->bent->places[tag >> 2], blob->bytes, blob->len, (int)(tag & 3));
        blob_unref(blob);
    }
}

/* --- out ------------------------------------------------------------------------------------ */

void reach_link_plain(struct reach_edge *e, const union address *to, const uint8_t *bytes,
                      size_t len, int ecn, int64_t now_us)
{
    if (e->bent)
        bend(e->bent, &e->bent->up, to, bytes, len, ecn, now_us);
    else
        send_now(e, to, bytes, len, ecn);
}

static bool in_tunnel(const struct reach_edge *e)
{
    return !e->relay.bound && e->tunnelling && e->tunnel.state == TUNNEL_UP;
}

/* A queue of packets that were sent long ago is of no use: beyond so many they are lost, which says
 * that the way is full. */
static void put_in_tunnel(struct reach_edge *e, const uint8_t *packet, size_t len)
{
    if (e->tunnel.tls.n_out < TUNNEL_QUEUE)
        tunnel_send(&e->tunnel, packet, len);
}

void reach_link_send(struct reach_edge *e, bool relay, const struct path_address *to,
                     const uint8_t *bytes, size_t len, int64_t now_us)
{
    uint8_t packet[RELAY_HEAD + PACKET_MTU_MAX];
    union address at;

    if (!relay) {
        reach_address(to, &at);
        reach_link_plain(e, &at, bytes, len, 0, now_us);
        return;
    }
    relay_put_head(packet, e->relay.number, RELAY_PACKET);
    memcpy(packet + RELAY_HEAD, bytes, len);
    if (in_tunnel(e))
        put_in_tunnel(e, packet, RELAY_HEAD + len);
    else
        reach_link_plain(e, &e->relay_at, packet, RELAY_HEAD + len, 0, now_us);
}

/* True: all of the run left. What is too large for the interface is lost alone. */
static bool flush(struct reach_edge *e)
{
    struct reach_run *r = e->run;

    while (r->used) {
        struct iovec part = { r->bytes, r->used };
        struct udp_out o = { .to = &r->to,
                             .parts = &part,
                             .n_parts = 1,
                             .segment = r->used > r->segment ? r->segment : 0,
                             .ecn = r->ecn };
        int64_t n = udp_send(e->udp, &o);
        size_t gone = n == -ROOST_TOO_LONG ? (r->segment < r->used ? r->segment : r->used)
                      : n < 0              ? r->used
                                           : (size_t)n;
        r->used -= gone;
        memmove(r->bytes, r->bytes + gone, r->used);
        if (!gone) {
            e->full = true;
            return false;
        }
    }
    r->closed = false;
    return true;
}

static bool joins(const struct reach_run *r, size_t len, int ecn)
{
    return !r->closed && len <= r->segment && ecn == r->ecn &&
           r->used / r->segment < UDP_SEGMENTS_MAX && r->used + len <= UDP_RUN_BYTES;
}

/* len bytes lie behind the run; they become part of it, or the next one. */
static bool take(struct reach_edge *e, size_t len, int ecn)
{
    struct reach_run *r = e->run;
    uint8_t *late = r->bytes + r->used;

    if (r->used && !joins(r, len, ecn)) {
        if (!flush(e))
            return false; /* this one is lost */
        memmove(r->bytes, late, len);
    }
    if (!r->used) {
        r->segment = len;
        r->ecn = ecn;
    }
    r->closed = len < r->segment;
    r->used += len;
    return true;
}

static void send_runs(struct reach_edge *e, int64_t now_us)
{
    struct reach_run *r = e->run;
    size_t head = e->way_relay ? RELAY_HEAD : 0;
    struct flow_to to;
    int n;

    if (e->way_relay)
        r->to = e->relay_at;
    else
        reach_address(&e->way_at, &r->to);
    e->full = false;
    if (!flush(e))
        return;
    while ((n = flow_next_to(e->flow, now_us, r->bytes + r->used + head, PACKET_MTU_MAX, &to)) >
           0) {
        size_t len = head + (size_t)n;
        if (head)
            relay_put_head(r->bytes + r->used, e->relay.number, RELAY_PACKET);
        if (!e->bent && !take(e, len, to.ect ? 2 : 0))
            return;
        if (e->bent)
            bend(e->bent, &e->bent->up, &r->to, r->bytes, len, to.ect ? 2 : 0, now_us);
    }
    flush(e);
}

static void send_in_tunnel(struct reach_edge *e, int64_t now_us)
{
    uint8_t packet[RELAY_HEAD + PACKET_MTU_MAX];
    int n;

    relay_put_head(packet, e->relay.number, RELAY_PACKET);
    while ((n = flow_next(e->flow, now_us, packet + RELAY_HEAD, PACKET_MTU_MAX)) > 0)
        put_in_tunnel(e, packet, RELAY_HEAD + (size_t)n);
}

void reach_link_push(struct reach_edge *e, int64_t now_us)
{
    if (e->bent)
        take_bent(e, now_us);
    if (e->tunnelling)
        tunnel_flush(&e->tunnel);
}

void reach_link_flow(struct reach_edge *e, int64_t now_us)
{
    if (e->way_relay && in_tunnel(e))
        send_in_tunnel(e, now_us);
    else
        send_runs(e, now_us);
    reach_link_push(e, now_us);
}

/* --- in -------------------------------------------------------------------------------------- */

static void hear_one(struct reach_edge *e, const union address *from, uint8_t *bytes, size_t len,
                     int ecn, int64_t now_us)
{
    struct path_address at;
    enum relay_kind kind;
    uint32_t number;

    if (relay_read(bytes, len, &number, &kind)) {
        if (e->has_relay && address_equal(from, &e->relay_at))
            reach_edge_on_relay(e, bytes, len, ecn, now_us);
        return;
    }
    carry_address(from, &at);
    reach_edge_on_packet(e, bytes, len, ecn, &at, now_us);
}

void reach_link_hear(struct reach_edge *e, int64_t now_us)
{
    struct udp_in in;
    struct blob *blob;
    uint32_t tag;

    for (int i = 0; i < REACH_TURN && udp_receive(e->udp, &in) > 0; i++)
        if (e->bent)
            bend(e->bent, &e->bent->down, &in.from, in.bytes, in.len, in.ecn, now_us);
        else
            hear_one(e, &in.from, in.bytes, in.len, in.ecn, now_us);
    while (e->bent && (blob = link_next_tagged(&e->bent->down, now_us, &tag))) {
        hear_one(e, &e->bent->places[tag >> 2], blob->bytes, blob->len, (int)(tag & 3), now_us);
        blob_unref(blob);
    }
}

int64_t reach_link_deadline_us(const struct reach_edge *e, int64_t now_us)
{
    int64_t due_us = INT64_MAX, at_us;

    if (e->found && !e->lost && !e->full)
        due_us = flow_deadline_us(e->flow, now_us);
    for (int i = 0; e->bent && i < 2; i++) {
        at_us = link_deadline_us(i ? &e->bent->down : &e->bent->up);
        due_us = at_us < due_us ? at_us : due_us;
    }
    return due_us;
}
