/* plot.h - curves in a terminal: each character holds two by four dots (Braille).
 *
 * Dots are counted from the lower left. Each has an ink, a small number that the caller gives
 * a style to; a character that holds dots of several inks has that of the last. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buf.h"

enum { PLOT_COLUMNS_MAX = 1000, PLOT_ROWS_MAX = 200 };

struct plot {
    size_t columns, rows; /* characters; dots are twice and four times as many */
    uint8_t *cells;       /* patterns, then inks */
};

/* 0, -ROOST_NOMEM, -ROOST_INVALID. */
int plot_init(struct plot *p, size_t columns, size_t rows);
void plot_fini(struct plot *p);
void plot_clear(struct plot *p);
/* Outside the plot nothing is drawn. */
void plot_dot(struct plot *p, int64_t x, int64_t y, uint8_t ink);
void plot_line(struct plot *p, int64_t x0, int64_t y0, int64_t x1, int64_t y1, uint8_t ink);
/* Appends a row, the topmost is 0. styles: of each ink, or NULL: none are written. plain: no
 * Braille, but the digit of the ink. */
void plot_row(const struct plot *p, size_t row, const char *const *styles, bool plain,
              struct buf *out);

/* The least "round" number that is not below n, and has round quarters. */
uint64_t plot_round(uint64_t n);
