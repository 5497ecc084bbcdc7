/* Messages of a meeting's keys, and frames, from a hub and members who keep no rules, into a live
 * keyring: nothing breaks, nothing grows past its bounds, and no frame opens twice. The input is a
 * list of steps. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "seal/keyring_inside.h"

enum { PEOPLE = 4, KEPT = 8, STEPS_MAX = 300, FRAME = 24 };

struct fight {
    const uint8_t *p;
    size_t left;
    int64_t now_us;
    uint32_t epoch;
    struct keyring *k[PEOPLE]; /* the first is looked at; the others' messages are bent */
    struct {
        uint32_t from, to;
        size_t len;
        uint8_t bytes[KEYRING_MESSAGE_MAX];
    } kept[KEPT];
    uint32_t n_kept;
    struct {
        struct media m;
        uint32_t from;
        bool opened;
        uint8_t bytes[FRAME], tag[KEYRING_TAG];
    } frames[KEPT];
    uint32_t n_frames;
    uint64_t frame;
};

static uint32_t next(struct fight *x)
{
    if (!x->left)
        return 0;
    x->left--;
    return *x->p++;
}

static struct keyring *device(uint32_t number, uint8_t life)
{
    uint8_t seed[32] = { 1, (uint8_t)number }, random[32] = { life, (uint8_t)number };
    struct keyring_settings s = { 7, number, seed, random, NULL };
    struct keyring *k = NULL;

    return keyring_new(&k, &s) ? NULL : k;
}

static void roster(struct fight *x)
{
    struct roster_member list[PEOPLE];
    uint32_t who = next(x), back = next(x) % 8 == 0, to = next(x);
    size_t n = 0;

    for (uint32_t i = 0; i < PEOPLE; i++)
        if (!i || who >> i & 1) {
            list[n].number = i + 1;
            memcpy(list[n++].identity, keyring_identity(x->k[i]), ROSTER_IDENTITY);
        }
    x->epoch += !back;
    for (uint32_t i = 0; i < PEOPLE; i++)
        if (!(to >> i & 1))
            keyring_on_roster(x->k[i], x->now_us, x->epoch - (back ? who % 3 : 0), list, n);
}

static void collect(struct fight *x)
{
    uint32_t to;
    uint8_t bytes[KEYRING_MESSAGE_MAX];

    for (uint32_t i = 0; i < PEOPLE; i++)
        for (size_t n; (n = keyring_next(x->k[i], &to, bytes));) {
            uint32_t at = x->n_kept++ % KEPT;
            assert(n <= KEYRING_MESSAGE_MAX && to && to <= PEOPLE && to != i + 1);
            x->kept[at].from = i + 1;
            x->kept[at].to = to;
            x->kept[at].len = n;
            memcpy(x->kept[at].bytes, bytes, n);
            if (next(x) % 4) /* most arrive */
                keyring_on_message(x->k[to - 1], x->now_us, i + 1, bytes, n);
        }
}

static void bend(struct fight *x)
{
    uint32_t at = next(x) % KEPT, who = next(x) % (PEOPLE + 1), where = next(x), what = next(x);

    if (at >= x->n_kept)
        return;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
    memcpy(bytes, x->kept[at].bytes, x->kept[at].len);
    bytes[where % x->kept[at].len] ^= (uint8_t)what;
    keyring_on_message(x->k[0], x->now_us, who, bytes, x->kept[at].len - (what % 16 == 3));
}

static void nonsense(struct fight *x)
{
    size_t len = next(x);

    len = len < x->left ? len : x->left;
    keyring_on_message(x->k[0], x->now_us, 1 + next(x) % PEOPLE, x->p,
                       len < x->left ? len : x->left);
}

static void seal(struct fight *x)
{
    uint32_t at = x->n_frames++ % KEPT, who = next(x) % PEOPLE;
    struct media m = { .stream = next(x) % 40,
                       .encoding = next(x) % 4,
                       .codec = 1,
                       .frame = x->frame++,
                       .last = true };

    memset(&x->frames[at], 0, sizeof x->frames[at]);
    keyring_speak(x->k[who], x->now_us);
    if (keyring_seal(x->k[who], &m, x->frames[at].bytes, FRAME, x->frames[at].tag))
        m.key_id = 0;
    x->frames[at].m = m;
    x->frames[at].from = who + 1;
}

static void open(struct fight *x)
{
    uint32_t at = next(x) % KEPT, change = next(x);
    uint8_t bytes[FRAME];

    if (at >= x->n_frames)
        return;
    struct media m = x->frames[at].m;
    memcpy(bytes, x->frames[at].bytes, FRAME);
    if (change % 16 == 1)
        m.key_id += next(x);
    if (change % 16 == 2)
        m.stream = next(x);
    if (change % 16 == 3)
        bytes[0] ^= 1;
    bool whole = change % 16 == 0 || change % 16 > 3;
    int got = keyring_open(x->k[0], x->now_us, x->frames[at].from, &m, bytes, FRAME,
                           x->frames[at].tag);
    if (got)
        return;
    assert(whole || !memcmp(&m, &x->frames[at].m, sizeof m));
    assert(!x->frames[at].opened && m.key_id && x->frames[at].from != 1);
    x->frames[at].opened = true;
}

static void look(const struct keyring *k)
{
    assert(k->n_early <= KEYRING_EARLY_MAX && k->n_members < PEOPLE && k->n_events <= EVENTS_MAX);
    for (size_t i = 0; i < k->n_members; i++) {
        const struct member *m = k->members[i];
        uint32_t n = 0;
        for (const struct stream_key *s = m->streams; s; s = s->after)
            n++;
        assert(n == m->n_streams && n <= KEYRING_STREAMS_MAX);
        assert(m->n_replaced <= KEYRING_RESTARTS_MAX);
    }
}

static void restart(struct fight *x)
{
    uint32_t who = 1 + next(x) % (PEOPLE - 1);
    struct keyring *k = device(who + 1, (uint8_t)next(x));

    if (!k)
        return;
    keyring_free(x->k[who]);
    x->k[who] = k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const steps[])(struct fight *) = { roster,   collect, collect, bend, bend,
                                                     nonsense, seal,    seal,    open, open };
    static struct fight x;
    bool made = true;

    memset(&x, 0, sizeof x);
    x.p = data;
    x.left = len;
    for (uint32_t i = 0; i < PEOPLE; i++)
        made &= (x.k[i] = device(i + 1, 1)) != NULL;
    for (int i = 0; made && x.left && i < STEPS_MAX; i++) {
        uint32_t what = next(&x) % 12;
        if (what < 10)
            steps[what](&x);
        else if (what == 10)
            x.now_us += (int64_t)next(&x) << next(&x) % 16;
        else
            restart(&x);
        keyring_expire(x.k[0], x.now_us);
        look(x.k[0]);
    }
    for (uint32_t i = 0; i < PEOPLE; i++)
        keyring_free(x.k[i]);
    return 0;
}
