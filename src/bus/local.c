#include "bus/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"

struct waiting {
    struct shard to;
    struct blob *bytes;
};

struct local {
    struct bus bus;
    struct map subscribed;
    struct waiting *ring; /* the oldest is at first; cap is 0 or a power of two */
    size_t cap, first, n;
};

static struct local *local_of(struct bus *b)
{
    return (struct local *)b;
}

/* Ids are counted up from 1: the four highest bits are free. */
static uint64_t key_of(struct shard s)
{
    return (uint64_t)s.kind << 60 ^ s.id;
}

static int grow(struct local *l)
{
    size_t cap = l->cap ? l->cap * 2 : 16;

    if (l->n == BUS_QUEUE_MAX)
        return -ROOST_LIMIT;
    struct waiting *ring = malloc(cap * sizeof *ring);
    if (!ring)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < l->n; i++)
        ring[i] = l->ring[(l->first + i) & (l->cap - 1)];
    free(l->ring);
    l->ring = ring;
    l->cap = cap;
    l->first = 0;
    return 0;
}

static int local_publish(struct bus *b, struct shard to, struct blob *bytes)
{
    struct local *l = local_of(b);

    if (!map_get(&l->subscribed, key_of(to)))
        return 0;
    if (l->n == l->cap) {
        int err = grow(l);
        if (err)
            return err;
    }
    l->ring[(l->first + l->n++) & (l->cap - 1)] = (struct waiting){ to, blob_ref(bytes) };
    return 0;
}

static int local_subscribe(struct bus *b, struct shard to)
{
    struct local *l = local_of(b);

    return map_put(&l->subscribed, key_of(to), l); /* any pointer: the map is a set here */
}

static void local_unsubscribe(struct bus *b, struct shard to)
{
    map_take(&local_of(b)->subscribed, key_of(to));
}

static bool local_next(struct bus *b, struct shard *ret_to, struct blob **ret_bytes)
{
    struct local *l = local_of(b);

    while (l->n) {
        struct waiting w = l->ring[l->first];
        l->first = (l->first + 1) & (l->cap - 1);
        l->n--;
        if (map_get(&l->subscribed, key_of(w.to))) {
            *ret_to = w.to;
            *ret_bytes = w.bytes;
            return true;
        }
        blob_unref(w.bytes);
    }
    return false;
}

static void local_free(struct bus *b)
{
    struct local *l = local_of(b);

    if (!b)
        return;
    for (size_t i = 0; i < l->n; i++)
        blob_unref(l->ring[(l->first + i) & (l->cap - 1)].bytes);
    free(l->ring);
    map_fini(&l->subscribed);
    free(l);
}

static const struct bus_ops local_ops = {
    .publish = local_publish,
    .subscribe = local_subscribe,
    .unsubscribe = local_unsubscribe,
    .next = local_next,
    .free = local_free,
};

struct bus *bus_local_new(void)
{
    struct local *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->bus.ops = &local_ops;
    map_init(&l->subscribed, 0); /* its keys are numbers that we gave out */
    return &l->bus;
}
