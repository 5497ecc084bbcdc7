#include "base/utf8.h"

#include <string.h>

#include "test.h"

static bool valid(const char *s)
{
    return utf8_valid(s, strlen(s));
}

static void good_and_bad(void)
{
    CHECK(valid("") && valid("abc") && valid("gr\xc3\xbc\xc3\x9f") && valid("\xe2\x82\xac"));
    CHECK(valid("\xf0\x9f\x98\x80") && valid("\xf4\x8f\xbf\xbf"));
    CHECK(!valid("\x80") && !valid("\xc3") && !valid("\xc3x"));
    CHECK(!valid("\xc0\xaf"));         /* overlong */
    CHECK(!valid("\xe0\x80\xaf"));     /* overlong */
    CHECK(!valid("\xed\xa0\x80"));     /* surrogate */
    CHECK(!valid("\xf4\x90\x80\x80")); /* above U+10FFFF */
    CHECK(!utf8_valid("a\0b", 3));
}

static void put_and_next_agree(void)
{
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char s[4];
        const char *p = s;
        if (c >= 0xd800 && c < 0xe000)
            continue;
        size_t n = utf8_put(s, c);
        CHECK(utf8_valid(s, n));
        CHECK(utf8_next(&p, s + n) == c && p == s + n);
    }
}

static void controls(void)
{
    CHECK(utf8_is_control(0x1b) && utf8_is_control(0x9b) && utf8_is_control(0x202e));
    CHECK(utf8_is_control('\n') && !utf8_is_control('a') && !utf8_is_control(0xe9));
}

TEST_MAIN({ "good_and_bad", good_and_bad }, { "put_and_next_agree", put_and_next_agree },
          { "controls", controls })
