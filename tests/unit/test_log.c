/* Lines of the server's log, in each of their forms. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/log.h"
#include "test.h"

#define AT 1767225600123LL /* 2026-01-01T00:00:00.123Z */

static char line[4096], words[1024];

static const char *shown(enum log_format format, bool journal, enum log_level level,
                         const char *text)
{
    strcpy(words, text);
    log_line(line, sizeof line, format, journal, level, AT, words);
    return line;
}

static void three_forms(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    CHECK(!strcmp(shown(LOG_TEXT, false, LOG_INFO, "hello"),
                  "2026-01-01 00:00:00.123 info  hello\n"));
    CHECK(!strcmp(shown(LOG_LOGFMT, false, LOG_WARN, "hello"),
                  "time=2026-01-01T00:00:00.123Z level=warn msg=\"hello\"\n"));
    CHECK(
        !strcmp(shown(LOG_JSON, false, LOG_ERROR, "hello"),
                "{\"time\":\"2026-01-01T00:00:00.123Z\",\"level\":\"error\",\"msg\":\"hello\"}\n"));
}

static void the_journal_has_a_clock(void)
{
    CHECK(!strcmp(shown(LOG_TEXT, true, LOG_ERROR, "x"), "<3>error x\n"));
    CHECK(!strcmp(shown(LOG_TEXT, true, LOG_INFO, "x"), "<6>info  x\n"));
    CHECK(!strncmp(shown(LOG_JSON, true, LOG_DEBUG, "x"), "<7>{\"time\":", 11));
}

static void nothing_of_a_peer_breaks_a_line(void)
{
    shown(LOG_JSON, false, LOG_INFO, "a \"name\" with \\ and \x1b[31m\n and end");
    CHECK(strstr(line, "\"a \\\"name\\\" with \\\\ and ?[31m? and end\"}"));
    CHECK(strchr(line, '\n') == line + strlen(line) - 1);
    shown(LOG_LOGFMT, false, LOG_INFO, "no \xff utf-8 \xc3\xa9");
    CHECK(strstr(line, "no ? utf-8 ??"));
    CHECK(strstr(shown(LOG_TEXT, false, LOG_INFO, "caf\xc3\xa9"), "caf\xc3\xa9"));
}

static void the_longest_fits(void)
{
    char text[1000];

    memset(text, '"', sizeof text);
    text[sizeof text - 1] = 0;
    shown(LOG_JSON, false, LOG_INFO, text);
    CHECK(strlen(line) > 2 * 999 && line[strlen(line) - 2] == '}');
}

TEST_MAIN({ "three_forms", three_forms }, { "the_journal_has_a_clock", the_journal_has_a_clock },
          { "nothing_of_a_peer_breaks_a_line", nothing_of_a_peer_breaks_a_line },
          { "the_longest_fits", the_longest_fits })
