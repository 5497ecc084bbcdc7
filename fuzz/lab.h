/* lab.h - messages of the exercises for their fuzzers: two bytes of length, then so many. The
 * highest bit of the length: as it is; else the mark (pack.h) is put behind it, as otherwise
 * nearly all would be damaged and nothing else. */
#pragma once

#include "lab/classics/pack.h"

enum { LAB_MESSAGE_MAX = 4096 };

/* The next message; false: there is none. */
static inline bool lab_message(const uint8_t **data, size_t *len,
                               uint8_t ret[static LAB_MESSAGE_MAX], size_t *ret_len)
{
    if (*len < 2)
        return false;
    size_t head = (size_t)(*data)[0] << 8 | (*data)[1], n = head & 0xfff;
    *data += 2;
    *len -= 2;
    n = n < *len ? n : *len;
    struct pack p = { ret, ret + LAB_MESSAGE_MAX, false };
    pack_bytes(&p, *data, n);
    *data += n;
    *len -= n;
    *ret_len = head & 0x8000 ? n : pack_end(&p, ret);
    return true;
}
