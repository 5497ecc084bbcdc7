/* held.h - the map of a transfer: which blocks are verified and on the disk.
 *
 * Runs of blocks, in order, that neither touch nor overlap. What it says is never asked for again,
 * so it is packed, with a checksum and a generation, and written beside the part by turns into two
 * files: a torn write leaves the older one. Pure; owns its array, at most HELD_RUNS_MAX runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/tree.h"
#include "wire/cursor.h"

enum {
    HELD_RUNS_MAX = 4096,
    HELD_PACKED_MAX = HELD_RUNS_MAX * 8,   /* a run is two numbers of at most four bytes */
    HELD_FILE_MAX = HELD_PACKED_MAX + 160, /* head and checksum too */
};

struct run {
    uint64_t from, to; /* blocks; to: behind the last */
};

/* All zero is empty and ready. */
struct held {
    struct run *all;
    uint32_t n, cap;
};

void held_fini(struct held *h);
/* -ROOST_NOMEM; -ROOST_LIMIT: too many runs; nothing was changed then. */
int held_add(struct held *h, uint64_t from, uint64_t to);
int held_copy(struct held *h, const struct held *from); /* h is replaced, or unchanged */
bool held_has(const struct held *h, uint64_t block);
bool held_has_all(const struct held *h, uint64_t from, uint64_t to);
bool held_has_any(const struct held *h, uint64_t from, uint64_t to);
/* The first block from `from` on that is not held. */
uint64_t held_missing(const struct held *h, uint64_t from);
/* The first that is held; UINT64_MAX: none. */
uint64_t held_next(const struct held *h, uint64_t from);
uint64_t held_count(const struct held *h);

/* In messages: gap and length of each run, as vars. */
void held_write(const struct held *h, struct writer *w);
/* All that is left in r, of blocks below `blocks`. -ROOST_MALFORMED, -ROOST_LIMIT, -ROOST_NOMEM; h
 * as held_copy. */
int held_read(struct held *h, struct reader *r, uint64_t blocks);

/* What the blocks are blocks of: two of these are of one content if both know the root and it is
 * the same, or if one does not know it and size, time and list are the same. */
struct held_of {
    uint64_t size; /* TREE_UNKNOWN */
    int64_t mtime_ns;
    bool has_root;
    uint8_t list_root[TREE_HASH]; /* zeros: no list */
    uint8_t root[TREE_HASH];
};
bool held_of_same(const struct held_of *a, const struct held_of *b);

/* A file: generation, what of, runs, checksum. Returns its length; cap is HELD_FILE_MAX at least.
 * -ROOST_NOMEM. */
int held_pack(const struct held *h, const struct held_of *of, uint64_t generation, uint8_t *bytes,
              size_t cap);
/* -ROOST_MALFORMED: torn, or no such file; nothing was changed. */
int held_unpack(struct held *h, struct held_of *of, uint64_t *generation, const uint8_t *bytes,
                size_t len);
