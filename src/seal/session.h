/* session.h - the keys of a datagram session: sealing, opening, numbers, replay, phases.
 *
 * Both sides know one secret of 32 bytes (handed out over control, or agreed on by two
 * peers). Each direction has its own keys and its own phases: after so many packets or so
 * long the sender goes on to keys made from the ones before, and turns the phase bit. The
 * receiver follows when a packet opens with them; the old ones open what is late for 3 s.
 *
 * The tag of what a client sends covers the tail too, that of a server's does not.
 * Pure: time is given. Not thread-safe. Memory: four cipher contexts of OpenSSL.
 */
#pragma once

#include "seal/aead.h"
#include "seal/replay.h"
#include "wire/packet.h"

enum {
    SESSION_SECRET = 32,
    SESSION_WINDOW = REPLAY_WINDOW, /* packets so far behind the highest are refused as replayed */
    SESSION_TAIL_PARTS = 8,
};
#define SESSION_PHASE_PACKETS (1ULL << 22)
#define SESSION_PHASE_US      (3600 * 1000000LL)
#define SESSION_LATE_US       (3 * 1000000LL)
#define SESSION_REST_US       (6 * 1000000LL) /* between two phases, whatever the number */
#define SESSION_FAILURES_MAX  (1ULL << 50)

struct session_sender {
    uint8_t secret[SESSION_SECRET];
    struct aead key;
    uint64_t next, phase_first;
    int64_t phase_us;
    bool phase;
};

struct session_receiver {
    uint8_t secret[SESSION_SECRET]; /* of `after` */
    struct aead before, now, after;
    struct replay seen;
    uint64_t phase_first; /* the lowest of this phase */
    int64_t phase_us;
    bool phase;
};

struct session {
    uint32_t id;
    bool client; /* this side */
    struct session_sender out;
    struct session_receiver in;
    uint64_t failures, replays; /* counted */
};

struct session_opened {
    uint64_t number;
    uint8_t *frames, *tail;
    size_t frames_len, tail_len;
    bool newest; /* its number is the highest yet */
};

/* 0 or -ROOST_NOMEM. The caller wipes the secret. */
int session_init(struct session *s, uint32_t id, bool client,
                 const uint8_t secret[static SESSION_SECRET], int64_t now_us);
void session_fini(struct session *s);

/* The number of the packet that is sealed next. One that is skipped is never sent: who
 * says that it came lies. */
static inline uint64_t session_next(const struct session *s)
{
    return s->out.next;
}
static inline void session_skip(struct session *s)
{
    s->out.next++;
}

/* Frames lie in packet at PACKET_HEAD, or at PACKET_HEAD_TAIL when there are tail parts; 16
 * more bytes behind them are written. Returns the length up to where the tail is to follow. */
int session_seal(struct session *s, int64_t now_us, uint8_t *packet, size_t frames_len,
                 const struct seal_part *tail, size_t n_tail);

/* In place. 0; -ROOST_MALFORMED: not from the other side; -ROOST_ALREADY: it came before, or
 * is too old to know; -ROOST_CLOSED: too much was forged, the session is over; -ROOST_NOMEM. */
int session_open(struct session *s, int64_t now_us, uint8_t *bytes, size_t len,
                 struct session_opened *ret);
