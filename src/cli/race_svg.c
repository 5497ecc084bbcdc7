/* race_svg.c - the same as a picture for a page, and as figures for other programs. */
#include <inttypes.h>

#include "cli/race_draw.h"

enum {
    WIDTH = 960,
    LEFT = 90,
    RIGHT = 20,
    TOP = 64,
    PANEL = 150,
    GAP = 34,
    POINTS = 1500, /* of one curve */
    LINES = 4,     /* of the grid, above zero */
};

static const char *const colours[RACE_FLOWS_MAX] = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9",
    "#e69f00", "#666666", "#8c510a", "#5e4fa2", "#e7298a",
};

static void put_escaped(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            buf_puts(out, "&lt;");
        else if (*s == '&')
            buf_puts(out, "&amp;");
        else
            buf_putc(out, *s);
    }
}

struct frame {
    const struct race *r;
    struct buf *out;
    double y, height, top; /* of the panel */
    int64_t end_us;
};

static double x_of(const struct frame *f, int64_t at_us)
{
    return LEFT + (double)at_us / (double)f->end_us * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct frame *f, double figure)
{
    return f->y + f->height - figure / f->top * f->height;
}

static void put_grid(const struct frame *f, enum race_panel panel)
{
    for (int i = 0; i <= LINES; i++) {
        double figure = f->top * i / LINES;
        buf_printf(f->out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
                   LEFT, WIDTH - RIGHT, y_of(f, figure), y_of(f, figure), i ? "#e3e3e3" : "#888");
        buf_printf(f->out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" class=\"s\">", LEFT - 8,
                   y_of(f, figure) + 4);
        race_put(f->out, panel, figure);
        buf_puts(f->out, "</text>\n");
    }
    buf_printf(f->out, "<text x=\"%d\" y=\"%.1f\" class=\"h\">%s</text>\n", LEFT, f->y - 8,
               race_panels[panel].name);
}

static void put_time(const struct frame *f)
{
    int64_t seconds = f->end_us / 1000000, each = seconds / 10 ? seconds / 10 : 1;

    for (int64_t s = 0; s <= seconds; s += each)
        buf_printf(f->out,
                   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" class=\"s\">%" PRId64
                   " s</text>\n",
                   x_of(f, s * 1000000), f->y + f->height + 16, s);
}

static void put_curve(const struct frame *f, enum race_panel panel, size_t flow)
{
    size_t n = race_samples(f->r), each = n / POINTS + 1;
    bool open = false;

    for (size_t i = 0; i < n; i += each) {
        double figure = race_figure(f->r, panel, flow, i);
        if (figure < 0)
            continue;
        if (!open)
            buf_printf(f->out,
                       "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"",
                       panel == RACE_QUEUE ? "#444" : colours[flow]);
        open = true;
        buf_printf(f->out, "%.1f,%.1f ", x_of(f, race_sample(f->r, i)->at_us), y_of(f, figure));
    }
    if (open)
        buf_puts(f->out, "\"/>\n");
}

static void put_strokes(const struct frame *f, size_t flow)
{
    double least = f->top / f->height * 3; /* so that each is seen */

    for (size_t i = 0; i < race_samples(f->r); i++) {
        double figure = race_figure(f->r, RACE_LOSS, flow, i);
        /* beside each other, so that none hides another */
        double x = x_of(f, race_sample(f->r, i)->at_us) + (double)flow * 1.2;
        if (figure > 0)
            buf_printf(
                f->out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
                x, x, y_of(f, 0), figure < least ? y_of(f, least) : y_of(f, figure), colours[flow]);
    }
}

/* Dashed: above it the window grows slowly. */
static void put_threshold(const struct frame *f, size_t flow)
{
    size_t n = race_samples(f->r), each = n / POINTS + 1;
    bool open = false;

    for (size_t i = 0; i < n; i += each) {
        uint64_t t = race_sample(f->r, i)->flow[flow].threshold;
        bool shown = t != CC_NO_LIMIT && (double)t <= f->top;
        if (shown && !open)
            buf_printf(f->out,
                       "<polyline fill=\"none\" stroke=\"%s\" stroke-dasharray=\"3 3\" "
                       "stroke-opacity=\"0.7\" points=\"",
                       colours[flow]);
        if (shown)
            buf_printf(f->out, "%.1f,%.1f ", x_of(f, race_sample(f->r, i)->at_us),
                       y_of(f, (double)t));
        else if (open)
            buf_puts(f->out, "\"/>\n");
        open = shown;
    }
    if (open)
        buf_puts(f->out, "\"/>\n");
}

static void put_panel(struct frame *f, enum race_panel panel)
{
    f->top = race_top(f->r, panel, 0, race_samples(f->r));
    put_grid(f, panel);
    for (size_t i = 0; i < race_curves(f->r, panel); i++) {
        if (panel == RACE_WINDOW)
            put_threshold(f, i);
        if (panel == RACE_LOSS)
            put_strokes(f, i);
        else
            put_curve(f, panel, i);
    }
}

static void put_legend(const struct race *r, struct buf *out)
{
    double x = LEFT;

    for (size_t i = 0; i < race_config(r)->n; i++) {
        struct race_result result;
        race_result(r, i, &result);
        buf_printf(out,
                   "<rect x=\"%.0f\" y=\"36\" width=\"14\" height=\"4\" fill=\"%s\"/>"
                   "<text x=\"%.0f\" y=\"42\" class=\"l\">%s, %.1f Mbit/s</text>\n",
                   x, colours[i], x + 20, race_config(r)->cc[i]->name,
                   (double)result.rate_bps / 1e6);
        x += (WIDTH - LEFT - RIGHT) / (double)(race_config(r)->n < 5 ? 5 : race_config(r)->n);
    }
}

void race_svg(const struct race *r, const char *title, struct buf *out)
{
    size_t n = race_samples(r);
    struct frame f = { .r = r,
                       .out = out,
                       .y = TOP + 16,
                       .height = PANEL,
                       .end_us = n && race_sample(r, n - 1)->at_us ? race_sample(r, n - 1)->at_us
                                                                   : 1 };
    int height = TOP + 16 + RACE_PANELS * (PANEL + GAP) - PANEL / 2 - GAP + 26;

    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
               "height=\"%d\" font-family=\"sans-serif\">\n<style>.s{font-size:11px;fill:#555}"
               ".h{font-size:13px;font-weight:bold;fill:#222}.l{font-size:13px;fill:#222}"
               ".t{font-size:15px;fill:#222}</style>\n<rect width=\"100%%\" height=\"100%%\" "
               "fill=\"#fff\"/>\n"
               "<text x=\"%d\" y=\"22\" class=\"t\">",
               WIDTH, height, WIDTH, height, LEFT);
    put_escaped(out, title);
    buf_puts(out, "</text>\n");
    put_legend(r, out);
    for (int i = 0; i < RACE_PANELS; i++) {
        f.height = i == RACE_LOSS ? PANEL / 2 : PANEL;
        put_panel(&f, (enum race_panel)i);
        if (i == RACE_LOSS)
            put_time(&f);
        f.y += f.height + GAP;
    }
    buf_puts(out, "</svg>\n");
}

static void put_row(const struct race *r, size_t sample, size_t flow, struct buf *out)
{
    const struct race_sample *s = race_sample(r, sample);
    const struct race_figures *f = &s->flow[flow];

    buf_printf(out, "%.3f,%zu,%s,%s,%" PRIu64 ",", (double)s->at_us / 1e6, flow,
               race_config(r)->cc[flow]->name, f->phase, f->window);
    if (f->threshold != CC_NO_LIMIT)
        buf_printf(out, "%" PRIu64, f->threshold);
    buf_printf(out,
               ",%" PRIu64 ",%" PRIu64 ",%.3f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
               ",%.3f,%" PRIu64 "\n",
               f->pacing_bps, f->rate_bps, (double)f->rtt_us / 1000, f->under_way, f->arrived,
               f->lost, s->queue_bytes, (double)s->queue_us / 1000, s->dropped);
}

void race_csv(const struct race *r, struct buf *out)
{
    buf_puts(out, "time_s,flow,cc,phase,window,threshold,pacing_bps,rate_bps,rtt_ms,under_way,"
                  "arrived_bytes,lost_bytes,queue_bytes,queue_ms,dropped\n");
    for (size_t i = 0; i < race_samples(r); i++)
        for (size_t k = 0; k < race_config(r)->n; k++)
            put_row(r, i, k, out);
}
