#include "flow/pacer.h"

#include <math.h>

/* Packets, in this turn or in the one that has more. */
static uint32_t together(const struct pacer *p, bool more)
{
    return (p->together + (more ? 1 : p->turns % 2)) / 2;
}

static void set_burst(struct pacer *p)
{
    uint64_t burst = (uint64_t)PACER_BURST_PACKETS * p->mss;
    int64_t least_us = PACER_BURST_US;

    if (p->queue_us && p->queue_us / 2 < least_us)
        least_us = p->queue_us / 2 > PACER_BURST_LEAST_US ? p->queue_us / 2 : PACER_BURST_LEAST_US;
    uint64_t of_time = p->rate * (uint64_t)least_us / 1000000;
    if (p->rate && of_time < burst)
        burst = of_time;
    uint64_t packets = together(p, true) + 1;
    packets = packets > PACER_BURST_LEAST ? packets : PACER_BURST_LEAST;
    if (burst < packets * p->mss)
        burst = packets * p->mss;
    p->burst = burst;
    if (p->tokens > (double)burst)
        p->tokens = (double)burst;
}

void pacer_init(struct pacer *p, enum pacer_kind kind, uint32_t mss, int64_t now_us)
{
    *p = (struct pacer){ .mss = mss, .at_us = now_us, .kind = kind };
    set_burst(p);
    p->tokens = (double)p->burst;
}

static void refill(struct pacer *p, int64_t now_us)
{
    if (now_us <= p->at_us)
        return;
    p->tokens += (double)p->rate * (double)(now_us - p->at_us) / 1e6;
    if (p->tokens > (double)p->burst)
        p->tokens = (double)p->burst;
    p->at_us = now_us;
}

void pacer_set_rate(struct pacer *p, int64_t now_us, uint64_t rate)
{
    refill(p, now_us); /* what came until now came at the old rate */
    p->rate = rate;
    set_burst(p);
}

void pacer_set_mss(struct pacer *p, uint32_t mss)
{
    p->mss = mss;
    set_burst(p);
}

void pacer_set_together(struct pacer *p, uint32_t halves)
{
    p->together = halves;
    set_burst(p);
}

void pacer_on_queue(struct pacer *p, int64_t queue_us)
{
    p->queue_us = queue_us;
    set_burst(p);
}

bool pacer_allows(struct pacer *p, int64_t now_us, uint64_t bytes)
{
    return pacer_when_us(p, now_us, bytes) <= now_us;
}

void pacer_on_sent(struct pacer *p, int64_t now_us, uint64_t bytes)
{
    refill(p, now_us);
    if (p->rate)
        p->tokens -= (double)bytes;
    if (p->tokens < (double)bytes) /* who waits now wakes for the next turn */
        p->turns++;
    if (p->rate && p->kind == PACER_SLEEP)
        p->wake_us = now_us + (int64_t)ceil((double)bytes * 1e6 / (double)p->rate) + PACER_LATE_US;
}

int64_t pacer_when_us(struct pacer *p, int64_t now_us, uint64_t bytes)
{
    /* one that is larger than a burst leaves when the bucket is full */
    double need = bytes < p->burst ? (double)bytes : (double)p->burst;

    refill(p, now_us);
    if (p->kind == PACER_SLEEP)
        return p->wake_us > now_us ? p->wake_us : now_us;
    if (!p->rate || p->kind == PACER_NONE || p->tokens >= need)
        return now_us;
    return now_us + (int64_t)ceil((need - p->tokens) * 1e6 / (double)p->rate);
}

int64_t pacer_wake_us(struct pacer *p, int64_t now_us, uint64_t bytes)
{
    int64_t when_us = pacer_when_us(p, now_us, bytes);

    if (when_us <= now_us || p->kind != PACER_BUCKET)
        return when_us;
    uint64_t turn = (uint64_t)together(p, false) * p->mss;
    uint64_t half = p->burst / 2 > turn ? p->burst / 2 : turn;
    return pacer_when_us(p, now_us, bytes > half ? bytes : half);
}
