#include "server/due.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"

enum { CAP_FIRST = 64 };

void dues_fini(struct dues *d)
{
    free(d->heap);
    *d = (struct dues){ 0 };
}

int dues_reserve(struct dues *d)
{
    size_t cap = d->cap ? d->cap * 2 : CAP_FIRST;

    if (d->n < d->cap)
        return 0;
    struct due **heap = realloc(d->heap, cap * sizeof *heap);
    if (!heap)
        return -ROOST_NOMEM;
    d->heap = heap;
    d->cap = cap;
    return 0;
}

static void place(struct dues *d, struct due *x, size_t at)
{
    d->heap[at] = x;
    x->place = at + 1;
}

static void rise(struct dues *d, struct due *x, size_t at)
{
    while (at && x->at_us < d->heap[(at - 1) / 2]->at_us) {
        place(d, d->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(d, x, at);
}

static void sink(struct dues *d, struct due *x, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < d->n; at = child) {
        if (child + 1 < d->n && d->heap[child + 1]->at_us < d->heap[child]->at_us)
            child++;
        if (x->at_us <= d->heap[child]->at_us)
            break;
        place(d, d->heap[child], at);
    }
    place(d, x, at);
}

void dues_set(struct dues *d, struct due *x, int64_t at_us)
{
    bool sooner = !x->place || at_us < x->at_us;

    assert((x->place || d->n < d->cap) && "dues_reserve came before");
    x->at_us = at_us;
    if (!x->place)
        rise(d, x, d->n++);
    else if (sooner)
        rise(d, x, x->place - 1);
    else
        sink(d, x, x->place - 1);
}

void dues_remove(struct dues *d, struct due *x)
{
    if (!x->place)
        return;
    size_t at = x->place - 1;
    struct due *last = d->heap[--d->n];
    x->place = 0;
    if (last == x)
        return;
    if (at && last->at_us < d->heap[(at - 1) / 2]->at_us)
        rise(d, last, at);
    else
        sink(d, last, at);
}

struct due *dues_first(const struct dues *d)
{
    return d->n ? d->heap[0] : NULL;
}
