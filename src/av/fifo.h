/* fifo.h - samples from one thread to another: the only thing that both touch.
 *
 * One thread writes, one reads; neither waits, takes memory or calls anybody. Too much written is
 * refused, too much read is not there: both are told. The place of each is counted from the
 * beginning, so the difference is what lies between.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { FIFO_SAMPLES = 16384 }; /* 341 ms; a power of two */

struct fifo {
    _Atomic uint64_t written, read;
    int16_t samples[FIFO_SAMPLES];
};

static inline uint32_t fifo_fill(struct fifo *f)
{
    uint64_t read = atomic_load_explicit(&f->read, memory_order_acquire);

    return (uint32_t)(atomic_load_explicit(&f->written, memory_order_acquire) - read);
}

/* The writer's. Returns how many went in. */
static inline uint32_t fifo_write(struct fifo *f, const int16_t *pcm, uint32_t n)
{
    uint64_t at = atomic_load_explicit(&f->written, memory_order_relaxed);
    uint32_t room = FIFO_SAMPLES -
                    (uint32_t)(at - atomic_load_explicit(&f->read, memory_order_acquire));

    n = n < room ? n : room;
    for (uint32_t i = 0; i < n; i++)
        f->samples[(at + i) % FIFO_SAMPLES] = pcm[i];
    atomic_store_explicit(&f->written, at + n, memory_order_release);
    return n;
}

/* The reader's; pcm NULL: they are passed over. Returns how many there were. */
static inline uint32_t fifo_read(struct fifo *f, int16_t *pcm, uint32_t n)
{
    uint64_t at = atomic_load_explicit(&f->read, memory_order_relaxed);
    uint32_t here = (uint32_t)(atomic_load_explicit(&f->written, memory_order_acquire) - at);

    n = n < here ? n : here;
    for (uint32_t i = 0; pcm && i < n; i++)
        pcm[i] = f->samples[(at + i) % FIFO_SAMPLES];
    atomic_store_explicit(&f->read, at + n, memory_order_release);
    return n;
}
