/* flow.h - a session of datagrams as the two ends see it: streams in both directions.
 *
 * Bytes of datagrams come in, bytes of datagrams and one deadline go out; whoever has the
 * socket does
 *
 *     flow_on_datagram(f, now, bytes, len, ecn);
 *     flow_expire(f, now);
 *     while ((n = flow_next(f, now, bytes, cap)) > 0) send(bytes, n);
 *     sleep until flow_deadline_us(f)
 *
 * A stream is opened by writing to it, is read and written independently, ends on each
 * side by itself, and may be given up by either: by who sends (flow_reset) or by who
 * receives (flow_stop). Streams of a lower priority number go first; equals take turns.
 *
 * Everything the other side can make grow has a limit: streams, bytes not yet read, holes,
 * packets not settled. Who breaks the protocol is told why, and the session is over. Holes of
 * all streams together are the exception: a datagram with a piece that would need one more is not
 * acknowledged, so that the piece comes again; meanwhile each stream goes on in order, and with
 * some holes of its own. Through a tunnel nothing comes again: there the session is over.
 * Pure: time and randomness are given. Not thread-safe.
 */
#pragma once

#include "flow/cc.h"
#include "flow/pacer.h"
#include "flow/path.h"
#include "flow/rtt.h"
#include "flow/sent.h"
#include "flow/trace.h"
#include "wire/packet.h"

enum {
    FLOW_STREAMS_MAX = 256, /* open at once, each side's */
    /* In what has come of all streams, beyond SPANS_OWN of each: four streams of 32 MB under way
     * with every other packet lost; 16 bytes each. */
    FLOW_HOLES_MAX = 65536,
    FLOW_CLOSE_TEXT_MAX = CLOSE_TEXT_MAX,
};
#define FLOW_DATA_WINDOW   (32ULL << 20) /* of all streams together */
#define FLOW_STREAM_WINDOW (32ULL << 20)
#define FLOW_STREAM_ROOM   (32ULL << 20) /* written, and not yet acknowledged */
#define FLOW_ACK_DELAY_US  25000
#define FLOW_ACK_MEDIA_US  100000 /* of datagrams with nothing but media */

/* Why a session ends; what is above is the program's own. */
enum flow_why {
    FLOW_DONE = 0,
    FLOW_BROKEN = 1, /* a frame that cannot be, an acknowledgement of what was never sent */
    FLOW_LIMITS = 2, /* more than was allowed */
    FLOW_NOMEM = 3,
    FLOW_WHY_APP = 16,
};

struct flow_settings {
    bool client;
    uint32_t session;
    const uint8_t *secret;   /* SESSION_SECRET bytes */
    const uint8_t *seed;     /* 32 random bytes of this side alone */
    const struct cc_ops *cc; /* NULL: cc_default() */
    int64_t rtt_us;          /* a first guess, of a handshake; 0: none */
    uint32_t mtu;            /* bytes of UDP that the path carries; 0: PACKET_MTU_MIN */
    uint64_t data_window;    /* 0: FLOW_DATA_WINDOW */
    uint32_t holes_max;      /* that all streams share; 0: FLOW_HOLES_MAX */
    uint32_t mtu_most;       /* so much is tried (flow/pmtu.h); 0: mtu and no more */
    bool ecn;                /* marks are used: who sends obeys flow_to.ect */
    bool proves;             /* addresses of the other side are to be proven (flow/path.h) */
    const struct path_address *proven; /* but this one is, by how the session began; or NULL */
    bool keeps;            /* asks after silence, PING after more: who is behind an address
                              translator (flow/alive.h) */
    flow_trace_fn *trace;  /* or NULL */
    enum pacer_kind pacer; /* how packets are spaced; 0: by a token bucket */
    uint32_t ack_each; /* packets that an acknowledgement is for; 0: as many as come in a part of
                          a round trip. To be compared with others, who acknowledge each second */
    void *trace_ctx;
};

enum flow_happening {
    FLOW_READABLE, /* bytes, or the end; also of a stream that the other side has opened */
    FLOW_WRITABLE, /* there is room again after flow_write took less than was given */
    FLOW_RESET,    /* the other side gave up sending; code */
    FLOW_STOPPED,  /* the other side wants no more; code */
    FLOW_SENT,     /* all is acknowledged, the end included */
    FLOW_CLOSED,   /* the session is over; code */
    FLOW_BACK,     /* an answer to flow_ask; code: its token */
    FLOW_PROVEN,   /* the other side has proven an address: flow_view.peer */
    FLOW_SEEN_AT,  /* the other side says where it sees us: flow_view.observed */
};

struct flow_event {
    enum flow_happening what;
    uint64_t stream, code;
};

/* For graphs and tests. */
struct flow_view {
    const struct cc *cc;
    const struct rtt *rtt;
    const struct sent *sent;
    uint64_t pacing, rate; /* of delivery, as measured last */
    uint64_t packets_in, bytes_in, bad_in, replayed_in;
    uint64_t refused_in; /* for want of holes; they come again */
    uint32_t mtu;
    const struct paths *paths;
    const struct path_address *observed; /* len 0: not told yet */
    const char *ecn;                     /* "off", "testing", "capable", "failed" */
    int64_t heard_us;                    /* when anything came last */
    uint32_t asked;                      /* into silence since then; with `keeps` */
};

struct flow;

/* 0 or -ROOST_NOMEM. */
int flow_new(struct flow **ret, const struct flow_settings *settings, int64_t now_us);
void flow_free(struct flow *f);

/* Decrypts in place. -ROOST_MALFORMED: it is not of this session and changed nothing. */
int flow_on_datagram(struct flow *f, int64_t now_us, uint8_t *bytes, size_t len, int ecn);
void flow_expire(struct flow *f, int64_t now_us);
/* Writes the next datagram, at most cap bytes (PACKET_MTU_MIN at least); 0: none now. */
int flow_next(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap);
int64_t flow_deadline_us(const struct flow *f, int64_t now_us); /* INT64_MAX: none */

/* --- paths: the same with addresses, for who has them --- */

/* Where the datagram goes. */
struct flow_to {
    struct path_address at; /* len 0: no address was ever given */
    bool ect;               /* marked with ECT(0) */
};

/* The next datagram came so long before the call that gives it: acknowledgements say when. */
void flow_came_before(struct flow *f, int64_t us);
int flow_on_datagram_from(struct flow *f, int64_t now_us, uint8_t *bytes, size_t len, int ecn,
                          const struct path_address *from);
int flow_next_to(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap, struct flow_to *ret);
/* The machine's interfaces changed: what was measured is of another path. */
void flow_on_change(struct flow *f, int64_t now_us);
/* Asks the path; FLOW_BACK when it has answered. Not repeated. -ROOST_LIMIT: too many wait,
 * of which the oldest is forgotten for the next. */
int flow_ask(struct flow *f, uint64_t token);
int flow_ask_datagram(struct flow *f, uint64_t token); /* not through a tunnel */
/* What streams of the other side may use; 0: all there is. */
void flow_limit(struct flow *f, uint64_t bits_a_second);

/* --- tunnels: the same frames over a connection that loses nothing --- */

/* From now on all but PATH goes through it, and not any more. What was under way on the way that
 * is left goes again on the other: whoever switches sees to it that what the connection still
 * holds is not taken from it any more, or comes before. */
void flow_tunnel(struct flow *f, bool on, int64_t now_us);
bool flow_is_tunnelled(const struct flow *f);
/* What came through it: the frames of one message, and the payloads of those of media.
 * -ROOST_MALFORMED: the session is over. */
int flow_on_frames(struct flow *f, int64_t now_us, const uint8_t *bytes, size_t len);
/* The next message, at most cap bytes (PACKET_MTU_MIN at least); 0: none now. To be asked
 * after everything that came and whenever the program did something. */
int flow_next_frames(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap);

/* --- streams --- */

/* A new one; -ROOST_LIMIT: as many as the other side takes are open; -ROOST_CLOSED, -ROOST_NOMEM.
 */
int64_t flow_open(struct flow *f, uint32_t priority);
/* How many bytes were taken; less than len: wait for FLOW_WRITABLE. -ROOST_INVALID: no such
 * stream, or it has ended; -ROOST_CLOSED, -ROOST_NOMEM. */
int64_t flow_write(struct flow *f, uint64_t stream, const void *bytes, size_t len);
/* Bytes of it that were written and have not left for the first time: how far a writer is
 * ahead of the path. 0 too if there is no such stream. */
uint64_t flow_waiting(const struct flow *f, uint64_t stream);
/* So many bytes flow_write would take now. */
uint64_t flow_room(const struct flow *f, uint64_t stream);
int flow_end(struct flow *f, uint64_t stream);
/* What can be read; *ret_over: that is all there ever will be. NULL and 0: nothing. */
const uint8_t *flow_read(struct flow *f, uint64_t stream, size_t *ret_len, bool *ret_over);
void flow_take(struct flow *f, uint64_t stream, size_t len, int64_t now_us);
int flow_reset(struct flow *f, uint64_t stream, uint64_t code);
int flow_stop(struct flow *f, uint64_t stream, uint64_t code);
void flow_close(struct flow *f, uint64_t code, const char *text);

bool flow_event(struct flow *f, struct flow_event *ret); /* the oldest; false: none */
/* There is nothing to send, and nothing on its way. */
bool flow_is_quiet(const struct flow *f);
void flow_look(const struct flow *f, struct flow_view *ret);
