/* voice.h - one device's part in a meeting's voices: keys, what it says, what it hears. Without
 * sockets, codecs, devices and clocks: the edge is speech.h, and a test has hundreds of them.
 *
 *     voice_on_roster, voice_on_stream, voice_on_keys      what comes over control
 *     voice_next_keys                                      what goes over control
 *     voice_on_dgram         each MEDIA and NACK that a session gives (flow/flow_media.h)
 *     voice_say              a frame of the codec's; it is sealed, numbered, kept for repair
 *     while (voice_next(v, now, &out)) flow_send_media(flow, now, ..., out.parts, out.words, ...)
 *     voice_expire; sleep until voice_deadline_us
 *
 * A frame that was opened is given to settings.heard at once, in the order of arrival: whoever
 * plays has the jitter buffer, and says now and then what it did (voice_on_ear). Frames whose key
 * is on its way wait for it. What is missing on the way here is asked for; what the server misses
 * is sent again, and at loss each datagram carries the frames before once more.
 *
 * The server is not believed: a frame is heard only if its sender's key opens it, a key is taken
 * only for the list that we were shown (seal/keyring.h). Bit rates follow the path (voice_bits).
 * Memory: streams, of which each takes what it needs when it is heard first; none for a frame.
 * Pure; microseconds. Not thread-safe.
 */
#pragma once

#include "media/figures.h"
#include "seal/keyring.h"
#include "wire/dgram.h"

enum {
    VOICE_STREAMS_MAX = 1024, /* of others */
    VOICE_OWN_MAX = 4,
    VOICE_PARTS_MAX = 6, /* in a datagram: frames, those before them, those asked for */
    VOICE_WORDS_MAX = 8,
    VOICE_EVENTS_MAX = 64,
};
#define VOICE_BITS_USUAL  32000
#define VOICE_FEEDBACK_US 1000000

/* Of whom, and what: m borrows, bytes are the frame's, opened. */
typedef void voice_heard_fn(void *ctx, int64_t now_us, uint32_t who, const struct media *m,
                            const uint8_t *bytes, size_t len);

struct voice_settings {
    struct keyring_settings keys;
    uint32_t mtu; /* bytes of UDP that a datagram may have; 0: PACKET_MTU_MIN */
    uint64_t seed;
    uint32_t opens_each; /* only each so many-th frame is opened, the others are heard without their
                            bytes (NULL): for who makes load, not for people. 0: all are opened */
    voice_heard_fn *heard;
    void *ctx;
};

struct voice;

int voice_new(struct voice **ret, const struct voice_settings *s, int64_t now_us);
void voice_free(struct voice *v);
/* With other keys the same device goes on numbering its frames where it was: who hears it waits for
 * the next one. Before anything is published. */
void voice_go_on(struct voice *v, const struct voice *before);
const struct keyring *voice_keys(const struct voice *v);

/* --- over control --- */

/* As keyring_on_roster. */
int voice_on_roster(struct voice *v, int64_t now_us, uint32_t epoch,
                    const struct roster_member *members, size_t n);
int voice_on_keys(struct voice *v, int64_t now_us, uint32_t who, const uint8_t *bytes, size_t len);
size_t voice_next_keys(struct voice *v, uint32_t *ret_to, uint8_t ret[static KEYRING_MESSAGE_MAX]);
bool voice_event(struct voice *v, struct keyring_event *ret);
/* Somebody sends this; again: it changed. 0, -ROOST_NOMEM, -ROOST_LIMIT. */
int voice_on_stream(struct voice *v, int64_t now_us, uint64_t stream, uint32_t who,
                    enum media_codec codec, bool muted);
void voice_on_gone(struct voice *v, uint64_t stream);
/* No stream of before is left. */
void voice_on_none(struct voice *v);

/* --- saying --- */

/* This device sends a stream; again: it goes on, under another number too. -ROOST_NOMEM,
 * -ROOST_LIMIT. */
int voice_publish(struct voice *v, int64_t now_us, uint32_t at, uint64_t stream,
                  enum media_codec codec);
void voice_unpublish(struct voice *v, uint32_t at);
struct voice_said {
    enum media_codec codec;
    uint32_t timestamp; /* ticks of 1/48,000 s, of when it was said */
    uint8_t level;
    bool silence; /* others may be long in coming */
    const uint8_t *bytes;
    size_t len;
};
/* One frame of the stream published as `at`. -ROOST_INVALID: it is not published, or there is no
 * key yet; -ROOST_TOO_LONG, -ROOST_NOMEM, -ROOST_LIMIT. */
int voice_say(struct voice *v, int64_t now_us, uint32_t at, const struct voice_said *said);
/* What the codec of a stream of such frames is to be content with, on a path such as this. */
uint32_t voice_bits(const struct voice *v, uint32_t wanted, uint32_t frame_ticks);

/* --- the way --- */

/* MEDIA with its payload, NACK; others are nobody's. False: it was of no use. */
bool voice_on_dgram(struct voice *v, int64_t now_us, const struct dgram *d, const uint8_t *payload);
void voice_on_path(struct voice *v, uint64_t rate, float loss, int64_t rtt_us);
struct voice_out {
    struct media_part parts[VOICE_PARTS_MAX];
    struct dgram words[VOICE_WORDS_MAX];
    uint32_t n_parts, n_words;
};
/* The next datagram; its payloads are valid until the next call of any. False: none now. */
bool voice_next(struct voice *v, int64_t now_us, struct voice_out *ret);
void voice_expire(struct voice *v, int64_t now_us);
int64_t voice_deadline_us(const struct voice *v, int64_t now_us);

/* --- figures --- */

/* Sums since the beginning, as jitter_counts has them. */
struct voice_ear {
    uint64_t played_ticks, concealed_ticks;
    int64_t held_us;
};
void voice_on_ear(struct voice *v, int64_t now_us, uint64_t stream, const struct voice_ear *ear);

struct voice_figures {
    uint64_t stream;
    uint32_t who; /* 0: of this device */
    enum media_codec codec;
    bool muted, heard; /* heard: something came in the last second */
    struct figures_view view;
    uint32_t concealed_ppm; /* of the last 10 s */
    int64_t held_us;
    struct voice_ear ear;
    uint64_t received, lost, repaired, unopened; /* parts, since the beginning */
};
/* The i-th stream that anything was heard of, or this device's; false: no more. */
bool voice_look(struct voice *v, int64_t now_us, uint32_t i, struct voice_figures *ret);
