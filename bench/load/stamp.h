/* stamp.h - when bytes arrived at a socket, as the kernel saw it.
 *
 * A member of a room is a machine of its own. Here a thousand of them are one program, and what it
 * takes to read all of them is not the server's. So with stamps a line has arrived when the
 * kernel has put it into the member's socket, and not when the program comes round to it. If one
 * read finds several lines, all have the moment of the last.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* From now on this socket's bytes are stamped. */
void stamp_on(int fd);
/* As recv(). *ret_ns, untouched without bytes: when they arrived, of CLOCK_MONOTONIC; without a
 * stamp, now. */
ssize_t stamp_recv(int fd, void *p, size_t len, int64_t *ret_ns);
