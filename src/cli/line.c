#include "cli/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "cli/cli.h"
#include "cli/text.h"

enum { HISTORY_LINES = 1000 };

static struct line *the_line; /* Readline's callbacks carry no argument */

/* --- prompt --- */

/* Readline must know which bytes of a prompt take no room: \001 ... \002. */
static void prompt_styled(const struct line *l, struct buf *b)
{
    bool colour = l->c->colour;

    buf_puts(b, colour ? "\001" STYLE_BOLD "\002" : "");
    l->prompt(l->arg, b);
    buf_puts(b, colour ? "\001" STYLE_OFF "\002" : "");
}

/* --- the panel above it --- */

static size_t count_rows(const struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->len; i++)
        n += b->p[i] == '\n';
    return n;
}

/* Takes line and panel off the screen: the cursor stands where they began. */
static void lift(struct line *l)
{
    rl_clear_visible_line();
    if (l->panel_rows)
        fprintf(rl_outstream, "\033[%zuA\r\033[J", l->panel_rows);
    l->panel_rows = 0;
}

static void put_panel(struct line *l)
{
    struct buf b = { 0 };

    if (l->panel)
        l->panel(l->arg, &b);
    fwrite(b.p, 1, b.len, rl_outstream);
    l->panel_rows = count_rows(&b);
    buf_fini(&b);
}

/* The other way round. */
static void lay(struct line *l)
{
    put_panel(l);
    rl_on_new_line();
    rl_redisplay();
}

/* Whether anything of it is otherwise than it is on the screen. */
static bool has_changed(struct line *l, const struct buf *prompt)
{
    struct buf now = { 0 };

    buf_puts(&now, buf_str(prompt));
    buf_putc(&now, '\n');
    if (l->panel)
        l->panel(l->arg, &now);
    bool same = now.len == l->shown.len && !memcmp(now.p, l->shown.p, now.len);
    buf_fini(&l->shown);
    l->shown = now;
    return !same;
}

void line_prompt(struct line *l)
{
    struct buf b = { 0 };

    if (l->plain)
        return;
    prompt_styled(l, &b);
    if (!l->up) {
        rl_set_prompt(buf_str(&b));
    } else if (has_changed(l, &b)) {
        lift(l);
        rl_set_prompt(buf_str(&b));
        lay(l);
    }
    buf_fini(&b);
}

/* --- completion --- */

void line_match(struct line_matches *m, const char *mark, const char *name)
{
    char word[256];

    snprintf(word, sizeof word, "%s%s", mark, name);
    if (strncasecmp(word, m->prefix, strlen(m->prefix)) != 0)
        return;
    char **list = realloc(m->list, (m->n + 2) * sizeof *list);
    if (!list)
        return;
    m->list = list;
    m->list[m->n] = strdup(word);
    m->n += m->list[m->n] != NULL;
    m->list[m->n] = NULL;
}

/* Readline wants the longest common beginning first. */
static char **with_common(struct line_matches *m)
{
    size_t len = m->n ? strlen(m->list[0]) : 0;

    if (!m->n)
        return NULL;
    for (size_t i = 1; i < m->n; i++) {
        size_t same = 0;
        while (same < len && m->list[i][same] == m->list[0][same])
            same++;
        len = same;
    }
    while (len && (m->list[0][len] & 0xc0) == 0x80) /* never within a character */
        len--;
    char **all = malloc((m->n + 2) * sizeof *all);
    char *common = strndup(len >= strlen(m->prefix) ? m->list[0] : m->prefix,
                           len >= strlen(m->prefix) ? len : strlen(m->prefix));
    if (!all || !common) {
        free(all);
        free(common);
        for (size_t i = 0; i < m->n; i++)
            free(m->list[i]);
        free(m->list);
        return NULL;
    }
    all[0] = common;
    if (m->n == 1) {
        all[1] = NULL;
        free(m->list[0]);
    } else {
        memcpy(all + 1, m->list, (m->n + 1) * sizeof *all);
    }
    free(m->list);
    return all;
}

static char **complete(const char *text, int start, int end)
{
    struct line_matches m = { .prefix = text };

    (void)end;
    rl_attempted_completion_over = 1;
    the_line->complete(the_line->arg, rl_line_buffer, (size_t)start, &m);
    return with_common(&m);
}

/* With a panel the list of what a word could become goes above it. */
static void show_matches(char **matches, int n, int longest)
{
    lift(the_line);
    rl_display_match_list(matches, n, longest);
    lay(the_line);
}

/* --- life --- */

static void history_path(const struct line *l, struct buf *b)
{
    buf_printf(b, "%s/%s", roost_home(l->c->r), l->history);
}

static void history_add(const char *line)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
    if (!last || strcmp(last->line, line) != 0)
        add_history(line);
}

static size_t typed_rows(struct line *l, const char *line)
{
    struct buf b = { 0 };
    size_t columns = l->c->columns ? l->c->columns : 80;

    l->prompt(l->arg, &b);
    buf_puts(&b, line);
    size_t rows = text_columns(buf_str(&b)) / columns + 1;
    for (const char *p = line; (p = strchr(p, '\n')); p++)
        rows++;
    buf_fini(&b);
    return rows;
}

/* What was entered stays on the screen, the panel above it does not. */
static void drop_panel(struct line *l, const char *line)
{
    struct buf b = { 0 };

    if (!l->panel_rows)
        return;
    l->prompt(l->arg, &b);
    fprintf(rl_outstream, "\033[%zuA\r\033[J%s%s%s%s\n", typed_rows(l, line) + l->panel_rows,
            cli_style(l->c, STYLE_BOLD), buf_str(&b), cli_style(l->c, STYLE_OFF), line);
    fflush(rl_outstream);
    l->panel_rows = 0;
    buf_clear(&l->shown);
    buf_fini(&b);
}

/* While it runs, the line is not on the screen; Readline puts an empty one there
 * afterwards. */
static void on_line(char *line)
{
    struct line *l = the_line;

    l->up = false;
    if (!line) { /* Ctrl+D */
        l->entered(l->arg, NULL);
        l->up = true;
        return;
    }
    if (*line)
        history_add(line);
    drop_panel(l, line);
    l->entered(l->arg, line);
    free(line);
    line_prompt(l);
    put_panel(l);
    l->up = true;
}

void line_start(struct line *l)
{
    struct winsize size;
    struct buf b = { 0 };

    the_line = l;
    rl_readline_name = "roost";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_attempted_completion_function = complete;
    rl_basic_word_break_characters = " \t";
    rl_completer_word_break_characters = " \t";
    rl_completer_quote_characters = "";
    rl_completion_display_matches_hook = l->panel ? show_matches : NULL;
    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
        l->rows = size.ws_row;
    using_history();
    stifle_history(HISTORY_LINES);
    if (l->history) {
        history_path(l, &b);
        read_history(buf_str(&b));
        buf_clear(&b);
    }
    prompt_styled(l, &b);
    rl_callback_handler_install(buf_str(&b), on_line);
    l->up = true;
    buf_fini(&b);
}

void line_stop(struct line *l)
{
    struct buf b = { 0 };

    if (l->up) {
        lift(l);
        fflush(rl_outstream);
    }
    l->up = false;
    buf_fini(&l->shown);
    rl_callback_handler_remove();
    if (l->history) {
        history_path(l, &b);
        write_history(buf_str(&b));
        history_truncate_file(buf_str(&b), HISTORY_LINES);
    }
    buf_fini(&b);
    clear_history();
    the_line = NULL;
}

void line_key(void)
{
    rl_callback_read_char();
}

void line_resize(struct line *l)
{
    struct winsize size;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col) {
        if (l->panel_rows && size.ws_col < l->c->columns) /* a terminal breaks what is too wide */
            l->panel_rows *= (l->c->columns + size.ws_col - 1) / size.ws_col;
        l->c->columns = size.ws_col;
        l->rows = size.ws_row;
    }
    rl_resize_terminal();
    buf_clear(&l->shown);
}

void line_drop(struct line *l)
{
    if (!l->up)
        return;
    rl_callback_sigcleanup();
    rl_clear_visible_line();
    rl_replace_line("", 1);
    rl_on_new_line();
    rl_redisplay();
}

void line_wipe_typed(struct line *l, const char *line)
{
    if (l->plain)
        return;
    printf("\033[%zuA\r\033[J", typed_rows(l, line));
    fflush(stdout);
}

bool line_is_words(void)
{
    return rl_end > 0 && *rl_line_buffer != '/';
}

/* --- printing above it --- */

void line_print(struct line *l, const struct buf *b)
{
    if (!b->len)
        return;
    if (l->up)
        lift(l);
    fwrite(b->p, 1, b->len, stdout);
    if (l->up)
        lay(l);
    fflush(stdout);
}

void line_drain(struct line *l)
{
    l->drain(l->arg);
}

void line_suspend(struct line *l)
{
    if (!l || !l->up)
        return; /* within a command the terminal is free anyway */
    lift(l);
    fflush(rl_outstream);
    rl_deprep_terminal();
    l->up = false;
    l->suspended = true;
}

void line_resume(struct line *l)
{
    if (!l || !l->suspended)
        return;
    rl_prep_terminal(1);
    lay(l);
    l->up = true;
    l->suspended = false;
}
