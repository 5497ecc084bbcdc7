#include "flow/spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { CAP_FIRST = 8 };

static uint32_t shared(uint32_t cap)
{
    return cap > SPANS_OWN ? cap - SPANS_OWN : 0;
}

void spans_fini(struct spans *s)
{
    free(s->all);
    if (s->budget)
        s->budget->left += shared(s->cap);
    *s = (struct spans){ .budget = s->budget };
}

static int resize(struct spans *s, uint32_t cap)
{
    struct spans_budget *b = s->budget;

    if (b && shared(cap) > b->left + shared(s->cap))
        return -ROOST_BUSY;
    struct span *all = realloc(s->all, cap * sizeof *all);
    if (!all)
        return -ROOST_NOMEM;
    if (b)
        b->left = b->left + shared(s->cap) - shared(cap);
    s->all = all;
    s->cap = cap;
    return 0;
}

static int fit(struct spans *s, uint32_t n)
{
    if (n > SPANS_MAX)
        return -ROOST_LIMIT;
    return n > s->cap ? resize(s, s->cap ? s->cap * 2 : CAP_FIRST) : 0;
}

/* One that cannot be made smaller now is as it was. */
static void give_back(struct spans *s)
{
    if (s->cap > CAP_FIRST && s->n <= s->cap / 4)
        (void)resize(s, s->cap / 2);
}

/* The first that ends at `at` or later. */
static uint32_t find(const struct spans *s, uint64_t at)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (s->all[middle].to < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Instead of `old` spans at i there are `fresh` ones, to be filled. */
static int make_room(struct spans *s, uint32_t i, uint32_t old, uint32_t fresh)
{
    uint32_t n = s->n - old + fresh;
    int err = fit(s, n);

    if (err)
        return err;
    if (s->all)
        memmove(s->all + i + fresh, s->all + i + old, (s->n - i - old) * sizeof *s->all);
    s->n = n;
    return 0;
}

int spans_reserve(struct spans *s, uint64_t from, uint64_t to)
{
    uint32_t i = find(s, from);
    bool joins = i < s->n && s->all[i].from <= to;

    return from >= to || joins ? 0 : fit(s, s->n + 1);
}

int spans_add(struct spans *s, uint64_t from, uint64_t to)
{
    uint32_t i = find(s, from), end = i;

    if (from >= to)
        return 0;
    for (; end < s->n && s->all[end].from <= to; end++) {
        from = s->all[end].from < from ? s->all[end].from : from;
        to = s->all[end].to > to ? s->all[end].to : to;
    }
    int err = make_room(s, i, end - i, 1);
    if (err)
        return err;
    s->all[i] = (struct span){ from, to };
    give_back(s);
    return 0;
}

int spans_remove(struct spans *s, uint64_t from, uint64_t to)
{
    uint32_t i = find(s, from + 1), end = i, n = 0;
    struct span left[2];

    if (from >= to)
        return 0;
    for (; end < s->n && s->all[end].from < to; end++) {
        if (s->all[end].from < from)
            left[n++] = (struct span){ s->all[end].from, from };
        if (s->all[end].to > to)
            left[n++] = (struct span){ to, s->all[end].to };
    }
    if (end == i)
        return 0;
    int err = make_room(s, i, end - i, n);
    if (err)
        return err;
    if (n)
        memcpy(s->all + i, left, n * sizeof *left);
    give_back(s);
    return 0;
}

bool spans_has(const struct spans *s, uint64_t from, uint64_t to)
{
    uint32_t i = find(s, from + 1);

    return from >= to || (i < s->n && s->all[i].from <= from && s->all[i].to >= to);
}
