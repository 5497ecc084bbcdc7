/* chat_slash.h - what a line that was typed in the chat means. Pure; a fuzzer calls it.
 *
 * A line is words to say, or begins with '/': a row of the command table written
 * out ("/room join maths"), a short form that means one with the room one is in
 * filled in ("/topic exercise 4"), or one of the chat's own. "//" says a line that
 * begins with a slash. Strings live in the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "cli/options.h"

enum { SLASH_WORDS_MAX = 64 };

enum slash_kind {
    SLASH_SAY,     /* text, to where one is */
    SLASH_COMMAND, /* argv for cli_parse */
    SLASH_GO,      /* to another target: text */
    SLASH_HELP,    /* text: of a command, or "" */
    SLASH_QUIT,
    SLASH_OUT,   /* log out and quit */
    SLASH_WRONG, /* wrong, advice */
    SLASH_NOTHING,
};

struct slash {
    enum slash_kind kind;
    const char *text;
    const char *argv[SLASH_WORDS_MAX];
    size_t n;
    const char *wrong, *advice; /* constants */
};

struct slash_place {
    const struct cli_command *table;
    size_t n_table;
    const char *target;     /* where one is; "" nowhere */
    const char *fresh_name; /* for a room that SRB makes */
    bool classic;           /* BCM ... without a slash too */
};

/* 0 or -ROOST_NOMEM. */
int slash_parse(struct arena *a, const struct slash_place *place, const char *line,
                struct slash *ret);

/* The i-th short form, for completion and help; NULL past the end. */
const char *slash_name(size_t i);
const char *slash_help(size_t i);
