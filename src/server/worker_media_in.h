/* worker_media_in.h - what the files of worker_media.h share: a leg, and what a worker forwards.
 *
 * worker_media.c  a turn: what comes of a session, what is due
 * media_legs.c    who comes, goes and moves, and what they send
 * media_out.c     what goes: heads and payloads as datagrams, or as messages of a tunnel
 * media_tell.c    what the hub hears: who speaks, what was measured
 */
#pragma once

#include "flow/flow_media.h"
#include "media/figures.h"
#include "media/gaps.h"
#include "relay/relay.h"
#include "server/worker_media.h"

enum {
    UPS_MAX = 4, /* streams of a leg */
    ASKS = 8,    /* for key frames, of one leg */
};
#define MEDIA_SPEAKER_US 250000  /* so often it is looked at who speaks */
#define MEDIA_FIGURES_US 2000000 /* so often the hub hears what was measured of a leg */

/* A stream that comes. */
struct up {
    uint64_t stream;
    struct gaps gaps;
    struct figures figures;
    uint64_t lost, repaired; /* that the figures know */
    uint32_t stamp;
    int64_t stamp_us; /* unwrapped: of the sender's clock */
};

struct leg_at {
    struct worker *w;
    uint32_t id, leg; /* the session; its number at the relay */
    uint32_t number;  /* the device */
    uint64_t meeting;
    struct carried *c, *next; /* the session now, and the one that takes over; NULL: none */
    struct up *ups[UPS_MAX];
    struct media_ask asks[ASKS];
    uint32_t n_asks;
    bool wants_gaps, talks; /* has words to say */
    int64_t path_us, figures_us;
    uint64_t bytes_out, bytes_told;
    struct leg_at *next_talking;
};

/* Whom a meeting shows. */
struct shown {
    uint64_t meeting;
    uint32_t legs, number;
};

/* Datagrams of one size for one leg, which leave in one call: heads in the worker's `out`, payloads
 * where they lie. */
struct gather {
    struct carried *c;
    struct flow_to to;
    struct iovec parts[UDP_PARTS_MAX];
    size_t n_parts, used, bytes, segment;
    unsigned n;
    bool closed;
};

struct forwarding {
    struct relay *relay;
    struct leg_at *legs[LEGS_MAX]; /* by number at the relay */
    struct map by_session;         /* id to struct leg_at */
    struct map shown;              /* meeting to struct shown */
    uint32_t n_legs, buffer, used; /* of the buffer that is being filled */
    uint8_t *fill;
    struct leg_at *talking;
    int64_t gaps_us, second_us; /* when to look next; INT64_MAX: not */
    struct relay_out out;
    struct gather gather;
    uint64_t told; /* relay's datagrams, when counts were taken */
};

/* Its client is to hear something: the words that wait. */
void media_talk(struct leg_at *l);
/* What comes of its session; the taker of flow_take_media, whose context is the leg. */
void media_take(void *leg, const struct dgram *d, const uint8_t *payload);
int64_t media_rtt_us(const struct carried *c); /* NULL: 0 */

/* --- media_legs.c --- */

bool media_has_way(const struct carried *c);
void media_leg_free(struct leg_at *l);

/* --- media_out.c --- */

/* A datagram, perhaps later: media_flush. */
void media_send_to(struct worker *w, struct gather *g, struct leg_at *l,
                   const struct media_part *parts, size_t n_parts, const struct dgram *words,
                   size_t n_words);
void media_flush(struct worker *w, struct gather *g);

/* --- media_tell.c --- */

void media_look_around(struct worker *w);
