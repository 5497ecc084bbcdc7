/* peer.h - one connection: socket, TLS, and which protocol it speaks.
 *
 *     HANDSHAKE -> ROOST | HTTP -> FINISHING -> LINGERING -> (gone)
 *                  ROOST -> TUNNEL -> FINISHING
 *
 * TUNNEL carries frames of datagrams to the worker of its session and back (workers.h); while its
 * gate is shut it is not read from. FINISHING sends what waits, then says goodbye; LINGERING reads
 * and drops what the other side still sends, for a while: closing at once would reset the
 * connection, and the last lines would be lost on their way. A peer costs little before its first
 * bytes (no TLS object), and its handshake goes on in its turn. Every state may end at once
 * (peer_kill). The memory goes when libuv has let go of the handle.
 */
#pragma once

#include <openssl/ssl.h>
#include <uv.h>

#include "server/edge.h"
#include "server/queue.h"
#include "wire/frame.h"

struct web_conn;

enum peer_state {
    PEER_HANDSHAKE,
    PEER_ROOST,
    PEER_HTTP,
    PEER_TUNNEL,
    PEER_FINISHING,
    PEER_LINGERING,
    PEER_GONE
};

struct peer {
    uv_poll_t poll;
    struct edge *edge;
    uint64_t number; /* the hub's name for it; never used twice */
    int fd;
    uint8_t state, events, timed;
    uint8_t reads_left; /* system calls that this turn may still make */
    bool is_dirty, said_goodbye, closed, waits_to_shake, is_shut;
    uint64_t source;  /* addr_source */
    uint32_t session; /* PEER_TUNNEL, and so is gate */
    bool relays;      /* it is of a relay: what it does not take is lost */
    struct gate *gate;
    int64_t rate_us; /* it was asked then what the connection carries */
    SSL *ssl;        /* NULL until its first bytes come */
    struct frame_reader frames;
    struct queue queue;
    uint8_t *left; /* records that the socket would not take yet */
    uint32_t left_len, left_at;
    struct web_conn *web; /* PEER_HTTP */
    struct peer *next_dirty;
    struct peers_link links[PEERS_KINDS];
    int64_t due_us;
};

/* Through which a peer's SSL moves bytes; NULL when out of memory. */
BIO_METHOD *peer_bio_new(void);

/* NULL: out of memory; fd is then closed. */
struct peer *peer_new(struct edge *e, uint64_t number, int fd);
/* Where it comes from. */
void peer_who(const struct peer *p, struct hub_peer *ret);
/* One reference to bytes; written at the end of the turn. */
void peer_send(struct peer *p, struct blob *bytes);
void peer_send_part(struct peer *p, struct blob *bytes, uint32_t at, uint32_t len);
/* Of no use after that time: then it goes, if it was not begun. */
void peer_send_until(struct peer *p, struct blob *bytes, int64_t until_us);
/* Sends what waits, then closes. The hub knows, or is never to know. */
void peer_finish(struct peer *p);
/* Its gate may be open again. */
void peer_open(struct peer *p);
/* Its turn to shake hands has come. */
void peer_shake(struct peer *p);
/* At once. The hub is not told. */
void peer_kill(struct peer *p);
/* At once; the hub is told why. */
void peer_lose(struct peer *p, enum hub_close why);
void peer_flush(struct peer *p);
/* Asks the loop for what the state needs. */
void peer_watch(struct peer *p);
/* Its turn to be written to has come; a peer that is gone is freed. */
void peer_undirty(struct peer *p);
