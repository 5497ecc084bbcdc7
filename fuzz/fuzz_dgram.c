/* Datagrams: what can be read is written the same, byte for byte, and no cut of it reads
 * as more. First as the outside of a packet, then its inside as frames. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/dgram.h"
#include "wire/packet.h"

enum { ROOM = PACKET_MTU_MAX };

static void look_outside(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len + 1), head[PACKET_HEAD_TAIL];
    struct packet p;

    assert(copy);
    memcpy(copy, data, len);
    if (!packet_read(&p, copy, len)) {
        assert(p.frames_len && p.head_len + p.frames_len + PACKET_TAG + p.tail_len == len);
        assert(p.frames + p.frames_len + PACKET_TAG == p.tail && !p.has_tail == !p.tail_len);
        assert(packet_write_head(head, &p) == p.head_len && !memcmp(head, data, p.head_len));
    }
    free(copy);
}

/* Ranges fall, have holes between them, and come out as they went in. */
static void check_ack(const struct ack *a)
{
    assert(a->n_ranges >= 1 && a->n_ranges <= ACK_RANGES_MAX && a->n_times <= ACK_TIMES_MAX);
    for (uint32_t i = 0; i < a->n_ranges; i++) {
        assert(a->ranges[i].first <= a->ranges[i].last);
        assert(!i || a->ranges[i].last + 1 < a->ranges[i - 1].first);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[ROOM];
    struct reader r = reader_of(data, len < ROOM ? len : ROOM);
    struct dgram f;
    struct ack ack;

    look_outside(data, len);
    for (;;) {
        const uint8_t *from = r.p;
        struct writer w = writer_of(again, ROOM);
        if (dgram_read(&r, &f, &ack) != 1)
            break;
        size_t n = (size_t)(r.p - from);
        if (f.kind == DGRAM_PAD)
            w.end = w.p + n;
        if (f.kind == DGRAM_ACK || f.kind == DGRAM_ACK_ECN) {
            check_ack(&ack);
            assert(dgram_write_ack(&w, &ack));
        } else {
            assert(dgram_write(&w, &f));
        }
        assert((size_t)(w.p - again) == n && !memcmp(again, from, n));
    }
    return 0;
}
