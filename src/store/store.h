/* store.h - what is kept: small, semantic operations, done in batches.
 *
 * The hub emits operations; whoever owns a store (the store thread in the
 * server, the simulator) collects what waits, and for each batch calls begin,
 * apply for every operation in order, and commit. Only after commit returned 0
 * are the results handed to the hub, in the same order; when it failed, every
 * result of the batch becomes -ROOST_NOT_STORED (store_result_fail).
 *
 * Rules that every implementation keeps (tests/unit/test_store.c runs the same
 * stories over all of them):
 *  - A request (op->req.has_id) is looked up first by (scope, id). Known with the
 *    same digest: nothing is done, result.dup = true and the first result's
 *    room, seq, at_ms, account are given with err 0. With another digest:
 *    -ROOST_CONFLICT. Otherwise it is written in the same transaction as the
 *    effect. Only done requests are remembered, not refused ones (a STORE_LOG with a
 *    request only asks whether it was done before). Requests are
 *    kept REQUEST_KEEP_MS.
 *  - A room's numbers start at 1 and have no holes; at_ms never goes back in a
 *    room (the larger of op->now_ms and the last one is taken).
 *  - Names are unique by their skeleton and their further looks together, over
 *    accounts and over rooms apart; open (not closed) rooms only. A constraint
 *    decides. Names are found by their skeleton.
 *  - op->log, if its kind is set, becomes a line of the log in the same
 *    transaction, with the outcome of the operation; also for a failed one and
 *    for a dup.
 *  - An operation that fails changes nothing (but its log line; and STORE_GUEST_NEW
 *    and STORE_MEET_FIND their counts).
 *  - op->owner_epoch below the room's is -ROOST_STALE_OWNER.
 *
 * Operations and results live in one arena each; strings and arrays in a result
 * belong to the result. An operation never outlives a handler's borrow: copy
 * into op->mem with arena_dup and arena_str.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "wire/event.h"

#define REQUEST_KEEP_MS (7 * 86400000LL)
#define EVERYONE_ROOM   1u /* made with the store: broadcasts; all accounts are in it */

enum {
    STORE_PAGE_MAX = 200, /* events, accounts, lines in one result */
    STORE_PINS_MAX = 50,
    UNREAD_MAX = 1000, /* counting stops here */
    GUARD_KEYS_MAX = 4,
    ROOM_MEMBERS_MAX = 10000,
    MEET_ATTENDEES_MAX = 2000, /* rows of one meeting: who came, also long ago */
    STORE_COUNTS_MAX = 2,
    FILES_OPEN_MAX = 500, /* parcels of one sender that are not over */
    STORE_GUARD_KEPT = 7, /* guards of this kind (GUARD_CODES) are not pushed out by others */
};

enum store_kind {
    /* --- accounts --- */
    /* account.{name,skeleton,looks,password,role}, secret = hash of an invitation or none; ->
     * account | NAME_TAKEN | INVITE_BAD. The invitation is used up and gives the role. */
    STORE_ACCOUNT_NEW = 1,
    /* account.id, or skeleton -> account_row | NO_SUCH_USER */
    STORE_ACCOUNT_FIND,
    /* account.id, account.password; secret = hash of a reset token, or none; ends all its
     * sessions but op->session -> ok | INVITE_BAD */
    STORE_ACCOUNT_PASSWORD,
    /* account.{id,role} -> ok | LAST_ADMIN | NO_SUCH_USER */
    STORE_ACCOUNT_ROLE,
    /* account.id: texts emptied, what it did in meetings has no data any more, name and skeleton
     * become "#id" for good, sessions, devices, memberships and marks go -> ok | LAST_ADMIN */
    STORE_ACCOUNT_DELETE,
    /* after, limit -> accounts[] */
    STORE_ACCOUNT_LIST,
    /* secret, account.role, until_ms, account.id = 0: invitation; account.id != 0: a reset for
     * it */
    STORE_INVITE_NEW,
    /* secret; skeleton: a reset for whom, or NULL for an invitation -> account (0) | INVITE_BAD.
     * It is not used up; whether it is good is decided again when it is. */
    STORE_INVITE_FIND,
    /* account.id, peer, on */
    STORE_IGNORE,
    /* --- sessions --- */
    /* skeleton, device, keys[] -> account_row (id 0 if none), known_device, guards[] */
    STORE_LOGIN_FIND,
    /* session.*, account.id -> session.id; the device becomes known for the account; keys[] are
     * cleared */
    STORE_SESSION_NEW,
    /* secret = hash of the token, device, next_secret -> session, account_row, ignored[] |
     * SESSION_OVER. secret may be the current one, or the previous one within 60 s of its
     * rotation; then next_secret becomes current (and the one presented previous). */
    STORE_SESSION_RESUME,
    /* session.id, account.id (0 = anyone's) -> account | NO_SUCH_SESSION */
    STORE_SESSION_END,
    /* account.id (0 = all), after, limit -> sessions[] */
    STORE_SESSION_LIST,
    /* guards[]: counters of failed logins are written; n == 0 deletes */
    STORE_GUARD_PUT,
    /* -> guards[] */
    STORE_GUARD_LIST,
    /* --- rooms --- */
    /* room.*, members[] (the first is its owner); first events: EVENT_ROOM then one EVENT_MEMBER
     * each -> room, seq (head), at_ms | NAME_TAKEN */
    STORE_ROOM_NEW,
    /* skeleton -> room | NO_SUCH_ROOM (closed ones are not found) */
    STORE_ROOM_FIND,
    /* account.id, peer -> room: the direct room of the two, made if there is none */
    STORE_ROOM_DIRECT,
    /* room.id -> room_row, members[] (banned ones too), pins; of a meeting also meet and
     * attendees[] (all, by account), live or not | NO_SUCH_ROOM */
    STORE_ROOM_LOAD,
    /* account.id, mine -> room_places[]: rooms that it is in (direct and everyone's too), and
     * unless mine the public ones; account.id = 0: all, after, limit */
    STORE_ROOM_LIST,
    /* event -> seq, at_ms. Effects by kind, in the same transaction: EDIT, DELETE, REACT, PIN:
     * ref must be a text that was not deleted, else NO_SUCH_MESSAGE (deleting again: ALREADY);
     * op->own: its author must be event.from, else NOT_ALLOWED. MEMBER: membership rows. ROOM:
     * the room row; closed frees the name. */
    STORE_APPEND,
    /* account.id, room.id, delivered, read: only forward -> the new values */
    STORE_MARK,
    /* account.id, room.id, on */
    STORE_ROOM_MUTE,
    /* --- reading --- */
    /* room.id, account.id (for `mine` in reactions), after/before/around/since_ms/last/unread,
     * limit -> events[], more, head. Texts as they are now (edited, deleted); edits that were
     * followed by another, and texts of deleted ones, are emptied. */
    STORE_READ,
    /* account.id, words, room.id (0 = all rooms it is in), since_ms, limit -> events[] newest
     * last; edited texts are found by their new words only, deleted ones not at all */
    STORE_SEARCH,
    /* room.id, seq -> events[]: the text and all its edits as they were written */
    STORE_EARLIER,
    /* only op->log */
    STORE_LOG,
    /* after, since_ms, skeleton, words = kind, limit -> lines[], more */
    STORE_LOG_READ,
    /* room.id, before_ms: texts older than that go, with their edits and reactions; also old
     * requests, sessions unused for 90 days, guards and invitations that are over. room.id = 0:
     * also guests who never joined anything and have not been on for a day; and of meetings
     * that ended 30 days ago, those guests who left no event and no direct room. */
    STORE_RETAIN,
    /* --- meetings --- */
    /* account.{name,looks,guest_of}, skeleton of the name, session.*, counts[] -> account_row,
     * session.id (also in seq): a guest (an account row that no name finds, with a session)
     * | GUESSES (a count is at its limit; else each is one more, whatever comes of it)
     * | MEET_ENDED (guest_of is no live meeting) | NAME_TAKEN (an account has this name or one
     * like it; guests may share names) | MEET_FULL (4,000 guests are of that meeting; of those
     * who are of none yet the first goes instead) */
    STORE_GUEST_NEW,
    /* account.id, room.{name,topic,retention_days}, meet.{bound_room,code,until_ms,forget,data},
     * members[] (the host), attendees[], event (EVENT_MEET), counts[] -> room_row, seq, at_ms
     * | NO_SUCH_USER | ALREADY (account.id is a guest and is of a meeting) | GUESSES (a count is
     * at its limit; else each is one more when the meeting is made) | CODE_TAKEN (a live meeting
     * has it) | NAME_TAKEN. A private room of the kind MEETING, that no name finds; the event
     * is its first. Of a guest, guest_of becomes the room. What is packed in data cannot know
     * the room's number yet. */
    STORE_MEET_NEW,
    /* words = code, account.id (0: none), counts[] -> room, head, meet, meet_role: of a live
     * meeting whose code has not expired at now_ms. | NO_SUCH_MEETING, and each of counts[] is
     * one more | GUESSES: one of them is at its limit. A code that is
     * found counts nothing, and is no guess of an account that has a row there or is a guest of
     * it: it is found at the limit too. room.id instead of a code: that meeting, expired or ended
     * too (meet.live says), nothing is counted. */
    STORE_MEET_FIND,
    /* room.id, room.name (NULL = as it is), owner_epoch, meet (its data, until_ms, forget, live;
     * code NULL = as it is), attendees[] (written over those with the same account), members[]
     * (banned = true: no member any more; else one is, with that role), and event (EVENT_MEET)
     * if its kind is set (else seq is 0) -> room, seq, head, at_ms | NO_SUCH_ROOM
     * | NO_SUCH_MEETING (the room is none) | ROOM_CLOSED (it is not live any more) | CODE_TAKEN
     * | NAME_TAKEN (two present with one skeleton, as all stand afterwards) | MEET_FULL.
     * Attendees and members whose accounts are gone are passed over. Who becomes a member has
     * read all up to this. meet.live = false: the code is free, the room is closed, nobody is
     * present, sessions of guests of this meeting end, and direct rooms with them are closed;
     * meet.forget too: all texts of the room go, and its members; its guests are in no direct room
     * any more, and notes that only they could read go. */
    STORE_MEET_CHANGE,
    /* account.id: live meetings where it has a row, or whose bound room it is in; account.id =
     * 0: all live ones (expired ones too); after, limit -> meets[] by number, more */
    STORE_MEET_LIST,
    /* account.id, peer, event (EVENT_TEXT; its room is not known yet): appended to the direct
     * room of the two, made if there is none -> room, seq, head, at_ms | NO_SUCH_USER
     * | ROOM_CLOSED */
    STORE_MEET_NOTE,
    /* --- files --- */
    /* file (all but id, stage, times), room.id, account.id = its sender, counts of bytes
     * quota_user, quota_room (0: none), event (EVENT_FILE, for contents that are there) -> file;
     * its number is `account` too, for a request that is asked again | QUOTA | LIMIT
     * (FILES_OPEN_MAX of its sender go on) | ROOM_CLOSED | NO_SUCH_ROOM. `on`: kept contents with
     * this root and list are there and the sender could read them (mine: sent them itself): it is
     * DONE, event was appended -> seq, at_ms (unread: they are not looked for). `more`: its sender
     * was sending the very same there already: that one.
     */
    STORE_FILE_NEW,
    /* file.id, account.id -> file, on: may read what is kept in its room, meet_role: its role
     * there, room_row.closed | NO_SUCH_FILE */
    STORE_FILE_FIND,
    /* file.id, file.stage; mine: got by account.id, if it is for it (stage as it is) -> file, on:
     * no kept file has its contents any more | NO_SUCH_FILE | FILE_OVER (DONE is followed by
     * FORGOTTEN only, and what is over by nothing; FORGOTTEN is for kept ones) */
    STORE_FILE_SET,
    /* file.{id,size,root,list_root,until_ms}, quotas, event: it is kept: DONE; event (EVENT_FILE;
     * its ref becomes the file's number) is appended -> file, room, seq, at_ms | FILE_OVER | QUOTA
     * | ROOM_CLOSED */
    STORE_FILE_KEEP,
    /* room.id: kept there and whole, its event not before seq; account.id: what it sends or is
     * offered and is not over, and what is kept for it and was not got; neither: all that are kept
     * and whole; after, limit -> files[] by number, more, used (bytes kept of account.id's or, with
     * room.id, of the room's) */
    STORE_FILE_LIST,
    /* before_ms: kept ones whose until_ms is over at now_ms are FORGOTTEN, those offered before
     * before_ms and not over are CANCELLED -> files[] (limit), more */
    STORE_FILE_EXPIRE,
    /* file.{root,list_root} -> file (those), on: no kept file has these contents */
    STORE_FILE_LOOSE,
};

struct store_request {
    bool has_id;
    uint64_t scope; /* account; 0 = registration and login */
    uint8_t id[16], digest[16];
};

/* What the log says of it. kind NULL: nothing. */
struct store_log {
    const char *kind, *target, *address;
    uint64_t account; /* 0: whose account it was about, as the result says (a login, a resume) */
    int outcome;      /* STORE_LOG: what the hub refused with; else the operation's own result */
};

struct account_row {
    uint64_t id;
    const char *name, *skeleton, *password; /* password: argon2's encoded form */
    const char *looks; /* only of a new one: further looks, '\n' after each; or NULL */
    uint32_t role;     /* Roost__Role */
    int64_t created_ms;
    uint32_t sessions; /* only in lists */
    bool deleted;
    bool guest;        /* no account: lists of accounts leave it out, the room of all too; it has
                        * no password, role or further sessions (NO_SUCH_USER) */
    uint64_t guest_of; /* the meeting; 0: it has not made its own yet */
};

struct session_row {
    uint64_t id, account;
    uint8_t device[32]; /* hash of the device's secret */
    uint8_t token[32];  /* hash of the resume token */
    const char *device_name, *address, *account_name;
    int64_t created_ms, used_ms;
};

/* A counter of failed logins; what it means is src/hub/guard.c's. */
struct guard_row {
    uint8_t key[32];
    uint32_t kind;
    const char *name, *source; /* for admins */
    uint32_t n;                /* failures in the window, or members of a set; 0 = clear */
    uint32_t strikes;          /* blocks so far */
    int64_t since_ms, until_ms;
};

struct room_row {
    uint64_t id;
    uint32_t kind; /* Roost__RoomKind */
    const char *name, *skeleton, *topic;
    const char *looks; /* as an account's */
    bool private, moderated, closed;
    uint32_t retention_days;
    uint64_t head, first;
    int64_t last_ms;
};

struct member_row {
    uint64_t account;
    const char *name;
    uint32_t role; /* Roost__RoomRole */
    bool banned;   /* then not a member */
    bool guest, muted;
    uint64_t delivered, read;
};

/* A meeting: its room, and what the rules know of it (data: a packed KeptMeeting; the
 * store does not look inside). */
struct meet_row {
    uint64_t room, bound_room;
    const char *code;
    int64_t until_ms; /* after that the code opens nothing; 0: never */
    bool live, forget;
    const uint8_t *data;
    size_t n_data;
};

/* Somebody who came, or wants to (data: a packed KeptAttendee). */
struct attendee_row {
    uint64_t account;
    const char *skeleton; /* while present: unique in the meeting; NULL: not present */
    const uint8_t *data;
    size_t n_data;
    bool gone;        /* MEET_CHANGE: there is to be no such row */
    const char *name; /* given for a guest, who has no other: what direct rooms are called after it
                       * from now on; NULL: as before */
};

/* Bounded and approximate counting: n within the window that began with the first. Kept
 * as a guard_row of that kind, until_ms is the end of the window; then it begins anew. */
struct store_count {
    uint8_t key[32];
    uint32_t kind, limit; /* at the limit: refused */
    int64_t window_ms;
    const char *source; /* for admins */
};

/* A parcel: Roost__FileInfo says what is what. */
struct file_row {
    uint64_t id, room, sender, peer, size, list_size, seq;
    uint32_t kind, files, stage; /* Roost__ParcelKind, Roost__FileStage */
    bool open_size, kept, has_root, has_list, got;
    uint8_t root[32], list_root[32];
    int64_t made_ms, done_ms, until_ms;
    uint32_t mode; /* of a single file, and when it was changed; 0: not told */
    uint64_t mtime_s;
    const char *name, *sender_name, *peer_name;
    const char *shown; /* what a meeting called its sender, kept in sender_name's place; "", NULL:
                        * its own name */
};

struct room_place {
    struct room_row room;
    bool member, muted;
    uint32_t role, members, unread, mentions;
    uint64_t read;
    uint64_t peer; /* direct: the other one */
    const char *peer_name;
    const uint64_t *pins;
    size_t n_pins;
};

struct log_line {
    uint64_t n, account;
    int64_t at_ms;
    const char *name, *kind, *target, *address;
    int outcome;
};

struct store_op {
    enum store_kind kind;
    uint32_t refs;
    uint64_t token; /* the hub's; comes back in the result */
    struct arena mem;
    int64_t now_ms;
    uint64_t owner_epoch;
    bool patient; /* may wait a moment for company, so that a commit is shared */
    struct store_request req;
    struct store_log log;

    /* Each kind says above which of these it reads. */
    struct account_row account;
    struct session_row session;
    struct room_row room;
    struct event event;
    uint64_t peer;
    const char *skeleton, *words;
    bool has_secret;
    uint8_t secret[32], next_secret[32], device[32];
    const struct member_row *members;
    size_t n_members;
    const struct guard_row *guards; /* GUARD_PUT */
    size_t n_guards;
    uint8_t keys[GUARD_KEYS_MAX][32]; /* LOGIN_FIND, SESSION_NEW */
    size_t n_keys;
    struct meet_row meet;
    const struct attendee_row *attendees;
    size_t n_attendees;
    struct store_count counts[STORE_COUNTS_MAX];
    size_t n_counts;
    struct file_row file;
    uint64_t quota_user, quota_room;
    uint64_t after, before, around, seq, delivered, read;
    int64_t since_ms, until_ms, before_ms;
    uint32_t limit;
    bool on, mine, last, unread, own;
};

struct store_result {
    enum store_kind kind;
    uint64_t token;
    struct arena mem;
    int err; /* 0 or -ROOST_… */
    bool dup;
    uint64_t room, seq, account, head;
    int64_t at_ms;

    struct account_row account_row;
    struct session_row session;
    bool known_device;
    bool token_stays; /* SESSION_RESUME that could not be written: the presented token is good */
    struct room_row room_row;
    struct account_row *accounts;
    size_t n_accounts;
    struct session_row *sessions;
    size_t n_sessions;
    struct guard_row *guards;
    size_t n_guards;
    struct member_row *members;
    size_t n_members;
    struct room_place *places;
    size_t n_places;
    struct event *events;
    size_t n_events;
    struct log_line *lines;
    size_t n_lines;
    struct meet_row meet; /* MEET_FIND; ROOM_LOAD of a meeting */
    struct meet_row *meets;
    size_t n_meets;
    struct attendee_row *attendees; /* ROOM_LOAD of a meeting */
    size_t n_attendees;
    uint32_t meet_role; /* MEET_FIND: account's role in the bound room, plus 1; 0: not in it.
                         * FILE_FIND: in the room of the file */
    int64_t retry_ms;   /* GUESSES: from now until the last full window ends */
    struct file_row file;
    struct file_row *files;
    size_t n_files;
    uint64_t used;
    bool on;
    uint64_t *ids; /* ignored accounts, or pins */
    size_t n_ids;
    uint64_t delivered, read;
    bool more;
};

struct store_op *store_op_new(enum store_kind kind, int64_t now_ms);
struct store_op *store_op_ref(struct store_op *op);
struct store_op *store_op_unref(struct store_op *op);

struct store_result *store_result_new(const struct store_op *op);
void store_result_free(struct store_result *r);
/* The batch was lost: empties the result and sets err. */
void store_result_fail(struct store_result *r, int err);

/* How it is with the disk. Unless it is fine, batches only read: what changes something
 * is refused (-ROOST_FULL, -ROOST_NOT_STORED, -ROOST_IO), what reads is answered, and
 * nothing is written to the log. */
enum store_health {
    STORE_FINE,
    STORE_NO_ROOM,   /* the disk is full */
    STORE_READ_ONLY, /* it cannot be written */
    STORE_BROKEN,    /* writing or reading failed */
    STORE_DAMAGED,   /* what is there is not what was written */
};

/* One implementation: SQLite (sqlite.h) or memory (memory.h). Used by one thread. */
struct store {
    const struct store_ops *ops;
};

struct store_ops {
    int (*begin)(struct store *s);
    /* Does one operation; returns the result, or NULL when out of memory (then
     * the batch must be rolled back). */
    struct store_result *(*apply)(struct store *s, const struct store_op *op);
    int (*commit)(struct store *s); /* 0, or -ROOST_NOT_STORED, -ROOST_FULL; rolled back then */
    void (*rollback)(struct store *s);
    void (*free)(struct store *s);
    /* Both NULL: it is always fine. ret_why (or NULL) borrows from the store. */
    enum store_health (*health)(const struct store *s, const char **ret_why);
    /* Not fine: tries whether it can be written again; a damaged one cannot. */
    void (*probe)(struct store *s, int64_t now_ms);
};
