/* reach.h - which way two ends reach each other: addresses are tried, and the best one that works
 * is used.
 *
 * Both ends know keys (seal/pact.h) and tell each other where they may be: their own
 * interfaces, how a server sees them, and that a relay knows them. Each sends sealed questions to
 * all of these, at most REACH_A_SECOND a second (one more, the first that says which way is chosen,
 * waits for nothing), and answers those that open. A way that answered works in both directions.
 * Who called chooses: the best of those that work, after a little patience with better ones; its
 * questions there say so, and the other end follows when it has an answer from there itself:
 * nothing but answers goes to where none came from.
 *
 * Afterwards the way in use is asked when it has been silent, the others rarely; a better one that
 * begins to answer is taken, and so is any other when the one in use falls silent.
 * After REACH_CONSENT_US without a word it is over.
 *
 * Private addresses are tried only within our own networks, or behind the same public
 * address. Pure: time and randomness are given. Plain data but for four cipher contexts of
 * the session. Not thread-safe. Microseconds.
 */
#pragma once

#include "flow/path.h"
#include "seal/rng.h"
#include "seal/session.h"

enum {
    REACH_CANDIDATES_MAX = 10, /* that an end tells, and that are tried */
    REACH_PATHS_MAX = 14,      /* with the relay, and where packets came from */
    REACH_A_SECOND = 20,       /* questions */
    REACH_LIST_MAX = 4 + REACH_CANDIDATES_MAX * 20,
    REACH_LOCALS_MAX = 16,
    REACH_ANSWERS_MAX = 16, /* that wait */
    REACH_PACKET_MAX = 64,
};
#define REACH_TRY_US     (2 * 1000000LL) /* an address is tried at that pace so long ... */
#define REACH_SLOW_US    (5 * 1000000LL) /* ... and then so seldom */
#define REACH_CONSENT_US (15 * 1000000LL)

/* Best first. */
enum reach_way {
    REACH_WAY_NONE,
    REACH_WAY_LAN,    /* straight, within one network */
    REACH_WAY_DIRECT, /* straight, through address translators if there are any */
    REACH_WAY_RELAY,  /* the server passes datagrams on, unopened */
    REACH_WAY_TUNNEL, /* the same, and at least one end reaches it inside TLS only */
};

/* An address of this machine, and the network that it is in. */
struct reach_local {
    struct path_address at;
    uint8_t bits;
};

struct reach_path {
    bool relay;             /* through it; else straight to `at` */
    struct path_address at; /* straight only */
    bool near;              /* in a network of ours */
    bool works;             /* an answer came */
    bool tunnelled;         /* relay: the other end said so */
    bool learnt;            /* by a packet that came from there */
    bool told;              /* caller: the other end knows that this is the way */
    uint8_t challenge[PATH_BYTES];
    int64_t since_us, first_us, asked_us, heard_us; /* first: the first question, asked: the last */
    int64_t rtt_us;                                 /* 0: not known */
    uint32_t asked;                                 /* since an answer came */
};

struct reach_answer {
    bool relay;
    struct path_address at;
    uint8_t token[PATH_BYTES];
};

struct reach {
    bool caller, no_direct, over;
    uint32_t link;
    struct session session;
    struct rng rng;
    struct reach_local locals[REACH_LOCALS_MAX];
    unsigned n_locals;
    struct path_address observed;       /* ours, as a server sees it */
    struct path_address their_observed; /* as they told */
    bool relay_ready, relay_tunnelled;  /* our leg to it */
    struct reach_path paths[REACH_PATHS_MAX];
    unsigned n_paths, turn;
    int now, wanted; /* of paths; -1: none */
    struct reach_answer answers[REACH_ANSWERS_MAX];
    unsigned n_answers;
    int64_t begun_us, first_us, heard_us, ask_us; /* first: something worked; ask: not before */
    uint64_t used;                                /* the number after the last that said USE */
    uint64_t asked, answered, bad;                /* counted */
};

struct reach_settings {
    bool caller;
    uint32_t session;
    const uint8_t *secret; /* SESSION_SECRET bytes; of questions alone */
    const uint8_t *seed;   /* 32 */
    bool no_direct;
    uint32_t link; /* the scope of link-local addresses that they tell; 0: those are not tried */
};

int reach_init(struct reach *r, const struct reach_settings *s, int64_t now_us);
void reach_fini(struct reach *r);

/* --- where we are, and where they say they are ------------------------------------------- */

void reach_set_locals(struct reach *r, const struct reach_local *locals, unsigned n);
void reach_set_observed(struct reach *r, const struct path_address *at); /* len 0: not known */
/* Our leg to the relay. */
void reach_set_relay(struct reach *r, bool ready, bool tunnelled, int64_t now_us);
/* What is told the other end. port: of our socket. Returns the length. */
size_t reach_list(const struct reach_local *locals, unsigned n, uint16_t port,
                  const struct path_address *observed, uint8_t ret[static REACH_LIST_MAX]);
/* 0 or -ROOST_MALFORMED. It replaces nothing that works. */
int reach_on_list(struct reach *r, const uint8_t *bytes, size_t len, int64_t now_us);
void reach_on_change(struct reach *r, int64_t now_us); /* of our interfaces: all is tried again */
void reach_doubt(struct reach *r);                     /* is it still there? It is asked at once */

/* --- packets ------------------------------------------------------------------------------- */

/* from NULL: through the relay. In place. -ROOST_MALFORMED: it is not of this session. */
int reach_on_packet(struct reach *r, uint8_t *bytes, size_t len, const struct path_address *from,
                    int64_t now_us);
/* Something else that only the other end can have sent came from there. */
void reach_on_heard(struct reach *r, const struct path_address *from, int64_t now_us);
struct reach_to {
    bool relay;
    struct path_address at;
};
/* The next packet, and where to; 0: none now. */
int reach_next(struct reach *r, uint8_t ret[static REACH_PACKET_MAX], struct reach_to *ret_to,
               int64_t now_us);
void reach_expire(struct reach *r, int64_t now_us); /* chooses */
int64_t reach_deadline_us(const struct reach *r, int64_t now_us);

/* The way in use; NULL: none yet, or not any more (over: nothing was heard for too long). */
const struct reach_path *reach_now(const struct reach *r);
enum reach_way reach_way_of(const struct reach *r, const struct reach_path *p);
