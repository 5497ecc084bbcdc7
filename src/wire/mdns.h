/* mdns.h - the two messages of multicast DNS (RFC 6762, DNS-SD RFC 6763) by which programs on one
 * network find each other without a server.
 *
 *   question  who offers this service?             PTR _roost-send._tcp.local, to 224.0.0.251:5353
 *   answer    NAME does, at this port of mine      PTR, SRV, TXT; straight back to who asked
 *
 * A question from another port than 5353 is answered as plain DNS does (6.7): with its number and
 * its question repeated, and to that port. So who asks needs neither that port nor the
 * group. Where the answer came from is the address. Names of instances are UTF-8, 63 bytes at most.
 *
 * Pure: bytes to structs and back; nothing that is read is trusted: compressed names point
 * backwards only, so reading ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MDNS_PORT = 5353,
    MDNS_NAME_MAX = 63,
    MDNS_MESSAGE_MAX = 512,
    MDNS_RECORDS_MAX = 64, /* of one message that are looked at */
    MDNS_TTL = 10,         /* seconds that an answer is good */
};

struct mdns_answer {
    uint16_t id, port;
    char name[MDNS_NAME_MAX + 1]; /* of the instance; no control characters */
    uint8_t text[16];             /* "id=" of TXT, 32 hex digits */
    bool has_text;
};

/* service: "_roost-send._tcp". Each returns the length. */
size_t mdns_put_question(uint8_t ret[static MDNS_MESSAGE_MAX], uint16_t id, const char *service);
/* False: it asks for something else, or is no question. */
bool mdns_is_question(const uint8_t *bytes, size_t len, const char *service, uint16_t *ret_id);
size_t mdns_put_answer(uint8_t ret[static MDNS_MESSAGE_MAX], const struct mdns_answer *a,
                       const char *service);
/* 0 or -ROOST_MALFORMED: also if it does not speak of that service. */
int mdns_read_answer(const uint8_t *bytes, size_t len, const char *service,
                     struct mdns_answer *ret);
