/* trim.h - memory that a crowd leaves behind goes back, when it is quiet.
 *
 * The allocator would keep it. To give it back takes milliseconds, and all processors of the
 * machine have to hear of it: not while people still come and go.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

struct trim {
    uv_timer_t timer;
    uint32_t gone; /* since the last time */
    uint32_t seen; /* of them, when the timer fired last */
};

void trim_init(struct trim *t, uv_loop_t *loop);
/* Somebody has gone, so many are left. */
void trim_on_gone(struct trim *t, uint32_t left);
void trim_close(struct trim *t); /* run the loop once more */
