#include "share/held.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "seal/digest.h"

static const char magic[4] = "RHM1";

void held_fini(struct held *h)
{
    free(h->all);
    *h = (struct held){ 0 };
}

/* The first run that ends at `at` or later. */
static uint32_t find(const struct held *h, uint64_t at)
{
    uint32_t low = 0, high = h->n;

    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (h->all[mid].to < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int grow(struct held *h, uint32_t n)
{
    uint32_t cap = h->cap ? h->cap : 8;

    if (n > HELD_RUNS_MAX)
        return -ROOST_LIMIT;
    if (n <= h->cap)
        return 0;
    while (cap < n)
        cap *= 2;
    struct run *all = realloc(h->all, cap * sizeof *all);
    if (!all)
        return -ROOST_NOMEM;
    h->all = all;
    h->cap = cap;
    return 0;
}

int held_add(struct held *h, uint64_t from, uint64_t to)
{
    uint32_t i = find(h, from), last = i;

    if (from >= to)
        return 0;
    while (last < h->n && h->all[last].from <= to)
        last++;
    if (last == i) { /* touches none */
        int err = grow(h, h->n + 1);
        if (err)
            return err;
        memmove(h->all + i + 1, h->all + i, (h->n - i) * sizeof *h->all);
        h->all[i] = (struct run){ from, to };
        h->n++;
        return 0;
    }
    struct run *r = &h->all[i];
    uint64_t end = h->all[last - 1].to;
    r->from = r->from < from ? r->from : from;
    r->to = end > to ? end : to;
    memmove(h->all + i + 1, h->all + last, (h->n - last) * sizeof *h->all);
    h->n -= last - i - 1;
    return 0;
}

int held_copy(struct held *h, const struct held *from)
{
    int err = grow(h, from->n);

    if (err)
        return err;
    if (from->n)
        memcpy(h->all, from->all, from->n * sizeof *h->all);
    h->n = from->n;
    return 0;
}

bool held_has_all(const struct held *h, uint64_t from, uint64_t to)
{
    uint32_t i = find(h, from + 1);

    return from >= to || (i < h->n && h->all[i].from <= from && h->all[i].to >= to);
}

bool held_has(const struct held *h, uint64_t block)
{
    return held_has_all(h, block, block + 1);
}

bool held_has_any(const struct held *h, uint64_t from, uint64_t to)
{
    return held_next(h, from) < to;
}

uint64_t held_missing(const struct held *h, uint64_t from)
{
    uint32_t i = find(h, from + 1);

    return i < h->n && h->all[i].from <= from ? h->all[i].to : from;
}

uint64_t held_next(const struct held *h, uint64_t from)
{
    uint32_t i = find(h, from + 1);

    if (i == h->n)
        return UINT64_MAX;
    return h->all[i].from > from ? h->all[i].from : from;
}

uint64_t held_count(const struct held *h)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < h->n; i++)
        n += h->all[i].to - h->all[i].from;
    return n;
}

/* --- packed ------------------------------------------------------------------------------ */

void held_write(const struct held *h, struct writer *w)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        write_var(w, h->all[i].from - at);
        write_var(w, h->all[i].to - h->all[i].from);
        at = h->all[i].to;
    }
}

int held_read(struct held *h, struct reader *r, uint64_t blocks)
{
    struct held fresh = { 0 };
    uint64_t at = 0;
    int err = 0;

    while (!err && reader_left(r)) {
        uint64_t gap = read_var(r), len = read_var(r);
        if (r->bad || !len || (at && !gap) || gap > blocks - at || len > blocks - at - gap)
            err = -ROOST_MALFORMED;
        else
            err = held_add(&fresh, at + gap, at + gap + len);
        at += gap + len;
    }
    if (!err && r->bad)
        err = -ROOST_MALFORMED;
    if (err) {
        held_fini(&fresh);
        return err;
    }
    held_fini(h);
    *h = fresh;
    return 0;
}

bool held_of_same(const struct held_of *a, const struct held_of *b)
{
    if (a->has_root && b->has_root)
        return a->size == b->size && !memcmp(a->root, b->root, TREE_HASH);
    return a->size == b->size && a->mtime_ns == b->mtime_ns &&
           !memcmp(a->list_root, b->list_root, TREE_HASH);
}

static int checksum(uint8_t ret[TREE_HASH], const uint8_t *bytes, size_t len)
{
    const struct seal_part parts[] = { { "roost held 1", 13 }, { bytes, len } };

    return seal_sha256(ret, parts, 2);
}

int held_pack(const struct held *h, const struct held_of *of, uint64_t generation, uint8_t *bytes,
              size_t cap)
{
    struct writer w = writer_of(bytes, cap);
    uint8_t sum[TREE_HASH];

    write_bytes(&w, magic, sizeof magic);
    write_number(&w, generation, 8);
    write_number(&w, of->size, 8);
    write_number(&w, (uint64_t)of->mtime_ns, 8);
    write_u8(&w, of->has_root);
    write_bytes(&w, of->list_root, TREE_HASH);
    write_bytes(&w, of->root, TREE_HASH);
    uint8_t *len_at = write_room(&w, 4);
    uint8_t *runs = w.p;
    held_write(h, &w);
    assert(!w.full && "4,096 runs of two numbers below 2^24 fit");
    struct writer len = writer_of(len_at, 4);
    write_number(&len, (uint64_t)(w.p - runs), 4);
    if (checksum(sum, bytes, (size_t)(w.p - bytes)))
        return -ROOST_NOMEM;
    write_bytes(&w, sum, sizeof sum);
    assert(!w.full);
    return (int)(w.p - bytes);
}

int held_unpack(struct held *h, struct held_of *ret_of, uint64_t *ret_generation,
                const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct held_of of = { 0 };
    uint8_t sum[TREE_HASH];

    const uint8_t *m = read_bytes(&r, sizeof magic);
    uint64_t generation = read_number(&r, 8);
    of.size = read_number(&r, 8);
    of.mtime_ns = (int64_t)read_number(&r, 8);
    uint8_t has_root = read_u8(&r);
    const uint8_t *list_root = read_bytes(&r, TREE_HASH), *root = read_bytes(&r, TREE_HASH);
    size_t runs_len = (size_t)read_number(&r, 4);
    const uint8_t *runs = read_bytes(&r, runs_len), *end = r.p;
    const uint8_t *expected = read_bytes(&r, TREE_HASH);
    if (r.bad || memcmp(m, magic, sizeof magic) != 0 || has_root > 1)
        return -ROOST_MALFORMED;
    if (of.size > TREE_SIZE_MAX && of.size != TREE_UNKNOWN)
        return -ROOST_MALFORMED;
    int err = checksum(sum, bytes, (size_t)(end - bytes));
    if (err)
        return err;
    if (memcmp(sum, expected, TREE_HASH) != 0)
        return -ROOST_MALFORMED;
    of.has_root = has_root;
    memcpy(of.list_root, list_root, TREE_HASH);
    memcpy(of.root, root, TREE_HASH);
    struct reader inner = reader_of(runs, runs_len);
    err = held_read(h, &inner, tree_blocks(of.size == TREE_UNKNOWN ? TREE_SIZE_MAX : of.size));
    if (err)
        return err;
    *ret_of = of;
    *ret_generation = generation;
    return 0;
}
