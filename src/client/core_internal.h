/* core_internal.h - what the files of the client core share; nobody else includes it.
 *
 * core.c       creation, outputs, events, losing and stopping
 * core_input.c bytes to frames, frames to their place
 * core_login.c hello, login, resume, keep-alive: from bytes to READY
 * core_ask.c   requests until they are answered
 * core_room.c  rooms that are followed
 * core_meet.c  meetings that one has joined
 */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "client/backoff.h"
#include "client/core.h"
#include "seal/rng.h"
#include "wire/frame.h"
#include "wire/msg.h"

enum { STATUS_POOL = 8, IGNORED_MAX = 10000 };

enum item_flags {
    ITEM_ANON = 1, /* may go before login */
    ITEM_LOGIN = 2,
    ITEM_ENDS = 4,    /* logout, account deleted: the session is over when it is done */
    ITEM_SYNC = 8,    /* the core's own, of `room` */
    ITEM_QUIET = 16,  /* the core's own: no event */
    ITEM_IGNORE = 32, /* with ITEM_ON: Ignore on */
    ITEM_ON = 64,
    ITEM_SENT = 128,
    ITEM_RESENT = 256, /* was sent over an earlier connection */
    ITEM_MEET = 512,   /* the core's own: a MeetJoin; `room` is the request that began it */
    ITEM_LEAVE = 1024, /* of the meeting `room` */
    ITEM_HERE = 2048,  /* the core's own: a MeetWho of `room` */
};

/* An event that waits to be pulled; before that, maybe, the request it answers:
 * so no answer ever needs memory that could be missing. */
struct item {
    struct item *next;
    struct core_event event;
    struct core_error error; /* REFUSED and STATUS point to it */
    unsigned flags;
    bool pooled, used, peeked;
    struct blob *frame; /* of a request */
    int64_t sent_us;
    uint64_t room; /* ITEM_SYNC, ITEM_MEET, ITEM_LEAVE, ITEM_HERE */
};

struct list {
    struct item *head, **end;
    size_t n;
};

struct room_cursor {
    uint64_t room, upto;
    uint64_t asked; /* `after` of the last Sync: without progress it is not repeated at once */
    uint64_t turn;  /* when it was asked last: each gets its turn */
    int64_t follow; /* the request to answer */
    bool answered, wanted; /* wanted: a Sync is to be sent */
    bool meeting;          /* the core's own: not before the place is taken again */
    bool fresh;            /* of a meeting, since its last ticket not yet followed */
    bool syncing;          /* one is under way */
    bool was_live;         /* ... on a connection that had live events: hold, see core_room.c */
    int64_t retry_at_us;
    struct list held; /* sorted by number */
};

struct core {
    enum core_state state;
    struct rng rng;
    struct core_options options;
    char program[CORE_NAME_MAX], device_name[CORE_NAME_MAX];
    uint8_t process[8]; /* first half of every id */
    uint64_t next_n;
    int64_t now_us;

    struct frame_reader reader;
    int64_t heard_us, spoke_us, pinged_us; /* pinged_us 0: no ping is out */
    int64_t timer_us;                      /* of the state; INT64_MAX = none */
    int64_t ready_us;
    int64_t lost_us;                /* since when there is no connection that is of any use */
    int lost_code;                  /* why the last one was lost */
    bool served;                    /* this connection brought something that was asked for */
    bool asking;                    /* a person is asked whether the server is to be trusted */
    bool ever_connected, transport; /* transport: the edge has one, or makes one */
    struct backoff backoff;
    uint64_t hello_n, resume_n;

    struct core_server server;
    struct core_self self;
    uint8_t token[CORE_TOKEN_MAX];
    size_t token_len;
    bool token_held, resumed, watches;
    char *away;         /* said while one is on, so again over each connection; NULL: here */
    struct item *login; /* answered by a Session that is being saved */
    struct map ignored;

    struct list requests, events;
    size_t n_sent;
    struct item *given; /* out at the caller */
    struct item pool[STATUS_POOL];
    struct map rooms;
    size_t n_syncs; /* under way, of rooms left since too */
    uint64_t next_turn;
    struct place *places; /* core_meet.c */
    size_t n_places;

    struct blob **sends;
    size_t n_sends, sends_at, cap_sends;
    unsigned todo; /* 1 << core_output_kind, of those without bytes */
    struct core_stats stats;
};

/* --- core.c --- */
void list_init(struct list *l);
void list_add(struct list *l, struct item *i);
void list_take(struct list *l, struct item **at);
void item_free(struct item *i);
struct item *item_new(void);
void core_send(struct core *c, struct blob *frame); /* takes it; NULL: out of memory */
void core_move(struct core *c, enum core_state next);
void core_tell(struct core *c, const struct core_error *e); /* the state, as an event */
void core_give(struct core *c, struct item *i);             /* an event, takes it */
void core_lose(struct core *c, const struct core_error *e); /* close, and try again later */
void core_lose_code(struct core *c, int code);
void core_stop(struct core *c, const struct core_error *e);
void core_start(struct core *c);
void error_set(struct core_error *e, int code);
void error_read(struct core_error *e, const Roost__Error *m);
void text_copy(char *to, size_t cap, const char *from);

/* --- core_login.c --- */
void login_on_welcome(struct core *c, const Roost__Reply *r);
void login_on_session(struct core *c, struct item *login, const Roost__Session *s);
void login_on_resume_refused(struct core *c, const Roost__Error *e);
void login_session_over(struct core *c, const struct core_error *e);
void login_expire(struct core *c);
int64_t login_deadline(const struct core *c);

/* --- core_ask.c --- */
uint64_t ask_id(struct core *c, uint8_t id[static 16]);
struct blob *ask_encode(Roost__ToServer *m, uint8_t id[static 16]);
int ask_own(struct core *c, Roost__ToServer *m, unsigned flags, uint64_t room);
bool ask_has_login(const struct core *c);
void ask_pump(struct core *c);
void ask_on_lost(struct core *c);
/* Refuses with a local error all that need a session, or simply all. */
void ask_refuse(struct core *c, int code, bool all);
/* Takes mem over when the reply becomes an event. */
void ask_note_ignored(struct core *c, uint64_t account, bool on);
void ask_on_reply(struct core *c, const Roost__ToClient *m, struct arena *mem);

/* --- core_room.c --- */
void room_on_push(struct core *c, const Roost__ToClient *m, struct arena *mem);
void room_on_behind(struct core *c, const Roost__Behind *b);
void room_on_synced(struct core *c, struct item *i, const Roost__Synced *s);
void room_on_refused(struct core *c, struct item *i, const Roost__Error *e);
void room_on_lost(struct core *c);
void room_on_gone(struct core *c, uint64_t room);
void room_pump(struct core *c);
int64_t room_deadline(const struct core *c);
/* From the number that it has reached, else from `after`. 0 or -ROOST_NOMEM, -ROOST_LIMIT. */
int room_follow_meeting(struct core *c, uint64_t room, uint64_t after);
void room_unfollow_meeting(struct core *c, uint64_t room);
void room_free_all(struct core *c);

/* --- core_meet.c --- */
void meet_pump(struct core *c);
void meet_on_lost(struct core *c);
int64_t meet_deadline(const struct core *c);
void meet_on_answer(struct core *c, struct item *i, const Roost__ToClient *m, struct arena *mem);
bool meet_knows(const struct core *c, int64_t request); /* not answered yet */
void meet_cancel(struct core *c, int64_t request);
void meet_refuse(struct core *c, int code); /* all that were not answered yet */
void meet_note_leaving(struct core *c, const Roost__MeetAct *act, uint64_t *ret_room);
void meet_on_left(struct core *c, uint64_t room, bool done);
void meet_on_now(struct core *c, const Roost__MeetNow *m);
void meet_on_followed(struct core *c, uint64_t room);
void meet_on_who(struct core *c, struct item *i, const Roost__ToClient *m, struct arena *mem);
void meet_on_event(struct core *c, const Roost__Event *e);
void meet_on_given(struct core *c, const struct core_event *e); /* it is handed out */
void meet_free_all(struct core *c);
