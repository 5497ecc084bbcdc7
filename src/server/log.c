#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

enum { WORDS_MAX = 1024, LINE_MAX_BYTES = 2 * WORDS_MAX + 128 };

static _Atomic int level_max = LOG_INFO, line_format = LOG_TEXT;
static _Atomic bool to_journal;

void log_set_level(enum log_level level)
{
    level_max = (int)level;
}

void log_set_format(enum log_format format)
{
    line_format = (int)format;
}

void log_find_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    to_journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
                 !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

/* What a peer sent may be in a line: nothing of it may steer a terminal. */
static void neutralise(char *s)
{
    bool good = utf8_valid(s, strlen(s));

    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f || (!good && (unsigned char)*s > 0x7f))
            *s = '?';
}

/* In double quotes, for JSON and for key=value alike. */
static size_t put_quoted(char *out, const char *s)
{
    char *p = out;

    *p++ = '"';
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            *p++ = '\\';
        *p++ = *s;
    }
    *p++ = '"';
    *p = 0;
    return (size_t)(p - out);
}

static size_t put_time(char *out, size_t cap, enum log_format format, long long at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    int ms = (int)(at_ms % 1000);
    struct tm tm;

    if (format == LOG_TEXT)
        localtime_r(&at, &tm);
    else
        gmtime_r(&at, &tm);
    size_t n = strftime(out, cap, format == LOG_TEXT ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%S",
                        &tm);
    return n + (size_t)snprintf(out + n, cap - n, format == LOG_TEXT ? ".%03d " : ".%03dZ", ms);
}

size_t log_line(char *out, size_t cap, enum log_format format, bool journal, enum log_level level,
                long long at_ms, char *words)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    static const int priorities[] = { 3, 4, 6, 7 };
    char quoted[LINE_MAX_BYTES], time[40];
    size_t n = 0;

    neutralise(words);
    put_quoted(quoted, words);
    put_time(time, sizeof time, format, at_ms);
    if (journal)
        n = (size_t)snprintf(out, cap, "<%d>", priorities[level]);
    switch (format) {
    case LOG_LOGFMT:
        n += (size_t)snprintf(out + n, cap - n, "time=%s level=%s msg=%s\n", time, names[level],
                              quoted);
        break;
    case LOG_JSON:
        n += (size_t)snprintf(out + n, cap - n, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":%s}\n",
                              time, names[level], quoted);
        break;
    case LOG_TEXT:
        n += (size_t)snprintf(out + n, cap - n, "%s%-5s %s\n", journal ? "" : time, names[level],
                              words);
        break;
    }
    return n < cap ? n : cap - 1;
}

void log_write(enum log_level level, const char *format, ...)
{
    char words[WORDS_MAX], line[LINE_MAX_BYTES];
    struct timespec ts;
    va_list args;

    if ((int)level > level_max)
        return;
    clock_gettime(CLOCK_REALTIME, &ts);
    va_start(args, format);
    int n = vsnprintf(words, sizeof words, format, args);
    va_end(args);
    if (n < 0)
        return;
    size_t len = log_line(line, sizeof line, (enum log_format)line_format, to_journal, level,
                          (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000, words);
    if (write(STDERR_FILENO, line, len) < 0)
        return; /* nobody is left to be told */
}
