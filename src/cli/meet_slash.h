/* meet_slash.h - what a line typed in a meeting means. Pure; a fuzzer calls it.
 *
 * A line is words to say, or begins with '/': a word of meet_words.h, or a short one
 * for oneself ("/hand", "/mute"). Names may hold spaces: the longest name of somebody
 * present that fits is taken, and "quotes" settle it: /note Ann 2 hello, /note "Ann 2"
 * hello. "//" says a line that begins with a slash. A program writes an object instead:
 * {"cmd": "admit", "user": "Ann 2", "id": 7}. Strings live in the arena.
 */
#pragma once

#include "base/arena.h"
#include "cli/meet_words.h"

enum meet_do {
    MEET_DO_NOTHING,
    MEET_DO_SAY,   /* text */
    MEET_DO_ACT,   /* action, user, text */
    MEET_DO_NOTE,  /* user, text */
    MEET_DO_REACT, /* text */
    MEET_DO_WHO,
    MEET_DO_LINK,
    MEET_DO_HELP,
    MEET_DO_VERIFY, /* of sound; meet_voice.h */
    MEET_DO_FIGURES,
    MEET_DO_TALK,
    MEET_DO_HUSH,
    MEET_DO_VOLUME, /* user, text: percent */
    MEET_DO_WRONG,  /* wrong, advice */
};

struct meet_cmd {
    enum meet_do what;
    const char *name; /* as it was written, without '/': "mute"; "say" */
    enum roost_meet_action action;
    const char *user, *text; /* NULL: none */
    const char *id;          /* of the line, as JSON has it; NULL: none */
    bool id_is_string;
    const char *wrong, *advice; /* constants */
};

/* there: who is present; may be NULL. 0 or -ROOST_NOMEM. */
int meet_slash_parse(struct arena *a, const char *line, const struct roost_ticket *there,
                     struct meet_cmd *ret);
/* A line that is an object. */
int meet_slash_json(struct arena *a, const char *line, const struct roost_ticket *there,
                    struct meet_cmd *ret);

/* For completion: the i-th word that can follow a slash; NULL past the end. Whether a
 * name comes after it. */
const char *meet_slash_name(size_t i, bool *ret_takes_name);
extern const char meet_slash_help[];
