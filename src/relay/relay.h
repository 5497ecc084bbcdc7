/* relay.h - who gets which packet: the media of all meetings of one worker.
 *
 * The hub's tables say who is there (legs), who sends what (streams), who may (mute), and who wants
 * which pictures; workers share nothing of it. A part comes in a buffer, becomes an item, and goes
 * into the queue of each leg that is to have it; when a leg's time has come its items leave as one
 * datagram: heads to be sealed for that leg, and payloads where they lie, which nobody copies or
 * seals again.
 *
 *     uint8_t *to = relay_buffer(r, &buffer);          receive and open a datagram there
 *     relay_on_media(r, now, leg, &media, buffer, offset_of_payload);      for each MEDIA in it
 *     while (relay_next(r, now, &out)) seal and send out to out.leg
 *     sleep until relay_deadline_us(r)
 *
 * Voices: those of the last speakers are forwarded, first words too (media/speakers.h). A mute is
 * enforced here: the frames of who is muted go nowhere. Frames that are due in the same moment
 * share a datagram: the more there is to do, the longer they wait for each other,
 * RELAY_HOLD_MOST_US at most. Voices leave when their time has come, pictures as the leg's rate
 * allows (media/turn.h).
 *
 * What was sent is remembered for NACKs. Buffers and items are two rings: the oldest is
 * overwritten, and who still refers to it finds that it is gone; a queue that is full drops its
 * oldest. So memory is what relay_new takes, whatever comes, and media takes none. Pure;
 * microseconds. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/media.h"

enum {
    RELAY_PARTS_MAX = 24,  /* of a datagram */
    RELAY_VOICES_MAX = 32, /* that wait for a leg */
    RELAY_PICTURES_MAX = 128,
    RELAY_SENT_MAX = 128,     /* that are remembered of a leg */
    RELAY_WANTS_MAX = 32,     /* pictures that a leg is sent */
    RELAY_STREAMS_MAX = 1024, /* of a meeting */
};
#define RELAY_HOLD_MOST_US  5000
#define RELAY_HOLD_LEAST_US 1000   /* shorter ones bring nobody together */
#define RELAY_HOLD_FULL     50000  /* frames forwarded a second from which it is that long */
#define RELAY_KEY_US        500000 /* a key frame is asked for so often at most */

struct relay_settings {
    uint32_t legs, meetings, streams; /* at most */
    uint32_t items, buffers;          /* powers of two */
    uint32_t buffer_bytes;
    uint32_t speakers; /* that are heard, in each meeting */
    uint32_t mtu;      /* bytes of UDP */
};

/* A datagram to be made. */
struct relay_out {
    uint32_t leg, n;
    struct media_part parts[RELAY_PARTS_MAX]; /* with their counts for this leg */
};

/* Pictures go to who wants them, a voice to all while its sender is among the speakers, sound (of
 * what is presented) to all. */
enum relay_sort { RELAY_PICTURE, RELAY_VOICE, RELAY_SOUND };

/* Sums since the beginning. */
struct relay_counts {
    uint64_t came, forwarded, datagrams;
    uint64_t muted, unheard,
        foreign;             /* not forwarded: by a mute, not among the speakers, not theirs */
    uint64_t dropped, gone;  /* a full queue; overwritten before it left */
    uint64_t again, repeats; /* sent again when asked, and along with others */
};

struct relay;

int relay_new(struct relay **ret, const struct relay_settings *s);
void relay_free(struct relay *r);
const struct relay_counts *relay_counts(const struct relay *r);

/* --- the tables, as the hub has them. -ROOST_LIMIT, -ROOST_NOMEM, -ROOST_INVALID. --- */

/* A leg is a device's session in a meeting. Returns its number. */
int64_t relay_enter(struct relay *r, uint64_t meeting, int64_t now_us);
void relay_leave(struct relay *r, uint32_t leg); /* with its streams */
int relay_publish(struct relay *r, uint32_t leg, uint64_t stream, enum relay_sort sort);
void relay_unpublish(struct relay *r, uint32_t leg, uint64_t stream);
int relay_mute(struct relay *r, uint64_t meeting, uint64_t stream, bool muted);
/* The leg shows a picture of this encoding, up to this temporal layer; it changes to another
 * encoding at its next key frame. temporal < 0: no more. */
int relay_want(struct relay *r, uint32_t leg, uint64_t stream, uint8_t encoding, int temporal);

/* --- media --- */

/* Where the next datagram may be received; borrowed until `buffers` more were taken. */
uint8_t *relay_buffer(struct relay *r, uint32_t *ret_buffer);
/* A part came from a leg, at came_us; its payload is m->len bytes from there on. 0: it is forwarded
 * to whom it may concern; -ROOST_NOT_ALLOWED: it is muted, or not the leg's; -ROOST_INVALID. */
int relay_on_media(struct relay *r, int64_t now_us, int64_t came_us, uint32_t leg,
                   const struct media *m, uint32_t buffer, uint32_t offset);
void relay_on_nack(struct relay *r, int64_t now_us, uint32_t leg, const struct nack *n,
                   int64_t rtt_us);
/* Of a leg's path: what it carries, and what it loses. */
void relay_on_path(struct relay *r, int64_t now_us, uint32_t leg, uint64_t rate, float loss);

bool relay_next(struct relay *r, int64_t now_us, struct relay_out *ret);
int64_t relay_soon(const struct relay *r);        /* the leg whose time comes next; -1: none */
int64_t relay_deadline_us(const struct relay *r); /* INT64_MAX: none */
/* So long frames wait for others now: 0 when there is little to do. */
int64_t relay_hold_us(struct relay *r, int64_t now_us);

/* Somebody needs a key frame: who is to be asked for it. False: nobody, or it was asked for just
 * now. */
bool relay_ask_key(struct relay *r, int64_t now_us, uint32_t leg, const struct media_ask *a,
                   uint32_t *ret_leg);
/* Who of the meeting is shown as the speaker: a leg's number; -1: nobody. */
int64_t relay_speaker(const struct relay *r, uint64_t meeting);
