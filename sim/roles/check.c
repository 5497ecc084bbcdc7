/* check.c - the hub's answers and state beside the model's. */
#include "sim/roles/play.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* The errors by which the hub may say a reason. */
static const struct {
    enum reason reason;
    int codes[5];
} spoken[] = {
    { M_RIGHT, { ROOST_NOT_ALLOWED } },
    { M_NOT_IN, { ROOST_NOT_IN_MEETING } },
    { M_WHOM, { ROOST_NOT_ALLOWED, ROOST_INVALID } },
    { M_SO, { ROOST_ALREADY } },
    { M_TAKEN, { ROOST_PRESENTING, ROOST_ALREADY } },
    { M_FRESH, { ROOST_SUCCESSOR } },
    { M_FULL, { ROOST_MEET_FULL } },
    { M_EMPTY, { ROOST_NOT_IN_MEETING, ROOST_ALREADY } },
    { M_TEXT, { ROOST_BAD_TEXT, ROOST_TOO_LONG } },
    { M_NAME_BAD, { ROOST_NAME_BAD } },
    { M_NAME_TAKEN, { ROOST_NAME_TAKEN } },
    { M_LOCKED, { ROOST_MEET_LOCKED } },
    { M_DENIED, { ROOST_DENIED } },
    { M_BANNED, { ROOST_MEET_BANNED } },
    { M_ENDED, { ROOST_MEET_ENDED } },
    { M_NO_MEETING, { ROOST_NO_SUCH_MEETING } },
    { M_GUESSES, { ROOST_GUESSES } },
    { M_GUEST, { ROOST_GUEST, ROOST_NO_GUESTS } },
    { M_NOT_MEMBER, { ROOST_NOT_MEMBER } },
    { M_NO_ROOM, { ROOST_NO_SUCH_ROOM } },
    { M_ROOM_BANNED, { ROOST_BANNED } },
    { M_CLOSED, { ROOST_ROOM_CLOSED } },
    { M_MODERATED, { ROOST_MODERATED } },
    { M_NOBODY, { ROOST_NO_SUCH_USER } },
    { M_LAST, { ROOST_LAST_OWNER, ROOST_LAST_ADMIN } },
    { M_NO_FILE, { ROOST_NO_SUCH_FILE } },
    { M_OVER, { ROOST_FILE_OVER } },
    { M_QUOTA, { ROOST_QUOTA } },
    { M_TOO_BIG, { ROOST_FILE_TOO_BIG } },
};

static const char *const reasons[] = {
#define X(name, words) words,
    M_REASONS(X)
#undef X
};

static bool says(int code, no why)
{
    for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++)
        for (size_t j = 0; j < 5 && spoken[i].codes[j]; j++)
            if (why >> spoken[i].reason & 1 && spoken[i].codes[j] == code)
                return true;
    return false;
}

bool check_answer(struct play *p, int code, no why)
{
    char all[300] = "";

    if (p->verbose)
        printf("    -> %s\n", code > 0 ? err_name(code) : code ? "no answer" : "yes");
    for (int i = 0; i < M_REASONS_N; i++)
        if (why >> i & 1)
            snprintf(all + strlen(all), sizeof all - strlen(all), " %s;", reasons[i]);
    if (code < 0)
        play_break(p, "the hub does not answer");
    else if (!code && why)
        play_break(p, "the hub accepts, the page refuses:%s", all);
    else if (code && !why)
        play_break(p, "the hub refuses (%s), the page does not", err_name(code));
    else if (code && !says(code, why))
        play_break(p, "the hub refuses as %s, the page because:%s", err_name(code), all);
    if (code > 0 && code < ERRORS_MAX)
        p->tally.refusals[code]++;
    return !code && !why;
}

/* --- state --- */

static void differ(struct play *p, const struct m_meet *t, const char *who, const char *what,
                   long long hub, long long page)
{
    play_break(p, "meeting %llu: %s%s%s is %lld, by the page %lld", (unsigned long long)t->id, who,
               *who ? "'s " : "", what, hub, page);
}

#define SAME(who, what, hub, page)                                                                 \
    do {                                                                                           \
        if ((long long)(hub) != (long long)(page))                                                 \
            differ(p, t, who, what, (long long)(hub), (long long)(page));                          \
    } while (0)

static void check_seat(struct play *p, const struct m_meet *t, const struct m_seat *s,
                       const Roost__Attendee *a)
{
    bool in = s->state == ROOST__MEET_STATE__IN;

    SAME(s->name, "state", a->state, s->state);
    if (t->ended)
        return;
    if (in || a->role == ROOST__MEET_ROLE__COHOST || s->role == ROOST__MEET_ROLE__COHOST)
        SAME(s->name, "role", a->role, s->role);
    if ((in || s->state == ROOST__MEET_STATE__WAITING) && strcmp(a->name, s->name) != 0)
        play_break(p, "meeting %llu: %s is called %s", (unsigned long long)t->id, s->name, a->name);
    if (s->state == ROOST__MEET_STATE__WAITING)
        SAME(s->name, "note", strncmp(a->note, s->note, 60), 0);
    if (in || s->state == ROOST__MEET_STATE__WAITING)
        SAME(s->name, "connection", a->here, s->here);
    if (!in)
        return;
    SAME(s->name, "microphone (muted)", a->muted, s->muted);
    SAME(s->name, "video (off)", a->video_off, s->video_off);
    SAME(s->name, "absence", a->away, s->away);
    SAME(s->name, "right to record", a->may_record, s->may_record);
    SAME(s->name, "recording", a->recording, s->recording);
    SAME(s->name, "hand", a->hand_ms > 0, s->hand);
    SAME(s->name, "wish to share", a->share_ms > 0, s->wants_share);
}

static void check_head(struct play *p, const struct m_meet *t, const Roost__Meeting *h)
{
    SAME("", "end", h->ended, t->ended);
    if (t->ended)
        return;
    SAME("", "host", h->host, t->host);
    SAME("", "first host", h->first_host, t->first_host);
    SAME("", "freshness", h->host && (int64_t)h->fresh_until_ms > p->model.now_ms,
         t->host && t->fresh_until_ms > p->model.now_ms);
    SAME("", "openness", h->open, t->open);
    SAME("", "lock", h->locked, t->locked);
    SAME("", "mute on entry", h->mute_on_entry, t->mute_on_entry);
    SAME("", "lock of microphones", h->mics_locked, t->mics_locked);
    SAME("", "sharing (off)", h->no_share, t->no_share);
    SAME("", "chat (off)", h->no_chat, t->no_chat);
    SAME("", "notes (off)", h->no_notes, t->no_notes);
    SAME("", "renaming (off)", h->no_rename, t->no_rename);
    SAME("", "forgetting", h->forget_chat, t->forget);
    SAME("", "presenter", h->presenter, t->presenter);
    SAME("", "spotlight", h->spotlight, t->spotlight);
    if (strcmp(h->title, t->title) != 0)
        play_break(p, "meeting %llu: the title is \"%s\", by the page \"%s\"",
                   (unsigned long long)t->id, h->title, t->title);
}

void check_meeting(struct play *p, struct m_meet *t)
{
    Roost__MeetWho who = ROOST__MEET_WHO__INIT;

    who.meeting = t->id;
    who.all = true;
    int code = ASK(p, &p->actors[0], MEET_WHO, meet_who, &who);
    if (code || p->reply->result_case != ROOST__REPLY__RESULT_TICKET) {
        play_break(p, "an admin cannot see meeting %llu: %s", (unsigned long long)t->id,
                   err_name(code));
        return;
    }
    const Roost__Ticket *ticket = p->reply->ticket;
    check_head(p, t, ticket->meeting);
    SAME("", "number of all who came", ticket->n_attendees, t->n_seats);
    for (size_t i = 0; i < ticket->n_attendees; i++) {
        struct m_seat *s = m_seat(t, ticket->attendees[i]->account);
        if (s)
            check_seat(p, t, s, ticket->attendees[i]);
        else
            play_break(p, "%s should not be there", ticket->attendees[i]->name);
    }
}

void check_all(struct play *p)
{
    for (size_t i = 0; i < p->model.n_meets; i++)
        if (!p->model.meets[i]->ended)
            check_meeting(p, p->model.meets[i]);
}
