/* load.h - the load generator of bench/run: N clients of one server, in one thread.
 *
 * The same code connects, sends, counts and times for IRC, NATS and Roost; a
 * protocol is a struct proto, which knows only how to log in, how to say a line
 * and where in the bytes a line was delivered. Times are nanoseconds of
 * CLOCK_MONOTONIC. Everything belongs to one struct load, which main() owns.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

enum {
    LINE_BYTES = 64,
    LINES_RING =
        1 << 16, /* lines in flight are fewer: WINDOW_MAX, or what 120 s of 400 a second leave */
    WINDOW_MAX = 4096,
    WINDOWS_MAX = 8,
    READ_BYTES = 1 << 16, /* one read; also the longest message that may lie over two */
    OUT_MAX = 1 << 20,    /* bytes that wait for one connection to be writable */
    AT_ONCE = 16, /* connections that are being set up; fewer than a server hashes at once */
};

#define SEC_NS 1000000000LL

struct load;
struct conn;

struct proto {
    const char *name;
    bool tls;
    /* The connection (and TLS) is up. */
    void (*on_open)(struct load *l, struct conn *c);
    /* Bytes came; returns how many were used, the rest is offered again. */
    size_t (*on_bytes)(struct load *l, struct conn *c, const uint8_t *p, size_t len);
    void (*say)(struct load *l, struct conn *c, const char line[static LINE_BYTES]);
    /* Nothing was sent for KEEP_NS. NULL: not needed. */
    void (*keep)(struct load *l, struct conn *c);
};

extern const struct proto proto_irc, proto_nats, proto_roost;

struct conn {
    struct load *load;
    int fd;
    uint32_t index;
    uint8_t step; /* of the protocol's set-up */
    bool open;    /* TCP and TLS are up */
    bool ready;
    bool dead;
    bool wants_out;
    SSL *ssl;
    uint8_t *in; /* heap: what is left of the last read */
    size_t in_len;
    uint8_t *out; /* heap: what could not be written yet */
    size_t out_len, out_cap;
    int64_t sent_ns;
};

struct options {
    const struct proto *proto;
    int port, pid;
    uint32_t conns;
    uint32_t accounts; /* Roost: connection i logs in as account i mod accounts */
    bool room;         /* members of one room, or only logged in */
    bool greet_only;   /* Roost: ready when the server has greeted */
    bool keep_small;   /* memory before speed: many idle TLS connections */
    bool stamps;       /* of the kernel: see stamp.h */
    double rate;       /* deliveries a second */
    double seconds, flat_seconds, warm_seconds;
    uint32_t windows[WINDOWS_MAX]; /* lines in flight when flat out, a phase each; 0 ends */
    uint64_t seed;
    int64_t limit_ns; /* the whole run is cut off here */
};

struct load {
    struct options opt;
    struct conn *conns;
    uint32_t started, ready, dead;
    int epoll;
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    int64_t now_ns;      /* taken after the last read or wait */
    int64_t arrived_ns;  /* of what was read last */
    int64_t deadline_ns; /* of the whole run */
    uint8_t buf[READ_BYTES + READ_BYTES];

    uint64_t room; /* Roost's number of the room */
    uint64_t ids;  /* Roost's request ids: id_base + a counter */
    uint64_t id_base;

    /* Lines: what was sent and how often it arrived. */
    uint32_t fanout;          /* deliveries of one line; 0 = not known yet */
    uint64_t lines, complete; /* sent; arrived everywhere */
    uint64_t delivered, refused;
    uint32_t arrived[LINES_RING];

    /* What is measured now. */
    bool timing;
    int64_t from_ns; /* lines sent before this are not timed */
    struct histogram latency, lateness;
};

int64_t clock_ns(void);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* conn.c */
void load_open(struct load *l);
void load_close(struct load *l);
void conn_start(struct load *l, uint32_t index);
void conn_send(struct load *l, struct conn *c, const void *p, size_t len);
void conn_ready(struct load *l, struct conn *c);
/* Waits until then at most and handles what comes. */
void load_poll(struct load *l, int64_t until_ns, int events_max);
/* Sends what keeps silent connections alive. */
void load_keep(struct load *l);

/* lines.c */
/* True if there is a line of ours at p; counts it. */
bool line_delivered(struct load *l, const uint8_t p[static LINE_BYTES]);
/* Connection c says the next line. */
void line_say(struct load *l, struct conn *c);

/* chat.c */
struct phase_result {
    double seconds, deliveries_s, server_us;
    double server_cpu, load_cpu, others_cpu; /* cores in use; others: what does not belong here */
    uint64_t deliveries, lines, refused, missing;
    double p50_ms, p99_ms, max_ms, late_p99_ms;
    bool cut;
};
void load_connect_all(struct load *l);
void load_settle(struct load *l, int64_t ns);
void find_fanout(struct load *l);
void run_offered(struct load *l, struct phase_result *ret);
void run_flat(struct load *l, uint32_t window, struct phase_result *ret);
