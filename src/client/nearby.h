/* nearby.h - two programs on one network find each other without a server, and pass signals.
 *
 * Who receives is there: it answers questions of multicast DNS (wire/mdns.h) beside whatever daemon
 * the machine has, by IPv4 and IPv6 and on every interface, and takes one connection at a time
 * (TCP); who calls meanwhile waits. nearby_pass_on lets another one be found at the same place
 * from then on. Who sends looks: it asks now and then, lists who answers, and calls one, at each of
 * the places that it answered from until one takes the call. Whoever took none is not listed as
 * there any more, and of two of one name on one machine only the later one is, while it is there:
 * a program that began anew. From NEARBY_MET on signals of reach_edge.h go over that connection,
 * in both directions; nothing is known yet of who is at its other end: people compare
 * reach_edge_words.
 *
 * Only addresses of this machine's own networks are listened to and called. One thread. Everything
 * others can make grow has a limit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/reach_edge.h"
#include "wire/mdns.h"

enum { NEARBY_PEERS_MAX = 32, NEARBY_ADDRESS_TEXT = 80 };

struct nearby_peer {
    char name[MDNS_NAME_MAX + 1];
    char address[NEARBY_ADDRESS_TEXT]; /* "192.0.2.7:40000" */
    uint8_t offer[REACH_OFFER];
};

enum nearby_what {
    NEARBY_FOUND, /* another peer is in the list: `peer` */
    NEARBY_MET,   /* a connection is there: make an edge (who receives is its caller) */
    NEARBY_GONE,  /* it is not any more, or could not be made */
};

struct nearby_event {
    enum nearby_what what;
    unsigned peer;
};

struct nearby;

/* To be found, under a name that people read; 0, -ROOST_IO (errno says why), -ROOST_NOMEM,
 * -ROOST_INVALID: no name that can be shown. */
int nearby_serve(struct nearby **ret, const char *name, int64_t now_us);
/* To look. */
int nearby_look(struct nearby **ret, int64_t now_us);
void nearby_free(struct nearby *n); /* NULL is fine */
/* `from` keeps its connection, if it has one, and *ret is found and called from now on.
 * -ROOST_INVALID: it does not listen any more itself. */
int nearby_pass_on(struct nearby *from, struct nearby **ret);
bool nearby_listens(const struct nearby *n);
bool nearby_is_called(const struct nearby *n); /* it has a connection, or makes one */

unsigned nearby_peers(const struct nearby *n);
const struct nearby_peer *nearby_peer(const struct nearby *n, unsigned i);
bool nearby_is_there(const struct nearby *n, unsigned i);
int nearby_call(struct nearby *n, unsigned peer, int64_t now_us); /* NEARBY_MET or GONE follows */
/* Whoever was called last is not there any more: nearby_call and GONE without MET say so too. */
void nearby_give_up(struct nearby *n);
void nearby_hang_up(struct nearby *n);
/* The interface, if the connection is between link-local addresses, which mean something there
 * alone; 0: it is not. */
uint32_t nearby_link(const struct nearby *n);
const uint8_t *nearby_offer(const struct nearby *n); /* REACH_OFFER bytes, from MET on */

int nearby_fd(const struct nearby *n); /* readable: nearby_process */
int64_t nearby_deadline_us(const struct nearby *n);
void nearby_process(struct nearby *n, int64_t now_us);
bool nearby_event(struct nearby *n, struct nearby_event *ret);

/* Takes the bytes by copy. -ROOST_CLOSED: nobody is there; -ROOST_LIMIT: too much waits. */
int nearby_send(struct nearby *n, const uint8_t *bytes, size_t len);
/* The next signal that came; 0: none. */
int nearby_receive(struct nearby *n, uint8_t ret[static REACH_SIGNAL_MAX]);
