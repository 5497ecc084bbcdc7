#include "cli/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 * 1024 };

void lines_fini(struct lines *l)
{
    buf_fini(&l->input);
}

void lines_read(struct lines *l)
{
    char part[4096];
    ssize_t n = read(STDIN_FILENO, part, sizeof part);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        l->over = true;
    else
        buf_add(&l->input, part, (size_t)n);
    if (n <= 0 && l->input.len)
        buf_putc(&l->input, '\n'); /* the last line may have no end */
}

bool lines_want(const struct lines *l)
{
    return !l->over && l->input.len < LINE_MAX_BYTES;
}

char *lines_next(struct lines *l)
{
    char *end = l->input.len ? memchr(l->input.p, '\n', l->input.len) : NULL;
    bool cut = !end && l->input.len >= LINE_MAX_BYTES, skip = l->skips;

    if (!end && !cut)
        return NULL;
    size_t len = end ? (size_t)(end - l->input.p) : l->input.len;
    char *line = skip ? NULL : strndup(l->input.p, len);
    size_t used = len + (end != NULL);
    memmove(l->input.p, l->input.p + used, l->input.len - used + 1); /* the zero too */
    l->input.len -= used;
    l->skips = cut;
    return skip ? lines_next(l) : line;
}

bool lines_over(const struct lines *l)
{
    return l->over && !l->input.len;
}
