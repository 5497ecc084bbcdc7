#include "lab/classics/calc_line.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

size_t calc_mark(const uint8_t *line, size_t len)
{
    size_t n = 1;

    if (!len || line[0] != '#')
        return 0;
    while (n < len && n < CALC_MARK_MAX && line[n] >= '0' && line[n] <= '9')
        n++;
    return n > 1 && n < len && line[n] == ' ' ? n + 1 : 0;
}

bool calc_is_error(const char *answer)
{
    return !strncmp(answer, "error: ", 7);
}

static int evaluate(const uint8_t *bytes, size_t len, char ret[static CALC_RESULT_BYTES])
{
    char text[CALC_LINE_MAX + 1];

    if (len > CALC_LINE_MAX)
        return -ROOST_NUMBER_TOO_LONG;
    if (memchr(bytes, 0, len))
        return -ROOST_BAD_NUMBER;
    memcpy(text, bytes, len);
    text[len] = 0;
    return calc(text, ret);
}

void calc_line(const uint8_t *line, size_t len, char ret[static CALC_ANSWER_BYTES])
{
    size_t mark = calc_mark(line, len);
    char result[CALC_RESULT_BYTES];
    int err = evaluate(line + mark, len - mark, result);

    if (err)
        snprintf(ret, CALC_ANSWER_BYTES, "%.*serror: %s", (int)mark, (const char *)line,
                 err_text(err));
    else
        snprintf(ret, CALC_ANSWER_BYTES, "%.*s%s", (int)mark, (const char *)line, result);
}
