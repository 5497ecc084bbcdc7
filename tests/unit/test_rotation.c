/* test_rotation.c - somebody leaves a large meeting: how soon all who are left use keys that the
 * one who left does not know. Messages are carried as the hub does: lists within 250 ms, so many
 * messages of a device at once and a second, and 50 ms from one to another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/media.h"
#include "seal/keyring.h"
#include "test.h"

#define MS      1000LL
#define WAY_US  (50 * MS)
#define LIST_US (250 * MS)
/* Forty thousand signatures are made and looked at. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEAR 1
#else
#define DEAR 0
#endif

enum { MANY = 200, MEETING = 5, ON_THE_WAY = 1 << 16 };

struct letter {
    int64_t due_us;
    uint32_t from, to;
    size_t len;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
};

struct crowd {
    uint32_t n, speakers, epoch;
    struct keyring *k[MANY];
    bool in[MANY];
    int64_t now_us, free_us[MANY]; /* until when a device's bucket is filled up to */
    struct letter *letters;        /* a ring */
    uint32_t first, last;
};

static struct keyring *device(uint32_t number)
{
    uint8_t seed[32] = { 7, (uint8_t)number }, random[32] = { 9, (uint8_t)number };
    struct keyring_settings s = { MEETING, number, seed, random, NULL };
    struct keyring *k = NULL;

    CHECK(keyring_new(&k, &s) == 0);
    return k;
}

/* Everybody hears who is in. Numbers begin with 1. */
static void tell(struct crowd *c)
{
    struct roster_member list[MANY] = { 0 };
    size_t n = 0;

    for (uint32_t i = 0; i < c->n; i++)
        if (c->in[i]) {
            list[n].number = i + 1;
            memcpy(list[n++].identity, keyring_identity(c->k[i]), ROSTER_IDENTITY);
        }
    c->epoch++;
    for (uint32_t i = 0; i < c->n; i++)
        if (c->in[i])
            CHECK(keyring_on_roster(c->k[i], c->now_us, c->epoch, list, n) == 0);
}

/* When the hub takes it: a bucket has room for MEDIA_KEYS_BURST. */
static int64_t taken_us(struct crowd *c, uint32_t who)
{
    int64_t each = 1000000 / MEDIA_KEYS_SECOND, full = each * MEDIA_KEYS_BURST;

    if (c->free_us[who] < c->now_us)
        c->free_us[who] = c->now_us;
    c->free_us[who] += each;
    int64_t late = c->free_us[who] - c->now_us - full;
    return c->now_us + (late > 0 ? late : 0);
}

static void carry(struct crowd *c)
{
    for (uint32_t i = 0; i < c->n; i++) {
        uint8_t bytes[KEYRING_MESSAGE_MAX];
        uint32_t to;
        for (size_t len; c->in[i] && (len = keyring_next(c->k[i], &to, bytes));) {
            struct letter *x = &c->letters[c->last++ % ON_THE_WAY];
            CHECK(c->last - c->first <= ON_THE_WAY);
            *x = (struct letter){ .due_us = taken_us(c, i) + WAY_US, .from = i, .to = to - 1 };
            x->len = len;
            memcpy(x->bytes, bytes, len);
        }
    }
    for (; c->first != c->last && c->letters[c->first % ON_THE_WAY].due_us <= c->now_us;
         c->first++) {
        const struct letter *x = &c->letters[c->first % ON_THE_WAY];
        if (c->in[x->from] && c->in[x->to])
            keyring_on_message(c->k[x->to], c->now_us, x->from + 1, x->bytes, x->len);
    }
}

static void run(struct crowd *c, int64_t for_us)
{
    for (int64_t end_us = c->now_us + for_us; c->now_us < end_us; c->now_us += 5 * MS) {
        carry(c);
        for (uint32_t i = 0; i < c->n; i++)
            if (c->in[i])
                keyring_expire(c->k[i], c->now_us);
    }
}

static uint32_t generation(const struct crowd *c, uint32_t who)
{
    return keyring_key_id(c->k[who]) / 256;
}

static void begin(struct crowd *c, uint32_t n, uint32_t speakers)
{
    *c = (struct crowd){ .n = n, .speakers = speakers, .now_us = MS };
    c->letters = malloc(ON_THE_WAY * sizeof *c->letters);
    CHECK(c->letters);
    for (uint32_t i = 0; i < n; i++) {
        c->k[i] = device(i + 1);
        c->in[i] = true;
    }
    tell(c);
    for (uint32_t i = 0; i < speakers; i++)
        CHECK(keyring_speak(c->k[i], c->now_us) == 0);
    run(c, 3000 * MS);
}

/* So long after somebody has left all who speak use a new key. */
static int64_t renewed_us(struct crowd *c, uint32_t leaves)
{
    uint32_t before[MANY];
    int64_t left_us = c->now_us;
    bool all = false;

    for (uint32_t i = 0; i < c->speakers; i++)
        before[i] = generation(c, i);
    c->in[leaves] = false;
    c->now_us += LIST_US;
    tell(c);
    while (!all && c->now_us < left_us + 10000 * MS) {
        run(c, 5 * MS);
        all = true;
        for (uint32_t i = 0; i < c->speakers; i++)
            all &= generation(c, i) > before[i];
    }
    CHECK(all);
    return c->now_us - left_us;
}

static void end(struct crowd *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        keyring_free(c->k[i]);
    free(c->letters);
}

static void leaves(uint32_t n, uint32_t speakers, int64_t most_us)
{
    struct crowd c;

    begin(&c, n, speakers);
    int64_t one_us = renewed_us(&c, n - 1), two_us = renewed_us(&c, n - 2);
    printf("  %u people, %u speak: new keys after %lld and %lld ms\n", n, speakers,
           (long long)(one_us / MS), (long long)(two_us / MS));
    CHECK(one_us <= most_us && two_us <= most_us);
    end(&c);
}

static void within_a_second_at_fifty(void)
{
    leaves(test_starves() ? 4 : 50, test_starves() ? 2 : 10, 1000 * MS);
}

static void within_three_at_two_hundred(void)
{
    if (!test_starves())
        leaves(DEAR ? 100 : 200, 10, 3000 * MS);
}

TEST_MAIN({ "within_a_second_at_fifty", within_a_second_at_fifty },
          { "within_three_at_two_hundred", within_three_at_two_hundred })
