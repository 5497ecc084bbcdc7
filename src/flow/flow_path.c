#include "flow/inside.h"

#include <string.h>

#include "base/err.h"

/* Of a packet, besides its frames. */
enum { OVERHEAD = PACKET_HEAD + PACKET_TAG };
#define PROBE_MOST_US 20000  /* that a probe of the size may take on the path */
#define GUESS_US      100000 /* a round trip, until one was measured */

void path_init(struct flow *f, const struct flow_settings *settings, int64_t now_us)
{
    f->proves = settings->proves;
    f->keeps = settings->keeps;
    paths_init(&f->paths, now_us);
    if (settings->proven) {
        f->paths.now = *settings->proven;
        f->paths.proven = 1;
    }
    pmtu_init(&f->pmtu, f->mtu, settings->mtu_most, now_us);
    ecn_init(&f->ecn, settings->ecn);
    alive_init(&f->alive, now_us);
}

bool path_is_open(const struct flow *f)
{
    return !f->proves || f->paths.now.len;
}

/* The first window leaves over one round trip: what is known of it, or a guess. */
void path_set_pace(struct flow *f, int64_t now_us)
{
    uint64_t rate = cc_pacing(&f->cc, f->rtt.known || f->rtt_told ? f->rtt.smooth_us : GUESS_US);
    uint64_t most = f->rate_max / 8;

    if (!f->rtt.known)
        rate /= 2;
    if (f->rate_max && (!rate || rate > most))
        rate = most ? most : 1;
    pacer_set_rate(&f->pacer, now_us, rate);
}

static void set_mtu(struct flow *f, int64_t now_us)
{
    f->mtu = f->pmtu.now;
    cc_set_mss(&f->cc, f->mtu);
    pacer_set_mss(&f->pacer, f->mtu);
    path_set_pace(f, now_us);
    trace_tell(f, now_us, FLOW_TRACE_MTU, f->mtu);
}

/* Another way: estimate, round trip and size are found out again. took_us: of the challenge. */
static void begin_anew(struct flow *f, int64_t now_us, int64_t took_us)
{
    f->path_first = sent_next(&f->sent); /* what is lost now says nothing of it */
    sent_on_path(&f->sent);
    pmtu_init(&f->pmtu, f->pmtu.base, f->pmtu.most, now_us);
    ecn_on_path(&f->ecn);
    rtt_init(&f->rtt);
    if (took_us > 0)
        rtt_on_sample(&f->rtt, now_us, took_us, 0, 0);
    f->mtu = f->pmtu.now;
    cc_init(&f->cc, f->cc.ops, f->mtu, now_us);
    f->cc.dice = rng_u64(&f->rng);
    pacer_init(&f->pacer, f->pacer.kind, f->mtu, now_us);
    pacer_set_together(&f->pacer, f->cc.ops->together);
    f->waited_us = 0;
    f->dropped = false;
    media_on_path(f, now_us);
    path_set_pace(f, now_us);
    f->probes = 1; /* the answer says what came of all that was under way */
    trace_tell(f, now_us, FLOW_TRACE_PATH, 0);
}

void flow_on_change(struct flow *f, int64_t now_us)
{
    now_us = flow_clock(f, now_us);
    if (f->over)
        return;
    begin_anew(f, now_us, 0);
    if (f->keeps)
        alive_on_change(&f->alive);
}

/* --- what comes ------------------------------------------------------------------------ */

void path_come(struct flow *f, size_t len, bool newest, int64_t now_us)
{
    uint8_t challenge[PATH_BYTES];

    alive_on_heard(&f->alive, now_us);
    if (!f->from)
        return;
    if (!f->proves) {
        if (!f->paths.now.len)
            f->paths.now = *f->from;
        return;
    }
    rng_fill(&f->rng, challenge, sizeof challenge);
    paths_on_packet(&f->paths, f->from, len, newest, challenge, now_us);
}

static void tell(struct flow *f, enum flow_happening what, uint64_t code)
{
    if (!f->over)
        flow_add_event(f, &(struct flow_event){ .what = what, .stream = UINT64_MAX, .code = code });
}

static void on_path(struct flow *f, const uint8_t *bytes)
{
    if (f->proves && f->from && !paths_on_path(&f->paths, f->from, bytes))
        return; /* it is answered where it came from */
    memcpy(f->path_back, bytes, PATH_BYTES);
    f->tell_path_back = true;
}

/* The first address has nothing before it to be forgotten. */
static void on_proven(struct flow *f, int64_t now_us, int64_t took_us)
{
    if (f->paths.proven > 1)
        begin_anew(f, now_us, took_us);
    f->tell_observed = true;
    tell(f, FLOW_PROVEN, 0);
}

static uint64_t token_of(const uint8_t *bytes)
{
    struct reader r = reader_of(bytes, PATH_BYTES);

    return read_number(&r, PATH_BYTES);
}

void path_on_answer(struct flow *f, const uint8_t bytes[static PATH_BYTES])
{
    for (int i = 0; i < ASKS_MAX; i++)
        if (f->asks[i].open && f->asks[i].token == token_of(bytes)) {
            f->asks[i].open = false;
            tell(f, FLOW_BACK, f->asks[i].token);
        }
}

static void on_back(struct flow *f, const uint8_t *bytes, int64_t now_us)
{
    int64_t took_us;

    if (f->proves && f->from && paths_on_back(&f->paths, f->from, bytes, now_us, &took_us)) {
        on_proven(f, now_us, took_us);
        return;
    }
    path_on_answer(f, bytes);
}

/* A translator on the way may have changed it: then it is another way. */
static void on_observed(struct flow *f, const struct dgram_address *d, int64_t now_us)
{
    struct path_address at = { .len = d->len, .port = d->port };

    memcpy(at.ip, d->address, d->len);
    if (path_same(&at, &f->observed))
        return;
    if (f->observed.len && f->client)
        begin_anew(f, now_us, 0);
    f->observed = at;
    tell(f, FLOW_SEEN_AT, 0);
}

void path_on_frame(struct flow *f, const struct dgram *d, int64_t now_us)
{
    switch (d->kind) {
    case DGRAM_PATH:
        on_path(f, d->path);
        break;
    case DGRAM_PATH_BACK:
        on_back(f, d->path, now_us);
        break;
    case DGRAM_OBSERVED:
        on_observed(f, &d->observed, now_us);
        break;
    case DGRAM_MAX_RATE:
        f->rate_max = d->max.value;
        path_set_pace(f, now_us);
        break;
    default:
        break;
    }
}

/* Probes of the size, and everything else, say what the path carries. */
void path_on_settled(struct flow *f, const struct load *l, enum sent_fate fate, int64_t now_us)
{
    if (fate == SENT_GONE || l->packet < f->path_first)
        return;
    bool changed = fate == SENT_LOST
                       ? pmtu_on_lost(&f->pmtu, l->packet, l->bytes, l->sent_us, now_us,
                                      rtt_patience_us(&f->rtt, flow_ack_delay_us(f, now_us)))
                       : pmtu_on_acked(&f->pmtu, l->packet, l->bytes);
    if (l->ect && fate == SENT_LOST)
        ecn_on_lost(&f->ecn);
    else if (l->ect)
        ecn_on_acked(&f->ecn);
    if (changed)
        set_mtu(f, now_us);
}

/* --- what goes ----------------------------------------------------------------------------- */

static int ask(struct flow *f, uint64_t token, bool datagram)
{
    struct ask *free = NULL;

    for (int i = 0; i < ASKS_MAX; i++)
        if (!f->asks[i].open)
            free = &f->asks[i];
    if (f->over)
        return -ROOST_CLOSED;
    if (!free) {
        f->asks[token % ASKS_MAX] = (struct ask){ 0 };
        return -ROOST_LIMIT;
    }
    *free = (struct ask){ .token = token, .open = true, .tell = true, .datagram = datagram };
    return 0;
}

int flow_ask(struct flow *f, uint64_t token)
{
    return ask(f, token, !f->tunnel.on);
}

int flow_ask_datagram(struct flow *f, uint64_t token)
{
    return ask(f, token, true);
}

void flow_limit(struct flow *f, uint64_t bits_a_second)
{
    f->our_rate_max = bits_a_second;
    f->tell_rate = true;
}

bool path_has_words(const struct flow *f)
{
    bool asks = false;

    for (int i = 0; i < ASKS_MAX; i++)
        asks = asks || (f->asks[i].tell && f->asks[i].datagram);
    return asks || f->tell_path_back || f->tell_alive || f->tell_ping || f->tell_observed ||
           f->tell_rate;
}

static bool put_token(struct writer *w, struct load *l, uint64_t token)
{
    struct dgram d = { .kind = DGRAM_PATH };
    uint8_t bytes[PATH_BYTES];
    struct writer t = writer_of(bytes, sizeof bytes);

    write_number(&t, token, PATH_BYTES);
    d.path = bytes;
    return put_frame(w, l, &d, UINT64_MAX);
}

static bool put_observed(struct flow *f, struct writer *w, struct load *l)
{
    struct dgram d = { .kind = DGRAM_OBSERVED };

    d.observed.len = f->paths.now.len;
    d.observed.port = f->paths.now.port;
    memcpy(d.observed.address, f->paths.now.ip, sizeof d.observed.address);
    return put_frame(w, l, &d, UINT64_MAX);
}

static void put_datagram_words(struct flow *f, struct writer *w, struct load *l)
{
    struct dgram d = { .kind = DGRAM_PATH_BACK };

    d.path = f->path_back;
    if (f->tell_path_back)
        f->tell_path_back = !put_frame(w, l, &d, UINT64_MAX);
    if (f->tell_alive)
        f->tell_alive = !put_token(w, l, rng_u64(&f->rng));
    if (f->tell_ping) {
        d = (struct dgram){ .kind = DGRAM_PING };
        f->tell_ping = !put_frame(w, l, &d, UINT64_MAX);
    }
    if (f->tell_observed)
        f->tell_observed = !put_observed(f, w, l);
}

void path_put_words(struct flow *f, struct writer *w, struct load *l, bool datagram)
{
    struct dgram d = { .kind = DGRAM_MAX_RATE };

    for (int i = 0; i < ASKS_MAX; i++)
        if (f->asks[i].tell && f->asks[i].datagram == datagram)
            f->asks[i].tell = !put_token(w, l, f->asks[i].token);
    if (datagram)
        put_datagram_words(f, w, l);
    d.max.value = f->our_rate_max;
    if (f->tell_rate)
        f->tell_rate = !put_frame(w, l, &d, UINT64_MAX);
}

/* Nobody waits for its acknowledgement, so it is not under way. */
int path_next(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap, struct flow_to *ret)
{
    struct path_words words;
    struct dgram d = { .kind = DGRAM_PATH };

    if (!f->proves || !paths_next(&f->paths, OVERHEAD, now_us, &words))
        return 0;
    struct writer w = writer_of(bytes + PACKET_HEAD, cap - OVERHEAD);
    *ret = (struct flow_to){ .at = *words.to };
    flow_skip(f);
    d.path = words.challenge;
    if (words.challenge)
        dgram_write(&w, &d);
    d = (struct dgram){ .kind = DGRAM_PATH_BACK };
    d.path = words.back;
    if (words.back)
        dgram_write(&w, &d);
    int n = flow_seal(f, now_us, bytes, &w);
    if (n > 0 && sent_add(&f->sent, now_us, (uint32_t)n, false, NULL)) {
        flow_close(f, FLOW_NOMEM, "out of memory");
        return 0;
    }
    return n > 0 ? n : 0;
}

/* All behind it would wait as long as it takes the path to carry it. */
static bool is_slow_for(const struct flow *f, uint32_t bytes)
{
    uint64_t rate = f->cc.bandwidth ? f->cc.bandwidth : f->rate;

    return (uint64_t)bytes * 1000000 > rate * PROBE_MOST_US;
}

uint32_t path_probe(struct flow *f, int64_t now_us, size_t cap)
{
    if (!f->sent.eliciting || f->sent.probes || f->probes)
        return 0; /* beside what is sent anyway, and not into silence */
    uint32_t size = pmtu_next(&f->pmtu, now_us);
    if (!size || size > cap || is_slow_for(f, size))
        return 0;
    pmtu_on_probe(&f->pmtu, size, now_us, rtt_patience_us(&f->rtt, flow_ack_delay_us(f, now_us)));
    return size;
}

/* --- time ---------------------------------------------------------------------------------------
 */

static int64_t patience_us(const struct flow *f, int64_t now_us)
{
    return f->rtt.known ? rtt_patience_us(&f->rtt, flow_ack_delay_us(f, now_us)) : 0;
}

void path_expire(struct flow *f, int64_t now_us)
{
    if (!f->keeps || !path_is_open(f) || f->tunnel.on)
        return;
    alive_on_awaited(&f->alive, f->sent.eliciting > 0, now_us);
    switch (alive_expire(&f->alive, now_us, patience_us(f, now_us))) {
    case ALIVE_ASK:
        f->tell_alive = true;
        break;
    case ALIVE_PING:
        f->tell_ping = true;
        break;
    case ALIVE_NOTHING:
        break;
    }
}

int64_t path_deadline_us(const struct flow *f, int64_t now_us)
{
    int64_t due_us = f->proves ? paths_deadline_us(&f->paths, OVERHEAD, now_us) : INT64_MAX;
    struct alive copy = f->alive;

    if (!f->keeps || !path_is_open(f) || f->tunnel.on)
        return due_us;
    alive_on_awaited(&copy, f->sent.eliciting > 0, now_us);
    int64_t alive_us = alive_deadline_us(&copy, patience_us(f, now_us));
    return alive_us < due_us ? alive_us : due_us;
}
