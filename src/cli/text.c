#include "cli/text.h"

#include <string.h>
#include <unicode/uchar.h>

#include "base/utf8.h"

/* C0 has pictures of its own in Unicode (U+2400 ...); the rest of what must not
 * be printed is shown as "not a character". */
static uint32_t picture_of(uint32_t c)
{
    return c < 0x20 ? 0x2400 + c : c == 0x7f ? 0x2421 : 0xfffd;
}

static void put_char(struct buf *b, uint32_t c)
{
    char out[4];
    buf_add(b, out, utf8_put(out, c));
}

void text_clean(struct buf *b, const char *s, int indent)
{
    const char *end = s + strlen(s);

    while (s < end) {
        uint32_t c = utf8_next(&s, end);

        if (c == '\r' && s < end && *s == '\n')
            continue;
        if (c == '\n' && indent >= 0) {
            buf_putc(b, '\n');
            buf_fill(b, ' ', (size_t)indent);
        } else if (c == '\n' || c == '\t') {
            buf_putc(b, ' ');
        } else {
            put_char(b, utf8_is_control(c) ? picture_of(c) : c);
        }
    }
}

int text_char_columns(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return 0;
    if (c < 0x300)
        return c != 0xad;

    int type = u_charType((UChar32)c);
    if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR)
        return 0;
    /* the vowels and finals of Hangul syllables written in pieces join the first */
    if (c >= 0x1160 && c <= 0x11ff)
        return 0;
    int width = u_getIntPropertyValue((UChar32)c, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

size_t text_columns(const char *s)
{
    const char *end = s + strlen(s);
    size_t n = 0;

    while (s < end)
        n += (size_t)text_char_columns(utf8_next(&s, end));
    return n;
}

/* Columns that were used. */
static size_t fit(struct buf *b, const char *s, size_t columns)
{
    struct buf clean = { 0 };
    text_clean(&clean, s, TEXT_ONE_LINE);
    b->bad |= clean.bad;

    size_t width = text_columns(buf_str(&clean)), used = 0;
    const char *p = buf_str(&clean), *end = p + clean.len;
    size_t room = width <= columns ? columns : columns ? columns - 1 : 0;

    while (p < end) {
        const char *start = p;
        size_t w = (size_t)text_char_columns(utf8_next(&p, end));
        if (used + w > room)
            break;
        buf_add(b, start, (size_t)(p - start));
        used += w;
    }
    if (width > columns && columns) {
        buf_puts(b, "…");
        used++;
    }
    buf_fini(&clean);
    return used;
}

void text_fit(struct buf *b, const char *s, size_t columns)
{
    fit(b, s, columns);
}

void text_pad(struct buf *b, const char *s, size_t columns)
{
    size_t used = fit(b, s, columns);
    buf_fill(b, ' ', columns - used);
}

/* --- wrapping --- */

struct wrap {
    struct buf *b;
    size_t at, indent, columns;
};

static void break_line(struct wrap *w)
{
    buf_putc(w->b, '\n');
    buf_fill(w->b, ' ', w->indent);
    w->at = w->indent;
}

/* A word that is wider than a whole line is cut where the line ends. */
static void put_word(struct wrap *w, const char *p, const char *end, size_t width)
{
    if (w->at > w->indent && w->at + width > w->columns)
        break_line(w);
    while (p < end) {
        const char *start = p;
        size_t c = (size_t)text_char_columns(utf8_next(&p, end));
        if (w->at + c > w->columns && w->at > w->indent)
            break_line(w);
        buf_add(w->b, start, (size_t)(p - start));
        w->at += c;
    }
}

size_t text_wrap(struct buf *b, const char *s, size_t at, size_t indent, size_t columns)
{
    struct wrap w = { b, at, indent, columns > indent + 8 ? columns : indent + 8 };
    const char *end = s + strlen(s);

    while (s < end) {
        if (*s == '\n') {
            break_line(&w);
            s++;
        } else if (*s == ' ') {
            if (w.at < w.columns) {
                buf_putc(b, ' ');
                w.at++;
            }
            s++;
        } else {
            const char *p = s;
            size_t width = 0;
            while (p < end && *p != ' ' && *p != '\n')
                width += (size_t)text_char_columns(utf8_next(&p, end));
            put_word(&w, s, p, width);
            s = p;
        }
    }
    return w.at;
}
