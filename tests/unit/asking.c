#include "asking.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "test.h"

/* Connects again, from somewhere else. */
void move_to(struct visitor *v, const char *address)
{
    move_within(v, address, address);
}

void move_within(struct visitor *v, const char *address, const char *source)
{
    struct hub_peer peer = { .local = false };
    Roost__Hello hello = ROOST__HELLO__INIT;

    strncpy(peer.address, address, sizeof peer.address - 1);
    strncpy(peer.source, source, sizeof peer.source - 1);
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

struct visitor *visitor_at(struct stage *s, const char *address)
{
    struct visitor *v = visitor_new(s);

    move_to(v, address);
    return v;
}

int sign_up(struct visitor *v, const char *name, const char *password, const char *invite)
{
    Roost__SignUp b = ROOST__SIGN_UP__INIT;

    b.name = (char *)name;
    b.password = (char *)password;
    b.invite = (char *)invite;
    return reply_code(ASK(v, SIGN_UP, sign_up, &b));
}

Roost__Reply *login_reply(struct visitor *v, const char *name, const char *password, uint8_t device)
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

int login(struct visitor *v, const char *name, const char *password, uint8_t device)
{
    return reply_code(login_reply(v, name, password, device));
}

uint64_t blocked_ms(struct visitor *v, const char *name, const char *password, uint8_t device)
{
    Roost__Reply *r = login_reply(v, name, password, device);

    return reply_code(r) == ROOST_BLOCKED ? r->error->retry_after_ms : 0;
}

int resume(struct visitor *v, const uint8_t token[static 32], uint8_t device)
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

int whoami(struct visitor *v)
{
    return reply_code(ASK(v, WHOAMI, whoami, &(Roost__Whoami)ROOST__WHOAMI__INIT));
}

int passwd(struct visitor *v, const char *old, const char *fresh)
{
    Roost__Passwd b = ROOST__PASSWD__INIT;

    b.old_password = (char *)old;
    b.new_password = (char *)fresh;
    return reply_code(ASK(v, PASSWD, passwd, &b));
}

int block(struct visitor *v, const char *user, uint64_t seconds)
{
    Roost__AdminBlock b = ROOST__ADMIN_BLOCK__INIT;

    b.user = (char *)user;
    b.seconds = seconds;
    return reply_code(ASK(v, ADMIN_BLOCK, admin_block, &b));
}

int unblock(struct visitor *v, const char *user)
{
    Roost__AdminUnblock b = ROOST__ADMIN_UNBLOCK__INIT;

    b.user = (char *)user;
    return reply_code(ASK(v, ADMIN_UNBLOCK, admin_unblock, &b));
}

const Roost__Blocks *blocks(struct visitor *v)
{
    Roost__Reply *r = ASK(v, ADMIN_BLOCKS, admin_blocks,
                          &(Roost__AdminBlocks)ROOST__ADMIN_BLOCKS__INIT);

    CHECK(r && r->result_case == ROOST__REPLY__RESULT_BLOCKS);
    return r->blocks;
}

const Roost__SessionList *sessions(struct visitor *v)
{
    Roost__Reply *r = ASK(v, LIST_SESSIONS, list_sessions,
                          &(Roost__ListSessions)ROOST__LIST_SESSIONS__INIT);

    CHECK(r && r->result_case == ROOST__REPLY__RESULT_SESSIONS);
    return r->sessions;
}

const Roost__LogPage *log_page(struct visitor *v, const char *kind, bool follow)
{
    Roost__AdminLog b = ROOST__ADMIN_LOG__INIT;

    b.kind = (char *)kind;
    b.follow = follow;
    Roost__Reply *r = ASK(v, ADMIN_LOG, admin_log, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_LOG);
    return r->log;
}

/* The code of the SessionOver that was heard; 0: none. */
int over_code(const struct visitor *v)
{
    for (size_t i = 0; i < v->n_heard; i++)
        if (v->heard[i].frame->body_case == ROOST__TO_CLIENT__BODY_SESSION_OVER)
            return (int)v->heard[i].frame->session_over->error->code;
    return 0;
}

void set_registration(struct stage *s, enum hub_registration to)
{
    s->hall.config.registration = to;
    hub_set_config(s->hall.hub, &s->hall.config);
}

/* An admin, by the invitation that an empty store gets; device 200. */
struct visitor *admin_new(struct stage *s)
{
    struct visitor *v = visitor_at(s, "203.0.113.1");

    CHECK(sign_up(v, "boss", PASSWORD, s->hall.first_admin) == 0);
    CHECK(login(v, "boss", PASSWORD, 200) == 0);
    return v;
}
