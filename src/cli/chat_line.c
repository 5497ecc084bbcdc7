/* chat_line.c - the line being typed: GNU Readline in callback mode. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "cli/chat_in.h"
#include "cli/chat_slash.h"
#include "cli/text.h"

enum { HISTORY_LINES = 1000 };

static struct chat *the_chat; /* Readline's callbacks carry no argument */

/* --- prompt --- */

static void prompt_text(const struct chat *chat, struct buf *b)
{
    if (chat->lost)
        buf_puts(b, "(offline) ");
    buf_putc(b, '[');
    if (!strcmp(chat->target, "*"))
        buf_puts(b, "everyone");
    else if (*chat->target >= '0' && *chat->target <= '9')
        rooms_label(&chat->c->rooms, strtoull(chat->target, NULL, 10), b);
    else
        text_fit(b, *chat->target ? chat->target : "nowhere", 30);
    if (chat->typing) {
        buf_puts(b, " · ");
        text_fit(b, chat->typing, 20);
        buf_puts(b, " types");
    }
    buf_puts(b, "] ");
}

/* Readline must know which bytes of a prompt take no room: \001 ... \002. */
static void prompt_styled(const struct chat *chat, struct buf *b)
{
    bool colour = chat->c->colour;

    buf_puts(b, colour ? "\001" STYLE_BOLD "\002" : "");
    prompt_text(chat, b);
    buf_puts(b, colour ? "\001" STYLE_OFF "\002" : "");
}

void line_prompt(struct chat *chat)
{
    struct buf b = { 0 };

    if (chat->plain)
        return;
    prompt_styled(chat, &b);
    if (chat->line_up)
        rl_clear_visible_line();
    rl_set_prompt(buf_str(&b));
    if (chat->line_up) {
        rl_on_new_line();
        rl_redisplay();
    }
    buf_fini(&b);
}

/* --- completion --- */

struct matches {
    const char *prefix;
    char **list;
    size_t n;
};

static void match(struct matches *m, const char *mark, const char *name)
{
    char word[256];

    snprintf(word, sizeof word, "%s%s", mark, name);
    if (strncasecmp(word, m->prefix, strlen(m->prefix)))
        return;
    char **list = realloc(m->list, (m->n + 2) * sizeof *list);
    if (!list)
        return;
    m->list = list;
    m->list[m->n] = strdup(word);
    m->n += m->list[m->n] != NULL;
    m->list[m->n] = NULL;
}

static void match_commands(struct matches *m)
{
    for (size_t i = 0; slash_name(i); i++)
        match(m, "/", slash_name(i));
    for (size_t i = 0; i < cli_n_commands; i++) {
        char first[CLI_NAME_MAX];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(cli_commands[i].name, " "),
                 cli_commands[i].name);
        bool again = i && !strncmp(cli_commands[i - 1].name, first, strlen(first)) &&
                     strchr(" ", cli_commands[i - 1].name[strlen(first)]);
        if (!cli_commands[i].no_chat && !again)
            match(m, "/", first);
    }
}

/* "/room j": the second and third words of rows. */
static void match_sub(struct matches *m, const char *line, int start)
{
    char before[CLI_NAME_MAX];
    size_t len = (size_t)start - 1;

    if (len >= sizeof before)
        return;
    memcpy(before, line + 1, len);
    before[len] = 0;
    for (size_t i = 0; i < cli_n_commands; i++) {
        const char *name = cli_commands[i].name;
        if (strncmp(name, before, len) || !name[len])
            continue;
        char word[CLI_NAME_MAX];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(name + len, " "), name + len);
        match(m, "", word);
    }
}

static void match_names(struct matches *m)
{
    const struct chat *chat = the_chat;

    for (size_t i = 0; i < chat->n_people; i++) {
        match(m, "", chat->people[i].name);
        match(m, "@", chat->people[i].name);
    }
    for (size_t i = 0; i < chat->c->rooms.n; i++) {
        const struct room_entry *e = &chat->c->rooms.list[i];
        if (e->kind != ROOST_ROOM)
            continue;
        match(m, "#", e->name);
        if (*rl_line_buffer == '/')
            match(m, "", e->name);
    }
}

/* Readline wants the longest common beginning first. */
static char **with_common(struct matches *m)
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
    struct matches m = { .prefix = text };

    (void)end;
    rl_attempted_completion_over = 1;
    if (*rl_line_buffer == '/' && !start)
        match_commands(&m);
    else if (*rl_line_buffer == '/')
        match_sub(&m, rl_line_buffer, start);
    if (!m.n && (start || *text != '/'))
        match_names(&m);
    return with_common(&m);
}

/* --- life --- */

static void history_file(const struct chat *chat, struct buf *b)
{
    buf_printf(b, "%s/history", roost_home(chat->c->r));
}

void line_start(struct chat *chat, void (*on_line)(char *))
{
    struct buf b = { 0 };

    the_chat = chat;
    rl_readline_name = "roost";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_attempted_completion_function = complete;
    rl_basic_word_break_characters = " \t";
    rl_completer_word_break_characters = " \t";
    rl_completer_quote_characters = "";
    using_history();
    stifle_history(HISTORY_LINES);
    history_file(chat, &b);
    read_history(buf_str(&b));
    buf_clear(&b);
    prompt_styled(chat, &b);
    rl_callback_handler_install(buf_str(&b), on_line);
    chat->line_up = true;
    buf_fini(&b);
}

void line_stop(struct chat *chat)
{
    struct buf b = { 0 };

    if (chat->line_up) {
        rl_clear_visible_line();
        fflush(rl_outstream);
    }
    chat->line_up = false;
    rl_callback_handler_remove();
    history_file(chat, &b);
    write_history(buf_str(&b));
    history_truncate_file(buf_str(&b), HISTORY_LINES);
    buf_fini(&b);
    clear_history();
    the_chat = NULL;
}

void line_key(void)
{
    rl_callback_read_char();
}

void line_resize(struct chat *chat)
{
    struct winsize size;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col) {
        chat->c->columns = size.ws_col;
        chat->show.columns = size.ws_col;
    }
    rl_resize_terminal();
}

void line_drop(struct chat *chat)
{
    if (!chat->line_up)
        return;
    rl_callback_sigcleanup();
    rl_clear_visible_line();
    rl_replace_line("", 1);
    rl_on_new_line();
    rl_redisplay();
}

void line_wipe_typed(struct chat *chat, const char *line)
{
    struct buf b = { 0 };
    size_t columns = chat->c->columns ? chat->c->columns : 80;

    if (chat->plain)
        return;
    prompt_text(chat, &b);
    buf_puts(&b, line);
    size_t rows = text_columns(buf_str(&b)) / columns + 1;
    for (const char *p = line; (p = strchr(p, '\n')); p++)
        rows++;
    printf("\033[%zuA\r\033[J", rows);
    fflush(stdout);
    buf_fini(&b);
}

void line_history_add(const char *line)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
    if (!last || strcmp(last->line, line))
        add_history(line);
}

bool line_is_words(void)
{
    return rl_end > 0 && *rl_line_buffer != '/';
}

/* --- printing above it --- */

void chat_print(struct chat *chat, const struct buf *b)
{
    if (!b->len)
        return;
    if (chat->line_up)
        rl_clear_visible_line();
    fwrite(b->p, 1, b->len, stdout);
    fflush(stdout);
    if (chat->line_up) {
        rl_on_new_line();
        rl_redisplay();
    }
}

void chat_suspend(struct chat *chat)
{
    if (!chat || !chat->line_up)
        return; /* within a command the terminal is free anyway */
    rl_clear_visible_line();
    rl_deprep_terminal();
    chat->line_up = false;
    chat->suspended = true;
}

void chat_resume(struct chat *chat)
{
    if (!chat || !chat->suspended)
        return;
    rl_prep_terminal(1);
    rl_on_new_line();
    rl_redisplay();
    chat->line_up = true;
    chat->suspended = false;
}
