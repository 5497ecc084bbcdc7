/* addr.h - socket addresses as the hub wants them, and back from text.
 *
 * Plain arithmetic on a sockaddr; no name is looked up. IPv4 in IPv6 is IPv4.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "hub/hub.h"

/* What the hub is told of a peer: its address, what it is counted by (an IPv4
 * address, an IPv6 /56: what one household usually has), and whether it is
 * near: loopback, private (RFC 1918, RFC 4193) or link-local. */
void addr_peer(const struct sockaddr_storage *from, struct hub_peer *ret);

/* Of what addr_peer says: from this machine? */
/* What sources are told apart by: a number for each IPv4 address and each /56. */
uint64_t addr_source(const struct sockaddr_storage *from);
bool addr_is_loopback(const char *address);

/* "192.0.2.7", "::1" with a port; -ROOST_INVALID. */
int addr_parse(const char *text, uint16_t port, struct sockaddr_storage *ret, socklen_t *ret_len);

enum { ADDR_TEXT_MAX = 64 };

/* Takes the first of a list with commas; what is longer than any address is cut. */
void addr_next(const char **list, char ret[static ADDR_TEXT_MAX]);

/* "192.0.2.7:5000", "[::1]:5000" */
void addr_text(const struct sockaddr_storage *a, char out[static ADDR_TEXT_MAX]);
uint16_t addr_port(const struct sockaddr_storage *a);
