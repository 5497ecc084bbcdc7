/* reach_inside.h - what the files of reach_edge.h share.
 *
 * reach_edge.c    life, what comes, what is due, news
 * reach_signal.c  what both ends tell each other through the house
 * reach_link.c    datagrams out and in: straight, through the relay, through a modelled link
 */
#pragma once

#include "client/reach_edge.h"
#include "client/tunnel.h"
#include "flow/relay.h"
#include "lab/spec.h"
#include "net/sleep.h"
#include "net/study.h"
#include "net/udp.h"
#include "seal/pact.h"

enum { REACH_NEWS_MAX = 16, REACH_PLACES = 64, REACH_TURN = 512 /* datagrams heard in one */ };
#define REACH_TUNNEL_US (500 * 1000LL)      /* so long UDP may take to find the relay */
#define REACH_PACT_US   (6 * 1000 * 1000LL) /* a caller waits so long for whom it called */
#define REACH_RETRY_US  (2 * 1000 * 1000LL) /* a tunnel that failed */
#define REACH_DOUBT_US  (1000 * 1000LL)     /* so long the other end may take to deny it */

/* Datagrams of one size for one place; the last may be shorter. */
struct reach_run {
    uint8_t bytes[UDP_RUN_BYTES + PACKET_MTU_MAX + RELAY_HEAD];
    size_t used, segment;
    bool closed;
    int ecn;
    union address to;
};

/* --link: what leaves and what comes waits in these; tags are mark and place. */
struct reach_bent {
    struct link up, down;
    union address places[REACH_PLACES];
    unsigned next_place;
};

struct reach_edge {
    bool waits; /* it calls, and whom it calls may have begun anew without having heard of it */
    bool caller, no_direct, no_relay, nearby;
    struct pact pact;
    struct reach reach;
    bool reaching; /* reach and flow are there */
    struct flow *flow;
    const struct cc_ops *cc;
    flow_trace_fn *trace;
    void *trace_ctx;
    struct study *study;
    struct udp *udp;
    uint16_t port;
    struct reach_run *run;
    bool full; /* the socket takes no more now */
    struct reach_bent *bent;
    struct sleep sleep;
    int interfaces; /* netlink */
    unsigned tunnel_wants, udp_wants;
    uint32_t link; /* the interface whose link-local address is told; 0: none is */
    struct reach_local locals[REACH_LOCALS_MAX];
    unsigned n_locals;
    /* the relay */
    bool has_relay, passes, has_udp_relay;
    struct relay_end relay;
    union address relay_at;
    char host[256], relay_port[8], fingerprint[HOME_PRINT_LEN + 1];
    uint8_t token[RELAY_TOKEN];
    struct tunnel tunnel;
    bool tunnelling; /* tunnel is initialised */
    int64_t tunnel_us;
    /* what was told */
    uint8_t list[REACH_LIST_MAX];
    size_t n_list;
    bool list_due, found, lost;
    enum reach_way way;
    struct path_address way_at; /* of the path that the flow takes */
    bool way_relay;
    int64_t begun_us;
    int64_t doubt_us; /* since then; 0: none */
    uint64_t doubt_answered;
    struct reach_edge_event news[REACH_NEWS_MAX];
    unsigned n_news;
};

/* --- reach_edge.c ------------------------------------------------------------------------ */

void reach_edge_tell(struct reach_edge *e, enum reach_edge_what what, int64_t took_us);
void reach_edge_lose(struct reach_edge *e, enum reach_edge_what what); /* once, and for good */

/* --- reach_link.c ------------------------------------------------------------------------ */

/* One datagram, to there or through the relay (from NULL as in reach.h). */
void reach_link_send(struct reach_edge *e, bool relay, const struct path_address *to,
                     const uint8_t *bytes, size_t len, int64_t now_us);
void reach_link_plain(struct reach_edge *e, const union address *to, const uint8_t *bytes,
                      size_t len, int ecn, int64_t now_us);
void reach_link_flow(struct reach_edge *e, int64_t now_us); /* all that it may send now */
void reach_link_push(struct reach_edge *e, int64_t now_us); /* what waits for time or room */
void reach_link_hear(struct reach_edge *e, int64_t now_us); /* all that came */
int64_t reach_link_deadline_us(const struct reach_edge *e, int64_t now_us);
/* A packet for reach or flow came. from NULL: through the relay. */
void reach_edge_on_packet(struct reach_edge *e, uint8_t *bytes, size_t len, int ecn,
                          const struct path_address *from, int64_t now_us);
void reach_edge_on_relay(struct reach_edge *e, uint8_t *bytes, size_t len, int ecn, int64_t now_us);
void reach_address(const struct path_address *p, union address *ret);
