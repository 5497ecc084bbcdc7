/* edge.h - all connections of the server, and the hub behind them.
 *
 * One loop, one thread. Input goes to the hub as it comes; what the hub wants
 * sent is queued with the peer, and each peer that has something is written to
 * once a turn of the loop, all its lines in as few TLS records as they fit in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "hub/hub.h"
#include "server/depot.h"
#include "server/hasher.h"
#include "server/health.h"
#include "server/hold.h"
#include "server/keeper.h"
#include "server/metrics.h"
#include "server/pages.h"
#include "server/peers.h"
#include "server/sources.h"
#include "server/storer.h"
#include "server/tls.h"
#include "server/trim.h"
#include "server/workers.h"

enum {
    EDGE_PLAIN_MAX = 16384, /* the contents of one TLS record */
    /* Several full records leave in one write. */
    EDGE_CIPHER_CHUNK = 4 * 16384,
    EDGE_CIPHER_MAX = EDGE_CIPHER_CHUNK + 2 * (16384 + 512),
};

/* Peers with a deadline, oldest first: all in one list have the same patience. */
enum timed {
    TIMED_NONE,
    TIMED_HANDSHAKE, /* until TLS is done, and the first frame or request has begun */
    TIMED_HTTP,      /* until its request is there, and the answer has left */
    TIMED_ANSWER,    /* somebody here owes what the answer to it needs */
    TIMED_CLOSING,
    TIMED_NR
};

struct edge_settings {
    uint32_t conns_max, http_max;
    uint32_t handshakes_max;            /* that have not said what they want yet */
    uint32_t handshakes_source;         /* of one source */
    uint32_t store_waiting, hashes_max; /* for the metrics only */
    const char *metrics_token;          /* borrowed */
    size_t queue_max;                   /* bytes waiting for one peer */
    int64_t wait_us[TIMED_NR];          /* the patience of each list */
};

struct edge_stats {
    uint64_t accepted, refused, handshakes_failed, slow, malformed, timed_out;
    uint64_t crowded_out; /* half open, and closed for one that came later */
    uint64_t records, writes, bytes_in, bytes_out, sends;
    uint64_t answers[METRIC_STATUS_NR]; /* to HTTP requests */
    uint64_t bytes_queued;
};

struct edge {
    uv_loop_t *loop;
    struct hub *hub;
    struct storer *storer;
    struct hasher *hasher;
    struct keeper *keeper; /* set by its owner, who may be late */
    struct workers *workers;
    struct depot *depot;
    const struct tls *tls;
    BIO_METHOD *bio; /* how the SSL of a peer moves bytes */
    struct edge_settings settings;
    struct edge_stats stats;

    struct peers peers;
    struct trim trim;

    struct peer *dirty; /* have output; linked by peer->next_dirty */
    uint32_t n_dirty;
    struct hold hold;
    uint64_t seen_sends, seen_bytes; /* of stats, by hold */
    struct peers_list timed[TIMED_NR];
    struct sources conns, half_open; /* of each source: all; in TIMED_HANDSHAKE */
    /* Sent something while they shake hands: a turn of the loop does one, as each costs
     * more than a hundred lines, and those who talk have their turn in between. */
    struct peers_list shakes;
    uv_idle_t shake;
    /* Tunnels that are not read from, in the order of their shutting. */
    struct peers_list shut;
    struct now started;
    struct health health;
    char web_policy[PAGES_POLICY_MAX];
    bool draining, pulling;
    int64_t hub_due_us;
    uv_prepare_t flush;
    uv_timer_t hub_timer, tick, hold_timer;

    uint8_t *plain;  /* EDGE_PLAIN_MAX: read into, or joined in */
    uint8_t *cipher; /* EDGE_CIPHER_MAX: records on their way out */
    size_t cipher_len;
};

int edge_init(struct edge *e, uv_loop_t *loop, const struct edge_settings *settings);
/* Sets who is behind; before the first edge_accept. */
void edge_attach(struct edge *e, struct hub *hub, struct storer *storer, struct hasher *hasher,
                 const struct tls *tls);

/* Takes fd over. When too many are half open, the oldest of those makes room: of the
 * same source when that has too many, else of the source that has most. */
void edge_accept(struct edge *e, int fd, uint64_t source);

/* The answer; title is for MEETING_LIVE. One that comes too late is dropped. */
void edge_on_title(struct edge *e, uint64_t conn, enum meeting_shown what, const char *title);

/* Called by storer and hasher. */
void edge_on_stored(void *edge, struct store_result *r);
void edge_on_depot(void *edge, const struct hub_depot_word *word);
void edge_on_depot_job(void *edge, struct depot_job *job); /* takes it */
void edge_on_kept(void *edge, uint64_t token, const struct hub_kept *kept);
void edge_on_probed(void *edge, int err);
void edge_on_hashed(void *edge, uint64_t token, int err, bool ok, const char *encoded);

/* Called by workers, of tunnels. */
void edge_on_frames(void *edge, uint64_t conn, struct blob *bytes, bool soon);
void edge_on_over(void *edge, uint64_t conn);
void edge_on_leg(void *edge, const struct hub_leg_word *word);
void edge_on_taken(void *edge);

/* The end has three steps. Tells the hub, which tells all peers; nothing more is
 * read. When the store has done what waits: */
void edge_drain(struct edge *e);
/* Sends what is queued and closes all peers; e->peers.n becomes 0. Then: */
void edge_finish(struct edge *e);
/* Peers that have not got everything yet. */
uint32_t edge_sending(const struct edge *e);
/* Closes everything at once; run the loop once more, then edge_fini. */
void edge_stop(struct edge *e);
void edge_fini(struct edge *e);

/* --- for peer.c, web_conn.c and edge_hub.c --- */

struct now edge_now(void);
/* Does what the hub wants done. */
void edge_pull(struct edge *e);
void edge_mark_dirty(struct edge *e, struct peer *p);
void edge_time(struct edge *e, struct peer *p, enum timed list);
void edge_forget(struct edge *e, struct peer *p);
/* It wants to go on with its handshake: peer_shake will be called in its turn. */
void edge_shake_later(struct edge *e, struct peer *p);
/* It is not read from until edge_on_taken. */
void edge_shut(struct edge *e, struct peer *p);
/* Is e->health of now? If not, it is asked for: web_conn_on_health will be called. */
bool edge_knows_health(struct edge *e);
/* Are no more than http.max peers speaking HTTP? */
bool edge_has_room_for_web(const struct edge *e);
