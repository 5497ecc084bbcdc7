/* trace.h - what a session does, told as it happens: for graphs, files and tests.
 *
 * Whoever gives a function to flow_new (flow_settings.trace) is called with each packet
 * that leaves, each acknowledgement, loss, loss that was none, probe, and each change of
 * phase, with every figure as it is then. Nobody watching costs one comparison.
 *
 * The function must not call the session it is told of. The struct is the caller's, and
 * holds until the function returns; `phase` lives for ever. Sizes in bytes, rates in bytes
 * a second, times in microseconds.
 */
#pragma once

#include <stdint.h>

enum flow_trace_what {
    FLOW_TRACE_SENT,   /* a packet; bytes */
    FLOW_TRACE_ACKED,  /* an acknowledgement brought something new; bytes */
    FLOW_TRACE_LOST,   /* found lost; bytes */
    FLOW_TRACE_LATE,   /* what was thought lost came after all; bytes */
    FLOW_TRACE_UNDONE, /* the last reduction was for nothing, and is taken back */
    FLOW_TRACE_ANEW,   /* nothing came through for so long that all begins anew */
    FLOW_TRACE_PROBE,  /* silence: asked into */
    FLOW_TRACE_PHASE,  /* the controller does something else now: see phase */
    FLOW_TRACE_MARKED, /* congestion was experienced: CE */
    FLOW_TRACE_MTU,    /* packets are of another size from now on; bytes */
    FLOW_TRACE_PATH,   /* another path: what was measured is forgotten */
    FLOW_TRACE_KINDS,
};

struct flow_trace {
    int64_t now_us;
    enum flow_trace_what what;
    uint64_t bytes;     /* of what happened; 0: it has no size */
    const char *cc;     /* the controller's name */
    const char *phase;  /* what it is doing */
    uint64_t window;    /* that may be under way */
    uint64_t threshold; /* that slow start ends at; CC_NO_LIMIT: none */
    uint64_t pacing;    /* packets leave at this rate */
    uint64_t bandwidth; /* the path's, as the controller believes; 0: not known */
    uint64_t rate;      /* of delivery, as measured last; 0: not yet */
    uint64_t under_way; /* inflight */
    int64_t rtt_us;     /* the newest; 0: none was measured yet, of all three */
    int64_t smooth_rtt_us, min_rtt_us;
    uint64_t sent, acked, lost, late; /* bytes in all, headers and what was sent again included */
    uint32_t reorder;                 /* packets that may overtake before one is lost */
};

typedef void flow_trace_fn(void *ctx, const struct flow_trace *t);

/* "sent", "acked"...: for files. */
const char *flow_trace_name(enum flow_trace_what what);
