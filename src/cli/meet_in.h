/* meet_in.h - the state that the files of the meeting view share. */
#pragma once

#include "cli/cmd.h"
#include "cli/line.h"
#include "cli/lines.h"
#include "cli/meet.h"
#include "cli/meet_slash.h"
#include "cli/meet_voice.h"
#include "cli/rehearse.h"

enum {
    MEET_ASKED_MAX = 32,
    MEET_NOTED_MAX = 512,
    MEET_CALM_US = 3000000, /* after a reconnect all come back, one by one: not told */
};

/* A command whose answer is awaited. */
struct meet_asked {
    int64_t request;
    char *name, *id; /* id: as JSON has it; NULL: none */
    bool id_is_string;
    enum meet_do what;
    enum roost_meet_action action;
    char *user; /* NULL: nobody was named */
};

/* Accounts of which something was said already. */
struct meet_noted {
    uint64_t list[MEET_NOTED_MAX];
    size_t n;
};

struct meet {
    struct cli *c;
    struct show show;
    struct line line;
    struct lines lines; /* when line.plain */
    uint64_t meeting;
    int64_t join;  /* the request */
    int64_t rooms; /* the request for the direct rooms, where private notes come; 0: answered */
    bool in;       /* else one waits */
    bool lost, leaving, quit;
    int status;
    const char *reason; /* of the end: "left", "ended", "removed", … */
    bool elsewhere;     /* "left" by another device of one's own */
    int64_t last_day;
    struct meet_asked asked[MEET_ASKED_MAX];
    size_t n_asked;
    int64_t back_us; /* when the connection came back last; 0: it was never lost */
    struct meet_voice voice;
    struct rehearsal rehearsal;
    struct meet_noted waiting, away; /* who was said to wait; to have lost the connection */
};

/* Who is there now; NULL: not known. */
const struct roost_ticket *meet_there(const struct meet *m);
void meet_over(struct meet *m, int status, const char *reason);

/* meet_event.c: what arrives */
void meet_event(struct meet *m, const struct roost_event *e);
void meet_ticket(struct meet *m, const struct roost_ticket *t, bool again);
void meet_find_notes(struct meet *m, uint64_t after_room);

/* meet_do.c: what is typed */
void meet_typed(struct meet *m, const char *line);
bool meet_answered(struct meet *m, const struct roost_event *e); /* false: not its request */
void meet_leave(struct meet *m);
void meet_asked_fini(struct meet *m);

/* meet_line.c */
void meet_prompt(void *arg, struct buf *b);
void meet_panel(void *arg, struct buf *b);
void meet_complete(void *arg, const char *typed, size_t start, struct line_matches *m);
