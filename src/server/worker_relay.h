/* worker_relay.h - packets that a worker passes between two ends, by relay number (flow/relay.h).
 *
 * Each end is reached by UDP, where it has proven itself, or through a tunnel that was bound with
 * its token; the tunnel counts while it is there. Nothing is opened, nothing is kept: what a socket
 * or a full tunnel does not take is lost. Packets that come one behind the other for one end leave
 * as a run.
 */
#pragma once

#include "flow/relay.h"
#include "server/worker.h"

struct packet_in {
    struct path_address from;
    const struct udp_local *to;
    unsigned socket;
    int ecn;
    int64_t came_us;
    uint8_t *bytes;
    size_t len;
};

void worker_relay_open(struct worker *w, const struct word *word);
void worker_relay_close(struct worker *w, uint32_t number);
void worker_relay_close_all(struct worker *w);
/* Is it a relay's? Then it is done. */
bool worker_relay_tunnel(struct worker *w, const struct word *word);
bool worker_relay_frames(struct worker *w, const struct word *word);
bool worker_relay_hung_up(struct worker *w, const struct word *word);

/* Of a datagram. False: it is none of a relay's. */
bool worker_relay_number(const uint8_t *bytes, size_t len, uint32_t *ret);
void worker_relay_packet(struct worker *w, const struct packet_in *p, uint32_t number);
void worker_relay_flush(struct worker *w); /* after the last of them in this turn */
