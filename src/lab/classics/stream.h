/* stream.h - a media file in datagrams of random size, that can be played while it comes.
 *
 *     client                                    server
 *       ASK (whether it wants repairs) ------->
 *              <-------------  HEAD size, name
 *              <-------------  PIECE 0, PIECE 1 ...   at a rate that is chosen, unasked
 *       MISSING from-to, ...   ------------->   (with repairs) these bytes go again
 *       HEARD                  ------------->   now and then: somebody still listens
 *              <-------------  END pieces, SHA-256
 *       BYE                    ------------->
 *
 * A datagram with a piece is 1000 to 2000 bytes, drawn anew each time (the last may be shorter),
 * and says where its bytes belong. Numbers count datagrams: gaps in them are what was lost.
 * Without repairs a hole that is older than STREAM_PATIENCE_US is given up, so that playing goes
 * on: media bears a hole better than a pause. Messages end in a CRC-32 (pack.h).
 *
 * Pure: bytes, dice and time come in; what is to be sent and a deadline come out. The caller has
 * the file. stream_*_fini frees the spans. Microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/spans.h"
#include "lab/dice.h"

enum {
    STREAM_DATAGRAM_LEAST = 1000,
    STREAM_DATAGRAM_MOST = 2000,
    STREAM_HEAD = 21, /* of a piece: kind, session, number, place, mark */
    STREAM_NAME_MAX = 255,
    STREAM_MISSING_MAX = 64, /* spans of one message */
    STREAM_RECENT =
        4096, /* so many datagrams back one that comes late is told from one that comes twice */
    STREAM_HASH = 32,
};
#define STREAM_SIZE_MAX    (1ULL << 40)
#define STREAM_PATIENCE_US 300000
#define STREAM_SILENCE_US  5000000
#define STREAM_TICK_US     100000

enum stream_kind {
    STREAM_ASK = 1,
    STREAM_HEAD_MESSAGE,
    STREAM_PIECE,
    STREAM_END,
    STREAM_MISSING,
    STREAM_HEARD,
    STREAM_BYE,
    STREAM_KINDS,
};

struct stream_message {
    enum stream_kind kind;
    uint32_t session;
    bool repairs;    /* ASK */
    uint64_t size;   /* HEAD */
    uint32_t number; /* PIECE; END: how many there were */
    uint64_t at;     /* PIECE */
    const uint8_t *bytes;
    size_t len;
    char name[STREAM_NAME_MAX + 1];
    uint8_t hash[STREAM_HASH]; /* END */
    struct span missing[STREAM_MISSING_MAX];
    size_t n_missing;
};

int stream_decode(struct stream_message *ret, const uint8_t *bytes, size_t len);
size_t stream_encode(const struct stream_message *m, uint8_t ret[static STREAM_DATAGRAM_MOST]);
void stream_describe(const uint8_t *bytes, size_t len, char ret[static 256]);

/* --- the server, of one client ---------------------------------------------------------------- */

struct stream_out {
    uint32_t session; /* 0: nobody has asked yet */
    bool repairs, owes_head, over;
    uint64_t size, at;  /* at: what comes next */
    uint64_t rate;      /* bytes a second */
    uint32_t number;    /* datagrams with pieces so far */
    uint32_t repaired;  /* of them, again */
    struct spans again; /* to be sent again */
    int64_t next_us;    /* the pace */
    int64_t heard_us, end_us;
    bool ended; /* END was said */
};

void stream_out_init(struct stream_out *t, uint64_t size, uint64_t rate);
void stream_out_fini(struct stream_out *t);
void stream_out_hear(struct stream_out *t, const uint8_t *bytes, size_t len, int64_t now_us);
/* 1: what goes next. The caller sets name (HEAD), hash (END), and bytes: len of them, from `at`. */
int stream_out_next(struct stream_out *t, int64_t now_us, struct dice *dice,
                    struct stream_message *ret);
int64_t stream_out_deadline_us(const struct stream_out *t);

/* --- the client --------------------------------------------------------------------------------
 */

enum stream_state { STREAM_ASKS, STREAM_PLAYS, STREAM_OVER, STREAM_LOST };

struct stream_in {
    enum stream_state state;
    uint32_t session;
    bool repairs, ended; /* ended: END came */
    uint64_t size, top;  /* top: behind the highest byte that came */
    char name[STREAM_NAME_MAX + 1];
    uint8_t hash[STREAM_HASH];
    struct spans have;                   /* came, or given up */
    uint64_t got, given_up;              /* bytes */
    uint64_t pieces, twice;              /* datagrams */
    uint32_t numbers;                    /* that the server has used, as far as is known */
    uint64_t recent[STREAM_RECENT / 64]; /* a bit each */
    uint64_t marks[4];                   /* `top` a tick ago, two, ... */
    int64_t tick_us, heard_us, asked_us, missing_us;
    int64_t rtt_us;       /* of the first question */
    uint64_t asked_again; /* spans */
};

void stream_in_init(struct stream_in *t, uint32_t session, bool repairs, int64_t now_us);
void stream_in_fini(struct stream_in *t);
/* True: *ret is a piece, to be stored at ret->at. -: or it was something else. */
bool stream_in_hear(struct stream_in *t, const uint8_t *bytes, size_t len, int64_t now_us,
                    struct stream_message *ret);
int stream_in_next(struct stream_in *t, int64_t now_us, struct stream_message *ret);
int64_t stream_in_deadline_us(const struct stream_in *t);
/* From the beginning to here all has come, or was given up: it can be played. */
uint64_t stream_in_ready(const struct stream_in *t);
uint64_t stream_in_lost(const struct stream_in *t); /* datagrams */
void stream_in_bye(const struct stream_in *t, struct stream_message *ret);
