/* meet_panel.h - who is in a meeting and how it goes, between what happened and the line that is
 * typed: how it is sealed, the way to the server as small curves, and people with their levels.
 * Pure.
 */
#pragma once

#include "cli/buf.h"
#include "cli/meet_graph.h"
#include "roost.h"

enum {
    PANEL_COLUMNS_MIN = 50,
    PANEL_ROWS_MIN = 14, /* of the terminal: below, there is none */
};

struct panel {
    const struct roost_voice *voice;   /* NULL: no sound, then there is none */
    const struct roost_ticket *ticket; /* NULL: not known */
    const struct meet_graph *graph;
    size_t columns, rows; /* of the terminal */
    bool colour, open;    /* open: not sealed end to end */
};

/* Whole lines, none wider than the terminal, a third of it at most. */
void panel_put(const struct panel *p, struct buf *out);
