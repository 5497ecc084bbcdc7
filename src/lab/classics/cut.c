#include "lab/classics/cut.h"

#include <string.h>

#include "base/err.h"

size_t cut_room(struct cut *c, uint8_t **ret_at)
{
    memmove(c->bytes, c->bytes + c->from, c->to - c->from);
    c->to -= c->from;
    c->from = 0;
    *ret_at = c->bytes + c->to;
    return sizeof c->bytes - c->to;
}

void cut_put(struct cut *c, size_t len)
{
    c->to += len;
}

static int take(struct cut *c, size_t head, size_t len, size_t tail, const uint8_t **ret_bytes,
                size_t *ret_len)
{
    *ret_bytes = c->bytes + c->from + head;
    *ret_len = len;
    c->from += head + len + tail;
    return 1;
}

static int next_line(struct cut *c, const uint8_t **ret_bytes, size_t *ret_len)
{
    const uint8_t *at = c->bytes + c->from;
    size_t there = c->to - c->from;
    const uint8_t *end = memchr(at, '\n', there);
    size_t len = end ? (size_t)(end - at) : there;
    size_t tail = 1;

    if (len > CUT_LINE_MAX + 1) /* one for a carriage return */
        return -ROOST_TOO_LONG;
    if (!end)
        return 0;
    if (len && at[len - 1] == '\r') {
        len--;
        tail++;
    }
    return len > CUT_LINE_MAX ? -ROOST_TOO_LONG : take(c, 0, len, tail, ret_bytes, ret_len);
}

static int next_frame(struct cut *c, const uint8_t **ret_bytes, size_t *ret_len)
{
    const uint8_t *at = c->bytes + c->from;
    size_t there = c->to - c->from;

    if (there < 2)
        return 0;
    size_t len = (size_t)at[0] << 8 | at[1];
    if (!len)
        return -ROOST_MALFORMED;
    if (len > CUT_FRAME_MAX)
        return -ROOST_TOO_LONG;
    return there < 2 + len ? 0 : take(c, 2, len, 0, ret_bytes, ret_len);
}

int cut_next(struct cut *c, enum cut_how how, const uint8_t **ret_bytes, size_t *ret_len)
{
    if (how == CUT_LINES)
        return next_line(c, ret_bytes, ret_len);
    if (how == CUT_FRAMES)
        return next_frame(c, ret_bytes, ret_len);
    return c->to > c->from ? take(c, 0, c->to - c->from, 0, ret_bytes, ret_len) : 0;
}

int cut_last(struct cut *c, enum cut_how how, const uint8_t **ret_bytes, size_t *ret_len)
{
    size_t there = c->to - c->from;

    if (how != CUT_LINES || !there || there > CUT_LINE_MAX)
        return 0;
    return take(c, 0, there, 0, ret_bytes, ret_len);
}
