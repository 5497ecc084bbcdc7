/* reach_edge.h - from person to person: the two ends of an offer, a session between them over the
 * best path there is, and news of that path.
 *
 *     reach_edge_new(&e, &settings, now)
 *     loop:
 *         while ((n = reach_edge_next_signal(e, bytes)) > 0)  hand it to the other end
 *         reach_edge_on_signal(e, bytes, len, now)            what the other end handed to us
 *         sleep until reach_edge_fd is readable, or reach_edge_deadline_us
 *         reach_edge_process(e, now)                          sockets, probes, what is due
 *         while (reach_edge_event(e, &event)) ...
 *         while (flow_event(reach_edge_flow(e), ...)) ...     of the streams, once there is one
 *         f = reach_edge_flow(e)         from REACH_EDGE_FOUND on: streams as in flow/flow.h
 *     reach_edge_process once more after anything was written to the flow: it sends
 *
 * How signals get there is the caller's: FileSignal over control, or a connection of nearby.h.
 * They may come late, but in order. Who receives *calls*, who sends answers: who calls proves
 * itself first, so a guess of a phrase costs a try. The session's streams may be opened by both.
 * Its flow survives changes of path (a PATH event tells), and ends with
 * REACH_EDGE_LOST after 15 s without a word, with REACH_EDGE_WRONG if the other end is not who
 * it should be: then nothing was sent to it, and the phrase is burnt.
 *
 * It has a socket of its own (UDP), and, if there is a server with a relay for it, a connection
 * to that for where UDP is blocked. One thread. The flow is borrowed: it goes with the edge.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "flow/reach.h"

enum { REACH_OFFER = 16, REACH_IDENTITY = 32, REACH_SIGNAL_MAX = 4096, REACH_TOKEN = 16 };
enum { REACH_EXPECTS_MAX = 8 };

/* What the server grants (roost.proto, Relay). */
struct reach_relay {
    const char *host, *port; /* of control, as for tls_open */
    const char *fingerprint; /* that control was accepted with */
    uint32_t number;
    uint8_t token[REACH_TOKEN];
    uint16_t udp_port;   /* 0: no UDP there */
    bool passes;         /* else it only tells where it sees us */
    const char *address; /* "192.0.2.7", where control goes; NULL: host is looked up, which may
                            take a while */
};

struct link_pair;
struct study;

struct reach_edge_settings {
    bool caller;                /* this end receives */
    uint8_t offer[REACH_OFFER]; /* the same at both ends: of the ticket */
    /* One of three. */
    const uint8_t *identity_seed; /* 32 bytes, home_identity: signs the keys */
    const char *phrase;           /* words of a phrase (seal/phrase.h), canonical; or NULL */
    bool nearby;                  /* neither: people compare the words (reach_edge_words) */
    uint32_t nearby_link;   /* they met between link-local addresses of this interface; or 0 */
    const uint8_t *expects; /* identities of REACH_IDENTITY bytes: the other end has one; or NULL */
    size_t n_expects;       /* REACH_EXPECTS_MAX at most */
    const struct reach_relay *relay; /* or NULL; copied */
    bool no_direct, no_relay;        /* --via */
    bool hides;                      /* my addresses are not told: relay only, from this side */
    const struct cc_ops *cc;         /* NULL: cc_default() */
    const struct link_pair *link;    /* --link; or NULL */
    struct study *study;             /* --pcap; or NULL */
    flow_trace_fn *trace;            /* or NULL */
    void *trace_ctx;
};

enum reach_edge_what {
    REACH_EDGE_KNOWN, /* the other end has proven itself; paths are tried */
    REACH_EDGE_FOUND, /* there is a path: reach_edge_flow is there */
    REACH_EDGE_PATH,  /* it is another one now */
    REACH_EDGE_WRONG, /* the other end is not who it should be, or does not know the phrase */
    REACH_EDGE_LOST,  /* no path, or silence: begin anew with a new edge */
};

struct reach_edge_event {
    enum reach_edge_what what;
    enum reach_way way;
    int64_t took_us; /* FOUND: since reach_edge_new; PATH: its round trip */
};

struct reach_edge;

/* 0, -ROOST_NOMEM, -ROOST_IO, -ROOST_INVALID. */
int reach_edge_new(struct reach_edge **ret, const struct reach_edge_settings *s, int64_t now_us);
void reach_edge_free(struct reach_edge *e); /* says goodbye; NULL is fine */

/* Bytes, 0: none now. */
int reach_edge_next_signal(struct reach_edge *e, uint8_t ret[static REACH_SIGNAL_MAX]);
/* Whoever answers makes a new edge for this one: the other end began anew. */
bool reach_signal_is_first(const uint8_t *bytes, size_t len);
/* 0; -ROOST_MALFORMED: it made no sense, and changed nothing. */
int reach_edge_on_signal(struct reach_edge *e, const uint8_t *bytes, size_t len, int64_t now_us);

/* Somebody says that the other end came anew: it is asked, and this is LOST when it does not answer
 * within a second. */
void reach_edge_doubt(struct reach_edge *e, int64_t now_us);

int reach_edge_fd(const struct reach_edge *e); /* readable: reach_edge_process */
int64_t reach_edge_deadline_us(const struct reach_edge *e, int64_t now_us);
void reach_edge_process(struct reach_edge *e, int64_t now_us);
bool reach_edge_event(struct reach_edge *e, struct reach_edge_event *ret); /* false: none */

struct flow *reach_edge_flow(struct reach_edge *e); /* NULL: not yet, or not any more */
/* It goes with the edge, used or not any more. */
bool reach_edge_owns(const struct reach_edge *e, const struct flow *flow);
enum reach_way reach_edge_way(const struct reach_edge *e);
const char *reach_way_text(enum reach_way way); /* "lan", "direct", "relay", "tunnel", "none" */
const uint8_t *reach_edge_identity(const struct reach_edge *e); /* theirs, KNOWN; or NULL */
/* WRONG, as it is somebody who was not expected: who; else NULL. */
const uint8_t *reach_edge_stranger(const struct reach_edge *e);
/* "maple orbit tin": the same at both ends if nobody is between them. From KNOWN on. */
enum { REACH_WORDS_TEXT = 64 };
void reach_edge_words(const struct reach_edge *e, char ret[static REACH_WORDS_TEXT]);
