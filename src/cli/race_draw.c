#include "cli/race_draw.h"

#include <inttypes.h>
#include <math.h>

#include "base/err.h"
#include "cli/plot.h"
#include "cli/text.h"

enum { LABEL = 11 /* columns left of a plot */, THRESHOLD_EACH = 3 /* dots: a dotted line */ };

const struct race_panel_text race_panels[RACE_PANELS] = {
    [RACE_WINDOW] = { "window", "B", 1 },       [RACE_RATE] = { "rate", "bit/s", 1 },
    [RACE_RTT] = { "round trip", "ms", 0.001 }, [RACE_QUEUE] = { "queue", "B", 1 },
    [RACE_LOSS] = { "lost", "B", 1 },
};

/* Blue, orange, green, purple, sky, yellow and so on: told apart by all eyes. */
static const char *const inks[RACE_FLOWS_MAX] = {
    "\033[38;5;33m",  "\033[38;5;208m", "\033[38;5;35m",  "\033[38;5;169m", "\033[38;5;117m",
    "\033[38;5;220m", "\033[38;5;250m", "\033[38;5;130m", "\033[38;5;99m",  "\033[38;5;197m",
};

/* --- figures ------------------------------------------------------------------------- */

static double threshold_at(const struct race *r, size_t flow, size_t sample)
{
    uint64_t t = race_sample(r, sample)->flow[flow].threshold;

    return t == CC_NO_LIMIT ? -1 : (double)t;
}

/* Over a few samples: packets are whole. */
static double rate_at(const struct race *r, size_t flow, size_t sample)
{
    size_t from = sample >= 4 ? sample - 4 : 0;
    const struct race_sample *a = race_sample(r, from), *b = race_sample(r, sample);
    int64_t took_us = b->at_us - a->at_us;

    if (took_us <= 0)
        return 0;
    return (double)(b->flow[flow].came - a->flow[flow].came) * 8e6 / (double)took_us;
}

double race_figure(const struct race *r, enum race_panel panel, size_t flow, size_t sample)
{
    const struct race_sample *s = race_sample(r, sample);
    const struct race_figures *f = &s->flow[flow];

    if (panel != RACE_QUEUE && !*f->phase)
        return -1;
    switch (panel) {
    case RACE_WINDOW:
        return (double)f->window;
    case RACE_RATE:
        return rate_at(r, flow, sample);
    case RACE_RTT:
        return f->rtt_us ? (double)f->rtt_us : -1;
    case RACE_QUEUE:
        return (double)s->queue_bytes;
    case RACE_LOSS:
        return sample ? (double)(f->lost - race_sample(r, sample - 1)->flow[flow].lost) : 0;
    case RACE_PANELS:
        break;
    }
    return -1;
}

size_t race_curves(const struct race *r, enum race_panel panel)
{
    return panel == RACE_QUEUE ? 1 : race_config(r)->n;
}

double race_top(const struct race *r, enum race_panel panel, size_t from, size_t to)
{
    double top = 1;

    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < race_curves(r, panel); k++)
            top = fmax(top, race_figure(r, panel, k, i));
    double scale = race_panels[panel].scale;
    return (double)plot_round((uint64_t)ceil(top * scale)) / scale;
}

void race_put(struct buf *b, enum race_panel panel, double figure)
{
    static const char *const steps[] = { "", "k", "M", "G" };
    double n = figure * race_panels[panel].scale;
    size_t i = 0;

    while (panel != RACE_RTT && n >= 999.5 && i + 1 < sizeof steps / sizeof *steps) {
        n /= 1000;
        i++;
    }
    buf_printf(b, "%.*f %s%s", n < 99.95 && fabs(n - round(n)) > 0.05 ? 1 : 0, n, steps[i],
               race_panels[panel].unit);
}

/* --- one plot --------------------------------------------------------------------------- */

struct canvas {
    const struct race *r;
    const struct race_look *look;
    struct plot plot;
    size_t from; /* the first sample that is shown */
    int64_t from_us, span_us;
    double top;
};

static int64_t x_of(const struct canvas *c, size_t sample)
{
    int64_t at_us = race_sample(c->r, sample)->at_us - c->from_us;

    return at_us * (int64_t)(c->plot.columns * 2 - 1) / (c->span_us ? c->span_us : 1);
}

static int64_t y_of(const struct canvas *c, double figure)
{
    return (int64_t)lround(figure / c->top * (double)(c->plot.rows * 4 - 1));
}

static void draw_curve(struct canvas *c, enum race_panel panel, size_t flow, size_t n)
{
    double before = -1;

    for (size_t i = c->from; i < n; i++) {
        double now = race_figure(c->r, panel, flow, i);
        if (now >= 0 && panel == RACE_LOSS) {
            if (now > 0) /* a stroke for what was lost in that time */
                plot_line(&c->plot, x_of(c, i), 0, x_of(c, i), y_of(c, now), (uint8_t)flow);
        } else if (now >= 0 && before >= 0) {
            plot_line(&c->plot, x_of(c, i - 1), y_of(c, before), x_of(c, i), y_of(c, now),
                      (uint8_t)flow);
        }
        before = now;
    }
}

static void draw_threshold(struct canvas *c, size_t flow, size_t n)
{
    int64_t last = -THRESHOLD_EACH;

    for (size_t i = c->from; i < n; i++) {
        double t = threshold_at(c->r, flow, i);
        if (t >= 0 && t <= c->top && x_of(c, i) - last >= THRESHOLD_EACH) {
            last = x_of(c, i);
            plot_dot(&c->plot, last, y_of(c, t), (uint8_t)flow);
        }
    }
}

static void put_label(struct buf *out, const struct canvas *c, enum race_panel panel, size_t row)
{
    struct buf label = { 0 };

    if (row == 0)
        race_put(&label, panel, c->top);
    else if (row == 1 || c->plot.rows == 1)
        buf_puts(&label, race_panels[panel].name);
    else if (row + 1 == c->plot.rows)
        buf_puts(&label, "0");
    buf_fill(out, ' ', label.len < LABEL - 1 ? LABEL - 1 - label.len : 0);
    buf_printf(out, "%s ", buf_str(&label));
    buf_fini(&label);
}

static int draw_panel(const struct race *r, const struct race_look *look, enum race_panel panel,
                      size_t rows, struct buf *out)
{
    struct canvas c = { .r = r, .look = look, .span_us = look->span_us };
    size_t n = race_samples(r);

    int err = plot_init(&c.plot, look->columns - LABEL, rows);
    if (err)
        return err;
    int64_t now_us = n ? race_sample(r, n - 1)->at_us : 0;
    c.from_us = now_us > look->span_us ? now_us - look->span_us : 0;
    while (c.from < n && race_sample(r, c.from)->at_us < c.from_us)
        c.from++;
    c.top = race_top(r, panel, c.from, n);
    for (size_t i = race_curves(r, panel); i-- > 0;) {
        if (panel == RACE_WINDOW)
            draw_threshold(&c, i, n);
        draw_curve(&c, panel, i, n);
    }
    static const char *const grey[] = { "\033[38;5;245m" };
    for (size_t i = 0; i < rows; i++) {
        put_label(out, &c, panel, i);
        plot_row(&c.plot, i,
                 !look->colour         ? NULL
                 : panel == RACE_QUEUE ? grey
                                       : inks,
                 look->plain, out);
        buf_puts(out, "\n");
    }
    plot_fini(&c.plot);
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------ */

static void put_flow(const struct race *r, const struct race_look *look, size_t flow,
                     struct buf *out)
{
    size_t n = race_samples(r);
    struct buf line = { 0 };

    buf_printf(&line, "%zu %-6s", flow, race_config(r)->cc[flow]->name);
    if (n) {
        const struct race_figures *f = &race_sample(r, n - 1)->flow[flow];
        buf_puts(&line, "  ");
        race_put(&line, RACE_RATE, rate_at(r, flow, n - 1));
        buf_puts(&line, ", window ");
        race_put(&line, RACE_WINDOW, (double)f->window);
        if (f->threshold != CC_NO_LIMIT) {
            buf_puts(&line, ", threshold ");
            race_put(&line, RACE_WINDOW, (double)f->threshold);
        }
        buf_printf(&line, ", %.1f ms, lost ", (double)f->rtt_us / 1000);
        race_put(&line, RACE_LOSS, (double)f->lost);
        buf_printf(&line, ", %s", *f->phase ? f->phase : "not started");
    }
    buf_printf(out, "%s", look->colour ? inks[flow] : "");
    text_fit(out, buf_str(&line), look->columns);
    buf_printf(out, "%s\n", look->colour ? "\033[0m" : "");
    buf_fini(&line);
}

static void put_head(const struct race *r, const struct race_look *look, struct buf *out)
{
    size_t n = race_samples(r);
    struct buf line = { 0 };

    if (n) {
        const struct race_sample *s = &race_sample(r, n - 1)[0];
        buf_printf(&line, "%.1f s  queue ", (double)s->at_us / 1e6);
        race_put(&line, RACE_QUEUE, (double)s->queue_bytes);
        buf_printf(&line, " (%.1f ms), %" PRIu64 " packets dropped  ", (double)s->queue_us / 1000,
                   s->dropped);
    }
    buf_puts(&line, look->title);
    text_fit(out, buf_str(&line), look->columns);
    buf_puts(out, "\n");
    buf_fini(&line);
}

int race_draw(const struct race *r, const struct race_look *look, struct buf *out)
{
    static const size_t parts[RACE_PANELS] = { 4, 4, 3, 2, 1 };
    size_t head = 1 + race_config(r)->n, left = look->rows > head ? look->rows - head : 0, sum = 0;
    int err = 0;

    if (look->columns < LABEL + 10 || left < RACE_PANELS)
        return 0; /* there is no room for anything */
    put_head(r, look, out);
    for (size_t i = 0; i < RACE_PANELS; i++)
        sum += parts[i];
    for (size_t i = 0; i < RACE_PANELS && !err; i++) {
        size_t rows = left * parts[i] / sum;
        rows = rows ? rows : 1;
        err = draw_panel(r, look, (enum race_panel)i, rows, out);
        left -= rows;
        sum -= parts[i];
    }
    for (size_t i = 0; i < race_config(r)->n; i++)
        put_flow(r, look, i, out);
    return err;
}
