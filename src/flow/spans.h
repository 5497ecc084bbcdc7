/* spans.h - a set of bytes of a stream, as spans that neither touch nor overlap, in order.
 *
 * Which bytes have come, which are to be sent again. Owns its array, which grows up to
 * SPANS_MAX: whoever makes more holes than that is not served further. What grew shrinks again
 * when it is mostly empty. Sets may share a budget, which must outlive them: what their arrays
 * have room for beyond SPANS_OWN each is taken from it, and given back. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Every other packet of 32 MB under way: start-up can lose so many on a path that holds much. */
enum {
    SPANS_MAX = 16384,
    SPANS_OWN = 16, /* of each set, whatever the others that share its budget hold */
};

struct span {
    uint64_t from, to; /* to: behind the last */
};

struct spans_budget {
    uint32_t left; /* spans */
};

struct spans {
    struct span *all;
    uint32_t n, cap;
    struct spans_budget *budget; /* NULL: none */
};

void spans_fini(struct spans *s);
/* -ROOST_NOMEM, -ROOST_LIMIT, -ROOST_BUSY (the budget is used up): nothing was changed. Empty spans
 * are taken, and change nothing. */
int spans_add(struct spans *s, uint64_t from, uint64_t to);
int spans_remove(struct spans *s, uint64_t from, uint64_t to);
int spans_reserve(struct spans *s, uint64_t from, uint64_t to);    /* that spans_add cannot fail */
bool spans_has(const struct spans *s, uint64_t from, uint64_t to); /* all of it */
