/* files_serve.h - one client of the file server: what it asked for, and how much of that it has.
 *
 * The same for both models: the loop has many at one desk, a thread has one at its own. The
 * owner calls serve_hear for each request, and serve_go_on whenever there may be room.
 */
#pragma once

#include <stdatomic.h>

#include "lab/classics/desk.h"

/* What all clients of a server share; threads add to it. */
struct serve_all {
    int folder;
    atomic_ullong files, bytes, refused;
    atomic_int clients, most, threads; /* now; at once; of the model threads */
    atomic_bool stop;
};

struct serve_one {
    struct serve_all *all;
    int fd;        /* being sent; -1: none */
    uint64_t left; /* bytes of it */
};

struct serve_one *serve_new(struct serve_all *all); /* or NULL */
void serve_free(struct serve_one *o);
/* While it is busy, no more is heard of it (desk_hold). */
void serve_hear(struct serve_one *o, struct desk *d, const struct desk_event *e);
/* Sends as much as there is room for. If the file became shorter, the connection ends: that is
 * all one can say in the middle of it. */
void serve_go_on(struct serve_one *o, struct desk *d, size_t peer);
