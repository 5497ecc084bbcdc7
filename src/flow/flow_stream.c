#include "flow/inside.h"

#include <stdlib.h>

#include "base/err.h"

static bool is_ours(const struct flow *f, uint64_t id)
{
    return (id & 1) == !f->client;
}

struct stream *stream_get(const struct flow *f, uint64_t id)
{
    return map_get(&f->streams, id);
}

static struct stream *make(struct flow *f, uint64_t id, uint32_t priority)
{
    bool has_room = flow_reserve_events(f, f->n_ours + f->n_theirs + 1);
    struct stream *s = has_room ? calloc(1, sizeof *s) : NULL;

    if (!s)
        return NULL;
    s->id = id;
    s->priority = priority;
    source_init(&s->source, SINK_WINDOW_FIRST, FLOW_STREAM_ROOM);
    sink_init(&s->sink, FLOW_STREAM_WINDOW);
    s->sink.come.budget = &f->holes;
    if (map_put(&f->streams, id, s)) {
        free(s);
        return NULL;
    }
    *(is_ours(f, id) ? &f->n_ours : &f->n_theirs) += 1;
    return s;
}

/* Numbers that were left out are opened with the first above them. */
struct stream *stream_of_theirs(struct flow *f, uint64_t id)
{
    struct stream *s = stream_get(f, id);

    if (s)
        return s;
    if (is_ours(f, id)) {
        if (id >= f->next_id)
            flow_close(f, FLOW_BROKEN, "a stream that was never opened");
        return NULL;
    }
    if (id < f->their_next)
        return NULL; /* over */
    if (id / 2 >= f->their_streams_limit) {
        flow_close(f, FLOW_LIMITS, "too many streams");
        return NULL;
    }
    for (; f->their_next <= id; f->their_next += 2)
        if (!(s = make(f, f->their_next, 0))) {
            flow_close(f, FLOW_NOMEM, "out of memory");
            return NULL;
        }
    return s;
}

static void stream_free(struct stream *s)
{
    source_fini(&s->source);
    sink_fini(&s->sink);
    free(s);
}

void streams_free(struct flow *f)
{
    struct map_slot *slot;

    for (size_t i = 0; (slot = map_next(&f->streams, &i));)
        stream_free(slot->value);
}

/* --- turns: the lower priority first, equals one after the other --- */

void stream_wants(struct flow *f, struct stream *s)
{
    struct piece p;
    struct stream **at = &f->turn;

    if (s->in_turn || !(s->tell_reset || s->tell_stop || s->tell_limit ||
                        stream_has_more(f, s, &p, PACKET_MTU_MAX)))
        return;
    while (*at && (*at)->priority <= s->priority)
        at = &(*at)->next;
    s->next = *at;
    *at = s;
    s->in_turn = true;
}

static void leave_turn(struct flow *f, struct stream *s)
{
    struct stream **at = &f->turn;

    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    s->in_turn = false;
}

bool stream_has_more(const struct flow *f, const struct stream *s, struct piece *ret, uint32_t max)
{
    return !s->reset && source_next(&s->source, max, f->out_limit - f->out_used, ret);
}

/* --- events --- */

void stream_tell(struct flow *f, struct stream *s, enum flow_happening what, uint64_t code)
{
    if (f->over || s->told & 1u << what || f->n_events == f->events_cap)
        return;
    s->told |= 1u << what;
    flow_add_event(f, &(struct flow_event){ .what = what, .stream = s->id, .code = code });
}

/* --- the end of one --- */

static bool sends_no_more(const struct stream *s)
{
    return s->reset ? s->reset_acked : source_is_over(&s->source);
}

static bool receives_no_more(const struct stream *s)
{
    return s->was_reset || sink_is_over(&s->sink);
}

void stream_settle(struct flow *f, struct stream *s)
{
    if (!sends_no_more(s) || !receives_no_more(s) || s->told)
        return;
    leave_turn(f, s);
    map_take(&f->streams, s->id);
    if (is_ours(f, s->id)) {
        f->n_ours--;
    } else {
        f->n_theirs--;
        f->their_streams_limit++;
        f->tell_streams = true;
    }
    stream_free(s);
}

/* --- what the program does --- */

int64_t flow_open(struct flow *f, uint32_t priority)
{
    if (f->over)
        return -ROOST_CLOSED;
    if (f->next_id / 2 >= f->our_streams_limit)
        return -ROOST_LIMIT;
    struct stream *s = make(f, f->next_id, priority);
    if (!s)
        return -ROOST_NOMEM;
    f->next_id += 2;
    return (int64_t)s->id;
}

int64_t flow_write(struct flow *f, uint64_t stream, const void *bytes, size_t len)
{
    struct stream *s = stream_get(f, stream);

    if (f->over)
        return -ROOST_CLOSED;
    if (!s || s->reset || s->source.ended)
        return -ROOST_INVALID;
    int64_t n = source_write(&s->source, bytes, len);
    s->blocked = n >= 0 && (size_t)n < len;
    if (n > 0)
        stream_wants(f, s);
    return n;
}

uint64_t flow_waiting(const struct flow *f, uint64_t stream)
{
    const struct stream *s = stream_get(f, stream);

    return s && !s->reset ? s->source.written - s->source.sent : 0;
}

uint64_t flow_room(const struct flow *f, uint64_t stream)
{
    const struct stream *s = stream_get(f, stream);

    if (f->over || !s || s->reset || s->source.ended)
        return 0;
    uint64_t held = s->source.written - s->source.base;
    return s->source.room > held ? s->source.room - held : 0;
}

int flow_end(struct flow *f, uint64_t stream)
{
    struct stream *s = stream_get(f, stream);

    if (f->over)
        return -ROOST_CLOSED;
    if (!s || s->reset || s->source.ended)
        return -ROOST_INVALID;
    source_end(&s->source);
    stream_wants(f, s);
    return 0;
}

const uint8_t *flow_read(struct flow *f, uint64_t stream, size_t *ret_len, bool *ret_over)
{
    const struct stream *s = stream_get(f, stream);

    *ret_len = 0;
    *ret_over = !s || s->was_reset || sink_is_over(&s->sink);
    return s && !s->was_reset ? sink_peek(&s->sink, ret_len) : NULL;
}

void flow_take(struct flow *f, uint64_t stream, size_t len, int64_t now_us)
{
    struct stream *s = stream_get(f, stream);

    now_us = flow_clock(f, now_us);
    if (!s || s->was_reset)
        return;
    sink_take(&s->sink, len, now_us, f->rtt.smooth_us);
    f->in_read += len;
    if (sink_has_credit(&s->sink)) {
        s->tell_limit = true;
        stream_wants(f, s);
    }
    if (f->in_read + f->data_window - f->in_limit >= f->data_window / 4)
        f->tell_data = true;
    stream_settle(f, s);
}

int flow_reset(struct flow *f, uint64_t stream, uint64_t code)
{
    struct stream *s = stream_get(f, stream);

    if (f->over || !s || s->reset || source_is_over(&s->source))
        return f->over ? -ROOST_CLOSED : -ROOST_INVALID;
    s->reset = s->tell_reset = true;
    s->reset_code = code;
    stream_wants(f, s);
    return 0;
}

int flow_stop(struct flow *f, uint64_t stream, uint64_t code)
{
    struct stream *s = stream_get(f, stream);

    if (f->over || !s || s->stop || receives_no_more(s))
        return f->over ? -ROOST_CLOSED : -ROOST_INVALID;
    s->stop = s->tell_stop = true;
    s->stop_code = code;
    f->in_read += sink_skip(&s->sink);
    stream_wants(f, s);
    return 0;
}
