/* chat_in.h - the state that the chat's files share. */
#pragma once

#include "cli/chat.h"
#include "cli/cmd.h"
#include "cli/live.h"

enum {
    CHAT_PEOPLE_MAX = 5000,
    CHAT_SENDING_MAX = 64,
    TYPING_SHOWN_MS = 6000,
    TYPING_SENT_MS = 3000
};

struct chat_person {
    uint64_t account;
    char *name;
    char *away; /* "" here */
};

/* Said and not yet acknowledged. */
struct chat_sending {
    int64_t request;
    char *text;
};

struct chat {
    struct cli *c;
    struct show show;
    char *target; /* where one speaks; "" nowhere yet */
    int64_t last_day;
    uint64_t shown_room, shown_seq; /* a page showed that room up to there */
    bool classic;
    bool line_up; /* the prompt and the line being typed are on the screen */
    bool suspended;
    bool plain;       /* no terminal: chat_plain.c instead of chat_line.c */
    struct buf input; /* plain: read and not yet taken */
    bool input_over;
    bool quit, lost;
    int status;
    struct chat_person *people; /* who is on */
    size_t n_people;
    struct chat_sending sending[CHAT_SENDING_MAX];
    char *typing; /* who is, where one speaks; NULL nobody */
    int64_t typing_until_ms, typing_sent_ms;
};

/* chat_line.c: the line being typed */
void line_start(struct chat *chat, void (*on_line)(char *));
void line_stop(struct chat *chat);
void line_key(void);                 /* stdin can be read */
void line_prompt(struct chat *chat); /* it changed */
void line_resize(struct chat *chat);
void line_drop(struct chat *chat); /* Ctrl+C */
void line_wipe_typed(struct chat *chat,
                     const char *line); /* takes an entered line off the screen */
void line_history_add(const char *line);
bool line_is_words(void); /* something is typed that is no command */

/* chat_plain.c */
void plain_read(struct chat *chat);
bool plain_wants(const struct chat *chat);
void plain_lines(struct chat *chat);

/* chat.c */
void chat_line(struct chat *chat, const char *line); /* does what was typed */

/* chat_people.c: who is on */
void people_load(struct chat *chat);
void people_changed(struct chat *chat, const struct roost_event *e);
void people_free(struct chat *chat);

/* chat_event.c: what arrives, and what is said */
int chat_event(struct chat *chat, const struct roost_event *e); /* exit status + 1 when over */
void chat_say(struct chat *chat, const char *text);
bool chat_can_say(const struct chat *chat); /* not too much waits for its acknowledgement */
bool chat_all_said(const struct chat *chat);
/* Speaks to another target and shows what was said there last. */
int chat_go(struct chat *chat, const char *word);
