/* test_flow_media.c - voices in a session: they come as they lie, leave at once, and a file beside
 * them gets what they leave. In virtual time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/flow_media.h"
#include "roam.h"
#include "sim/pump.h"

enum { VOICE = 96 };

/* What one end was given. */
struct ear {
    const struct net *n;
    uint64_t parts, wrong, nacks, last;
    int64_t late_us, most_us; /* the longest on its way, since it was asked */
    const uint8_t *payload;
};

static void take(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct ear *e = ctx;

    if (d->kind == DGRAM_NACK)
        e->nacks++;
    if (d->kind != DGRAM_MEDIA)
        return;
    e->parts++;
    e->payload = payload;
    for (uint32_t i = 0; i < d->media.len; i++)
        e->wrong += payload[i] != (uint8_t)(d->media.frame + d->media.stream);
    e->late_us = e->n->now_us - (int64_t)d->media.timestamp * 20; /* stamps of 20 us here */
    e->most_us = e->late_us > e->most_us ? e->late_us : e->most_us;
    e->last = d->media.frame;
}

static void begin(struct net *n, struct ear ears[2])
{
    net_begin(n, false, 0);
    for (int i = 0; i < 2; i++) {
        struct flow_media_settings s = { .take = take, .ctx = &ears[i] };
        ears[i] = (struct ear){ .n = n };
        CHECK(flow_take_media(n->end[i], &s, n->now_us) == 0);
    }
}

static struct media_part part_of(const struct net *n, uint64_t stream, uint64_t frame,
                                 uint8_t payload[static VOICE])
{
    memset(payload, (int)(uint8_t)(frame + stream), VOICE);
    return (struct media_part){ { .stream = stream,
                                  .frame = frame,
                                  .codec = MEDIA_OPUS,
                                  .timestamp = (uint32_t)(n->now_us / 20),
                                  .key = true,
                                  .last = true,
                                  .count = (uint16_t)frame,
                                  .len = VOICE },
                                payload };
}

/* A datagram of so many voices, and a question if asked; its length, 0: it could not be sent. */
static size_t make(struct net *n, int from, uint64_t frame, size_t voices, bool asks,
                   uint8_t *bytes, struct flow_to *to)
{
    uint8_t payloads[4][VOICE];
    struct media_part parts[4];
    struct dgram nack = { .kind = DGRAM_NACK,
                          .nack = { .stream = 1, .n = 1, .gaps = { { 7, 1 } } } };

    for (size_t i = 0; i < voices; i++)
        parts[i] = part_of(n, 1 + i, frame, payloads[i]);
    int len = flow_send_media(n->end[from], n->now_us, bytes, PACKET_MTU_MAX, parts, voices, &nack,
                              asks, to);
    if (len <= 0)
        return 0;
    for (size_t i = 0; i < voices; i++, len += VOICE)
        memcpy(bytes + len, payloads[i], VOICE);
    return (size_t)len;
}

static bool say(struct net *n, int from, uint64_t frame, size_t voices)
{
    uint8_t tagged[3 + PACKET_MTU_MAX] = { 0, 1, 0 }; /* from the client's one address */
    struct flow_to to;
    size_t len = make(n, from, frame, voices, false, tagged + 3, &to);

    return len && pump_push(&n->link[from], tagged, len + 3, n->now_us);
}

/* A frame of a voice each 20 ms for so long, from one end; the number of the next. */
static uint64_t talk(struct net *n, int from, uint64_t frame, int64_t for_us)
{
    for (int64_t until = n->now_us + for_us; n->now_us < until; frame++) {
        say(n, from, frame, 1);
        net_run(n, 20 * MS);
    }
    return frame;
}

static void payloads_are_where_they_lie(void)
{
    struct net n;
    struct ear ears[2];
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;

    begin(&n, ears);
    net_first_words(&n);
    for (int from = CLIENT; from <= SERVER; from++) {
        size_t len = make(&n, from, 5, 3, true, bytes, &to);
        CHECK(len > 3 * VOICE && len < 3 * VOICE + 200);
        CHECK((from == SERVER) == (to.at.len != 0));
        CHECK(flow_on_datagram(n.end[!from], n.now_us, bytes, len, 0) == 0);
        CHECK(ears[!from].parts == 3 && ears[!from].wrong == 0 && ears[!from].nacks == 1);
        CHECK(ears[!from].payload == bytes + len - VOICE);
    }
    net_end(&n);
}

static void a_tail_is_whole_or_nothing(void)
{
    struct net n;
    struct ear ears[2];
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;

    begin(&n, ears);
    net_first_words(&n);
    for (int by = -1; by <= 1; by++) {
        size_t len = make(&n, SERVER, 5, 2, true, bytes, &to);
        CHECK(flow_on_datagram(n.end[CLIENT], n.now_us, bytes, len + (size_t)by, 0) == 0);
        CHECK(ears[CLIENT].parts == (by < 0 ? 0 : 2));
        CHECK(ears[CLIENT].nacks == (by < 0 ? 0 : 1));
    }
    size_t len = make(&n, CLIENT, 5, 2, false, bytes, &to); /* a client's is authenticated */
    bytes[len - 1] ^= 1;
    CHECK(flow_on_datagram(n.end[SERVER], n.now_us, bytes, len, 0) == -ROOST_MALFORMED);
    CHECK(ears[SERVER].parts == 0 && n.told[FLOW_CLOSED] == 0);
    net_end(&n);
}

static void nobody_is_sent_what_they_did_not_ask_for(void)
{
    struct net n;
    struct ear ear = { .n = &n };
    struct flow_media_settings s = { .take = take, .ctx = &ear };

    net_begin(&n, false, 0);
    net_first_words(&n);
    CHECK(!say(&n, CLIENT, 1, 1)); /* who takes none sends none */
    CHECK(flow_take_media(n.end[CLIENT], &s, n.now_us) == 0);
    CHECK(say(&n, CLIENT, 1, 1));
    net_run(&n, SECOND);
    CHECK(n.told[FLOW_CLOSED] == 2 && n.code == FLOW_BROKEN); /* both know */
    CHECK(!say(&n, CLIENT, 2, 1));
    net_end(&n);
}

static void who_left_hears_nothing_more(void)
{
    struct net n;
    struct ear ears[2];
    struct flow_media_settings none = { 0 };

    begin(&n, ears);
    net_first_words(&n);
    CHECK(flow_take_media(n.end[SERVER], &none, n.now_us) == 0);
    talk(&n, CLIENT, 0, SECOND);
    CHECK(ears[SERVER].parts == 0 && n.told[FLOW_CLOSED] == 0);
    net_end(&n);
}

/* Before a server knows where its client is there is nobody to send to. */
static void to_a_proven_address_only(void)
{
    struct net n;
    struct ear ears[2];

    begin(&n, ears);
    CHECK(!say(&n, SERVER, 1, 1) && say(&n, CLIENT, 1, 1));
    net_run(&n, SECOND);
    CHECK(ears[SERVER].parts == 1 && say(&n, SERVER, 1, 1));
    net_end(&n);
}

/* A file takes what there is; the voice beside it does not wait behind it. */
static void a_file_gets_what_a_voice_leaves(void)
{
    struct net n;
    struct ear ears[2];

    begin(&n, ears);
    net_first_words(&n);
    uint64_t frame = talk(&n, CLIENT, 0, SECOND);
    net_write(&n, CLIENT, 30000000);
    frame = talk(&n, CLIENT, frame, test_starves() ? SECOND : 10 * SECOND);
    uint64_t before = n.got;
    ears[SERVER].most_us = 0;
    talk(&n, CLIENT, frame, test_starves() ? SECOND : 10 * SECOND);
    double mbit = (double)(n.got - before) * 8 / 1e7;
    if (getenv("ROOST_SAY"))
        printf("beside a voice: %.2f Mbit/s of 10, a voice is late by %lld us at most\n", mbit,
               (long long)ears[SERVER].most_us);
    CHECK(mbit > 5 && ears[SERVER].parts > 1000 && ears[SERVER].wrong == 0);
    CHECK(ears[SERVER].most_us < 20 * MS + 30 * MS); /* the way takes 20 */
    net_run(&n, 20 * SECOND); /* nobody speaks any more: all of it is the file's */
    CHECK(n.got == 30000000);
    net_end(&n);
}

static void loss_and_round_trip_are_known(void)
{
    struct net n;
    struct ear ears[2];
    struct flow_media_view v;
    struct link_config lossy = net_plain;

    begin(&n, ears);
    net_first_words(&n);
    CHECK(flow_look_media(n.end[CLIENT], &v) && v.loss == 0);
    lossy.loss_ppm = 100000;
    link_set(&n.link[CLIENT], &lossy);
    talk(&n, CLIENT, 0, 20 * SECOND);
    CHECK(flow_look_media(n.end[CLIENT], &v));
    CHECK(v.loss > 0.04f && v.loss < 0.18f);
    CHECK(v.rtt_us > 40 * MS && v.rtt_us < 70 * MS);
    CHECK(v.rate >= FLOW_MEDIA_LEAST_RATE && v.estimate->begun);
    CHECK(flow_look_media(n.end[SERVER], &v) && v.loss == 0);
    net_end(&n);
}

/* What is sent and never answered for has a limit, and is no reason to end the session. */
static void into_silence(void)
{
    struct net n;
    struct ear ears[2];
    struct flow_media_view v;

    begin(&n, ears);
    net_first_words(&n);
    n.carries[CLIENT] = n.carries[SERVER] = 1; /* nothing arrives */
    uint64_t frame = 0;
    for (; frame < 6000; frame++) {
        uint8_t bytes[PACKET_MTU_MAX];
        struct flow_to to;
        make(&n, CLIENT, frame, 1, false, bytes, &to);
        net_run(&n, 20 * MS);
    }
    CHECK(!say(&n, CLIENT, frame, 1) && n.told[FLOW_CLOSED] == 0);
    n.carries[CLIENT] = n.carries[SERVER] = 0;
    net_run(&n, 70 * SECOND); /* a probe is answered */
    uint64_t before = ears[SERVER].parts;
    talk(&n, CLIENT, frame, SECOND);
    CHECK(ears[SERVER].parts > before + 40 && flow_look_media(n.end[CLIENT], &v));
    net_end(&n);
}

static void in_a_tunnel_payloads_follow_the_frames(void)
{
    struct net n;
    struct ear ears[2];
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;
    struct flow_media_view v;

    begin(&n, ears);
    net_first_words(&n);
    for (int i = 0; i < 2; i++)
        flow_tunnel(n.end[i], true, n.now_us);
    for (int from = CLIENT; from <= SERVER; from++) {
        size_t len = make(&n, from, 9, 3, true, bytes, &to);
        CHECK(len > 3 * VOICE);
        CHECK(flow_on_frames(n.end[!from], n.now_us, bytes, len) == 0);
        CHECK(ears[!from].parts == 3 && ears[!from].wrong == 0 && ears[!from].nacks == 1);
        CHECK(ears[!from].payload == bytes + len - VOICE);
    }
    flow_on_tunnel_rate(n.end[CLIENT], 123456);
    CHECK(flow_look_media(n.end[CLIENT], &v) && v.rate == 123456 && v.loss == 0);
    size_t len = make(&n, CLIENT, 10, 3, true, bytes, &to);
    CHECK(flow_on_frames(n.end[SERVER], n.now_us, bytes, len - 1) < 0); /* there it cannot be */
    net_end(&n);
}

static void media_takes_no_memory(void)
{
    struct net n;
    struct ear ears[2];
    uint8_t up[PACKET_MTU_MAX], down[PACKET_MTU_MAX];
    struct flow_to to;
    long before = 0;

    if (test_starves())
        return;
    begin(&n, ears);
    net_first_words(&n);
    for (uint64_t frame = 0; frame < 1000; frame++) {
        size_t len = make(&n, CLIENT, frame, 1, false, up, &to);
        CHECK(len && flow_on_datagram(n.end[SERVER], n.now_us, up, len, 0) == 0);
        len = make(&n, SERVER, frame, 4, false, down, &to);
        CHECK(len && flow_on_datagram(n.end[CLIENT], n.now_us, down, len, 0) == 0);
        for (int i = 0; i < 2; i++) {
            int ack = flow_next(n.end[i], n.now_us, up, sizeof up);
            CHECK(ack <= 0 || flow_on_datagram(n.end[!i], n.now_us, up, (size_t)ack, 0) == 0);
            flow_expire(n.end[i], n.now_us);
        }
        n.now_us += 20 * MS;
        before = frame == 500 ? test_allocations() : before;
    }
    CHECK(test_allocations() == before && ears[CLIENT].parts == 4000);
    net_end(&n);
}

TEST_MAIN({ "payloads_are_where_they_lie", payloads_are_where_they_lie },
          { "a_tail_is_whole_or_nothing", a_tail_is_whole_or_nothing },
          { "nobody_is_sent_what_they_did_not_ask_for", nobody_is_sent_what_they_did_not_ask_for },
          { "who_left_hears_nothing_more", who_left_hears_nothing_more },
          { "to_a_proven_address_only", to_a_proven_address_only },
          { "a_file_gets_what_a_voice_leaves", a_file_gets_what_a_voice_leaves },
          { "loss_and_round_trip_are_known", loss_and_round_trip_are_known },
          { "into_silence", into_silence },
          { "in_a_tunnel_payloads_follow_the_frames", in_a_tunnel_payloads_follow_the_frames },
          { "media_takes_no_memory", media_takes_no_memory })
