/* tree.h - the hash tree by which a transfer is verified, block by block.
 *
 * A body is cut into blocks of 64 KiB. A leaf is the SHA-256 of a block, with its index and length;
 * a page is the hash of up to 1,024 leaves; the root that of the size and all pages:
 *
 *     leaf = H("roost leaf 1" 0, index 8, length 4, bytes)
 *     page = H("roost page 1" 0, page 8, count 4, leaves)
 *     root = H("roost root 1" 0, size 8, count 4, pages)
 *
 * So who knows the root needs 10 KB of page hashes for 20 GB and then 32 KB of leaves at a time.
 * SHA-256 because processors have instructions for it: 1.7 GB/s on the machine that this was
 * measured on, where BLAKE2b did 0.65 (libsodium) and 1.0 (OpenSSL).
 *
 * Pure, no state but `struct gather`. Errors: 0 or -ROOST_NOMEM if nothing else is said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TREE_HASH = 32,
    TREE_BLOCK = 65536,
    TREE_PAGE = 1024, /* leaves */
    TREE_OPEN = 4,    /* pages whose leaves are at hand at once */
};
#define TREE_SIZE_MAX  (1ULL << 40) /* 512 KiB of page hashes */
#define TREE_UNKNOWN   UINT64_MAX   /* a size that only the end will tell */
#define TREE_PAGES_MAX ((uint32_t)(TREE_SIZE_MAX / TREE_BLOCK / TREE_PAGE))

uint64_t tree_blocks(uint64_t size);
uint32_t tree_pages(uint64_t size);
/* Bytes of this block; 0 past the end. TREE_BLOCK for an unknown size. */
uint32_t tree_block_len(uint64_t size, uint64_t block);
/* Leaves of this page; 0 past the end. */
uint32_t tree_page_len(uint64_t size, uint32_t page);

int tree_leaf(uint8_t ret[static TREE_HASH], uint64_t block, const void *bytes, uint32_t len);
int tree_page(uint8_t ret[static TREE_HASH], uint32_t page, const uint8_t *leaves, uint32_t n);
int tree_root(uint8_t ret[static TREE_HASH], uint64_t size, const uint8_t *pages, uint32_t n);

/* --- a tree that grows out of leaves, in any order: at most TREE_OPEN pages are open at once.
 * Leaves of a page that had to make room are forgotten: the page is to be read again
 * (gather_missing). All zero is empty and ready. --- */

struct gather_page {
    uint32_t page, n; /* leaves that are there; 0: nothing is open here */
    uint64_t used;    /* when, to find the one that makes room */
    uint8_t has[TREE_PAGE / 8];
    uint8_t leaves[TREE_PAGE][TREE_HASH];
};

struct gather {
    struct gather_page *open[TREE_OPEN];
    uint8_t *pages; /* hashes */
    uint8_t *known; /* bits: this page's hash is there */
    uint32_t cap;   /* pages that there is room for */
    uint64_t clock;
};

void gather_fini(struct gather *g);
/* The size may be unknown: then a page is complete at 1,024 leaves. -ROOST_NOMEM, -ROOST_LIMIT
 * (past TREE_SIZE_MAX), -ROOST_SOURCE_CHANGED: another leaf was told of this block before. */
int gather_leaf(struct gather *g, uint64_t size, uint64_t block,
                const uint8_t leaf[static TREE_HASH]);
/* All leaves of a page at once. */
int gather_page(struct gather *g, uint32_t page, const uint8_t *leaves, uint32_t n);
/* A hash that is known from elsewhere. */
int gather_put(struct gather *g, uint32_t page, const uint8_t hash[static TREE_HASH]);
/* The size became known: the last page may be complete now. */
int gather_size(struct gather *g, uint64_t size);
bool gather_knows(const struct gather *g, uint32_t page);
const uint8_t *gather_hash(const struct gather *g, uint32_t page); /* NULL: not known */
/* A page that has to be read, from `page` on; false: all are known. */
bool gather_missing(const struct gather *g, uint64_t size, uint32_t *page);
/* When no page is missing. */
int gather_root(const struct gather *g, uint64_t size, uint8_t ret[static TREE_HASH]);

/* --- leaves that were told: of the last TREE_OPEN pages. All zero is empty and ready. --- */

struct told_page {
    uint32_t page, n; /* n 0: none */
    uint8_t leaves[TREE_PAGE][TREE_HASH];
};

struct told {
    struct told_page *open[TREE_OPEN];
    uint32_t next; /* the one that makes room */
};

void told_fini(struct told *t);
void told_forget(struct told *t);
int told_put(struct told *t, uint32_t page, const uint8_t *leaves, uint32_t n);
bool told_has(const struct told *t, uint32_t page);
/* The leaf of a block; NULL: its page is not among them. */
const uint8_t *told_leaf(const struct told *t, uint64_t block);
