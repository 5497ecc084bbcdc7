#include "media/delay.h"

/* So fast the target falls: 10 ms a second. */
enum { FALL_US = 1000, FALL_EVERY_US = 100000 };

void delay_init(struct delay *d, int64_t most_us)
{
    *d = (struct delay){ .target_us = DELAY_FIRST_US, .most_us = most_us };
}

static void note_low(struct delay *d, int64_t now_us, int64_t offset_us)
{
    if (!d->n || now_us - d->low_since_us > DELAY_LOW_US) {
        d->low_us = d->n && d->low_next_us < offset_us ? d->low_next_us : offset_us;
        d->low_next_us = offset_us;
        d->low_since_us = now_us;
    }
    if (offset_us < d->low_us)
        d->low_us = offset_us;
    if (offset_us < d->low_next_us)
        d->low_next_us = offset_us;
}

static int64_t tail_us(const struct delay *d)
{
    float tail = 0;
    int i = DELAY_BUCKETS;

    while (i > 1 && tail + d->share[i - 1] <= DELAY_TAIL)
        tail += d->share[--i];
    return (int64_t)i * DELAY_BUCKET_US;
}

static void follow(struct delay *d, int64_t now_us)
{
    int64_t want_us = tail_us(d) + DELAY_MARGIN_US;

    if (d->n < DELAY_FIRST && want_us < DELAY_FIRST_US)
        want_us = DELAY_FIRST_US;
    if (want_us > d->most_us)
        want_us = d->most_us;
    if (want_us >= d->target_us) {
        d->target_us = want_us;
        d->fell_us = now_us;
    } else if (now_us - d->fell_us >= FALL_EVERY_US) {
        d->target_us -= d->target_us - want_us < FALL_US ? d->target_us - want_us : FALL_US;
        d->fell_us = now_us;
    }
}

int64_t delay_on_frame(struct delay *d, int64_t now_us, int64_t sent_us)
{
    float weight = 1.0f / (float)(d->n + 1);

    note_low(d, now_us, now_us - sent_us);
    int64_t late_us = now_us - sent_us - d->low_us;
    int64_t bucket = late_us / DELAY_BUCKET_US;
    if (weight < DELAY_FORGET)
        weight = DELAY_FORGET;
    for (int i = 0; i < DELAY_BUCKETS; i++)
        d->share[i] *= 1 - weight;
    d->share[bucket < DELAY_BUCKETS ? bucket : DELAY_BUCKETS - 1] += weight;
    d->n++;
    follow(d, now_us);
    return late_us;
}

int64_t delay_due_us(const struct delay *d, int64_t sent_us)
{
    return sent_us + d->low_us + d->target_us;
}
