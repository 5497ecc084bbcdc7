/* pack.h - numbers in messages, big-endian, and the mark that says whether they are whole.
 *
 * A writer and a reader that remember failure: what does not fit, or is not there, makes `bad`
 * true, and is asked for once, at the end. Plain data, the caller's bytes. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pack {
    uint8_t *at, *end;
    bool bad;
};

struct unpack {
    const uint8_t *at, *end;
    bool bad;
};

enum { PACK_MARK = 4 };

static inline void pack_bytes(struct pack *p, const void *bytes, size_t len)
{
    if (p->bad || (size_t)(p->end - p->at) < len) {
        p->bad = true;
        return;
    }
    if (len)
        memcpy(p->at, bytes, len);
    p->at += len;
}

static inline void pack_number(struct pack *p, uint64_t n, size_t bytes)
{
    uint8_t b[8];

    for (size_t i = 0; i < bytes; i++)
        b[i] = (uint8_t)(n >> 8 * (bytes - 1 - i));
    pack_bytes(p, b, bytes);
}

/* Borrows; NULL if there are fewer. */
static inline const uint8_t *unpack_bytes(struct unpack *p, size_t len)
{
    const uint8_t *at = p->at;

    if (p->bad || (size_t)(p->end - p->at) < len) {
        p->bad = true;
        return NULL;
    }
    p->at += len;
    return at;
}

static inline uint64_t unpack_number(struct unpack *p, size_t bytes)
{
    const uint8_t *at = unpack_bytes(p, bytes);
    uint64_t n = 0;

    for (size_t i = 0; at && i < bytes; i++)
        n = n << 8 | at[i];
    return n;
}

/* The CRC-32 of Ethernet and zip: finds what a cable does, not what an enemy does. */
static inline uint32_t pack_crc(const uint8_t *bytes, size_t len)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* Puts the mark behind what was packed from `start`, and returns the length of all; 0: it did
 * not fit. */
static inline size_t pack_end(struct pack *p, uint8_t *start)
{
    pack_number(p, p->bad ? 0 : pack_crc(start, (size_t)(p->at - start)), PACK_MARK);
    return p->bad ? 0 : (size_t)(p->at - start);
}

/* False: it was damaged on its way, or is none of ours. */
static inline bool unpack_begin(struct unpack *p, const uint8_t *bytes, size_t len)
{
    *p = (struct unpack){ bytes, bytes + len, len < PACK_MARK };
    if (p->bad)
        return false;
    p->end -= PACK_MARK;
    struct unpack mark = { p->end, bytes + len, false };
    p->bad = unpack_number(&mark, PACK_MARK) != pack_crc(bytes, len - PACK_MARK);
    return !p->bad;
}
