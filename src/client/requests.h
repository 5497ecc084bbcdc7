/* requests.h - how a request function of roost*.h is written: what requests*.c share. */
#pragma once

#include "client/edge.h"
#include "wire/msg.h"

/* Begins its body: m is the frame, b its message. */
#define BEGIN(Type, TYPE, field) MSG_TO_SERVER(m, b, Type, TYPE, field)

/* Sends it: its number, or the negative of an error. */
static inline int64_t ask(struct roost *r, Roost__ToServer *m)
{
    return core_request(r->core, m, edge_now_us());
}
