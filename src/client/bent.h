/* bent.h - a modelled link between a client's datagrams and what really carries them.
 *
 * What is sent and what comes waits in it as on the link that was asked for: datagrams of UDP
 * as such, messages of a tunnel in order and complete. So one sees what a program makes of a
 * bad link without having one. Control is not bent. One thread; microseconds.
 */
#pragma once

#include "client/tunnel.h"
#include "flow/flow.h"
#include "lab/spec.h"
#include "net/detour.h"

struct bent {
    struct detour way;                  /* datagrams */
    struct link stream_up, stream_down; /* messages */
    struct blob *refused;               /* of stream_up: it was full */
};

/* NULL: out of memory. */
struct bent *bent_new(const struct link_pair *how, uint64_t seed);
void bent_free(struct bent *b);

/* What net/detour.h does with datagrams, with the messages of a tunnel. */
void bent_hear_message(struct bent *b, const uint8_t *bytes, size_t len, int64_t now_us);
void bent_deliver_messages(struct bent *b, struct flow *f, int64_t now_us);
int bent_send_messages(struct bent *b, struct flow *f, struct tunnel *t, int64_t now_us);
/* A message that was made elsewhere; what the link refuses is lost: it is media. */
void bent_put_message(struct bent *b, const uint8_t *bytes, size_t len, int64_t now_us);
void bent_reset_stream(struct bent *b); /* the tunnel is another one */

int64_t bent_deadline_us(const struct bent *b);
