/* race.h - several flows over one modelled link, in virtual time, to look at.
 *
 * Each is a whole session (flow/flow.h) that sends without end; all share the link's way up,
 * and their acknowledgements the way down. Each tick of time the figures of all are kept:
 * that is what is drawn.
 *
 *     race_new(&r, &config);
 *     race_run(r, until_us);            from 0, as far as one likes
 *     race_sample(r, race_samples(r) - 1)
 *
 * Deterministic for a seed. Pure; microseconds, bytes, bits a second. One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "lab/spec.h"

enum {
    RACE_FLOWS_MAX = 10,
    RACE_SAMPLES_MAX = 40000,
    RACE_MTU = 1452, /* of Ethernet, less IPv6 and UDP */
};

struct race_config {
    const struct cc_ops *cc[RACE_FLOWS_MAX];
    size_t n;
    int64_t apart_us; /* each next one starts so much later */
    int64_t tick_us;
    enum pacer_kind pacer;
    struct link_pair link;
    uint64_t seed;
};

struct race_figures {
    uint64_t window, threshold; /* CC_NO_LIMIT: none yet */
    uint64_t pacing_bps;
    uint64_t rate_bps; /* of the datagrams that came through in this tick */
    int64_t rtt_us;    /* smoothed; 0: none yet */
    uint64_t under_way;
    uint64_t came;          /* bytes of datagrams in all */
    uint64_t arrived, lost; /* bytes of the stream, in order; sent and lost */
    const char *phase;      /* lives for ever; "" before the start */
};

struct race_sample {
    int64_t at_us;
    uint64_t queue_bytes;
    uint64_t queue_us; /* what it means for who comes next; 0 without a rate */
    uint64_t dropped;  /* packets in all, by chance or because there was no room */
    struct race_figures flow[RACE_FLOWS_MAX];
};

/* What a flow came to, over the last half of its time. */
struct race_result {
    uint64_t rate_bps;
    double share; /* of all */
    int64_t rtt_us;
    uint64_t sent, lost; /* bytes, of all its time */
};

struct race;

int race_new(struct race **ret, const struct race_config *config); /* 0, -ROOST_NOMEM */
void race_free(struct race *r);
int race_run(struct race *r, int64_t until_us); /* 0, -ROOST_NOMEM */
size_t race_samples(const struct race *r);
const struct race_sample *race_sample(const struct race *r, size_t i);
const struct race_config *race_config(const struct race *r);
void race_result(const struct race *r, size_t flow, struct race_result *ret);
/* Jain's index of the rates of the last half: 1 is fair, 1/n is not. */
double race_fairness(const struct race *r);
