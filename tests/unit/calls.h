/* calls.h - people in a meeting, with all that a client has: voice.h over real sessions, links and
 * a relay, in virtual time. Codecs and devices are left out: a frame is its own number. One thread.
 */
#pragma once

#include "client/voice.h"
#include "flow/flow_media.h"
#include "lab/link.h"
#include "media/gaps.h"
#include "media/jitter.h"
#include "relay/relay.h"

#define MS     1000LL
#define SECOND 1000000LL
enum { PEOPLE = 3, BYTES = 80, MEETING = 9, LETTERS_MAX = 256, BUFFER = 2048 };

struct ear {
    struct jitter jitter;
    uint8_t store[JITTER_FRAMES * BYTES];
    int64_t next_play_us, quiet_us, longest_us; /* nothing real was heard since; the longest */
    uint64_t wrong;
};

struct person {
    uint32_t number, leg;
    uint64_t stream;
    bool here, speaks, tunnelled;
    struct voice *voice;
    struct flow *flow[2]; /* its end, and the server's */
    struct link udp[2], tcp[2];
    struct gaps gaps; /* the server's, of what comes */
    struct ear ears[PEOPLE];
    struct keyring_event last;
    uint64_t said, events[8];
    struct call *call;
    uint32_t buffer;
    uint8_t *at; /* of the datagram that the server reads */
};

struct letter {
    int64_t due_us;
    uint32_t from, to;
    size_t len;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
};

struct call {
    int64_t now_us;
    struct relay *relay;
    struct person people[PEOPLE];
    struct letter letters[LETTERS_MAX];
    uint32_t n_letters, epoch, sessions, numbers;
    struct link_config way;
    const uint8_t *hub; /* the hub's key, where it is not sealed end to end */
};

/* All are there; the first two speak. hub: the key of a call that is not sealed end to end, or
 * NULL. */
struct call *call_on(const struct link_config *way, const uint8_t *hub);
void call_free(struct call *c);
/* So long; a share of it where allocations fail. */
void call_run(struct call *c, int64_t for_us);
/* The next frame of one of them. */
void call_say(struct call *c, struct person *p);
/* One of them is there, or goes; then all are told who is. */
void call_come(struct call *c, int at);
void call_go(struct call *c, int at);
void call_tell(struct call *c);
/* Two new ends of a session with the server. */
void call_connect(struct call *c, struct person *p);
/* The server's; one that began anew has another. */
struct relay *call_relay(void);
/* Of what all heard. */
int64_t call_concealed_ppm(const struct call *c);
