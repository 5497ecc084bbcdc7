/* meet_line.c - what stands before the line being typed in a meeting, and what Tab makes
 * of it. */
#include <string.h>
#include <strings.h>

#include "cli/meet_in.h"
#include "cli/meet_panel.h"
#include "cli/text.h"

enum { NARROW = 60, TITLE_COLUMNS = 20 };

static void part(struct buf *b, const char *format, size_t n)
{
    if (!n)
        return;
    buf_puts(b, " · ");
    buf_printf(b, format, n);
}

static size_t hands_of(const struct roost_ticket *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_attendees; i++)
        n += t->attendees[i].hand_ms != 0;
    return n;
}

void meet_prompt(void *arg, struct buf *b)
{
    const struct meet *m = arg;
    const struct roost_ticket *t = meet_there(m);
    bool narrow = m->c->columns && m->c->columns < NARROW;

    buf_puts(b, m->lost ? "(offline) [" : "[");
    if (meet_voice_is_open(m)) /* however narrow it is */
        buf_puts(b, "NOT SEALED · ");
    if (!t || !m->in) {
        buf_puts(b, "waiting] ");
        return;
    }
    if (!narrow) {
        text_fit(b, t->meeting.title, TITLE_COLUMNS);
        buf_puts(b, " · ");
    }
    buf_printf(b, "%zu in", t->n_attendees);
    part(b, t->n_waiting == 1 ? "%zu waits" : "%zu wait", t->n_waiting);
    part(b, hands_of(t) == 1 ? "%zu hand" : "%zu hands", hands_of(t));
    if (!narrow)
        meet_voice_prompt(m, b);
    if (!narrow && t->you.muted)
        buf_puts(b, " · muted");
    if (!narrow && t->you.away)
        buf_puts(b, " · away");
    buf_puts(b, "] ");
}

void meet_panel(void *arg, struct buf *b)
{
    const struct meet *m = arg;
    const struct panel p = { .voice = m->voice.on ? roost_voice_get(m->c->r) : NULL,
                             .ticket = meet_there(m),
                             .graph = &m->voice.graph,
                             .columns = m->c->columns,
                             .rows = m->line.rows,
                             .colour = m->c->colour,
                             .open = meet_voice_is_open(m) };

    panel_put(&p, b);
}

static void match_commands(struct line_matches *m)
{
    const char *name, *last = "";
    bool takes;

    for (size_t i = 0; (name = meet_slash_name(i, &takes)); i++) {
        bool again = !strcmp(name, last);
        for (size_t j = 0; j < m->n && !again; j++)
            again = !strcmp(m->list[j] + 1, name);
        if (!again)
            line_match(m, "/", name);
        last = name;
    }
}

static bool takes_name(const char *typed, size_t len)
{
    const char *name;
    bool takes;

    for (size_t i = 0; (name = meet_slash_name(i, &takes)); i++)
        if (takes && strlen(name) == len && !strncasecmp(name, typed, len))
            return true;
    return false;
}

/* Names may hold spaces: what stands between the command and the word belongs to it. Or
 * the word begins with a mark, '@' or '"', that does not. */
struct begun {
    const char *before;
    size_t len;
    char mark[4];
};

static void match_name(struct line_matches *m, const char *name, const struct begun *b)
{
    if (!strncasecmp(name, b->before, b->len) && strlen(name) > b->len)
        line_match(m, b->mark, name + b->len);
}

static void match_names(const struct roost_ticket *t, const struct begun *b, struct line_matches *m)
{
    for (size_t i = 0; i < t->n_attendees; i++)
        match_name(m, t->attendees[i].name, b);
    for (size_t i = 0; i < t->n_waiting; i++)
        match_name(m, t->waiting[i].name, b);
}

void meet_complete(void *arg, const char *typed, size_t start, struct line_matches *m)
{
    const struct meet *meet = arg;
    const struct roost_ticket *t = meet_there(meet);

    if (*typed == '/' && !start) {
        match_commands(m);
        return;
    }
    size_t word = strcspn(typed, " \t"), from = word + strspn(typed + word, " \t\"@");
    if (!t)
        return;
    struct begun b = { .before = "" };
    if (*typed == '/') {
        b.before = typed + from;
        b.len = start > from ? start - from : 0;
        if (start < from && from - start < sizeof b.mark)
            memcpy(b.mark, typed + start, from - start);
        if (!takes_name(typed + 1, word - 1))
            return;
    }
    match_names(t, &b, m);
}
