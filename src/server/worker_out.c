#include "server/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "server/worker_trip.h"
#include "wire/frame.h"

struct path_address path_of(const union address *a)
{
    struct path_address p = { 0 };
    struct dgram_address d;

    if (!address_to_wire(a, &d))
        return p;
    memcpy(p.ip, d.address, d.len);
    p.len = d.len;
    p.port = d.port;
    p.scope = a->any.sa_family == AF_INET6 ? a->v6.sin6_scope_id : 0;
    return p;
}

bool worker_address(const struct path_address *p, union address *ret)
{
    struct dgram_address d = { .len = p->len, .port = p->port };

    memcpy(d.address, p->ip, sizeof d.address);
    if (!address_of_wire(&d, ret))
        return false;
    if (ret->any.sa_family == AF_INET6)
        ret->v6.sin6_scope_id = p->scope;
    return true;
}

const struct via *worker_via(const struct carried *c, const struct path_address *at)
{
    for (unsigned i = 0; i < CARRIED_VIAS; i++)
        if (path_same(&c->vias[i].at, at))
            return &c->vias[i];
    return NULL;
}

static bool is_proven(const struct carried *c, const struct path_address *at)
{
    struct flow_view v;

    flow_look(c->flow, &v);
    return path_same(&v.paths->now, at);
}

/* A run of datagrams of one size (the last may be shorter) to one address. What the socket
 * does not take is lost, as the network loses. */
struct run {
    struct flow_to to;
    size_t used, segment;
    unsigned n;
    bool closed; /* by a shorter one */
};

static void note_sent(struct worker *w, const struct carried *c, const struct run *r, size_t len)
{
    w->counts.out += (len + r->segment - 1) / r->segment;
    w->counts.out_bytes += len;
    if (!is_proven(c, &r->to.at))
        w->counts.unproven_out += len;
}

static void flush(struct worker *w, const struct carried *c, struct run *r)
{
    const struct via *via = worker_via(c, &r->to.at);
    union address to;
    size_t at = 0;

    while (at < r->used && via && worker_address(&r->to.at, &to)) {
        struct iovec part = { w->out + at, r->used - at };
        struct udp_out o = { .to = &to,
                             .from = via->local.len ? &via->local : NULL,
                             .parts = &part,
                             .n_parts = 1,
                             .segment = part.iov_len > r->segment ? r->segment : 0,
                             .ecn = r->to.ect ? 2 : 0 };
        int64_t sent = udp_send(w->udp[via->socket], &o);
        if (sent > 0)
            note_sent(w, c, r, (size_t)sent);
        if (sent != -ROOST_TOO_LONG)
            break;
        at += r->segment; /* a probe that the interface refuses: what stands behind it goes */
    }
    *r = (struct run){ 0 };
}

static bool fits(const struct run *r, const struct flow_to *to, size_t len)
{
    return !r->n || (!r->closed && len <= r->segment && r->n < UDP_SEGMENTS_MAX &&
                     r->used + len <= UDP_RUN_BYTES && to->ect == r->to.ect &&
                     path_same(&to->at, &r->to.at));
}

static void send_datagrams(struct worker *w, struct carried *c)
{
    struct run r = { 0 };
    struct flow_to to;
    int n;

    while ((n = flow_next_to(c->flow, w->now_us, w->out + r.used, PACKET_MTU_MAX, &to)) > 0) {
        size_t len = (size_t)n;
        if (!fits(&r, &to, len)) {
            uint8_t *late = w->out + r.used;
            flush(w, c, &r);
            memmove(w->out, late, len);
        }
        if (!r.n) {
            r.to = to;
            r.segment = len;
        }
        r.closed = len < r.segment;
        r.used += len;
        r.n++;
    }
    flush(w, c, &r);
}

static bool send_message(struct worker *w, const struct carried *c, size_t len)
{
    struct word *word = calloc(1, sizeof *word);

    if (!word)
        return false;
    frame_head_encode(w->out, len);
    *word = (struct word){ .what = WORD_FRAMES, .conn = c->tunnel };
    word->bytes = blob_copy(w->out, FRAME_HEAD + len);
    if (word->bytes)
        return worker_tell(w, word);
    word_free(word);
    return false;
}

static void send_frames(struct worker *w, struct carried *c)
{
    int n;

    while (c->tunnel &&
           (n = flow_next_frames(c->flow, w->now_us, w->out + FRAME_HEAD, TUNNEL_MESSAGE)) > 0)
        if (!send_message(w, c, (size_t)n)) {
            worker_let_go(w, c->tunnel);
            worker_hang_up(w, c);
        }
}

void worker_send_one(struct worker *w, struct carried *c)
{
    trips_hear(w, c);
    send_datagrams(w, c);
    send_frames(w, c);
    if (c->over) {
        worker_let_go(w, c->tunnel);
        c->tunnel = 0;
    }
    int64_t due = flow_deadline_us(c->flow, w->now_us), trips = trips_deadline_us(c);
    dues_set(&w->dues, &c->due, trips < due ? trips : due);
}

void worker_send(struct worker *w)
{
    struct carried *c;

    while ((c = w->dirty)) {
        w->dirty = c->next_dirty;
        c->dirty = false;
        worker_send_one(w, c);
    }
}
