#include "wire/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void frame_reader_init(struct frame_reader *r)
{
    *r = (struct frame_reader){ 0 };
}

void frame_reader_fini(struct frame_reader *r)
{
    free(r->body);
    *r = (struct frame_reader){ 0 };
}

void frame_head_encode(uint8_t head[static FRAME_HEAD], size_t body_len)
{
    head[0] = (uint8_t)(body_len >> 24);
    head[1] = (uint8_t)(body_len >> 16);
    head[2] = (uint8_t)(body_len >> 8);
    head[3] = (uint8_t)body_len;
}

static int read_head(struct frame_reader *r, const uint8_t **p, const uint8_t *end)
{
    while (r->have < FRAME_HEAD && *p < end)
        r->head[r->have++] = *(*p)++;
    if (r->have < FRAME_HEAD)
        return 0;
    r->need = (uint32_t)r->head[0] << 24 | (uint32_t)r->head[1] << 16 | (uint32_t)r->head[2] << 8 |
              r->head[3];
    return r->need > FRAME_BODY_MAX ? -ROOST_LIMIT : 1;
}

int frame_next(struct frame_reader *r, const uint8_t **p, const uint8_t *end,
               const uint8_t **ret_body, size_t *ret_len)
{
    if (r->have >= FRAME_HEAD && r->have - FRAME_HEAD == r->need)
        frame_reader_fini(r); /* the body given out by the last call */

    int err = r->have < FRAME_HEAD ? read_head(r, p, end) : 1;
    if (err <= 0)
        return err;

    size_t got = r->have - FRAME_HEAD, avail = (size_t)(end - *p);
    if (!got && avail >= r->need) { /* whole in the input: no copy */
        *ret_body = *p;
        *ret_len = r->need;
        *p += r->need;
        *r = (struct frame_reader){ 0 };
        return 1;
    }
    if (!avail)
        return 0; /* nothing is kept for a body that has not begun */
    if (!r->body && !(r->body = malloc(r->need)))
        return -ROOST_NOMEM;
    size_t take = r->need - got < avail ? r->need - got : avail;
    memcpy(r->body + got, *p, take);
    *p += take;
    r->have += (uint32_t)take;
    if (r->have - FRAME_HEAD < r->need)
        return 0;
    *ret_body = r->body;
    *ret_len = r->need;
    return 1;
}
