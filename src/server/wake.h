/* wake.h - a thread tells the loop that something is there.
 *
 * An eventfd instead of uv_async_t: there, a loop that is woken spins until the thread
 * that woke it has left uv_async_send. When the loop takes that thread's processor at
 * once, and others want it too, it spins for tens of milliseconds (measured: a third of the
 * loop's time, and stalls of 150 ms, while passwords were hashed on two cores).
 */
#pragma once

#include <uv.h>

struct wake;
typedef void wake_fn(void *ctx);

struct wake {
    uv_poll_t poll;
    int fd;
    wake_fn *fn; /* on the loop; once for any number of wake_send before */
    void *ctx;
};

int wake_init(struct wake *w, uv_loop_t *loop, wake_fn *fn, void *ctx); /* -ROOST_IO */
void wake_send(struct wake *w);                                         /* from any thread */
void wake_close(struct wake *w); /* when nobody sends any more; run the loop once more */
