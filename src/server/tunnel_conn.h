/* tunnel_conn.h - a peer that carries frames of datagrams to the worker of its session.
 *
 * Its gate lets so much through at once (gate.h); while it is shut, the peer is not read from,
 * and the other side's TCP waits.
 */
#pragma once

#include "server/peer.h"

enum { RELAY_QUEUE_MAX = 256 << 10 }; /* bytes that wait for an end of a relay */

/* From now on it carries frames of that session, or packets of that relay; out of memory, it is
 * lost. */
void tunnel_conn_open(struct peer *p, uint32_t session, bool relays);
/* Takes the reference. Behind others that do not leave it is of no use soon, and goes. */
void tunnel_conn_media(struct peer *p, struct blob *bytes);
/* What was read. Or -ROOST_LIMIT, -ROOST_NOMEM: it is to be lost. */
int tunnel_conn_feed(struct peer *p, const uint8_t *in, const uint8_t *end);
/* Then edge_shut knows of it. False for those who carry nothing. */
bool tunnel_conn_is_shut(struct peer *p);
