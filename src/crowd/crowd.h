/* crowd.h - many people of one meeting in one program, for load and for rehearsing alone.
 *
 * Each is a real participant: a guest with a TLS connection of its own, a session of datagrams with
 * a socket of its own, keys, SFrame (client/voice.h). What it says is prepared, so that no codec
 * hides the cost; it carries when it was said, so whoever hears it knows how long that took. People
 * are out of phase with each other, as people are; one of a hundred frames is opened, or all.
 *
 * How long a frame took is from just before its sender's call to the moment at which the kernel
 * took it from the server: on loopback that is in the server's own call. So sockets are looked at
 * by the clock, and the server wakes nobody up, as it does not where the others are elsewhere.
 *
 *     main.c     what is wanted, and what came of it
 *     group.c    a thread: its people, their sockets, who is due
 *     person.c   one of them: over TLS, and over datagrams
 *     control.c  what it asks the server, and what it hears
 *     sound.c    what is said in a rehearsal, where somebody listens
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "client/tls.h"
#include "client/voice.h"
#include "flow/flow_media.h"
#include "net/carry.h"
#include "net/sleep.h"
#include "wire/frame.h"
#include "wire/msg.h"

enum {
    CROWD_PEOPLE_MAX = 1000,
    CROWD_GROUPS_MAX = 8,
    CROWD_DELAYS = 1 << 16, /* of 16 us each: a second and more */
    CROWD_DELAY_US = 16,
    CROWD_OPENS = 100, /* of so many frames one is opened, but with --verify */
    CROWD_BYTES_MAX = 1000,
    CROWD_STAMP = 8, /* bytes at the end of each frame: when it was said */
    CROWD_PICTURE_BYTES = 1000,
};

struct crowd_settings {
    char host[256], port[16];
    char code[64], secret[64]; /* empty code: --new */
    uint32_t people, speakers, frame_ms, bytes, seconds, threads, join_ms, video_kbit, bad;
    bool unsealed, verify, json, in_turn;
};

/* A frame that is prepared. */
struct crowd_frame {
    uint8_t bytes[CROWD_BYTES_MAX];
    uint32_t len;
    uint8_t level;
};

/* Of voices, and of pictures. */
struct counts {
    uint64_t sent, received, again, strange;
    uint32_t delays[CROWD_DELAYS];
};

enum step {
    STEP_WAITS,
    STEP_TLS,
    STEP_HELLO,
    STEP_GUEST,
    STEP_NEW,
    STEP_JOIN,
    STEP_ENTER,
    STEP_PUBLISH,
    STEP_CAMERA,
    STEP_IN,
    STEP_GONE
};

struct person {
    struct crowd *crowd;
    struct group *group;
    uint32_t index;
    enum step step;
    struct tls tls;
    struct frame_reader frames;
    uint64_t asked, awaited; /* ids of requests: the last, and the one that the step waits for */
    int64_t ping_us, due_us;
    uint32_t number;
    uint8_t seed[32], random[32];
    /* media */
    struct voice *voice;
    struct flow *flow;
    struct udp *udp;
    struct carry carry;
    bool has_flow, has_way, speaks;
    bool heard; /* its connection has something, or may be written to */
    int64_t ask_us, say_us, show_us, keys_us; /* keys: when it is looked after them next */
    int64_t came_us; /* when the kernel took the datagram that is being read */
    uint64_t said, shown;
    struct crowd_frame *sound; /* NULL: frames of nothing */
    uint32_t n_sound;
    bool shows;
    bool bad;    /* it hears little of what is sent to it, and does not count */
    double room; /* of a bad one: bytes that its link carries now */
    int64_t room_us;
    uint64_t dice;
};

/* A thread. */
struct group {
    struct crowd *crowd;
    pthread_t thread;
    uint32_t index;
    struct sleep sleep;
    struct person **people;
    uint32_t n;
    int64_t now_us, day_us; /* day: the time of the day is so much more */
    struct counts counts, pictures;
    _Atomic uint32_t in, ready;
};

struct crowd {
    struct crowd_settings is;
    struct person *people;
    struct group groups[CROWD_GROUPS_MAX];
    _Atomic uint64_t meeting;          /* 0: not made yet */
    _Atomic int64_t from_us, until_us; /* what is said then counts; until is 0 before it is known */
    _Atomic bool over, failed;
    pthread_mutex_t lock; /* of code and secret, and of words on stderr */
};

/* --- group.c --- */
void *group_main(void *group);

/* --- person.c --- */
int person_begin(struct person *p);
void person_end(struct person *p);
/* Its sockets may have something, or its time has come. */
void person_turn(struct person *p);
void person_fail(struct person *p, const char *what, const char *why);
int person_open_flow(struct person *p, const Roost__DatagramSession *s);
void person_heard(void *ctx, int64_t now_us, uint32_t who, const struct media *m,
                  const uint8_t *bytes, size_t len);

/* --- sound.c --- */
/* Frames of a voice of one's own, each with room for the stamp; caller frees. */
int crowd_sound(struct crowd_frame **ret, uint32_t *ret_n, uint32_t who, uint32_t frame_ms);

/* --- control.c --- */
void control_next(struct person *p); /* asks what the step is about */
void control_on_frame(struct person *p, const uint8_t *body, size_t len);
bool control_keys(struct person *p); /* messages of keys that wait; false: none did */
void control_ping(struct person *p);
