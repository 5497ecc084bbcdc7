#include "server/health.h"

bool health_is_fresh(const struct health *h, int64_t now_us)
{
    return h->known_us && now_us - h->known_us < HEALTH_FRESH_US;
}

bool health_wants_probe(struct health *h)
{
    bool first = !h->probing;

    h->probing = true;
    return first;
}

void health_on_probed(struct health *h, int err, int64_t now_us)
{
    *h = (struct health){ .err = err, .known_us = now_us };
}
