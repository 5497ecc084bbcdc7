#include "server/peers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "server/peer.h"

enum {
    SLOT_BITS = 24, /* of a peer's number; the rest counts up */
    SLOTS_FIRST = 64,
};

/* --- lists --------------------------------------------------------------------------- */

void peers_add(struct peers_list *l, enum peers_kind kind, struct peer *p)
{
    struct peer *prev = l->last;

    p->links[kind].prev = prev;
    *(prev ? &prev->links[kind].next : &l->first) = p;
    l->last = p;
    l->n++;
}

void peers_remove(struct peers_list *l, enum peers_kind kind, struct peer *p)
{
    struct peer *next = p->links[kind].next, *prev = p->links[kind].prev;

    *(prev ? &prev->links[kind].next : &l->first) = next;
    *(next ? &next->links[kind].prev : &l->last) = prev;
    p->links[kind] = (struct peers_link){ 0 };
    l->n--;
}

/* --- the table ------------------------------------------------------------------------- */

static uint32_t slot_of(uint64_t number)
{
    return (uint32_t)number & ((1u << SLOT_BITS) - 1);
}

void peers_init(struct peers *t)
{
    *t = (struct peers){ .next_number = 1 };
}

void peers_fini(struct peers *t)
{
    free(t->slots);
    free(t->unused);
    *t = (struct peers){ 0 };
}

static int grow(struct peers *t)
{
    uint32_t n = t->n_slots ? t->n_slots * 2 : SLOTS_FIRST;
    struct peer **slots = n < 1u << SLOT_BITS ? realloc(t->slots, n * sizeof *slots) : NULL;

    if (!slots)
        return -ROOST_NOMEM;
    t->slots = slots;
    uint32_t *unused = realloc(t->unused, n * sizeof *unused);
    if (!unused)
        return -ROOST_NOMEM;
    t->unused = unused;
    for (uint32_t i = n; i > t->n_slots; i--) {
        slots[i - 1] = NULL;
        unused[t->n_unused++] = i - 1;
    }
    t->n_slots = n;
    return 0;
}

int peers_reserve(struct peers *t)
{
    return t->n_unused ? 0 : grow(t);
}

uint64_t peers_number(struct peers *t)
{
    return t->next_number++ << SLOT_BITS | t->unused[t->n_unused - 1];
}

void peers_put(struct peers *t, struct peer *p)
{
    uint32_t slot = slot_of(p->number);

    assert(t->n_unused && t->unused[t->n_unused - 1] == slot);
    t->n_unused--;
    t->slots[slot] = p;
    t->n++;
}

bool peers_drop(struct peers *t, struct peer *p)
{
    uint32_t slot = slot_of(p->number);

    if (t->slots[slot] != p)
        return false;
    t->slots[slot] = NULL;
    t->unused[t->n_unused++] = slot;
    t->n--;
    return true;
}

struct peer *peers_find(const struct peers *t, uint64_t number)
{
    uint32_t slot = slot_of(number);
    struct peer *p = slot < t->n_slots ? t->slots[slot] : NULL;

    return p && p->number == number ? p : NULL;
}

void peers_each(const struct peers *t, void (*fn)(struct peer *))
{
    for (uint32_t i = 0; i < t->n_slots; i++)
        if (t->slots[i])
            fn(t->slots[i]);
}
