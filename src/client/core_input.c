/* core_input.c - bytes to frames, and each frame to its place. */
#include "client/core_internal.h"

#include <stdlib.h>

static void on_session_over(struct core *c, const Roost__SessionOver *s)
{
    struct core_error e;

    if (s->error)
        error_read(&e, s->error);
    else
        error_set(&e, ROOST_SESSION_OVER);
    if (!e.code)
        error_set(&e, ROOST_SESSION_OVER);
    login_session_over(c, &e);
}

/* The frame becomes an event; its memory moves along. */
static void push(struct core *c, const Roost__ToClient *m, struct arena *mem)
{
    struct item *i = item_new();

    if (!i) {
        core_lose_code(c, ROOST_NOMEM);
        return;
    }
    i->event.kind = CORE_PUSH;
    i->event.msg = m;
    i->event.mem = *mem;
    *mem = (struct arena){ 0 };
    core_give(c, i);
}

static void on_room_changed(struct core *c, const Roost__ToClient *m, struct arena *mem)
{
    uint64_t gone = m->room_changed->gone && m->room_changed->room ? m->room_changed->room->room
                                                                   : 0;

    push(c, m, mem);
    if (gone && c->transport)
        room_on_gone(c, gone);
}

/* The event first: what comes of it is told after it. */
static void on_meet_now(struct core *c, const Roost__ToClient *m, struct arena *mem)
{
    struct item *i = item_new();

    if (!i) {
        core_lose_code(c, ROOST_NOMEM);
        return;
    }
    i->event.kind = CORE_PUSH;
    i->event.msg = m;
    i->event.mem = *mem;
    *mem = (struct arena){ 0 };
    core_give(c, i);
    meet_on_now(c, m->meet_now);
}

static void on_message(struct core *c, const Roost__ToClient *m, struct arena *mem)
{
    switch (m->body_case) {
    case ROOST__TO_CLIENT__BODY_REPLY:
        ask_on_reply(c, m, mem);
        break;
    case ROOST__TO_CLIENT__BODY_EVENT:
        room_on_push(c, m, mem);
        break;
    case ROOST__TO_CLIENT__BODY_BEHIND:
        room_on_behind(c, m->behind);
        break;
    case ROOST__TO_CLIENT__BODY_SESSION_OVER:
        on_session_over(c, m->session_over);
        break;
    case ROOST__TO_CLIENT__BODY_IGNORE_CHANGED: /* by another device, mostly */
        if (m->ignore_changed->account)
            ask_note_ignored(c, m->ignore_changed->account, m->ignore_changed->on);
        break;
    case ROOST__TO_CLIENT__BODY_ROOM_CHANGED:
        on_room_changed(c, m, mem);
        break;
    case ROOST__TO_CLIENT__BODY_MEET_NOW:
        on_meet_now(c, m, mem);
        break;
    case ROOST__TO_CLIENT__BODY__NOT_SET:
        break; /* of a newer server */
    default:
        push(c, m, mem);
    }
}

/* A frame beyond the limits is as malformed as any: it is not our user who sent too much. */
static int of_the_peer(int err)
{
    return err == -ROOST_NOMEM ? err : -ROOST_MALFORMED;
}

static void on_frame(struct core *c, const uint8_t *body, size_t len)
{
    struct arena mem = { 0 };
    int err = 0;
    const Roost__ToClient *m = msg_to_client_decode(&mem, body, len, &err);

    if (m)
        on_message(c, m, &mem);
    else
        core_lose_code(c, of_the_peer(err));
    arena_fini(&mem);
}

void core_on_bytes(struct core *c, const uint8_t *p, size_t len, int64_t now_us)
{
    const uint8_t *end = p + len, *body;
    size_t n;

    c->now_us = now_us;
    if (!c->transport || c->state == CORE_AT_CONNECTING)
        return;
    c->heard_us = now_us;
    c->pinged_us = 0;
    while (c->transport) {
        int err = frame_next(&c->reader, &p, end, &body, &n);
        if (err == 0)
            return;
        if (err < 0)
            core_lose_code(c, of_the_peer(err));
        else
            on_frame(c, body, n);
    }
}
