/* play.h - one life: people with clients in front of a real hub, and the model beside it.
 *
 * Everything random comes from the seed. Each step asks the hub, as a client does, in
 * frames, and asks the model; then both must say the same, and an admin who takes part
 * in nothing looks at the hub's meeting, which must be the model's.
 */
#pragma once

#include "sim/hall.h"
#include "sim/roles/model.h"
#include "wire/msg.h"

enum {
    ACCOUNTS = 9, /* 0 only looks; 1 admin, 2 moderator */
    ACTORS = 15,  /* the others are guests */
    CONNS_MAX = 8192,
    DEVICES = 12,
    SOURCES = 6,
    ERRORS_MAX = 128,
    TRIPS_MAX = 2000,
    ACTIONS_MAX = 128,
};

/* What is counted, besides acts and refusals. */
#define PLAY_DEEDS(X)                                                                              \
    X(MEETING, "meetings begun")                                                                   \
    X(BOUND_MEETING, "permanent meetings begun")                                                   \
    X(GUEST_HOST, "guests who host")                                                               \
    X(GUEST, "guests who come")                                                                    \
    X(NUMBERED, "second names numbered")                                                           \
    X(BY_LINK, "came by link")                                                                     \
    X(BY_CODE, "came by bare code")                                                                \
    X(BY_NUMBER, "came by the meeting's number")                                                   \
    X(WRONG_CODE, "wrong codes")                                                                   \
    X(WRONG_SECRET, "wrong links")                                                                 \
    X(WAITED, "waited")                                                                            \
    X(LOST, "lost connections")                                                                    \
    X(BACK, "came back")                                                                           \
    X(SUCCESSION, "successions")                                                                   \
    X(NO_HOST, "meetings without a host")                                                          \
    X(EXPIRED, "expired")                                                                          \
    X(RESTART, "restarts of the server")                                                           \
    X(CHAT, "said")                                                                                \
    X(NOTE, "private notes")                                                                       \
    X(REACTION, "reactions")                                                                       \
    X(READING, "chats read")                                                                       \
    X(LOOK, "looked who is in")                                                                    \
    X(ATTENDANCE, "lists of attendance")                                                           \
    X(ROOM_DEED, "deeds in rooms")                                                                 \
    X(SERVER_DEED, "deeds on the server")                                                          \
    X(FILE_OFFERED, "files offered")                                                               \
    X(FILE_HAD, "files had already")                                                               \
    X(FILE_WHOLE, "files kept")                                                                    \
    X(FILE_GIVEN_UP, "files given up at their end")                                                \
    X(FILE_GOT, "files fetched")                                                                   \
    X(FILE_BY_GUEST, "files of guests")                                                            \
    X(FILE_TO_GUEST, "files for guests")                                                           \
    X(FILE_CUT, "transfers cut")                                                                   \
    X(FILE_ANSWERED, "offers answered")                                                            \
    X(FILE_CANCELLED, "files cancelled")                                                           \
    X(FILE_DELETED, "files deleted")                                                               \
    X(FILE_LISTED, "lists of files")

enum deed {
#define X(name, words) DEED_##name,
    PLAY_DEEDS(X)
#undef X
        DEEDS_N
};

struct tally {
    uint64_t deeds[DEEDS_N], acts[ACTIONS_MAX], refused_acts[ACTIONS_MAX], refusals[ERRORS_MAX];
};

struct actor {
    bool guest, on, over; /* over: its session is */
    uint64_t id, conn;
    char name[40], code[12];
    int device, source;
    uint8_t token[32];
    int told_state;    /* by the last MeetNow; -1: by none since it was set so */
    uint64_t told_of;  /* of that meeting */
    uint64_t attached; /* the meeting that its connection is in, or waits for */
};

/* A transfer with the server, as whoever carries it knows it. */
struct trip {
    struct hub_depot grant;
    bool cut; /* it was ended: to be looked at */
};

struct said {
    uint64_t meeting, seq;
    char name[M_NAME_MAX]; /* by whom, as the meeting showed it then */
};

struct play {
    uint64_t seed;
    struct hall hall;
    struct dice dice;
    int64_t now_us;
    struct model model;
    struct actor actors[ACTORS];
    struct actor *by_conn[CONNS_MAX];
    uint64_t n_conns, n_requests, n_names;
    uint8_t id[16]; /* of the request that is under way */
    struct arena mem;
    Roost__Reply *reply;
    struct tally tally;
    struct {
        int64_t until_ms;
        uint32_t n;
    } guesses[SOURCES + ACCOUNTS];
    struct trip trips[TRIPS_MAX];
    size_t n_trips;
    struct said said[4096];
    size_t n_said;
    size_t step;
    char what[400]; /* the step, in words */
    bool verbose;
    int broken;
};

void play_init(struct play *p, uint64_t seed, bool verbose);
void play_fini(struct play *p);
void play_break(struct play *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void play_tell(struct play *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 0, the code of the error, or -1: no answer. p->reply until the next. */
int play_ask(struct play *p, struct actor *a, Roost__ToServer *m);
void play_time(struct play *p, int64_t ms);
void play_connect(struct play *p, struct actor *a);
void play_drop(struct play *p, struct actor *a);
void play_resume(struct play *p, struct actor *a);
void play_restart(struct play *p);
const char *play_source(int source);

/* --- check.c: are they equal? --- */

/* The hub's answer and the model's. True: both said yes. */
bool check_answer(struct play *p, int code, no why);
void check_meeting(struct play *p, struct m_meet *t);
void check_all(struct play *p);

/* --- steps*.c: one random thing --- */
#define PICK(p, list) ((list)[dice_below(&(p)->dice, sizeof(list) / sizeof *(list))])
const char *any_name(struct play *p);
bool one_in(struct play *p, uint64_t n);
struct m_meet *any_meet(struct play *p);
struct actor *actor_in(struct play *p, const struct m_meet *t);
uint64_t any_target(struct play *p, struct m_meet *t, const struct actor *by);
void step_talk(struct play *p);
void step_meeting(struct play *p);
void step_act(struct play *p);
void step_follow_link(struct play *p, struct actor *a, struct m_meet *t); /* comes */
/* Somebody who waits is often let in at once, and a place taken back. */
void step_admit(struct play *p);
void step_room(struct play *p);
void step_server(struct play *p);
void step_file(struct play *p);
/* What the hub says to whoever carries files. */
void files_on_order(struct play *p, const struct hub_depot *order);
/* After each step: what may go on goes on, and nothing else. */
void files_check(struct play *p);
struct actor *any_actor(struct play *p, bool connected);

#define ASK(p, a, CASE, member, body)                                                              \
    play_ask(p, a,                                                                                 \
             &(Roost__ToServer){ .base = PROTOBUF_C_MESSAGE_INIT(&roost__to_server__descriptor),   \
                                 .body_case = ROOST__TO_SERVER__BODY_##CASE,                       \
                                 .member = body })
