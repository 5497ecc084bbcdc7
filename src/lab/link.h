/* link.h - one direction of a modelled link: rate, delay, jitter, loss, queue.
 *
 * Packets go in with the time, and come out when they would have arrived:
 *
 *     link_push(l, now_us, blob);
 *     while ((blob = link_next(l, now_us)))
 *         receive(blob);
 *     sleep until link_deadline_us(l)
 *
 * A packet waits in a drop-tail queue for its turn on the wire (rate), then
 * travels (delay, and up to jitter more). Two kinds of link:
 *
 *   LINK_DATAGRAMS  what is lost is gone, jitter reorders, a full queue drops,
 *                   and so does a link that is down.
 *   LINK_STREAM     a byte stream as TCP gives it: in order and complete. A loss
 *                   costs a round trip, a full queue refuses (the caller keeps
 *                   what it has), a link that is down holds everything back.
 *
 * Deterministic for a seed. The link owns the references in it; the caller owns
 * time. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "lab/dice.h"

/* Packets in one link at once; past it a push is refused like a full queue. */
enum { LINK_PACKETS_MAX = 65536 };

enum link_kind { LINK_DATAGRAMS, LINK_STREAM };

struct link_config {
    uint64_t rate_bps;    /* bits a second, 0 = no limit */
    int64_t delay_us;     /* one way */
    int64_t jitter_us;    /* 0 to so much more, evenly */
    uint32_t loss_ppm;    /* of a million */
    uint32_t queue_bytes; /* that wait for the wire; 0 = no limit */
};

/* What happened so far; a packet is counted in one of the last four or is inside. */
struct link_counts {
    uint64_t pushed, pushed_bytes;
    uint64_t arrived, arrived_bytes;
    uint64_t lost;    /* by chance; in a stream: sent twice */
    uint64_t dropped; /* the queue was full; in a stream: refused */
    uint64_t cut;     /* the link was down, or link_reset */
};

struct link_packet {
    int64_t due_us;
    uint64_t order;
    struct blob *bytes;
};

struct link {
    enum link_kind kind;
    struct link_config config;
    struct link_counts counts;
    struct dice dice;
    bool down;
    int64_t wire_free_ns; /* when the wire will have sent all that was pushed */
    int64_t last_due_us;  /* of a stream: nothing overtakes */
    uint64_t order;
    struct link_packet *heap; /* the next due is first */
    size_t n, cap;
};

void link_init(struct link *l, enum link_kind kind, const struct link_config *config,
               uint64_t seed);
void link_fini(struct link *l);

/* For packets pushed from now on; what is inside keeps its time. */
void link_set(struct link *l, const struct link_config *config);

/* Takes a reference of its own. 0 when it is on its way or was lost as links
 * lose; -ROOST_LIMIT when a stream's queue is full; -ROOST_NOMEM. */
int link_push(struct link *l, int64_t now_us, struct blob *bytes);

/* A packet that has arrived by now (the caller unrefs it), or NULL. */
struct blob *link_next(struct link *l, int64_t now_us);

/* When link_next will have something; INT64_MAX = nothing is on its way. */
int64_t link_deadline_us(const struct link *l);

/* Down: datagrams pushed or due are lost; a stream holds all until it is up
 * again, and then delivers from now_us on. */
void link_set_down(struct link *l, bool down, int64_t now_us);

/* All that is inside is gone (the connection was reset, the cable pulled). */
void link_reset(struct link *l);

/* Bytes that wait for the wire or are on it. */
uint64_t link_backlog_bytes(const struct link *l, int64_t now_us);
