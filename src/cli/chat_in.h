/* chat_in.h - the state that the chat's files share. */
#pragma once

#include "cli/chat.h"
#include "cli/cmd.h"
#include "cli/line.h"
#include "cli/lines.h"
#include "cli/live.h"
#include "cli/moving.h"

enum {
    CHAT_PEOPLE_MAX = 5000,
    CHAT_SAYING_MAX = 256,
    CHAT_WAIT_MS = 1000, /* too fast, and the server did not say how long */
    PING_EVERY_MS = 250,
    TYPING_SHOWN_MS = 6000,
    TYPING_SENT_MS = 3000
};

struct chat_person {
    uint64_t account;
    char *name;
    char *away; /* "" here */
    bool seen;  /* since they were asked for again */
};

/* A line to be said, from typing to acknowledgement. They go one after the other:
 * when the server wants them slower, none may overtake the one that waits. */
struct chat_saying {
    char *target, *text;
};

struct chat {
    struct cli *c;
    struct show show;
    char *target; /* where one speaks; "" nowhere yet */
    int64_t last_day;
    uint64_t shown_room, shown_seq; /* a page showed that room up to there */
    bool classic;
    struct line line;
    struct lines lines; /* when line.plain */
    bool quit, lost;
    int status;
    struct chat_person *people; /* who is on */
    size_t n_people;
    struct chat_saying saying[CHAT_SAYING_MAX]; /* a ring, n_saying from `saying_at` */
    size_t saying_at, n_saying;
    int64_t say_request;  /* of the first; 0: not under way */
    int64_t say_again_ms; /* the first waits until then; 0: not */
    bool told_waiting;
    int64_t people_request; /* who is on is asked again; 0: not */
    int64_t ping_request, ping_sent_us;
    int64_t ping_at_ms; /* the next goes out; 0: none */
    uint64_t ping_n, ping_count;
    struct moving moving;               /* transfers that were begun here */
    enum roost_file_stage moving_stage; /* of what moved last */
    int64_t moving_shown_us;            /* in the prompt */
    char *typing;                       /* who is, where one speaks; NULL nobody */
    int64_t typing_until_ms, typing_sent_ms;
};

/* chat_line.c */
void chat_prompt(void *arg, struct buf *b);
void chat_complete(void *arg, const char *typed, size_t start, struct line_matches *m);

/* chat.c */
void chat_line(struct chat *chat, const char *line); /* does what was typed */
void chat_drain(struct chat *chat);                  /* shows what has come meanwhile */

/* chat_people.c: who is on */
void people_load(struct chat *chat);
void people_changed(struct chat *chat, const struct roost_event *e);
void people_free(struct chat *chat);
/* After a lost connection: who is not seen again went off meanwhile. */
void people_unsee(struct chat *chat);
void people_seen(struct chat *chat, const struct roost_person *list, size_t n);
void people_end_unseen(struct chat *chat);

/* chat_ask.c: what is asked while one types */
void ask_people_again(struct chat *chat);
int ask_ping(struct chat *chat, uint64_t count);
bool ask_on_answer(struct chat *chat, const struct roost_event *e); /* false: not its request */
int64_t ask_deadline_ms(const struct chat *chat);                   /* as say_deadline_ms */
void ask_expire(struct chat *chat);
bool ask_is_done(const struct chat *chat); /* pinging */

/* chat_file.c: files that move while one types */
int file_send(struct chat *chat, const struct cli_args *a);
int file_get(struct chat *chat, const struct cli_args *a);
bool file_on_event(struct chat *chat, const struct roost_event *e); /* false: not about files */
bool file_is_done(const struct chat *chat);                         /* nothing moves any more */
void file_close(struct chat *chat);                                 /* tells what is not whole */

/* chat_event.c: what arrives */
int chat_event(struct chat *chat, const struct roost_event *e); /* exit status + 1 when over */
/* chat_say.c: what is said */
void chat_say(struct chat *chat, const char *text);
void say_expire(struct chat *chat);
int64_t say_deadline_ms(const struct chat *chat); /* on the clock of cli_now_us; INT64_MAX: none */
bool say_on_answer(struct chat *chat, const struct roost_event *e); /* false: not its request */
bool chat_all_said(const struct chat *chat);
void say_close(struct chat *chat); /* tells what was not said */

/* chat_event.c */
/* Speaks to another target and shows what was said there last. */
int chat_go(struct chat *chat, const char *word);
