/* Maps of blocks: what can be read is written the same, and is a set; a map file that is damaged is
 * none. The first two bytes make a right checksum, or leave it. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "seal/digest.h"
#include "share/held.h"

static void check(const struct held *h)
{
    assert(h->n <= HELD_RUNS_MAX && h->n <= h->cap + (h->n == 0));
    for (uint32_t i = 0; i < h->n; i++) {
        assert(h->all[i].from < h->all[i].to && (!i || h->all[i].from > h->all[i - 1].to));
        assert(held_missing(h, h->all[i].from) == h->all[i].to);
        assert(held_has(h, h->all[i].from) && !held_has(h, h->all[i].to));
    }
}

static void as_runs(const uint8_t *data, size_t len)
{
    struct held h = { 0 };
    struct reader r = reader_of(data, len);
    uint8_t *again = malloc(len + 1);
    struct writer w = writer_of(again, len);

    assert(again);
    if (!held_read(&h, &r, TREE_SIZE_MAX / TREE_BLOCK)) {
        check(&h);
        held_write(&h, &w);
        assert(!w.full && w.p == w.end && !memcmp(again, data, len));
    }
    held_fini(&h);
    free(again);
}

static void as_file(uint8_t *data, size_t len, bool mend)
{
    struct held h = { 0 };
    struct held_of of;
    uint64_t generation;
    uint8_t *again = malloc(HELD_FILE_MAX);

    assert(again);
    if (mend && len > TREE_HASH) {
        const struct seal_part parts[] = { { "roost held 1", 13 }, { data, len - TREE_HASH } };
        assert(!seal_sha256(data + len - TREE_HASH, parts, 2));
    }
    if (!held_unpack(&h, &of, &generation, data, len)) {
        check(&h);
        int n = held_pack(&h, &of, generation, again, HELD_FILE_MAX);
        assert(n > 0 && (size_t)n <= len && !memcmp(again, data, (size_t)n));
    }
    held_fini(&h);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    uint8_t *copy = malloc(len);
    assert(copy);
    memcpy(copy, data + 1, len - 1);
    if (data[0] & 1)
        as_file(copy, len - 1, data[0] & 2);
    else
        as_runs(copy, len - 1);
    free(copy);
    return 0;
}
