/* nearby_inside.h - what nearby.c (connections) and nearby_find.c (who is there) share. */
#pragma once

#include "client/nearby.h"
#include "net/address.h"
#include "net/sleep.h"

enum {
    NEARBY_FD_MDNS,
    NEARBY_FD_LISTEN,
    NEARBY_FD_CALL,
    NEARBY_NEWS_MAX = NEARBY_PEERS_MAX + 8,
    NEARBY_SIGNAL_HEAD = 2,
    NEARBY_OUT_MAX = 16 * (REACH_SIGNAL_MAX + NEARBY_SIGNAL_HEAD),
    NEARBY_PLACES_MAX = 6, /* by which one peer was found */
    NEARBY_FAMILIES = 2,   /* IPv4, IPv6 */
};

struct nearby_places {
    union address at[NEARBY_PLACES_MAX];
    unsigned n, tried;
};

struct nearby {
    bool serves;
    struct mdns_answer me;
    uint8_t offer[REACH_OFFER];
    int mdns[NEARBY_FAMILIES], listen, call; /* -1: none */
    bool connecting, busy;                   /* busy: who else calls waits in the system */
    unsigned call_wants, peer;               /* peer: who is called */
    struct sleep sleep;
    uint16_t question;
    int64_t ask_us; /* serves: to join on interfaces that are new; else to ask */
    int64_t call_until_us;
    struct nearby_peer peers[NEARBY_PEERS_MAX];
    struct nearby_places places[NEARBY_PEERS_MAX];
    bool peer_gone[NEARBY_PEERS_MAX];
    unsigned n_peers;
    struct nearby_event news[NEARBY_NEWS_MAX];
    unsigned n_news;
    uint8_t in[REACH_SIGNAL_MAX + NEARBY_SIGNAL_HEAD], out[NEARBY_OUT_MAX];
    size_t n_in, n_out;
};

void nearby_tell(struct nearby *n, enum nearby_what what, unsigned peer);

/* --- nearby_find.c --- */

/* In a network of this machine, or on a link of it. */
bool nearby_is_near(const union address *a);
/* 0; -ROOST_IO: neither IPv4 nor IPv6 can be listened to. */
int nearby_open_mdns(struct nearby *n);
void nearby_find(struct nearby *n, int64_t now_us); /* what came, and what is due */
