/* callers.h - who calls a listener: is an address its own, and how often did it guess?
 *
 * An address is its caller's when it returns a cookie that was sent there: HMAC, under a secret
 * of this listener, of the address, the caller's random and the second. Nothing is kept for it,
 * so who forges addresses fills no table. Of those that are true, guesses and places are counted
 * for each: one that tries words keeps nobody else out. An address is all of IPv4's, or the first
 * half of IPv6's, where a machine has as many others as it likes; ports do not count.
 *
 * Plain data of the caller's. Pure: time and randomness are given. Microseconds. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/path.h"

enum {
    CALLERS_SECRET = 32,
    CALLERS_RANDOM = 32,
    CALLERS_COOKIE = 20,  /* the second 4, HMAC 16 */
    CALLERS_MAX = 192,    /* addresses; there are never more that wait or have guessed */
    CALLER_PLACES = 4,    /* exchanges of one address that wait to be proven */
    CALLER_AT_ONCE = 8,   /* exchanges that it may begin at once, then ... */
    CALLER_GUESSES = 25,  /* after so many it is not answered any more */
    CALLERS_COOKIE_S = 10 /* seconds that a cookie is good for */
};
#define CALLER_EACH_US 2000000 /* ... one in so long */

struct caller {
    struct path_address at; /* len 0: nobody */
    uint32_t guesses, places;
    int64_t spent_us; /* when all that it may begin at once is allowed again */
};

struct callers {
    uint8_t secret[CALLERS_SECRET];
    struct caller rows[CALLERS_MAX];
};

/* 0 or -ROOST_NOMEM. */
int callers_cookie(const struct callers *c, int64_t now_us, const struct path_address *at,
                   const uint8_t random[static CALLERS_RANDOM], uint8_t ret[static CALLERS_COOKIE]);
/* Was this one sent to that address, a short time ago? */
bool callers_cookie_holds(const struct callers *c, int64_t now_us, const struct path_address *at,
                          const uint8_t random[static CALLERS_RANDOM],
                          const uint8_t cookie[static CALLERS_COOKIE]);

/* An exchange begins, and takes a place. NULL: this address must wait, or is not heard any more. */
struct caller *callers_begin(struct callers *c, int64_t now_us, const struct path_address *at);
/* Its place is free again; guessed: nobody proved anything in it. */
void callers_end(struct callers *c, const struct path_address *at, bool guessed);
