/* cut.h - cuts a stream of bytes into messages again.
 *
 * TCP keeps bytes in order and forgets where a message ended. Two old ways to say it: a line
 * ends at its line feed; a frame says its length before it. The third, raw, takes what is
 * there.
 *
 *     n = cut_room(c, &at);  read up to n bytes to `at`;  cut_put(c, got);
 *     while (cut_next(c, how, &bytes, &len) > 0) ...
 *
 * A fixed buffer, the owner's memory; messages borrow from it until cut_room or cut_put. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum cut_how { CUT_LINES, CUT_FRAMES, CUT_RAW };

enum {
    CUT_LINE_MAX = 8192,   /* bytes of a line, without its end */
    CUT_FRAME_MAX = 16384, /* bytes of a frame, without its length (2 bytes, big-endian) */
    CUT_BYTES = 2 * CUT_FRAME_MAX,
};

struct cut {
    size_t from, to;
    uint8_t bytes[CUT_BYTES];
};

size_t cut_room(struct cut *c, uint8_t **ret_at);
void cut_put(struct cut *c, size_t len);
/* 1; 0: no whole message yet; -ROOST_TOO_LONG, -ROOST_MALFORMED (an empty frame): nothing that
 * comes after can be trusted. A line is without its line feed, and a carriage return before. */
int cut_next(struct cut *c, enum cut_how how, const uint8_t **ret_bytes, size_t *ret_len);
/* Nothing more comes: a last line may lack its end. 1 or 0. */
int cut_last(struct cut *c, enum cut_how how, const uint8_t **ret_bytes, size_t *ret_len);
