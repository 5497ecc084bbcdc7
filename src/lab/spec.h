/* spec.h - links by name and in words: "wan", "rate=50M delay=25ms loss=2%", "wan up.rate=5M".
 *
 * Words are parted by spaces or commas and read from left to right; a name sets everything,
 * a word KEY=VALUE one thing. Both directions are meant, unless `up.` or `down.` stands before
 * the key (up: from the client or the first device). Pure; the caller owns all.
 *
 *     rate=50M               bits a second; k M G are powers of 1,000; 0 or none: no limit
 *     delay=25ms             one way: the round trip is twice that; us ms s
 *     rtt=50ms               the same in the other unit: half of it each way
 *     jitter=4ms             0 to so much more, each way; order is kept
 *     loss=2%  burst=2       packets lost before the queue; so many in a row each time; also 200ppm
 *     queue=256K             bytes that may wait; K and M are powers of 1,024; 0 or none: no limit
 *     reorder=1%  late=10ms  these come later, and others overtake them
 *     dup=1%  corrupt=1%     these come twice; with one bit turned
 *     codel=5ms interval=100ms  the wait from which CoDel drops; codel=on, codel=off
 *     police=20M/64K         a token bucket: what comes faster is dropped; so many bytes at once
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lab/link.h"

enum { LINK_WRONG_MAX = 200, LINK_TEXT_MAX = 256, LINK_SPEC_MAX = 1024 };

struct link_pair {
    struct link_config up, down;
};

struct link_name {
    const char *name, *about;
    struct link_config up, down;
};

extern const struct link_name link_names[];
extern const size_t link_n_names;

const struct link_name *link_find(const char *name); /* NULL: no such link */

/* Changes *p by what is said. 0, or -ROOST_INVALID with a sentence in `wrong`; then *p is as it
 * was. */
int link_spec(struct link_pair *p, const char *words, char wrong[static LINK_WRONG_MAX]);

/* One direction as link_spec reads it. */
void link_config_text(const struct link_config *c, char ret[static LINK_TEXT_MAX]);
