#include "flow/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    PIECE_LEAST = 64, /* a smaller rest waits for the next packet */
    ROOM_LEAST = PIECE_LEAST + DGRAM_STREAM_HEAD,
    UNANSWERED_MAX = 128, /* packets */
    UNANSWERED_MEDIA = 16,
    SMALL_AFTER = 2, /* probes without an answer */
};

/* --- loads --------------------------------------------------------------------------- */

struct load *load_new(struct flow *f)
{
    struct load *l = f->unused;

    if (l)
        f->unused = l->next_free;
    else
        l = malloc(sizeof *l);
    if (l) {
        l->n = 0;
        l->packet = 0;
        l->bytes = 0;
        l->ect = false;
    }
    return l;
}

void load_drop(struct flow *f, struct load *l)
{
    l->next_free = f->unused;
    f->unused = l;
}

void loads_free(struct flow *f)
{
    while (f->unused) {
        struct load *next = f->unused->next_free;
        free(f->unused);
        f->unused = next;
    }
}

static void note(struct load *l, uint8_t kind, uint64_t stream, const struct piece *p,
                 uint64_t number)
{
    l->items[l->n++] = (struct item){
        .kind = kind, .stream = stream, .piece = p ? *p : (struct piece){ 0 }, .number = number
    };
}

/* --- what came of a packet --------------------------------------------------------------- */

static void on_acked(struct flow *f, const struct item *i)
{
    struct stream *s = stream_get(f, i->stream);

    switch (i->kind) {
    case DGRAM_ACK:
        seen_forget(&f->seen, i->number);
        break;
    case DGRAM_STREAM:
        if (!s)
            break;
        if (source_on_acked(&s->source, &i->piece))
            flow_close(f, FLOW_NOMEM, "out of memory, or too many holes");
        if (s->blocked && s->source.written - s->source.base < s->source.room / 2) {
            s->blocked = false;
            stream_tell(f, s, FLOW_WRITABLE, 0);
        }
        if (source_is_over(&s->source) && i->piece.len + i->piece.end)
            stream_tell(f, s, FLOW_SENT, 0);
        break;
    case DGRAM_RESET:
        if (s)
            s->reset_acked = true;
        break;
    default:
        break;
    }
}

static void on_lost(struct flow *f, const struct item *i)
{
    struct stream *s = stream_get(f, i->stream);

    switch (i->kind) {
    case DGRAM_STREAM:
        if (s && source_on_lost(&s->source, &i->piece))
            flow_close(f, FLOW_NOMEM, "out of memory, or too many holes");
        break;
    case DGRAM_MAX_DATA:
        f->tell_data = true;
        break;
    case DGRAM_MAX_STREAMS:
        f->tell_streams = true;
        break;
    case DGRAM_MAX_STREAM:
        if (s)
            s->tell_limit = true;
        break;
    case DGRAM_OBSERVED:
        f->tell_observed = true;
        break;
    case DGRAM_MAX_RATE:
        f->tell_rate = true;
        break;
    case DGRAM_RESET:
        if (s)
            s->tell_reset = !s->reset_acked;
        break;
    case DGRAM_STOP:
        if (s)
            s->tell_stop = true;
        break;
    default:
        break;
    }
    if (s)
        stream_wants(f, s);
}

void load_settle(void *flow, void *load, enum sent_fate fate)
{
    struct flow *f = flow;
    struct load *l = load;

    if (!l)
        return;
    path_on_settled(f, l, fate, f->now_us);
    for (uint32_t i = 0; i < l->n && fate != SENT_GONE; i++) {
        struct item item = l->items[i];
        if (fate == SENT_LOST)
            on_lost(f, &item);
        else
            on_acked(f, &item);
        struct stream *s = fate != SENT_LOST ? stream_get(f, item.stream) : NULL;
        if (s && item.kind != DGRAM_ACK)
            stream_settle(f, s);
    }
    if (fate != SENT_LOST) /* a lost one may come late */
        load_drop(f, l);
}

/* --- filling a packet ------------------------------------------------------------------------ */

void flow_put_ack(struct flow *f, struct writer *w, struct load *l, int64_t now_us)
{
    struct ack a;

    if (!seen_ack(&f->seen, now_us, f->born_us, &a) || !dgram_write_ack(w, &a))
        return;
    seen_on_ack_sent(&f->seen);
    note(l, DGRAM_ACK, UINT64_MAX, NULL, a.ranges[0].last);
}

bool put_frame(struct writer *w, struct load *l, const struct dgram *d, uint64_t stream)
{
    if (l->n == ITEMS_MAX || !dgram_write(w, d))
        return false;
    note(l, (uint8_t)d->kind, stream, NULL, 0);
    return true;
}

static bool put_max(struct writer *w, struct load *l, enum dgram_kind kind, uint64_t id,
                    uint64_t value)
{
    struct dgram d = { .kind = kind };

    d.max.id = id;
    d.max.value = value;
    return put_frame(w, l, &d, kind == DGRAM_MAX_STREAM ? id : UINT64_MAX);
}

static void put_session(struct flow *f, struct writer *w, struct load *l)
{
    uint64_t limit = f->in_read + f->data_window;

    if (f->tell_data &&
        put_max(w, l, DGRAM_MAX_DATA, 0, limit > f->in_limit ? limit : f->in_limit)) {
        f->in_limit = limit > f->in_limit ? limit : f->in_limit;
        f->tell_data = false;
    }
    if (f->tell_streams)
        f->tell_streams = !put_max(w, l, DGRAM_MAX_STREAMS, 0, f->their_streams_limit);
}

static bool put_reset(struct writer *w, struct load *l, const struct stream *s,
                      enum dgram_kind kind)
{
    struct dgram d = { .kind = kind };

    d.reset.id = s->id;
    d.reset.code = kind == DGRAM_RESET ? s->reset_code : s->stop_code;
    d.reset.length = s->source.sent;
    return put_frame(w, l, &d, s->id);
}

static void put_stream_words(struct writer *w, struct load *l, struct stream *s)
{
    if (s->tell_reset)
        s->tell_reset = !put_reset(w, l, s, DGRAM_RESET);
    if (s->tell_stop)
        s->tell_stop = !put_reset(w, l, s, DGRAM_STOP);
    if (s->tell_limit)
        s->tell_limit = !put_max(w, l, DGRAM_MAX_STREAM, s->id, sink_give_credit(&s->sink));
}

/* Bytes of one stream, as many as there is room for. */
static void put_piece(struct flow *f, struct writer *w, struct load *l, struct stream *s)
{
    size_t head = 1 + var_bytes(s->id) + var_bytes(s->source.written) + 2, left = writer_left(w);
    struct piece p;

    if (l->n == ITEMS_MAX || left < head + PIECE_LEAST ||
        !stream_has_more(f, s, &p, (uint32_t)(left - head)))
        return;
    write_u8(w, p.end ? DGRAM_STREAM_END : DGRAM_STREAM);
    write_var(w, s->id);
    write_var(w, p.offset);
    write_var(w, p.len);
    uint8_t *room = write_room(w, p.len);
    source_copy(&s->source, &p, room);
    f->out_used += source_take(&s->source, &p);
    note(l, DGRAM_STREAM, s->id, &p, 0);
}

/* Each in its turn: those of the lowest priority number, one after the other, until there is
 * no room for one more. */
static void put_streams(struct flow *f, struct writer *w, struct load *l)
{
    struct stream *s;

    while ((s = f->turn) && l->n < ITEMS_MAX && writer_left(w) >= ROOM_LEAST) {
        const uint8_t *before = w->p;
        f->turn = s->next;
        s->in_turn = false;
        put_stream_words(w, l, s);
        put_piece(f, w, l, s);
        stream_wants(f, s); /* behind its equals */
        if (w->p == before && s->in_turn)
            return;
    }
}

void flow_put_words(struct flow *f, struct writer *w, struct load *l, bool may)
{
    put_session(f, w, l);
    if (may)
        put_streams(f, w, l);
}

/* --- the next packet -----------------------------------------------------------------------------
 */

static bool may_send(struct flow *f, int64_t now_us)
{
    if (f->tunnel.on)
        return false;
    if (f->probes)
        return true;
    return f->sent.under_way + f->mtu <= f->cc.window && pacer_allows(&f->pacer, now_us, f->mtu) &&
           media_leaves_room(f, now_us);
}

static bool has_words(const struct flow *f)
{
    return f->tell_data || f->tell_streams;
}

int flow_seal(struct flow *f, int64_t now_us, uint8_t *bytes, const struct writer *w)
{
    size_t frames = (size_t)(w->p - bytes) - PACKET_HEAD;

    return session_seal(&f->session, now_us, bytes, frames, NULL, 0);
}

void flow_put_goodbye(struct flow *f, struct writer *w)
{
    struct dgram d = { .kind = DGRAM_CLOSE };

    f->tell_close = false;
    d.close.code = f->close_code;
    d.close.text = f->close_text;
    d.close.len = strlen(f->close_text);
    dgram_write(w, &d);
}

static int say_goodbye(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap)
{
    struct writer w = writer_of(bytes + PACKET_HEAD, cap - PACKET_HEAD - PACKET_TAG);

    flow_put_goodbye(f, &w);
    int n = flow_seal(f, now_us, bytes, &w);
    return n > 0 ? n : 0;
}

/* Now and then a number is left out, so that nobody can acknowledge what it has not seen. */
void flow_skip(struct flow *f)
{
    if (sent_next(&f->sent) != f->skip_at || sent_skip(&f->sent))
        return;
    session_skip(&f->session);
    flow_draw_skip(f);
}

static bool asks(const struct load *l)
{
    return l->n && !(l->n == 1 && l->items[0].kind == DGRAM_ACK);
}

/* Words only, for a long time: now and then they ask to be acknowledged, or the list of what
 * is not settled would grow without end. */
static bool is_owed_an_answer(const struct flow *f)
{
    uint64_t most = f->media ? UNANSWERED_MEDIA : UNANSWERED_MAX;

    return !f->sent.eliciting && f->sent.next - f->sent.first >= most;
}

/* Puts in all that is to be said; a probe says something in any case. */
static void fill(struct flow *f, struct writer *w, struct load *l, int64_t now_us, bool may)
{
    bool due = f->seen.due_us <= now_us;
    struct dgram ping = { .kind = DGRAM_PING };

    if (due || (may && f->seen.waiting && (f->turn || has_words(f))))
        flow_put_ack(f, w, l, now_us);
    path_put_words(f, w, l, true);
    if (may)
        flow_put_words(f, w, l, true);
    if ((may && f->probes && !asks(l)) || (l->n && is_owed_an_answer(f)))
        put_frame(w, l, &ping, UINT64_MAX);
}

/* Seals what was filled in, and notes that it is under way. */
static int launch(struct flow *f, int64_t now_us, uint8_t *bytes, const struct writer *w,
                  struct load *l, bool counts)
{
    l->packet = sent_next(&f->sent);
    l->sent_us = now_us;
    int n = flow_seal(f, now_us, bytes, w);
    int err = n > 0 ? sent_add(&f->sent, now_us, (uint32_t)n, counts, l) : 0;
    if (n <= 0 || err) {
        load_settle(f, l, SENT_LOST);
        load_drop(f, l);
        if (err == -ROOST_LIMIT)
            flow_close(f, FLOW_LIMITS, "nothing is acknowledged");
        else if (err)
            flow_close(f, FLOW_NOMEM, "out of memory");
        return 0;
    }
    l->bytes = (uint32_t)n;
    l->ect = ecn_marks(&f->ecn);
    if (l->ect)
        ecn_on_sent(&f->ecn);
    trace_tell(f, now_us, FLOW_TRACE_SENT, (uint64_t)n);
    return n;
}

int flow_note_sent(struct flow *f, int64_t now_us, int n, uint32_t bytes, struct load *l)
{
    if (l) {
        l->packet = sent_next(&f->sent);
        l->sent_us = now_us;
        l->bytes = bytes;
    }
    int err = n > 0 ? sent_add(&f->sent, now_us, bytes, true, l) : 0;
    if (n <= 0 || err) {
        if (l)
            load_drop(f, l);
        if (err)
            flow_close(f, err == -ROOST_LIMIT ? FLOW_LIMITS : FLOW_NOMEM, "no room to remember");
        return 0;
    }
    trace_tell(f, now_us, FLOW_TRACE_SENT, bytes);
    pacer_on_sent(&f->pacer, now_us, bytes);
    if (f->cc.ops->on_sent) {
        uint64_t pacing = f->cc.pacing;
        f->cc.ops->on_sent(&f->cc, now_us, bytes, f->sent.under_way);
        if (f->cc.pacing != pacing)
            path_set_pace(f, now_us);
    }
    if (!f->turn && f->sent.under_way < f->cc.window)
        sent_on_idle(&f->sent);
    return n;
}

/* A packet of that size with nothing in it: its loss is no congestion, so it does not count. */
static int send_probe(struct flow *f, int64_t now_us, uint8_t *bytes, uint32_t size,
                      struct flow_to *ret)
{
    struct dgram ping = { .kind = DGRAM_PING }, padding = { .kind = DGRAM_PAD };
    struct load *l = load_new(f);

    if (!l)
        return 0;
    flow_skip(f);
    struct writer w = writer_of(bytes + PACKET_HEAD, size - PACKET_HEAD - PACKET_TAG);
    put_frame(&w, l, &ping, UINT64_MAX);
    dgram_write(&w, &padding);
    int n = launch(f, now_us, bytes, &w, l, false);
    if (n)
        pacer_on_sent(&f->pacer, now_us, (uint64_t)n);
    ret->ect = n && l->ect;
    return n;
}

static int send_next(struct flow *f, int64_t now_us, uint8_t *bytes, size_t most, bool may,
                     struct flow_to *ret)
{
    struct load *l = load_new(f);

    if (!l)
        return 0; /* the next deadline tries again */
    flow_skip(f);
    struct writer w = writer_of(bytes + PACKET_HEAD, most - PACKET_HEAD - PACKET_TAG);
    fill(f, &w, l, now_us, may);
    if (!l->n) {
        sent_on_idle(&f->sent);
        load_drop(f, l);
        return 0;
    }
    bool eliciting = asks(l);
    int n = launch(f, now_us, bytes, &w, l, eliciting);
    if (!n)
        return 0;
    ret->ect = l->ect;
    if (eliciting) {
        if (f->media)
            turn_on_sent(&f->media->turn, now_us, TURN_FILE, (uint32_t)n);
        pacer_on_sent(&f->pacer, now_us, (uint64_t)n);
        if (f->cc.ops->on_sent) {
            f->cc.ops->on_sent(&f->cc, now_us, (uint64_t)n, f->sent.under_way);
            path_set_pace(f, now_us);
        }
        f->probes -= f->probes > 0;
    }
    if (!f->turn && f->sent.under_way < f->cc.window)
        sent_on_idle(&f->sent);
    return n;
}

/* What was silent for long may carry small ones only. */
size_t flow_size_now(const struct flow *f, size_t cap)
{
    size_t most = f->sent.probes >= SMALL_AFTER && f->pmtu.base < f->mtu ? f->pmtu.base : f->mtu;

    return cap < most ? cap : most;
}

int flow_next_to(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap, struct flow_to *ret)
{
    now_us = flow_clock(f, now_us);
    size_t most = flow_size_now(f, cap);
    flow_release(f);
    int n = f->over ? 0 : path_next(f, now_us, bytes, most, ret);

    if (n)
        return n;
    *ret = (struct flow_to){ .at = f->paths.now };
    if (!path_is_open(f))
        return 0;
    if (f->tell_close)
        return say_goodbye(f, now_us, bytes, most);
    if (f->over)
        return 0;
    bool may = may_send(f, now_us);
    uint32_t size = may ? path_probe(f, now_us, cap) : 0;
    if (size)
        return send_probe(f, now_us, bytes, size, ret);
    if (f->seen.due_us > now_us && !path_has_words(f) &&
        !(may && (f->turn || has_words(f) || f->probes)))
        return 0;
    return send_next(f, now_us, bytes, most, may, ret);
}

int flow_next(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap)
{
    struct flow_to to;

    return flow_next_to(f, now_us, bytes, cap, &to);
}

int64_t flow_due_us(const struct flow *f, int64_t now_us)
{
    int64_t due_us = sent_deadline_us(&f->sent, &f->rtt, flow_ack_delay_us(f, now_us));
    int64_t path_us = path_deadline_us(f, now_us);

    if (f->tell_close && path_is_open(f))
        return now_us;
    if (f->over)
        return INT64_MAX;
    if (!path_is_open(f))
        return path_us;
    if (path_has_words(f))
        return now_us;
    due_us = path_us < due_us ? path_us : due_us;
    due_us = f->seen.due_us < due_us ? f->seen.due_us : due_us;
    bool wants = f->turn || has_words(f) || f->probes;
    if (wants && !f->tunnel.on && (f->probes || f->sent.under_way + f->mtu <= f->cc.window)) {
        struct pacer copy = f->pacer;
        int64_t may_us = f->probes ? now_us : pacer_wake_us(&copy, now_us, f->mtu);
        int64_t room_us = f->probes ? now_us : media_room_us(f, now_us);
        may_us = room_us > may_us ? room_us : may_us;
        due_us = may_us < due_us ? may_us : due_us;
    }
    return due_us;
}
