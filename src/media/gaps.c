#include "media/gaps.h"

/* Half of what was is forgotten in 140 parts: three seconds of voice. */
#define WEIGHT 0.005f

static void note_loss(struct gaps *g, bool lost)
{
    uint64_t n = g->received + g->lost + 1;
    float weight = n < 200 ? 1.0f / (float)n : WEIGHT;

    g->loss += weight * ((lost ? 1.0f : 0.0f) - g->loss);
}

static void set(struct gaps *g, uint32_t i, bool missing)
{
    g->n_missing = (uint16_t)(g->n_missing + missing - g->slots[i].missing);
    g->slots[i].missing = missing;
}

static void note_missing(struct gaps *g, int64_t now_us, uint16_t from, uint16_t to)
{
    for (uint16_t c = from; c != to; c++) {
        uint32_t i = c % GAPS_WINDOW;
        set(g, i, true);
        g->slots[i].tried = 0;
        g->slots[i].count = c;
        g->slots[i].since_us = g->slots[i].asked_us = now_us;
        note_loss(g, true);
        g->lost++;
    }
}

enum gaps_came gaps_on_part(struct gaps *g, int64_t now_us, uint16_t count)
{
    uint16_t ahead = (uint16_t)(count - g->newest);
    uint32_t i = count % GAPS_WINDOW;

    if (!g->begun || (ahead >= GAPS_WINDOW && ahead <= UINT16_MAX - GAPS_WINDOW)) {
        /* the first, or so far off that the other side began anew: nothing before it is missing */
        for (uint32_t k = 0; g->n_missing && k < GAPS_WINDOW; k++)
            set(g, k, false);
        g->begun = true;
    } else if (ahead == 0 || ahead > UINT16_MAX - GAPS_WINDOW) {
        if (!g->slots[i].missing || g->slots[i].count != count) {
            g->again++;
            return GAPS_AGAIN;
        }
        set(g, i, false);
        g->repaired++;
        g->received++;
        return GAPS_REPAIRED;
    } else {
        note_missing(g, now_us, (uint16_t)(g->newest + 1), count);
    }
    g->newest = count;
    set(g, i, false);
    note_loss(g, false);
    g->received++;
    return GAPS_NEW;
}

/* When this one is to be asked for; INT64_MAX: no more. */
static int64_t due_us(const struct gaps *g, uint32_t i, int64_t rtt_us, int64_t budget_us)
{
    if (!g->slots[i].missing || g->slots[i].tried >= GAPS_TRIES)
        return INT64_MAX;
    int64_t due = g->slots[i].tried ? g->slots[i].asked_us + rtt_us + GAPS_AGAIN_US
                                    : g->slots[i].since_us + GAPS_OVERTAKEN_US;
    return due + rtt_us > g->slots[i].since_us + budget_us ? INT64_MAX : due;
}

int64_t gaps_deadline_us(const struct gaps *g, int64_t rtt_us, int64_t budget_us)
{
    int64_t first = INT64_MAX;

    for (uint32_t i = 0; g->n_missing && i < GAPS_WINDOW; i++) {
        int64_t due = due_us(g, i, rtt_us, budget_us);
        first = due < first ? due : first;
    }
    return first;
}

/* Into the last gap if it is near enough. */
static bool put(struct nack *n, uint16_t count)
{
    uint16_t behind = n->n ? (uint16_t)(count - n->gaps[n->n - 1].first) : 0;

    if (n->n && behind >= 1 && behind <= 16) {
        n->gaps[n->n - 1].more |= (uint16_t)(1u << (behind - 1));
        return true;
    }
    if (n->n == NACK_GAPS_MAX)
        return false;
    n->gaps[n->n].first = count;
    n->gaps[n->n++].more = 0;
    return true;
}

bool gaps_ask(struct gaps *g, int64_t now_us, int64_t rtt_us, int64_t budget_us, struct nack *ret)
{
    ret->n = 0;
    for (uint32_t k = 1; g->n_missing && k <= GAPS_WINDOW; k++) { /* the oldest first */
        uint16_t count = (uint16_t)(g->newest - GAPS_WINDOW + k);
        uint32_t i = count % GAPS_WINDOW;
        if (g->slots[i].count != count || due_us(g, i, rtt_us, budget_us) > now_us)
            continue;
        if (!put(ret, count))
            break;
        g->slots[i].tried++;
        g->slots[i].asked_us = now_us;
    }
    return ret->n > 0;
}
