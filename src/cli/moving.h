/* moving.h - transfers under way, as a command or the chat shows them: a line each on a
 * terminal, redrawn in place; with --json an event now and then; a sentence at the end.
 *
 *     moving_add(m, roost_file_send(...), &status)
 *     for each event: if (moving_event(m, &e)) continue
 *     moving_draw(m)     now and then; it looks at the clock itself
 *
 * moving_wait does all of it until everything is over, or Ctrl+C. One thread.
 */
#pragma once

#include "cli/cli.h"
#include "cli/progress.h"

enum { MOVING_MAX = ROOST_TRANSFERS_MAX, MOVING_EVERY_MS = 200 };

struct moving_one {
    int64_t number;
    struct progress progress;
    enum roost_file_stage stage; /* that was told */
    bool told, told_left, over;
    int64_t begun_us, told_us;
    uint64_t had;
};

struct moving {
    struct cli *c;
    struct moving_one list[MOVING_MAX];
    size_t n, n_over; /* n_over: of all that ever were */
    int64_t drawn_us;
    size_t lines;   /* on the screen now */
    bool to_stdout; /* the bytes go there: nothing else may */
    int status;     /* of the worst */
};

void moving_init(struct moving *m, struct cli *c);
/* The number of a transfer, or what a call gave instead: then false, and the error is printed. */
bool moving_add(struct moving *m, int64_t number, const char *what);
/* It goes on or ends without being shown. */
void moving_drop(struct moving *m, int64_t number);
/* False: it is not about a transfer of this. */
bool moving_event(struct moving *m, const struct roost_event *e);
void moving_draw(struct moving *m);
void moving_clear(struct moving *m); /* of the lines on the screen */
size_t moving_left(const struct moving *m);
/* "notes.pdf 54 % 3.2 MB/s", of the newest and how many more there are; for a prompt. */
void moving_short(const struct moving *m, struct buf *b);
/* Until all is over. Exit status. Events that are no transfer's go to `other`, or nowhere. */
int moving_wait(struct moving *m, void (*other)(void *arg, const struct roost_event *e), void *arg);
/* Ctrl+C and the like set a flag instead of ending the program; true: it is set. */
void moving_catch(void);
bool moving_interrupted(void);

const char *moving_way(const struct roost_transfer *t); /* "direct"; "" */
void moving_json(struct cli *c, const char *event, const struct roost_transfer *t, double rate,
                 int64_t left_s);
