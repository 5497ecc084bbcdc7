/* meet_link.h - codes and links of meetings, as people paste them. Pure.
 *
 *     204816   204 816   204-816                    (six to nine digits)
 *     https://hall.example:5000/j/204816#SECRET     (or without the secret)
 *     roost://hall.example:5000/j/204816#SECRET     roost:hall.example/j/204816#SECRET
 *
 * The secret is 128 bits that open the door: it goes to the server inside the
 * protocol and nowhere else, not into a message of error either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/buf.h"

enum { MEET_LINK_CODE_MAX = 16, MEET_LINK_SECRET_MAX = 64, MEET_LINK_SERVER_MAX = 300 };

struct meet_link {
    char server[MEET_LINK_SERVER_MAX]; /* "host:port"; "" for a bare code */
    char code[MEET_LINK_CODE_MAX];
    char secret[MEET_LINK_SECRET_MAX]; /* "": none */
};

/* 0, or -ROOST_INVALID with what is wrong (a constant). */
int meet_link_parse(const char *s, struct meet_link *ret, const char **ret_wrong);
/* How many of these words, as a shell parts them, are the first one: a code is printed with
 * spaces, "204 816", and typed so. At least 1. */
size_t meet_link_words(const char *const *words, size_t n);
/* server as roost_server() has it. */
void meet_link_put(struct buf *b, const char *server, const char *code, const char *secret);
