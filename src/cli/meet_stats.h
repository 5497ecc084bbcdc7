/* meet_stats.h - figures of voices as JSON: roost-json(5), stats and voice. Pure. */
#pragma once

#include "cli/json.h"
#include "roost.h"

/* One object: {"event": "stats", …}. r: for the way; NULL: none is told. */
void meet_stats_line(const struct roost_voice *v, const struct roost *r, struct buf *out);
/* Into an object that has begun: sealed, people. */
void meet_stats_people(struct json *j, const struct roost_voice *v);
/* A device of roost_meet_stats. */
void meet_stats_device(struct json *j, const struct roost_device_figures *d);
