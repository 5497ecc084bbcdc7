/* parley.h - somebody speaks, somebody listens, and a server between them, in virtual time.
 *
 * All that real programs have but devices and sockets: Opus, sealing, sessions, the relay, repair
 * on both hops, the jitter buffer, a speaker of 20 ms. The listener's hop may be bent, and shared
 * with a file or with somebody's TCP. What came of it is exact: for each frame when its first
 * sample was said, and when it was heard. Microseconds; the same for a seed.
 */
#pragma once

#include "client/voice.h"
#include "flow/flow_media.h"
#include "lab/link.h"
#include "media/jitter.h"

enum parley_beside {
    PARLEY_ALONE,
    PARLEY_FILE,   /* of ours, to the same device: in the session that the voice comes in */
    PARLEY_OTHERS, /* of ours, in a session of its own */
    PARLEY_CUBIC,  /* a TCP that fills the queue */
};

/* Ends of sessions and links: [speaker, listener][client's, server's], [..][up, down]. */
struct parley_look {
    struct voice *voice[2];
    struct flow *flow[2][2];
    const struct link *way[2][2];
    struct figures *came; /* at the server, of what the listener says */
};

struct parley_wish {
    struct link_config first, up, down; /* the speaker's hop both ways; the listener's */
    uint32_t frame_ms;                  /* 10, 20, 60 */
    int64_t for_us;                     /* measured so long, */
    int64_t after_us;                   /* from then on */
    enum parley_beside beside;
    uint64_t seed;
    bool both; /* the listener speaks too */
    /* Called each second of virtual time, or NULL. */
    void (*each_second)(void *ctx, int64_t now_us, const struct parley_look *look);
    void *ctx;
};

struct parley {
    /* From the first sample of a frame to when it is heard: of frames that came. */
    int64_t mean_us, p99_us, most_us;
    double concealed; /* of all that was heard, percent */
    uint64_t frames, recovered, stretched, again;
    int64_t held_us;   /* at the end */
    double other_mbit; /* what went beside it */
    struct link_counts first, up, down;
    double sent_twice; /* parts more than once, of all on the listener's hop */
};

/* False: out of memory, or a session ended. */
bool parley_hold(const struct parley_wish *w, struct parley *ret);
