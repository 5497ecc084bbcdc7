#include "keyhall.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

void hall_init(struct hall *h)
{
    *h = (struct hall){ .now_us = 1000 * MS };
    h->letters = malloc(ON_THE_WAY_MAX * sizeof *h->letters);
    CHECK(h->letters);
}

void hall_fini(struct hall *h)
{
    for (int i = 0; i <= PEOPLE_MAX; i++)
        keyring_free(h->k[i]);
    free(h->letters);
}

struct keyring *device(uint32_t number, uint8_t life)
{
    uint8_t seed[32] = { 1, (uint8_t)number }, random[32] = { life, (uint8_t)number };
    struct keyring_settings s = { MEETING, number, seed, random, NULL };
    struct keyring *k = NULL;

    CHECK(keyring_new(&k, &s) == 0);
    return k;
}

void come(struct hall *h, uint32_t number)
{
    keyring_free(h->k[number]);
    h->k[number] = device(number, (uint8_t)(2 + h->epoch));
    h->in[number] = true;
    h->frame[number] = 0;
}

size_t list_of(const struct hall *h, struct roster_member ret[static PEOPLE_MAX])
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
void tell(struct hall *h)
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

void turn(struct hall *h, int64_t for_us)
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

struct sealed say(struct hall *h, uint32_t who)
{
    struct sealed s = { .m = { .stream = who, .codec = MEDIA_OPUS, .key = true, .last = true } };

    s.m.frame = h->frame[who]++;
    s.m.timestamp = (uint32_t)s.m.frame * 960;
    s.m.len = FRAME;
    memset(s.bytes, (int)who, FRAME);
    CHECK(keyring_seal(h->k[who], &s.m, s.bytes, FRAME, s.tag) == 0);
    return s;
}

int hear(struct hall *h, uint32_t who, uint32_t from, const struct sealed *s)
{
    uint8_t bytes[FRAME];

    memcpy(bytes, s->bytes, FRAME);
    int err = keyring_open(h->k[who], h->now_us, from, &s->m, bytes, FRAME, s->tag);
    if (!err)
        CHECK(bytes[0] == from && bytes[FRAME - 1] == from);
    return err;
}

/* Whether an event of this kind came; all others are forgotten. */
bool told(struct keyring *k, enum keyring_what what)
{
    struct keyring_event e;
    bool found = false;

    while (keyring_event(k, &e))
        found |= e.what == what;
    return found;
}

void three(struct hall *h)
{
    hall_init(h);
    for (uint32_t i = 1; i <= 3; i++)
        come(h, i);
    tell(h);
    CHECK(keyring_speak(h->k[1], h->now_us) == 0);
    CHECK(keyring_speak(h->k[2], h->now_us) == 0);
    turn(h, 0);
}
