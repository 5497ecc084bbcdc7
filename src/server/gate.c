#include "server/gate.h"

#include <stdlib.h>

struct gate *gate_new(void)
{
    struct gate *g = malloc(sizeof *g);

    if (g)
        atomic_init(&g->holders, 1);
    return g;
}

struct gate *gate_hold(struct gate *g)
{
    atomic_fetch_add(&g->holders, 1);
    return g;
}

void gate_drop(struct gate *g)
{
    if (g && atomic_fetch_sub(&g->holders, 1) == 1)
        free(g);
}

bool gate_is_shut(const struct gate *g)
{
    return atomic_load(&g->holders) > GATE_WORDS_MAX; /* one is the peer itself */
}
