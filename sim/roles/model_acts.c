/* model_acts.c - "Having come in" of docs/ROLES.md, row by row. */
#include "sim/roles/model.h"

#include <stdio.h>
#include <string.h>

enum { IN_MAX = 250, TEXT_MAX_BYTES = 1000, TITLE_MAX_BYTES = 200 };
enum { H = 1 << 3, C = 1 << 2, V = 1 << 1, P = 1 << 0, ALL = H | C | V | P };

/* On whom. OTHERS: participants, viewers and those who wait for a co-host, anybody but
 * oneself for a host. */
enum whom { NOBODY, WAITS, OTHER_IN, OTHER_ANY, ANY_IN, SELF };

static const struct row {
    Roost__MeetAction action;
    unsigned who;
    enum whom whom;
    bool no_viewers; /* on whom */
} rows[] = {
    { ROOST__MEET_ACTION__ADMIT, H | C, WAITS },
    { ROOST__MEET_ACTION__DENY, H | C, WAITS },
    { ROOST__MEET_ACTION__ADMIT_ALL, H | C },
    { ROOST__MEET_ACTION__DENY_ALL, H | C },
    { ROOST__MEET_ACTION__MESSAGE, H | C },
    { ROOST__MEET_ACTION__MUTE, H | C, OTHER_IN },
    { ROOST__MEET_ACTION__MUTE_ALL, H | C },
    { ROOST__MEET_ACTION__MUTE_ON_ENTRY, H | C },
    { ROOST__MEET_ACTION__NO_MUTE_ON_ENTRY, H | C },
    { ROOST__MEET_ACTION__LOCK_MICS, H | C },
    { ROOST__MEET_ACTION__UNLOCK_MICS, H | C },
    { ROOST__MEET_ACTION__ASK_UNMUTE, H | C, OTHER_IN, true },
    { ROOST__MEET_ACTION__ASK_VIDEO, H | C, OTHER_IN, true },
    { ROOST__MEET_ACTION__STOP_VIDEO, H | C, OTHER_IN },
    { ROOST__MEET_ACTION__ALLOW_SHARE, H | C },
    { ROOST__MEET_ACTION__FORBID_SHARE, H | C },
    { ROOST__MEET_ACTION__GIVE_SHARE, H | C, ANY_IN, true },
    { ROOST__MEET_ACTION__TAKE_SHARE, H | C },
    { ROOST__MEET_ACTION__SPOTLIGHT, H | C, ANY_IN },
    { ROOST__MEET_ACTION__SPOTLIGHT_OFF, H | C },
    { ROOST__MEET_ACTION__ALLOW_CHAT, H | C },
    { ROOST__MEET_ACTION__FORBID_CHAT, H | C },
    { ROOST__MEET_ACTION__ALLOW_NOTES, H | C },
    { ROOST__MEET_ACTION__FORBID_NOTES, H | C },
    { ROOST__MEET_ACTION__ALLOW_RENAME, H | C },
    { ROOST__MEET_ACTION__FORBID_RENAME, H | C },
    { ROOST__MEET_ACTION__ALLOW_RECORD, H, OTHER_IN, true },
    { ROOST__MEET_ACTION__FORBID_RECORD, H, OTHER_IN, true },
    { ROOST__MEET_ACTION__RENAME, ALL },
    { ROOST__MEET_ACTION__REMOVE, H | C, OTHER_IN },
    { ROOST__MEET_ACTION__BAN, H | C, OTHER_ANY },
    { ROOST__MEET_ACTION__UNBAN, H | C },
    { ROOST__MEET_ACTION__MAKE_COHOST, H },
    { ROOST__MEET_ACTION__DROP_COHOST, H },
    { ROOST__MEET_ACTION__MAKE_VIEWER, H | C },
    { ROOST__MEET_ACTION__MAKE_PARTICIPANT, H | C },
    { ROOST__MEET_ACTION__MAKE_HOST, H, OTHER_IN, true },
    { ROOST__MEET_ACTION__TAKE_BACK, ALL },
    { ROOST__MEET_ACTION__LOWER_HAND, H | C, ANY_IN },
    { ROOST__MEET_ACTION__LOCK, H | C },
    { ROOST__MEET_ACTION__UNLOCK, H | C },
    { ROOST__MEET_ACTION__OPEN, H | C },
    { ROOST__MEET_ACTION__CLOSE, H | C },
    { ROOST__MEET_ACTION__TITLE, H },
    { ROOST__MEET_ACTION__KEEP_CHAT, H },
    { ROOST__MEET_ACTION__FORGET_CHAT, H },
    { ROOST__MEET_ACTION__END, H },
    { ROOST__MEET_ACTION__HAND_UP, ALL, SELF },
    { ROOST__MEET_ACTION__HAND_DOWN, ALL, SELF },
    { ROOST__MEET_ACTION__SELF_MUTE, H | C | P, SELF },
    { ROOST__MEET_ACTION__SELF_UNMUTE, H | C | P, SELF },
    { ROOST__MEET_ACTION__VIDEO_ON, H | C | P, SELF },
    { ROOST__MEET_ACTION__VIDEO_OFF, H | C | P, SELF },
    { ROOST__MEET_ACTION__GO_AWAY, ALL, SELF },
    { ROOST__MEET_ACTION__COME_BACK, ALL, SELF },
    { ROOST__MEET_ACTION__WANT_SHARE, H | C | P, SELF },
    { ROOST__MEET_ACTION__START_SHARE, H | C | P, SELF },
    { ROOST__MEET_ACTION__STOP_SHARE, H | C | P, SELF },
    { ROOST__MEET_ACTION__START_RECORD, ALL, SELF },
    { ROOST__MEET_ACTION__STOP_RECORD, ALL, SELF },
    { ROOST__MEET_ACTION__LEAVE, ALL, SELF },
};

static const struct row *row_of(Roost__MeetAction action)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].action == action)
            return &rows[i];
    return NULL;
}

static bool is_in(const struct m_seat *s)
{
    return s && s->state == ROOST__MEET_STATE__IN;
}

static bool waits(const struct m_seat *s)
{
    return s && s->state == ROOST__MEET_STATE__WAITING;
}

static unsigned bit(const struct m_seat *s)
{
    return s->role == ROOST__MEET_ROLE__HOST     ? H
           : s->role == ROOST__MEET_ROLE__COHOST ? C
           : s->role == ROOST__MEET_ROLE__VIEWER ? V
                                                 : P;
}

static bool manages(const struct m_seat *s)
{
    return is_in(s) && (bit(s) & (H | C));
}

/* "others", for him */
static bool may_touch(const struct m_seat *by, const struct m_seat *on)
{
    return on != by && bit(on) != H && (bit(by) == H || bit(on) != C);
}

static no check_whom(const struct row *r, const struct m_seat *by, const struct m_seat *on)
{
    no why = 0;

    switch (r->whom) {
    case NOBODY:
    case SELF:
        return 0;
    case WAITS:
        return waits(on) ? 0 : NO(EMPTY) | NO(NOT_IN);
    case OTHER_IN:
    case ANY_IN:
        if (!is_in(on))
            why |= NO(NOT_IN);
        break;
    case OTHER_ANY:
        break;
    }
    if (!on)
        return NO(NOT_IN);
    if (r->whom != ANY_IN && !may_touch(by, on))
        why |= NO(RIGHT) | NO(WHOM);
    if (r->no_viewers && is_in(on) && bit(on) == V)
        why |= NO(WHOM);
    return why;
}

static no so(bool is)
{
    return is ? NO(SO) : 0;
}

static bool good_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 32 && !strpbrk(name, "!/@#*") && name[0] != ' ' && name[n - 1] != ' ';
}

static no check_rename(struct model *m, struct m_meet *t, const struct m_act *a,
                       const struct m_seat *by, const struct m_seat *on)
{
    const struct m_person *who = on ? m_person(m, on->who) : NULL;
    no why = 0;

    if (on != by) {
        if (!(bit(by) & (H | C)))
            why |= NO(RIGHT) | NO(WHOM);
        if (!is_in(on))
            why |= NO(NOT_IN);
        else if (!may_touch(by, on))
            why |= NO(RIGHT) | NO(WHOM);
    }
    if (t->no_rename && (bit(by) & (P | V)))
        why |= NO(RIGHT);
    if (!good_name(a->text))
        return why | NO(NAME_BAD);
    if (on && !strcmp(on->name, a->text))
        why |= NO(SO);
    for (size_t i = 0; i < t->n_seats; i++)
        if (&t->seats[i] != on && (is_in(&t->seats[i]) || waits(&t->seats[i])) &&
            m_looks_alike(t->seats[i].name, a->text))
            why |= NO(NAME_TAKEN);
    for (size_t i = 0; i < m->n_people; i++)
        if (!m->people[i].guest && &m->people[i] != who &&
            m_looks_alike(m->people[i].name, a->text))
            why |= NO(NAME_TAKEN);
    return why;
}

/* A co-host takes nothing from the host who presents. */
static no from_host(struct m_meet *t, const struct m_seat *by, const struct m_seat *to)
{
    const struct m_seat *p = m_seat(t, t->presenter);

    return p && p != to && bit(by) == C && bit(p) == H ? NO(RIGHT) | NO(WHOM) : 0;
}

/* What the column "refused when" and, for a few, "on whom" say of this action alone. */
static no check_more(struct model *m, struct m_meet *t, const struct m_act *a, struct m_seat *by,
                     struct m_seat *on)
{
    bool fresh = bit(by) == H && m_is_fresh(m, t);
    bool p = bit(by) == P;
    size_t n_in = m_count(t, ROOST__MEET_STATE__IN);
    size_t n_waiting = m_count(t, ROOST__MEET_STATE__WAITING);

    switch (a->action) {
    case ROOST__MEET_ACTION__ADMIT:
        return n_in >= IN_MAX ? NO(FULL) : 0;
    case ROOST__MEET_ACTION__ADMIT_ALL:
        return (n_waiting ? 0 : NO(EMPTY)) | (n_in + n_waiting > IN_MAX ? NO(FULL) : 0);
    case ROOST__MEET_ACTION__DENY_ALL:
        return n_waiting ? 0 : NO(EMPTY);
    case ROOST__MEET_ACTION__MESSAGE:
        return (n_waiting ? 0 : NO(EMPTY)) | (a->whom && !waits(on) ? NO(EMPTY) | NO(NOT_IN) : 0) |
               (!*a->text || strlen(a->text) > TEXT_MAX_BYTES ? NO(TEXT) : 0);
    case ROOST__MEET_ACTION__MUTE:
        return so(is_in(on) && on->muted);
    case ROOST__MEET_ACTION__MUTE_ON_ENTRY:
        return so(t->mute_on_entry);
    case ROOST__MEET_ACTION__NO_MUTE_ON_ENTRY:
        return so(!t->mute_on_entry);
    case ROOST__MEET_ACTION__LOCK_MICS:
        return so(t->mics_locked);
    case ROOST__MEET_ACTION__UNLOCK_MICS:
        return so(!t->mics_locked);
    case ROOST__MEET_ACTION__ASK_UNMUTE:
        return so(is_in(on) && !on->muted);
    case ROOST__MEET_ACTION__ASK_VIDEO:
        return so(is_in(on) && !on->video_off);
    case ROOST__MEET_ACTION__STOP_VIDEO:
        return so(is_in(on) && on->video_off);
    case ROOST__MEET_ACTION__ALLOW_SHARE:
        return so(!t->no_share);
    case ROOST__MEET_ACTION__FORBID_SHARE:
        return so(t->no_share);
    case ROOST__MEET_ACTION__GIVE_SHARE:
        return so(on && t->presenter == on->who) | from_host(t, by, on);
    case ROOST__MEET_ACTION__TAKE_SHARE:
        return !t->presenter ? NO(SO) | NO(NOT_IN) : from_host(t, by, NULL);
    case ROOST__MEET_ACTION__SPOTLIGHT:
        return so(on && t->spotlight == on->who);
    case ROOST__MEET_ACTION__SPOTLIGHT_OFF:
        return so(!t->spotlight);
    case ROOST__MEET_ACTION__ALLOW_CHAT:
        return so(!t->no_chat);
    case ROOST__MEET_ACTION__FORBID_CHAT:
        return so(t->no_chat);
    case ROOST__MEET_ACTION__ALLOW_NOTES:
        return so(!t->no_notes);
    case ROOST__MEET_ACTION__FORBID_NOTES:
        return so(t->no_notes);
    case ROOST__MEET_ACTION__ALLOW_RENAME:
        return so(!t->no_rename);
    case ROOST__MEET_ACTION__FORBID_RENAME:
        return so(t->no_rename);
    case ROOST__MEET_ACTION__ALLOW_RECORD:
        return so(on && on->may_record);
    case ROOST__MEET_ACTION__FORBID_RECORD:
        return so(on && !on->may_record && !on->recording);
    case ROOST__MEET_ACTION__RENAME:
        return check_rename(m, t, a, by, on);
    case ROOST__MEET_ACTION__BAN:
        return (on && on->state == ROOST__MEET_STATE__EXCLUDED ? NO(SO) : 0) |
               (fresh || (on && on->who == t->first_host && m_is_fresh(m, t)) ? NO(FRESH) : 0);
    case ROOST__MEET_ACTION__UNBAN:
        return !on || on->state != ROOST__MEET_STATE__EXCLUDED ? NO(SO) | NO(NOT_IN) : 0;
    case ROOST__MEET_ACTION__MAKE_COHOST:
        return (!is_in(on)             ? NO(NOT_IN)
                : !(bit(on) & (P | V)) ? NO(SO) | NO(WHOM) | NO(RIGHT)
                                       : 0) |
               (on && on->guest && !by->guest ? NO(GUEST) | NO(RIGHT) : 0);
    case ROOST__MEET_ACTION__DROP_COHOST:
        return !on || bit(on) != C ? NO(SO) | NO(WHOM) | NO(RIGHT) | NO(NOT_IN) : 0;
    case ROOST__MEET_ACTION__MAKE_VIEWER:
        return !is_in(on) ? NO(NOT_IN) : bit(on) == P ? 0 : NO(WHOM) | NO(SO) | NO(RIGHT);
    case ROOST__MEET_ACTION__MAKE_PARTICIPANT:
        return !is_in(on) ? NO(NOT_IN) : bit(on) == V ? 0 : NO(WHOM) | NO(SO) | NO(RIGHT);
    case ROOST__MEET_ACTION__MAKE_HOST:
    case ROOST__MEET_ACTION__END:
        return fresh ? NO(FRESH) : 0;
    case ROOST__MEET_ACTION__TAKE_BACK:
        return by->who != t->first_host ? NO(RIGHT)
               : t->host == by->who     ? NO(SO) | NO(RIGHT)
               : !m_is_fresh(m, t)      ? NO(RIGHT) | NO(FRESH)
                                        : 0;
    case ROOST__MEET_ACTION__LOWER_HAND:
        return so(is_in(on) && !on->hand);
    case ROOST__MEET_ACTION__LOCK:
        return so(t->locked);
    case ROOST__MEET_ACTION__UNLOCK:
        return so(!t->locked);
    case ROOST__MEET_ACTION__OPEN:
        return so(t->open);
    case ROOST__MEET_ACTION__CLOSE:
        return so(!t->open);
    case ROOST__MEET_ACTION__TITLE:
        return !*a->text || strlen(a->text) > TITLE_MAX_BYTES ? NO(TEXT) : 0;
    case ROOST__MEET_ACTION__KEEP_CHAT:
        return so(!t->forget);
    case ROOST__MEET_ACTION__FORGET_CHAT:
        return so(t->forget);
    case ROOST__MEET_ACTION__HAND_UP:
        return so(by->hand);
    case ROOST__MEET_ACTION__HAND_DOWN:
        return so(!by->hand);
    case ROOST__MEET_ACTION__SELF_MUTE:
        return so(by->muted);
    case ROOST__MEET_ACTION__SELF_UNMUTE:
        return so(!by->muted) | (p && t->mics_locked ? NO(RIGHT) : 0);
    case ROOST__MEET_ACTION__VIDEO_ON:
        return so(!by->video_off);
    case ROOST__MEET_ACTION__VIDEO_OFF:
        return so(by->video_off);
    case ROOST__MEET_ACTION__GO_AWAY:
        return so(by->away);
    case ROOST__MEET_ACTION__COME_BACK:
        return so(!by->away);
    case ROOST__MEET_ACTION__WANT_SHARE:
        return so(by->wants_share || t->presenter == by->who) | (p && t->no_share ? NO(RIGHT) : 0);
    case ROOST__MEET_ACTION__START_SHARE:
        return so(t->presenter == by->who) |
               (t->presenter && t->presenter != by->who ? NO(TAKEN) : 0) |
               (p && t->no_share ? NO(RIGHT) : 0);
    case ROOST__MEET_ACTION__STOP_SHARE:
        return so(t->presenter != by->who && !by->wants_share);
    case ROOST__MEET_ACTION__START_RECORD:
        return (bit(by) != H && !by->may_record ? NO(RIGHT) : 0) | so(by->recording);
    case ROOST__MEET_ACTION__STOP_RECORD:
        return by->recording ? 0 : NO(SO) | NO(RIGHT);
    case ROOST__MEET_ACTION__LEAVE:
        return bit(by) == H && a->whom && (!is_in(on) || bit(on) == V || on == by)
                   ? NO(NOT_IN) | NO(WHOM) | NO(RIGHT)
                   : 0;
    default:
        return 0;
    }
}

no m_may_act(struct model *m, struct m_meet *t, const struct m_act *a)
{
    const struct row *r = row_of(a->action);
    struct m_seat *by = m_seat(t, a->by), *on = m_seat(t, a->whom);
    no why = 0;
    /* a name that an account has may be refused before all else */
    const no name = a->action == ROOST__MEET_ACTION__RENAME ? NO(NAME_TAKEN) : 0;

    if (t->ended)
        return NO(ENDED) | NO(NO_MEETING) | NO(CLOSED) | NO(NOT_IN) | NO(NOT_MEMBER) | name;
    if (a->action == ROOST__MEET_ACTION__LEAVE && waits(by))
        return 0;
    if (!is_in(by))
        return NO(NOT_IN) | NO(NOT_MEMBER) | NO(NO_MEETING) | name;
    if (a->action == ROOST__MEET_ACTION__RENAME && !on)
        on = a->whom ? NULL : by;
    if (!(bit(by) & r->who))
        why |= NO(RIGHT);
    why |= check_whom(r, by, on);
    return why | check_more(m, t, a, by, on);
}

/* --- the last rows of the table ------------------------------------------------ */

static no in_or_no(struct m_meet *t, const struct m_seat *by)
{
    if (t->ended)
        return NO(ENDED) | NO(NO_MEETING) | NO(CLOSED) | NO(NOT_IN) | NO(NOT_MEMBER) | NO(NO_ROOM);
    return is_in(by) ? 0 : NO(NOT_IN) | NO(NOT_MEMBER) | NO(NO_MEETING) | NO(NO_ROOM);
}

no m_may_chat(struct model *m, struct m_meet *t, uint64_t by)
{
    struct m_seat *s = m_seat(t, by);
    no why = in_or_no(t, s);

    (void)m;
    return why ? why : t->no_chat && (bit(s) & (P | V)) ? NO(RIGHT) | NO(MODERATED) : 0;
}

no m_may_note(struct model *m, struct m_meet *t, uint64_t by, uint64_t whom)
{
    struct m_seat *s = m_seat(t, by), *on = m_seat(t, whom);
    no why = in_or_no(t, s);

    (void)m;
    if (why)
        return why;
    if (!is_in(on))
        return NO(NOT_IN);
    if (on == s)
        return NO(WHOM) | NO(RIGHT);
    return t->no_notes && (bit(s) & (P | V)) && !manages(on) ? NO(RIGHT) | NO(MODERATED) : 0;
}

no m_may_react(struct model *m, struct m_meet *t, uint64_t by)
{
    (void)m;
    return in_or_no(t, m_seat(t, by));
}

no m_may_see(struct model *m, struct m_meet *t, uint64_t by, bool all)
{
    struct m_seat *s = m_seat(t, by);
    struct m_room *r = m_room(m, t->bound);
    struct m_member *x = r ? m_member(r, by) : NULL;
    struct m_person *p = m_person(m, by);

    if ((p && p->role == ROOST__ROLE__ADMIN) || by == t->first_host)
        return 0;
    if (all)
        return manages(s) && !t->ended ? 0 : in_or_no(t, s) | NO(RIGHT);
    return x && x->in ? 0 : in_or_no(t, s);
}

bool m_sees_waiting(struct model *m, struct m_meet *t, uint64_t by)
{
    return manages(m_seat(t, by)) || m_person(m, by)->role == ROOST__ROLE__ADMIN;
}

no m_may_read(struct model *m, struct m_meet *t, uint64_t by)
{
    struct m_seat *s = m_seat(t, by);
    struct m_person *p = m_person(m, by);
    const no gone = NO(NOT_MEMBER) | NO(NO_ROOM) | NO(ENDED) | NO(NO_MEETING) | NO(GUEST) |
                    NO(ROOM_BANNED) | NO(NOT_IN);

    if (p->guest)
        return is_in(s) && !t->ended ? 0 : gone;
    return s && s->was_in && !(s->sent_away && s->state != ROOST__MEET_STATE__IN) ? 0 : gone;
}
