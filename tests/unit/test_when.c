#include "cli/when.h"
#include "test.h"

#include <string.h>

#include "base/err.h"

/* Wednesday, 4 March 2026, 15:30:20.500 where the clock is an hour ahead of UTC. */
enum { ZONE = 3600, DAY_S = 86400 };
#define NOW INT64_C(1772634620500)

static bool means(const char *s, const char *utc)
{
    const char *error = NULL;
    struct buf b = { 0 };
    int64_t ms;

    if (when_parse(s, NOW, ZONE, &ms, &error))
        return false;
    when_rfc3339(&b, ms);
    bool same = !strcmp(buf_str(&b), utc);
    buf_fini(&b);
    return same;
}

static bool is_refused(const char *s)
{
    const char *error = NULL;
    int64_t ms = 7;
    return when_parse(s, NOW, ZONE, &ms, &error) == -ROOST_INVALID && error && *error && ms == 7;
}

static void spans_count_back_from_now(void)
{
    CHECK(means("now", "2026-03-04T14:30:20.500Z"));
    CHECK(means("10 minutes ago", "2026-03-04T14:20:20.500Z"));
    CHECK(means("10min", "2026-03-04T14:20:20.500Z"));
    CHECK(means("2h", "2026-03-04T12:30:20.500Z"));
    CHECK(means("1h 30m ago", "2026-03-04T13:00:20.500Z"));
    CHECK(means("1h30m", "2026-03-04T13:00:20.500Z"));
    CHECK(means("an hour ago", "2026-03-04T13:30:20.500Z"));
    CHECK(means("3 Days Ago", "2026-03-01T14:30:20.500Z"));
    CHECK(means("2 weeks", "2026-02-18T14:30:20.500Z"));
}

static void days_begin_where_one_is(void)
{
    CHECK(means("today", "2026-03-03T23:00:00.000Z"));
    CHECK(means("yesterday", "2026-03-02T23:00:00.000Z"));
    CHECK(means("yesterday 14:00", "2026-03-03T13:00:00.000Z"));
    CHECK(means("yesterday at 14:00:05", "2026-03-03T13:00:05.000Z"));
    CHECK(means("monday", "2026-03-01T23:00:00.000Z"));
    CHECK(means("Mon 9:30", "2026-03-02T08:30:00.000Z"));
    CHECK(means("wednesday", "2026-03-03T23:00:00.000Z"));
    CHECK(means("last wednesday", "2026-02-24T23:00:00.000Z"));
    CHECK(means("thursday", "2026-02-25T23:00:00.000Z"));
    CHECK(means("last week", "2026-02-24T23:00:00.000Z"));
}

static void a_time_alone_is_the_latest_that_passed(void)
{
    CHECK(means("15:00", "2026-03-04T14:00:00.000Z"));
    CHECK(means("16:00", "2026-03-03T15:00:00.000Z"));
}

static void iso_has_its_own_zone_or_ours(void)
{
    CHECK(means("2026-03-01", "2026-02-28T23:00:00.000Z"));
    CHECK(means("2026-03-01 14:00", "2026-03-01T13:00:00.000Z"));
    CHECK(means("2026-03-01T14:00:30", "2026-03-01T13:00:30.000Z"));
    CHECK(means("2026-03-01T14:00:30.250Z", "2026-03-01T14:00:30.250Z"));
    CHECK(means("2026-03-01T14:00+05:30", "2026-03-01T08:30:00.000Z"));
    CHECK(means("2026-03-01T14:00-0800", "2026-03-01T22:00:00.000Z"));
    CHECK(means("2024-02-29", "2024-02-28T23:00:00.000Z"));
    CHECK(means("@1767225600", "2026-01-01T00:00:00.000Z"));
}

static void what_it_writes_it_reads(void)
{
    /* a leap year, a century, and the ends of months */
    static const int64_t days[] = { 0, 58, 59, 789, 11016, 11017, 18321, 18322, 20515, 47481 };
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        int64_t ms = days[i] * DAY_S * INT64_C(1000) + 86399999, back;
        const char *error;
        struct buf b = { 0 };
        when_rfc3339(&b, ms);
        CHECK(!when_parse(buf_str(&b), NOW, ZONE, &back, &error) && back == ms);
        buf_fini(&b);
    }
}

static void nonsense_is_refused_with_a_sentence(void)
{
    CHECK(is_refused(""));
    CHECK(is_refused("soon"));
    CHECK(is_refused("2026-02-29"));
    CHECK(is_refused("2026-13-01"));
    CHECK(is_refused("2026-3-1"));
    CHECK(is_refused("25:00"));
    CHECK(is_refused("yesterday noon"));
    CHECK(is_refused("10"));
    CHECK(is_refused("10 fortnights"));
    CHECK(is_refused("ago"));
    CHECK(is_refused("2026-03-01T14:00+99:00"));
    CHECK(is_refused("99 years ago")); /* before 1970 */
    CHECK(is_refused("9999999999999999999s"));
    CHECK(is_refused("@"));
}

static bool shows(int64_t ms, const char *want)
{
    struct buf b = { 0 };
    when_short(&b, ms, NOW, ZONE);
    bool same = !strcmp(buf_str(&b), want);
    buf_fini(&b);
    return same;
}

static void people_see_as_much_as_they_need(void)
{
    struct buf b = { 0 };

    CHECK(shows(NOW, "15:30"));
    CHECK(shows(NOW - DAY_S * INT64_C(1000), "Tue 15:30"));
    CHECK(shows(NOW - 7 * DAY_S * INT64_C(1000), "2026-02-25 15:30"));
    when_day(&b, NOW, ZONE);
    CHECK(!strcmp(buf_str(&b), "Wednesday, 4 March 2026"));
    buf_clear(&b);
    when_span(&b, 125000);
    CHECK(!strcmp(buf_str(&b), "2 min"));
    buf_fini(&b);
}

/* Minutes from now; -1: not understood. */
static int64_t ahead_min(const char *s)
{
    int64_t ms;
    const char *error = NULL;

    if (when_parse_ahead(s, NOW, ZONE, &ms, &error))
        return error ? -1 : -2;
    ms = ms - NOW + 20500; /* from the full minute on */
    return ms / 60000 - (ms % 60000 < 0);
}

/* It is Wednesday, 15:30. */
static void what_is_to_come(void)
{
    enum { HOUR = 60, DAY = 24 * 60 };

    CHECK(ahead_min("in 2 hours") == 2 * HOUR && ahead_min("2h") == 2 * HOUR);
    CHECK(ahead_min("in 1h 30m") == 90 && ahead_min("an hour") == HOUR);
    CHECK(ahead_min("10 minutes ago") == -10);
    CHECK(ahead_min("16:00") == 30 && ahead_min("15:00") == DAY - 30);
    CHECK(ahead_min("today 16:00") == 30 && ahead_min("today 15:00") == -30);
    CHECK(ahead_min("tomorrow 14:00") == DAY - 90 && ahead_min("tomorrow at 14:00") == DAY - 90);
    CHECK(ahead_min("thursday 15:30") == DAY && ahead_min("next tue 15:30") == 6 * DAY);
    CHECK(ahead_min("wednesday 16:00") == 30 && ahead_min("wednesday 15:00") == 7 * DAY - 30);
    CHECK(ahead_min("now") == 0);
    CHECK(ahead_min("2026-03-04T14:00Z") - ahead_min("2026-03-04T13:00Z") == HOUR);
    CHECK(ahead_min("the other day") == -1 && ahead_min("tomorrow noonish") == -1);
    CHECK(ahead_min("") == -1);
}

TEST_MAIN({ "what_is_to_come", what_is_to_come },
          { "spans_count_back_from_now", spans_count_back_from_now },
          { "days_begin_where_one_is", days_begin_where_one_is },
          { "a_time_alone_is_the_latest_that_passed", a_time_alone_is_the_latest_that_passed },
          { "iso_has_its_own_zone_or_ours", iso_has_its_own_zone_or_ours },
          { "what_it_writes_it_reads", what_it_writes_it_reads },
          { "nonsense_is_refused_with_a_sentence", nonsense_is_refused_with_a_sentence },
          { "people_see_as_much_as_they_need", people_see_as_much_as_they_need })
