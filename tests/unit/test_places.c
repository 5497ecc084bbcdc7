/* Stories about places of files that travel, in a time of their own. */
#include "test.h"

#include "base/err.h"
#include "server/depot_places.h"

static void places_of_all_and_of_one(void)
{
    struct places p;
    struct place a[3] = { { .account = 1 }, { .account = 1 }, { .account = 1 } };
    struct place b[3] = { { .account = 2 }, { .account = 3 }, { .account = 4 } };
    int64_t now = 1000;

    CHECK(!places_init(&p, 4, 2, 5));
    CHECK(!places_take(&p, &a[0], now) && !places_take(&p, &a[1], now));
    CHECK(places_take(&p, &a[2], now) == -ROOST_TRANSFERS_OWN);
    CHECK(!places_take(&p, &b[0], now) && !places_take(&p, &b[1], now));
    CHECK(places_take(&p, &b[2], now) == -ROOST_TRANSFERS);
    places_leave(&p, &a[2]); /* was not taken */
    places_leave(&p, &a[0]);
    places_leave(&p, &a[0]);
    CHECK(!places_take(&p, &b[2], now) && p.n == 4);
    places_fini(&p);
}

/* The idle one of one's own account goes first; who lost it hears so; who moves keeps it. */
static void an_idle_place_goes_to_who_asks(void)
{
    struct places p;
    struct place a[3] = { { .account = 1 }, { .account = 1 }, { .account = 1 } };
    struct place b = { .account = 2 }, c = { .account = 3 };

    CHECK(!places_init(&p, 3, 2, 5));
    CHECK(!places_take(&p, &a[0], 0) && !places_take(&p, &a[1], 0) && !places_take(&p, &b, 0));
    int64_t now = PLACE_IDLE_US - 1;
    CHECK(places_take(&p, &a[2], now) == -ROOST_TRANSFERS_OWN);
    CHECK(place_use(&a[0], now));
    now = PLACE_IDLE_US;
    CHECK(!places_take(&p, &a[2], now));
    CHECK(a[1].lost && !place_use(&a[1], now) && place_use(&a[0], now));
    CHECK(!places_take(&p, &c, now)); /* of all: b is the idle one */
    CHECK(b.lost && p.n == 3);
    places_leave(&p, &b);
    places_leave(&p, &a[1]);
    CHECK(p.n == 3);
    places_leave(&p, &a[0]);
    places_leave(&p, &a[2]);
    places_leave(&p, &c);
    CHECK(p.n == 0 && !p.first && !p.counts.n);
    places_fini(&p);
}

TEST_MAIN({ "places_of_all_and_of_one", places_of_all_and_of_one },
          { "an_idle_place_goes_to_who_asks", an_idle_place_goes_to_who_asks })
