/* test_keyring_cheat.c - keys of a meeting, and what a hub that cheats gets. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "keyhall.h"
#include "test.h"

static void nothing_about_a_frame_can_be_changed(void)
{
    struct hall h;

    three(&h);
    const struct sealed s = say(&h, 1);
    struct sealed x;
#define CHANGED(change)                                                                            \
    x = s;                                                                                         \
    change;                                                                                        \
    CHECK(hear(&h, 3, 1, &x) == -ROOST_MALFORMED)
    CHANGED(x.m.frame++);
    CHANGED(x.m.stream++);
    CHANGED(x.m.encoding++);
    CHANGED(x.m.temporal++);
    CHANGED(x.m.timestamp++);
    CHANGED(x.m.codec++);
    CHANGED(x.m.key = false);
    CHANGED(x.m.silence = true);
    CHANGED(x.m.key_id++);
    CHANGED((x.m.n_depends = 1, x.m.depends[0] = 1));
    CHANGED(x.bytes[3]++);
    CHANGED(x.tag[3]++);
    struct sealed other = say(&h, 2);
    CHECK(hear(&h, 3, 2, &s) == -ROOST_MALFORMED); /* in another's name */
    CHECK(hear(&h, 3, 1, &other) == -ROOST_MALFORMED);
    CHECK(hear(&h, 3, 1, &s) == 0);
    CHECK(hear(&h, 3, 1, &s) == -ROOST_ALREADY); /* once more */
    hall_fini(&h);
}

static void frames_are_taken_once(void)
{
    struct hall h;
    enum { N = 1100 };
    struct sealed *s = malloc(N * sizeof *s);

    CHECK(s);
    three(&h);
    s[0] = say(&h, 1);
    long before = test_allocations();
    for (int i = 1; i < N; i++)
        s[i] = say(&h, 1);
    CHECK(test_allocations() == before); /* nor does a frame take memory */
    CHECK(hear(&h, 3, 1, &s[N - 1]) == 0);
    before = test_allocations();
    CHECK(hear(&h, 3, 1, &s[N - 1024]) == 0); /* the oldest that is known */
    CHECK(hear(&h, 3, 1, &s[N - 1024]) == -ROOST_ALREADY);
    CHECK(hear(&h, 3, 1, &s[N - 1025]) == -ROOST_ALREADY);
    for (int i = N - 1023; i < N - 1; i++)
        CHECK(hear(&h, 3, 1, &s[i]) == 0);
    for (int i = 0; i < N; i++)
        CHECK(hear(&h, 3, 1, &s[i]) == -ROOST_ALREADY);
    CHECK(test_allocations() == before);
    hall_fini(&h);
    free(s);
}

static void different_lists_are_noticed(void)
{
    struct hall h;
    struct roster_member list[PEOPLE_MAX];

    three(&h);
    size_t n = list_of(&h, list);
    /* two of them are shown somebody more */
    struct keyring *spy = device(9, 1);
    list[n].number = 9;
    memcpy(list[n].identity, keyring_identity(spy), ROSTER_IDENTITY);
    CHECK(keyring_on_roster(h.k[1], h.now_us, 2, list, n + 1) == 0);
    list[n].identity[0] ^= 1;
    CHECK(keyring_on_roster(h.k[2], h.now_us, 2, list, n + 1) == 0);
    CHECK(keyring_on_roster(h.k[3], h.now_us, 2, list, n) == 0);
    come(&h, 4); /* and then somebody really comes: keys are told */
    h.epoch = 2;
    CHECK(keyring_speak(h.k[3], h.now_us) == 0);
    turn(&h, 0);
    CHECK(told(h.k[1], KEYRING_DIFFERS) && told(h.k[2], KEYRING_DIFFERS));
    struct sealed s = say(&h, 3);
    CHECK(hear(&h, 1, 3, &s) == KEYRING_UNKNOWN); /* its key was not taken */
    keyring_free(spy);
    hall_fini(&h);
}

static void the_hub_does_not_go_back(void)
{
    struct hall h;
    struct roster_member list[PEOPLE_MAX];

    three(&h);
    size_t n = list_of(&h, list);
    h.in[2] = false;
    tell(&h);
    turn(&h, 0);
    CHECK(keyring_on_roster(h.k[1], h.now_us, 1, list, n) == -ROOST_UNTRUSTED);
    CHECK(told(h.k[1], KEYRING_WENT_BACK));
    CHECK(keyring_on_roster(h.k[1], h.now_us, 2, list, n) == -ROOST_UNTRUSTED); /* another of 2 */
    CHECK(told(h.k[1], KEYRING_WENT_BACK));
    n = list_of(&h, list);
    CHECK(keyring_on_roster(h.k[1], h.now_us, 2, list, n) == 0); /* the same once more */
    CHECK(!told(h.k[1], KEYRING_WENT_BACK));
    /* lists that are none */
    CHECK(keyring_on_roster(h.k[1], h.now_us, 3, list, 0) == -ROOST_INVALID);
    CHECK(keyring_on_roster(h.k[1], h.now_us, 3, list + 1, n - 1) == -ROOST_INVALID);
    list[1] = list[0];
    CHECK(keyring_on_roster(h.k[1], h.now_us, 3, list, n) == -ROOST_INVALID);
    hall_fini(&h);
}

static void messages_are_signed_sealed_and_new(void)
{
    struct hall h;
    struct letter key = { 0 }, x;

    three(&h);
    CHECK(keyring_speak(h.k[3], h.now_us) == 0);
    while ((x.len = keyring_next(h.k[3], &x.to, x.bytes)))
        if (x.to == 1)
            key = x;
    CHECK(key.len == 233);
    for (size_t i = 1; i < key.len; i++) {
        x = key;
        x.bytes[i] ^= 4;
        if ((i >= 9 && i < 13) || (i >= 109 && i < 113))
            continue; /* of a later epoch: below; of none */
        CHECK(keyring_on_message(h.k[1], h.now_us, 3, x.bytes, x.len) == -ROOST_UNTRUSTED);
        CHECK(told(h.k[1], KEYRING_FORGED));
    }
    for (size_t len = 1; len < key.len; len++)
        CHECK(keyring_on_message(h.k[1], h.now_us, 3, key.bytes, len) == -ROOST_MALFORMED ||
              len < 13);
    CHECK(keyring_on_message(h.k[1], h.now_us, 2, key.bytes, key.len) == -ROOST_UNTRUSTED);
    CHECK(keyring_on_message(h.k[2], h.now_us, 3, key.bytes, key.len) == -ROOST_UNTRUSTED);
    CHECK(keyring_on_message(h.k[1], h.now_us, 9, key.bytes, key.len) == -ROOST_NOT_IN_MEETING);
    CHECK(keyring_on_message(h.k[1], h.now_us, 3, key.bytes, key.len) == 0);
    CHECK(keyring_on_message(h.k[1], h.now_us, 3, key.bytes, key.len) == -ROOST_ALREADY);
    /* held until that epoch comes, then it is what it was: forged */
    told(h.k[1], KEYRING_FORGED);
    key.bytes[12] = 2;
    CHECK(keyring_on_message(h.k[1], h.now_us, 3, key.bytes, key.len) == 0);
    for (int i = 1; i < KEYRING_EARLY_MAX; i++)
        keyring_on_message(h.k[1], h.now_us, 3, key.bytes, key.len);
    CHECK(keyring_on_message(h.k[1], h.now_us, 3, key.bytes, key.len) == -ROOST_LIMIT);
    tell(&h);
    CHECK(told(h.k[1], KEYRING_FORGED));
    hall_fini(&h);
}

/* A key from before somebody left is taken from nobody afterwards. */
static void an_old_key_is_not_taken(void)
{
    struct hall h;
    struct letter key = { 0 }, x;

    three(&h);
    CHECK(keyring_speak(h.k[3], h.now_us) == 0);
    while ((x.len = keyring_next(h.k[3], &x.to, x.bytes)))
        if (x.to == 1)
            key = x;
    h.in[2] = false;
    tell(&h);
    CHECK(keyring_on_message(h.k[1], h.now_us, 3, key.bytes, key.len) == -ROOST_ALREADY);
    turn(&h, 0); /* the one that it makes of itself is */
    struct sealed s = say(&h, 3);
    CHECK(hear(&h, 1, 3, &s) == 0);
    hall_fini(&h);
}

/* A device begins anew in its place: its old HELLO does not come back. */
static void a_device_that_begins_anew_is_heard_again(void)
{
    struct hall h;
    struct letter old = { 0 }, x;

    hall_init(&h);
    for (uint32_t i = 1; i <= 2; i++)
        come(&h, i);
    tell(&h);
    while ((x.len = keyring_next(h.k[2], &x.to, x.bytes)))
        old = x;
    CHECK(old.len == 141 && keyring_on_message(h.k[1], h.now_us, 2, old.bytes, old.len) == 0);
    CHECK(keyring_speak(h.k[1], h.now_us) == 0);
    turn(&h, 0);
    struct roster_member list[PEOPLE_MAX];
    for (uint8_t life = 100; life < 104; life++) {
        keyring_free(h.k[2]);
        h.k[2] = device(2, life);
        CHECK(keyring_on_roster(h.k[2], h.now_us, h.epoch, list, list_of(&h, list)) == 0);
        CHECK(keyring_speak(h.k[2], h.now_us) == 0);
        turn(&h, 0);
        h.frame[2] = 0;
        struct sealed a = say(&h, 1), b = say(&h, 2);
        CHECK(hear(&h, 2, 1, &a) == 0 && hear(&h, 1, 2, &b) == 0);
        CHECK(keyring_on_message(h.k[1], h.now_us, 2, old.bytes, old.len) == -ROOST_ALREADY);
    }
    hall_fini(&h);
}

TEST_MAIN({ "nothing_about_a_frame_can_be_changed", nothing_about_a_frame_can_be_changed },
          { "frames_are_taken_once", frames_are_taken_once },
          { "different_lists_are_noticed", different_lists_are_noticed },
          { "the_hub_does_not_go_back", the_hub_does_not_go_back },
          { "messages_are_signed_sealed_and_new", messages_are_signed_sealed_and_new },
          { "an_old_key_is_not_taken", an_old_key_is_not_taken },
          { "a_device_that_begins_anew_is_heard_again", a_device_that_begins_anew_is_heard_again })
