/* core_peer.h - a client core and a server made of the test's own hands: what the
 * core sends is decoded and kept, what the test answers is fed to it. Time is a
 * number that the test moves. */
#pragma once

#include "base/err.h"
#include "client/core.h"
#include "test.h"
#include "wire/frame.h"
#include "wire/msg.h"

enum { PEER_FRAMES_MAX = 256 };

struct peer {
    struct core *core;
    int64_t now_us;
    struct {
        struct arena mem;
        Roost__ToServer *m;
        struct blob *bytes;
    } got[PEER_FRAMES_MAX];
    size_t n_got;
    unsigned outputs;   /* 1 << kind, since the last look */
    uint8_t stored[32]; /* what CORE_SAVE made durable */
    bool has_token, hold_save;
    uint8_t next_token;
};

void peer_init(struct peer *p, const struct core_options *o);
void peer_fini(struct peer *p);
void peer_pump(struct peer *p); /* takes all outputs; answers LOAD and SAVE */
bool peer_did(struct peer *p, enum core_output_kind kind);             /* and forgets it */
void peer_forget(struct peer *p);                                      /* frames got so far */
Roost__ToServer *peer_find(struct peer *p, int body_case, size_t nth); /* NULL: none */

void peer_push(struct peer *p, Roost__ToClient *m);
void peer_reply(struct peer *p, const Roost__ToServer *to, Roost__Reply *r);
void peer_welcome(struct peer *p);
void peer_session(struct peer *p, const Roost__ToServer *to);
void peer_done(struct peer *p, const Roost__ToServer *to, uint64_t seq);
void peer_error(struct peer *p, const Roost__ToServer *to, int code);
void peer_event(struct peer *p, uint64_t room, uint64_t seq, uint64_t sender);
void peer_synced(struct peer *p, const Roost__ToServer *to, uint64_t upto, uint64_t head,
                 bool more);

void peer_up(struct peer *p);    /* connected, greeted, and logged in or resumed */
void peer_cut(struct peer *p);   /* the connection is lost */
void peer_again(struct peer *p); /* time goes on until the core has connected and resumed */
/* The next event of a kind, others are passed over; NULL: none. */
struct core_event *peer_next(struct peer *p, enum core_event_kind kind);
