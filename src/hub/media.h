/* media.h - which devices take part in a meeting with media, and what they send.
 *
 * A device is a login session that entered: it has a number in the meeting, an identity, a session
 * of datagrams, and streams. Whoever carries datagrams is told by HUB_LEG what to forward; the
 * others are told by rosters (an epoch each) and lists of streams. All of it is here only while
 * somebody takes part: the store knows nothing of it, and after a restart devices enter again.
 *
 *     media.c          devices come, are lost, come back, go
 *     media_streams.c  what they send, and whether it is forwarded
 *     media_roster.c   who is there, told within MEDIA_ROSTER_US
 *     media_keys.c     messages of keys, in order
 *     media_stats.c    what they measured
 *
 * A device's state is its meeting's; only media_on_meeting reads the meeting itself, with its
 * shard active, and copies what it needs.
 */
#pragma once

#include "hub/internal.h"
#include "seal/roster.h"

enum {
    MEDIA_DEVICES_MAX = ROSTER_MAX,
    MEDIA_DEVICES_ACCOUNT = 8, /* in one meeting */
    MEDIA_STREAMS_DEVICE = 4,
    MEDIA_NUMBER_MAX = 1 << 20, /* of a stream that is asked for: it is short on the wire */

    MEDIA_KEYS_WAITING = 512, /* messages to a device whose connection is lost */
    MEDIA_KEYS_MAX = 256,     /* in one request */
    MEDIA_KEYS_SECOND = 1000,
    MEDIA_KEYS_BURST = 4096,
    MEDIA_FIGURES_MAX = 64, /* in a report */
};
#define MEDIA_GRACE_US  (30 * 1000000LL) /* a lost device's place is kept so long */
#define MEDIA_ROSTER_US 250000           /* changes within that are one */
#define MEDIA_REPORT_US 500000           /* reports come no faster */

struct call;

struct media_stream {
    uint64_t number;
    uint32_t kind, codec; /* Roost__MediaKind, Roost__MediaCodec */
    bool muted;
    bool mute_told; /* to who forwards: what it was told last */
};

struct device {
    struct call *call;
    struct device *next; /* of the meeting, in the order of coming */
    uint32_t number;
    uint64_t account, session;
    uint64_t conn;      /* 0: lost */
    int64_t lost_us;    /* when it was */
    uint32_t datagrams; /* its session's number */
    uint8_t identity[ROSTER_IDENTITY];
    char name[DEVICE_NAME_MAX + 1];
    /* of its person, as it was when the meeting changed last */
    char *person;
    bool guest, viewer;
    bool over; /* is in no list any more; who forwards is still to be told */
    struct media_stream streams[MEDIA_STREAMS_DEVICE];
    uint32_t n_streams;
    struct blob **waiting; /* frames, MEDIA_KEYS_WAITING when there is any */
    uint32_t n_waiting;
    int64_t keys_us, report_us;     /* buckets: when they are full */
    struct device_figures *figures; /* media_stats.c; NULL: nothing was reported */
};

/* Of a device that is gone, until its attendee has it (struct device_past). */
struct media_past {
    struct media_past *next;
    uint64_t account;
    struct device_past *past;
};

/* Of a meeting in which somebody takes part. */
struct call {
    uint64_t meeting;
    unsigned worker;
    bool sealed; /* end to end */
    uint8_t key[32];
    struct device *devices;
    uint32_t n_devices; /* that are not over */
    struct map numbers; /* of devices that are not over */
    struct map streams; /* number to device */
    uint64_t next_stream;
    uint32_t epoch, speaker;
    struct media_past *past;
    int64_t roster_us; /* when it is due; INT64_MAX: all know it */
};

/* --- media.c --- */

struct call *media_of(const struct hub *h, uint64_t meeting); /* NULL: nobody takes part */
/* The device of who asks, if it takes part in that meeting over this connection. */
struct device *media_device(const struct hub *h, const struct request *q, uint64_t meeting);
struct device *media_numbered(const struct call *m, uint32_t number);
/* To all devices that are connected. Takes the frame; NULL: out of memory, they are cut off. */
void media_tell(struct hub *h, const struct call *m, struct blob *frame);
void media_tell_one(struct hub *h, const struct device *d, Roost__ToClient *frame);
/* It takes part no more; why: 0, or what it is told. It may be freed. */
void media_device_end(struct hub *h, struct device *d, int why);

/* --- media_streams.c --- */

int media_leg(struct hub *h, const struct device *d, const struct hub_leg *leg);
/* What the meeting allows and mutes now. */
void media_streams_review(struct hub *h, struct device *d, const struct meeting *m);
void media_streams_end(struct hub *h, struct device *d);
void media_streams_tell_all(struct hub *h, const struct device *d); /* the whole list, to it */
void media_streams_retry(struct hub *h, struct device *d);

/* --- media_roster.c --- */

void media_roster_changed(struct hub *h, struct call *m);
void media_roster_expire(struct hub *h, struct call *m);
void media_roster_tell(struct hub *h, const struct device *d); /* the last one, once more */

/* --- media_keys.c --- */

void media_keys_release(struct hub *h, struct device *d); /* it is back: what waited */
void media_keys_free(struct device *d);

/* --- media_stats.c --- */

void media_stats_end(struct hub *h, struct device *d); /* it goes: its summary stays */
void media_stats_free(struct device *d);
void media_stats_on_word(struct device *d, const struct hub_leg_word *word); /* d may be NULL */
void media_past_free(struct media_past *p);
