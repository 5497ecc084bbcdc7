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
};

static void begin(struct story *s, const char *of_caller, const char *of_listener, uint8_t seed)
{
    uint8_t word[2][WORD_BYTES], seeds[2][32];

    *s = (struct story){ .now_us = 5 * SECOND };
    memset(seeds, seed, sizeof seeds);
    seeds[1][0] ^= 1;
    CHECK(word_stretch(word[0], of_caller) == 0 && word_stretch(word[1], of_listener) == 0);
    CHECK(pair_call(&s->caller, word[0], seeds[0], s->now_us) == 0);
    CHECK(pair_listen(&s->listener, word[1], seeds[1], s->now_us) == 0);
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
        int n = pair_listener_hear(&s->listener, s->now_us + 20000, hello, PAIR_HELLO, answer);
        if (n < 0)
            return n;
        if (!n || !arrives(s->lost_back, &s->back))
            continue;
        CHECK(n == PAIR_ANSWER && n < PAIR_HELLO && pair_is_ours(answer, PAIR_ANSWER));
        int got = pair_caller_hear(&s->caller, s->now_us + 40000, answer, PAIR_ANSWER, &s->keys);
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
        CHECK(pair_listener_hear(&s.listener, s.now_us, hello, PAIR_HELLO, answer) == PAIR_ANSWER);
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
    CHECK(pair_listener_hear(&s.listener, s.now_us, no, PAIR_NO, answer) == 0);
    CHECK(s.listener.guesses == 1 && s.listener.wrong == 1);
    /* said twice, it is one guess */
    CHECK(pair_listener_hear(&s.listener, s.now_us, no, PAIR_NO, answer) == 0);
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
    CHECK(pair_listener_hear(&s.listener, s.now_us, hello, PAIR_HELLO, answer) == PAIR_ANSWER);
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
        CHECK(pair_listener_hear(&s.listener, s.now_us, hello, len, copy) == 0);
    /* a share that would make the secret known */
    hello[2] ^= 1;
    memset(hello + 2 + PAIR_RANDOM, 0, WORD_BYTES);
    pair_mark(hello, PAIR_HELLO);
    CHECK(pair_listener_hear(&s.listener, s.now_us, hello, PAIR_HELLO, copy) == 0);
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
        CHECK(pair_listener_hear(&s.listener, s.now_us, bent, PAIR_HELLO, answer) == 0);
    }
    CHECK(pair_listener_hear(&s.listener, s.now_us, hello, PAIR_HELLO, answer) == PAIR_ANSWER);
    CHECK(pair_no(&s.caller, no) == PAIR_NO);
    no[1 + s.now_us % 30] ^= 4;
    CHECK(pair_listener_hear(&s.listener, s.now_us, no, PAIR_NO, bent) == 0);
    CHECK(!s.listener.guesses);
    CHECK(pair_caller_hear(&s.caller, s.now_us, answer, PAIR_ANSWER, &keys) == 1);
    end(&s);
}

/* Somebody who tries words: a few at once, then slowly, then never again. */
static void guesses_are_counted(void)
{
    struct story s;
    uint8_t hello[PAIR_HELLO], answer[PAIR_ANSWER];
    int answered = 0, err = 0;

    begin(&s, "maple", "apple", 1);
    pair_caller_next(&s.caller, s.now_us, hello);
    int64_t begun_us = s.now_us;
    for (uint32_t i = 0; i < 100000 && !err; i++, s.now_us += 20000) {
        memcpy(hello + 2, &i, sizeof i); /* each a new exchange */
        pair_mark(hello, PAIR_HELLO);
        pair_listener_expire(&s.listener, s.now_us);
        int n = pair_listener_hear(&s.listener, s.now_us, hello, PAIR_HELLO, answer);
        answered += n > 0;
        err = n < 0 ? n : 0;
        if (i == 10)
            CHECK(answered == PAIR_AT_ONCE);
        if (i == 1000) /* 20 s later */
            CHECK(answered == PAIR_AT_ONCE + 10);
    }
    CHECK(err == -ROOST_GUESSES && s.listener.guesses == PAIR_GUESSES_MAX);
    CHECK(answered <= PAIR_GUESSES_MAX + PAIR_WAITING_MAX);
    CHECK(s.now_us - begun_us > 150 * SECOND);
    end(&s);
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
          { "guesses_are_counted", guesses_are_counted },
          { "who_proves_nothing_is_forgotten", who_proves_nothing_is_forgotten })
