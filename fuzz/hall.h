/* hall.h - what the fuzzers of a live hub share: what it says is heard, and it is told something.
 */
#pragma once

#include <assert.h>
#include <string.h>

#include "sim/hall.h"
#include "wire/frame.h"
#include "wire/msg.h"

typedef void fuzz_heard_fn(void *ctx, uint64_t conn, const Roost__ToClient *m);

/* Whatever comes out is whole frames that a client understands. */
static inline void fuzz_hear(fuzz_heard_fn *heard, void *ctx, uint64_t conn,
                             const struct blob *bytes)
{
    struct frame_reader r;
    const uint8_t *p = bytes->bytes, *end = p + bytes->len, *body;
    size_t len;
    int got;

    frame_reader_init(&r);
    while ((got = frame_next(&r, &p, end, &body, &len)) > 0) {
        struct arena a = { 0 };
        int err = 0;
        Roost__ToClient *m = msg_to_client_decode(&a, body, len, &err);
        assert(m && "a client understands what the server says");
        heard(ctx, conn, m);
        arena_fini(&a);
    }
    assert(got == 0 && p == end && "whole frames only");
    frame_reader_fini(&r);
}

/* The nth request of this life. conn 0: nobody is there to say it. */
static inline void fuzz_tell(struct hall *hall, uint64_t conn, uint64_t nth, Roost__ToServer *m)
{
    uint8_t id[16] = { 0xf0 };

    memcpy(id + 8, &nth, sizeof nth);
    m->id = (ProtobufCBinaryData){ sizeof id, id };
    struct blob *b = msg_encode(&m->base);
    if (b && conn)
        hall_frame(hall, conn, b->bytes + FRAME_HEAD, b->len - FRAME_HEAD);
    blob_unref(b);
    hall_settle(hall);
}

/* w has a hall, conn[] and id; `member` of the body is the last argument. */
#define SEND(w, i, member, kind, ...)                                                              \
    do {                                                                                           \
        Roost__ToServer to = ROOST__TO_SERVER__INIT;                                               \
        to.body_case = ROOST__TO_SERVER__BODY_##kind;                                              \
        to.member = (__VA_ARGS__);                                                                 \
        fuzz_tell(&(w)->hall, (w)->conn[i], ++(w)->id, &to);                                       \
    } while (0)
