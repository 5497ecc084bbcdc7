/* jitter.h - frames of one voice, from when they come to when they are to be heard.
 *
 * Frames are put in as they come, in any order, once or several times. Whoever plays asks for what
 * comes next whenever it needs more sound (jitter_next); what it gets is a frame, as it is or to be
 * stretched a little, or one to be made up for: out of the next frame's redundancy, or of nothing.
 * A frame is due when delay.h says so: who plays later than that plays faster, who plays earlier
 * slower, so the buffer follows the target, and clocks that go apart cost nothing but a
 * stretch now and then. In silence it moves without one.
 *
 * Memory: the caller's, for JITTER_FRAMES frames of so many bytes. Pure; microseconds on the
 * listener's clock, ticks of 1/48,000 s on the speaker's. Not thread-safe.
 */
#pragma once

#include <stddef.h>

#include "media/delay.h"
#include "wire/media.h"

enum {
    JITTER_FRAMES = 64,
    JITTER_GONE_TICKS = 5 * MEDIA_HZ, /* who is not heard for so long is silent */
};
#define JITTER_MOST_US    160000 /* the longest target */
#define JITTER_SLACK_US   8000   /* so much later than it is due a frame is not stretched */
#define JITTER_EARLY_US   2000   /* nor so much earlier */
#define JITTER_SKIP_US    300000 /* so late frames are left out rather than played faster */
#define JITTER_MAKE_UP_US 100000 /* so much is made up in a row; then it is quiet */

enum jitter_what {
    JITTER_QUIET,   /* nothing is said now; ticks: until it is worth asking again */
    JITTER_PLAY,    /* the frame */
    JITTER_FASTER,  /* the frame, shortened by what its pitch allows */
    JITTER_SLOWER,  /* lengthened likewise */
    JITTER_RECOVER, /* the frame before these bytes, out of their redundancy */
    JITTER_CONCEAL, /* something like the last frame */
};

struct jitter_turn {
    enum jitter_what what;
    const uint8_t *bytes; /* valid until the next call of any */
    uint32_t len, ticks;
};

struct jitter_slot {
    bool here, silence;
    uint64_t frame;
    int64_t sent_us; /* on the speaker's clock */
    uint32_t len, ticks;
};

/* Sums since the beginning. */
struct jitter_counts {
    uint64_t played, recovered, concealed, late, again, skipped, stretched; /* frames */
    uint64_t played_ticks, concealed_ticks;
};

struct jitter {
    struct delay delay;
    struct jitter_slot slots[JITTER_FRAMES];
    uint8_t *bytes;
    uint32_t each;
    bool begun, playing, silence, recovers;
    uint64_t next;       /* the frame that is heard next, once begun */
    uint64_t newest;     /* that came */
    uint64_t resumed;    /* the first after an outage: what is older came for nothing */
    uint32_t last_stamp; /* of the newest, */
    int64_t stamp;       /* and without wrapping */
    uint32_t ticks;      /* of a frame */
    uint32_t owed;       /* made up while it was not known that a frame is lost */
    uint32_t run;        /* made up in a row */
    int64_t lead_us;     /* what is asked for is heard so much later */
    struct jitter_counts counts;
};

/* store: JITTER_FRAMES * each bytes, kept by the caller. recovers: frames carry redundancy. */
void jitter_init(struct jitter *j, void *store, uint32_t each, bool recovers);
/* An opened frame. 0; -ROOST_ALREADY: it is here, was heard or made up for; -ROOST_LIMIT: too
 * long. */
int jitter_put(struct jitter *j, int64_t now_us, const struct media *m, const uint8_t *bytes,
               size_t len, uint32_t ticks);
/* Whoever asks for sound does so this long before it is heard: nothing that came can be heard
 * sooner. To begin with 0. */
void jitter_set_lead(struct jitter *j, int64_t lead_us);
/* What is heard from now_us on. */
void jitter_next(struct jitter *j, int64_t now_us, struct jitter_turn *ret);
/* How long frames are held at the moment. */
int64_t jitter_held_us(const struct jitter *j);
/* So long a frame that is lost now may take to come and be in time. */
int64_t jitter_budget_us(const struct jitter *j);
