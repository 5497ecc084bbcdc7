/* worker.h - one worker of workers.h: its thread, its sockets, its sessions.
 *
 * workers.c      the loop's side: starting, words to them and from them
 * worker.c       the thread: waits, reads its sockets, does what is due
 * worker_out.c   what its sessions want to send
 * worker_relay.c what it passes between two ends, unopened
 * worker_media.c media of meetings, forwarded to all who are in them
 */
#pragma once

#include "base/map.h"
#include "flow/flow.h"
#include "net/sleep.h"
#include "net/udp.h"
#include "server/due.h"
#include "server/gate.h"
#include "server/passage.h"
#include "server/wake.h"
#include "server/workers.h"

enum {
    WORKER_SOCKETS_MAX = 16,
    WORDS_MAX = 4096, /* that wait for one worker, or for the loop */
    HANDED_MAX = 256, /* packets that wait from one worker for another */
    CARRIED_VIAS = 4, /* addresses of a session: the proven one, three candidates */
    OUT_BYTES = UDP_RUN_BYTES + PACKET_MTU_MAX,
    TUNNEL_MESSAGE = 16000, /* and its length fit a record of TLS */
};

/* From the loop to a worker, and back. */
struct word {
    enum {
        WORD_OPEN,
        WORD_CLOSE,
        WORD_TUNNEL,
        WORD_FRAMES,
        WORD_HUNG_UP,
        WORD_STOP,
        WORD_RELAY,
        WORD_LEG,   /* bytes: a struct hub_leg */
        WORD_HEARD, /* back; bytes: a struct hub_leg_word */
        WORD_RATE,  /* of a tunnel's connection */
    } what;
    uint32_t id;
    uint64_t conn;
    uint8_t secret[DATAGRAMS_SECRET], seed[32];
    struct blob *bytes;
    struct gate *gate; /* of its tunnel */
    uint8_t side;      /* of a relay */
    bool passes;
    bool soon;     /* WORD_FRAMES, back: of no use when it waits long */
    uint64_t rate; /* bits a second */
};
void word_free(struct word *w);

/* From a worker to the one that the packet is for. */
struct handed {
    struct path_address from;
    struct udp_local to;
    uint8_t socket, ecn;
    uint16_t len;
    uint8_t bytes[];
};

/* Where packets of an address came in; answers leave there. */
struct via {
    struct path_address at;
    struct udp_local local;
    uint8_t socket;
};

/* A session. */
struct carried {
    uint32_t id;
    struct flow *flow;
    struct due due; /* its deadline, in the worker's heap */
    struct via vias[CARRIED_VIAS];
    unsigned next_via;
    uint64_t tunnel; /* the connection; 0: none */
    bool over;       /* its flow is: what is still said is goodbye */
    bool dirty;
    struct carried *next_dirty;
    struct trip *trips; /* worker_trip.h */
    unsigned n_trips;
    uint64_t next_stream; /* lower ones are over */
    struct leg_at *leg;   /* worker_media.c; NULL: it is in no meeting */
};

struct worker_counts {
    _Atomic uint64_t sessions, in, in_bytes, out, out_bytes, strangers, forged, handed_over,
        overflowed, unproven_in, unproven_out, relays, relayed_bytes, media_in, media_forwarded,
        media_datagrams, media_muted, media_unheard, media_dropped, media_again, media_refused;
};

struct trip;
struct passing;    /* worker_relay.c */
struct forwarding; /* worker_media.c */
struct leg_at;

/* Packets of a relay that leave together; they lie in the worker's `out`. */
struct relay_run {
    struct passing *to;
    int side;
    size_t used, segment;
    unsigned n;
    int ecn;
    bool closed;
};

struct worker {
    struct workers *all;
    unsigned index;
    uv_thread_t thread;
    bool started;
    int event; /* eventfd: something is in inbox or handed */
    struct sleep sleep;
    struct udp *udp[WORKER_SOCKETS_MAX];
    unsigned n_udp;
    struct passage inbox, outbox;
    struct passage handed[WORKERS_MAX]; /* from that one */
    struct map sessions;
    struct map relays; /* worker_relay.h */
    struct relay_run run;
    struct forwarding *media;
    struct dues dues;
    struct carried *dirty;
    struct trip *unclosed; /* over, but the depot had no room to hear of it */
    struct worker_counts counts;
    bool stopping;
    int64_t now_us, came_us; /* came: when the packet did that is being read */
    int64_t day_us, read_us; /* the time of the day is so much more; when sockets were read last */
    unsigned n_trips;        /* of all sessions */
    uint8_t *out;            /* OUT_BYTES: a run of datagrams */
};

struct workers {
    struct workers_settings settings;
    struct worker *each[WORKERS_MAX];
    unsigned n;
    uint16_t port;
    struct wake wake;
    bool waking, stopped;
    _Atomic bool awaited; /* the loop is to hear when words were taken */
    struct word **late;   /* words that found their passage full: they go first */
    size_t n_late, cap_late;
};

/* What it sleeps for, before its thread begins: who cannot sleep never takes the word that it is
 * to stop. 0 or -ROOST_IO. */
int worker_begin(struct worker *w);
void worker_main(void *worker);
void worker_wake(struct worker *w);
/* The session has something to say, or time is to be asked again. */
void worker_touch(struct worker *w, struct carried *c);
void worker_let_go(struct worker *w, uint64_t conn); /* of a tunnel; 0: none */
/* Its tunnel is gone: datagrams are tried again. */
void worker_hang_up(struct worker *w, struct carried *c);
/* To the loop. False: it is full; the thing was freed. */
bool worker_tell(struct worker *w, struct word *word);

/* --- worker_out.c --- */

struct path_address path_of(const union address *a);
bool worker_address(const struct path_address *p, union address *ret);
/* Where answers to that address leave; NULL: nothing came from there lately. */
const struct via *worker_via(const struct carried *c, const struct path_address *at);
/* All that have something to send do, and know when they are due again. */
void worker_send(struct worker *w);
void worker_send_one(struct worker *w, struct carried *c);
