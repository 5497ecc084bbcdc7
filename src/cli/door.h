/* door.h - a door for a player: HTTP on the loopback that gives a body's bytes as they come, with
 * Range, so that a seek asks for what it needs.
 *
 *     door_open(d, size, name)         then door_url(d) is what the player is told
 *     poll door_fds(d), door_process(d)
 *     if (door_wants(d, &from))        fetch bytes from there, then door_give(d, from, bytes, n)
 *
 * Its address holds a random word, so other users of the machine do not find in. A request
 * with another word gets 404. Memory: one request and what it is given a connection. One thread.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/http.h"

enum { DOOR_GUESTS_MAX = 8, DOOR_BYTES_MAX = 65536, DOOR_URL_MAX = 600 };

struct door_guest {
    int fd; /* -1: none */
    struct http_reader *reader;
    uint64_t turn;   /* of its last request: the newest is served first */
    uint64_t at, to; /* bytes that are still to be given; at == to: none */
    uint8_t *out;    /* DOOR_BYTES_MAX + a head */
    size_t out_len, out_done;
    bool ends; /* closed when all is out */
};

struct door {
    int fd;
    uint64_t size, turns;
    char path[300], url[DOOR_URL_MAX];
    struct door_guest guests[DOOR_GUESTS_MAX];
};

/* 0, -ROOST_IO, -ROOST_NOMEM. size must be known. */
int door_open(struct door *d, uint64_t size, const char *name);
void door_close(struct door *d);
/* Returns how many of fds (DOOR_GUESTS_MAX + 1) are to be polled. */
size_t door_fds(const struct door *d, struct pollfd *fds);
void door_process(struct door *d);
/* False: nobody waits for bytes. */
bool door_wants(const struct door *d, uint64_t *ret_from);
void door_give(struct door *d, uint64_t from, const uint8_t *bytes, size_t n);

/* "bytes=5-", "bytes=0-99", "bytes=-10", NULL: all. False: it cannot be met. */
bool door_range(const char *range, uint64_t size, uint64_t *ret_from, uint64_t *ret_to);
