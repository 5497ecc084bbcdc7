/* desk.h - what the programs of the classic exercises have in common: a desk with a door, a
 * keyboard, a clock and a bell.
 *
 *     desk_open(d, c, args, &plan)           options, sockets, --link, --trace, --pcap
 *     for (;;) {
 *         while (desk_next(d, &e)) ...       who came, a message, who went, a line, Ctrl+C
 *         desk_send(d, peer, bytes, len)     a message
 *         desk_sleep(d, until_us)            and again
 *     }
 *     desk_close(d)                          what was said still leaves
 *
 * A message is a datagram, or what cut.h makes of a connection; sending adds the line feed or the
 * length. Peers have small numbers. With TCP a peer comes (DESK_CAME) and goes (DESK_GONE). When
 * it goes with err 0, it has nothing more to say but still listens: answer, and desk_finish.
 * Otherwise (base/err.h says why) it is away and its number free. With UDP a client's peer is 0;
 * a server's is there with its first datagram and stays until desk_drop. With --link each
 * peer has a modelled link of its own (lab/link.h) between this program and its socket.
 *
 * Memory is the owner's (one struct desk), what events hold borrows until the next call. One
 * thread a desk; desks of several threads may share a record (desk_adopt). Microseconds.
 */
#pragma once

#include <pthread.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "lab/classics/cut.h"
#include "lab/spec.h"
#include "net/sleep.h"
#include "net/study.h"

enum {
    DESK_PEERS_MAX = 256,
    DESK_PORT = 5005, /* when nothing else is said */
    DESK_DATAGRAM_MAX =
        4200, /* 1000 characters of four bytes, with a head; longer ones are nobody's */
    DESK_OUT_MAX = 1 << 20,  /* that wait for one peer; more: it is too slow, and dropped */
    DESK_OUT_FULL = 1 << 18, /* from here on desk_has_room says no */
    DESK_WHAT_MAX = 256,
};
#define DESK_FLUSH_US 5000000 /* so long what was said may take to leave, at the end */

/* What a message is, for --trace: a few words of text. It may be any nonsense. */
typedef void desk_describe_fn(const uint8_t *bytes, size_t len, char ret[static DESK_WHAT_MAX]);

struct desk;
/* A peer is dropped, for whatever reason: what the program keeps in its `mine`, if that is not
 * NULL, is to be freed. */
typedef void desk_forget_fn(struct desk *d, size_t peer);

struct desk_plan {
    bool tcp, udp; /* what makes sense; TCP if nothing is said and both do */
    bool types;    /* lines of the standard input are events */
    bool by_hand;  /* connections are accepted by desk_accept only */
    enum cut_how how;
    desk_describe_fn *describe;
    desk_forget_fn *forget; /* or NULL */
};

enum desk_kind { DESK_CAME, DESK_MESSAGE, DESK_GONE, DESK_LINE, DESK_LINES_END, DESK_STOP };

struct desk_event {
    enum desk_kind kind;
    size_t peer;
    const uint8_t *bytes; /* of a message or a line */
    size_t len;
    int err; /* of DESK_GONE */
};

/* Everything that is written while it goes; shared by desks of several threads. */
struct desk_record {
    pthread_mutex_t lock;
    struct study study;
    bool trace;
    int64_t began_us;
};

struct desk_peer {
    bool used, came, connecting, gone; /* came, gone: still to be told */
    bool ended, ended_told;            /* nothing more comes */
    bool wants_room, look;             /* look: something may have come while it was held */
    bool held_back;                    /* desk_hold */
    bool closing, closed;              /* we have nothing more to say; and said so */
    int fd;                            /* -1: UDP */
    int err;
    enum cut_how how;
    union address at;
    struct udp_local local;
    int64_t heard_us, closed_us;
    struct cut *cut;        /* TCP */
    struct link *up, *down; /* --link; or NULL */
    uint8_t *out;           /* a ring would save a copy, and cost a page to explain */
    size_t out_len, out_cap;
    struct blob *held; /* came out of `up`, and the socket did not take all of it */
    size_t held_at;
    unsigned waits_for;
    struct study_stream stream;
    void *mine; /* the program's */
};

struct desk {
    struct cli *c;
    const struct cli_args *args;
    struct desk_plan plan;
    bool serves, is_udp;
    union address at; /* where we listen, or whom we talk to */
    struct link_pair bent;
    bool bends;
    struct dice dice;
    struct sleep sleep;
    int signals, listener;
    struct udp *udp;
    struct blob *current; /* that the last event borrows from */
    struct cut *keys;     /* what was typed */
    bool keys_open, keys_wait, keys_always;
    bool stop;
    uint64_t refused; /* so often had nobody been at that port, when we last heard something */
    struct desk_peer peers[DESK_PEERS_MAX];
    size_t n_peers, next_peer; /* places that were ever used; where desk_next goes on */
    int datagrams;             /* so many more in this turn */
    struct desk_record *record, own;
};

/* 0 or an exit status, the error printed. desk_close is due after both. */
int desk_open(struct desk *d, struct cli *c, const struct cli_args *a,
              const struct desk_plan *plan);
void desk_close(struct desk *d);
/* A desk for one connection that another desk (of another thread) has accepted. */
int desk_adopt(struct desk *d, const struct desk *from, int fd);
/* Accepts one connection for desk_adopt; -1: none waits. */
int desk_accept(struct desk *d);

bool desk_next(struct desk *d, struct desk_event *ret);
/* Something else to sleep for may be added to d->sleep with this number; it only wakes. */
#define DESK_ID_MINE (1ULL << 32)
void desk_sleep(struct desk *d, int64_t until_us);

/* -ROOST_LIMIT: it is too slow, and dropped; -ROOST_NOMEM; -ROOST_TOO_LONG; -ROOST_CLOSED. */
int desk_send(struct desk *d, size_t peer, const void *bytes, size_t len);
/* Bytes of a connection as they are, with neither length nor line feed. */
int desk_send_raw(struct desk *d, size_t peer, const void *bytes, size_t len);
bool desk_has_room(const struct desk *d, size_t peer);
void desk_want_room(struct desk *d, size_t peer); /* desk_sleep ends when there is */
/* Nothing waits to leave. */
bool desk_is_flushed(const struct desk *d, size_t peer);
void desk_finish(struct desk *d, size_t peer); /* what was said leaves; then it is closed */
void desk_drop(struct desk *d, size_t peer);   /* at once; no event tells it */
void desk_cut(struct desk *d, size_t peer, enum cut_how how); /* how it is cut from here on */
void desk_hold(struct desk *d, size_t peer,
               bool hold);                       /* of a connection: nothing is heard of it */
void desk_hold_lines(struct desk *d, bool hold); /* none is read meanwhile */
/* "192.0.2.7:5005" */
void desk_name(const struct desk *d, size_t peer, char ret[static ADDRESS_TEXT_MAX]);

/* For people, on the standard output; nothing with --json. */
void desk_say(struct desk *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same on the standard error: what goes on, while the standard output has the result. */
void desk_note(struct desk *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
int desk_fail(struct desk *d, int status, const char *advice, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* {"event": EVENT, ...; desk_json_end prints it. */
void desk_json(struct desk *d, struct json *j, const char *event);
void desk_json_end(struct desk *d, struct json *j);
/* A sentence for a connection that ended: it was refused, reset, or is silent. */
int desk_fail_gone(struct desk *d, const struct desk_event *e);

/* Inside: desk.c, desk_peer.c, desk_out.c, desk_show.c. */

/* PIECE_BYTES: what the link loses or keeps is about a packet. LINK_BYTES_MAX: inside a link from
 * a connection; past it we do not read, and the sender's TCP notices. LINGER_US: after our last
 * word a connection may take so long to be closed by the other side too. */
enum { DESK_PIECE_BYTES = 1400, DESK_LINK_BYTES_MAX = 1 << 20, DESK_LINGER_US = 1000000 };

void desk_fail_peer(struct desk_peer *p, int err);
uint64_t desk_inside_bytes(const struct link *l);
void desk_trace(struct desk *d, size_t peer, bool out, bool lost, const uint8_t *bytes, size_t len);
void desk_trace_raw(struct desk *d, size_t peer, bool out, size_t len);
int desk_listen(struct desk *d);
int desk_call(struct desk *d);
int desk_call_with(struct desk *d, int fd);
bool desk_next_of(struct desk *d, size_t i, struct desk_event *ret);
bool desk_next_udp(struct desk *d, struct desk_event *ret);
void desk_peer_ready(struct desk *d, size_t i, unsigned what);
void desk_accept_all(struct desk *d);
void desk_hear_udp(struct desk *d);
enum { DESK_ID_LISTENER = 2, DESK_ID_UDP, DESK_ID_PEERS }; /* what is slept for */
void desk_turn(struct desk *d, size_t i);
int64_t desk_peer_deadline(const struct desk *d, size_t i);
