#include "nat.h"

#include <string.h>

static bool same_place(const struct path_address *a, const struct path_address *b)
{
    return a->len == b->len && !memcmp(a->ip, b->ip, a->len);
}

void nat_init(struct nat *n, enum nat_kind kind, bool hairpin, const struct path_address *outside)
{
    *n = (struct nat){ .kind = kind, .hairpin = hairpin, .outside = *outside, .next_port = 20000 };
}

void nat_forget(struct nat *n)
{
    n->n = n->at = 0;
    n->next_port += 1000;
}

static const struct nat_hole *hole_of(const struct nat *n, const struct path_address *inside,
                                      const struct path_address *to)
{
    for (unsigned i = 0; i < n->n; i++)
        if (path_same(&n->holes[i].inside, inside) && (!to || path_same(&n->holes[i].to, to)))
            return &n->holes[i];
    return NULL;
}

struct path_address nat_out(struct nat *n, const struct path_address *inside,
                            const struct path_address *to)
{
    struct path_address ret = n->outside;
    const struct nat_hole *exact = hole_of(n, inside, to),
                          *any = n->kind == NAT_SYMMETRIC ? exact : hole_of(n, inside, NULL);

    if (n->kind == NAT_NONE)
        return *inside;
    ret.port = any ? any->port : n->next_port++;
    if (exact)
        return ret;
    unsigned at = n->n < NAT_HOLES_MAX ? n->n++ : n->at++ % NAT_HOLES_MAX;
    n->holes[at] = (struct nat_hole){ *inside, *to, ret.port };
    return ret;
}

static bool lets_in(const struct nat *n, const struct nat_hole *h, const struct path_address *from)
{
    switch (n->kind) {
    case NAT_NONE:
    case NAT_FULL:
        return true;
    case NAT_ADDRESS:
        return same_place(&h->to, from);
    default:
        return path_same(&h->to, from);
    }
}

bool nat_in(const struct nat *n, const struct path_address *from, const struct path_address *to,
            struct path_address *ret_inside)
{
    if (!same_place(to, &n->outside))
        return false;
    for (unsigned i = 0; i < n->n; i++)
        if (n->holes[i].port == to->port && lets_in(n, &n->holes[i], from)) {
            *ret_inside = n->holes[i].inside;
            return true;
        }
    return false;
}
