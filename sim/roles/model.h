/* model.h - who may do what, a second time: naive, and written from docs/ROLES.md alone.
 *
 * Nothing here knows the hub, its structs or its order of checks. A question is
 * answered with the set of all reasons that the page gives against it (a "no");
 * an empty set is a yes, and then the model is changed as the page says. What time
 * does is done in the order of its moments. Plain data, arrays, linear search.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/roost.pb-c.h"

enum {
    M_PEOPLE_MAX = 2000, /* accounts and all guests of one life */
    M_SEATS_MAX = 400,
    M_MEETS_MAX = 400,
    M_ROOMS_MAX = 40,
    M_FILES_MAX = 1000,
    M_NAME_MAX = 140,
};

/* Why not. The words are what a person would call it; check.c knows the hub's. */
#define M_REASONS(X)                                                                               \
    X(RIGHT, "has not the right")                                                                  \
    X(NOT_IN, "is not in")                                                                         \
    X(WHOM, "not on this person")                                                                  \
    X(SO, "is so already")                                                                         \
    X(TAKEN, "somebody else presents")                                                             \
    X(FRESH, "fresh successor")                                                                    \
    X(FULL, "full")                                                                                \
    X(EMPTY, "nobody waits")                                                                       \
    X(TEXT, "bad text")                                                                            \
    X(NAME_BAD, "bad name")                                                                        \
    X(NAME_TAKEN, "name taken")                                                                    \
    X(LOCKED, "locked")                                                                            \
    X(DENIED, "denied")                                                                            \
    X(BANNED, "banned from the meeting")                                                           \
    X(ENDED, "ended")                                                                              \
    X(NO_MEETING, "no such meeting")                                                               \
    X(GUESSES, "too many guesses")                                                                 \
    X(GUEST, "guests may not")                                                                     \
    X(NOT_MEMBER, "no member of the room")                                                         \
    X(NO_ROOM, "no such room")                                                                     \
    X(ROOM_BANNED, "banned from the room")                                                         \
    X(CLOSED, "room closed")                                                                       \
    X(MODERATED, "room moderated")                                                                 \
    X(NOBODY, "nobody of that name is there")                                                      \
    X(LAST, "the last owner or admin")                                                             \
    X(NO_FILE, "no such file")                                                                     \
    X(OVER, "the file is over")                                                                    \
    X(QUOTA, "a quota is full")                                                                    \
    X(TOO_BIG, "the file is too big")

enum reason {
#define X(name, words) M_##name,
    M_REASONS(X)
#undef X
        M_REASONS_N
};
typedef uint32_t no; /* a set of reasons; 0 = yes */
#define NO(name) (1u << M_##name)

struct m_person {
    uint64_t id;
    bool guest, gone; /* gone: its meeting ended */
    uint32_t role;    /* on the server: Roost__Role */
    char name[M_NAME_MAX];
    uint64_t guest_of; /* 0: made no meeting yet */
};

struct m_seat {
    uint64_t who;
    bool guest;
    Roost__MeetState state;
    Roost__MeetRole role;
    char name[M_NAME_MAX];
    bool muted, video_off, away, may_record, recording, hand, wants_share;
    bool was_in, sent_away; /* sent away: removed or denied, and not admitted since */
    int device;
    char source[24];
    int64_t denied_ms, in_ms;
    bool here;
    int64_t lost_ms;
    char note[64];
    uint64_t heard_from; /* a guest: first text that it may read */
    uint64_t files_from; /* and the first file */
};

struct m_meet {
    uint64_t id;
    char code[12], secret[40], title[210];
    int64_t made_ms, starts_ms, left_ms;
    uint64_t bound, host, first_host;
    int64_t fresh_until_ms;
    bool open, locked, mute_on_entry, mics_locked, no_share, no_chat, no_notes, no_rename, forget;
    bool ended;
    uint64_t presenter, spotlight;
    struct m_seat seats[M_SEATS_MAX];
    size_t n_seats;
};

struct m_member {
    uint64_t who;
    bool in, banned;
    Roost__RoomRole role;
};

struct m_room {
    uint64_t id;
    char name[40];
    bool private, moderated, closed, pinned;
    uint64_t text; /* the first that was said; 0: nothing yet */
    struct m_member members[M_PEOPLE_MAX / 20];
    size_t n_members;
};

/* What is sent: to a room, a meeting, everyone (room EVERYONE) or a person (peer). */
struct m_file {
    uint64_t id, room, meeting, sender, peer, size, contents;
    bool everyone, kept, open_size;
    enum { F_OFFERED, F_ACCEPTED, F_WHOLE, F_OVER, F_DELETED } stage;
    uint64_t number; /* of those that became whole */
};

struct model {
    struct m_person people[M_PEOPLE_MAX];
    size_t n_people;
    struct m_meet *meets[M_MEETS_MAX];
    size_t n_meets;
    struct m_room rooms[M_ROOMS_MAX];
    size_t n_rooms;
    int64_t now_ms, last_ms, expired_ms; /* last: when time last did something by itself */
    uint64_t n_said, n_successions, n_hostless, n_expired; /* so far */
    struct m_file files[M_FILES_MAX];
    size_t n_files;
    uint64_t n_whole, file_max, quota_user, quota_room;
    uint32_t broadcast; /* enum hub_broadcast's order: everyone, moderators, admins */
};

struct m_person *m_person(struct model *m, uint64_t id); /* NULL: nobody */
struct m_meet *m_meet(struct model *m, uint64_t id);
struct m_room *m_room(struct model *m, uint64_t id);
struct m_seat *m_seat(struct m_meet *t, uint64_t who); /* NULL: never came */
struct m_member *m_member(struct m_room *r, uint64_t who);
size_t m_count(const struct m_meet *t, Roost__MeetState state);
bool m_looks_alike(const char *a, const char *b);
bool m_is_fresh(const struct model *m, const struct m_meet *t);
void m_free(struct model *m);

/* --- coming in (model_door.c) --- */

struct m_coming {
    uint64_t who; /* 0: a guest who has no number yet */
    bool guest, by_link, by_code;
    const char *name;
    int device;
    const char *source;
};
no m_may_come(struct model *m, struct m_meet *t, const struct m_coming *c);
/* After a yes: comes in, or waits. */
void m_come(struct model *m, struct m_meet *t, const struct m_coming *c);
no m_guest_name(struct model *m, const struct m_meet *t, const char *name);
struct m_meet *m_meet_new(struct model *m, uint64_t id, uint64_t host, const struct m_coming *c);
void m_step_in(struct model *m, struct m_meet *t, struct m_seat *s);

/* --- acts (model_acts.c) --- */

struct m_act {
    Roost__MeetAction action;
    uint64_t by, whom;
    const char *text;
};
no m_may_act(struct model *m, struct m_meet *t, const struct m_act *a);
void m_act(struct model *m, struct m_meet *t, const struct m_act *a); /* after a yes */
no m_may_chat(struct model *m, struct m_meet *t, uint64_t by);
no m_may_note(struct model *m, struct m_meet *t, uint64_t by, uint64_t whom);
no m_may_react(struct model *m, struct m_meet *t, uint64_t by);
no m_may_see(struct model *m, struct m_meet *t, uint64_t by, bool all);
bool m_sees_waiting(struct model *m, struct m_meet *t, uint64_t by);
no m_may_read(struct model *m, struct m_meet *t, uint64_t by);

/* --- time (model_time.c) --- */

void m_lost(struct model *m, struct m_meet *t, uint64_t who);
void m_found(struct m_meet *t, uint64_t who);
void m_restarted(struct model *m); /* everybody is lost now */
void m_time(struct model *m, int64_t now_ms);
void m_out(struct model *m, struct m_meet *t, struct m_seat *s, Roost__MeetState to);
void m_end(struct model *m, struct m_meet *t);
/* The host is gone; named: 0 or whom it names. */
void m_succeed(struct model *m, struct m_meet *t, uint64_t named);
