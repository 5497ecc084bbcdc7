/* detour.h - a modelled link between a session and its socket, as --link asks for it.
 *
 * What is sent passes it in its `up`, what comes in its `down`; so one sees what a program makes
 * of a bad link without having one. The memory is the owner's; socket and session are those of
 * the carry. One thread; microseconds.
 */
#pragma once

#include "lab/spec.h"
#include "net/carry.h"

struct detour {
    struct link up, down; /* the tag is the mark (ECN) */
};

void detour_init(struct detour *d, const struct link_pair *how, uint64_t seed);
void detour_fini(struct detour *d); /* zeros are fine */

/* What the socket brought goes into it, and what comes out of it is heard. */
void detour_hear(struct detour *d, const struct udp_in *in, int64_t now_us);
void detour_deliver(struct detour *d, struct carry *c, int64_t now_us);
/* What the session has to send goes into it, and what comes out of it leaves. */
void detour_send(struct detour *d, struct carry *c, int64_t now_us);
/* A datagram that was made elsewhere (flow/flow_media.h): it leaves with the next detour_send. */
void detour_put(struct detour *d, const uint8_t *bytes, size_t len, bool ect, int64_t now_us);
int64_t detour_deadline_us(const struct detour *d);
