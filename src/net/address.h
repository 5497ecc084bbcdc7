/* address.h - where a datagram comes from and goes to.
 *
 * IPv4 in IPv6 is IPv4: two addresses are equal when they are the same place, whichever
 * socket saw them. Plain data, no memory of its own.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "wire/dgram.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

enum { ADDRESS_TEXT_MAX = 80 };

bool address_equal(const union address *a, const union address *b);
socklen_t address_len(const union address *a);
void address_plain(union address *a);  /* IPv4 in IPv6 becomes IPv4 */
void address_mapped(union address *a); /* and back, as an IPv6 socket wants it */

/* "192.0.2.7:5001", "[2001:db8::1]:5001", ":5001" (every address of this machine). Names are
 * looked up when `names` is set, which may take a while. 0; -ROOST_INVALID: it is not written
 * like that; -ROOST_TIMEOUT: the name has no address, or nobody could tell. */
int address_parse(union address *ret, const char *text, bool names);
void address_text(const union address *a, char ret[static ADDRESS_TEXT_MAX]);

/* As it stands in an OBSERVED frame, and back. False: it is of no family that is known. */
bool address_to_wire(const union address *a, struct dgram_address *ret);
bool address_of_wire(const struct dgram_address *d, union address *ret);
