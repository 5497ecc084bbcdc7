/* A worker's relay with tables, frames and askings that make no sense: nothing breaks, what it
 * holds is bounded, who is muted is heard by nobody, and every datagram fits. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "relay/inside.h"
#include "wire/packet.h"

enum { LEGS = 6, STREAMS = 8, STEPS_MAX = 600 };

struct play {
    const uint8_t *p;
    size_t left;
    int64_t now_us;
    struct relay *r;
};

static uint32_t next(struct play *x)
{
    if (!x->left)
        return 0;
    x->left--;
    return *x->p++;
}

static void media(struct play *x)
{
    struct media m = { .stream = next(x) % STREAMS, .len = 1 + next(x) * 4, .last = true };
    uint32_t buffer, flags = next(x);

    m.codec = (uint8_t)(1 + next(x) % 4);
    m.key = flags & 1;
    m.encoding = flags >> 1 & 3;
    m.temporal = flags >> 3 & 7;
    m.has_level = flags & 64;
    m.level = (uint8_t)next(x) & 127;
    m.has_mark = flags & 128;
    m.frame = next(x);
    m.part = (uint16_t)(m.has_mark ? next(x) % 4 : 0);
    uint8_t *to = relay_buffer(x->r, &buffer);
    memset(to, (int)m.stream, x->r->is.buffer_bytes);
    relay_on_media(x->r, x->now_us, x->now_us, next(x) % (LEGS + 1), &m, buffer, next(x) * 2);
}

static void tables(struct play *x)
{
    uint32_t what = next(x) % 8, leg = next(x) % (LEGS + 1);
    uint64_t stream = next(x) % STREAMS;

    switch (what) {
    case 0:
    case 1:
        relay_enter(x->r, next(x) % 3, x->now_us);
        break;
    case 2:
        relay_leave(x->r, leg);
        break;
    case 3:
        relay_publish(x->r, leg, stream, next(x) & 1);
        break;
    case 4:
        relay_unpublish(x->r, leg, stream);
        break;
    case 5:
        relay_mute(x->r, next(x) % 3, stream, next(x) & 1);
        break;
    default:
        relay_want(x->r, leg, stream, (uint8_t)next(x) % 5, (int)(next(x) % 10) - 2);
    }
}

static void ask(struct play *x)
{
    struct nack n = { next(x) % STREAMS, 1 + next(x) % NACK_GAPS_MAX, { { 0, 0 } } };
    struct media_ask a = { next(x) % STREAMS, (uint8_t)next(x) % 6 };
    uint32_t whom, leg = next(x) % (LEGS + 1);

    for (uint32_t i = 0; i < n.n; i++) {
        n.gaps[i].first = (uint16_t)(next(x) - 128);
        n.gaps[i].more = (uint16_t)(next(x) << 8);
    }
    relay_on_nack(x->r, x->now_us, leg, &n, next(x) * 100);
    relay_on_path(x->r, x->now_us, leg, (uint64_t)next(x) << next(x) % 20, (float)next(x) / 255.0f);
    if (relay_ask_key(x->r, x->now_us, leg, &a, &whom))
        assert(whom < LEGS && whom != leg);
}

static void pull(struct play *x)
{
    static struct relay_out o;
    uint32_t n = 0;

    while (relay_next(x->r, x->now_us, &o)) {
        size_t bytes = PACKET_HEAD_TAIL + PACKET_TAG;
        assert(++n < 100000 && o.leg < LEGS && x->r->legs[o.leg].used && o.n);
        for (uint32_t i = 0; i < o.n; i++) {
            bytes += media_bytes(&o.parts[i].head) + o.parts[i].head.len;
            assert(o.parts[i].payload[0] == (uint8_t)o.parts[i].head.stream);
            assert(o.parts[i].payload[o.parts[i].head.len - 1] == (uint8_t)o.parts[i].head.stream);
        }
        assert(bytes <= x->r->is.mtu);
    }
    assert(relay_deadline_us(x->r) > x->now_us);
}

static void look(const struct relay *r)
{
    for (uint32_t i = 0; i < r->n_heap; i++)
        assert(r->legs[r->heap[i]].heap == i && r->legs[r->heap[i]].used &&
               (!i || r->legs[r->heap[(i - 1) / 2]].due_us <= r->legs[r->heap[i]].due_us));
    for (uint32_t i = 0; i < LEGS; i++)
        assert(r->legs[i].voices.n <= RELAY_VOICES_MAX &&
               r->legs[i].pictures.n <= RELAY_PICTURES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const steps[])(struct play *) = { media,  media,  media, media,
                                                    tables, tables, ask,   pull };
    struct relay_settings s = { .legs = LEGS,
                                .meetings = 2,
                                .streams = STREAMS,
                                .items = 64,
                                .buffers = 32,
                                .buffer_bytes = 1500,
                                .speakers = 2,
                                .mtu = 1200 };
    struct play x = { data, len, 1000000, NULL };

    if (relay_new(&x.r, &s))
        return 0;
    for (int i = 0; i < STEPS_MAX && x.left; i++) {
        uint32_t what = next(&x);
        x.now_us += (what & 0x80) ? (int64_t)next(&x) << (what >> 4 & 7) : 0;
        steps[what % 8](&x);
        if (what & 0x40)
            pull(&x);
        look(x.r);
    }
    relay_free(x.r);
    return 0;
}
