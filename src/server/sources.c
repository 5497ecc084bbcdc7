#include "server/sources.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"

struct count {
    uint32_t n;
};

void sources_init(struct sources *s, uint64_t seed)
{
    map_init(&s->counts, seed);
}

void sources_fini(struct sources *s)
{
    struct map_slot *slot;

    for (size_t i = 0; (slot = map_next(&s->counts, &i));)
        free(slot->value);
    map_fini(&s->counts);
}

int sources_add(struct sources *s, uint64_t source)
{
    struct count *c = map_get(&s->counts, source);

    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c || map_put(&s->counts, source, c)) {
            free(c);
            return -ROOST_NOMEM;
        }
    }
    c->n++;
    return 0;
}

void sources_remove(struct sources *s, uint64_t source)
{
    struct count *c = map_get(&s->counts, source);

    assert(c && c->n && "only what was added is removed");
    if (--c->n == 0)
        free(map_take(&s->counts, source));
}

uint32_t sources_count(const struct sources *s, uint64_t source)
{
    const struct count *c = map_get(&s->counts, source);

    return c ? c->n : 0;
}

uint64_t sources_most(const struct sources *s)
{
    const struct map_slot *slot;
    uint64_t most = 0;
    uint32_t n = 0;

    for (size_t i = 0; (slot = map_next(&s->counts, &i));) {
        const struct count *c = slot->value;
        if (c->n > n) {
            n = c->n;
            most = slot->key;
        }
    }
    return most;
}
