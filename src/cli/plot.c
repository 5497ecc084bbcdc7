#include "cli/plot.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int plot_init(struct plot *p, size_t columns, size_t rows)
{
    *p = (struct plot){ .columns = columns, .rows = rows };
    if (!columns || !rows || columns > PLOT_COLUMNS_MAX || rows > PLOT_ROWS_MAX)
        return -ROOST_INVALID;
    p->cells = calloc(2, columns * rows);
    return p->cells ? 0 : -ROOST_NOMEM;
}

void plot_fini(struct plot *p)
{
    free(p->cells);
    *p = (struct plot){ 0 };
}

void plot_clear(struct plot *p)
{
    memset(p->cells, 0, 2 * p->columns * p->rows);
}

void plot_dot(struct plot *p, int64_t x, int64_t y, uint8_t ink)
{
    /* the bits of U+2800: the left column from the top, the right one, then the lowest two */
    static const uint8_t bits[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
    int64_t down = (int64_t)p->rows * 4 - 1 - y;

    if (x < 0 || down < 0 || y < 0 || x >= (int64_t)p->columns * 2)
        return;
    size_t at = (size_t)(down / 4) * p->columns + (size_t)(x / 2);
    p->cells[at] |= bits[down % 4][x % 2];
    p->cells[p->columns * p->rows + at] = ink;
}

static int64_t size_of(int64_t n)
{
    return n < 0 ? -n : n;
}

void plot_line(struct plot *p, int64_t x0, int64_t y0, int64_t x1, int64_t y1, uint8_t ink)
{
    int64_t dx = x1 - x0, dy = y1 - y0;
    int64_t steps = size_of(dx) > size_of(dy) ? size_of(dx) : size_of(dy);

    for (int64_t i = 0; i <= steps; i++)
        plot_dot(p, x0 + (steps ? dx * i / steps : 0), y0 + (steps ? dy * i / steps : 0), ink);
}

static void put_char(struct buf *out, uint8_t dots, uint8_t ink, bool plain)
{
    const char braille[] = { (char)0xe2, (char)(0xa0 | dots >> 6), (char)(0x80 | (dots & 63)), 0 };

    if (!dots)
        buf_putc(out, ' ');
    else if (plain)
        buf_putc(out, (char)('0' + ink % 10));
    else
        buf_puts(out, braille);
}

void plot_row(const struct plot *p, size_t row, const char *const *styles, bool plain,
              struct buf *out)
{
    const uint8_t *dots = p->cells + row * p->columns, *inks = dots + p->columns * p->rows;
    int style = -1;

    for (size_t i = 0; i < p->columns; i++) {
        if (styles && dots[i] && inks[i] != style) {
            style = inks[i];
            buf_puts(out, styles[style]);
        }
        put_char(out, dots[i], inks[i], plain);
    }
    if (style >= 0)
        buf_puts(out, "\033[0m");
}

uint64_t plot_round(uint64_t n)
{
    static const uint8_t steps[] = { 10, 12, 16, 20, 24, 32, 40, 60, 80 };

    for (uint64_t ten = 1; ten < UINT64_MAX / 1000; ten *= 10)
        for (size_t k = 0; k < sizeof steps; k++)
            if (ten * steps[k] / 10 >= n && ten * steps[k] % 10 == 0)
                return ten * steps[k] / 10;
    return n;
}
