/* roam.h - two ends of a session over modelled links, in virtual time, for stories: addresses
 * that change, sizes that vanish, marks that are lost.
 */
#pragma once

#include "flow/flow.h"
#include "lab/link.h"
#include "test.h"

enum { CLIENT, SERVER, OVERHEAD = PACKET_HEAD + PACKET_TAG };
#define MS     1000LL
#define SECOND 1000000LL

struct net {
    struct flow *end[2];
    struct link link[2]; /* from that end */
    int64_t now_us;
    uint16_t port;        /* of the client, as the server sees it */
    uint16_t reach;       /* datagrams to another do not arrive */
    uint32_t carries[2];  /* larger ones vanish; 0: all arrive */
    int marks;            /* what becomes of ECT(0) on the way to the server */
    uint64_t marks_above; /* ... CE, when so many bytes wait there; 0: never */
    uint64_t got, told[10], to_unproven, from_unproven;
    uint64_t code;
    int64_t got_us, longest_us; /* when the last byte came; the longest silence between two */
};

extern const char *net_cc; /* of what begins next; "cubic" */
extern const uint8_t net_secret[32];
extern const struct link_config net_plain;

void net_begin(struct net *n, bool ecn, uint32_t mtu_most);
void net_end(struct net *n);
struct path_address net_client(uint16_t port);
struct path_address net_proven(const struct net *n); /* as the server has it */
void net_hear(struct net *n, int i);                 /* what its session has to tell */
void net_run(struct net *n, int64_t for_us);
/* The client asks, the address is proven, the answer is there. */
void net_first_words(struct net *n);
/* So many bytes, as a stream of their own. */
void net_write(struct net *n, int i, size_t len);
