/* file.h - what the files about parcels and codes share.
 *
 * A parcel is in the store. What is known here only is who is at it just now: the two
 * sessions that are its ends, the relay between them, and how fast they signal. It is
 * forgotten when it is over, or when nobody was at it for a while; the next FileGet
 * begins anew.
 */
#pragma once

#include "hub/internal.h"

enum {
    PARCELS_MAX = 20000, /* with somebody at them */
    CODES_MAX = 5000,
    CODES_OF_SOURCE = 20,
    SIGNAL_BYTES = 4096,
    LOST_MAX = 1000, /* contents known to be damaged; when there are more, all begin anew */
    BEARER_TEXT = 81,
    SIGNALS_BURST = 200, /* and as many in 10 s from then on */
    GUESSES_KEPT = 20000 /* sources with wrong numbers; when there are more, all begin anew */
};
#define PARCEL_IDLE_US (30 * 60 * 1000000LL)
#define TICKET_US      (3600 * 1000000LL) /* a token that nobody shows */

enum { SENDER = 0, RECEIVER = 1 };

/* Two who speak with each other. */
struct ends {
    uint32_t relay; /* 0: none yet */
    uint8_t tokens[2][DATAGRAMS_TOKEN];
    int64_t signals_us[2]; /* a bucket for each */
};
/* The relay between them, made if there is none; answers q with side's token. */
int ends_reply_relay(struct hub *h, struct request *q, struct ends *e, int side);
/* 0 or -ROOST_TOO_FAST. */
int ends_signal(struct hub *h, struct request *q, struct ends *e, int side);
void ends_over(struct hub *h, struct ends *e);

struct parcel {
    uint64_t file, room;
    uint64_t account[2], session[2]; /* 0: nobody */
    bool accepted, paused;
    uint64_t moved; /* as its sender says */
    uint32_t way;
    int64_t touched_us;
    struct ends ends;
};

struct parcel *parcel_of(struct hub *h, uint64_t file);
/* Made if there is none. NULL: no memory, or too many. */
struct parcel *parcel_get(struct hub *h, const struct file_row *f);
void parcel_over(struct hub *h, uint64_t file);
/* What is known of it besides: is it paused, how far is it? */
void parcel_tell(const struct hub *h, Roost__FileInfo *i);
/* Which end asks: SENDER, RECEIVER or -1. */
int parcel_side(const struct parcel *p, const struct request *q);

/* Of a FILE_FIND: q reads the room that it is in, as far back as that. */
bool file_is_read(const struct request *q, const struct store_result *r);

/* --- words (file_tell.c) --- */

void file_info(Roost__FileInfo *ret, const struct file_row *f);
/* As an event's data, in `mem`. */
int file_event(struct arena *mem, const struct file_row *f, struct event *ret);
/* Both ends hear how it stands, but the session that did it. */
/* The server gave it up. */
void file_tell_failed(struct hub *h, const struct file_row *f, int err);
void file_tell_state(struct hub *h, const struct request *q, const struct file_row *f,
                     uint32_t stage);
void file_tell_offer(struct hub *h, const struct file_row *f);
/* session: of the other end. */
int file_reply_ticket(struct hub *h, struct request *q, const struct file_row *f,
                      const struct hub_depot *grant, bool have, bool sends, uint64_t session);

/* --- what is kept (file_keep.c) --- */

/* All but the token. */
void file_grant_fill(const struct hub *h, const struct request *q, const struct file_row *f,
                     bool sends, struct hub_depot *ret);
/* A token for q to send it, or to get it; name: for a path of HTTPS, too. */
int file_grant(struct hub *h, const struct request *q, const struct file_row *f, bool sends,
               struct hub_depot *ret);
void file_drop_parts(struct hub *h, uint64_t file);
void file_drop_contents(struct hub *h, const struct file_row *f);
bool file_is_lost(const struct hub *h, const struct file_row *f);
void file_keep_on_word(struct hub *h, const struct hub_depot_word *w);
/* --- by HTTPS (file_web.c) --- */

/* What opens kept files to whoever shows it while this session of account's lasts. */
int bearer_make(const struct hub *h, uint64_t account, const struct session_row *s,
                char ret[static BEARER_TEXT]);

/* Quotas and the time that it is kept. */
void file_limits(const struct hub *h, struct store_op *op);

#define HANDLER(name)                                                                              \
    int name##_on_message(struct hub *h, struct request *q);                                       \
    int name##_on_stored(struct hub *h, struct request *q, struct store_result *r)

HANDLER(file_offer);
HANDLER(file_answer);
HANDLER(file_state);
HANDLER(file_get);
HANDLER(file_list);
HANDLER(file_cancel);
HANDLER(file_forget);
#undef HANDLER
int file_signal_on_message(struct hub *h, struct request *q);
int file_relay_on_message(struct hub *h, struct request *q);
int file_progress_on_message(struct hub *h, struct request *q);
int code_new_on_message(struct hub *h, struct request *q);
int code_join_on_message(struct hub *h, struct request *q);
int code_end_on_message(struct hub *h, struct request *q);
int code_signal(struct hub *h, struct request *q);
int code_relay(struct hub *h, struct request *q);
void codes_expire(struct hub *h);
