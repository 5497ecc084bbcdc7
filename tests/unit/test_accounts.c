/* Stories about accounts: made, forgotten, resumed, changed, deleted. */
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "test.h"

static void who_may_register(void)
{
    struct stage *s = stage_new();
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__AdminInvite b = ROOST__ADMIN_INVITE__INIT;
    char token[64];

    set_registration(s, REGISTRATION_INVITE);
    struct visitor *v = visitor_at(s, "198.51.100.1"), *boss = admin_new(s);
    CHECK(sign_up(v, "ann", PASSWORD, "") == ROOST_INVITE_NEEDED);
    CHECK(sign_up(v, "ann", PASSWORD, "nonsense!") == ROOST_INVITE_BAD);
    CHECK(sign_up(v, "ann", PASSWORD, "abcdefghijabcdefghijabcdefghij22") == ROOST_INVITE_BAD);
    CHECK(sign_up(v, "ann", PASSWORD, s->hall.first_admin) == ROOST_INVITE_BAD); /* used */

    /* asked for twice with one id, it is one invitation */
    b.role = ROOST__ROLE__MODERATOR;
    m.body_case = ROOST__TO_SERVER__BODY_ADMIN_INVITE;
    m.admin_invite = &b;
    Roost__Reply *r = visitor_ask(boss, &m);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_TOKEN && strlen(r->token->token) == 32);
    strcpy(token, r->token->token);
    uint64_t until_ms = r->token->until_ms;
    visitor_forget(boss);
    r = visitor_ask_again(boss, &m);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_TOKEN);
    CHECK(strcmp(token, r->token->token) == 0 && r->token->until_ms == until_ms);

    /* as people type it */
    char typed[64] = " ";
    for (size_t i = 0; token[i]; i++) {
        char c = token[i] >= 'a' ? (char)(token[i] - 'a' + 'A') : token[i];
        strncat(typed, &c, 1);
        strcat(typed, i == 15 ? "-" : "");
    }
    CHECK(sign_up(v, "ann", PASSWORD, typed) == 0);
    CHECK(sign_up(v, "bob", PASSWORD, token) == ROOST_INVITE_BAD);
    CHECK(login(v, "ann", PASSWORD, 1) == 0);
    r = ASK(v, WHOAMI, whoami, &(Roost__Whoami)ROOST__WHOAMI__INIT);
    CHECK(r && r->me->role == ROOST__ROLE__MODERATOR);

    set_registration(s, REGISTRATION_ADMIN);
    move_to(v, "198.51.100.1");
    CHECK(sign_up(v, "bob", PASSWORD, "") == ROOST_REGISTRATION_CLOSED);
    Roost__AdminUserNew n = ROOST__ADMIN_USER_NEW__INIT;
    n.name = "bob";
    n.password = PASSWORD;
    CHECK(reply_code(ASK(boss, ADMIN_USER_NEW, admin_user_new, &n)) == 0);
    CHECK(login(v, "bob", PASSWORD, 2) == 0);

    /* open for local addresses only */
    s->hall.config.open_to_local = true;
    set_registration(s, REGISTRATION_INVITE);
    move_to(v, "198.51.100.1");
    CHECK(sign_up(v, "carl", PASSWORD, "") == ROOST_INVITE_NEEDED);
    visitor_connect(v);
    CHECK(sign_up(v, "carl", PASSWORD, "") == 0);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

/* A hash is dear: nothing that is refused anyway makes the server work on one. */
static void nothing_is_hashed_for_a_bad_invitation(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_at(s, "198.51.100.1");
    static const char made_up[] = "abcdefghijabcdefghijabcdefghij22";
    Roost__ResetPassword b = ROOST__RESET_PASSWORD__INIT;

    set_registration(s, REGISTRATION_INVITE);
    uint64_t before = s->hall.counts.hashed;
    CHECK(sign_up(v, "ann", PASSWORD, made_up) == ROOST_INVITE_BAD);
    b.reset = (char *)made_up;
    b.new_password = "battery staple";
    static const char *const names[] = { "boss", "nobody" };
    for (size_t i = 0; i < 2; i++) {
        b.name = (char *)names[i];
        CHECK(reply_code(ASK(v, RESET_PASSWORD, reset_password, &b)) == ROOST_INVITE_BAD);
    }
    CHECK(s->hall.counts.hashed == before);

    /* a good one is used once; sent again, it is the same answer, without work */
    Roost__AdminInvite i = ROOST__ADMIN_INVITE__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__SignUp up = ROOST__SIGN_UP__INIT;
    Roost__Reply *r = ASK(boss, ADMIN_INVITE, admin_invite, &i);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_TOKEN);
    char token[64];
    strcpy(token, r->token->token);
    up.name = "ann";
    up.password = PASSWORD;
    up.invite = token;
    m.body_case = ROOST__TO_SERVER__BODY_SIGN_UP;
    m.sign_up = &up;
    CHECK(reply_code(visitor_ask(v, &m)) == 0 && s->hall.counts.hashed == before + 1);
    visitor_forget(v);
    CHECK(reply_code(visitor_ask_again(v, &m)) == 0 && s->hall.counts.hashed == before + 1);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void a_forgotten_password(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_at(s, "198.51.100.1");
    struct visitor *again = visitor_at(s, "198.51.100.2");
    Roost__AdminReset a = ROOST__ADMIN_RESET__INIT;
    Roost__ResetPassword b = ROOST__RESET_PASSWORD__INIT;
    char token[64];

    CHECK(sign_up(v, "ann", PASSWORD, "") == 0 && login(v, "ann", PASSWORD, 1) == 0);
    a.user = "nobody";
    CHECK(reply_code(ASK(boss, ADMIN_RESET, admin_reset, &a)) == ROOST_NO_SUCH_USER);
    a.user = "ann";
    Roost__Reply *r = ASK(boss, ADMIN_RESET, admin_reset, &a);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_TOKEN);
    strcpy(token, r->token->token);

    b.name = "boss"; /* not for anybody else */
    b.reset = token;
    b.new_password = "battery staple";
    CHECK(reply_code(ASK(again, RESET_PASSWORD, reset_password, &b)) == ROOST_INVITE_BAD);
    b.name = "nobody";
    CHECK(reply_code(ASK(again, RESET_PASSWORD, reset_password, &b)) == ROOST_INVITE_BAD);
    b.name = "ann";
    b.new_password = "short";
    CHECK(reply_code(ASK(again, RESET_PASSWORD, reset_password, &b)) == ROOST_PASSWORD_WEAK);
    b.new_password = "battery staple";
    CHECK(reply_code(ASK(again, RESET_PASSWORD, reset_password, &b)) == 0);
    CHECK(reply_code(ASK(again, RESET_PASSWORD, reset_password, &b)) == ROOST_INVITE_BAD);

    /* the sessions of before are over */
    CHECK(v->closed && over_code(v) == ROOST_SESSION_OVER);
    CHECK(login(again, "ann", PASSWORD, 2) == ROOST_LOGIN_WRONG);
    CHECK(login(again, "ann", "battery staple", 2) == 0);
    visitor_free(v);
    visitor_free(again);
    visitor_free(boss);
    stage_free(s);
}

static void sessions_are_resumed(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_new(s);
    uint8_t first[32], second[32];

    CHECK(sign_up(v, "ann", PASSWORD, "") == 0 && login(v, "ann", PASSWORD, 1) == 0);
    memcpy(first, v->token, 32);
    move_to(v, "192.0.2.9");
    CHECK(resume(v, first, 2) == ROOST_SESSION_OVER); /* another device */
    CHECK(resume(v, first, 1) == 0 && whoami(v) == 0);
    memcpy(second, v->token, 32);
    CHECK(memcmp(first, second, 32) != 0);

    /* the answer may have been lost: the one before is good for a minute */
    stage_run(s, SECONDS(50));
    move_to(v, "192.0.2.9");
    CHECK(resume(v, first, 1) == 0);
    stage_run(s, SECONDS(11));
    move_to(v, "192.0.2.9");
    CHECK(resume(v, first, 1) == ROOST_SESSION_OVER);
    CHECK(resume(v, v->token, 1) == 0);
    visitor_free(v);
    stage_free(s);
}

static void sessions_are_listed_and_ended(void)
{
    struct stage *s = stage_new();
    struct visitor *one = visitor_new(s), *two = visitor_new(s);
    Roost__EndSession b = ROOST__END_SESSION__INIT;

    CHECK(sign_up(one, "ann", PASSWORD, "") == 0);
    CHECK(login(one, "ann", PASSWORD, 1) == 0 && login(two, "ann", PASSWORD, 2) == 0);
    const Roost__SessionList *list = sessions(one);
    CHECK(list->n_sessions == 2);
    CHECK(list->sessions[0]->own && !list->sessions[1]->own && list->sessions[1]->on);
    CHECK(strcmp(list->sessions[1]->device_name, "a test") == 0);
    b.session = list->sessions[1]->session;
    CHECK(reply_code(ASK(one, END_SESSION, end_session, &b)) == 0);
    CHECK(two->closed && over_code(two) == ROOST_SESSION_OVER);
    b.session = 999;
    CHECK(reply_code(ASK(one, END_SESSION, end_session, &b)) == ROOST_NO_SUCH_SESSION);

    /* nobody ends those of others */
    struct visitor *bob = visitor_named(s, "bob");
    b.session = sessions(one)->sessions[0]->session;
    CHECK(reply_code(ASK(bob, END_SESSION, end_session, &b)) == ROOST_NO_SUCH_SESSION);
    CHECK(whoami(one) == 0);
    visitor_free(one);
    visitor_free(two);
    visitor_free(bob);
    stage_free(s);
}

static void the_oldest_unused_session_makes_room(void)
{
    struct stage *s = stage_new();
    struct visitor *on = visitor_new(s), *v = visitor_new(s);
    uint8_t first[32], second[32];

    s->hall.config.sessions_max = 3;
    set_registration(s, REGISTRATION_OPEN);
    CHECK(sign_up(on, "ann", PASSWORD, "") == 0 && login(on, "ann", PASSWORD, 1) == 0);
    for (uint8_t i = 2; i <= 4; i++) {
        stage_run(s, SECONDS(1));
        CHECK(login(v, "ann", PASSWORD, i) == 0);
        if (i == 2)
            memcpy(first, v->token, 32);
        if (i == 3)
            memcpy(second, v->token, 32);
        move_to(v, "192.0.2.9");
    }
    CHECK(sessions(on)->n_sessions == 3); /* on is older, but in use */
    CHECK(resume(v, first, 2) == ROOST_SESSION_OVER && resume(v, second, 3) == 0);
    visitor_free(on);
    visitor_free(v);
    stage_free(s);
}

static void a_new_password_ends_other_sessions(void)
{
    struct stage *s = stage_new();
    struct visitor *one = visitor_new(s), *two = visitor_new(s);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Passwd b = ROOST__PASSWD__INIT;

    CHECK(sign_up(one, "ann", PASSWORD, "") == 0);
    CHECK(login(one, "ann", PASSWORD, 1) == 0 && login(two, "ann", PASSWORD, 2) == 0);
    CHECK(passwd(one, "wrong horse", "battery staple") == ROOST_LOGIN_WRONG);
    CHECK(passwd(one, PASSWORD, "short") == ROOST_PASSWORD_WEAK);
    s->hall.unhashed = 1; /* neither wrong nor right */
    CHECK(passwd(one, PASSWORD, "battery staple") == ROOST_BUSY && !two->closed);
    b.old_password = PASSWORD;
    b.new_password = "battery staple";
    m.body_case = ROOST__TO_SERVER__BODY_PASSWD;
    m.passwd = &b;
    CHECK(reply_code(visitor_ask(one, &m)) == 0);
    CHECK(two->closed && over_code(two) == ROOST_SESSION_OVER && !one->closed);
    /* its answer was lost: sent again it is done, though the old password is not the old one now */
    visitor_forget(one);
    CHECK(reply_code(visitor_ask_again(one, &m)) == 0);

    /* a session that guesses is blocked, the account is not */
    for (int i = 0; i < 5; i++)
        CHECK(passwd(one, "wrong horse", "another staple") == ROOST_LOGIN_WRONG);
    CHECK(passwd(one, "battery staple", "another staple") == ROOST_BLOCKED);
    move_to(two, "198.51.100.5");
    CHECK(login(two, "ann", PASSWORD, 2) == ROOST_LOGIN_WRONG);
    CHECK(login(two, "ann", "battery staple", 2) == 0);
    visitor_free(one);
    visitor_free(two);
    stage_free(s);
}

static void an_account_is_deleted(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_named(s, "ann");
    Roost__DeleteAccount b = ROOST__DELETE_ACCOUNT__INIT;
    Roost__AdminDelete a = ROOST__ADMIN_DELETE__INIT;

    b.password = "wrong horse";
    CHECK(reply_code(ASK(v, DELETE_ACCOUNT, delete_account, &b)) == ROOST_LOGIN_WRONG);
    b.password = PASSWORD;
    CHECK(reply_code(ASK(v, DELETE_ACCOUNT, delete_account, &b)) == 0);
    CHECK(v->closed && over_code(v) == ROOST_ACCOUNT_GONE);
    move_to(v, "192.0.2.7");
    CHECK(resume(v, v->token, 1) == ROOST_SESSION_OVER);
    CHECK(login(v, "ann", PASSWORD, 1) == ROOST_LOGIN_WRONG);
    CHECK(sign_up(v, "ann", PASSWORD, "") == 0); /* the name is free again */

    CHECK(reply_code(ASK(boss, DELETE_ACCOUNT, delete_account, &b)) == ROOST_LAST_ADMIN);
    CHECK(!boss->closed);
    CHECK(login(v, "ann", PASSWORD, 3) == 0);
    a.user = "ann";
    CHECK(reply_code(ASK(boss, ADMIN_DELETE, admin_delete, &a)) == 0);
    CHECK(v->closed);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void rooms_forget_who_is_deleted(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_named(s, "ann"),
                   *bob = visitor_named(s, "bob");
    Roost__AdminDelete a = ROOST__ADMIN_DELETE__INIT;
    Roost__Members b = ROOST__MEMBERS__INIT;
    Roost__Target to = ROOST__TARGET__INIT;

    CHECK(visitor_room(v, "hall", "bob") != 0);
    to.name = "#hall";
    b.target = &to;
    Roost__Reply *r = ASK(v, MEMBERS, members, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_MEMBERS && r->members->n_members == 2);

    /* bob is long gone from this node: nobody follows his account here */
    hall_disconnect(&s->hall, bob->conn, HUB_CLOSE_GONE);
    s->by_conn[bob->conn] = NULL;
    for (int i = 0; i < 300; i++) {
        stage_run(s, SECONDS(1));
        CHECK(visitor_say(v, "#hall", "still here") == 0);
        CHECK(whoami(boss) == 0);
    }
    a.user = "bob";
    CHECK(reply_code(ASK(boss, ADMIN_DELETE, admin_delete, &a)) == 0);
    r = ASK(v, MEMBERS, members, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_MEMBERS && r->members->n_members == 1);
    visitor_free(bob);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

TEST_MAIN({ "who_may_register", who_may_register },
          { "nothing_is_hashed_for_a_bad_invitation", nothing_is_hashed_for_a_bad_invitation },
          { "a_forgotten_password", a_forgotten_password },
          { "sessions_are_resumed", sessions_are_resumed },
          { "sessions_are_listed_and_ended", sessions_are_listed_and_ended },
          { "the_oldest_unused_session_makes_room", the_oldest_unused_session_makes_room },
          { "a_new_password_ends_other_sessions", a_new_password_ends_other_sessions },
          { "an_account_is_deleted", an_account_is_deleted },
          { "rooms_forget_who_is_deleted", rooms_forget_who_is_deleted })
