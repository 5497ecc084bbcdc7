/* backoff.h - when to try the next connection.
 *
 * The first try comes after 0 to 250 ms, so that thirty clients of a server that
 * was restarted do not arrive in one moment; then every 250 ms to 1 s for 30 s,
 * so that a short outage stays short; then the wait doubles up to 30 s, half of
 * it by chance. Plain data: the caller gives time and chance.
 */
#pragma once

#include <stdint.h>

enum {
    BACKOFF_FIRST_US = 250 * 1000,
    BACKOFF_EAGER_US = 1000 * 1000,
    BACKOFF_EAGER_FOR_US = 30 * 1000 * 1000,
    BACKOFF_MAX_US = 30 * 1000 * 1000,
};

struct backoff {
    int64_t since_us; /* when the connection was lost */
    int64_t wait_us;  /* the last wait after the eager time; 0 = not yet */
    uint32_t tries;   /* since it was lost */
};

/* A connection proved good, or a person asked: the next loss starts anew. */
void backoff_reset(struct backoff *b);
/* A connection was lost or not made; returns how long to wait. chance: any 64 bits. */
int64_t backoff_next(struct backoff *b, int64_t now_us, uint64_t chance);
