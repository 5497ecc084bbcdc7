/* server.h - a whole server: what belongs together, started and stopped in order. */
#pragma once

#include "server/options.h"

struct server;

/* Opens everything and prints how to join. Logs what is wrong. argc and argv are
 * read again at SIGHUP and stay the caller's. */
int server_new(struct server **ret, const struct options *o, int argc, char **argv);
/* Until a signal ends it; everything that waits is committed and sent then. */
int server_run(struct server *s);
void server_free(struct server *s);
