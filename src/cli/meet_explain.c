#include "cli/meet_explain.h"

#include <strings.h>

#include "base/err.h"

/* In the view people type slash words, beside it commands. */
static const char *who_shows(const struct meet_tried *t)
{
    return t->outside ? "roost meet who CODE shows who is there" : "/who shows who is there";
}

static bool say(struct buf *text, struct buf *advice, const char *wrong, const char *what_to_do)
{
    buf_puts(text, wrong);
    buf_puts(advice, what_to_do);
    return true;
}

static bool acts(const struct meet_tried *t, enum roost_meet_action action)
{
    return t->what == MEET_DO_ACT && t->action == action;
}

static bool listed(const struct roost_attendee *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcasecmp(list[i].name, name))
            return true;
    return false;
}

/* --- who is not there ------------------------------------------------------------------- */

/* One act from outside: one may not be in there oneself. */
static bool not_in_from_outside(const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    if (t->what == MEET_DO_WHO)
        return say(text, advice, "you are not in this meeting, or still wait in its lobby",
                   "roost meet join CODE comes in; a host lets in who waits");
    if (!t->user)
        return say(text, advice,
                   acts(t, ROOST_ACT_ADMIT_ALL) || acts(t, ROOST_ACT_DENY_ALL) ||
                           acts(t, ROOST_ACT_MESSAGE)
                       ? "nobody waits in the lobby, or you are not in this meeting"
                       : "you are not in this meeting",
                   "roost meet join CODE comes in");
    buf_printf(text, "nobody called “%s” is there, or you are not in this meeting", t->user);
    buf_puts(advice, "roost meet who CODE shows who is, and who waits");
    return true;
}

static bool not_waiting(const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    if (!t->user)
        return say(text, advice, "nobody waits in the lobby", who_shows(t));
    if (listed(t->there->attendees, t->there->n_attendees, t->user)) {
        buf_printf(text, "“%s” is in the meeting already", t->user);
        buf_puts(advice, who_shows(t));
        return true;
    }
    buf_printf(text, "nobody called “%s” waits in the lobby", t->user);
    buf_puts(advice, !t->there->n_waiting ? "nobody waits at the moment"
                     : t->outside         ? "roost meet who CODE shows who waits"
                                          : "/who shows who waits");
    return true;
}

static bool not_in(const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    if (!t->there)
        return not_in_from_outside(t, text, advice);
    if (acts(t, ROOST_ACT_ADMIT) || acts(t, ROOST_ACT_DENY) || acts(t, ROOST_ACT_ADMIT_ALL) ||
        acts(t, ROOST_ACT_DENY_ALL) || acts(t, ROOST_ACT_MESSAGE))
        return not_waiting(t, text, advice);
    if (!t->user)
        return say(text, advice, "you are not in the meeting any more",
                   "roost meet join CODE comes in again");
    if (acts(t, ROOST_ACT_UNBAN)) {
        buf_printf(text, "nobody called “%s” is banned", t->user);
        buf_puts(advice, "roost meet who CODE --all shows who is");
    } else if (listed(t->there->waiting, t->there->n_waiting, t->user)) {
        buf_printf(text, "“%s” still waits in the lobby", t->user);
        buf_puts(advice, t->outside ? "admit or deny comes first" : "/admit or /deny comes first");
    } else if (acts(t, ROOST_ACT_LEAVE)) {
        buf_printf(text, "nobody called “%s” is in the meeting, and you have not left", t->user);
        buf_puts(advice, "/who shows who is; /leave alone leaves it to the server whom it makes "
                         "host");
    } else {
        buf_printf(text, "nobody called “%s” is in the meeting", t->user);
        buf_puts(advice, who_shows(t));
    }
    return true;
}

/* --- what is not allowed ----------------------------------------------------------------- */

static bool only_the_host(enum roost_meet_action action)
{
    switch (action) {
    case ROOST_ACT_ALLOW_RECORD:
    case ROOST_ACT_FORBID_RECORD:
    case ROOST_ACT_MAKE_HOST:
    case ROOST_ACT_MAKE_COHOST:
    case ROOST_ACT_DROP_COHOST:
    case ROOST_ACT_TITLE:
    case ROOST_ACT_KEEP_CHAT:
    case ROOST_ACT_FORGET_CHAT:
    case ROOST_ACT_END:
        return true;
    default:
        return false;
    }
}

static bool by_action(const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    const struct roost_meeting *m = &t->there->meeting;

    switch (t->action) {
    case ROOST_ACT_SELF_UNMUTE:
        return m->mics_locked && say(text, advice, "a host has locked the microphones",
                                     "/hand asks for a word; a host can unlock them");
    case ROOST_ACT_START_SHARE:
    case ROOST_ACT_WANT_SHARE:
        return m->no_share && say(text, advice, "a host has turned off presenting",
                                  "a host can let you: /give-share, or /allow-share for all");
    case ROOST_ACT_RENAME:
        return m->no_rename && say(text, advice, "a host has turned off renaming",
                                   "a host can give you the name, or allow renaming");
    case ROOST_ACT_START_RECORD:
        return say(text, advice, "only the host records, and whom the host allows to",
                   "ask the host for /allow-record");
    case ROOST_ACT_TAKE_BACK:
        return say(text, advice, "there is no place of yours to take back",
                   "only the first host of a meeting can, within ten minutes of losing the place");
    default:
        return false;
    }
}

static bool not_allowed(const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    const struct meet_word *w = meet_word_find(meet_word_of(t->action));
    enum roost_meet_role role;

    if (t->what != MEET_DO_ACT || !t->there || !w)
        return false;
    role = t->there->you.role;
    if (role == ROOST_VIEWER && w->own)
        return say(text, advice, "you are a viewer here: you watch and listen",
                   "a host can make you a participant; /hand asks for a word");
    if (by_action(t, text, advice))
        return true;
    if (w->own || role == ROOST_HOST)
        return false;
    if (role == ROOST_COHOST && !only_the_host(t->action))
        return say(text, advice, "a co-host cannot do this to a host or another co-host",
                   t->outside ? "ask the host" : "ask the host: /who shows who is there");
    return say(text, advice,
               only_the_host(t->action) ? "only the host can do this"
                                        : "only a host or co-host can do this",
               t->outside ? "roost meet who CODE shows who they are"
                          : "ask one of them: /who shows who is there");
}

static bool turned_off(const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    bool notes = !t->there || !t->there->meeting.no_notes;

    if (t->what == MEET_DO_NOTE)
        return say(text, advice, "a host has turned off private notes",
                   "a note to a host or co-host still arrives");
    return say(text, advice, "a host has turned the chat off",
               notes ? "/note NAME TEXT writes to one person; /hand asks for a word"
                     : "/note HOST TEXT still writes to a host; /hand asks for a word");
}

static bool too_long(const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    if (acts(t, ROOST_ACT_TITLE))
        return say(text, advice, "the title is too long", "use at most 200 bytes");
    if (acts(t, ROOST_ACT_MESSAGE))
        return say(text, advice, "a message to the lobby cannot be so long",
                   "use at most 1,000 bytes");
    return false;
}

bool meet_explain(int code, const struct meet_tried *t, struct buf *text, struct buf *advice)
{
    bool leaves = acts(t, ROOST_ACT_LEAVE);

    if (t->waits && !leaves &&
        (code == ROOST_NOT_IN_MEETING || code == ROOST_NO_SUCH_ROOM || code == ROOST_NOT_MEMBER ||
         code == ROOST_NOT_ALLOWED || code == ROOST_GUEST))
        return say(text, advice, "you wait in the lobby: nobody in the meeting hears you yet",
                   "a host lets you in, and was told that you wait; /leave gives up");
    switch (code) {
    case ROOST_NOT_IN_MEETING:
        return not_in(t, text, advice);
    case ROOST_NOT_ALLOWED:
        return not_allowed(t, text, advice);
    case ROOST_MODERATED:
        return turned_off(t, text, advice);
    case ROOST_TOO_LONG:
        return too_long(t, text, advice);
    case ROOST_SUCCESSOR: /* a successor's own refusal is in the error */
        return acts(t, ROOST_ACT_BAN) && t->there && t->there->you.role == ROOST_COHOST &&
               say(text, advice, "who may take the host's place back cannot be banned",
                   "the host has been one for less than ten minutes");
    case ROOST_NAME_BAD:
        return acts(t, ROOST_ACT_RENAME) &&
               say(text, advice, "this name cannot be used", MEET_NAME_ADVICE);
    default:
        return false;
    }
}
