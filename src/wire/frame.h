/* frame.h - control frames: a 4-byte big-endian length, then so many bytes.
 *
 * The reader is fed whatever the transport delivers and yields whole bodies.
 * It holds at most one frame, and no memory at all between frames, so that an
 * idle connection costs nothing. Not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEAD = 4, FRAME_BODY_MAX = 65536 };

struct frame_reader {
    uint8_t head[FRAME_HEAD];
    uint32_t have; /* bytes of head, then of head + body, that are here */
    uint32_t need; /* length of the body, known when have >= FRAME_HEAD */
    uint8_t *body; /* heap, while a body is incomplete */
};

void frame_reader_init(struct frame_reader *r);
void frame_reader_fini(struct frame_reader *r);

/* Takes bytes from *p up to end and advances *p. Returns 1 with *ret_body (which
 * borrows from the input or from the reader, valid until the next call), 0 when
 * more bytes are needed, -ROOST_LIMIT for a length above FRAME_BODY_MAX, or
 * -ROOST_NOMEM. After an error the stream is lost. */
int frame_next(struct frame_reader *r, const uint8_t **p, const uint8_t *end,
               const uint8_t **ret_body, size_t *ret_len);

void frame_head_encode(uint8_t head[static FRAME_HEAD], size_t body_len);
