/* live.h - what arrives while one follows rooms; shared by read --follow and chat. */
#pragma once

#include "cli/cli.h"

/* Follows the rooms one is in (c->rooms), each from the number that was read or,
 * with `from_head`, from the newest; `only` (may be NULL) is the target to which
 * it is limited. 0 or an exit status. */
int live_follow(struct cli *c, const char *only, bool from_head);
/* Rooms that one comes into are followed, those that one leaves dropped. */
void live_on_room(struct cli *c, const struct roost_event *e, const char *only);
/* Lost, back, the server's notices: a line for people (in c->out; with --json an
 * object). Returns an exit status + 1 when it is all over, else 0. */
int live_on_status(struct cli *c, const struct roost_status *s);
void live_on_notice(struct cli *c, const struct roost_event *e);
