#include "cli/meet_panel.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/meet_show.h"
#include "cli/text.h"

enum {
    LEVEL = 4,
    NAME = 14,
    TAG = 8,
    CELL = 1 + LEVEL + 1 + NAME + 1 + TAG + 1,
    PART = 3, /* of the terminal's rows */
};
#define STYLE_LOUD "\033[1;31m"

static void style(const struct panel *p, const char *code, struct buf *out)
{
    if (p->colour)
        buf_puts(out, code);
}

/* --- the line above -------------------------------------------------------------------------- */

static void part(struct buf *head, size_t *used, size_t columns, const char *text)
{
    size_t n = text_columns(text) + 3;

    if (*used + n > columns)
        return;
    buf_printf(head, " · %s", text);
    *used += n;
}

static void put_head(const struct panel *p, struct buf *out)
{
    const struct roost_voice_figures *f = &p->voice->path;
    const char *sealed = p->open ? MEET_UNSEALED : "sealed end to end";
    size_t used = 1 + text_columns(sealed);
    struct buf text = { 0 };

    style(p, p->open ? STYLE_LOUD : STYLE_DIM, out);
    buf_printf(out, " %s", sealed);
    if (p->open) {
        style(p, STYLE_OFF, out);
        style(p, STYLE_DIM, out);
    }
    if (p->voice->state != ROOST_VOICE_IN)
        part(out, &used, p->columns, "no sound yet");
    if (p->voice->silenced)
        part(out, &used, p->columns, "nobody hears you");
    buf_printf(&text, "%u.%u ms ", (unsigned)(f->rtt_us / 1000), (unsigned)(f->rtt_us / 100 % 10));
    meet_graph_curve(p->graph, GRAPH_RTT, !p->colour, &text);
    part(out, &used, p->columns, buf_str(&text));
    buf_clear(&text);
    buf_printf(&text, "%u.%u %% lost ", f->loss_ppm / 10000, f->loss_ppm / 1000 % 10);
    meet_graph_curve(p->graph, GRAPH_LOSS, !p->colour, &text);
    part(out, &used, p->columns, buf_str(&text));
    if (*f->why)
        part(out, &used, p->columns, f->why);
    style(p, STYLE_OFF, out);
    buf_putc(out, '\n');
    buf_fini(&text);
}

/* --- people ------------------------------------------------------------------------------------
 */

static const struct roost_attendee *row_of(const struct panel *p, uint64_t account)
{
    for (size_t i = 0; p->ticket && i < p->ticket->n_attendees; i++)
        if (p->ticket->attendees[i].account == account)
            return &p->ticket->attendees[i];
    return NULL;
}

static const char *tag_of(const struct panel *p, const struct roost_voice_person *x)
{
    const struct roost_attendee *a = row_of(p, x->account);

    if (!x->self && x->trust == ROOST_TRUST_STRANGER)
        return "STRANGER";
    if (a && a->hand_ms)
        return "hand up";
    if (x->muted || (a && a->muted) || (x->self && p->voice->muted))
        return "muted";
    if (a && a->away)
        return "away";
    if (x->self)
        return "you";
    return x->trust == ROOST_TRUST_KNOWN ? "" : meet_trust_name(x->trust);
}

static void put_level(const struct panel *p, const struct roost_voice_person *x, struct buf *out)
{
    static const char *const bars[LEVEL] = { "▂", "▄", "▆", "█" };
    int on = x->heard && x->level > 70 ? 1 + (x->level - 70) / 12 : 0;

    style(p, x->heard ? "\033[32m" : STYLE_DIM, out);
    for (int i = 0; i < LEVEL; i++)
        buf_puts(out, i >= on ? " " : p->colour ? bars[i] : "#");
    style(p, STYLE_OFF, out);
}

static void put_person(const struct panel *p, const struct roost_voice_person *x, struct buf *out)
{
    bool speaks = x->heard && x->level > 70,
         stranger = !x->self && x->trust == ROOST_TRUST_STRANGER;

    buf_putc(out, ' ');
    put_level(p, x, out);
    buf_putc(out, ' ');
    style(p, speaks ? STYLE_BOLD : "", out);
    text_pad(out, x->name, NAME);
    style(p, speaks ? STYLE_OFF : "", out);
    buf_putc(out, ' ');
    style(p, stranger ? STYLE_LOUD : STYLE_DIM, out);
    text_pad(out, tag_of(p, x), TAG);
    style(p, STYLE_OFF, out);
    buf_putc(out, ' ');
}

/* Where not all have room: who speaks, puts up a hand, or is a stranger, then the others. */
static bool is_first(const struct panel *p, const struct roost_voice_person *x)
{
    const struct roost_attendee *a = row_of(p, x->account);

    return x->number == p->voice->speaker_number || (a && a->hand_ms) ||
           (!x->self && x->trust == ROOST_TRUST_STRANGER);
}

struct grid {
    size_t across, room, n; /* cells: in a row, in all, that are used */
};

static void put_cell(const struct panel *p, struct grid *g, const struct roost_voice_person *x,
                     struct buf *out)
{
    if (g->n == g->room)
        return;
    put_person(p, x, out);
    if (++g->n % g->across == 0)
        buf_putc(out, '\n');
}

static void put_people(const struct panel *p, struct buf *out)
{
    const struct roost_voice *v = p->voice;
    size_t rows = p->rows / PART - 1;
    struct grid g = { .across = p->columns / CELL };

    g.room = g.across * rows;
    bool all = v->n_people <= g.room;
    if (!all)
        g.room--; /* for how many more there are */
    for (size_t i = 0; i < v->n_people; i++)
        if (all || is_first(p, &v->people[i]))
            put_cell(p, &g, &v->people[i], out);
    for (size_t i = 0; !all && i < v->n_people; i++)
        if (!is_first(p, &v->people[i]))
            put_cell(p, &g, &v->people[i], out);
    if (!all)
        buf_printf(out, "      and %zu more\n", v->n_people - g.n);
    else if (g.n % g.across)
        buf_putc(out, '\n');
}

void panel_put(const struct panel *p, struct buf *out)
{
    if (!p->voice || p->columns < PANEL_COLUMNS_MIN || p->rows < PANEL_ROWS_MIN)
        return;
    put_head(p, out);
    put_people(p, out);
}
