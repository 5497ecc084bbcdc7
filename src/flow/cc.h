/* cc.h - congestion control: how much may be under way, and how fast it goes out.
 *
 * Told what was sent, acknowledged and lost, a controller keeps three figures: the window
 * (bytes that may be under way), the threshold that slow start ends at, and the rate at
 * which packets leave. One file each: reno.c, cubic.c, bbr.c; chosen by name for each
 * transfer. Everything that can be drawn is in struct cc; `phase` says in words what it is
 * doing. Sizes in bytes, rates in bytes a second, times in microseconds. Pure arithmetic, no
 * memory of its own.
 *
 * The caller finds losses (flow/loss.h): one that turns out not to have been one is taken
 * back by on_undo. Loss of a packet that was sent before the last reduction is the same
 * congestion again, and changes nothing more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CC_WINDOW_FIRST = 32, /* packets */
    CC_WINDOW_LEAST = 2,
};
#define CC_WINDOW_MAX (32ULL << 20) /* bytes */
#define CC_NO_LIMIT   UINT64_MAX

/* What an acknowledgement brought, when everything in it has been counted. */
struct cc_ack {
    int64_t now_us;
    uint64_t bytes;          /* acknowledged by it for the first time */
    uint64_t under_way;      /* after it */
    uint64_t before;         /* under way before it */
    int64_t sent_us;         /* when the newest of them was sent */
    int64_t rtt_us;          /* of that one; 0: not measured */
    int64_t min_rtt_us;      /* lowest of a while; 0: none yet */
    int64_t smooth_rtt_us;   /* likewise */
    uint64_t number;         /* the highest acknowledged */
    uint64_t next_number;    /* that will be sent next */
    uint64_t delivered;      /* bytes in all */
    uint64_t delivered_then; /* ... when the newest of them was sent */
    uint64_t rate;           /* of delivery over that time; 0: not measured */
    uint64_t lost;           /* bytes found lost with it */
    uint64_t lost_all;       /* bytes in all, less those that came late; and those marked */
    uint64_t lost_then;      /* ... when the newest of them was sent */
    uint64_t under_way_then; /* after it was sent */
    bool app_limited;        /* the rate is what was offered, not what the path can */
    bool ce;                 /* some of them were marked: congestion experienced */
    bool outage;             /* `lost` is what a path lost that was away: nothing came through */
};

struct cc_loss {
    int64_t now_us;
    uint64_t bytes;
    uint64_t under_way; /* after it */
    int64_t sent_us;    /* when the newest lost one was sent */
    uint64_t next_number;
    bool persistent; /* nothing came through for so long that all begins anew */
};

struct cc;

struct cc_ops {
    const char *name;
    void (*init)(struct cc *c, int64_t now_us);
    void (*on_sent)(struct cc *c, int64_t now_us, uint64_t bytes, uint64_t under_way); /* or NULL */
    void (*on_ack)(struct cc *c, const struct cc_ack *a);
    void (*on_loss)(struct cc *c, const struct cc_loss *l);
    /* The last reduction was for nothing: what was thought lost came. */
    void (*on_undo)(struct cc *c, int64_t now_us);
    uint32_t together; /* halves of packets that leave at once, so that they are lost as those of
                          others are: flow/pacer.h; 0: each when it may */
};

/* HyStart++ (RFC 9406): slow start ends when round trips grow, before packets are lost. */
struct hystart {
    int64_t round_min_us, last_min_us, css_base_us;
    uint64_t round_end; /* a packet number: acknowledged, the round is over */
    uint32_t samples, css_rounds;
    bool css; /* conservative slow start */
};

/* What the last reduction took, for on_undo. */
struct cc_saved {
    uint64_t window, threshold;
    bool valid;
};

struct cc_reno {
    uint64_t acked; /* towards the next packet's worth */
};

/* In packets and seconds, as RFC 9438 has it. */
struct cc_cubic {
    double w_max, w_prior, k_s, w_est; /* w_prior: the window before the last reduction */
    int64_t epoch_us; /* congestion avoidance began; -1: with the next acknowledgement */
    int64_t last_us;  /* of acknowledgements */
    double rest;      /* of a byte of growth */
    double saved_w_max, saved_w_prior, saved_k_s; /* for on_undo */
    int64_t saved_epoch_us;
};

/* What BBR believes of the path (bbr_path.c), and what it does (bbr.c). */
struct cc_bbr {
    uint64_t rounds, round_end; /* a round ends when so much was delivered */
    bool round_start;
    int64_t now_us;
    /* rate: the highest of two cycles of probing */
    uint64_t bw_old, bw_new, bw_latest, bw_lo;
    uint64_t inflight_latest, inflight_lo, inflight_hi;
    /* round trip */
    int64_t min_rtt_us, min_rtt_at_us;         /* of ten seconds */
    int64_t probe_rtt_min_us, probe_rtt_at_us; /* of five: is it time to look again? */
    int64_t probe_rtt_done_us;                 /* 0: not begun; what is out is still draining */
    /* of this round, and of the one before */
    int64_t low_rtt_us, low_rtt_before_us;
    uint32_t samples;
    uint64_t lost_at_start, delivered_at_start, bw_round, bw_before, inflight_before;
    bool ce;
    /* loss that comes at any rate, in packets, fading */
    double base_lost, base_all;
    /* acknowledgements that come in heaps */
    int64_t heap_us;
    uint64_t heap_bytes, heap_max[2];
    uint32_t heap_rounds;
    /* phases */
    unsigned state; /* enum bbr_state */
    bool full;      /* start-up found the rate */
    uint64_t full_bw;
    uint32_t full_rounds;
    int64_t phase_us, wait_us; /* when it began; from then until the next probe */
    uint32_t phase_rounds, rounds_since_probe, drains;
    uint64_t up_step, up_acked, cruise_bw; /* ... before it was probed */
    uint64_t lowered_round, cycle_round;   /* 0: not */
    double lowered_loss; /* what was lost, of all, at the rate that was lowered first */
    uint64_t lowered_from;
    double steady_lost, steady_all; /* packets, since then */
    bool yields;                    /* to others who lose out of sight: it was halved */
    uint32_t mistakes;              /* steps down for which nobody else was needed */
    bool others;                    /* there were some, not long ago */
    bool drops;                     /* what is too much here is lost, and never waits */
    uint64_t waited_round;          /* in it all waited a little; 0: never */
    int64_t quiet_us;               /* nothing was lost since then */
    uint64_t quiet_round;
    uint32_t patience;     /* so many times as long until the next probe */
    uint32_t slow_rounds;  /* that brought far less than is believed */
    bool early;            /* start-up was ended by a queue, or what looked like one */
    bool draining;         /* a cruise over a queue */
    uint64_t prior_window; /* before the round trip was looked at */
    uint64_t saved_bw_lo, saved_inflight_lo, saved_inflight_hi; /* for on_undo */
    bool asleep;                                                /* nothing was under way */
};

struct cc {
    const struct cc_ops *ops;
    uint32_t mss;
    uint64_t window, threshold;
    uint64_t pacing;    /* bytes a second; 0: as the window says, over the round trip */
    uint64_t bandwidth; /* of the path, bytes a second, as is believed; 0: not known */
    const char *phase;
    uint64_t dice;       /* random; flows that share a path must not probe it together */
    int64_t recovery_us; /* when the last reduction was; -1: never */
    struct cc_saved saved;
    struct hystart hystart;
    union {
        struct cc_reno reno;
        struct cc_cubic cubic;
        struct cc_bbr bbr;
    };
};

extern const struct cc_ops cc_reno, cc_cubic, cc_bbr;

/* By name: "reno", "cubic", "bbr"; NULL: no such one. */
const struct cc_ops *cc_find(const char *name);
const struct cc_ops *cc_default(void);
void cc_init(struct cc *c, const struct cc_ops *ops, uint32_t mss, int64_t now_us);
/* The path carries packets of another size from now on. */
void cc_set_mss(struct cc *c, uint32_t mss);

/* Bytes a second at which packets are to leave. */
uint64_t cc_pacing(const struct cc *c, int64_t smooth_rtt_us);

/* --- what controllers share (cc.c) --- */

bool cc_in_slow_start(const struct cc *c);
/* Nothing to gain from a larger window when the one that is was not used. */
bool cc_uses_window(const struct cc *c, const struct cc_ack *a);
/* Slow start's growth, with HyStart++. */
void cc_slow_start(struct cc *c, const struct cc_ack *a);
/* A mark is a congestion like a loss (RFC 9002, section 7.1), and never taken back. */
void cc_on_mark(struct cc *c, const struct cc_ack *a);
/* Is it a new congestion? Then notes it, and keeps what on_undo gives back. */
bool cc_begin_recovery(struct cc *c, const struct cc_loss *l);
void cc_undo(struct cc *c);
uint64_t cc_least(const struct cc *c);
void hystart_begin(struct hystart *h);
