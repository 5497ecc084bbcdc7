/* race_draw.h - a race as a picture in the terminal, as SVG, and as figures. Pure. */
#pragma once

#include "cli/buf.h"
#include "lab/race.h"

/* The figures that are drawn, one below the other. */
enum race_panel { RACE_WINDOW, RACE_RATE, RACE_RTT, RACE_QUEUE, RACE_LOSS, RACE_PANELS };

struct race_panel_text {
    const char *name, *unit;
    double scale; /* what is shown is that times the figure */
};
extern const struct race_panel_text race_panels[RACE_PANELS];

/* The figure of a flow at a sample; of the queue, which is everybody's, of flow 0. Negative:
 * there is none. */
double race_figure(const struct race *r, enum race_panel panel, size_t flow, size_t sample);
/* The largest of samples [from, to), rounded up. */
double race_top(const struct race *r, enum race_panel panel, size_t from, size_t to);
size_t race_curves(const struct race *r, enum race_panel panel);
/* "2.5 MB", "100 ms": a figure with its unit. */
void race_put(struct buf *b, enum race_panel panel, double figure);

struct race_look {
    size_t columns, rows; /* of the terminal */
    bool colour, plain;   /* plain: without Braille */
    const char *title;
    int64_t span_us; /* of time that is shown, at most */
};

/* 0 or -ROOST_NOMEM. */
int race_draw(const struct race *r, const struct race_look *look, struct buf *out);
/* A document of its own. */
void race_svg(const struct race *r, const char *title, struct buf *out);
void race_csv(const struct race *r, struct buf *out);
