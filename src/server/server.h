/* server.h - a whole server: what belongs together, started and stopped in order. */
#pragma once

#include "server/hash_process.h"
#include "server/options.h"

struct server;

/* Opens everything and prints how to join. Logs what is wrong. argc and argv are
 * read again at SIGHUP and stay the caller's. */
int server_new(struct server **ret, const struct options *o, int argc, char **argv,
               struct hash_process *hashing);
/* Until a signal ends it; everything that waits is committed and sent then. */
int server_run(struct server *s);
/* After server_run: a backup is to be restored, so it is freed and made once more, on this
 * port. */
bool server_begins_anew(const struct server *s, uint16_t *ret_port);
void server_free(struct server *s);
