/* hub.h - the rules: accounts, rooms, talk, presence, administration.
 *
 * A state machine without sockets, clocks, threads or disk. The edge (or the
 * simulator) tells it what happened and then pulls what is to be done:
 *
 *     hub_on_frame(hub, conn, body, len, now);
 *     while (hub_next_output(hub, &out))
 *         edge_do(&out);
 *
 * Two phases: a request is checked and becomes one store operation; when that
 * is stored (hub_on_stored, in the order of emission) it takes effect, is
 * delivered and answered. What is told to a room is joined until all is pulled: who
 * tells a hub several things before it pulls has fewer to send. Not thread-safe: a hub belongs to
 * one loop.
 *
 * Files: hub.c connections and dispatch, shard.c who may touch which state,
 * rules.c the table from message to handler and right, and one file a noun.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "bus/bus.h"
#include "store/store.h"

struct now {
    int64_t mono_us; /* never steps; deadlines are in it */
    int64_t wall_ms; /* since 1970 UTC; may step */
};

enum hub_registration { REGISTRATION_OPEN, REGISTRATION_INVITE, REGISTRATION_ADMIN };
enum hub_broadcast { BROADCAST_EVERYONE, BROADCAST_MODERATORS, BROADCAST_ADMINS };

/* Every setting that the rules read; src/server/config.c fills it from file and
 * options, hub_config_default() from the code. */
struct hub_config {
    enum hub_registration registration;
    bool open_to_local; /* registration is open for private and loopback addresses */
    enum hub_broadcast broadcast;
    bool log_private_text;
    uint32_t say_rate, say_burst; /* messages by user: 10 a second, burst 50 */
    uint32_t text_max;            /* 16384 bytes */
    uint32_t login_tries;         /* 5 in login_window */
    int64_t login_window_ms, login_block_ms, login_block_max_ms;
    uint32_t source_accounts, account_tries; /* 20, 100 */
    uint32_t sessions_max;                   /* of an account: 20 */
    uint32_t conns_max;                      /* 20000 */
    uint32_t hashes_max;                     /* hashing jobs that may wait: 64 */
    bool guests_may_host;    /* start a meeting with just a name, where registration is open */
    uint32_t guests_hour;    /* of one source: 200 */
    uint32_t code_digits;    /* of a meeting: 6, or 9 */
    uint32_t code_tries;     /* wrong bare codes an hour from one source, or account: 10 */
    uint32_t code_tries_all; /* and a day from all sources: 8000 */
    bool files, files_away;  /* the server keeps parcels (HUB_DEPOT); for one who is away too */
    bool codes;              /* two who have no account find each other by a number */
    bool relays;             /* packets are passed between two ends */
    bool file_paths;         /* what is kept can be had by HTTPS */
    uint64_t file_max, file_quota_user, file_quota_room; /* bytes; 0: without limit */
    uint32_t file_days;  /* so long it is kept; 0: until somebody forgets it */
    bool datagrams;      /* somebody carries them (HUB_DATAGRAMS) */
    uint32_t media_port; /* UDP; 0: only in tunnels */
    uint32_t workers;    /* that carry them: a power of two, the low bits of a session say which */
    uint32_t speakers;   /* of a meeting, whose voices are forwarded: 5 */
    bool unsealed;       /* media of new meetings is not sealed end to end, if nobody says so */
    int64_t idle_ms;     /* a silent client is taken for dead: 60000 */
    uint8_t server_id[16];
    uint8_t server_secret[32]; /* kept in the data directory; tokens are derived from it */
};
void hub_config_default(struct hub_config *c);

/* Where a connection comes from. */
struct hub_peer {
    char address[64]; /* "192.0.2.7", for the log, who and admins */
    char source[64];  /* what is counted: an IPv4 address, or an IPv6 /56 */
    bool local;       /* loopback or private */
};

enum hub_output_kind {
    HUB_SEND,  /* len of bytes from `at` on (frames) to conn; the edge unrefs */
    HUB_CLOSE, /* close conn after what was sent; hub_on_close will not be called for it */
    HUB_STORE, /* op; the edge unrefs when it has been applied */
    HUB_HASH,  /* hash: verify or make a password hash on another thread */
    HUB_KEEP,  /* keep: backup, restore, check, figures; hub_keep_fini, hub_on_kept */
    HUB_TITLE, /* the answer to hub_ask_title; title is the edge's, to free */
    HUB_FILE,  /* the answer to hub_ask_file; depot: the grant, unless err says why there is none */
    HUB_DEPOT, /* depot: what is to become of kept parcels; hub_depot_fini, hub_on_depot */
    HUB_DATAGRAMS, /* datagrams: keys that are good from now on, or no more */
    HUB_LEG,       /* leg: what is forwarded of the media of meetings */
};

struct hub_hash {
    uint64_t token;
    bool verify;    /* false: make an encoded hash of password */
    char *password; /* heap; hub_hash_fini wipes and frees */
    char *encoded;  /* heap; verify: to compare with */
    uint8_t salt[16];
};
void hub_hash_fini(struct hub_hash *h);

enum { DATAGRAMS_SECRET = 32, DATAGRAMS_TOKEN = 16 };

/* To whoever carries datagrams. */
struct hub_datagrams {
    /* TUNNEL: what comes over conn are frames of this session; the hub has let go of it.
     * RELAY: packets of this number are passed between its two ends. */
    enum { DATAGRAMS_OPEN, DATAGRAMS_CLOSE, DATAGRAMS_TUNNEL, DATAGRAMS_RELAY } what;
    uint32_t id;
    uint8_t secret[DATAGRAMS_SECRET]; /* OPEN; RELAY: both tokens; the taker wipes it */
    uint8_t side;                     /* TUNNEL of a relay: whose token it was, 0 or 1 */
    bool passes; /* RELAY: else it only answers where it sees the ends; TUNNEL: of a relay */
    uint64_t conn;
};

/* To whoever carries datagrams, and forwards media: its tables (relay/relay.h). A leg is a
 * device's session of datagrams in a meeting; all legs of a meeting are on one worker. */
struct hub_leg {
    enum {
        LEG_ENTER,
        LEG_LEAVE, /* with its streams */
        LEG_MOVE,  /* to session `to`, as soon as that knows its way */
        LEG_PUBLISH,
        LEG_UNPUBLISH,
        LEG_MUTE, /* its stream, or no more */
        LEG_WANT, /* relay_want */
    } what;
    uint32_t id, to;
    uint32_t number; /* ENTER: of the device in the meeting */
    uint64_t meeting, stream;
    enum { LEG_PICTURE, LEG_VOICE, LEG_SOUND /* heard whoever speaks */ } kind;
    bool muted;
    uint8_t encoding;
    int temporal;
};

/* What is measured of a path (stream 0) or a stream. */
struct hub_figures {
    uint64_t stream, bits, estimate;
    uint32_t rtt_us, jitter_us, loss_ppm, left_ppm, held_us, concealed_ppm, why, why_value;
    bool sent, tunnel;
};

enum { LEG_FIGURES_MAX = 8 };

/* From there. */
struct hub_leg_word {
    enum {
        LEG_SPEAKER, /* number: of the device that is shown as the speaker now; 0: nobody */
        LEG_FIGURES, /* of the leg of device `number` */
    } what;
    uint64_t meeting;
    uint32_t number, n_figures;
    struct hub_figures figures[LEG_FIGURES_MAX];
};

/* What an admin asks of whoever keeps the server's data. */
struct hub_keep {
    uint64_t token;
    /* KEEP_LEFT: who asked on conn is gone; it is not answered. */
    enum { KEEP_BACKUP, KEEP_CHECK, KEEP_RESTORE, KEEP_STATS, KEEP_LEFT } what;
    uint64_t conn, account, work; /* work 0: begin */
    uint64_t size, offset;
    uint8_t *data; /* heap */
    size_t n_data;
    bool all, go;
};
void hub_keep_fini(struct hub_keep *k);

enum { FILE_TOKEN = 16, FILE_NAME_MAX = 255 };

/* To whoever keeps parcels. */
struct hub_depot {
    enum {
        DEPOT_TAKE,   /* who shows the token sends this parcel */
        DEPOT_GIVE,   /* who shows the token may have it, until until_us */
        DEPOT_STORED, /* the answer to DEPOT_KEPT: err, or 0: it is an event now */
        DEPOT_OVER, /* of a parcel: no token is good any more, who gets it is cut off, what came of
                     * it goes */
        DEPOT_DROP, /* nobody refers to these contents */
        DEPOT_BAR,  /* see hub_depot_bars: those tokens and what goes on by them end */
    } what;
    int err;
    uint64_t room, sender; /* TAKE, GIVE: of the parcel; BAR: in this room only, 0: in all */
    uint64_t session;      /* TAKE, GIVE: whose it is; BAR: this one, with of_sessions; 0: all */
    uint64_t but;          /* BAR: not this session */
    bool of_sessions;      /* BAR: the account's sessions ended, and not the account */
    bool takes;            /* BAR, OVER: only what is sent */
    bool arrives;          /* GIVE: it is not whole yet, and given as it comes */
    int64_t made_ms;       /* TAKE, GIVE: of the parcel */
    uint64_t file, account, size, size_max, list_size;
    bool open_size, has_root, has_list;
    uint8_t root[32], list_root[32];
    uint8_t token[FILE_TOKEN];
    int64_t until_us;
    uint64_t born; /* the depot's: its place among all orders */
    char *name;    /* heap; of GIVE */
};
void hub_depot_fini(struct hub_depot *d);
/* Of TAKE or GIVE: does this BAR end it? One without an account is of all who are in its room; one
 * without a room is of an account that is gone: what it sent ends for all. */
bool hub_depot_bars(const struct hub_depot *bar, const struct hub_depot *grant);

/* From there. */
struct hub_depot_word {
    enum {
        DEPOT_KEPT,   /* the parcel is whole, verified and synced: its size and roots */
        DEPOT_FAILED, /* it cannot be: err */
        DEPOT_GOT,    /* account has all of it */
        DEPOT_FOUND,  /* contents that are there since before: does anybody refer to them? */
        DEPOT_PART,   /* a part that is there since before: does it go on? */
        DEPOT_ROOM,   /* size: bytes that may still be taken */
        DEPOT_LOST,   /* these contents are damaged or gone: whoever has them is to send them */
    } what;
    int err;
    uint64_t file, account, size;
    bool has_list;
    uint8_t root[32], list_root[32];
};

struct hub_stat {
    const char *name;
    uint64_t value;
    const char *text; /* NULL: the value */
};

/* The answer; all is borrowed. */
struct hub_kept {
    int err;
    uint64_t work;
    uint32_t stage; /* Roost__WorkStage */
    uint64_t done, total, offset;
    const uint8_t *data;
    size_t n_data;
    const uint8_t *sha256; /* 32 bytes, or NULL */
    const char *text;      /* or NULL */
    const struct hub_stat *stats;
    size_t n_stats;
};

struct hub_output {
    enum hub_output_kind kind;
    uint64_t conn;
    struct blob *bytes;
    uint32_t at, len;
    struct store_op *op;
    struct hub_hash hash;
    struct hub_keep keep;
    struct hub_datagrams datagrams;
    struct hub_leg leg;
    struct hub_depot depot;
    char *title; /* "" when err says why there is none */
    int err;
};

struct hub;

/* The hub owns neither the bus nor the store. seed: 32 random bytes. */
struct hub *hub_new(const struct hub_config *config, struct bus *bus, const uint8_t seed[static 32],
                    struct now now);
void hub_free(struct hub *h);
int hub_set_config(struct hub *h, const struct hub_config *config); /* SIGHUP */

enum hub_close { HUB_CLOSE_GONE, HUB_CLOSE_SLOW /* its queue in the edge was full */ };

/* conn: a number chosen by the edge, never used twice. */
int hub_on_connect(struct hub *h, uint64_t conn, const struct hub_peer *peer, struct now now);
void hub_on_frame(struct hub *h, uint64_t conn, const uint8_t *body, size_t len, struct now now);
void hub_on_close(struct hub *h, uint64_t conn, enum hub_close why, struct now now);
/* Takes the result over. */
void hub_on_stored(struct hub *h, struct store_result *result, struct now now);
/* ok: verified; encoded: the hash that was made (copied), or NULL when it failed. */
void hub_on_hashed(struct hub *h, uint64_t token, bool ok, const char *encoded, struct now now);
/* It could not be hashed: the request is refused, and nothing counts as wrong. */
void hub_on_unhashed(struct hub *h, uint64_t token, struct now now);
void hub_on_kept(struct hub *h, uint64_t token, const struct hub_kept *kept, struct now now);
void hub_on_depot(struct hub *h, const struct hub_depot_word *word, struct now now);
void hub_on_leg(struct hub *h, const struct hub_leg_word *word, struct now now);
/* What is the meeting with this code called? A page asks, which counts as a guess; the answer
 * is HUB_TITLE with the same conn. -ROOST_BUSY, -ROOST_NOMEM: there will be none. */
int hub_ask_title(struct hub *h, uint64_t conn, const char *code, const struct hub_peer *peer,
                  struct now now);
/* May who shows this word of a session (SessionInfo.bearer) have this kept file by HTTPS? The
 * answer is HUB_FILE with the same conn. -ROOST_LOGIN_NEEDED: it is no such word; -ROOST_BUSY,
 * -ROOST_NOMEM. */
int hub_ask_file(struct hub *h, uint64_t conn, uint64_t file, const char *bearer,
                 const struct hub_peer *peer, struct now now);
void hub_expire(struct hub *h, struct now now);
int64_t hub_deadline_us(const struct hub *h); /* mono_us; INT64_MAX = none */
/* Everyone is told that the server goes down; no request is taken after it. */
void hub_drain(struct hub *h, struct now now);

/* A sentence for all admins who are on. */
void hub_tell_admins(struct hub *h, const char *text, struct now now);
/* Every session ends, as it does when another database takes this one's place. */
void hub_end_sessions(struct hub *h, struct now now);

bool hub_next_output(struct hub *h, struct hub_output *ret);

/* A fresh one-time invitation for an admin (start on an empty store): the text
 * to show, and the operation to store it. */
struct store_op *hub_first_admin(struct hub *h, char ret_token[static 48], struct now now);

struct hub_stats {
    uint64_t conns, sessions, rooms_loaded, requests, refusals, events_out, dups, stores_failed,
        offers, parcels, codes, media_devices;
    size_t bytes; /* rough size of all state, to show that it is bounded */
};
void hub_stats(const struct hub *h, struct hub_stats *ret);
