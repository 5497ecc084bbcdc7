#include "flow/inside.h"

#include <string.h>

static const char *const names[] = {
    [FLOW_TRACE_SENT] = "sent",   [FLOW_TRACE_ACKED] = "acked",   [FLOW_TRACE_LOST] = "lost",
    [FLOW_TRACE_LATE] = "late",   [FLOW_TRACE_UNDONE] = "undone", [FLOW_TRACE_ANEW] = "anew",
    [FLOW_TRACE_PROBE] = "probe", [FLOW_TRACE_PHASE] = "phase",   [FLOW_TRACE_MARKED] = "marked",
    [FLOW_TRACE_MTU] = "mtu",     [FLOW_TRACE_PATH] = "path",
};

const char *flow_trace_name(enum flow_trace_what what)
{
    return names[what];
}

void trace_tell(struct flow *f, int64_t now_us, enum flow_trace_what what, uint64_t bytes)
{
    const struct rtt *r = &f->rtt;

    if (!f->trace)
        return;
    struct flow_trace t = {
        .now_us = now_us,
        .what = what,
        .bytes = bytes,
        .cc = f->cc.ops->name,
        .phase = f->cc.phase,
        .window = f->cc.window,
        .threshold = f->cc.threshold,
        .pacing = f->pacer.rate,
        .bandwidth = f->cc.bandwidth,
        .rate = f->rate,
        .under_way = f->sent.under_way,
        .rtt_us = r->known ? r->newest_us : 0,
        .smooth_rtt_us = r->known ? r->smooth_us : 0,
        .min_rtt_us = r->known ? r->low_us : 0,
        .sent = f->sent.stats.bytes,
        .acked = f->sent.delivered,
        .lost = f->sent.stats.lost_bytes,
        .late = f->sent.stats.late_bytes,
        .reorder = f->sent.reorder,
    };
    f->trace(f->trace_ctx, &t);
}

void trace_report(struct flow *f, int64_t now_us, const struct sent_report *r)
{
    if (!f->trace)
        return;
    if (r->late)
        trace_tell(f, now_us, FLOW_TRACE_LATE, r->late);
    if (r->ack.bytes)
        trace_tell(f, now_us, FLOW_TRACE_ACKED, r->ack.bytes);
    if (r->ack.ce)
        trace_tell(f, now_us, FLOW_TRACE_MARKED, 0);
    if (r->loss.bytes)
        trace_tell(f, now_us, FLOW_TRACE_LOST, r->loss.bytes);
    if (r->loss.persistent)
        trace_tell(f, now_us, FLOW_TRACE_ANEW, 0);
    if (r->undo)
        trace_tell(f, now_us, FLOW_TRACE_UNDONE, 0);
    if (!f->phase_told || strcmp(f->phase_told, f->cc.phase) != 0)
        trace_tell(f, now_us, FLOW_TRACE_PHASE, 0);
    f->phase_told = f->cc.phase;
}
