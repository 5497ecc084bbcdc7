/* chat_plain.c - the chat without a terminal: lines come from standard input, and
 * what happens goes to standard output. What drives programs and tests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/chat_in.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

/* More of the input, when it can be read. */
void plain_read(struct chat *chat)
{
    char part[4096];
    ssize_t n = read(STDIN_FILENO, part, sizeof part);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        chat->input_over = true;
    else
        buf_add(&chat->input, part, (size_t)n);
    if (n <= 0 && chat->input.len)
        buf_putc(&chat->input, '\n'); /* the last line may have no end */
}

/* May more be read? Not while lines wait. */
bool plain_wants(const struct chat *chat)
{
    return !chat->input_over && chat->input.len < LINE_MAX_BYTES;
}

/* The next line of the input; NULL: none yet. A line too long to be held is cut,
 * and so refused as too long; its rest is passed over. */
static char *next_line(struct chat *chat)
{
    char *end = chat->input.len ? memchr(chat->input.p, '\n', chat->input.len) : NULL;
    bool cut = !end && chat->input.len >= LINE_MAX_BYTES, skip = chat->input_skips;

    if (!end && !cut)
        return NULL;
    size_t len = end ? (size_t)(end - chat->input.p) : chat->input.len;
    char *line = skip ? NULL : strndup(chat->input.p, len);
    size_t used = len + (end != NULL);
    memmove(chat->input.p, chat->input.p + used, chat->input.len - used + 1); /* the zero too */
    chat->input.len -= used;
    chat->input_skips = cut;
    return skip ? next_line(chat) : line;
}

/* Lines are taken as fast as the server acknowledges: none is dropped. */
void plain_lines(struct chat *chat)
{
    char *line;

    while (!chat->quit && chat_all_said(chat) && (line = next_line(chat))) {
        chat_line(chat, line);
        free(line);
    }
    if (chat->input_over && !chat->input.len && chat_all_said(chat))
        chat->quit = true;
}
