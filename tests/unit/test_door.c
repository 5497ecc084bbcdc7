/* test_door.c - what a player may ask for. */
#include "cli/door.h"
#include "test.h"

static bool gives(const char *range, uint64_t size, uint64_t from, uint64_t to)
{
    uint64_t a = 77, b = 77;

    return door_range(range, size, &a, &b) && a == from && b == to;
}

static bool refuses(const char *range, uint64_t size)
{
    uint64_t a = 77, b = 77;

    return !door_range(range, size, &a, &b) && a == 77 && b == 77;
}

static void ranges(void)
{
    CHECK(gives(NULL, 100, 0, 100) && gives(NULL, 0, 0, 0));
    CHECK(gives("bytes=0-", 100, 0, 100) && gives("bytes=90-", 100, 90, 100));
    CHECK(gives("bytes=10-19", 100, 10, 20) && gives("bytes=99-99", 100, 99, 100));
    CHECK(gives("bytes=10-5000", 100, 10, 100) && gives("bytes=-10", 100, 90, 100));
    CHECK(gives("bytes=-5000", 100, 0, 100) && gives("Bytes=5-6", 100, 5, 7));
    CHECK(gives("lines=1-2", 100, 0, 100)); /* a unit that nobody knows */
    CHECK(refuses("bytes=100-", 100) && refuses("bytes=5-4", 100) && refuses("bytes=-0", 100));
    CHECK(refuses("bytes=", 100) && refuses("bytes=-", 100) && refuses("bytes=a-b", 100));
    CHECK(refuses("bytes=0-1,5-6", 100) && refuses("bytes=0-", 0));
    CHECK(refuses("bytes=99999999999999999999999-", 100));
    CHECK(gives("bytes=1-18446744073709551609", 100, 1, 100));
}

TEST_MAIN({ "ranges", ranges })
