#include "flow/sent.h"

#include <stdlib.h>

#include "base/err.h"

enum state { SKIPPED, ACKED, FORGOTTEN, UNDER_WAY, LOST };

struct sent_packet {
    void *load;
    int64_t sent_us, delivered_us, first_sent_us;
    uint64_t delivered, lost, under_way;
    uint32_t bytes;
    uint8_t state;
    bool eliciting, app_limited;
};

enum { FIRST_CAP = 64, REORDER_8_FIRST = 9, REORDER_8_MAX = 16, PROBES = 2, BACKOFF_MAX = 6 };
/* Silence is asked into half as often each time, as RFC 9002 has it, but at first no less often
 * than this: a path that is back is used at once, and of many tries on a bad one some come through.
 * Two packets in half a second are 40 kbit/s; when so many found nobody, the doubling goes on. */
#define PROBE_BRISK_US 500000
enum { PROBES_BRISK = 16, PROBE_TIMES = 2 };
/* So many patiences without a word, and all begins anew (RFC 9002, 7.6). */
#define PERSISTENT_PATIENCES 3

static struct sent_packet *at(const struct sent *s, uint64_t number)
{
    return &s->ring[number & (s->cap - 1)];
}

void sent_init(struct sent *s, sent_fn *settle, void *ctx)
{
    *s = (struct sent){ .loss_us = INT64_MAX,
                        .reorder = SENT_REORDER_FIRST,
                        .reorder_8 = REORDER_8_FIRST,
                        .reduced_us = -1,
                        .settle = settle,
                        .ctx = ctx };
}

/* Its load goes back to whom it belongs, for good. */
static void let_go(struct sent *s, struct sent_packet *p, enum sent_fate fate)
{
    void *load = p->load;

    p->load = NULL;
    s->quiet -= !p->eliciting;
    s->settle(s->ctx, load, fate);
}

void sent_fini(struct sent *s)
{
    for (uint64_t n = s->first; n < s->next; n++)
        if (at(s, n)->state >= UNDER_WAY)
            let_go(s, at(s, n), SENT_GONE);
    free(s->ring);
    s->ring = NULL;
    s->cap = 0;
    s->first = s->low = s->next;
}

/* --- sending --------------------------------------------------------------------------- */

static int make_room(struct sent *s)
{
    if (s->next - s->first < s->cap)
        return 0;
    if (s->cap >= SENT_MAX)
        return -ROOST_LIMIT;
    uint32_t cap = s->cap ? s->cap * 2 : FIRST_CAP;
    struct sent_packet *ring = calloc(cap, sizeof *ring);
    if (!ring)
        return -ROOST_NOMEM;
    for (uint64_t n = s->first; n < s->next; n++)
        ring[n & (cap - 1)] = *at(s, n);
    free(s->ring);
    s->ring = ring;
    s->cap = cap;
    return 0;
}

int sent_skip(struct sent *s)
{
    int err = make_room(s);

    if (err)
        return err;
    *at(s, s->next++) = (struct sent_packet){ .state = SKIPPED };
    return 0;
}

/* The oldest that asks for no acknowledgement: nobody waits for what comes of it. */
static void forget_quiet(struct sent *s)
{
    if (s->quiet <= SENT_QUIET_MAX)
        return;
    if (s->quiet_low < s->first)
        s->quiet_low = s->first;
    struct sent_packet *p;
    do
        p = at(s, s->quiet_low++);
    while (p->eliciting || p->state < UNDER_WAY);
    if (p->state == UNDER_WAY)
        s->settle(s->ctx, p->load, SENT_LOST);
    p->state = FORGOTTEN;
    let_go(s, p, SENT_GONE);
}

static bool is_unheard(const struct sent *s)
{
    return s->probes >= 2 && s->next - s->first >= SENT_UNHEARD_MAX + s->eliciting;
}

int sent_add(struct sent *s, int64_t now_us, uint32_t bytes, bool eliciting, void *load)
{
    int err = is_unheard(s) ? -ROOST_LIMIT : make_room(s);

    if (err)
        return err;
    if (!s->under_way)
        s->first_sent_us = s->delivered_us = now_us;
    *at(s, s->next++) = (struct sent_packet){
        .load = load,
        .sent_us = now_us,
        .delivered_us = s->delivered_us,
        .first_sent_us = s->first_sent_us,
        .delivered = s->delivered,
        .lost = s->stats.lost_bytes - s->stats.late_bytes,
        .under_way = s->under_way + bytes,
        .bytes = bytes,
        .state = UNDER_WAY,
        .eliciting = eliciting,
        .app_limited = s->app_limited > 0,
    };
    s->stats.packets++;
    s->stats.bytes += bytes;
    if (eliciting) {
        s->under_way += bytes;
        s->eliciting++;
        s->last_us = now_us;
    }
    s->quiet += !eliciting;
    forget_quiet(s);
    return 0;
}

void sent_on_idle(struct sent *s)
{
    s->app_limited = s->delivered + s->under_way;
    if (!s->app_limited)
        s->app_limited = 1;
}

bool sent_look(const struct sent *s, uint64_t number, int64_t *ret_at_us, uint32_t *ret_bytes)
{
    if (number < s->first || number < s->path_first || number >= s->next ||
        at(s, number)->state != UNDER_WAY)
        return false;
    *ret_at_us = at(s, number)->sent_us;
    *ret_bytes = at(s, number)->bytes;
    return true;
}

/* --- settling ------------------------------------------------------------------------------ */

static void leave(struct sent *s, const struct sent_packet *p)
{
    if (!p->eliciting)
        return;
    s->under_way -= p->bytes;
    s->eliciting--;
}

/* Lost ones are remembered for a while: they may come late. */
static void forget(struct sent *s, int64_t now_us, const struct rtt *rtt)
{
    while (s->first < s->next) {
        struct sent_packet *p = at(s, s->first);
        bool settled = p->state < UNDER_WAY ||
                       (p->state == LOST && now_us - p->sent_us > 4 * rtt->smooth_us);
        if (!settled || s->first + 1 >= s->largest)
            return; /* the highest that was acknowledged stays: it says what is below */
        if (p->state == LOST)
            let_go(s, p, SENT_GONE);
        s->first++;
        s->low = s->low > s->first ? s->low : s->first;
    }
}

struct newest {
    const struct sent_packet *p;
    struct sent_packet copy;
    uint64_t number;
};

static void come_late(struct sent *s, struct sent_packet *p, struct sent_report *r)
{
    if (p->eliciting) {
        s->stats.late++;
        s->stats.late_bytes += p->bytes;
        r->late += p->bytes;
    }
    if (p->eliciting && p->sent_us <= s->reduced_us && s->reduced_for &&
        ++s->reduced_late >= s->reduced_for) {
        r->undo = true;
        s->reduced_for = s->reduced_late = 0;
    }
    let_go(s, p, SENT_LATE);
}

/* The path reorders by so much: it is waited for longer from now on. */
static void adapt(struct sent *s, uint64_t number, const struct sent_packet *p, int64_t now_us,
                  const struct rtt *rtt)
{
    uint64_t behind = s->largest - 1 > number ? s->largest - 1 - number : 0;
    int64_t took_us = now_us - p->sent_us;

    if (behind >= s->reorder && behind < SENT_REORDER_MAX)
        s->reorder = (uint32_t)behind + 1;
    while (s->reorder_8 < REORDER_8_MAX && took_us > rtt->smooth_us * s->reorder_8 / 8)
        s->reorder_8++;
}

static void settle_one(struct sent *s, uint64_t number, int64_t now_us, const struct rtt *rtt,
                       struct newest *newest, struct sent_report *r)
{
    struct sent_packet *p = at(s, number);

    if (p->state == ACKED || p->state == FORGOTTEN)
        return;
    if (p->state == LOST) {
        adapt(s, number, p, now_us, rtt);
        come_late(s, p, r);
    } else {
        leave(s, p);
        let_go(s, p, SENT_ACKED);
    }
    s->delivered += p->bytes;
    s->delivered_us = now_us;
    r->ack.bytes += p->eliciting && number >= s->path_first ? p->bytes : 0;
    p->state = ACKED;
    if (number < s->path_first)
        return;
    if (!newest->p || p->sent_us > newest->copy.sent_us ||
        (p->sent_us == newest->copy.sent_us && number > newest->number)) {
        newest->p = p;
        newest->copy = *p;
        newest->number = number;
    }
}

/* Nothing may be acknowledged that was not sent. */
static int check(const struct sent *s, const struct ack *a)
{
    if (a->ranges[0].last >= s->next)
        return -ROOST_MALFORMED;
    for (uint32_t i = 0; i < a->n_ranges; i++) {
        uint64_t from = a->ranges[i].first > s->first ? a->ranges[i].first : s->first;
        for (uint64_t n = from; n <= a->ranges[i].last; n++)
            if (at(s, n)->state == SKIPPED)
                return -ROOST_MALFORMED;
    }
    return 0;
}

/* The slower of: how fast it was sent, how fast it was acknowledged. */
static void measure_rate(struct sent *s, const struct sent_packet *p, struct cc_ack *a)
{
    int64_t sending_us = p->sent_us - p->first_sent_us;
    int64_t acking_us = s->delivered_us - p->delivered_us;
    int64_t took_us = sending_us > acking_us ? sending_us : acking_us;

    s->first_sent_us = p->sent_us;
    a->delivered_then = p->delivered;
    a->lost_then = p->lost;
    a->under_way_then = p->under_way;
    a->app_limited = p->app_limited;
    if (took_us > 0)
        a->rate = (s->delivered - p->delivered) * 1000000 / (uint64_t)took_us;
}

/* --- losses ----------------------------------------------------------------------------------- */

static void lose(struct sent *s, struct sent_packet *p, struct sent_report *r)
{
    leave(s, p);
    p->state = LOST;
    if (p->eliciting) { /* a probe of the path's size that was too large is no loss of the path */
        s->stats.lost++;
        s->stats.lost_bytes += p->bytes;
        r->lost++;
        r->loss.bytes += p->bytes;
    }
    if (p->sent_us > r->loss.sent_us)
        r->loss.sent_us = p->sent_us;
    s->settle(s->ctx, p->load, SENT_LOST);
}

static int64_t loss_patience_us(const struct sent *s, const struct rtt *rtt)
{
    int64_t most_us = rtt->smooth_us > rtt->newest_us ? rtt->smooth_us : rtt->newest_us;
    int64_t us = most_us * s->reorder_8 / 8;

    return us > RTT_GRAIN_US ? us : RTT_GRAIN_US;
}

/* A reduction is for all that is lost of what was out when it began. */
static void note_reduction(struct sent *s, int64_t now_us, uint64_t lost, int64_t sent_us)
{
    if (!lost)
        return;
    if (sent_us > s->reduced_us) {
        s->reduced_us = now_us;
        s->reduced_for = s->reduced_late = 0;
    }
    s->reduced_for += lost;
}

/* From the first to the last that was lost without anything between them having come. */
static bool is_persistent(int64_t from_us, int64_t to_us, const struct rtt *rtt,
                          int64_t delay_max_us)
{
    return rtt->known && from_us >= 0 &&
           to_us - from_us > PERSISTENT_PATIENCES * rtt_patience_us(rtt, delay_max_us);
}

static void find_losses(struct sent *s, int64_t now_us, const struct rtt *rtt, int64_t delay_max_us,
                        struct sent_report *r)
{
    int64_t patience_us = loss_patience_us(s, rtt), from_us = -1;

    s->loss_us = INT64_MAX;
    while (s->low + 1 < s->largest && at(s, s->low)->state != UNDER_WAY)
        s->low++;
    for (uint64_t n = s->low; n + 1 < s->largest; n++) {
        struct sent_packet *p = at(s, n);
        if (p->state == ACKED)
            from_us = -1;
        if (p->state != UNDER_WAY)
            continue;
        bool is_lost = n + 1 + s->reorder <= s->largest || now_us - p->sent_us >= patience_us;
        if (!is_lost) {
            int64_t due_us = p->sent_us + patience_us;
            s->loss_us = due_us < s->loss_us ? due_us : s->loss_us;
            continue;
        }
        lose(s, p, r);
        from_us = from_us < 0 && p->eliciting ? p->sent_us : from_us;
        if (is_persistent(from_us, p->sent_us, rtt, delay_max_us))
            r->loss.persistent = true;
    }
    r->loss.now_us = now_us;
    r->loss.under_way = s->under_way;
    r->loss.next_number = s->next;
    note_reduction(s, now_us, r->lost, r->loss.sent_us);
}

void sent_on_path(struct sent *s)
{
    struct sent_report none = { .loss.sent_us = -1 };

    for (uint64_t n = s->low; n < s->next; n++)
        if (at(s, n)->state == UNDER_WAY)
            lose(s, at(s, n), &none);
    s->low = s->path_first = s->next;
    s->loss_us = INT64_MAX;
    s->probes = 0;
    s->reduced_us = -1;
    s->reduced_for = s->reduced_late = 0;
    s->app_limited = 0;
}

/* --- acknowledgements --------------------------------------------------------------------------
 */

static void settle_ranges(struct sent *s, const struct ack *a, int64_t now_us,
                          const struct rtt *rtt, struct newest *newest, struct sent_report *r)
{
    for (uint32_t i = a->n_ranges; i-- > 0;) {
        uint64_t from = a->ranges[i].first > s->first ? a->ranges[i].first : s->first;
        for (uint64_t n = from; n <= a->ranges[i].last; n++)
            settle_one(s, n, now_us, rtt, newest, r);
    }
}

static void measure_rtt(const struct sent *s, const struct ack *a, int64_t now_us, bool is_new,
                        struct rtt *rtt, int64_t delay_max_us, struct cc_ack *ret)
{
    uint64_t last = a->ranges[0].last;

    if (!is_new || last < s->first || last < s->path_first || !at(s, last)->eliciting)
        return;
    int64_t took_us = now_us - at(s, last)->sent_us;
    int64_t delay_us = a->delay_us > INT64_MAX ? INT64_MAX : (int64_t)a->delay_us;
    rtt_on_sample(rtt, now_us, took_us, delay_us, delay_max_us);
    ret->rtt_us = rtt->newest_us;
}

int sent_on_ack(struct sent *s, const struct ack *a, int64_t now_us, struct rtt *rtt,
                int64_t delay_max_us, struct sent_report *ret)
{
    struct newest newest = { .p = NULL };
    bool is_new = a->ranges[0].last + 1 > s->largest;
    uint64_t before = s->under_way;

    *ret = (struct sent_report){ .loss.sent_us = -1 };
    if (check(s, a))
        return -ROOST_MALFORMED;
    if (is_new)
        s->largest = a->ranges[0].last + 1;
    measure_rtt(s, a, now_us, is_new, rtt, delay_max_us, &ret->ack);
    settle_ranges(s, a, now_us, rtt, &newest, ret);
    if (newest.p) {
        s->probes = 0;
        if (s->app_limited && s->delivered > s->app_limited)
            s->app_limited = 0;
        measure_rate(s, &newest.copy, &ret->ack);
    }
    find_losses(s, now_us, rtt, delay_max_us, ret);
    ret->ack.now_us = now_us;
    ret->ack.before = before;
    ret->ack.under_way = s->under_way;
    ret->ack.sent_us = newest.p ? newest.copy.sent_us : 0;
    ret->ack.min_rtt_us = rtt->low_us;
    ret->ack.smooth_rtt_us = rtt->smooth_us;
    ret->ack.number = s->largest - 1;
    ret->ack.next_number = s->next;
    ret->ack.delivered = s->delivered;
    ret->ack.lost = ret->loss.bytes;
    ret->ack.outage = ret->loss.persistent;
    ret->ack.lost_all = s->stats.lost_bytes - s->stats.late_bytes;
    forget(s, now_us, rtt);
    return 0;
}

/* --- time ---------------------------------------------------------------------------------------
 */

static int64_t probe_us(const struct sent *s, const struct rtt *rtt, int64_t delay_max_us)
{
    uint32_t times = s->probes < BACKOFF_MAX ? s->probes : BACKOFF_MAX;
    uint32_t later = s->probes > PROBES_BRISK ? s->probes - PROBES_BRISK : 0;
    int64_t patience_us = rtt_patience_us(rtt, delay_max_us), most_us = patience_us * PROBE_TIMES;

    if (!s->eliciting)
        return INT64_MAX;
    most_us = most_us > PROBE_BRISK_US ? most_us : PROBE_BRISK_US;
    most_us <<= later < BACKOFF_MAX ? later : BACKOFF_MAX;
    patience_us <<= times;
    return s->last_us + (patience_us < most_us ? patience_us : most_us);
}

int64_t sent_deadline_us(const struct sent *s, const struct rtt *rtt, int64_t delay_max_us)
{
    return s->loss_us != INT64_MAX ? s->loss_us : probe_us(s, rtt, delay_max_us);
}

uint32_t sent_expire(struct sent *s, int64_t now_us, const struct rtt *rtt, int64_t delay_max_us,
                     struct sent_report *ret)
{
    *ret = (struct sent_report){ .loss.sent_us = -1 };
    if (s->loss_us <= now_us) {
        find_losses(s, now_us, rtt, delay_max_us, ret);
        forget(s, now_us, rtt);
        return 0;
    }
    if (probe_us(s, rtt, delay_max_us) > now_us)
        return 0;
    s->probes++;
    s->stats.probes += PROBES;
    return PROBES;
}
