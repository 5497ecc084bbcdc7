#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/classics/calc_line.h"
#include "lab/classics/crowd.h"
#include "lab/classics/cut.h"
#include "lab/classics/files.h"
#include "lab/classics/ladder.h"
#include "tests/unit/test.h"

/* --- cut ------------------------------------------------------------------------------------- */

static void put(struct cut *c, const char *text, size_t len)
{
    uint8_t *at;

    CHECK(cut_room(c, &at) >= len);
    memcpy(at, text, len);
    cut_put(c, len);
}

static bool next_is(struct cut *c, enum cut_how how, const char *wanted)
{
    const uint8_t *bytes;
    size_t len;

    return cut_next(c, how, &bytes, &len) == 1 && len == strlen(wanted) &&
           !memcmp(bytes, wanted, len);
}

static void lines_are_cut(void)
{
    struct cut *c = calloc(1, sizeof *c);
    const uint8_t *bytes;
    size_t len;

    CHECK(c != NULL);
    put(c, "one\ntwo\r\n\nthr", 13);
    CHECK(next_is(c, CUT_LINES, "one") && next_is(c, CUT_LINES, "two") &&
          next_is(c, CUT_LINES, ""));
    CHECK(cut_next(c, CUT_LINES, &bytes, &len) == 0);
    put(c, "ee\nlast", 7);
    CHECK(next_is(c, CUT_LINES, "three"));
    CHECK(cut_next(c, CUT_LINES, &bytes, &len) == 0);
    CHECK(cut_last(c, CUT_LINES, &bytes, &len) == 1 && len == 4 && !memcmp(bytes, "last", 4));
    CHECK(cut_last(c, CUT_LINES, &bytes, &len) == 0);
    free(c);
}

static void a_line_has_a_limit(void)
{
    struct cut *c = calloc(1, sizeof *c);
    char text[CUT_LINE_MAX + 2];
    const uint8_t *bytes;
    size_t len;

    CHECK(c != NULL);
    memset(text, 'x', sizeof text);
    text[CUT_LINE_MAX] = '\n';
    put(c, text, CUT_LINE_MAX + 1);
    CHECK(cut_next(c, CUT_LINES, &bytes, &len) == 1 && len == CUT_LINE_MAX);
    text[CUT_LINE_MAX] = 'x';
    put(c, text, sizeof text);
    CHECK(cut_next(c, CUT_LINES, &bytes, &len) == -ROOST_TOO_LONG);
    free(c);
}

static void frames_are_cut(void)
{
    struct cut *c = calloc(1, sizeof *c);
    const uint8_t *bytes;
    size_t len;

    CHECK(c != NULL);
    put(c, "\0\3abc\0\1", 7);
    CHECK(next_is(c, CUT_FRAMES, "abc"));
    CHECK(cut_next(c, CUT_FRAMES, &bytes, &len) == 0);
    put(c, "d\0\0", 3);
    CHECK(next_is(c, CUT_FRAMES, "d"));
    CHECK(cut_next(c, CUT_FRAMES, &bytes, &len) == -ROOST_MALFORMED);
    memset(c, 0, sizeof *c);
    put(c, "\x40\1", 2);
    CHECK(cut_next(c, CUT_FRAMES, &bytes, &len) == -ROOST_TOO_LONG);
    memset(c, 0, sizeof *c);
    put(c, "\0\1x", 3);
    CHECK(cut_next(c, CUT_RAW, &bytes, &len) == 1 && len == 3);
    free(c);
}

/* --- ladder ---------------------------------------------------------------------------------- */

static bool draws(bool out, bool lost, const char *what, const char *wanted)
{
    char line[LADDER_BYTES];
    struct ladder_step s = { 12345, out, lost, what, NULL };

    ladder_draw(&s, line);
    return !strcmp(line, wanted);
}

static void arrows_are_drawn(void)
{
    CHECK(draws(true, false, "ACK 3",
                "     0.012 │── ACK 3 ──────────────────────────────────────────────▶│"));
    CHECK(draws(false, false, "ACK 3",
                "     0.012 │◀─ ACK 3 ───────────────────────────────────────────────│"));
    CHECK(draws(true, true, "ACK 3",
                "     0.012 │── ACK 3 ──────────────────✗                            │") ||
          draws(true, true, "ACK 3",
                "     0.012 │── ACK 3 ───────────────────✗                           │"));
}

/* What a peer says must not steer the terminal, nor make the line longer than it is. */
static void a_terminal_is_safe(void)
{
    char line[LADDER_BYTES], what[2000];
    struct ladder_step s = { 0, true, false, "a\033[2Jb\xff\xe2\x80\xae", "who\n" };

    ladder_draw(&s, line);
    CHECK(!strchr(line, '\033') && !strchr(line, '\n') && !strchr(line, '\xff'));
    CHECK(!strstr(line, "\xe2\x80\xae"));
    memset(what, 'x', sizeof what);
    what[sizeof what - 1] = 0;
    for (int way = 0; way < 4; way++) {
        s = (struct ladder_step){ INT64_MAX, way & 1, way & 2, what, what };
        ladder_draw(&s, line);
        CHECK(strlen(line) < LADDER_BYTES);
    }
}

/* --- calc ------------------------------------------------------------------------------------- */

static bool answers(const char *line, const char *wanted)
{
    char answer[CALC_ANSWER_BYTES];

    calc_line((const uint8_t *)line, strlen(line), answer);
    return !strcmp(answer, wanted);
}

static void lines_are_answered(void)
{
    CHECK(answers("7 % 3", "1") && answers("-7 / 2", "-3 remainder -1"));
    CHECK(answers("#12 7 % 3", "#12 1") &&
          answers("#12", "error: this is no calculation of two integers"));
    CHECK(answers("#9 1/0", "#9 error: division by zero has no result"));
    CHECK(answers("", "error: this is no calculation of two integers"));
    CHECK(answers("#123456789012 1+1", "error: this is no calculation of two integers"));
    CHECK(calc_is_error("error: x") && !calc_is_error("-1"));
}

static void a_long_line_is_answered(void)
{
    char line[2 * CALC_LINE_MAX], answer[CALC_ANSWER_BYTES];

    memset(line, '9', sizeof line);
    memcpy(line, "#12345678901 ", 13);
    calc_line((const uint8_t *)line, sizeof line, answer);
    CHECK(strstr(answer, "1000 digits"));
    line[13 + CALC_DIGITS_MAX] = '*';
    calc_line((const uint8_t *)line, 13 + 2 * CALC_DIGITS_MAX + 1, answer);
    CHECK(strlen(answer) > 2 * CALC_DIGITS_MAX - 2 && !calc_is_error(answer));
    calc_line((const uint8_t *)"1+1\0", 4, answer);
    CHECK(calc_is_error(answer));
}

/* --- files ------------------------------------------------------------------------------------ */

static enum files_why reads(const char *line, const char *name)
{
    struct files_request q;
    enum files_why why = files_read_request(&q, (const uint8_t *)line, strlen(line));

    CHECK(why || !strcmp(q.name, name));
    return why;
}

static void requests_are_read(void)
{
    CHECK(!reads("LIST", "") && !reads("LIST a/b", "a/b") && !reads("GET a b.txt", "a b.txt"));
    CHECK(reads("", "") == FILES_REQUEST && reads("GET", "") == FILES_REQUEST);
    CHECK(reads("GET ", "") == FILES_REQUEST && reads("LISTa", "") == FILES_REQUEST);
    CHECK(reads("get a", "") == FILES_REQUEST && reads("LIST ", "") == FILES_REQUEST);
}

static void no_name_leads_out(void)
{
    static const char *const bad[] = { "..",   "../a",      "a/..",  "a/../b",     "/a",   "a//b",
                                       "a/",   "./a",       ".",     "a/.",        "\x01", "\xff",
                                       "a\nb", "a/../../b", "a\x7f", "/etc/passwd" };
    char deep[64] = "";

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!files_name_ok(bad[i]));
    CHECK(files_name_ok("a") && files_name_ok("..a/b..") && files_name_ok("\303\244/..."));
    for (int i = 0; i < FILES_DEPTH_MAX; i++)
        strcat(deep, i ? "/a" : "a");
    CHECK(files_name_ok(deep));
    CHECK(!files_name_ok(strcat(deep, "/a")));
    char name[] = "a/bc/d";
    char *rest = files_step(name);
    CHECK(!strcmp(name, "a") && !strcmp(rest, "bc/d"));
    CHECK(!strcmp(files_step(rest), "d") && !files_step(rest + 3));
}

static void answers_are_read(void)
{
    const char *why;
    uint64_t n = 0;
    size_t len;

    CHECK(!files_read_answer((const uint8_t *)"OK 120", 6, &n, &why, &len) && n == 120);
    CHECK(files_read_answer((const uint8_t *)"NO way", 6, &n, &why, &len) == -ROOST_INVALID);
    CHECK(len == 3 && !memcmp(why, "way", 3));
    static const char *const bad[] = { "",      "OK",    "OK ", "OK x",
                                       "OK -1", "OK 1 ", "NO",  "OK 9999999999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(files_read_answer((const uint8_t *)bad[i], strlen(bad[i]), &n, &why, &len) ==
              -ROOST_MALFORMED);
}

/* --- crowd --------------------------------------------------------------------------------------
 */

static struct crowd_said said; /* large */

static void hear(struct crowd *c, size_t who, const char *line)
{
    crowd_hear(c, who, (const uint8_t *)line, strlen(line), &said);
}

static void lines_go_to_all_others(void)
{
    struct crowd *c = calloc(1, sizeof *c);

    CHECK(c != NULL);
    crowd_came(c, 0, &said);
    CHECK(!strcmp(said.to_one, "* your name?") && !crowd_listens(c, 0));
    hear(c, 0, "ann");
    CHECK(!strcmp(said.to_one, "* welcome, ann; here: nobody else") &&
          !strcmp(said.to_all, "* ann came"));
    crowd_came(c, 7, &said);
    hear(c, 7, "ann");
    CHECK(strstr(said.to_one, "taken") && !*said.to_all && !crowd_listens(c, 7));
    hear(c, 7, "ben");
    CHECK(!strcmp(said.to_one, "* welcome, ben; here: ann") && crowd_listens(c, 7));
    hear(c, 7, "hello");
    CHECK(!strcmp(said.to_all, "ben: hello") && !*said.to_one);
    hear(c, 0, "/who");
    CHECK(!strcmp(said.to_one, "* here: you, ben") && !*said.to_all);
    hear(c, 0, "/bye");
    CHECK(said.bye);
    crowd_goes(c, 0, &said);
    CHECK(!strcmp(said.to_all, "* ann went") && c->named == 1);
    crowd_goes(c, 0, &said);
    CHECK(!*said.to_all);
    free(c);
}

static void what_is_no_text_goes_to_nobody(void)
{
    struct crowd *c = calloc(1, sizeof *c);
    char line[CROWD_TEXT_MAX + 2];
    static const char *const bad[] = {
        "a b", "*", "/me", "a\033", "\xff", "a:", "123456789012345678901234567890123"
    };

    CHECK(c != NULL);
    crowd_came(c, 1, &said);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hear(c, 1, bad[i]);
        CHECK(strstr(said.to_one, "no name") && !*said.to_all);
    }
    hear(c, 1, "ann");
    hear(c, 1, "a\033[2J");
    CHECK(strstr(said.to_one, "no text") && !*said.to_all);
    memset(line, 'x', sizeof line);
    line[CROWD_TEXT_MAX + 1] = 0;
    hear(c, 1, line);
    CHECK(strstr(said.to_one, "no text") && !*said.to_all);
    line[CROWD_TEXT_MAX] = 0;
    hear(c, 1, line);
    CHECK(strlen(said.to_all) == CROWD_TEXT_MAX + 5);
    hear(c, 2, "ghost"); /* nobody came there */
    CHECK(!*said.to_one && !*said.to_all);
    free(c);
}

TEST_MAIN({ "lines_are_cut", lines_are_cut }, { "a_line_has_a_limit", a_line_has_a_limit },
          { "frames_are_cut", frames_are_cut }, { "arrows_are_drawn", arrows_are_drawn },
          { "a_terminal_is_safe", a_terminal_is_safe },
          { "lines_are_answered", lines_are_answered },
          { "a_long_line_is_answered", a_long_line_is_answered },
          { "requests_are_read", requests_are_read }, { "no_name_leads_out", no_name_leads_out },
          { "answers_are_read", answers_are_read },
          { "lines_go_to_all_others", lines_go_to_all_others },
          { "what_is_no_text_goes_to_nobody", what_is_no_text_goes_to_nobody })
