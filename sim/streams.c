/* streams.c - random streams over random links: every byte once, in order, to the end.
 *
 *     streams [FIRST [COUNT]]     less of it: tier.h; a seed replays by number
 *
 * Two ends of a session, a link each way that loses, reorders, doubles and damages as the
 * seed says, and 220 steps: streams are opened, written, read late, ended, reset, stopped,
 * the link goes down and changes. Then it heals, all that was begun is ended, and judged:
 * who was not given up has come whole, nothing is left over at either end, and memory was
 * bounded by what the windows allow. Each kind of happening must be in at least one life
 * of a hundred.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow/inside.h"
#include "lab/link.h"
#include "sim/pump.h"
#include "sim/tier.h"

enum { STEPS = 220, IDS = 1024, CHUNK = 20000, SETTLE_S = 600, LIFE_BYTES = 400000 };
#define SECOND 1000000LL
/* Both rings of a stream are at most twice what is in them, and that is bounded by these. */
#define MEMORY_MAX (8ULL << 20)

#define HAPPENINGS(X)                                                                              \
    X(OPENED, "streams opened")                                                                    \
    X(LIMIT, "no more streams for now")                                                            \
    X(ENDED, "streams ended")                                                                      \
    X(RESET, "streams reset by who sends")                                                         \
    X(STOPPED, "streams stopped by who reads")                                                     \
    X(WHOLE, "streams that came whole")                                                            \
    X(LOST, "packets found lost")                                                                  \
    X(LATE, "packets lost that came after all")                                                    \
    X(PROBED, "silences asked into")                                                               \
    X(UNDONE, "reductions taken back")                                                             \
    X(DOWN, "outages")                                                                             \
    X(BENT, "links that changed")                                                                  \
    X(DOUBLED, "packets that came twice")                                                          \
    X(DAMAGED, "packets damaged")

enum happening {
#define X(name, words) NAME_##name,
    HAPPENINGS(X)
#undef X
        KINDS
};

static const char *const words_of[] = {
#define X(name, words) words,
    HAPPENINGS(X)
#undef X
};

/* One direction of a stream. */
struct way {
    bool known; /* to who writes: opened by it, or heard of */
    uint64_t written, read;
    bool ended, reset, stopped; /* stopped: by who reads */
    bool over, was_reset;       /* who reads knows */
};

struct life {
    uint64_t seed;
    struct dice dice;
    int64_t now_us;
    bool settling; /* nothing new is begun */
    struct flow *end[2];
    struct link link[2];
    struct way ways[2][IDS]; /* by who writes */
    uint64_t ids;            /* all below may be in use */
    uint64_t bytes;          /* written in all */
    uint64_t counts[KINDS];
    bool lazy; /* reads only now and then */
    char why[200];
};

static void fail(struct life *l, const char *why, uint64_t stream, uint64_t figure)
{
    if (!l->why[0])
        snprintf(l->why, sizeof l->why, "%s (stream %llu, %llu)", why, (unsigned long long)stream,
                 (unsigned long long)figure);
}

static uint8_t byte_at(int writer, uint64_t stream, uint64_t at)
{
    return (uint8_t)((uint64_t)writer * 101 + stream * 7 + at * 31 + at / 253);
}

static uint64_t roll(struct life *l, uint64_t n)
{
    return dice_below(&l->dice, n);
}

/* --- a world from a seed --------------------------------------------------------------------- */

static uint32_t perhaps(struct life *l, uint32_t one_in, uint32_t most)
{
    return roll(l, one_in) ? 0 : 1 + (uint32_t)roll(l, most);
}

static struct link_config any_link(struct life *l)
{
    struct link_config c = {
        .rate_bps = 200000 * (1 + roll(l, 1 << roll(l, 9))),
        .delay_us = (int64_t)roll(l, 1000 << roll(l, 8)),
        .jitter_us = perhaps(l, 3, 30000),
        .loss_ppm = perhaps(l, 2, 100000),
        .loss_burst = 1 + (uint32_t)roll(l, 4),
        .queue_bytes = roll(l, 3) ? 10000 + (uint32_t)roll(l, 300000) : 0,
        .reorder_ppm = perhaps(l, 3, 200000),
        .late_us = 100 + (int64_t)roll(l, 40000),
        .duplicate_ppm = perhaps(l, 3, 100000),
        .corrupt_ppm = perhaps(l, 3, 50000),
        .codel_target_us = perhaps(l, 5, 20000),
    };
    if (!roll(l, 6)) {
        c.police_bps = 500000 + roll(l, 20000000);
        c.police_bytes = 10000 + (uint32_t)roll(l, 60000);
    }
    return c;
}

static void on_trace(void *ctx, const struct flow_trace *t)
{
    struct life *l = ctx;

    l->counts[NAME_UNDONE] += t->what == FLOW_TRACE_UNDONE;
    l->counts[NAME_PROBED] += t->what == FLOW_TRACE_PROBE;
}

static void begin(struct life *l, uint64_t seed)
{
    static const char *const ccs[] = { "reno", "cubic", "bbr" };
    const uint8_t secret[32] = { 1 };

    memset(l, 0, sizeof *l);
    *l = (struct life){ .seed = seed, .dice = { seed * 77 }, .now_us = SECOND };
    for (int e = 0; e < 2; e++) {
        struct link_config c = any_link(l);
        uint8_t random[32] = { (uint8_t)seed, (uint8_t)(seed >> 8), (uint8_t)e };
        struct flow_settings s = { .client = e == 0,
                                   .session = 5,
                                   .secret = secret,
                                   .seed = random,
                                   .cc = cc_find(ccs[roll(l, 3)]),
                                   .rtt_us = roll(l, 2) ? 2 * c.delay_us : 0,
                                   .data_window = roll(l, 2) ? 0 : 20000 + roll(l, 200000),
                                   .trace = on_trace,
                                   .trace_ctx = l };
        link_init(&l->link[e], LINK_DATAGRAMS, &c, seed + (uint64_t)e);
        if (flow_new(&l->end[e], &s, l->now_us))
            fail(l, "out of memory", 0, 0);
    }
    l->lazy = !roll(l, 3);
}

/* --- both ends ---------------------------------------------------------------------------------
 */

static void read_some(struct life *l, int e, uint64_t id, uint64_t most)
{
    struct way *w = &l->ways[!e][id];
    size_t len;
    bool over;

    if (!l->ways[e][id].known || w->stopped || w->over || w->was_reset)
        return;
    for (const uint8_t *p; most && (p = flow_read(l->end[e], id, &len, &over)) && len;) {
        len = len < most ? len : (size_t)most;
        for (size_t i = 0; i < len; i++)
            if (p[i] != byte_at(!e, id, w->read + i)) {
                fail(l, "another byte than was written", id, w->read + i);
                return;
            }
        w->read += len;
        most -= len;
        flow_take(l->end[e], id, len, l->now_us);
    }
    flow_read(l->end[e], id, &len, &over);
    w->over = over && !len && !w->was_reset;
    if (w->read > w->written)
        fail(l, "more than was written", id, w->read);
}

static void hear(struct life *l, int e, bool settling)
{
    struct flow_event v;

    while (flow_event(l->end[e], &v)) {
        if (v.what == FLOW_CLOSED) {
            fail(l, "the session ended", v.stream, v.code);
            return;
        }
        if (v.stream >= IDS)
            continue;
        l->ways[e][v.stream].known = true;
        l->ids = v.stream >= l->ids ? v.stream + 1 : l->ids;
        if (v.what == FLOW_RESET)
            l->ways[!e][v.stream].was_reset = true;
        if (v.what == FLOW_READABLE && (settling || !l->lazy || !roll(l, 4)))
            read_some(l, e, v.stream, settling || roll(l, 4) ? UINT64_MAX : 1 + roll(l, 3000));
    }
}

static void turn(struct life *l, int e)
{
    pump_in(l->end[e], &l->link[!e], l->now_us);
    flow_expire(l->end[e], l->now_us);
    hear(l, e, l->settling);
    if (!pump_out(l->end[e], &l->link[e], l->now_us))
        fail(l, "out of memory", 0, 0);
}

static int64_t both(void *life, int64_t now_us)
{
    struct life *l = life;

    turn(l, 0);
    turn(l, 1);
    return l->why[0] ? INT64_MAX : pump_due_us(l->end, l->link, now_us);
}

static void pass(struct life *l, int64_t for_us, bool settling)
{
    l->settling = settling;
    if (!l->why[0] && !pump_run(both, l, &l->now_us, for_us))
        fail(l, "time stands still", 0, (uint64_t)l->now_us);
}

static void weigh(struct life *l)
{
    for (int e = 0; e < 2; e++) {
        struct map_slot *slot;
        uint64_t bytes = 0;
        for (size_t i = 0; (slot = map_next(&l->end[e]->streams, &i));) {
            const struct stream *s = slot->value;
            bytes += s->source.ring.cap + s->sink.ring.cap;
            bytes += (s->source.acked.cap + s->source.lost.cap + s->sink.come.cap) *
                     sizeof(struct span);
        }
        if (bytes > MEMORY_MAX)
            fail(l, "memory", 0, bytes);
    }
}

/* --- what is done --------------------------------------------------------------------------------
 */

static void write_some(struct life *l, int e, uint64_t id, uint64_t len)
{
    uint8_t bytes[CHUNK];
    struct way *w = &l->ways[e][id];

    if (!w->known || w->ended || w->reset || l->bytes > LIFE_BYTES)
        return;
    len = len < CHUNK ? len : CHUNK;
    for (uint64_t i = 0; i < len; i++)
        bytes[i] = byte_at(e, id, w->written + i);
    int64_t took = flow_write(l->end[e], id, bytes, len);
    if (took > 0) {
        w->written += (uint64_t)took;
        l->bytes += (uint64_t)took;
    }
}

static void open_one(struct life *l, int e)
{
    int64_t id = flow_open(l->end[e], (uint32_t)roll(l, 3));

    if (id < 0 || id >= IDS) {
        l->counts[NAME_LIMIT]++;
        return;
    }
    l->counts[NAME_OPENED]++;
    l->ways[e][id].known = true;
    l->ids = (uint64_t)id >= l->ids ? (uint64_t)id + 1 : l->ids;
    write_some(l, e, (uint64_t)id, 1 + roll(l, 1 << roll(l, 15)));
}

static void open_many(struct life *l, int e)
{
    for (int i = 0; i < FLOW_STREAMS_MAX + 2; i++) {
        int64_t id = flow_open(l->end[e], 0);
        if (id < 0 || id >= IDS) {
            l->counts[NAME_LIMIT]++;
            return;
        }
        l->ways[e][id].known = true;
        l->ids = (uint64_t)id >= l->ids ? (uint64_t)id + 1 : l->ids;
        write_some(l, e, (uint64_t)id, 1);
    }
}

static void end_one(struct life *l, int e, uint64_t id)
{
    struct way *w = &l->ways[e][id];

    if (w->known && !w->ended && !w->reset && !flow_end(l->end[e], id)) {
        w->ended = true;
        l->counts[NAME_ENDED]++;
    }
}

static void reset_one(struct life *l, int e, uint64_t id)
{
    struct way *w = &l->ways[e][id];

    if (w->known && !w->reset && !flow_reset(l->end[e], id, 3)) {
        w->reset = true;
        l->counts[NAME_RESET]++;
    }
}

static void stop_one(struct life *l, int e, uint64_t id)
{
    struct way *w = &l->ways[!e][id];

    if (l->ways[e][id].known && !w->over && !w->stopped && !flow_stop(l->end[e], id, 4)) {
        w->stopped = true;
        l->counts[NAME_STOPPED]++;
    }
}

static void bend(struct life *l, int e)
{
    struct link_config c = any_link(l);

    link_set(&l->link[e], &c);
    l->counts[NAME_BENT]++;
}

static void toggle(struct life *l)
{
    bool down = !l->link[0].down;

    for (int e = 0; e < 2; e++)
        link_set_down(&l->link[e], down, l->now_us);
    l->counts[NAME_DOWN] += down;
}

static void step(struct life *l)
{
    int e = (int)roll(l, 2);
    uint64_t id = l->ids ? roll(l, l->ids) : 0, what = roll(l, 100);

    if (what < 22)
        open_one(l, e);
    else if (what < 60)
        write_some(l, e, id, 1 + roll(l, 1 << roll(l, 15)));
    else if (what < 75)
        end_one(l, e, id);
    else if (what < 88)
        read_some(l, e, id, 1 + roll(l, 10000));
    else if (what < 91)
        reset_one(l, e, id);
    else if (what < 94)
        stop_one(l, e, id);
    else if (what < 96)
        bend(l, e);
    else if (what < 98 && !roll(l, 4))
        toggle(l);
    else if (what == 98 && !roll(l, 10))
        open_many(l, e);
    pass(l, (int64_t)roll(l, 1 << roll(l, 17)), false);
    weigh(l);
}

/* --- peace, and judgement
 * --------------------------------------------------------------------------- */

static bool is_done(const struct life *l)
{
    return !l->end[0]->streams.n && !l->end[1]->streams.n && flow_is_quiet(l->end[0]) &&
           flow_is_quiet(l->end[1]);
}

static void settle(struct life *l)
{
    static const struct link_config good = { .rate_bps = 10000000, .delay_us = 10000 };

    for (int e = 0; e < 2; e++) {
        link_set(&l->link[e], &good);
        link_set_down(&l->link[e], false, l->now_us);
    }
    for (int s = 0; s < SETTLE_S && !l->why[0] && !is_done(l); s++) {
        for (uint64_t id = 0; id < l->ids; id++)
            for (int e = 0; e < 2; e++) {
                end_one(l, e, id);
                read_some(l, e, id, UINT64_MAX);
            }
        pass(l, SECOND, true);
    }
}

static void judge(struct life *l)
{
    for (uint64_t id = 0; id < l->ids && !l->why[0]; id++)
        for (int e = 0; e < 2; e++) {
            const struct way *w = &l->ways[e][id];
            if (!w->known || w->reset || w->stopped)
                continue;
            if (!w->over || w->read != w->written)
                fail(l, "did not come whole", id, w->read);
            l->counts[NAME_WHOLE]++;
        }
    if (!l->why[0] && !is_done(l))
        fail(l, "something is left over", l->end[0]->streams.n, l->end[1]->streams.n);
    for (int e = 0; e < 2; e++) {
        l->counts[NAME_LOST] += l->end[e]->sent.stats.lost;
        l->counts[NAME_LATE] += l->end[e]->sent.stats.late;
        l->counts[NAME_DOUBLED] += l->link[e].counts.duplicated;
        l->counts[NAME_DAMAGED] += l->link[e].counts.corrupted;
    }
}

static bool live(uint64_t seed, uint64_t lives[KINDS], uint64_t total[KINDS])
{
    static struct life l;

    begin(&l, seed);
    for (int i = 0; i < STEPS && !l.why[0]; i++)
        step(&l);
    settle(&l);
    judge(&l);
    for (int i = 0; i < KINDS; i++) {
        lives[i] += l.counts[i] > 0;
        total[i] += l.counts[i];
    }
    for (int e = 0; e < 2; e++) {
        flow_free(l.end[e]);
        link_fini(&l.link[e]);
    }
    if (l.why[0])
        printf("FAIL streams: seed %llu: %s\n", (unsigned long long)seed, l.why);
    return l.why[0];
}

int main(int argc, char **argv)
{
    static uint64_t lives[KINDS], total[KINDS];
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    long count = argc > 2 ? atol(argv[2]) : argc > 1 ? 1 : tier_lives(5000), done = 0, failed = 0;
    time_t started = time(NULL), most = tier_seconds();

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; done < count && failed < 5 && (!done || time(NULL) - started < most); done++)
        failed += live(first + (uint64_t)done, lives, total);
    printf("NOTE %ld lives of %d steps\n", done, STEPS);
    for (int i = 0; i < KINDS; i++) {
        bool rare = done >= 100 && lives[i] * 100 < (uint64_t)done;
        printf("  %-34s %9llu in %llu lives\n", words_of[i], (unsigned long long)total[i],
               (unsigned long long)lives[i]);
        if (rare)
            printf("FAIL streams: too rare: %s\n", words_of[i]);
        failed += rare;
    }
    if (!failed)
        printf("ok streams: %ld lives\n", done);
    return failed > 0;
}
