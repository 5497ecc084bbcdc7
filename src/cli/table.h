/* table.h - rows in columns as wide as what they hold.
 *
 * The caller adds cells row by row; they are copied and cleaned (text.h). When
 * the whole is wider than the terminal, the last column gives way, then the
 * widest ones. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buf.h"

enum { TABLE_COLUMNS_MAX = 12, TABLE_ROWS_MAX = 100000 };

struct table {
    size_t n_columns;
    const char *const *heads; /* borrowed for the life of the table */
    char **cells;             /* n, row by row */
    size_t n, cap;
    bool bad; /* out of memory, or too many rows */
};

/* heads has n_columns entries. */
void table_init(struct table *t, const char *const *heads, size_t n_columns);
void table_fini(struct table *t);

void table_add(struct table *t, const char *cell); /* NULL is "" */
void table_add_u64(struct table *t, uint64_t n);
void table_add_buf(struct table *t, struct buf *b); /* takes what is in b and empties it */

/* `columns` of the terminal, 0 = no limit; `bold` marks the heads. */
void table_print(const struct table *t, struct buf *out, size_t columns, bool bold);
