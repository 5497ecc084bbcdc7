/* meeting.h - what a meeting is, and how a change of it is made.
 *
 * A meeting is the state of a room of the kind MEETING: a head (its settings, its
 * host) and a row for each who ever came or knocked. A change is first made beside
 * it (struct meet_change: the head and the rows as they will be), stored, and
 * then applied; so a change that could not be stored never was. The functions
 * here and in meet_rules.c, meet_door.c and meet_time.c decide and do nothing
 * else: they know neither connections nor store. docs/ROLES.md is what they follow.
 *
 * Memory: a meeting owns its rows; a change lives in an arena and borrows nothing
 * from the meeting. While it is being stored, the room has a barrier.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "proto/node.pb-c.h"
#include "store/store.h"

enum {
    MEET_IN_MAX = 250,
    MEET_WAITING_MAX = 200,
    MEET_TEXT_MAX = 1000,
    MEET_TITLE_MAX = 200,
    MEET_CODE_MAX = 9,
};
#define MEET_HOST_GRACE_US  (60 * 1000000LL) /* a lost host's place is kept so long */
#define MEET_GRACE_US       (30 * 1000000LL)
#define MEET_LOBBY_GRACE_US (60 * 1000000LL)
#define MEET_FRESH_MS       600000LL   /* so long a successor may not do everything */
#define MEET_DENIED_MS      60000LL    /* so long who was denied is refused */
#define MEET_ROW_MS         86400000LL /* so long a guest's row is kept who was sent away */
#define MEET_AHEAD_MS       (732 * 86400000ULL) /* to the start: two years, leap days */
#define MEET_CODE_MS        86400000LL /* so long a code opens a meeting that nobody is in */

enum { DEVICE_NAME_MAX = 40, DEVICES_PAST_MAX = 8 /* that are kept of an attendee */ };

/* What a device measured while it took part with media: kept with its attendee. */
struct device_past {
    struct device_past *next;
    uint32_t number;
    char name[DEVICE_NAME_MAX + 1];
    Roost__MediaSummary summary;
};

struct attendee {
    Roost__Attendee row; /* its strings are ours */
    char *skeleton;
    uint8_t device[32]; /* hash */
    bool has_device;
    char *source;
    int64_t sent_away_ms; /* when it was denied, removed or banned; 0: never, or let in since */
    /* known to this node only, and to no change: */
    uint32_t here; /* connections */
    int64_t lost_us;
    struct device_past *past; /* the newest first; kept with the row, and not part of a change */
};

struct meeting {
    Roost__Meeting head;  /* its strings are ours */
    struct map attendees; /* account -> struct attendee */
    uint32_t n_in, n_waiting;
    int64_t keep_us; /* when summaries of who is in are stored; 0: none is newer than what is */
};

/* --- keeping ------------------------------------------------------------------ */

/* Of what the store read. -ROOST_MALFORMED: not what was once kept. */
int meeting_load(struct meeting **ret, const struct store_result *loaded, int64_t now_us);
void meeting_free(struct meeting *m);
size_t meeting_bytes(const struct meeting *m); /* roughly; 0 for NULL */
/* Who was connected to the one before is to this one. */
void meeting_keep_presence(struct meeting *m, const struct meeting *before);

struct attendee *meeting_attendee(const struct meeting *m, uint64_t account); /* NULL: none */
/* In, and this is the role; -1: not in. */
int meeting_role(const struct meeting *m, uint64_t account);
bool meeting_manages(const struct meeting *m, uint64_t account); /* host or co-host, and in */
/* Somebody present (in, or waiting) whose name has this skeleton; NULL: nobody. */
const struct attendee *meeting_named(const struct meeting *m, const char *skeleton);

/* What it is called in the meeting, present or not, if its own name is another; else NULL. */
const char *meeting_shown(const struct meeting *m, uint64_t account, const char *own);

static inline bool attendee_present(const struct attendee *a)
{
    return a->row.state == ROOST__MEET_STATE__IN || a->row.state == ROOST__MEET_STATE__WAITING;
}

/* Its summary is this now; the oldest of too many goes. Takes it. */
void attendee_put_past(struct attendee *a, struct device_past *p);
void attendee_free_past(struct device_past *p);

/* --- changing ------------------------------------------------------------------- */

struct meet_edit {
    struct attendee a; /* as it will be */
    bool fresh;        /* has no row yet */
    bool quiet;        /* kept, but not listed in the event: who waits, or one of all muted */
    bool gone;         /* the row goes, to make room for another */
    struct meet_edit *next;
};

struct meet_change {
    struct arena *mem;
    int64_t now_ms;
    Roost__Meeting head;
    struct meet_edit *edits, **edits_end;
    size_t n_edits;
    Roost__MeetAction action;
    uint64_t by, who; /* accounts; 0: the server, nobody */
    const char *text;
    const char *by_name;   /* as the meeting shows it with this; NULL: its own name */
    const char *old_name;  /* RENAME; else NULL */
    bool event;            /* the room hears of it */
    int err;               /* -ROOST_NOMEM: not all of it could be made */
    struct meet_edit none; /* is written to when there is no memory */
};

void meet_change_begin(struct meet_change *c, struct arena *mem, const struct meeting *m,
                       Roost__MeetAction action, uint64_t by, int64_t now_ms);
/* The row as it will be: to be written. Never NULL. */
struct attendee *meet_edit(const struct meeting *m, struct meet_change *c, uint64_t account);
/* A row for somebody who has none. */
struct attendee *meet_edit_new(struct meet_change *c, uint64_t account);
/* There are as many rows as there may be: the one that was away longest among those guests who
 * are not present, nor banned, nor host of it. 0: there is none. */
uint64_t meet_oldest(const struct meeting *m, int64_t now_ms);
void meet_edit_drop(const struct meeting *m, struct meet_change *c, uint64_t account);
char *meet_text(struct meet_change *c, const char *text); /* a copy that lives as long as c */

/* It was stored: so it is now. -ROOST_NOMEM: the meeting is to be read again. */
int meet_apply(struct meeting *m, const struct meet_change *c, int64_t now_us);

/* As bytes for the store, and as the event. All in mem. */
int meet_pack_head(struct arena *mem, const Roost__Meeting *head, const uint8_t **ret, size_t *n);
int meet_pack_attendee(struct arena *mem, const struct attendee *a, const uint8_t **ret, size_t *n);
int meet_pack_event(struct arena *mem, const struct meet_change *c, const uint8_t **ret, size_t *n);

/* --- the rules: 0, or why it is refused ------------------------------------------- */

/* meet_rules.c: by does action on who (0: nobody named). */
struct meet_ask {
    Roost__MeetAction action;
    uint64_t by, who;
    const char *text;
    const char *name, *skeleton; /* RENAME: the new name, checked */
};
int meet_act(const struct meeting *m, const struct meet_ask *ask, struct meet_change *c);
const char *meet_action_name(Roost__MeetAction action); /* "lock-mic"; for the log */

/* meet_door.c: somebody comes. */
struct meet_comer {
    uint64_t account;
    bool guest, by_link, by_code;
    uint32_t room_role; /* in the room that the meeting is bound to, plus 1; 0: not in it */
    const char *name, *skeleton;
    const char *login;     /* the account's name; of a guest empty */
    const uint8_t *device; /* hash, 32 bytes; NULL: none */
    const char *source;
};
/* May it knock at all? Also asked before a guest gets a number (account 0). */
int meet_may_knock(const struct meeting *m, const struct meet_comer *who, int64_t now_ms,
                   uint64_t *ret_retry_ms);
/* 0 and *c holds what becomes of it; 1: it is in or waits already, nothing changes. */
int meet_come(const struct meeting *m, const struct meet_comer *who, struct meet_change *c);

/* meet_time.c: what time does. */
int64_t meet_due_us(const struct meeting *m, int64_t now_us, int64_t now_ms);
/* 0 and *c holds what happens now; 1: nothing does. */
int meet_tick(const struct meeting *m, int64_t now_us, struct meet_change *c);
/* The host is gone or goes: somebody else is host, or nobody. named: 0, or whom it names. */
void meet_succeed(const struct meeting *m, struct meet_change *c, uint64_t named);
/* That person is no longer in: nothing of it presents, records or waits to. */
void meet_step_out(const struct meeting *m, struct meet_change *c, struct attendee *a,
                   Roost__MeetState to);
/* Comes in: as a participant unless it has a role. */
void meet_step_in(const struct meeting *m, struct meet_change *c, struct attendee *a);
