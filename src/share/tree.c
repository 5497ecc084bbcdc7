#include "share/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "seal/digest.h"
#include "wire/cursor.h"

uint64_t tree_blocks(uint64_t size)
{
    return size / TREE_BLOCK + (size % TREE_BLOCK != 0);
}

uint32_t tree_pages(uint64_t size)
{
    return (uint32_t)((tree_blocks(size) + TREE_PAGE - 1) / TREE_PAGE);
}

uint32_t tree_block_len(uint64_t size, uint64_t block)
{
    if (size == TREE_UNKNOWN)
        return TREE_BLOCK;
    if (block >= tree_blocks(size))
        return 0;
    uint64_t left = size - block * TREE_BLOCK;
    return left < TREE_BLOCK ? (uint32_t)left : TREE_BLOCK;
}

uint32_t tree_page_len(uint64_t size, uint32_t page)
{
    uint64_t first = (uint64_t)page * TREE_PAGE;

    if (size == TREE_UNKNOWN)
        return TREE_PAGE;
    if (first >= tree_blocks(size))
        return 0;
    uint64_t left = tree_blocks(size) - first;
    return left < TREE_PAGE ? (uint32_t)left : TREE_PAGE;
}

/* Label with its zero byte, the two numbers, the bytes. */
static int hash_of(uint8_t ret[TREE_HASH], const char label[13], uint64_t a, uint32_t b,
                   const void *bytes, size_t len)
{
    uint8_t numbers[12];
    struct writer w = writer_of(numbers, sizeof numbers);

    write_number(&w, a, 8);
    write_number(&w, b, 4);
    const struct seal_part parts[] = { { label, 13 }, { numbers, sizeof numbers }, { bytes, len } };
    return seal_sha256(ret, parts, 3);
}

int tree_leaf(uint8_t ret[static TREE_HASH], uint64_t block, const void *bytes, uint32_t len)
{
    return hash_of(ret, "roost leaf 1", block, len, bytes, len);
}

int tree_page(uint8_t ret[static TREE_HASH], uint32_t page, const uint8_t *leaves, uint32_t n)
{
    return hash_of(ret, "roost page 1", page, n, leaves, (size_t)n * TREE_HASH);
}

int tree_root(uint8_t ret[static TREE_HASH], uint64_t size, const uint8_t *pages, uint32_t n)
{
    return hash_of(ret, "roost root 1", size, n, pages, (size_t)n * TREE_HASH);
}

/* --- gathering ------------------------------------------------------------------------ */

void gather_fini(struct gather *g)
{
    for (int i = 0; i < TREE_OPEN; i++)
        free(g->open[i]);
    free(g->pages);
    free(g->known);
    *g = (struct gather){ 0 };
}

/* Room for this page's hash. */
static int reach(struct gather *g, uint32_t page)
{
    uint32_t cap = g->cap ? g->cap : 64;

    if (page >= TREE_PAGES_MAX)
        return -ROOST_LIMIT;
    if (page < g->cap)
        return 0;
    while (cap <= page)
        cap *= 2;
    uint8_t *pages = realloc(g->pages, (size_t)cap * TREE_HASH);
    if (!pages)
        return -ROOST_NOMEM;
    g->pages = pages;
    uint8_t *known = realloc(g->known, cap / 8);
    if (!known)
        return -ROOST_NOMEM;
    memset(known + g->cap / 8, 0, (cap - g->cap) / 8);
    g->known = known;
    g->cap = cap;
    return 0;
}

static struct gather_page *find(const struct gather *g, uint32_t page)
{
    for (int i = 0; i < TREE_OPEN; i++)
        if (g->open[i] && g->open[i]->n && g->open[i]->page == page)
            return g->open[i];
    return NULL;
}

/* An open page for it: it, an empty one, or the one that was not used for longest. */
static struct gather_page *open_page(struct gather *g, uint32_t page)
{
    struct gather_page *p = find(g, page);
    int at = 0;

    if (p)
        return p;
    for (int i = 0; i < TREE_OPEN; i++) {
        struct gather_page *o = g->open[i], *best = g->open[at];
        if (!o || (best && (!o->n || (best->n && o->used < best->used))))
            at = i;
        if (!o)
            break;
    }
    if (!g->open[at])
        g->open[at] = malloc(sizeof *g->open[at]);
    p = g->open[at];
    if (!p)
        return NULL;
    p->page = page;
    p->n = 0;
    memset(p->has, 0, sizeof p->has);
    return p;
}

static int close_page(struct gather *g, uint32_t page, const uint8_t *leaves, uint32_t n)
{
    int err = reach(g, page);

    if (!err)
        err = tree_page(g->pages + (size_t)page * TREE_HASH, page, leaves, n);
    if (!err)
        g->known[page / 8] |= (uint8_t)(1 << page % 8);
    return err;
}

static int close_if_full(struct gather *g, struct gather_page *p, uint64_t size)
{
    if (!p->n || p->n < tree_page_len(size, p->page))
        return 0;
    int err = close_page(g, p->page, p->leaves[0], p->n);
    if (!err)
        p->n = 0;
    return err;
}

int gather_leaf(struct gather *g, uint64_t size, uint64_t block,
                const uint8_t leaf[static TREE_HASH])
{
    uint32_t page = (uint32_t)(block / TREE_PAGE), i = (uint32_t)(block % TREE_PAGE);

    if (block >= TREE_SIZE_MAX / TREE_BLOCK)
        return -ROOST_LIMIT;
    if (gather_knows(g, page))
        return 0;
    struct gather_page *p = open_page(g, page);
    if (!p)
        return -ROOST_NOMEM;
    p->used = ++g->clock;
    if (p->has[i / 8] >> i % 8 & 1)
        return memcmp(p->leaves[i], leaf, TREE_HASH) ? -ROOST_SOURCE_CHANGED : 0;
    memcpy(p->leaves[i], leaf, TREE_HASH);
    p->has[i / 8] |= (uint8_t)(1 << i % 8);
    p->n++;
    return close_if_full(g, p, size);
}

int gather_page(struct gather *g, uint32_t page, const uint8_t *leaves, uint32_t n)
{
    struct gather_page *p = find(g, page);

    if (gather_knows(g, page))
        return 0;
    for (uint32_t i = 0; p && i < n; i++)
        if (p->has[i / 8] >> i % 8 & 1 &&
            memcmp(p->leaves[i], leaves + (size_t)i * TREE_HASH, TREE_HASH) != 0)
            return -ROOST_SOURCE_CHANGED;
    int err = close_page(g, page, leaves, n);
    if (!err && p)
        p->n = 0;
    return err;
}

int gather_put(struct gather *g, uint32_t page, const uint8_t hash[static TREE_HASH])
{
    int err = reach(g, page);

    if (err)
        return err;
    memcpy(g->pages + (size_t)page * TREE_HASH, hash, TREE_HASH);
    g->known[page / 8] |= (uint8_t)(1 << page % 8);
    return 0;
}

int gather_size(struct gather *g, uint64_t size)
{
    int err = 0;

    for (int i = 0; !err && i < TREE_OPEN; i++)
        if (g->open[i])
            err = close_if_full(g, g->open[i], size);
    return err;
}

bool gather_knows(const struct gather *g, uint32_t page)
{
    return page < g->cap && g->known[page / 8] >> page % 8 & 1;
}

const uint8_t *gather_hash(const struct gather *g, uint32_t page)
{
    return gather_knows(g, page) ? g->pages + (size_t)page * TREE_HASH : NULL;
}

bool gather_missing(const struct gather *g, uint64_t size, uint32_t *page)
{
    for (uint32_t n = tree_pages(size); *page < n; ++*page)
        if (!gather_knows(g, *page))
            return true;
    return false;
}

int gather_root(const struct gather *g, uint64_t size, uint8_t ret[static TREE_HASH])
{
    return tree_root(ret, size, g->pages, tree_pages(size));
}

/* --- what was told --------------------------------------------------------------------- */

void told_fini(struct told *t)
{
    for (int i = 0; i < TREE_OPEN; i++)
        free(t->open[i]);
    *t = (struct told){ 0 };
}

void told_forget(struct told *t)
{
    for (int i = 0; i < TREE_OPEN; i++)
        if (t->open[i])
            t->open[i]->n = 0;
    t->next = 0;
}

int told_put(struct told *t, uint32_t page, const uint8_t *leaves, uint32_t n)
{
    struct told_page *p = t->open[t->next];

    if (!p)
        p = t->open[t->next] = malloc(sizeof *p);
    if (!p)
        return -ROOST_NOMEM;
    p->page = page;
    p->n = n;
    memcpy(p->leaves, leaves, (size_t)n * TREE_HASH);
    t->next = (t->next + 1) % TREE_OPEN;
    return 0;
}

static const struct told_page *told_find(const struct told *t, uint32_t page)
{
    for (int i = 0; i < TREE_OPEN; i++)
        if (t->open[i] && t->open[i]->n && t->open[i]->page == page)
            return t->open[i];
    return NULL;
}

bool told_has(const struct told *t, uint32_t page)
{
    return told_find(t, page);
}

const uint8_t *told_leaf(const struct told *t, uint64_t block)
{
    const struct told_page *p = told_find(t, (uint32_t)(block / TREE_PAGE));

    return p && block % TREE_PAGE < p->n ? p->leaves[block % TREE_PAGE] : NULL;
}
