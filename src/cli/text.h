/* text.h - what others wrote, made fit for a terminal.
 *
 * Nothing that a peer sends reaches a terminal except through text_clean:
 * control characters, escape sequences and overrides of direction come out as
 * visible signs. Widths are in columns: 2 for wide characters and emoji, 0 for
 * combining marks and joiners, as terminals that follow Unicode draw them.
 * Pure; the input need not be valid UTF-8.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/buf.h"

enum { TEXT_ONE_LINE = -1 };

/* Appends s. A line break becomes a line break and `indent` spaces, or one
 * space when indent is TEXT_ONE_LINE. */
void text_clean(struct buf *b, const char *s, int indent);

int text_char_columns(uint32_t c); /* 0, 1 or 2 */
size_t text_columns(const char *s);

/* Appends s on one line, cleaned, cut to `columns` with an ellipsis if need be. */
void text_fit(struct buf *b, const char *s, size_t columns);
/* The same, then spaces up to `columns`. */
void text_pad(struct buf *b, const char *s, size_t columns);

/* Appends s (clean already), broken at spaces so that no line is wider than
 * `columns`; the first line starts at column `at`, the others after `indent`
 * spaces. Returns the column where it ended. */
size_t text_wrap(struct buf *b, const char *s, size_t at, size_t indent, size_t columns);
