/* dial.h - from a host and a port to a connected socket, never blocking.
 *
 * A name is looked up beside (lookup.h), an address is not. What a name's look-up said is
 * remembered: when the next one has not answered after DIAL_NEXT_US, or fails, those
 * addresses are tried. Addresses are tried in their order; the next one when those before
 * failed, or after DIAL_NEXT_US beside them. The first that answers wins. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "client/lookup.h"

enum {
    DIAL_NEXT_US = 250 * 1000,
    DIAL_TRY_US = 3 * 1000 * 1000, /* for one address */
    DIAL_TRIES_MAX = 4,            /* at once */
    DIAL_ADDRESSES_MAX = 16,       /* of a host; more are not looked at */
};

struct dial_address {
    struct sockaddr_storage at;
    socklen_t len;
};

struct dial_try {
    int fd;
    int64_t ends_us;
};

struct dial {
    int fd;                /* readable when dial_step has something to do; -1: not dialing */
    struct lookup *lookup; /* runs; survives dial_close, so that there is one at a time */
    bool listens;          /* to the lookup */
    char host[256], port[16];
    struct dial_address known[DIAL_ADDRESSES_MAX];
    size_t n_known, next;
    struct dial_try tries[DIAL_TRIES_MAX];
    size_t n_tries;
    int64_t next_us;  /* when `next` is tried */
    char detail[160]; /* why it failed, for people */
};

void dial_init(struct dial *d);
void dial_fini(struct dial *d);
/* Begins anew. 0 or an error. */
int dial_open(struct dial *d, const char *host, const char *port, int64_t now_us);
/* 1: connected, ret_fd is the caller's and nothing is dialed any more; 0: wait; or an error. */
int dial_step(struct dial *d, int64_t now_us, int *ret_fd);
void dial_close(struct dial *d);
int64_t dial_deadline(const struct dial *d);
