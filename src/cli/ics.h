/* ics.h - a meeting as an entry for calendars: iCalendar, RFC 5545. Pure.
 *
 * Times are UTC, texts escaped, lines end in CRLF and are folded at 75 bytes, never
 * within a character.
 */
#pragma once

#include <stdint.h>

#include "cli/buf.h"

struct ics {
    const char *uid; /* the same for the life of the meeting */
    const char *title, *description, *link;
    int64_t now_ms, starts_ms, length_ms;
};

void ics_put(struct buf *b, const struct ics *what);
