/* world.h - a hall, some people with their clients, and what goes wrong between.
 *
 * One seed is one life: everything random is drawn from it. The world moves in
 * virtual time from one deadline to the next. It checks while it runs (each
 * event comes once, in order, the same to everybody) and at the end (judge.c).
 * A broken rule prints itself and is counted in `broken`.
 */
#pragma once

#include "client/core.h"
#include "sim/hall.h"
#include "sim/wire.h"

enum {
    PEOPLE_MAX = 5,
    VISITORS_MAX = 3,
    ACTORS_MAX = 11, /* clients; some people have two; guests */
    MEETS_MAX = 10,
    NUMBERS_MAX = 512, /* with all the numbers that guests have had */
    WIRES_MAX = 128,   /* connections that at least one end believes in */
    ROOMS_MAX = 96,
    WORDS_MAX = 4096, /* texts said in one life */
    ASKED_MAX = 1100, /* requests of one client under way */
    SEQ_MAX = 8192,
};

/* What may happen; the summary counts each, and none may be missing. */
#define SIM_HAPPENINGS(X)                                                                          \
    X(LOGIN, "logins")                                                                             \
    X(RESUME, "resumes")                                                                           \
    X(MESSAGE, "messages")                                                                         \
    X(PRIVATE, "private")                                                                          \
    X(ARRIVAL, "arrivals")                                                                         \
    X(EDIT, "edits")                                                                               \
    X(DELETION, "deletions")                                                                       \
    X(REACTION, "reactions")                                                                       \
    X(ROOM, "rooms")                                                                               \
    X(JOIN, "joins")                                                                               \
    X(LEAVE, "leaves")                                                                             \
    X(INVITATION, "invitations")                                                                   \
    X(REMOVAL, "removals")                                                                         \
    X(BAN, "bans")                                                                                 \
    X(ROLE, "role changes")                                                                        \
    X(SETTING, "settings")                                                                         \
    X(READING, "readings")                                                                         \
    X(SEARCH, "searches")                                                                          \
    X(REFUSAL, "refusals")                                                                         \
    X(NOT_STORED, "refused as not stored")                                                         \
    X(PARTITION, "partitions")                                                                     \
    X(RESET, "resets")                                                                             \
    X(CRASH, "server crashes")                                                                     \
    X(TORN, "torn batches")                                                                        \
    X(UNSPOKEN, "crashes before the reply")                                                        \
    X(FAILED_BATCH, "failed batches")                                                              \
    X(CLIENT_CRASH, "client crashes")                                                              \
    X(RESENT, "requests sent again")                                                               \
    X(DUP, "requests known already")                                                               \
    X(SLOW, "slow readers closed")                                                                 \
    X(CLOCK, "clock steps")                                                                        \
    X(PROBE, "forbidden things tried")                                                             \
    X(MEETING, "meetings")                                                                         \
    X(GUEST, "guests by code")                                                                     \
    X(GUEST_LINK, "guests by link")                                                                \
    X(WRONG_CODE, "wrong codes")                                                                   \
    X(TICKET_IN, "places in meetings")                                                             \
    X(PLACE_BACK, "places taken again")                                                            \
    X(KNOCK, "waiting in lobbies")                                                                 \
    X(ADMISSION, "admissions")                                                                     \
    X(ADMISSION_CRASH, "crashes in admissions")                                                    \
    X(DENIAL, "denials")                                                                           \
    X(MEET_REMOVAL, "removals in meetings")                                                        \
    X(MEET_BAN, "bans in meetings")                                                                \
    X(BANNED, "refused as banned")                                                                 \
    X(HANDOVER, "changes of host")                                                                 \
    X(CONTROL, "controls in meetings")                                                             \
    X(MEET_TEXT, "texts in meetings")                                                              \
    X(NOTE, "notes in meetings")                                                                   \
    X(MEET_LEAVE, "leaving meetings")                                                              \
    X(MEET_LOST, "lost from meetings")                                                             \
    X(MEET_END, "ends of meetings")

enum happening {
#define X(name, words) SIM_##name,
    SIM_HAPPENINGS(X)
#undef X
        SIM_HAPPENINGS_N
};

struct asked {
    int64_t request;
    Roost__ToServer__BodyCase body;
    uint64_t room;
    uint32_t word;  /* of a Say; 0 = none */
    bool must_fail; /* a probe: the rules forbid it */
    bool leaves;    /* a meeting */
};

struct followed {
    uint64_t room, cursor;
    uint64_t most;      /* highest number that ever came, pages included */
    uint64_t heads[16]; /* of a meeting: of tickets since the last event; it may go on above one */
    bool on, ever;
    bool in; /* a meeting whose place it keeps */
};

struct actor {
    int person, wire; /* wire: -1 = none */
    struct core *core;
    uint8_t token[CORE_TOKEN_MAX], device[32];
    size_t token_len;
    struct followed rooms[ROOMS_MAX];
    size_t n_rooms;
    struct asked asked[ASKED_MAX];
    size_t n_asked;
    bool partitioned, slow, logs_in, guest, by_link;
    int64_t heals_us;
};

struct person {
    char name[24];
    uint64_t account;
    bool registered, registering;
};

/* A text that was said, once. */
struct word {
    int person;
    uint64_t account;
    uint64_t room, seq; /* 0: not acknowledged */
    uint64_t seen_room, seen_seq;
};

/* What the first to receive a number saw of it; everybody must see the same. */
struct room_seen {
    uint64_t room;
    uint64_t sign[SEQ_MAX];
};

/* A meeting that somebody had a ticket for. */
struct met {
    uint64_t room;
    char code[CORE_CODE_MAX], secret[CORE_SECRET_MAX];
    bool ended;
};

/* What of a meeting one account was given by one client. */
struct receipt {
    struct receipt *next;
    int actor;
    uint64_t account, room;
    uint8_t got[SEQ_MAX / 8], read[SEQ_MAX / 8]; /* as events; in pages too */
};

struct world {
    uint64_t seed;
    struct dice dice;
    struct hall hall;
    int64_t now_us;
    bool hall_is_up;
    int64_t restart_us, calm_us;                     /* calm: when failing batches end */
    struct person people[PEOPLE_MAX + VISITORS_MAX]; /* guests come last */
    int n_people;                                    /* without guests */
    struct met meets[MEETS_MAX];
    int n_meets;
    struct receipt *receipts;
    int8_t actor_of[NUMBERS_MAX]; /* account -> the guest that had it, plus 1; 0: no guest */
    bool settling;
    struct actor actors[ACTORS_MAX];
    int n_actors;
    struct wire wires[WIRES_MAX];
    uint64_t next_conn;
    struct word words[WORDS_MAX];
    uint32_t n_words;
    struct room_seen *rooms[ROOMS_MAX];
    size_t n_rooms, most_bytes;
    uint64_t counts[SIM_HAPPENINGS_N];
    uint64_t resent;
    bool verbose;
    int broken;
};

void world_init(struct world *w, uint64_t seed, bool verbose);
void world_fini(struct world *w);
/* On to that time, doing all that is due. */
void world_run(struct world *w, int64_t until_us);
void world_count(struct world *w, enum happening what);
void world_break(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t world_author(const struct world *w, const struct word *x);
struct room_seen *world_room(struct world *w, uint64_t room); /* made if need be */

/* Faults. */
void world_crash(struct world *w);
void world_partition(struct world *w, struct actor *a, int64_t for_us);
void world_reset_wire(struct world *w, struct actor *a);
void world_slow(struct world *w, struct actor *a, bool slow);
void world_heal(struct world *w);
void world_reboot_client(struct world *w, struct actor *a);

/* --- actor.c: what clients do with what they are told --- */
void actor_init(struct world *w, struct actor *a, int person);
void actor_start(struct world *w, struct actor *a);
void actor_pull(struct world *w, struct actor *a); /* outputs and events */
int actor_index(const struct world *w, const struct actor *a);
/* Sends m for the actor; remembers what it was. */
bool actor_ask(struct world *w, struct actor *a, Roost__ToServer *m, uint64_t room, uint32_t word,
               bool must_fail);
/* Whoever is asked to log in does, sooner or later; registers before. */
void actor_log_in(struct world *w, struct actor *a);
bool actor_is_ready(const struct actor *a);
/* Its account, also while its program does not know it; of a guest, of this session. */
uint64_t actor_account(const struct world *w, const struct actor *a);

/* The address that it comes from; some guests share one. */
void actor_address(const struct world *w, const struct actor *a, char ret[static 16]);

/* --- meet.c: clients in meetings --- */
struct met *met_known(struct world *w, uint64_t room); /* NULL: no meeting */
void met_on_ticket(struct world *w, struct actor *a, const Roost__Ticket *t, bool again);
void met_on_event(struct world *w, struct actor *a, struct followed *f, const Roost__Event *e);
/* Its place in a meeting is not kept any more. */
void met_on_over(struct world *w, struct actor *a, uint64_t room);
void met_on_read(struct world *w, struct actor *a, const Roost__Event *e);
/* Whoever is a guest and has no session begins one, if there is a meeting. */
void met_guest_in(struct world *w, struct actor *a);
/* --- meet_act.c: one random thing in meetings --- */
void met_act(struct world *w, struct actor *a);
/* --- meet_judge.c --- */
void met_judge(struct world *w, const struct met *m);

/* --- act.c: one random thing --- */
void act_say(struct world *w, struct actor *a, uint64_t room);
void act_step(struct world *w);

/* --- judge.c: a second opinion on the whole log --- */
void judge(struct world *w);
