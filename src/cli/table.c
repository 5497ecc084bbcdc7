#include "cli/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

enum { GAP = 2, LEAST = 6 };

void table_init(struct table *t, const char *const *heads, size_t n_columns)
{
    assert(n_columns && n_columns <= TABLE_COLUMNS_MAX);
    *t = (struct table){ .n_columns = n_columns, .heads = heads };
}

void table_fini(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){ 0 };
}

static bool grow(struct table *t)
{
    if (t->n < t->cap)
        return true;
    size_t cap = t->cap ? t->cap * 2 : 64;
    if (cap > (size_t)TABLE_ROWS_MAX * TABLE_COLUMNS_MAX * 2)
        return false;
    char **cells = realloc(t->cells, cap * sizeof *cells);
    if (!cells)
        return false;
    t->cells = cells;
    t->cap = cap;
    return true;
}

void table_add(struct table *t, const char *cell)
{
    struct buf b = { 0 };

    if (t->bad)
        return;
    text_clean(&b, cell ? cell : "", TEXT_ONE_LINE);
    buf_add(&b, "", 1); /* the zero, so that an empty cell is a string too */
    if (b.bad || !grow(t)) {
        buf_fini(&b);
        t->bad = true;
        return;
    }
    t->cells[t->n++] = b.p;
}

void table_add_u64(struct table *t, uint64_t n)
{
    char s[24];
    snprintf(s, sizeof s, "%" PRIu64, n);
    table_add(t, s);
}

void table_add_buf(struct table *t, struct buf *b)
{
    table_add(t, buf_str(b));
    buf_clear(b);
}

/* --- printing --- */

static void measure(const struct table *t, size_t width[static TABLE_COLUMNS_MAX])
{
    for (size_t c = 0; c < t->n_columns; c++)
        width[c] = text_columns(t->heads[c]);
    for (size_t i = 0; i < t->n; i++) {
        size_t w = text_columns(t->cells[i]);
        if (w > width[i % t->n_columns])
            width[i % t->n_columns] = w;
    }
}

static size_t sum(const size_t *width, size_t n)
{
    size_t total = (n - 1) * GAP;
    for (size_t i = 0; i < n; i++)
        total += width[i];
    return total;
}

static void shrink(size_t *width, size_t n, size_t columns)
{
    while (sum(width, n) > columns) {
        size_t widest = n - 1;
        if (width[widest] <= LEAST * 3)
            for (size_t i = 0; i < n; i++)
                if (width[i] > width[widest])
                    widest = i;
        if (width[widest] <= LEAST)
            return;
        width[widest]--;
    }
}

static void print_row(const struct table *t, struct buf *out, const char *const *cells,
                      const size_t *width)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        if (c + 1 == t->n_columns) {
            text_fit(out, cells[c], width[c]);
        } else {
            text_pad(out, cells[c], width[c]);
            buf_fill(out, ' ', GAP);
        }
    }
}

static void end_row(struct buf *out)
{
    while (out->len && out->p[out->len - 1] == ' ')
        out->p[--out->len] = 0;
    buf_putc(out, '\n');
}

void table_print(const struct table *t, struct buf *out, size_t columns, bool bold)
{
    size_t width[TABLE_COLUMNS_MAX];

    assert(t->n_columns && t->n_columns <= TABLE_COLUMNS_MAX);
    measure(t, width);
    if (columns)
        shrink(width, t->n_columns, columns);
    if (bold)
        buf_puts(out, "\033[1m");
    print_row(t, out, t->heads, width);
    if (bold)
        buf_puts(out, "\033[0m");
    end_row(out);
    for (size_t i = 0; i + t->n_columns <= t->n; i += t->n_columns) {
        print_row(t, out, (const char *const *)t->cells + i, width);
        end_row(out);
    }
}
