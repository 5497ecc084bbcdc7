/* inside.h - what the files of flow.h share.
 *
 * flow.c         life, datagrams that come, time
 * flow_out.c     datagrams that go: what is put into the next one, and what came of it
 * flow_stream.c  streams: opened, found, read, written, given up
 * flow_tunnel.c  the same frames over a connection, when datagrams do not get through
 * flow_media.c   voice and pictures: what comes is given on, what goes is not held back
 * flow_path.c    the way there: addresses, its size, its marks, whether it answers
 * trace.c        who watches is told
 */
#pragma once

#include "base/map.h"
#include "flow/alive.h"
#include "flow/ecn.h"
#include "flow/flow_media.h"
#include "flow/pacer.h"
#include "flow/path.h"
#include "flow/pmtu.h"
#include "flow/seen.h"
#include "flow/sink.h"
#include "flow/source.h"
#include "media/turn.h"
#include "seal/rng.h"
#include "seal/session.h"

enum {
    EVENTS_FIRST = 16, /* of the session itself */
    EVENTS_STREAM = 5, /* one of each kind a stream */
    EVENTS_MAX = 4 * FLOW_STREAMS_MAX,
    ITEMS_MAX = 32, /* in one packet */
    TUNNEL_LOADS_MAX = 1024,
    TUNNEL_BACKS_MAX = 16,
    TUNNEL_WINDOW = 512 << 10, /* bytes that wait in a connection, and in front of it */
    TUNNEL_MARK_BYTES = 32 << 10,
    ASKS_MAX = 8, /* questions of the program's that are not answered */
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
    uint64_t packet; /* its number */
    int64_t sent_us;
    uint32_t bytes; /* of it */
    bool ect;       /* it was marked */
    uint32_t n;
    struct item items[ITEMS_MAX];
};

/* Whether the path answers, as the program asks. */
struct ask {
    uint64_t token;
    bool open, tell;
    bool datagram; /* as one, even while all else goes through the tunnel */
};

struct tunnel_load {
    struct load *load;
    uint32_t bytes;
};

/* What was written to the connection and not seen to have been read. */
struct tunnel {
    bool on;
    uint32_t n_back; /* questions that wait for their answers */
    bool asks; /* a question is under way: when `mark` comes back, all below mark_end was read */
    uint8_t mark[PATH_BYTES], back[TUNNEL_BACKS_MAX][PATH_BYTES];
    uint64_t first, mark_end; /* of loads, which only count up */
    uint32_t n;
    uint64_t under_way, unmarked; /* bytes */
    struct tunnel_load *loads;    /* a ring of TUNNEL_LOADS_MAX, while it is on */
};

/* Of a session that takes media. */
struct media_way {
    flow_media_fn *take;
    void *ctx;
    struct estimate estimate;
    struct turn turn;
    struct figures figures;
    float loss;           /* of the packets of the last seconds */
    int64_t sent_us;      /* when a part left last */
    uint64_t tunnel_rate; /* 0: not told */
};

struct flow {
    bool client, over, released;
    struct session session;
    struct rng rng;
    struct sent sent;
    struct seen seen;
    struct rtt rtt;
    uint64_t round_in; /* packets in, when this round trip began */
    int64_t round_us;
    uint32_t ack_each; /* packets */
    bool acks_fixed;   /* ... always */
    bool rtt_told;     /* a first guess was given */
    struct cc cc;
    struct pacer pacer;
    int64_t waited_us; /* the most that was ever waited on this path beyond its round trip */
    bool dropped;      /* ... which has lost something */
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
    struct spans_budget holes; /* of all streams, in what has come */
    bool refused;              /* something of the datagram that is being read */
    /* credit of all streams together */
    uint64_t out_used, out_limit;                     /* theirs to give */
    uint64_t in_used, in_limit, in_read, data_window; /* ours */
    uint64_t our_streams_limit;                       /* that we may open in all */
    uint64_t their_streams_limit;                     /* that they may */
    bool tell_data, tell_streams;
    uint8_t path_back[PATH_BYTES];
    bool tell_path_back;
    /* the way there (flow_path.c) */
    bool proves, keeps;              /* as the settings say */
    const struct path_address *from; /* of the datagram that is being read */
    int64_t ago_us;                  /* ... which came so long before */
    struct paths paths;
    struct pmtu pmtu;
    struct ecn ecn;
    uint64_t marked_bytes; /* of packets that came with CE */
    struct alive alive;
    struct ask asks[ASKS_MAX];
    struct tunnel tunnel;
    bool tell_alive, tell_ping, tell_observed, tell_rate;
    int64_t now_us;                  /* of the call that is going on, or was the last */
    int64_t ahead_us;                /* of the clock that is given, as that has stepped back */
    uint64_t path_first;             /* number: the first packet on this path */
    struct path_address observed;    /* where they see us */
    uint64_t rate_max, our_rate_max; /* bits a second that streams may use: theirs to say, ours */
    struct media_way *media;         /* NULL: takes none */
    const uint8_t *tail;             /* what is left of it, of the datagram that is being read */
    size_t tail_left;
    bool tell_close, closed;
    uint64_t close_code;
    char close_text[CLOSE_TEXT_MAX + 1];
    /* events, in order; a ring, which grows with the streams: most sessions have none */
    struct flow_event *events, first_events[EVENTS_FIRST];
    uint32_t events_cap, events_at, n_events;
    uint64_t packets_in, bytes_in, bad_in, refused_in;
    /* who watches */
    flow_trace_fn *trace;
    void *trace_ctx;
    const char *phase_told;
    uint64_t rate; /* of delivery, as measured last */
};

/* flow.c */
/* The time of the session, which never steps back. First in each call that is given the time. */
int64_t flow_clock(struct flow *f, int64_t now_us);
void flow_draw_skip(struct flow *f); /* the next number that is left out */
/* So long the other side may wait before it acknowledges. */
int64_t flow_ack_delay_us(const struct flow *f, int64_t now_us);
/* Room for the events of so many streams. False: no memory. */
bool flow_reserve_events(struct flow *f, uint32_t streams);
void flow_add_event(struct flow *f, const struct flow_event *e); /* a full ring takes no more */
void flow_release(struct flow *f); /* what is over gives back what it had on its way */
/* trace.c */
void trace_tell(struct flow *f, int64_t now_us, enum flow_trace_what what, uint64_t bytes);
void trace_report(struct flow *f, int64_t now_us, const struct sent_report *r);
/* flow_tunnel.c */
void flow_tunnel_fini(struct flow *f);
/* flow.c */
void flow_on_frame(struct flow *f, const struct dgram *d, const struct ack *ack, int64_t now_us);
/* flow_out.c */
void load_settle(void *flow, void *load, enum sent_fate fate);
void loads_free(struct flow *f);
/* flow_media.c */
bool media_is_kind(enum dgram_kind kind);
/* Do the parts in these frames make up the tail? */
bool media_adds_up(const uint8_t *frames, size_t len, size_t tail_len);
/* How long the payloads behind the frames of a message are. */
size_t media_tail_of(const uint8_t *message, size_t len);
void media_on_frame(struct flow *f, const struct dgram *d);
void media_on_ack(struct flow *f, const struct ack *a, int64_t now_us); /* before it is settled */
void media_on_report(struct flow *f, int64_t now_us, const struct sent_report *r);
void media_on_path(struct flow *f, int64_t now_us);          /* it is another one */
bool media_is_on(const struct flow *f, int64_t now_us);      /* some was sent lately */
bool media_leaves_room(struct flow *f, int64_t now_us);      /* for a packet of streams */
int64_t media_room_us(const struct flow *f, int64_t now_us); /* from when on */
/* flow_path.c */
void path_init(struct flow *f, const struct flow_settings *settings, int64_t now_us);
void path_come(struct flow *f, size_t len, bool newest, int64_t now_us);
void path_on_frame(struct flow *f, const struct dgram *d, int64_t now_us);
void path_on_settled(struct flow *f, const struct load *l, enum sent_fate fate, int64_t now_us);
/* False: nothing but paths_next may be sent, as it is not known to whom. */
bool path_is_open(const struct flow *f);
bool path_has_words(const struct flow *f); /* that congestion does not hold back */
void path_put_words(struct flow *f, struct writer *w, struct load *l, bool datagram);
void path_on_answer(struct flow *f, const uint8_t bytes[static PATH_BYTES]); /* to flow_ask */
/* A datagram for a candidate; 0: none. */
int path_next(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap, struct flow_to *ret);
/* The size of a probe that is sent now instead; 0: none. */
uint32_t path_probe(struct flow *f, int64_t now_us, size_t cap);
void path_expire(struct flow *f, int64_t now_us);
int64_t path_deadline_us(const struct flow *f, int64_t now_us);
void path_set_pace(struct flow *f, int64_t now_us);
/* flow_out.c */
int64_t flow_due_us(const struct flow *f, int64_t now_us); /* flow_deadline_us, by its own time */
struct load *load_new(struct flow *f);
void load_drop(struct flow *f, struct load *l);
/* Streams, if they may, and what is to be said of them and of the session. */
void flow_put_words(struct flow *f, struct writer *w, struct load *l, bool may);
void flow_put_goodbye(struct flow *f, struct writer *w);
bool put_frame(struct writer *w, struct load *l, const struct dgram *d, uint64_t stream);
int flow_seal(struct flow *f, int64_t now_us, uint8_t *bytes, const struct writer *w);
void flow_skip(struct flow *f);
void flow_put_ack(struct flow *f, struct writer *w, struct load *l, int64_t now_us);
/* n: what sealing gave. The packet is under way; l: NULL, or what it carries besides media. */
int flow_note_sent(struct flow *f, int64_t now_us, int n, uint32_t bytes, struct load *l);
size_t flow_size_now(const struct flow *f, size_t cap); /* of the next packet, at most */
/* flow_stream.c */
struct stream *stream_get(const struct flow *f, uint64_t id); /* NULL: none, or not any more */
/* One that the other side speaks of, opened if it may be. NULL: over long ago, or f is broken. */
struct stream *stream_of_theirs(struct flow *f, uint64_t id);
void stream_wants(struct flow *f, struct stream *s); /* takes its turn */
void stream_tell(struct flow *f, struct stream *s, enum flow_happening what, uint64_t code);
void stream_settle(struct flow *f, struct stream *s); /* perhaps it is over */
bool stream_has_more(const struct flow *f, const struct stream *s, struct piece *ret, uint32_t max);
void streams_free(struct flow *f);
