/* link.h - one direction of a modelled link: rate, delay, jitter, loss, queue and more.
 *
 * Packets go in with the time, and come out when they would have arrived:
 *
 *     link_push(l, now_us, blob);
 *     while ((blob = link_next(l, now_us)))
 *         receive(blob);
 *     sleep until link_deadline_us(l)
 *
 * A packet's way, in this order: lost or not; the policer; the queue, which drops the
 * last when it is full (and from its head with CoDel); the wire, which sends one after
 * the other at the link's rate; the journey: delay, up to jitter more, order kept.
 * Some are damaged, doubled, or late so that others overtake them.
 *
 * delay_us is ONE WAY. A round trip is the delays of both directions together: a link
 * of 40 ms there and back has delay_us 20000 in each of its two directions.
 *
 * Two kinds of link:
 *
 *   LINK_DATAGRAMS  what is lost is gone; a full queue drops, and so does a link that
 *                   is down.
 *   LINK_STREAM     a byte stream as TCP gives it: in order and complete. A loss
 *                   costs a round trip, a full queue refuses (the caller keeps
 *                   what it has), a link that is down holds everything back. It has
 *                   rate, delay, jitter, loss and queue only.
 *
 * Deterministic for a seed. The link owns the references in it; the caller owns
 * time. Times are microseconds; the wire reckons in nanoseconds. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "lab/codel.h"
#include "lab/dice.h"

/* Packets in one link at once; past it a push is refused like a full queue. */
enum { LINK_PACKETS_MAX = 65536 };

enum link_kind { LINK_DATAGRAMS, LINK_STREAM };

/* All zero: a link that changes nothing. Shares are of a million packets. */
struct link_config {
    uint64_t rate_bps;         /* bits a second, 0 = no limit */
    int64_t delay_us;          /* one way */
    int64_t jitter_us;         /* 0 to so much more, evenly; nobody overtakes */
    uint32_t loss_ppm;         /* before the queue: takes no time on the wire */
    uint32_t loss_burst;       /* so many in a row are lost together; 0 and 1: each by itself */
    uint32_t queue_bytes;      /* that wait for the wire or are on it; 0 = no limit */
    uint32_t reorder_ppm;      /* these come late, and the next overtake them */
    int64_t late_us;           /* by so much */
    uint32_t duplicate_ppm;    /* these arrive twice */
    uint32_t corrupt_ppm;      /* these arrive with one bit turned */
    int64_t codel_target_us;   /* a wait above which CoDel drops; 0 = no CoDel */
    int64_t codel_interval_us; /* for so long above it; 0 = CODEL_INTERVAL_US */
    uint64_t police_bps;       /* what comes faster is dropped, not queued; 0 = no policer */
    uint32_t police_bytes;     /* the policer's bucket: so much may come at once */
};

/* What happened so far. Packets: pushed + duplicated is what arrived, lost, policed,
 * dropped, early (by CoDel) and cut, and what is still inside. */
struct link_counts {
    uint64_t pushed, pushed_bytes;
    uint64_t arrived, arrived_bytes;
    uint64_t lost;       /* by chance; in a stream: sent twice */
    uint64_t policed;    /* the bucket was empty */
    uint64_t dropped;    /* the queue was full; in a stream: refused, and not in pushed */
    uint64_t early;      /* dropped by CoDel */
    uint64_t cut;        /* the link was down, or link_reset */
    uint64_t duplicated; /* the second ones */
    uint64_t corrupted, reordered;
    uint64_t queue_most_bytes; /* the longest queue so far */
    uint64_t took_us;          /* all that were sent, from push to arrival: the sum, */
    uint64_t apart_us;         /* by how much each differed from the one before it, */
    uint64_t journeys;         /* and how many they were */
    int64_t took_last_us;
};

struct link_packet {
    int64_t due_us; /* in the queue: when it came */
    uint64_t order;
    struct blob *bytes;
    uint32_t tag;
    bool again; /* of a stream: lost once */
};

struct link {
    enum link_kind kind;
    struct link_config config;
    struct link_counts counts;
    struct dice dice;
    bool down;
    uint32_t losing; /* so many more of a burst */
    int64_t bucket_at_ns;
    double bucket_bytes;
    struct codel codel;

    struct link_packet *queue; /* a ring: waiting for the wire */
    size_t queue_first, queue_n, queue_cap;
    uint64_t queue_sum; /* bytes in it */

    int64_t wire_free_ns; /* when the wire has sent what it is at */
    int64_t last_due_us;  /* nothing overtakes */
    uint64_t order;
    struct link_packet *heap; /* on their journey, the next due is first */
    size_t n, cap;
};

void link_init(struct link *l, enum link_kind kind, const struct link_config *config,
               uint64_t seed);
void link_fini(struct link *l);

/* From now on, for what waits in the queue too; what is on the wire keeps its time. */
void link_set(struct link *l, const struct link_config *config);

/* Takes a reference of its own. 0 when it is on its way or was lost as links
 * lose; -ROOST_LIMIT when a stream's queue is full; -ROOST_NOMEM. */
int link_push(struct link *l, int64_t now_us, struct blob *bytes);

/* A packet that has arrived by now (the caller unrefs it), or NULL. */
struct blob *link_next(struct link *l, int64_t now_us);

/* The same with a mark that comes out with the packet, for several flows on one link. */
int link_push_tagged(struct link *l, int64_t now_us, struct blob *bytes, uint32_t tag);
struct blob *link_next_tagged(struct link *l, int64_t now_us, uint32_t *ret_tag);

/* When link_next is to be asked again; INT64_MAX = nothing is on its way. */
int64_t link_deadline_us(const struct link *l);

/* Down: datagrams pushed or due are lost; a stream holds all until it is up
 * again, and then delivers from now_us on. */
void link_set_down(struct link *l, bool down, int64_t now_us);

/* All that is inside is gone (the connection was reset, the cable pulled). */
void link_reset(struct link *l);

/* Bytes that wait for the wire or are on it. */
uint64_t link_backlog_bytes(const struct link *l, int64_t now_us);

/* When the wire will have sent all that was pushed; then a refused stream has room again. */
int64_t link_idle_us(const struct link *l);
bool link_is_empty(const struct link *l);
