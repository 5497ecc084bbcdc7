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

void line_prompt(struct line *l)
{
    struct buf b = { 0 };

    if (l->plain)
        return;
    prompt_styled(l, &b);
    if (l->up)
        rl_clear_visible_line();
    rl_set_prompt(buf_str(&b));
    if (l->up) {
        rl_on_new_line();
        rl_redisplay();
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
    l->entered(l->arg, line);
    free(line);
    line_prompt(l);
    l->up = true;
}

void line_start(struct line *l)
{
    struct buf b = { 0 };

    the_line = l;
    rl_readline_name = "roost";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_attempted_completion_function = complete;
    rl_basic_word_break_characters = " \t";
    rl_completer_word_break_characters = " \t";
    rl_completer_quote_characters = "";
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
        rl_clear_visible_line();
        fflush(rl_outstream);
    }
    l->up = false;
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

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
        l->c->columns = size.ws_col;
    rl_resize_terminal();
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
    struct buf b = { 0 };
    size_t columns = l->c->columns ? l->c->columns : 80;

    if (l->plain)
        return;
    l->prompt(l->arg, &b);
    buf_puts(&b, line);
    size_t rows = text_columns(buf_str(&b)) / columns + 1;
    for (const char *p = line; (p = strchr(p, '\n')); p++)
        rows++;
    printf("\033[%zuA\r\033[J", rows);
    fflush(stdout);
    buf_fini(&b);
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
        rl_clear_visible_line();
    fwrite(b->p, 1, b->len, stdout);
    fflush(stdout);
    if (l->up) {
        rl_on_new_line();
        rl_redisplay();
    }
}

void line_drain(struct line *l)
{
    l->drain(l->arg);
}

void line_suspend(struct line *l)
{
    if (!l || !l->up)
        return; /* within a command the terminal is free anyway */
    rl_clear_visible_line();
    rl_deprep_terminal();
    l->up = false;
    l->suspended = true;
}

void line_resume(struct line *l)
{
    if (!l || !l->suspended)
        return;
    rl_prep_terminal(1);
    rl_on_new_line();
    rl_redisplay();
    l->up = true;
    l->suspended = false;
}
