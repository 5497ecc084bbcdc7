/* Stories about logging in: who gets in, who is kept out, and for how long. */
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "test.h"

static void registers_and_logs_in(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_new(s);

    CHECK(whoami(v) == ROOST_LOGIN_NEEDED);
    CHECK(sign_up(v, "Ann", "short", "") == ROOST_PASSWORD_WEAK);
    CHECK(sign_up(v, "#1", PASSWORD, "") == ROOST_NAME_BAD);
    CHECK(sign_up(v, "Ann", PASSWORD, "") == 0);
    CHECK(sign_up(v, "anN", PASSWORD, "") == ROOST_NAME_TAKEN);
    CHECK(sign_up(v, "modern", PASSWORD, "") == 0);
    CHECK(sign_up(v, "rnodern", PASSWORD, "") == ROOST_NAME_TAKEN);

    CHECK(login(v, "ann", PASSWORD, 1) == 0);
    CHECK(login(v, "ann", PASSWORD, 1) == ROOST_ALREADY);
    Roost__Reply *r = ASK(v, WHOAMI, whoami, &(Roost__Whoami)ROOST__WHOAMI__INIT);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_ME);
    CHECK(strcmp(r->me->name, "Ann") == 0 && r->me->account == v->account);
    CHECK(strcmp(r->me->address, "192.0.2.7") == 0 && r->me->role == ROOST__ROLE__USER);

    CHECK(reply_code(ASK(v, LOGOUT, logout, &(Roost__Logout)ROOST__LOGOUT__INIT)) == 0);
    CHECK(!v->closed && whoami(v) == ROOST_LOGIN_NEEDED);
    v->account = 0;
    CHECK(resume(v, v->token, 1) == ROOST_SESSION_OVER);
    visitor_free(v);
    stage_free(s);
}

static void a_request_sent_again_is_done_once(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_new(s);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__SignUp b = ROOST__SIGN_UP__INIT;

    b.name = "ann";
    b.password = PASSWORD;
    m.body_case = ROOST__TO_SERVER__BODY_SIGN_UP;
    m.sign_up = &b;
    Roost__Reply *r = visitor_ask(v, &m);
    CHECK(reply_code(r) == 0);
    uint64_t account = r->done->account;
    visitor_forget(v);
    r = visitor_ask_again(v, &m);
    CHECK(reply_code(r) == 0 && r->done->account == account);
    b.name = "bob";
    visitor_forget(v);
    CHECK(reply_code(visitor_ask_again(v, &m)) == ROOST_CONFLICT);
    visitor_free(v);
    stage_free(s);
}

/* The same story for a name that exists and for one that does not. */
static void guessing(struct stage *s, const char *name, const char *address)
{
    struct visitor *v = visitor_at(s, address);

    for (int i = 0; i < 5; i++) {
        Roost__Reply *r = login_reply(v, name, "wrong horse", 9);
        CHECK(reply_code(r) == ROOST_LOGIN_WRONG && r->error->retry_after_ms == 0);
    }
    CHECK(blocked_ms(v, name, "wrong horse", 9) == 10000);
    stage_run(s, SECONDS(9));
    CHECK(blocked_ms(v, name, PASSWORD, 9) == 1000);
    stage_run(s, SECONDS(1));
    CHECK(login(v, name, "wrong horse", 9) == ROOST_LOGIN_WRONG);
    CHECK(blocked_ms(v, name, PASSWORD, 9) == 20000);
    visitor_free(v);
}

static void guessing_is_blocked_and_tells_nothing(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_new(s);

    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    guessing(s, "ann", "198.51.100.1");
    guessing(s, "nobody", "198.51.100.2");
    /* from another place nothing is blocked, and success clears the count */
    move_to(v, "192.0.2.8");
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++)
            CHECK(login(v, "ann", "wrong horse", 1) == ROOST_LOGIN_WRONG);
        CHECK(login(v, "ann", PASSWORD, (uint8_t)(10 + i)) == 0);
        move_to(v, "192.0.2.8");
    }
    visitor_free(v);
    stage_free(s);
}

/* Whoever hashes died: that says nothing about the password, so it counts for nothing. */
static void what_could_not_be_hashed_counts_for_nothing(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_new(s);

    s->hall.unhashed = 1;
    CHECK(sign_up(v, "ann", PASSWORD, "") == ROOST_BUSY);
    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    s->hall.unhashed = 20;
    for (int i = 0; i < 10; i++) {
        Roost__Reply *r = login_reply(v, "ann", i % 2 ? PASSWORD : "wrong horse", 1);
        CHECK(reply_code(r) == ROOST_BUSY && r->error->retry_after_ms > 0);
        CHECK(login(v, "nobody", "wrong horse", 1) == ROOST_BUSY);
    }
    CHECK(s->hall.unhashed == 0);
    for (int i = 0; i < 4; i++) /* one more, and it were blocked */
        CHECK(login(v, "ann", "wrong horse", 1) == ROOST_LOGIN_WRONG);
    CHECK(login(v, "ann", PASSWORD, 1) == 0);
    visitor_free(v);
    stage_free(s);
}

/* A failed login takes the same steps whether the name exists or not. */
static void unknown_names_take_the_same_steps(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_new(s);
    static const char *const names[] = { "ann", "nobody" };
    uint64_t operations[2];

    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    for (int i = 0; i < 2; i++) {
        uint64_t before = s->hall.counts.operations;
        CHECK(login(v, names[i], "wrong horse", 9) == ROOST_LOGIN_WRONG);
        operations[i] = s->hall.counts.operations - before;
    }
    CHECK(operations[0] == operations[1] && operations[0] > 0);
    visitor_free(v);
    stage_free(s);
}

static void send_login(struct visitor *v, const char *name)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Login b = ROOST__LOGIN__INIT;
    uint8_t secret[32] = { 1 };

    b.name = (char *)name;
    b.password = PASSWORD;
    b.device = (ProtobufCBinaryData){ sizeof secret, secret };
    m.body_case = ROOST__TO_SERVER__BODY_LOGIN;
    m.login = &b;
    struct blob *frame = msg_encode(&m.base);
    CHECK(frame);
    hall_frame(&v->stage->hall, v->conn, frame->bytes + 4, frame->len - 4);
    blob_unref(frame);
}

static void a_flood_of_logins_is_bounded(void)
{
    struct stage *s = stage_new();
    struct visitor *v[6];
    int in = 0, busy = 0;

    s->hall.config.hashes_max = 3;
    set_registration(s, REGISTRATION_OPEN);
    for (int i = 0; i < 6; i++) {
        char name[] = { 'u', (char)('a' + i), '\0' };
        v[i] = visitor_new(s);
        CHECK(sign_up(v[i], name, PASSWORD, "") == 0);
        visitor_forget(v[i]);
    }
    for (int i = 0; i < 6; i++) {
        char name[] = { 'u', (char)('a' + i), '\0' };
        send_login(v[i], name);
    }
    hall_settle(&s->hall);
    for (int i = 0; i < 6; i++) {
        CHECK(v[i]->n_heard >= 1);
        const Roost__Reply *r = v[i]->heard[0].frame->reply;
        in += reply_code(r) == 0;
        busy += reply_code(r) == ROOST_BUSY && r->error->retry_after_ms > 0;
    }
    CHECK(in == 3 && busy == 3);
    /* those refused may come again: nothing of them is held */
    for (int i = 0; i < 6; i++)
        if (reply_code(v[i]->heard[0].frame->reply) == ROOST_BUSY) {
            char name[] = { 'u', (char)('a' + i), '\0' };
            CHECK(login(v[i], name, PASSWORD, 1) == 0);
        }
    for (int i = 0; i < 6; i++)
        visitor_free(v[i]);
    stage_free(s);
}

static void blocks_survive_a_crash(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_new(s);

    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    move_to(v, "198.51.100.1");
    for (int i = 0; i < 5; i++)
        CHECK(login(v, "ann", "wrong horse", 9) == ROOST_LOGIN_WRONG);
    CHECK(hall_crash(&s->hall) == 0);
    visitor_connect(v);
    move_to(v, "198.51.100.1");
    CHECK(blocked_ms(v, "ann", PASSWORD, 9) > 0);
    visitor_free(v);
    stage_free(s);
}

static void a_known_device_is_not_locked_out(void)
{
    struct stage *s = stage_new();
    struct visitor *owner = visitor_at(s, "198.51.100.1"), *thief = visitor_at(s, "198.51.100.1");

    CHECK(sign_up(owner, "ann", PASSWORD, "") == 0);
    CHECK(login(owner, "ann", PASSWORD, 1) == 0);
    for (int i = 0; i < 5; i++)
        CHECK(login(thief, "ann", "wrong horse", 66) == ROOST_LOGIN_WRONG);
    CHECK(blocked_ms(thief, "ann", "wrong horse", 66) == 10000);

    /* behind the same address, with the device that logged in before */
    move_to(owner, "198.51.100.1");
    CHECK(login(owner, "ann", PASSWORD, 1) == 0);
    /* which did not lift the block of the others */
    CHECK(blocked_ms(thief, "ann", PASSWORD, 66) == 10000);
    visitor_free(owner);
    visitor_free(thief);
    stage_free(s);
}

static void a_source_that_tries_many_names(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_at(s, "198.51.100.1"), *pupil = visitor_at(s, "198.51.100.1");

    CHECK(sign_up(pupil, "pupil", PASSWORD, "") == 0 && login(pupil, "pupil", PASSWORD, 1) == 0);
    for (int i = 0; i < 20; i++) {
        char name[] = { 'x', (char)('a' + i % 5), (char)('a' + i / 5), '\0' };
        CHECK(login(v, name, "wrong horse", 66) == ROOST_LOGIN_WRONG);
    }
    CHECK(blocked_ms(v, "pupil", PASSWORD, 66) == 10000);
    move_to(pupil, "198.51.100.1");
    CHECK(login(pupil, "pupil", PASSWORD, 1) == 0);
    visitor_free(v);
    visitor_free(pupil);
    stage_free(s);
}

TEST_MAIN({ "registers_and_logs_in", registers_and_logs_in },
          { "a_request_sent_again_is_done_once", a_request_sent_again_is_done_once },
          { "guessing_is_blocked_and_tells_nothing", guessing_is_blocked_and_tells_nothing },
          { "what_could_not_be_hashed_counts_for_nothing",
            what_could_not_be_hashed_counts_for_nothing },
          { "unknown_names_take_the_same_steps", unknown_names_take_the_same_steps },
          { "a_flood_of_logins_is_bounded", a_flood_of_logins_is_bounded },
          { "blocks_survive_a_crash", blocks_survive_a_crash },
          { "a_known_device_is_not_locked_out", a_known_device_is_not_locked_out },
          { "a_source_that_tries_many_names", a_source_that_tries_many_names })
