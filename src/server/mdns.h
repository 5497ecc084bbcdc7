/* mdns.h - announces the server as _roost._tcp in the local network.
 *
 * Through the Avahi daemon, if one runs; else nothing happens and nothing is
 * loaded: the library is opened only then, so that it costs no memory where it
 * is of no use. The library runs a thread of its own.
 */
#pragma once

#include <stdint.h>

struct mdns;

/* NULL: no daemon or no library, which is fine. id: of the server, for the TXT record. */
struct mdns *mdns_new(uint16_t port, const uint8_t id[static 16], const char *fingerprint);
void mdns_free(struct mdns *m);
