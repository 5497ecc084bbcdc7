#include "cli/meet_graph.h"

#include <stdio.h>
#include <string.h>

#include "cli/plot.h"
#include "cli/text.h"

enum { LEVEL_COLUMNS = 8, LEVEL_LOW = 67, LEVEL_SPAN = 60, NAME_COLUMNS = 20 };

/* --- curves -------------------------------------------------------------------------------- */

uint32_t meet_concealed(const struct roost_voice *v)
{
    uint32_t most = 0;

    for (size_t i = 0; i < v->n_people; i++)
        if (v->people[i].figures.concealed_ppm > most)
            most = v->people[i].figures.concealed_ppm;
    return most;
}

void meet_graph_add(struct meet_graph *g, const struct roost_voice *v)
{
    uint32_t at = g->n++ % GRAPH_SECONDS;

    g->points[GRAPH_RTT][at] = (uint32_t)v->path.rtt_us;
    g->points[GRAPH_LOSS][at] = v->path.loss_ppm;
    g->points[GRAPH_BITS][at] = (uint32_t)v->path.bits;
    g->points[GRAPH_CONCEALED][at] = meet_concealed(v);
}

static uint32_t point(const struct meet_graph *g, enum meet_curve c, uint32_t back)
{
    return back < g->n && back < GRAPH_SECONDS ? g->points[c][(g->n - 1 - back) % GRAPH_SECONDS]
                                               : 0;
}

static void draw(const struct meet_graph *g, enum meet_curve c, uint32_t columns, bool plain,
                 struct buf *out)
{
    struct plot p;
    uint32_t most = 1, n = g->n < 2 * columns ? g->n : 2 * columns;

    if (plot_init(&p, columns, 1))
        return;
    for (uint32_t i = 0; i < n; i++)
        most = point(g, c, i) > most ? point(g, c, i) : most;
    for (uint32_t i = 0; i < n; i++) {
        int64_t x = 2 * (int64_t)columns - 1 - i, y = (int64_t)point(g, c, i) * 3 / most;
        plot_line(&p, x, 0, x, y, 1);
    }
    plot_row(&p, 0, NULL, plain, out);
    plot_fini(&p);
}

void meet_graph_curve(const struct meet_graph *g, enum meet_curve c, bool plain, struct buf *out)
{
    draw(g, c, GRAPH_SMALL, plain, out);
}

static void value(enum meet_curve c, uint32_t n, struct buf *out)
{
    if (c == GRAPH_RTT)
        buf_printf(out, "%u.%u ms", n / 1000, n / 100 % 10);
    else if (c == GRAPH_BITS)
        buf_printf(out, "%u kbit/s", n / 1000);
    else
        buf_printf(out, "%u.%02u %%", n / 10000, n / 100 % 100);
}

void meet_graph_show(const struct meet_graph *g, bool plain, struct buf *out)
{
    static const char *const names[] = { "round trip", "lost", "sent", "made up for" };

    for (enum meet_curve c = 0; c < GRAPH_CURVES; c++) {
        buf_printf(out, "  %-12s ", names[c]);
        draw(g, c, GRAPH_COLUMNS, plain, out);
        buf_puts(out, "  ");
        value(c, point(g, c, 0), out);
        buf_putc(out, '\n');
    }
}

/* --- people ---------------------------------------------------------------------------------- */

void meet_level(uint8_t level, bool plain, struct buf *out)
{
    static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    int on = level <= LEVEL_LOW ? 0 : (level - LEVEL_LOW) * LEVEL_COLUMNS / LEVEL_SPAN + 1;

    for (int i = 0; i < LEVEL_COLUMNS; i++)
        buf_puts(out, i >= on ? " " : plain ? "#" : bars[i]);
}

const char *meet_trust_name(enum roost_voice_trust trust)
{
    static const char *const names[] = { "guest", "known", "new", "stranger", "unproven" };

    return (size_t)trust < sizeof names / sizeof *names ? names[trust] : "unproven";
}

static const char *state_of(const struct roost_voice_person *p)
{
    return !p->sends ? "listens" : p->muted ? "muted" : p->heard ? "speaks" : "";
}

static void person(const struct roost_voice_person *p, bool plain, struct buf *out)
{
    const struct roost_voice_figures *f = &p->figures;
    struct buf name = { 0 };

    text_clean(&name, p->name, TEXT_ONE_LINE);
    buf_puts(out, "  ");
    text_fit(out, buf_str(&name), NAME_COLUMNS);
    for (size_t n = text_columns(buf_str(&name)); n < NAME_COLUMNS + 1; n++)
        buf_putc(out, ' ');
    meet_level(p->level, plain, out);
    buf_printf(out, " %-8s", state_of(p));
    if (p->self)
        buf_puts(out, " you");
    else
        buf_printf(out, " %s", meet_trust_name(p->trust));
    if (!p->self && f->bits)
        buf_printf(out, " · %u.%01u %% lost, %u.%01u %% after repair · held %u ms · jitter %u ms",
                   f->loss_ppm / 10000, f->loss_ppm / 1000 % 10, f->left_ppm / 10000,
                   f->left_ppm / 1000 % 10, (unsigned)(f->held_us / 1000),
                   (unsigned)(f->jitter_us / 1000));
    buf_putc(out, '\n');
    if (*f->why && !p->self)
        buf_printf(out, "    %s\n", f->why);
    buf_fini(&name);
}

void meet_people(const struct roost_voice *v, bool plain, struct buf *out)
{
    for (size_t i = 0; i < v->n_people; i++)
        person(&v->people[i], plain, out);
}
