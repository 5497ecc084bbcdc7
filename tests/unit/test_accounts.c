/* Stories about accounts: who gets in, who is kept out, and for how long. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "test.h"
#include "visitor.h"

#define SECONDS(n) ((n)*1000000LL)
#define PASSWORD   "correct horse"

/* --- requests ----------------------------------------------------------------------------- */

#define ASK(v, CASE, member, body)                                                                 \
    visitor_ask(                                                                                   \
        v, &(Roost__ToServer){ .base = PROTOBUF_C_MESSAGE_INIT(&roost__to_server__descriptor),     \
                               .body_case = ROOST__TO_SERVER__BODY_##CASE,                         \
                               .member = body })

/* Connects again, from somewhere else. */
static void move_to(struct visitor *v, const char *address)
{
    struct hub_peer peer = { .local = false };
    Roost__Hello hello = ROOST__HELLO__INIT;

    strncpy(peer.address, address, sizeof peer.address - 1);
    strncpy(peer.source, address, sizeof peer.source - 1);
    hall_disconnect(&v->stage->hall, v->conn, HUB_CLOSE_GONE);
    v->stage->by_conn[v->conn] = NULL;
    v->conn = ++v->stage->n_conns;
    CHECK(v->conn < 1024);
    v->stage->by_conn[v->conn] = v;
    v->closed = false;
    v->account = 0;
    hall_connect(&v->stage->hall, v->conn, &peer);
    hello.version_min = hello.version_max = 1;
    CHECK(reply_code(ASK(v, HELLO, hello, &hello)) == 0);
}

static struct visitor *visitor_at(struct stage *s, const char *address)
{
    struct visitor *v = visitor_new(s);

    move_to(v, address);
    return v;
}

static int sign_up(struct visitor *v, const char *name, const char *password, const char *invite)
{
    Roost__SignUp b = ROOST__SIGN_UP__INIT;

    b.name = (char *)name;
    b.password = (char *)password;
    b.invite = (char *)invite;
    return reply_code(ASK(v, SIGN_UP, sign_up, &b));
}

static Roost__Reply *login_reply(struct visitor *v, const char *name, const char *password,
                                 uint8_t device)
{
    Roost__Login b = ROOST__LOGIN__INIT;
    uint8_t secret[32] = { 0xde, device };

    b.name = (char *)name;
    b.password = (char *)password;
    b.device = (ProtobufCBinaryData){ sizeof secret, secret };
    b.device_name = "a test";
    Roost__Reply *r = ASK(v, LOGIN, login, &b);
    if (r && r->result_case == ROOST__REPLY__RESULT_SESSION) {
        v->account = r->session->account;
        memcpy(v->token, r->session->token.data, sizeof v->token);
    }
    return r;
}

static int login(struct visitor *v, const char *name, const char *password, uint8_t device)
{
    return reply_code(login_reply(v, name, password, device));
}

static uint64_t blocked_ms(struct visitor *v, const char *name, const char *password,
                           uint8_t device)
{
    Roost__Reply *r = login_reply(v, name, password, device);

    return reply_code(r) == ROOST_BLOCKED ? r->error->retry_after_ms : 0;
}

static int resume(struct visitor *v, const uint8_t token[static 32], uint8_t device)
{
    Roost__Resume b = ROOST__RESUME__INIT;
    uint8_t secret[32] = { 0xde, device };

    b.token = (ProtobufCBinaryData){ 32, (uint8_t *)token };
    b.device = (ProtobufCBinaryData){ sizeof secret, secret };
    Roost__Reply *r = ASK(v, RESUME, resume, &b);
    if (r && r->result_case == ROOST__REPLY__RESULT_SESSION) {
        v->account = r->session->account;
        memcpy(v->token, r->session->token.data, sizeof v->token);
    }
    return reply_code(r);
}

static int whoami(struct visitor *v)
{
    return reply_code(ASK(v, WHOAMI, whoami, &(Roost__Whoami)ROOST__WHOAMI__INIT));
}

static int passwd(struct visitor *v, const char *old, const char *fresh)
{
    Roost__Passwd b = ROOST__PASSWD__INIT;

    b.old_password = (char *)old;
    b.new_password = (char *)fresh;
    return reply_code(ASK(v, PASSWD, passwd, &b));
}

static int block(struct visitor *v, const char *user, uint64_t seconds)
{
    Roost__AdminBlock b = ROOST__ADMIN_BLOCK__INIT;

    b.user = (char *)user;
    b.seconds = seconds;
    return reply_code(ASK(v, ADMIN_BLOCK, admin_block, &b));
}

static int unblock(struct visitor *v, const char *user)
{
    Roost__AdminUnblock b = ROOST__ADMIN_UNBLOCK__INIT;

    b.user = (char *)user;
    return reply_code(ASK(v, ADMIN_UNBLOCK, admin_unblock, &b));
}

static const Roost__Blocks *blocks(struct visitor *v)
{
    Roost__Reply *r = ASK(v, ADMIN_BLOCKS, admin_blocks,
                          &(Roost__AdminBlocks)ROOST__ADMIN_BLOCKS__INIT);

    CHECK(r && r->result_case == ROOST__REPLY__RESULT_BLOCKS);
    return r->blocks;
}

static const Roost__SessionList *sessions(struct visitor *v)
{
    Roost__Reply *r = ASK(v, LIST_SESSIONS, list_sessions,
                          &(Roost__ListSessions)ROOST__LIST_SESSIONS__INIT);

    CHECK(r && r->result_case == ROOST__REPLY__RESULT_SESSIONS);
    return r->sessions;
}

static const Roost__LogPage *log_page(struct visitor *v, const char *kind, bool follow)
{
    Roost__AdminLog b = ROOST__ADMIN_LOG__INIT;

    b.kind = (char *)kind;
    b.follow = follow;
    Roost__Reply *r = ASK(v, ADMIN_LOG, admin_log, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_LOG);
    return r->log;
}

/* The code of the SessionOver that was heard; 0: none. */
static int over_code(const struct visitor *v)
{
    for (size_t i = 0; i < v->n_heard; i++)
        if (v->heard[i].frame->body_case == ROOST__TO_CLIENT__BODY_SESSION_OVER)
            return (int)v->heard[i].frame->session_over->error->code;
    return 0;
}

static void set_registration(struct stage *s, enum hub_registration to)
{
    s->hall.config.registration = to;
    hub_set_config(s->hall.hub, &s->hall.config);
}

/* An admin, by the invitation that an empty store gets; device 200. */
static struct visitor *admin_new(struct stage *s)
{
    struct visitor *v = visitor_at(s, "203.0.113.1");

    CHECK(sign_up(v, "boss", PASSWORD, s->hall.first_admin) == 0);
    CHECK(login(v, "boss", PASSWORD, 200) == 0);
    return v;
}

/* --- stories ---------------------------------------------------------------------------------- */

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

static void admins_block_and_lift(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_at(s, "198.51.100.1");

    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    for (int i = 0; i < 5; i++)
        CHECK(login(v, "ann", "wrong horse", 9) == ROOST_LOGIN_WRONG);
    const Roost__Blocks *list = blocks(boss);
    size_t blocked = 0;
    for (size_t i = 0; i < list->n_blocks; i++)
        if (list->blocks[i]->until_ms) {
            blocked++;
            CHECK(strcmp(list->blocks[i]->kind, "pair") == 0);
            CHECK(strcmp(list->blocks[i]->source, "198.51.100.1") == 0);
        }
    CHECK(blocked == 1 && list->n_blocks == 3);
    CHECK(unblock(boss, "Ann") == 0);
    CHECK(login(v, "ann", PASSWORD, 1) == 0);

    /* a whole account: its sessions end, a known device does not help */
    CHECK(block(boss, "boss", 60) == ROOST_NOT_ALLOWED);
    CHECK(block(boss, "nobody", 60) == ROOST_NO_SUCH_USER);
    CHECK(block(boss, "ann", 3600) == 0);
    CHECK(v->closed && over_code(v) == ROOST_BLOCKED);
    move_to(v, "192.0.2.44");
    CHECK(resume(v, v->token, 1) == ROOST_SESSION_OVER);
    CHECK(blocked_ms(v, "ann", PASSWORD, 1) == 3600000);
    CHECK(unblock(boss, "ann") == 0 && login(v, "ann", PASSWORD, 1) == 0);
    CHECK(unblock(v, "ann") == ROOST_NOT_ALLOWED && block(v, "boss", 1) == ROOST_NOT_ALLOWED);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void roles_users_and_sessions(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_named(s, "ann");
    Roost__AdminRole role = ROOST__ADMIN_ROLE__INIT;
    Roost__AdminUsers all = ROOST__ADMIN_USERS__INIT;
    Roost__AdminSessions on = ROOST__ADMIN_SESSIONS__INIT;
    Roost__AdminEndSession end = ROOST__ADMIN_END_SESSION__INIT;
    Roost__AdminRooms rooms = ROOST__ADMIN_ROOMS__INIT;

    CHECK(reply_code(ASK(v, ADMIN_USERS, admin_users, &all)) == ROOST_NOT_ALLOWED);
    Roost__Reply *r = ASK(boss, ADMIN_USERS, admin_users, &all);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_USERS && r->users->n_users == 2);

    role.user = "boss";
    role.role = ROOST__ROLE__USER;
    CHECK(reply_code(ASK(boss, ADMIN_ROLE, admin_role, &role)) == ROOST_LAST_ADMIN);
    role.user = "ann";
    role.role = ROOST__ROLE__ADMIN;
    CHECK(reply_code(ASK(boss, ADMIN_ROLE, admin_role, &role)) == 0);
    r = ASK(v, ADMIN_SESSIONS, admin_sessions, &on); /* from now on she may */
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_SESSIONS && r->sessions->n_sessions == 2);
    CHECK(strcmp(r->sessions->sessions[0]->name, "boss") == 0);
    end.session = r->sessions->sessions[0]->session;
    CHECK(reply_code(ASK(v, ADMIN_END_SESSION, admin_end_session, &end)) == 0);
    CHECK(boss->closed && over_code(boss) == ROOST_SESSION_OVER);
    r = ASK(v, ADMIN_ROOMS, admin_rooms, &rooms);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_ROOMS && r->rooms->n_rooms == 1);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void the_log_is_read_and_followed(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_at(s, "198.51.100.1");

    for (int i = 0; i < 6; i++)
        login(v, "nobody", "wrong horse", 9);
    stage_run(s, SECONDS(2));
    const Roost__LogPage *page = log_page(boss, "login", true);
    size_t wrong = 0, refused = 0;
    for (size_t i = 0; i < page->n_lines; i++) {
        const Roost__LogLine *l = page->lines[i];
        bool his = strcmp(l->target, "nobody") == 0 && strcmp(l->address, "198.51.100.1") == 0;
        wrong += his && strcmp(l->outcome, "login-wrong") == 0;
        refused += his && strcmp(l->outcome, "blocked") == 0;
    }
    CHECK(wrong == 5 && refused == 1);

    visitor_forget(boss);
    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    stage_run(s, SECONDS(1));
    size_t lines = 0, of_ann = 0;
    for (size_t i = 0; i < boss->n_heard; i++)
        if (boss->heard[i].frame->body_case == ROOST__TO_CLIENT__BODY_LOG_LINE) {
            const Roost__LogLine *l = boss->heard[i].frame->log_line;
            lines++;
            of_ann += strcmp(l->kind, "sign_up") == 0 && strcmp(l->outcome, "ok") == 0;
        }
    CHECK(of_ann == 1 && lines <= 3); /* and that the log was read */

    /* nothing happens: nothing is looked for */
    uint64_t before = s->hall.counts.operations;
    for (int i = 0; i < 20; i++)
        stage_run(s, 100000);
    CHECK(s->hall.counts.operations - before <= 1);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void exports_leave_out_private_rooms(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_named(s, "ann");
    Roost__AdminExport b = ROOST__ADMIN_EXPORT__INIT;
    uint64_t room = visitor_room(v, "hall", NULL), direct = 0;

    CHECK(visitor_say(v, "#hall", "hello") == 0 && visitor_say(v, "@boss", "psst") == 0);
    for (uint64_t i = room + 1; i < room + 5; i++) {
        b.room = i;
        if (reply_code(ASK(boss, ADMIN_EXPORT, admin_export, &b)) == ROOST_NOT_ALLOWED)
            direct = i;
    }
    b.room = room; /* not a member, but an admin */
    Roost__Reply *r = ASK(boss, ADMIN_EXPORT, admin_export, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_PAGE);
    CHECK(strcmp(r->page->events[r->page->n_events - 1]->text->text, "hello") == 0);
    CHECK(reply_code(ASK(v, ADMIN_EXPORT, admin_export, &b)) == ROOST_NOT_ALLOWED);

    s->hall.config.log_private_text = true;
    set_registration(s, REGISTRATION_OPEN);
    b.room = direct;
    CHECK(direct && reply_code(ASK(boss, ADMIN_EXPORT, admin_export, &b)) == 0);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void the_calculator_answers(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_named(s, "ann");
    Roost__Calc b = ROOST__CALC__INIT;

    b.expression = "7 % 3";
    Roost__Reply *r = ASK(v, CALC, calc, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_ANSWER && strcmp(r->answer->text, "1") == 0);
    b.expression = "7 / 0";
    CHECK(reply_code(ASK(v, CALC, calc, &b)) == ROOST_DIVISION_BY_ZERO);
    visitor_free(v);
    stage_free(s);
}

TEST_MAIN({ "registers_and_logs_in", registers_and_logs_in },
          { "a_request_sent_again_is_done_once", a_request_sent_again_is_done_once },
          { "guessing_is_blocked_and_tells_nothing", guessing_is_blocked_and_tells_nothing },
          { "unknown_names_take_the_same_steps", unknown_names_take_the_same_steps },
          { "a_flood_of_logins_is_bounded", a_flood_of_logins_is_bounded },
          { "blocks_survive_a_crash", blocks_survive_a_crash },
          { "a_known_device_is_not_locked_out", a_known_device_is_not_locked_out },
          { "a_source_that_tries_many_names", a_source_that_tries_many_names },
          { "who_may_register", who_may_register },
          { "a_forgotten_password", a_forgotten_password },
          { "sessions_are_resumed", sessions_are_resumed },
          { "sessions_are_listed_and_ended", sessions_are_listed_and_ended },
          { "the_oldest_unused_session_makes_room", the_oldest_unused_session_makes_room },
          { "a_new_password_ends_other_sessions", a_new_password_ends_other_sessions },
          { "an_account_is_deleted", an_account_is_deleted },
          { "rooms_forget_who_is_deleted", rooms_forget_who_is_deleted },
          { "admins_block_and_lift", admins_block_and_lift },
          { "roles_users_and_sessions", roles_users_and_sessions },
          { "the_log_is_read_and_followed", the_log_is_read_and_followed },
          { "exports_leave_out_private_rooms", exports_leave_out_private_rooms },
          { "the_calculator_answers", the_calculator_answers })
