/* nats.h - two ends behind translators, a server with a relay between them, and what is said.
 *
 * Each end is what a program has: reach, a relay's end, a flow session whose datagrams go where
 * reach says. The server answers HERE and passes packets. Lists of addresses are told over
 * something that loses nothing ("control"). Virtual time.
 */
#pragma once

#include "flow/flow.h"
#include "flow/reach.h"
#include "flow/relay.h"
#include "lab/dice.h"
#include "nat.h"

enum { NATS_PACKETS_MAX = 8192, NATS_PACKET = 1600 };

struct nats_end {
    struct path_address inside;
    struct nat *nat;
    unsigned lan; /* ends in the same one reach each other */
    struct reach reach;
    struct relay_end relay;
    struct flow *flow;
    const struct reach_path *was;
    uint64_t changes;
    int64_t found_us; /* -1: not yet */
    bool lost;
    uint64_t wrote, read;
};

struct nats_packet {
    int64_t at_us;
    struct path_address from, to;
    int lan; /* delivered within it; -1: through the internet */
    int ecn;
    uint16_t len;
    uint8_t bytes[NATS_PACKET];
};

struct nats {
    int64_t now_us;
    struct dice dice;
    struct nat nat[2];
    struct nats_end end[2];
    struct relay relay;
    struct path_address server;
    uint32_t loss_ppm;
    int64_t delay_us;
    bool no_direct; /* the network between them drops what is not for the server */
    bool no_server; /* and what is */
    struct nats_packet *packets;
    unsigned n_packets;
    uint64_t direct_bytes, relayed_bytes, tried; /* tried: questions that were sent straight */
};

struct nats_settings {
    uint64_t seed;
    enum nat_kind kind[2];
    bool hairpin, same_nat, same_lan, no_relay;
    uint32_t loss_ppm;
    int64_t delay_us;
};

int nats_init(struct nats *n, const struct nats_settings *s);
void nats_fini(struct nats *n);
/* False: it is `until_us`. True: something happened, look. */
void nats_run(struct nats *n, int64_t until_us);
enum reach_way nats_way(const struct nats *n, int end);
/* They move to another place of the network: new address inside. */
void nats_move(struct nats *n, int end);
void nats_send(struct nats *n, int from, uint64_t bytes); /* so much more on a stream */
