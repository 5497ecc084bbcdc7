#include "base/calc.h"

#include <string.h>

#include "base/err.h"
#include "test.h"

static bool gives(const char *expression, const char *result)
{
    char text[CALC_RESULT_BYTES];

    return calc(expression, text) == 0 && strcmp(text, result) == 0;
}

static int refusal(const char *expression)
{
    char text[CALC_RESULT_BYTES];

    return calc(expression, text);
}

static void the_five_operators(void)
{
    CHECK(gives("7 % 3", "1"));
    CHECK(gives("2+3", "5") && gives(" 2 - 3 ", "-1") && gives("6*7", "42"));
    CHECK(gives("7/2", "3 remainder 1") && gives("8 / 2", "4") && gives("0/5", "0"));
    CHECK(gives("007 + 1", "8") && gives("-0 + 0", "0"));
    CHECK(gives("99999999999999999999 + 1", "100000000000000000000"));
}

static void signs_are_as_in_c(void)
{
    CHECK(gives("-7 / 2", "-3 remainder -1") && gives("7 / -2", "-3 remainder 1"));
    CHECK(gives("-7 / -2", "3 remainder -1"));
    CHECK(gives("-7 % 3", "-1") && gives("7 % -3", "1"));
    CHECK(gives("1 / 2", "0 remainder 1"));
    CHECK(gives("5--3", "8") && gives("5+-3", "2") && gives("+5 - +3", "2"));
}

static void junk_is_refused(void)
{
    static const char *const junk[] = {
        "",        "7",       "7 +",      "+ 7",          "7 ^ 2",
        "a + 1",   "1 + 2x",  "1.5 + 2",  "1 2 + 3",      "1 + 2 + 3",
        "- 1 + 2", "--1 + 2", "0x10 + 1", "1 + \xd9\xa1", "1e3 + 1"
    };

    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++)
        CHECK(refusal(junk[i]) == -ROOST_BAD_NUMBER);
    CHECK(refusal("1 / 0") == -ROOST_DIVISION_BY_ZERO);
    CHECK(refusal("1 % -0") == -ROOST_DIVISION_BY_ZERO);
}

static void a_thousand_digits_and_no_more(void)
{
    char text[2100], result[CALC_RESULT_BYTES];

    /* 10^1000 - 1, squared, has 2000 digits: 999 nines, 8, 999 zeros, 1 */
    memset(text, '9', 1000);
    text[1000] = '*';
    memset(text + 1001, '9', 1000);
    text[2001] = '\0';
    CHECK(calc(text, result) == 0 && strlen(result) == 2000);
    CHECK(result[998] == '9' && result[999] == '8' && result[1000] == '0' && result[1999] == '1');

    /* the longest result of a division */
    memset(text, '9', 1000);
    memcpy(text + 1000, "/-8", 4);
    text[0] = '-';
    CHECK(calc(text, result) == 0 && strstr(result, " remainder -"));

    memset(text, '1', 1001);
    memcpy(text + 1001, "+1", 3);
    CHECK(refusal(text) == -ROOST_NUMBER_TOO_LONG);
    memset(text, '0', 1001); /* leading zeros are digits too */
    CHECK(refusal(text) == -ROOST_NUMBER_TOO_LONG);
    CHECK(gives("-5 % 7", "-5"));
}

TEST_MAIN({ "the_five_operators", the_five_operators }, { "signs_are_as_in_c", signs_are_as_in_c },
          { "junk_is_refused", junk_is_refused },
          { "a_thousand_digits_and_no_more", a_thousand_digits_and_no_more })
