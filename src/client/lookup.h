/* lookup.h - the addresses of a host, looked up without making anybody wait.
 *
 * The system's look-up blocks, for many seconds when no name server answers, and cannot
 * be cancelled; so each has a thread of its own, which goes away by itself. Who gives
 * a look-up up before it is done leaves it to that thread. All of a process together are
 * at most LOOKUPS_MAX. Not thread-safe, but for the thread inside.
 */
#pragma once

#include <netdb.h>
#include <stdbool.h>

struct lookup;

enum { LOOKUPS_MAX = 16 };

/* 0, -ROOST_LIMIT or -ROOST_NOMEM. */
int lookup_new(struct lookup **ret, const char *host, const char *port);
/* Readable when it is done. */
int lookup_fd(const struct lookup *l);
/* Done? Then 0 and the addresses, borrowed from l; or getaddrinfo's error. */
bool lookup_done(const struct lookup *l, int *ret_err, const struct addrinfo **ret_list);
struct lookup *lookup_free(struct lookup *l); /* NULL */
