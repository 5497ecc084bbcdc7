/* roost.h - the client library: one connection of one user to one server.
 *
 *     struct roost_options o = { .server = "hall.example:5000", .trust = ask };
 *     struct roost *r;
 *     struct roost_event e;
 *
 *     if (roost_open(&r, &o))
 *         ...
 *     roost_session_login(r, "anna", password);
 *     roost_message_say(r, "#maths", "hello", 0, false);
 *     while (roost_wait(r, -1) >= 0)
 *         while (roost_next(r, &e))
 *             show(&e);
 *
 * Everything is asynchronous. A request function returns a number above 0, and
 * later an event with that number in `request` says how it went; or it returns
 * the negative of an error, and nothing was sent. A request that was accepted is
 * kept until it is answered and sent again after a lost connection; one that
 * changes something is still done exactly once. Connecting, resuming a session,
 * keep-alive and reconnecting happen by themselves.
 *
 * Any loop can drive it: poll roost_fd() for roost_wants(), at the latest until
 * roost_deadline_ms(), call roost_process(), then pull with roost_next(). A
 * program that has nothing else to do calls roost_wait() or roost_await().
 *
 * Memory: strings given to a function are copied. What an event points to is
 * valid until the next roost_next() or roost_await() of the same handle.
 * Strings are UTF-8 and never NULL in an event. Times are milliseconds since
 * 1970 UTC. What others wrote may hold control characters: neutralise them
 * before they reach a terminal.
 *
 * Threads: a handle belongs to one thread at a time; different handles are
 * independent. The library installs no signal handlers; it writes to sockets
 * without raising SIGPIPE. examples/tiny.c is a whole client.
 */
#ifndef ROOST_H
#define ROOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roost_admin.h"
#include "roost_error.h"
#include "roost_file.h"
#include "roost_meet.h"
#include "roost_voice.h"

#ifdef __cplusplus
extern "C" {
#endif

struct roost;
struct roost_event;

/* ---- opening -------------------------------------------------------------- */

enum { ROOST_PORT = 5000 };

/* A server showed a certificate that neither a certificate authority of this
 * system nor a pin of this home vouches for. */
struct roost_trust {
    const char *server;      /* "hall.example:5000" */
    const char *fingerprint; /* SHA-256 of the certificate: "ab:cd:..." */
    const char *pinned;      /* the one that was accepted before, or NULL: never seen */
    const char *pin_file;    /* where pins are kept, one "SERVER FINGERPRINT" a line */
};

enum roost_trust_answer {
    ROOST_TRUST_NO,   /* the connection is refused; the handle stops (ROOST_OVER) */
    ROOST_TRUST_YES,  /* pinned from now on */
    ROOST_TRUST_LATER /* ROOST_ASKING; go on with roost_trust_answer() */
};

/* All members may be left zero but `server` (unless the home remembers one). */
struct roost_options {
    const char *server; /* HOST, HOST:PORT or [V6]:PORT; NULL: where the last login was */
    const char *user;   /* whose saved session is resumed; NULL: the last one on this server */
    const char *guest;  /* a meeting's code: the session is that of a guest of this name (user);
                           "": of one who is to start a meeting. See roost_meet.h */
    const char *home;   /* NULL: $ROOST_HOME, $XDG_DATA_HOME/roost or ~/.local/share/roost */
    const char *device_name; /* shown in lists of sessions; NULL: the name of this machine */
    const char *program;     /* NULL: "libroost VERSION" */
    bool alone;              /* no server at all: for transfers nearby */
    bool no_resume;          /* do not use a saved session: a fresh login is to come */
    bool once;               /* stop (ROOST_OVER) when the first connection cannot be made */
    int64_t patience_ms;     /* stop after so long without a connection; 0: never */
    /* A changed certificate is refused unless this is its fingerprint. */
    const char *accept_fingerprint;
    /* Asked for a certificate that was never seen; never for a changed one,
     * which is always refused. NULL: nothing unknown is accepted. */
    enum roost_trust_answer (*trust)(void *arg, const struct roost_trust *question);
    void *trust_arg;
    /* To study what passes, or NULL: a file of the datagrams as they are on the wire, in pcap
     * format, and one that the keys are added to. Who has the second can read everything. */
    const char *pcap, *key_log;
    const char
        *link; /* datagrams go through a modelled link like this: see roost lab link; or NULL */
};

/* Opens the home and starts to connect. 0, or the negative of an error:
 * ROOST_E_INVALID (no server given or remembered, a name that is none),
 * ROOST_E_IO (the home cannot be written), ROOST_E_NOMEM. */
int roost_open(struct roost **ret_r, const struct roost_options *o);
/* Closes at once; what was not answered may or may not have been done. A saved
 * session stays good. NULL is fine. */
void roost_close(struct roost *r);

int roost_trust_answer(struct roost *r, bool accept);

const char *roost_server(const struct roost *r); /* "host:port" as pins have it */
const char *roost_user(const struct roost *r);   /* of the session; "" before */
const char *roost_home(const struct roost *r);
/* In words for people, after a failed call of this thread of roost_open(). */
const char *roost_problem(void);

/* ---- driving ---------------------------------------------------------------- */

enum { ROOST_READ = 1, ROOST_WRITE = 2 };

int roost_fd(const struct roost *r);    /* ask each time: it changes; -1: none now */
int roost_wants(const struct roost *r); /* of ROOST_READ, ROOST_WRITE */
/* Milliseconds until roost_process() is to be called even if nothing happens on
 * the fd; 0 = now (also when an event waits), -1 = no need. */
int64_t roost_deadline_ms(const struct roost *r);
/* Does what can be done without blocking. 0, or -ROOST_E_NOMEM. */
int roost_process(struct roost *r);
/* The next event; false: none now. */
bool roost_next(struct roost *r, struct roost_event *ret_event);

/* Blocks until an event waits (1), the time is over (0; -1 = no limit), a signal
 * came (0), or for ever nothing will (-ROOST_E_CLOSED, after ROOST_OVER). */
int roost_wait(struct roost *r, int64_t timeout_ms);
/* Blocks until this request is answered and gives that event, whose kind is then
 * ROOST_REPLY or ROOST_REFUSED; other events stay for roost_next(). 1, 0 when
 * the time is over (the request goes on), -ROOST_E_LIMIT when too many other
 * events wait, -ROOST_E_INVALID when there is no such request. */
int roost_await(struct roost *r, int64_t request, struct roost_event *ret_event,
                int64_t timeout_ms);
/* Its answer is not wanted any more; it may have been done. */
void roost_cancel(struct roost *r, int64_t request);

/* ---- errors ------------------------------------------------------------------ */

struct roost_error {
    int code;                /* roost_error.h; a newer server may send one that is not listed */
    const char *name;        /* "not-member" */
    const char *text;        /* what is wrong */
    const char *advice;      /* what to do */
    uint64_t retry_after_ms; /* 0: trying again later does not help */
};

/* The words of a code, of either sign; always valid, never NULL. */
struct roost_error roost_error_get(int code);

/* ---- what events hold ----------------------------------------------------------- */

enum roost_room_role { ROOST_MEMBER = 0, ROOST_ROOM_MODERATOR = 1, ROOST_OWNER = 2 };
enum roost_room_kind { ROOST_ROOM = 0, ROOST_DIRECT = 1, ROOST_EVERYONE = 2, ROOST_MEETING = 3 };

/* Life of a connection.
 *
 *   CONNECTING -> LOGIN -> READY          no saved session: roost_session_login()
 *   CONNECTING -> READY                   a saved session was resumed
 *   any -> LOST -> CONNECTING             by itself
 *   any -> OVER                           stopped; a login starts again
 */
enum roost_state {
    ROOST_CONNECTING,
    ROOST_ASKING, /* the trust callback answered ROOST_TRUST_LATER */
    ROOST_LOGIN,  /* connected; only registering and logging in is possible */
    ROOST_READY,  /* logged in */
    ROOST_LOST,   /* the next try is in retry_ms */
    ROOST_OVER,   /* error says why; code 0 after a logout */
};

struct roost_status {
    enum roost_state state;
    bool resumed;                    /* ROOST_READY without a password */
    struct roost_error error;        /* ROOST_LOST, ROOST_OVER; code 0: none */
    const char *detail;              /* "connection refused", the changed certificate, ... or "" */
    int64_t retry_ms;                /* ROOST_LOST: from now */
    const struct roost_trust *trust; /* ROOST_ASKING, or refused because of it; else NULL */
    /* ROOST_LOGIN, ROOST_READY: the server */
    const char *program, *registration; /* "open", "invite", "admin" */
    bool logs_private_text;
    uint32_t text_max;
    uint8_t server_id[16];
    /* ROOST_READY: who one is */
    uint64_t account, session;
    const char *name;
    enum roost_role role;
    bool guest;
};

/* What happened in a room: the one thing that is numbered, kept and read later. */
enum roost_what {
    ROOST_TEXT,       /* text, reply_to, action, mentions; read later also edit_seq, deleted,
                         reactions */
    ROOST_EDITED,     /* ref, text, mentions */
    ROOST_DELETED,    /* ref */
    ROOST_REACTED,    /* ref, text = the emoji, off = taken back */
    ROOST_MEMBERSHIP, /* who, who_name, change, role */
    ROOST_ROOM_SET,   /* room_name, topic in text, private, moderated, closed, ... */
    ROOST_PINNED,     /* ref, off = taken down */
    ROOST_MET,        /* met: in a meeting */
    ROOST_FILED,      /* file: it is kept, whole; text = its name */
    ROOST_UNKNOWN,    /* of a newer server */
};
enum roost_change {
    ROOST_CHANGE_JOINED,
    ROOST_CHANGE_LEFT,
    ROOST_CHANGE_INVITED, /* and is a member from now on */
    ROOST_CHANGE_REMOVED,
    ROOST_CHANGE_BANNED,
    ROOST_CHANGE_UNBANNED,
    ROOST_CHANGE_ROLE
};
struct roost_reaction {
    const char *emoji;
    uint32_t count;
    bool mine;
};
struct roost_message {
    uint64_t room, seq;
    uint64_t at_ms;
    uint64_t sender; /* account; 0: the server */
    const char *sender_name;
    bool own;    /* said by this account */
    bool hidden; /* said by somebody whom one ignores */
    bool mentions_me;
    enum roost_what what;
    const char *text;
    uint64_t ref;      /* number of the message concerned */
    uint64_t reply_to; /* 0: none */
    bool action;       /* "/me waves" */
    bool off;
    const uint64_t *mentions; /* accounts */
    size_t n_mentions;
    uint64_t edit_seq; /* the event that edited it last; 0: as it was said */
    bool deleted;
    const struct roost_reaction *reactions;
    size_t n_reactions;
    uint64_t who;
    const char *who_name;
    enum roost_change change;
    enum roost_room_role role;
    const char *room_name;
    bool private_, moderated, closed, created;
    uint32_t retention_days;
    struct roost_met met;
    const struct roost_file *file; /* ROOST_FILED */
};

struct roost_person {
    uint64_t account;
    const char *name;
    uint64_t since_ms, idle_ms;
    const char *away; /* "": here */
    bool self;
    uint32_t sessions;            /* 0: went off */
    const char *const *addresses; /* for admins only */
    size_t n_addresses;
    enum roost_role role;
    const char *typing; /* name of the room, or "" */
};

struct roost_room {
    uint64_t room;
    enum roost_room_kind kind;
    const char *name; /* without "#"; a direct room: the other one's name */
    const char *topic;
    bool private_, moderated, closed;
    bool member, muted;
    uint32_t members;
    enum roost_room_role role;
    uint64_t head, first; /* newest and oldest number */
    uint64_t read;
    uint32_t unread; /* 1000: that many or more */
    uint32_t mentions;
    uint32_t retention_days; /* 0: for ever */
    const uint64_t *pins;
    size_t n_pins;
    uint64_t last_ms;
    uint64_t peer; /* a direct room: the other one's account */
};

struct roost_member {
    uint64_t account;
    const char *name;
    enum roost_room_role role;
    bool on, banned;
    uint64_t delivered, read;
};

struct roost_session {
    uint64_t session;
    const char *device_name;
    uint64_t created_ms, used_ms;
    bool on, own;
    const char *address;
    const char *name;   /* of the account; for admins */
    const char *bearer; /* of one's own: opens over HTTPS what the session may read; a secret */
};

/* ---- replies and events ------------------------------------------------------------- */

/* What a reply holds is told by `reply`. */
enum roost_reply_kind {
    ROOST_DONE,      /* done */
    ROOST_ME,        /* me */
    ROOST_SESSIONS,  /* sessions, n */
    ROOST_PEOPLE,    /* people, n */
    ROOST_ROOMS,     /* rooms, n, more */
    ROOST_MEMBERS,   /* members, n, more, done.room */
    ROOST_PAGE,      /* messages, n, more: oldest first */
    ROOST_VERSIONS,  /* messages, n: earlier texts */
    ROOST_ANSWER,    /* text */
    ROOST_USERS,     /* users, n, more */
    ROOST_BLOCKS,    /* blocks, n */
    ROOST_LOG,       /* lines, n, more */
    ROOST_TOKEN,     /* text, until_ms */
    ROOST_FOLLOWED,  /* done.room, done.seq: all up to it has been given as ROOST_MESSAGE; the rest
                        comes as it happens */
    ROOST_LOGGED_IN, /* a ROOST_STATUS event with ROOST_READY came before it */
    ROOST_TICKET,    /* ticket */
    ROOST_MEETINGS,  /* meetings, n, more */
    ROOST_WORK,      /* work */
    ROOST_STATS,     /* stats, n */
    ROOST_FILES,     /* files, n, more, used, quota */
    ROOST_FIGURES,   /* devices, n, more */
};

struct roost_reply {
    enum roost_reply_kind reply;
    struct {
        uint64_t room, seq, at_ms, account; /* 0 where it does not apply */
    } done;
    struct {
        uint64_t account, session, created_ms;
        const char *name, *address;
        enum roost_role role;
    } me;
    const struct roost_session *sessions;
    const struct roost_person *people;
    const struct roost_room *rooms;
    const struct roost_member *members;
    const struct roost_message *messages;
    const struct roost_account *users;
    const struct roost_block *blocks;
    const struct roost_log_line *lines;
    const struct roost_meeting *meetings;
    struct roost_ticket ticket;
    struct roost_work work;
    const struct roost_stat *stats;
    const struct roost_file *files;
    const struct roost_device_figures *devices;
    uint64_t used, quota; /* bytes that the server keeps for oneself; 0: without limit */
    size_t n;             /* items of the list that is set */
    bool more;            /* there is a next page */
    const char *text;
    uint64_t until_ms;
    int64_t took_ms; /* from the sending to the answer: what a ping shows */
};

/* How datagrams travel. */
enum roost_way { ROOST_WAY_NONE, ROOST_WAY_UDP, ROOST_WAY_TUNNEL };

struct roost_path {
    enum roost_way way;
    bool refused;                      /* this server has none */
    uint32_t changes;                  /* of the way */
    uint64_t asked, answered;          /* roost_path_ping */
    int64_t least_us, most_us, sum_us; /* of those that were answered */
    uint32_t mtu;                      /* bytes of a datagram that UDP carries */
    uint8_t observed[16];              /* where the server sees us, by UDP */
    uint8_t observed_len;              /* 4, 16, or 0: not known */
    uint16_t observed_port;
};

enum roost_event_kind {
    ROOST_STATUS,  /* status */
    ROOST_REPLY,   /* request, reply */
    ROOST_REFUSED, /* request, error */
    ROOST_MESSAGE, /* message: something happened in a room that is followed; each once, in order */
    ROOST_PEOPLE_CHANGED, /* people, n_people: after roost_people_watch() */
    ROOST_TYPING,         /* typing */
    ROOST_ROOM_CHANGED,   /* room, gone: one's own place in a room changed */
    ROOST_RECEIPT,        /* receipt */
    ROOST_NOTICE,         /* notice: the server's words to its users */
    ROOST_LOG_LINE,       /* log_line: after roost_admin_log() with follow */
    ROOST_TICKET_AGAIN,   /* ticket: the place in a meeting was taken again, or after waiting */
    ROOST_MEET_NOW,       /* meet: one's own place changed: you, action, text */
    ROOST_MEET_LOBBY,     /* meet: how those stand who wait: attendees */
    ROOST_MEET_HERE,      /* meet: who is connected, or not: attendees */
    ROOST_MEET_REACTED,   /* meet: account, name, text = the emoji */
    ROOST_PATH,           /* path: datagrams go another way now, or there are none */
    ROOST_PONG,           /* pong: the answer to roost_path_ping, or that none came */
    ROOST_FILE_OFFERED,   /* file: somebody offers it; or it is kept: whole, or (WAITING) still
                           * coming, and can be had as it comes */
    ROOST_FILE_CHANGED,   /* file, changed: how an offer, sent or got, stands now */
    ROOST_TRANSFER_BYTES, /* bytes: after roost_transfer_fetch */
    ROOST_TRANSFER,       /* transfer: one of this handle moved on; see roost_file.h */
    ROOST_VOICE,          /* voice: see roost_voice.h */
};

struct roost_event {
    enum roost_event_kind kind;
    int64_t request; /* 0: not an answer */
    union {
        struct roost_status status;
        struct roost_reply reply;
        struct roost_error error;
        struct roost_message message;
        struct {
            const struct roost_person *people;
            size_t n_people;
        };
        struct {
            uint64_t room, account;
            const char *name;
        } typing;
        struct {
            struct roost_room room;
            bool gone;
        };
        struct {
            uint64_t room, account, delivered, read;
        } receipt;
        struct {
            const char *text;
            bool going_down;
        } notice;
        struct roost_log_line log_line;
        struct roost_ticket ticket;
        struct roost_meet_push meet;
        struct roost_path path;
        struct {
            enum roost_way way;
            int64_t took_us; /* -1: it is lost */
        } pong;
        struct {
            struct roost_file file; /* CHANGED: all but the numbers may be empty */
            struct {
                enum roost_file_stage stage;
                uint64_t account, session; /* who did it; 0: the server */
            } changed;
        };
        struct roost_transfer transfer;
        struct roost_voice_event voice;
        struct {
            int64_t number;
            uint64_t at;
            const uint8_t *bytes;
            size_t n; /* 0: they cannot be read */
        } bytes;
    };
};

/* ---- requests: account and sessions --------------------------------------------------- */

/* Each returns a request number above 0, or -ROOST_E_INVALID (an argument that
 * cannot be), -ROOST_E_TOO_LONG (does not fit a frame), -ROOST_E_LIMIT (too many
 * wait), -ROOST_E_NOMEM, -ROOST_E_CLOSED (after ROOST_OVER). Made while there is
 * no connection it waits for one; without a session it is refused with
 * login-needed. The reply is ROOST_DONE where nothing else is said.
 *
 * A target is "#room", "@user", "*" (everyone), or a room's number: "17". */

int64_t roost_account_register(struct roost *r, const char *name, const char *password,
                               const char *invite); /* invite may be NULL */
int64_t roost_session_login(struct roost *r, const char *name,
                            const char *password); /* LOGGED_IN */
int64_t roost_session_logout(struct roost *r);
int64_t roost_session_list(struct roost *r); /* SESSIONS */
int64_t roost_session_end(struct roost *r, uint64_t session);
int64_t roost_account_whoami(struct roost *r); /* ME */
int64_t roost_account_passwd(struct roost *r, const char *old_password, const char *new_password);
int64_t roost_account_delete(struct roost *r, const char *password);
int64_t roost_account_reset(struct roost *r, const char *name, const char *reset,
                            const char *new_password);

/* ---- requests: people ------------------------------------------------------------------- */

/* Lists come in pages: while the reply says `more`, ask again after the last one's number. */
int64_t roost_people_who(struct roost *r, uint64_t after_account); /* PEOPLE */
int64_t roost_people_watch(struct roost *r, bool on);
int64_t roost_people_ignore(struct roost *r, const char *user, bool on);
int64_t roost_people_away(struct roost *r, const char *text); /* "": back; outlives a connection */
int64_t roost_people_typing(struct roost *r, const char *target);

/* ---- requests: talk ------------------------------------------------------------------- */

/* done.room and done.seq are the message's number, done.at_ms its time. */
int64_t roost_message_say(struct roost *r, const char *target, const char *text, uint64_t reply_to,
                          bool action);
int64_t roost_message_edit(struct roost *r, uint64_t room, uint64_t seq, const char *text);
int64_t roost_message_delete(struct roost *r, uint64_t room, uint64_t seq);
int64_t roost_message_react(struct roost *r, uint64_t room, uint64_t seq, const char *emoji,
                            bool remove);
int64_t roost_message_earlier(struct roost *r, uint64_t room, uint64_t seq); /* VERSIONS */

/* Zero where a bound is not wanted. */
struct roost_read {
    const char *target;
    uint64_t since_ms;
    uint64_t after, before; /* numbers above, below */
    uint64_t around;        /* this number in the middle */
    uint32_t limit;         /* 0: 50; at most 200 */
    bool last;              /* the newest that fit, not the oldest */
    bool unread;            /* after what was read last */
};
int64_t roost_message_read(struct roost *r, const struct roost_read *what); /* PAGE */
/* target NULL: all rooms that one is in. Words, "a phrase", prefix*. */
int64_t roost_message_search(struct roost *r, const char *words, const char *target,
                             uint64_t since_ms, uint32_t limit); /* PAGE */

/* From now on every event of the room with a number above `after` comes as
 * ROOST_MESSAGE, once and in order, across lost connections. FOLLOWED when those
 * that were there already have been given. To persist: store the last number
 * together with what was made of it, and give it here next time. */
int64_t roost_room_follow(struct roost *r, uint64_t room, uint64_t after);
void roost_room_unfollow(struct roost *r, uint64_t room);
int64_t roost_room_mark(struct roost *r, uint64_t room, uint64_t delivered, uint64_t read);

/* ---- requests: rooms -------------------------------------------------------------------- */

int64_t roost_room_list(struct roost *r, bool mine, uint64_t after_room); /* ROOMS */
struct roost_room_new {
    const char *name;
    const char *topic; /* may be NULL */
    const char *const *users;
    size_t n_users;
    bool private_, moderated;
};
int64_t roost_room_new(struct roost *r, const struct roost_room_new *what);
int64_t roost_room_join(struct roost *r, const char *target);
int64_t roost_room_leave(struct roost *r, const char *target);
int64_t roost_room_close(struct roost *r, const char *target);
int64_t roost_room_invite(struct roost *r, const char *target, const char *user);
int64_t roost_room_remove(struct roost *r, const char *target, const char *user);
int64_t roost_room_ban(struct roost *r, const char *target, const char *user, bool lift);
int64_t roost_room_role(struct roost *r, const char *target, const char *user,
                        enum roost_room_role role);
int64_t roost_room_members(struct roost *r, const char *target,
                           uint64_t after_account); /* MEMBERS */
int64_t roost_room_topic(struct roost *r, const char *target, const char *topic);
int64_t roost_room_pin(struct roost *r, uint64_t room, uint64_t seq, bool off);
/* For each: -1 as it is. private, moderated: 0 off, 1 on. retention_days: 0 for ever. */
int64_t roost_room_set(struct roost *r, const char *target, int private_, int moderated,
                       int64_t retention_days);
int64_t roost_room_mute(struct roost *r, const char *target, bool on);

/* ---- requests: tools ---------------------------------------------------------------------- */

int64_t roost_calc(struct roost *r, const char *expression); /* ANSWER */
int64_t roost_ping(struct roost *r);                         /* took_ms */

/* ---- datagrams ---------------------------------------------------------------------------- */

/* A session of datagrams beside control, as soon as one is logged in: by UDP, or, where that
 * does not get through, in a second connection (ROOST_PATH says which). It goes on for a minute
 * when control is lost. 0 or -ROOST_E_NOMEM. */
int roost_datagrams(struct roost *r, bool on);
/* Asks the way itself. A number, which ROOST_PONG has in `request`; -ROOST_E_CLOSED: there is
 * no way now; -ROOST_E_LIMIT: too many are under way. */
int64_t roost_path_ping(struct roost *r);
void roost_path_get(const struct roost *r, struct roost_path *ret_path);

#ifdef __cplusplus
}
#endif

#endif
