/* sink.h - what has come of a stream: put together, until the reader takes it.
 *
 * Bytes may come in any order, twice, and overlapping; they are read in order. The other
 * side may send up to `limit`, an offset that moves on with what is read; the window behind
 * it grows to four times what is read in a round trip, so that fast paths are filled and slow
 * readers hold little. Who sends past the limit, or past an end that was given, or
 * gives another end, breaks the protocol: -ROOST_MALFORMED. Sinks may share a budget of holes
 * (`come.budget`); what continues what has come needs none of it. Pure.
 */
#pragma once

#include "flow/ring.h"
#include "flow/spans.h"

#include <stdbool.h>

#define SINK_WINDOW_FIRST (1ULL << 20)
#define SINK_WINDOW_MAX   (32ULL << 20)
#define SINK_NO_END       UINT64_MAX

struct sink {
    struct ring ring;
    struct spans come; /* beyond `upto` */
    uint64_t read;     /* the reader has taken so many */
    uint64_t upto;     /* all below has come */
    uint64_t highest;  /* behind the last byte that has come */
    uint64_t end;      /* the stream's length; SINK_NO_END: not known yet */
    uint64_t limit, window, window_max;
    uint64_t round_read; /* `read` when this round trip began */
    int64_t round_us;
};

void sink_init(struct sink *s, uint64_t window_max);
void sink_fini(struct sink *s);

/* Bytes have come; `end`: they are the last. Returns how many more bytes of the stream are
 * used of the other side's credit (the highest offset moved on), or -ROOST_MALFORMED,
 * -ROOST_LIMIT (too many holes), -ROOST_BUSY (too many of all who share a budget: nothing was
 * changed, and it may come again), -ROOST_NOMEM. */
int64_t sink_put(struct sink *s, uint64_t offset, const uint8_t *bytes, size_t len, bool end);
/* The other side gave up at this length; likewise. Nothing more is read. */
int64_t sink_reset(struct sink *s, uint64_t length);

/* What can be read now without a break; *ret_len 0: nothing. */
const uint8_t *sink_peek(const struct sink *s, size_t *ret_len);
/* So many were read. */
void sink_take(struct sink *s, size_t len, int64_t now_us, int64_t rtt_us);
/* Nobody reads it: what is here counts as read. Returns how many bytes that are. */
uint64_t sink_skip(struct sink *s);
/* Everything was read, and that was all. */
bool sink_is_over(const struct sink *s);
/* A new limit is worth telling: it moved on by a quarter of the window. */
bool sink_has_credit(const struct sink *s);
uint64_t sink_give_credit(struct sink *s); /* the new limit */
