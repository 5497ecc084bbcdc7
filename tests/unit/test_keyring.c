/* test_keyring.c - keys of a meeting: who has them when, and what people compare. */
#include <string.h>

#include "base/err.h"
#include "keyhall.h"
#include "lab/dice.h"
#include "test.h"

static void three_hear_each_other(void)
{
    struct hall h;

    three(&h);
    for (int i = 0; i < 3; i++) {
        struct sealed a = say(&h, 1), b = say(&h, 2);
        CHECK(hear(&h, 2, 1, &a) == 0 && hear(&h, 3, 1, &a) == 0);
        CHECK(hear(&h, 1, 2, &b) == 0 && hear(&h, 3, 2, &b) == 0);
    }
    /* who only listens has made no key: all say HELLO and answer; two keys to two, their GOTs */
    CHECK(keyring_key_id(h.k[3]) == 0 && h.carried == 12 + 4 + 4);
    CHECK(told(h.k[3], KEYRING_HAS_KEY) && !told(h.k[3], KEYRING_DIFFERS));
    CHECK(keyring_is_end_to_end(h.k[1]));
    /* a frame's number does not come twice */
    struct sealed s = say(&h, 1);
    CHECK(keyring_seal(h.k[1], &s.m, s.bytes, FRAME, s.tag) == -ROOST_INVALID);
    hall_fini(&h);
}

static void a_key_that_is_not_there_yet_is_awaited(void)
{
    struct hall h;

    three(&h);
    h.delay_us = 50 * MS;
    CHECK(keyring_speak(h.k[3], h.now_us) == 0);
    struct sealed s = say(&h, 3);
    CHECK(hear(&h, 1, 3, &s) == KEYRING_UNKNOWN);
    turn(&h, 0);
    turn(&h, 50 * MS);
    CHECK(hear(&h, 1, 3, &s) == 0);
    hall_fini(&h);
}

/* The key goes on by a step, which costs those who were there no message. */
static void who_joins_hears_from_then_on(void)
{
    struct hall h;

    three(&h);
    struct sealed before = say(&h, 1), lost = say(&h, 1);
    uint32_t id = keyring_key_id(h.k[1]);
    come(&h, 4);
    tell(&h);
    struct sealed after = say(&h, 1);
    CHECK(keyring_key_id(h.k[1]) == id + 1 && hear(&h, 2, 1, &after) == 0);
    CHECK(hear(&h, 2, 1, &before) == 0); /* late, but from before */
    uint32_t carried = h.carried;
    turn(&h, 0);
    /* HELLOs with three both ways, two keys and two GOTs */
    CHECK(h.carried - carried == 6 + 2 + 2);
    CHECK(hear(&h, 4, 1, &after) == 0 && hear(&h, 4, 1, &before) == -ROOST_MALFORMED);
    struct sealed late = say(&h, 1);
    turn(&h, 2001 * MS);
    CHECK(hear(&h, 2, 1, &late) == 0 && hear(&h, 2, 1, &lost) == -ROOST_MALFORMED);
    hall_fini(&h);
}

static void who_leaves_hears_no_more(void)
{
    struct hall h;

    three(&h);
    struct sealed of_gone = say(&h, 2), old = say(&h, 1);
    uint32_t id = keyring_key_id(h.k[1]);
    h.in[2] = false;
    tell(&h);
    CHECK(hear(&h, 1, 2, &of_gone) == -ROOST_NOT_IN_MEETING);
    turn(&h, 0); /* told, and confirmed by all: used without waiting */
    CHECK(keyring_key_id(h.k[1]) / 256 == id / 256 + 1);
    struct sealed now = say(&h, 1);
    CHECK(hear(&h, 3, 1, &now) == 0 && hear(&h, 2, 1, &now) != 0);
    CHECK(hear(&h, 3, 1, &old) == 0); /* late */
    struct sealed again = say(&h, 1);
    turn(&h, 2001 * MS);
    CHECK(hear(&h, 3, 1, &again) == 0 && hear(&h, 3, 1, &old) == -ROOST_ALREADY);
    hall_fini(&h);
}

/* Who does not confirm holds nobody up, nor does who leaves later. */
static void a_second_is_enough(void)
{
    struct hall h;

    three(&h);
    come(&h, 4);
    come(&h, 5);
    tell(&h);
    turn(&h, 0);
    uint32_t generation = keyring_key_id(h.k[1]) / 256;
    h.delay_us = 5000 * MS; /* control hangs */
    h.in[2] = false;
    tell(&h);
    turn(&h, 600 * MS);
    CHECK(keyring_key_id(h.k[1]) / 256 == generation);
    h.in[4] = false;
    tell(&h);
    turn(&h, 399 * MS);
    CHECK(keyring_key_id(h.k[1]) / 256 == generation);
    turn(&h, 1 * MS);
    CHECK(keyring_key_id(h.k[1]) / 256 == generation + 2);
    hall_fini(&h);
}

/* Fifty times somebody leaves and somebody comes, while frames go on every 20 ms, 10 to 60 ms under
 * way, and messages take 40: not one does not open. 50 people, then the letters are counted. */
static void fifty_rotations_lose_no_frame(void)
{
    enum { IN = 8, RING = 8 };
    struct sealed ring[RING];
    struct hall h;
    struct dice d = { 7 };
    uint32_t opened = 0, next = IN + 1;

    hall_init(&h);
    for (uint32_t i = 1; i <= IN; i++)
        come(&h, i);
    h.delay_us = 40 * MS;
    tell(&h);
    CHECK(keyring_speak(h.k[1], h.now_us) == 0);
    for (int i = 0; i < 10; i++)
        turn(&h, 20 * MS);
    for (uint32_t n = 0, changes = 0; changes < (test_starves() ? 1 : 50); n++) {
        ring[n % RING] = say(&h, 1);
        uint32_t late = 1 + (uint32_t)dice_below(&d, 3);
        for (uint32_t i = 2; n >= late && i < IN; i++) { /* those who stay */
            int got = hear(&h, i, 1, &ring[(n - late) % RING]);
            CHECK(got == 0 || got == -ROOST_ALREADY);
            opened += !got;
        }
        if (n % 7 == 3) {
            uint32_t gone = changes == 0 ? IN : next - 1;
            h.in[gone] = false;
            next = next > 50 ? IN + 1 : next;
            come(&h, next++);
            tell(&h);
            changes++;
        }
        turn(&h, 20 * MS);
    }
    CHECK(opened > 1000);
    CHECK(keyring_key_id(h.k[1]) / 256 > 40);
    hall_fini(&h);
}

static void a_new_key_reaches_fifty(void)
{
    struct hall h;

    if (test_starves()) /* many and alike */
        return;

    hall_init(&h);
    for (uint32_t i = 1; i <= 50; i++)
        come(&h, i);
    tell(&h);
    for (uint32_t i = 1; i <= 4; i++)
        CHECK(keyring_speak(h.k[i], h.now_us) == 0);
    turn(&h, 0);
    CHECK(h.carried == 2 * 50 * 49 + 4 * 49 * 2);
    h.in[50] = false;
    uint32_t carried = h.carried;
    tell(&h);
    turn(&h, 0);
    CHECK(h.carried - carried == 4 * 48 * 2); /* no more than keys and confirmations */
    struct sealed s = say(&h, 4);
    for (uint32_t i = 1; i < 50; i++)
        CHECK(i == 4 || hear(&h, i, 4, &s) == 0);
    CHECK(hear(&h, 50, 4, &s) != 0);
    hall_fini(&h);
}

static void the_hubs_key_is_for_all_and_says_so(void)
{
    struct hall h;
    uint8_t seed[32] = { 1 }, hub[32] = { 5 };
    struct roster_member list[PEOPLE_MAX];

    hall_init(&h);
    for (uint32_t i = 1; i <= 2; i++) {
        seed[1] = (uint8_t)i;
        struct keyring_settings s = { MEETING, i, seed, seed, hub };
        CHECK(keyring_new(&h.k[i], &s) == 0 && !keyring_is_end_to_end(h.k[i]));
        h.in[i] = true;
    }
    tell(&h);
    CHECK(keyring_speak(h.k[1], h.now_us) == 0 && keyring_speak(h.k[2], h.now_us) == 0);
    turn(&h, 0);
    CHECK(h.carried == 0);
    struct sealed a = say(&h, 1), b = say(&h, 2);
    CHECK(hear(&h, 2, 1, &a) == 0 && hear(&h, 1, 2, &b) == 0);
    CHECK(hear(&h, 2, 1, &a) == -ROOST_ALREADY);
    /* one that expects keys of its own takes none of the hub's */
    struct keyring *strict = device(3, 1);
    h.k[3] = strict;
    h.in[3] = true;
    size_t n = list_of(&h, list);
    CHECK(keyring_on_roster(strict, h.now_us, 2, list, n) == 0);
    CHECK(hear(&h, 3, 1, &a) == KEYRING_UNKNOWN);
    hall_fini(&h);
}

static void parts_have_marks(void)
{
    struct hall h;
    uint8_t mark[MEDIA_MARK], again[MEDIA_MARK], part[100] = { 3 };

    three(&h);
    struct sealed s = say(&h, 1);
    s.m.part = 4;
    CHECK(keyring_mark(h.k[1], h.now_us, 1, &s.m, part, sizeof part, mark) == 0);
    CHECK(keyring_mark(h.k[3], h.now_us, 1, &s.m, part, sizeof part, again) == 0);
    CHECK(memcmp(mark, again, MEDIA_MARK) == 0); /* before the frame opened, and after */
    CHECK(hear(&h, 3, 1, &s) == 0);
    CHECK(keyring_mark(h.k[3], h.now_us, 1, &s.m, part, sizeof part, again) == 0);
    CHECK(memcmp(mark, again, MEDIA_MARK) == 0);
    part[99] = 1;
    CHECK(keyring_mark(h.k[3], h.now_us, 1, &s.m, part, sizeof part, again) == 0);
    CHECK(memcmp(mark, again, MEDIA_MARK) != 0);
    part[99] = 0;
    s.m.part = 5;
    CHECK(keyring_mark(h.k[3], h.now_us, 1, &s.m, part, sizeof part, again) == 0);
    CHECK(memcmp(mark, again, MEDIA_MARK) != 0);
    hall_fini(&h);
}

/* --- what people compare --- */

static void the_code_is_of_names_and_identities(void)
{
    struct roster_named a[] = { { "ann", { 1 } }, { "bea", { 2 } } },
                        b[] = { { "bea", { 2 } }, { "ann", { 1 } } },
                        c[] = { { "ann", { 1 } }, { "bea", { 3 } } };
    char code[3][ROSTER_CODE_MAX];

    if (test_starves()) /* takes its time */
        return;

    CHECK(roster_code(7, a, 2, code[0]) == 0);
    CHECK(roster_code(7, b, 2, code[1]) == 0);
    CHECK(roster_code(7, c, 2, code[2]) == 0);
    CHECK(strcmp(code[0], code[1]) == 0 && strcmp(code[0], code[2]) != 0);
    CHECK(strcmp(code[0], "attract steak express teapot suffer dioxide gecko spoon") == 0);
}

TEST_MAIN({ "three_hear_each_other", three_hear_each_other },
          { "a_key_that_is_not_there_yet_is_awaited", a_key_that_is_not_there_yet_is_awaited },
          { "who_joins_hears_from_then_on", who_joins_hears_from_then_on },
          { "who_leaves_hears_no_more", who_leaves_hears_no_more },
          { "a_second_is_enough", a_second_is_enough },
          { "fifty_rotations_lose_no_frame", fifty_rotations_lose_no_frame },
          { "a_new_key_reaches_fifty", a_new_key_reaches_fifty },
          { "the_hubs_key_is_for_all_and_says_so", the_hubs_key_is_for_all_and_says_so },
          { "parts_have_marks", parts_have_marks },
          { "the_code_is_of_names_and_identities", the_code_is_of_names_and_identities })
