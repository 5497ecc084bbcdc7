/* measure.h - the figures of a running server, for metrics.h. On the loop. */
#pragma once

#include "server/edge.h"
#include "server/metrics.h"

void measure(const struct edge *e, struct metrics *ret);
