/* asking.h - what visitors ask about accounts, for stories: each returns reply_code. */
#pragma once

#include "visitor.h"

#define SECONDS(n) ((n)*1000000LL)
#define PASSWORD   "correct horse"

#define ASK(v, CASE, member, body)                                                                 \
    visitor_ask(                                                                                   \
        v, &(Roost__ToServer){ .base = PROTOBUF_C_MESSAGE_INIT(&roost__to_server__descriptor),     \
                               .body_case = ROOST__TO_SERVER__BODY_##CASE,                         \
                               .member = body })

void move_to(struct visitor *v, const char *address);
void move_within(struct visitor *v, const char *address, const char *source); /* as it is counted */
struct visitor *visitor_at(struct stage *s, const char *address);
int sign_up(struct visitor *v, const char *name, const char *password, const char *invite);
Roost__Reply *login_reply(struct visitor *v, const char *name, const char *password,
                          uint8_t device);
int login(struct visitor *v, const char *name, const char *password, uint8_t device);
uint64_t blocked_ms(struct visitor *v, const char *name, const char *password, uint8_t device);
int resume(struct visitor *v, const uint8_t token[static 32], uint8_t device);
int whoami(struct visitor *v);
int passwd(struct visitor *v, const char *old, const char *fresh);
int block(struct visitor *v, const char *user, uint64_t seconds);
int unblock(struct visitor *v, const char *user);
const Roost__Blocks *blocks(struct visitor *v);
const Roost__SessionList *sessions(struct visitor *v);
const Roost__LogPage *log_page(struct visitor *v, const char *kind, bool follow);
int over_code(const struct visitor *v);
void set_registration(struct stage *s, enum hub_registration to);
struct visitor *admin_new(struct stage *s);
