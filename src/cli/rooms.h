/* rooms.h - the rooms one is in, by number: to name them in what is printed.
 *
 * Owns copies. At most ROOMS_MAX are kept. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buf.h"
#include "roost.h"

enum { ROOMS_MAX = 10000 };

struct room_entry {
    uint64_t room, head, read, peer;
    enum roost_room_kind kind;
    uint32_t unread, mentions;
    bool muted, closed;
    char *name;
};

struct rooms {
    struct room_entry *list;
    size_t n, cap;
};

void rooms_fini(struct rooms *rs);
/* Adds or replaces; false when out of memory or full. */
bool rooms_put(struct rooms *rs, const struct roost_room *room);
void rooms_drop(struct rooms *rs, uint64_t room);
struct room_entry *rooms_get(const struct rooms *rs, uint64_t room); /* or NULL */
/* By a target, "#name", "@name", "*" or "17"; ASCII letters in either case. A name is first
 * that of an open room. */
struct room_entry *rooms_find(const struct rooms *rs, const char *target);
/* "#maths", "@anna", "everyone"; "17" when it is not among them. Not cleaned. */
void rooms_label(const struct rooms *rs, uint64_t room, struct buf *b);
