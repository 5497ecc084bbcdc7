/* meet.h - `roost meet join`: being in a meeting, from the terminal.
 *
 * One stream of what happens in it above a line to type on (line.h); or, with --json
 * or without a terminal, events on stdout and commands on stdin.
 */
#pragma once

#include <stdint.h>

#include "cli/meet_link.h"
#include "cli/options.h"

struct cli;
struct roost_ticket;

/* "#12": a meeting by its number. */
bool meet_number(const char *word, uint64_t *ret);

int meet_main(struct cli *c, const struct cli_args *args);
/* Comes in silently, shows the words to compare, and leaves. */
int meet_verify_main(struct cli *c, const struct cli_args *args);
/* A meeting of one's own with people who are none: rehearse.h. */
int rehearse_main(struct cli *c, const struct cli_args *args);
/* What `meet new` says of the meeting that was made. */
void meet_tell_new(struct cli *c, const struct cli_args *a, const struct roost_ticket *t,
                   const char *link);

/* A code or link in the first words of a command, or a usage error. Its secret is wiped
 * from the command line, which other users of the machine can read. *ret_used: how many
 * words it took; NULL: nothing may follow it. */
int meet_door(struct cli *c, const struct cli_args *a, struct meet_link *ret, size_t *ret_used);
/* Connects for a meeting: as the guest of this name (NULL: as the account that is
 * logged in; on a terminal a name is asked for if none is). 0 or an exit status. */
int meet_open(struct cli *c, const struct cli_args *a, const struct meet_link *door,
              const char *guest);
/* Likewise for a command beside the meeting: a guest must have been there before. */
int meet_open_again(struct cli *c, const struct cli_args *a, const struct meet_link *door,
                    const char *guest);
