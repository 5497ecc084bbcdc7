/* The exchange of keys by a word, and what a receiver of bytes takes: whatever comes, nobody
 * agrees who does not know the word, answers are bounded, and memory is. The first byte says
 * which: even a listener and its caller, odd a parcel's words. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/pair.h"
#include "lab/parcel.h"

/* What goes well in between: both know the word, and agree. */
static void agree(struct pair_listener *l, struct pair_caller *c, int64_t now_us,
                  const uint8_t hello[static PAIR_HELLO])
{
    uint8_t answer[PAIR_ANSWER], no[PAIR_NO];
    struct pair_keys keys;

    if (pair_listener_hear(l, now_us, hello, PAIR_HELLO, answer) != PAIR_ANSWER)
        return; /* too many tried before */
    assert(pair_caller_hear(c, now_us, answer, PAIR_ANSWER, &keys) == 1);
    const struct pair_keys *there = pair_listener_keys(l, keys.session);
    assert(there && !memcmp(there->secret, keys.secret, PAIR_SECRET));
    assert(pair_no(c, no) == PAIR_NO && pair_is_ours(no, PAIR_NO));
    for (int i = 0; i < (int)(now_us / 100000 % 4); i++)
        pair_listener_forged(l, keys.session);
}

/* Each message: length 2, bytes. They come 100 ms apart, to both sides; an empty one is an
 * exchange as it should be. */
static void exchange(const uint8_t *data, size_t len)
{
    static uint8_t word[WORD_BYTES]; /* stretched once: it is slow on purpose */
    uint8_t seed[32] = { 1 }, hello[PAIR_HELLO], answer[PAIR_ANSWER], copy[PAIR_HELLO + 100];
    struct pair_listener *l = malloc(sizeof *l);
    struct pair_caller c;
    struct pair_keys keys;
    int64_t now_us = 1000000;

    assert(l && !pair_listen(l, word, seed, now_us) && !pair_call(&c, word, seed, now_us));
    assert(pair_caller_next(&c, now_us, hello) == PAIR_HELLO);
    while (len >= 2) {
        size_t n = (size_t)data[0] << 8 | data[1];
        data += 2;
        len -= 2;
        n = n < len ? n : len;
        n = n < sizeof copy ? n : sizeof copy;
        if (!n)
            agree(l, &c, now_us, hello);
        memset(copy, 0, sizeof copy);
        memcpy(copy, data, n);
        size_t given = n && copy[0] == 0x81 ? PAIR_HELLO : n; /* else few would be long enough */
        int got = pair_listener_hear(l, now_us, copy, given, answer);
        assert(got == 0 || got == PAIR_ANSWER || got == -ROOST_GUESSES);
        /* what comes to the caller is no answer of somebody who knows the word */
        got = pair_caller_hear(&c, now_us, copy, n, &keys);
        assert(got == 0 || got == -ROOST_LOGIN_WRONG);
        if (n >= 5 && pair_listener_keys(l, (uint32_t)copy[1] << 24))
            pair_listener_forged(l, (uint32_t)copy[1] << 24);
        assert(l->guesses <= PAIR_GUESSES_MAX + PAIR_WAITING_MAX);
        data += n;
        len -= n;
        now_us += 100000;
        pair_listener_expire(l, now_us);
        assert(pair_listener_deadline_us(l) > now_us);
    }
    pair_listener_fini(l);
    pair_caller_fini(&c);
    free(l);
}

/* A sender that knows the keys and writes nonsense: to the talk stream, then as bytes. */
static void nonsense(const uint8_t *data, size_t len)
{
    static const uint8_t secret[32] = { 3 }, seeds[2][32] = { { 1 }, { 2 } };
    struct flow *f[2];
    struct parcel_in in;
    static const uint8_t key[SUM_KEY] = { 5 };
    uint8_t bytes[PACKET_MTU_MIN];
    int n, err = 0;

    for (int i = 0; i < 2; i++) {
        struct flow_settings s = {
            .client = i == 0, .session = 1, .secret = secret, .seed = seeds[i]
        };
        assert(!flow_new(&f[i], &s, 1000000));
    }
    assert(!parcel_receive(&in, f[1], key));
    size_t words = len ? data[0] % 64u : 0;
    words = words < len ? words : len;
    int64_t talk = flow_open(f[0], 0), stream = flow_open(f[0], 1);
    flow_write(f[0], (uint64_t)talk, data, words);
    flow_write(f[0], (uint64_t)stream, data + words, len - words);
    flow_end(f[0], (uint64_t)talk);
    flow_end(f[0], (uint64_t)stream);
    for (int64_t now_us = 1000000; now_us < 1100000; now_us += 1000) {
        for (int i = 0; i < 2; i++)
            while ((n = flow_next(f[i], now_us, bytes, sizeof bytes)) > 0)
                flow_on_datagram(f[!i], now_us, bytes, (size_t)n, 0);
        const uint8_t *at;
        size_t there;
        err = err ? err : parcel_in_hear(&in, now_us);
        while (!err && (at = parcel_peek(&in, &there)) && there)
            err = parcel_take(&in, there, now_us);
        assert(!err || err == -ROOST_MALFORMED);
        assert(err || parcel_is_whole(&in) <= 0 || in.length == in.got);
    }
    assert(in.got <= len);
    parcel_in_fini(&in);
    flow_free(f[0]);
    flow_free(f[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    if (data[0] % 2 == 0)
        exchange(data + 1, len - 1);
    else
        nonsense(data + 1, len - 1);
    return 0;
}
