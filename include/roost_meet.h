/* roost_meet.h - meetings and guests; part of roost.h, whose rules hold here too.
 *
 *     roost_meet_join(r, "204816", secret, 0);     // ROOST_TICKET: you.state is ROOST_IS_IN or
 * _WAITING
 *     ...                                          // ROOST_MESSAGE: texts, and ROOST_MET
 *     const struct roost_ticket *t = roost_meet_get(r, meeting);   // who is there now
 *     roost_meet_act(r, &(struct roost_act){ .meeting = meeting, .action = ROOST_ACT_HAND_UP });
 *
 * A place that was taken is kept: after a lost connection it is taken again, and
 * the room goes on where it was (ROOST_TICKET_AGAIN); who waits goes on waiting, and
 * comes in by itself when it is admitted. ROOST_MEET_NOW tells what became of one's
 * own place; a state other than ROOST_IS_IN and ROOST_IS_WAITING ends it, and so does a
 * ROOST_REFUSED with the request of roost_meet_join() that comes later.
 *
 * A guest has no account: open the handle with roost_options.guest, and if there is
 * no saved session to resume (ROOST_LOGIN), call roost_guest(). docs/ROLES.md says who
 * may do what.
 */
#ifndef ROOST_MEET_H
#define ROOST_MEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct roost;

enum roost_meet_role { ROOST_PARTICIPANT, ROOST_VIEWER, ROOST_COHOST, ROOST_HOST };
enum roost_meet_state {
    ROOST_IS_OUT, /* left, or lost its connection for too long */
    ROOST_IS_IN,
    ROOST_IS_WAITING, /* in the lobby */
    ROOST_IS_DENIED,
    ROOST_IS_REMOVED,
    ROOST_IS_BANNED
};

/* The numbers of the protocol. */
enum roost_meet_action {
    ROOST_ACT_NOTHING = 0,
    ROOST_ACT_ADMIT = 1,
    ROOST_ACT_ADMIT_ALL = 2,
    ROOST_ACT_DENY = 3,
    ROOST_ACT_DENY_ALL = 4,
    ROOST_ACT_MESSAGE = 5, /* text; to one who waits, or to all of them */
    ROOST_ACT_MUTE = 10,
    ROOST_ACT_MUTE_ALL = 11,
    ROOST_ACT_MUTE_ON_ENTRY = 12,
    ROOST_ACT_NO_MUTE_ON_ENTRY = 13,
    ROOST_ACT_LOCK_MICS = 14,
    ROOST_ACT_UNLOCK_MICS = 15,
    ROOST_ACT_ASK_UNMUTE = 16,
    ROOST_ACT_ASK_VIDEO = 17,
    ROOST_ACT_STOP_VIDEO = 18,
    ROOST_ACT_ALLOW_SHARE = 20,
    ROOST_ACT_FORBID_SHARE = 21,
    ROOST_ACT_GIVE_SHARE = 22,
    ROOST_ACT_TAKE_SHARE = 23,
    ROOST_ACT_SPOTLIGHT = 24,
    ROOST_ACT_SPOTLIGHT_OFF = 25,
    ROOST_ACT_ALLOW_CHAT = 30,
    ROOST_ACT_FORBID_CHAT = 31,
    ROOST_ACT_ALLOW_NOTES = 32,
    ROOST_ACT_FORBID_NOTES = 33,
    ROOST_ACT_ALLOW_RENAME = 34,
    ROOST_ACT_FORBID_RENAME = 35,
    ROOST_ACT_ALLOW_RECORD = 36,
    ROOST_ACT_FORBID_RECORD = 37,
    ROOST_ACT_RENAME = 40, /* text; oneself, or another */
    ROOST_ACT_REMOVE = 41,
    ROOST_ACT_BAN = 42,
    ROOST_ACT_UNBAN = 43,
    ROOST_ACT_MAKE_COHOST = 44,
    ROOST_ACT_DROP_COHOST = 45,
    ROOST_ACT_MAKE_VIEWER = 46,
    ROOST_ACT_MAKE_PARTICIPANT = 47,
    ROOST_ACT_MAKE_HOST = 48,
    ROOST_ACT_TAKE_BACK = 49,
    ROOST_ACT_LOWER_HAND = 50,
    ROOST_ACT_LOCK = 60,
    ROOST_ACT_UNLOCK = 61,
    ROOST_ACT_OPEN = 62,
    ROOST_ACT_CLOSE = 63, /* the lobby again */
    ROOST_ACT_TITLE = 64, /* text */
    ROOST_ACT_KEEP_CHAT = 65,
    ROOST_ACT_FORGET_CHAT = 66,
    ROOST_ACT_END = 67,
    ROOST_ACT_HAND_UP = 80,
    ROOST_ACT_HAND_DOWN = 81,
    ROOST_ACT_SELF_MUTE = 82,
    ROOST_ACT_SELF_UNMUTE = 83,
    ROOST_ACT_VIDEO_ON = 84,
    ROOST_ACT_VIDEO_OFF = 85,
    ROOST_ACT_GO_AWAY = 86,
    ROOST_ACT_COME_BACK = 87,
    ROOST_ACT_WANT_SHARE = 88,
    ROOST_ACT_START_SHARE = 89,
    ROOST_ACT_STOP_SHARE = 90,
    ROOST_ACT_START_RECORD = 91,
    ROOST_ACT_STOP_RECORD = 92,
    ROOST_ACT_LEAVE = 93, /* a host may name a successor */
    /* what the server does; in events only */
    ROOST_ACT_CAME = 100,
    ROOST_ACT_LOST = 101,
    ROOST_ACT_SUCCEEDED = 102,
    ROOST_ACT_CREATED = 103,
    ROOST_ACT_EXPIRED = 104,
};

struct roost_attendee {
    uint64_t account;  /* a guest has a number too */
    const char *name;  /* in this meeting */
    const char *login; /* the account's name; a guest's is empty */
    bool guest;
    enum roost_meet_role role;
    enum roost_meet_state state;
    bool here;     /* connected now */
    bool admitted; /* need not wait again */
    bool muted, video_off, away;
    bool may_record, recording;
    uint64_t hand_ms;  /* since when the hand is up; 0: it is down */
    uint64_t share_ms; /* since when it asks to present; 0: it does not */
    bool asked_unmute, asked_video;
    uint64_t came_ms, left_ms; /* first came; last left, 0: is in */
    const char *note;          /* to one who waits: what a host wrote last */
};

struct roost_meeting {
    uint64_t meeting; /* also the number of its room */
    const char *code; /* "" when it has ended */
    const char *title;
    uint64_t made_ms, starts_ms; /* starts 0: at once */
    uint64_t until_ms;           /* when the code expires if nobody is in; 0: never */
    uint64_t bound_room;         /* permanent: members of this room walk in; 0: not */
    const char *bound_name;
    uint64_t host;       /* account; 0: nobody at the moment */
    uint64_t first_host; /* whose meeting it is */
    uint64_t fresh_until_ms;
    bool open, locked, mute_on_entry, mics_locked;
    bool no_share, no_chat, no_notes, no_rename, forget_chat, ended;
    bool unsealed; /* voices are not sealed end to end: the server could listen; never changes */
    uint64_t presenter, spotlight; /* accounts; 0: nobody */
    uint32_t present, waiting;     /* only in lists and tickets */
};

struct roost_ticket {
    struct roost_meeting meeting;
    struct roost_attendee you;
    const char *secret;                     /* of the link; "" for those who are not told */
    const struct roost_attendee *attendees; /* who is in; when you are */
    size_t n_attendees;
    const struct roost_attendee *waiting; /* for host and co-hosts */
    size_t n_waiting;
};

/* What was done in a meeting, and how what changed stands now. After MUTE_ALL and
 * LOCK_MICS all participants and viewers who are in are muted, and not listed. */
struct roost_met {
    enum roost_meet_action action;
    const char *old_name;                /* RENAME: until now; else "" */
    const struct roost_meeting *meeting; /* NULL: no change */
    const struct roost_attendee *attendees;
    size_t n_attendees;
};

struct roost_meet_push {
    uint64_t meeting;
    struct roost_attendee you;     /* ROOST_MEET_NOW */
    enum roost_meet_action action; /* ROOST_MEET_NOW */
    const char *text;              /* ROOST_MEET_NOW, ROOST_MEET_REACTED */
    const struct roost_attendee *attendees;
    size_t n_attendees;
    uint64_t account; /* ROOST_MEET_REACTED */
    const char *name;
};

/* ---- guests ---- */

/* Takes part in the meeting of this code (secret of its link, or NULL); with code
 * NULL starts one. LOGGED_IN. */
int64_t roost_guest(struct roost *r, const char *name, const char *code, const char *secret);
/* The saved session of a guest who has started a meeting is that of this code from
 * now on. 0, -ROOST_E_INVALID, -ROOST_E_IO. */
int roost_guest_keep(struct roost *r, const char *code);

/* ---- meetings ---- */

struct roost_meet_new {
    const char *title; /* may be NULL */
    bool open;         /* no lobby for accounts and for the link */
    uint64_t starts_ms;
    const char *room; /* permanent, for the members of this room: a target; or NULL */
    bool forget_chat;
    bool sealed, unsealed; /* end to end, or not; neither: as the server does it */
};
int64_t roost_meet_new(struct roost *r, const struct roost_meet_new *what); /* TICKET */
/* By code (secret of the link or NULL), or with code NULL by number. TICKET. */
int64_t roost_meet_join(struct roost *r, const char *code, const char *secret, uint64_t meeting);
/* The place is not kept any more; to leave, do ROOST_ACT_LEAVE. */
void roost_meet_forget(struct roost *r, uint64_t meeting);
/* Who is there, as of the last event that was given; NULL: not joined. Valid until
 * the next call that takes r. */
const struct roost_ticket *roost_meet_get(struct roost *r, uint64_t meeting);

/* On whom: by account, or by the name in the meeting; neither where nobody is meant. */
struct roost_act {
    uint64_t meeting; /* or */
    const char *code;
    enum roost_meet_action action;
    uint64_t account;
    const char *user, *text;
};
int64_t roost_meet_act(struct roost *r, const struct roost_act *act);
/* By number, or with code. all: who left too, for host and co-hosts. TICKET, `more`. */
int64_t roost_meet_who(struct roost *r, uint64_t meeting, const char *code, bool all,
                       uint64_t after_account);
int64_t roost_meet_list(struct roost *r, uint64_t after_meeting); /* MEETINGS: one's own */
/* To one person in the same meeting; kept in the direct room of the two. */
int64_t roost_meet_note(struct roost *r, uint64_t meeting, uint64_t account, const char *user,
                        const char *text);
int64_t roost_meet_react(struct roost *r, uint64_t meeting, const char *emoji);
int64_t roost_admin_meetings(struct roost *r, uint64_t after_meeting); /* MEETINGS: all */

#ifdef __cplusplus
}
#endif

#endif
