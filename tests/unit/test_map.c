#include "base/map.h"
#include "test.h"

#include <stdint.h>
#include <string.h>

static void numbers_come_and_go(void)
{
    struct map m;
    static char values[1000];

    map_init(&m, 7);
    for (uint64_t i = 0; i < 1000; i++)
        CHECK(map_put(&m, i * 8, &values[i]) == 0);
    CHECK(m.n == 1000);

    /* taking every other one must not hide those that probed past it */
    for (uint64_t i = 0; i < 1000; i += 2)
        CHECK(map_take(&m, i * 8) == &values[i]);
    for (uint64_t i = 0; i < 1000; i++)
        CHECK(map_get(&m, i * 8) == (i % 2 ? &values[i] : NULL));

    size_t at = 0, seen = 0;
    while (map_next(&m, &at))
        seen++;
    CHECK(seen == 500);
    map_fini(&m);
}

static void byte_keys_are_copied(void)
{
    struct map m;
    char key[] = "alpha", value = 0;

    map_init(&m, 7);
    CHECK(map_put_bytes(&m, key, strlen(key), &value) == 0);
    key[0] = 'x';
    CHECK(map_get_bytes(&m, "alpha", 5) == &value);
    CHECK(!map_get_bytes(&m, "xlpha", 5));
    CHECK(map_take_bytes(&m, "alpha", 5) == &value && m.n == 0);
    map_fini(&m);
}

TEST_MAIN({ "numbers_come_and_go", numbers_come_and_go },
          { "byte_keys_are_copied", byte_keys_are_copied })
