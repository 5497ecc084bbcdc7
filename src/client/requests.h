/* requests.h - how a request function of roost*.h is written: what requests*.c share. */
#pragma once

#include "client/edge.h"

/* Begins its body: m is the frame, b its message. */
#define BEGIN(Type, TYPE, field)                                                                   \
    Roost__##Type b = ROOST__##TYPE##__INIT;                                                       \
    Roost__ToServer m = ROOST__TO_SERVER__INIT;                                                    \
    m.body_case = ROOST__TO_SERVER__BODY_##TYPE;                                                   \
    m.field = &b

/* Sends it: its number, or the negative of an error. */
static inline int64_t ask(struct roost *r, Roost__ToServer *m)
{
    return core_request(r->core, m, edge_now_us());
}
