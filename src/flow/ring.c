#include "flow/ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { FIRST_CAP = 4096 };

void ring_fini(struct ring *r)
{
    free(r->bytes);
    *r = (struct ring){ 0 };
}

int ring_fit(struct ring *r, uint64_t from, uint64_t kept, uint64_t to)
{
    struct ring fresh = { .cap = r->cap ? r->cap : FIRST_CAP };

    if (to - from <= r->cap)
        return 0;
    while (fresh.cap < to - from)
        fresh.cap *= 2;
    fresh.bytes = malloc(fresh.cap);
    if (!fresh.bytes)
        return -ROOST_NOMEM;
    while (from < kept) {
        size_t n;
        const uint8_t *p = ring_at(r, from, (size_t)(kept - from), &n);
        ring_put(&fresh, from, p, n);
        from += n;
    }
    free(r->bytes);
    *r = fresh;
    return 0;
}

void ring_put(struct ring *r, uint64_t at, const void *bytes, size_t len)
{
    size_t start = (size_t)(at & (r->cap - 1)), first = (size_t)r->cap - start;

    first = len < first ? len : first;
    if (first)
        memcpy(r->bytes + start, bytes, first);
    if (len > first)
        memcpy(r->bytes, (const uint8_t *)bytes + first, len - first);
}

void ring_get(const struct ring *r, uint64_t at, void *bytes, size_t len)
{
    for (uint8_t *p = bytes; len;) {
        size_t n;
        const uint8_t *from = ring_at(r, at, len, &n);
        memcpy(p, from, n);
        p += n;
        at += n;
        len -= n;
    }
}

const uint8_t *ring_at(const struct ring *r, uint64_t at, size_t len, size_t *ret_len)
{
    size_t start = (size_t)(at & (r->cap - 1)), rest = (size_t)r->cap - start;

    *ret_len = len < rest ? len : rest;
    return r->bytes + start;
}
