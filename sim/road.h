/* road.h - flows that share one modelled bottleneck, in virtual time.
 *
 * Each lane is a session with its two ends; what they send goes through one link there
 * and one back, with 28 bytes more a packet, as of IP and UDP. A lane sends one stream of
 * so many bytes, or without end, from a moment on. A ping may run beside them, as a small
 * packet each 50 ms, and says how long the queue is for others.
 *
 * What arrives is compared byte for byte with what was sent. The same for a seed.
 * Microseconds, bytes, bits a second for links.
 */
#pragma once

#include "flow/flow.h"
#include "flow/seen.h"
#include "lab/link.h"
#include "seal/session.h"

enum { ROAD_LANES_MAX = 16, ROAD_HEAD = 28, ROAD_PINGS_MAX = 20000 };
#define ROAD_SECOND       1000000LL
#define ROAD_ENDLESS      UINT64_MAX
#define ROAD_PING_EACH_US 50000

/* At one end of a lane instead of a session, with its keys: says what it likes. */
struct road_foe {
    int end; /* 0: that sends, 1: that receives */
    /* Frames of a packet of its, at now_us; false: nothing now, and again at due_us. */
    bool (*say)(struct road_foe *e, struct writer *w);
    int64_t now_us, due_us;
    uint64_t said, said_bytes; /* packets */
    struct seen heard;         /* the numbers that came */
    struct session keys;
};

struct road_lane {
    const char *cc;           /* NULL: the default */
    const struct cc_ops *ops; /* or one without a name; NULL: cc */
    uint64_t bytes;           /* to send; ROAD_ENDLESS */
    int64_t start_us;         /* after the road's beginning */
    uint32_t mtu;             /* 0: 1472 */
    uint32_t holes_max;       /* of who receives, as flow_settings has it */
    uint8_t dice;             /* of its ends */
    uint32_t mtu_most;        /* up to so much is tried; 0: nothing is */
    enum pacer_kind pacer;
    uint32_t ack_each; /* as flow_settings has it */
    bool guess;        /* no handshake said how long a round trip is */
    flow_trace_fn *trace;
    void *trace_ctx;
    int64_t step_us; /* at 2 s, the sender's clock jumps ahead by so much */
    /* With addresses, if port is not 0: the caller is behind a translator that gives it this port,
     * and the other side has to be shown that it is there. Another port: it moved, and what is on
     * its way to the old one is lost. */
    uint16_t port;
    bool receives;        /* the caller, instead of sending */
    struct road_foe *foe; /* or NULL */
    bool replayed;        /* each packet comes twice more, from elsewhere: at once, and later */
    /* what came of it */
    int64_t done_us; /* since its start; 0: not yet */
    uint64_t got;
    uint64_t closed;            /* why its session ended, if there is a foe; 0: it did not */
    int64_t got_us, longest_us; /* when the last came; the longest wait between two */
    bool wrong;                 /* another byte than was sent, or too many */
    struct flow *end[2];
    uint64_t written, stream;
    int64_t due_us[2];
};

struct road {
    int64_t now_us;
    struct link link[2];
    struct road_lane lanes[ROAD_LANES_MAX];
    uint32_t n;
    bool pings;
    int64_t ping_us;
    uint32_t n_pings;
    int64_t ping_took_us[ROAD_PINGS_MAX];
    bool broke; /* out of memory, or a session that ended */
};

void road_init(struct road *r, const struct link_config *there, const struct link_config *back,
               uint64_t seed);
void road_fini(struct road *r);
struct road_lane *road_add(struct road *r, const struct road_lane *lane); /* what it is to do */
/* Until then (since the beginning), or until all that has an end is there. */
void road_run(struct road *r, int64_t until_us);

/* Payload bits a second of a lane that is done. */
double road_rate_bps(const struct road_lane *l);
/* Of the bytes that it sent, the share that was more than needed once. */
double road_twice(const struct road_lane *l);
/* So many of a hundred pings took at most so long (there and back). */
int64_t road_ping_us(struct road *r, uint32_t percent);
/* Jain's index of n figures: 1 when all are alike. */
double road_jain(const double *x, uint32_t n);
