/* meet_words.h - the words for what is done in a meeting: one table, used by
 * `meet host`, by slash commands, and for telling what happened. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/buf.h"
#include "roost.h"

enum meet_takes {
    MEET_NONE,
    MEET_USER,
    MEET_MAYBE_USER,
    MEET_TEXT,
    MEET_MAYBE_USER_TEXT, /* [USER] TEXT */
};

struct meet_word {
    const char *name;
    enum roost_meet_action action;
    enum meet_takes takes;
    bool own;         /* about oneself: no action of a host */
    const char *says; /* what happened: %b who did it, %w on whom, %t the text */
};

const struct meet_word *meet_word_at(size_t i); /* NULL past the end */
const struct meet_word *meet_word_find(const char *name);
/* The word of an action; "unknown" for one of a newer server. */
const char *meet_word_of(enum roost_meet_action action);

const char *meet_role_name(enum roost_meet_role role);    /* "co-host" */
const char *meet_state_name(enum roost_meet_state state); /* "in", "waiting" */

/* "Ann", "Gus (guest)". Not cleaned. */
void meet_name(struct buf *b, const char *name, bool guest);

/* What happened, in words: "Bea raised the hand". `there` (may be NULL) names who is
 * not in the event; `me` (0: nobody) is "you". Not cleaned. */
void meet_say(struct buf *b, const struct roost_message *m, const struct roost_ticket *there,
              uint64_t me);
