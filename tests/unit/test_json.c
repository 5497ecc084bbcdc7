#include "cli/json.h"
#include "cli/msgid.h"
#include "test.h"

#include <string.h>

static void one_object_a_line(void)
{
    struct buf b = { 0 };
    struct json j;

    json_begin(&j, &b);
    json_str(&j, "event", "message");
    json_id(&j, "id", 12, 345);
    json_u64(&j, "seq", 345);
    json_bool(&j, "deleted", false);
    json_time(&j, "at", INT64_C(1772634620500));
    json_time(&j, "until", 0);
    json_open(&j, "reactions", '[');
    json_open(&j, NULL, '{');
    json_str(&j, "emoji", "👍");
    json_close(&j, '}');
    json_close(&j, ']');
    json_fixed(&j, "ms", 1.5);
    json_end(&j);
    CHECK(!strcmp(buf_str(&b),
                  "{\"event\": \"message\", \"id\": \"12:345\", \"seq\": 345, \"deleted\": false, "
                  "\"at\": \"2026-03-04T14:30:20.500Z\", \"until\": null, "
                  "\"reactions\": [{\"emoji\": \"👍\"}], \"ms\": 1.500}\n"));
    buf_fini(&b);
}

static bool escapes(const char *s, const char *want)
{
    struct buf b = { 0 };
    struct json j;

    json_begin(&j, &b);
    json_open(&j, "x", '[');
    json_str(&j, NULL, s);
    buf_putc(&b, '\n');
    bool same = b.len > 7 && !strncmp(buf_str(&b) + 7, want, strlen(want)) &&
                buf_str(&b)[7 + strlen(want)] == '\n';
    buf_fini(&b);
    return same;
}

static void strings_hold_anything(void)
{
    CHECK(escapes("a\"b\\c", "\"a\\\"b\\\\c\""));
    CHECK(escapes("\n\t\r\033", "\"\\n\\t\\u000d\\u001b\""));
    CHECK(escapes("\xff", "\"\xef\xbf\xbd\""));               /* not UTF-8 */
    CHECK(escapes("\xe2\x80\xae", "\"\\u202e\""));            /* an override of direction */
    CHECK(escapes("\xf3\xa0\x80\x81", "\"\\udb40\\udc01\"")); /* U+E0001 in two halves */
}

static void ids_are_two_numbers(void)
{
    uint64_t room = 0, seq = 0;
    struct buf b = { 0 };

    CHECK(!msgid_parse("12:345", &room, &seq) && room == 12 && seq == 345);
    CHECK(!msgid_parse("18446744073709551615:1", &room, &seq) && room == UINT64_MAX);
    msgid_put(&b, room, 7);
    CHECK(!strcmp(buf_str(&b), "18446744073709551615:7"));
    buf_fini(&b);

    static const char *const wrong[] = {
        "",     "12",   ":",    "12:",   ":3",   "0:1", "1:0",
        "01:2", "1:2 ", " 1:2", "1:2:3", "-1:2", "x:1", "18446744073709551616:1"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(msgid_parse(wrong[i], &room, &seq) < 0 && room == UINT64_MAX);
}

TEST_MAIN({ "one_object_a_line", one_object_a_line },
          { "strings_hold_anything", strings_hold_anything },
          { "ids_are_two_numbers", ids_are_two_numbers })
