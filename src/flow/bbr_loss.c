#include "flow/bbr.h"

#include <math.h>

/* Loss beyond the usual that counts if a queue shows, and if none does. */
#define LOSS_QUEUED   0.02
#define LOSS_UNQUEUED 0.01
/* What is usual is known from so many packets at most. */
#define BASE_PACKETS 4000
#define BASE_MOST    0.05
#define DOUBTFUL     0.1 /* of what is more than usual */
/* Chance: losses come in pairs and more, so their number varies more than that of coins. */
#define CHANCE(expected) (3 * sqrt(2 * (expected)) + 3)
/* The share that was lost at a higher rate is the same at a lower one: at least so much of it. */
#define SAME 0.75
/* Without a queue to be seen; see BBR_YIELD. Half, and then a packet more in RAISE_DIVISOR round
 * trips: whoever sends in bursts needs an empty bucket or queue to come up at all. */
#define YIELD_UNSEEN 0.5
/* More was believed than what came: a bucket was full when it was measured, and nobody else
 * need be there. */
#define MISTAKE       1.02
#define YIELD_MISTAKE 0.97
/* Small losses that go on and on, as of others who get nothing: beyond the usual. */
#define LOSS_STEADY 0.0015
#define STEADY_MORE 0.75 /* of the usual */
#define RAISE_QUIET 1.05
#define QUIET_US    4000000
/* A path that drops what is too much: such a part of a round. */
#define DROPPED 0.1
#define FADES   0.985
/* A policer lets nobody wait: more than a machine's own delays. */
#define WAITED_US 2000
enum {
    LATE_ROUNDS = 2,
    RAISE_DIVISOR = 8,
    ENOUGH = 3,
    ENOUGH_DROPS = 8,
    QUIET_ROUNDS = 32,
    DROPPED_LEAST = 8,
    WAITED_SAMPLES = 8,
    WAITED_ROUNDS = 256, /* a short queue is believed so long after it was seen */
    MISTAKES = 2,        /* what is lost at two lower rates too is no mistake */
};

struct tally {
    double lost, all; /* packets */
};

/* Of this round. */
static struct tally tally_of(const struct cc *c, const struct cc_ack *a)
{
    const struct cc_bbr *b = &c->bbr;
    uint64_t lost = a->lost_all > b->lost_at_start ? a->lost_all - b->lost_at_start : 0;
    uint64_t came = a->delivered - b->delivered_at_start;

    return (struct tally){ (double)lost / c->mss, (double)(lost + came) / c->mss };
}

/* So much of a round is lost by no chance. */
static bool is_dropped(const struct tally *t)
{
    return t->lost >= DROPPED_LEAST && t->lost > DROPPED * t->all;
}

/* While a round lasts, those that may still come count as come: a round is not judged by its
 * first packets. */
bool bbr_is_congested(const struct cc *c, const struct cc_ack *a)
{
    const struct cc_bbr *b = &c->bbr;
    struct tally t = tally_of(c, a);
    double flight = (double)a->under_way_then / c->mss;
    double all = t.all > flight ? t.all : flight;
    double expected = all * b->base_lost / b->base_all, beyond = t.lost - expected;

    if (beyond < CHANCE(expected))
        return false;
    return beyond > all * (b->ce || bbr_has_queue(b, 1) ? LOSS_QUEUED : LOSS_UNQUEUED);
}

/* Since this rate is watched, or of this round: one round has too few packets to compare by. */
static double loss_of(const struct cc *c, const struct cc_ack *a)
{
    const struct cc_bbr *b = &c->bbr;
    struct tally t = tally_of(c, a);

    if (b->steady_all > t.all)
        return b->steady_lost / b->steady_all;
    return t.all > 0 ? t.lost / t.all : 0;
}

void bbr_learn_loss(struct cc *c, const struct cc_ack *a, bool doubtful)
{
    struct cc_bbr *b = &c->bbr;
    struct tally t = tally_of(c, a);

    if (bbr_has_queue(b, 1) || b->ce)
        return; /* that may be us */
    bool more = t.lost * b->base_all > b->base_lost * t.all;
    double weight = !doubtful || !more ? 1 : b->drops ? 0 : DOUBTFUL;
    b->base_lost += weight * t.lost;
    b->base_all += weight * t.all;
    if (b->base_all > BASE_PACKETS) {
        b->base_lost *= BASE_PACKETS / b->base_all;
        b->base_all = BASE_PACKETS;
    }
    if (b->base_lost > BASE_MOST * b->base_all)
        b->base_lost = BASE_MOST * b->base_all;
}

void bbr_save(struct cc_bbr *b)
{
    b->saved_bw_lo = b->bw_lo;
    b->saved_inflight_lo = b->inflight_lo;
    b->saved_inflight_hi = b->inflight_hi;
}

bool bbr_has_waited(const struct cc_bbr *b)
{
    return b->waited_round && b->rounds - b->waited_round < WAITED_ROUNDS;
}

static bool is_unseen(const struct cc_bbr *b)
{
    return !bbr_has_queue(b, 1) && !b->ce;
}

/* The rate was lowered by a fifth, and it loses as much: it is not our doing. */
static bool is_same_at_less(const struct cc *c, const struct cc_ack *a)
{
    const struct cc_bbr *b = &c->bbr;

    return b->bw_lo != BBR_NONE && (double)b->bw_lo * BBR_GROWTH <= (double)b->lowered_from &&
           loss_of(c, a) >= SAME * b->lowered_loss && is_unseen(b);
}

void bbr_begin_watch(struct cc_bbr *b)
{
    b->lowered_round = b->rounds;
    b->steady_lost = b->steady_all = 0;
}

void bbr_forgive(struct cc_bbr *b)
{
    b->bw_lo = b->inflight_lo = BBR_NONE;
    b->yields = false;
}

/* Nobody else is needed to explain it: more was believed than came, or so much was lost that we
 * must be above what the path carries; then the rest of it is what it does carry. */
static bool is_mistake(const struct cc *c, const struct cc_ack *a, uint64_t *ret_bw)
{
    const struct cc_bbr *b = &c->bbr;
    struct tally t = tally_of(c, a);
    double bw = (double)bbr_bw(b);

    *ret_bw = b->bw_latest;
    if (is_dropped(&t)) {
        *ret_bw = least(b->bw_latest, (uint64_t)(bw * (1 - t.lost / t.all)));
        return true;
    }
    if (b->others)
        return false;
    bool more = bw > MISTAKE * (double)b->bw_latest, doubt = b->mistakes < MISTAKES;
    bool mistake = bbr_has_waited(b) ? more && doubt : more || (b->drops && doubt);
    if (mistake) /* with jitter the fastest of a round is more than what came */
        *ret_bw = least(b->bw_latest, (uint64_t)(bw * (1 - loss_of(c, a))));
    return mistake;
}

/* Others lose where no queue shows it: half, and time for them to come up. */
static void yield_unseen(struct cc_bbr *b)
{
    b->yields = true;
    if (!b->drops)
        return;
    b->others = true;
    b->phase_us = b->now_us;
    b->rounds_since_probe = 0;
}

static void lower(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    uint64_t bw = bbr_bw(b), inflight = least(b->inflight_lo, c->window), came = b->bw_latest;
    bool unseen = is_unseen(b), mistake = unseen && is_mistake(c, a, &came);
    double yield = !unseen ? BBR_YIELD : mistake ? YIELD_MISTAKE : YIELD_UNSEEN;
    double least_part = yield < BBR_LOWER ? yield : BBR_LOWER;

    bbr_save(b);
    if (b->bw_lo == BBR_NONE) {
        b->lowered_loss = loss_of(c, a);
        b->lowered_from = bw;
    }
    bbr_begin_watch(b);
    b->yields = false;
    b->mistakes += mistake;
    if (unseen && !mistake)
        yield_unseen(b);
    b->bw_lo = most((uint64_t)((double)came * yield), (uint64_t)((double)bw * least_part));
    if (unseen) { /* a bucket was full when that was measured */
        b->bw_old = 0;
        bool last = mistake && b->mistakes >= MISTAKES; /* the next loss would be that of others */
        b->bw_new = last ? b->bw_lo : most(came, b->bw_lo);
    }
    b->inflight_lo = most(b->inflight_latest, (uint64_t)((double)inflight * BBR_LOWER));
}

/* Little in each round, but in each: somebody else gets nothing, as all that is free is taken
 * at once. */
static bool is_steady(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    struct tally t = tally_of(c, a);

    if (!is_unseen(b))
        return false;
    if (b->drops) {
        b->steady_lost *= FADES;
        b->steady_all *= FADES;
    }
    b->steady_lost += t.lost;
    b->steady_all += t.all;
    double expected = b->steady_all * b->base_lost / b->base_all;
    double beyond = b->steady_lost - expected;
    return beyond > CHANCE(expected) && beyond > LOSS_STEADY * b->steady_all &&
           beyond > STEADY_MORE * expected;
}

/* Others would have lost something by now, and so would we. */
static bool is_quiet(const struct cc_bbr *b)
{
    return b->now_us - b->quiet_us >= QUIET_US && b->rounds - b->quiet_round >= QUIET_ROUNDS;
}

/* Nothing more was lost than usual: a packet more, but slower than those that were yielded to. */
static void raise(struct cc *c)
{
    struct cc_bbr *b = &c->bbr;

    if (b->bw_lo == BBR_NONE || !b->min_rtt_us)
        return;
    b->bw_lo += (uint64_t)c->mss * 1000000 / RAISE_DIVISOR / (uint64_t)b->min_rtt_us;
    b->inflight_lo += b->inflight_lo == BBR_NONE ? 0 : c->mss / RAISE_DIVISOR;
    if (is_quiet(b)) {
        b->bw_lo = (uint64_t)((double)b->bw_lo * RAISE_QUIET);
        b->others = false;
        b->mistakes = bbr_has_waited(b) ? 0 : b->mistakes;
        b->inflight_lo = BBR_NONE;
    }
    if (b->bw_lo >= bbr_bw_max(b))
        bbr_forgive(b);
}

/* All of this round: in a queue that may be too short to be seen otherwise. */
static bool waits(const struct cc_bbr *b)
{
    return b->samples >= WAITED_SAMPLES && b->low_rtt_us != INT64_MAX &&
           b->low_rtt_us > b->min_rtt_us + WAITED_US;
}

/* A tenth of a round, and nothing ever waited: there is no queue here. */
static void look_for_drops(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    struct tally t = tally_of(c, a);

    if (t.lost > 0) {
        b->quiet_us = b->now_us;
        b->quiet_round = b->rounds;
    }
    if (waits(b))
        b->waited_round = b->rounds;
    if (bbr_has_queue(b, 1))
        b->drops = false;
    else if (is_dropped(&t))
        b->drops = true;
}

/* What was lost in a round was sent in the one before, so the round in which the rate was
 * lowered and the next say nothing. */
void bbr_judge_cruise(struct cc *c, const struct cc_ack *a)
{
    struct cc_bbr *b = &c->bbr;
    bool congested = bbr_is_congested(c, a), late = b->rounds <= b->lowered_round + LATE_ROUNDS;

    look_for_drops(c, a);
    if (late)
        return;
    if (!congested)
        bbr_learn_loss(c, a, true);
    bool steady = is_steady(c, a);
    /* as much at less: known after a few losses, so that chance costs no more than a moment */
    if (b->steady_lost >= (b->drops ? ENOUGH_DROPS : ENOUGH) && is_same_at_less(c, a)) {
        b->base_lost = b->steady_lost;
        b->base_all = b->steady_all;
        bbr_forgive(b);
        bbr_begin_watch(b);
    } else if (steady || congested) {
        lower(c, a);
    } else {
        raise(c);
    }
}
