#include "sim/road.h"

#include <stdlib.h>
#include <string.h>

enum { THERE, BACK, PING = 0xffff, PORT_AT = 16, CHUNK = 65536, PING_BYTES = 84 };
#define BEGINNING_US 1000000000LL
#define STEP_AT_US   (2 * ROAD_SECOND)

static bool is_foe(const struct road_lane *l, int end)
{
    return l->foe && l->foe->end == end;
}

void road_init(struct road *r, const struct link_config *there, const struct link_config *back,
               uint64_t seed)
{
    *r = (struct road){ .now_us = BEGINNING_US, .ping_us = BEGINNING_US };
    link_init(&r->link[THERE], LINK_DATAGRAMS, there, seed);
    link_init(&r->link[BACK], LINK_DATAGRAMS, back, seed + 1);
}

void road_fini(struct road *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        for (int e = 0; e < 2; e++)
            if (is_foe(&r->lanes[i], e))
                session_fini(&r->lanes[i].foe->keys);
            else
                flow_free(r->lanes[i].end[e]);
    for (int i = 0; i < 2; i++)
        link_fini(&r->link[i]);
}

/* A handshake has told them how long a round trip is, at least. */
static int64_t round_trip_us(const struct road *r)
{
    return r->link[THERE].config.delay_us + r->link[BACK].config.delay_us;
}

/* The end that called: it may move, and the other proves it. */
static int caller_of(const struct road_lane *l)
{
    return l->receives ? BACK : THERE;
}

static int make_ends(struct road *r, struct road_lane *l, uint8_t id)
{
    const uint8_t secret[32] = { 7, id };

    for (uint8_t e = 0; e < 2; e++) {
        const uint8_t seed[32] = { id, e, l->dice };
        struct flow_settings s = {
            .client = e == caller_of(l),
            .keeps = l->port && e == caller_of(l),
            .proves = l->port && e != caller_of(l),
            .session = 1 + id,
            .secret = secret,
            .seed = seed,
            .cc = l->ops  ? l->ops
                  : l->cc ? cc_find(l->cc)
                          : NULL,
            .rtt_us = l->guess ? 0 : round_trip_us(r),
            .mtu = l->mtu,
            .holes_max = l->holes_max,
            .mtu_most = l->mtu_most,
            .pacer = l->pacer,
            .ack_each = l->ack_each,
            .trace = e == THERE ? l->trace : NULL,
            .trace_ctx = l->trace_ctx,
        };
        int err;
        if (is_foe(l, e)) {
            seen_init(&l->foe->heard);
            err = session_init(&l->foe->keys, s.session, s.client, secret, r->now_us);
        } else {
            err = flow_new(&l->end[e], &s, r->now_us + l->start_us);
        }
        if (err)
            return err;
    }
    if (is_foe(l, THERE))
        return 0;
    if (l->port && flow_ask(l->end[caller_of(l)], 1))
        return -1;
    l->stream = (uint64_t)flow_open(l->end[THERE], 0);
    return l->stream <= 1 ? 0 : -1;
}

struct road_lane *road_add(struct road *r, const struct road_lane *lane)
{
    struct road_lane *l = &r->lanes[r->n];

    *l = *lane;
    l->mtu = l->mtu ? l->mtu : 1472;
    l->due_us[THERE] = l->due_us[BACK] = r->now_us + l->start_us;
    r->broke = make_ends(r, l, (uint8_t)r->n++) || r->broke;
    l->start_us += r->now_us;
    return l;
}

/* --- the stream -------------------------------------------------------------------------- */

/* 251 is prime: a piece at the wrong place does not look right. */
static const uint8_t *pattern(uint64_t at)
{
    static uint8_t bytes[251 + CHUNK];

    if (!bytes[1])
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i % 251);
    return bytes + at % 251;
}

static void write_more(struct road_lane *l)
{
    while (l->written < l->bytes) {
        uint64_t left = l->bytes - l->written;
        size_t len = left < CHUNK ? (size_t)left : CHUNK;
        int64_t took = flow_write(l->end[THERE], l->stream, pattern(l->written), len);
        if (took > 0)
            l->written += (uint64_t)took;
        if (took < (int64_t)len)
            return;
    }
    if (l->bytes != ROAD_ENDLESS)
        flow_end(l->end[THERE], l->stream);
}

static void read_all(struct road *r, struct road_lane *l)
{
    size_t len;
    bool over;

    for (const uint8_t *p; (p = flow_read(l->end[BACK], l->stream, &len, &over)) && len;) {
        len = len < CHUNK ? len : CHUNK;
        l->wrong = l->wrong || memcmp(p, pattern(l->got), len) != 0;
        if (l->got && r->now_us - l->got_us > l->longest_us)
            l->longest_us = r->now_us - l->got_us;
        l->got += len;
        l->got_us = r->now_us;
        flow_take(l->end[BACK], l->stream, len, r->now_us);
    }
    if (l->got >= l->bytes && !l->done_us)
        l->done_us = r->now_us - l->start_us;
}

/* --- the road ----------------------------------------------------------------------------- */

static int64_t clock_of(const struct road *r, const struct road_lane *l, int end)
{
    bool stepped = end == THERE && r->now_us - l->start_us >= STEP_AT_US;

    return r->now_us + (stepped ? l->step_us : 0);
}

static void push(struct road *r, int end, uint32_t tag, const uint8_t *bytes, size_t len)
{
    struct blob *b = blob_copy(bytes, len);

    r->broke = !b || link_push_tagged(&r->link[end], r->now_us, b, tag) || r->broke;
    if (b)
        blob_unref(b);
}

/* --- who keeps to nothing ----------------------------------------------------------------- */

static void foe_says(struct road *r, struct road_lane *l, uint32_t i)
{
    uint8_t bytes[ROAD_HEAD + PACKET_MTU_MIN];
    struct road_foe *e = l->foe;

    for (;;) {
        struct writer w = writer_of(bytes + ROAD_HEAD + PACKET_HEAD,
                                    PACKET_MTU_MIN - PACKET_HEAD - PACKET_TAG);
        e->now_us = r->now_us;
        if (!e->say(e, &w))
            break;
        size_t frames = (size_t)(w.p - bytes) - ROAD_HEAD - PACKET_HEAD;
        int n = session_seal(&e->keys, r->now_us, bytes + ROAD_HEAD, frames, NULL, 0);
        r->broke = r->broke || n <= 0;
        e->said++;
        e->said_bytes += ROAD_HEAD + (uint64_t)n;
        push(r, e->end, i, bytes, ROAD_HEAD + (size_t)n);
    }
    l->due_us[e->end] = e->due_us;
}

static void foe_hears(struct road *r, struct road_lane *l, uint8_t *bytes, size_t len)
{
    const struct seen_pace pace = { .every = 2, .delay_us = 1000 };
    struct session_opened o;

    if (session_open(&l->foe->keys, r->now_us, bytes, len, &o))
        return;
    seen_on_packet(&l->foe->heard, o.number, r->now_us, true, SEEN_NOT_ECT, &pace);
    l->due_us[l->foe->end] = r->now_us;
}

/* Whoever sees packets pass sends them again, from where it sits. */
static void replay(struct road *r, struct road_lane *l, int to, const uint8_t *bytes, size_t len)
{
    static const struct path_address elsewhere = { .ip = { 203, 0, 113, 9 }, .len = 4, .port = 9 };
    enum { KEPT = 4096 };
    static struct {
        uint8_t bytes[PACKET_MTU_MAX];
        size_t len;
    } kept[KEPT];
    static uint32_t at;
    uint8_t copy[PACKET_MTU_MAX];

    memcpy(copy, bytes, len);
    flow_on_datagram_from(l->end[to], r->now_us, copy, len, 0, &elsewhere);
    if (kept[at].len) {
        memcpy(copy, kept[at].bytes, kept[at].len);
        flow_on_datagram_from(l->end[to], r->now_us, copy, kept[at].len, 0, &elsewhere);
    }
    memcpy(kept[at].bytes, bytes, len);
    kept[at].len = len;
    at = (at + 1) % KEPT;
}

/* --- turns ---------------------------------------------------------------------------------- */

/* All that an end has to say and do now. */
static void turn(struct road *r, uint32_t i, int end)
{
    static uint8_t bytes[ROAD_HEAD + PACKET_MTU_MAX];
    struct road_lane *l = &r->lanes[i];
    struct flow *f = l->end[end];
    int64_t now_us = clock_of(r, l, end);
    struct flow_event e;
    struct flow_to to;
    int len;

    if (is_foe(l, end)) {
        foe_says(r, l, i);
        return;
    }
    flow_expire(f, now_us);
    if (end == BACK && !is_foe(l, THERE))
        read_all(r, l);
    while (flow_event(f, &e)) {
        l->closed = e.what == FLOW_CLOSED ? e.code : l->closed;
        r->broke = r->broke || (e.what == FLOW_CLOSED && !l->foe);
    }
    if (end == THERE && l->written < l->bytes)
        write_more(l);
    while ((len = flow_next_to(f, now_us, bytes + ROAD_HEAD, PACKET_MTU_MAX, &to)) > 0) {
        uint32_t port = end == caller_of(l) ? l->port : to.at.port;
        push(r, end, i | port << PORT_AT, bytes, ROAD_HEAD + (size_t)len);
    }
    int64_t due_us = flow_deadline_us(f, now_us);
    l->due_us[end] = due_us == INT64_MAX ? due_us : due_us - (now_us - r->now_us);
}

static void arrive(struct road *r, int to, struct blob *b, uint32_t tag)
{
    static uint8_t bytes[ROAD_HEAD + PACKET_MTU_MAX];

    memcpy(bytes, b->bytes, b->len);
    if (tag == PING) {
        int64_t sent_us;
        memcpy(&sent_us, bytes, sizeof sent_us);
        if (to == BACK)
            push(r, BACK, PING, bytes, b->len);
        else if (r->n_pings < ROAD_PINGS_MAX)
            r->ping_took_us[r->n_pings++] = r->now_us - sent_us;
        return;
    }
    struct road_lane *l = &r->lanes[tag & PING];
    struct path_address from = { .ip = { 192, 0, 2, 1 }, .len = 4, .port = tag >> PORT_AT };
    bool called = to != caller_of(l);
    if (!called && from.port != l->port)
        return; /* the translator knows nobody there */
    if (is_foe(l, to)) {
        foe_hears(r, l, bytes + ROAD_HEAD, b->len - ROAD_HEAD);
        return;
    }
    flow_on_datagram_from(l->end[to], clock_of(r, l, to), bytes + ROAD_HEAD, b->len - ROAD_HEAD, 0,
                          called && l->port ? &from : NULL);
    if (l->replayed && called)
        replay(r, l, to, b->bytes + ROAD_HEAD, b->len - ROAD_HEAD);
    l->due_us[to] = r->now_us;
}

static void carry(struct road *r)
{
    struct blob *b;
    uint32_t tag;

    for (int end = 0; end < 2; end++)
        for (; (b = link_next_tagged(&r->link[end], r->now_us, &tag)); blob_unref(b))
            arrive(r, !end, b, tag);
    for (uint32_t i = 0; i < r->n; i++)
        for (int end = 0; end < 2; end++)
            if (r->lanes[i].due_us[end] <= r->now_us)
                turn(r, i, end);
    if (r->pings && r->ping_us <= r->now_us) {
        uint8_t bytes[PING_BYTES] = { 0 };
        memcpy(bytes, &r->now_us, sizeof r->now_us);
        push(r, THERE, PING, bytes, sizeof bytes);
        r->ping_us = r->now_us + ROAD_PING_EACH_US;
    }
}

static int64_t earliest(const struct road *r)
{
    int64_t at = r->pings ? r->ping_us : INT64_MAX;

    for (int end = 0; end < 2; end++) {
        int64_t due_us = link_deadline_us(&r->link[end]);
        at = due_us < at ? due_us : at;
        for (uint32_t i = 0; i < r->n; i++)
            at = r->lanes[i].due_us[end] < at ? r->lanes[i].due_us[end] : at;
    }
    return at;
}

static bool all_there(const struct road *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (!r->lanes[i].done_us)
            return false;
    return true;
}

void road_run(struct road *r, int64_t until_us)
{
    uint32_t still = 0;

    until_us += BEGINNING_US;
    while (!r->broke && !all_there(r)) {
        int64_t at = earliest(r);
        if (at > until_us)
            break;
        still = at <= r->now_us ? still + 1 : 0;
        r->broke = still > 10000; /* time stands still */
        r->now_us = at > r->now_us ? at : r->now_us;
        carry(r);
    }
    if (r->now_us < until_us && !all_there(r))
        r->now_us = until_us;
}

/* --- figures -------------------------------------------------------------------------------- */

double road_rate_bps(const struct road_lane *l)
{
    return l->done_us ? (double)l->bytes * 8e6 / (double)l->done_us : 0;
}

double road_twice(const struct road_lane *l)
{
    struct flow_view v;

    flow_look(l->end[THERE], &v);
    return (double)(v.sent->stats.lost_bytes) / (double)v.sent->stats.bytes;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

int64_t road_ping_us(struct road *r, uint32_t percent)
{
    if (!r->n_pings)
        return 0;
    qsort(r->ping_took_us, r->n_pings, sizeof *r->ping_took_us, by_size);
    return r->ping_took_us[(uint64_t)(r->n_pings - 1) * percent / 100];
}

double road_jain(const double *x, uint32_t n)
{
    double sum = 0, squares = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    return squares > 0 ? sum * sum / (n * squares) : 1;
}
