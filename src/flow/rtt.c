#include "flow/rtt.h"

void rtt_init(struct rtt *r)
{
    *r = (struct rtt){ .newest_us = RTT_FIRST_US,
                       .smooth_us = RTT_FIRST_US,
                       .vary_us = RTT_FIRST_US / 2,
                       .low_now_us = INT64_MAX,
                       .low_next_us = INT64_MAX };
}

/* Two halves of a window: the older is dropped when the newer is full. */
static void note_low(struct rtt *r, int64_t now_us, int64_t took_us)
{
    if (now_us - r->low_since_us >= RTT_LOW_LIFE_US) {
        r->low_now_us = r->low_next_us;
        r->low_next_us = INT64_MAX;
        r->low_since_us = now_us;
    }
    if (took_us < r->low_next_us)
        r->low_next_us = took_us;
    if (r->low_next_us < r->low_now_us)
        r->low_now_us = r->low_next_us;
    r->low_us = r->low_now_us;
}

void rtt_on_sample(struct rtt *r, int64_t now_us, int64_t took_us, int64_t delay_us,
                   int64_t delay_max_us)
{
    if (took_us < 1)
        took_us = 1;
    if (!r->known)
        r->low_since_us = now_us;
    note_low(r, now_us, took_us);
    r->newest_us = r->path_us = took_us;
    if (!r->known) {
        r->known = true;
        r->smooth_us = took_us;
        r->vary_us = took_us / 2;
        return;
    }
    if (delay_us > delay_max_us)
        delay_us = delay_max_us;
    int64_t path_us = took_us - delay_us >= r->low_us ? took_us - delay_us : took_us;
    r->path_us = path_us;
    int64_t off_us = r->smooth_us > path_us ? r->smooth_us - path_us : path_us - r->smooth_us;
    r->vary_us = (3 * r->vary_us + off_us) / 4;
    r->smooth_us = (7 * r->smooth_us + path_us) / 8;
}

int64_t rtt_patience_us(const struct rtt *r, int64_t delay_max_us)
{
    int64_t vary_us = 4 * r->vary_us;

    return r->smooth_us + (vary_us > RTT_GRAIN_US ? vary_us : RTT_GRAIN_US) + delay_max_us;
}
