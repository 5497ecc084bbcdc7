/* log.h - lines on stderr: for people, as key=value, or as JSON.
 *
 * One write a line, so lines of two threads never mix. When stderr is the journal a
 * line begins with its priority (<3> to <7>), and has no time of its own unless the format
 * is asked for. Secrets (passwords, tokens, texts) are never given to it. Safe on any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_LOGFMT, LOG_JSON };

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);
/* Is stderr what JOURNAL_STREAM names? Asked once, at the start. */
void log_find_journal(void);
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* A line as it is written, for tests: words are neutralised in place. Returns its length. */
size_t log_line(char *out, size_t cap, enum log_format format, bool journal, enum log_level level,
                long long at_ms, char *words);
