/* internal.h - what the files of the hub share; nobody else includes it.
 *
 * A request's trip: hub_on_frame -> request_begin (rules.c: the row) ->
 * resolve.c (names to numbers) -> shard.c (the room is loaded, no barrier) ->
 * right_check -> the row's on_message -> store -> on_stored -> reply.
 *
 * Who may touch what: a handler has q->room, if its row is about a room, and
 * nothing else of any shard. What another shard must know goes over the bus
 * (tell_*). Connections and users (who is attached to this node) are not shards.
 */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "hub/hub.h"
#include "hub/meeting.h"
#include "hub/name.h"
#include "proto/node.pb-c.h"
#include "seal/rng.h"
#include "wire/event.h"
#include "wire/msg.h"

enum {
    CONN_PENDING_MAX = 64,   /* requests of one connection under way */
    REQUESTS_MAX = 20000,    /* of all */
    CONN_SUBS_MAX = 1000,    /* rooms that one connection follows */
    SUB_HELD_MAX = 4096,     /* events held behind a running sync */
    ROOM_WAITING_MAX = 1000, /* requests that wait for a room to load or for its barrier */
    NAMES_MAX = 50,          /* people named in one request */
    MENTIONS_MAX = 50,       /* people mentioned in one text */
    TOPIC_MAX = 1024,
    EMOJI_MAX = 32,
    AWAY_MAX = 256,
    WORDS_MAX = 256,
    NAME_MAX_CHARS = 32,
    PASSWORD_MIN = 8,
    PASSWORD_MAX = 256,
    PAGE_BYTES_MAX = 256 * 1024, /* of events sent for one sync */
    REPLY_BYTES_MAX = 60 * 1024, /* of a page in one reply: a frame is 64 KiB */
};

/* --- who is attached to this node ---------------------------------------- */

enum sub_state { SUB_SYNCING, SUB_LIVE, SUB_MARKS };

/* One connection following one room. */
struct sub {
    struct conn *conn;
    struct topic *topic;
    size_t at; /* place in topic->subs */
    enum sub_state state;
    uint64_t upto;      /* SUB_SYNCING: the head noted; held events are above it */
    bool told_behind;   /* SUB_MARKS: one mark until the next sync */
    struct blob **held; /* frames held behind the sync */
    uint64_t *held_seq;
    size_t n_held;
    uint32_t train, sent; /* SUB_LIVE: how much of which train it was given */
};

/* All connections following one room on this node. */
struct topic {
    uint64_t room;
    struct sub **subs;
    size_t n, cap;
    size_t n_live;      /* of subs */
    struct blob *train; /* train.c: this turn's events; NULL: none yet */
    uint32_t train_len, train_cap, train_number;
    bool departs; /* is in hub->departing */
    struct topic *next_departing;
};

struct conn {
    uint64_t id;
    struct hub_peer peer;
    bool greeted;   /* Hello was answered */
    bool condemned; /* to be closed: something could not be sent */
    bool watches_people, follows_log, marks_only;
    bool keeps;         /* asked for a backup, a check or a restore */
    uint64_t session;   /* 0: not logged in */
    uint64_t meeting;   /* in which it is, or waits; 0: none */
    uint8_t device[32]; /* hash */
    struct user *user;  /* NULL: not logged in */
    struct map subs;    /* room -> struct sub */
    uint32_t pending;
    int64_t heard_us;
    struct conn *next_of_user;
};

/* An account with at least one connection here, or lately (rate, slowness). */
struct user {
    uint64_t account;
    char *name;
    uint32_t role; /* Roost__Role */
    bool guest;
    uint64_t guest_of; /* its meeting; 0: it has not made one yet */
    struct conn *conns;
    uint32_t n_conns;
    int64_t since_ms, active_us, gone_us;
    char *away;
    uint64_t typing_room;
    char *typing_name;
    int64_t typing_until_us;
    int64_t say_us;     /* token bucket: the time at which it was full, minus debts */
    int64_t slow_us[3]; /* the last closings for slowness */
    bool changed;       /* to be told to those who watch */
};

/* --- shards ---------------------------------------------------------------- */

struct member {
    uint64_t account;
    char *name;
    uint32_t role; /* Roost__RoomRole */
    bool banned, guest, muted;
    uint64_t delivered, read;
};

struct room {
    uint64_t id;
    bool ready;   /* loaded */
    bool loading; /* asked for */
    bool stale;   /* ... before it changed */
    bool barrier; /* a change of rights is being stored: others wait */
    uint32_t kind;
    char *name, *topic;
    bool private, moderated, closed;
    uint32_t retention_days;
    uint64_t head, first;
    int64_t last_ms;
    struct map members; /* account -> struct member */
    uint32_t n_members; /* without banned ones */
    uint64_t pins[STORE_PINS_MAX];
    size_t n_pins;
    struct meeting *meeting; /* NULL: it is none */
    struct request *waiting, **waiting_end;
    uint32_t n_waiting, n_busy; /* n_busy: operations in the store */
    int64_t used_us;
};

/* --- requests --------------------------------------------------------------- */

/* What a handler answers. Negative: refused with that error. */
enum { HUB_DONE = 0, HUB_WAIT = 1 };

enum right {
    RIGHT_NONE,   /* before login too */
    RIGHT_LOGIN,  /* any account */
    RIGHT_ADMIN,  /* of the server */
    RIGHT_SEE,    /* of a room: member, or the room is public */
    RIGHT_MEMBER, /* of a room */
    RIGHT_SPEAK, /* member, not silenced by moderation; in the room of all: the broadcast setting */
    RIGHT_MODERATE, /* moderator or owner of a room; moderators and admins of the server in rooms */
    RIGHT_OWN,      /* owner of a room; admins of the server */
    RIGHT_MEET,     /* a meeting: its own table says who may what (meet_rules.c) */
};

enum {
    RULE_CHANGES = 1,     /* has a request id; exactly once */
    RULE_BARRIER = 2,     /* changes rights in its room: others wait until it is stored */
    RULE_ERRORS = 4,      /* on_stored sees failed results too */
    RULE_QUIET = 8,       /* no line in the log (Hello, Ping: they read and change nothing) */
    RULE_CLOSED_TOO = 16, /* allowed in a closed room */
    RULE_DUPS = 32,       /* on_stored sees repeated ones too: the answer is more than Done */
    RULE_GUESTS = 64,     /* guests too */
    RULE_HOME = 128,      /* a guest's has its meeting at hand, whatever it is about */
};

/* Names in a request that must become numbers before the handler runs. */
struct want {
    const Roost__Target *target; /* NULL: none */
    uint64_t room, seq;          /* seq: of the message concerned, for the log */
    const char *user;            /* NULL: none */
    uint64_t meeting;            /* by its number; its store row is read too */
    const char *code, *secret;   /* or by its code; NULL: none */
};

struct request;
struct rule {
    const char *kind; /* in the log; every message has one */
    enum right right;
    unsigned flags;
    struct want (*want)(const Roost__ToServer *m); /* NULL: nothing to resolve */
    int (*on_message)(struct hub *h, struct request *q);
    int (*on_stored)(struct hub *h, struct request *q,
                     struct store_result *r); /* NULL: reply Done */
    int (*on_hashed)(struct hub *h, struct request *q, bool ok, const char *encoded);
};
const struct rule *rule_of(const Roost__ToServer *m); /* NULL: no such message */

struct request {
    uint64_t token;
    uint64_t conn; /* may be gone when the answer comes */
    struct arena mem;
    const Roost__ToServer *msg;
    const struct rule *rule;
    uint8_t id[16], digest[16];
    bool has_id, logged, in_room, resolved;
    /* who asks, as it was when the request came */
    uint64_t account, session;
    const char *name, *address, *source;
    uint32_t role;
    bool local, guest;
    uint64_t guest_of;
    /* resolved */
    bool by_code, by_link; /* the meeting was found by its code; with the link's secret */
    uint32_t meet_role;    /* store_result.meet_role */
    uint64_t room_id, user_id;
    const char *about;     /* for the log, where the row wants no user; set by the handler */
    const char *user_name; /* as written in the account, in mem */
    struct room *room;     /* only in handlers of rows about rooms */
    int step;              /* for handlers with several store operations */
    void *state;           /* theirs, in mem */
    bool unhashed;         /* on_hashed: not known whether it is right */
    uint64_t retry_after_ms;
    uint64_t page; /* meet_page.c: the connection of who asked */
    struct request *next;
};

/* Where those who follow the log are (admin_log.c); one place for all of them. */
struct log_follow {
    uint64_t after;   /* the last line that was sent, or counted as old */
    int64_t since_ms; /* lines before that are old */
    int64_t due_us;   /* when the next look is due; 0: nothing was logged since the last */
    bool looking;     /* a look is in the store */
    bool own;         /* the result at hand is the look's: it is no news */
};

struct hub {
    struct hub_config config;
    struct bus *bus;
    struct rng rng;
    struct now now;
    struct map conns, users, topics, rooms, requests;
    struct map datagrams, datagram_ids; /* of login sessions, and by their own numbers */
    struct map relays;                  /* by number */
    struct map media, devices;          /* media.h: of meetings, and by login session */
    int64_t media_due_us;               /* when a roster is to be told; INT64_MAX: none */
    struct map parcels, codes;          /* file.h: what two ends are at just now, by number */
    struct map code_guesses;            /* by source */
    int64_t guesses_us;                 /* when they were last forgotten */
    uint64_t depot_room;                /* bytes that may still be kept */
    struct map lost;                    /* file.h: roots of contents that are damaged or gone */
    uint64_t next_token;
    struct outbox *out;
    struct topic *departing; /* have a train */
    uint32_t n_departing;
    struct shard active;           /* the shard whose handler runs */
    struct guard_flights *flights; /* guard.h; NULL until the first login */
    struct names names;
    struct log_follow log_follow;
    uint32_t hashes;
    bool draining, people_changed, meetings_read;
    uint32_t n_condemned, n_log_followers;
    int64_t people_due_us, swept_us, retained_us, meetings_us, ticked_us;
    struct hub_stats stats;
};

/* --- request.c: life of a request ------------------------------------------- */

/* An operation in the name of q, with the time; a look has neither id nor log. */
struct store_op *request_look(struct hub *h, struct request *q, enum store_kind kind);
/* The one that does what was asked: carries the request id and the line of the log. */
struct store_op *request_do(struct hub *h, struct request *q, enum store_kind kind);
/* Emits it (takes the reference; NULL op: out of memory) and returns HUB_WAIT or an error. */
int request_store(struct hub *h, struct request *q, struct store_op *op);
/* Emits an operation that nobody waits for. */
void hub_store(struct hub *h, struct store_op *op);
/* Hashing for q; copies the strings. -ROOST_BUSY when too many wait. */
int request_hash(struct hub *h, struct request *q, const char *password,
                 const char *verify_encoded);
struct conn *request_conn(struct hub *h, const struct request *q); /* NULL: gone */

/* --- reply.c: answers. Each returns HUB_DONE or -ROOST_NOMEM. ------------------ */

int reply_done(struct hub *h, struct request *q, const struct store_result *r);
int reply_with(struct hub *h, struct request *q, Roost__Reply *r); /* fills in the id */
void reply_error(struct hub *h, struct request *q, int err);
/* Any frame to one connection. */
int send_frame(struct hub *h, struct conn *c, Roost__ToClient *frame);
void send_blob(struct hub *h, struct conn *c, struct blob *frame); /* refs it */
void hub_close(struct hub *h, struct conn *c); /* after what was sent; frees c */

/* --- tell.c: to other shards, over the bus ------------------------------------- */

/* Without memory a word is lost: all are cut off, and fetch it when they come back. */
void tell_lost(struct hub *h);
void tell_room_event(struct hub *h, const struct event *e);
void tell_room_frame(struct hub *h, uint64_t room, Roost__ToClient *frame, uint64_t except);
/* It follows the room no more, and has no more of its files. */
void tell_detach(struct hub *h, uint64_t room, uint64_t account);
/* To each of its sessions but that one. */
void tell_account_frame(struct hub *h, uint64_t account, Roost__ToClient *frame, uint64_t except);
/* To one of its sessions. */
void tell_session_frame(struct hub *h, uint64_t account, uint64_t session, Roost__ToClient *frame);
/* One's own place in a room changed; `gone`: no longer in it (only info->room counts). */
void tell_room_place(struct hub *h, uint64_t account, Roost__RoomInfo *info, bool gone);
/* Sessions of the account end: only one (0 = all), but except; err is what they are told. */
void tell_sessions_end(struct hub *h, uint64_t account, uint64_t only, uint64_t except, int err);
/* Rooms anywhere forget it, though nobody is on under it, and its sessions end. */
void tell_account_gone(struct hub *h, uint64_t account);
void tell_role(struct hub *h, uint64_t account, uint32_t role);
void tell_ignored(struct hub *h, uint64_t account, uint64_t whom, bool on);
/* A connection of the account came into the meeting (or its lobby), or went. */
void tell_attached(struct hub *h, uint64_t meeting, uint64_t account, bool on);
/* Its owner is to read the room again: something was appended behind its back. */
void tell_stale(struct hub *h, uint64_t room);

/* --- shard.c: who may touch which state ---------------------------------------- */

/* The request's names are numbers now: runs its handler, at once or when its room is ready. */
void shard_enter(struct hub *h, struct request *q);
/* The active shard's room; asserts that it is the one. */
struct room *shard_room(struct hub *h, uint64_t id);
/* Runs on_stored or on_hashed of a request with its room active. */
void shard_on_stored(struct hub *h, struct request *q, struct store_result *r);
void shard_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded);
void shard_on_loaded(struct hub *h, uint64_t room, struct store_result *r);
/* The account is gone: rooms that know it are read anew. */
void shard_forget_account(struct hub *h, uint64_t account);
void shard_sweep(struct hub *h); /* forgets rooms that nobody uses */
void shard_stale(struct hub *h, uint64_t room);
/* Loads the room, so that its time runs. */
void shard_wake(struct hub *h, uint64_t room);
/* f with each meeting that is loaded and that no change is under way in. */
void shard_each_meeting(struct hub *h, void (*f)(struct hub *h, struct room *r));
void shard_free_all(struct hub *h);

/* --- room state (room.c) --------------------------------------------------------- */

struct member *room_member(const struct room *r, uint64_t account);    /* not banned ones */
const char *room_called(const struct room *r, const struct member *m); /* in meetings: as shown */
int room_fill(struct room *r, const struct store_result *loaded, int64_t now_us);
void room_empty(struct room *r);
int room_set_member(struct room *r, uint64_t account, const char *name, uint32_t role, bool banned);
void room_drop_member(struct room *r, uint64_t account);
/* The number of an event of this room was given: head and time move. */
void room_on_event(struct room *r, uint64_t seq, int64_t at_ms);

bool room_manages(const struct request *q, enum right right);
int right_check(const struct hub *h, const struct request *q, enum right right);

/* --- events (event.c of the hub: chat.c) --------------------------------------------- */

/* Fills in room and author, keeps the event for on_stored, and appends it. own: only
 * the author of the message concerned may. Strings may borrow from the request. */
int chat_append(struct hub *h, struct request *q, const struct event *e, bool own);
/* The event was stored: counted, told to those who follow, answered. */
int chat_on_appended(struct hub *h, struct request *q, struct store_result *r);
struct event *chat_event(struct request *q, const struct store_result *r); /* numbered now */

/* --- resolve.c --------------------------------------------------------------------- */

/* Names to numbers; then shard_enter. */
void resolve_start(struct hub *h, struct request *q);
/* A result that belongs to resolving; false: it belongs to the handler. */
bool resolve_on_stored(struct hub *h, struct request *q, struct store_result *r);

/* --- follow.c: connections that follow rooms ------------------------------------------ */

struct sub *sub_get(struct conn *c, uint64_t room);
int sub_new(struct hub *h, struct conn *c, uint64_t room, struct sub **ret);
void sub_free(struct hub *h, struct sub *s);
void sub_syncs(struct hub *h, struct sub *s);   /* what happens is held behind the sync */
void sub_release(struct hub *h, struct sub *s); /* the sync is complete: what was held, then live */
void follow_publish(struct hub *h, uint64_t room, struct blob *frame, uint64_t seq,
                    uint64_t except);
void follow_detach(struct hub *h, uint64_t room, uint64_t account);
void follow_drop_all(struct hub *h, struct conn *c);

/* --- train.c: the events of one turn travel together ------------------------------------ */

/* For all live subs of t. -ROOST_NOMEM: it is not in the train. */
int train_add(struct hub *h, struct topic *t, struct blob *frame);
void train_board(struct sub *s);                   /* is live from here on */
void train_catch_up(struct hub *h, struct sub *s); /* it is given what is there */
void trains_catch_up(struct hub *h, struct conn *c);
void trains_depart(struct hub *h);
void train_drop(struct hub *h, struct topic *t);

/* --- outbox.c -------------------------------------------------------------------------- */

struct outbox *outbox_new(void);
void outbox_free(struct outbox *o);
/* len bytes from `at` on; refs */
int outbox_send(struct outbox *o, uint64_t conn, struct blob *bytes, uint32_t at, uint32_t len);
int outbox_close(struct outbox *o, uint64_t conn);
int outbox_store(struct outbox *o, struct store_op *op);                       /* takes */
int outbox_hash(struct outbox *o, const struct hub_hash *hash);                /* takes */
int outbox_title(struct outbox *o, uint64_t conn, const char *title, int err); /* copies */
int outbox_keep(struct outbox *o, const struct hub_keep *keep);        /* takes, unless it fails */
int outbox_datagrams(struct outbox *o, const struct hub_datagrams *d); /* copies */
int outbox_leg(struct outbox *o, const struct hub_leg *leg);           /* copies */
int outbox_depot(struct outbox *o, const struct hub_depot *d);         /* takes, unless it fails */
int outbox_file(struct outbox *o, uint64_t conn, const struct hub_depot *d, int err); /* the same */
bool outbox_next(struct outbox *o, struct hub_output *ret);

/* admin_keep.c: who asked for work on the server's data is gone. */
void admin_keep_left(struct hub *h, struct conn *c);

/* --- conn.c, people.c: who is attached ------------------------------------------- */

struct conn *conn_of(struct hub *h, uint64_t id);
/* The connection is logged in now; it counts as on. names are copied. */
int conn_attach(struct hub *h, struct conn *c, uint64_t session, uint64_t account, const char *name,
                uint32_t role);
void conn_detach(struct hub *h, struct conn *c);  /* logged out; stays connected */
void conn_release(struct hub *h, struct conn *c); /* forgotten; the edge keeps it */
struct user *user_of(struct hub *h, uint64_t account);
bool session_is_on(struct hub *h, uint64_t session);
void user_changed(struct hub *h, struct user *u);
void user_free(struct user *u);
void conn_sweep(struct hub *h);    /* silent ones are closed, users long gone forgotten */
void people_expire(struct hub *h); /* tells those who watch what changed */
void hub_condemn(struct hub *h, struct conn *c);
/* Words, acts and knocks of an account share a token bucket. 0 or -ROOST_TOO_FAST. */
int speed_check(struct hub *h, struct request *q);

/* --- datagrams.c ----------------------------------------------------------------------- */

void datagrams_on_gone(struct hub *h, const struct conn *c); /* its connection of control is */
void datagrams_end(struct hub *h, uint64_t account, uint64_t only, uint64_t except);
void datagrams_expire(struct hub *h);
void datagrams_free_all(struct hub *h);
/* One that no session or relay has; of that worker, or of any (-1). */
int datagrams_draw_id(struct hub *h, int worker, uint32_t *ret);
/* What is given to who asks. */
struct datagrams_given {
    Roost__DatagramSession session; /* its bytes are below */
    uint8_t secret[DATAGRAMS_SECRET], token[DATAGRAMS_TOKEN];
    bool fresh; /* it is another than before, which is good for 2 s more */
};
/* The session of q's connection: the one to be kept if it fits, else another. Wipe it after. */
int datagrams_give(struct hub *h, struct request *q, uint32_t keep, int worker,
                   struct datagrams_given *ret);

/* --- media.c ------------------------------------------------------------------------------- */

/* The meeting changed, or may have: who may still take part, and what is forwarded. */
void media_on_meeting(struct hub *h, const struct room *r);
void media_on_gone(struct hub *h, const struct conn *c); /* it is in that meeting no more */
void media_on_sessions_end(struct hub *h, uint64_t account, uint64_t only, uint64_t except);
/* Of which worker this session's datagrams have to be; -1: of any. */
int media_worker(const struct hub *h, const struct request *q);
/* Its session of datagrams is another one now. */
void media_on_renewed(struct hub *h, uint64_t session, uint32_t was, uint32_t is);
void media_on_word(struct hub *h, const struct hub_leg_word *word);
void media_expire(struct hub *h);
void media_sweep(struct hub *h); /* once a second */
void media_free_all(struct hub *h);
/* What devices measured is with their attendees now, to be kept with them. */
void media_stats_note(struct hub *h, struct room *r);

/* --- files (file_live.c, file_keep.c, code.c) ------------------------------------------------- */

void files_expire(struct hub *h); /* parcels that nobody is at any more, codes that are over */
void files_retain(struct hub *h); /* what is kept no longer; once an hour */
void files_on_stored(struct hub *h, const struct store_result *r);
/* Tokens of account (0: of anybody) in the room, and what goes on by them, end; takes: only what is
 * sent there. */
void files_bar(struct hub *h, uint64_t account, uint64_t room, bool takes);
/* The account's sessions end: the one (0: all), but not `except`. */
void files_bar_sessions(struct hub *h, uint64_t account, uint64_t only, uint64_t except);
void files_account_gone(struct hub *h, uint64_t account);
void files_free_all(struct hub *h);
void codes_on_gone(struct hub *h, const struct conn *c);

/* --- relay.c ------------------------------------------------------------------------------- */

enum { RELAYS_MAX = 4096 };
/* A relay's number, until relays_end, and the token of each end. passes: see hub_datagrams.
 * -ROOST_UNSUPPORTED: nobody carries datagrams here; -ROOST_LIMIT, -ROOST_BUSY, -ROOST_NOMEM. */
int relays_new(struct hub *h, bool passes, uint32_t *ret_number,
               uint8_t ret_tokens[static 2][DATAGRAMS_TOKEN]);
void relays_end(struct hub *h, uint32_t number); /* 0, or none: nothing */
bool relays_token_side(const struct hub *h, uint32_t number, const uint8_t *token, size_t len,
                       uint8_t *ret_side);
void relays_free_all(struct hub *h);

/* --- retention.c ------------------------------------------------------------------------ */

void retention_init(struct hub *h);
void retention_expire(struct hub *h);
int64_t retention_deadline_us(const struct hub *h);
void retention_on_stored(struct hub *h, const struct store_result *r); /* a page of all rooms */

/* --- meetings (meet_change.c, meet_watch.c) ------------------------------------------------- */

void meet_on_attached(struct hub *h, struct room *r, uint64_t account, bool on);
void meetings_expire(struct hub *h);
int64_t meetings_deadline_us(const struct hub *h);
void meetings_on_stored(struct hub *h, const struct store_result *r); /* a page of live ones */

/* --- request.c, inside the framework ------------------------------------------------------ */

void request_begin(struct hub *h, struct conn *c, const uint8_t *body, size_t len);
/* What a handler returned: waits, or is over. */
void request_settle(struct hub *h, struct request *q, int outcome);
void request_refuse(struct hub *h, struct request *q, int err);
void request_free(struct hub *h, struct request *q);
void request_on_result(struct hub *h, struct request *q, struct store_result *r);
/* The hub's own: nobody is answered. NULL: there is no memory for it. */
struct request *request_internal(struct hub *h, const struct rule *rule);
