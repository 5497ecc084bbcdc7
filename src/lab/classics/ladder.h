/* ladder.h - draws packets as a time line: here on the left, the other side on the right.
 *
 *      0.000 │── CHUNK 0, 1000 bytes ───────────▶│
 *      0.021 │◀── ACK 0 ─────────────────────────│
 *      0.022 │── CHUNK 1, 1000 bytes ───✗        │
 *
 * What stands on an arrow may come from a peer: only what is safe on a terminal is drawn, and
 * as much as there is room for. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LADDER_WHAT_MAX = 256, LADDER_WIDTH = 56, LADDER_BYTES = 1024 };

struct ladder_step {
    int64_t at_us; /* since the beginning */
    bool out;      /* from here */
    bool lost;     /* by the link: the arrow ends in the middle */
    const char *what;
    const char *who; /* behind the line, if there are several; or NULL */
};

/* A line without its end. */
void ladder_draw(const struct ladder_step *s, char ret[static LADDER_BYTES]);
