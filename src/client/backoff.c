#include "client/backoff.h"

void backoff_reset(struct backoff *b)
{
    *b = (struct backoff){ 0 };
}

static int64_t between(int64_t low, int64_t high, uint64_t chance)
{
    return low + (int64_t)(chance % (uint64_t)(high - low + 1));
}

int64_t backoff_next(struct backoff *b, int64_t now_us, uint64_t chance)
{
    if (!b->tries++) {
        b->since_us = now_us;
        return between(0, BACKOFF_FIRST_US, chance);
    }
    if (now_us - b->since_us < BACKOFF_EAGER_FOR_US)
        return between(BACKOFF_FIRST_US, BACKOFF_EAGER_US, chance);
    b->wait_us = b->wait_us ? b->wait_us * 2 : 2 * BACKOFF_EAGER_US;
    if (b->wait_us > BACKOFF_MAX_US)
        b->wait_us = BACKOFF_MAX_US;
    return between(b->wait_us / 2, b->wait_us, chance);
}
