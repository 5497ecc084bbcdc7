#include "flow/sink.h"

#include "base/err.h"

enum { AHEAD = 4 };

void sink_init(struct sink *s, uint64_t window_max)
{
    uint64_t window = window_max < SINK_WINDOW_FIRST ? window_max : SINK_WINDOW_FIRST;

    *s = (struct sink){
        .end = SINK_NO_END, .window = window, .window_max = window_max, .limit = window
    };
}

void sink_fini(struct sink *s)
{
    ring_fini(&s->ring);
    spans_fini(&s->come);
}

static int check(const struct sink *s, uint64_t to, bool end)
{
    if (to > s->limit || to > s->end)
        return -ROOST_MALFORMED;
    if (end && (to < s->highest || (s->end != SINK_NO_END && to != s->end)))
        return -ROOST_MALFORMED;
    return 0;
}

/* Holes that were filled move the border on. */
static void join(struct sink *s)
{
    while (s->come.n && s->come.all[0].from <= s->upto) {
        struct span first = s->come.all[0];
        s->upto = first.to > s->upto ? first.to : s->upto;
        spans_remove(&s->come, first.from, first.to);
    }
}

static int keep(struct sink *s, uint64_t from, const uint8_t *bytes, uint64_t to)
{
    /* `highest` may be more: an end may come before what it ends */
    uint64_t have = s->come.n ? s->come.all[s->come.n - 1].to : s->upto;
    int err = from > s->upto ? spans_reserve(&s->come, from, to) : 0;

    if (!err) /* behind it: what is refused costs nothing */
        err = ring_fit(&s->ring, s->read, have, have > to ? have : to);
    if (!err && from > s->upto)
        err = spans_add(&s->come, from, to);
    if (err)
        return err;
    ring_put(&s->ring, from, bytes, (size_t)(to - from));
    if (from <= s->upto && to > s->upto)
        s->upto = to;
    join(s);
    return 0;
}

int64_t sink_put(struct sink *s, uint64_t offset, const uint8_t *bytes, size_t len, bool end)
{
    uint64_t to = offset + len, before = s->highest;
    int err = check(s, to, end);

    if (err)
        return err;
    if (offset < s->upto) { /* of what is known already nothing is written over */
        uint64_t known = s->upto - offset < len ? s->upto - offset : len;
        offset += known;
        bytes += known;
    }
    if (offset < to)
        err = keep(s, offset, bytes, to);
    if (err)
        return err;
    if (end)
        s->end = to;
    if (to > s->highest)
        s->highest = to;
    return (int64_t)(s->highest - before);
}

int64_t sink_reset(struct sink *s, uint64_t length)
{
    uint64_t before = s->highest;
    int err = check(s, length, true);

    if (err)
        return err;
    s->end = s->highest = s->upto = s->read = length;
    sink_fini(s);
    return (int64_t)(length - before);
}

const uint8_t *sink_peek(const struct sink *s, size_t *ret_len)
{
    *ret_len = 0;
    return s->read < s->upto ? ring_at(&s->ring, s->read, (size_t)(s->upto - s->read), ret_len)
                             : NULL;
}

/* Who starts slowly sends twice as much each round trip, and hears of a new limit a round
 * trip late: four times what was read in one is enough not to hold it back. */
static void tune(struct sink *s, int64_t now_us, int64_t rtt_us)
{
    uint64_t want = AHEAD * (s->read - s->round_read);

    if (want > s->window)
        s->window = want < s->window_max ? want : s->window_max;
    if (now_us - s->round_us < rtt_us)
        return;
    s->round_read = s->read;
    s->round_us = now_us;
}

void sink_take(struct sink *s, size_t len, int64_t now_us, int64_t rtt_us)
{
    s->read += len;
    tune(s, now_us, rtt_us);
}

uint64_t sink_skip(struct sink *s)
{
    uint64_t n = s->upto - s->read;

    s->read = s->upto;
    return n;
}

bool sink_is_over(const struct sink *s)
{
    return s->read == s->end;
}

static uint64_t fresh_limit(const struct sink *s)
{
    uint64_t limit = s->read + s->window;

    return limit > s->limit ? limit : s->limit;
}

bool sink_has_credit(const struct sink *s)
{
    return s->end == SINK_NO_END && fresh_limit(s) - s->limit >= s->window / 4;
}

uint64_t sink_give_credit(struct sink *s)
{
    return s->limit = fresh_limit(s);
}
