/* packet.h - the outside of a datagram: what stands before what is sealed.
 *
 *     | flags 1 | session 4 | number 4 | (sealed length 2) | sealed frames | tag 16 | tail |
 *
 * The two bytes are there only if a tail is: without one, sealed is all up to the tag.
 * Everything before the sealed frames is authenticated with them. The number is the low
 * half of a packet number of 64 bits, of which none is used twice under a key.
 *
 *   flags  0 1 T P C 0 0 0   T a tail follows, P the phase of the keys, C sent by the client
 *
 * Pure: bytes to a struct and back. Nothing here is trusted before it was opened.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACKET_HEAD = 9,
    PACKET_HEAD_TAIL = 11, /* with a tail */
    PACKET_TAG = 16,
    PACKET_MIN = PACKET_HEAD + 1 + PACKET_TAG, /* at least one byte of frames */
    PACKET_MTU_MIN = 1200,                     /* bytes of UDP that every path is to carry */
    PACKET_MTU_MAX = 8952, /* the largest that is tried: a jumbo frame, less IPv6 and UDP */
};

struct packet {
    bool from_client, phase, has_tail;
    uint32_t session, number;
    uint8_t *frames; /* sealed; these borrow from the datagram */
    uint8_t *tail;
    size_t head_len, frames_len, tail_len;
};

/* -ROOST_MALFORMED: it is none of ours. */
int packet_read(struct packet *ret, uint8_t *bytes, size_t len);

/* Writes the head of it, head_len bytes, and returns their number. frames_len, without the
 * tag, counts if it has a tail. */
size_t packet_write_head(uint8_t bytes[static PACKET_HEAD_TAIL], const struct packet *p);

/* The whole number, nearest to `next`, the one after the highest that has come. */
uint64_t packet_number(uint64_t next, uint32_t low);
