#include "flow/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Until the other side says more; both know these. */
#define DATA_FIRST (1ULL << 20)
enum { SKIP_EACH = 256, ACKS_A_ROUND = 16, ACK_EACH_MAX = 64, ACK_EACH_MEDIA = 32 };

/* --- life ------------------------------------------------------------------------- */

void flow_draw_skip(struct flow *f)
{
    f->skip_at = sent_next(&f->sent) + SKIP_EACH / 2 + rng_below(&f->rng, SKIP_EACH);
}

static void begin_control(struct flow *f, const struct flow_settings *settings, int64_t now_us)
{
    rtt_init(&f->rtt);
    f->rtt_told = settings->rtt_us > 0;
    if (f->rtt_told) {
        f->rtt.smooth_us = settings->rtt_us;
        f->rtt.vary_us = settings->rtt_us / 2;
    }
    cc_init(&f->cc, settings->cc ? settings->cc : cc_default(), f->mtu, now_us);
    f->cc.dice = rng_u64(&f->rng);
    pacer_init(&f->pacer, settings->pacer, f->mtu, now_us);
    pacer_set_together(&f->pacer, f->cc.ops->together);
    path_set_pace(f, now_us);
}

int flow_new(struct flow **ret, const struct flow_settings *settings, int64_t now_us)
{
    struct flow *f = calloc(1, sizeof *f);

    if (!f)
        return -ROOST_NOMEM;
    if (session_init(&f->session, settings->session, settings->client, settings->secret, now_us)) {
        free(f);
        return -ROOST_NOMEM;
    }
    f->events = f->first_events;
    f->events_cap = EVENTS_FIRST;
    f->client = settings->client;
    f->ack_each = settings->ack_each;
    f->acks_fixed = settings->ack_each > 0;
    f->mtu = settings->mtu ? settings->mtu : PACKET_MTU_MIN;
    f->born_us = f->now_us = now_us;
    f->turn_end = &f->turn;
    f->next_id = !f->client;
    f->their_next = f->client;
    f->out_limit = f->in_limit = DATA_FIRST;
    f->holes.left = settings->holes_max ? settings->holes_max : FLOW_HOLES_MAX;
    f->data_window = settings->data_window ? settings->data_window : FLOW_DATA_WINDOW;
    f->our_streams_limit = f->their_streams_limit = FLOW_STREAMS_MAX;
    rng_init(&f->rng, settings->seed);
    map_init(&f->streams, rng_u64(&f->rng));
    sent_init(&f->sent, load_settle, f);
    seen_init(&f->seen);
    path_init(f, settings, now_us);
    begin_control(f, settings, now_us);
    f->trace = settings->trace;
    f->trace_ctx = settings->trace_ctx;
    flow_draw_skip(f);
    *ret = f;
    return 0;
}

/* A clock that steps back stands still for a session: nothing that was measured or promised becomes
 * the future, and nobody waits for a moment to come again. */
static int64_t time_at(const struct flow *f, int64_t now_us)
{
    return now_us + f->ahead_us > f->now_us ? now_us + f->ahead_us : f->now_us;
}

int64_t flow_clock(struct flow *f, int64_t now_us)
{
    f->now_us = time_at(f, now_us);
    f->ahead_us = f->now_us - now_us;
    return f->now_us;
}

int64_t flow_deadline_us(const struct flow *f, int64_t now_us)
{
    int64_t at_us = time_at(f, now_us), due_us = flow_due_us(f, at_us);

    return due_us == INT64_MAX ? due_us : due_us - (at_us - now_us);
}

void flow_free(struct flow *f)
{
    if (!f)
        return;
    sent_fini(&f->sent);
    flow_tunnel_fini(f);
    loads_free(f);
    streams_free(f);
    map_fini(&f->streams);
    session_fini(&f->session);
    rng_fini(&f->rng);
    if (f->events != f->first_events)
        free(f->events);
    free(f->media);
    free(f);
}

/* Not at once: whoever ends it may be in the middle of a list. */
void flow_release(struct flow *f)
{
    if (!f->over || f->released)
        return;
    f->released = true;
    sent_fini(&f->sent);
    flow_tunnel_fini(f);
    loads_free(f);
}

bool flow_reserve_events(struct flow *f, uint32_t streams)
{
    uint32_t cap = f->events_cap, wanted = EVENTS_FIRST + EVENTS_STREAM * streams;

    while (cap < wanted && cap < EVENTS_MAX)
        cap *= 2;
    if (cap == f->events_cap)
        return true;
    struct flow_event *ring = calloc(cap, sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < f->n_events; i++)
        ring[i] = f->events[(f->events_at + i) % f->events_cap];
    if (f->events != f->first_events)
        free(f->events);
    f->events = ring;
    f->events_cap = cap;
    f->events_at = 0;
    return true;
}

void flow_add_event(struct flow *f, const struct flow_event *e)
{
    if (f->n_events < f->events_cap)
        f->events[(f->events_at + f->n_events++) % f->events_cap] = *e;
}

static void note_closed(struct flow *f, uint64_t code)
{
    f->over = true;
    f->events_at = f->n_events = 0; /* nothing else matters any more */
    flow_add_event(f, &(struct flow_event){ .what = FLOW_CLOSED, .code = code });
}

void flow_close(struct flow *f, uint64_t code, const char *text)
{
    if (f->over)
        return;
    f->tell_close = true;
    f->close_code = code;
    strncpy(f->close_text, text, CLOSE_TEXT_MAX);
    note_closed(f, code);
}

/* --- what comes --------------------------------------------------------------------- */

/* A queue holds at least as much as was ever seen to wait in it. So once something was lost, the
 * queue that did it is that long: one that lost by chance only seems longer than it need be.
 * Where nothing waits (a policer, radio) there is no queue to have room in. */
static void watch_queue(struct flow *f, const struct sent_report *r)
{
    int64_t waited_us = r->ack.rtt_us > 0 ? f->rtt.path_us - f->rtt.low_us : 0;

    f->waited_us = waited_us > f->waited_us ? waited_us : f->waited_us;
    f->dropped = f->dropped || r->loss.bytes;
    if (f->dropped && f->waited_us >= PACER_BURST_LEAST_US)
        pacer_on_queue(&f->pacer, f->waited_us);
}

static void report(struct flow *f, int64_t now_us, const struct sent_report *r)
{
    if (r->ack.bytes)
        f->cc.ops->on_ack(&f->cc, &r->ack);
    if (r->loss.bytes)
        f->cc.ops->on_loss(&f->cc, &r->loss);
    if (r->undo)
        f->cc.ops->on_undo(&f->cc, now_us);
    path_set_pace(f, now_us);
    f->rate = r->ack.rate ? r->ack.rate : f->rate;
    watch_queue(f, r);
    media_on_report(f, now_us, r);
    trace_report(f, now_us, r);
}

static void on_ack(struct flow *f, const struct ack *a, int64_t now_us)
{
    struct sent_report r;
    bool is_new = a->ranges[0].last + 1 > f->sent.largest;

    media_on_ack(f, a, now_us);
    if (sent_on_ack(&f->sent, a, now_us, &f->rtt, flow_ack_delay_us(f, now_us), &r)) {
        flow_close(f, FLOW_BROKEN, "an acknowledgement of what was not sent");
        return;
    }
    uint64_t marked = f->ecn.ce;
    r.ack.ce = is_new && ecn_on_ack(&f->ecn, a);
    if (r.ack.ce) /* who counts losses counts a mark as one */
        f->marked_bytes += (f->ecn.ce - marked) * f->mtu;
    r.ack.lost_all += f->marked_bytes;
    report(f, now_us, &r);
}

/* A stream's news: so much more of the credit that all streams share is used. */
static bool count_in(struct flow *f, int64_t fresh)
{
    if (fresh < 0) {
        flow_close(f,
                   fresh == -ROOST_NOMEM   ? FLOW_NOMEM
                   : fresh == -ROOST_LIMIT ? FLOW_LIMITS
                                           : FLOW_BROKEN,
                   "a stream past its limit, or with two ends");
        return false;
    }
    f->in_used += (uint64_t)fresh;
    if (f->in_used > f->in_limit)
        flow_close(f, FLOW_LIMITS, "more bytes than were allowed");
    return !f->over;
}

static void on_stream(struct flow *f, const struct dgram_stream *d)
{
    struct stream *s = stream_of_theirs(f, d->id);

    alive_on_data(&f->alive);
    if (!s || s->was_reset)
        return;
    int64_t fresh = sink_put(&s->sink, d->offset, d->bytes, d->len, d->end);
    if (fresh == -ROOST_BUSY) {
        f->refused = true;
        return;
    }
    if (!count_in(f, fresh))
        return;
    size_t len;
    if (s->stop) {
        f->in_read += sink_skip(&s->sink);
        f->tell_data = true;
        stream_settle(f, s);
    } else if ((sink_peek(&s->sink, &len) && len) || sink_is_over(&s->sink)) {
        stream_tell(f, s, FLOW_READABLE, 0);
    }
}

static void on_reset(struct flow *f, const struct dgram_reset *d)
{
    struct stream *s = stream_of_theirs(f, d->id);
    uint64_t read = s ? s->sink.read : 0;

    if (!s || s->was_reset || !count_in(f, sink_reset(&s->sink, d->length)))
        return;
    f->in_read += d->length - read;
    s->was_reset = true;
    stream_tell(f, s, FLOW_RESET, d->code);
    stream_settle(f, s);
}

static void on_stop(struct flow *f, const struct dgram_reset *d)
{
    struct stream *s = stream_of_theirs(f, d->id);

    if (!s || s->was_stopped)
        return;
    s->was_stopped = true;
    stream_tell(f, s, FLOW_STOPPED, d->code);
    flow_reset(f, s->id, d->code);
}

static void on_max_stream(struct flow *f, uint64_t id, uint64_t limit)
{
    struct stream *s = stream_of_theirs(f, id);

    if (!s)
        return;
    source_allow(&s->source, limit);
    stream_wants(f, s);
}

static void on_max_data(struct flow *f, uint64_t limit)
{
    struct map_slot *slot;

    if (limit <= f->out_limit)
        return;
    f->out_limit = limit;
    for (size_t i = 0; (slot = map_next(&f->streams, &i));)
        stream_wants(f, slot->value);
}

void flow_on_frame(struct flow *f, const struct dgram *d, const struct ack *ack, int64_t now_us)
{
    switch (d->kind) {
    case DGRAM_ACK:
    case DGRAM_ACK_ECN:
        on_ack(f, ack, now_us);
        break;
    case DGRAM_STREAM:
    case DGRAM_STREAM_END:
        on_stream(f, &d->stream);
        break;
    case DGRAM_MAX_DATA:
        on_max_data(f, d->max.value);
        break;
    case DGRAM_MAX_STREAM:
        on_max_stream(f, d->max.id, d->max.value);
        break;
    case DGRAM_MAX_STREAMS:
        f->our_streams_limit = d->max.value > f->our_streams_limit ? d->max.value
                                                                   : f->our_streams_limit;
        break;
    case DGRAM_RESET:
        on_reset(f, &d->reset);
        break;
    case DGRAM_STOP:
        on_stop(f, &d->reset);
        break;
    case DGRAM_PATH:
    case DGRAM_PATH_BACK:
    case DGRAM_OBSERVED:
    case DGRAM_MAX_RATE:
        path_on_frame(f, d, now_us);
        break;
    case DGRAM_CLOSE:
        note_closed(f, d->close.code);
        f->closed = true;
        break;
    case DGRAM_MEDIA:
    case DGRAM_NACK:
    case DGRAM_KEYFRAME:
    case DGRAM_FEEDBACK:
        media_on_frame(f, d);
        break;
    case DGRAM_PAD:
    case DGRAM_PING:
    case DGRAM_KINDS:
        break;
    }
}

/* What comes in a round trip is the other side's window: eight words in each are enough. */
static void count_round(struct flow *f, int64_t now_us)
{
    uint64_t came = f->packets_in - f->round_in;

    if (f->acks_fixed || now_us - f->round_us < f->rtt.smooth_us)
        return;
    f->ack_each = (uint32_t)(came / ACKS_A_ROUND < ACK_EACH_MAX ? came / ACKS_A_ROUND
                                                                : ACK_EACH_MAX);
    f->round_in = f->packets_in;
    f->round_us = now_us;
}

/* Media waits for no acknowledgement: what is lost of it is asked for. */
static struct seen_pace pace_of(struct flow *f, int64_t now_us, bool media_only)
{
    int64_t quarter_us = f->rtt.known ? f->rtt.low_us / 4 : FLOW_ACK_DELAY_US;

    count_round(f, now_us);
    if (media_only)
        return (struct seen_pace){ .every = ACK_EACH_MEDIA, .delay_us = FLOW_ACK_MEDIA_US };
    return (struct seen_pace){
        .every = f->ack_each > 2 ? f->ack_each : 2,
        .delay_us = quarter_us < FLOW_ACK_DELAY_US ? quarter_us : FLOW_ACK_DELAY_US,
    };
}

/* The other side waits longer when nothing but media comes to it. */
int64_t flow_ack_delay_us(const struct flow *f, int64_t now_us)
{
    return media_is_on(f, now_us) ? FLOW_ACK_MEDIA_US : FLOW_ACK_DELAY_US;
}

void flow_came_before(struct flow *f, int64_t us)
{
    f->ago_us = us > 0 ? us : 0;
}

int flow_on_datagram(struct flow *f, int64_t now_us, uint8_t *bytes, size_t len, int ecn)
{
    return flow_on_datagram_from(f, now_us, bytes, len, ecn, NULL);
}

int flow_on_datagram_from(struct flow *f, int64_t now_us, uint8_t *bytes, size_t len, int ecn,
                          const struct path_address *from)
{
    struct session_opened o;
    struct dgram d;
    struct ack ack;
    int more;

    now_us = flow_clock(f, now_us);
    flow_release(f);
    if (session_open(&f->session, now_us, bytes, len, &o)) {
        f->bad_in++;
        return -ROOST_MALFORMED;
    }
    f->packets_in++;
    f->bytes_in += len;
    f->from = from;
    path_come(f, len, o.newest, now_us);
    if (f->over) {
        f->tell_close = !f->closed; /* it has not heard yet */
        return 0;
    }
    struct reader r = reader_of(o.frames, o.frames_len);
    bool asks = false, media_only = true; /* asks: for an acknowledgement */
    f->refused = false;
    if (o.tail_len && !media_adds_up(o.frames, o.frames_len, o.tail_len)) {
        f->from = NULL;
        return 0;
    }
    f->tail = o.tail;
    f->tail_left = o.tail_len;
    while (!f->over && (more = dgram_read(&r, &d, &ack)) != 0) {
        if (more < 0) {
            flow_close(f, FLOW_BROKEN, "a frame that cannot be");
            break;
        }
        asks = asks || dgram_is_eliciting(d.kind);
        media_only = media_only && (media_is_kind(d.kind) || !dgram_is_eliciting(d.kind));
        flow_on_frame(f, &d, &ack, now_us);
    }
    struct seen_pace pace = pace_of(f, now_us, media_only);
    pace.ago_us = f->ago_us < now_us - f->born_us ? f->ago_us : now_us - f->born_us;
    f->ago_us = 0;
    f->from = NULL;
    f->refused_in += f->refused;
    if (f->refused) /* as if it had been lost */
        return 0;
    seen_on_packet(&f->seen, o.number, now_us, asks, (enum seen_ecn)ecn, &pace);
    return 0;
}

/* --- time ------------------------------------------------------------------------------ */

void flow_expire(struct flow *f, int64_t now_us)
{
    struct sent_report r;

    now_us = flow_clock(f, now_us);
    flow_release(f);
    if (f->over)
        return;
    path_expire(f, now_us);
    int64_t delay_us = flow_ack_delay_us(f, now_us);
    if (sent_deadline_us(&f->sent, &f->rtt, delay_us) > now_us)
        return;
    uint32_t probes = sent_expire(&f->sent, now_us, &f->rtt, delay_us, &r);
    f->probes += probes;
    if (probes)
        trace_tell(f, now_us, FLOW_TRACE_PROBE, 0);
    report(f, now_us, &r);
}

/* --- looking --------------------------------------------------------------------------------- */

bool flow_event(struct flow *f, struct flow_event *ret)
{
    if (!f->n_events)
        return false;
    *ret = f->events[f->events_at];
    f->events_at = (f->events_at + 1) % f->events_cap;
    f->n_events--;
    struct stream *s = stream_get(f, ret->stream);
    if (s && ret->what != FLOW_CLOSED) {
        s->told &= ~(1u << ret->what);
        stream_settle(f, s);
    }
    return true;
}

bool flow_is_quiet(const struct flow *f)
{
    return !f->sent.eliciting && !f->turn;
}

void flow_look(const struct flow *f, struct flow_view *ret)
{
    *ret = (struct flow_view){
        .cc = &f->cc,
        .rtt = &f->rtt,
        .sent = &f->sent,
        .pacing = f->pacer.rate,
        .rate = f->rate,
        .packets_in = f->packets_in,
        .bytes_in = f->bytes_in,
        .bad_in = f->bad_in,
        .refused_in = f->refused_in,
        .replayed_in = f->session.replays,
        .mtu = f->mtu,
        .paths = &f->paths,
        .observed = &f->observed,
        .ecn = ecn_name(&f->ecn),
        .heard_us = f->alive.heard_us - f->ahead_us,
        .asked = f->alive.asked,
    };
}
