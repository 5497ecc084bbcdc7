/* spans.h - a set of bytes of a stream, as spans that neither touch nor overlap, in order.
 *
 * Which bytes have come, which are to be sent again. Owns its array, which grows up to
 * SPANS_MAX: whoever makes more holes than that is not served further. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Every other packet of 32 MB under way: start-up can lose so many on a path that holds much. */
enum { SPANS_MAX = 16384 };

struct span {
    uint64_t from, to; /* to: behind the last */
};

struct spans {
    struct span *all;
    uint32_t n, cap;
};

void spans_fini(struct spans *s);
/* -ROOST_NOMEM, -ROOST_LIMIT: nothing was changed. Empty spans are taken, and change nothing. */
int spans_add(struct spans *s, uint64_t from, uint64_t to);
int spans_remove(struct spans *s, uint64_t from, uint64_t to);
bool spans_has(const struct spans *s, uint64_t from, uint64_t to); /* all of it */
