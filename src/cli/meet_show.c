#include "cli/meet_show.h"

#include <string.h>

#include "cli/meet_link.h"
#include "cli/meet_words.h"
#include "cli/text.h"
#include "cli/when.h"

enum { INDENT = 8, NAME_COLUMNS_MAX = 24 };

static const struct roost_attendee *row_of(const struct roost_attendee *list, size_t n,
                                           uint64_t account)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].account == account)
            return &list[i];
    return NULL;
}

static const struct roost_attendee *who_is(const struct roost_ticket *there, uint64_t account)
{
    const struct roost_attendee *a;

    if (!there || !account)
        return NULL;
    a = row_of(there->attendees, there->n_attendees, account);
    a = a ? a : row_of(there->waiting, there->n_waiting, account);
    return a ? a : row_of(&there->you, 1, account);
}

const char *meet_name_of(const struct roost_ticket *there, uint64_t account)
{
    const struct roost_attendee *a = who_is(there, account);

    return a ? a->name : NULL;
}

enum meet_kind meet_kind_of(const struct roost_ticket *there, uint64_t account)
{
    const struct roost_attendee *a = who_is(there, account);

    return !a ? MEET_IS_UNKNOWN : a->guest ? MEET_IS_GUEST : MEET_IS_ACCOUNT;
}

/* --- JSON ------------------------------------------------------------------------- */

void meet_json_number(struct json *j, const char *key, uint64_t n)
{
    if (n)
        json_u64(j, key, n);
    else
        json_null(j, key);
}

void meet_json_attendee_fields(struct json *j, const struct roost_attendee *a, bool here)
{
    json_u64(j, "account", a->account);
    json_str(j, "name", a->name);
    json_str(j, "login", a->login && *a->login ? a->login : NULL);
    json_bool(j, "guest", a->guest);
    json_str(j, "role", meet_role_name(a->role));
    json_str(j, "state", meet_state_name(a->state));
    if (here)
        json_bool(j, "here", a->here);
    else
        json_null(j, "here");
    json_bool(j, "admitted", a->admitted);
    json_bool(j, "muted", a->muted);
    json_bool(j, "video", !a->video_off);
    json_bool(j, "away", a->away);
    json_bool(j, "may_record", a->may_record);
    json_bool(j, "recording", a->recording);
    json_time(j, "hand_at", (int64_t)a->hand_ms);
    json_time(j, "wants_share_at", (int64_t)a->share_ms);
    json_bool(j, "asked_unmute", a->asked_unmute);
    json_bool(j, "asked_video", a->asked_video);
    json_time(j, "came_at", (int64_t)a->came_ms);
    json_time(j, "left_at", (int64_t)a->left_ms);
    json_str(j, "note", *a->note ? a->note : NULL);
}

void meet_json_attendee(struct json *j, const char *key, const struct roost_attendee *a, bool here)
{
    json_open(j, key, '{');
    meet_json_attendee_fields(j, a, here);
    json_close(j, '}');
}

void meet_json_attendees(struct json *j, const char *key, const struct roost_attendee *list,
                         size_t n, bool here)
{
    json_open(j, key, '[');
    for (size_t i = 0; i < n; i++)
        meet_json_attendee(j, NULL, &list[i], here);
    json_close(j, ']');
}

void meet_json_meeting_fields(struct json *j, const struct roost_meeting *m)
{
    json_u64(j, "meeting", m->meeting);
    json_str(j, "code", *m->code ? m->code : NULL);
    json_str(j, "title", m->title);
    json_time(j, "made_at", (int64_t)m->made_ms);
    json_time(j, "starts_at", (int64_t)m->starts_ms);
    json_time(j, "until", (int64_t)m->until_ms);
    meet_json_number(j, "room", m->bound_room);
    json_str(j, "room_name", m->bound_room ? m->bound_name : NULL);
    meet_json_number(j, "host", m->host);
    meet_json_number(j, "first_host", m->first_host);
    json_time(j, "fresh_until", (int64_t)m->fresh_until_ms);
    json_bool(j, "open", m->open);
    json_bool(j, "locked", m->locked);
    json_bool(j, "mute_on_entry", m->mute_on_entry);
    json_bool(j, "mics_locked", m->mics_locked);
    json_bool(j, "share", !m->no_share);
    json_bool(j, "chat", !m->no_chat);
    json_bool(j, "notes", !m->no_notes);
    json_bool(j, "rename", !m->no_rename);
    json_bool(j, "forget_chat", m->forget_chat);
    json_bool(j, "sealed", !m->unsealed);
    json_bool(j, "ended", m->ended);
    meet_json_number(j, "presenter", m->presenter);
    meet_json_number(j, "spotlight", m->spotlight);
    json_u64(j, "present", m->present);
    json_u64(j, "waiting", m->waiting);
}

void meet_json_meeting(struct json *j, const char *key, const struct roost_meeting *m)
{
    json_open(j, key, '{');
    meet_json_meeting_fields(j, m);
    json_close(j, '}');
}

void meet_json_ticket(struct json *j, const struct roost_ticket *t, const char *server)
{
    struct buf link = { 0 };

    meet_json_meeting(j, "meeting", &t->meeting);
    meet_json_attendee(j, "you", &t->you, false);
    if (*t->secret && *t->meeting.code)
        meet_link_put(&link, server, t->meeting.code, t->secret);
    json_str(j, "link", link.len ? buf_str(&link) : NULL);
    meet_json_attendees(j, "attendees", t->attendees, t->n_attendees, true);
    meet_json_attendees(j, "waiting", t->waiting, t->n_waiting, true);
    buf_fini(&link);
}

void meet_json_met(struct json *j, const struct roost_message *m)
{
    json_str(j, "action", meet_word_of(m->met.action));
    json_str(j, "old_name", m->met.old_name && *m->met.old_name ? m->met.old_name : NULL);
    if (m->met.meeting)
        meet_json_meeting(j, "meeting", m->met.meeting);
    else
        json_null(j, "meeting");
    meet_json_attendees(j, "attendees", m->met.attendees, m->met.n_attendees, false);
}

void meet_json_kind(struct json *j, const char *key, enum meet_kind kind)
{
    if (kind == MEET_IS_UNKNOWN)
        json_null(j, key);
    else
        json_bool(j, key, kind == MEET_IS_GUEST);
}

/* --- for people --------------------------------------------------------------------- */

static void mark(struct buf *b, bool is, const char *word)
{
    if (!is)
        return;
    buf_puts(b, b->len ? ", " : "");
    buf_puts(b, word);
}

void meet_marks(struct buf *b, const struct roost_attendee *a, const struct roost_meeting *m,
                uint64_t me)
{
    mark(b, a->role != ROOST_PARTICIPANT, meet_role_name(a->role));
    mark(b, a->guest, "guest");
    if (a->login && *a->login && strcmp(a->login, a->name) != 0) {
        mark(b, true, "account ");
        buf_puts(b, a->login);
    }
    mark(b, me && a->account == me, "you");
    mark(b, m->presenter && a->account == m->presenter, "presents");
    mark(b, a->hand_ms != 0, "hand up");
    mark(b, a->share_ms != 0, "asks to present");
    mark(b, a->recording, "records");
    mark(b, m->spotlight && a->account == m->spotlight, "spotlight");
    mark(b, a->muted, "muted");
    mark(b, a->video_off, "no video");
    mark(b, a->away, "away");
    mark(b, a->state == ROOST_IS_IN && !a->here, "connection lost");
}

void meet_settings(struct buf *b, const struct roost_meeting *m)
{
    mark(b, m->ended, "ended");
    mark(b, m->unsealed, MEET_UNSEALED);
    mark(b, m->locked, "locked");
    mark(b, m->open, "no lobby");
    mark(b, m->mics_locked, "microphones locked");
    mark(b, m->mute_on_entry, "muted on entry");
    mark(b, m->no_share, "no sharing");
    mark(b, m->no_chat, "no chat");
    mark(b, m->no_notes, "no notes");
    mark(b, m->no_rename, "no renaming");
    mark(b, m->forget_chat, "chat is forgotten");
}

void meet_code(struct buf *b, const char *code)
{
    for (size_t i = 0; code[i]; i++) {
        if (i && i % 3 == 0)
            buf_putc(b, ' ');
        buf_putc(b, code[i]);
    }
}

static size_t name_columns(const struct roost_ticket *t)
{
    size_t most = 8;

    for (size_t i = 0; i < t->n_attendees; i++) {
        size_t n = text_columns(t->attendees[i].name);
        most = n > most ? n : most;
    }
    for (size_t i = 0; i < t->n_waiting; i++) {
        size_t n = text_columns(t->waiting[i].name);
        most = n > most ? n : most;
    }
    return most < NAME_COLUMNS_MAX ? most : NAME_COLUMNS_MAX;
}

static void style(const struct show *s, struct buf *out, const char *code)
{
    if (s->colour)
        buf_puts(out, code);
}

static void row(const struct show *s, const struct roost_ticket *t, const struct roost_attendee *a,
                size_t columns, struct buf *out)
{
    struct buf name = { 0 }, marks = { 0 };

    text_pad(&name, a->name, columns);
    meet_marks(&marks, a, &t->meeting, t->you.account);
    buf_puts(out, "  ");
    style(s, out, a->account == t->you.account ? "\033[1m" : "");
    buf_puts(out, buf_str(&name));
    style(s, out, "\033[0m");
    if (marks.len) {
        buf_puts(out, "  ");
        style(s, out, "\033[2m");
        if (s->columns > columns + 14)
            text_wrap(out, buf_str(&marks), columns + 4, columns + 4, s->columns);
        else
            buf_puts(out, buf_str(&marks));
        style(s, out, "\033[0m");
    }
    buf_putc(out, '\n');
    buf_fini(&name);
    buf_fini(&marks);
}

void meet_roster(const struct show *s, const struct roost_ticket *t, struct buf *out)
{
    size_t columns = name_columns(t);
    struct buf settings = { 0 };

    buf_printf(out, "In the meeting: %zu", t->n_attendees);
    mark(&settings, !t->meeting.unsealed, "sealed end to end");
    meet_settings(&settings, &t->meeting);
    buf_printf(out, " (%s)\n", buf_str(&settings));
    for (size_t i = 0; i < t->n_attendees; i++)
        row(s, t, &t->attendees[i], columns, out);
    if (t->n_waiting)
        buf_printf(out, "Waiting in the lobby: %zu\n", t->n_waiting);
    for (size_t i = 0; i < t->n_waiting; i++)
        row(s, t, &t->waiting[i], columns, out);
    buf_fini(&settings);
}

void meet_line(const struct show *s, uint64_t at_ms, const char *words, struct buf *out)
{
    struct buf clean = { 0 };
    size_t at = 2;

    style(s, out, "\033[2m");
    if (at_ms) {
        struct when_parts t = when_split((int64_t)at_ms, s->zone_s);
        buf_printf(out, "%02d:%02d ", t.hour, t.minute);
        at += 6;
    }
    buf_puts(out, "- ");
    text_clean(&clean, words, TEXT_ONE_LINE);
    if (s->columns)
        text_wrap(out, buf_str(&clean), at, INDENT, s->columns);
    else
        buf_puts(out, buf_str(&clean));
    style(s, out, "\033[0m");
    buf_putc(out, '\n');
    buf_fini(&clean);
}
