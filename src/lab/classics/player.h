/* player.h - a program that plays what it gets on its standard input, while it comes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct player {
    pid_t pid; /* 0: none runs */
    int fd;    /* its standard input; -1: closed */
};

/* "mpv …" or "ffplay …", whichever is there first; NULL: neither. */
const char *player_default(void);
/* By the shell. 0 or -ROOST_IO; what it prints goes to our standard error. */
int player_start(struct player *p, const char *command);
/* How much it took; 0: none now; -ROOST_CLOSED: it reads no more. */
ssize_t player_feed(struct player *p, const uint8_t *bytes, size_t len);
void player_end_input(struct player *p);
bool player_is_over(struct player *p); /* it has ended by itself */
void player_stop(struct player *p);    /* if it has not, it is ended */
