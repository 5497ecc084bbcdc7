#include "core_peer.h"

#include <stdlib.h>
#include <string.h>

void peer_init(struct peer *p, const struct core_options *o)
{
    static const struct core_options usual = { .program = "test", .device_name = "bench" };

    *p = (struct peer){ .now_us = 1000000 };
    p->core = core_new(o ? o : &usual, p->now_us);
    CHECK(p->core);
    peer_pump(p);
}

void peer_forget(struct peer *p)
{
    for (size_t i = 0; i < p->n_got; i++) {
        blob_unref(p->got[i].bytes);
        arena_fini(&p->got[i].mem);
    }
    p->n_got = 0;
}

void peer_fini(struct peer *p)
{
    peer_forget(p);
    core_free(p->core);
}

static void take(struct peer *p, struct blob *bytes)
{
    int err = 0;

    CHECK(p->n_got < PEER_FRAMES_MAX);
    p->got[p->n_got].mem = (struct arena){ 0 };
    Roost__ToServer *m = msg_to_server_decode(&p->got[p->n_got].mem, bytes->bytes + FRAME_HEAD,
                                              bytes->len - FRAME_HEAD, &err);
    p->got[p->n_got].bytes = bytes;
    p->got[p->n_got++].m = m;
    CHECK(m);
}

void peer_pump(struct peer *p)
{
    struct core_output out;

    while (core_next_output(p->core, &out)) {
        p->outputs |= 1u << out.kind;
        if (out.kind == CORE_SEND)
            take(p, out.bytes);
        if (out.kind == CORE_LOAD)
            core_on_token(p->core, p->stored, p->has_token ? sizeof p->stored : 0, p->now_us);
        if (out.kind == CORE_SAVE) {
            size_t len;
            memcpy(p->stored, core_token(p->core, &len), sizeof p->stored);
            p->has_token = true;
            if (!p->hold_save)
                core_on_saved(p->core, p->now_us);
        }
        if (out.kind == CORE_FORGET)
            p->has_token = false;
    }
}

bool peer_did(struct peer *p, enum core_output_kind kind)
{
    bool did = p->outputs & 1u << kind;

    p->outputs &= ~(1u << kind);
    return did;
}

Roost__ToServer *peer_find(struct peer *p, int body_case, size_t nth)
{
    for (size_t i = 0; i < p->n_got; i++)
        if ((int)p->got[i].m->body_case == body_case && !nth--)
            return p->got[i].m;
    return NULL;
}

/* --- answers ---------------------------------------------------------------------- */

void peer_push(struct peer *p, Roost__ToClient *m)
{
    struct blob *b = msg_encode(&m->base);

    CHECK(b);
    /* cut at an odd place: framing must not matter */
    size_t first = b->len > 7 ? 7 : b->len;
    core_on_bytes(p->core, b->bytes, first, p->now_us);
    core_on_bytes(p->core, b->bytes + first, b->len - first, p->now_us);
    blob_unref(b);
    peer_pump(p);
}

void peer_reply(struct peer *p, const Roost__ToServer *to, Roost__Reply *r)
{
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    CHECK(to);
    r->id = to->id;
    m.body_case = ROOST__TO_CLIENT__BODY_REPLY;
    m.reply = r;
    peer_push(p, &m);
}

void peer_welcome(struct peer *p)
{
    Roost__Welcome w = ROOST__WELCOME__INIT;
    Roost__Reply r = ROOST__REPLY__INIT;

    w.version = 1;
    w.idle_ms = 60000;
    r.result_case = ROOST__REPLY__RESULT_WELCOME;
    r.welcome = &w;
    peer_reply(p, peer_find(p, ROOST__TO_SERVER__BODY_HELLO, 0), &r);
}

void peer_session(struct peer *p, const Roost__ToServer *to)
{
    Roost__Session s = ROOST__SESSION__INIT;
    Roost__Reply r = ROOST__REPLY__INIT;
    uint8_t token[32];
    uint64_t ignored[] = { 77 };

    memset(token, ++p->next_token, sizeof token);
    s.token.data = token;
    s.token.len = sizeof token;
    s.account = 5;
    s.session = 9;
    s.name = (char *)"anna";
    s.ignored = ignored;
    s.n_ignored = 1;
    r.result_case = ROOST__REPLY__RESULT_SESSION;
    r.session = &s;
    peer_reply(p, to, &r);
}

void peer_done(struct peer *p, const Roost__ToServer *to, uint64_t seq)
{
    Roost__Done d = ROOST__DONE__INIT;
    Roost__Reply r = ROOST__REPLY__INIT;

    d.seq = seq;
    r.result_case = ROOST__REPLY__RESULT_DONE;
    r.done = &d;
    peer_reply(p, to, &r);
}

void peer_error(struct peer *p, const Roost__ToServer *to, int code)
{
    Roost__Error e = ROOST__ERROR__INIT;
    Roost__Reply r = ROOST__REPLY__INIT;

    e.code = (uint32_t)code;
    e.name = (char *)err_name(code);
    r.result_case = ROOST__REPLY__RESULT_ERROR;
    r.error = &e;
    peer_reply(p, to, &r);
}

void peer_event(struct peer *p, uint64_t room, uint64_t seq, uint64_t sender)
{
    Roost__Text t = ROOST__TEXT__INIT;
    Roost__Event e = ROOST__EVENT__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    t.text = (char *)"words";
    e.room = room;
    e.seq = seq;
    e.sender = sender;
    e.what_case = ROOST__EVENT__WHAT_TEXT;
    e.text = &t;
    m.body_case = ROOST__TO_CLIENT__BODY_EVENT;
    m.event = &e;
    peer_push(p, &m);
}

void peer_synced(struct peer *p, const Roost__ToServer *to, uint64_t upto, uint64_t head, bool more)
{
    Roost__Synced s = ROOST__SYNCED__INIT;
    Roost__Reply r = ROOST__REPLY__INIT;

    CHECK(to);
    s.room = to->sync->room;
    s.upto = upto;
    s.head = head;
    s.more = more;
    r.result_case = ROOST__REPLY__RESULT_SYNCED;
    r.synced = &s;
    peer_reply(p, to, &r);
}

/* --- a life ------------------------------------------------------------------------- */

void peer_up(struct peer *p)
{
    core_on_connected(p->core, p->now_us);
    peer_pump(p);
    peer_welcome(p);
    if (core_state(p->core) == CORE_AT_LOGIN) {
        CHECK(core_login(p->core, "anna", "secret words", p->now_us) > 0);
        peer_pump(p);
        peer_session(p, peer_find(p, ROOST__TO_SERVER__BODY_LOGIN, 0));
    } else {
        peer_session(p, peer_find(p, ROOST__TO_SERVER__BODY_RESUME, 0));
    }
}

void peer_cut(struct peer *p)
{
    core_on_closed(p->core, -ROOST_CLOSED, false, p->now_us);
    peer_forget(p);
    p->outputs = 0;
    peer_pump(p);
}

void peer_again(struct peer *p)
{
    for (int i = 0; i < 10 && core_state(p->core) == CORE_AT_LOST; i++) {
        p->now_us = core_deadline_us(p->core);
        core_expire(p->core, p->now_us);
        peer_pump(p);
    }
    peer_up(p);
}

struct core_event *peer_next(struct peer *p, enum core_event_kind kind)
{
    struct core_event *e;

    do
        e = core_next_event(p->core);
    while (e && e->kind != kind);
    return e;
}
