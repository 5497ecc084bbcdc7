/* buf.h - text that grows: what commands print is gathered here.
 *
 * A buf of zeroes is empty and ready. After a failed allocation, or past
 * BUF_MAX, `bad` is set, nothing more is added, and what is there stays valid;
 * so callers check once, at the end. Not thread-safe.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { BUF_MAX = 16 * 1024 * 1024 };

struct buf {
    char *p; /* ends in a zero byte once anything was added; NULL before */
    size_t len, cap;
    bool bad;
};

void buf_fini(struct buf *b);             /* leaves it zeroed */
void buf_clear(struct buf *b);            /* empty, memory and `bad` kept */
const char *buf_str(const struct buf *b); /* borrows; "" when empty */

void buf_add(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_fill(struct buf *b, char c, size_t n);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list ap);
