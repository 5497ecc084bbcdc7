/* chat_line.c - what stands before the line being typed in the chat, and what Tab makes
 * of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chat_in.h"
#include "cli/chat_slash.h"
#include "cli/text.h"

void chat_prompt(void *arg, struct buf *b)
{
    const struct chat *chat = arg;

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
    if (moving_left(&chat->moving)) {
        buf_puts(b, " · ");
        moving_short(&chat->moving, b);
    }
    buf_puts(b, "] ");
}

static void match_commands(struct line_matches *m)
{
    for (size_t i = 0; slash_name(i); i++)
        line_match(m, "/", slash_name(i));
    for (size_t i = 0; i < cli_n_commands; i++) {
        char first[CLI_NAME_MAX];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(cli_commands[i].name, " "),
                 cli_commands[i].name);
        bool again = i && !strncmp(cli_commands[i - 1].name, first, strlen(first)) &&
                     strchr(" ", cli_commands[i - 1].name[strlen(first)]);
        if (!cli_commands[i].no_chat && !again)
            line_match(m, "/", first);
    }
}

/* "/room j": the second and third words of rows. */
static void match_sub(struct line_matches *m, const char *typed, size_t start)
{
    char before[CLI_NAME_MAX];
    size_t len = start - 1;

    if (len >= sizeof before)
        return;
    memcpy(before, typed + 1, len);
    before[len] = 0;
    for (size_t i = 0; i < cli_n_commands; i++) {
        const char *name = cli_commands[i].name;
        if (strncmp(name, before, len) != 0 || !name[len])
            continue;
        char word[CLI_NAME_MAX];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(name + len, " "), name + len);
        line_match(m, "", word);
    }
}

static void match_names(const struct chat *chat, const char *typed, struct line_matches *m)
{
    for (size_t i = 0; i < chat->n_people; i++) {
        line_match(m, "", chat->people[i].name);
        line_match(m, "@", chat->people[i].name);
    }
    for (size_t i = 0; i < chat->c->rooms.n; i++) {
        const struct room_entry *e = &chat->c->rooms.list[i];
        if (e->kind != ROOST_ROOM || e->closed)
            continue;
        line_match(m, "#", e->name);
        if (*typed == '/')
            line_match(m, "", e->name);
    }
}

void chat_complete(void *arg, const char *typed, size_t start, struct line_matches *m)
{
    if (*typed == '/' && !start)
        match_commands(m);
    else if (*typed == '/')
        match_sub(m, typed, start);
    if (!m->n && (start || *m->prefix != '/'))
        match_names(arg, typed, m);
}
