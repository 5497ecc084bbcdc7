/* What a client promises, in virtual time: see src/client/core.h. */
#include <string.h>

#include "client/backoff.h"
#include "core_peer.h"

#define SAY ROOST__TO_SERVER__BODY_SAY

static int64_t say(struct peer *p, const char *text)
{
    Roost__Say b = ROOST__SAY__INIT;
    Roost__Target t = ROOST__TARGET__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    t.name = (char *)"#hall";
    b.target = &t;
    b.text = (char *)text;
    m.body_case = SAY;
    m.say = &b;
    int64_t n = core_request(p->core, &m, p->now_us);
    peer_pump(p);
    return n;
}

static void a_lost_answer_is_asked_for_with_the_same_bytes(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = say(&p, "once");
    CHECK(n > 0);
    struct blob *first = blob_ref(p.got[p.n_got - 1].bytes);

    /* the connection goes before the answer */
    peer_cut(&p);
    CHECK(p.n_got == 0);
    peer_again(&p);
    CHECK(peer_find(&p, SAY, 0) && !peer_find(&p, SAY, 1));
    struct blob *second = p.got[p.n_got - 1].bytes;
    CHECK(second->len == first->len && !memcmp(second->bytes, first->bytes, first->len));
    blob_unref(first);

    /* answered once, however often it is */
    peer_done(&p, peer_find(&p, SAY, 0), 3);
    peer_done(&p, peer_find(&p, SAY, 0), 3);
    struct core_event *e = core_take_answer(p.core, n);
    CHECK(e && e->kind == CORE_REPLY && e->msg->reply->done->seq == 3);
    CHECK(!core_take_answer(p.core, n) && !core_knows(p.core, n));

    /* and never sent again */
    peer_cut(&p);
    peer_again(&p);
    CHECK(!peer_find(&p, SAY, 0));
    peer_fini(&p);
}

static void requests_keep_their_order_and_their_limits(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    peer_cut(&p);
    for (int i = 0; i < CORE_REQUESTS_MAX; i++)
        CHECK(say(&p, i % 2 ? "odd" : "even") > 0);
    CHECK(say(&p, "too many") == -ROOST_LIMIT);
    peer_again(&p);
    /* no more than the window is under way */
    CHECK(peer_find(&p, SAY, CORE_WINDOW - 1) && !peer_find(&p, SAY, CORE_WINDOW));
    for (size_t i = 0; i < 100; i++) {
        Roost__ToServer *m = peer_find(&p, SAY, i);
        CHECK(m && !strcmp(m->say->text, i % 2 ? "odd" : "even"));
        peer_done(&p, m, i + 1);
    }
    peer_fini(&p);
}

static void the_next_token_is_stored_before_anything_else_happens(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    CHECK(p.stored[0] == 1 && core_state(p.core) == CORE_AT_READY);
    say(&p, "waits");
    peer_cut(&p);
    p.hold_save = true;
    peer_again(&p);
    Roost__ToServer *m = peer_find(&p, ROOST__TO_SERVER__BODY_RESUME, 0);
    CHECK(m && m->resume->token.len == 32 && m->resume->token.data[0] == 1);
    CHECK(p.stored[0] == 2 && core_state(p.core) == CORE_AT_SAVING);
    CHECK(!peer_find(&p, SAY, 0) && core_token_is_held(p.core));
    core_on_saved(p.core, p.now_us);
    peer_pump(&p);
    CHECK(core_state(p.core) == CORE_AT_READY && peer_find(&p, SAY, 0));
    CHECK(!core_token_is_held(p.core));
    peer_fini(&p);
}

static void a_session_that_is_over_stops_and_tells(void)
{
    struct peer p;
    struct core_event *e;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = say(&p, "never");
    while (core_next_event(p.core))
        ;
    Roost__Error error = ROOST__ERROR__INIT;
    Roost__SessionOver over = ROOST__SESSION_OVER__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;
    error.code = ROOST_SESSION_OVER;
    over.error = &error;
    m.body_case = ROOST__TO_CLIENT__BODY_SESSION_OVER;
    m.session_over = &over;
    struct blob *b = msg_encode(&m.base);
    CHECK(b);
    core_on_bytes(p.core, b->bytes, b->len, p.now_us);
    blob_unref(b);
    peer_pump(&p);
    CHECK(peer_did(&p, CORE_CLOSE) && !p.has_token);
    e = core_take_answer(p.core, n);
    CHECK(e && e->kind == CORE_REFUSED && e->error->code == ROOST_SESSION_OVER);
    e = peer_next(&p, CORE_STATUS);
    CHECK(e && e->state == CORE_AT_OVER && e->error && e->error->code == ROOST_SESSION_OVER);
    CHECK(core_deadline_us(p.core) == INT64_MAX);
    CHECK(say(&p, "no") == -ROOST_CLOSED);

    /* a password begins anew */
    peer_forget(&p);
    CHECK(core_login(p.core, "anna", "secret words", p.now_us) > 0);
    peer_pump(&p);
    CHECK(peer_did(&p, CORE_CONNECT));
    core_on_connected(p.core, p.now_us);
    peer_pump(&p);
    peer_welcome(&p);
    peer_session(&p, peer_find(&p, ROOST__TO_SERVER__BODY_LOGIN, 0));
    CHECK(core_state(p.core) == CORE_AT_READY);
    peer_fini(&p);
}

static void without_a_session_a_request_is_refused_at_once(void)
{
    struct peer p;

    peer_init(&p, NULL);
    int64_t n = say(&p, "early");
    core_on_connected(p.core, p.now_us);
    peer_pump(&p);
    peer_welcome(&p);
    struct core_event *e = core_take_answer(p.core, n);
    CHECK(core_state(p.core) == CORE_AT_LOGIN);
    CHECK(e && e->kind == CORE_REFUSED && e->error->code == ROOST_LOGIN_NEEDED);
    peer_fini(&p);
}

static void waits_stay_in_their_bounds(void)
{
    for (uint64_t chance = 0; chance < 5000; chance += 7) {
        struct backoff b = { 0 };
        int64_t now = 0, mix = (int64_t)(chance * 2654435761u), wait;
        CHECK((wait = backoff_next(&b, now, (uint64_t)mix)) >= 0 && wait <= 250000);
        while ((now += wait) < 30000000)
            CHECK((wait = backoff_next(&b, now, (uint64_t)mix)) >= 250000 && wait <= 1000000);
        for (int64_t top = 2000000; top < 200000000; top *= 2) {
            int64_t most = top > 30000000 ? 30000000 : top;
            wait = backoff_next(&b, now, (uint64_t)mix);
            CHECK(wait >= most / 2 && wait <= most);
            now += wait;
        }
    }
}

static void a_silent_server_is_asked_and_then_left(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t t0 = p.now_us;
    CHECK(core_deadline_us(p.core) == t0 + CORE_PING_US);
    p.now_us = t0 + CORE_PING_US;
    core_expire(p.core, p.now_us);
    peer_pump(&p);
    CHECK(peer_find(&p, ROOST__TO_SERVER__BODY_PING, 0));
    CHECK(core_deadline_us(p.core) == p.now_us + CORE_DEAD_US);
    peer_done(&p, peer_find(&p, ROOST__TO_SERVER__BODY_PING, 0), 0);
    CHECK(core_deadline_us(p.core) == p.now_us + CORE_PING_US);

    p.now_us += CORE_PING_US;
    core_expire(p.core, p.now_us);
    p.now_us += CORE_DEAD_US;
    core_expire(p.core, p.now_us);
    CHECK(core_state(p.core) == CORE_AT_LOST);
    peer_pump(&p);
    CHECK(peer_did(&p, CORE_CLOSE));
    peer_fini(&p);
}

static void once_means_no_second_try(void)
{
    struct core_options o = { .program = "t", .once = true };
    struct peer p;

    peer_init(&p, &o);
    core_on_closed(p.core, -ROOST_CLOSED, false, p.now_us);
    CHECK(core_state(p.core) == CORE_AT_OVER && core_deadline_us(p.core) == INT64_MAX);
    peer_fini(&p);
}

static void patience_has_an_end(void)
{
    struct core_options o = { .program = "t", .patience_us = 5000000 };
    struct peer p;

    peer_init(&p, &o);
    int64_t n = say(&p, "hello?"), end = p.now_us + 5000000;
    while (core_state(p.core) != CORE_AT_OVER) {
        CHECK(p.now_us <= end);
        core_on_closed(p.core, -ROOST_CLOSED, false, p.now_us);
        p.now_us = core_deadline_us(p.core);
        core_expire(p.core, p.now_us);
        peer_pump(&p);
    }
    CHECK(p.now_us == end);
    struct core_event *e = core_take_answer(p.core, n);
    CHECK(e && e->kind == CORE_REFUSED);
    peer_fini(&p);
}

/* Greets, resumes, and then sends what nobody can read: that is no connection. */
static void a_server_that_fails_each_time_ends_in_malformed(void)
{
    static const uint8_t junk[] = { 0, 0, 0, 2, 0xff, 0xff };
    struct core_options o = { .program = "t", .patience_us = 15000000 };
    struct peer p;

    peer_init(&p, &o);
    peer_up(&p);
    p.now_us += 60000000; /* all was well for a minute */
    int64_t n = say(&p, "hello?"), begun = p.now_us;
    for (int i = 0; core_state(p.core) != CORE_AT_OVER; i++) {
        CHECK(i < 100 && p.now_us <= begun + 16000000);
        core_on_bytes(p.core, junk, sizeof junk, p.now_us);
        peer_pump(&p);
        CHECK(core_state(p.core) != CORE_AT_READY);
        peer_forget(&p);
        p.now_us = core_state(p.core) == CORE_AT_LOST ? core_deadline_us(p.core) : p.now_us;
        core_expire(p.core, p.now_us);
        peer_pump(&p);
        if (core_state(p.core) == CORE_AT_CONNECTING)
            peer_up(&p);
    }
    struct core_event *e = core_take_answer(p.core, n);
    CHECK(e && e->kind == CORE_REFUSED && e->error->code == ROOST_MALFORMED);
    peer_fini(&p);
}

static void a_person_may_think_as_long_as_it_takes(void)
{
    struct core_options o = { .program = "t", .once = true, .patience_us = 15000000 };
    struct peer p;

    peer_init(&p, &o);
    core_on_asking(p.core);
    p.now_us += 600000000;
    CHECK(core_deadline_us(p.core) > p.now_us);
    core_on_connected(p.core, p.now_us);
    core_expire(p.core, p.now_us);
    CHECK(core_state(p.core) == CORE_AT_GREETING);
    peer_fini(&p);
}

static void any_bytes_do_no_harm(void)
{
    struct peer p;
    uint32_t x = 12345;

    for (int round = 0; round < 200; round++) {
        uint8_t junk[64];
        peer_init(&p, NULL);
        peer_up(&p);
        for (size_t i = 0; i < sizeof junk; i++)
            junk[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
        junk[0] = junk[1] = junk[2] = 0;
        junk[3] &= 31;
        core_on_bytes(p.core, junk, sizeof junk, p.now_us);
        peer_pump(&p);
        peer_fini(&p);
    }
}

TEST_MAIN({ "a_lost_answer_is_asked_for_with_the_same_bytes",
            a_lost_answer_is_asked_for_with_the_same_bytes },
          { "requests_keep_their_order_and_their_limits",
            requests_keep_their_order_and_their_limits },
          { "the_next_token_is_stored_before_anything_else_happens",
            the_next_token_is_stored_before_anything_else_happens },
          { "a_session_that_is_over_stops_and_tells", a_session_that_is_over_stops_and_tells },
          { "without_a_session_a_request_is_refused_at_once",
            without_a_session_a_request_is_refused_at_once },
          { "waits_stay_in_their_bounds", waits_stay_in_their_bounds },
          { "a_silent_server_is_asked_and_then_left", a_silent_server_is_asked_and_then_left },
          { "once_means_no_second_try", once_means_no_second_try },
          { "patience_has_an_end", patience_has_an_end },
          { "a_server_that_fails_each_time_ends_in_malformed",
            a_server_that_fails_each_time_ends_in_malformed },
          { "a_person_may_think_as_long_as_it_takes", a_person_may_think_as_long_as_it_takes },
          { "any_bytes_do_no_harm", any_bytes_do_no_harm })
