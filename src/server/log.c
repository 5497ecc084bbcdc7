#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static _Atomic int level_max = LOG_INFO;

void log_set_level(enum log_level level)
{
    level_max = (int)level;
}

/* What a peer sent may be in a line: nothing of it may steer a terminal. */
static void neutralise(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const names[] = { "error", "warn ", "info ", "debug" };
    char line[LINE_MAX_BYTES];
    struct timespec ts;
    struct tm tm;
    va_list args;

    if ((int)level > level_max)
        return;
    clock_gettime(CLOCK_REALTIME, &ts);
    localtime_r(&ts.tv_sec, &tm);
    size_t n = strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S", &tm);
    n += (size_t)snprintf(line + n, sizeof line - n, ".%03ld %s ", ts.tv_nsec / 1000000,
                          names[level]);

    va_start(args, format);
    int words = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (words < 0)
        return;
    neutralise(line + n);
    n = n + (size_t)words < sizeof line - 1 ? n + (size_t)words : sizeof line - 2;
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return; /* nobody is left to be told */
}
