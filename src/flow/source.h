/* source.h - what is to be sent of a stream, and what of it is not acknowledged yet.
 *
 * The writer adds bytes at the end; pieces are taken for packets, those that were lost
 * first; what is acknowledged from the beginning on is forgotten. Holds at most `room`
 * bytes, so a writer waits when the path is slow. Pure.
 */
#pragma once

#include "flow/ring.h"
#include "flow/spans.h"

#include <stdbool.h>

/* A part of the stream, in a packet. */
struct piece {
    uint64_t offset;
    uint32_t len;
    bool end;
};

struct source {
    struct ring ring;
    struct spans acked; /* beyond `base` */
    struct spans lost;  /* to be sent again, before anything new */
    uint64_t base;      /* all below is acknowledged */
    uint64_t sent;      /* all below was sent once */
    uint64_t written;   /* all below was written */
    uint64_t limit;     /* the other side takes so much */
    uint64_t room;
    bool ended;     /* nothing more will be written */
    bool end_sent;  /* and the other side was told so ... */
    bool end_acked; /* ... and knows */
};

void source_init(struct source *s, uint64_t limit, uint64_t room);
void source_fini(struct source *s);

/* As many as there is room for; returns their number, or -ROOST_NOMEM. */
int64_t source_write(struct source *s, const uint8_t *bytes, size_t len);
void source_end(struct source *s);                   /* that was all */
void source_allow(struct source *s, uint64_t limit); /* only ever more */

/* The next piece, of at most max bytes, of which `credit` more may be new ones. False: there
 * is nothing to send. */
bool source_next(const struct source *s, uint32_t max, uint64_t credit, struct piece *ret);
/* It goes out: returns how many of it are new. */
uint64_t source_take(struct source *s, const struct piece *p);
void source_copy(const struct source *s, const struct piece *p, uint8_t *bytes);
/* -ROOST_NOMEM or -ROOST_LIMIT: too many holes; the stream cannot go on. */
int source_on_acked(struct source *s, const struct piece *p);
int source_on_lost(struct source *s, const struct piece *p);
/* All was sent, and all is acknowledged. */
bool source_is_over(const struct source *s);
