/* inside.h - what the files of flow.h share.
 *
 * flow.c         life, datagrams that come, time
 * flow_out.c     datagrams that go: what is put into the next one, and what came of it
 * flow_stream.c  streams: opened, found, read, written, given up
 * trace.c        who watches is told
 */
#pragma once

#include "base/map.h"
#include "flow/flow.h"
#include "flow/pacer.h"
#include "flow/seen.h"
#include "flow/sink.h"
#include "flow/source.h"
#include "seal/rng.h"
#include "seal/session.h"

enum {
    EVENTS_MAX = 4 * FLOW_STREAMS_MAX, /* one of each kind a stream */
    ITEMS_MAX = 32,                    /* in one packet */
};

struct stream {
    uint64_t id;
    uint32_t priority;
    struct source source;
    struct sink sink;
    struct stream *next; /* of those with something to say, in turn */
    bool in_turn;
    bool blocked;           /* the writer waits for room */
    bool tell_limit;        /* a MAX_STREAM is to be sent */
    bool reset, tell_reset; /* our side gave up sending */
    bool reset_acked;
    bool stop, tell_stop; /* our side wants no more */
    bool was_stopped;     /* theirs wants no more */
    bool was_reset;
    uint64_t reset_code, stop_code;
    unsigned told; /* events that wait, a bit a kind */
};

/* What a packet carried, to know what to do when it is lost. */
struct item {
    uint8_t kind; /* enum dgram_kind */
    uint64_t stream;
    struct piece piece;
    uint64_t number; /* ACK: the highest that it said */
};

struct load {
    struct load *next_free;
    uint32_t n;
    struct item items[ITEMS_MAX];
};

struct flow {
    bool client, over;
    struct session session;
    struct rng rng;
    struct sent sent;
    struct seen seen;
    struct rtt rtt;
    struct cc cc;
    struct pacer pacer;
    uint32_t mtu, probes;
    int64_t born_us;
    uint64_t skip_at; /* that number is not sent */
    struct load *unused;
    /* streams */
    struct map streams;  /* id -> struct stream */
    uint64_t next_id;    /* of ours */
    uint64_t their_next; /* of theirs: all below were opened once */
    uint32_t n_ours, n_theirs;
    struct stream *turn, **turn_end;
    /* credit of all streams together */
    uint64_t out_used, out_limit;                     /* theirs to give */
    uint64_t in_used, in_limit, in_read, data_window; /* ours */
    uint64_t our_streams_limit;                       /* that we may open in all */
    uint64_t their_streams_limit;                     /* that they may */
    bool tell_data, tell_streams;
    uint8_t path_back[PATH_BYTES];
    bool tell_path_back;
    bool tell_close, closed;
    uint64_t close_code;
    char close_text[CLOSE_TEXT_MAX + 1];
    /* events, in order; a ring */
    struct flow_event events[EVENTS_MAX];
    uint32_t events_at, n_events;
    uint64_t packets_in, bytes_in, bad_in;
    /* who watches */
    flow_trace_fn *trace;
    void *trace_ctx;
    const char *phase_told;
    uint64_t rate; /* of delivery, as measured last */
};

/* flow.c */
void flow_draw_skip(struct flow *f); /* the next number that is left out */
/* trace.c */
void trace_tell(struct flow *f, int64_t now_us, enum flow_trace_what what, uint64_t bytes);
void trace_report(struct flow *f, int64_t now_us, const struct sent_report *r);
/* flow_out.c */
void load_settle(void *flow, void *load, enum sent_fate fate);
void loads_free(struct flow *f);
/* flow_stream.c */
struct stream *stream_get(const struct flow *f, uint64_t id); /* NULL: none, or not any more */
/* One that the other side speaks of, opened if it may be. NULL: over long ago, or f is broken. */
struct stream *stream_of_theirs(struct flow *f, uint64_t id);
void stream_wants(struct flow *f, struct stream *s); /* takes its turn */
void stream_tell(struct flow *f, struct stream *s, enum flow_happening what, uint64_t code);
void stream_settle(struct flow *f, struct stream *s); /* perhaps it is over */
bool stream_has_more(const struct flow *f, const struct stream *s, struct piece *ret, uint32_t max);
void streams_free(struct flow *f);
