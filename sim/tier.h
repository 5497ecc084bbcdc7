/* tier.h - how much of the whole a run does, as ./test says it: ROOST_SHARE percent of the
 * lives, the same ones each time, so that no clock decides which; ROOST_SECONDS at most. */
#pragma once

#include <stdlib.h>

static inline long tier_number(const char *name, long otherwise)
{
    const char *s = getenv(name);

    return s && *s ? atol(s) : otherwise;
}

static inline long tier_share(void)
{
    return tier_number("ROOST_SHARE", 100);
}

/* Of so many that are the whole; one at least. */
static inline long tier_lives(long whole)
{
    long lives = whole * tier_share() / 100;

    return lives > 0 ? lives : 1;
}

static inline long tier_seconds(void)
{
    return tier_number("ROOST_SECONDS", 36000);
}
