/* The exchange of keys by a word, and what a receiver of bytes takes: whatever comes, nobody
 * agrees who does not know the word, answers are bounded, and memory is. The first byte says
 * which: a listener and its caller, nonsense for a receiver, or a parcel as it should be. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/pair.h"
#include "lab/parcel.h"

/* What goes well in between: both know the word, and agree. */
static void agree(struct pair_listener *l, struct pair_caller *c, int64_t now_us,
                  const struct path_address *at)
{
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER], no[PAIR_NO];
    struct pair_keys keys;

    c->due_us = now_us;
    assert(pair_caller_next(c, now_us, hello) == PAIR_HELLO);
    int n = pair_listener_hear(l, now_us, at, hello, PAIR_HELLO, answer);
    if (n == PAIR_COOKIE) {
        assert(!pair_caller_hear(c, now_us, answer, PAIR_COOKIE, &keys) && c->due_us == now_us);
        assert(pair_caller_next(c, now_us, hello) == PAIR_HELLO);
        n = pair_listener_hear(l, now_us, at, hello, PAIR_HELLO, answer);
    }
    if (n != PAIR_ANSWER)
        return; /* too many tried before */
    assert(pair_caller_hear(c, now_us, answer, PAIR_ANSWER, &keys) == 1);
    const struct pair_keys *there = pair_listener_keys(l, keys.session);
    assert(there && !memcmp(there->secret, keys.secret, PAIR_SECRET));
    assert(pair_no(c, no) == PAIR_NO && pair_is_ours(no, PAIR_NO));
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
    const struct path_address at[2] = { { .ip = { 10, 1, 1, 1 }, .len = 4, .port = 7 },
                                        { .ip = { 10, 1, 1, 2 }, .len = 4, .port = 7 } };

    assert(l && !pair_listen(l, word, seed) && !pair_call(&c, word, seed, now_us));
    assert(pair_caller_next(&c, now_us, hello) == PAIR_HELLO);
    while (len >= 2) {
        size_t n = (size_t)data[0] << 8 | data[1];
        data += 2;
        len -= 2;
        n = n < len ? n : len;
        n = n < sizeof copy ? n : sizeof copy;
        if (!n)
            agree(l, &c, now_us, &at[0]);
        memset(copy, 0, sizeof copy);
        memcpy(copy, data, n);
        size_t given = n && copy[0] == 0x81 ? PAIR_HELLO : n; /* else few would be long enough */
        if (given >= PAIR_MARK && now_us / 100000 % 8)        /* else nearly all would be damaged */
            pair_mark(copy, given);
        int got = pair_listener_hear(l, now_us, &at[n % 2], copy, given, answer);
        assert(got == 0 || got == PAIR_ANSWER || got == PAIR_COOKIE || got == -ROOST_GUESSES);
        /* what comes to the caller is no answer of somebody who knows the word */
        got = pair_caller_hear(&c, now_us, copy, given, &keys);
        assert(got == 0 || got == -ROOST_LOGIN_WRONG);
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

/* --- a parcel ------------------------------------------------------------------------ */

struct carried {
    struct flow *f[2];
    struct parcel_in in;
    struct parcel_out out; /* flow NULL: nonsense is sent instead */
    int err;
};

static void carry(struct carried *c)
{
    uint8_t bytes[PACKET_MTU_MIN];
    int n;

    for (int64_t now_us = 1000000; now_us < 1100000; now_us += 1000) {
        for (int i = 0; i < 2; i++)
            while ((n = flow_next(c->f[i], now_us, bytes, sizeof bytes)) > 0)
                flow_on_datagram(c->f[!i], now_us, bytes, (size_t)n, 0);
        const uint8_t *at;
        size_t there;
        c->err = c->err ? c->err : parcel_in_hear(&c->in, now_us);
        while (!c->err && (at = parcel_peek(&c->in, &there)) && there)
            c->err = parcel_take(&c->in, there, now_us);
        if (!c->err && !c->in.told && parcel_is_whole(&c->in) == 1) {
            assert(c->in.length == c->in.got);
            assert(!parcel_confirm(&c->in));
        }
        assert(!c->err || c->err == -ROOST_MALFORMED);
        if (c->out.flow)
            parcel_out_hear(&c->out, now_us);
    }
}

/* A sender that knows the keys and writes nonsense: to the talk stream, then as bytes. */
static void nonsense(struct carried *c, const uint8_t *data, size_t len)
{
    size_t words = len ? data[0] % 64u : 0;

    data += len > 0;
    len -= len > 0;
    words = words < len ? words : len;
    int64_t talk = flow_open(c->f[0], 0), stream = flow_open(c->f[0], 1);
    flow_write(c->f[0], (uint64_t)talk, data, words);
    flow_write(c->f[0], (uint64_t)stream, data + words, len - words);
    flow_end(c->f[0], (uint64_t)talk);
    flow_end(c->f[0], (uint64_t)stream);
    carry(c);
    assert(c->in.got <= len);
}

/* One as it should be. */
static void sense(struct carried *c, const uint8_t *data, size_t len)
{
    assert(!parcel_send(&c->out, c->f[0], len % 2 ? len : PARCEL_UNKNOWN));
    assert(parcel_put(&c->out, data, len) == (int64_t)len && !parcel_end(&c->out));
    carry(c);
    assert(c->out.done && c->in.got == len && c->in.heard);
    flow_close(c->f[0], PARCEL_DONE, "");
    carry(c);
    assert(c->in.closed && c->in.why == PARCEL_DONE && *parcel_text(c->in.why));
    parcel_out_fini(&c->out);
}

static void parcel(const uint8_t *data, size_t len, bool sound)
{
    static const uint8_t secret[32] = { 3 }, seeds[2][32] = { { 1 }, { 2 } };
    struct carried c = { 0 };

    for (int i = 0; i < 2; i++) {
        struct flow_settings s = {
            .client = i == 0, .session = 1, .secret = secret, .seed = seeds[i]
        };
        assert(!flow_new(&c.f[i], &s, 1000000));
    }
    assert(!parcel_receive(&c.in, c.f[1]));
    if (sound)
        sense(&c, data, len < 20000 ? len : 20000);
    else
        nonsense(&c, data, len);
    parcel_in_fini(&c.in);
    flow_free(c.f[0]);
    flow_free(c.f[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    if (data[0] % 4 < 2)
        exchange(data + 1, len - 1);
    else
        parcel(data + 1, len - 1, data[0] % 4 == 3);
    return 0;
}
