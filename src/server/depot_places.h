/* depot_places.h - how many files travel at the same time: to and from everybody, and to and from
 * one account.
 *
 * Workers, and the loop for HTTPS, open parcels on several threads; one count is what holds for all
 * of them. A place belongs to what was opened, and goes with it, however that ends. A program that
 * was killed is noticed late: so when all are taken, one that has not been used for PLACE_IDLE_US
 * goes to who asks, and whose it was hears so when it is used again. Any thread; the lock is held
 * for a look into a map or, when all are taken, along the list.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "base/map.h"

#define PLACE_IDLE_US (10 * 1000000LL)

struct place {
    uint64_t account;
    _Atomic int64_t used_us;
    _Atomic bool lost; /* somebody else has it */
    struct place *prev, *next;
    bool taken; /* who has it says so */
};

struct places {
    uv_mutex_t lock;
    struct map counts; /* by account */
    struct place *first;
    uint32_t n, most, most_account;
};

int places_init(struct places *p, uint32_t most, uint32_t most_account, uint64_t seed);
void places_fini(struct places *p);

/* 0, -ROOST_TRANSFERS, -ROOST_TRANSFERS_OWN or -ROOST_NOMEM. `place` is zeroed but for its account,
 * and stays where it is until it is left. */
int places_take(struct places *p, struct place *place, int64_t now_us);
void places_leave(struct places *p, struct place *place); /* also one that was not taken */
/* False: it is lost. */
bool place_use(struct place *place, int64_t now_us);
