/* chat_event.c - what arrives, and going from room to room. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chat_in.h"
#include "cli/json.h"
#include "cli/text.h"

enum { GO_SHOWS = 20 };

static bool is_here(const struct chat *chat, uint64_t room)
{
    const struct room_entry *e = rooms_find(&chat->c->rooms, chat->target);
    return *chat->target && e && e->room == room;
}

static void show_in(struct chat *chat, const struct roost_message *m)
{
    chat->show.room_labels = !is_here(chat, m->room);
    chat->show.me = chat->c->name;
    show_day(&chat->show, m->at_ms, &chat->last_day, &chat->c->out);
    show_message(&chat->show, m, &chat->c->out);
}

/* --- what arrives --- */

static void on_message(struct chat *chat, const struct roost_message *m)
{
    struct room_entry *e = rooms_get(&chat->c->rooms, m->room);
    bool here = is_here(chat, m->room);

    if (e && m->seq > e->head)
        e->head = m->seq;
    if (m->hidden || (m->room == chat->shown_room && m->seq <= chat->shown_seq))
        return;
    if (e && e->muted && !here && !m->mentions_me)
        return;
    show_in(chat, m);
    if (m->mentions_me && !m->own && !chat->line.plain)
        buf_putc(&chat->c->out, '\a');
    /* what is not on the screen of this room yet stays unread */
    roost_room_mark(chat->c->r, m->room, m->seq, here ? m->seq : 0);
    if (e && here)
        e->read = m->seq;
    if (chat->typing && !strcmp(chat->typing, m->sender_name)) {
        free(chat->typing);
        chat->typing = NULL;
        line_prompt(&chat->line);
    }
}

static void json_typing(struct cli *c, const struct roost_event *e)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "typing");
    json_u64(&j, "room", e->typing.room);
    json_u64(&j, "account", e->typing.account);
    json_str(&j, "name", e->typing.name);
    json_end(&j);
}

static void on_typing(struct chat *chat, const struct roost_event *e)
{
    if (chat->c->json)
        json_typing(chat->c, e);
    if (e->typing.account == chat->c->account || !is_here(chat, e->typing.room))
        return;
    char *name = strdup(e->typing.name);
    if (!name)
        return;
    bool same = chat->typing && !strcmp(chat->typing, name);
    free(chat->typing);
    chat->typing = name;
    chat->typing_until_ms = cli_now_us() / 1000 + TYPING_SHOWN_MS;
    if (!same)
        line_prompt(&chat->line);
}

static int on_status(struct chat *chat, const struct roost_status *s)
{
    bool was_lost = chat->lost;

    chat->lost = s->state == ROOST_LOST || (was_lost && s->state == ROOST_CONNECTING);
    if (s->state == ROOST_LOST && was_lost)
        return 0; /* said already; it goes on trying */
    if (s->state == ROOST_OVER)
        chat->quit = true;
    int over = live_on_status(chat->c, s);
    if (s->state == ROOST_READY) {
        roost_people_watch(chat->c->r, true);
        if (was_lost) /* who came and went meanwhile? */
            ask_people_again(chat);
    }
    line_prompt(&chat->line);
    return over;
}

int chat_event(struct chat *chat, const struct roost_event *e)
{
    if (file_on_event(chat, e))
        return 0;
    switch (e->kind) {
    case ROOST_MESSAGE:
        on_message(chat, &e->message);
        return 0;
    case ROOST_PEOPLE_CHANGED:
        people_changed(chat, e);
        return 0;
    case ROOST_TYPING:
        on_typing(chat, e);
        return 0;
    case ROOST_ROOM_CHANGED:
        live_on_room(chat->c, e, NULL);
        return 0;
    case ROOST_STATUS:
        return on_status(chat, &e->status);
    case ROOST_NOTICE:
        live_on_notice(chat->c, e);
        return 0;
    case ROOST_REPLY:
    case ROOST_REFUSED:
        if (!say_on_answer(chat, e))
            ask_on_answer(chat, e); /* others: marks of what was read, for which nobody waits */
        return 0;
    default:
        return 0;
    }
}

/* --- from room to room --- */

static void unread_line(struct chat *chat)
{
    if (chat->c->json)
        return;
    buf_puts(&chat->c->out, cli_style(chat->c, "\033[31m"));
    buf_puts(&chat->c->out, "--- unread ---");
    buf_puts(&chat->c->out, cli_style(chat->c, STYLE_OFF));
    buf_putc(&chat->c->out, '\n');
}

static void show_page(struct chat *chat, const struct roost_event *e, uint64_t read)
{
    bool marked = false;

    for (size_t i = 0; i < e->reply.n; i++) {
        const struct roost_message *m = &e->reply.messages[i];
        if (show_is_folded(m) && !chat->c->json)
            continue;
        if (read && m->seq > read && !marked && !m->own) {
            unread_line(chat);
            marked = true;
        }
        show_in(chat, m);
    }
}

static void show_last(struct chat *chat, struct room_entry *room)
{
    uint32_t n = room->unread > GO_SHOWS ? room->unread + 5 : GO_SHOWS;
    struct roost_read what = { .target = chat->target, .last = true, .limit = n < 200 ? n : 200 };
    struct roost_event e;
    uint64_t number = room->room, read = room->unread ? room->read : 0;

    chat->last_day = 0;
    if (cli_call(chat->c, roost_message_read(chat->c->r, &what), &e))
        return;
    show_page(chat, &e, read);
    if (!e.reply.n)
        return;
    uint64_t seq = e.reply.messages[e.reply.n - 1].seq;
    chat->shown_room = number;
    chat->shown_seq = seq;
    roost_room_mark(chat->c->r, number, seq, seq);
    room = rooms_get(&chat->c->rooms, number);
    if (room) {
        room->read = seq;
        room->unread = 0;
    }
}

int chat_go(struct chat *chat, const char *word)
{
    char *target = cli_target(word, false);
    struct room_entry *room = target ? rooms_find(&chat->c->rooms, target) : NULL;

    if (!target)
        return CLI_REFUSED;
    if (!room && *target != '@') {
        struct buf b = { 0 };
        buf_printf(&b, "you are not in %s", target);
        int status = cli_fail(chat->c, CLI_REFUSED, buf_str(&b),
                              "/rooms lists the rooms, /join NAME goes into one");
        buf_fini(&b);
        free(target);
        return status;
    }
    free(chat->target);
    chat->target = target;
    free(chat->typing);
    chat->typing = NULL;
    if (room)
        show_last(chat, room);
    line_prompt(&chat->line);
    cli_flush(chat->c);
    return CLI_OK;
}
