#include "lab/race.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "seal/rng.h"

enum { AHEAD = 1 << 20 /* bytes that a sender has ready */ };

struct runner {
    struct flow *end[2]; /* who sends, who receives */
    int64_t start_us;
    uint64_t stream;
    uint64_t arrived; /* bytes of the stream */
    uint64_t before;  /* of datagrams, at the last tick */
};

struct race {
    struct race_config config;
    struct link link[2]; /* up, down */
    struct runner runner[RACE_FLOWS_MAX];
    int64_t now_us, tick_us; /* the next tick */
    struct race_sample *samples;
    size_t n_samples, cap;
    bool failed; /* out of memory */
};

#define START_US 1000000 /* of the flows' clocks: 0 is no time for them */

/* --- life ------------------------------------------------------------------------- */

int race_new(struct race **ret, const struct race_config *config)
{
    struct race *r = calloc(1, sizeof *r);

    if (!r)
        return -ROOST_NOMEM;
    r->config = *config;
    for (int i = 0; i < 2; i++)
        link_init(&r->link[i], LINK_DATAGRAMS, i ? &config->link.down : &config->link.up,
                  config->seed * 2 + (uint64_t)i);
    for (size_t i = 0; i < config->n; i++)
        r->runner[i].start_us = (int64_t)i * config->apart_us;
    *ret = r;
    return 0;
}

void race_free(struct race *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->config.n; i++) {
        flow_free(r->runner[i].end[0]);
        flow_free(r->runner[i].end[1]);
    }
    link_fini(&r->link[0]);
    link_fini(&r->link[1]);
    free(r->samples);
    free(r);
}

static int start(struct race *r, size_t n)
{
    struct runner *u = &r->runner[n];
    uint8_t secret[32] = { (uint8_t)n, 1 };

    for (int i = 0; i < 2; i++) {
        uint8_t seed[32] = { (uint8_t)n, (uint8_t)i, 2 };
        memcpy(seed + 8, &r->config.seed, sizeof r->config.seed);
        struct flow_settings s = {
            .client = i == 0,
            .session = (uint32_t)n,
            .secret = secret,
            .seed = seed,
            .cc = r->config.cc[n],
            .mtu = RACE_MTU,
            .pacer = r->config.pacer,
        };
        if (flow_new(&u->end[i], &s, START_US + r->now_us))
            return -ROOST_NOMEM;
    }
    int64_t stream = flow_open(u->end[0], 0);
    u->stream = (uint64_t)stream;
    return stream < 0 ? -ROOST_NOMEM : 0;
}

/* --- one moment --------------------------------------------------------------------- */

static void feed(struct race *r, struct runner *u)
{
    static const uint8_t zeros[16384];

    while (flow_waiting(u->end[0], u->stream) < AHEAD) {
        int64_t n = flow_write(u->end[0], u->stream, zeros, sizeof zeros);
        r->failed = r->failed || n == -ROOST_NOMEM;
        if (n < (int64_t)sizeof zeros)
            return;
    }
}

static void read_all(struct runner *u, int64_t now_us)
{
    struct flow_event e;
    size_t len;
    bool over;

    while (flow_event(u->end[1], &e))
        ;
    while (flow_read(u->end[1], u->stream, &len, &over) && len) {
        u->arrived += len;
        flow_take(u->end[1], u->stream, len, now_us);
    }
    while (flow_event(u->end[0], &e))
        ;
}

static void send_all(struct race *r, size_t n, int i)
{
    uint8_t bytes[PACKET_MTU_MAX];
    int len;

    while ((len = flow_next(r->runner[n].end[i], START_US + r->now_us, bytes, sizeof bytes)) > 0) {
        struct blob *b = blob_copy(bytes, (size_t)len);
        r->failed = r->failed || !b || link_push_tagged(&r->link[i], r->now_us, b, (uint32_t)n);
        if (b)
            blob_unref(b);
    }
}

static void deliver(struct race *r, int way)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct blob *b;
    uint32_t n;

    for (; (b = link_next_tagged(&r->link[way], r->now_us, &n)); blob_unref(b)) {
        struct flow *f = r->runner[n].end[!way];
        memcpy(bytes, b->bytes, b->len);
        flow_on_datagram(f, START_US + r->now_us, bytes, b->len, 0);
        if (way == 0) /* acknowledgements go when they are due, not after all others' */
            read_all(&r->runner[n], START_US + r->now_us);
        send_all(r, n, !way);
    }
}

static void moment(struct race *r)
{
    int64_t now_us = START_US + r->now_us;

    for (size_t i = 0; i < r->config.n; i++)
        if (!r->runner[i].end[0] && r->runner[i].start_us <= r->now_us)
            r->failed = r->failed || start(r, i);
    if (r->failed)
        return;
    deliver(r, 0);
    deliver(r, 1);
    for (size_t i = 0; i < r->config.n; i++) {
        struct runner *u = &r->runner[i];
        if (!u->end[0])
            continue;
        flow_expire(u->end[0], now_us);
        flow_expire(u->end[1], now_us);
        read_all(u, now_us);
        feed(r, u);
        send_all(r, i, 0);
        send_all(r, i, 1);
    }
}

static int64_t next_us(const struct race *r)
{
    int64_t at = INT64_MAX;

    for (int i = 0; i < 2; i++) {
        int64_t d = link_deadline_us(&r->link[i]);
        at = d < at ? d : at;
    }
    for (size_t i = 0; i < r->config.n; i++) {
        const struct runner *u = &r->runner[i];
        for (int k = 0; k < 2 && u->end[0]; k++) {
            int64_t d = flow_deadline_us(u->end[k], START_US + r->now_us);
            at = d != INT64_MAX && d - START_US < at ? d - START_US : at;
        }
        if (!u->end[0] && u->start_us < at)
            at = u->start_us;
    }
    return at > r->now_us ? at : r->now_us + 1;
}

/* --- figures ------------------------------------------------------------------------- */

static void look(struct race *r, size_t n, struct race_figures *f)
{
    struct runner *u = &r->runner[n];
    struct flow_view v, there;

    *f = (struct race_figures){ .phase = "", .threshold = CC_NO_LIMIT };
    if (!u->end[0])
        return;
    flow_look(u->end[0], &v);
    flow_look(u->end[1], &there);
    *f = (struct race_figures){
        .window = v.cc->window,
        .threshold = v.cc->threshold,
        .pacing_bps = v.pacing * 8,
        .rate_bps = (there.bytes_in - u->before) * 8000000 / (uint64_t)r->config.tick_us,
        .rtt_us = v.rtt->known ? v.rtt->smooth_us : 0,
        .under_way = v.sent->under_way,
        .came = there.bytes_in,
        .arrived = u->arrived,
        .lost = v.sent->stats.lost_bytes,
        .phase = v.cc->phase,
    };
    u->before = there.bytes_in;
}

static bool make_room(struct race *r)
{
    if (r->n_samples < r->cap)
        return true;
    size_t cap = r->cap ? r->cap * 2 : 256;
    struct race_sample *s = realloc(r->samples, cap * sizeof *s);
    if (!s)
        return false;
    r->samples = s;
    r->cap = cap;
    return true;
}

static void tick(struct race *r)
{
    const struct link *l = &r->link[0];

    r->tick_us += r->config.tick_us;
    if (r->n_samples == RACE_SAMPLES_MAX)
        return;
    if (!make_room(r)) {
        r->failed = true;
        return;
    }
    struct race_sample *s = &r->samples[r->n_samples++];
    *s = (struct race_sample){ .at_us = r->now_us };
    s->queue_bytes = link_backlog_bytes(l, r->now_us);
    if (l->config.rate_bps)
        s->queue_us = s->queue_bytes * 8000000 / l->config.rate_bps;
    s->dropped = l->counts.lost + l->counts.dropped + l->counts.policed + l->counts.early;
    for (size_t i = 0; i < r->config.n; i++)
        look(r, i, &s->flow[i]);
}

int race_run(struct race *r, int64_t until_us)
{
    while (r->now_us <= until_us && !r->failed) {
        moment(r);
        if (r->failed)
            break;
        int64_t at = next_us(r);
        if (r->tick_us <= at && r->tick_us <= until_us) {
            r->now_us = r->tick_us > r->now_us ? r->tick_us : r->now_us;
            tick(r);
        } else {
            if (at > until_us)
                break;
            r->now_us = at;
        }
    }
    return r->failed ? -ROOST_NOMEM : 0;
}

size_t race_samples(const struct race *r)
{
    return r->n_samples;
}

const struct race_sample *race_sample(const struct race *r, size_t i)
{
    return &r->samples[i];
}

const struct race_config *race_config(const struct race *r)
{
    return &r->config;
}

/* --- what it came to -------------------------------------------------------------------- */

/* Of the last half of the time in which all ran. */
static uint64_t late_rate(const struct race *r, size_t flow)
{
    if (r->n_samples < 2)
        return 0;
    int64_t begun_us = r->runner[r->config.n - 1].start_us;
    const struct race_sample *last = &r->samples[r->n_samples - 1], *first = last;
    while (first > r->samples && first->at_us > (begun_us + last->at_us) / 2)
        first--;
    int64_t took_us = last->at_us - first->at_us;
    return took_us > 0 ? (last->flow[flow].arrived - first->flow[flow].arrived) * 8000000 /
                             (uint64_t)took_us
                       : 0;
}

void race_result(const struct race *r, size_t flow, struct race_result *ret)
{
    uint64_t all = 0;

    *ret = (struct race_result){ .rate_bps = late_rate(r, flow) };
    for (size_t i = 0; i < r->config.n; i++)
        all += late_rate(r, i);
    ret->share = all ? (double)ret->rate_bps / (double)all : 0;
    if (r->n_samples)
        ret->rtt_us = r->samples[r->n_samples - 1].flow[flow].rtt_us;
    if (r->runner[flow].end[0]) {
        struct flow_view v;
        flow_look(r->runner[flow].end[0], &v);
        ret->sent = v.sent->stats.bytes;
        ret->lost = v.sent->stats.lost_bytes;
    }
}

double race_fairness(const struct race *r)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < r->config.n; i++) {
        double x = (double)late_rate(r, i);
        sum += x;
        squares += x * x;
    }
    return squares > 0 ? sum * sum / ((double)r->config.n * squares) : 0;
}
