/* Multicast DNS: what is written is read, what others write does no harm. */
#include <string.h>

#include "base/err.h"
#include "test.h"
#include "wire/mdns.h"

#define SERVICE "_roost-send._tcp"

static void a_question_is_heard(void)
{
    uint8_t bytes[MDNS_MESSAGE_MAX];
    uint16_t id = 0;
    size_t len = mdns_put_question(bytes, 4711, SERVICE);

    /* as dig writes it */
    static const uint8_t want[] =
        "\x12\x67\0\0\0\1\0\0\0\0\0\0\x0b_roost-send\4_tcp\5local\0\0\x0c\0\1";
    CHECK(len == sizeof want - 1 && !memcmp(bytes, want, len));
    CHECK(mdns_is_question(bytes, len, SERVICE, &id) && id == 4711);
    CHECK(!mdns_is_question(bytes, len, "_roost._tcp", &id));
    bytes[13] = '_', bytes[14] = 'R'; /* names have no case */
    CHECK(mdns_is_question(bytes, len, SERVICE, &id));
    for (size_t cut = 0; cut < len; cut++)
        CHECK(!mdns_is_question(bytes, cut, SERVICE, &id));
    bytes[2] = 0x84;
    CHECK(!mdns_is_question(bytes, len, SERVICE, &id));
}

static const struct mdns_answer ANSWER = { .id = 7,
                                           .port = 40000,
                                           .name = "Ann's B\xc3\xbc"
                                                   "cher. 2",
                                           .text = { 1, 2, 0xff },
                                           .has_text = true };

static void an_answer_is_read(void)
{
    uint8_t bytes[MDNS_MESSAGE_MAX];
    struct mdns_answer a;
    size_t len = mdns_put_answer(bytes, &ANSWER, SERVICE);

    CHECK(len > 0 && mdns_read_answer(bytes, len, SERVICE, &a) == 0);
    CHECK(a.id == 7 && a.port == 40000 && !strcmp(a.name, ANSWER.name));
    CHECK(a.has_text && !memcmp(a.text, ANSWER.text, 16));
    CHECK(mdns_read_answer(bytes, len, "_other._tcp", &a) == -ROOST_MALFORMED);
    for (size_t cut = 0; cut < len; cut++)
        CHECK(mdns_read_answer(bytes, cut, SERVICE, &a) == -ROOST_MALFORMED);
}

static void compressed_names_are_read_and_end(void)
{
    /* SRV whose name points to the question's behind a label of its own */
    static const uint8_t good[] =
        "\0\1\x84\0\0\1\0\1\0\0\0\0\x0b_roost-send\4_tcp\5local\0\0\x0c\0\1"
        "\3Ann\xc0\x0c\0\x21\0\1\0\0\0\x0a\0\x08\0\0\0\0\x12\x34\xc0\x0c";
    struct mdns_answer a;
    uint8_t loop[sizeof good - 1];

    CHECK(mdns_read_answer(good, sizeof good - 1, SERVICE, &a) == 0);
    CHECK(a.port == 0x1234 && !strcmp(a.name, "Ann") && !a.has_text);
    for (unsigned to = 0; to < sizeof loop; to++) { /* each pointer there is */
        memcpy(loop, good, sizeof loop);
        loop[44] = (uint8_t)to;
        mdns_read_answer(loop, sizeof loop, SERVICE, &a);
    }
    static const uint8_t self[] = "\0\1\x84\0\0\1\0\0\0\0\0\0\xc0\x0c\0\x0c\0\1";
    CHECK(mdns_read_answer(self, sizeof self - 1, SERVICE, &a) == -ROOST_MALFORMED);
}

static void names_do_nothing_to_a_terminal(void)
{
    struct mdns_answer a = ANSWER, got;
    uint8_t bytes[MDNS_MESSAGE_MAX];

    strcpy(a.name, "red\033[31m");
    size_t len = mdns_put_answer(bytes, &a, SERVICE);
    CHECK(mdns_read_answer(bytes, len, SERVICE, &got) == -ROOST_MALFORMED);
    strcpy(a.name, "half\xc3");
    len = mdns_put_answer(bytes, &a, SERVICE);
    CHECK(mdns_read_answer(bytes, len, SERVICE, &got) == -ROOST_MALFORMED);
    memset(a.name, 'x', MDNS_NAME_MAX);
    a.name[MDNS_NAME_MAX] = 0;
    len = mdns_put_answer(bytes, &a, SERVICE);
    CHECK(len > 0 && mdns_read_answer(bytes, len, SERVICE, &got) == 0);
    CHECK(!strcmp(got.name, a.name));
}

TEST_MAIN({ "a_question_is_heard", a_question_is_heard },
          { "an_answer_is_read", an_answer_is_read },
          { "compressed_names_are_read_and_end", compressed_names_are_read_and_end },
          { "names_do_nothing_to_a_terminal", names_do_nothing_to_a_terminal })
