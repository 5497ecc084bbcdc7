#include "cli/lab_show.h"

#include <inttypes.h>
#include <unistd.h>

#include "cli/amount.h"
#include "cli/json.h"
#include "seal/digest.h"

enum { SHOW_EACH_US = 200000, JSON_EACH_US = 1000000 };

/* --- files ---------------------------------------------------------------------------- */

void lab_heads(struct lab_end *e)
{
    if (e->trace)
        fputs("time_us,what,bytes,cc,phase,window,threshold,pacing,bandwidth,rate,under_way,"
              "rtt_us,smooth_rtt_us,min_rtt_us,sent,acked,lost,late,reorder\n",
              e->trace);
    if (e->csv)
        fputs("time_s,bytes,rate_bps,window,threshold,pacing_bps,under_way,rtt_ms,smooth_rtt_ms,"
              "min_rtt_ms,lost_bytes,phase,mtu\n",
              e->csv);
}

/* No threshold yet is an empty field. */
static const char *limit_text(uint64_t n, char ret[static 24])
{
    *ret = 0;
    if (n != CC_NO_LIMIT)
        snprintf(ret, 24, "%" PRIu64, n);
    return ret;
}

void lab_trace(void *ctx, const struct flow_trace *t)
{
    struct lab_end *e = ctx;
    char threshold[24];

    fprintf(e->trace,
            "%" PRId64 ",%s,%" PRIu64 ",%s,%s,%" PRIu64 ",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64
            ",%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
            ",%" PRIu64 ",%" PRIu32 "\n",
            t->now_us - e->begun_us, flow_trace_name(t->what), t->bytes, t->cc, t->phase, t->window,
            limit_text(t->threshold, threshold), t->pacing, t->bandwidth, t->rate, t->under_way,
            t->rtt_us, t->smooth_rtt_us, t->min_rtt_us, t->sent, t->acked, t->lost, t->late,
            t->reorder);
}

static double ms(int64_t us)
{
    return (double)us / 1000;
}

/* Empty until one was measured. */
static const char *rtt_text(const struct rtt *r, int64_t us, char ret[static 24])
{
    *ret = 0;
    if (r->known)
        snprintf(ret, 24, "%.3f", ms(us));
    return ret;
}

static void write_row(struct lab_end *e, int64_t now_us, uint64_t done)
{
    struct flow_view v;
    char threshold[24], newest[24], smooth[24], low[24];

    flow_look(e->flow, &v);
    fprintf(e->csv,
            "%.3f,%" PRIu64 ",%.0f,%" PRIu64 ",%s,%" PRIu64 ",%" PRIu64 ",%s,%s,%s,%" PRIu64
            ",%s,%" PRIu32 "\n",
            (double)(now_us - e->begun_us) / 1e6, done, e->rate * 8, v.cc->window,
            limit_text(v.cc->threshold, threshold), v.pacing * 8, v.sent->under_way,
            rtt_text(v.rtt, v.rtt->newest_us, newest), rtt_text(v.rtt, v.rtt->smooth_us, smooth),
            rtt_text(v.rtt, v.rtt->low_us, low), v.sent->stats.lost_bytes, v.cc->phase, v.mtu);
}

/* --- progress ------------------------------------------------------------------------------ */

static bool shows(const struct lab_end *e)
{
    return !e->c->json && isatty(STDERR_FILENO);
}

void lab_clear(struct lab_end *e)
{
    if (shows(e) && e->shown_us)
        fputs("\r\033[K", stderr);
}

static void put_line(struct lab_end *e, uint64_t done, uint64_t total)
{
    struct buf b = { 0 };
    bool known = total != PARCEL_UNKNOWN && total;

    if (known)
        buf_printf(&b, "%3.0f %%  ", 100 * (double)done / (double)total);
    amount_bytes(&b, (double)done);
    if (known) {
        buf_puts(&b, " of ");
        amount_bytes(&b, (double)total);
    }
    buf_puts(&b, "  ");
    amount_bytes(&b, e->rate);
    buf_puts(&b, "/s");
    if (known && e->rate > 1 && done <= total) {
        double left = (double)(total - done) / e->rate;
        int s = left < 360000 ? (int)left : 359999;
        buf_printf(&b, "  %d:%02d left", s / 60, s % 60);
    }
    fprintf(stderr, "\r%s\033[K", buf_str(&b));
    buf_fini(&b);
}

static void put_json(struct lab_end *e, int64_t now_us, uint64_t done, uint64_t total)
{
    struct json j;
    struct flow_view v;

    flow_look(e->flow, &v);
    json_begin(&j, &e->c->out);
    json_str(&j, "event", "progress");
    json_u64(&j, "bytes", done);
    if (total == PARCEL_UNKNOWN)
        json_null(&j, "total");
    else
        json_u64(&j, "total", total);
    json_fixed(&j, "seconds", (double)(now_us - e->begun_us) / 1e6);
    json_u64(&j, "bits_a_second", (uint64_t)(e->rate * 8));
    if (v.rtt->known)
        json_fixed(&j, "rtt_ms", ms(v.rtt->smooth_us));
    else
        json_null(&j, "rtt_ms");
    json_u64(&j, "window", v.cc->window);
    json_str(&j, "phase", v.cc->phase);
    json_u64(&j, "lost_bytes", v.sent->stats.lost_bytes);
    json_end(&j);
    cli_flush(e->c);
}

/* Over about a second; the first look has nothing to compare with, and the first moment would be
 * remembered for long. */
static void measure(struct lab_end *e, int64_t now_us, uint64_t done)
{
    int64_t took_us = now_us - e->shown_us;

    if (!e->shown_us || took_us <= 0)
        return;
    double now = (double)(done - e->shown_bytes) * 1e6 / (double)took_us;
    double weight = (double)took_us / (double)(took_us + 1000000);
    e->rate = e->rate > 0 ? e->rate + (now - e->rate) * weight : now;
}

void lab_progress(struct lab_end *e, int64_t now_us, uint64_t done, uint64_t total, bool over)
{
    if (e->csv && (over || now_us - e->written_us >= LAB_CSV_US)) {
        write_row(e, now_us, done);
        e->written_us = now_us;
    }
    if (over) {
        lab_clear(e);
        return;
    }
    /* with --json to the standard output only if that is not where the bytes go */
    if (now_us - e->shown_us < (e->c->json ? JSON_EACH_US : SHOW_EACH_US))
        return;
    measure(e, now_us, done);
    if (shows(e))
        put_line(e, done, total);
    else if (e->c->json && e->shown_us)
        put_json(e, now_us, done, total);
    e->shown_us = now_us;
    e->shown_bytes = done;
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void put_result(struct lab_end *e, const char *event, const char *file, uint64_t bytes,
                       const uint8_t *hash, int64_t took_us)
{
    char hex[2 * PARCEL_HASH + 1];
    const struct udp_counts *u = udp_counts(e->udp);
    struct flow_view v;
    struct json j;

    flow_look(e->flow, &v);
    json_begin(&j, &e->c->out);
    json_str(&j, "event", event);
    json_str(&j, "file", file);
    json_u64(&j, "bytes", bytes);
    seal_hex(hex, hash, PARCEL_HASH);
    json_str(&j, "sha256", hex);
    json_fixed(&j, "seconds", (double)took_us / 1e6);
    json_u64(&j, "bits_a_second", took_us ? (uint64_t)((double)bytes * 8e6 / (double)took_us) : 0);
    json_str(&j, "cc", v.cc->ops->name);
    json_u64(&j, "packets", v.sent->stats.packets);
    json_u64(&j, "sent_bytes", v.sent->stats.bytes);
    json_u64(&j, "lost_packets", v.sent->stats.lost);
    json_u64(&j, "lost_bytes", v.sent->stats.lost_bytes);
    json_u64(&j, "late_packets", v.sent->stats.late);
    json_u64(&j, "packets_in", v.packets_in);
    if (v.rtt->known)
        json_fixed(&j, "min_rtt_ms", ms(v.rtt->low_us));
    else
        json_null(&j, "min_rtt_ms");
    json_u64(&j, "mtu", v.mtu);
    json_str(&j, "ecn", v.ecn);
    json_u64(&j, "own_drops", u->overflowed);
    json_end(&j);
}

void lab_result(struct lab_end *e, const char *event, const char *file, uint64_t bytes,
                const uint8_t hash[static PARCEL_HASH], int64_t took_us)
{
    struct buf b = { 0 };

    if (e->c->json) {
        put_result(e, event, file, bytes, hash, took_us);
        cli_flush(e->c);
        return;
    }
    buf_printf(&b, "%s: ", file);
    amount_bytes(&b, (double)bytes);
    buf_printf(&b, " %s in %.2f s, ", event, (double)took_us / 1e6);
    amount_bytes(&b, took_us ? (double)bytes * 1e6 / (double)took_us : 0);
    buf_puts(&b, "/s");
    if (udp_counts(e->udp)->overflowed)
        buf_printf(&b, " (this machine was too slow for %" PRIu64 " datagrams)",
                   udp_counts(e->udp)->overflowed);
    fprintf(stderr, "%s\n", buf_str(&b));
    buf_fini(&b);
}
