/* voice_inside.h - what the files of voice.h share.
 *
 * voice.c      life, keys, streams of others
 * voice_in.c   what comes: opened, counted, given on; what is missing is asked for
 * voice_out.c  what is said: sealed, kept, sent, and sent again
 */
#pragma once

#include "base/map.h"
#include "client/voice.h"
#include "media/early.h"
#include "media/gaps.h"
#include "media/history.h"

enum { EAR_SECONDS = 10, ASKED_MAX = 32 };

/* What is known of a stream from its first part on. */
struct hearing_way {
    struct gaps gaps;
    struct figures figures;
    int64_t heard_us, feedback_us;
    int64_t stamp;       /* of the newest frame, without wrapping */
    uint32_t last_stamp; /* as it came */
    bool stamped;
    uint32_t came; /* for opens_each */
    uint64_t unopened, told_lost, told_repaired;
    int64_t altered_us, altered_told_us; /* since when they are counted; 0: not yet */
    uint32_t altered;
    struct voice_ear ear, seconds[EAR_SECONDS + 1]; /* as they were at each second */
    uint32_t n_seconds;
    int64_t second_us;
};

struct hearing {
    uint64_t stream;
    uint32_t who;
    enum media_codec codec;
    bool muted;
    struct hearing_way *way; /* NULL: nothing was heard yet */
};

struct saying_slot {
    struct media head;
    uint8_t bytes[MEDIA_PART_MAX];
};

struct saying {
    bool used;
    uint64_t stream, frame;
    enum media_codec codec;
    struct history history;
    uint16_t sent; /* counts below have left once */
    struct {
        uint32_t slot;
        uint16_t count;
    } asked[ASKED_MAX]; /* to be sent again */
    uint32_t n_asked;
    struct figures figures;
    struct saying_slot *slots; /* HISTORY_PARTS */
};

struct voice {
    struct keyring *keys;
    voice_heard_fn *heard;
    uint32_t opens_each;
    void *ctx;
    uint32_t mtu;
    struct map streams; /* id -> struct hearing */
    struct saying own[VOICE_OWN_MAX];
    struct early early;
    uint8_t *early_store;
    struct keyring_event events[VOICE_EVENTS_MAX];
    uint32_t n_events;
    uint64_t rate;
    float loss;
    int64_t rtt_us;
    uint8_t repeats;
    bool speaks;
};

#define VOICE_RTT_US 100000 /* until it is known */

/* voice_in.c */
void hearing_free(struct hearing *h);
void voice_try_early(struct voice *v, int64_t now_us, uint32_t who, uint32_t key_id);
/* Questions and reports of what comes, into a datagram. */
void voice_put_words(struct voice *v, int64_t now_us, struct voice_out *out);
int64_t voice_ask_us(const struct voice *v, int64_t now_us);
/* voice_out.c */
void voice_on_nack(struct voice *v, int64_t now_us, const struct nack *n);
bool voice_has_parts(const struct voice *v);
/* voice.c */
void voice_drain_keys(struct voice *v, int64_t now_us);
void voice_tell(struct voice *v, const struct keyring_event *e);
