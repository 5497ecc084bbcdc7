#include "flow/flow_media.h"

#include <stdlib.h>

#include "base/err.h"
#include "flow/inside.h"

#define LOSS_OF (1 / 128.0f) /* one packet in what is known of the loss */

static uint64_t or_usual(uint64_t n, uint64_t usual)
{
    return n ? n : usual;
}

int flow_take_media(struct flow *f, const struct flow_media_settings *s, int64_t now_us)
{
    struct media_way *m = f->media;

    now_us = flow_clock(f, now_us);
    if (!m) {
        uint64_t most = or_usual(s->most, FLOW_MEDIA_MOST_RATE);
        uint64_t start = or_usual(s->start, FLOW_MEDIA_START_RATE), known = f->cc.bandwidth * 8;
        if (!(m = f->media = calloc(1, sizeof *m)))
            return -ROOST_NOMEM;
        start = known > start ? known : start; /* streams have shown it */
        estimate_init(&m->estimate, now_us, start < most ? start : most,
                      or_usual(s->least, FLOW_MEDIA_LEAST_RATE), most);
        figures_init(&m->figures, now_us);
        turn_init(&m->turn, now_us, m->estimate.rate);
        m->sent_us = now_us - MEDIA_REST_US;
    }
    m->take = s->take;
    m->ctx = s->ctx;
    return 0;
}

bool flow_look_media(const struct flow *f, struct flow_media_view *ret)
{
    const struct media_way *m = f->media;

    if (!m)
        return false;
    *ret = (struct flow_media_view){
        .rate = f->tunnel.on && m->tunnel_rate ? m->tunnel_rate : m->estimate.rate,
        .loss = f->tunnel.on ? 0 : m->loss,
        .rtt_us = f->rtt.known ? f->rtt.smooth_us : 0,
        .estimate = &m->estimate,
    };
    return true;
}

bool flow_media_figures(struct flow *f, int64_t now_us, struct figures_view *ret)
{
    if (!f->media)
        return false;
    figures_look(&f->media->figures, flow_clock(f, now_us), ret);
    return true;
}

void flow_on_tunnel_rate(struct flow *f, uint64_t rate)
{
    if (f->media)
        f->media->tunnel_rate = rate;
}

/* --- what comes --------------------------------------------------------------------- */

bool media_is_kind(enum dgram_kind kind)
{
    return kind == DGRAM_MEDIA || kind == DGRAM_NACK || kind == DGRAM_KEYFRAME ||
           kind == DGRAM_FEEDBACK;
}

bool media_adds_up(const uint8_t *frames, size_t len, size_t tail_len)
{
    struct reader r = reader_of(frames, len);
    struct dgram d;
    struct ack ack;
    size_t sum = 0;

    while (dgram_read(&r, &d, &ack) > 0)
        sum += d.kind == DGRAM_MEDIA ? d.media.len : 0;
    return sum == tail_len;
}

size_t media_tail_of(const uint8_t *message, size_t len)
{
    struct reader r = reader_of(message, len);
    struct dgram d;
    struct ack ack;
    size_t sum = 0;

    while (reader_left(&r) > sum && dgram_read(&r, &d, &ack) > 0)
        sum += d.kind == DGRAM_MEDIA ? d.media.len : 0;
    return !r.bad && reader_left(&r) == sum ? sum : 0;
}

void media_on_frame(struct flow *f, const struct dgram *d)
{
    struct media_way *m = f->media;
    const uint8_t *payload = NULL;

    if (!m) {
        flow_close(f, FLOW_BROKEN, "this session has no media");
        return;
    }
    if (d->kind == DGRAM_MEDIA) {
        if (!d->media.len || d->media.len > f->tail_left) {
            f->refused = true;
            return;
        }
        payload = f->tail;
        f->tail += d->media.len;
        f->tail_left -= d->media.len;
        alive_on_data(&f->alive);
    }
    if (m->take)
        m->take(m->ctx, d, payload);
}

/* --- what goes ----------------------------------------------------------------------- */

static enum turn_kind kind_of(const struct media *m)
{
    return m->codec == MEDIA_OPUS || m->codec == MEDIA_PCM ? TURN_SOUND : TURN_PICTURE;
}

static bool is_possible(const struct flow *f, size_t n_parts)
{
    return !f->over && f->media && path_is_open(f) && f->sent.eliciting < FLOW_MEDIA_FULL &&
           f->sent.probes < FLOW_MEDIA_SILENT &&
           n_parts <= (f->client ? SESSION_TAIL_PARTS : FLOW_PARTS_MAX);
}

/* All of it, or false. */
static bool put_media(struct writer *w, const struct media_part *parts, size_t n_parts,
                      const struct dgram *words, size_t n_words)
{
    for (size_t i = 0; i < n_parts; i++) {
        struct dgram d = { .kind = DGRAM_MEDIA, .media = parts[i].head };
        if (!dgram_write(w, &d))
            return false;
    }
    for (size_t i = 0; i < n_words; i++)
        if (!dgram_write(w, &words[i]))
            return false;
    return true;
}

/* What a kind takes, the others pay for. The head of the datagram is the first one's. */
static void pay(struct flow *f, int64_t now_us, const struct media_part *parts, size_t n_parts,
                uint32_t bytes)
{
    struct media_way *m = f->media;

    for (size_t i = n_parts; i-- > 0;) {
        enum turn_kind kind = kind_of(&parts[i].head);
        uint32_t own = parts[i].head.len + (uint32_t)media_bytes(&parts[i].head);
        own = i ? own : bytes;
        bytes -= own < bytes ? own : bytes;
        turn_allows(&m->turn, now_us, kind, own);
        turn_on_sent(&m->turn, now_us, kind, own);
        m->sent_us = now_us;
    }
}

static int send_message(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap,
                        const struct media_part *parts, size_t n_parts, const struct dgram *words,
                        size_t n_words)
{
    struct writer w = writer_of(bytes, cap);

    if (!put_media(&w, parts, n_parts, words, n_words))
        return 0;
    f->media->sent_us = n_parts ? now_us : f->media->sent_us;
    return (int)(w.p - bytes);
}

static int seal(struct flow *f, int64_t now_us, uint8_t *bytes, size_t frames,
                const struct media_part *parts, size_t n_parts)
{
    struct seal_part tail[SESSION_TAIL_PARTS] = { { NULL, 0 } };
    size_t n = f->client || !n_parts ? n_parts : 1; /* a server only says that there is one */

    for (size_t i = 0; f->client && i < n; i++)
        tail[i] = (struct seal_part){ parts[i].payload, parts[i].head.len };
    return session_seal(&f->session, now_us, bytes, frames, tail, n);
}

void flow_expect_media(const struct flow *f)
{
    const void *const needed[] = { &f->client,     &f->session.out,  &f->sent,   &f->sent.next,
                                   &f->sent.stats, &f->seen.waiting, &f->rtt,    &f->cc.pacing,
                                   &f->cc.bbr,     &f->pacer,        &f->mtu,    &f->turn,
                                   &f->paths,      &f->ecn,          &f->tunnel, &f->now_us,
                                   &f->media,      &f->trace };

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        __builtin_prefetch(needed[i]);
}

int flow_send_media(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap,
                    const struct media_part *parts, size_t n_parts, const struct dgram *words,
                    size_t n_words, struct flow_to *ret)
{
    size_t head = n_parts ? PACKET_HEAD_TAIL : PACKET_HEAD, payloads = 0, most;

    now_us = flow_clock(f, now_us);
    *ret = (struct flow_to){ .at = f->paths.now };
    if (!is_possible(f, n_parts) || !(n_parts + n_words))
        return 0;
    if (f->tunnel.on)
        return send_message(f, now_us, bytes, cap, parts, n_parts, words, n_words);
    for (size_t i = 0; i < n_parts; i++)
        payloads += parts[i].head.len;
    most = flow_size_now(f, f->mtu);
    if (most < head + PACKET_TAG + payloads)
        return 0;
    most = most - payloads < cap ? most - payloads : cap;
    struct writer w = writer_of(bytes + head, most - head - PACKET_TAG);
    if (!put_media(&w, parts, n_parts, words, n_words))
        return 0;
    struct load *l = f->seen.waiting ? load_new(f) : NULL;
    if (l)
        flow_put_ack(f, &w, l, now_us);
    flow_skip(f);
    int n = seal(f, now_us, bytes, (size_t)(w.p - bytes) - head, parts, n_parts);
    n = flow_note_sent(f, now_us, n, n > 0 ? (uint32_t)((size_t)n + payloads) : 0, l);
    if (n > 0 && n_parts)
        pay(f, now_us, parts, n_parts, (uint32_t)((size_t)n + payloads));
    return n;
}

/* --- what the path carries -------------------------------------------------------------- */

void media_on_ack(struct flow *f, const struct ack *a, int64_t now_us)
{
    struct media_way *m = f->media;
    uint64_t numbers[ACK_TIMES_MAX];
    uint32_t n = 0;

    if (!m)
        return;
    for (uint32_t i = 0; i < a->n_ranges && n < a->n_times; i++)
        for (uint64_t k = a->ranges[i].last + 1; k > a->ranges[i].first && n < a->n_times; k--)
            numbers[n++] = k - 1;
    while (n-- > 0) { /* in order of arrival, or nearly */
        int64_t sent_us;
        uint32_t bytes;
        if (!sent_look(&f->sent, numbers[n], &sent_us, &bytes))
            continue;
        estimate_on_acked(&m->estimate, now_us, sent_us, a->times_us[n], bytes);
        /* the delay is of two clocks, as everywhere: only its changes count */
        figures_on_packet(&m->figures, now_us, now_us - (a->times_us[n] - sent_us), bytes);
        m->loss -= m->loss * LOSS_OF;
    }
}

/* A rate that is not used says nothing of what there is room for. */
static bool is_limited(const struct media_way *m, int64_t now_us)
{
    return estimate_came(&m->estimate, now_us) * 10 < m->estimate.rate * 7;
}

static void tell_figures(struct media_way *m, int64_t now_us, const struct sent_report *r)
{
    const struct estimate *e = &m->estimate;

    figures_on_loss(&m->figures, now_us, (uint32_t)r->lost, 0);
    figures_on_rtt(&m->figures, e->rtt_us);
    if (m->figures.n >= FIGURES_SECONDS) /* before, a few are no share */
        figures_on_why(&m->figures, now_us, FIGURES_LOSS, (uint32_t)(m->loss * 1000));
    if (e->why_us == now_us && (e->why == ESTIMATE_QUEUE || e->why == ESTIMATE_LOSS))
        figures_on_why(&m->figures, now_us, FIGURES_NARROW, (uint32_t)(e->rate / 1000));
}

void media_on_report(struct flow *f, int64_t now_us, const struct sent_report *r)
{
    struct media_way *m = f->media;

    if (!m)
        return;
    for (uint64_t i = 0; i < r->lost; i++)
        m->loss += (1 - m->loss) * LOSS_OF;
    estimate_on_lost(&m->estimate, now_us, (uint32_t)r->lost);
    if (f->rtt.known)
        estimate_on_rtt(&m->estimate, f->rtt.smooth_us);
    estimate_on_limited(&m->estimate, is_limited(m, now_us));
    estimate_expire(&m->estimate, now_us);
    tell_figures(m, now_us, r);
    turn_set_rate(&m->turn, now_us, m->estimate.rate);
}

void media_on_path(struct flow *f, int64_t now_us)
{
    if (!f->media)
        return;
    estimate_on_path(&f->media->estimate, now_us);
    f->media->loss = 0;
    figures_on_why(&f->media->figures, now_us, FIGURES_MOVED, f->tunnel.on);
    turn_set_rate(&f->media->turn, now_us, f->media->estimate.rate);
}

bool media_is_on(const struct flow *f, int64_t now_us)
{
    return f->media && now_us - f->media->sent_us < MEDIA_REST_US;
}

bool media_leaves_room(struct flow *f, int64_t now_us)
{
    return !media_is_on(f, now_us) || turn_allows(&f->media->turn, now_us, TURN_FILE, f->mtu);
}

int64_t media_room_us(const struct flow *f, int64_t now_us)
{
    if (!media_is_on(f, now_us))
        return now_us;
    struct turn copy = f->media->turn;
    int64_t when_us = turn_when_us(&copy, now_us, TURN_FILE, f->mtu);
    int64_t over_us = f->media->sent_us + MEDIA_REST_US;
    return when_us < over_us ? when_us : over_us;
}
