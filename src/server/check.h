/* check.h - roostd --check: could a server be started with this? */
#pragma once

#include "server/options.h"

/* Looks at addresses, certificate, data directory and database, and says what is wrong on
 * stderr; changes nothing. 0, or the exit status: 1 for what lies on the disk, 2 for options
 * and settings. */
int check_start(const struct options *o);
