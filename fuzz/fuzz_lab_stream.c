/* The media stream, both sides: a client stores nothing outside of the file and counts each
 * datagram once; a server sends again only what it has sent, and not without end. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "fuzz/lab.h"
#include "lab/classics/stream.h"

static void serve(const uint8_t *data, size_t len)
{
    struct stream_out t;
    struct stream_message m;
    struct dice dice = { 1 };
    uint8_t bytes[LAB_MESSAGE_MAX];
    int64_t now_us = 1000000;
    size_t n;

    stream_out_init(&t, 100000, 1000000);
    while (lab_message(&data, &len, bytes, &n)) {
        stream_out_hear(&t, bytes, n, now_us);
        for (int i = 0; stream_out_next(&t, now_us, &dice, &m); i++) {
            assert(i < 1000);
            assert(m.kind != STREAM_PIECE || (m.len && m.at + m.len <= t.at && t.at <= t.size));
        }
        now_us += n % 7 ? 5000 : 200000;
    }
    stream_out_fini(&t);
}

static void take(const uint8_t *data, size_t len, bool repairs)
{
    struct stream_in t;
    struct stream_message m;
    uint8_t bytes[LAB_MESSAGE_MAX];
    char text[256];
    int64_t now_us = 1000000;
    size_t n;

    stream_in_init(&t, 7, repairs, now_us);
    while (lab_message(&data, &len, bytes, &n)) {
        stream_describe(bytes, n, text);
        if (stream_in_hear(&t, bytes, n, now_us, &m))
            assert(m.len && m.at + m.len <= t.size);
        for (int i = 0; stream_in_next(&t, now_us, &m); i++)
            assert(i < 10 && stream_encode(&m, bytes));
        assert(stream_in_ready(&t) <= t.size && t.have.n <= SPANS_MAX && t.top <= t.size);
        assert(t.got + t.given_up <= t.size);
        assert(t.state != STREAM_OVER || stream_in_ready(&t) == t.size);
        now_us += n % 5 ? 2000 : 150000;
    }
    stream_in_fini(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    if (data[0] & 1)
        serve(data + 1, len - 1);
    else
        take(data + 1, len - 1, data[0] & 2);
    return 0;
}
