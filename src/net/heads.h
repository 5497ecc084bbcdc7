/* heads.h - the headers of IP, UDP and TCP that bytes had, or could have had, for who studies
 * them. Both addresses are of one family, plain (address_plain). Checksums are right. Pure. */
#pragma once

#include "net/address.h"

enum { HEADS_MAX = 64 };
enum { HEADS_FIN = 1, HEADS_SYN = 2, HEADS_PSH = 8, HEADS_ACK = 16 };

struct heads_segment {
    uint32_t seq, ack;
    unsigned flags;
};

uint16_t heads_port(const union address *a);
/* Each returns how many bytes the headers are. */
size_t heads_udp(uint8_t ret[static HEADS_MAX], const union address *from, const union address *to,
                 int ecn, const uint8_t *bytes, size_t len);
size_t heads_tcp(uint8_t ret[static HEADS_MAX], const union address *from, const union address *to,
                 const struct heads_segment *g, const uint8_t *bytes, size_t len);
