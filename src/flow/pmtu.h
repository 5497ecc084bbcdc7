/* pmtu.h - how large a datagram the path carries (RFC 8899, for datagrams).
 *
 * Begins with what every path is to carry. Probes of larger sizes are sent beside what is
 * sent anyway, first those that paths are known to have, then the middle of what is left;
 * three lost ones say that it is too large. One that was lost in a round trip with others says
 * nothing, so it is judged a round later; where something is always lost, only some are excused.
 * What is found is tried again later: soon if it is less than nearly every path carries, as then
 * it may have been chance. Loss of a probe is no congestion. When only small ones come through
 * any more (a black hole), it begins anew.
 *
 * Plain data and arithmetic. Sizes are bytes of UDP, times microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    PMTU_TRIES = 3,   /* MAX_PROBES */
    PMTU_EXCUSES = 6, /* probes of one size that were lost in company, and do not count */
    PMTU_GRAIN = 16,
    PMTU_USUAL = 1452, /* as Ethernet has it, less what access lines take */
    PMTU_BLACK = 6,    /* large ones lost since the last that came, while smaller ones come */
};
#define PMTU_RAISE_US (600 * 1000000LL) /* PMTU_RAISE_TIMER: perhaps it carries more now */
#define PMTU_SOON_US  (10 * 1000000LL)  /* the same for less than usual; then twice as long, ... */
#define PMTU_REST_US  (10 * 1000000LL)  /* after a black hole */

struct pmtu {
    uint32_t base, most; /* bounds */
    uint32_t now;        /* is carried */
    uint32_t high;       /* what is above is not */
    uint32_t probing;    /* 0: nothing under way */
    uint32_t tries, excuses;
    int64_t sent_us, near_us; /* of the probe: when; what was sent so near to it went along */
    bool company;             /* ... and some of that was lost */
    int64_t soon_us;          /* until the next search, if little was found */
    int64_t next_us;          /* not before; a probe under way is given up then */
    uint64_t number;          /* the highest of a large packet that came, plus 1 */
    uint32_t black;
    int64_t black_us; /* when the first of them was sent */
    uint32_t holes;   /* counted */
};

/* most <= base: nothing is tried. */
void pmtu_init(struct pmtu *p, uint32_t base, uint32_t most, int64_t now_us);
/* The size of a probe that may be sent now; 0: none. */
uint32_t pmtu_next(struct pmtu *p, int64_t now_us);
void pmtu_on_probe(struct pmtu *p, uint32_t bytes, int64_t now_us, int64_t patience_us);
/* Of any packet; true: `now` is another. */
bool pmtu_on_acked(struct pmtu *p, uint64_t number, uint32_t bytes);
/* sent_us: when it was. A full queue loses many at once, and is no black hole: what is lost must
 * have been sent over half of patience_us at least. */
bool pmtu_on_lost(struct pmtu *p, uint64_t number, uint32_t bytes, int64_t sent_us, int64_t now_us,
                  int64_t patience_us);
