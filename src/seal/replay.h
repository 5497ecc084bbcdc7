/* replay.h - which numbers came already.
 *
 * Of the highest number so far and the REPLAY_WINDOW - 1 below it is known which came; what is
 * older is taken for seen. Plain data, all zero to begin with. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_WINDOW = 1024 };

struct replay {
    uint64_t next;                     /* one above the highest */
    uint64_t seen[REPLAY_WINDOW / 64]; /* by number modulo the window */
};

/* It came, or is too old to know. */
bool replay_is_seen(const struct replay *r, uint64_t number);
/* It is genuine, and came now. */
void replay_note(struct replay *r, uint64_t number);
