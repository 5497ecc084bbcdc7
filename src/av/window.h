/* window.h - a file that is read from front to back, of which a part is in memory at a time.
 *
 * Whoever reads takes what it can use of `window_left` bytes at `window_at`, and asks for more when
 * that is not a whole piece. The file is its owner's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "media/webm.h"

enum { WINDOW_BYTES = 2 * WEBM_ELEMENT_MAX }; /* an element or a page is all there */

struct window {
    FILE *file;
    size_t have, used; /* bytes in it; of them, those that were dropped */
    uint8_t bytes[WINDOW_BYTES];
};

static inline const uint8_t *window_at(const struct window *w)
{
    return w->bytes + w->used;
}

static inline size_t window_left(const struct window *w)
{
    return w->have - w->used;
}

/* Drops what was used, reads as much as fits. False: there is no more. */
static inline bool window_more(struct window *w)
{
    memmove(w->bytes, w->bytes + w->used, w->have - w->used);
    w->have -= w->used;
    w->used = 0;
    size_t n = fread(w->bytes + w->have, 1, WINDOW_BYTES - w->have, w->file);
    w->have += n;
    return n > 0;
}
