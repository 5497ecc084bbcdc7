/* meet_graph.h - figures of a voice as small graphs: the last minute, a point a second. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/buf.h"
#include "roost.h"

enum { GRAPH_SECONDS = 60, GRAPH_COLUMNS = 30, GRAPH_SMALL = 10 };

enum meet_curve { GRAPH_RTT, GRAPH_LOSS, GRAPH_BITS, GRAPH_CONCEALED, GRAPH_CURVES };

struct meet_graph {
    uint32_t points[GRAPH_CURVES][GRAPH_SECONDS]; /* a ring */
    uint32_t n;
};

void meet_graph_add(struct meet_graph *g, const struct roost_voice *v);
/* A line a curve: its name, its graph, its last value. plain: without Braille. */
void meet_graph_show(const struct meet_graph *g, bool plain, struct buf *out);
/* One of them alone, GRAPH_SMALL columns of the last seconds. */
void meet_graph_curve(const struct meet_graph *g, enum meet_curve c, bool plain, struct buf *out);
/* "▁▂▃" of a level of 0 to 127, or "###" */
void meet_level(uint8_t level, bool plain, struct buf *out);
/* What everybody's voice is like: a line a person. */
void meet_people(const struct roost_voice *v, bool plain, struct buf *out);
const char *meet_trust_name(enum roost_voice_trust trust);
/* The sum of how everybody is heard: concealed, of a million. */
uint32_t meet_concealed(const struct roost_voice *v);
