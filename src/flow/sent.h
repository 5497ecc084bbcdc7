/* sent.h - what was sent and is not settled yet: acknowledged, lost, or late after all.
 *
 * Loss as in RFC 9002: a packet is lost when one that was sent after it is acknowledged and
 * it is so many numbers, or so much time, behind. Both thresholds grow when a packet that
 * was thought lost comes after all: the path reorders. If all that a reduction of the
 * window was for came in the end, that is said, so that it can be taken back.
 *
 * When nothing is heard for long enough, a probe is due: anything that is acknowledged, as
 * the other side may have got all and its word been lost.
 *
 * Some numbers are skipped on purpose. Who acknowledges one, or one that was never sent,
 * guesses, to be sent more than the path can carry: -ROOST_MALFORMED, and the session ends.
 *
 * What a packet carried belongs to the caller (`load`), who is told once of each: it was
 * settled as acknowledged or as lost; and once more of a lost one: it came late, or is gone. Of
 * those that ask for no acknowledgement only the newest SENT_QUIET_MAX are remembered. Pure;
 * microseconds and bytes. Memory: a ring, at most SENT_MAX packets.
 */
#pragma once

#include "flow/cc.h"
#include "flow/rtt.h"
#include "wire/dgram.h"

enum {
    SENT_MAX = 65536, /* packets that are not settled */
    SENT_QUIET_MAX = 256,
    /* ... and so many that nobody says a word of, though asked twice: that is no other side */
    SENT_UNHEARD_MAX = 8192,
    SENT_REORDER_FIRST = 3,
    SENT_REORDER_MAX = 300,
};

enum sent_fate {
    SENT_ACKED,
    SENT_LOST,
    SENT_LATE, /* acknowledged after it was lost */
    SENT_GONE, /* lost, and never spoken of again; or the session is over */
};

struct sent_packet;
typedef void sent_fn(void *ctx, void *load, enum sent_fate fate);

struct sent {
    struct sent_packet *ring; /* by number, modulo cap */
    uint32_t cap;
    uint64_t first, next; /* numbers: the lowest that is kept, the one that is sent next */
    uint64_t low;         /* none below is under way */
    uint64_t quiet_low;   /* none below asks for no acknowledgement and is remembered */
    uint32_t quiet;       /* how many do and are */
    uint64_t path_first;  /* what is below went another way, and says nothing of this one */
    uint64_t under_way;   /* bytes */
    uint64_t eliciting;   /* packets that are not settled and ask for an acknowledgement */
    uint64_t largest;     /* acknowledged, plus 1; 0: none */
    int64_t loss_us;      /* when time makes another one lost; INT64_MAX: none */
    int64_t last_us;      /* when the last that asks for an acknowledgement left */
    uint32_t probes;      /* sent since something was heard */
    /* thresholds that adapt */
    uint32_t reorder;   /* packets */
    uint32_t reorder_8; /* eighths of a round trip */
    /* delivery rate */
    uint64_t delivered;
    int64_t delivered_us, first_sent_us;
    uint64_t app_limited; /* until so much was delivered; 0: not */
    /* of the last reduction */
    int64_t reduced_us;
    uint64_t reduced_for, reduced_late; /* packets lost of it, and come late */
    struct {
        uint64_t packets, bytes, lost, lost_bytes, late, late_bytes, probes;
    } stats;
    sent_fn *settle;
    void *ctx;
};

void sent_init(struct sent *s, sent_fn *settle, void *ctx);
void sent_fini(struct sent *s); /* what is not acknowledged is gone */

/* A packet leaves, with the number sent_next(). -ROOST_LIMIT: too many are not settled;
 * -ROOST_NOMEM; then it must not be sent. Only those that ask for an acknowledgement count as
 * under way. */
int sent_add(struct sent *s, int64_t now_us, uint32_t bytes, bool eliciting, void *load);
int sent_skip(struct sent *s);
static inline uint64_t sent_next(const struct sent *s)
{
    return s->next;
}
/* There is nothing more to send: what is measured until all that is out is acknowledged
 * says nothing of the path. */
void sent_on_idle(struct sent *s);
/* Packets go another way from now on: all that are under way are taken for lost, without
 * that being congestion. */
void sent_on_path(struct sent *s);

/* What came of an acknowledgement, or of time. */
struct sent_report {
    struct cc_ack ack;   /* bytes 0: nothing new */
    struct cc_loss loss; /* bytes 0: nothing */
    uint64_t lost;       /* packets that asked for an acknowledgement */
    uint64_t late;       /* bytes that were thought lost and came */
    bool undo;           /* the last reduction was for nothing */
};

/* Measures the round trip, settles, finds losses. -ROOST_MALFORMED. */
int sent_on_ack(struct sent *s, const struct ack *a, int64_t now_us, struct rtt *rtt,
                int64_t delay_max_us, struct sent_report *ret);
/* When a packet left, and its size, if nothing was heard of it yet; else false. */
bool sent_look(const struct sent *s, uint64_t number, int64_t *ret_at_us, uint32_t *ret_bytes);
/* When sent_expire is due; INT64_MAX: not. */
int64_t sent_deadline_us(const struct sent *s, const struct rtt *rtt, int64_t delay_max_us);
/* Time has passed: finds losses, or says how many probes are to be sent now. */
uint32_t sent_expire(struct sent *s, int64_t now_us, const struct rtt *rtt, int64_t delay_max_us,
                     struct sent_report *ret);
