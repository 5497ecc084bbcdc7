#include "cli/text.h"
#include "test.h"

#include <string.h>

static bool cleans(const char *s, int indent, const char *want)
{
    struct buf b = { 0 };
    text_clean(&b, s, indent);
    bool same = !strcmp(buf_str(&b), want);
    buf_fini(&b);
    return same;
}

static void nothing_reaches_the_terminal_raw(void)
{
    CHECK(cleans("plain", TEXT_ONE_LINE, "plain"));
    CHECK(cleans("\033[2J\033]0;x\a", TEXT_ONE_LINE, "␛[2J␛]0;x␇"));
    CHECK(cleans("\x7f", TEXT_ONE_LINE, "␡"));
    CHECK(cleans("\xc2\x9b"
                 "2J",
                 TEXT_ONE_LINE,
                 "\xef\xbf\xbd"
                 "2J")); /* CSI in one character */
    CHECK(cleans("a\xe2\x80\xae"
                 "b",
                 TEXT_ONE_LINE,
                 "a\xef\xbf\xbd"
                 "b")); /* right-to-left override */
    CHECK(cleans("\xff\xfe", TEXT_ONE_LINE, "\xef\xbf\xbd\xef\xbf\xbd"));
    CHECK(cleans("tab\there", 0, "tab here"));
}

static void line_breaks_are_kept_or_not(void)
{
    CHECK(cleans("one\ntwo", TEXT_ONE_LINE, "one two"));
    CHECK(cleans("one\r\ntwo", 4, "one\n    two"));
    CHECK(cleans("one\rtwo", 4, "one␍two")); /* would overwrite the line */
}

static void columns_are_what_a_terminal_uses(void)
{
    CHECK(text_columns("abc") == 3);
    CHECK(text_columns("é") == 1 && text_columns("e\xcc\x81") == 1);
    CHECK(text_columns("日本") == 4);
    CHECK(text_columns("👍") == 2);
    CHECK(text_columns("각") == 2);
    CHECK(text_columns("\xe1\x84\x80\xe1\x85\xa1") == 2); /* the same in two pieces */
    CHECK(text_columns("a\xe2\x80\x8d") == 1);            /* a joiner takes no room */
}

static bool fits(const char *s, size_t columns, const char *want)
{
    struct buf b = { 0 };
    text_fit(&b, s, columns);
    bool same = !strcmp(buf_str(&b), want) && text_columns(buf_str(&b)) <= columns;
    buf_fini(&b);
    return same;
}

static void too_long_is_cut(void)
{
    CHECK(fits("hello", 5, "hello"));
    CHECK(fits("hello!", 5, "hell…"));
    CHECK(fits("日本語", 5, "日本…"));
    CHECK(fits("日本語", 4, "日…")); /* half a wide character is none */
    CHECK(fits("hello", 1, "…"));
    CHECK(fits("hello", 0, ""));
}

static void padding_reaches_the_width(void)
{
    struct buf b = { 0 };
    text_pad(&b, "日本語", 4);
    CHECK(!strcmp(buf_str(&b), "日… "));
    buf_clear(&b);
    text_pad(&b, "ab", 4);
    CHECK(!strcmp(buf_str(&b), "ab  "));
    buf_fini(&b);
}

static void lines_break_at_spaces(void)
{
    struct buf b = { 0 };

    text_wrap(&b, "the quick brown fox", 4, 2, 14);
    CHECK(!strcmp(buf_str(&b), "the quick \n  brown fox"));
    buf_clear(&b);

    /* a word wider than the line is cut, and nothing of it lost */
    text_wrap(&b, "abcdefghijklmnopqrstuvwxyz", 0, 2, 12);
    CHECK(strstr(buf_str(&b), "\n") != NULL);
    size_t letters = 0;
    for (const char *p = buf_str(&b); *p; p++)
        letters += *p >= 'a' && *p <= 'z';
    CHECK(letters == 26);
    buf_fini(&b);
}

static void a_buf_has_a_limit(void)
{
    struct buf b = { 0 };
    buf_fill(&b, 'x', BUF_MAX);
    CHECK(b.bad && b.len == 0);
    buf_puts(&b, "more");
    CHECK(!strcmp(buf_str(&b), ""));
    buf_fini(&b);
}

TEST_MAIN({ "nothing_reaches_the_terminal_raw", nothing_reaches_the_terminal_raw },
          { "line_breaks_are_kept_or_not", line_breaks_are_kept_or_not },
          { "columns_are_what_a_terminal_uses", columns_are_what_a_terminal_uses },
          { "too_long_is_cut", too_long_is_cut },
          { "padding_reaches_the_width", padding_reaches_the_width },
          { "lines_break_at_spaces", lines_break_at_spaces },
          { "a_buf_has_a_limit", a_buf_has_a_limit })
