/* near_inside.h - what near.c (sending) and near_receive.c have in common: the line of the
 * terminal, the words. */
#pragma once

#include "cli/moving.h"
#include "cli/near.h"

enum { NEAR_LINE = 256, NEAR_NAME = 63 };

/* A question on the terminal, while the connection lives on. */
struct near_ask {
    char asked[3 * NEAR_LINE]; /* "": none stands */
    char line[NEAR_LINE];      /* what was answered last */
};

/* A line for people that is no result: beside what goes to the standard output. */
void near_tell(struct moving *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
void near_question(struct near_ask *q, struct moving *m, const char *text);
/* A line, if there is one; an end of input is an empty line. The question is over then. */
bool near_answered(struct near_ask *q);

/* "anna on laptop" */
void near_my_name(char ret[static NEAR_NAME + 1]);
int near_open(struct cli *c); /* a handle without a server; exit status */
/* They are there, to be compared. */
void near_words(struct moving *m, const struct roost_transfer *t);
