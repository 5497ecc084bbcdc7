/* test_pair.c - two programs that know one word, over links that lose, in virtual time. */
#include <string.h>

#include "base/err.h"
#include "lab/pair.h"
#include "test.h"

#define SECOND 1000000LL

struct story {
    struct pair_caller caller;
    struct pair_listener listener;
    struct pair_keys keys;
    int64_t now_us;
    uint32_t lost_there, lost_back; /* a bit for each datagram: it does not arrive */
    uint32_t there, back;           /* datagrams so far */
    struct path_address at;         /* the caller's */
};

static struct path_address address(uint32_t n)
{
    return (struct path_address){ .ip = { 127, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n },
                                  .len = 4,
                                  .port = 5000 };
}

static void begin(struct story *s, const char *of_caller, const char *of_listener, uint8_t seed)
{
    uint8_t word[2][WORD_BYTES], seeds[2][32];

    *s = (struct story){ .now_us = 5 * SECOND, .at = address(1) };
    memset(seeds, seed, sizeof seeds);
    seeds[1][0] ^= 1;
    CHECK(word_stretch(word[0], of_caller) == 0 && word_stretch(word[1], of_listener) == 0);
    CHECK(pair_call(&s->caller, word[0], seeds[0], s->now_us) == 0);
    CHECK(pair_listen(&s->listener, word[1], seeds[1]) == 0);
}

static void end(struct story *s)
{
    pair_caller_fini(&s->caller);
    pair_listener_fini(&s->listener);
}

static bool arrives(uint32_t lost, uint32_t *n)
{
    uint32_t i = (*n)++;

    return !(lost >> (i < 31 ? i : 31) & 1); /* the last bit stands for all that follow */
}

/* Until they agree or do not, for at most so long; each way takes 20 ms. */
static int run(struct story *s, int64_t for_us)
{
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER];
    int64_t end_us = s->now_us + for_us;

    for (; s->now_us < end_us; s->now_us = s->caller.due_us) {
        CHECK(pair_caller_next(&s->caller, s->now_us, hello) == PAIR_HELLO);
        CHECK(pair_caller_next(&s->caller, s->now_us, hello) == 0); /* not twice */
        CHECK(pair_is_ours(hello, PAIR_HELLO));
        if (!arrives(s->lost_there, &s->there))
            continue;
        int n = pair_listener_hear(&s->listener, s->now_us + 20000, &s->at, hello, PAIR_HELLO,
                                   answer);
        if (n < 0)
            return n;
        if (!n || !arrives(s->lost_back, &s->back))
            continue;
        CHECK(n < PAIR_HELLO && pair_is_ours(answer, (size_t)n));
        int got = pair_caller_hear(&s->caller, s->now_us + 40000, answer, (size_t)n, &s->keys);
        if (got)
            return got;
    }
    return 0;
}

static void one_round_trip(void)
{
    struct story s;

    begin(&s, "maple", "maple", 1);
    CHECK(run(&s, SECOND) == 1);
    CHECK(s.keys.rtt_us == 40000);
    const struct pair_keys *k = pair_listener_keys(&s.listener, s.keys.session);
    CHECK(k && !memcmp(k->secret, s.keys.secret, PAIR_SECRET));
    CHECK(!pair_listener_keys(&s.listener, s.keys.session + 1));
    end(&s);
}

static void losses_are_made_up_for(void)
{
    struct story s;

    begin(&s, "maple", "maple", 1);
    s.lost_there = 1;
    s.lost_back = 2 | 1;
    CHECK(run(&s, 10 * SECOND) == 1);
    CHECK(s.there == 4 && s.back == 3 && s.keys.rtt_us == 0);
    /* after 250 ms, 500 ms, 1 s */
    CHECK(s.now_us == 5 * SECOND + 1750000);
    /* all of it was one exchange */
    const struct pair_keys *k = pair_listener_keys(&s.listener, s.keys.session);
    CHECK(k && !memcmp(k->secret, s.keys.secret, PAIR_SECRET) && !s.listener.guesses);
    end(&s);
    /* and nobody is asked for ever faster than every 2 s */
    begin(&s, "maple", "maple", 1);
    s.lost_there = UINT32_MAX;
    CHECK(run(&s, 60 * SECOND) == 0 && s.there < 40 && s.there > 25);
    end(&s);
}

static void no_two_runs_share_a_key(void)
{
    struct pair_keys keys[3];

    for (uint8_t i = 0; i < 3; i++) {
        struct story s;
        begin(&s, "maple", "maple", i);
        CHECK(run(&s, SECOND) == 1);
        keys[i] = s.keys;
        /* a second caller of the same listener */
        struct pair_caller again;
        uint8_t seed[32] = { 99 }, hello[PAIR_HELLO], answer[PAIR_ANSWER];
        struct pair_keys other;
        CHECK(pair_call(&again, s.caller.word, seed, s.now_us) == 0);
        pair_caller_next(&again, s.now_us, hello);
        CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, hello, PAIR_HELLO, answer) ==
              PAIR_ANSWER);
        CHECK(pair_caller_hear(&again, s.now_us, answer, PAIR_ANSWER, &other) == 1);
        CHECK(memcmp(other.secret, s.keys.secret, PAIR_SECRET) != 0);
        CHECK(other.session != s.keys.session);
        end(&s);
    }
    for (int i = 0; i < 3; i++)
        CHECK(memcmp(keys[i].secret, keys[(i + 1) % 3].secret, PAIR_SECRET) != 0);
}

static void another_word(void)
{
    struct story s;
    uint8_t no[PAIR_NO], answer[PAIR_ANSWER];

    begin(&s, "maple", "apple", 1);
    CHECK(run(&s, SECOND) == -ROOST_LOGIN_WRONG);
    CHECK(pair_no(&s.caller, no) == PAIR_NO && pair_is_ours(no, PAIR_NO));
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, no, PAIR_NO, answer) == 0);
    CHECK(s.listener.guesses == 1 && s.listener.wrong == 1);
    /* said twice, it is one guess */
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, no, PAIR_NO, answer) == 0);
    CHECK(s.listener.guesses == 1);
    end(&s);
}

/* What was changed on the way, or comes from another run, helps nobody. */
static void what_is_forged(void)
{
    struct story s;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER], copy[PAIR_ANSWER];
    struct pair_keys keys;

    begin(&s, "maple", "maple", 1);
    pair_caller_next(&s.caller, s.now_us, hello);
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, hello, PAIR_HELLO, answer) ==
          PAIR_ANSWER);
    for (int at = 0; at < PAIR_ANSWER; at++) {
        memcpy(copy, answer, sizeof copy);
        copy[at] ^= 1;
        int got = pair_caller_hear(&s.caller, s.now_us, copy, PAIR_ANSWER, &keys);
        CHECK(got == 0); /* damaged: it may come again, whole */
        pair_mark(copy, PAIR_ANSWER);
        got = pair_caller_hear(&s.caller, s.now_us, copy, PAIR_ANSWER, &keys);
        CHECK(got == (at >= PAIR_ANSWER - PAIR_MARK ? 1
                      : at < 2 + PAIR_RANDOM        ? 0
                                                    : -ROOST_LOGIN_WRONG));
    }
    for (size_t len = 0; len < PAIR_ANSWER; len++)
        CHECK(pair_caller_hear(&s.caller, s.now_us, answer, len, &keys) == 0);
    for (size_t len = 0; len < PAIR_HELLO; len += 7)
        CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, hello, len, copy) == 0);
    /* a share that would make the secret known */
    hello[2] ^= 1;
    memset(hello + 2 + PAIR_RANDOM, 0, WORD_BYTES);
    pair_mark(hello, PAIR_HELLO);
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, hello, PAIR_HELLO, copy) == 0);
    CHECK(pair_caller_hear(&s.caller, s.now_us, answer, PAIR_ANSWER, &keys) == 1);
    CHECK(pair_listener_keys(&s.listener, keys.session) && !s.listener.guesses);
    end(&s);
}

/* A bit that is flipped, anywhere: it is dropped, and the next HELLO is answered as ever. */
static void what_is_damaged_comes_again(void)
{
    uint8_t hello[PAIR_HELLO], bent[PAIR_HELLO], answer[PAIR_ANSWER], no[PAIR_NO];
    struct pair_keys keys;
    struct story s;

    begin(&s, "maple", "maple", 1);
    CHECK(pair_caller_next(&s.caller, s.now_us, hello) == PAIR_HELLO);
    for (int at = 0; at < PAIR_HELLO; at++) {
        memcpy(bent, hello, sizeof bent);
        bent[at] ^= (uint8_t)(1 << at % 8);
        CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, bent, PAIR_HELLO, answer) == 0);
    }
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, hello, PAIR_HELLO, answer) ==
          PAIR_ANSWER);
    CHECK(pair_no(&s.caller, no) == PAIR_NO);
    no[1 + s.now_us % 30] ^= 4;
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, no, PAIR_NO, bent) == 0);
    CHECK(!s.listener.guesses);
    CHECK(pair_caller_hear(&s.caller, s.now_us, answer, PAIR_ANSWER, &keys) == 1);
    end(&s);
}

/* --- who calls ------------------------------------------------------------------------- */

/* A HELLO from there with this random; what comes back. */
static int hello_from(struct story *s, uint32_t from, uint32_t random, uint8_t hello[PAIR_HELLO],
                      uint8_t answer[PAIR_ANSWER])
{
    struct path_address at = address(from);

    memcpy(hello + 2, &random, sizeof random);
    pair_mark(hello, PAIR_HELLO);
    return pair_listener_hear(&s->listener, s->now_us, &at, hello, PAIR_HELLO, answer);
}

/* The same of somebody who is where he says: a cookie is brought back. */
static int honest_from(struct story *s, uint32_t from, uint32_t random, uint8_t hello[PAIR_HELLO],
                       uint8_t answer[PAIR_ANSWER])
{
    int n = hello_from(s, from, random, hello, answer);

    if (n != PAIR_COOKIE)
        return n;
    memcpy(hello + 66, answer + 34, CALLERS_COOKIE);
    n = hello_from(s, from, random, hello, answer);
    memset(hello + 66, 0, CALLERS_COOKIE);
    return n;
}

static void use_up_unasked(struct story *s, uint8_t hello[PAIR_HELLO])
{
    uint8_t answer[PAIR_ANSWER];

    pair_caller_next(&s->caller, s->now_us, hello);
    for (uint32_t i = 0; i < PAIR_UNASKED; i++)
        CHECK(hello_from(s, 1000 + i, i, hello, answer) == PAIR_ANSWER);
}

/* Whoever calls a listener that is disturbed shows first that his address is his. Until then
 * nothing of it is kept. */
static void a_cookie_comes_first(void)
{
    struct story s;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER], cookie[PAIR_ANSWER];
    struct pair_keys keys;

    begin(&s, "maple", "maple", 1);
    use_up_unasked(&s, hello);
    struct pair_listener before = s.listener;
    s.now_us += SECOND;
    CHECK(pair_caller_next(&s.caller, s.now_us, hello) == PAIR_HELLO);
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, hello, PAIR_HELLO, cookie) ==
          PAIR_COOKIE);
    CHECK(pair_is_ours(cookie, PAIR_COOKIE) && !memcmp(&before, &s.listener, sizeof before));
    /* damaged, or of another run, it is nothing */
    for (int at = 0; at < PAIR_COOKIE; at++) {
        memcpy(answer, cookie, PAIR_COOKIE);
        answer[at] ^= 1;
        CHECK(pair_caller_hear(&s.caller, s.now_us, answer, PAIR_COOKIE, &keys) == 0);
        CHECK(s.caller.due_us > s.now_us);
    }
    s.now_us += 40000;
    CHECK(pair_caller_hear(&s.caller, s.now_us, cookie, PAIR_COOKIE, &keys) == 0);
    CHECK(s.caller.due_us == s.now_us); /* at once */
    CHECK(pair_caller_next(&s.caller, s.now_us, hello) == PAIR_HELLO);
    /* said twice, it is no reason to hurry again */
    CHECK(pair_caller_hear(&s.caller, s.now_us, cookie, PAIR_COOKIE, &keys) == 0);
    CHECK(s.caller.due_us == s.now_us + PAIR_AGAIN_US);
    CHECK(pair_listener_hear(&s.listener, s.now_us, &s.at, hello, PAIR_HELLO, answer) ==
          PAIR_ANSWER);
    CHECK(pair_caller_hear(&s.caller, s.now_us + 30000, answer, PAIR_ANSWER, &keys) == 1);
    CHECK(keys.rtt_us == 30000 && pair_listener_keys(&s.listener, keys.session));
    end(&s);
}

/* A cookie is of one address and port, one run and one listener, and of the last ten seconds. */
static void a_cookie_is_of_one_caller(void)
{
    struct story s, other;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER];
    struct path_address port = address(7);

    begin(&s, "maple", "maple", 1);
    begin(&other, "maple", "maple", 2);
    use_up_unasked(&other, hello);
    other.now_us = s.now_us;
    use_up_unasked(&s, hello);
    CHECK(hello_from(&s, 7, 77, hello, answer) == PAIR_COOKIE);
    memcpy(hello + 66, answer + 34, CALLERS_COOKIE);
    CHECK(hello_from(&s, 8, 77, hello, answer) == PAIR_COOKIE);
    CHECK(hello_from(&s, 7, 78, hello, answer) == PAIR_COOKIE);
    CHECK(hello_from(&other, 7, 77, hello, answer) == PAIR_COOKIE);
    hello_from(&s, 8, 77, hello, answer); /* marks it again */
    port.port++;
    CHECK(pair_listener_hear(&s.listener, s.now_us, &port, hello, PAIR_HELLO, answer) ==
          PAIR_COOKIE);
    s.now_us += (CALLERS_COOKIE_S + 1) * SECOND;
    CHECK(hello_from(&s, 7, 77, hello, answer) == PAIR_COOKIE);
    s.now_us -= 2 * SECOND;
    CHECK(hello_from(&s, 7, 77, hello, answer) == PAIR_ANSWER);
    end(&s);
    end(&other);
}

/* HELLOs from a hundred thousand addresses that are nobody's: who knows the word comes in at his
 * first try, nobody was sent more than came from him, and no guess is counted for them but of
 * those who were not asked. */
static void a_forged_flood_keeps_nobody_out(void)
{
    struct story s;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER];

    begin(&s, "maple", "maple", 1);
    pair_caller_next(&s.caller, s.now_us, hello);
    s.caller.due_us = s.now_us;
    for (uint32_t i = 0; i < 100000; i++, s.now_us += 1000) {
        memset(hello + 66, (int)(i % 3), CALLERS_COOKIE); /* forged, too */
        pair_listener_expire(&s.listener, s.now_us);
        int n = hello_from(&s, 2 + i, i, hello, answer);
        CHECK(n == (i < PAIR_UNASKED ? PAIR_ANSWER : PAIR_COOKIE));
        CHECK(n * 8 < PAIR_HELLO); /* not three times of what came, but an eighth */
    }
    CHECK(s.listener.guesses == PAIR_UNASKED);
    s.caller.due_us = s.now_us;
    CHECK(run(&s, SECOND) == 1);
    CHECK(pair_listener_keys(&s.listener, s.keys.session));
    end(&s);
}

/* Somebody who tries words: a few at once, then slowly, then never again. And nobody else has to
 * wait for it. */
static void guesses_are_counted(void)
{
    struct story s;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER], no[PAIR_NO] = { 0x83, 1 };
    struct path_address guesser = address(9);
    int answered = 0;

    begin(&s, "maple", "maple", 1);
    use_up_unasked(&s, hello);
    for (uint32_t i = 0; i < 10000; i++, s.now_us += 20000) {
        pair_listener_expire(&s.listener, s.now_us);
        int n = honest_from(&s, 9, 100 + i, hello, answer);
        answered += n == PAIR_ANSWER;
        if (n == PAIR_ANSWER) { /* and says at once that it was wrong */
            memcpy(no + 2, hello + 2, PAIR_RANDOM);
            pair_mark(no, PAIR_NO);
            CHECK(pair_listener_hear(&s.listener, s.now_us, &guesser, no, PAIR_NO, answer) == 0);
        }
        if (i == 10)
            CHECK(answered == CALLER_AT_ONCE);
        if (i == 1000) /* 20 s later */
            CHECK(answered == CALLER_AT_ONCE + 10);
    }
    CHECK(answered == CALLER_GUESSES);
    CHECK(s.listener.guesses == CALLER_GUESSES + PAIR_UNASKED);
    s.caller.due_us = s.now_us;
    CHECK(run(&s, SECOND) == 1);
    end(&s);
}

/* One that proves nothing takes some places, and not all. */
static void places_are_counted(void)
{
    struct story s;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER];
    int answered = 0;

    begin(&s, "maple", "maple", 1);
    use_up_unasked(&s, hello);
    for (uint32_t i = 0; i < 1000; i++)
        answered += honest_from(&s, 9, 100 + i, hello, answer) == PAIR_ANSWER;
    CHECK(answered == CALLER_PLACES);
    s.caller.due_us = s.now_us;
    CHECK(run(&s, SECOND) == 1);
    end(&s);
}

/* Many that have each an address of their own: a hundred words in all, then it is over. */
static void a_hundred_guesses_end_it(void)
{
    struct story s;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER];
    int answered = 0, err = 0;

    begin(&s, "maple", "apple", 1);
    pair_caller_next(&s.caller, s.now_us, hello);
    for (uint32_t i = 0; i < 100000 && !err; i++, s.now_us += 20000) {
        pair_listener_expire(&s.listener, s.now_us);
        int n = honest_from(&s, i, i, hello, answer);
        answered += n == PAIR_ANSWER;
        err = n < 0 ? n : 0;
    }
    CHECK(err == -ROOST_GUESSES && s.listener.guesses >= PAIR_GUESSES_MAX);
    CHECK(answered <= PAIR_GUESSES_MAX + PAIR_WAITING_MAX);
    end(&s);
}

/* A machine has as many addresses of IPv6 as it likes, of one net: they count as one, and so
 * ports do. Neighbours on a link have but one each. */
static void what_counts_as_one(void)
{
    struct callers c = { 0 };
    struct path_address a = { .ip = { 0x20, 1, 0x0d, 0xb8 }, .len = 16 };

    for (int i = 0; i < CALLER_PLACES; i++) {
        a.ip[15] = (uint8_t)i;
        a.port++;
        CHECK(callers_begin(&c, 1, &a));
    }
    a.ip[12] = 77;
    CHECK(!callers_begin(&c, 1, &a));
    a.ip[7] = 1;
    CHECK(callers_begin(&c, 1, &a));
    a.ip[0] = 0xfe;
    a.ip[1] = 0x80;
    for (int i = 0; i < 2 * CALLER_PLACES; i++) {
        a.ip[15] = (uint8_t)i;
        CHECK(callers_begin(&c, 1, &a));
    }
    /* what began and ended leaves no trace after a while, so there is room for others */
    for (uint32_t i = 0; i < 10 * CALLERS_MAX; i++) {
        a = address(i);
        CHECK(callers_begin(&c, (int64_t)i * CALLER_EACH_US, &a));
        callers_end(&c, &a, false);
    }
}

static void who_proves_nothing_is_forgotten(void)
{
    struct story s;

    begin(&s, "maple", "maple", 1);
    CHECK(run(&s, SECOND) == 1);
    int64_t due_us = pair_listener_deadline_us(&s.listener);
    CHECK(due_us == s.now_us + 20000 + PAIR_PROVE_US);
    pair_listener_expire(&s.listener, due_us - 1);
    CHECK(pair_listener_keys(&s.listener, s.keys.session));
    pair_listener_expire(&s.listener, due_us);
    CHECK(!pair_listener_keys(&s.listener, s.keys.session) && s.listener.guesses == 1);
    CHECK(pair_listener_deadline_us(&s.listener) == INT64_MAX);
    end(&s);
}

TEST_MAIN({ "one_round_trip", one_round_trip },
          { "losses_are_made_up_for", losses_are_made_up_for },
          { "no_two_runs_share_a_key", no_two_runs_share_a_key }, { "another_word", another_word },
          { "what_is_forged", what_is_forged },
          { "what_is_damaged_comes_again", what_is_damaged_comes_again },
          { "a_cookie_comes_first", a_cookie_comes_first },
          { "a_cookie_is_of_one_caller", a_cookie_is_of_one_caller },
          { "a_forged_flood_keeps_nobody_out", a_forged_flood_keeps_nobody_out },
          { "guesses_are_counted", guesses_are_counted },
          { "places_are_counted", places_are_counted },
          { "a_hundred_guesses_end_it", a_hundred_guesses_end_it },
          { "what_counts_as_one", what_counts_as_one },
          { "who_proves_nothing_is_forgotten", who_proves_nothing_is_forgotten })
