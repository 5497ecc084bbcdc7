/* sources.h - counts by source: an IPv4 address, or a /56 of IPv6, as addr_source says.
 *
 * Memory: a few words for each source that has something. Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "base/map.h"

struct sources {
    struct map counts; /* source -> its count */
};

void sources_init(struct sources *s, uint64_t seed);
void sources_fini(struct sources *s);

int sources_add(struct sources *s, uint64_t source); /* -ROOST_NOMEM: not counted */
void sources_remove(struct sources *s, uint64_t source);
uint32_t sources_count(const struct sources *s, uint64_t source);
/* One that has as many as any; 0 when there is none. */
uint64_t sources_most(const struct sources *s);
