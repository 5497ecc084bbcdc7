/* Datagrams into a live session, from who has no keys and from who has: nothing breaks, what
 * it makes us hold and send is bounded, and an address that has proven nothing gets at most
 * three times what it sent. Media goes and comes too, with tails that do not add up, and through a
 * tunnel. The input is a list of steps. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "flow/flow_media.h"
#include "flow/inside.h"

enum { ROOM = 2048, KEPT = 4, ADDRESSES = 3, STEPS_MAX = 400, WRITTEN_MAX = 1 << 20, PARTS = 4 };
/* Rings are twice what is in them at most, and begin with 4 KiB. */
#define HELD_MAX (12ULL << 20)

struct fight {
    const uint8_t *p;
    size_t left;
    int64_t now_us;
    struct flow *us;
    struct session enemy;              /* has the keys, and keeps no rules */
    struct path_address at[ADDRESSES]; /* the first is proven */
    uint64_t from[ADDRESSES], to[ADDRESSES], written;
    uint8_t kept[KEPT][ROOM]; /* what went by, to be sent again */
    size_t kept_len[KEPT];
    uint32_t n_kept;
    uint64_t heard; /* a sum over payloads: each byte of them is there */
};

static uint32_t next(struct fight *x)
{
    if (!x->left)
        return 0;
    x->left--;
    return *x->p++;
}

static void keep(struct fight *x, const uint8_t *bytes, size_t len)
{
    memcpy(x->kept[x->n_kept % KEPT], bytes, len);
    x->kept_len[x->n_kept++ % KEPT] = len;
}

static void hit(struct fight *x, const uint8_t *bytes, size_t len)
{
    uint8_t copy[ROOM];
    uint32_t who = next(x) % ADDRESSES;

    memcpy(copy, bytes, len);
    if (!flow_on_datagram_from(x->us, x->now_us, copy, len, (int)next(x) % 4, &x->at[who]))
        x->from[who] += len;
}

static void nonsense(struct fight *x)
{
    size_t len = next(x) * 4 + next(x) % 4;

    len = len < x->left ? len : x->left;
    const uint8_t *bytes = x->p;
    x->p += len;
    x->left -= len;
    hit(x, bytes, len);
}

/* Sealed as by the other side. */
static void strike(struct fight *x, struct writer *w, uint8_t *packet)
{
    size_t frames = (size_t)(w->p - packet) - PACKET_HEAD;

    if (!frames)
        return;
    int n = session_seal(&x->enemy, x->now_us, packet, frames, NULL, 0);
    if (n <= 0)
        return;
    keep(x, packet, (size_t)n);
    hit(x, packet, (size_t)n);
}

static void sealed_nonsense(struct fight *x)
{
    uint8_t packet[ROOM];
    size_t len = next(x) * 4 + 1;
    struct writer w = writer_of(packet + PACKET_HEAD, ROOM - PACKET_HEAD - PACKET_TAG);

    len = len < x->left ? len : x->left;
    if (len)
        memcpy(write_room(&w, len), x->p, len);
    x->p += len;
    x->left -= len;
    strike(x, &w, packet);
}

/* Frames that can be read, with figures that may be anything. */
static uint64_t figure(struct fight *x)
{
    uint64_t v = next(x);

    return v < 200 ? v : (v << (v % 40)) + next(x);
}

static void sealed_frames(struct fight *x)
{
    uint8_t packet[ROOM];
    struct writer w = writer_of(packet + PACKET_HEAD, ROOM - PACKET_HEAD - PACKET_TAG);

    for (uint32_t i = 0, n = 1 + next(x) % 4; i < n; i++) {
        struct dgram d = { .kind = (enum dgram_kind)(next(x) % DGRAM_KINDS) };
        struct ack a = { .delay_us = next(x) * 100, .n_ranges = 1 };
        uint64_t one = figure(x), two = figure(x);
        static const uint8_t zeros[300];
        switch (d.kind) {
        case DGRAM_ACK:
        case DGRAM_ACK_ECN: /* mostly of what was sent */
            a.ranges[0].last = sent_next(&x->us->sent) + 3 -
                               (one < sent_next(&x->us->sent) + 3 ? one : 0);
            a.ranges[0].first = a.ranges[0].last > two ? a.ranges[0].last - two : 0;
            a.ecn = d.kind == DGRAM_ACK_ECN;
            a.ce = a.ecn ? one % 50 : 0;
            dgram_write_ack(&w, &a);
            continue;
        case DGRAM_STREAM:
        case DGRAM_STREAM_END:
            d.stream.id = one;
            d.stream.offset = two;
            d.stream.bytes = zeros;
            d.stream.len = next(x);
            d.stream.end = d.kind == DGRAM_STREAM_END;
            break;
        case DGRAM_RESET:
        case DGRAM_STOP:
            d.reset.id = one;
            d.reset.code = 1;
            d.reset.length = two;
            break;
        case DGRAM_OBSERVED:
            d.observed.len = one & 1 ? 4 : 16;
            break;
        case DGRAM_CLOSE:
            if (next(x) < 250)
                continue;
            d.close.text = "x";
            d.close.len = 1;
            break;
        case DGRAM_PATH:
        case DGRAM_PATH_BACK:
            d.path = zeros;
            break;
        case DGRAM_MEDIA:
        case DGRAM_NACK:
        case DGRAM_KEYFRAME:
        case DGRAM_FEEDBACK:
            if (next(x) < 250) /* it ends the session */
                continue;
            d.nack.n = 1;
            break;
        default:
            d.max.id = one;
            d.max.value = two;
            break;
        }
        dgram_write(&w, &d);
    }
    strike(x, &w, packet);
}

/* --- media ------------------------------------------------------------------------------------ */

static void take(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct fight *x = ctx;

    for (uint32_t i = 0; d->kind == DGRAM_MEDIA && i < d->media.len; i++)
        x->heard += payload[i];
}

/* Frames of MEDIA, each of which says how long its payload is, and a tail that may be otherwise. */
static size_t put_media(struct fight *x, struct writer *w)
{
    size_t sum = 0;

    for (uint32_t i = 0, n = 1 + next(x) % PARTS; i < n; i++) {
        struct dgram d = { .kind = DGRAM_MEDIA };
        d.media = (struct media){ .stream = next(x) % 4,
                                  .frame = figure(x),
                                  .key_id = next(x),
                                  .codec = MEDIA_OPUS,
                                  .last = true,
                                  .count = (uint16_t)next(x),
                                  .has_level = next(x) & 1,
                                  .len = next(x) };
        dgram_write(w, &d);
        sum += d.media.len;
    }
    uint32_t lie = next(x);
    return lie < 160 ? sum : lie < 200 ? sum + lie : sum > lie ? sum - lie : 0;
}

static void strike_with_media(struct fight *x)
{
    static const uint8_t bytes[ROOM];
    uint8_t packet[2 * ROOM] = { 0 };
    struct writer w = writer_of(packet + PACKET_HEAD_TAIL, ROOM / 2);
    size_t tail = put_media(x, &w);
    struct seal_part part = { bytes, tail < ROOM / 2 ? tail : ROOM / 2 };

    if (w.full)
        return;
    int n = session_seal(&x->enemy, x->now_us, packet, (size_t)(w.p - packet) - PACKET_HEAD_TAIL,
                         &part, 1);
    if (n <= 0 || (size_t)n + part.len > ROOM)
        return;
    keep(x, packet, (size_t)n + part.len);
    hit(x, packet, (size_t)n + part.len);
}

static void through_the_tunnel(struct fight *x)
{
    uint8_t message[2 * ROOM] = { 0 };
    struct writer w = writer_of(message, ROOM);
    size_t tail = put_media(x, &w);

    if (!w.full)
        flow_on_frames(x->us, x->now_us, message,
                       (size_t)(w.p - message) + (tail < ROOM ? tail : ROOM));
}

static void say(struct fight *x)
{
    static const uint8_t bytes[256];
    uint8_t packet[PACKET_MTU_MAX];
    struct media_part parts[PARTS];
    struct flow_to to;
    uint32_t n = 1 + next(x) % PARTS;

    for (uint32_t i = 0; i < n; i++)
        parts[i] = (struct media_part){
            { .stream = i, .codec = MEDIA_OPUS, .last = true, .len = next(x) }, bytes
        };
    int len = flow_send_media(x->us, x->now_us, packet, sizeof packet, parts, n, NULL, 0, &to);
    for (int i = 0; len > 0 && i < ADDRESSES; i++)
        if (!flow_is_tunnelled(x->us) && path_same(&to.at, &x->at[i]))
            x->to[i] += (uint64_t)len;
}

static void meet(struct fight *x)
{
    uint32_t what = next(x) % 16;

    if (what < 8)
        strike_with_media(x);
    else if (what < 13)
        say(x);
    else if (what < 15)
        through_the_tunnel(x);
    else
        flow_tunnel(x->us, next(x) & 1, x->now_us);
}

static void act(struct fight *x)
{
    static const uint8_t bytes[256];
    uint32_t what = next(x) % 5;
    uint64_t id = next(x) % 16;

    if (what == 0 && x->written < WRITTEN_MAX) {
        int64_t fresh = flow_open(x->us, (uint32_t)id);
        if (fresh >= 0 && flow_write(x->us, (uint64_t)fresh, bytes, sizeof bytes) > 0)
            x->written += sizeof bytes;
    } else if (what == 1) {
        flow_end(x->us, id);
    } else if (what == 2) {
        flow_reset(x->us, id, 1);
    } else if (what == 3) {
        flow_stop(x->us, id, 1);
    } else {
        flow_ask(x->us, id);
    }
}

static void listen(struct fight *x)
{
    struct flow_event e;
    size_t len;
    bool over;

    while (flow_event(x->us, &e))
        if (e.what == FLOW_READABLE && next(x) % 4)
            for (const uint8_t *p; (p = flow_read(x->us, e.stream, &len, &over)) && len;)
                flow_take(x->us, e.stream, len, x->now_us);
}

static void speak(struct fight *x)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    int n, rounds = 0;

    while ((n = flow_next_to(x->us, x->now_us, bytes, sizeof bytes, &to)) > 0) {
        assert(++rounds < 5000);
        for (int i = 0; i < ADDRESSES; i++)
            if (path_same(&to.at, &x->at[i]))
                x->to[i] += (uint64_t)n;
        if (n <= ROOM)
            keep(x, bytes, (size_t)n);
    }
}

static void look(const struct fight *x)
{
    const struct flow *f = x->us;
    struct map_slot *slot;
    uint64_t held = 0;

    for (size_t i = 0; (slot = map_next(&f->streams, &i));) {
        const struct stream *s = slot->value;
        held += s->source.ring.cap + s->sink.ring.cap;
        held += (s->source.acked.cap + s->source.lost.cap + s->sink.come.cap) * sizeof(struct span);
    }
    assert(held <= HELD_MAX && f->streams.n <= 2 * FLOW_STREAMS_MAX);
    assert(f->n_events <= EVENTS_MAX && f->in_used <= f->in_limit + WRITTEN_MAX);
    for (int i = 1; i < ADDRESSES; i++)
        assert(path_same(&f->paths.now, &x->at[i]) || x->to[i] <= 3 * x->from[i]);
}

static void step(struct fight *x)
{
    uint32_t what = next(x) % 12;

    if (what == 0)
        nonsense(x);
    else if (what == 1)
        sealed_nonsense(x);
    else if (what < 6)
        sealed_frames(x);
    else if (what == 6 && x->n_kept) /* again; damaged or not */
        hit(x, x->kept[next(x) % KEPT], x->kept_len[next(x) % KEPT]);
    else if (what == 7)
        x->now_us += (int64_t)next(x) << next(x) % 16;
    else if (what < 10)
        act(x);
    else if (what == 10)
        listen(x);
    else
        meet(x);
    flow_expire(x->us, x->now_us);
    speak(x);
    look(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t secret[SESSION_SECRET] = { 5 }, seed[32] = { 6 };
    static struct fight x;

    memset(&x, 0, sizeof x);
    x.p = data;
    x.left = len;
    x.now_us = 1000000;
    for (uint8_t i = 0; i < ADDRESSES; i++)
        x.at[i] = (struct path_address){ .ip = { 10, 0, 0, i }, .len = 4, .port = 5001 };
    const struct flow_media_settings media = { .take = take, .ctx = &x };
    uint32_t kind = next(&x);
    struct flow_settings s = { .client = kind & 1,
                               .session = 3,
                               .secret = secret,
                               .seed = seed,
                               .cc = cc_find(next(&x) & 1 ? "bbr" : "cubic"),
                               .data_window = 100000,
                               .mtu_most = 1500,
                               .ecn = true,
                               .proves = true,
                               .proven = &x.at[0] };
    if (flow_new(&x.us, &s, x.now_us))
        return 0;
    if (kind & 2 && flow_take_media(x.us, &media, x.now_us)) {
        flow_free(x.us);
        return 0;
    }
    if (!session_init(&x.enemy, 3, !s.client, secret, x.now_us)) {
        for (int i = 0; x.left && i < STEPS_MAX; i++)
            step(&x);
        session_fini(&x.enemy);
    }
    flow_free(x.us);
    return 0;
}
