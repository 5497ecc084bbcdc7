/* delay.h - how late frames come, and how long they are to be held so that few are missed.
 *
 * Every frame's delay is measured against the fastest of the last seconds, so clocks that go
 * apart do not count. A histogram forgets slowly; the target is where its tail of DELAY_TAIL
 * begins: what is repeated or sent again counts with the time at which it came, so the target is as
 * long as repair needs, if that is worth it. It rises at once and falls slowly.
 *
 * Plain data, no memory of its own. Pure; microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { DELAY_BUCKETS = 160 };
#define DELAY_BUCKET_US 2500
#define DELAY_MARGIN_US 3000    /* beyond it: what is seldom is mostly near */
#define DELAY_TAIL      0.003f  /* of frames may come too late */
#define DELAY_FORGET    0.0015f /* the weight of one frame: half is forgotten in 460 */
#define DELAY_FIRST_US  20000   /* until DELAY_FIRST frames came */
#define DELAY_LOW_US    5000000 /* the fastest is of so long, or twice that */
enum { DELAY_FIRST = 50 };

struct delay {
    float share[DELAY_BUCKETS];
    uint64_t n;
    int64_t low_us, low_next_us, low_since_us; /* arrival less time of sending, two clocks */
    int64_t target_us, fell_us, most_us;
};

/* most_us: the target is never longer. */
void delay_init(struct delay *d, int64_t most_us);
/* Sent at (the sender's clock), first here at now_us. Returns how late it is. */
int64_t delay_on_frame(struct delay *d, int64_t now_us, int64_t sent_us);
/* When a frame is to be heard: on our clock. */
int64_t delay_due_us(const struct delay *d, int64_t sent_us);
