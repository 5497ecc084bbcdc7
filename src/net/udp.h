/* udp.h - one UDP socket: datagrams by the batch, as far as the kernel can.
 *
 *     while (udp_receive(u, &in) > 0) ...          one datagram each; recvmmsg and UDP_GRO
 *     udp_send(u, &out)                            runs of equal size; sendmsg and UDP_SEGMENT
 *
 * What a kernel or a device lacks is found out by its refusal: the same datagrams go again
 * the plain way, so nothing is lost, and it is not asked for again; but runs are, after
 * UDP_SEGMENT_AGAIN datagrams: it may have been one device of several. Tests take
 * abilities away by `lacks`.
 *
 * Datagrams carry "do not fragment" and the kernel does not guess sizes (PMTUDISC_PROBE):
 * whoever sends finds out what the path takes. ECN goes in and out with each. Drops of this
 * socket's own queue (SO_RXQ_OVFL) are counted apart: this machine was too slow then, not
 * the network. What the network refuses for a while (no route, a full device, nobody at
 * that port) counts as sent, and as `unsent`: to a transport it is lost like any other.
 *
 * Never blocks. One thread. Memory: a megabyte a socket, of which only what comes is touched.
 * Errors of the system are -ROOST_IO with errno as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "net/address.h"

enum {
    UDP_SEGMENTS_MAX = 64, /* in one call: what every kernel that has it takes */
    UDP_RUN_BYTES = 65000, /* likewise */
    UDP_PARTS_MAX = 512,   /* of one udp_send */
    UDP_BATCH = 16,        /* messages of one receiving call, each up to UDP_RUN_BYTES */
};

enum { UDP_SEGMENT_AGAIN = 10000 };

enum udp_lack {
    UDP_LACKS_SEGMENT = 1, /* UDP_SEGMENT */
    UDP_LACKS_GRO = 2,
    UDP_LACKS_MANY = 4, /* recvmmsg */
    UDP_LACKS_ECN = 8,
};

struct udp_settings {
    union address at; /* port 0: any */
    bool connect;     /* only with `to`: others are not heard, nobody there is noticed */
    union address to;
    bool reuse_port; /* several sockets at one port */
    bool v6_only;
    uint32_t queue_bytes; /* asked for, each way; the kernel gives what is allowed. 0: its own */
    bool stamps;          /* udp_in.stamp_ns is wanted */
    unsigned lacks;       /* for tests */
};

/* Where a datagram arrived: answers leave from there. len 0: not known. */
struct udp_local {
    uint8_t len, ip[16];
    uint32_t interface;
};

struct udp_in {
    union address from; /* plain: address_plain */
    struct udp_local to;
    uint8_t *bytes; /* until the next udp_receive; may be written to */
    size_t len;
    int ecn;          /* the two bits; 0 if it is not known */
    int64_t stamp_ns; /* when the kernel took it, of the time of the day; 0: not known */
};

struct udp_out {
    const union address *to;      /* NULL: a connected socket's */
    const struct udp_local *from; /* or NULL */
    const struct iovec *parts;
    size_t n_parts;
    size_t segment; /* bytes of each datagram but the last; 0: all is one */
    int ecn;
};

struct udp_counts {
    uint64_t in, in_bytes, in_calls;
    uint64_t out, out_bytes, out_calls;
    uint64_t overflowed; /* our own queue was full */
    uint64_t cut;        /* too long for anybody, dropped */
    uint64_t unsent;     /* refused by the network */
    uint64_t narrow;     /* likewise, though so small that every path is to carry them */
    uint64_t refused;    /* nobody is at that port (connected sockets) */
    unsigned lacks;      /* what turned out, or was said, to be missing */
    int trouble;         /* errno of the last unsent one */
};

struct udp;

/* 0, -ROOST_NOMEM, -ROOST_IO. */
int udp_open(struct udp **ret, const struct udp_settings *s);
void udp_close(struct udp *u); /* NULL is fine */
int udp_fd(const struct udp *u);
const struct udp_counts *udp_counts(const struct udp *u);
int udp_where(const struct udp *u, union address *ret); /* it is bound to */
/* From where the system would send there now; port 0. Nothing leaves. -ROOST_IO. */
int udp_source(const union address *to, union address *ret);

/* A connected socket keeps the address that the system chose at first. If it would choose
 * another one now (another network, another lease), the socket moves there. True: it did. */
bool udp_follow(struct udp *u);

/* For who wants to see all that passes (net/study.h): called with each datagram that came,
 * before anybody may change it, and each that was sent. */
struct udp_seen {
    bool out;
    const union address *peer;
    const struct udp_local *mine; /* or NULL */
    const uint8_t *bytes;
    size_t len;
    int ecn;
};
typedef void udp_tap_fn(void *ctx, const struct udp_seen *seen);
void udp_tap(struct udp *u, udp_tap_fn *fn, void *ctx);

/* 1: the next datagram; 0: none waits; -ROOST_IO. How many are taken in a row is for the
 * caller to bound: they may come faster than that. So one of no bytes, and one that was too long
 * for anybody, is given too, with a length of 0. */
int udp_receive(struct udp *u, struct udp_in *ret);

/* Returns how many bytes were taken, whole datagrams: fewer than all means that the socket
 * takes no more now (wait until it is writable). -ROOST_TOO_LONG: a datagram is larger than
 * the interface takes, none of the rest was sent; -ROOST_INVALID; -ROOST_IO. */
int64_t udp_send(struct udp *u, const struct udp_out *o);
