#include "server/passage.h"

#include <stdlib.h>

#include "base/err.h"

int passage_init(struct passage *p, uint32_t cap)
{
    atomic_init(&p->head, 0);
    atomic_init(&p->tail, 0);
    p->cap = cap;
    p->slots = calloc(cap, sizeof *p->slots);
    return p->slots ? 0 : -ROOST_NOMEM;
}

void passage_fini(struct passage *p)
{
    free(p->slots);
    p->slots = NULL;
}

bool passage_put(struct passage *p, void *thing)
{
    uint32_t head = atomic_load_explicit(&p->head, memory_order_relaxed);

    if (head - atomic_load_explicit(&p->tail, memory_order_acquire) == p->cap)
        return false;
    p->slots[head & (p->cap - 1)] = thing;
    atomic_store_explicit(&p->head, head + 1, memory_order_release);
    return true;
}

void *passage_take(struct passage *p)
{
    uint32_t tail = atomic_load_explicit(&p->tail, memory_order_relaxed);

    if (tail == atomic_load_explicit(&p->head, memory_order_acquire))
        return NULL;
    void *thing = p->slots[tail & (p->cap - 1)];
    atomic_store_explicit(&p->tail, tail + 1, memory_order_release);
    return thing;
}
