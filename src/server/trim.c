#include "server/trim.h"

#include <malloc.h>

enum {
    CROWD = 100,
    QUIET_MS = 1000,
    FEW = 10, /* so many going in that time are quiet */
};

static void on_timer(uv_timer_t *timer)
{
    struct trim *t = timer->data;
    uint32_t new = t->gone - t->seen;

    t->seen = t->gone;
    if (new > FEW)
        return; /* till it fires again */
    uv_timer_stop(timer);
    t->gone = t->seen = 0;
    malloc_trim(0);
}

void trim_init(struct trim *t, uv_loop_t *loop)
{
    *t = (struct trim){ 0 };
    uv_timer_init(loop, &t->timer);
    t->timer.data = t;
}

void trim_on_gone(struct trim *t, uint32_t left)
{
    t->gone++;
    if (t->gone < CROWD || t->gone <= left || uv_is_active((uv_handle_t *)&t->timer))
        return;
    t->seen = t->gone;
    uv_timer_start(&t->timer, on_timer, QUIET_MS, QUIET_MS);
}

void trim_close(struct trim *t)
{
    uv_close((uv_handle_t *)&t->timer, NULL);
}
