/* bend.h - what `roost lab link` is made of: two links, and what carries bytes to them.
 *
 * Up is from the client, or from the first device; down is the way back. Datagrams and packets
 * of all flows share the two links; each TCP connection has a pair of its own, as its losses
 * hold up nobody else. A carrier reads what came (on_ready), pushes it into a link, and hands
 * out what has arrived (deliver). One thread; nothing blocks but sleep_until.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/spec.h"
#include "net/address.h"
#include "net/sleep.h"

enum { BEND_UP, BEND_DOWN };

/* What an event of sleep_until is for: a kind, and an index above it. */
enum bend_kind { BEND_SIGNAL, BEND_STDIN, BEND_TUN, BEND_UDP, BEND_TCP_LISTEN, BEND_TCP };
enum { BEND_INDEX_SHIFT = 8, BEND_AT_ONCE = 256 };

struct bend {
    struct link_pair pair;
    struct link link[2]; /* of datagrams and packets */
    bool down;
    struct dice dice;
    struct sleep sleep;
    uint64_t unsent;  /* arrived, but nobody took them */
    uint64_t crowded; /* programs that came when all places were taken: of two that send datagrams
                         who was silent longest went, connections were refused */
    struct link_counts closed[2]; /* of TCP connections that are over */
    struct bend_tun *tun;         /* these may be NULL */
    struct bend_udp *udp;
    struct bend_tcp *tcp;
};

static inline uint64_t bend_id(enum bend_kind kind, size_t index)
{
    return (uint64_t)index << BEND_INDEX_SHIFT | (uint64_t)kind;
}

int bend_init(struct bend *b, const struct link_pair *pair, uint64_t seed);
void bend_fini(struct bend *b);
void bend_set(struct bend *b, const struct link_pair *pair);
void bend_set_down(struct bend *b, bool down, int64_t now_us);
/* Of one direction, TCP included. */
struct link_counts bend_counts(const struct bend *b, int way, int64_t now_us,
                               uint64_t *ret_waiting_bytes);
/* One turn: what is ready, what has arrived. */
void bend_on_ready(struct bend *b, const struct sleep_ready *r, int64_t now_us);
void bend_deliver(struct bend *b, int64_t now_us);
int64_t bend_deadline_us(const struct bend *b, int64_t now_us);

/* --- carriers; open: 0, or a negative error with what is wrong in `wrong` --- */

enum { BEND_WRONG_MAX = 256 };

/* Two devices, one in each network namespace: NAME (of `ip netns`), a path, or "-" for this
 * one. Addresses are IPv4, a /24 around each. */
int bend_tun_open(struct bend *b, const char *const spaces[2], const char *const addresses[2],
                  char wrong[static BEND_WRONG_MAX]);
void bend_tun_close(struct bend *b);
void bend_tun_on_ready(struct bend *b, size_t index, int64_t now_us);
void bend_tun_deliver(struct bend *b, int64_t now_us);

/* *listen gets the port, when it was 0. */
int bend_udp_open(struct bend *b, union address *listen, const union address *to,
                  char wrong[static BEND_WRONG_MAX]);
void bend_udp_close(struct bend *b);
void bend_udp_on_ready(struct bend *b, size_t index, int64_t now_us);
void bend_udp_deliver(struct bend *b, int64_t now_us);
size_t bend_udp_flows(const struct bend *b);

int bend_tcp_open(struct bend *b, union address *listen, const union address *to,
                  char wrong[static BEND_WRONG_MAX]);
void bend_tcp_close(struct bend *b);
void bend_tcp_on_accept(struct bend *b, int64_t now_us);
void bend_tcp_on_ready(struct bend *b, size_t index, unsigned what, int64_t now_us);
void bend_tcp_deliver(struct bend *b, int64_t now_us);
int64_t bend_tcp_deadline_us(const struct bend *b);
void bend_tcp_set(struct bend *b);
void bend_tcp_set_down(struct bend *b, int64_t now_us);
size_t bend_tcp_flows(const struct bend *b);
void bend_tcp_count(const struct bend *b, int way, int64_t now_us, struct link_counts *sum,
                    uint64_t *waiting_bytes);
void bend_count(struct link_counts *sum, const struct link_counts *more);
