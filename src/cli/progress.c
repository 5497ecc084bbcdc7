#include "cli/progress.h"

#include <inttypes.h>
#include <string.h>

#include "cli/amount.h"
#include "cli/text.h"

/* --- rate --- */

enum { LOOK_US = 100000, MEMORY_US = 2000000 };

void progress_look(struct progress *p, int64_t now_us, uint64_t bytes)
{
    int64_t took_us = now_us - p->at_us;

    if (!p->looks || bytes < p->bytes) { /* it begins, or began anew */
        *p = (struct progress){ .at_us = now_us, .moved_us = now_us, .bytes = bytes, .looks = 1 };
        return;
    }
    if (bytes > p->bytes)
        p->moved_us = now_us;
    if (took_us < LOOK_US)
        return;
    double now = (double)(bytes - p->bytes) * 1e6 / (double)took_us;
    double weight = (double)took_us / (double)(took_us + MEMORY_US);
    /* the first figures are all there is */
    if (weight < 1.0 / p->looks)
        weight = 1.0 / p->looks;
    p->rate += (now - p->rate) * weight;
    p->at_us = now_us;
    p->bytes = bytes;
    p->looks++;
}

int64_t progress_left_s(const struct progress *p, uint64_t done, uint64_t total)
{
    if (total == PROGRESS_UNKNOWN || done > total || p->rate < 1)
        return -1;
    double left = (double)(total - done) / p->rate;
    return left < 1e9 ? (int64_t)(left + 0.999) : -1;
}

/* --- the line --- */

enum {
    NAME_LEAST = 8,
    NAME_MOST = 32,
    BAR_LEAST = 8,
    BAR_MOST = 30,
    GAP = 2,
};

enum piece { PERCENT, RATE, LEFT, WAY, AGAIN, PIECES };

static int percent(const struct progress_line *l)
{
    /* 100 only when it is whole */
    return l->total ? (int)(100.0 * (double)l->done / (double)l->total) : 100;
}

static void put_piece(struct buf *b, const struct progress_line *l, enum piece which)
{
    bool known = l->total != PROGRESS_UNKNOWN && l->done <= l->total;

    switch (which) {
    case PERCENT:
        if (known)
            buf_printf(b, "%3d %%", percent(l));
        else
            amount_bytes(b, (double)l->done);
        break;
    case RATE:
        if (l->state) {
            buf_puts(b, l->state);
        } else {
            amount_bytes(b, l->rate);
            buf_puts(b, "/s");
        }
        break;
    case LEFT:
        if (l->state || l->left_s < 0)
            break;
        amount_span(b, l->left_s);
        buf_puts(b, " left");
        break;
    case WAY:
        text_clean(b, l->way, TEXT_ONE_LINE);
        break;
    case AGAIN:
        if (!l->again)
            break;
        amount_bytes(b, (double)l->again);
        buf_puts(b, " again");
        break;
    case PIECES:
        break;
    }
}

static void put_bar(struct buf *b, const struct progress_line *l, size_t columns)
{
    size_t full = l->total ? (size_t)((double)l->done / (double)l->total * (double)columns)
                           : columns;

    for (size_t i = 0; i < columns; i++)
        buf_puts(b, l->plain ? i < full ? "#" : "." : i < full ? "━" : "─");
}

/* Figures that come and go shall not make the others jump. */
static const size_t steady[PIECES] = {
    [RATE] = sizeof "99.9 MB/s" - 1, [LEFT] = sizeof "12:05 left" - 1
};

static size_t pad_left(struct buf *b, size_t columns)
{
    size_t width = text_columns(buf_str(b));
    struct buf padded = { 0 };

    if (!width || width >= columns)
        return width;
    buf_fill(&padded, ' ', columns - width);
    buf_puts(&padded, buf_str(b));
    buf_fini(b);
    *b = padded;
    return text_columns(buf_str(b));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void progress_put(struct buf *b, const struct progress_line *l, size_t columns)
{
    struct buf pieces[PIECES] = { 0 };
    size_t widths[PIECES], sum = 0, name = text_columns(l->name), bar = 0;
    bool known = l->total != PROGRESS_UNKNOWN && l->done <= l->total;

    for (int i = 0; i < PIECES; i++) {
        put_piece(&pieces[i], l, (enum piece)i);
        widths[i] = pad_left(&pieces[i], columns ? steady[i] : 0);
        sum += widths[i] ? widths[i] + GAP : 0;
    }
    name = least(name, NAME_MOST);
    static const enum piece goes[] = { AGAIN, WAY, LEFT };
    size_t need = least(name, columns < 60 ? NAME_LEAST : 16);
    for (size_t i = 0; columns && i < 3 && sum + need > columns; i++)
        if (widths[goes[i]]) {
            sum -= widths[goes[i]] + GAP;
            widths[goes[i]] = 0;
        }
    if (columns && sum + name > columns)
        name = columns > sum ? columns - sum : 1;
    if (columns && known && sum + name + GAP + BAR_LEAST <= columns)
        bar = least(columns - sum - name - GAP, BAR_MOST);

    text_fit(b, l->name, name);
    if (bar) {
        buf_fill(b, ' ', GAP);
        put_bar(b, l, bar);
    }
    for (int i = 0; i < PIECES; i++) {
        if (widths[i]) {
            buf_fill(b, ' ', GAP);
            buf_puts(b, buf_str(&pieces[i]));
        }
        buf_fini(&pieces[i]);
    }
}
