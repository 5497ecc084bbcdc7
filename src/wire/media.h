/* media.h - frames of voice and video in a datagram: their heads, and what is asked about them.
 *
 *     MEDIA     flags 1, stream, layers 1, codec 1, key id, frame, timestamp 4, part, (a
 *               dependency)..., count 2, (level 1), (mark 8), length
 *     NACK      stream, further gaps, (first missing count 2, which of the next 16 too 2)...
 *     KEYFRAME  stream, encoding 1
 *     FEEDBACK  stream, received, lost, repaired, concealed ms, jitter us, held us, 0 or why
 *
 * A frame that is larger than a packet is cut into parts. What MEDIA says of its frame is its
 * sender's, and is authenticated end to end (media_also); part, count and level are for the way.
 * The count is of the hop: the parts that were sent on it of this stream, without holes, so what is
 * missing was lost. The payloads lie behind each other in the datagram's tail, in the order of the
 * frames; in a tunnel, behind all frames of the message.
 *
 *   flags  0x01 key frame        it needs no other
 *          0x02 last part
 *          0x04 silence begins   the next frame may be long in coming
 *          0x08 a level follows  of the voice, for the relay
 *          0x10 a mark follows   of this part, by its sender: a frame of several parts has it
 *          0xc0 how many dependencies
 *
 * Timestamps are of one clock for all streams of a sender, 48,000 a second, and wrap. Pure.
 */
#pragma once

#include "wire/cursor.h"

enum {
    MEDIA_KEY = 0x01,
    MEDIA_LAST = 0x02,
    MEDIA_SILENCE = 0x04,
    MEDIA_DEPENDS_MAX = 3,
    MEDIA_MARK = 8,
    MEDIA_PART_MAX = 1100,  /* bytes of a payload */
    MEDIA_PARTS_MAX = 1024, /* of a frame */
    MEDIA_HEAD_MAX = 80,    /* bytes of a MEDIA frame: never more */
    MEDIA_ALSO_MAX = 56,
    MEDIA_ENCODINGS = 4, /* of a stream: sizes of one picture */
    MEDIA_TEMPORALS = 8,
    MEDIA_HZ = 48000,
    NACK_GAPS_MAX = 16,
};

enum media_codec { MEDIA_OPUS = 1, MEDIA_PCM, MEDIA_VP8, MEDIA_VP9, MEDIA_CODECS };

struct media {
    /* of the frame, by its sender */
    uint64_t stream, frame;
    uint32_t key_id, timestamp;
    uint8_t encoding, temporal, codec;
    bool key, silence;
    uint8_t n_depends;
    uint16_t depends[MEDIA_DEPENDS_MAX]; /* so many frames before this one; not 0 */
    /* of this part */
    uint16_t part;
    bool last;
    uint8_t mark[MEDIA_MARK];
    bool has_mark;
    /* of this hop */
    uint16_t count;
    bool has_level;
    uint8_t level; /* 0: digital silence, 127: full scale; in steps of a decibel */
    uint32_t len;  /* of the payload, with its tag in the last part */
};

/* One to be sent: what is said of it, and head.len bytes that lie elsewhere. */
struct media_part {
    struct media head;
    const uint8_t *payload;
};

struct nack {
    uint64_t stream;
    uint32_t n;
    struct {
        uint16_t first, more; /* bit i of more: first + 1 + i is missing too */
    } gaps[NACK_GAPS_MAX];
};

struct media_ask { /* KEYFRAME */
    uint64_t stream;
    uint8_t encoding;
};

/* What a receiver has seen of a stream since it began: for who sends, and for figures. */
struct feedback {
    uint64_t stream, received, lost, repaired, concealed_ms, jitter_us, held_us;
    uint8_t why; /* what changed last: media/figures.h */
};

/* Each behind its kind. False: it is none, or is cut off. */
bool media_read(struct reader *r, struct media *ret);
bool nack_read(struct reader *r, struct nack *ret);
bool media_ask_read(struct reader *r, struct media_ask *ret);
bool feedback_read(struct reader *r, struct feedback *ret);

/* Without the kind; the writer is full when there is no room. */
void media_write(struct writer *w, const struct media *m);
void nack_write(struct writer *w, const struct nack *n);
void media_ask_write(struct writer *w, const struct media_ask *a);
void feedback_write(struct writer *w, const struct feedback *f);

/* Bytes of a MEDIA frame, with its kind and without its payload. */
size_t media_bytes(const struct media *m);

/* What is authenticated end to end beside the payload: everything of the frame, with who sends it
 * in which meeting, and the epoch of its key. Returns the length. */
size_t media_also(const struct media *m, uint64_t meeting, uint32_t epoch, uint32_t sender,
                  uint8_t ret[static MEDIA_ALSO_MAX]);
