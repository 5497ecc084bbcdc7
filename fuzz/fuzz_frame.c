/* Control framing: whatever arrives, in pieces of whatever size, gives the same
 * bodies as in one piece, and each body the same message. First byte: piece size. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/msg.h"

static uint64_t mix(uint64_t h, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return (h ^ len) * 0x100000001b3u;
}

static uint64_t decode(uint64_t h, const uint8_t *body, size_t len)
{
    struct arena a = { 0 };
    int err = 0;

    Roost__ToServer *m = msg_to_server_decode(&a, body, len, &err);
    assert((m != NULL) == (err == 0));
    if (m) { /* unknown fields with odd tags come back otherwise: no identity here */
        struct blob *b = msg_encode(&m->base);
        struct arena again = { 0 };
        assert(!b || b->len <= FRAME_HEAD + FRAME_BODY_MAX);
        if (b)
            msg_to_server_decode(&again, b->bytes + FRAME_HEAD, b->len - FRAME_HEAD, &err);
        arena_fini(&again);
        blob_unref(b);
    }
    arena_fini(&a);

    msg_to_client_decode(&a, body, len, &err);
    arena_fini(&a);
    return mix(h, body, len);
}

static uint64_t read_all(const uint8_t *data, size_t len, size_t piece)
{
    struct frame_reader r;
    uint64_t h = 0xcbf29ce484222325u;
    int got = 0;

    frame_reader_init(&r);
    for (size_t at = 0; at < len && got >= 0; at += piece) {
        const uint8_t *p = data + at, *end = data + (at + piece < len ? at + piece : len);
        const uint8_t *body;
        size_t n;
        while ((got = frame_next(&r, &p, end, &body, &n)) > 0)
            h = decode(h, body, n);
        assert(got < 0 || p == end);
    }
    frame_reader_fini(&r);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    size_t piece = 1 + data[0];
    uint64_t whole = read_all(data + 1, len - 1, len);
    uint64_t parts = read_all(data + 1, len - 1, piece);
    assert(whole == parts);
    return 0;
}
