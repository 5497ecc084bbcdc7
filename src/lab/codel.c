#include "lab/codel.h"

/* The next drop comes interval / sqrt(count) after the last: with every drop a little sooner,
 * so that a sender whose rate falls with 1 / sqrt(loss) gives way evenly. */
static int64_t pause_us(int64_t interval_us, uint32_t count)
{
    uint64_t square = (uint64_t)interval_us * (uint64_t)interval_us / count;
    uint64_t root = 0;

    for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= square)
            root += bit;
    return (int64_t)root;
}

/* Has the wait been above the target for a whole interval? */
static bool stands(struct codel *c, int64_t now_us, int64_t waited_us, bool small,
                   int64_t target_us, int64_t interval_us)
{
    if (waited_us < target_us || small) {
        c->first_above_us = 0;
        return false;
    }
    if (c->first_above_us == 0) {
        c->first_above_us = now_us + interval_us;
        return false;
    }
    return now_us >= c->first_above_us;
}

bool codel_drops(struct codel *c, int64_t now_us, int64_t waited_us, bool small, int64_t target_us,
                 int64_t interval_us)
{
    bool stood = stands(c, now_us, waited_us, small, target_us, interval_us);

    if (!stood) {
        c->dropping = false;
        return false;
    }
    if (c->dropping) {
        if (now_us < c->drop_next_us)
            return false;
        c->count++;
        c->drop_next_us += pause_us(interval_us, c->count);
        return true;
    }
    /* It drops again soon after it stopped: it goes on about where it was. */
    uint32_t dropped = c->count - c->last_count;
    bool again = dropped > 1 && now_us - c->drop_next_us < 16 * interval_us;
    c->dropping = true;
    c->count = again ? dropped : 1;
    c->last_count = c->count;
    c->drop_next_us = now_us + pause_us(interval_us, c->count);
    return true;
}

void codel_on_empty(struct codel *c)
{
    c->first_above_us = 0;
    c->dropping = false;
}
