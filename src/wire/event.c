#include "wire/event.h"

#include <string.h>

static char *words(const char *s)
{
    return (char *)(s ? s : ""); /* protobuf-c has no const; it only reads */
}

static bool text_fill(Roost__Text *t, struct arena *a, const struct event *e)
{
    t->text = words(e->text);
    t->reply_to = e->ref;
    t->action = e->flag;
    t->mentions = (uint64_t *)e->mentions;
    t->n_mentions = e->n_mentions;
    t->edit_seq = e->edit_seq;
    t->deleted = e->deleted;
    if (!e->n_reactions)
        return true;

    t->reactions = arena_get(a, e->n_reactions * sizeof *t->reactions);
    Roost__Reaction *r = arena_get(a, e->n_reactions * sizeof *r);
    if (!t->reactions || !r)
        return false;
    for (size_t i = 0; i < e->n_reactions; i++) {
        roost__reaction__init(&r[i]);
        r[i].emoji = words(e->reactions[i].emoji);
        r[i].count = e->reactions[i].count;
        r[i].mine = e->reactions[i].mine;
        t->reactions[i] = &r[i];
    }
    t->n_reactions = e->n_reactions;
    return true;
}

#define FILL(CASE, field, type, ...)                                                               \
    do {                                                                                           \
        m->what_case = ROOST__EVENT__WHAT_##CASE;                                                  \
        m->field = arena_get(a, sizeof *m->field);                                                 \
        if (!m->field)                                                                             \
            return NULL;                                                                           \
        type##__init(m->field);                                                                    \
        __VA_ARGS__                                                                                \
    } while (0)

Roost__Event *event_to_msg(struct arena *a, const struct event *e)
{
    Roost__Event *m = arena_get(a, sizeof *m);

    if (!m)
        return NULL;
    roost__event__init(m);
    m->room = e->room;
    m->seq = e->seq;
    m->at_ms = (uint64_t)e->at_ms;
    m->sender = e->from;
    m->sender_name = words(e->from_name);
    switch (e->kind) {
    case EVENT_TEXT:
        FILL(TEXT, text, roost__text, if (!text_fill(m->text, a, e)) return NULL;);
        break;
    case EVENT_EDIT:
        FILL(EDITED, edited, roost__edited, m->edited->seq = e->ref;
             m->edited->text = words(e->text); m->edited->mentions = (uint64_t *)e->mentions;
             m->edited->n_mentions = e->n_mentions;);
        break;
    case EVENT_DELETE:
        FILL(DELETED, deleted, roost__deleted, m->deleted->seq = e->ref;);
        break;
    case EVENT_REACT:
        FILL(REACTED, reacted, roost__reacted, m->reacted->seq = e->ref;
             m->reacted->emoji = words(e->text); m->reacted->remove = e->flag;);
        break;
    case EVENT_MEMBER:
        FILL(MEMBER, member, roost__member_changed, m->member->account = e->who;
             m->member->name = words(e->who_name);
             m->member->change = (Roost__MemberChanged__Change)e->change;
             m->member->role = (Roost__RoomRole)e->role;);
        break;
    case EVENT_ROOM:
        FILL(ROOM_SET, room_set, roost__room_set, m->room_set->topic = words(e->text);
             m->room_set->private_ = e->private; m->room_set->moderated = e->moderated;
             m->room_set->closed = e->closed; m->room_set->created = e->created;
             m->room_set->retention_days = e->retention_days;
             m->room_set->name = words(e->room_name););
        break;
    case EVENT_PIN:
        FILL(PINNED, pinned, roost__pinned, m->pinned->seq = e->ref; m->pinned->on = !e->flag;);
        break;
    case EVENT_MEET:
        m->what_case = ROOST__EVENT__WHAT_MET;
        m->met = msg_unpack(a, &roost__met__descriptor, e->data, e->n_data);
        if (!m->met)
            return NULL;
        if (!e->n_data) /* its words went with an account */
            m->met->action = (Roost__MeetAction)e->change;
        break;
    case EVENT_FILE:
        m->what_case = ROOST__EVENT__WHAT_FILED;
        m->filed = msg_unpack(a, &roost__filed__descriptor, e->data, e->n_data);
        if (!m->filed)
            return NULL;
        if (m->filed->file) { /* what was not known yet when it was packed */
            m->filed->file->file = e->ref;
            m->filed->file->seq = e->seq;
            m->filed->file->done_ms = (uint64_t)e->at_ms;
        }
        break;
    }
    return m;
}

struct blob *event_encode(const struct event *e)
{
    struct arena a = { 0 };
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    struct blob *b = NULL;

    frame.body_case = ROOST__TO_CLIENT__BODY_EVENT;
    frame.event = event_to_msg(&a, e);
    if (frame.event)
        b = msg_encode(&frame.base);
    arena_fini(&a);
    return b;
}
