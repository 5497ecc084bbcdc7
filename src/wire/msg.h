/* msg.h - protobuf messages to and from bytes, with the checks that protobuf-c
 * does not make.
 *
 * Decoding draws on an arena whose limit is 8 times the frame, at most 1 MiB
 * (a packed message of empty submessages would otherwise grow a hundredfold; a
 * client allows its server 1 MiB for any frame, as pages of short lines need it),
 * and refuses strings that are not UTF-8 or hold a zero byte. The message lives
 * in the arena: nothing else is to be freed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/blob.h"
#include "proto/roost.pb-c.h"

/* NULL with *ret_err set to -ROOST_MALFORMED, -ROOST_LIMIT or -ROOST_NOMEM. The
 * arena must be empty; its limit is set here. */
Roost__ToServer *msg_to_server_decode(struct arena *a, const uint8_t *p, size_t len, int *ret_err);
Roost__ToClient *msg_to_client_decode(struct arena *a, const uint8_t *p, size_t len, int *ret_err);
/* Any message, by its descriptor. */
void *msg_decode(struct arena *a, const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t len,
                 int *ret_err);

/* Our own bytes, from the store: NULL when out of memory, or when they are none. The arena
 * may be in use. */
void *msg_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, const uint8_t *p,
                 size_t len);
int msg_pack(struct arena *a, const ProtobufCMessage *m, const uint8_t **ret, size_t *ret_len);

/* Declares m, a frame to the server, and b, its body of this Type: TYPE in the oneof, in `field`.
 */
#define MSG_TO_SERVER(m, b, Type, TYPE, field)                                                     \
    Roost__##Type b = ROOST__##TYPE##__INIT;                                                       \
    Roost__ToServer m = ROOST__TO_SERVER__INIT;                                                    \
    (m).body_case = ROOST__TO_SERVER__BODY_##TYPE;                                                 \
    (m).field = &(b)

/* A whole frame, head included; NULL when out of memory or above FRAME_BODY_MAX. */
struct blob *msg_encode(const ProtobufCMessage *m);
