/* first.h - the one-time invitation that makes the first admin.
 *
 * A server without an admin shows it at each start until it was used; it is kept
 * in DATA/first-admin (mode 0600), and removed when there is one.
 */
#pragma once

#include "hub/hub.h"
#include "server/datadir.h"

struct first {
    char token[48]; /* "": there is an admin already */
    char path[DATADIR_PATH_MAX];
};

/* Before the store's thread starts. Logs what is wrong. */
int first_init(struct first *f, const struct datadir *d, struct hub *hub, struct store *store,
               struct now now);
/* The words for stdout. */
void first_print(const struct first *f, const char *host, unsigned port);
