#include "cli/meet_words.h"

#include <string.h>

/* clang-format off */
static const struct meet_word words[] = {
    { "admit", ROOST_ACT_ADMIT, MEET_USER, false, "%b let %w in" },
    { "deny", ROOST_ACT_DENY, MEET_USER, false, "%b did not let %w in" },
    { "admit-all", ROOST_ACT_ADMIT_ALL, MEET_NONE, false, "%b let everybody in" },
    { "deny-all", ROOST_ACT_DENY_ALL, MEET_NONE, false, "%b let nobody in who waited" },
    { "message", ROOST_ACT_MESSAGE, MEET_MAYBE_USER_TEXT, false, "%b wrote to the lobby: %t" },
    { "mute", ROOST_ACT_MUTE, MEET_USER, false, "%b muted %w" },
    { "mute-all", ROOST_ACT_MUTE_ALL, MEET_NONE, false, "%b muted everybody" },
    { "mute-on-entry", ROOST_ACT_MUTE_ON_ENTRY, MEET_NONE, false, "%b: who comes in is muted" },
    { "no-mute-on-entry", ROOST_ACT_NO_MUTE_ON_ENTRY, MEET_NONE, false, "%b: who comes in is not muted" },
    { "lock-mic", ROOST_ACT_LOCK_MICS, MEET_NONE, false, "%b locked the microphones" },
    { "unlock-mic", ROOST_ACT_UNLOCK_MICS, MEET_NONE, false, "%b unlocked the microphones" },
    { "ask-unmute", ROOST_ACT_ASK_UNMUTE, MEET_USER, false, "%b asked %w to unmute" },
    { "ask-video", ROOST_ACT_ASK_VIDEO, MEET_USER, false, "%b asked %w to turn video on" },
    { "stop-video", ROOST_ACT_STOP_VIDEO, MEET_USER, false, "%b turned off the video of %w" },
    { "allow-share", ROOST_ACT_ALLOW_SHARE, MEET_NONE, false, "%b allowed sharing" },
    { "forbid-share", ROOST_ACT_FORBID_SHARE, MEET_NONE, false, "%b forbade sharing" },
    { "give-share", ROOST_ACT_GIVE_SHARE, MEET_USER, false, "%b let %w present" },
    { "take-share", ROOST_ACT_TAKE_SHARE, MEET_NONE, false, "%b ended the presentation" },
    { "allow-chat", ROOST_ACT_ALLOW_CHAT, MEET_NONE, false, "%b allowed the chat" },
    { "forbid-chat", ROOST_ACT_FORBID_CHAT, MEET_NONE, false, "%b forbade the chat" },
    { "allow-notes", ROOST_ACT_ALLOW_NOTES, MEET_NONE, false, "%b allowed private notes" },
    { "forbid-notes", ROOST_ACT_FORBID_NOTES, MEET_NONE, false, "%b forbade private notes" },
    { "allow-rename", ROOST_ACT_ALLOW_RENAME, MEET_NONE, false, "%b allowed renaming" },
    { "forbid-rename", ROOST_ACT_FORBID_RENAME, MEET_NONE, false, "%b forbade renaming" },
    { "allow-record", ROOST_ACT_ALLOW_RECORD, MEET_USER, false, "%b allowed %w to record" },
    { "forbid-record", ROOST_ACT_FORBID_RECORD, MEET_USER, false, "%b forbade %w to record" },
    { "spotlight", ROOST_ACT_SPOTLIGHT, MEET_USER, false, "%b put %w in the spotlight" },
    { "spotlight-off", ROOST_ACT_SPOTLIGHT_OFF, MEET_NONE, false, "%b ended the spotlight" },
    { "rename", ROOST_ACT_RENAME, MEET_MAYBE_USER_TEXT, false, "%b gave a new name: %w" },
    { "remove", ROOST_ACT_REMOVE, MEET_USER, false, "%b removed %w" },
    { "ban", ROOST_ACT_BAN, MEET_USER, false, "%b banned %w" },
    { "unban", ROOST_ACT_UNBAN, MEET_USER, false, "%b lifted the ban of %w" },
    { "make-host", ROOST_ACT_MAKE_HOST, MEET_USER, false, "%b made %w host" },
    { "make-cohost", ROOST_ACT_MAKE_COHOST, MEET_USER, false, "%b made %w co-host" },
    { "drop-cohost", ROOST_ACT_DROP_COHOST, MEET_USER, false, "%b: %w no longer co-host" },
    { "make-viewer", ROOST_ACT_MAKE_VIEWER, MEET_USER, false, "%b made %w a viewer" },
    { "make-participant", ROOST_ACT_MAKE_PARTICIPANT, MEET_USER, false, "%b made %w a participant" },
    { "take-back", ROOST_ACT_TAKE_BACK, MEET_NONE, false, "%b took the host's place back" },
    { "lower-hand", ROOST_ACT_LOWER_HAND, MEET_USER, false, "%b lowered the hand of %w" },
    { "lock", ROOST_ACT_LOCK, MEET_NONE, false, "%b locked the meeting" },
    { "unlock", ROOST_ACT_UNLOCK, MEET_NONE, false, "%b unlocked the meeting" },
    { "open", ROOST_ACT_OPEN, MEET_NONE, false, "%b opened the meeting: no lobby" },
    { "close", ROOST_ACT_CLOSE, MEET_NONE, false, "%b put the lobby back" },
    { "title", ROOST_ACT_TITLE, MEET_TEXT, false, "%b gave the title: %t" },
    { "keep-chat", ROOST_ACT_KEEP_CHAT, MEET_NONE, false, "%b: the chat is kept" },
    { "forget-chat", ROOST_ACT_FORGET_CHAT, MEET_NONE, false, "%b: the chat is forgotten at the end" },
    { "end", ROOST_ACT_END, MEET_NONE, false, "%b ended the meeting" },

    { "hand-up", ROOST_ACT_HAND_UP, MEET_NONE, true, "%b raised the hand" },
    { "hand-down", ROOST_ACT_HAND_DOWN, MEET_NONE, true, "%b lowered the hand" },
    { "self-mute", ROOST_ACT_SELF_MUTE, MEET_NONE, true, "%b went mute" },
    { "self-unmute", ROOST_ACT_SELF_UNMUTE, MEET_NONE, true, "%b unmuted" },
    { "video-on", ROOST_ACT_VIDEO_ON, MEET_NONE, true, "%b turned video on" },
    { "video-off", ROOST_ACT_VIDEO_OFF, MEET_NONE, true, "%b turned video off" },
    { "go-away", ROOST_ACT_GO_AWAY, MEET_NONE, true, "%b went away for a while" },
    { "come-back", ROOST_ACT_COME_BACK, MEET_NONE, true, "%b came back" },
    { "want-share", ROOST_ACT_WANT_SHARE, MEET_NONE, true, "%b asked to present" },
    { "start-share", ROOST_ACT_START_SHARE, MEET_NONE, true, "%b began to present" },
    { "stop-share", ROOST_ACT_STOP_SHARE, MEET_NONE, true, "%b presents no longer" },
    { "start-record", ROOST_ACT_START_RECORD, MEET_NONE, true, "%b began to record" },
    { "stop-record", ROOST_ACT_STOP_RECORD, MEET_NONE, true, "%b stopped recording" },
    { "leave", ROOST_ACT_LEAVE, MEET_MAYBE_USER, true, "%b left" },
};
/* What the server does: only told. */
static const struct meet_word told[] = {
    { "came", ROOST_ACT_CAME, MEET_NONE, true, "%b came in" },
    { "lost", ROOST_ACT_LOST, MEET_NONE, true, "%w did not come back" },
    { "succeeded", ROOST_ACT_SUCCEEDED, MEET_NONE, true, "host now: %w" },
    { "created", ROOST_ACT_CREATED, MEET_NONE, true, "%b made the meeting" },
    { "expired", ROOST_ACT_EXPIRED, MEET_NONE, true, "the meeting is over: nobody was in it" },
};
/* clang-format on */

enum { WORDS = sizeof words / sizeof *words, TOLD = sizeof told / sizeof *told };

const struct meet_word *meet_word_at(size_t i)
{
    return i < WORDS ? &words[i] : NULL;
}

const struct meet_word *meet_word_find(const char *name)
{
    for (size_t i = 0; i < WORDS; i++)
        if (!strcmp(words[i].name, name))
            return &words[i];
    return NULL;
}

static const struct meet_word *by_action(enum roost_meet_action action)
{
    for (size_t i = 0; i < WORDS; i++)
        if (words[i].action == action)
            return &words[i];
    for (size_t i = 0; i < TOLD; i++)
        if (told[i].action == action)
            return &told[i];
    return NULL;
}

const char *meet_word_of(enum roost_meet_action action)
{
    const struct meet_word *w = by_action(action);

    return w ? w->name : "unknown";
}

const char *meet_role_name(enum roost_meet_role role)
{
    static const char *const names[] = { "participant", "viewer", "co-host", "host" };
    return (size_t)role < sizeof names / sizeof *names ? names[role] : "participant";
}

const char *meet_state_name(enum roost_meet_state state)
{
    static const char *const names[] = { "out", "in", "waiting", "denied", "removed", "banned" };
    return (size_t)state < sizeof names / sizeof *names ? names[state] : "out";
}

/* --- what happened ------------------------------------------------------------------ */

void meet_name(struct buf *b, const char *name, bool guest)
{
    buf_puts(b, name);
    buf_puts(b, guest ? " (guest)" : "");
}

static const struct roost_attendee *row_of(const struct roost_attendee *list, size_t n,
                                           uint64_t account)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].account == account)
            return &list[i];
    return NULL;
}

static void put_name(struct buf *b, const struct roost_message *m, const struct roost_ticket *there,
                     uint64_t account, uint64_t me)
{
    const struct roost_attendee *a = row_of(m->met.attendees, m->met.n_attendees, account);
    const struct roost_attendee *now = there ? row_of(there->attendees, there->n_attendees, account)
                                             : NULL;

    if (me && account == me)
        buf_puts(b, "you");
    else if (a && *a->name)
        meet_name(b, a->name, a->guest);
    else if (account == m->sender) /* as it was called when it did this */
        meet_name(b, *m->sender_name ? m->sender_name : "the server", now && now->guest);
    else if (now && *now->name)
        meet_name(b, now->name, now->guest);
    else
        buf_puts(b, "somebody");
}

/* Whom it is about, where the rows alone do not say; 0: they do. */
static uint64_t about(const struct roost_message *m)
{
    const struct roost_meeting *now = m->met.meeting;

    switch (m->met.action) {
    case ROOST_ACT_SPOTLIGHT:
        return now ? now->spotlight : 0;
    case ROOST_ACT_GIVE_SHARE:
        return now ? now->presenter : 0;
    case ROOST_ACT_MAKE_HOST:
    case ROOST_ACT_SUCCEEDED:
        return now ? now->host : 0;
    default:
        return 0;
    }
}

static void put_whom(struct buf *b, const struct roost_message *m, const struct roost_ticket *there,
                     uint64_t me)
{
    uint64_t one = about(m);
    bool others = false, any = false;

    if (one) {
        put_name(b, m, there, one, me);
        return;
    }
    for (size_t i = 0; i < m->met.n_attendees; i++)
        others = others || m->met.attendees[i].account != m->sender;
    for (size_t i = 0; i < m->met.n_attendees; i++) {
        uint64_t account = m->met.attendees[i].account;
        bool lost = m->met.action == ROOST_ACT_LOST;
        if ((others && account == m->sender) || (lost && m->met.attendees[i].state == ROOST_IS_IN))
            continue;
        buf_puts(b, any ? ", " : "");
        /* a new name is told as it is, even one's own */
        put_name(b, m, there, account, m->met.action == ROOST_ACT_RENAME ? 0 : me);
        any = true;
    }
    if (!any)
        buf_puts(b, "somebody");
}

/* Who leaves, or does not come back, may leave the meeting to another. */
static void put_successor(struct buf *b, const struct roost_message *m,
                          const struct roost_ticket *there, uint64_t me)
{
    bool leaves = m->met.action == ROOST_ACT_LEAVE || m->met.action == ROOST_ACT_LOST;

    for (size_t i = 0; leaves && i < m->met.n_attendees; i++) {
        const struct roost_attendee *a = &m->met.attendees[i];
        if (a->role != ROOST_HOST || a->state != ROOST_IS_IN)
            continue;
        buf_puts(b, "; host now: ");
        put_name(b, m, there, a->account, me);
    }
}

/* "Gus is called Gustav now", or "Ann called Gus Gustav". */
static const char *renames(const struct roost_message *m, uint64_t me)
{
    const struct roost_attendee *a = m->met.n_attendees == 1 ? &m->met.attendees[0] : NULL;

    if (m->met.action != ROOST_ACT_RENAME || !a || !m->met.old_name || !*m->met.old_name)
        return NULL;
    if (a->account != m->sender)
        return me && a->account == me ? "%b gave you a new name: %w" : "%b gave %o a new name: %w";
    return me && a->account == me ? "you are called %w now" : "%o is called %w now";
}

void meet_say(struct buf *b, const struct roost_message *m, const struct roost_ticket *there,
              uint64_t me)
{
    const char *new_name = renames(m, me);
    const struct meet_word *w = by_action(m->met.action);
    uint64_t by = m->sender;

    if (!by && m->met.action == ROOST_ACT_CAME && m->met.n_attendees)
        by = m->met.attendees[0].account;
    const char *says = new_name ? new_name : w ? w->says : NULL;
    for (const char *p = says ? says : "something that only a newer roost understands"; *p; p++) {
        if (*p != '%') {
            buf_putc(b, *p);
            continue;
        }
        p++;
        if (*p == 'b')
            put_name(b, m, there, by, me);
        else if (*p == 'w')
            put_whom(b, m, there, me);
        else if (*p == 'o')
            buf_puts(b, m->met.old_name);
        else
            buf_puts(b, m->text);
    }
    put_successor(b, m, there, me);
}
