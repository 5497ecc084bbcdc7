/* when.h - times as people write them.
 *
 * Understood: "10 minutes ago", "2h", "90s ago", "yesterday", "yesterday 14:00",
 * "today", "14:00", "monday", "monday 9:30", "last week", "2026-03-01",
 * "2026-03-01 14:00", "2026-03-01T14:00:00Z", "…+02:00", "@1767225600" (seconds
 * since 1970), "now". A day without a time begins at 0:00; a weekday is the
 * latest that has begun; a time of day alone is the latest that has passed.
 * when_parse_ahead() looks forward instead: "in 2 hours", "2h", "tomorrow 14:00", the next
 * "14:00", the "monday 9:30" that comes; dates as above.
 * Pure: what the time is, and how far the local clock is ahead of UTC, are
 * parameters. Times are milliseconds since 1970 UTC.
 */
#pragma once

#include <stdint.h>

#include "cli/buf.h"

/* 0, or -ROOST_INVALID with *ret_error set to a sentence (a constant). */
int when_parse(const char *s, int64_t now_ms, int32_t zone_s, int64_t *ret_ms,
               const char **ret_error);

int when_parse_ahead(const char *s, int64_t now_ms, int32_t zone_s, int64_t *ret_ms,
                     const char **ret_error);

struct when_parts {
    int year, month, day, hour, minute, second, ms, weekday; /* 0 = Sunday */
};
struct when_parts when_split(int64_t ms, int32_t zone_s);

/* "2026-03-01T14:00:00.000Z" */
void when_rfc3339(struct buf *b, int64_t ms);
/* "14:05" today, "Mon 14:05" within six days, else "2026-03-01 14:05". */
void when_short(struct buf *b, int64_t ms, int64_t now_ms, int32_t zone_s);
/* "Monday, 2 March 2026" */
void when_day(struct buf *b, int64_t ms, int32_t zone_s);
/* Days since 1970 of the local calendar. */
int64_t when_day_number(int64_t ms, int32_t zone_s);
/* "3 s", "5 min", "2 h", "4 d" */
void when_span(struct buf *b, int64_t span_ms);
