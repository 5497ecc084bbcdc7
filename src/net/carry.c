#include "net/carry.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int carry_init(struct carry *c, struct udp *udp, struct flow *flow, const union address *to)
{
    *c = (struct carry){ .udp = udp, .flow = flow, .to = *to, .run = malloc(UDP_RUN_BYTES) };
    return c->run ? 0 : -ROOST_NOMEM;
}

void carry_fini(struct carry *c)
{
    free(c->run);
    c->run = NULL;
}

/* --- addresses, as flow and as the system have them --------------------------------- */

void carry_address(const union address *a, struct path_address *ret)
{
    struct dgram_address d;

    address_to_wire(a, &d);
    *ret = (struct path_address){ .len = d.len, .port = d.port };
    memcpy(ret->ip, d.address, d.len);
    if (d.len == 16 && a->any.sa_family == AF_INET6)
        ret->scope = a->v6.sin6_scope_id;
}

static void system_address(const struct path_address *p, union address *ret)
{
    struct dgram_address d = { .len = p->len, .port = p->port };

    memcpy(d.address, p->ip, sizeof d.address);
    address_of_wire(&d, ret);
    if (p->len == 16 && ret->any.sa_family == AF_INET6)
        ret->v6.sin6_scope_id = p->scope;
}

/* --- in ------------------------------------------------------------------------------- */

int carry_hear(struct carry *c, const struct udp_in *in, int64_t now_us)
{
    struct path_address from;

    carry_address(&in->from, &from);
    int err = flow_on_datagram_from(c->flow, now_us, in->bytes, in->len, in->ecn, &from);
    if (!err && c->answers)
        c->local = in->to;
    return err;
}

/* --- out ------------------------------------------------------------------------------- */

static void drop_front(struct carry *c, size_t n)
{
    c->len -= n;
    memmove(c->run, c->run + n, c->len);
}

/* 1: all left; 0: the socket takes no more; -ROOST_IO. A datagram that the interface takes no
 * such size of is lost, as flow will see; but not those that only stand behind it: a probe of
 * the path's size must not cost a packet of data. */
static int flush(struct carry *c)
{
    while (c->len) {
        struct iovec part = { c->run, c->len };
        struct udp_out o = {
            .to = &c->to,
            .from = c->local.len ? &c->local : NULL,
            .parts = &part,
            .n_parts = 1,
            .segment = c->segment,
            .ecn = c->ecn,
        };
        int64_t n = udp_send(c->udp, &o);
        if (n == -ROOST_TOO_LONG) {
            drop_front(c, c->segment < c->len ? c->segment : c->len);
            continue;
        }
        if (n < 0)
            return -ROOST_IO;
        drop_front(c, (size_t)n);
        c->full = c->len > 0;
        return !c->full;
    }
    return 1;
}

static bool goes_there(struct carry *c, const struct flow_to *to)
{
    union address at;

    if (!to->at.len)
        return true;
    system_address(&to->at, &at);
    return address_equal(&at, &c->to);
}

/* The next datagram lies behind the run, and has len bytes. May it be part of it? */
static bool joins(struct carry *c, const struct flow_to *to, size_t len)
{
    return !c->len || (len <= c->segment && c->len % c->segment == 0 &&
                       c->ecn == (to->ect ? 2 : 0) && goes_there(c, to));
}

static void take(struct carry *c, const struct flow_to *to, size_t len)
{
    if (!c->len) {
        c->segment = len;
        c->ecn = to->ect ? 2 : 0;
        if (!goes_there(c, to)) {
            system_address(&to->at, &c->to);
            c->local.len = 0;
        }
    }
    c->len += len;
}

/* The run is over: its last one was shorter, or there is no room for another. */
static bool is_done(const struct carry *c)
{
    return c->len % c->segment || c->len / c->segment >= UDP_SEGMENTS_MAX ||
           UDP_RUN_BYTES - c->len < PACKET_MTU_MAX;
}

/* What could not be of the run before begins the next one. */
static void begin_run(struct carry *c)
{
    if (!c->n_held)
        return;
    memcpy(c->run, c->held, c->n_held);
    take(c, &c->held_to, c->n_held);
    c->n_held = 0;
}

static void hold(struct carry *c, const struct flow_to *to, size_t len)
{
    memcpy(c->held, c->run + c->len, len);
    c->held_to = *to;
    c->n_held = len;
}

/* Fills one run. False: the session has no more to say now. */
static bool fill(struct carry *c, int64_t now_us)
{
    struct flow_to to;

    while (!c->len || !is_done(c)) {
        int n = flow_next_to(c->flow, now_us, c->run + c->len, UDP_RUN_BYTES - c->len, &to);
        if (n <= 0)
            return false;
        if (!joins(c, &to, (size_t)n)) {
            hold(c, &to, (size_t)n);
            return true;
        }
        take(c, &to, (size_t)n);
    }
    return true;
}

int carry_out(struct carry *c, int64_t now_us)
{
    int left = flush(c);

    c->more = true;
    for (int i = 0; i < CARRY_RUNS && left > 0 && c->more; i++) {
        begin_run(c);
        c->more = fill(c, now_us) || c->n_held;
        left = flush(c);
    }
    return left < 0 ? left : 0;
}

int64_t carry_deadline_us(const struct carry *c, int64_t now_us)
{
    if (c->full)
        return INT64_MAX;
    return c->more ? now_us : flow_deadline_us(c->flow, now_us);
}
