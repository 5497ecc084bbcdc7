#include "server/hold.h"

void hold_on_output(struct hold *h, int64_t now_us, uint32_t sends, uint64_t bytes)
{
    if (now_us - h->window_us >= HOLD_WINDOW_US) {
        /* a window that ended long ago says nothing of now */
        h->on = now_us - h->window_us < 2 * HOLD_WINDOW_US && h->sends >= HOLD_SENDS &&
                h->turns >= HOLD_TURNS;
        h->window_us = now_us;
        h->sends = h->turns = 0;
    }
    h->sends += sends;
    h->turns++;
    h->waiting += bytes;
    if (!h->since_us)
        h->since_us = now_us;
}

int64_t hold_until(const struct hold *h, int64_t now_us, uint32_t receivers, bool coming)
{
    if (!h->on || !h->since_us || !coming || h->waiting >= (uint64_t)receivers * HOLD_PLENTY)
        return now_us;
    return h->since_us + HOLD_US;
}

void hold_on_written(struct hold *h)
{
    h->since_us = 0;
    h->waiting = 0;
}
