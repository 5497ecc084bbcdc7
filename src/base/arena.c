#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Most operations fit one small block; 512 keeps a queue of ten thousand at 5 MB. */
enum { BLOCK_BYTES = 512 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) uint8_t bytes[];
};

void arena_init(struct arena *a, size_t limit_bytes)
{
    *a = (struct arena){ .limit_bytes = limit_bytes };
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena){ 0 };
}

static struct arena_block *block_for(struct arena *a, size_t bytes)
{
    struct arena_block *b = a->head;

    if (b && b->size - b->used >= bytes)
        return b;

    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->used = 0;
    b->size = size;
    b->next = a->head;
    a->head = b;
    return b;
}

void *arena_get(struct arena *a, size_t bytes)
{
    const size_t align = alignof(max_align_t);

    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + align - 1) / align * align;
    if (a->limit_bytes && bytes > a->limit_bytes - a->used_bytes)
        return NULL;

    struct arena_block *b = block_for(a, bytes);
    if (!b)
        return NULL;
    void *p = b->bytes + b->used;
    b->used += bytes;
    a->used_bytes += bytes;
    return memset(p, 0, bytes);
}

void *arena_dup(struct arena *a, const void *bytes, size_t len)
{
    void *p = arena_get(a, len ? len : 1);

    if (p && len)
        memcpy(p, bytes, len);
    return p;
}

char *arena_str(struct arena *a, const char *s)
{
    return s ? arena_dup(a, s, strlen(s) + 1) : NULL;
}
