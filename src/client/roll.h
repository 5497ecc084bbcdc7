/* roll.h - who is in a meeting, and who waits: kept up to date from tickets, events
 * and pushes.
 *
 * A ticket replaces everything; an event of the room changes the rows that it lists
 * (after MUTE_ALL and LOCK_MICS all participants and viewers who are in are muted,
 * unlisted); what an event says that the ticket knew already is passed over. Who
 * waits is known to hosts only. Rows stand in the order in which people came. The
 * roll owns its rows. Not thread-safe; pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/roost.pb-c.h"

enum { ROLL_MAX = 1000 }; /* rows: a server lets 250 in and 200 wait */

struct roll_row; /* a row and its strings, one piece of memory */
struct roll_head;

struct roll {
    struct roll_head *head; /* NULL: no ticket yet */
    struct roll_row *you;
    struct roll_row **rows; /* those who are in or wait */
    size_t n, cap;
    char *secret;
    uint64_t upto; /* the ticket knew the room's events up to here */
};

void roll_init(struct roll *r);
void roll_fini(struct roll *r);

/* Each: 0, -ROOST_NOMEM, or -ROOST_LIMIT. After a failure the roll is not to be
 * trusted: ask for a new ticket. */
int roll_ticket(struct roll *r, const Roost__Ticket *t);
int roll_met(struct roll *r, uint64_t seq, const Roost__Met *m);
int roll_lobby(struct roll *r, const Roost__MeetLobby *m);
void roll_here(struct roll *r, const Roost__MeetHere *m);
int roll_now(struct roll *r, const Roost__MeetNow *m);

const Roost__Meeting *roll_meeting(const struct roll *r); /* NULL: no ticket yet */
const Roost__Attendee *roll_you(const struct roll *r);    /* NULL: no ticket yet */
const Roost__Attendee *roll_at(const struct roll *r, size_t i);
/* NULL: neither in nor waiting. */
const Roost__Attendee *roll_find(const struct roll *r, uint64_t account);
