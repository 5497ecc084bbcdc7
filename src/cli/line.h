/* line.h - the line being typed, below a stream of what happens, which never breaks
 * it. GNU Readline in callback mode; its state is global, so there is one at a time.
 *
 * Its owner (a chat, a meeting) says what the prompt is, what can be completed, and
 * what an entered line does. Functions take NULL for "there is none". Without a
 * terminal (plain) lines are printed as they are, and read by lines.h instead.
 */
#pragma once

#include "cli/buf.h"

struct cli;

struct line_matches {
    const char *prefix;
    char **list;
    size_t n;
};

struct line {
    struct cli *c;
    void *arg; /* for the functions below */
    void (*prompt)(void *arg, struct buf *b);
    /* The word that begins at `start` of `typed` is to be completed. */
    void (*complete)(void *arg, const char *typed, size_t start, struct line_matches *m);
    void (*entered)(void *arg, const char *line); /* NULL: Ctrl+D */
    void (*drain)(void *arg);                     /* shows what has come meanwhile */
    /* Whole lines between the stream and the line, or NULL; none may be wider than the terminal. */
    void (*panel)(void *arg, struct buf *b);
    const char *history; /* file under the home; NULL: none */
    bool plain;          /* no terminal */
    bool up;             /* it is on the screen */
    size_t rows;         /* of the terminal */
    struct buf shown;    /* prompt and panel, as they are on the screen */
    size_t panel_rows;   /* of those */
    bool suspended;
};

void line_start(struct line *l);
void line_stop(struct line *l);
void line_key(void);              /* stdin can be read */
void line_prompt(struct line *l); /* it changed */
void line_resize(struct line *l); /* and c->columns is set anew */
void line_drop(struct line *l);   /* Ctrl+C */
/* Takes an entered line off the screen: what comes of it is shown instead. */
void line_wipe_typed(struct line *l, const char *line);
bool line_is_words(void); /* something is typed that is no command */
void line_match(struct line_matches *m, const char *mark, const char *name);

/* Prints whole lines above it. */
void line_print(struct line *l, const struct buf *b);
void line_drain(struct line *l);
/* Hands the terminal to somebody else for a question, and takes it back. */
void line_suspend(struct line *l);
void line_resume(struct line *l);
