/* dgram.h - the frames that a datagram carries, sealed: bytes to structs and back.
 *
 * Each begins with a byte that says its kind; numbers are vars (wire/cursor.h) unless a
 * width is given. Frames that are not known end the session: there is one version, agreed
 * over control. What a struct points to lies in the datagram.
 *
 *   PAD        zeros to the end of the sealed part
 *   PING       is acknowledged, no more
 *   ACK        largest, us since it came, ranges - 1, length - 1, (gap - 1, length - 1)...,
 *              times, (arrival of the largest, then by how much each before it came earlier)
 *   ACK_ECN    the same, then how many came with ECT(0), ECT(1), CE
 *   STREAM     stream, offset, length, bytes    (STREAM_END: these are the last)
 *   MAX_DATA   so many bytes may be sent in all   (sum of the highest offsets)
 *   MAX_STREAM stream, so many bytes of it
 *   MAX_STREAMS  so many streams may be opened by the other side
 *   RESET      stream, code, its length: the sender gives it up
 *   STOP       stream, code: the receiver wants no more of it
 *   PATH       8 bytes, to be sent back as PATH_BACK to where they came from
 *   OBSERVED   4 or 16, address, port 2: where you are, as I see it
 *   MAX_RATE   bits a second that streams may use; 0: all there is
 *   CLOSE      code, length, text
 *   MEDIA, NACK, KEYFRAME, FEEDBACK  see wire/media.h
 */
#pragma once

#include "wire/cursor.h"
#include "wire/media.h"

enum dgram_kind {
    DGRAM_PAD = 0,
    DGRAM_PING,
    DGRAM_ACK,
    DGRAM_ACK_ECN,
    DGRAM_STREAM,
    DGRAM_STREAM_END,
    DGRAM_MAX_DATA,
    DGRAM_MAX_STREAM,
    DGRAM_MAX_STREAMS,
    DGRAM_RESET,
    DGRAM_STOP,
    DGRAM_PATH,
    DGRAM_PATH_BACK,
    DGRAM_OBSERVED,
    DGRAM_MAX_RATE,
    DGRAM_CLOSE,
    DGRAM_MEDIA,
    DGRAM_NACK,
    DGRAM_KEYFRAME,
    DGRAM_FEEDBACK,
    DGRAM_KINDS,
};

enum {
    ACK_RANGES_MAX = 64,
    ACK_TIMES_MAX = 64,
    PATH_BYTES = 8,
    CLOSE_TEXT_MAX = 200,
    /* Bytes before those of a STREAM frame: never more. */
    DGRAM_STREAM_HEAD = 1 + 8 + 8 + 2,
};

struct ack_range {
    uint64_t first, last;
};

/* Ranges from the highest down, with a hole between any two. */
struct ack {
    uint64_t delay_us;
    bool ecn;
    uint64_t ect0, ect1, ce;
    uint32_t n_ranges, n_times;
    struct ack_range ranges[ACK_RANGES_MAX];
    /* When the n_times highest came, on the receiver's clock: the highest is first. */
    int64_t times_us[ACK_TIMES_MAX];
};

struct dgram_stream {
    uint64_t id, offset;
    const uint8_t *bytes;
    size_t len;
    bool end;
};

struct dgram_reset {
    uint64_t id, code, length; /* length: not of STOP */
};

struct dgram_address {
    uint8_t address[16];
    uint8_t len; /* 4 or 16 */
    uint16_t port;
};

struct dgram_close {
    uint64_t code;
    const char *text; /* not ended by a zero byte */
    size_t len;
};

struct dgram {
    enum dgram_kind kind;
    union {
        struct dgram_stream stream;
        struct dgram_reset reset;      /* and STOP */
        struct dgram_address observed; /* OBSERVED */
        struct dgram_close close;
        struct media media;
        struct nack nack;
        struct media_ask keyframe;
        struct feedback feedback;
        const uint8_t *path; /* PATH, PATH_BACK */
        struct {
            uint64_t id, value; /* MAX_...; id of MAX_STREAM only */
        } max;
    };
};

/* Only PAD and ACK do not ask to be acknowledged. */
static inline bool dgram_is_eliciting(enum dgram_kind kind)
{
    return kind != DGRAM_PAD && kind != DGRAM_ACK && kind != DGRAM_ACK_ECN && kind != DGRAM_CLOSE;
}

/* 1 and the next frame; of an ACK all is in *ack. 0: that was all. -ROOST_MALFORMED. */
int dgram_read(struct reader *r, struct dgram *ret, struct ack *ack);

/* Each writes all of it, or nothing and false: there is no room. */
bool dgram_write(struct writer *w, const struct dgram *f);
/* Ranges and times are left out, from the lowest on, until it fits. */
bool dgram_write_ack(struct writer *w, const struct ack *a);
