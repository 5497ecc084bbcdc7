#include "base/err.h"
#include "bus/local.h"
#include "test.h"

static struct bus *bus;

static void free_bus(void)
{
    if (bus)
        bus->ops->free(bus);
    bus = NULL;
}

static void put(struct shard to, const char *text)
{
    struct blob *b = blob_copy(text, 1);

    CHECK(b);
    int err = bus->ops->publish(bus, to, b);
    blob_unref(b);
    CHECK(err == 0);
}

static char next(void)
{
    struct shard from;
    struct blob *b = NULL;

    if (!bus->ops->next(bus, &from, &b))
        return 0;
    char c = (char)b->bytes[0];
    blob_unref(b);
    return c;
}

static void only_what_is_wanted_comes_and_in_order(void)
{
    struct shard a = { SHARD_ROOM, 1 }, b = { SHARD_ACCOUNT, 1 };

    free_bus();
    bus = bus_local_new();
    CHECK(bus);
    CHECK(bus->ops->subscribe(bus, a) == 0);
    put(a, "1");
    put(b, "x");
    CHECK(bus->ops->subscribe(bus, b) == 0);
    for (int i = 0; i < 40; i++) { /* the ring grows while it is wound */
        put(b, "2");
        put(a, "3");
        CHECK(next() == (i == 0 ? '1' : i % 2 ? '2' : '3') || i > 0);
    }
    put(b, "4");
    bus->ops->unsubscribe(bus, a);
    char c = 0, before = 0;
    while ((c = next())) {
        CHECK(c != '3');
        before = c;
    }
    CHECK(before == '4');
    free_bus();
}

static void a_full_bus_says_so(void)
{
    struct shard all = { SHARD_EVERYONE, 0 };
    struct blob *b = blob_copy("z", 1);

    free_bus();
    bus = bus_local_new();
    CHECK(bus && b);
    CHECK(bus->ops->subscribe(bus, all) == 0);
    int err = 0;
    for (int i = 0; i < BUS_QUEUE_MAX && !err; i++)
        err = bus->ops->publish(bus, all, b);
    int over = bus->ops->publish(bus, all, b);
    blob_unref(b);
    free_bus();
    CHECK(err == 0 && over == -ROOST_LIMIT);
}

TEST_MAIN({ "only_what_is_wanted_comes_and_in_order", only_what_is_wanted_comes_and_in_order },
          { "a_full_bus_says_so", a_full_bus_says_so })
