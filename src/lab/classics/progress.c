#include "lab/classics/progress.h"

#include <unistd.h>

enum { SHOW_EACH_US = 200000, JSON_EACH_US = 1000000 };

void progress_begin(struct progress *p, uint64_t total)
{
    *p = (struct progress){ .total = total, .began_us = sleep_now_us() };
}

double progress_seconds(const struct progress *p)
{
    return (double)(sleep_now_us() - p->began_us) / 1e6;
}

static bool has_line(const struct desk *d)
{
    return !d->c->json && !d->record->trace && isatty(STDERR_FILENO);
}

void progress_clear(struct progress *p, struct desk *d)
{
    if (p->shown_us && has_line(d))
        fputs("\r\033[K", stderr);
}

static void put_line(const struct progress *p, uint64_t done)
{
    bool known = p->total != PROGRESS_UNKNOWN && p->total;
    struct buf b = { 0 };

    if (known)
        buf_printf(&b, "%3.0f %%  ", 100 * (double)done / (double)p->total);
    amount_bytes(&b, (double)done);
    buf_puts(&b, "  ");
    amount_bytes(&b, p->rate);
    buf_puts(&b, "/s");
    if (known && p->rate > 1 && done <= p->total) {
        double left = (double)(p->total - done) / p->rate;
        int s = left < 360000 ? (int)left : 359999;
        buf_printf(&b, "  %d:%02d left", s / 60, s % 60);
    }
    fprintf(stderr, "\r%s\033[K", buf_str(&b));
    buf_fini(&b);
}

static void put_json(const struct progress *p, struct desk *d, uint64_t done)
{
    struct json j;

    desk_json(d, &j, "progress");
    json_u64(&j, "bytes", done);
    if (p->total == PROGRESS_UNKNOWN)
        json_null(&j, "total");
    else
        json_u64(&j, "total", p->total);
    json_fixed(&j, "seconds", progress_seconds(p));
    json_u64(&j, "bits_a_second", (uint64_t)(p->rate * 8));
    desk_json_end(d, &j);
}

/* Over about a second. */
static void measure(struct progress *p, int64_t now_us, uint64_t done)
{
    int64_t took_us = now_us - (p->shown_us ? p->shown_us : p->began_us);

    if (took_us <= 0 || done < p->shown_bytes)
        return;
    double now = (double)(done - p->shown_bytes) * 1e6 / (double)took_us;
    double weight = (double)took_us / (double)(took_us + 1000000);
    p->rate = p->shown_us ? p->rate + (now - p->rate) * weight : now;
}

void progress_show(struct progress *p, struct desk *d, uint64_t done)
{
    int64_t now_us = sleep_now_us();
    int64_t last_us = p->shown_us ? p->shown_us : p->began_us;

    if (now_us - last_us < (d->c->json ? JSON_EACH_US : SHOW_EACH_US))
        return;
    measure(p, now_us, done);
    if (has_line(d))
        put_line(p, done);
    else if (d->c->json)
        put_json(p, d, done);
    p->shown_us = now_us;
    p->shown_bytes = done;
}
