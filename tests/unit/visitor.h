/* visitor.h - somebody in front of a hub, for stories about rules.
 *
 * Sends requests as a client would and keeps what comes back. Everything runs
 * in virtual time on one thread (sim/hall.h).
 */
#pragma once

#include "sim/hall.h"
#include "wire/msg.h"

enum { VISITORS_MAX = 16, HEARD_MAX = 4096 };

struct visitor {
    struct stage *stage;
    struct visitor *next; /* of the stage's */
    uint64_t conn;
    uint64_t account;
    uint8_t token[32];
    uint64_t n_requests;
    struct {
        struct arena mem;
        Roost__ToClient *frame;
    } heard[HEARD_MAX];
    size_t n_heard;
    bool closed;
};

struct stage {
    struct hall hall;
    int64_t now_us;
    uint64_t n_conns;
    struct visitor *by_conn[1024];
    struct visitor *visitors;
};

struct stage *
stage_new(void); /* registration open, no store delay; aborts the test without memory */
void stage_free(struct stage *s);            /* and all visitors that are left */
void stage_run(struct stage *s, int64_t us); /* time goes on */

struct visitor *visitor_new(struct stage *s); /* connected and greeted */
void visitor_free(struct visitor *v);
void visitor_connect(struct visitor *v); /* again, after a close */
/* Registers and logs in. */
struct visitor *visitor_named(struct stage *s, const char *name);

/* Sends and lets everything settle; returns the reply, or NULL when none came. */
Roost__Reply *visitor_ask(struct visitor *v, Roost__ToServer *m);
/* The same bytes once more: what a client does after a lost connection. */
Roost__Reply *visitor_ask_again(struct visitor *v, Roost__ToServer *m);

/* Sends, and does not wait for what comes of it. */
void visitor_send(struct visitor *v, Roost__ToServer *m);
/* How many refusals with this code it has heard. */
size_t visitor_errors(const struct visitor *v, uint32_t code);

/* 0 for any good reply, else the code of the error; -1: no reply. */
int reply_code(const Roost__Reply *r);

/* Shorthands; each returns reply_code. */
int visitor_say(struct visitor *v, const char *target, const char *text);
int visitor_sync(struct visitor *v, uint64_t room, uint64_t after);
uint64_t visitor_room(struct visitor *v, const char *name,
                      const char *user); /* makes it; its number */

/* The n-th event frame of the room heard since the last visitor_forget; NULL. */
Roost__Event *visitor_event(struct visitor *v, uint64_t room, size_t n);
size_t visitor_events(struct visitor *v, uint64_t room);
void visitor_forget(struct visitor *v);
