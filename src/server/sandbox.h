/* sandbox.h - what a started server may still ask of the system: a list of calls.
 *
 * Whatever is not on it (running programs, tracing, mounting, becoming somebody else,
 * loading code into the kernel) is refused with EPERM and a line on stderr, or ends the
 * process. For all threads, for good. Nothing happens in builds with a sanitizer.
 */
#pragma once

#include <stdbool.h>

enum sandbox { SANDBOX_OFF, SANDBOX_REFUSE, SANDBOX_KILL };

/* 0, also when it was entered before; -ROOST_UNSUPPORTED: this kernel or build has none;
 * -ROOST_IO. */
int sandbox_enter(enum sandbox how);
/* The same for the process that hashes passwords: it computes, has memory, and talks over the
 * sockets that it has. */
int sandbox_enter_hashing(enum sandbox how);
bool sandbox_is_built(void);
