#include "cli/show.h"

#include <inttypes.h>
#include <string.h>

#include "cli/filed.h"
#include "cli/json.h"
#include "cli/meet_show.h"
#include "cli/meet_words.h"
#include "cli/msgid.h"
#include "cli/text.h"
#include "cli/when.h"

#define DIM  "\033[2m"
#define BOLD "\033[1m"
#define OFF  "\033[0m"

enum { INDENT = 8 };

static void style(const struct show *s, struct buf *out, const char *code)
{
    if (s->colour)
        buf_puts(out, code);
}

void show_name(const struct show *s, const char *name, struct buf *out)
{
    /* readable on black and on white */
    static const char *const colours[] = { "\033[31m", "\033[32m", "\033[33m",
                                           "\033[34m", "\033[35m", "\033[36m" };
    unsigned hash = 5381;

    for (const char *p = name; *p; p++)
        hash = hash * 33 + (unsigned char)*p;
    style(s, out, colours[hash % (sizeof colours / sizeof *colours)]);
    text_clean(out, name, TEXT_ONE_LINE);
    style(s, out, OFF);
}

void show_day(const struct show *s, uint64_t ms, int64_t *last_day, struct buf *out)
{
    int64_t day = when_day_number((int64_t)ms, s->zone_s) + 1;

    if (s->json || !ms || day == *last_day)
        return;
    *last_day = day;
    style(s, out, DIM);
    buf_puts(out, "--- ");
    when_day(out, (int64_t)ms, s->zone_s);
    buf_puts(out, " ---");
    style(s, out, OFF);
    buf_putc(out, '\n');
}

bool show_is_folded(const struct roost_message *m)
{
    return m->what == ROOST_EDITED || m->what == ROOST_DELETED || m->what == ROOST_REACTED;
}

/* --- JSON --- */

static const char *const event_names[] = {
    [ROOST_TEXT] = "message",          [ROOST_EDITED] = "edited",
    [ROOST_DELETED] = "deleted",       [ROOST_REACTED] = "reacted",
    [ROOST_MEMBERSHIP] = "membership", [ROOST_ROOM_SET] = "room-set",
    [ROOST_PINNED] = "pinned",         [ROOST_MET] = "met",
    [ROOST_FILED] = "filed",           [ROOST_UNKNOWN] = "unknown",
};
static const char *const change_names[] = {
    [ROOST_CHANGE_JOINED] = "joined",   [ROOST_CHANGE_LEFT] = "left",
    [ROOST_CHANGE_INVITED] = "invited", [ROOST_CHANGE_REMOVED] = "removed",
    [ROOST_CHANGE_BANNED] = "banned",   [ROOST_CHANGE_UNBANNED] = "unbanned",
    [ROOST_CHANGE_ROLE] = "role",
};
static const char *const role_names[] = { "member", "moderator", "owner" };

static const char *change_of(const struct roost_message *m)
{
    return (size_t)m->change < sizeof change_names / sizeof *change_names ? change_names[m->change]
                                                                          : "changed";
}

static const char *role_of(const struct roost_message *m)
{
    return (size_t)m->role < 3 ? role_names[m->role] : "member";
}

/* Which room; that of two in a meeting by the name that the other has there. */
static void room_label(const struct show *s, uint64_t room, struct buf *b)
{
    const struct room_entry *e = s->there ? rooms_get(s->rooms, room) : NULL;
    const char *name = e && e->kind == ROOST_DIRECT ? meet_name_of(s->there, e->peer) : NULL;

    if (name)
        buf_printf(b, "@%s", name);
    else
        rooms_label(s->rooms, room, b);
}

static void json_to(const struct show *s, const struct roost_message *m, struct json *j)
{
    const struct room_entry *e = rooms_get(s->rooms, m->room);
    const char *me = s->there ? s->there->you.name : s->me;
    struct buf b = { 0 };

    if (e && e->kind == ROOST_EVERYONE)
        buf_puts(&b, "*");
    else if (e && e->kind == ROOST_DIRECT && !m->own && me)
        buf_printf(&b, "@%s", me);
    else
        room_label(s, m->room, &b);
    json_str(j, "to", buf_str(&b));
    buf_fini(&b);
}

static void json_reactions(const struct roost_message *m, struct json *j)
{
    json_open(j, "reactions", '[');
    for (size_t i = 0; i < m->n_reactions; i++) {
        json_open(j, NULL, '{');
        json_str(j, "emoji", m->reactions[i].emoji);
        json_u64(j, "count", m->reactions[i].count);
        json_bool(j, "mine", m->reactions[i].mine);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_kind(const struct roost_message *m, struct json *j)
{
    switch (m->what) {
    case ROOST_TEXT:
        json_bool(j, "action", m->action);
        json_bool(j, "edited", m->edit_seq != 0);
        json_bool(j, "deleted", m->deleted);
        json_bool(j, "mentions_me", m->mentions_me);
        json_reactions(m, j);
        break;
    case ROOST_EDITED:
    case ROOST_DELETED:
        json_id(j, "ref", m->room, m->ref);
        break;
    case ROOST_REACTED:
    case ROOST_PINNED:
        json_id(j, "ref", m->room, m->ref);
        json_bool(j, "off", m->off);
        break;
    case ROOST_MEMBERSHIP:
        json_str(j, "who", m->who_name);
        json_str(j, "change", change_of(m));
        json_str(j, "role", role_of(m));
        break;
    case ROOST_ROOM_SET:
        json_str(j, "name", m->room_name);
        json_bool(j, "private", m->private_);
        json_bool(j, "moderated", m->moderated);
        json_bool(j, "closed", m->closed);
        json_bool(j, "created", m->created);
        json_u64(j, "retention_days", m->retention_days);
        break;
    case ROOST_MET:
        meet_json_met(j, m);
        break;
    case ROOST_FILED:
        filed_json(j, m->file);
        break;
    case ROOST_UNKNOWN:
        break;
    }
}

/* In a meeting who acts may be a guest; who leaves is only in the event. */
static enum meet_kind kind_of(const struct show *s, const struct roost_message *m)
{
    for (size_t i = 0; m->what == ROOST_MET && i < m->met.n_attendees; i++)
        if (m->sender && m->met.attendees[i].account == m->sender)
            return m->met.attendees[i].guest ? MEET_IS_GUEST : MEET_IS_ACCOUNT;
    return meet_kind_of(s->there, m->sender);
}

static void show_json(const struct show *s, const struct roost_message *m, struct buf *out)
{
    struct json j;
    enum roost_what what = m->what <= ROOST_UNKNOWN ? m->what : ROOST_UNKNOWN;

    json_begin(&j, out);
    json_str(&j, "event", event_names[what]);
    json_id(&j, "id", m->room, m->seq);
    json_u64(&j, "seq", m->seq);
    json_u64(&j, "room", m->room);
    json_str(&j, "from", m->sender_name);
    json_to(s, m, &j);
    json_str(&j, "text", m->text);
    json_time(&j, "at", (int64_t)m->at_ms);
    if (m->what == ROOST_TEXT && m->reply_to)
        json_id(&j, "reply_to", m->room, m->reply_to);
    else
        json_null(&j, "reply_to");
    meet_json_number(&j, "account", m->sender);
    meet_json_kind(&j, "guest", kind_of(s, m));
    json_kind(m, &j);
    json_end(&j);
}

/* --- for people --- */

/* "14:05 12:345 #maths ", returns the columns. */
static size_t head(const struct show *s, const struct roost_message *m, struct buf *out)
{
    struct when_parts t = when_split((int64_t)m->at_ms, s->zone_s);
    struct buf b = { 0 };

    buf_printf(&b, "%02d:%02d ", t.hour, t.minute);
    if (s->ids) {
        msgid_put(&b, m->room, m->seq);
        buf_putc(&b, ' ');
    }
    size_t columns = b.len;
    style(s, out, DIM);
    buf_puts(out, buf_str(&b));
    style(s, out, OFF);
    buf_clear(&b);
    if (s->room_labels) {
        room_label(s, m->room, &b);
        buf_putc(&b, ' ');
        columns += text_columns(buf_str(&b));
        style(s, out, BOLD);
        text_clean(out, buf_str(&b), TEXT_ONE_LINE);
        style(s, out, OFF);
    }
    buf_fini(&b);
    return columns;
}

static void words(const struct show *s, struct buf *clean, size_t at, struct buf *out)
{
    if (s->columns)
        text_wrap(out, buf_str(clean), at, INDENT, s->columns);
    else
        buf_puts(out, buf_str(clean));
}

static void text_line(const struct show *s, const struct roost_message *m, size_t at,
                      struct buf *out)
{
    struct buf b = { 0 };

    const char *mark = kind_of(s, m) == MEET_IS_GUEST ? " (guest)" : "";

    buf_puts(out, m->action ? "* " : "");
    show_name(s, m->sender_name, out);
    buf_puts(out, mark);
    buf_puts(out, m->action ? " " : ": ");
    at += text_columns(m->sender_name) + strlen(mark) + (m->action ? 3 : 2);

    if (m->reply_to) {
        buf_puts(&b, "(to ");
        msgid_put(&b, m->room, m->reply_to);
        buf_puts(&b, ") ");
    }
    if (m->deleted)
        buf_puts(&b, "(deleted)");
    else if (m->hidden)
        buf_puts(&b, "(ignored)");
    else
        text_clean(&b, m->text, s->columns ? 0 : INDENT);
    if (m->edit_seq && !m->deleted)
        buf_puts(&b, " (edited)");
    for (size_t i = 0; i < m->n_reactions; i++) {
        buf_puts(&b, " [");
        text_clean(&b, m->reactions[i].emoji, TEXT_ONE_LINE);
        if (m->reactions[i].count > 1)
            buf_printf(&b, " %u", (unsigned)m->reactions[i].count);
        buf_putc(&b, ']');
    }
    if (m->mentions_me)
        style(s, out, BOLD);
    words(s, &b, at, out);
    style(s, out, OFF);
    buf_fini(&b);
}

static void membership(const struct roost_message *m, struct buf *b)
{
    static const char *const others[] = {
        [ROOST_CHANGE_INVITED] = "brought in",
        [ROOST_CHANGE_REMOVED] = "removed",
        [ROOST_CHANGE_BANNED] = "banned",
        [ROOST_CHANGE_UNBANNED] = "lifted the ban of",
    };

    switch (m->change) {
    case ROOST_CHANGE_JOINED:
        buf_printf(b, "%s joined", m->who_name);
        break;
    case ROOST_CHANGE_LEFT:
        buf_printf(b, "%s left", m->who_name);
        break;
    case ROOST_CHANGE_INVITED:
    case ROOST_CHANGE_REMOVED:
    case ROOST_CHANGE_BANNED:
    case ROOST_CHANGE_UNBANNED:
        buf_printf(b, "%s %s %s", m->sender_name, others[m->change], m->who_name);
        break;
    default:
        buf_printf(b, "%s made %s %s", m->sender_name, m->who_name, role_of(m));
    }
}

static void room_set(const struct roost_message *m, struct buf *b)
{
    buf_printf(b, "%s %s the room", *m->sender_name ? m->sender_name : "the server",
               m->closed    ? "closed"
               : m->created ? "made"
                            : "set");
    if (m->private_)
        buf_puts(b, ", private");
    if (m->moderated)
        buf_puts(b, ", moderated");
    if (m->retention_days)
        buf_printf(b, ", kept for %u days", (unsigned)m->retention_days);
    if (*m->text)
        buf_printf(b, "; topic: %s", m->text);
}

static void other_line(const struct show *s, const struct roost_message *m, size_t at,
                       struct buf *out)
{
    struct buf raw = { 0 }, clean = { 0 };

    switch (m->what) {
    case ROOST_EDITED:
        buf_printf(&raw, "%s changed ", m->sender_name);
        msgid_put(&raw, m->room, m->ref);
        buf_printf(&raw, ": %s", m->hidden ? "(ignored)" : m->text);
        break;
    case ROOST_DELETED:
        buf_printf(&raw, "%s deleted ", m->sender_name);
        msgid_put(&raw, m->room, m->ref);
        break;
    case ROOST_REACTED:
        buf_printf(&raw, "%s %s %s %s ", m->sender_name, m->off ? "took back" : "put", m->text,
                   m->off ? "from" : "on");
        msgid_put(&raw, m->room, m->ref);
        break;
    case ROOST_PINNED:
        buf_printf(&raw, "%s %s ", m->sender_name, m->off ? "took down" : "pinned");
        msgid_put(&raw, m->room, m->ref);
        break;
    case ROOST_MEMBERSHIP:
        membership(m, &raw);
        break;
    case ROOST_ROOM_SET:
        room_set(m, &raw);
        break;
    case ROOST_MET:
        meet_say(&raw, m, s->there, s->there ? s->there->you.account : 0);
        break;
    case ROOST_FILED:
        buf_printf(&raw, "%s sent ", m->sender_name);
        filed_what(&raw, m->file);
        buf_printf(&raw, " (get %" PRIu64 ")", m->file->file);
        break;
    default:
        buf_puts(&raw, "something that only a newer roost understands");
    }
    style(s, out, DIM);
    buf_puts(out, "- ");
    text_clean(&clean, buf_str(&raw), s->columns ? 0 : INDENT);
    words(s, &clean, at + 2, out);
    style(s, out, OFF);
    buf_fini(&raw);
    buf_fini(&clean);
}

void show_message(const struct show *s, const struct roost_message *m, struct buf *out)
{
    if (s->json) {
        show_json(s, m, out);
        return;
    }
    size_t at = head(s, m, out);
    if (m->what == ROOST_TEXT)
        text_line(s, m, at, out);
    else
        other_line(s, m, at, out);
    buf_putc(out, '\n');
}
