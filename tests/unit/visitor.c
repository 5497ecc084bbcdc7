#include "visitor.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "wire/frame.h"

static void on_send(void *arg, uint64_t conn, struct blob *bytes)
{
    struct stage *s = arg;
    struct visitor *v = conn < 1024 ? s->by_conn[conn] : NULL;
    int err = 0;

    if (!v || v->n_heard == HEARD_MAX)
        return;
    struct arena *mem = &v->heard[v->n_heard].mem;
    arena_init(mem, 0);
    v->heard[v->n_heard].frame = msg_to_client_decode(mem, bytes->bytes + FRAME_HEAD,
                                                      bytes->len - FRAME_HEAD, &err);
    if (v->heard[v->n_heard].frame)
        v->n_heard++;
    else
        arena_fini(mem);
}

static void on_close(void *arg, uint64_t conn)
{
    struct stage *s = arg;

    if (conn < 1024 && s->by_conn[conn]) {
        s->by_conn[conn]->closed = true;
        s->by_conn[conn] = NULL;
    }
}

struct stage *stage_new(void)
{
    struct stage *s = calloc(1, sizeof *s);
    struct hub_config config;
    struct hall_sink sink = { on_send, on_close, s };

    CHECK(s);
    hub_config_default(&config);
    config.registration = REGISTRATION_OPEN;
    s->now_us = 1000000;
    if (hall_open(&s->hall, &config, &sink, 42, s->now_us) < 0) {
        free(s);
        CHECK(!"a hall");
    }
    return s;
}

void stage_free(struct stage *s)
{
    hall_close(&s->hall);
    while (s->visitors)
        visitor_free(s->visitors);
    free(s);
}

void stage_run(struct stage *s, int64_t us)
{
    s->now_us += us;
    hall_run(&s->hall, s->now_us);
    hall_settle(&s->hall);
}

void visitor_connect(struct visitor *v)
{
    struct hub_peer peer = { .address = "192.0.2.7", .source = "192.0.2.7", .local = true };
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Hello hello = ROOST__HELLO__INIT;

    v->conn = ++v->stage->n_conns;
    CHECK(v->conn < 1024);
    v->stage->by_conn[v->conn] = v;
    v->closed = false;
    hall_connect(&v->stage->hall, v->conn, &peer);
    hello.version_min = hello.version_max = 1;
    m.body_case = ROOST__TO_SERVER__BODY_HELLO;
    m.hello = &hello;
    visitor_ask(v, &m);
}

struct visitor *visitor_new(struct stage *s)
{
    struct visitor *v = calloc(1, sizeof *v);

    CHECK(v);
    v->stage = s;
    v->next = s->visitors;
    s->visitors = v;
    visitor_connect(v);
    return v;
}

void visitor_forget(struct visitor *v)
{
    for (size_t i = 0; i < v->n_heard; i++)
        arena_fini(&v->heard[i].mem);
    v->n_heard = 0;
}

void visitor_free(struct visitor *v)
{
    struct visitor **at = &v->stage->visitors;

    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    visitor_forget(v);
    if (v->conn < 1024 && v->stage->by_conn[v->conn] == v)
        v->stage->by_conn[v->conn] = NULL;
    free(v);
}

Roost__Reply *visitor_ask_again(struct visitor *v, Roost__ToServer *m)
{
    uint8_t id[16] = { 0 };
    size_t from = v->n_heard;

    memcpy(id, &v->n_requests, sizeof v->n_requests);
    memcpy(id + 8, &v->stage, 4);
    id[15] = (uint8_t)(v->account ? v->account : v->conn);
    m->id = (ProtobufCBinaryData){ sizeof id, id };
    struct blob *frame = msg_encode(&m->base);
    CHECK(frame);
    hall_frame(&v->stage->hall, v->conn, frame->bytes + FRAME_HEAD, frame->len - FRAME_HEAD);
    blob_unref(frame);
    hall_settle(&v->stage->hall);
    for (size_t i = from; i < v->n_heard; i++) {
        Roost__ToClient *f = v->heard[i].frame;
        if (f->body_case == ROOST__TO_CLIENT__BODY_REPLY && f->reply->id.len == sizeof id &&
            memcmp(f->reply->id.data, id, sizeof id) == 0)
            return f->reply;
    }
    return NULL;
}

Roost__Reply *visitor_ask(struct visitor *v, Roost__ToServer *m)
{
    v->n_requests++;
    return visitor_ask_again(v, m);
}

int reply_code(const Roost__Reply *r)
{
    return !r ? -1 : r->result_case == ROOST__REPLY__RESULT_ERROR ? (int)r->error->code : 0;
}

struct visitor *visitor_named(struct stage *s, const char *name)
{
    struct visitor *v = visitor_new(s);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__SignUp up = ROOST__SIGN_UP__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;
    uint8_t device[32] = { 1 };

    memcpy(device + 1, name, strlen(name) < 30 ? strlen(name) : 30);
    up.name = (char *)name;
    up.password = "correct horse";
    m.body_case = ROOST__TO_SERVER__BODY_SIGN_UP;
    m.sign_up = &up;
    visitor_ask(v, &m);
    in.name = (char *)name;
    in.password = "correct horse";
    in.device = (ProtobufCBinaryData){ sizeof device, device };
    in.device_name = "test";
    m.body_case = ROOST__TO_SERVER__BODY_LOGIN;
    m.login = &in;
    Roost__Reply *r = visitor_ask(v, &m);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_SESSION);
    v->account = r->session->account;
    memcpy(v->token, r->session->token.data, sizeof v->token);
    return v;
}

int visitor_say(struct visitor *v, const char *target, const char *text)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Say say = ROOST__SAY__INIT;
    Roost__Target to = ROOST__TARGET__INIT;

    to.name = (char *)target;
    say.target = &to;
    say.text = (char *)text;
    m.body_case = ROOST__TO_SERVER__BODY_SAY;
    m.say = &say;
    return reply_code(visitor_ask(v, &m));
}

int visitor_sync(struct visitor *v, uint64_t room, uint64_t after)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Sync sync = ROOST__SYNC__INIT;

    sync.room = room;
    sync.after = after;
    sync.limit = 200;
    m.body_case = ROOST__TO_SERVER__BODY_SYNC;
    m.sync = &sync;
    return reply_code(visitor_ask(v, &m));
}

uint64_t visitor_room(struct visitor *v, const char *name, const char *user)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__NewRoom room = ROOST__NEW_ROOM__INIT;
    char *users[] = { (char *)user };

    room.name = (char *)name;
    room.users = users;
    room.n_users = user ? 1 : 0;
    m.body_case = ROOST__TO_SERVER__BODY_NEW_ROOM;
    m.new_room = &room;
    Roost__Reply *r = visitor_ask(v, &m);
    return r && r->result_case == ROOST__REPLY__RESULT_DONE ? r->done->room : 0;
}

static Roost__Event *event_at(const struct visitor *v, size_t i, uint64_t room)
{
    const Roost__ToClient *f = v->heard[i].frame;

    return f->body_case == ROOST__TO_CLIENT__BODY_EVENT && f->event->room == room ? f->event : NULL;
}

Roost__Event *visitor_event(struct visitor *v, uint64_t room, size_t n)
{
    for (size_t i = 0; i < v->n_heard; i++) {
        Roost__Event *e = event_at(v, i, room);
        if (e && !n--)
            return e;
    }
    return NULL;
}

size_t visitor_events(struct visitor *v, uint64_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_heard; i++)
        n += event_at(v, i, room) != NULL;
    return n;
}

void visitor_send(struct visitor *v, Roost__ToServer *m)
{
    uint8_t id[16] = { 0xaa };

    v->n_requests++;
    memcpy(id + 1, &v->n_requests, sizeof v->n_requests);
    id[15] = (uint8_t)v->conn;
    m->id = (ProtobufCBinaryData){ sizeof id, id };
    struct blob *frame = msg_encode(&m->base);
    CHECK(frame);
    hall_frame(&v->stage->hall, v->conn, frame->bytes + FRAME_HEAD, frame->len - FRAME_HEAD);
    blob_unref(frame);
}

size_t visitor_errors(const struct visitor *v, uint32_t code)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_heard; i++) {
        const Roost__ToClient *f = v->heard[i].frame;
        n += f->body_case == ROOST__TO_CLIENT__BODY_REPLY &&
             f->reply->result_case == ROOST__REPLY__RESULT_ERROR && f->reply->error->code == code;
    }
    return n;
}
