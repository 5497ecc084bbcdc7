/* alive.h - does the path still answer? When a client asks, and how (PROTOCOL, paths).
 *
 * Silence is nothing to be worried about unless something is awaited: an answer to what was
 * sent, or more of what was coming, as who only listens is forgotten by translators too. After 300
 * ms of it the path is asked (PATH), and again, at longer and longer intervals; at once when the
 * machine's interfaces changed. After 15 s without a word a PING keeps the way open through what
 * translates addresses. Plain data, microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ALIVE_SILENT_US 300000
#define ALIVE_PING_US   (15 * 1000000LL)
#define ALIVE_SLOW_US   (2 * 1000000LL) /* the longest between two questions */

enum alive_wish { ALIVE_NOTHING, ALIVE_ASK, ALIVE_PING };

struct alive {
    int64_t heard_us; /* anything genuine */
    int64_t await_us; /* since when an answer is awaited and nothing came; INT64_MAX: none is */
    int64_t asked_us; /* the last question or PING */
    uint32_t asked;   /* since something was heard */
    bool flows;       /* it came without being asked for, and may go on */
    bool hurry;       /* ask now */
};

void alive_init(struct alive *a, int64_t now_us);
void alive_on_heard(struct alive *a, int64_t now_us);
void alive_on_data(struct alive *a); /* after alive_on_heard: it was more than words */
/* Is something under way that is to be answered? Asked after everything that was sent or came. */
void alive_on_awaited(struct alive *a, bool awaited, int64_t now_us);
void alive_on_change(struct alive *a); /* of interfaces */
/* patience_us: what an answer may take on this path. */
int64_t alive_deadline_us(const struct alive *a, int64_t patience_us);
/* What to send now; counted as sent. */
enum alive_wish alive_expire(struct alive *a, int64_t now_us, int64_t patience_us);
