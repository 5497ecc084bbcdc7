/* flow_media.h - voice and pictures in a session: parts that come, and leave at once.
 *
 *     flow_take_media(f, &settings, now);      what comes is given to settings.take
 *     n = flow_send_media(f, now, bytes, cap, parts, n_parts, words, n_words, &to);
 *     send n bytes, and behind them the payloads in order, to `to`, or as one message of the tunnel
 *
 * A datagram whose payloads do not add up to its tail is as if it had been lost. Nothing is copied:
 * a payload lies in the bytes that were given to flow_on_datagram (or flow_on_frames), until that
 * returns. Nothing is allocated once a session is under way.
 *
 * What is sent counts as under way, but no window holds it back: sound cannot wait, and whoever
 * sends pictures keeps to the rate (flow_look_media). Streams of the session get what that leaves:
 * while media leaves, and MEDIA_REST_US longer, they keep to the rate too, behind it
 * (media/turn.h). A payload that is lost is not sent again here: the other side asks for it (NACK).
 *
 * A session that was not told to take media ends when some comes. Through a tunnel nothing is
 * estimated: whoever has the connection says what it carries. Pure; microseconds, bits a second.
 */
#pragma once

#include "flow/flow.h"
#include "media/estimate.h"
#include "media/figures.h"
#include "wire/dgram.h"

enum {
    FLOW_PARTS_MAX = 24,    /* of a datagram that is sent; a client's: SESSION_TAIL_PARTS */
    FLOW_MEDIA_FULL = 4096, /* packets under way: nobody is there any more, nothing is sent */
    FLOW_MEDIA_SILENT = 6,  /* probes without an answer, likewise */
};
#define FLOW_MEDIA_START_RATE 300000ULL
#define FLOW_MEDIA_LEAST_RATE 10000ULL
#define FLOW_MEDIA_MOST_RATE  1000000000ULL
#define MEDIA_REST_US         2000000

/* MEDIA with its payload, NACK, KEYFRAME or FEEDBACK. The flow must not be called from here. */
typedef void flow_media_fn(void *ctx, const struct dgram *d, const uint8_t *payload);

struct flow_media_settings {
    flow_media_fn *take; /* NULL: what comes is dropped */
    void *ctx;
    uint64_t start, least, most; /* of the rate; 0: as above */
};

/* 0 or -ROOST_NOMEM. Again: another to take it, all else goes on. */
int flow_take_media(struct flow *f, const struct flow_media_settings *s, int64_t now_us);

/* Writes a datagram, or in a tunnel a message, without its payloads; returns the length of what was
 * written. Words: NACK, KEYFRAME, FEEDBACK. What is to be acknowledged goes along if there is room.
 * 0: nobody can be sent to, or it is too large. */
int flow_send_media(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap,
                    const struct media_part *parts, size_t n_parts, const struct dgram *words,
                    size_t n_words, struct flow_to *ret);

/* flow_send_media comes soon: what it needs may be fetched from memory meanwhile. */
void flow_expect_media(const struct flow *f);

struct flow_media_view {
    uint64_t rate;  /* that this way carries */
    float loss;     /* of our packets, lately */
    int64_t rtt_us; /* 0: not known */
    const struct estimate *estimate;
};
/* False: it takes none. */
bool flow_look_media(const struct flow *f, struct flow_media_view *ret);
/* Of what we sent, as it arrived; false as above. */
bool flow_media_figures(struct flow *f, int64_t now_us, struct figures_view *ret);
/* What the tunnel's connection carries. */
void flow_on_tunnel_rate(struct flow *f, uint64_t rate);
