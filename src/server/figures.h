/* figures.h - what `roost admin stats` shows: the state of the disk, and some of the
 * figures of metrics.h. */
#pragma once

#include "server/edge.h"

/* "fine", "no-room", "read-only", "broken", "damaged"; and a sentence for people. */
const char *figures_health(enum store_health health);
const char *figures_health_text(enum store_health health);

/* At most KEEPER_STATS_MAX; how many. dir: where the data is. */
size_t figures(const struct edge *e, const char *dir, struct hub_stat *ret);
