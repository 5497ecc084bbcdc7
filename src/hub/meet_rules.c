/* meet_rules.c - who may do what in a meeting: one row an action, as docs/ROLES.md
 * has it. The row says who may, on whom, and what must be so before; the function
 * says what changes.
 */
#include <string.h>

#include "hub/meeting.h"

typedef Roost__Meeting head;
typedef struct attendee person;

enum {
    V = 1 << ROOST__MEET_ROLE__VIEWER,
    P = 1 << ROOST__MEET_ROLE__PARTICIPANT,
    C = 1 << ROOST__MEET_ROLE__COHOST,
    H = 1 << ROOST__MEET_ROLE__HOST,
    ALL = H | C | P | V,
};

/* On whom. */
enum target {
    NOBODY,     /* a person is not named; if one is, it is ignored */
    SELF,       /* oneself */
    ONE,        /* one person */
    ONE_OR_SELF /* nobody named: oneself */
};

enum {
    OUT = 1 << ROOST__MEET_STATE__OUT,
    IN = 1 << ROOST__MEET_STATE__IN,
    WAITING = 1 << ROOST__MEET_STATE__WAITING,
    DENIED = 1 << ROOST__MEET_STATE__DENIED,
    REMOVED = 1 << ROOST__MEET_STATE__REMOVED,
    EXCLUDED = 1 << ROOST__MEET_STATE__EXCLUDED,
    ANY = OUT | IN | WAITING | DENIED | REMOVED | EXCLUDED,
};

enum {
    OTHERS = 1,     /* not oneself, and not those of one's own rank or above */
    NOT_FRESH = 2,  /* not while the host is a fresh successor */
    NO_VIEWER = 4,  /* the person is no viewer */
    FIRST_HOST = 8, /* only the first host */
};

struct act {
    const struct meeting *m;
    const struct meet_ask *ask;
    struct meet_change *c;
    const person *by;  /* as it is */
    const person *who; /* as it is; NULL: nobody */
    person *edit;      /* who, as it will be; NULL: nobody, or nothing of it changes */
};

struct row {
    const char *name;
    unsigned who; /* roles that may */
    enum target on;
    unsigned from; /* states in which the person must be */
    unsigned flags;
    int (*apply)(struct act *a);
};

/* --- small steps ------------------------------------------------------------------ */

static int turn(protobuf_c_boolean *what, bool to)
{
    if (*what == to)
        return -ROOST_ALREADY;
    *what = to;
    return 0;
}

static person *edit_of(struct act *a)
{
    if (!a->edit)
        a->edit = meet_edit(a->m, a->c, a->who->row.account);
    return a->edit;
}

static void quiet(struct act *a)
{
    for (struct meet_edit *e = a->c->edits; e; e = e->next)
        e->quiet = true;
}

/* f for each who is in that state, in the order of coming. */
static void each(struct act *a, uint32_t state, void (*f)(struct act *a, person *p))
{
    struct map_slot *s;
    uint64_t done_ms = 0, done = 0;

    for (;;) { /* the map has no order, and everybody should see the same */
        const person *next = NULL;
        for (size_t i = 0; (s = map_next(&a->m->attendees, &i));) {
            const person *p = s->value;
            bool later = p->row.came_ms > done_ms ||
                         (p->row.came_ms == done_ms && p->row.account > done);
            bool sooner = !next || p->row.came_ms < next->row.came_ms ||
                          (p->row.came_ms == next->row.came_ms &&
                           p->row.account < next->row.account);
            if (p->row.state == state && later && sooner)
                next = p;
        }
        if (!next)
            return;
        done_ms = next->row.came_ms;
        done = next->row.account;
        f(a, meet_edit(a->m, a->c, done));
    }
}

/* --- the lobby --------------------------------------------------------------------- */

static void let_in(struct act *a, person *p)
{
    meet_step_in(a->m, a->c, p);
}

static int admit(struct act *a)
{
    if (a->m->n_in >= MEET_IN_MAX)
        return -ROOST_MEET_FULL;
    let_in(a, edit_of(a));
    return 0;
}

static int admit_all(struct act *a)
{
    if (!a->m->n_waiting)
        return -ROOST_NOT_IN_MEETING;
    if (a->m->n_in + a->m->n_waiting > MEET_IN_MAX)
        return -ROOST_MEET_FULL;
    each(a, ROOST__MEET_STATE__WAITING, let_in);
    return 0;
}

static void turn_away(struct act *a, person *p)
{
    meet_step_out(a->m, a->c, p, ROOST__MEET_STATE__DENIED);
    p->denied_ms = a->c->now_ms;
}

static int deny(struct act *a)
{
    turn_away(a, edit_of(a));
    a->c->event = false;
    quiet(a);
    return 0;
}

static int deny_all(struct act *a)
{
    if (!a->m->n_waiting)
        return -ROOST_NOT_IN_MEETING;
    each(a, ROOST__MEET_STATE__WAITING, turn_away);
    a->c->event = false;
    quiet(a);
    return 0;
}

static void write_to(struct act *a, person *p)
{
    p->row.note = (char *)a->c->text;
}

static int message(struct act *a)
{
    size_t len = strlen(a->ask->text);

    if (!len || len > MEET_TEXT_MAX)
        return len ? -ROOST_TOO_LONG : -ROOST_BAD_TEXT;
    if (a->who && a->who != a->by) {
        if (a->who->row.state != ROOST__MEET_STATE__WAITING)
            return -ROOST_NOT_IN_MEETING;
        write_to(a, edit_of(a));
    } else {
        if (!a->m->n_waiting)
            return -ROOST_NOT_IN_MEETING;
        each(a, ROOST__MEET_STATE__WAITING, write_to);
    }
    a->c->event = false;
    quiet(a);
    return 0;
}

/* --- microphones and cameras ---------------------------------------------------------- */

static int mute(struct act *a)
{
    edit_of(a)->row.asked_unmute = false;
    return turn(&a->edit->row.muted, true);
}

static int mute_all(struct act *a)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&a->m->attendees, &i));) {
        const person *p = s->value;
        if (p->row.state != ROOST__MEET_STATE__IN || p->row.role >= ROOST__MEET_ROLE__COHOST ||
            (p->row.muted && !p->row.asked_unmute))
            continue;
        person *e = meet_edit(a->m, a->c, p->row.account);
        e->row.muted = true;
        e->row.asked_unmute = false;
    }
    quiet(a);
    return 0;
}

static int mute_on_entry(struct act *a)
{
    return turn(&a->c->head.mute_on_entry, true);
}

static int no_mute_on_entry(struct act *a)
{
    return turn(&a->c->head.mute_on_entry, false);
}

static int lock_mics(struct act *a)
{
    int err = turn(&a->c->head.mics_locked, true);

    return err ? err : mute_all(a);
}

static int unlock_mics(struct act *a)
{
    return turn(&a->c->head.mics_locked, false);
}

static int ask_unmute(struct act *a)
{
    if (!a->who->row.muted)
        return -ROOST_ALREADY;
    edit_of(a)->row.asked_unmute = true;
    return 0;
}

static int ask_video(struct act *a)
{
    if (!a->who->row.video_off)
        return -ROOST_ALREADY;
    edit_of(a)->row.asked_video = true;
    return 0;
}

static int stop_video(struct act *a)
{
    edit_of(a)->row.asked_video = false;
    return turn(&a->edit->row.video_off, true);
}

static int self_mute(struct act *a)
{
    return turn(&edit_of(a)->row.muted, true);
}

static int self_unmute(struct act *a)
{
    if (a->m->head.mics_locked && a->by->row.role < ROOST__MEET_ROLE__COHOST)
        return -ROOST_NOT_ALLOWED;
    edit_of(a)->row.asked_unmute = false;
    return turn(&a->edit->row.muted, false);
}

static int video_on(struct act *a)
{
    edit_of(a)->row.asked_video = false;
    return turn(&a->edit->row.video_off, false);
}

static int video_off(struct act *a)
{
    return turn(&edit_of(a)->row.video_off, true);
}

/* --- presenting ------------------------------------------------------------------------- */

static bool may_share(const struct act *a)
{
    return !a->m->head.no_share || a->by->row.role >= ROOST__MEET_ROLE__COHOST;
}

static int allow_share(struct act *a)
{
    return turn(&a->c->head.no_share, false);
}

static int forbid_share(struct act *a)
{
    const person *p = meeting_attendee(a->m, a->m->head.presenter);

    if (p && p->row.role < ROOST__MEET_ROLE__COHOST)
        a->c->head.presenter = 0;
    return turn(&a->c->head.no_share, true);
}

static int present(struct act *a, uint64_t account)
{
    if (a->m->head.presenter == account)
        return -ROOST_ALREADY;
    a->c->head.presenter = account;
    edit_of(a)->row.share_ms = 0;
    return 0;
}

static int give_share(struct act *a)
{
    return present(a, a->who->row.account);
}

static int take_share(struct act *a)
{
    const person *p = meeting_attendee(a->m, a->m->head.presenter);

    if (!a->m->head.presenter)
        return -ROOST_ALREADY;
    if (p && p != a->by && p->row.role == ROOST__MEET_ROLE__HOST)
        return -ROOST_NOT_ALLOWED;
    a->c->head.presenter = 0;
    return 0;
}

static int want_share(struct act *a)
{
    if (!may_share(a))
        return -ROOST_NOT_ALLOWED;
    if (a->by->row.share_ms || a->m->head.presenter == a->by->row.account)
        return -ROOST_ALREADY;
    edit_of(a)->row.share_ms = (uint64_t)a->c->now_ms;
    return 0;
}

static int start_share(struct act *a)
{
    if (!may_share(a))
        return -ROOST_NOT_ALLOWED;
    if (a->m->head.presenter && a->m->head.presenter != a->by->row.account)
        return -ROOST_BUSY;
    return present(a, a->by->row.account);
}

static int stop_share(struct act *a)
{
    if (a->m->head.presenter == a->by->row.account)
        a->c->head.presenter = 0;
    else if (!a->by->row.share_ms)
        return -ROOST_ALREADY;
    edit_of(a)->row.share_ms = 0;
    return 0;
}

static int spotlight(struct act *a)
{
    if (a->m->head.spotlight == a->who->row.account)
        return -ROOST_ALREADY;
    a->c->head.spotlight = a->who->row.account;
    return 0;
}

static int spotlight_off(struct act *a)
{
    if (!a->m->head.spotlight)
        return -ROOST_ALREADY;
    a->c->head.spotlight = 0;
    return 0;
}

/* --- what is allowed ---------------------------------------------------------------------- */

#define SWITCH(name, field, to)                                                                    \
    static int name(struct act *a)                                                                 \
    {                                                                                              \
        return turn(&a->c->head.field, to);                                                        \
    }
SWITCH(allow_chat, no_chat, false)
SWITCH(forbid_chat, no_chat, true)
SWITCH(allow_notes, no_notes, false)
SWITCH(forbid_notes, no_notes, true)
SWITCH(allow_rename, no_rename, false)
SWITCH(forbid_rename, no_rename, true)
SWITCH(lock, locked, true)
SWITCH(unlock, locked, false)
SWITCH(open_door, open, true)
SWITCH(close_door, open, false)
SWITCH(keep_chat, forget_chat, false)
SWITCH(forget_chat, forget_chat, true)

static int allow_record(struct act *a)
{
    return turn(&edit_of(a)->row.may_record, true);
}

static int forbid_record(struct act *a)
{
    edit_of(a)->row.recording = false;
    return turn(&a->edit->row.may_record, false);
}

static int start_record(struct act *a)
{
    if (a->by->row.role != ROOST__MEET_ROLE__HOST && !a->by->row.may_record)
        return -ROOST_NOT_ALLOWED;
    return turn(&edit_of(a)->row.recording, true);
}

static int stop_record(struct act *a)
{
    return turn(&edit_of(a)->row.recording, false);
}

/* --- people ---------------------------------------------------------------------------------- */

static int rename_one(struct act *a)
{
    bool self = a->who == a->by;

    if (a->m->head.no_rename && a->by->row.role < ROOST__MEET_ROLE__COHOST)
        return -ROOST_NOT_ALLOWED;
    if (!self && a->by->row.role < ROOST__MEET_ROLE__COHOST)
        return -ROOST_NOT_ALLOWED;
    if (!a->ask->name)
        return -ROOST_NAME_BAD;
    const person *other = meeting_named(a->m, a->ask->skeleton);
    if (other && other != a->who)
        return -ROOST_NAME_TAKEN;
    if (strcmp(a->ask->name, a->who->row.name) == 0)
        return -ROOST_ALREADY;
    edit_of(a)->row.name = meet_text(a->c, a->ask->name);
    a->edit->skeleton = meet_text(a->c, a->ask->skeleton);
    return 0;
}

static int remove_one(struct act *a)
{
    meet_step_out(a->m, a->c, edit_of(a), ROOST__MEET_STATE__REMOVED);
    return 0;
}

static int ban(struct act *a)
{
    bool was_in = a->who->row.state == ROOST__MEET_STATE__IN;

    if (a->who->row.state == ROOST__MEET_STATE__EXCLUDED)
        return -ROOST_ALREADY;
    meet_step_out(a->m, a->c, edit_of(a), ROOST__MEET_STATE__EXCLUDED);
    if (!was_in)
        quiet(a);
    a->c->event = was_in;
    return 0;
}

static int unban(struct act *a)
{
    edit_of(a)->row.state = ROOST__MEET_STATE__REMOVED; /* and waits when it comes */
    a->c->event = false;
    quiet(a);
    return 0;
}

static int make_cohost(struct act *a)
{
    if (a->who->row.role >= ROOST__MEET_ROLE__COHOST)
        return -ROOST_ALREADY;
    if (a->who->row.guest && !a->by->row.guest)
        return -ROOST_NOT_ALLOWED;
    edit_of(a)->row.role = ROOST__MEET_ROLE__COHOST;
    return 0;
}

static int drop_cohost(struct act *a)
{
    if (a->who->row.role != ROOST__MEET_ROLE__COHOST)
        return -ROOST_ALREADY;
    edit_of(a)->row.role = ROOST__MEET_ROLE__PARTICIPANT;
    return 0;
}

static int make_viewer(struct act *a)
{
    if (a->who->row.role != ROOST__MEET_ROLE__PARTICIPANT)
        return a->who->row.role == ROOST__MEET_ROLE__VIEWER ? -ROOST_ALREADY : -ROOST_NOT_ALLOWED;
    Roost__Attendee *row = &edit_of(a)->row;
    row->role = ROOST__MEET_ROLE__VIEWER;
    row->muted = row->video_off = true;
    row->recording = row->may_record = row->asked_unmute = row->asked_video = false;
    row->share_ms = 0;
    if (a->c->head.presenter == row->account)
        a->c->head.presenter = 0;
    return 0;
}

static int make_participant(struct act *a)
{
    if (a->who->row.role != ROOST__MEET_ROLE__VIEWER)
        return a->who->row.role == ROOST__MEET_ROLE__PARTICIPANT ? -ROOST_ALREADY
                                                                 : -ROOST_NOT_ALLOWED;
    edit_of(a)->row.role = ROOST__MEET_ROLE__PARTICIPANT;
    return 0;
}

/* Changes places: the old host, if it is in, becomes co-host. */
static void hand_over(struct act *a, uint64_t to)
{
    uint64_t from = a->m->head.host;

    if (meeting_role(a->m, from) == ROOST__MEET_ROLE__HOST)
        meet_edit(a->m, a->c, from)->row.role = ROOST__MEET_ROLE__COHOST;
    meet_edit(a->m, a->c, to)->row.role = ROOST__MEET_ROLE__HOST;
    a->c->head.host = to;
    a->c->head.fresh_until_ms = 0;
}

static int make_host(struct act *a)
{
    hand_over(a, a->who->row.account);
    return 0;
}

static int take_back(struct act *a)
{
    if (a->m->head.host == a->by->row.account)
        return -ROOST_ALREADY;
    if (a->m->head.fresh_until_ms <= (uint64_t)a->c->now_ms)
        return -ROOST_NOT_ALLOWED;
    hand_over(a, a->by->row.account);
    return 0;
}

static int lower_hand(struct act *a)
{
    if (!a->who->row.hand_ms)
        return -ROOST_ALREADY;
    edit_of(a)->row.hand_ms = 0;
    return 0;
}

static int hand_up(struct act *a)
{
    if (a->by->row.hand_ms)
        return -ROOST_ALREADY;
    edit_of(a)->row.hand_ms = (uint64_t)a->c->now_ms;
    return 0;
}

static int go_away(struct act *a)
{
    return turn(&edit_of(a)->row.away, true);
}

static int come_back(struct act *a)
{
    return turn(&edit_of(a)->row.away, false);
}

/* --- the meeting --------------------------------------------------------------------------------
 */

static int title(struct act *a)
{
    size_t len = strlen(a->ask->text);

    if (!len || len > MEET_TITLE_MAX)
        return len ? -ROOST_TOO_LONG : -ROOST_BAD_TEXT;
    a->c->head.title = meet_text(a->c, a->ask->text);
    return 0;
}

static void part(struct act *a, person *p)
{
    uint32_t role = p->row.role; /* who was what stays in the list of attendance */

    meet_step_out(a->m, a->c, p, ROOST__MEET_STATE__OUT);
    p->row.role = (Roost__MeetRole)role;
}

static int end(struct act *a)
{
    each(a, ROOST__MEET_STATE__IN, part);
    each(a, ROOST__MEET_STATE__WAITING, part);
    quiet(a);
    a->c->head.ended = true;
    a->c->head.host = a->c->head.presenter = a->c->head.spotlight = 0;
    return 0;
}

/* Whom one names must be able to take over; who waits just goes. */
static int leave(struct act *a)
{
    bool waits = a->by->row.state == ROOST__MEET_STATE__WAITING;
    uint64_t next = a->ask->who;

    if (next && a->by->row.role == ROOST__MEET_ROLE__HOST) {
        int role = meeting_role(a->m, next);
        if (next == a->by->row.account || role < 0 || role == ROOST__MEET_ROLE__VIEWER)
            return role < 0 ? -ROOST_NOT_IN_MEETING : -ROOST_NOT_ALLOWED;
    }
    person *me = meet_edit(a->m, a->c, a->by->row.account);
    meet_step_out(a->m, a->c, me, ROOST__MEET_STATE__OUT);
    if (a->m->head.host == a->by->row.account && !waits)
        meet_succeed(a->m, a->c, next);
    a->c->event = !waits;
    if (waits)
        quiet(a);
    return 0;
}

/* --- the table
 * ------------------------------------------------------------------------------------ */

#define ROW(ACTION, ...) [ROOST__MEET_ACTION__##ACTION] = { __VA_ARGS__ }

/* action, name, who may, on whom, in which state, more, what changes */
static const struct row rows[] = {
    ROW(ADMIT, "admit", H | C, ONE, WAITING, 0, admit),
    ROW(ADMIT_ALL, "admit-all", H | C, NOBODY, 0, 0, admit_all),
    ROW(DENY, "deny", H | C, ONE, WAITING, 0, deny),
    ROW(DENY_ALL, "deny-all", H | C, NOBODY, 0, 0, deny_all),
    ROW(MESSAGE, "message", H | C, ONE_OR_SELF, ANY, 0, message),
    ROW(MUTE, "mute", H | C, ONE, IN, OTHERS, mute),
    ROW(MUTE_ALL, "mute-all", H | C, NOBODY, 0, 0, mute_all),
    ROW(MUTE_ON_ENTRY, "mute-on-entry", H | C, NOBODY, 0, 0, mute_on_entry),
    ROW(NO_MUTE_ON_ENTRY, "no-mute-on-entry", H | C, NOBODY, 0, 0, no_mute_on_entry),
    ROW(LOCK_MICS, "lock-mic", H | C, NOBODY, 0, 0, lock_mics),
    ROW(UNLOCK_MICS, "unlock-mic", H | C, NOBODY, 0, 0, unlock_mics),
    ROW(ASK_UNMUTE, "ask-unmute", H | C, ONE, IN, OTHERS | NO_VIEWER, ask_unmute),
    ROW(ASK_VIDEO, "ask-video", H | C, ONE, IN, OTHERS | NO_VIEWER, ask_video),
    ROW(STOP_VIDEO, "stop-video", H | C, ONE, IN, OTHERS, stop_video),
    ROW(ALLOW_SHARE, "allow-share", H | C, NOBODY, 0, 0, allow_share),
    ROW(FORBID_SHARE, "forbid-share", H | C, NOBODY, 0, 0, forbid_share),
    ROW(GIVE_SHARE, "give-share", H | C, ONE, IN, NO_VIEWER, give_share),
    ROW(TAKE_SHARE, "take-share", H | C, NOBODY, 0, 0, take_share),
    ROW(SPOTLIGHT, "spotlight", H | C, ONE, IN, 0, spotlight),
    ROW(SPOTLIGHT_OFF, "spotlight-off", H | C, NOBODY, 0, 0, spotlight_off),
    ROW(ALLOW_CHAT, "allow-chat", H | C, NOBODY, 0, 0, allow_chat),
    ROW(FORBID_CHAT, "forbid-chat", H | C, NOBODY, 0, 0, forbid_chat),
    ROW(ALLOW_NOTES, "allow-notes", H | C, NOBODY, 0, 0, allow_notes),
    ROW(FORBID_NOTES, "forbid-notes", H | C, NOBODY, 0, 0, forbid_notes),
    ROW(ALLOW_RENAME, "allow-rename", H | C, NOBODY, 0, 0, allow_rename),
    ROW(FORBID_RENAME, "forbid-rename", H | C, NOBODY, 0, 0, forbid_rename),
    ROW(ALLOW_RECORD, "allow-record", H, ONE, IN, OTHERS | NO_VIEWER, allow_record),
    ROW(FORBID_RECORD, "forbid-record", H, ONE, IN, OTHERS | NO_VIEWER, forbid_record),
    ROW(RENAME, "rename", ALL, ONE_OR_SELF, IN, OTHERS, rename_one),
    ROW(REMOVE, "remove", H | C, ONE, IN, OTHERS, remove_one),
    ROW(BAN, "ban", H | C, ONE, ANY, OTHERS | NOT_FRESH, ban),
    ROW(UNBAN, "unban", H | C, ONE, EXCLUDED, 0, unban),
    ROW(MAKE_COHOST, "make-cohost", H, ONE, IN, OTHERS, make_cohost),
    ROW(DROP_COHOST, "drop-cohost", H, ONE, IN | OUT, OTHERS, drop_cohost),
    ROW(MAKE_VIEWER, "make-viewer", H | C, ONE, IN, OTHERS, make_viewer),
    ROW(MAKE_PARTICIPANT, "make-participant", H | C, ONE, IN, OTHERS, make_participant),
    ROW(MAKE_HOST, "make-host", H, ONE, IN, OTHERS | NO_VIEWER | NOT_FRESH, make_host),
    ROW(TAKE_BACK, "take-back", ALL, SELF, IN, FIRST_HOST, take_back),
    ROW(LOWER_HAND, "lower-hand", H | C, ONE, IN, 0, lower_hand),
    ROW(LOCK, "lock", H | C, NOBODY, 0, 0, lock),
    ROW(UNLOCK, "unlock", H | C, NOBODY, 0, 0, unlock),
    ROW(OPEN, "open", H | C, NOBODY, 0, 0, open_door),
    ROW(CLOSE, "close", H | C, NOBODY, 0, 0, close_door),
    ROW(TITLE, "title", H, NOBODY, 0, 0, title),
    ROW(KEEP_CHAT, "keep-chat", H, NOBODY, 0, 0, keep_chat),
    ROW(FORGET_CHAT, "forget-chat", H, NOBODY, 0, 0, forget_chat),
    ROW(END, "end", H, NOBODY, 0, NOT_FRESH, end),
    ROW(HAND_UP, "hand-up", ALL, SELF, IN, 0, hand_up),
    ROW(HAND_DOWN, "hand-down", ALL, SELF, IN, 0, lower_hand),
    ROW(SELF_MUTE, "self-mute", H | C | P, SELF, IN, 0, self_mute),
    ROW(SELF_UNMUTE, "self-unmute", H | C | P, SELF, IN, 0, self_unmute),
    ROW(VIDEO_ON, "video-on", H | C | P, SELF, IN, 0, video_on),
    ROW(VIDEO_OFF, "video-off", H | C | P, SELF, IN, 0, video_off),
    ROW(GO_AWAY, "go-away", ALL, SELF, IN, 0, go_away),
    ROW(COME_BACK, "come-back", ALL, SELF, IN, 0, come_back),
    ROW(WANT_SHARE, "want-share", H | C | P, SELF, IN, 0, want_share),
    ROW(START_SHARE, "start-share", H | C | P, SELF, IN, 0, start_share),
    ROW(STOP_SHARE, "stop-share", H | C | P, SELF, IN, 0, stop_share),
    ROW(START_RECORD, "start-record", H | C | P, SELF, IN, 0, start_record),
    ROW(STOP_RECORD, "stop-record", H | C | P, SELF, IN, 0, stop_record),
    ROW(LEAVE, "leave", ALL, NOBODY, 0, 0, leave),
};

static const struct row *row_of(Roost__MeetAction action)
{
    size_t n = sizeof rows / sizeof *rows;

    return (size_t)action < n && rows[action].apply ? &rows[action] : NULL;
}

const char *meet_action_name(Roost__MeetAction action)
{
    const struct row *row = row_of(action);

    return row ? row->name : "nothing";
}

/* --- the checks that every row has
 * ------------------------------------------------------------------ */

static int check_by(const struct act *a, const struct row *row)
{
    bool in = a->by && a->by->row.state == ROOST__MEET_STATE__IN;
    bool waits = a->by && a->by->row.state == ROOST__MEET_STATE__WAITING;

    if (a->m->head.ended)
        return -ROOST_MEET_ENDED;
    if (!in && !(waits && row->apply == leave))
        return -ROOST_NOT_IN_MEETING;
    if (in && !(row->who & 1u << a->by->row.role))
        return -ROOST_NOT_ALLOWED;
    if ((row->flags & FIRST_HOST) && a->m->head.first_host != a->by->row.account)
        return -ROOST_NOT_ALLOWED;
    if ((row->flags & NOT_FRESH) && a->by->row.role == ROOST__MEET_ROLE__HOST &&
        a->m->head.fresh_until_ms > (uint64_t)a->c->now_ms)
        return -ROOST_SUCCESSOR;
    return 0;
}

/* A host acts on all others, a co-host on participants, viewers and who is not in. */
static int check_rank(const struct act *a)
{
    if (a->who == a->by)
        return -ROOST_NOT_ALLOWED;
    if (a->by->row.role == ROOST__MEET_ROLE__HOST)
        return 0;
    return a->who->row.role >= ROOST__MEET_ROLE__COHOST ? -ROOST_NOT_ALLOWED : 0;
}

static int find_who(struct act *a, const struct row *row)
{
    uint64_t who = row->on == SELF || (row->on == ONE_OR_SELF && !a->ask->who) ? a->by->row.account
                                                                               : a->ask->who;

    if (row->on == NOBODY)
        return 0;
    a->who = meeting_attendee(a->m, who);
    if (!a->who || !(row->from & 1u << a->who->row.state))
        return -ROOST_NOT_IN_MEETING;
    if ((row->flags & NO_VIEWER) && a->who->row.role == ROOST__MEET_ROLE__VIEWER)
        return -ROOST_NOT_ALLOWED;
    bool own = row->on == ONE_OR_SELF && a->who == a->by;
    return (row->flags & OTHERS) && !own ? check_rank(a) : 0;
}

int meet_act(const struct meeting *m, const struct meet_ask *ask, struct meet_change *c)
{
    const struct row *row = row_of(ask->action);
    struct act a = { .m = m, .ask = ask, .c = c, .by = meeting_attendee(m, ask->by) };
    int err = row ? check_by(&a, row) : -ROOST_INVALID;

    if (!err)
        err = find_who(&a, row);
    if (err)
        return err;
    c->text = meet_text(c, ask->text);
    c->who = a.who && row->on != SELF ? a.who->row.account : 0;
    err = row->apply(&a);
    return err ? err : c->err;
}
