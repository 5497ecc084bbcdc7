/* workers.h - those who carry datagrams: a thread a processor, each with sockets of its own.
 *
 * All are bound to the same UDP port; the kernel gives a packet to the worker that the low
 * bits of its session name (a filter over SO_REUSEPORT, by the order in which the sockets were
 * opened, so they are opened once and kept). Where the kernel has no such filter, whoever
 * gets another's packet hands it over. A session lives on one worker: nothing is shared, so
 * nothing is locked. Workers never read disks.
 *
 * Belongs to the loop: sessions come and go by word (a ring and an eventfd), and so do the
 * frames of those that travel in a tunnel, a TLS connection of the loop's.
 */
#pragma once

#include <uv.h>

#include "base/blob.h"
#include "hub/hub.h"
#include "server/gate.h"

enum { WORKERS_MAX = 16 };

struct depot;

struct workers_settings {
    const char *listen;  /* addresses, separated by commas */
    uint16_t port;       /* 0: no UDP, tunnels only */
    bool must;           /* a port that is taken is an error; else it is done without */
    bool unsteered;      /* without the filter, for tests */
    unsigned n;          /* a power of two; 0: one a processor */
    uint32_t speakers;   /* of a meeting, that are heard */
    struct depot *depot; /* borrowed, stopped before the workers are; NULL: no files */
    /* On the loop. A message of a tunnel, with its length before it; takes the reference. */
    /* soon: media, which is of no use when it waits long. */
    void (*on_frames)(void *ctx, uint64_t conn, struct blob *bytes, bool soon);
    /* This connection carries no session any more: it is to be closed. */
    void (*on_over)(void *ctx, uint64_t conn);
    /* What was seen of the legs of meetings. */
    void (*on_leg)(void *ctx, const struct hub_leg_word *word);
    /* What workers_await asked for. */
    void (*on_taken)(void *ctx);
    void *ctx;
};

struct workers_stats {
    uint64_t sessions;
    uint64_t in, in_bytes, out, out_bytes; /* datagrams */
    uint64_t strangers;                    /* of no session that is known */
    uint64_t forged;                       /* that did not open, replays among them */
    uint64_t handed_over;                  /* came to another's socket */
    uint64_t overflowed;                   /* we were too slow */
    uint64_t relays, relayed_bytes;
    uint64_t media_in, media_forwarded, media_datagrams; /* parts that came, copies, datagrams */
    uint64_t media_muted, media_unheard;                 /* parts that went nowhere */
    uint64_t media_dropped, media_again; /* copies; sent again, or along with others */
    uint64_t media_refused;              /* legs and streams that there was no room for */
    uint64_t unproven_in, unproven_out;  /* bytes from and to addresses that are not proven */
};

struct workers;

/* Opens sockets and starts threads. Logs what is wrong. -ROOST_BUSY, -ROOST_NOMEM, -ROOST_IO. */
int workers_new(struct workers **ret, uv_loop_t *loop, const struct workers_settings *s);
uint16_t workers_port(const struct workers *w); /* 0: none */
unsigned workers_n(const struct workers *w);

/* Takes the secret out of it. */
void workers_put(struct workers *w, struct hub_datagrams *d);
/* What is forwarded of media, from now on. */
void workers_leg(struct workers *w, const struct hub_leg *leg);
/* Messages of a tunnel, each with its length before it; takes the reference, and holds the gate
 * until the worker has done with them: with the gate shut there are to be no more. False: out of
 * memory, close it. */
bool workers_frames(struct workers *w, uint32_t session, uint64_t conn, struct gate *gate,
                    struct blob *bytes);
/* When words were taken after this, on_taken is called (it may be called more often). Behind it,
 * look once more at the gate that was shut. */
void workers_await(struct workers *w);
/* What the connection of a tunnel carries, in bits a second. */
void workers_rate(struct workers *w, uint32_t session, uint64_t conn, uint64_t rate);
void workers_hung_up(struct workers *w, uint32_t session, uint64_t conn);

void workers_stats(const struct workers *w, struct workers_stats *ret);

/* Says goodbye to all; the threads end. Run the loop once more, then workers_free. */
void workers_stop(struct workers *w);
void workers_free(struct workers *w); /* NULL is fine */
