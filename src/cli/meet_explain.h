/* meet_explain.h - why something was refused in a meeting, and what to do, in the words of
 * who tried it. Pure; an error has one sentence for all who meet it, this has the one that
 * fits what was tried, by whom, and how the meeting stands.
 */
#pragma once

#include "cli/meet_slash.h"

struct meet_tried {
    enum meet_do what;                /* SAY, ACT, NOTE, REACT, WHO */
    enum roost_meet_action action;    /* of MEET_DO_ACT */
    const char *user;                 /* on whom; NULL: nobody was named */
    bool waits;                       /* one is in the lobby oneself */
    bool outside;                     /* by a command beside the meeting, not in its view */
    const struct roost_ticket *there; /* who is in; NULL: not known */
};

#define MEET_NAME_ADVICE                                                                           \
    "use 1 to 32 letters or digits of one script; '-', '_', '.' and single spaces may stand "      \
    "between them"

/* Appends to both; false, and nothing: the error's own sentence is as good. */
bool meet_explain(int code, const struct meet_tried *t, struct buf *text, struct buf *advice);
