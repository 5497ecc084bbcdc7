/* cursor.h - reading and writing bytes in network byte order, without running over.
 *
 * Neither side checks each step: past the end a reader gives zeros and is `bad` from
 * then on, a writer writes nothing more and is `full`. Who reads a message reads all of
 * it and asks once, at the end; who has to decide something on the way asks before.
 *
 * A "var" is a number of 1, 2, 4 or 8 bytes whose first two bits say which: below 64,
 * 16,384, 2^30 and 2^62 (RFC 9000, section 16). A longer form than needed is not taken,
 * so that a message has one encoding only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CURSOR_VAR_MAX ((1ULL << 62) - 1)

struct reader {
    const uint8_t *p, *end;
    bool bad;
};

struct writer {
    uint8_t *p, *end;
    bool full;
};

static inline struct reader reader_of(const void *bytes, size_t len)
{
    return (struct reader){ bytes, (const uint8_t *)bytes + len, false };
}

static inline struct writer writer_of(void *bytes, size_t cap)
{
    return (struct writer){ bytes, (uint8_t *)bytes + cap, false };
}

static inline size_t reader_left(const struct reader *r)
{
    return r->bad ? 0 : (size_t)(r->end - r->p);
}

static inline size_t writer_left(const struct writer *w)
{
    return w->full ? 0 : (size_t)(w->end - w->p);
}

/* --- reading ------------------------------------------------------------------- */

/* len bytes where they are; NULL past the end. */
static inline const uint8_t *read_bytes(struct reader *r, size_t len)
{
    const uint8_t *p = r->p;

    if (reader_left(r) < len || r->bad) {
        r->bad = true;
        return NULL;
    }
    r->p += len;
    return p;
}

/* A number of so many bytes, at most 8. */
static inline uint64_t read_number(struct reader *r, unsigned bytes)
{
    const uint8_t *p = read_bytes(r, bytes);
    uint64_t n = 0;

    for (unsigned i = 0; p && i < bytes; i++)
        n = n << 8 | p[i];
    return n;
}

static inline uint8_t read_u8(struct reader *r)
{
    return (uint8_t)read_number(r, 1);
}

static inline uint64_t read_var(struct reader *r)
{
    static const struct {
        unsigned bytes;
        uint64_t least, most;
    } forms[] = {
        { 1, 0, (1 << 6) - 1 },
        { 2, 1 << 6, (1 << 14) - 1 },
        { 4, 1 << 14, (1 << 30) - 1 },
        { 8, 1 << 30, CURSOR_VAR_MAX },
    };

    if (!reader_left(r)) {
        r->bad = true;
        return 0;
    }
    unsigned form = *r->p >> 6;
    uint64_t n = read_number(r, forms[form].bytes) & forms[form].most;
    if (n < forms[form].least)
        r->bad = true;
    return r->bad ? 0 : n;
}

/* --- writing ------------------------------------------------------------------- */

/* Room for len bytes, to be written to; NULL when there is none. */
static inline uint8_t *write_room(struct writer *w, size_t len)
{
    uint8_t *p = w->p;

    if (writer_left(w) < len || w->full) {
        w->full = true;
        return NULL;
    }
    w->p += len;
    return p;
}

static inline void write_bytes(struct writer *w, const void *bytes, size_t len)
{
    uint8_t *p = write_room(w, len);

    if (p && len)
        memcpy(p, bytes, len);
}

static inline void write_number(struct writer *w, uint64_t n, unsigned bytes)
{
    uint8_t *p = write_room(w, bytes);

    for (unsigned i = 0; p && i < bytes; i++)
        p[i] = (uint8_t)(n >> 8 * (bytes - 1 - i));
}

static inline void write_u8(struct writer *w, uint8_t n)
{
    write_number(w, n, 1);
}

static inline unsigned var_bytes(uint64_t n)
{
    return n < 1 << 6 ? 1 : n < 1 << 14 ? 2 : n < 1 << 30 ? 4 : 8;
}

/* n above CURSOR_VAR_MAX does not fit: the writer is full. */
static inline void write_var(struct writer *w, uint64_t n)
{
    unsigned bytes = var_bytes(n), form = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;

    if (n > CURSOR_VAR_MAX)
        w->full = true;
    else
        write_number(w, n | (uint64_t)form << (8 * bytes - 2), bytes);
}
