/* test_http_range.c - which bytes a request wants. */
#include <string.h>

#include "test.h"
#include "wire/http_range.h"

static uint64_t at, end;

static enum http_range of(const char *range, const char *if_range, uint64_t size)
{
    return http_range(range, if_range, "\"x\"", size, &at, &end);
}

static void a_part_is_a_part(void)
{
    CHECK(of("bytes=0-0", NULL, 10) == HTTP_RANGE_PART && at == 0 && end == 1);
    CHECK(of("bytes=3-", NULL, 10) == HTTP_RANGE_PART && at == 3 && end == 10);
    CHECK(of("bytes=3-99", NULL, 10) == HTTP_RANGE_PART && at == 3 && end == 10);
    CHECK(of("bytes=-4", NULL, 10) == HTTP_RANGE_PART && at == 6 && end == 10);
    CHECK(of("bytes=-99", NULL, 10) == HTTP_RANGE_PART && at == 0 && end == 10);
}

static void past_the_end_there_is_nothing(void)
{
    CHECK(of("bytes=10-", NULL, 10) == HTTP_RANGE_NONE);
    CHECK(of("bytes=-0", NULL, 10) == HTTP_RANGE_NONE);
    CHECK(of("bytes=0-", NULL, 0) == HTTP_RANGE_NONE);
}

static void what_is_not_understood_is_all(void)
{
    static const char *const odd[] = { "bytes=",
                                       "bytes=a-b",
                                       "bytes=5-3",
                                       "bytes=0-1,3-4",
                                       "lines=1-2",
                                       "bytes=1",
                                       "bytes=--1",
                                       "bytes=1-2x",
                                       "bytes=99999999999999999999-",
                                       NULL };

    for (size_t i = 0; odd[i]; i++)
        CHECK(of(odd[i], NULL, 10) == HTTP_RANGE_ALL && at == 0 && end == 10);
    CHECK(of(NULL, NULL, 10) == HTTP_RANGE_ALL);
    CHECK(of("bytes=1-2", "\"y\"", 10) == HTTP_RANGE_ALL);
    CHECK(of("bytes=1-2", "\"x\"", 10) == HTTP_RANGE_PART);
}

TEST_MAIN({ "a_part_is_a_part", a_part_is_a_part },
          { "past_the_end_there_is_nothing", past_the_end_there_is_nothing },
          { "what_is_not_understood_is_all", what_is_not_understood_is_all })
