/* show.h - what happened in rooms, for people and as JSON.
 *
 * Pure: appends to a buf. Everything that others wrote is cleaned here.
 */
#pragma once

#include "cli/buf.h"
#include "cli/rooms.h"
#include "roost.h"

struct show {
    const struct rooms *rooms;
    bool json, colour;
    size_t columns;   /* lines are broken there; 0 = not */
    bool room_labels; /* say which room */
    bool ids;         /* say ROOM:SEQ */
    int64_t now_ms;
    int32_t zone_s;
    const char *me;                   /* name, for the recipient of private messages; may be NULL */
    const struct roost_ticket *there; /* in a meeting: who is; else NULL */
};

/* One line, or more for a text of several lines; with json one object. */
void show_message(const struct show *s, const struct roost_message *m, struct buf *out);
/* "--- Monday, 2 March 2026 ---", when `ms` is on another day than *last_day
 * (0 at first); nothing with json. */
void show_day(const struct show *s, uint64_t ms, int64_t *last_day, struct buf *out);
/* An edit, a deletion or a reaction: the message it concerns shows it already when
 * it is read later. */
bool show_is_folded(const struct roost_message *m);
/* A name in its colour (by a hash of it), cleaned. */
void show_name(const struct show *s, const char *name, struct buf *out);
