#include "flow/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    PIECE_LEAST = 64, /* a smaller rest waits for the next packet */
    ROOM_LEAST = PIECE_LEAST + DGRAM_STREAM_HEAD,
};

/* --- loads --------------------------------------------------------------------------- */

static struct load *load_new(struct flow *f)
{
    struct load *l = f->unused;

    if (l)
        f->unused = l->next_free;
    else
        l = malloc(sizeof *l);
    if (l)
        l->n = 0;
    return l;
}

static void load_free(struct flow *f, struct load *l)
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
        load_free(f, l);
}

/* --- filling a packet ------------------------------------------------------------------------ */

static void put_ack(struct flow *f, struct writer *w, struct load *l, int64_t now_us)
{
    struct ack a;

    if (!seen_ack(&f->seen, now_us, f->born_us, &a) || !dgram_write_ack(w, &a))
        return;
    seen_on_ack_sent(&f->seen);
    note(l, DGRAM_ACK, UINT64_MAX, NULL, a.ranges[0].last);
}

static bool put(struct writer *w, struct load *l, const struct dgram *d, uint64_t stream)
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
    return put(w, l, &d, kind == DGRAM_MAX_STREAM ? id : UINT64_MAX);
}

static void put_session(struct flow *f, struct writer *w, struct load *l)
{
    uint64_t limit = f->in_read + f->data_window;

    if (f->tell_path_back) {
        struct dgram d = { .kind = DGRAM_PATH_BACK };
        d.path = f->path_back;
        f->tell_path_back = !put(w, l, &d, UINT64_MAX);
    }
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
    return put(w, l, &d, s->id);
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

/* Each in its turn: those of the lowest priority number, one after the other. */
static void put_streams(struct flow *f, struct writer *w, struct load *l)
{
    struct stream *s;
    uint64_t first = UINT64_MAX;

    while ((s = f->turn) && s->id != first && writer_left(w) >= ROOM_LEAST) {
        first = first == UINT64_MAX ? s->id : first;
        f->turn = s->next;
        s->in_turn = false;
        put_stream_words(w, l, s);
        put_piece(f, w, l, s);
        stream_wants(f, s); /* behind its equals */
    }
}

/* --- the next packet -----------------------------------------------------------------------------
 */

static bool may_send(struct flow *f, int64_t now_us)
{
    if (f->probes)
        return true;
    return f->sent.under_way + f->mtu <= f->cc.window && pacer_allows(&f->pacer, now_us, f->mtu);
}

static bool has_words(const struct flow *f)
{
    return f->tell_path_back || f->tell_data || f->tell_streams;
}

static int seal_up(struct flow *f, int64_t now_us, uint8_t *bytes, struct writer *w)
{
    size_t frames = (size_t)(w->p - bytes) - PACKET_HEAD;

    return session_seal(&f->session, now_us, bytes, frames, NULL, 0);
}

static int say_goodbye(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap)
{
    struct writer w = writer_of(bytes + PACKET_HEAD, cap - PACKET_HEAD - PACKET_TAG);
    struct dgram d = { .kind = DGRAM_CLOSE };

    f->tell_close = false;
    d.close.code = f->close_code;
    d.close.text = f->close_text;
    d.close.len = strlen(f->close_text);
    if (!dgram_write(&w, &d))
        return 0;
    int n = seal_up(f, now_us, bytes, &w);
    return n > 0 ? n : 0;
}

/* Now and then a number is left out, so that nobody can acknowledge what it has not seen. */
static void skip_one(struct flow *f)
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

/* Puts in all that is to be said; a probe says something in any case. */
static void fill(struct flow *f, struct writer *w, struct load *l, int64_t now_us, bool may)
{
    bool due = f->seen.due_us <= now_us;

    if (due || (may && f->seen.waiting && (f->turn || has_words(f))))
        put_ack(f, w, l, now_us);
    if (!may)
        return;
    put_session(f, w, l);
    put_streams(f, w, l);
    if (f->probes && !asks(l)) {
        struct dgram ping = { .kind = DGRAM_PING };
        put(w, l, &ping, UINT64_MAX);
    }
}

int flow_next(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap)
{
    size_t most = cap < f->mtu ? cap : f->mtu;

    if (f->tell_close)
        return say_goodbye(f, now_us, bytes, most);
    if (f->over)
        return 0;
    bool may = may_send(f, now_us);
    if (f->seen.due_us > now_us && !(may && (f->turn || has_words(f) || f->probes)))
        return 0;
    struct load *l = load_new(f);
    if (!l)
        return 0; /* the next deadline tries again */
    skip_one(f);
    struct writer w = writer_of(bytes + PACKET_HEAD, most - PACKET_HEAD - PACKET_TAG);
    fill(f, &w, l, now_us, may);
    if (!l->n) {
        sent_on_idle(&f->sent);
        load_free(f, l);
        return 0;
    }
    bool eliciting = asks(l);
    int n = seal_up(f, now_us, bytes, &w);
    if (n < 0 || sent_add(&f->sent, now_us, (uint32_t)n, eliciting, l)) {
        load_settle(f, l, SENT_LOST);
        load_free(f, l);
        if (n > 0)
            flow_close(f, FLOW_NOMEM, "out of memory");
        return 0;
    }
    if (eliciting) {
        pacer_on_sent(&f->pacer, now_us, (uint64_t)n);
        f->probes -= f->probes > 0;
    }
    trace_tell(f, now_us, FLOW_TRACE_SENT, (uint64_t)n);
    if (!f->turn && f->sent.under_way < f->cc.window)
        sent_on_idle(&f->sent);
    return n;
}

int64_t flow_deadline_us(const struct flow *f, int64_t now_us)
{
    int64_t due_us = sent_deadline_us(&f->sent, &f->rtt, FLOW_ACK_DELAY_US);

    if (f->tell_close)
        return now_us;
    if (f->over)
        return INT64_MAX;
    due_us = f->seen.due_us < due_us ? f->seen.due_us : due_us;
    bool wants = f->turn || has_words(f) || f->probes;
    if (wants && (f->probes || f->sent.under_way + f->mtu <= f->cc.window)) {
        struct pacer copy = f->pacer;
        int64_t may_us = f->probes ? now_us : pacer_when_us(&copy, now_us, f->mtu);
        due_us = may_us < due_us ? may_us : due_us;
    }
    return due_us;
}
