/* rehearse.h - `roost rehearse`: a meeting of one's own with people in it who talk in turn
 * (roost-crowd), to try everything alone.
 *
 * They are a process of their own, which ends with the rehearsal; so does the meeting.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cli/meet_link.h"

struct cli;
struct cli_args;
struct meet;

struct rehearsal {
    bool on;
    pid_t crowd; /* 0: none */
    int words;   /* what it says; kept open, so that it can */
};

/* Connects, makes the meeting, and waits until the people are in. 0 or an exit status. */
int rehearsal_begin(struct meet *m, const struct cli_args *a, struct meet_link *ret);
void rehearsal_end(struct meet *m);
