/* wire.h - a modelled TCP connection between a client core and the hall.
 *
 * Two stream links, the server's reader of frames, and the server's queue in
 * front of a link that is full. Each end has its own opinion on whether the
 * connection is there: a cut wire tells nobody. The world calls; time is given.
 */
#pragma once

#include "lab/link.h"
#include "wire/frame.h"

enum {
    WIRE_QUEUE_MAX = 4096,          /* blobs */
    WIRE_QUEUE_BYTES_MAX = 1 << 20, /* past it the reader is too slow */
    WIRE_PIECE_BYTES = 32 << 10,    /* larger ones would never fit into the link's queue */
    WIRE_PIECES_MAX = 3,            /* a frame arrives in up to so many */
};

struct wire {
    bool used;
    int actor;
    uint64_t conn;
    struct link up, down;
    struct frame_reader reader;
    struct blob *queue[WIRE_QUEUE_MAX];
    size_t queue_at, queue_n;
    uint64_t queue_bytes;
    bool client_open, server_open;
    bool ending;    /* closes when all was delivered */
    bool too_slow;  /* the queue is over its limit */
    int64_t syn_us; /* when the server accepts; INT64_MAX = did */
    int64_t fin_us; /* when the server hears that the client closed */
    int64_t rst_us; /* when the client hears that the server is gone */
};

void wire_open(struct wire *w, uint64_t conn, int actor, const struct link_config *config,
               struct dice *dice, int64_t now_us);
void wire_free(struct wire *w);

/* In pieces, as TCP may. */
void wire_send_up(struct wire *w, struct blob *b, struct dice *dice, int64_t now_us);
/* false: the queue is over its limit. */
bool wire_send_down(struct wire *w, struct blob *b, int64_t now_us);
void wire_pump(struct wire *w, int64_t now_us); /* from the queue into the link */

/* The server died. */
void wire_reset(struct wire *w, int64_t now_us);
void wire_set_down(struct wire *w, bool down, int64_t now_us);
bool wire_is_drained(const struct wire *w);
int64_t wire_deadline_us(const struct wire *w);
