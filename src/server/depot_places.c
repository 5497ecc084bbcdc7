#include "server/depot_places.h"

#include <assert.h>

#include "base/err.h"

int places_init(struct places *p, uint32_t most, uint32_t most_account, uint64_t seed)
{
    *p = (struct places){ .most = most, .most_account = most_account };
    map_init(&p->counts, seed);
    return uv_mutex_init(&p->lock) ? -ROOST_NOMEM : 0;
}

void places_fini(struct places *p)
{
    map_fini(&p->counts);
    uv_mutex_destroy(&p->lock);
}

/* The map's pointers are numbers: an account that has none is not in it. */
static uintptr_t count_of(const struct places *p, uint64_t account)
{
    return (uintptr_t)map_get(&p->counts, account);
}

/* A number that is there is replaced, which needs no memory. */
static int count_put(struct places *p, uint64_t account, uintptr_t n)
{
    /* the map is of numbers. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return map_put(&p->counts, account, (void *)n);
}

static void drop(struct places *p, struct place *place)
{
    uintptr_t n = count_of(p, place->account);

    assert(n && p->n && "a place that was taken is left, once");
    if (n > 1)
        count_put(p, place->account, n - 1);
    else
        map_take(&p->counts, place->account);
    p->n--;
    *(place->prev ? &place->prev->next : &p->first) = place->next;
    if (place->next)
        place->next->prev = place->prev;
    place->prev = place->next = NULL;
}

/* The longest unused one, of account or (0) of all, goes. */
static bool make_room(struct places *p, uint64_t account, int64_t now_us)
{
    struct place *oldest = NULL;

    for (struct place *i = p->first; i; i = i->next)
        if ((!account || i->account == account) && (!oldest || i->used_us < oldest->used_us))
            oldest = i;
    if (!oldest || now_us - oldest->used_us < PLACE_IDLE_US)
        return false;
    drop(p, oldest);
    oldest->lost = true;
    return true;
}

static int take(struct places *p, struct place *place, int64_t now_us)
{
    uint64_t account = place->account;

    if (count_of(p, account) >= p->most_account && !make_room(p, account, now_us))
        return -ROOST_TRANSFERS_OWN;
    if (p->n >= p->most && !make_room(p, 0, now_us))
        return -ROOST_TRANSFERS;
    int err = count_put(p, account, count_of(p, account) + 1);
    if (err)
        return err;
    p->n++;
    place->next = p->first;
    if (p->first)
        p->first->prev = place;
    p->first = place;
    place->used_us = now_us;
    place->taken = true;
    return 0;
}

int places_take(struct places *p, struct place *place, int64_t now_us)
{
    uv_mutex_lock(&p->lock);
    int err = take(p, place, now_us);
    uv_mutex_unlock(&p->lock);
    return err;
}

void places_leave(struct places *p, struct place *place)
{
    if (!place->taken)
        return;
    uv_mutex_lock(&p->lock);
    if (!place->lost)
        drop(p, place);
    uv_mutex_unlock(&p->lock);
    place->taken = false;
}

bool place_use(struct place *place, int64_t now_us)
{
    place->used_us = now_us;
    return !place->lost;
}
