/* chat.h - `roost chat`: talking in a terminal.
 *
 * One stream of everything that happens in one's rooms, and a line to type on
 * below it, which arriving messages never break. GNU Readline in callback mode;
 * its state is global, so there is one chat in a process. Functions take NULL
 * for "not in a chat" and then do nothing.
 */
#pragma once

#include "cli/buf.h"
#include "cli/options.h"

struct chat;

int chat_main(struct cli *c, const struct cli_args *args);

/* Prints whole lines above the line being typed. */
void chat_print(struct chat *chat, const struct buf *b);
/* Shows what has come meanwhile. */
void chat_drain(struct chat *chat);
/* Hands the terminal to somebody else for a question, and takes it back. */
void chat_suspend(struct chat *chat);
void chat_resume(struct chat *chat);
