/* chat.h - `roost chat`: talking in a terminal.
 *
 * One stream of everything that happens in one's rooms, and a line to type on
 * below it (line.h), which arriving messages never break.
 */
#pragma once

#include "cli/buf.h"
#include "cli/options.h"

struct chat;

int chat_main(struct cli *c, const struct cli_args *args);
