/* chat.c - what is said: texts, edits, deletions, reactions, pins, typing. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "hub/handlers_talk.h"

/* --- appending, for every file that makes events -------------------------------- */

static int copy_event(struct arena *a, struct event *to, const struct event *e)
{
    *to = *e;
    to->from_name = arena_str(a, e->from_name);
    to->shown = e->shown ? to->from_name : NULL;
    to->who_name = arena_str(a, e->who_name);
    to->room_name = arena_str(a, e->room_name);
    to->text = arena_str(a, e->text);
    to->mentions = arena_dup(a, e->mentions, e->n_mentions * sizeof *e->mentions);
    return (!e->from_name || to->from_name) && (!e->who_name || to->who_name) &&
                   (!e->room_name || to->room_name) && (!e->text || to->text) && to->mentions
               ? 0
               : -ROOST_NOMEM;
}

int chat_append(struct hub *h, struct request *q, const struct event *e, bool own)
{
    struct event *kept = arena_get(&q->mem, sizeof *kept);
    struct store_op *op = kept ? request_do(h, q, STORE_APPEND) : NULL;

    if (!op)
        return -ROOST_NOMEM;
    struct event full = *e;
    full.room = q->room_id;
    full.from = q->account;
    full.shown = meeting_shown(q->room->meeting, q->account, q->name);
    full.from_name = full.shown ? full.shown : q->name;
    op->room.id = q->room_id;
    op->own = own;
    if (copy_event(&q->mem, kept, &full) < 0 || copy_event(&op->mem, &op->event, &full) < 0) {
        store_op_unref(op);
        return -ROOST_NOMEM;
    }
    q->state = kept;
    return request_store(h, q, op);
}

struct event *chat_event(struct request *q, const struct store_result *r)
{
    struct event *e = q->state;

    e->seq = r->seq;
    e->at_ms = r->at_ms;
    room_on_event(q->room, r->seq, r->at_ms);
    return e;
}

int chat_on_appended(struct hub *h, struct request *q, struct store_result *r)
{
    tell_room_event(h, chat_event(q, r));
    return reply_done(h, q, r);
}

/* --- saying ------------------------------------------------------------------------ */

static int text_check(const struct hub *h, const char *text)
{
    if (!*text)
        return -ROOST_BAD_TEXT;
    return strlen(text) > h->config.text_max ? -ROOST_TOO_LONG : 0;
}

static bool name_ends(const char *p)
{
    return !*p || *p == '@' ||
           (!utf8_is_control((unsigned char)*p) && strchr(" \t\n,;:!?()[]\"'", *p));
}

/* The member whose name stands at p (after '@'); the longest that fits. */
static const struct member *member_at(const struct room *r, const char *p)
{
    const struct member *best = NULL;
    struct map_slot *s;
    size_t longest = 0;

    for (size_t i = 0; (s = map_next(&r->members, &i));) {
        const struct member *m = s->value;
        const char *name = room_called(r, m);
        size_t len = strlen(name);
        if (!m->banned && len > longest && strncasecmp(name, p, len) == 0 &&
            (name_ends(p + len) || p[len] == '.')) {
            best = m;
            longest = len;
        }
    }
    return best;
}

static int mentions_find(struct request *q, const char *text, struct event *e)
{
    uint64_t *found = NULL;
    size_t n = 0;

    for (const char *p = strchr(text, '@'); p && n < MENTIONS_MAX; p = strchr(p + 1, '@')) {
        const struct member *m = member_at(q->room, p + 1);
        bool known = !m;
        for (size_t i = 0; m && i < n; i++)
            known = known || found[i] == m->account;
        if (known)
            continue;
        if (!found && !(found = arena_get(&q->mem, MENTIONS_MAX * sizeof *found)))
            return -ROOST_NOMEM;
        found[n++] = m->account;
    }
    e->mentions = found;
    e->n_mentions = n;
    return 0;
}

int say_on_message(struct hub *h, struct request *q)
{
    const Roost__Say *b = q->msg->say;
    struct event e = { .kind = EVENT_TEXT, .text = b->text, .ref = b->reply_to, .flag = b->action };
    int err = text_check(h, b->text);

    if (!err && b->reply_to > q->room->head)
        err = -ROOST_NO_SUCH_MESSAGE;
    if (!err)
        err = speed_check(h, q);
    if (!err)
        err = mentions_find(q, b->text, &e);
    return err ? err : chat_append(h, q, &e, false);
}

int say_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (r->seq == 1 && q->room->kind == ROOST__ROOM_KIND__DIRECT)
        rooms_tell_place_all(h, q->room); /* the other one has not heard of this room yet */
    return chat_on_appended(h, q, r);
}

int edit_on_message(struct hub *h, struct request *q)
{
    const Roost__Edit *b = q->msg->edit;
    struct event e = { .kind = EVENT_EDIT, .ref = b->seq, .text = b->text };
    int err = text_check(h, b->text);

    if (!err)
        err = speed_check(h, q);
    if (!err)
        err = mentions_find(q, b->text, &e);
    return err ? err : chat_append(h, q, &e, true);
}

int delete_on_message(struct hub *h, struct request *q)
{
    struct event e = { .kind = EVENT_DELETE, .ref = q->msg->delete_->seq };

    return chat_append(h, q, &e, !room_manages(q, RIGHT_MODERATE));
}

int react_on_message(struct hub *h, struct request *q)
{
    const Roost__React *b = q->msg->react;
    struct event e = { .kind = EVENT_REACT, .ref = b->seq, .text = b->emoji, .flag = b->remove };
    size_t len = strlen(b->emoji);

    if (!len || len > EMOJI_MAX || strpbrk(b->emoji, " \t\r\n"))
        return -ROOST_NO_SUCH_EMOJI;
    for (const char *p = b->emoji, *end = p + len; p < end;)
        if (utf8_is_control(utf8_next(&p, end)))
            return -ROOST_NO_SUCH_EMOJI;
    int err = speed_check(h, q);
    return err ? err : chat_append(h, q, &e, false);
}

/* --- pins ---------------------------------------------------------------------------- */

static size_t pin_at(const struct room *r, uint64_t seq)
{
    size_t i = 0;

    while (i < r->n_pins && r->pins[i] != seq)
        i++;
    return i;
}

int pin_on_message(struct hub *h, struct request *q)
{
    const Roost__Pin *b = q->msg->pin;
    struct event e = { .kind = EVENT_PIN, .ref = b->seq, .flag = b->off };
    bool there = pin_at(q->room, b->seq) < q->room->n_pins;

    if (q->room->kind != ROOST__ROOM_KIND__DIRECT && !room_manages(q, RIGHT_MODERATE))
        return -ROOST_NOT_ALLOWED;
    if (there != b->off)
        return -ROOST_ALREADY;
    if (!b->off && q->room->n_pins == STORE_PINS_MAX)
        return -ROOST_LIMIT;
    return chat_append(h, q, &e, false);
}

int pin_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct room *room = q->room;
    const struct event *e = chat_event(q, r);
    size_t at = pin_at(room, e->ref);

    if (e->flag && at < room->n_pins)
        memmove(&room->pins[at], &room->pins[at + 1], (--room->n_pins - at) * sizeof *room->pins);
    else if (!e->flag && at == room->n_pins && at < STORE_PINS_MAX)
        room->pins[room->n_pins++] = e->ref;
    tell_room_event(h, e);
    return reply_done(h, q, r);
}

/* --- typing: passing, neither numbered nor kept ----------------------------------------- */

enum { TYPING_US = 6 * 1000000 };

int typing_on_message(struct hub *h, struct request *q)
{
    struct user *u = user_of(h, q->account);
    Roost__TypingNow now = ROOST__TYPING_NOW__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    if (u) {
        u->typing_room = q->room_id;
        free(u->typing_name);
        u->typing_name = strdup(q->room->name);
        u->typing_until_us = h->now.mono_us + TYPING_US;
    }
    now.room = q->room_id;
    now.account = q->account;
    const char *shown = meeting_shown(q->room->meeting, q->account, q->name);
    now.name = (char *)(shown ? shown : q->name);
    frame.body_case = ROOST__TO_CLIENT__BODY_TYPING_NOW;
    frame.typing_now = &now;
    tell_room_frame(h, q->room_id, &frame, q->account);
    return reply_done(h, q, NULL);
}
