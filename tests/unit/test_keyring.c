/* test_keyring.c - keys of a meeting: who has them when, and what a hub that cheats gets. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/dice.h"
#include "seal/keyring.h"
#include "test.h"

enum { PEOPLE_MAX = 60, ON_THE_WAY_MAX = 20000, MEETING = 77, FRAME = 40 };
#define MS 1000LL

/* --- a meeting with a hub between its devices ------------------------------------------ */

struct letter {
    int64_t due_us;
    uint32_t from, to;
    size_t len;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
};

struct hall {
    struct keyring *k[PEOPLE_MAX + 1]; /* by number, from 1 on */
    bool in[PEOPLE_MAX + 1];
    uint32_t epoch, n_letters, carried;
    int64_t now_us, delay_us;
    struct letter *letters;
    uint64_t frame[PEOPLE_MAX + 1];
};

static void hall_init(struct hall *h)
{
    *h = (struct hall){ .now_us = 1000 * MS };
    h->letters = malloc(ON_THE_WAY_MAX * sizeof *h->letters);
    CHECK(h->letters);
}

static void hall_fini(struct hall *h)
{
    for (int i = 0; i <= PEOPLE_MAX; i++)
        keyring_free(h->k[i]);
    free(h->letters);
}

static struct keyring *device(uint32_t number, uint8_t life)
{
    uint8_t seed[32] = { 1, (uint8_t)number }, random[32] = { life, (uint8_t)number };
    struct keyring_settings s = { MEETING, number, seed, random, NULL };
    struct keyring *k = NULL;

    CHECK(keyring_new(&k, &s) == 0);
    return k;
}

static void come(struct hall *h, uint32_t number)
{
    keyring_free(h->k[number]);
    h->k[number] = device(number, (uint8_t)(2 + h->epoch));
    h->in[number] = true;
    h->frame[number] = 0;
}

static size_t list_of(const struct hall *h, struct roster_member ret[static PEOPLE_MAX])
{
    size_t n = 0;

    for (uint32_t i = 1; i <= PEOPLE_MAX; i++)
        if (h->in[i]) {
            ret[n].number = i;
            memcpy(ret[n++].identity, keyring_identity(h->k[i]), ROSTER_IDENTITY);
        }
    return n;
}

/* Everybody who is in hears who is in. */
static void tell(struct hall *h)
{
    struct roster_member list[PEOPLE_MAX];
    size_t n = list_of(h, list);

    h->epoch++;
    for (uint32_t i = 1; i <= PEOPLE_MAX; i++)
        if (h->in[i])
            CHECK(keyring_on_roster(h->k[i], h->now_us, h->epoch, list, n) == 0);
}

static void collect(struct hall *h)
{
    for (uint32_t i = 1; i <= PEOPLE_MAX; i++) {
        struct letter x;
        while (h->k[i] && (x.len = keyring_next(h->k[i], &x.to, x.bytes))) {
            CHECK(x.len <= KEYRING_MESSAGE_MAX && h->n_letters < ON_THE_WAY_MAX);
            x.from = i;
            x.due_us = h->now_us + h->delay_us;
            if (h->in[i])
                h->letters[h->n_letters++] = x;
        }
    }
}

/* In order, as connections of control are. */
static void deliver(struct hall *h)
{
    uint32_t due = 0;

    while (due < h->n_letters && h->letters[due].due_us <= h->now_us) {
        struct letter *x = &h->letters[due++];
        h->carried++;
        if (h->in[x->to] && h->in[x->from])
            keyring_on_message(h->k[x->to], h->now_us, x->from, x->bytes, x->len);
    }
    h->n_letters -= due;
    memmove(h->letters, h->letters + due, h->n_letters * sizeof *h->letters);
}

static void turn(struct hall *h, int64_t for_us)
{
    h->now_us += for_us;
    for (uint32_t before = UINT32_MAX; before != h->carried;) {
        before = h->carried;
        collect(h);
        deliver(h);
    }
    for (uint32_t i = 1; i <= PEOPLE_MAX; i++)
        if (h->in[i])
            keyring_expire(h->k[i], h->now_us);
}

struct sealed {
    struct media m;
    uint8_t bytes[FRAME], tag[KEYRING_TAG];
};

static struct sealed say(struct hall *h, uint32_t who)
{
    struct sealed s = { .m = { .stream = who, .codec = MEDIA_OPUS, .key = true, .last = true } };

    s.m.frame = h->frame[who]++;
    s.m.timestamp = (uint32_t)s.m.frame * 960;
    s.m.len = FRAME;
    memset(s.bytes, (int)who, FRAME);
    CHECK(keyring_seal(h->k[who], &s.m, s.bytes, FRAME, s.tag) == 0);
    return s;
}

static int hear(struct hall *h, uint32_t who, uint32_t from, const struct sealed *s)
{
    uint8_t bytes[FRAME];

    memcpy(bytes, s->bytes, FRAME);
    int err = keyring_open(h->k[who], h->now_us, from, &s->m, bytes, FRAME, s->tag);
    if (!err)
        CHECK(bytes[0] == from && bytes[FRAME - 1] == from);
    return err;
}

/* Whether an event of this kind came; all others are forgotten. */
static bool told(struct keyring *k, enum keyring_what what)
{
    struct keyring_event e;
    bool found = false;

    while (keyring_event(k, &e))
        found |= e.what == what;
    return found;
}

static void three(struct hall *h)
{
    hall_init(h);
    for (uint32_t i = 1; i <= 3; i++)
        come(h, i);
    tell(h);
    CHECK(keyring_speak(h->k[1], h->now_us) == 0);
    CHECK(keyring_speak(h->k[2], h->now_us) == 0);
    turn(h, 0);
}

/* --- who has keys ---------------------------------------------------------------------------- */

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
    CHECK(hear(&h, 3, 1, &again) == 0 && hear(&h, 3, 1, &old) == -ROOST_MALFORMED);
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

/* --- a hub that cheats -------------------------------------------------------------------------
 */

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

/* --- what people compare ------------------------------------------------------------------------
 */

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
          { "nothing_about_a_frame_can_be_changed", nothing_about_a_frame_can_be_changed },
          { "frames_are_taken_once", frames_are_taken_once },
          { "different_lists_are_noticed", different_lists_are_noticed },
          { "the_hub_does_not_go_back", the_hub_does_not_go_back },
          { "messages_are_signed_sealed_and_new", messages_are_signed_sealed_and_new },
          { "an_old_key_is_not_taken", an_old_key_is_not_taken },
          { "a_device_that_begins_anew_is_heard_again", a_device_that_begins_anew_is_heard_again },
          { "the_hubs_key_is_for_all_and_says_so", the_hubs_key_is_for_all_and_says_so },
          { "parts_have_marks", parts_have_marks },
          { "the_code_is_of_names_and_identities", the_code_is_of_names_and_identities })
