/* inside.h - what relay*.c share: tables, rings and queues. */
#pragma once

#include "base/map.h"
#include "media/history.h"
#include "media/speakers.h"
#include "media/turn.h"
#include "relay/relay.h"

enum { NOBODY = UINT32_MAX };

/* A part as it came: shared by all who get it. */
struct item {
    struct media head;
    uint32_t buffer, offset; /* the buffer's number counts on: its place is that modulo the ring */
    uint32_t slot;           /* of its stream in the meeting */
};

/* One that waits for a leg, or was sent to it. */
struct held {
    uint32_t item; /* counts on, too */
    uint16_t count;
    bool counted; /* sent before: it keeps its count */
};

/* The oldest first; a full one drops it. */
struct queue {
    struct held *held;
    uint32_t cap, first, n;
};

struct want {
    uint32_t stream; /* its place; NOBODY: free */
    uint8_t encoding, next;
    int temporal;
};

struct leg {
    bool used;
    uint32_t meeting, after; /* places; the next leg of the meeting */
    struct queue voices, pictures;
    struct {
        struct held held;
        int64_t at_us;
    } sent[RELAY_SENT_MAX]; /* a ring */
    uint32_t n_sent;
    uint16_t counts[RELAY_STREAMS_MAX]; /* by slot: the next */
    struct want wants[RELAY_WANTS_MAX];
    struct turn turn;
    uint8_t repeat;
    int64_t voices_due_us, due_us;
    uint32_t heap; /* place in the heap; NOBODY: not there */
};

struct stream {
    bool used, muted;
    enum relay_sort sort;
    uint64_t number;
    uint32_t leg, meeting, slot;
    int64_t key_asked_us[MEDIA_ENCODINGS];
};

struct meeting {
    bool used;
    uint64_t number;
    uint32_t first, n_legs;
    struct speakers speakers;
    uint64_t slots[RELAY_STREAMS_MAX / 64]; /* taken */
    struct map streams;                     /* number to struct stream */
};

struct relay {
    struct relay_settings is;
    struct leg *legs;
    struct stream *streams;
    struct meeting *meetings;
    struct held *queues;
    struct map by_number; /* meetings */
    struct item *items;
    uint8_t *buffers;
    uint32_t next_item, next_buffer, n_legs;
    uint32_t *heap, n_heap;
    /* how busy it is: frames forwarded in this tenth of a second, and in the last */
    int64_t tenth_us;
    uint32_t now_forwarded, last_forwarded;
    struct relay_counts counts;
};

struct stream *relay_stream(const struct meeting *m, uint64_t number);
void relay_put_voice(struct relay *r, uint32_t leg, uint32_t item, int64_t due_us);
void relay_put_picture(struct relay *r, int64_t now_us, uint32_t leg, uint32_t item);
/* It is due at due_us at the latest. */
void relay_due(struct relay *r, uint32_t leg, int64_t due_us);
void relay_undue(struct relay *r, uint32_t leg);
/* NULL: it was overwritten. */
struct item *relay_item(const struct relay *r, uint32_t item);
