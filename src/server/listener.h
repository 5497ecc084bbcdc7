/* listener.h - the sockets that connections come in on. */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "server/addr.h"
#include "server/edge.h"

enum { LISTENERS_MAX = 16 };

struct listener {
    struct listener_socket {
        uv_poll_t poll;
        struct listener *owner;
        int fd;
    } sockets[LISTENERS_MAX];
    unsigned n;
    uv_loop_t *loop;
    struct edge *edge;
    uv_timer_t again; /* runs while nothing is accepted */
    int64_t told_us;  /* when the log last spoke of that */
    uint16_t port;
    bool open;
};

/* Opens one socket for each address in the list (separated by commas), all on
 * one port; 0 takes a free one, see ->port. Logs what is wrong. An address of a
 * family that this machine lacks is left out, if there is another one.
 * -ROOST_BUSY: the port is taken. */
int listener_open(struct listener *l, const char *addresses, uint16_t port);
/* Are they addresses? Logs the first that is not. */
int listener_check(const char *addresses);
/* The address and port of one socket, as addr_text has it. */
void listener_name(const struct listener *l, unsigned i, char out[static ADDR_TEXT_MAX]);
/* Accepts from now on. */
int listener_start(struct listener *l, uv_loop_t *loop, struct edge *edge);
void listener_stop(struct listener *l);
