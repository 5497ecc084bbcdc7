/* datagrams.h - a client's session of datagrams: its keys, and the way they travel.
 *
 * When it is wanted, the keys are asked for over control. Then both ways are tried at once:
 * UDP, and a tunnel (tunnel.h). UDP wins if a question comes back within half a second;
 * else the tunnel is used as soon as it stands, and UDP is tried again every 15 s, and takes
 * over when it answers. When UDP falls silent while something is awaited, a tunnel is
 * opened beside it, and used if UDP is still silent then.
 *
 * The session outlives its connection of control; when that is back, it is kept, or replaced
 * if the server knows it no more. A change of the machine's interfaces is heard from the
 * kernel (netlink). All of it lives in the handle, on its thread.
 */
#pragma once

#include "client/bent.h"
#include "client/core.h"
#include "client/tunnel.h"
#include "flow/flow_media.h"
#include "net/carry.h"
#include "net/sleep.h"
#include "roost.h"

enum {
    PINGS_MAX = 8,  /* unanswered */
    PROBES_MAX = 3, /* questions of one try of UDP */
    NEWS_MAX = 32,  /* events that wait */
};
#define UDP_PATIENCE_US (500 * 1000LL)
#define UDP_PROBE_US    (150 * 1000LL)
#define UDP_AGAIN_US    (15 * 1000000LL)
#define PING_LOST_US    (2 * 1000000LL)
#define RETRY_US        (1 * 1000000LL) /* after a refusal, or a tunnel that failed */

struct ping {
    uint64_t token; /* 0: none */
    int64_t number, sent_us;
};

/* Who uses the session's streams; all NULL: nobody. */
struct datagrams_streams {
    void *ctx;
    void (*event)(void *ctx, const struct flow_event *e); /* of a stream */
    void (*gone)(void *ctx);                              /* the session goes now */
    void (*turn)(void *ctx, int64_t now_us);              /* before what may leave is sent */
};

/* Who takes the session's media; NULL: nobody, then some that comes ends it. */
struct datagrams_media {
    void *ctx;
    flow_media_fn *take;
    void (*turn)(void *ctx, int64_t now_us); /* before what may leave is sent */
};

struct datagrams {
    bool wanted;
    bool placed; /* the session is of a meeting: keys come from there */
    struct core *core;
    const struct tls *control; /* its address and certificate are the session's too */
    const char *host, *port;
    struct study *study;
    const struct cc_ops *cc; /* NULL: as usual */
    int64_t request;         /* for keys; 0: none waits */
    int64_t ask_us;          /* not before */
    bool was_ready;
    /* the session */
    struct datagrams_streams streams;
    struct datagrams_media media;
    int64_t rate_us; /* when the tunnel's connection was asked what it carries */
    uint32_t id;
    uint8_t token[TUNNEL_TOKEN];
    struct flow *flow;
    struct udp *udp;
    struct carry carry;
    struct bent *bent;  /* NULL: what carries them is not bent */
    union address from; /* as the system chose it last */
    /* ways */
    enum roost_way way;
    struct tunnel tunnel;
    bool wants_tunnel;
    int64_t tunnel_us; /* opened not before */
    int64_t decide_us; /* until then UDP may win; INT64_MAX: it has */
    int64_t probe_us;  /* the next question over UDP; INT64_MAX: none */
    unsigned probes;
    uint64_t probe_tokens[PROBES_MAX];
    uint64_t next_token;
    /* pings */
    struct ping pings[PINGS_MAX];
    int64_t next_ping;
    struct roost_path path; /* its figures */
    struct roost_event news[NEWS_MAX];
    unsigned n_news;
    /* waiting */
    struct sleep sleep;
    int wake;       /* readable: what media's turn is to look at; -1: none */
    int interfaces; /* netlink; -1: none */
};

void datagrams_init(struct datagrams *d, struct core *core, const struct tls *control,
                    const char *host, const char *port, struct study *study);
void datagrams_fini(struct datagrams *d);
void datagrams_want(struct datagrams *d, bool on);
/* Before they are wanted: they go through such a link. 0 or -ROOST_NOMEM. */
int datagrams_bend(struct datagrams *d, const struct link_pair *how);
/* --- media --- */

/* Another takes it, or with take NULL nobody any more: what comes late is dropped. From now on a
 * meeting gives the session: no other is asked for. */
void datagrams_media(struct datagrams *d, const struct datagrams_media *m, int wake);
/* The session that a meeting has given: the one there is, or another. No other is asked for until
 * datagrams_unplace. */
void datagrams_place(struct datagrams *d, const Roost__DatagramSession *s, int64_t now_us);
void datagrams_unplace(struct datagrams *d);
/* False: it could not be sent. */
bool datagrams_send_media(struct datagrams *d, const struct media_part *parts, size_t n_parts,
                          const struct dgram *words, size_t n_words, int64_t now_us);

/* Does what is due. */
void datagrams_process(struct datagrams *d, int64_t now_us);
int64_t datagrams_deadline_us(const struct datagrams *d, int64_t now_us);
/* -ROOST_CLOSED: there is no way now; -ROOST_LIMIT. */
int64_t datagrams_ping(struct datagrams *d, int64_t now_us);
bool datagrams_next(struct datagrams *d, struct roost_event *ret);

/* Sleeps for control (its poll wants, as POLLIN and POLLOUT) and all of its own. False: a
 * signal came. */
bool datagrams_sleep(struct datagrams *d, int control_wants, int64_t until_us);
int datagrams_fd(struct datagrams *d, int control_wants); /* readable when anything is */
