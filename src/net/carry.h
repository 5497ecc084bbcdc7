/* carry.h - carries the datagrams of one session between flow and a socket.
 *
 *     carry_hear(c, &in, now)           for each datagram that udp_receive gave
 *     carry_out(c, now)                 all that may leave now, in runs
 *     sleep until carry_deadline_us(c, now), or the socket is readable, or, if c->full,
 *     writable
 *
 * The memory is the owner's; socket and session are borrowed. One thread.
 */
#pragma once

#include "flow/flow.h"
#include "net/udp.h"

enum { CARRY_RUNS = 16 }; /* that leave before what came is looked at */

struct carry {
    struct udp *udp;
    struct flow *flow;
    union address to;       /* where the last one went, and the next if nothing else is known */
    bool answers;           /* it was the other side that came: to this address of ours ... */
    struct udp_local local; /* ... and so from there answers leave; len 0: the system chooses */
    uint8_t *run;           /* datagrams of one size, the last may be shorter */
    size_t len, segment;
    uint8_t held[PACKET_MTU_MAX]; /* one that cannot be of the same run */
    struct flow_to held_to;
    size_t n_held;
    int ecn;
    bool full; /* the socket takes no more now */
    bool more; /* carry_out has left something for its next turn */
};

int carry_init(struct carry *c, struct udp *udp, struct flow *flow, const union address *to);
void carry_fini(struct carry *c); /* udp and flow stay */

/* 0; -ROOST_MALFORMED: it is not of this session. */
int carry_hear(struct carry *c, const struct udp_in *in, int64_t now_us);
/* 0 or -ROOST_IO. */
int carry_out(struct carry *c, int64_t now_us);
int64_t carry_deadline_us(const struct carry *c, int64_t now_us);

void carry_address(const union address *a, struct path_address *ret);
