/* A jitter buffer, gaps and what is remembered, an estimate, figures and speakers, with frames and
 * times as they never come: nothing breaks, nothing is heard twice, rates and delays stay in their
 * bounds. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "media/estimate.h"
#include "media/figures.h"
#include "media/gaps.h"
#include "media/history.h"
#include "media/jitter.h"
#include "media/speakers.h"
#include "media/turn.h"

enum { EACH = 64 };

struct play {
    const uint8_t *p;
    size_t left;
    int64_t now_us;
    uint8_t store[JITTER_FRAMES * EACH];
    struct jitter jitter;
    struct gaps gaps;
    struct history history;
    struct estimate estimate;
    struct figures figures;
    struct speakers speakers;
    struct turn turn;
    uint64_t last;
    bool heard;
};

static uint64_t next(struct play *x, int bytes)
{
    uint64_t n = 0;

    for (int i = 0; i < bytes && x->left; i++, x->left--)
        n = n << 8 | *x->p++;
    return n;
}

/* Mostly small, at times anything; never so much that a sum of two overflows. */
static int64_t some_time(struct play *x)
{
    uint64_t shape = next(x, 1);

    if (shape < 200)
        return (int64_t)(next(x, 2) * (shape % 8 + 1));
    return (int64_t)(next(x, 7) << (shape % 3)) - (int64_t)(next(x, 7) << (shape % 2));
}

static void put(struct play *x)
{
    struct media m = { .frame = x->jitter.newest + next(x, 1) % 16 - 6 };
    uint8_t bytes[EACH + 1];
    uint64_t odd = next(x, 1);

    if (odd > 250)
        m.frame = next(x, 8) >> 2;
    m.timestamp = odd % 32 == 1 ? (uint32_t)next(x, 4) : (uint32_t)m.frame * 960;
    m.silence = odd % 16 == 2;
    m.frame &= CURSOR_VAR_MAX;
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, &m.frame, sizeof m.frame);
    jitter_put(&x->jitter, x->now_us, &m, bytes, EACH + (odd == 7),
               odd == 9 ? (uint32_t)next(x, 2) : 960);
}

static void hear(struct play *x)
{
    struct jitter_turn t;
    uint64_t frame;

    jitter_next(&x->jitter, x->now_us, &t);
    assert(t.ticks);
    if (t.what != JITTER_PLAY && t.what != JITTER_FASTER && t.what != JITTER_SLOWER)
        return;
    memcpy(&frame, t.bytes, sizeof frame);
    /* forwards only, unless the sender began anew far off */
    assert(!x->heard || frame > x->last || x->jitter.newest < x->last ||
           x->jitter.newest - x->last > JITTER_FRAMES);
    x->last = frame;
    x->heard = true;
}

static void lose(struct play *x)
{
    struct nack n;
    uint32_t i = 0, what;
    uint16_t count;

    gaps_on_part(&x->gaps, x->now_us, (uint16_t)(x->gaps.newest + next(x, 1) % 24 - 8));
    if (next(x, 1) > 250)
        gaps_on_part(&x->gaps, x->now_us, (uint16_t)next(x, 2));
    assert(x->gaps.loss >= 0 && x->gaps.loss <= 1 && x->gaps.repaired <= x->gaps.lost);
    history_on_sent(&x->history, x->now_us, (uint32_t)next(x, 1));
    if (gaps_ask(&x->gaps, x->now_us, some_time(x), some_time(x), &n)) {
        uint32_t answers = 0;
        assert(n.n && n.n <= NACK_GAPS_MAX);
        while (history_asked(&x->history, x->now_us, 1000, &n, &i, &what, &count))
            assert(++answers <= HISTORY_ASKED_MAX);
    }
    gaps_deadline_us(&x->gaps, 1000, 100000);
}

static void estimate(struct play *x)
{
    estimate_on_acked(&x->estimate, x->now_us, x->now_us - some_time(x), some_time(x),
                      (uint32_t)next(x, 2));
    if (next(x, 1) % 4 == 0)
        estimate_on_lost(&x->estimate, x->now_us, (uint32_t)next(x, 1));
    if (next(x, 1) > 250)
        estimate_on_path(&x->estimate, x->now_us);
    estimate_on_limited(&x->estimate, next(x, 1) > 128);
    estimate_expire(&x->estimate, x->now_us);
    assert(x->estimate.rate >= 50000 && x->estimate.rate <= 20000000);
    assert(x->estimate.bound_us >= ESTIMATE_BOUND_US - 1 &&
           x->estimate.bound_us <= ESTIMATE_BOUND_MOST_US);
}

static void look(struct play *x)
{
    struct figures_view v;
    char text[FIGURES_SENTENCE];
    bool changed;

    figures_on_packet(&x->figures, x->now_us, some_time(x), (uint32_t)next(x, 2));
    figures_on_loss(&x->figures, x->now_us, (uint32_t)next(x, 1), (uint32_t)next(x, 1));
    figures_on_why(&x->figures, x->now_us, (enum figures_why)(next(x, 1) % FIGURES_WHY_MAX),
                   (uint32_t)next(x, 4));
    figures_look(&x->figures, x->now_us, &v);
    figures_sentence(v.why, v.why_value, text, sizeof text);
    assert(v.loss_ppm <= 255000000 && v.loss_after_ppm <= 1000000 && text[0]);
    speakers_on_frame(&x->speakers, x->now_us, 1 + (uint32_t)next(x, 1) % 20,
                      (uint8_t)next(x, 1) & 127, &changed);
    if (next(x, 1) > 240)
        speakers_on_silent(&x->speakers, 1 + (uint32_t)next(x, 1) % 20);
    enum turn_kind kind = (enum turn_kind)(next(x, 1) % TURN_KINDS);
    if (turn_allows(&x->turn, x->now_us, kind, 1000))
        turn_on_sent(&x->turn, x->now_us, kind, 1000);
    turn_when_us(&x->turn, x->now_us, kind, 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const steps[])(
        struct play *) = { put, put, put, hear, hear, lose, estimate, look };
    static struct play x;

    memset(&x, 0, sizeof x);
    x.p = data;
    x.left = len;
    x.now_us = 1000000;
    jitter_init(&x.jitter, x.store, EACH, next(&x, 1) & 1);
    estimate_init(&x.estimate, x.now_us, 300000, 50000, 20000000);
    figures_init(&x.figures, x.now_us);
    speakers_init(&x.speakers, (uint32_t)next(&x, 1));
    turn_init(&x.turn, x.now_us, 1000000);
    while (x.left) {
        uint64_t what = next(&x, 1);
        int64_t step = what & 0x80 ? some_time(&x) : 5000;
        if (x.now_us + step > 0 && x.now_us + step < INT64_MAX / 16)
            x.now_us += what & 0x40 ? 0 : step;
        steps[what % 8](&x);
    }
    return 0;
}
