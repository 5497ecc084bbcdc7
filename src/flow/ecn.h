/* ecn.h - are marks carried by the path, and what do they say? (RFC 9000, 13.4)
 *
 * The first packets are sent marked (ECT(0)). If the other side's counts agree with what was
 * sent, marking goes on, and a growing count of CE is congestion; if they do not, or all
 * marked ones are lost, nothing is marked any more on this path. Plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/dgram.h"

enum { ECN_TEST_PACKETS = 10 };

enum ecn_state { ECN_OFF, ECN_TESTING, ECN_CAPABLE, ECN_FAILED };

struct ecn {
    enum ecn_state state;
    uint64_t sent, lost;     /* marked, on this path */
    uint64_t fresh;          /* marked and acknowledged, since counts were looked at */
    uint64_t ect0, ect1, ce; /* as they were told last */
    uint64_t base;           /* ect0 + ce when this path began */
};

void ecn_init(struct ecn *e, bool use);
void ecn_on_path(struct ecn *e);     /* another one: all is to be found out again */
bool ecn_marks(const struct ecn *e); /* the next packet? */
void ecn_on_sent(struct ecn *e);
const char *ecn_name(const struct ecn *e); /* "off", "testing", "capable", "failed" */
/* A marked one of this path. */
void ecn_on_acked(struct ecn *e);
void ecn_on_lost(struct ecn *e);
/* An acknowledgement that brought a new highest number, when what it settled was told. True:
 * congestion was experienced. */
bool ecn_on_ack(struct ecn *e, const struct ack *a);
