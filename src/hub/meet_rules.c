/* meet_rules.c - who may do what in a meeting: one row an action, as docs/ROLES.md
 * has it. The row says who may, on whom, and what must be so before; the function
 * says what changes.
 */
#include "hub/meet_acts.h"

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
    TEXT = 16,      /* words belong to it; else they are dropped */
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

int act_turn(protobuf_c_boolean *what, bool to)
{
    if (*what == to)
        return -ROOST_ALREADY;
    *what = to;
    return 0;
}

person *act_edit(struct act *a)
{
    if (!a->edit)
        a->edit = meet_edit(a->m, a->c, a->who->row.account);
    return a->edit;
}

bool act_is_fresh(const struct act *a)
{
    return a->m->head.fresh_until_ms > (uint64_t)a->c->now_ms;
}

void act_quiet(struct act *a)
{
    for (struct meet_edit *e = a->c->edits; e; e = e->next)
        e->quiet = true;
}

void act_each(struct act *a, uint32_t state, void (*f)(struct act *a, person *p))
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

/* --- the table --- */

#define ROW(ACTION, ...) [ROOST__MEET_ACTION__##ACTION] = { __VA_ARGS__ }

/* action, name, who may, on whom, in which state, more, what changes */
static const struct row rows[] = {
    ROW(ADMIT, "admit", H | C, ONE, WAITING, 0, act_admit),
    ROW(ADMIT_ALL, "admit-all", H | C, NOBODY, 0, 0, act_admit_all),
    ROW(DENY, "deny", H | C, ONE, WAITING, 0, act_deny),
    ROW(DENY_ALL, "deny-all", H | C, NOBODY, 0, 0, act_deny_all),
    ROW(MESSAGE, "message", H | C, ONE_OR_SELF, ANY, TEXT, act_message),
    ROW(MUTE, "mute", H | C, ONE, IN, OTHERS, act_mute),
    ROW(MUTE_ALL, "mute-all", H | C, NOBODY, 0, 0, act_mute_all),
    ROW(MUTE_ON_ENTRY, "mute-on-entry", H | C, NOBODY, 0, 0, act_mute_on_entry),
    ROW(NO_MUTE_ON_ENTRY, "no-mute-on-entry", H | C, NOBODY, 0, 0, act_no_mute_on_entry),
    ROW(LOCK_MICS, "lock-mic", H | C, NOBODY, 0, 0, act_lock_mics),
    ROW(UNLOCK_MICS, "unlock-mic", H | C, NOBODY, 0, 0, act_unlock_mics),
    ROW(ASK_UNMUTE, "ask-unmute", H | C, ONE, IN, OTHERS | NO_VIEWER, act_ask_unmute),
    ROW(ASK_VIDEO, "ask-video", H | C, ONE, IN, OTHERS | NO_VIEWER, act_ask_video),
    ROW(STOP_VIDEO, "stop-video", H | C, ONE, IN, OTHERS, act_stop_video),
    ROW(ALLOW_SHARE, "allow-share", H | C, NOBODY, 0, 0, act_allow_share),
    ROW(FORBID_SHARE, "forbid-share", H | C, NOBODY, 0, 0, act_forbid_share),
    ROW(GIVE_SHARE, "give-share", H | C, ONE, IN, NO_VIEWER, act_give_share),
    ROW(TAKE_SHARE, "take-share", H | C, NOBODY, 0, 0, act_take_share),
    ROW(SPOTLIGHT, "spotlight", H | C, ONE, IN, 0, act_spotlight),
    ROW(SPOTLIGHT_OFF, "spotlight-off", H | C, NOBODY, 0, 0, act_spotlight_off),
    ROW(ALLOW_CHAT, "allow-chat", H | C, NOBODY, 0, 0, act_allow_chat),
    ROW(FORBID_CHAT, "forbid-chat", H | C, NOBODY, 0, 0, act_forbid_chat),
    ROW(ALLOW_NOTES, "allow-notes", H | C, NOBODY, 0, 0, act_allow_notes),
    ROW(FORBID_NOTES, "forbid-notes", H | C, NOBODY, 0, 0, act_forbid_notes),
    ROW(ALLOW_RENAME, "allow-rename", H | C, NOBODY, 0, 0, act_allow_rename),
    ROW(FORBID_RENAME, "forbid-rename", H | C, NOBODY, 0, 0, act_forbid_rename),
    ROW(ALLOW_RECORD, "allow-record", H, ONE, IN, OTHERS | NO_VIEWER, act_allow_record),
    ROW(FORBID_RECORD, "forbid-record", H, ONE, IN, OTHERS | NO_VIEWER, act_forbid_record),
    ROW(RENAME, "rename", ALL, ONE_OR_SELF, IN, OTHERS | TEXT, act_rename_one),
    ROW(REMOVE, "remove", H | C, ONE, IN, OTHERS, act_remove_one),
    ROW(BAN, "ban", H | C, ONE, ANY, OTHERS | NOT_FRESH, act_ban),
    ROW(UNBAN, "unban", H | C, ONE, EXCLUDED, 0, act_unban),
    ROW(MAKE_COHOST, "make-cohost", H, ONE, IN, OTHERS, act_make_cohost),
    ROW(DROP_COHOST, "drop-cohost", H, ONE, IN | OUT, OTHERS, act_drop_cohost),
    ROW(MAKE_VIEWER, "make-viewer", H | C, ONE, IN, OTHERS, act_make_viewer),
    ROW(MAKE_PARTICIPANT, "make-participant", H | C, ONE, IN, OTHERS, act_make_participant),
    ROW(MAKE_HOST, "make-host", H, ONE, IN, OTHERS | NO_VIEWER | NOT_FRESH, act_make_host),
    ROW(TAKE_BACK, "take-back", ALL, SELF, IN, FIRST_HOST, act_take_back),
    ROW(LOWER_HAND, "lower-hand", H | C, ONE, IN, 0, act_lower_hand),
    ROW(LOCK, "lock", H | C, NOBODY, 0, 0, act_lock),
    ROW(UNLOCK, "unlock", H | C, NOBODY, 0, 0, act_unlock),
    ROW(OPEN, "open", H | C, NOBODY, 0, 0, act_open_door),
    ROW(CLOSE, "close", H | C, NOBODY, 0, 0, act_close_door),
    ROW(TITLE, "title", H, NOBODY, 0, TEXT, act_title),
    ROW(KEEP_CHAT, "keep-chat", H, NOBODY, 0, 0, act_keep_chat),
    ROW(FORGET_CHAT, "forget-chat", H, NOBODY, 0, 0, act_forget_chat),
    ROW(END, "end", H, NOBODY, 0, NOT_FRESH, act_end),
    ROW(HAND_UP, "hand-up", ALL, SELF, IN, 0, act_hand_up),
    ROW(HAND_DOWN, "hand-down", ALL, SELF, IN, 0, act_lower_hand),
    ROW(SELF_MUTE, "self-mute", H | C | P, SELF, IN, 0, act_self_mute),
    ROW(SELF_UNMUTE, "self-unmute", H | C | P, SELF, IN, 0, act_self_unmute),
    ROW(VIDEO_ON, "video-on", H | C | P, SELF, IN, 0, act_video_on),
    ROW(VIDEO_OFF, "video-off", H | C | P, SELF, IN, 0, act_video_off),
    ROW(GO_AWAY, "go-away", ALL, SELF, IN, 0, act_go_away),
    ROW(COME_BACK, "come-back", ALL, SELF, IN, 0, act_come_back),
    ROW(WANT_SHARE, "want-share", H | C | P, SELF, IN, 0, act_want_share),
    ROW(START_SHARE, "start-share", H | C | P, SELF, IN, 0, act_start_share),
    ROW(STOP_SHARE, "stop-share", H | C | P, SELF, IN, 0, act_stop_share),
    ROW(START_RECORD, "start-record", H | C | P, SELF, IN, 0, act_start_record),
    ROW(STOP_RECORD, "stop-record", H | C | P, SELF, IN, 0, act_stop_record),
    ROW(LEAVE, "leave", ALL, NOBODY, 0, 0, act_leave),
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

/* --- the checks that every row has --- */

static int check_by(const struct act *a, const struct row *row)
{
    bool in = a->by && a->by->row.state == ROOST__MEET_STATE__IN;
    bool waits = a->by && a->by->row.state == ROOST__MEET_STATE__WAITING;

    if (a->m->head.ended)
        return -ROOST_MEET_ENDED;
    if (!in && !(waits && row->apply == act_leave))
        return -ROOST_NOT_IN_MEETING;
    if (in && !(row->who & 1u << a->by->row.role))
        return -ROOST_NOT_ALLOWED;
    if ((row->flags & FIRST_HOST) && a->m->head.first_host != a->by->row.account)
        return -ROOST_NOT_ALLOWED;
    if ((row->flags & NOT_FRESH) && a->by->row.role == ROOST__MEET_ROLE__HOST && act_is_fresh(a))
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
    if (row->flags & TEXT)
        c->text = meet_text(c, ask->text);
    c->who = a.who && row->on != SELF ? a.who->row.account : 0;
    err = row->apply(&a);
    return err ? err : c->err;
}
