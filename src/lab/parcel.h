/* parcel.h - bytes of any length carried whole over a session, and checked.
 *
 * Two streams, opened by who sends: one to talk on, one of bytes.
 *
 *     sender    -> HEAD  version 1, length 8 (all ones: not known yet)
 *               -> END   length 8, SHA-256 of all 32
 *     receiver  <- DONE  1: it is stored and is what was sent
 *
 * A receiver that cannot go on closes the session with one of the codes below, and so does a
 * sender. Sender and receiver pull and push at their own speed; who has the session carries
 * its datagrams. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "seal/running.h"

#define PARCEL_UNKNOWN UINT64_MAX
#define PARCEL_AHEAD   (512 * 1024ULL) /* bytes that are put before the path takes them */

enum { PARCEL_HASH = 32 /* bytes */ };

enum parcel_why {
    PARCEL_DONE = FLOW_DONE,
    PARCEL_UNREADABLE = FLOW_WHY_APP, /* the sender could not read it to its end */
    PARCEL_UNWRITABLE,                /* the receiver could not write it */
    PARCEL_WRONG,                     /* what came is not what was sent */
    PARCEL_GIVEN_UP,                  /* somebody stopped it */
    PARCEL_NONSENSE,                  /* the other side does not speak this */
};
const char *parcel_text(uint64_t code);

/* --- the sender --- */

struct parcel_out {
    struct flow *flow;
    int64_t talk, bytes; /* streams */
    struct seal_running *sum;
    uint8_t hash[PARCEL_HASH]; /* of all, once it ended */
    uint64_t length;
    bool ended, done; /* done: the other side has all of it, stored */
    bool closed;      /* the session is over, for `why` */
    uint64_t why;
};

/* 0, -ROOST_NOMEM, -ROOST_LIMIT, -ROOST_CLOSED. */
int parcel_send(struct parcel_out *p, struct flow *f, uint64_t length);
void parcel_out_fini(struct parcel_out *p);
/* How many bytes to put now: what keeps the path busy, and is not more than the session takes while
 * it waits for one that was lost. */
uint64_t parcel_room(const struct parcel_out *p);
/* How many bytes were taken; less than len when the session has enough. */
int64_t parcel_put(struct parcel_out *p, const void *bytes, size_t len);
int parcel_end(struct parcel_out *p);
void parcel_out_hear(struct parcel_out *p, int64_t now_us);

/* --- the receiver --- */

struct parcel_in {
    struct flow *flow;
    struct seal_running *sum;
    uint64_t expected; /* bytes; PARCEL_UNKNOWN */
    uint64_t got;
    uint8_t words[64]; /* of the talk stream, not understood yet */
    size_t n_words;
    bool has_head, has_end, has_bytes, bytes_over;
    uint64_t length; /* and hash, as the sender says */
    uint8_t wanted[PARCEL_HASH];
    uint8_t hash[PARCEL_HASH]; /* of what came, once it is whole */
    bool told;                 /* DONE was said ... */
    bool heard;                /* ... and the other side knows */
    bool closed;               /* the session is over, for `why` */
    uint64_t why;
};

/* 0 or -ROOST_NOMEM. */
int parcel_receive(struct parcel_in *p, struct flow *f);
void parcel_in_fini(struct parcel_in *p);
/* After datagrams came. -ROOST_MALFORMED: it is no parcel. */
int parcel_in_hear(struct parcel_in *p, int64_t now_us);
/* What can be stored now; *ret_len 0: nothing. */
const uint8_t *parcel_peek(struct parcel_in *p, size_t *ret_len);
/* So many of them were stored. 0 or -ROOST_NOMEM. */
int parcel_take(struct parcel_in *p, size_t len, int64_t now_us);
/* 1: all was taken and is what was sent; 0: there is more to come; -ROOST_MALFORMED: it is
 * something else. */
int parcel_is_whole(struct parcel_in *p);
int parcel_confirm(struct parcel_in *p);
