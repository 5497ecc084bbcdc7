#include <string.h>

#include "base/err.h"
#include "lab/classics/talk.h"
#include "lab/dice.h"
#include "tests/unit/test.h"

/* Two, and a way between them that loses so many of a million. Virtual time. */
struct story {
    struct talk side[2]; /* 0 waits, 1 calls */
    int64_t now_us;
    struct dice dice;
    uint32_t loss_ppm;
    unsigned heard[2], goodbyes[2];
    char last[2][TALK_TEXT_MAX + 1];
};

static struct story s; /* large */

static void begin(bool udp, uint32_t loss_ppm)
{
    memset(&s, 0, sizeof s);
    s.now_us = 1000000;
    s.dice.state = 3;
    s.loss_ppm = loss_ppm;
    talk_init(&s.side[0], udp, false, 0);
    talk_init(&s.side[1], udp, true, 9);
    talk_connected(&s.side[0]);
    talk_connected(&s.side[1]);
}

static void hear(int to, const uint8_t *bytes, size_t len)
{
    const char *text;
    size_t n;
    enum talk_news news = talk_hear(&s.side[to], bytes, len, &text, &n);

    s.goodbyes[to] += news == TALK_GOODBYE;
    if (news != TALK_TEXT)
        return;
    s.heard[to]++;
    memcpy(s.last[to], text, n);
    s.last[to][n] = 0;
}

static void run(int64_t for_us)
{
    uint8_t out[TALK_OUT_MAX];
    size_t n;

    for (int64_t until_us = s.now_us + for_us; s.now_us < until_us; s.now_us += 10000)
        for (int from = 0; from < 2; from++)
            while ((n = talk_next(&s.side[from], s.now_us, out)))
                if (!dice_ppm(&s.dice, s.loss_ppm))
                    hear(!from, out, n);
}

static int say(int who, const char *text)
{
    return talk_say(&s.side[who], text, strlen(text));
}

static void each_waits_for_the_reply(void)
{
    for (int udp = 0; udp < 2; udp++) {
        begin(udp, 0);
        run(100000);
        CHECK(!say(1, "one") && say(1, "two") == -ROOST_BUSY);
        run(2000000);
        CHECK(s.heard[0] == 1 && !strcmp(s.last[0], "one"));
        CHECK(say(1, "two") == -ROOST_BUSY); /* it came, but that is not the reply */
        CHECK(!say(0, "yes?"));
        run(100000);
        CHECK(!strcmp(s.last[1], "yes?") && !say(1, "two"));
        run(100000);
        CHECK(!strcmp(s.last[0], "two") && s.heard[0] == 2);
    }
}

/* Both begin: each other's message is the reply. */
static void at_once_is_fine(void)
{
    begin(true, 0);
    run(100000);
    CHECK(!say(0, "a") && !say(1, "b"));
    run(100000);
    CHECK(!strcmp(s.last[1], "a") && !strcmp(s.last[0], "b"));
    CHECK(!say(0, "c") && !say(1, "d"));
}

static void what_is_lost_goes_again(void)
{
    begin(true, 300000);
    run(3000000);
    for (int i = 0; i < 20; i++) {
        CHECK(!say(i & 1, i & 1 ? "ping" : "pong"));
        run(20000000);
        CHECK(s.heard[0] + s.heard[1] == (unsigned)i + 1); /* once, not twice */
    }
}

static void goodbye_is_answered(void)
{
    for (int way = 0; way < 4; way++) {
        begin(way & 1, way == 1 ? 300000 : 0);
        run(20000000);
        talk_bye(&s.side[way >> 1]);
        run(20000000);
        CHECK(s.side[0].state == TALK_OVER && s.side[1].state == TALK_OVER);
        CHECK(s.goodbyes[!(way >> 1)] == 1 && s.goodbyes[way >> 1] == 0);
        CHECK(say(0, "x") == -ROOST_BUSY);
    }
    /* at once: both are over, nobody goes on for ever */
    begin(true, 0);
    run(1000000);
    talk_bye(&s.side[0]);
    talk_bye(&s.side[1]);
    run(1000000);
    CHECK(s.side[0].state == TALK_OVER && s.side[1].state == TALK_OVER);
    uint8_t out[TALK_OUT_MAX];
    CHECK(!talk_next(&s.side[0], s.now_us, out) && !talk_next(&s.side[1], s.now_us, out));
}

static void messages_have_a_limit(void)
{
    static char text[TALK_TEXT_MAX + 2];
    size_t n = 0;

    begin(true, 0);
    run(100000);
    for (int i = 0; i < TALK_CHARACTERS_MAX; i++)
        n += (size_t)(memcpy(text + n, "\360\237\230\200", 4) ? 4 : 0);
    CHECK(!talk_say(&s.side[1], text, n));
    run(100000);
    CHECK(strlen(s.last[0]) == 4000);
    memcpy(text + n, "x", 2);
    CHECK(!say(0, "y"));
    run(100000);
    CHECK(say(1, text) == -ROOST_TOO_LONG);
    CHECK(say(1, "") == -ROOST_BAD_TEXT && say(1, "a\033b") == -ROOST_BAD_TEXT);
    CHECK(say(1, "\xff") == -ROOST_BAD_TEXT);
    begin(false, 0);
    memset(text, 'x', sizeof text);
    CHECK(talk_say(&s.side[1], text, TALK_TEXT_MAX + 1) == -ROOST_TOO_LONG);
    CHECK(!talk_say(&s.side[1], text, TALK_TEXT_MAX));
}

static void who_is_silent_is_lost(void)
{
    begin(true, 0);
    run(100000);
    s.loss_ppm = 1000000;
    CHECK(!say(1, "there?"));
    run(60000000);
    CHECK(s.side[1].state == TALK_LOST && s.side[0].state == TALK_TALKS);
    begin(true, 1000000);
    run(60000000);
    CHECK(s.side[1].state == TALK_LOST && s.side[0].state == TALK_WAITS);
}

static void two_talk_and_nobody_else(void)
{
    struct talk third;
    uint8_t out[TALK_OUT_MAX], back[TALK_OUT_MAX];
    const char *text;
    size_t n;

    begin(true, 0);
    run(100000);
    talk_init(&third, true, true, 10);
    size_t len = talk_next(&third, s.now_us, out);
    CHECK(len && talk_hear(&s.side[0], out, len, &text, &n) == TALK_NOTHING);
    len = talk_next(&s.side[0], s.now_us, back);
    CHECK(len && talk_hear(&third, back, len, &text, &n) == TALK_BUSY && third.state == TALK_LOST);
    CHECK(s.side[0].session == 9 && s.side[0].state == TALK_TALKS);
}

TEST_MAIN({ "each_waits_for_the_reply", each_waits_for_the_reply },
          { "at_once_is_fine", at_once_is_fine },
          { "what_is_lost_goes_again", what_is_lost_goes_again },
          { "goodbye_is_answered", goodbye_is_answered },
          { "messages_have_a_limit", messages_have_a_limit },
          { "who_is_silent_is_lost", who_is_silent_is_lost },
          { "two_talk_and_nobody_else", two_talk_and_nobody_else })
