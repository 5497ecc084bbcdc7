/* core.h - a client without sockets, clocks, files or threads: what libroost is
 * made of, and what the simulator runs by the dozen.
 *
 * The edge tells it what happened, then pulls what is to be done and what there
 * is to tell:
 *
 *     core_on_bytes(c, bytes, len, now_us);
 *     while (core_next_output(c, &out))
 *         edge_do(&out);
 *     while ((e = core_next_event(c)))
 *         show(e);
 *     sleep until core_deadline_us(c), then core_expire(c, now_us);
 *
 * A life, as the edge of a simulator sees it:
 *
 *     core_new                 -> output CORE_CONNECT
 *     core_on_connected        -> output CORE_SEND (Hello)
 *     core_on_bytes (Welcome)  -> output CORE_LOAD: a saved token, please
 *     core_on_token            -> output CORE_SEND (Resume); without a token CORE_AT_LOGIN
 *     core_on_bytes (Session)  -> output CORE_SAVE: must be durable before core_on_saved
 *     core_on_saved            -> event CORE_STATUS CORE_AT_READY, output CORE_SEND: all that
 *                                 waits for an answer, a Sync for each room that is followed
 *     core_on_closed           -> event CORE_STATUS CORE_AT_LOST; CORE_CONNECT when it is time
 *
 * Requests: core_request() gives each an id, keeps its bytes until it is
 * answered, and sends the same bytes again after a reconnection, so a change is
 * done once. Their answers come in any order; requests of one client are sent in
 * the order in which they were made, at most CORE_WINDOW unanswered.
 *
 * Rooms: core_follow() asks for all events above a number. Each is given once
 * and in order, whatever connections are lost; the cursor is what was queued as
 * an event here, so a program that keeps its own stores (room, seq) with what it
 * made of the event.
 *
 * Meetings: core_meet() comes in or waits, and from then on the place is kept: asked
 * for again over each connection, and when one who waits was admitted. core_roll()
 * is who is there, as of the last event that was pulled.
 *
 * Memory: events belong to the core until the next core_next_event(). Blobs in
 * outputs are the caller's to unref. Not thread-safe; nothing global: any number
 * of cores live in one process. Out of memory never corrupts: a call returns
 * -ROOST_NOMEM, or the connection is given up and everything is asked again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/blob.h"
#include "client/roll.h"
#include "proto/roost.pb-c.h"

enum {
    CORE_REQUESTS_MAX = 1024, /* unanswered ones; core_request then returns -ROOST_LIMIT */
    CORE_WINDOW = 32,         /* sent and unanswered: a server takes 64 of one connection */
    CORE_ROOMS_MAX = 1000,    /* followed; what a server takes of one connection */
    CORE_EVENTS_MAX = 4096,   /* waiting to be pulled: core_wants_bytes is false above half */
    CORE_HELD_MAX = 4096,     /* events of one room held while a gap is filled */
    CORE_MEETS_MAX = 8,       /* meetings that one is in or waits for */
    CORE_CODE_MAX = 16,       /* bytes, with the zero */
    CORE_SECRET_MAX = 64,
    CORE_TOKEN_MAX = 64,
    CORE_NAME_MAX = 256, /* bytes, with the zero */
    CORE_TEXT_MAX = 512,
};

enum {
    CORE_PING_US = 15 * 1000 * 1000,    /* silent so long: ping */
    CORE_DEAD_US = 10 * 1000 * 1000,    /* and no answer for so long: lost */
    CORE_CONNECT_US = 20 * 1000 * 1000, /* for the transport, and again for Hello and Resume */
    CORE_STABLE_US = 5 * 1000 * 1000,   /* ready so long: the next loss is a first one */
    CORE_RETRY_US = 1000 * 1000,        /* a Sync that was refused for now */
};

/*   CONNECTING -> GREETING -> LOADING -> RESUMING -> SAVING -> READY
 *                     |          |         |          ^
 *                     |          +---------+-> LOGIN -+
 *   any but OVER -> LOST -> CONNECTING      any -> OVER -> CONNECTING (a login was asked) */
enum core_state {
    CORE_AT_CONNECTING, /* told as an event: CONNECTING, LOGIN, READY, LOST, OVER */
    CORE_AT_GREETING,
    CORE_AT_LOADING,
    CORE_AT_RESUMING,
    CORE_AT_LOGIN,
    CORE_AT_SAVING,
    CORE_AT_READY,
    CORE_AT_LOST,
    CORE_AT_OVER,
};

struct core_options {
    uint8_t seed[32];                  /* unguessable; ids and waits are drawn from it */
    uint8_t device[32];                /* secret of this device, sent with Login and Resume */
    const char *program, *device_name; /* copied */
    bool no_resume;                    /* CORE_LOAD is never asked for */
    bool once;           /* a first connection that cannot be made ends in CORE_AT_OVER */
    int64_t patience_us; /* without a connection so long: CORE_AT_OVER; 0 = never */
};

struct core_error {
    int code; /* above 0; 0 = none */
    uint64_t retry_after_ms;
    char name[48], text[CORE_TEXT_MAX], advice[CORE_TEXT_MAX];
};

struct core_server { /* of the last Welcome */
    uint32_t version, text_max, idle_ms;
    uint64_t now_ms;
    char program[CORE_NAME_MAX], registration[16];
    bool logs_private_text;
    uint8_t id[16];
};

struct core_self { /* of the last Session; account 0: none */
    uint64_t session, account;
    char name[CORE_NAME_MAX];
    uint32_t role; /* Roost__Role */
    bool guest;
};

struct core;

/* NULL when out of memory. Wants to connect at once. */
struct core *core_new(const struct core_options *o, int64_t now_us);
void core_free(struct core *c);

/* ---- what happened ---- */

void core_on_connected(struct core *c, int64_t now_us);
/* Any bytes, cut anywhere. */
void core_on_bytes(struct core *c, const uint8_t *p, size_t len, int64_t now_us);
/* A person is asked whether the server is to be trusted: as long as it takes. */
void core_on_asking(struct core *c);
/* The transport is gone or could not be made; err: why, either sign. fatal: do
 * not try again (a certificate that is not trusted). Not called for CORE_CLOSE. */
void core_on_closed(struct core *c, int err, bool fatal, int64_t now_us);
/* The answer to CORE_LOAD; len 0: there is none. */
void core_on_token(struct core *c, const uint8_t *token, size_t len, int64_t now_us);
/* The answer to CORE_LOAD when the token cannot be had for now. */
void core_on_no_token_yet(struct core *c, int err, int64_t now_us);
/* The answer to CORE_SAVE: the token is on disk (or cannot be; then it goes on
 * all the same, and the session ends with this program). */
void core_on_saved(struct core *c, int64_t now_us);
/* Time has come. */
void core_expire(struct core *c, int64_t now_us);
int64_t core_deadline_us(const struct core *c); /* INT64_MAX = none */
/* The network changed, or a person is waiting: try again now if LOST. */
void core_hurry(struct core *c, int64_t now_us);
/* False: too many events wait to be pulled; read no more for now. */
bool core_wants_bytes(const struct core *c);

/* ---- what is to be done ---- */

enum core_output_kind {
    CORE_CONNECT, /* make a transport; answer core_on_connected or core_on_closed */
    CORE_SEND,    /* bytes, in order; unref them */
    CORE_CLOSE,   /* the transport; what was sent before goes out if it can */
    CORE_LOAD,    /* the saved token; hold its lock until CORE_SAVE, CORE_CLOSE or the end of
                     core_token_is_held */
    CORE_SAVE,    /* core_token() for core_self()->name: durably */
    CORE_FORGET,  /* the saved token, if it is still core_token() */
};
struct core_output {
    enum core_output_kind kind;
    struct blob *bytes;
};
bool core_next_output(struct core *c, struct core_output *ret);
bool core_has_outputs(const struct core *c);

/* ---- what there is to tell ---- */

enum core_event_kind {
    CORE_STATUS,   /* state, error, resumed, retry_at_us */
    CORE_REPLY,    /* request, msg->reply, took_us */
    CORE_REFUSED,  /* request, error */
    CORE_PUSH,     /* msg: whatever is no reply; hidden, own: of an event in a room */
    CORE_FOLLOWED, /* request of core_follow, room, seq: up to here all was given */
    CORE_TICKET,   /* room, msg->reply->ticket: a place was taken again, or after waiting */
};
struct core_event {
    enum core_event_kind kind;
    enum core_state state;
    int64_t request;
    const Roost__ToClient *msg;
    const struct core_error *error; /* NULL: none */
    bool resumed, hidden, own;
    int64_t retry_at_us, took_us;
    uint64_t room, seq;
    struct arena mem; /* msg lives here; a taker may draw on it */
};
/* NULL: none. Valid until the next call, or any other on this core. */
struct core_event *core_next_event(struct core *c);
/* The answer to this request alone, out of turn; NULL: not there. */
struct core_event *core_take_answer(struct core *c, int64_t request);
/* The oldest word of the server's about files, each once; it waits to be pulled all the same. NULL:
 * none. Until the next call on this core. */
const Roost__ToClient *core_peek_push(struct core *c);
/* The oldest word of the server's about media: it is for libroost itself, not for programs. NULL:
 * none. Valid as that of core_next_event. */
const Roost__ToClient *core_take_media(struct core *c);
bool core_has_events(const struct core *c);
size_t core_n_events(const struct core *c);

/* ---- requests ---- */

/* Fills in m->id; m is not kept. A number above 0, or -ROOST_LIMIT, -ROOST_TOO_LONG,
 * -ROOST_NOMEM, -ROOST_ALREADY (a login while logged in), -ROOST_CLOSED (after
 * CORE_AT_OVER; a login, a registration or a reset starts again instead). Not for
 * Hello, Resume and Sync, which the core sends itself. */
int64_t core_request(struct core *c, Roost__ToServer *m, int64_t now_us);
/* Name and password as a request; device and its name are added. */
int64_t core_login(struct core *c, const char *name, const char *password, int64_t now_us);
/* Likewise as a guest: into the meeting of this code (secret may be ""), or, with
 * `host`, to start one. */
int64_t core_guest(struct core *c, const char *name, const char *code, const char *secret,
                   bool host, int64_t now_us);
void core_cancel(struct core *c, int64_t request);
bool core_knows(const struct core *c, int64_t request); /* unanswered, or its answer waits */

/* -ROOST_ALREADY: it is followed. The answer is CORE_FOLLOWED, or CORE_REFUSED
 * (also later, when one was removed from the room). */
int64_t core_follow(struct core *c, uint64_t room, uint64_t after, int64_t now_us);
void core_unfollow(struct core *c, uint64_t room);

/* By its code (secret may be NULL), or by its number with code NULL. CORE_REPLY with
 * a Ticket, or CORE_REFUSED: with the same request also later, when the place cannot
 * be taken again. -ROOST_ALREADY: it is kept already. */
int64_t core_meet(struct core *c, const char *code, const char *secret, uint64_t meeting,
                  int64_t now_us);
void core_meet_forget(struct core *c, uint64_t meeting); /* the place is not kept any more */
/* NULL: never joined, or its ticket was not pulled yet. Also when it is over, until
 * another meeting needs the room. */
const struct roll *core_roll(const struct core *c, uint64_t meeting);

/* ---- looking ---- */

enum core_state core_state(const struct core *c);
const struct core_server *core_server(const struct core *c);
const struct core_self *core_self(const struct core *c);
const uint8_t *core_token(const struct core *c, size_t *ret_len);
bool core_token_is_held(const struct core *c); /* between CORE_LOAD and CORE_SAVE */
bool core_ignores(const struct core *c, uint64_t account);

struct core_stats {
    uint64_t connects, resumes, sent, resent, answers,
        strays; /* strays: replies nobody waits for */
    uint64_t events, dups, gaps, behinds, syncs, pings;
};
const struct core_stats *core_stats(const struct core *c);
