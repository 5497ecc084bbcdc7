/* hall.h - a hub with its store and its hashing, under virtual time.
 *
 * What roostd is without a network: the simulator and the fuzzer put connections
 * in front of it. Store operations wait a random moment and are then done in
 * batches; a batch may fail as a whole; its results come back another moment
 * later. hall_crash() is kill -9 at the worst time: what was not committed is
 * gone, what was committed but not yet reported is kept, and a new hub knows
 * only what the store knows. Passwords are "hashed" by comparing.
 *
 * The caller owns the hall; it owns everything inside.
 */
#pragma once

#include "hub/hub.h"
#include "lab/dice.h"

enum {
    HALL_WAITING_MAX = 4096, /* operations and hashes that may wait */
    HALL_CARRIED_MAX = 16,
    HALL_LEGS_MAX = 256,
};

/* Where output goes; bytes are borrowed for the call. */
struct hall_sink {
    void (*send)(void *arg, uint64_t conn, struct blob *bytes);
    void (*close)(void *arg, uint64_t conn);
    void *arg;
    void (*depot)(void *arg, const struct hub_depot *order); /* or NULL */
};

struct hall_counts {
    uint64_t batches, failed_batches, operations;
    uint64_t crashes;
    uint64_t torn;     /* crashes with a batch half applied */
    uint64_t unspoken; /* crashes between a commit and its report */
    uint64_t clock_steps;
    uint64_t hashed; /* passwords, for good or bad */
};

struct hall_waiting {
    int64_t due_us;
    struct store_op *op;
    struct store_result *result;
    struct hub_hash hash;
};

struct hall {
    struct hub_config config;
    struct hub *hub;
    struct bus *bus;
    struct store *store;
    struct dice dice;
    struct hall_sink sink;
    struct hall_counts counts;
    int64_t wall_offset_ms; /* wall clock minus virtual time; may step */
    uint32_t fail_ppm;      /* of batches */
    uint32_t unhashed;      /* so many of the next passwords cannot be hashed */
    int64_t store_delay_us; /* at most; 0 = at once */
    int64_t now_us;
    int64_t batch_due_us; /* when the operations that wait are done; INT64_MAX = none wait */
    struct hall_waiting ops[HALL_WAITING_MAX];     /* emitted, not yet committed */
    struct hall_waiting results[HALL_WAITING_MAX]; /* committed, not yet reported, in order */
    struct hall_waiting hashes[HALL_WAITING_MAX];
    size_t n_ops, n_results, n_hashes;
    void (*keeper)(const struct hub_keep *k, struct hub_kept *ret); /* NULL: nobody */
    char title[256]; /* the last that was asked for (hub_ask_title), and its error */
    int title_err;
    struct hub_datagrams carried[HALL_CARRIED_MAX]; /* what its carrier was told, a ring */
    size_t n_carried;
    struct hub_leg legs[HALL_LEGS_MAX]; /* likewise, of media; a ring */
    size_t n_legs;
    struct hub_depot depot[HALL_CARRIED_MAX]; /* what its depot was told, a ring */
    size_t n_depot;
    struct hub_depot file; /* the last answer to hub_ask_file */
    int file_err;
    size_t n_file;
    char first_admin[48]; /* the invitation of the empty store */
};

/* 0 or -ROOST_NOMEM. Change config and the public knobs before, or at any time. */
int hall_open(struct hall *h, const struct hub_config *config, const struct hall_sink *sink,
              uint64_t seed, int64_t now_us);
void hall_close(struct hall *h);

/* Kills the hub and starts a new one on the same store. Every connection is
 * gone; the sink is not told. */
int hall_crash(struct hall *h);

void hall_connect(struct hall *h, uint64_t conn, const struct hub_peer *peer);
void hall_frame(struct hall *h, uint64_t conn, const uint8_t *body, size_t len);
void hall_disconnect(struct hall *h, uint64_t conn, enum hub_close why);

/* From whoever keeps files. */
void hall_word(struct hall *h, const struct hub_depot_word *word);

/* Time goes on; everything due by then happens, in order. */
void hall_run(struct hall *h, int64_t now_us);
int64_t hall_deadline_us(const struct hall *h);
/* Until nothing of it waits any more, without a limit of time. */
void hall_settle(struct hall *h);

struct now hall_now(const struct hall *h);
